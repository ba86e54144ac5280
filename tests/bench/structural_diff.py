"""What a structural diff of a big change costs: `python -m tests.bench.structural_diff [--repository DIR OLD NEW]...`.

Made by us, over 500 files of Python, in four kinds: names that change everywhere, functions that move to another file,
a new layout, and edits that mean something. First about 100,000 changed lines (git's count), as every other function
stays as it was; then the harshest shape, in which hardly a line stays: about twice as many. And what public projects
did: with `--repository` between two commits, with `--mirrors DIR` in the ranges below (each is a bare repository
DIR/owner+name/repo), of the files whose language we know.

The yardstick is what anybody must pay who looks at it: `git diff --stat` of these files, and one bare parse of both
sides of them. All three are taken in turns, and the best of the rounds counts, so that a busy machine does not decide.
Prints `name, ours, yardstick, ratio` in processor seconds, of which the aim is 3, and what was folded.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from workbench.code.compare import structural_diff
from workbench.code.languages import language_of, parser
from workbench.code.model import FileSides

FILES, FUNCTIONS = 500, 24
ROUNDS = 5
SEED = 7
# The newest commits of each, so many that about 100,000 lines changed.
RANGES = {
    "sphinx-doc/sphinx": 1000,
    "trpc/trpc": 1000,
    "colinhacks/zod": 1000,
    "psf/black": 1000,
    "BurntSushi/ripgrep": 1000,
    "sympy/sympy": 1000,
    "date-fns/date-fns": 300,
}


def function(random_: random.Random, file: int, number: int) -> list[str]:
    """A function of ordinary looks."""
    name, other = f"step_{file}_{number}", f"helper_{random_.randrange(50)}"
    lines = [
        f"def {name}(items, limit={number}, *, strict=True):",
        f'    """Count what is above {number} in the items of part {file}."""',
        "    total = 0",
        "    for item in items:",
        f"        if item.weight > limit and {other}(item, strict=strict):",
        f'            total += item.weight * {random_.randrange(1000)}  # weigh it "{number}"',
        "        elif not strict:",
        f'            raise ValueError(f"{name}: {{item.name}} of {random_.randrange(1000)}")',
        f"    result = [value for value in range(total) if value % {number + 2}]",
        f"    return sum(result) + {random_.randrange(1000)}",
    ]
    return [*lines, "", ""]


def renamed(lines: list[str]) -> list[str]:
    """The same with a new name in every line that says the old one."""
    return [line.replace("total", "weight_sum").replace("items", "entries") for line in lines]


def laid_out(lines: list[str]) -> list[str]:
    """The same tokens on other lines."""
    found = []
    for line in lines:
        indent = line[: len(line) - len(line.lstrip())]
        opened = line.find("(")
        if opened > 0 and line.count("(") == line.count(")") == 1 and "#" not in line and '"' not in line:
            closed = line.rindex(")")
            found += [
                line[: opened + 1],
                f"{indent}        {line[opened + 1 : closed]}",
                f"{indent}    {line[closed:]}",
            ]
        else:
            found.append(line)
    return found


def edited(lines: list[str]) -> list[str]:
    """The same, meaning something else on most lines."""
    changes = ((" > ", " >= "), ("= 0", "= 1"), (" % ", " // "), (" + ", " - "), (" += ", " -= "), (":", ": "))
    found = []
    for line in lines:
        old, new = next((pair for pair in changes if pair[0] in line), ("(", "(0, "))
        found.append(line.replace(old, new, 1))
    return found


def change(*, every: int) -> list[FileSides]:
    """All files; of the functions that stay in theirs one in `every` changes, and of these as many leave."""
    random_ = random.Random(SEED)
    found, leaving = [], list[str]()
    stay = FUNCTIONS - FUNCTIONS // 6 // every
    for file in range(FILES):
        functions = [function(random_, file, number) for number in range(FUNCTIONS)]
        old = [line for each in functions for line in each]
        turn = (renamed, laid_out, edited)[file % 3]
        kept = [each if number % every else turn(each) for number, each in enumerate(functions[:stay])]
        new = [*leaving, *(line for each in kept for line in each)]
        leaving = [line for each in functions[stay:] for line in each]
        path = f"part_{file % 20}/module_{file}.py"
        found.append(FileSides(path=path, old="\n".join(old).encode(), new="\n".join(new).encode()))
    return found


def repository(place: Path, files: Sequence[FileSides]) -> None:
    """Two commits in a new repository."""
    options = ["git", "-C", str(place), "-c", "user.name=bench", "-c", "user.email=bench@example.org"]
    subprocess.run(["git", "init", "-q", str(place)], check=True)
    for is_new in (False, True):
        for each in files:
            (place / each.path).parent.mkdir(parents=True, exist_ok=True)
            (place / each.path).write_bytes((each.new if is_new else each.old) or b"")
        subprocess.run([*options, "add", "-A"], check=True)
        subprocess.run([*options, "commit", "-qm", "step"], check=True)


def sides(place: Path, old: str, new: str) -> list[FileSides]:
    """Both sides of the changed files whose language we know."""
    git = ["git", "-C", str(place)]
    listed = subprocess.run(
        [*git, "diff", "--name-only", "-z", "--no-renames", old, new], capture_output=True, check=True, text=True
    ).stdout.split("\0")
    paths = [path for path in listed if path and language_of(path)]
    asked = "".join(f"{commit}:{path}\n" for path in paths for commit in (old, new))
    told = subprocess.run([*git, "cat-file", "--batch"], input=asked.encode(), capture_output=True, check=True).stdout
    blobs = list(_blobs(told))
    return [FileSides(path=path, old=blobs[2 * at], new=blobs[2 * at + 1]) for at, path in enumerate(paths)]


def _blobs(told: bytes) -> Iterator[bytes | None]:
    """What `git cat-file --batch` says, one after the other; None for what is missing."""
    at = 0
    while at < len(told):
        end = told.index(b"\n", at)
        if told.endswith(b" missing", at, end):
            yield None
            at = end + 1
        else:
            size = int(told[at:end].split()[-1])
            yield told[end + 1 : end + 1 + size]
            at = end + size + 2


def stat(place: Path, old: str, new: str, files: Sequence[FileSides]) -> str:
    """What git counts."""
    command = [
        "git",
        "-C",
        str(place),
        "diff",
        "--stat",
        "--no-renames",
        old,
        new,
        "--",
        *(each.path for each in files),
    ]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()[-1]


def parse_all(files: Sequence[FileSides]) -> None:
    """Both sides, and nothing else."""
    for each in files:
        reader = parser(language_of(each.path))
        for data in (each.old, each.new):
            if data is not None:
                reader.parse(data)


def measured(runs: Sequence[Callable[[], object]]) -> list[float]:
    """The fewest processor seconds of each, of this process and its children."""
    best = [float("inf")] * len(runs)
    for _ in range(ROUNDS):
        for at, run in enumerate(runs):
            begun = _used()
            run()
            best[at] = min(best[at], _used() - begun)
    return best


def _used() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def report(name: str, place: Path, old: str, new: str) -> None:
    """Print the row of one change."""
    files = sides(place, old, new)
    looked, parsed, ours = measured(
        [lambda: stat(place, old, new, files), lambda: parse_all(files), lambda: structural_diff(files)]
    )
    yardstick = looked + parsed
    print(
        f"{name}, {ours:.2f} s, {yardstick:.2f} s, {ours / yardstick:.2f}",
        f"(git {looked:.2f}, parse {parsed:.2f})",
        flush=True,
    )
    begun = time.perf_counter()
    structural_diff(files[:1])
    first = time.perf_counter() - begun
    summary = structural_diff(files).summary
    print(f"  {stat(place, old, new, files).strip()}; ours {summary}; the first file {first * 1000:.0f} ms", flush=True)


def main() -> int:
    """Print the rows."""
    asked = argparse.ArgumentParser(prog="python -m tests.bench.structural_diff", description=__doc__)
    asked.add_argument(
        "--repository", nargs=3, action="append", metavar=("DIR", "OLD", "NEW"), help="as often as wanted"
    )
    asked.add_argument("--mirrors", type=Path, metavar="DIR", help="where the repositories of the ranges are")
    given = asked.parse_args()
    print("name, ours, yardstick, ratio")
    for place, old, new in given.repository or ():
        report(Path(place).name, Path(place), old, new)
    for project, back in RANGES.items() if given.mirrors else ():
        report(project, given.mirrors / project.replace("/", "+") / "repo", f"HEAD~{back}", "HEAD")
    for name, every in (
        (("every other function", 2), ("every line", 1)) if not (given.repository or given.mirrors) else ()
    ):
        with tempfile.TemporaryDirectory() as made:
            repository(Path(made), change(every=every))
            report(name, Path(made), "HEAD~1", "HEAD")
    return 0


if __name__ == "__main__":
    sys.exit(main())

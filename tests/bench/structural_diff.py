"""What a structural diff of a big change costs: `python -m tests.bench.structural_diff`.

100,000 changed lines (git's count) over 500 files of Python, of four kinds: names that change everywhere, functions
that move to another file, a new layout, and edits that mean something. The yardstick is what anybody must pay who
looks at it: `git diff --stat`, and one bare parse of both sides of the changed files. Prints
`name, ours, yardstick, ratio` in processor seconds, of which the aim is 3, and what was folded.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from workbench.code.compare import structural_diff
from workbench.code.languages import parser
from workbench.code.model import FileSides, StructuralDiff

FILES, FUNCTIONS = 500, 24
ROUNDS = 3
SEED = 7


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


def change() -> tuple[dict[str, bytes], dict[str, bytes]]:
    """All files before and after."""
    random_ = random.Random(SEED)
    before, after = {}, {}
    leaving: list[str] = []
    for file in range(FILES):
        functions = [function(random_, file, number) for number in range(FUNCTIONS)]
        old = [line for each in functions for line in each]
        turn = (renamed, laid_out, edited)[file % 3]
        kept = functions[: FUNCTIONS * 5 // 6]
        new = [*leaving, *(line for each in kept for line in turn(each))]
        leaving = [line for each in functions[FUNCTIONS * 5 // 6 :] for line in each]
        path = f"part_{file % 20}/module_{file}.py"
        before[path], after[path] = "\n".join(old).encode(), "\n".join(new).encode()
    return before, after


def measured(run: Callable[[], object]) -> float:
    """Median processor seconds of this process and its children."""
    taken = []
    for _ in range(ROUNDS):
        begun = _used()
        run()
        taken.append(_used() - begun)
    return statistics.median(taken)


def _used() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def repository(place: Path, before: dict[str, bytes], after: dict[str, bytes]) -> None:
    """Two commits in a new repository."""
    options = ["git", "-C", str(place), "-c", "user.name=bench", "-c", "user.email=bench@example.org"]
    subprocess.run(["git", "init", "-q", str(place)], check=True)
    for files in (before, after):
        for path, data in files.items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_bytes(data)
        subprocess.run([*options, "add", "-A"], check=True)
        subprocess.run([*options, "commit", "-qm", "step"], check=True)


def stat(place: Path) -> str:
    """What git counts."""
    command = ["git", "-C", str(place), "diff", "--stat", "--no-renames", "HEAD~1", "HEAD"]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()[-1]


def main() -> int:
    """Print the row."""
    before, after = change()
    files = [FileSides(path=path, old=before[path], new=after[path]) for path in before]
    found: list[StructuralDiff] = []

    def parse_all() -> None:
        reader = parser("python")
        for each in files:
            reader.parse(each.old or b"")
            reader.parse(each.new or b"")

    def compare() -> None:
        found[:] = [structural_diff(files)]

    with tempfile.TemporaryDirectory() as place:
        repository(Path(place), before, after)
        counted = stat(Path(place))
        looked = measured(lambda: stat(Path(place)))
    parsed, ours = measured(parse_all), measured(compare)
    yardstick = looked + parsed
    begun = time.perf_counter()
    structural_diff(files[:1])
    first = time.perf_counter() - begun
    print("name, ours, yardstick, ratio")
    print(
        f"structural diff, {ours:.2f} s, {yardstick:.2f} s, {ours / yardstick:.2f}",
        f"(git {looked:.2f}, parse {parsed:.2f})",
    )
    print(f"  {counted.strip()}; ours {found[0].summary}; the first file {first * 1000:.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How much of the mechanical part of real changes is folded: `python -m tests.bench.folding [REPO A B]...`.

The yardstick is git's own: lines that it paints as moved (white space aside, blocks of any size) and lines of files
that hold the same words in the same order on both sides. Without arguments the newest commits of this repository that
moved much are taken. Prints `name, folded lines, mechanical lines by the yardstick, share`, and per commit what of the
yardstick's lines was not folded.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from workbench.code.compare import structural_diff
from workbench.code.model import FileSides, StructuralDiff

ROOT = Path(__file__).parents[2]
COMMITS = 10
LOOKED_AT = 400  # of the newest commits
_ESCAPE = re.compile(rb"\x1b\[([0-9;]*)m")
_HEAD = re.compile(rb"@@ -(\d+)(?:,\d+)? \+(\d+)")
OLD_MOVED, NEW_MOVED = b"35", b"36"  # colours that are asked for below


def git(repository: Path, *arguments: str) -> bytes:
    """What git says."""
    return subprocess.run(["git", "-C", str(repository), *arguments], capture_output=True, check=True).stdout


def sides(repository: Path, base: str, head: str) -> list[FileSides]:
    """Both sides of every changed file."""
    listed = git(repository, "diff", "--no-renames", "--name-only", "-z", base, head).decode().split("\0")
    return [
        FileSides(path=path, old=_blob(repository, base, path), new=_blob(repository, head, path))
        for path in listed
        if path
    ]


def _blob(repository: Path, commit: str, path: str) -> bytes | None:
    shown = subprocess.run(["git", "-C", str(repository), "cat-file", "blob", f"{commit}:{path}"], capture_output=True)
    return shown.stdout if shown.returncode == 0 else None


Lines = dict[str, set[int]]


def moved_lines(repository: Path, base: str, head: str) -> tuple[Lines, Lines]:
    """The numbers of lines that git takes for moved, before and after, blank ones aside."""
    settings = ("-c", "color.diff.oldMoved=magenta", "-c", "color.diff.newMoved=cyan")
    painted = ("--color=always", "--color-moved=zebra", "--color-moved-ws=ignore-all-space")
    text = subprocess.run(
        ["git", "-C", str(repository), *settings, "diff", "--no-renames", "-U0", *painted, base, head],
        capture_output=True,
        check=True,
    ).stdout
    before: Lines = defaultdict(set)
    after: Lines = defaultdict(set)
    path, old, new = "", 0, 0
    for line in text.split(b"\n"):
        colours = _ESCAPE.findall(line)
        plain = _ESCAPE.sub(b"", line)
        if plain.startswith(b"diff --git "):
            path = plain.partition(b" b/")[2].decode("utf-8", "replace")
        elif found := _HEAD.match(plain):
            old, new = int(found[1]), int(found[2])
        elif plain.startswith(b"-") and not plain.startswith(b"--- "):
            if any(colour.endswith(OLD_MOVED) or colour == b"1;34" for colour in colours) and plain[1:].strip():
                before[path].add(old)
            old += 1
        elif plain.startswith(b"+") and not plain.startswith(b"+++ "):
            if any(colour.endswith(NEW_MOVED) or colour == b"1;33" for colour in colours) and plain[1:].strip():
                after[path].add(new)
            new += 1
    return before, after


def folded_lines(diff: StructuralDiff, texts: dict[str, FileSides]) -> tuple[Lines, Lines]:
    """The numbers of lines that we fold, before and after, blank ones aside."""
    before: Lines = defaultdict(set)
    after: Lines = defaultdict(set)
    for file in diff.files:
        old = (texts[file.old_path].old or b"").split(b"\n")
        new = (texts[file.path].new or b"").split(b"\n")
        for hunk in file.hunks:
            if hunk.is_mechanical:
                before[file.old_path].update(n for n in range(hunk.old.first, hunk.old.last + 1) if old[n - 1].strip())
                after[file.path].update(n for n in range(hunk.new.first, hunk.new.last + 1) if new[n - 1].strip())
    return before, after


def refactorings(repository: Path) -> Iterator[tuple[str, str]]:
    """The newest commits most of whose lines git takes for moved."""
    found = 0
    for commit in git(repository, "rev-list", "--no-merges", f"--max-count={LOOKED_AT}", "HEAD").decode().split():
        if found == COMMITS:
            return
        counts = git(repository, "show", "--shortstat", "--format=", commit).decode()
        numbers = [int(number) for number in re.findall(r"(\d+) (?:insertion|deletion)", counts)]
        if len(numbers) == 2 and 100 < sum(numbers) < 4000 and min(numbers) * 3 > max(numbers):
            before, after = moved_lines(repository, f"{commit}^", commit)
            if sum(map(len, [*before.values(), *after.values()])) * 2 > sum(numbers):
                found += 1
                yield f"{commit}^", commit


def report(repository: Path, base: str, head: str, *, verbose: bool) -> tuple[int, int, int]:
    """Lines folded, mechanical by the yardstick, and both."""
    texts = sides(repository, base, head)
    diff = structural_diff(texts)
    ours = folded_lines(diff, {each.path: each for each in texts})
    theirs = moved_lines(repository, base, head)
    folded = sum(len(lines) for side in ours for lines in side.values())
    known = sum(len(lines) for side in theirs for lines in side.values())
    both = sum(
        len(mine.get(path, set()) & lines)
        for mine, other in zip(ours, theirs, strict=True)
        for path, lines in other.items()
    )
    changed = diff.summary.added + diff.summary.removed
    union = folded + known - both
    print(
        f"{head[:12]}, {folded}, {union}, {folded / union if union else 1:.2f}",
        f"({both} of git's {known}; {changed} changed)",
    )
    if verbose:
        _missed(texts, ours, theirs)
    return folded, known, both


def _missed(texts: list[FileSides], ours: tuple[Lines, Lines], theirs: tuple[Lines, Lines]) -> None:
    for sign, mine, other in (("-", ours[0], theirs[0]), ("+", ours[1], theirs[1])):
        for each in texts:
            data = (each.old if sign == "-" else each.new) or b""
            lines = data.split(b"\n")
            for number in sorted(other.get(each.path, set()) - mine.get(each.path, set())):
                print(f"    {sign} {each.path}:{number}: {lines[number - 1].decode('utf-8', 'replace')}")


def main() -> int:
    """Print one row per commit, and one for all."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.folding", description=__doc__)
    parser.add_argument("change", nargs="*", help="REPO A B, as often as wanted")
    parser.add_argument("--missed", action="store_true", help="print the yardstick's lines that were not folded")
    asked = parser.parse_args()
    given = [tuple(asked.change[at : at + 3]) for at in range(0, len(asked.change), 3)]
    wanted = [(Path(repo), base, head) for repo, base, head in given]
    wanted = wanted or [(ROOT, base, head) for base, head in refactorings(ROOT)]
    print("change, folded, folded or moved for git, share")
    totals = [report(*each, verbose=asked.missed) for each in wanted]
    folded, known, both = (sum(column) for column in zip(*totals, strict=True)) if totals else (0, 0, 0)
    union = folded + known - both
    print(f"all {len(totals)}, {folded}, {union}, {folded / union if union else 1:.2f}  ({both} of git's {known})")
    return 0


if __name__ == "__main__":
    sys.exit(main())

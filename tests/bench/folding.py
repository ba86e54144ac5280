"""How much of the mechanical part of real changes is folded: `python -m tests.bench.folding [REPO A B]...`.

The yardstick shares no code with us: lines that git paints as moved (white space aside, blocks of any size), and lines
whose tokens, by the lexer of `tests.code.lexing`, are the same on both sides of a hunk, or the same but for names that
the file has no more and that were defined in a line that went. What we fold is judged by that lexer, too: each hunk
that says something else than before is printed; the bar is that there is none. Without arguments the newest commits of
this repository that moved much are taken; with `--mirrors DIR` those of `folding_commits.txt` (each is a bare
repository DIR/owner+name/repo), of which half was held out when the folding was tuned. Prints `name, folded lines,
mechanical lines by the yardstick or by us, share`, and if asked what was not folded.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.code.lexing import Judge, Token, agree, family, lexed
from workbench.code.compare import structural_diff
from workbench.code.model import FileSides, Hunk, StructuralDiff

ROOT = Path(__file__).parents[2]
COMMIT_LIST = Path(__file__).with_name("folding_commits.txt")
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


def _without_indents(repository: Path, base: str, head: str, each: FileSides, before: Lines, after: Lines) -> None:
    """Leave out lines that only stand deeper or less deep in the same hunk: they are in another block now."""
    old, new = ((side or b"").split(b"\n") for side in (each.old, each.new))
    for first, count, to, made in _hunks(repository, base, head, each.path):
        ours = {old[row - 1].strip() for row in range(first, first + count)}
        theirs = {new[row - 1].strip() for row in range(to, to + made)}
        before[each.path] -= {row for row in range(first, first + count) if old[row - 1].strip() in theirs}
        after[each.path] -= {row for row in range(to, to + made) if new[row - 1].strip() in ours}


def mechanical_lines(repository: Path, base: str, head: str, texts: list[FileSides]) -> tuple[Lines, Lines]:
    """What the yardstick takes for mechanical, before and after, blank lines aside."""
    before, after = moved_lines(repository, base, head)
    defined = {
        word
        for each in texts
        for line in set((each.old or b"").split(b"\n")) - set((each.new or b"").split(b"\n"))
        for found in _DEFINED.finditer(line)
        for word in found.groups()
        if word
    }
    for each in texts:
        if each.old is not None and each.new is not None and family(each.path):
            _without_indents(repository, base, head, each, before, after)
            for old, new in _same(each, _hunks(repository, base, head, each.path), defined):
                before[each.path] |= old
                after[each.path] |= new
    return before, after


_DEFINED = re.compile(
    rb"\b(?:def|class|func|fn|function|const|let|var|type|struct|enum|trait|interface|mod|static|for|mut)\s+(?:\([^)]*\)\s*)?"
    rb"(?:mut\s+)?([A-Za-z_$][\w$]*)|^\s*([A-Za-z_$][\w$]*)\s*(?::=|=(?!=))"
)
Rows = tuple[list[bytes], list[bytes], set[int], set[int]]  # tokens and the lines they stand on, of both sides


def _hunks(repository: Path, base: str, head: str, path: str) -> Iterator[tuple[int, int, int, int]]:
    text = git(repository, "diff", "--no-renames", "-U0", "--no-color", base, head, "--", path)
    for found in re.finditer(rb"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", text, re.MULTILINE):
        old, new = (int(each) if each else 1 for each in (found[2], found[4]))
        if old and new:
            yield int(found[1]), old, int(found[3]), new


def _same(
    each: FileSides, hunks: Iterator[tuple[int, int, int, int]], defined: set[bytes]
) -> Iterator[tuple[set[int], set[int]]]:
    """Lines of both sides that say the same, a few names aside."""
    old, new = _by_line(lexed(each.old or b"", each.path)), _by_line(lexed(each.new or b"", each.path))
    parts: list[Rows] = []
    for first, count, to, made in hunks:
        whole = _part(old, new, range(first, first + count), range(to, to + made))
        names = _exchanged(whole[0], whole[1])
        if names is None and count == made:
            parts += [
                _part(old, new, range(first + at, first + at + 1), range(to + at, to + at + 1)) for at in range(count)
            ]
        else:
            parts.append(whole)
    votes: dict[bytes, set[bytes]] = defaultdict(set)
    back: dict[bytes, set[bytes]] = defaultdict(set)
    for part in parts:
        for one, two in (_exchanged(part[0], part[1]) or {}).items():
            votes[one].add(two)
            back[two].add(one)
    gone = {word for row in old.values() for word in row} - {word for row in new.values() for word in row}
    came = {word for row in new.values() for word in row} - {word for row in old.values() for word in row}
    names = {
        one: next(iter(two)) for one, two in votes.items() if len(two) == 1 and one in gone & defined and two <= came
    }
    names = {one: two for one, two in names.items() if len(back[two]) == 1}
    for part in parts:
        if part[0] and agree(part[0], part[1], names):
            yield part[2], part[3]


def _by_line(tokens: list[Token]) -> dict[int, list[bytes]]:
    lines: dict[int, list[bytes]] = defaultdict(list)
    for text, first, last in tokens:
        for row in range(first, last + 1):
            lines[row + 1].append(text)
    return lines


def _part(old: dict[int, list[bytes]], new: dict[int, list[bytes]], ours: range, theirs: range) -> Rows:
    one = [text for row in ours for text in old.get(row, ())]
    two = [text for row in theirs for text in new.get(row, ())]
    return one, two, {row for row in ours if row in old}, {row for row in theirs if row in new}


def _exchanged(one: list[bytes], two: list[bytes]) -> dict[bytes, bytes] | None:
    """Words by what stands in their place; None where more differs."""
    if len(one) != len(two):
        return None
    found: dict[bytes, bytes] = {}
    for mine, other in zip(one, two, strict=True):
        if mine != other:
            words = (mine[:1].isalpha() or mine[:1] == b"_") and (other[:1].isalpha() or other[:1] == b"_")
            if not words or b'"' in mine + other or b"'" in mine + other or found.setdefault(mine, other) != other:
                return None
    return found


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


def lines_of(diff: StructuralDiff, wanted: Callable[[Hunk], bool]) -> tuple[Lines, Lines]:
    """The numbers of the lines of some hunks, before and after."""
    before: Lines = defaultdict(set)
    after: Lines = defaultdict(set)
    for file in diff.files:
        for hunk in file.hunks:
            if wanted(hunk):
                before[file.old_path].update(range(hunk.old.first, hunk.old.last + 1))
                after[file.path].update(range(hunk.new.first, hunk.new.last + 1))
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


def report(repository: Path, base: str, head: str, *, verbose: bool) -> tuple[int, int, int, int]:
    """Lines folded, mechanical by the yardstick, and both; and hunks that should not have been folded."""
    texts = sides(repository, base, head)
    diff = structural_diff(texts)
    ours = folded_lines(diff, {each.path: each for each in texts})
    changed_lines = lines_of(diff, lambda _: True)
    theirs = mechanical_lines(repository, base, head, texts)
    for other, ours_changed in zip(theirs, changed_lines, strict=True):
        for path in other:
            other[path] &= ours_changed[path]  # not what only stands in a file of another name
    wrong = Judge(texts).wrong(diff)
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
        f"({both} of the yardstick's {known}; {changed} changed)",
        f"{len(wrong)} WRONG" if wrong else "",
    )
    print("".join(f"    wrong: {each}\n" for each in wrong), end="")
    if verbose:
        _missed(texts, lines_of(diff, lambda hunk: not hunk.is_mechanical), theirs)
    return folded, known, both, len(wrong)


def _missed(texts: list[FileSides], shown: tuple[Lines, Lines], theirs: tuple[Lines, Lines]) -> None:
    for sign, mine, other in (("-", shown[0], theirs[0]), ("+", shown[1], theirs[1])):
        for each in texts:
            data = (each.old if sign == "-" else each.new) or b""
            lines = data.split(b"\n")
            for number in sorted(other.get(each.path, set()) & mine.get(each.path, set())):
                print(f"    {sign} {each.path}:{number}: {lines[number - 1].decode('utf-8', 'replace')}")


def main() -> int:
    """Print one row per commit, and one for all."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.folding", description=__doc__)
    parser.add_argument("change", nargs="*", help="REPO A B, as often as wanted")
    parser.add_argument("--missed", action="store_true", help="print the yardstick's lines that were not folded")
    parser.add_argument("--mirrors", type=Path, help="where the repositories of folding_commits.txt are")
    asked = parser.parse_args()
    if asked.mirrors:
        return corpus(asked.mirrors, verbose=asked.missed)
    given = [tuple(asked.change[at : at + 3]) for at in range(0, len(asked.change), 3)]
    wanted = [(Path(repo), base, head) for repo, base, head in given]
    wanted = wanted or [(ROOT, base, head) for base, head in refactorings(ROOT)]
    print("change, folded, folded or moved for git, share")
    return told("all", [report(*each, verbose=asked.missed) for each in wanted])


def told(name: str, totals: list[tuple[int, int, int, int]]) -> int:
    """Print the row of many commits; how many hunks should not have been folded."""
    folded, known, both, wrong = (sum(column) for column in zip(*totals, strict=True)) if totals else (0, 0, 0, 0)
    union = folded + known - both
    share = f"{folded / union if union else 1:.2f}"
    print(f"{name} {len(totals)}, {folded}, {union}, {share}  ({both} of the yardstick's {known}; {wrong} hunks wrong)")
    return wrong


def corpus(mirrors: Path, *, verbose: bool) -> int:
    """The commits of the list: those that the folding was tuned on, and those held out, each by language."""
    print("change, folded, mechanical, share")
    found: dict[tuple[str, str], list[tuple[int, int, int, int]]] = defaultdict(list)
    for line in COMMIT_LIST.read_text().splitlines():
        if line and not line.startswith("#"):
            project, commit, language, part = line.split()
            repository = mirrors / project.replace("/", "+") / "repo"
            print(f"{project} {language} ", end="")
            found[part, language].append(report(repository, f"{commit}^", commit, verbose=verbose))
    for (part, language), totals in sorted(found.items()):
        told(f"{part} {language}", totals)
    parts = sorted({part for part, _ in found})
    return sum(
        told(part, [each for key, totals in found.items() if key[0] == part for each in totals]) for part in parts
    )


if __name__ == "__main__":
    sys.exit(main())

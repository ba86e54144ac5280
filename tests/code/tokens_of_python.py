"""An independent judge of what was folded: Python's own tokenizer, which shares no code with ours."""

from __future__ import annotations

import io
import keyword
import tokenize

from workbench.code.model import FileChange, Hunk, StructuralDiff

SKIPPED = {tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER}
Token = tuple[int, str]


def tokens(text: str) -> list[Token]:
    """The tokens of a whole text; what a block is indented by does not count, that it is does."""
    found = tokenize.generate_tokens(io.StringIO(text).readline)
    return [(each.type, _said(each)) for each in found if each.type not in SKIPPED]


def _said(each: tokenize.TokenInfo) -> str:
    return "" if each.type in (tokenize.INDENT, tokenize.DEDENT, tokenize.NEWLINE) else each.string


def wrongly_folded(diff: StructuralDiff, old: dict[str, str], new: dict[str, str]) -> list[str]:
    """Why some hunk should not have been folded; empty when all are right."""
    wrong = []
    for file in diff.files:
        before, after = old.get(file.old_path, ""), new.get(file.path, "")
        wrong += _in_place(file, before, after)
        for hunk in file.hunks:
            if hunk.moved_from is not None:
                wrong += _moved(diff, file, hunk, old, after)
    return wrong


def _in_place(file: FileChange, before: str, after: str) -> list[str]:
    """Put the folded new lines into the old text: its tokens must be the same but for the claimed names."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    wrong, mixed, at = [], [], 0
    renames: list[tuple[int, int, dict[str, str]]] = []
    for hunk in file.hunks:
        if hunk.kind in ("reformatted", "renamed"):
            mixed += old[at : hunk.old.first - 1]
            first = len(mixed)
            mixed += new[hunk.new.first - 1 : hunk.new.last]
            renames.append((first, len(mixed), {each.old: each.new for each in hunk.renames}))
            at = hunk.old.last
    mixed += old[at:]
    one, two = tokens(before), tokens("".join(mixed))
    if len(one) != len(two):
        return [f"{file.path}: {len(one)} tokens became {len(two)}"]
    allowed = {pair for _, _, names in renames for pair in names.items()}
    for mine, other in zip(one, two, strict=True):
        if mine != other and (
            mine[0] != tokenize.NAME or (mine[1], other[1]) not in allowed or keyword.iskeyword(mine[1])
        ):
            wrong.append(f"{file.path}: {mine} became {other}")
    return wrong


def _moved(diff: StructuralDiff, file: FileChange, hunk: Hunk, old: dict[str, str], after: str) -> list[str]:
    """The lines where they came from say the same, but for the claimed names."""
    source = hunk.moved_from
    assert source is not None
    mates = [
        each
        for other in diff.files
        if other.old_path == source.path
        for each in other.hunks
        if each.moved_to is not None and each.old.first == source.line
    ]
    if len(mates) != 1:
        return [f"{file.path}:{hunk.new.first}: nothing says that it left {source}"]
    gone = old[source.path].splitlines(keepends=True)[mates[0].old.first - 1 : mates[0].old.last]
    came = after.splitlines(keepends=True)[hunk.new.first - 1 : hunk.new.last]
    names = {each.old: each.new for each in hunk.renames}
    one = [names.get(word, word) for word in _words(gone)]
    return [] if one == _words(came) else [f"{file.path}:{hunk.new.first}: not what stood at {source}"]


def _words(lines: list[str]) -> list[str]:
    """The tokens of lines that need not be whole statements; how they are indented, seen from the first, is one."""
    text = "".join(lines)
    found = []
    try:
        for each in tokenize.generate_tokens(io.StringIO(_dedented(text)).readline):
            if each.type not in SKIPPED:
                found.append(_said(each))
    except (tokenize.TokenError, IndentationError):
        return text.split()
    return found


def _dedented(text: str) -> str:
    lines = text.splitlines(keepends=True)
    first = next((line for line in lines if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip())]
    return "".join(line.removeprefix(indent) for line in lines)

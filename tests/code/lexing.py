"""An independent judge of what was folded, for every language that we know: a lexer of one page without any tree.

It shares nothing with what it judges. What it calls equal is the same to a compiler, but for what white space and
line ends mean: those of Go and of scripts are tokens where their grammars put a semicolon; those of Python are left to
`tokens_of_python`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping

from workbench.code.model import FileChange, FileSides, Hunk, StructuralDiff

_WORD = r"[A-Za-z_$\x80-\xff][\w$\x80-\xff]*"
_NUMBER = r"\d(?:[\w.]|(?<=[eE])[+-])*"
_QUOTED = r'"(?:\\.|[^"\\\n])*"'
_SINGLE = r"'(?:\\.|[^'\\\n])*'"
_SLASHED = r"//[^\n]*|/\*.*?\*/"
_TOKENS = {
    "python": rf'#[^\n]*|(?i:[rbfu]{{0,2}})(?:"""(?:\\.|[^\\])*?"""|\'\'\'(?:\\.|[^\\])*?\'\'\'|{_QUOTED}|{_SINGLE})',
    "script": rf"{_SLASHED}|{_QUOTED}|{_SINGLE}|`(?:\\.|[^`\\])*`",
    "go": rf"{_SLASHED}|{_QUOTED}|{_SINGLE}|`[^`]*`",
    "rust": rf"{_SLASHED}|b?r(?P<fence>#*)\".*?\"(?P=fence)|b?\"(?:\\.|[^\"\\])*\""
    rf"|b?'(?:\\(?:x..|u\{{[^}}]*\}}|.)|[^'\\\n])'|'{_WORD}",
}
_LEXERS = {
    name: re.compile(rf"(?P<token>{opaque}|{_NUMBER}|{_WORD}|\n|[^\s\w])".encode("latin-1"), re.DOTALL)
    for name, opaque in _TOKENS.items()
}
_FAMILIES = {
    "py": "python", "pyi": "python", "js": "script", "jsx": "script", "mjs": "script", "cjs": "script",
    "ts": "script", "tsx": "script", "mts": "script", "cts": "script", "go": "go", "rs": "rust",
}  # fmt: skip
_WORDS = re.compile(_WORD.encode("latin-1"))
_ENDS_SCRIPT = {b"return", b"break", b"continue", b"throw", b"yield"}
_ENDS_GO = {b"return", b"break", b"continue", b"fallthrough", b")", b"]", b"}"}
_KEYWORDS_GO = set(
    b"break case chan const continue default defer else fallthrough for func go goto if import interface map package "
    b"range return select struct switch type var".split()
)
Token = tuple[bytes, int, int]  # what it says, its first and its last row, from 0


def family(path: str) -> str:
    """The kind of lexer for a file; empty where there is none."""
    return _FAMILIES.get(path.rpartition(".")[2].lower(), "")


def lexed(data: bytes, path: str) -> list[Token]:
    """All tokens of a text."""
    kind = family(path)
    ends = [found.start() for found in re.finditer(rb"\n", data)]
    tokens: list[Token] = []
    for found in _LEXERS[kind].finditer(data):
        text = found["token"]
        first = bisect_left(ends, found.start())
        if text != b"\n":
            tokens.append((text, first, first + text.count(b"\n")))
        elif tokens and _is_end(tokens[-1][0], kind):
            tokens.append((b";", first, first))
    return list(_without_needless(tokens)) if kind == "go" else tokens


def _is_end(text: bytes, kind: str) -> bool:
    if kind == "script":
        return text in _ENDS_SCRIPT
    if kind != "go" or text[:2] in (b"//", b"/*"):
        return False
    word = text[:1].isalnum() or text[:1] in (b"_", b'"', b"'", b"`")
    return text in _ENDS_GO or (word and text not in _KEYWORDS_GO)


def _without_needless(tokens: list[Token]) -> Iterator[Token]:
    for at, token in enumerate(tokens):
        following = tokens[at + 1][0] if at + 1 < len(tokens) else b"}"
        if token[0] != b";" or following not in (b")", b"}"):
            yield token


class Judge:
    """Knows both sides of every file of a change, by path."""

    def __init__(self, files: list[FileSides]) -> None:
        self._sides = {each.path: each for each in files}
        self._tokens: dict[tuple[str, bool], list[Token]] = {}

    def within(self, path: str, first: int, last: int, *, is_new: bool) -> list[bytes]:
        """The tokens that touch the lines `first` to `last`, from 1; of the text alone, without where a line ends
        last: what ends a line that is not the last of them counts."""
        if last < first:
            return []
        key = path, is_new
        if key not in self._tokens:
            side = self._sides[path].new if is_new else self._sides[path].old
            self._tokens[key] = lexed(side or b"", path)
        found = [text for text, begin, end in self._tokens[key] if begin < last and end >= first - 1]
        return found[:-1] if found[-1:] == [b";"] else found

    def wrong(self, diff: StructuralDiff) -> list[str]:
        """Why some hunk should not have been folded; empty when all are right."""
        return [said for file in diff.files for hunk in file.hunks for said in self._of_hunk(diff, file, hunk)]

    def _of_hunk(self, diff: StructuralDiff, file: FileChange, hunk: Hunk) -> Iterator[str]:
        if not hunk.is_mechanical or not family(file.path):
            return
        where = f"{file.path}: {hunk.kind} {hunk.old.first}-{hunk.old.last} to {hunk.new.first}-{hunk.new.last}"
        old_path, old = file.old_path, hunk.old
        if hunk.kind == "moved":
            if hunk.moved_from is None:
                return
            mates = list(_mates(diff, file, hunk))
            if len(mates) != 1:
                yield f"{where}: {len(mates)} places say that it left them"
                return
            old_path, old = hunk.moved_from.path, mates[0].old
        before = self.within(old_path, old.first, old.last, is_new=False)
        after = self.within(file.path, hunk.new.first, hunk.new.last, is_new=True)
        if not agree(before, after, {each.old.encode(): each.new.encode() for each in hunk.renames}):
            yield where


def _mates(diff: StructuralDiff, file: FileChange, hunk: Hunk) -> Iterator[Hunk]:
    source = hunk.moved_from
    for other in diff.files:
        if source is not None and other.old_path == source.path:
            for each in other.hunks:
                to = each.moved_to
                if (
                    to is not None
                    and each.old.first == source.line
                    and (to.path, to.line) == (file.path, hunk.new.first)
                ):
                    yield each


def agree(before: list[bytes], after: list[bytes], names: Mapping[bytes, bytes]) -> bool:
    """Whether both say the same, if some words have new names."""
    return len(before) == len(after) and all(
        one == other or names.get(one) == other or _filled(one, names) == other
        for one, other in zip(before, after, strict=True)
    )


def _filled(text: bytes, names: Mapping[bytes, bytes]) -> bytes:
    """A string into which values are put, with the new names where that is."""
    if text[:1] != b"`" and not re.match(rb"[rR]?[fF][rR]?['\"]", text):
        return text
    return re.sub(rb"\{[^{}]*\}", lambda part: _WORDS.sub(lambda word: names.get(word[0], word[0]), part[0]), text)

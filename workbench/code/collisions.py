"""How two changes of one base get into each other's way without touching the same lines: by what they name.

Pure: it reads sides of files that it is given, and says which entities a change edits, and which it takes from others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from workbench.code.entities import Found, outline
from workbench.code.languages import language_of
from workbench.code.mentions import mentions, reading
from workbench.code.module_index import Modules
from workbench.code.parsing import parse
from workbench.code.renames import signature_differs
from workbench.code.resolving import Readings, Sought, may_mean, means

MAX_BYTES = 1_000_000  # of a side that is looked into
_HOLDERS = frozenset({"class", "module"})
_NAMED = re.compile(
    rb"\b(?:def|class|func|fn|function|interface|struct|enum|trait|type|const|static|let|var)\b[\s*]+(?:\([^)\n]{0,200}\)\s*)?([A-Za-z_$][\w$]*)"
    rb"|^[ \t]+(?:[a-z]+[ \t]+){0,4}([A-Za-z_$#][\w$]*)[ \t]*(?:<[^>\n]{0,200}>)?\(",
    re.MULTILINE,
)
Spans = Sequence[tuple[int, int]]  # closed ranges between lines of the base, as a merge takes them


class Outlined(msgspec.Struct, frozen=True):
    """What one side of a file defines. Kept while a blob is in use, without its text or its tree."""

    entities: tuple[Found, ...]
    innermost: tuple[int, ...]  # by row

    def edited(self, spans: Spans) -> frozenset[str]:
        """The innermost entities in which lines are changed; a class counts only by what stands in it."""
        found = {self.entities[at].name for span in spans for at in self._within(span) if self._is_leaf(at)}
        return frozenset(found)

    def heads(self, spans: Spans) -> bool:
        """Whether a line of somebody's signature is changed, or all of it taken away."""
        return any(
            first < each.heads[1] and each.heads[0] < last
            for each in self.entities
            if each.kind != "import"
            for first, last in spans
        )

    def _is_leaf(self, at: int) -> bool:
        return self.entities[at].kind not in (*_HOLDERS, "import")

    def _within(self, span: tuple[int, int]) -> Iterator[int]:
        first, last = span
        if first < last:
            yield from {at for at in self.innermost[first:last] if at >= 0}
        elif 0 < first < len(self.innermost):
            at = self.innermost[first - 1]
            while at >= 0 and self.entities[at].end <= first:
                at = self.entities[at].inside
            if at >= 0:
                yield at


NOTHING = Outlined((), ())


def outlined(path: str, data: bytes) -> Outlined:
    """What a side defines; nothing where it is of no language that we read, or too large."""
    language = language_of(path)
    if not language or len(data) > MAX_BYTES:
        return NOTHING
    found = outline(parse(data, language))
    return Outlined(tuple(found.entities), tuple(found.innermost()))


def names_in(path: str, data: bytes) -> frozenset[bytes]:
    """Names that a side may define, by a look at its text: what others say of none of them need not be parsed for."""
    if not language_of(path) or len(data) > MAX_BYTES:
        return frozenset()
    return frozenset(one or other for one, other in _NAMED.findall(data))


def taken(old: Outlined, new: Outlined) -> dict[str, str]:
    """By qualified name, what became of what others may call: `removed` (or renamed), or `called otherwise`."""
    now = {each.name: each for each in new.entities}
    found = {}
    for each in old.entities:
        if each.kind == "import":
            continue
        if each.name not in now:
            found[each.name] = "removed"
        elif each.kind in ("function", "method") and signature_differs(each, now[each.name]):
            found[each.name] = "called otherwise"
    return found


def calls(
    path: str, data: bytes, rows: Spans, wanted: Iterable[Sought], modules: Modules, readings: Readings
) -> Iterator[tuple[Sought, int]]:
    """Who of these is named on some rows of a file (half-open, from 0), with the line, each once."""
    likely = [one for one in wanted if may_mean(one, path, data)] if len(data) <= MAX_BYTES else []
    of = reading(path, data, modules) if likely else None
    if of is None:
        return
    seen: set[Sought] = set()
    for said in mentions(of, {one.last for one in likely}):
        if not any(first <= said.row < end for first, end in rows):
            continue
        for one in likely:
            if one.last == said.name and one not in seen and means(one, of, said, readings) != "no":
                seen.add(one)
                yield one, said.row + 1

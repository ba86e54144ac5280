"""The lines above a review: what it is bound to and the verdict, what was not checked, the criteria, what happened."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from workbench.ace.tui.assumed import assumed_line
from workbench.ace.tui.marks import Glyphset
from workbench.ace.tui.reviewing import ReviewData
from workbench.ace.tui.text import EMPTY, Line, Piece, blanks, cut, line, piece, width_of
from workbench.ace.tui.words import count, since
from workbench.ace.wiring.reading import Progress
from workbench.core.stack import in_words
from workbench.core.state import PackState
from workbench.model.evidence import CRITERIA

_NAMES = {
    "completeness": "complete", "verification": "verification", "hygiene": "hygiene", "rationale": "rationale",
    "auditability": "audit",
}  # fmt: skip
_PART = re.compile(r"(\d+) of (\d+)\b")
_DECIDED = ("approved", "changes-requested", "rejected", "merged")
_PAST = {"approve": "approved", "select": "picked", "reject": "rejected", "request-changes": "changes requested"}
SPACIOUS = 110  # cells from which on what was read is told in whole words
TITLE_CELLS = 12  # that a title needs to be worth showing


class Facts(NamedTuple):
    """A `Source` of the lines."""

    data: ReviewData
    files: int | None  # how many there are; None: not known yet
    unread: int
    hunks: Progress
    glyphs: Glyphset
    now: str

    def laid(self, cells: int) -> list[Line]:
        """The lines at this width."""
        if self.data.pack is None:
            return [line(piece("There is no such pack.", "failed"))]
        return [line(" ", *words) for words in self._lines(self.data.pack, cells - 2) if words]

    def _lines(self, pack: PackState, cells: int) -> Iterator[Line]:
        verdict = _verdict(pack, self.glyphs)
        bound, has_title = _bound(self.data, pack, cells - width_of(verdict) - 2)
        yield spread(bound, verdict, cells)
        yield EMPTY if has_title else cut(line(piece(pack.title)), cells)
        if self.data.document is None:
            yield line(piece(pack.reason or "The evidence is being made; this shows it when it is there.", "needs-you"))
            yield line(piece(pack.hint, "dim")) if pack.hint else EMPTY
        else:
            yield spread(self._unchecked(cells), self._unread(cells), cells)
            yield self._criteria(cells)
        yield self._ahead(cells)
        yield self._happened(pack)
        yield assumed_line(self.data.overtaken)
        yield self._newer()

    def _unchecked(self, cells: int) -> Line:
        document = self.data.document
        sentences = [_first_sentence(text) for text in document.not_checked] if document else []
        if self.data.pack is not None and self.data.pack.unsigned:
            sentences.insert(0, _first_sentence(f"not signed: {self.data.pack.unsigned}"))
        if not sentences:
            return line(piece("NOT CHECKED ", "title"), " ", piece("nothing that is required", "dim"))
        return cut(line(piece("NOT CHECKED ", "needs-you"), " ", piece("; ".join(sentences))), cells)

    def _unread(self, cells: int) -> Line:
        if self.files is None:
            return line(piece("w why", "dim"))
        words = f"{self.unread} of {count(self.files, 'file')} unread" if self.unread else "all files read"
        if self.unread and self.hunks.read:
            short = f"unread {self.unread}/{self.files} files, {self.hunks.of - self.hunks.read}/{self.hunks.of} hunks"
            read = f"{words}, {self.hunks.read} of {count(self.hunks.of, 'hunk')} read"
            words = read if cells >= SPACIOUS else short
        return line(piece(words, "needs-you" if self.unread else "dim"), piece("  w why", "dim"))

    def _criteria(self, cells: int) -> Line:
        document = self.data.document
        found = {item.name: item for item in document.criteria} if document else {}
        for told in (_in_full, _in_numbers, _not_at_all):
            parts: list[Piece] = []
            for number, name in enumerate(CRITERIA, start=1):
                item = found.get(name)
                parts += [piece("  ")] if parts else []
                parts += [piece(f"{number} ", "accent"), self.glyphs.sign(item.state if item else "unknown")]
                parts += [piece(f" {_NAMES[name]}"), piece(told(item.summary if item else ""), "dim")]
            if width_of(parts) <= cells:
                break
        return tuple(parts)

    def _ahead(self, cells: int) -> Line:
        """Who collides with it."""
        found = self.data.ahead
        if not found:
            return EMPTY
        head = f"FORECAST {len(found)}  " if len(found) > 1 else "FORECAST  "
        return cut(line(piece(head, "needs-you"), piece("; ".join(found))), cells)

    def _happened(self, pack: PackState) -> Line:
        if self.data.is_examined_again:
            return line(piece("The evidence is being made anew: the next revision comes of it.", "accent"))
        if pack.state not in _DECIDED or not pack.decisions:
            return EMPTY
        last = pack.decisions[-1]
        words = f"{_by_whom(last)}, {since(str(last.get('at') or ''), self.now)} ago: "
        return line(piece(words, "accent"), piece(str(last.get("rationale") or "")))

    def _newer(self) -> Line:
        if not self.data.newer:
            return EMPTY
        return line(piece(f"revision {self.data.newer_revision} arrived: . opens it, this stays as it is", "needs-you"))


def meanwhile(pack: PackState) -> str:
    """What somebody decided on it while this person was about to."""
    last = pack.decisions[-1]
    words = f"{_by_whom(last)} in the meantime: {last.get('rationale') or ''}"
    then = "Ctrl+S sends yours in spite of that" if pack.state == "approved" else "yours was not sent"
    return f"{words} - {then}; it is kept."


def _by_whom(decision: Mapping[str, Any]) -> str:
    by = decision.get("decided_by")
    who = by.get("who", "") if isinstance(by, dict) else by
    return f"{_PAST.get(str(decision.get('decision')), 'decided')} by {who}"


def spread(left: Line, right: Line, cells: int) -> Line:
    """Words at both ends of a line; those at the left are cut."""
    room = cells - width_of(right) - 2
    if room < 8:
        return cut(left, cells)
    words = cut(left, room)
    return (*words, blanks(cells - width_of(words) - width_of(right)), *right)


def _verdict(pack: PackState, glyphs: Glyphset) -> Line:
    if not pack.verdict or pack.state in ("failed", "superseded"):
        return line(glyphs.state(pack.state))
    verdict = glyphs.state(pack.verdict)
    shown = Piece(piece(verdict.text.upper()).text, verdict.role)
    if pack.state == "submitted":
        return line(shown)
    return line(shown, "  ", glyphs.state(pack.state))


def _bound(data: ReviewData, pack: PackState, cells: int) -> tuple[Line, bool]:
    """What the pack is bound to, the least important goes first where there is no room; whether its title is in it."""
    parts = [part for part in _bindings(data, pack) if part[1]]
    while sum(width_of(words) + 2 for _, words in parts) > cells and max(spare for spare, _ in parts):
        parts.remove(max(parts, key=lambda part: part[0]))
    found: list[Piece] = []
    for number, (_, words) in enumerate(parts):
        found += [*([piece("  ")] if number else []), *words]
    left = cells - width_of(found) - 2
    if pack.title and left >= TITLE_CELLS:
        found[1:1] = [piece("  "), *cut(line(piece(pack.title)), left)]
    return tuple(found), left >= TITLE_CELLS or not pack.title


def _bindings(data: ReviewData, pack: PackState) -> Iterator[tuple[int, Line]]:
    yield 0, line(piece(pack.id, "strong"))
    is_gone = data.below is not None and data.below.state == "gone"
    yield (0 if data.has_moved or is_gone else 1), _base(data, pack)
    yield 5, line(piece(f"revision {pack.revision}", "dim"))
    brief = pack.brief
    version = f" v{brief.version}" if brief is not None and brief.version else ""
    yield 3, line(piece(f"brief {brief.id}{version}", "dim")) if brief is not None and brief.id else EMPTY
    yield 4, line(piece(f"tree {pack.tree[:7]}", "dim")) if pack.tree else EMPTY


def _base(data: ReviewData, pack: PackState) -> Line:
    if data.below is not None and data.below.state == "gone":
        return line(piece(f"on {data.below.parent}@{pack.base_commit[:7]}, which is GONE", "needs-you"))
    if data.below is not None:
        return line(piece(f"on {in_words(data.below, pack.base_commit)}", "needs-you" if data.has_moved else "dim"))
    branch = (pack.into or pack.base_ref).removeprefix("refs/heads/")
    name = f"base {branch}@{pack.base_commit[:7]}" if branch else f"base {pack.base_commit[:7]}"
    if data.has_moved:
        return line(piece(f"{name} MOVED to {data.tip[:7]}: x renews", "needs-you"))
    is_current = data.tip == pack.base_commit and pack.state in ("submitted", "approved")
    return line(piece(f"{name} (current)" if is_current else name, "dim"))


def _in_full(summary: str) -> str:
    return f" {summary}" if summary else ""


def _in_numbers(summary: str) -> str:
    found = _PART.match(summary)
    return f" {found[1]}/{found[2]}" if found else ""


def _not_at_all(_summary: str) -> str:
    return ""


def _first_sentence(text: str) -> str:
    first = text.partition(". ")[0]
    return first.rstrip(".")

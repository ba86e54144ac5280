"""Comments as a review shows them: below their lines, and as rows among the reasons. It knows no widget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from workbench.ace.tui.difflines import Note
from workbench.ace.tui.marks import Glyphset
from workbench.ace.tui.reasons import Reason
from workbench.ace.tui.text import Line, Piece, Role, line, piece, safe_line, safe_lines
from workbench.code.unified import FileDiff
from workbench.core.comments import Placed, is_open
from workbench.core.decide.comment import place_of

MOST_LINES = 12  # of one comment below its line; the whole is among the reasons
_STATES: dict[str, tuple[str, Role]] = {
    "open": ("not sent yet", "needs-you"),
    "sent": ("sent", "dim"),
    "addressed": ("addressed, it says", "claimed"),
    "settled": ("settled", "proven"),
}


def notes_below(comments: Iterable[Placed], path: str, diff: FileDiff, glyphs: Glyphset) -> list[Note]:
    """The comments on lines of one file, each under its last line as far as the diff shows that."""
    found: list[Note] = []
    for one in comments:
        if one.path != path or one.place != "here":
            continue
        at = _place_in(one, diff)
        if at >= 0:
            found += [Note(at, words) for words in _lines(one, glyphs)]
    return found


def _place_in(one: Placed, diff: FileDiff) -> int:
    """The line of the diff below which a comment stands: its last one, or the head of what it is on; -1: none."""
    if one.target.get("kind") != "entity":
        return diff.line_of(one.last, side=one.side)
    side = int(one.side == "new")
    return next((at for at in range(len(diff)) if one.first <= diff.numbers(at)[side] <= one.last), -1)


def above(comments: Iterable[Placed], path: str, diff: FileDiff) -> tuple[Line, ...]:
    """A line about each open comment on a function or class of which the diff shows no line."""
    return tuple(
        line(piece(f"{_name(one.by)} on {one.target.get('name')}, line {one.first}: ", "accent"), piece(one.text))
        for one in comments
        if one.path == path and one.place == "here" and is_open(one)
        if one.target.get("kind") == "entity" and _place_in(one, diff) < 0
    )


def gone(comments: Iterable[Placed], path: str) -> tuple[Line, ...]:
    """A line about each open comment on lines of a file that are not there any more."""
    return tuple(
        line(piece(f"outdated, {_name(one.by)} on {_what(one)}: ", "stale"), piece(one.text or "a suggestion"))
        for one in comments
        if one.path == path and one.place == "outdated" and is_open(one)
    )


def comment_reasons(comments: Iterable[Placed]) -> list[Reason]:
    """All comments as rows; Enter leads to the lines of one."""
    return [
        Reason(
            key=f"comment/{one.id}",
            group="COMMENTS",
            state="stale" if one.place == "outdated" else "done" if one.settled else "needs-you",
            name=place_of({**one.target, "first": one.first, "last": one.last}) or "the whole",
            words=_whole(one),
            path=one.path if one.place == "here" and one.side == "new" else "",
            line=one.first,
        )
        for one in comments
    ]


def _what(one: Placed) -> str:
    return str(one.target.get("name")) if one.target.get("kind") == "entity" else f"line {one.first}"


def _name(who: str) -> str:
    """A person without their address."""
    return who.partition(" <")[0] or who


def _whole(one: Placed) -> str:
    parts = [f"{one.by} ({one.id}, {_STATES[one.state][0]}): {one.text}"]
    if one.suggestion is not None:
        parts.append(f"suggested: {one.suggestion}")
    if one.claim:
        parts.append(f"the agent says: {one.claim}")
    if one.settled:
        parts.append(f"settled by {one.settled_by}: {one.settled}")
    return ". ".join(parts)


def _lines(one: Placed, glyphs: Glyphset) -> Iterator[Line]:
    words, role = _STATES[one.state]
    sign = glyphs.pick("╰ ", "` ")
    about = f" on {one.target.get('name')}" if one.target.get("kind") == "entity" else ""
    head = (Piece(safe_line(f"      {sign}"), "accent"), piece(f"{_name(one.by)}{about}: ", "strong"))
    texts = list(safe_lines(one.text or "a suggestion"))
    tail = (piece(f"  ({words})", role),)
    yield (*head, Piece(texts[0]), *(tail if len(texts) == 1 else ()))
    for number, text in enumerate(texts[1:MOST_LINES], 2):
        yield (Piece(safe_line("        ")), Piece(text), *(tail if number == min(len(texts), MOST_LINES) else ()))
    if one.suggestion is not None:
        for text in list(safe_lines(one.suggestion.rstrip("\n")))[:MOST_LINES]:
            yield (Piece(safe_line("        + "), "added"), Piece(text, "added"))
    if one.claim:
        yield (Piece(safe_line("        ")), piece(f"the agent says: {one.claim}", "claimed"))

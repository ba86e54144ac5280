"""How an act looks as one line: when, how it stands, of which kind, what about, what came of it, how long it took."""

from __future__ import annotations

from datetime import datetime

from workbench.ace.tui.marks import Glyphset
from workbench.ace.tui.text import Line, Piece, Role, blanks, cut, line, padded, piece, width_of
from workbench.ace.tui.timelineview import ActRow
from workbench.core.views.timeline import Act

KIND_CELLS = 8
TOOK_CELLS = 6
WIDE = 100  # cells from which on seconds are shown
_QUIET = ("", "ok")  # states that need no sign
_SIGNS = {"ended": "waiting-human", "interrupted": "unknown", "error": "error"}
_ROLES: dict[str, Role] = {"thought": "claimed", "decision": "strong", "person": "strong", "question": "needs-you"}


def act_line(row: ActRow, cells: int, glyphs: Glyphset) -> Line:
    """A row of the timeline in so many cells."""
    if row.words is not None:
        return cut(row.words, cells)
    act = row.act
    left = line(
        piece(local_time(act.at, seconds=cells >= WIDE), "dim"),
        " ",
        _sign(act, glyphs),
        " ",
        padded(piece(act.kind, "dim"), KIND_CELLS),
        " ",
    )
    took = padded(piece(duration(act.duration_ms), "dim"), TOOK_CELLS, right=True)
    room = max(0, cells - width_of(left) - TOOK_CELLS - 1)
    told = facts_of(act)
    facts = piece(told, _facts_role(act), room * 2 // 5) if told else blanks(0)
    title = padded(piece(act.title, _ROLES.get(act.kind, "plain")), max(0, room - width_of((facts,)) - bool(told)))
    gap = (blanks(1),) if told else ()
    return (*left, title, *gap, facts, blanks(1), took)


def facts_of(act: Act) -> str:
    """What came of it, without the words that its title has already."""
    if act.kind == "question" and act.ref:
        return act.ref
    told = act.facts.replace(act.title, "", 1) if act.called is not None else act.facts
    told = told.strip(" :")
    return f"line {told}" if act.kind == "edit" and told[:1].isdigit() else told


def duration(ms: int) -> str:
    """`254ms`, `3.2s`, `2m05`; empty where it is not known or of no account."""
    if ms < 10:
        return ""
    if ms < 1000:
        return f"{ms}ms"
    if ms < 60_000:
        return f"{ms / 1000:.1f}s"
    minutes, seconds = divmod(ms // 1000, 60)
    return f"{minutes}m{seconds:02}" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}"


def local_time(at: str, *, seconds: bool) -> str:
    """The time of day where the person is."""
    try:
        moment = datetime.fromisoformat(at).astimezone()
    except ValueError:
        return " " * (8 if seconds else 5)
    return f"{moment:%H:%M:%S}" if seconds else f"{moment:%H:%M}"


def _sign(act: Act, glyphs: Glyphset) -> Piece:
    return blanks(1) if act.state in _QUIET else glyphs.sign(_SIGNS.get(act.state, act.state))


def _facts_role(act: Act) -> Role:
    return "failed" if act.state in ("error", "failed", "interrupted") else "dim"

"""What rests on an assumption that a later answer does not share: blocks, rows and a line. It decides nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.ace.tui.prose import Block, blank, bullet, heading, paragraph
from workbench.ace.tui.text import EMPTY, Line, line, piece
from workbench.ace.tui.words import count
from workbench.ace.wiring.workplace import Workplace
from workbench.core.assumptions import differs, why_first
from workbench.core.state import ConsultationState, RunState

if TYPE_CHECKING:
    from workbench.ace.tui.reasons import Reason

Rows = tuple[Mapping[str, Any], ...]  # as `assuming.rows` makes them


class Overtaken:
    """Reads the rows of a run's questions; again only when an answer or the run's head changed."""

    def __init__(self) -> None:
        self._key: object = None
        self._rows: Rows = ()

    def __call__(self, place: Workplace, questions: Sequence[ConsultationState], run: RunState | None) -> Rows:
        """As of now."""
        key = (tuple((one.id, one.version) for one in questions if differs(one)), run.head if run is not None else "")
        if key != self._key:
            from workbench.ace.wiring import assuming  # reads git, which few screens need

            found = assuming.rows(place, questions, run)
            self._rows = tuple(row for row in found if row["commits"] or row["problem"])
            self._key = key
        return self._rows


def assumed_blocks(rows: Rows) -> Iterator[Block]:
    """The commits, those that need a look first marked."""
    for row in rows:
        yield blank()
        yield heading("DONE SINCE, UNDER THE ASSUMPTION")
        if row["problem"]:
            yield paragraph(row["problem"], "needs-you")
        for commit in row["commits"]:
            yield bullet(_words(commit), "needs-you" if commit["is_marked"] else "plain", sign=commit["commit"][:12])


def assumed_reasons(rows: Rows) -> Iterator[Reason]:
    """A row for each commit."""
    from workbench.ace.tui.reasons import Reason  # with what only a review shows

    for row in rows:
        group = f"ANSWERED OTHERWISE THAN ASSUMED: {row['consultation']}"
        key = f"assumed/{row['consultation']}"
        yield Reason(key, group, "stale", "assumed", row["problem"] or row["assumption"])
        for commit in row["commits"]:
            name = commit["commit"][:12]
            state = "alert" if commit["is_marked"] else "unproven"
            yield Reason(f"{key}/{name}", group, state, name, _words(commit))


def assumed_line(rows: Rows) -> Line:
    """One line for all; empty where there is none."""
    if not rows:
        return EMPTY
    commits = [commit for row in rows for commit in row["commits"]]
    marked = sum(bool(commit["is_marked"]) for commit in commits)
    named = ", ".join(row["consultation"] for row in rows)
    first = f", {marked} of which to look at first" if marked else ""
    words = f"{named} was answered otherwise than assumed: {count(len(commits), 'commit')} since{first} (w)"
    return line(piece(words, "needs-you"))


def _words(commit: Mapping[str, Any]) -> str:
    return ", ".join([commit["title"], *why_first(commit)])

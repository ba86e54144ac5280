"""Home: everything that needs a person, ordered by what waiting costs, with the selected thing beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from textual.containers import Horizontal
from textual.widget import Widget

from workbench.ace.tui.bridge import Moment, View
from workbench.ace.tui.marks import Glyphset
from workbench.ace.tui.previews import alert_blocks, pack_blocks, question_blocks
from workbench.ace.tui.prose import Block, Prose, blank, paragraph
from workbench.ace.tui.screens.base import WorkScreen
from workbench.ace.tui.sheet import Sheet
from workbench.ace.tui.text import Piece, Safe, piece, safe
from workbench.ace.tui.widgets.columns import Column, painter
from workbench.ace.tui.widgets.lines import LinesView
from workbench.ace.tui.widgets.rows import RowsView
from workbench.ace.tui.words import since
from workbench.ace.wiring.tips import tips
from workbench.core.attention import Concern, concerns
from workbench.core.state import ConsultationState, PackState

WIDE = 110  # cells from which on the preview stands beside the list
PACK_STATES = ("submitted", "approved", "failed")  # those that may want a person
_GROUPS = {0: "BLOCKING NOW", 1: "TO DECIDE", 2: "ADVISORY (work goes on)", 3: "TO KNOW"}
_SIGNS = {"crp": "open", "alert": "alert"}


class InboxData(msgspec.Struct, frozen=True):
    """The concerns in their order, and what they are about."""

    sheet: Any
    concerns: tuple[Concern, ...]
    questions: Mapping[str, ConsultationState]
    packs: Mapping[str, PackState]
    missions: int
    now: str

    def __eq__(self, other: object) -> bool:
        """Whether a person would see a difference: ages grow at each repaint by themselves."""
        return isinstance(other, InboxData) and (self.concerns, self.questions, self.packs, self.missions) == (
            other.concerns, other.questions, other.packs, other.missions,
        )  # fmt: skip

    __hash__ = None  # type: ignore[assignment]  # a value to compare, never a key


def inbox_view(moment: Moment) -> InboxData:
    """The inbox of this moment."""
    mirror = moment.mirror
    packs = [pack for pack in mirror.packs.values() if pack.state in PACK_STATES]
    questions = list(mirror.open_questions())
    found = concerns(
        runs=list(mirror.runs.values()),
        consultations=questions,
        packs=packs,
        aee_running=moment.presence.state != "stopped",
        now=moment.now,
        over={mission.id for mission in mirror.missions.values() if mission.outcome},
        tips=tips(moment.place, packs),
    )
    return InboxData(
        sheet=Sheet(found, key=_key, group=_group),
        concerns=tuple(found),
        questions={question.id: question for question in questions},
        packs={pack.id: pack for pack in packs},
        missions=len(mirror.missions),
        now=moment.now,
    )


class InboxScreen(WorkScreen):
    """The inbox."""

    where = "inbox"
    main = "#rows"
    DEFAULT_CSS = """
    InboxScreen #rows { width: 1fr; }
    InboxScreen #preview { width: 2fr; max-width: 90; border-left: solid $surface; padding: 0 1; }
    InboxScreen.-narrow #preview { display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._data: InboxData | None = None

    def body(self) -> Iterator[Widget]:
        """The list, and beside it what is selected."""
        empty: Sheet[Concern] = Sheet((), key=_key, group=_group)
        with Horizontal():
            yield RowsView(empty, painter(self._columns()), text=_words, id="rows")
            yield LinesView(id="preview")

    def views(self) -> dict[str, View]:
        """The inbox."""
        return {"inbox": inbox_view}

    def arrived(self, name: str, value: InboxData) -> None:  # noqa: ARG002 - there is one view
        """Newer concerns."""
        self._data = value
        self.rows.take(value.sheet)
        self._preview()

    @property
    def rows(self) -> RowsView[Concern]:
        """The list."""
        return self.query_one("#rows", RowsView)

    def on_resize(self) -> None:
        """The preview needs room."""
        self.set_class(self.size.width < WIDE, "-narrow")

    def on_rows_view_moved(self) -> None:
        """Another row: another preview, and other keys that can be used."""
        self._preview()
        self.show_footer()

    def on_rows_view_waiting(self, message: RowsView.Waiting) -> None:
        """Rows wait to be let in."""
        if message.count:
            self.tell(f"{message.count} new or settled - press . to draw the list anew", "accent")
        elif "new or settled" in self.told:
            self.tell("")

    def act_show_new(self) -> None:
        """Draw the list anew."""
        self.rows.let_in()

    def _preview(self) -> None:
        if self._data is not None:
            blocks = list(_preview_blocks(self._data, self.rows.row, self.workbench.glyphs))
            self.query_one("#preview", LinesView).show(Prose(blocks), keep_place=False)

    def _columns(self) -> list[Column[Concern]]:
        return [
            Column(lambda row: self.workbench.glyphs.sign(_state(row)), 1),
            Column(lambda row: piece(_kind(row), "dim"), 3),
            Column(lambda row: piece(row.id.removeprefix(f"{_kind(row)}-").removeprefix("CRP-"), "strong"), 22),
            Column(lambda row: piece(row.title), 0, least=20),
            Column(lambda row: piece(row.facts, "dim"), 26, spare=3),
            Column(
                lambda row: piece(f"{row.held_runs} held" if row.held_runs else "", "needs-you"), 7, right=True, spare=1
            ),
            Column(self._age, 4, right=True, spare=2),
        ]

    def _age(self, row: Concern) -> Piece:
        return piece(since(row.since, self.workbench.place.clock.now()), "dim")


def _key(row: Concern) -> str:
    return f"{row.kind}/{row.id}"


def _group(row: Concern) -> Safe:
    return safe(_GROUPS[row.group])


def _kind(row: Concern) -> str:
    return "PRM" if row.category == "permission" else {"crp": "CRP", "mrp": "MRP"}.get(row.kind, "!")


def _state(row: Concern) -> str:
    return row.category if row.kind == "mrp" else _SIGNS[row.kind]


def _words(row: Concern) -> str:
    return f"{_kind(row)} {row.id} {row.title} {row.facts} {row.mission} {row.run}"


def _preview_blocks(data: InboxData, row: Concern | None, glyphs: Glyphset) -> Iterator[Block]:
    if row is None:
        yield from _nothing(data)
    elif row.kind == "crp" and row.id in data.questions:
        yield from question_blocks(data.questions[row.id], row, now=data.now)
    elif row.kind == "mrp" and row.id in data.packs:
        yield from pack_blocks(data.packs[row.id], row, glyphs, now=data.now)
    else:
        yield from alert_blocks(row)


def _nothing(data: InboxData) -> Iterator[Block]:
    yield paragraph("Nothing needs you.", "strong")
    yield blank()
    if data.missions:
        yield paragraph("g m shows all missions, + starts another one.", "dim")
    else:
        yield paragraph("No mission was started here yet: + starts one from a sentence or a brief.", "dim")

"""The palette: every action of the screen below by its name, found by typing parts of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from textual.widget import Widget
from textual.widgets import Input

from workbench.ace.tui.actions import ACTIONS, EVERYWHERE, Action, actions_of
from workbench.ace.tui.keymap import shown
from workbench.ace.tui.screens.base import WorkScreen
from workbench.ace.tui.screens.dialog import Dialog
from workbench.ace.tui.sheet import Sheet
from workbench.ace.tui.text import piece
from workbench.ace.tui.widgets.columns import Column, painter
from workbench.ace.tui.widgets.rows import RowsView
from workbench.ace.wiring.workplace import Workplace

if TYPE_CHECKING:
    from workbench.ace.wiring.plugs_host import Offer

MOST_NAMED = 4  # actions of other screens
PLUGINS = "plugins"  # where the actions of plugins belong: to no screen of ours


class PaletteScreen(Dialog):
    """Closes with the id of the chosen action."""

    where = "palette"
    main = "#words"
    title_words = "DO WHAT?"
    DEFAULT_CSS = """
    PaletteScreen RowsView { height: auto; max-height: 16; background: $surface; }
    """

    def __init__(self, of: WorkScreen) -> None:
        super().__init__()
        self._of = of

    def body(self) -> Iterator[Widget]:
        """A field, and what fits it."""
        keymap = self.workbench.keymap_of_workbench
        columns = (
            Column[Action](lambda row: piece(row.label, "dim" if self._off(row) else "strong"), 17),
            Column[Action](lambda row: piece(self._off(row) or row.tooltip, "dim"), 0, least=10),
            Column[Action](lambda row: piece(shown(next(iter(keymap.keys_of(row)), "")), "accent"), 7, right=True),
        )
        rows = [row for row in actions_of(self._of.where) if row.id not in ("show-palette", "open-row")]
        rows.sort(key=lambda row: bool(self._off(row)))
        self._actions = rows
        yield Input(placeholder="type parts of a name", id="words")
        yield RowsView(Sheet(rows, key=_key), painter(columns), text=_words, id="rows")

    def on_mount(self) -> None:
        """Draw the list; what plugins offer comes a moment later."""
        self._rows.let_in()
        self.workbench.carry_out(_offers, self._add)

    def _off(self, action: Action) -> str:
        return "" if action.where == PLUGINS else self._of.reason_off(action)

    def _add(self, offers: Sequence[Offer]) -> None:
        if offers and self.is_attached:
            more = [Action(offer.key, offer.label, offer.tooltip, (), PLUGINS) for offer in offers]
            self._rows.take(Sheet([*self._actions, *more], key=_key))
            self._rows.let_in()

    @property
    def _rows(self) -> RowsView[Action]:
        return self.query_one("#rows", RowsView)

    def on_input_changed(self, message: Input.Changed) -> None:
        """Keep what fits."""
        self._rows.keep(message.value)
        self.tell("" if self._rows.row is not None else _elsewhere(message.value), "dim")

    def on_input_submitted(self) -> None:
        """Choose."""
        self.act_open_row()

    def on_rows_view_opened(self) -> None:
        """Choose with the mouse."""
        self.act_open_row()

    def act_open_row(self) -> None:
        """Choose."""
        row = self._rows.row
        if row is not None:
            self.dismiss(row.id)

    def act_next_line(self) -> None:
        """Down, while the field keeps the focus."""
        self._rows.go("next-line")

    def act_previous_line(self) -> None:
        """Up."""
        self._rows.go("previous-line")


def _offers(place: Workplace) -> tuple[Offer, ...]:
    """In a thread beside the event loop, where the host's libraries are loaded, too."""
    from workbench.ace.wiring import plugs_host

    return plugs_host.offers(place)


def _elsewhere(words: str) -> str:
    """That there is none here, and which screens have one."""
    wanted = words.casefold().split()
    others = ((row, _words(row).casefold()) for row in ACTIONS if row.where != EVERYWHERE)
    named = dict.fromkeys(f"{row.label} ({row.where})" for row, text in others if all(word in text for word in wanted))
    there = ", ".join(list(named)[:MOST_NAMED])
    return f"no such action here; elsewhere: {there}" if there else "this screen has no action of that name"


def _key(action: Action) -> str:
    return action.id


def _words(action: Action) -> str:
    return f"{action.label} {action.tooltip}"

"""All keys of the screen below, from the table of actions, with the reason where one cannot be used now."""

from __future__ import annotations

from collections.abc import Iterator

from textual.widget import Widget

from workbench.ace.tui.actions import EVERYWHERE, Action, actions_of
from workbench.ace.tui.keymap import key_words, shown
from workbench.ace.tui.prose import Block, Prose, blank, heading
from workbench.ace.tui.screens.base import WorkScreen
from workbench.ace.tui.screens.dialog import Dialog, Words
from workbench.ace.tui.text import Line, Piece, blanks, cut, line, padded, piece, width_of, wrapped

KEY_CELLS, LABEL_CELLS = 14, 17


class HelpScreen(Dialog):
    """Help for one screen."""

    where = "help"
    main = "#lines"
    title_words = "KEYS"

    def __init__(self, of: WorkScreen) -> None:
        super().__init__()
        self._of = of

    def act_show_help(self) -> None:
        """The key that opened it closes it."""
        self.act_go_back()

    def body(self) -> Iterator[Widget]:
        """The keys."""
        lines = Words(id="lines")
        lines.show(Prose(list(self._blocks())))
        yield lines

    def _blocks(self) -> Iterator[Block]:
        rows = actions_of(self._of.where)
        own = [action for action in rows if action.where != EVERYWHERE]
        if own:
            yield heading(f"{self._of.where.upper()}")
            yield from map(self._row, own)
            yield blank()
        yield heading("EVERYWHERE")
        yield from (self._row(action) for action in rows if action.where == EVERYWHERE)

    def _row(self, action: Action) -> Block:
        keymap = self.workbench.keymap_of_workbench
        bound = keymap.keys_of(action)
        keys = key_words(bound) if all(key.isdigit() for key in bound) else " ".join(shown(key) for key in bound)
        reason = self._of.reason_off(action)

        def lay(cells: int) -> Iterator[Line]:
            said = Piece(piece(reason or action.tooltip).text, "dim" if reason else "plain")
            label = padded(piece(action.label, "dim" if reason else "strong"), LABEL_CELLS)
            lead: Line = line(padded(piece(keys, "accent"), KEY_CELLS), label, " ")
            for words in wrapped(said, max(1, cells - width_of(lead))):
                yield cut(line(*lead, *words), cells)
                lead = line(blanks(width_of(lead)))

        return Block(lay)

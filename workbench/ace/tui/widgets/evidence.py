"""Two panes: what a verdict rests on, row by row, and all that is to be read of the selected row."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message

from workbench.ace.tui.marks import Glyphset
from workbench.ace.tui.prose import Prose
from workbench.ace.tui.reasons import Reason, paint_reason, reason_blocks, reasons_sheet
from workbench.ace.tui.text import Line, cut, line, piece, safe_line
from workbench.ace.tui.widgets.lines import LinesView
from workbench.ace.tui.widgets.rows import RowsView


class Output(Message):
    """The outputs of this row are wanted."""

    def __init__(self, row: Reason) -> None:
        super().__init__()
        self.row = row


class EvidencePane(Container):
    """The rows, and beside them, or beneath where it is narrow, the selected one."""

    DEFAULT_CSS = """
    EvidencePane { layout: horizontal; }
    EvidencePane #why { width: 2fr; }
    EvidencePane #detail { width: 3fr; border-left: $pane-line $surface; padding: 0 1; }
    EvidencePane.-narrow { layout: vertical; }
    EvidencePane.-narrow #why { width: 100%; height: 1fr; }
    EvidencePane.-narrow #detail {
        width: 100%; height: 1fr; border-left: none; border-top: $pane-line $surface;
    }
    """

    def __init__(self, glyphs: Callable[[], Glyphset], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs
        self._outputs: dict[str, list[str]] = {}  # lines by blob digest

    def compose(self) -> ComposeResult:
        """The panes."""
        yield RowsView(
            reasons_sheet([]), lambda row, cells: paint_reason(row, cells, self._glyphs()), text=_words, id="why"
        )
        yield LinesView(id="detail")

    @property
    def rows(self) -> RowsView[Reason]:
        """The rows."""
        return self.query_one("#why", RowsView)

    def show(self, rows: list[Reason]) -> None:
        """Show other rows, from the first one."""
        self.rows.take(reasons_sheet([]))
        self.rows.let_in()
        self.rows.take(reasons_sheet(rows))
        self.rows.go_to(0)
        self._detail()

    def on_rows_view_moved(self) -> None:
        """Another row."""
        self._detail()

    def take_output(self, digest: str, lines: list[str]) -> None:
        """An output has been read."""
        self._outputs[digest] = lines
        row = self.rows.row
        if row is not None and digest in row.outputs.values():
            self._detail(keep_place=True)

    def _detail(self, *, keep_place: bool = False) -> None:
        row = self.rows.row
        pane = self.query_one("#detail", LinesView)
        if row is None:
            pane.show(Prose([]))
            return
        pane.show(_WithOutputs(row, self._glyphs(), dict(self._outputs)), keep_place=keep_place)
        if any(digest not in self._outputs for digest in row.outputs.values()):
            self.post_message(Output(row))


class _WithOutputs:
    """A `Source`: what is to be said of a row, then its outputs, of which only lines in sight are laid out."""

    def __init__(self, row: Reason, glyphs: Glyphset, outputs: dict[str, list[str]]) -> None:
        self._row, self._glyphs, self._outputs = row, glyphs, outputs

    def laid(self, cells: int) -> _Laid:
        """The lines at this width."""
        head = Prose(list(reason_blocks(self._row, self._glyphs))).laid(cells)
        return _Laid([*head, *(found for found in self._heads())], self._texts(), cells)

    def _heads(self) -> Iterator[Line]:
        for name, digest in self._row.outputs.items():
            if digest not in self._outputs:
                yield line(piece(f"reading {name} …", "dim"))

    def _texts(self) -> list[tuple[str, list[str]]]:
        return [(name, self._outputs[at]) for name, at in self._row.outputs.items() if at in self._outputs]


class _Laid:
    def __init__(self, head: list[Line], texts: list[tuple[str, list[str]]], cells: int) -> None:
        self._head, self._cells = head, cells
        self._lines: list[str | Line] = []
        for name, lines in texts:
            self._lines += [line(" "), line(piece(name.upper(), "title")), *lines]

    def __len__(self) -> int:
        return len(self._head) + len(self._lines)

    def __getitem__(self, index: int, /) -> Line:
        if index < len(self._head):
            return self._head[index]
        found = self._lines[index - len(self._head)]
        return cut((piece("")._replace(text=safe_line(found)),), self._cells) if isinstance(found, str) else found


def _words(row: Reason) -> str:
    return f"{row.group} {row.name} {row.words}"

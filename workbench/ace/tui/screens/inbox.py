"""Home: everything that needs a person, ordered by what waiting costs, with the selected thing beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from textual.containers import Horizontal
from textual.widget import Widget

from workbench.ace.tui import routes
from workbench.ace.tui.bridge import View
from workbench.ace.tui.concernlist import (
    Entry,
    InboxData,
    InboxView,
    entry_key,
    entry_words,
    key_of,
    kind_word,
    looks_of,
    mutable,
    sheet_of,
)
from workbench.ace.tui.previews import entry_blocks, nothing_blocks, option_ids, reason_blocks, settled_blocks
from workbench.ace.tui.prose import Block, Prose, paragraph
from workbench.ace.tui.screens.base import WorkScreen
from workbench.ace.tui.text import Piece, line, piece
from workbench.ace.tui.widgets.bar import Bar, Part
from workbench.ace.tui.widgets.columns import Column, painter
from workbench.ace.tui.widgets.lines import LinesView
from workbench.ace.tui.widgets.rows import RowsView
from workbench.ace.tui.words import count, since
from workbench.ace.wiring.answering import Answers
from workbench.ace.wiring.attending import Attention, desk_of, muting, snoozing, waking
from workbench.core.state import ConsultationState

WIDE = 110  # cells from which on the preview stands beside the list
PATIENCE_S = 0.2  # before it says what it waits for
ALLOW, DENY = "allow", "deny"  # the options of a request for permission
_SIGNS = {"crp": "open", "alert": "alert"}


class InboxScreen(WorkScreen):
    """The inbox."""

    where = "inbox"
    main = "#rows"
    DEFAULT_CSS = """
    InboxScreen #rows { width: 3fr; }
    InboxScreen #preview { width: 2fr; max-width: 90; border-left: $pane-line $surface; padding: 0 1; }
    InboxScreen #preview.-alone { border-left: none; }
    InboxScreen #aside { display: none; background: $background; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._view = InboxView()
        self._data: InboxData | None = None
        self._waiting = 0  # rows that are new or settled
        self._reads_preview = False
        self._draws_anew = False  # a person's key asked for another list

    def body(self) -> Iterator[Widget]:
        """The list, beside it what is selected, below it what is not in sight."""
        with Horizontal():
            yield RowsView(sheet_of(()), painter(self._columns()), text=entry_words, id="rows")
            yield LinesView(id="preview")
        yield Bar(id="aside")

    def views(self) -> dict[str, View]:
        """The inbox."""
        return {"inbox": self._view}

    def arrived(self, name: str, value: InboxData) -> None:  # noqa: ARG002 - there is one view
        """Newer concerns."""
        if self._data is None and "being read" in self.told:
            self.tell("")  # a key was too early
        self._data = value
        self.rows.take(value.sheet)
        if self._draws_anew:
            self._draws_anew = False
            self.rows.let_in()
        self._show_panes(preview=self._in_preview)
        self._preview()
        self._show_aside()
        self.show_footer()

    def on_mount(self) -> None:
        """Say what is waited for, if that takes a while."""
        self.set_timer(PATIENCE_S, self._show_reading)

    def _show_reading(self) -> None:
        if self._data is None:
            self._show_panes(preview=True)
            self.query_one("#preview", LinesView).show(Prose([paragraph("Reading the journal …", "dim")]))

    def _look_again(self) -> None:
        """What the person set aside is no event: ask for the list once more."""
        self.bridge.watch(self._watched("inbox"), self._view)

    @property
    def rows(self) -> RowsView[Entry]:
        """The list."""
        return self.query_one("#rows", RowsView)

    # --- panes ---

    def on_resize(self) -> None:
        """The preview needs room."""
        self._show_panes(preview=self._in_preview)

    @property
    def _in_preview(self) -> bool:
        """Whether a person reads the preview, or there is nothing else to read."""
        return self._reads_preview or (self._data is not None and not self.rows.sheet.rows)

    def _show_panes(self, *, preview: bool) -> None:
        wide = self.size.width >= WIDE
        beside = self.query_one("#preview")
        beside.display = wide or preview
        beside.set_class(not wide, "-alone")
        self.rows.display = wide or not preview
        if self.rows.display and not self._reads_preview and self.focused is None:
            self.rows.focus()

    def act_next_pane(self) -> None:
        """The preview, and back to the list."""
        self._read_preview(not self.query_one("#preview").has_focus)

    act_previous_pane = act_next_pane

    def _read_preview(self, reads: bool) -> None:
        self._reads_preview = reads
        self._show_panes(preview=self._in_preview)
        (self.query_one("#preview") if reads else self.rows).focus()

    def act_go_back(self) -> None:
        """From the preview to the list first, and out of a search in it before that."""
        if not self._reads_preview:
            super().act_go_back()
        elif not self.clear_filter():
            self._read_preview(False)

    def on_rows_view_moved(self) -> None:
        """Another row: another preview, and other keys that can be used."""
        self._show_panes(preview=self._in_preview)
        self._preview()
        self.show_footer()

    def on_rows_view_opened(self) -> None:
        """A click on the selected row."""
        self.act_open_row()

    def on_rows_view_waiting(self, message: RowsView.Waiting) -> None:
        """Rows wait to be let in."""
        self._waiting = message.count
        self._show_aside()

    def _show_aside(self) -> None:
        """What the list does not show now, and which key shows it."""
        data = self._data
        parts: list[Part] = []
        if self._waiting:
            words = line(
                piece(f"{self._waiting} new or settled", "accent"), piece(" - press . to draw the list anew", "dim")
            )
            parts.append(Part(words, action="show-new"))
        if data is not None and (data.snoozed or data.muted):
            both = [f"{number} {word}" for number, word in ((data.snoozed, "snoozed"), (data.muted, "muted")) if number]
            key = " - Z hides them" if self._view.shows_aside else " - Z shows them"
            parts.append(Part(line(piece(", ".join(both), "stale"), piece(key, "dim")), action="show-snoozed"))
        bar = self.query_one("#aside", Bar)
        bar.display = bool(parts)
        bar.show(parts)

    def _preview(self) -> None:
        if self._data is not None:
            self.query_one("#preview", LinesView).show(Prose(list(self._preview_blocks(self._data))), keep_place=False)

    def _preview_blocks(self, data: InboxData) -> Iterator[Block]:
        entry, glyphs = self.rows.row, self.workbench.glyphs
        if entry is None and self.rows.is_all_filtered:
            yield paragraph("No row has these words.", "strong")
            yield paragraph("Esc shows all rows again.", "dim")
        elif entry is None:
            yield from nothing_blocks(missions=data.missions, aside=data.snoozed + data.muted)
        elif self.rows.is_gone:
            question = self.bridge.mirror.consultations.get(entry.first.id) if entry.first.kind == "crp" else None
            yield from settled_blocks(entry.first, question, glyphs, now=data.now)
        else:
            question, pack = data.questions.get(entry.first.id), data.packs.get(entry.first.id)
            yield from entry_blocks(entry, question, pack, glyphs, now=data.now)

    def _columns(self) -> list[Column[Entry]]:
        return [
            Column(lambda row: self.workbench.glyphs.sign(_state(row)), 1),
            Column(lambda row: piece(kind_word(row.first), "dim"), 3),
            Column(lambda row: piece(_short(row), "strong"), 22),
            Column(_about, 0, least=20),
            Column(lambda row: piece(_held(row), "needs-you"), 7, right=True, spare=1),
            Column(self._age, 4, right=True, spare=2),
        ]

    def _age(self, row: Entry) -> Piece:
        return piece(since(row.first.since, self.workbench.place.clock.now()), "dim")

    # --- the list ---

    def off_open_row(self) -> str:
        """Nothing is selected."""
        return "" if self.rows.row is not None else self._none()

    def act_open_row(self) -> None:
        """Open what is selected."""
        if (entry := self.rows.row) is not None:
            routes.open_thing(self.workbench, entry.first.kind, entry.first.id)

    def copied(self) -> str:
        """The id of what is selected; of several, one on each line."""
        entry = self.rows.row
        return "\n".join(entry.ids) if entry is not None else ""

    def act_show_new(self) -> None:
        """Draw the list anew."""
        self.rows.let_in()

    def act_show_snoozed(self) -> None:
        """With what was set aside, or without."""
        self._view.shows_aside = not self._view.shows_aside
        self._draws_anew = True
        self._look_again()

    def _picked(self) -> list[Entry]:
        """The marked rows, else the one that is selected; what is settled is none."""
        rows = self.rows
        marked = [row for row in rows.sheet.rows if entry_key(row) in rows.marked]
        one = [rows.row] if rows.row is not None and not rows.is_gone else []
        return marked or one

    # --- setting aside ---

    def off_snooze(self) -> str:
        """Nothing is selected."""
        return "" if self._picked() else self._none()

    def _none(self) -> str:
        if self._data is None:
            return "the journal is being read"
        return "it was settled; . draws the list anew" if self.rows.is_gone else "nothing is selected"

    def act_snooze(self) -> None:
        """Ask until when; what is snoozed comes back at once."""
        from workbench.ace.tui.screens.reason import SnoozeDialog

        picked = self._picked()
        if all(entry.aside for entry in picked):
            keys = [key_of(one) for entry in picked for one in entry.concerns]
            self._change(waking(*keys), picked, "back in the list")
            return
        now = self.workbench.place.clock.now()
        looks = {key_of(one): looks_of(one) for entry in picked for one in entry.concerns}

        def chosen(until: str) -> None:
            words = f"snoozed {count(len(looks), 'row')}; it comes back by itself, and stays in everybody else's inbox"
            self._change(snoozing(looks, until=until, now=now), picked, words)

        self.app.push_screen(SnoozeDialog(now, chosen))

    def off_mute(self) -> str:
        """Only alerts of a run can be muted."""
        picked = self._picked()
        if not picked:
            return self._none()
        return "" if all(mutable(entry.first) for entry in picked) else "only a run's alerts can be muted; z snoozes"

    def act_mute(self) -> None:
        """Hide the alerts of these runs, or hear them again."""
        picked = self._picked()
        mute = not all(entry.aside for entry in picked)
        names = [mutable(entry.first) for entry in picked]

        def changed(stands: Attention) -> Attention:
            for name in names:
                stands = muting(name, mute=mute)(stands)
            return stands

        self._change(changed, picked, "muted; Z shows it, m there hears it again" if mute else "heard again")

    def _change(self, changed: Callable[[Attention], Attention], entries: Sequence[Entry], words: str) -> None:
        keys = [entry_key(entry) for entry in entries]

        def then(_: Attention) -> None:
            self.rows.marked.clear()
            if self._view.shows_aside or any(entry.aside for entry in entries):
                self._draws_anew = True
            else:
                self.rows.dismiss(*keys)
            self.tell(words, "dim")
            self._look_again()

        self.workbench.carry_out(lambda place: desk_of(place).change(changed), then)

    # --- answering ---

    def _asked(self, entry: Entry) -> ConsultationState | None:
        return self._data.questions.get(entry.first.id) if self._data is not None else None

    def off_answer_option(self) -> str:
        """Only a question has options."""
        entry = self.rows.row
        if entry is None or self.rows.is_gone:
            return self._none()
        question = self._asked(entry)
        if question is None or not option_ids(question):
            return "Enter opens it" if question is None else "it names no options: Enter opens it"
        return ""

    def act_answer_option(self) -> None:
        """Take that option, once the reason is said."""
        entry = self.rows.row
        question = self._asked(entry) if entry is not None else None
        assert entry is not None and question is not None
        names = option_ids(question)
        number = int(self.pressed_key) if self.pressed_key.isdigit() else 0
        if 1 <= number <= len(names):
            self._ask_why([entry], names[number - 1])
        else:
            self.tell(f"there is no option {self.pressed_key}: its options are 1 to {len(names)}", "needs-you")

    def _off_permission(self, option: str) -> str:
        picked = self._picked()
        if not picked:
            return self._none()
        asked = [self._asked(entry) for entry in picked]
        fits = all(entry.is_permission for entry in picked) and all(one and option in one.options for one in asked)
        return "" if fits else "this is no request for permission"

    def off_allow_once(self) -> str:
        """Only what asks for permission can be allowed."""
        return self._off_permission(ALLOW)

    off_allow_scope = off_allow_once

    def off_deny(self) -> str:
        """The same."""
        return self._off_permission(DENY)

    def act_allow_once(self) -> None:
        """Allow it, this time."""
        self._ask_why(self._picked(), ALLOW)

    def act_allow_scope(self) -> None:
        """Allow it, and say how far that holds."""
        self._ask_why(self._picked(), ALLOW, is_scoped=True)

    def act_deny(self) -> None:
        """Deny it."""
        self._ask_why(self._picked(), DENY)

    def _ask_why(self, entries: Sequence[Entry], option: str, *, is_scoped: bool = False) -> None:
        from workbench.ace.tui.screens.reason import ReasonDialog

        assert self._data is not None
        asked = [question for entry in entries if (question := self._asked(entry)) is not None]
        names = [name for entry in entries for name in entry.ids]
        says = list(reason_blocks(asked, names, option))
        self.app.push_screen(ReasonDialog(says, names, option, self._data.desk, self._answered, is_scoped=is_scoped))

    def _answered(self, answers: Answers) -> None:
        self.rows.marked.clear()
        done = answers.answered
        what = done[0].resolution if len(done) == 1 else count(len(done), "resolution")
        others = f"; {'; '.join(answers.refused)}" if answers.refused else ""
        self.tell(f"recorded {what}{others}", "needs-you" if others else "proven")


def _short(row: Entry) -> str:
    first = row.first
    times = f"x{len(row.concerns)} " if len(row.concerns) > 1 else ""
    return times + first.id.removeprefix(f"{kind_word(first)}-").removeprefix("CRP-")


def _about(row: Entry) -> Piece:
    """What it is about: of a pack, whose mission has a name, how far it is proven."""
    first = row.first
    words = first.facts if first.kind == "mrp" and first.facts else first.title
    return piece(f"{row.aside}: {words}" if row.aside else words, "stale" if row.aside else "plain")


def _held(row: Entry) -> str:
    return f"{row.held_runs} held" if row.held_runs else ""


def _state(row: Entry) -> str:
    return row.first.category if row.first.kind == "mrp" else _SIGNS[row.first.kind]

"""One run: what it did, newest at the bottom, and beside it what it is about, what it touched and what it waits for."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterator

from textual.containers import Horizontal
from textual.timer import Timer
from textual.widget import Widget

from workbench.ace.tui import routes
from workbench.ace.tui.acts import act_line, facts_of
from workbench.ace.tui.bridge import View
from workbench.ace.tui.prose import Block, Prose, blank, bullet, facts, heading, paragraph
from workbench.ace.tui.screens.comment import CommentDialog
from workbench.ace.tui.screens.speaking import SpeakingScreen
from workbench.ace.tui.screens.stopping import StopDialog
from workbench.ace.tui.sheet import Sheet
from workbench.ace.tui.text import Line, line, piece
from workbench.ace.tui.timelineview import ActRow, RunData, TimelineView
from workbench.ace.tui.widgets.bar import Bar, Part
from workbench.ace.tui.widgets.lines import LinesView
from workbench.ace.tui.widgets.speaking import Speaking
from workbench.ace.tui.widgets.timeline import TimelineRows
from workbench.ace.tui.words import count, money
from workbench.ace.wiring import steering
from workbench.ace.wiring.commenting import LONGEST_TITLE
from workbench.core.comments import Placed
from workbench.core.state import RunState
from workbench.core.status import run_status, stage
from workbench.model.text import one_line

WIDE = 120  # cells from which on the facts stand beside the acts
FILES_SHOWN = 12
FACTS_EVERY_S = 1.0  # at most, where only amounts grew


class RunScreen(SpeakingScreen):
    """The run of that id."""

    where = "run"
    main = "#acts"
    DEFAULT_CSS = """
    RunScreen #acts { width: 1fr; }
    RunScreen #facts { width: 44; border-left: $pane-line $surface; padding: 0 1; }
    RunScreen.-narrow #facts { display: none; width: 1fr; border-left: none; }
    RunScreen.-narrow.-facts #facts { display: block; }
    RunScreen.-narrow.-facts #acts { display: none; }
    RunScreen.-narrow #speak { border-top: none; }
    RunScreen #below { display: none; }
    RunScreen #below.-something { display: block; }
    """

    def __init__(self, run: str) -> None:
        super().__init__(run)
        self._view = TimelineView(run)
        self._data: RunData | None = None
        self._told_facts: tuple[object, ...] = ()
        self._told_at = 0.0
        self._later: Timer | None = None
        self._read_to = 0  # version up to which the person has seen the acts

    def body(self) -> Iterator[Widget]:
        """What it is, its acts, and the facts."""
        empty: Sheet[ActRow] = Sheet((), key=lambda row: row.key)
        yield Bar(id="about")
        with Horizontal():
            yield TimelineRows(empty, self._painted, text=_words, id="acts")
            yield LinesView(id="facts")
        yield Bar(id="below")
        yield Speaking(lambda: self.workbench.glyphs, id="speak")

    def views(self) -> dict[str, View]:
        """The run."""
        return {"run": self._view}

    def arrived(self, name: str, value: RunData) -> None:  # noqa: ARG002 - there is one view
        """Newer acts."""
        self._data = value
        self.acts.put(value.sheet)
        self._show_about()
        self._show_below()
        self.show_messages()
        self._show_facts(value)
        self.show_footer()
        if value.behind and self.acts.following:
            self.bridge.look_now()

    @property
    def acts(self) -> TimelineRows[ActRow]:
        """The acts."""
        return self.query_one("#acts", TimelineRows)

    def on_resize(self) -> None:
        """The facts need room."""
        self.set_class(self.size.width < WIDE, "-narrow")
        self._view.cells = self.size.width if self.size.width < WIDE else self.size.width - 46
        self.bridge.look_now()

    def on_timeline_rows_held(self) -> None:
        """It follows now, or does not."""
        self._view.following = self.acts.following
        self._show_below()
        self.show_footer()

    def on_timeline_rows_near_top(self) -> None:
        """Read older acts."""
        if self._data is not None and self._data.has_older and not self._view.wants_older:
            self._view.wants_older = True
            self.bridge.look_now()

    def on_rows_view_opened(self) -> None:
        """A click on the selected act."""
        self.act_open_row()

    # --- actions ---

    def off_open_row(self) -> str:
        """Nothing happened yet."""
        if self.speaking.messages.has_focus:
            return ""
        if self._data is None:
            return "the run is being read"
        return "" if self.acts.row is not None else "nothing happened yet"

    def act_open_row(self) -> None:
        """Open the act in place, or close it; one that is open and about a question or pack opens that."""
        if self.speaking.messages.has_focus:
            self.edit_message()
            return
        row: ActRow | None = self.acts.row
        if row is None:
            return
        act = row.act
        plain = act.called is None and act.returned is None and not act.text and not act.members
        if act.ref and row.words is None and (plain or act.key in self._view.opened):
            routes.open_thing(self.workbench, "mrp" if act.kind == "pack" or _is_pack(act.ref) else "crp", act.ref)
            return
        self.acts.go_to_key(act.key)
        self.acts.hold()
        self._view.opened ^= {act.key}
        self.bridge.look_now()

    def copied(self) -> str:
        """What is under the cursor: a question or pack, else the run."""
        row: ActRow | None = self.acts.row
        return row.act.ref if row is not None and row.act.ref else self._run_id

    def act_follow(self) -> None:
        """Follow the newest act."""
        self.acts.follow()

    def off_follow(self) -> str:
        """It does already."""
        return "the newest act is followed" if self.acts.following else ""

    def act_next_pane(self) -> None:
        """The facts, then what was said to the agent, then the acts again."""
        self._go_pane(1)

    def act_previous_pane(self) -> None:
        """The other way round."""
        self._go_pane(-1)

    def _go_pane(self, step: int) -> None:
        names = ["acts", "facts", *(["messages"] if self.speaking.messages.display else [])]
        focused = self.focused.id if self.focused is not None else ""
        name = names[(names.index(focused) + step) % len(names)] if focused in names else "acts"
        self.set_class(name == "facts", "-facts")
        self.query_one(f"#{name}").focus()

    @property
    def spoken_to(self) -> RunState | None:
        """The run."""
        return self._run

    def off_open_pack(self) -> str:
        """There must be one."""
        return "" if self._run is not None and self._run.pack else "it has delivered no pack yet"

    def act_open_pack(self) -> None:
        """The newest pack."""
        if self._run is not None:
            routes.open_thing(self.workbench, "mrp", self._run.pack)

    def off_comment(self) -> str:
        """A comment is on a pack."""
        return self.off_open_pack() or self.off_open_row()

    def act_comment(self) -> None:
        """On the act that is selected; it goes to the agent with the next request for changes to the newest pack."""
        row: ActRow | None = self.acts.row
        if self._run is not None and row is not None:
            target = {"kind": "step", "id": row.act.key, "title": one_line(row.act.title)[:LONGEST_TITLE]}
            self.app.push_screen(CommentDialog(self._run.pack, target, [row.act.title], self._commented))

    def _commented(self, made: Placed) -> None:
        self.tell(f"commented: {made.id}; R in the review sends all comments to the agent", "accent")

    def off_pause_run(self) -> str:
        """Whether it can be held, or go on."""
        run = self._run
        if run is None:
            return "there is no such run"
        return f"it is over ({run.outcome})" if run.outcome and run.outcome != "failed" else ""

    def act_pause_run(self) -> None:
        """Hold it, or let it go on."""
        run = self._run
        if run is not None and steering.can_resume(run):
            self.workbench.carry_out(
                lambda place: steering.resume(place, [self._run_id], why=""),
                lambda _: self.tell("it goes on", "accent"),
            )
        else:
            self.workbench.carry_out(
                lambda place: steering.pause(place, [self._run_id], why=""),
                lambda _: self.tell("it pauses after its act; p lets it go on", "accent"),
            )

    def off_stop_run(self) -> str:
        """Whether there is something to end."""
        return self.off_pause_run()

    def act_stop_run(self) -> None:
        """Ask in words, then end it."""

        def answered(why: str | None) -> None:
            if why is not None:
                self.workbench.carry_out(
                    lambda place: steering.stop(place, [self._run_id], why=why),
                    lambda _: self.tell(f"{self._run_id} was stopped", "accent"),
                )

        self.app.push_screen(StopDialog(self._run_id, what=f"This ends run {self._run_id}."), answered)

    # --- painting ---

    @property
    def _run(self) -> RunState | None:
        return self._data.run if self._data is not None else None

    def _painted(self, row: ActRow, cells: int) -> Line:
        return act_line(row, cells, self.workbench.glyphs)

    def _show_about(self) -> None:
        data, run = self._data, self._run
        if data is None:
            return
        if run is None:
            self.query_one("#about", Bar).show([Part(line(piece(f"There is no run called {self._run_id}.", "failed")))])
            return
        step = f"step {run.step.number}, attempt {run.step.attempt}" if run.step is not None else ""
        down = data.aee == "stopped" and not run.outcome
        left = [
            Part(line(self.workbench.glyphs.state(run_status(run)))),
            Part(line(piece(run.id, "strong"), piece(f" by {run.agent}" if run.agent else "", "dim"))),
            Part(line(piece(stage(run), "dim")), spare=2),
            Part(line(piece(step, "dim")), spare=3),
            Part(line(piece(data.title)), spare=4),
        ]
        right = [Part(line(piece("no AEE runs: nothing goes on", "needs-you")))] if down else []
        self.query_one("#about", Bar).show([part for part in left if part.words[0].text], right)

    def _show_below(self) -> None:
        bar, data = self.query_one("#below", Bar), self._data
        if data is None:
            return
        rows = data.sheet.rows
        if self.acts.following:
            self._read_to = rows[-1].act.version if rows else 0
        new = len(rows) - bisect_right(rows, self._read_to, key=lambda row: row.act.version) + data.behind
        held = not self.acts.following
        words = f"{new} new below - f follows" if new else "held here - f follows the newest act"
        bar.set_class(held, "-something")
        bar.show([Part(line(piece(words, "accent" if new else "dim")), action="follow")])

    def _show_facts(self, data: RunData) -> None:
        """The facts; where only amounts grew, no more often than a person can read them."""
        now, run = time.monotonic(), data.run
        marks = (data.title, data.verdict, data.clauses, len(data.files), data.has_older)
        told = (*marks, *((run_status(run), stage(run), run.waiting_for, run.pack, run.reason) if run else ()))
        if told == self._told_facts and now - self._told_at < FACTS_EVERY_S:
            if self._later is None:
                self._later = self.set_timer(FACTS_EVERY_S, self._facts_later)
            return
        self._told_facts, self._told_at = told, now
        self.query_one("#facts", LinesView).show(Prose(list(self._facts(data))))

    def _facts_later(self) -> None:
        self._later = None
        if self._data is not None:
            self._show_facts(self._data)

    def _facts(self, data: RunData) -> Iterator[Block]:
        run = data.run
        if run is None:
            return
        yield paragraph(data.title, "strong")
        yield facts(self.workbench.glyphs.state(run_status(run)), piece(f"  {stage(run)}", "dim"))
        if run.waiting_for:
            yield blank()
            yield heading("WAITS FOR")
            for name in run.waiting_for:
                yield bullet(name, "needs-you")
        if run.reason:
            yield blank()
            yield paragraph(run.reason, "needs-you" if not run.outcome else "dim")
        if run.pack:
            yield blank()
            yield heading("NEWEST PACK")
            yield facts(self.workbench.glyphs.state(data.verdict or "unknown"), piece(f"  {run.pack}"))
        yield blank()
        yield heading("SPENT")
        yield paragraph(f"{money(run.cost_usd) or '$0'}, {run.tokens:,} tokens, {count(run.calls, 'call')}")
        yield from self._files(data)
        if data.clauses:
            yield blank()
            yield heading("BRIEF")
            for clause in data.clauses:
                yield bullet(clause.text, sign=clause.id, indent=0)
        yield blank()
        yield heading("WHERE")
        yield from _where(run)

    def _files(self, data: RunData) -> Iterator[Block]:
        if data.files:
            yield blank()
            more = "+" if data.has_older else ""
            yield heading(f"FILES EDITED ({len(data.files)}{more})")
            for path, edits in data.files[:FILES_SHOWN]:
                yield facts(piece(path), piece(f"  {edits}x" if edits > 1 else "", "dim"))
            if len(data.files) > FILES_SHOWN:
                yield facts(piece(f"and {len(data.files) - FILES_SHOWN} more", "dim"))


def _where(run: RunState) -> Iterator[Block]:
    unconfined = run.sandbox == "none"
    yield facts(piece("sandbox ", "dim"), piece(run.sandbox or "not chosen yet", "failed" if unconfined else "plain"))
    yield facts(piece("branch  ", "dim"), piece(run.branch))
    yield facts(piece("base    ", "dim"), piece(run.base_commit[:12]), piece(f"  {_short_ref(run.base_ref)}", "dim"))
    yield facts(piece("head    ", "dim"), piece(run.head[:12] or "none fetched yet"))
    yield facts(piece("into    ", "dim"), piece(_short_ref(run.into) or "no branch"))
    yield facts(piece("driver  ", "dim"), piece(run.driver))


def _short_ref(ref: str) -> str:
    return ref.removeprefix("refs/heads/")


def _is_pack(ref: str) -> bool:
    return ref.startswith("MRP-")


def _words(row: ActRow) -> str:
    act = row.act
    opened = "".join(part.text for part in row.words) if row.words is not None else ""
    return f"{act.kind} {act.title} {act.state} {facts_of(act)} {act.ref} {opened}"

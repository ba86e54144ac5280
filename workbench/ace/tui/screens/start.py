"""The form that starts a mission: what, who, from where; what will happen, and at each field what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input

from workbench.ace.tui import routes
from workbench.ace.tui.actions import Action, named
from workbench.ace.tui.bridge import View
from workbench.ace.tui.grounds import Ground, grounds_view
from workbench.ace.tui.prose import Block, Prose, blank, bullet, facts, heading, paragraph
from workbench.ace.tui.screens.base import WorkScreen
from workbench.ace.tui.sheet import Sheet
from workbench.ace.tui.text import Line, Piece, Role, Safe, cut, line, padded, piece, safe
from workbench.ace.tui.widgets.lines import LinesView
from workbench.ace.tui.widgets.rows import RowsView
from workbench.ace.tui.widgets.still import StillLines
from workbench.ace.wiring.launching import BriefOffer, Launched, Outlook, Trouble, brief_offers, launch, outlook
from workbench.ace.wiring.starting import Order, Started
from workbench.ace.wiring.workplace import Workplace
from workbench.artifacts.terms import SANDBOX_LEVELS
from workbench.model.errors import ArtifactInvalid, WorkbenchError

if TYPE_CHECKING:
    from workbench.ace.tui.app import WorkbenchApp

QUIET_S = 0.25  # after the last key, before the outlook is made anew
WIDE = 110  # cells from which on the outlook stands beside the form
MOST_VERSIONS = 50
PATHS_SHOWN = 12
TOLD_CELLS = 14  # how a delivery stands that could be stood on: "needs a person"
FIELDS = {
    "what": ("What", "one sentence, or the id of a brief"),
    "agent": ("Agent", "from the settings"),
    "base": ("From", "what is checked out"),
    "into": ("Into", "the branch it starts from, if that is checked out"),
    "on": ("Stands on", "nothing; or a mission below, on whose head it starts"),
    "versions": ("Versions", "1: how many agents try it side by side"),
    "sandbox": ("Sandbox", "from the settings; none is a danger"),
}
BRIEF_HEAD, GROUND_HEAD = safe("BRIEFS"), safe("MISSIONS TO STAND ON")
_drafts: dict[Path, dict[str, str]] = {}  # what was typed and not sent, while Workbench is open


class Looked(msgspec.Struct, frozen=True):
    """What was found out about the form as it stood."""

    order: Order | None
    outlook: Outlook
    briefs: tuple[BriefOffer, ...]


class StartScreen(WorkScreen):
    """The form."""

    where = "start"
    main = "#what"
    DEFAULT_CSS = """
    StartScreen #form { width: 1fr; }
    StartScreen .field { height: 1; }
    StartScreen .label { width: 11; height: 1; max-height: 1; padding: 0 0 0 1; }
    StartScreen Input { width: 1fr; height: 1; border: none; background: $panel; padding: 0 1; }
    StartScreen Input:focus { border: none; }
    StartScreen .wrong { padding: 0 0 0 12; max-height: 3; }
    StartScreen #briefs { height: 1fr; margin: 1 0 0 0; }
    StartScreen #outlook { width: 1fr; border-left: $pane-line $surface; padding: 0 1; }
    StartScreen.-narrow #outlook { border-left: none; }
    StartScreen.-narrow #panes { layout: vertical; }
    StartScreen.-narrow #form { width: 1fr; height: auto; }
    StartScreen.-narrow #briefs { height: auto; max-height: 6; margin: 0; }
    StartScreen.-narrow #outlook { width: 1fr; height: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._looked: Looked | None = None
        self._grounds: tuple[Ground, ...] = ()
        self._quiet: Timer | None = None
        self._starting = False

    def body(self) -> Iterator[Widget]:
        """Fields, briefs to choose from, and the outlook."""
        empty = _offered(())
        with Horizontal(id="panes"):
            with Vertical(id="form"):
                for name, (_, hint) in FIELDS.items():
                    with Horizontal(classes="field"):
                        yield StillLines(id=f"label-{name}").add_class("label")
                        yield Input(placeholder=hint, id=name, compact=True)
                    yield StillLines(id=f"wrong-{name}").add_class("wrong")
                yield RowsView(empty, self._painted, text=lambda offer: f"{offer.id} {offer.title}", id="briefs")
            yield LinesView(id="outlook")

    def views(self) -> dict[str, View]:
        """What it could stand on."""
        return {"grounds": grounds_view}

    def arrived(self, name: str, value: tuple[Ground, ...]) -> None:  # noqa: ARG002 - there is one view
        """Others can be stood on by now."""
        self._grounds = value
        self._offer()

    def on_mount(self) -> None:
        """Bring back what was typed, and look."""
        for name, (label, _) in FIELDS.items():
            self.query_one(f"#label-{name}", StillLines).show(Prose([facts(piece(label, "dim"))]))
        for name, text in _drafts.get(self.workbench.place.directory, {}).items():
            self.query_one(f"#{name}", Input).value = text
        self._look()

    def on_resize(self) -> None:
        """The outlook stands beside the form, or beneath it."""
        self.set_class(self.size.width < WIDE, "-narrow")

    # --- typing ---

    def on_input_changed(self) -> None:
        """Look again once the person pauses."""
        _drafts[self.workbench.place.directory] = {name: self._value(name) for name in FIELDS}
        if self._quiet is not None:
            self._quiet.stop()
        self._quiet = self.set_timer(QUIET_S, self._look)

    def on_input_submitted(self) -> None:
        """Enter goes on to the next field; it never starts anything."""
        self.focus_next()

    def act_next_line(self) -> None:
        """The next row, or the next field."""
        self._step(1)

    def act_previous_line(self) -> None:
        """The row before, or the field before."""
        self._step(-1)

    def _step(self, by: int) -> None:
        if isinstance(self.focused, LinesView):
            self.focused.go("next-line" if by > 0 else "previous-line")
        elif by > 0:
            self.focus_next()
        else:
            self.focus_previous()

    def off_open_row(self) -> str:
        """There must be a brief under the cursor."""
        return "" if self.briefs.row is not None else "no brief is under .workbench/briefs, and no mission delivered"

    def act_open_row(self) -> None:
        """Take the brief, or the mission to stand on, that is selected."""
        offer = self.briefs.row
        if offer is not None and self.focused is self.briefs:
            field = self.query_one("#on" if isinstance(offer, Ground) else "#what", Input)
            field.value = offer.id
            field.focus()

    def on_descendant_focus(self) -> None:
        """The list shows what its field can take."""
        if self.focused is not None and self.focused.id == "on" and self._grounds:
            self.briefs.go("last-line")
            self.briefs.go_to_key(_key(self._grounds[0]))

    def footer_actions(self) -> list[Action]:
        """What is next while one types; in the list, that it is taken."""
        if self.focused is self.briefs:
            return [row._replace(label="take") if row.id == "open-row" else row for row in super().footer_actions()]
        return [named("start-now", self.where), named("next-pane", self.where)._replace(label="next field")]

    def _offer(self) -> None:
        self.briefs.take(_offered((*(self._looked.briefs if self._looked is not None else ()), *self._grounds)))
        self.briefs.let_in()
        self.show_footer()

    @property
    def briefs(self) -> RowsView[BriefOffer | Ground]:
        """The briefs that can be chosen, and what can be stood on."""
        return self.query_one("#briefs", RowsView)

    # --- looking ---

    def _value(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value.strip()

    def _mistyped(self) -> tuple[Trouble, ...]:
        """What cannot be meant, whatever is in the repository."""
        found: list[Trouble] = []
        versions = self._value("versions") or "1"
        if not versions.isdecimal() or not 1 <= int(versions) <= MOST_VERSIONS:
            found.append(Trouble(field="versions", text=f"a number from 1 to {MOST_VERSIONS} is wanted"))
        if (level := self._value("sandbox")) not in ("", "auto", *SANDBOX_LEVELS):
            found.append(Trouble(field="sandbox", text=f"there is no level {level!r}", hint="auto, bubblewrap or none"))
        return tuple(found)

    def _order(self) -> Order:
        """The order; a field with what cannot be meant counts as empty."""
        wrong = {trouble.field for trouble in self._mistyped()}
        return Order(
            what=self._value("what"),
            agent=self._value("agent"),
            base=self._value("base"),
            into=self._value("into"),
            on=self._value("on"),
            versions=1 if "versions" in wrong else int(self._value("versions") or "1"),
            sandbox="" if "sandbox" in wrong else self._value("sandbox"),
        )

    def _look(self) -> None:
        order = self._order()

        def look(place: Workplace) -> Looked:
            return Looked(order, outlook(place, order), brief_offers(place))

        self.workbench.carry_out(look, self._show)

    def _show(self, looked: Looked) -> None:
        if not self.is_attached or looked.order != self._order():
            return  # left, or typed on: another look is on its way
        self._looked = looked
        self._offer()
        self.query_one("#outlook", LinesView).show(Prose(list(_outlook_blocks(looked.outlook))), keep_place=False)
        self._show_wrong((*self._mistyped(), *looked.outlook.troubles))

    def _show_wrong(self, troubles: tuple[Trouble, ...]) -> None:
        typed = bool(self._value("what"))
        for name in FIELDS:
            told = [trouble for trouble in troubles if trouble.field == name]
            role: Role = "failed" if typed or self._value(name) else "dim"  # nothing is wrong before anything was typed
            words = [paragraph(f"{each.text}{f' - {each.hint}' if each.hint else ''}", role) for each in told[:1]]
            self.query_one(f"#wrong-{name}", StillLines).show(Prose(words))

    # --- starting ---

    def off_start_now(self) -> str:
        """What is missing."""
        if self._starting:
            return "it is being started"
        if mistyped := self._mistyped():
            return f"{mistyped[0].field}: {mistyped[0].text}"
        order = self._order()
        if not order.what:
            return "say what is to be done: one sentence, or a brief"
        current = self._looked is not None and self._looked.order == order
        if current and self._looked is not None and self._looked.outlook.troubles:
            return self._looked.outlook.troubles[0].text
        return ""

    def act_start_now(self) -> None:
        """Start it, and go to its run."""
        order = self._order()
        self._starting = True
        self.tell("starting; the first start of an AEE takes some seconds …", "accent")
        self.workbench.carry_out(lambda place: _launched(place, order), self._started)

    def _started(self, outcome: Launched | WorkbenchError) -> None:
        self._starting = False
        if isinstance(outcome, WorkbenchError):
            if self.is_attached:
                self.tell_problem(outcome)
            return
        _drafts.pop(self.workbench.place.directory, None)
        app, started = self.workbench, outcome.started
        if app.screen is self:
            app.pop_screen()
            routes.open_thing(app, "run" if len(started.runs) == 1 else "mission", _shown_first(outcome))
        if app.work_screen is not None:
            app.work_screen.call_after_refresh(_tell_started, app, started)

    def _painted(self, offer: BriefOffer | Ground, cells: int) -> Line:
        if isinstance(offer, Ground):
            told = padded(piece(offer.told, "dim"), TOLD_CELLS)
            return cut(line(padded(piece(offer.id, "strong"), 24), " ", told, "  ", piece(offer.title)), cells)
        wrong = f"{offer.errors} problem{'s' * (offer.errors != 1)}" if offer.errors else offer.status
        told = piece(wrong, "failed" if offer.errors else "dim")
        return cut(line(padded(piece(offer.id, "strong"), 24), " ", told, "  ", piece(offer.title)), cells)


def _offered(offers: tuple[BriefOffer | Ground, ...]) -> Sheet[BriefOffer | Ground]:
    return Sheet(offers, key=_key, group=_group)


def _key(offer: BriefOffer | Ground) -> str:
    return f"{_group(offer)}/{offer.id}"


def _group(offer: BriefOffer | Ground) -> Safe:
    return GROUND_HEAD if isinstance(offer, Ground) else BRIEF_HEAD


def _launched(place: Workplace, order: Order) -> Launched | WorkbenchError:
    try:
        return launch(place, order)
    except ArtifactInvalid as invalid:
        return WorkbenchError(f"{invalid.message} {'; '.join(map(str, invalid.problems[:3]))}", hint=invalid.hint)
    except WorkbenchError as refused:
        return refused


def _tell_started(app: WorkbenchApp, started: Started) -> None:
    if app.work_screen is not None:
        warnings = f" - {'; '.join(started.warnings)}" if started.warnings else ""
        app.work_screen.tell(f"{started.mission} was started{warnings}", "accent")


def _shown_first(launched: Launched) -> str:
    started = launched.started
    return started.runs[0] if len(started.runs) == 1 else started.mission


def _outlook_blocks(found: Outlook) -> Iterator[Block]:
    yield heading("WHAT WILL HAPPEN")
    if found.title:
        yield paragraph(found.title, "strong")
        if found.is_sentence:
            yield paragraph("A light brief is made of this sentence; a brief with clauses proves more.", "dim")
    branch = found.base_ref.removeprefix("refs/heads/") or "a commit"
    if found.base_commit:
        yield _fact("starts from", piece(f"{found.on or branch} at {found.base_commit[:12]}"))
        into = found.into.removeprefix("refs/heads/") or "no branch"
        yield _fact("merges into", piece(f"{into}, after that one" if found.on else into))
    agent = f"{found.agent} ({found.driver})" if found.driver else "not known yet"
    others = [name for name in found.agents if name != found.agent]
    yield facts(
        piece("agent        ", "dim"), piece(agent), piece(f"  also {', '.join(others)}" if others else "", "dim")
    )
    role: Role = "failed" if found.is_unconfined else "plain"
    danger = "  DANGER: agents reach all that you can" if found.is_unconfined else ""
    yield _fact("sandbox", piece(f"{found.sandbox}{danger}", role))
    yield _fact("policy", piece(found.policy or "not known yet"))
    serves = "runs" if found.aee == "running" else "will be started"
    yield _fact("AEE", piece(serves))
    yield from _unseen(found)
    for warning in found.warnings:
        yield bullet(warning, "needs-you", sign="!", indent=0)
    yield blank()
    yield paragraph("^S starts it. Enter goes to the next field; Enter in the list takes a row.", "dim")


def _fact(name: str, *words: Piece) -> Block:
    return facts(padded(piece(name, "dim"), 13), *words)


def _unseen(found: Outlook) -> Iterator[Block]:
    if not found.uncommitted:
        return
    yield blank()
    count = len(found.uncommitted)
    yield heading(f"NOT COMMITTED, SO AGENTS CANNOT SEE {'IT' if count == 1 else 'THEM'} ({count})")
    for path in found.uncommitted[:PATHS_SHOWN]:
        yield facts(piece(path, "needs-you"))
    if count > PATHS_SHOWN:
        yield facts(piece(f"and {count - PATHS_SHOWN} more", "dim"))

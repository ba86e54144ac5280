"""A run as its screen shows it: acts as rows, opened ones with their details beneath, and the facts beside them.

It reads the newest part first, then what comes, and older parts when asked for; computed beside the event loop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from workbench.ace.tui.actdetails import act_blocks
from workbench.ace.tui.bridge import Moment
from workbench.ace.tui.mirror import Mirror
from workbench.ace.tui.sheet import Sheet
from workbench.ace.tui.text import Line, line, piece
from workbench.ace.wiring.unwritten import Ledger
from workbench.core.decide.decision import run_stream
from workbench.core.state import RunState
from workbench.core.views.timeline import Act, Timeline
from workbench.model.errors import WorkbenchError
from workbench.model.events import Event, ToolCalled

FIRST_EVENTS = 2_000  # read when the screen opens: some hundred screens
SLICE_EVENTS = 2_000  # read at once afterwards
SLICES = 2  # in one look: 50,000 events a second at 12 looks
FAR_EVENTS = 20_000  # behind by more, a screen that follows begins anew at the newest
MOST_ACTS, KEPT_ACTS = 4_000, 2_000  # while it follows: from the one on, only the other are kept
MOST_HELD = 50_000  # acts below a person who reads further up, from which on nothing more is read
MARGIN = "  │ "


class ActRow(NamedTuple):
    """One line: an act, or one of the lines of the opened act above it."""

    key: str
    act: Act
    words: Line | None = None


class Clause(NamedTuple):
    """A clause of the brief."""

    id: str
    text: str


class RunData(msgspec.Struct, frozen=True):
    """What the screen shows. `revision` counts the changes of the acts; `behind` events are not read yet."""

    run: RunState | None
    title: str
    sheet: Any
    revision: int
    behind: int
    has_older: bool
    files: tuple[tuple[str, int], ...]
    clauses: tuple[Clause, ...]
    verdict: str
    aee: str
    opened: frozenset[str]

    def __eq__(self, other: object) -> bool:
        """Whether a person would see a difference."""
        return isinstance(other, RunData) and _seen(self) == _seen(other)

    __hash__ = None  # type: ignore[assignment]  # a value to compare, never a key


class TimelineView:
    """A `View` of one run. The screen sets what is opened, how wide it is, whether it follows, and wants older acts."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.opened: frozenset[str] = frozenset()
        self.cells = 80
        self.following = True
        self.wants_older = False
        self._mirror: Mirror | None = None
        self._timeline = Timeline()
        self._files: Counter[str] = Counter()
        self._rows: list[ActRow] = []
        self._plain = True  # no opened act is among the rows
        self._revision = 0
        self._shaped: tuple[frozenset[str], int] = (frozenset(), 0)
        self._clauses: dict[str, tuple[Clause, ...]] = {}
        self._sheet: Sheet[ActRow] = Sheet((), key=_key)

    def __call__(self, moment: Moment) -> RunData:
        """The run at this moment."""
        run = moment.mirror.runs.get(self.run)
        if moment.mirror is not self._mirror:
            self._mirror = moment.mirror
            self._begin(moment.ledger)
        elif run is not None:
            self._follow(moment.ledger, run.version)
        self._draw(moment.ledger)
        pack = moment.mirror.packs.get(run.pack) if run is not None else None
        return RunData(
            run=run,
            title=_title(run, moment.mirror),
            sheet=self._sheet,
            revision=self._revision,
            behind=max(0, (run.version if run is not None else 0) - self._timeline.last),
            has_older=self._timeline.first > 1,
            files=tuple(self._files.most_common()),
            clauses=self._clauses_of(run, moment),
            verdict=pack.verdict if pack is not None else "",
            aee=moment.presence.state,
            opened=self.opened,
        )

    # --- reading ---

    def _begin(self, ledger: Ledger) -> None:
        """Forget everything, and read the newest part."""
        self._timeline = Timeline()
        self._files.clear()
        self._take(ledger.read_newest(run_stream(self.run), limit=FIRST_EVENTS))
        self._timeline.changed = 0
        self._rows, self._revision = [], self._revision + 1

    def _follow(self, ledger: Ledger, newest: int) -> None:
        timeline = self._timeline
        if self.wants_older and timeline.first > 1:
            self._take_older(ledger)
        self.wants_older = False
        if self.following and newest - timeline.last > FAR_EVENTS:
            self._begin(ledger)
            return
        for _ in range(SLICES):
            if newest <= timeline.last or (not self.following and len(timeline.acts) > MOST_HELD):
                break
            events = ledger.read(run_stream(self.run), after=timeline.last, limit=SLICE_EVENTS)
            if not events:
                break
            self._take(events)
        if self.following and len(timeline.acts) > MOST_ACTS:
            timeline.trim(KEPT_ACTS)
            self._rows = []

    def _take(self, events: list[Event]) -> None:
        self._timeline.extend(events)
        self._revision += bool(events)
        self._files.update(_touched(events))

    def _take_older(self, ledger: Ledger) -> None:
        events = ledger.read_newest(run_stream(self.run), limit=SLICE_EVENTS, before=self._timeline.first)
        self._timeline.prepend(events)
        self._files.update(_touched(events))
        self._rows, self._revision = [], self._revision + 1

    # --- rows ---

    def _draw(self, ledger: Ledger) -> None:
        """The rows; those of acts that did not change are kept."""
        timeline, shape = self._timeline, (self.opened, self.cells)
        if shape == self._shaped and timeline.changed >= len(timeline.acts) and self._rows:
            return
        if shape != self._shaped or not self._plain or self.opened:
            self._rows = [row for act in timeline.acts for row in self._rows_of(act, ledger)]
            self._revision += 1
        else:
            start = min(timeline.changed, len(self._rows))
            self._rows = self._rows[:start] + [ActRow(act.key, act) for act in timeline.acts[start:]]
        timeline.changed = len(timeline.acts)
        self._plain, self._shaped = not self.opened, shape
        self._sheet = Sheet(tuple(self._rows), key=_key)
        _ = self._sheet.places  # made here, beside the event loop

    def _rows_of(self, act: Act, ledger: Ledger) -> Iterator[ActRow]:
        yield ActRow(act.key, act)
        if act.key not in self.opened:
            return
        number = 0
        for block in act_blocks(act, ledger.blobs):
            for words in block.lay(max(20, self.cells - len(MARGIN) - 2)):
                number += 1
                yield ActRow(f"{act.key}/{number}", act, line(piece(MARGIN, "dim"), *words))
        if not number:
            yield ActRow(f"{act.key}/0", act, line(piece(f"{MARGIN}nothing more is known of it", "dim")))

    def _clauses_of(self, run: RunState | None, moment: Moment) -> tuple[Clause, ...]:
        mission = moment.mirror.missions.get(run.mission) if run is not None else None
        pin = run.brief if run is not None and run.brief is not None else mission.brief if mission is not None else None
        if pin is None or not pin.blob:
            return ()
        if pin.blob not in self._clauses:
            self._clauses[pin.blob] = _clauses(moment.ledger, pin.blob)
        return self._clauses[pin.blob]


def _clauses(ledger: Ledger, blob: str) -> tuple[Clause, ...]:
    from workbench.artifacts import brief

    try:
        parsed = brief.parse(ledger.blobs.get(blob))
    except WorkbenchError:
        return ()
    return tuple(Clause(clause.id, clause.text) for clause in brief.clauses(parsed))


def _touched(events: Iterable[Event]) -> Iterator[str]:
    """The files that edits in there are about."""
    for event in events:
        call = event.payload
        if isinstance(call, ToolCalled) and call.tool in ("edit", "patch"):
            path = call.arguments.get("path")
            if isinstance(path, str):
                yield path
            else:
                yield from _changed_paths(call.arguments)


def _changed_paths(arguments: Mapping[str, Any]) -> Iterator[str]:
    intent = arguments.get("workbench:intent")
    changes = intent.get("changes") if isinstance(intent, Mapping) else None
    images = intent.get("images") if isinstance(intent, Mapping) else None
    if isinstance(images, Mapping):
        yield from map(str, images)
    elif isinstance(changes, list):
        yield from (str(item["path"]) for item in changes if isinstance(item, Mapping) and "path" in item)


def _title(run: RunState | None, mirror: Mirror) -> str:
    if run is None:
        return ""
    mission = mirror.missions.get(run.mission)
    return run.title or (mission.title if mission is not None else "")


def _seen(data: RunData) -> tuple[object, ...]:
    return (data.run, data.revision, data.behind, data.has_older, data.clauses, data.verdict, data.aee, data.opened)


def _key(row: ActRow) -> str:
    return row.key

"""`wait`: block until missions can no longer go on without a person, and say by exit code how they stand."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import NamedTuple

import click

from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output
from workbench.ace.cli.settling import settle_merges
from workbench.ace.wiring import stacking, things
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.state import MissionState, RunState
from workbench.core.status import Status, is_gate, is_over, run_status, taken_back
from workbench.core.views.lookup import Named
from workbench.core.views.missions import goes_on, mission_row
from workbench.model.errors import EXIT_DONE, EXIT_NEEDS_HUMAN, EXIT_NO, TimedOut, UsageError

POLL_S = 0.05  # between two looks at `data_version`, which cost microseconds
TEND_S = 1.0  # between two looks whether an AEE serves us
_WANTS_A_PERSON: frozenset[Status] = frozenset({"waiting-human", "paused", "unknown"})


class Waited(NamedTuple):
    """A mission, or one of its runs alone, that is waited for."""

    mission: MissionState
    runs: Sequence[RunState]
    undone: Collection[str] = ()  # runs whose merge was taken back


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--any", "one_is_enough", is_flag=True, help="Return when one of them can no longer go on.")
@click.option("--timeout", type=click.FloatRange(min=0), default=None, metavar="S", help="Give up after S seconds.")
@click.option("--no-start", is_flag=True, help="Do not start an AEE for queued work.")
@speaks
def wait(
    place: Workplace, out: Output, ids: tuple[str, ...], one_is_enough: bool, timeout: float | None, no_start: bool
) -> int:
    """Block until no named mission or run (all missions, if none is named) can go on without a person.

    Exit codes: 0 all done, 3 a person is needed, 1 one failed or was stopped, 5 time-out.
    """
    settle_merges(place, out)
    with place.reading() as ledger:
        settled = _await(
            place, out, ledger, ids=ids, one_is_enough=one_is_enough, timeout=timeout, may_start=not no_start
        )
    if settled is None:
        raise TimedOut(f"They still went on after {timeout:g} s.", hint="workbench missions shows how far.")
    return _tell(place, out, settled)


def settle(place: Workplace, *, timeout: float) -> bool:
    """Wait until nothing goes on without a person; whether that came within `timeout` seconds."""
    with place.reading() as ledger:
        return _await(place, Output(quiet=True), ledger, timeout=timeout) is not None


def _await(
    place: Workplace,
    out: Output,
    ledger: Ledger,
    *,
    ids: Sequence[str] = (),
    one_is_enough: bool = False,
    timeout: float | None = None,
    may_start: bool = True,
) -> list[Waited] | None:
    """Those that came to rest; None when the time ran out."""
    named = _named(ledger, ids)
    keeper = _Keeper(place, out, may_start=may_start)
    give_up = None if timeout is None else time.monotonic() + timeout
    version = -1
    while True:
        if (seen := ledger.data_version()) != version:
            version = seen
            settled = _settled(ledger, named, one_is_enough)
            if settled is not None:
                return settled
        if give_up is not None and time.monotonic() >= give_up:
            return None
        keeper.tend()
        time.sleep(POLL_S)


class _Keeper:
    """Sees to it that somebody carries out what is waited for."""

    def __init__(self, place: Workplace, out: Output, *, may_start: bool) -> None:
        self._place, self._out, self._may_start = place, out, may_start
        self._next = 0.0

    def tend(self) -> None:
        """Start an AEE where none serves; what goes on without one goes on only on paper."""
        if time.monotonic() < self._next:
            return
        if self._place.presence().state == "stopped" and self._may_start:
            from workbench.ace.wiring import engine

            who = engine.start(self._place)
            self._out.say(f"Started the AEE (pid {who.pid}).")
        self._next = time.monotonic() + TEND_S


def _named(ledger: Ledger, ids: Sequence[str]) -> list[tuple[str, str]]:
    """(mission, run) of each id; run empty: the whole mission."""
    return [_whose(ledger, things.find(ledger, wanted, "mission", "run")) for wanted in ids]


def _whose(ledger: Ledger, thing: Named) -> tuple[str, str]:
    if thing.kind == "mission":
        return thing.id, ""
    run = things.run(ledger, thing.id)
    if is_gate(run):
        raise UsageError(
            f"{run.id} is no mission's run: it carries a branch that was handed in.",
            hint=f"`workbench mrp build` waits for its pack; workbench log {run.id} --follow shows how far it is.",
        )
    return run.mission, run.id


def _settled(ledger: Ledger, named: Sequence[tuple[str, str]], one_is_enough: bool) -> list[Waited] | None:
    """Those that cannot go on, once these are all of them (or one, if that is enough); None while it is too early."""
    waited = [_look(ledger, mission, run) for mission, run in named] if named else _all(ledger)
    at_rest = [item for item in waited if not (goes_on(item.mission, item.runs) or _follows(ledger, item.runs))]
    enough = bool(at_rest) if one_is_enough and waited else len(at_rest) == len(waited)
    return at_rest if enough else None


def _follows(ledger: Ledger, runs: Sequence[RunState]) -> bool:
    """Whether any of them is about to follow what it stands on."""
    return any(run.on and stacking.is_behind(ledger, run) for run in runs)


def _look(ledger: Ledger, mission: str, run: str) -> Waited:
    return _waited(ledger, things.mission(ledger, mission), run)


def _all(ledger: Ledger) -> list[Waited]:
    return [_waited(ledger, mission) for mission in ledger.missions()]


def _waited(ledger: Ledger, mission: MissionState, run: str = "") -> Waited:
    runs = [things.run(ledger, run)] if run else ledger.runs(mission=mission.id)
    merged = [found for found in runs if found.outcome == "merged"]
    return Waited(mission, runs, taken_back(merged, ledger.packs(state="approved")) if merged else ())


def _tell(place: Workplace, out: Output, settled: Sequence[Waited]) -> int:
    now = place.clock.now()
    rows = [mission_row(item.mission, item.runs, now=now, undone=item.undone) for item in settled]
    from workbench.ace.cli.missions import MISSION_COLUMNS, NONE_YET

    out.rows(rows, MISSION_COLUMNS, empty=NONE_YET)
    if any(_wants_a_person(item) for item in settled):
        out.say("A person is needed. next: workbench inbox")
        return EXIT_NEEDS_HUMAN
    return EXIT_DONE if all(row.status == "done" for row in rows) else EXIT_NO


def _wants_a_person(item: Waited) -> bool:
    over = is_over(item.mission, item.runs, item.undone)
    return not over and any(run_status(run, item.undone) in _WANTS_A_PERSON for run in item.runs)

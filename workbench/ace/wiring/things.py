"""What ids typed by a person name in the journal; it prints nothing."""

from __future__ import annotations

from typing import TypeVar

from workbench.ace.wiring.unwritten import Ledger
from workbench.core.state import ConsultationState, MissionState, PackState, RunState
from workbench.core.views.lookup import Kind, Named, everything, named
from workbench.model.errors import NotFound


def find(ledger: Ledger, wanted: str, *kinds: Kind) -> Named:
    """The thing that `wanted`, an id or the unique start of one, names among `kinds`."""
    things = everything(
        missions=ledger.missions() if _asked("mission", kinds) else (),
        runs=ledger.runs() if _asked("run", kinds) else (),
        consultations=ledger.consultations() if _asked("crp", kinds) or _asked("vcr", kinds) else (),
        packs=ledger.packs() if _asked("mrp", kinds) or _asked("vcr", kinds) else (),
    )
    return named(things, wanted, *kinds)


def question(ledger: Ledger, wanted: str) -> ConsultationState:
    """A question."""
    exact = ledger.consultation(wanted)
    return exact or _present(ledger.consultation(find(ledger, wanted, "crp").id), wanted)


def pack(ledger: Ledger, wanted: str) -> PackState:
    """A pack; a run's id means its newest one."""
    exact = ledger.pack(wanted)
    if exact is not None:
        return exact
    thing = find(ledger, wanted, "mrp", "run")
    if thing.kind == "mrp":
        return _present(ledger.pack(thing.id), wanted)
    newest = run(ledger, thing.id).pack
    if not newest:
        raise NotFound(f"Run {thing.id} has no pack yet.", hint=f"workbench log {thing.id} shows what it does.")
    return _present(ledger.pack(newest), newest)


def run(ledger: Ledger, wanted: str) -> RunState:
    """A run."""
    return ledger.run(wanted) or _present(ledger.run(find(ledger, wanted, "run").id), wanted)


def mission(ledger: Ledger, wanted: str) -> MissionState:
    """A mission."""
    return ledger.mission(wanted) or _present(ledger.mission(find(ledger, wanted, "mission").id), wanted)


def runs_of(ledger: Ledger, wanted: str) -> list[RunState]:
    """The run that `wanted` names, or all runs of the mission that it names."""
    thing = find(ledger, wanted, "run", "mission")
    return [run(ledger, thing.id)] if thing.kind == "run" else ledger.runs(mission=thing.id)


def _asked(kind: Kind, kinds: tuple[Kind, ...]) -> bool:
    return not kinds or kind in kinds


X = TypeVar("X")


def _present(found: X | None, wanted: str) -> X:
    if found is None:
        raise NotFound(f"There is nothing called {wanted!r}.", hint="`workbench missions` lists what there is.")
    return found

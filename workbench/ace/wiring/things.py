"""What ids typed by a person name in the journal; it prints nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

from workbench.ace.wiring.unwritten import Ledger
from workbench.core.state import ConsultationState, MissionState, PackState, RunState
from workbench.core.views.lookup import Kind, Named, everything, named
from workbench.model.errors import NotFound, Refused, UsageError

if TYPE_CHECKING:
    from workbench.artifacts.mergepack import MergePack


def find(ledger: Ledger, wanted: str, *kinds: Kind) -> Named:
    """The thing that `wanted`, an id or the unique start of one, names among `kinds`."""
    things = everything(
        missions=ledger.missions() if _asked("mission", kinds) else (),
        runs=ledger.runs() if _asked("run", kinds) or _asked("vcr", kinds) else (),
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


def distinct(ledger: Ledger, wanted: Iterable[str]) -> list[PackState]:
    """The packs that are named, each once."""
    return list({found.id: found for found in (pack(ledger, name) for name in wanted)}.values())


def require_one_branch(branches: Iterable[str]) -> None:
    """Raise UsageError where packs are for several branches."""
    found = sorted({branch.removeprefix("refs/heads/") for branch in branches})
    if len(found) > 1:
        raise UsageError(f"These are for different branches: {', '.join(found)}.", hint="Name those of one branch.")


def document(ledger: Ledger, pack: PackState) -> MergePack:
    """The pack as it was assembled, whole. Raises Refused where there is no evidence yet, and ArtifactInvalid."""
    from workbench.artifacts import mergepack

    if not pack.blob:
        raise Refused(f"{pack.id} is {pack.state}: there is no evidence yet.", hint=f"workbench wait {pack.run}")
    return mergepack.parse(ledger.blobs.get(pack.blob))


def reviewed(ledger: Ledger, wanted: str) -> str:
    """The id of the pack that a person decides: one that they name, or the only one that their run ever had."""
    if ledger.pack(wanted) is not None:
        return wanted
    thing = find(ledger, wanted, "mrp", "run", "mission")
    if thing.kind == "mrp":
        return thing.id
    runs = {run.id for run in runs_of(ledger, thing.id)}
    found = [pack for pack in ledger.packs() if pack.run in runs]
    if not found:
        raise NotFound(f"{thing.id} has no pack yet.", hint=f"workbench log {thing.id} shows what happens.")
    if thing.kind == "run" and len(found) == 1 and found[0].revision == 1:
        return found[0].id
    raise Refused(
        f"{thing.id} names no one pack: name the pack that you read.",
        hint=f"One of {', '.join(f'{pack.id} ({pack.state})' for pack in reversed(found))}.",
    )


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

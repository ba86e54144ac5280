"""Missions that stand on another's head, as a person starts and merges them."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from workbench.ace.wiring import things
from workbench.ace.wiring.tips import below
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.decide.pack import is_open
from workbench.core.decide.stack import follow
from workbench.core.stack import Footing, remedy_of, why_not_yet
from workbench.core.state import PackState, RunState
from workbench.model.errors import NotFound, Refused
from workbench.repository.locate import STORE
from workbench.repository.store import BASES, Store


def parent_of(ledger: Ledger, wanted: str) -> tuple[RunState, Footing]:
    """The run that `--on` names, and how it stands. Raises NotFound and Refused where nothing can stand on it."""
    thing = things.find(ledger, wanted, "mission", "run", "mrp")
    runs = [ledger.run(things.pack(ledger, thing.id).run)] if thing.kind == "mrp" else things.runs_of(ledger, thing.id)
    found = [(run, below(ledger, run.id)) for run in runs if run is not None]
    if not found:
        raise NotFound(f"Nothing in the journal delivers {wanted}.", hint="workbench runs lists what does.")
    going = [each for each in found if each[1].state == "stands"]
    if len(going) > 1:
        named = ", ".join(run.id for run, stood in going if stood.head) or ", ".join(run.id for run, _ in going)
        raise Refused(f"{wanted} has several versions.", hint=f"Name the one to stand on: {named}.")
    run, stands = going[0] if going else found[-1]
    if stands.state == "merged":
        raise Refused(f"{run.id} is merged already.", hint="Start from the branch, which has it.")
    if stands.state == "gone":
        raise Refused(
            f"Nothing can stand on it: {stands.reason}.", hint="Start from a branch, or stand on something else."
        )
    if not stands.head:
        raise Refused(f"{run.id} has delivered nothing yet.", hint=f"workbench wait {run.id}")
    mission = ledger.mission(run.mission)
    if mission is not None and not run.into:
        run = replace(run, into=mission.into, base_ref=mission.base_ref)
    if not run.into:
        raise Refused(f"{run.id} goes into no branch, so nothing on it could.", hint="Start that one into a branch.")
    return run, stands


def keep(place: Workplace, *commits: str) -> None:
    """Have commits of the store stay there, whatever becomes of the runs that made them. Raises NotFound."""
    with Store.of(place.repository, place.journal_directory / STORE) as store:
        for commit in commits:
            if not store.has(commit):
                raise NotFound(f"The store has no commit {commit[:12]}.", hint="workbench doctor says how it stands.")
            store.keep(f"{BASES}/{commit}", commit)


def is_behind(ledger: Ledger, run: RunState) -> bool:
    """Whether an AEE will do something about a run because of what it stands on."""
    return follow(run, ledger.pack(run.pack) if run.pack else None, below(ledger, run.on)) is not None


def footing_of_pack(ledger: Ledger, pack: PackState) -> Footing | None:
    """What a pack stands on; None where that is a branch, and always was.

    One that was examined on the branch, after what is below was merged, stands on that again where it is taken back.
    """
    run = ledger.run(pack.run) if pack.run and not pack.on else None
    name = pack.on or (run.on if run is not None else "")
    return below(ledger, name) if name else None


def obstacle(ledger: Ledger, pack: PackState) -> Refused | None:
    """What says that a pack cannot be merged for what it stands on: that would come along, undecided. None: nothing."""
    stands = footing_of_pack(ledger, pack) if pack.state in ("submitted", "approved") else None
    if stands is None or not (why := why_not_yet(pack.id, stands)):
        return None
    return Refused(f"{why}.", hint=remedy_of(stands, pack=pack.id, into=pack.into))


def require_footing(ledger: Ledger, pack: PackState) -> None:
    """Raise that."""
    if (refused := obstacle(ledger, pack)) is not None:
        raise refused


def needs(ledger: Ledger, packs: Iterable[PackState]) -> dict[str, str]:
    """By their ids the packs that cannot be merged yet, each with the run that must be merged before."""
    found = ((pack.id, footing_of_pack(ledger, pack)) for pack in packs)
    return {name: stands.parent for name, stands in found if stands is not None and stands.state != "merged"}


def going_along(ledger: Ledger, packs: Iterable[PackState]) -> tuple[str, ...]:
    """Runs below these packs that are not merged and not among them: what they brought goes where the packs go."""
    packs = list(packs)
    found: dict[str, None] = {}
    for pack in packs:
        stands = footing_of_pack(ledger, pack)
        while stands is not None and stands.state != "merged" and not stands.reverted and stands.parent not in found:
            found[stands.parent] = None
            run = ledger.run(stands.parent)
            stands = below(ledger, run.on) if run is not None and run.on else None
    named = {pack.run for pack in packs}
    return tuple(name for name in found if name not in named)


def taken_from_under(ledger: Ledger, pack: PackState) -> tuple[str, ...]:
    """What the undo of a merge means for what stands on it, a sentence for each."""
    above = [run for run in ledger.runs() if run.on and run.on == pack.run]
    return tuple(_taken_from_under(pack, run, ledger.pack(run.pack) if run.pack else None) for run in above)


def _taken_from_under(pack: PackState, run: RunState, ours: PackState | None) -> str:
    if run.outcome == "merged":
        stays = ours is None or ours.state == "merged"
        how = "stays merged" if stays else "was taken back already, and comes after it"
        return f"{run.id}, which was started on it, {how}."
    if not is_open(run):
        return f"{run.id}, which was started on it, is over ({run.outcome})."
    if pack.reverted:
        return f"{run.id} stood on it, and waits for a person now."
    return f"{run.id} stands on it again, and is examined there."

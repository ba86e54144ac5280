"""The versions of a mission with all that is known of them, and running them against each other's tests on demand.

It decides nothing and prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from workbench.ace.wiring import gating, stacking, things
from workbench.ace.wiring.gating import BuildOrder
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.compare import Comparison, Crossed, Version, compared
from workbench.core.state import MissionState, PackState, RunState
from workbench.model.errors import Refused

CROSSED = "tests.crossed"


def mission_of(ledger: Ledger, wanted: str) -> MissionState:
    """The mission that is named, by itself, by one of its runs or by one of their packs."""
    pack = ledger.pack(wanted)
    named = things.find(ledger, pack.run if pack is not None else wanted, "mission", "run")
    return things.mission(ledger, things.run(ledger, named.id).mission if named.kind == "run" else named.id)


def versions_of(ledger: Ledger, mission: str) -> list[Version]:
    """The versions of a mission, in the order of their runs. Raises Refused where there is only one."""
    runs = ledger.runs(mission=mission)
    require_several(mission, runs)
    return [_version(ledger, run) for run in runs]


def require_several(mission: str, runs: Sequence[RunState]) -> None:
    """Raise Refused where there is nothing to choose between."""
    if len(runs) < 2:
        hint = "workbench run BRIEF --versions N starts several side by side."
        raise Refused(f"{mission} has one version.", hint=hint)


def comparison(ledger: Ledger, wanted: str) -> Comparison:
    """The matrix of evidence of a mission's versions."""
    mission = mission_of(ledger, wanted).id
    versions = versions_of(ledger, mission)
    return compared(mission, versions, list(crossed_of(ledger, versions)))


def crossed_of(ledger: Ledger, versions: Sequence[Version]) -> Iterator[Crossed]:
    """What is known of the versions against each other's tests, of each pair the newest."""
    packs = [one.pack for one in versions if one.pack is not None]
    found: dict[tuple[str, str], Crossed] = {}
    for run in ledger.runs():
        examined = ledger.pack(run.pack) if run.against and run.pack else None
        subject = next((pack for pack in packs if examined is not None and _is_of(examined, pack)), None)
        if examined is None or subject is None or not examined.blob:
            continue
        for item in things.document(ledger, examined).evidence:
            owner = next((pack for pack in packs if pack.id == item.facts.get("pack")), None)
            if item.kind == CROSSED and owner is not None and item.facts.get("head") == owner.head:
                found[owner.id, subject.id] = Crossed(pack=subject.id, tests_of=owner.id, evidence=item)
    yield from found.values()


def run_crossed(
    place: Workplace, wanted: str, *, timeout: float | None = None, say: Callable[[str], None] = lambda _: None
) -> None:
    """Have each version run against the tests of those it was not run against yet; returns when all were.

    Raises as `ask_crossed` and `gating.await_pack` do.
    """
    for run in ask_crossed(place, wanted, say=say):
        gating.await_pack(place, run, timeout=timeout)


def ask_crossed(place: Workplace, wanted: str, *, say: Callable[[str], None] = lambda _: None) -> list[str]:
    """Ask for the same and do not wait; the runs that carry it. Raises Refused where fewer than two have a pack."""
    with place.reading() as ledger:
        mission = mission_of(ledger, wanted)
        versions = versions_of(ledger, mission.id)
        packs = [one.pack for one in versions if one.pack is not None and one.document is not None]
        known = {(one.pack, one.tests_of) for one in crossed_of(ledger, versions)}
        runs = ledger.runs()
    if len(packs) < 2:
        raise Refused(f"{mission.id} has no two versions with a pack yet.", hint=f"workbench wait {mission.id}")
    asked = []
    for pack in packs:
        owners = tuple(other.id for other in packs if other.id != pack.id and (pack.id, other.id) not in known)
        if owners:
            say(f"Running {pack.id} against the tests of {', '.join(owners)}.")
            asked.append(_under_way(runs, pack, owners) or _request(place, mission, pack, owners))
    return asked


def _version(ledger: Ledger, run: RunState) -> Version:
    pack = ledger.pack(run.pack) if run.pack else None
    document = things.document(ledger, pack) if pack is not None and pack.blob else None
    return Version(run=run, pack=pack, document=document)


def _is_of(examined: PackState, pack: PackState) -> bool:
    return (examined.head, examined.base_commit) == (pack.head, pack.base_commit)


def _under_way(runs: Sequence[RunState], pack: PackState, owners: tuple[str, ...]) -> str:
    """The run that was asked for the same before, by somebody who did not wait for its end."""
    same = (owners, pack.head, pack.base_commit)
    going = (run for run in runs if not run.pack and not run.outcome)
    return next((run.id for run in going if (run.against, run.submission, run.base_commit) == same), "")


def _request(place: Workplace, mission: MissionState, pack: PackState, owners: tuple[str, ...]) -> str:
    stacking.keep(place, pack.head, *([pack.base_commit] if pack.authority else []))
    order = BuildOrder(
        base=pack.base_commit,
        head=f"crossing-{pack.id}",
        commit=pack.head,
        title=f"{pack.id} against the tests of {', '.join(owners)}",
        sandbox=mission.sandbox,
        against=owners,
        authority=pack.authority,
    )
    return gating.request(place, order)


def require_one_base(packs: Sequence[PackState]) -> None:
    """Raise Refused where packs were made on different commits: what differs would be others' work, too."""
    newest = packs[0]
    for pack in packs[1:]:
        if pack.base_commit != newest.base_commit:
            raise Refused(
                f"{newest.id} stands on {newest.base_commit[:12]} and {pack.id} on {pack.base_commit[:12]}.",
                hint=f"Bring both on the same base first: workbench mrp build {newest.id}; "
                f"workbench mrp build {pack.id}",
            )

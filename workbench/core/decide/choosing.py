"""One version out of several, or a new one put together from them: decided once, with one reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from workbench.core.decide.decision import (
    Decision,
    consultation_stream,
    mission_stream,
    on_pack,
    on_run,
    required_reason,
    run_stream,
)
from workbench.core.decide.pack import decide_pack, is_open
from workbench.core.state import ConsultationState, MissionState, PackState, RunState
from workbench.model import events as e
from workbench.model.errors import Refused
from workbench.model.ids import resolution_id

_UNDECIDED = ("submitted", "approved", "changes-requested")


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A run of the mission as it stands, with its newest pack and its open questions."""

    run: RunState
    pack: PackState | None = None
    questions: tuple[ConsultationState, ...] = ()

    @property
    def name(self) -> str:
        """Its pack, or the run while it has none."""
        return self.pack.id if self.pack is not None else self.run.id


class By(msgspec.Struct, frozen=True, kw_only=True):
    """Who decides, why, and when."""

    rationale: str
    decided_by: str
    actor: str
    at: str


def pick(version: Version, others: Sequence[Version], by: By, *, conditions: tuple[str, ...] = ()) -> Decision:
    """Approve one version, and close the others: what they delivered is kept.

    Raises Refused where the version has no pack or one of the others is on its way, and as `decide_pack` does.
    """
    pack = version.pack
    if pack is None:
        raise Refused(f"{version.run.id} has no pack yet.", hint=f"workbench wait {version.run.id}")
    going = _open(others)
    decided = decide_pack(
        pack,
        version.run,
        decision="select",
        rationale=by.rationale,
        conditions=conditions,
        left_behind=tuple(other.name for other in going),
        decided_by=by.decided_by,
        actor=by.actor,
        at=by.at,
    )
    return Decision(events=(*decided.events, *_closed(going, pack.id, by.actor)), expect=decided.expect)


def composition(queued: e.RunQueued, parts: Sequence[str], others: Sequence[Version], by: By) -> dict[str, Any]:
    """The resolution by which a new version is put together; `parts` say what is taken of which pack."""
    taken = {part.partition(":")[0] for part in parts}
    first = next(other.pack for other in others if other.pack is not None and other.pack.id in taken)
    return {
        "id": resolution_id(queued.run),
        "target": {"kind": "mrp", "id": first.id, "digest": first.digest},
        "decision": "compose",
        "rationale": required_reason(by.rationale, what="A decision"),
        "selected": list(parts),
        "left_behind": [other.name for other in _open(others) if other.name not in taken],
        "decided_by": {"who": by.decided_by, "role": "coach", "resolver": "human", "verified": False},
        "at": by.at,
        "applies_to": "this",
        "cites": [f"base@{queued.base_commit}"],
    }


def compose(
    queued: e.RunQueued,
    *,
    head: str,
    document: dict[str, Any],
    mission: MissionState,
    others: Sequence[Version],
    by: By,
) -> Decision:
    """The composed tree is a version of its own, delivered before it starts; the others are closed and kept."""
    if mission.outcome:
        raise Refused(f"Mission {mission.id} is over already ({mission.outcome}).", hint="Start a new one.")
    told = e.VersionsComposed(
        run=queued.run,
        mission=mission.id,
        resolution=document["id"],
        decided_by=by.decided_by,
        document=document,
    )
    claimed = {"approach": f"Composed of {', '.join(document['selected'])}. {document['rationale']}"}
    delivered = e.DeliverySubmitted(run=queued.run, head=head, rationale=claimed)
    begun = [on_run(queued.run, payload, actor=by.actor) for payload in (queued, told, delivered)]
    return Decision(
        events=(*begun, *_closed(_open(others), queued.run, by.actor)),
        expect={run_stream(queued.run): 0, mission_stream(mission.id): mission.version},
    )


def _open(others: Iterable[Version]) -> list[Version]:
    """Those that are not over. Raises Refused where one is being merged, or waits to be."""
    going = [other for other in others if is_open(other.run)]
    for other in going:
        pack = other.pack
        if pack is not None and (pack.merging or pack.undoing or pack.delivering or pack.outside):
            raise Refused(f"{pack.id} is on its way to be merged.", hint=f"workbench show {pack.id} says how far.")
    return going


def _closed(others: Iterable[Version], by: str, actor: str) -> Iterable[e.Proposed]:
    for other in others:
        ended = e.RunEnded(run=other.run.id, outcome="superseded", reason=f"{by} was taken instead")
        yield on_run(other.run.id, ended, actor=actor)
        for question in other.questions:
            gone = e.ConsultationWithdrawn(consultation=question.id, reason=ended.reason)
            yield e.Proposed(stream=consultation_stream(question.id), payload=gone, actor=actor)
        if other.pack is not None and other.pack.state in _UNDECIDED:
            yield on_pack(other.pack.id, e.PackSuperseded(pack=other.pack.id, by=by), actor=actor)

"""Which thing an id, or the unique start of one, names. It reads the folded states alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from workbench.core.state import ConsultationState, MissionState, PackState, RunState
from workbench.model.errors import NotFound, UsageError
from workbench.model.text import one_line

Kind = Literal["mission", "run", "crp", "mrp", "vcr"]
MOST_CANDIDATES = 10  # listed in an error
KIND_WORDS: dict[Kind, str] = {
    "mission": "mission",
    "run": "run",
    "crp": "question (CRP)",
    "mrp": "merge-readiness pack (MRP)",
    "vcr": "resolution (VCR)",
}


_LISTED_BY: dict[tuple[Kind, ...], str] = {("run",): "runs", ("crp",): "inbox", ("mrp",): "mrp list"}


class Named(NamedTuple):
    """A thing that has an id. `of` is the question, pack or composed run that a resolution settles."""

    kind: Kind
    id: str
    of: str = ""


def everything(
    *,
    missions: Iterable[MissionState],
    runs: Iterable[RunState],
    consultations: Iterable[ConsultationState],
    packs: Iterable[PackState],
) -> Iterator[Named]:
    """All that has an id, missions first."""
    yield from (Named("mission", mission.id) for mission in missions)
    for run in runs:
        yield Named("run", run.id)
        if run.composed:
            yield Named("vcr", str(run.composed.get("id", "")), run.id)
    for question in consultations:
        yield Named("crp", question.id)
        if question.resolution:
            yield Named("vcr", question.resolution, question.id)
    for pack in packs:
        yield Named("mrp", pack.id)
        yield from (Named("vcr", str(document.get("id", "")), pack.id) for document in pack.decisions)


def named(things: Iterable[Named], wanted: str, *kinds: Kind) -> Named:
    """What `wanted` names among `kinds` (all, if none are given).

    A whole id comes before the start of one, and a mission before its own runs. Raises NotFound, and UsageError with
    the candidates when several fit.
    """
    known = [thing for thing in things if not kinds or thing.kind in kinds]
    exact = [thing for thing in known if thing.id == wanted]
    if exact:
        return exact[0]
    fitting = [thing for thing in known if wanted and thing.id.startswith(wanted)]
    missions = [thing for thing in fitting if thing.kind == "mission"]
    if len(missions) == 1 and all(thing.id.startswith(missions[0].id) for thing in fitting):
        return missions[0]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise _unknown(known, wanted, kinds)
    listed = ", ".join(thing.id for thing in fitting[:MOST_CANDIDATES])
    more = f" and {len(fitting) - MOST_CANDIDATES} more" if len(fitting) > MOST_CANDIDATES else ""
    raise UsageError(
        f"{one_line(wanted)!r} could be several things.",
        hint=f"One of: {listed}{more}.",
        data={"candidates": [thing.id for thing in fitting]},
    )


def _unknown(known: list[Named], wanted: str, kinds: tuple[Kind, ...]) -> NotFound:
    what = " or ".join(KIND_WORDS[kind] for kind in kinds) or "thing"
    newest = ", ".join(thing.id for thing in known[-3:])
    hint = f"There are e.g. {newest}." if newest else f"`workbench {_LISTED_BY.get(kinds[:1], 'missions')}` lists them."
    return NotFound(f"No {what} is called {one_line(wanted)!r}.", hint=hint)

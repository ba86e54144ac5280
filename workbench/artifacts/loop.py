"""The loop: a declarative playbook of stages, roles and checkpoints; it runs nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from workbench.artifacts import fields as f
from workbench.artifacts.editing import edited
from workbench.artifacts.files import ArtifactFile
from workbench.artifacts.problem_list import did_you_mean, quoted
from workbench.artifacts.terms import Budget, Escalation, Rigor, budget_table, escalation_list
from workbench.model.evidence import CRITERIA
from workbench.model.problems import Problem

MAX_VERSIONS = 50  # parallel versions of one stage
Checkpoint = Literal["none", "advisory", "blocking"]
OnFailure = Literal["consult", "retry", "stop"]


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """One departure from the loop that this one extends."""

    what: str
    who: str
    why: str


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of the work."""

    id: str
    needs: tuple[str, ...] = ()
    role: str = ""
    agent: str = ""
    model: str = ""
    tools: tuple[str, ...] = ()
    policy: str = ""
    prompt: str = ""
    versions: int = 1
    until: str = ""
    max_iterations: int = 1
    checkpoint: Checkpoint = "none"
    on_failure: OnFailure = "consult"


class Select(msgspec.Struct, frozen=True, kw_only=True):
    """How one of several versions is chosen."""

    by: Literal["evidence"] = "evidence"


class RequiredEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """The kinds of evidence that each criterion needs."""

    completeness: tuple[str, ...] = ()
    verification: tuple[str, ...] = ()
    hygiene: tuple[str, ...] = ()
    rationale: tuple[str, ...] = ()
    auditability: tuple[str, ...] = ()


class Loop(msgspec.Struct, frozen=True, kw_only=True):
    """A playbook."""

    id: str
    stages: tuple[Stage, ...]
    version: str = "1"
    scope: Literal["org", "repository", "task"] = "repository"
    extends: str = ""
    overrides: tuple[Override, ...] = ()
    rigor: Rigor = "standard"
    decompose: str = ""
    select: Select = Select()
    escalations: tuple[Escalation, ...] = ()
    budget: Budget = Budget()
    evidence: RequiredEvidence = RequiredEvidence()


def _table() -> f.Table:
    stage = f.table(
        Stage,
        docs={
            "id": "the name of the stage",
            "needs": "stages that come first",
            "role": "the role that the agent plays",
            "agent": "the agent, as configuration names it",
            "model": "the model, where the agent lets one choose",
            "tools": "the tools that it may use; empty: all",
            "policy": "the policy that holds here; empty: the repository's",
            "prompt": "what to tell the agent besides the brief",
            "versions": "how many work on it in parallel",
            "until": "what ends the stage, in words or as a clause id",
            "max_iterations": "rounds before on_failure",
            "checkpoint": "whether a person looks before the next stage",
            "on_failure": "what happens when it is not reached",
        },
        kinds={"id": f.ID, "needs": f.ID, "versions": f.Integer(1, MAX_VERSIONS), "max_iterations": f.Integer(1, 1000)},
    )
    override = f.table(Override, docs={"what": "the key that differs", "who": "who decided it", "why": "the reason"})
    docs = {
        "id": "the name of the loop, also its file name",
        "stages": "what happens, in which order",
        "version": "grows with each change of meaning",
        "scope": "org, repository or task",
        "extends": "the loop that this one changes",
        "overrides": "what differs from it, who decided so, and why",
        "rigor": "lenient, standard or strict",
        "decompose": "how a large brief is split, in words; empty: not at all",
        "select": "how one of several versions is chosen",
        "escalations": "when to ask a person",
        "budget": "what may be spent",
        "evidence": "kinds of evidence that each criterion needs",
    }
    kinds: dict[str, f.Kind | f.Shape] = {
        "id": f.ID,
        "extends": f.ID,
        "stages": f.ListOf(stage, unique="id"),
        "overrides": f.ListOf(override),
        "escalations": escalation_list(),
        "select": f.table(Select, docs={"by": "evidence: the version with the best pack"}),
        "evidence": f.table(RequiredEvidence, docs={name: f"kinds of evidence for {name}" for name in CRITERIA}),
        "budget": budget_table(),
    }
    return f.table(Loop, docs=docs, kinds=kinds)


def _stages_follow(data: Mapping[str, Any]) -> Iterator[f.Complaint]:
    """Stages need known stages, and no stage waits for itself."""
    stages = [stage for stage in data.get("stages", ()) if "id" in stage]
    known = [stage["id"] for stage in stages]
    for number, stage in enumerate(data.get("stages", ())):
        for place, needed in enumerate(stage.get("needs", ())):
            if needed not in known:
                where = ("stages", number, "needs", place)
                yield f.Complaint(
                    where=where, text=f"there is no stage {quoted(needed)}", remedy=did_you_mean(needed, known)
                )
    stuck = _stuck(stages)
    for number, stage in enumerate(data.get("stages", ())):
        if stage.get("id") in stuck:
            text = f"stage {quoted(stage['id'])} waits for itself, directly or through others"
            yield f.Complaint(where=("stages", number, "needs"), text=text, remedy="remove one of the needs")


def _stuck(stages: list[dict[str, Any]]) -> set[str]:
    """Stages that can never start because of a circle."""
    known = {stage["id"] for stage in stages}
    waiting = {stage["id"]: set(stage.get("needs", ())) & known for stage in stages}
    while ready := {name for name, needs in waiting.items() if not needs}:
        waiting = {name: needs - ready for name, needs in waiting.items() if name not in ready}
    return set(waiting)


def _has_stages(data: Mapping[str, Any]) -> Iterator[f.Complaint]:
    if data.get("stages") == []:
        yield f.Complaint(where=("stages",), text="a loop needs at least one stage", remedy="add `- id: implement`")


FILE = ArtifactFile(Loop, _table, name="loop", rules=(_has_stages, _stages_follow))


def parse(text: str | bytes, path: str = ".workbench/loops/loop.yaml") -> Loop:
    """The loop in a text. Raises ArtifactInvalid with all problems."""
    return FILE.parse(text, path)


def check(text: str | bytes, path: str = ".workbench/loops/loop.yaml") -> list[Problem]:
    """All problems of a loop's text; never raises."""
    return FILE.check(text, path)


def render(loop: Loop, *, original: str = "") -> str:
    """The text of a loop; `original` changed as little as possible, if one is given."""
    return edited(FILE, loop, original) if original else FILE.render(loop)


def digest(loop: Loop) -> str:
    """What a loop says, as a digest: comments, key order and layout do not count."""
    return FILE.digest(loop)

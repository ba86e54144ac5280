"""The version controlled resolution (VCR): a person's answer to one question or pack; never edited, only superseded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from workbench.artifacts import fields as f
from workbench.artifacts.editing import edited
from workbench.artifacts.files import ArtifactFile
from workbench.model.problems import Problem

Decision = Literal[
    "option", "alternative", "approve", "request-changes", "reject", "select", "compose", "allow", "deny", "withdraw"
]
AppliesTo = Literal["this", "mission", "repository"]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided on."""

    kind: Literal["crp", "mrp"]
    id: str
    digest: str = ""


class DecidedBy(msgspec.Struct, frozen=True, kw_only=True):
    """Who decided. `resolver` is `human`, or `policy:<id>` for a policy that a person wrote."""

    who: str
    role: str = ""
    resolver: str = "human"
    verified: bool = False


class Effects(msgspec.Struct, frozen=True, kw_only=True):
    """What followed from the decision."""

    brief_version: str = ""
    proposed_rule: str = ""
    branch: str = ""


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """An answer. `option` names the chosen option, `selected` the chosen versions; `cites` decides when it is stale."""

    id: str
    target: Target
    decision: Decision
    rationale: str
    decided_by: DecidedBy
    at: str
    option: str = ""
    alternative: str = ""
    selected: tuple[str, ...] = ()
    left_behind: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    required_changes: tuple[str, ...] = ()
    applies_to: AppliesTo = "this"
    cites: tuple[str, ...] = ()  # file:lines@blob, entity digest or clause@version
    effects: Effects = Effects()
    supersedes: str = ""
    expires: str = ""
    body: str = ""


def _table() -> f.Table:
    target = {"kind": "crp: a question; mrp: a pack", "id": "its id", "digest": "its digest, as it stood"}
    decided_by = {
        "who": "the person, or the author of the policy",
        "role": "in which role",
        "resolver": "human, or policy:<id>",
        "verified": "whether the person's identity was proven",
    }
    effects = {
        "brief_version": "the brief's version that came of it",
        "proposed_rule": "the mentor rule that was proposed from it",
        "branch": "the branch on which it was committed",
    }
    docs = {
        "id": "the name of the resolution, also its file name",
        "target": "what was decided on",
        "decision": "what was decided",
        "rationale": "why",
        "decided_by": "who decided",
        "at": "when",
        "option": "decision option: the id of the chosen one",
        "alternative": "decision alternative: what to do instead, in words",
        "selected": "decision select or compose: the chosen versions, of a composition with what is taken of each",
        "left_behind": "decision select or compose: the versions that were not taken",
        "conditions": "what must be kept to",
        "required_changes": "decision request-changes: what is to change",
        "applies_to": "this question only, the mission, or the repository",
        "cites": "file:lines@blob, entity digest or clause@version; it is stale when one of them changes",
        "effects": "what followed",
        "supersedes": "the id of the resolution it replaces",
        "expires": "an instant after which it is asked again",
    }
    kinds: dict[str, f.Kind | f.Shape] = {
        "id": f.ID,
        "rationale": f.PROSE,
        "at": f.INSTANT,
        "expires": f.INSTANT,
        "supersedes": f.ID,
        "target": f.table(Target, docs=target, kinds={"id": f.ID, "digest": f.DIGEST}),
        "decided_by": f.table(DecidedBy, docs=decided_by, kinds={"who": f.LINE, "resolver": f.RESOLVER}),
        "effects": f.table(Effects, docs=effects),
    }
    return f.table(Resolution, docs=docs, kinds=kinds, without=("body",))


_NEEDS = {"option": "option", "alternative": "alternative", "select": "selected", "compose": "selected"}


def _says_what(data: Mapping[str, Any]) -> Iterator[f.Complaint]:
    """A decision for an option, an alternative or versions names them."""
    decision = data.get("decision", "")
    needed = _NEEDS.get(decision)
    if needed is not None and not data.get(needed):
        text = f"the decision `{decision}` does not say which"
        yield f.Complaint(where=("decision",), text=text, remedy=f"add `{needed}:`")


FILE = ArtifactFile(Resolution, _table, name="resolution", form="markdown", rules=(_says_what,))


def parse(text: str | bytes, path: str = "resolution.md") -> Resolution:
    """The resolution in a text. Raises ArtifactInvalid with all problems."""
    return FILE.parse(text, path)


def check(text: str | bytes, path: str = "resolution.md") -> list[Problem]:
    """All problems of a resolution's text; never raises."""
    return FILE.check(text, path)


def render(resolution: Resolution, *, original: str = "") -> str:
    """The text of a resolution; `original` changed as little as possible, if one is given."""
    return edited(FILE, resolution, original) if original else FILE.render(resolution)


def digest(resolution: Resolution) -> str:
    """What a resolution says, as a digest: comments, key order and layout do not count."""
    return FILE.digest(resolution)


def of_document(document: Any, path: str = "resolution") -> Resolution:
    """The resolution in an event's document. Raises ArtifactInvalid with all problems."""
    return FILE.of_data(document, path)


def document(resolution: Resolution) -> dict[str, Any]:
    """A resolution as an event keeps it."""
    data: dict[str, Any] = msgspec.to_builtins(resolution)
    return data

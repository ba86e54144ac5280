"""The policy: what a change must show before it may be merged; it judges nothing itself.

A policy binds a gate as it stands in the base commit, so that a change cannot loosen its own gate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from workbench.artifacts import fields as f
from workbench.artifacts.editing import edited
from workbench.artifacts.files import ArtifactFile
from workbench.artifacts.terms import Rigor, SandboxLevel
from workbench.model.evidence import Grade
from workbench.model.problems import Problem

PATH = ".workbench/policy.yaml"

OnMissing = Literal["block", "needs-human", "report"]
Tolerated = Literal["none", "info", "low", "medium", "high", "critical"]
TOLERATED: tuple[Tolerated, ...] = ("none", "info", "low", "medium", "high", "critical")  # strictest first


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """`count` people of `role` must approve; `paths` narrows it to changes that touch them."""

    role: str
    paths: tuple[str, ...] = ()
    count: int = 1


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """Evidence of a kind (a glob such as `clause.*` means all of them), or an approval."""

    id: str
    evidence: str = ""
    approval: Approval | None = None
    min_grade: Grade = "executed"
    when: tuple[str, ...] = ()  # globs; it applies only if one of them fits a changed path; empty: always
    on_missing: OnMissing = "block"
    description: str = ""


class SandboxRule(msgspec.Struct, frozen=True, kw_only=True):
    """Evidence made below `minimum` needs a person; without `allow_none` nothing runs unconfined at all."""

    minimum: SandboxLevel = "container"
    allow_none: bool = True


class SizeLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How large a change may be for one review; 0 means no limit."""

    files: int = 50
    lines: int = 1500  # added and removed, generated and lock files not counted
    on_exceeded: OnMissing = "needs-human"


class FindingLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The worst severity of new findings that is still let through; `none` lets nothing through."""

    lint: Tolerated = "medium"
    types: Tolerated = "medium"
    secrets: Tolerated = "none"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What a gate asks for."""

    id: str = "default"
    version: str = "1"
    rigor: Rigor = "standard"
    require_brief: bool = True
    allow_new_dependencies: bool = False
    allow_override: bool = True  # never under strict rigor
    coverage_of_changed_lines: float = 0.0  # per cent; 0 means reported, not required
    requirements: tuple[Requirement, ...] = ()
    sandbox: SandboxRule = SandboxRule()
    size: SizeLimits = SizeLimits()
    findings: FindingLimits = FindingLimits()
    protected_paths: tuple[str, ...] = (".workbench/**",)
    test_paths: tuple[str, ...] = (
        "tests/**",
        "test/**",
        "spec/**",
        "**/__tests__/**",
        "test_*.py",
        "*_test.py",
        "conftest.py",
        "*.test.*",
        "*.spec.*",
        "*_test.go",
    )


DEFAULT = Policy(
    requirements=(
        Requirement(id="base-tests", evidence="tests.base-on-result", description="The base's tests hold."),
        Requirement(
            id="tests", evidence="tests.result", on_missing="needs-human", description="The result's tests pass."
        ),
        Requirement(id="no-tampering", evidence="tampering", description="No check was lost."),
        Requirement(id="no-secrets", evidence="secrets", description="No secret was added."),
        Requirement(id="lint", evidence="lint.new", on_missing="report", description="No new lint findings."),
        Requirement(id="types", evidence="types.new", on_missing="report", description="No new type errors."),
        Requirement(id="size", evidence="size", on_missing="report", description="Small and focused."),
    )
)
"""What holds where a repository has no policy of its own."""


def _table() -> f.Table:
    approval = f.table(
        Approval,
        docs={
            "role": "whose approval, as people.yaml names roles",
            "paths": "only for changes that touch these globs",
            "count": "how many people",
        },
        kinds={"role": f.LINE, "paths": f.PATH, "count": f.Integer(1, 100)},
    )
    requirement = f.table(
        Requirement,
        docs={
            "id": "the name under which packs show it",
            "evidence": "the kind of evidence, e.g. tests.result or clause.*",
            "approval": "an approval by people, not evidence: merging asks for it",
            "min_grade": "claimed, observed, executed or verified",
            "when": "globs; it applies only if a changed path fits one; empty: always",
            "on_missing": "block: not ready; needs-human: a person decides; report: only said",
            "description": "what it is for",
        },
        kinds={"id": f.ID, "evidence": f.LINE, "approval": approval, "when": f.PATH},
    )
    sandbox = {
        "minimum": "evidence made below it needs a person: none < container < sandbox-exec < landlock < bubblewrap",
        "allow_none": "whether `--sandbox none` may be used at all",
    }
    size = {
        "files": "changed files; 0: no limit",
        "lines": "lines added and removed; 0: no limit",
        "on_exceeded": "what a larger change leads to",
    }
    findings = {
        "lint": "worst new lint finding that is let through",
        "types": "worst new type error that is let through",
        "secrets": "worst secret that is let through",
    }
    docs = {
        "id": "the name of the policy",
        "version": "grows with each change of meaning",
        "rigor": "lenient, standard or strict",
        "require_brief": "without a brief a person must decide",
        "allow_new_dependencies": "whether a new dependency passes without a person",
        "allow_override": "whether a person may override a verdict or a missing approval; under strict rigor never",
        "coverage_of_changed_lines": "per cent of changed lines that tests must run; 0: only reported",
        "requirements": "what must be shown",
        "sandbox": "how evidence must be confined",
        "size": "how large a change may be for one review",
        "findings": "worst new findings that are let through; none: not any",
        "protected_paths": "globs of files whose change needs a person",
        "test_paths": "globs of files that are tests",
    }
    kinds: dict[str, f.Kind | f.Shape] = {
        "id": f.ID,
        "version": f.LINE,
        "coverage_of_changed_lines": f.Number(0, 100),
        "requirements": f.ListOf(requirement, unique="id"),
        "sandbox": f.table(SandboxRule, docs=sandbox),
        "size": f.table(SizeLimits, docs=size),
        "findings": f.table(FindingLimits, docs=findings),
        "protected_paths": f.PATH,
        "test_paths": f.PATH,
    }
    return f.table(Policy, docs=docs, kinds=kinds)


def _one_kind_of_proof(data: Mapping[str, Any]) -> Iterator[f.Complaint]:
    for number, requirement in enumerate(data.get("requirements", ())):
        if bool(requirement.get("evidence")) == ("approval" in requirement):
            text = "a requirement asks for evidence or for an approval, one of the two"
            yield f.Complaint(where=("requirements", number), text=text, remedy="set `evidence:` or `approval:`")


def _sandbox_agrees(data: Mapping[str, Any]) -> Iterator[f.Complaint]:
    sandbox = data.get("sandbox", {})
    if sandbox.get("minimum") == "none" and sandbox.get("allow_none") is False:
        text = "`minimum: none` lets through what `allow_none: false` forbids"
        yield f.Complaint(where=("sandbox", "minimum"), text=text, remedy="raise the minimum", severity="warning")


FILE = ArtifactFile(Policy, _table, name="policy", rules=(_one_kind_of_proof, _sandbox_agrees))


def parse(text: str | bytes, path: str = ".workbench/policy.yaml") -> Policy:
    """The policy in a text. Raises ArtifactInvalid with all problems."""
    return FILE.parse(text, path)


def check(text: str | bytes, path: str = ".workbench/policy.yaml") -> list[Problem]:
    """All problems of a policy's text; never raises."""
    return FILE.check(text, path)


def render(policy: Policy, *, original: str = "") -> str:
    """The text of a policy; `original` changed as little as possible, if one is given."""
    return edited(FILE, policy, original) if original else FILE.render(policy)


def digest(policy: Policy) -> str:
    """What a policy says, as a digest: comments, key order and layout do not count."""
    return FILE.digest(policy)

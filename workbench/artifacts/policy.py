"""The policy: what a change must show before it may be merged; it judges nothing itself.

A policy binds a gate as it stands in the base commit, so that a change cannot loosen its own gate.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.artifacts.terms import Rigor, SandboxLevel
from workbench.model.evidence import Grade

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

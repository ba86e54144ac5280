"""The policy: what a change must show before it may be merged; it judges nothing itself.

A policy binds a gate as it stands in the base commit, so that a change cannot loosen its own gate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Literal, get_args

import msgspec

from workbench.artifacts import fields as f
from workbench.artifacts import policy_language
from workbench.artifacts.editing import edited
from workbench.artifacts.files import ArtifactFile, Reading
from workbench.artifacts.policy_presets import TEXTS
from workbench.artifacts.problem_list import did_you_mean, quoted
from workbench.artifacts.terms import Rigor, SandboxLevel
from workbench.model.evidence import Grade
from workbench.model.problems import Problem

PATH = ".workbench/policy.yaml"

Preset = Literal["lenient", "standard", "strict"]
PRESETS: tuple[Preset, ...] = get_args(Preset)  # least strict first
OnMissing = Literal["block", "needs-human", "report"]
Tolerated = Literal["none", "info", "low", "medium", "high", "critical"]
TOLERATED: tuple[Tolerated, ...] = ("none", "info", "low", "medium", "high", "critical")  # strictest first


CONDITION = f.Shape(
    pattern=r"^[^\n]*$", wanted="a condition on one line", remedy="see `workbench policy facts` for what it may ask"
)


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """`count` people of `role` must approve; `paths` narrows it to changes that touch them."""

    role: str
    paths: tuple[str, ...] = ()
    count: int = 1


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """Evidence of a kind (a glob such as `clause.*` means all of them), a condition, or an approval.

    The three conditions are in the language of `policy_language`; an empty one asks for nothing.
    """

    id: str
    evidence: str = ""
    satisfied_if: str = ""
    approval: Approval | None = None
    min_grade: Grade = "executed"
    when: tuple[str, ...] = ()  # globs; it applies only if one of them fits a changed path; empty: always
    applicable_if: str = ""
    override_if: str = ""  # when a person's override of it counts; empty: always
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


class LicenceRules(msgspec.Struct, frozen=True, kw_only=True):
    """Licences of new dependencies, by globs over SPDX names. Without any they are shown, and not judged."""

    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What a gate asks for."""

    id: str = "default"
    version: str = "1"
    extends: Literal["", "lenient", "standard", "strict"] = ""  # never in a policy that was parsed
    without: tuple[str, ...] = ()  # the same
    rigor: Rigor = "standard"
    require_brief: bool = True
    allow_new_dependencies: bool = False
    allow_override: bool = True  # never under strict rigor
    coverage_of_changed_lines: float = 0.0  # per cent; 0 means reported, not required
    requirements: tuple[Requirement, ...] = ()
    sandbox: SandboxRule = SandboxRule()
    size: SizeLimits = SizeLimits()
    findings: FindingLimits = FindingLimits()
    licences: LicenceRules = LicenceRules()
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
            "satisfied_if": "a condition in place of evidence, e.g. mended >= 1",
            "approval": "an approval by people, not evidence: merging asks for it",
            "min_grade": "claimed, observed, executed or verified",
            "when": "globs; it applies only if a changed path fits one; empty: always",
            "applicable_if": "a condition; it applies only where that holds; unknown is an error",
            "override_if": "a condition; a person's override counts only where it holds; false: nobody's",
            "on_missing": "how grave it is: block: not ready; needs-human: a person decides; report: only said",
            "description": "what it is for",
        },
        kinds={
            "id": f.ID,
            "evidence": f.LINE,
            "approval": approval,
            "when": f.PATH,
            **dict.fromkeys(get_args(policy_language.Place), CONDITION),
        },
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
    licences = {
        "allowed": "SPDX names or globs such as BSD-*; anything else needs a person; empty: all but the denied",
        "denied": "SPDX names or globs such as *GPL-*, which need a person",
    }
    docs = {
        "id": "the name of the policy",
        "version": "grows with each change of meaning",
        "extends": "a preset whose fields and requirements hold where this file says nothing else, item by item",
        "without": "ids of the preset's requirements that are left out",
        "rigor": "lenient, standard or strict",
        "require_brief": "without a brief a person must decide",
        "allow_new_dependencies": "whether a new dependency passes without a person",
        "allow_override": "whether a person may override a verdict or a missing approval; under strict rigor never",
        "coverage_of_changed_lines": "per cent of changed lines that tests must run; 0: only reported",
        "requirements": "what must be shown",
        "sandbox": "how evidence must be confined",
        "size": "how large a change may be for one review",
        "findings": "worst new findings that are let through; none: not any",
        "licences": "which licences new dependencies may have; without it they are only shown",
        "protected_paths": "globs of files whose change needs a person",
        "test_paths": "globs of files that are tests",
    }
    kinds: dict[str, f.Kind | f.Shape] = {
        "id": f.ID,
        "version": f.LINE,
        "coverage_of_changed_lines": f.Number(0, 100),
        "without": f.ID,
        "requirements": f.ListOf(requirement, unique="id"),
        "sandbox": f.table(SandboxRule, docs=sandbox),
        "size": f.table(SizeLimits, docs=size),
        "findings": f.table(FindingLimits, docs=findings),
        "licences": f.table(LicenceRules, docs=licences, kinds={"allowed": f.LINE, "denied": f.LINE}),
        "protected_paths": f.PATH,
        "test_paths": f.PATH,
    }
    return f.table(Policy, docs=docs, kinds=kinds)


def _one_kind_of_proof(data: Mapping[str, Any]) -> Iterator[f.Complaint]:
    known = {each["id"]: each for each in _inherited(data).get("requirements", ())}
    for number, own in enumerate(data.get("requirements", ())):
        requirement = _laid_over(known.get(own.get("id"), {}), own)
        given = [name for name in _PROOFS if requirement.get(name)]
        if len(given) != 1:
            text = f"a requirement asks for one thing, not for {' and '.join(given) or 'nothing'}"
            remedy = "set `evidence:`, `satisfied_if:` or `approval:`"
            yield f.Complaint(where=("requirements", number), text=text, remedy=remedy)


def _conditions_read(data: Mapping[str, Any]) -> Iterator[f.Complaint]:
    for number, requirement in enumerate(data.get("requirements", ())):
        for name in get_args(policy_language.Place):
            if not (text := requirement.get(name, "")):
                continue
            try:
                policy_language.parse(text, name)
            except policy_language.ConditionInvalid as error:
                where = ("requirements", number, name)
                yield f.Complaint(where=where, text=error.text, remedy=error.remedy, offset=error.offset)


def _preset_is_used(data: Mapping[str, Any]) -> Iterator[f.Complaint]:
    known = [each["id"] for each in _inherited(data).get("requirements", ())]
    for number, name in enumerate(data.get("without", ())):
        if name not in known:
            text = f"no requirement {quoted(name)} is inherited"
            yield f.Complaint(where=("without", number), text=text, remedy=did_you_mean(name, known or ["none"]))


def _sandbox_agrees(data: Mapping[str, Any]) -> Iterator[f.Complaint]:
    sandbox = data.get("sandbox", {})
    if sandbox.get("minimum") == "none" and sandbox.get("allow_none") is False:
        text = "`minimum: none` lets through what `allow_none: false` forbids"
        yield f.Complaint(where=("sandbox", "minimum"), text=text, remedy="raise the minimum", severity="warning")


class _PolicyFile(ArtifactFile[Policy]):
    """A policy's file: what comes of it is whole, with what it extends laid under it."""

    def _value(self, reading: Reading, path: str) -> Policy:
        policy = super()._value(reading, path)
        if not policy.extends or reading.data is None:
            return msgspec.structs.replace(policy, without=())
        return msgspec.convert(_laid_over(_inherited(reading.data), _own(reading.data)), Policy)


FILE = _PolicyFile(
    Policy, _table, name="policy", rules=(_one_kind_of_proof, _conditions_read, _preset_is_used, _sandbox_agrees)
)


def parse(text: str | bytes, path: str = ".workbench/policy.yaml") -> Policy:
    """The policy in a text, whole: what it extends is laid under it. Raises ArtifactInvalid with all problems."""
    return FILE.parse(text, path)


def check(text: str | bytes, path: str = ".workbench/policy.yaml") -> list[Problem]:
    """All problems of a policy's text; never raises."""
    return FILE.check(text, path)


def render(policy: Policy, *, original: str = "") -> str:
    """The text of a policy, all of it; `original` changed as little as possible, if one is given and extends none."""
    extends = original and (FILE.read(original, PATH).data or {}).get("extends")
    return edited(FILE, policy, original) if original and not extends else FILE.render(policy)


def digest(policy: Policy) -> str:
    """What a policy says, as a digest: comments, key order and layout do not count."""
    return FILE.digest(policy)


# --- presets ------------------------------------------------------------------------------------------------

_PROOFS = ("evidence", "satisfied_if", "approval")


@lru_cache(maxsize=len(PRESETS))
def preset(name: Preset) -> Policy:
    """A policy that comes with Workbench."""
    return FILE.parse(TEXTS[name], f"{name}.yaml")


@lru_cache(maxsize=len(PRESETS))
def _preset_data(name: Preset) -> Mapping[str, Any]:
    return FILE.read(TEXTS[name], f"{name}.yaml").data or {}


def _inherited(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the preset that `data` extends says, as plain data; nothing where it extends none."""
    name = data.get("extends")
    return _preset_data(name) if name in PRESETS else {}


def _own(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name != "extends"}


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` where it says something, else `below`; mappings key by key, requirements by id, without what goes."""
    laid = {**below, **above}
    for name in below.keys() & above.keys():
        if isinstance(below[name], Mapping) and isinstance(above[name], Mapping):
            laid[name] = _laid_over(below[name], above[name])
    if "requirements" in below:
        left_out = above.get("without", ())
        merged = {each["id"]: each for each in below["requirements"] if each["id"] not in left_out}
        for each in above.get("requirements", ()):
            merged[each["id"]] = _laid_over(merged.get(each["id"], {}), each)
        laid["requirements"] = list(merged.values())
    laid.pop("without", None)
    return laid


def __getattr__(name: str) -> Policy:
    """`DEFAULT`: what holds where a repository has no policy of its own, read when it is first asked for."""
    if name == "DEFAULT":
        return preset("standard")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

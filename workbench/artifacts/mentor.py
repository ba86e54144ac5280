"""The mentor rule: one team norm with origin, approver, check and tests of its own; it looks at no code."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec

from workbench.artifacts import fields as f
from workbench.artifacts.editing import edited
from workbench.artifacts.files import ArtifactFile
from workbench.artifacts.problem_list import quoted
from workbench.artifacts.terms import Command, Mode
from workbench.model.digests import digest_of
from workbench.model.evidence import Severity
from workbench.model.problems import Problem


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """What a hit leads to; `to` and `mode` only matter for `consult`."""

    kind: Literal["report", "block", "consult"] = "report"
    to: tuple[str, ...] = ()
    mode: Mode = "blocking"


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Where the rule holds; what is empty does not narrow it."""

    globs: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where the rule comes from."""

    kind: Literal["explicit", "inferred", "vcr", "review"] = "explicit"
    refs: tuple[str, ...] = ()


class RuleCheck(msgspec.Struct, frozen=True, kw_only=True):
    """How a hit is found: one of a tree-sitter query, a regular expression on lines, or a command."""

    query: str = ""
    language: str = ""  # of the query
    regex: str = ""
    command: Command = ""


class RuleTests(msgspec.Struct, frozen=True, kw_only=True):
    """Pieces of code in which the check must not hit (`good`), and must hit (`bad`)."""

    good: tuple[str, ...] = ()
    bad: tuple[str, ...] = ()


class MentorRule(msgspec.Struct, frozen=True, kw_only=True):
    """A norm."""

    id: str
    text: str
    version: str = "1"
    status: Literal["proposed", "active", "retired"] = "proposed"
    severity: Severity = "medium"
    action: Action = Action()
    scope: Scope = Scope()
    rationale: str = ""
    origin: Origin = Origin()
    approver: str = ""
    check: RuleCheck = RuleCheck()
    tests: RuleTests = RuleTests()
    conflicts_with: tuple[str, ...] = ()
    body: str = ""


def _table() -> f.Table:
    action = f.table(
        Action,
        docs={"kind": "report, block or consult", "to": "the roles to ask", "mode": "whether work waits"},
        shorthand="kind",
    )
    scope = {
        "globs": "paths",
        "languages": "programming languages",
        "stages": "stages of a loop",
        "roles": "roles of agents",
        "tools": "tools of agents",
    }
    found = {
        "query": "a tree-sitter query",
        "language": "the language of the query",
        "regex": "a regular expression that is looked for in each line",
        "command": "a command that ends with 0 where the rule is kept",
    }
    docs = {
        "id": "the name of the rule, also its file name",
        "text": "the norm, in one sentence",
        "version": "grows with each change of meaning",
        "status": "proposed, active or retired",
        "severity": "how bad a hit is",
        "action": "what a hit leads to: report, block or consult",
        "scope": "where it holds; what is not named does not narrow it",
        "rationale": "why",
        "origin": "where it comes from",
        "approver": "the person who made it active",
        "check": "how a hit is found",
        "tests": "the check's own tests",
        "conflicts_with": "ids of rules that cannot hold beside it",
    }
    origin = f.table(Origin, docs={"kind": "how it came about", "refs": "ids it comes from"}, shorthand="kind")
    tests = {"good": "code without a hit", "bad": "code with a hit"}
    kinds: dict[str, f.Kind | f.Shape] = {
        "id": f.ID,
        "text": f.PROSE,
        "approver": f.LINE,
        "action": action,
        "scope": f.table(Scope, docs=scope, kinds={"globs": f.PATH}),
        "origin": origin,
        "check": f.table(RuleCheck, docs=found),
        "tests": f.table(RuleTests, docs=tests),
        "conflicts_with": f.ID,
    }
    return f.table(MentorRule, docs=docs, kinds=kinds, without=("body",))


def _one_check(data: Mapping[str, Any]) -> Iterator[f.Complaint]:
    given = [name for name in ("query", "regex", "command") if data.get("check", {}).get(name)]
    if len(given) > 1:
        text = f"a rule has one check, not {len(given)}"
        yield f.Complaint(where=("check", given[1]), text=text, remedy=f"keep `{given[0]}` or make two rules")
    if "query" in given and not data["check"].get("language"):
        yield f.Complaint(where=("check", "query"), text="the query has no language", remedy="add `language: python`")


def _regex_compiles(data: Mapping[str, Any]) -> Iterator[f.Complaint]:
    pattern = data.get("check", {}).get("regex", "")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        text = f"the regular expression does not compile: {quoted(str(error))}"
        yield f.Complaint(where=("check", "regex"), text=text, remedy="mend it, or escape special characters")


def _active_is_approved(data: Mapping[str, Any]) -> Iterator[f.Complaint]:
    if data.get("status") != "active":
        return
    if not data.get("approver"):
        text = "an active rule has an approver"
        yield f.Complaint(where=("status",), text=text, remedy="add `approver:`, or leave it `proposed`")
    if any(data.get("check", {}).values()) and not data.get("tests", {}).get("bad"):
        text = "an active rule with a check shows code that it hits"
        yield f.Complaint(where=("check",), text=text, remedy="add `tests:` with `bad:` and `good:`")


FILE = ArtifactFile(
    MentorRule,
    _table,
    name="mentor rule",
    form="markdown",
    rules=(_one_check, _regex_compiles, _active_is_approved),
)


def parse(text: str | bytes, path: str = ".workbench/mentor/rule.md") -> MentorRule:
    """The mentor rule in a text. Raises ArtifactInvalid with all problems."""
    return FILE.parse(text, path)


def check(text: str | bytes, path: str = ".workbench/mentor/rule.md") -> list[Problem]:
    """All problems of a mentor rule's text; never raises."""
    return FILE.check(text, path)


def render(rule: MentorRule, *, original: str = "") -> str:
    """The text of a mentor rule; `original` changed as little as possible, if one is given."""
    return edited(FILE, rule, original) if original else FILE.render(rule)


def digest(rule: MentorRule) -> str:
    """What a mentor rule says, as a digest: comments, key order and layout do not count."""
    return FILE.digest(rule)


def rulebook_digest(rules: Iterable[MentorRule]) -> str:
    """The digest of all active rules together, in whichever order they are given."""
    return digest_of(sorted((rule.id, digest(rule)) for rule in rules if rule.status == "active"))

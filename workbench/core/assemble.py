"""Puts a merge-readiness pack together from a judgement and what is known of the change. Pure.

Whatever an agent wrote goes in as a claim, cut to a bounded size; the verdict is never touched here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from workbench.artifacts.brief import Brief
from workbench.artifacts.mergepack import Audit, Change, Comment, MergePack, PlanItem, Rationale
from workbench.core.admission import Bindings
from workbench.core.criteria import uncovered, untested
from workbench.core.gate import Judgement
from workbench.core.reading import reading_list
from workbench.core.redact import redact
from workbench.core.split import proposed
from workbench.model.evidence import Finding, TestOutcome

MAX_TEXT = 8_000  # characters of one claimed text
MAX_ITEMS = 100  # of one claimed list
_TEST_ID = re.compile(r"[\w./-]+::[\w.:\[\]-]+|\btest_\w+(?!\.\w)\b(?!/)")
_PLAIN_WORDS = frozenset(("test", "tests", "the", "and", "for", "with", "that", "when", "should", "returns", "not"))


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the AEE knows of the change beside the evidence."""

    id: str
    mission: str = ""
    run: str = ""
    agent: str = ""
    revision: int = 1
    submitted_at: str = ""
    title: str = ""
    changes: tuple[Change, ...] = ()
    surface: tuple[str, ...] = ()
    tests: tuple[TestOutcome, ...] = ()  # outcomes on the result
    new_tests: tuple[str, ...] = ()  # ids that base does not have
    uncovered: dict[str, tuple[int, ...]] = {}  # path to changed lines that no test ran
    claimed: dict[str, Any] = {}  # approach, trade_offs[], test_plan[], notes: as the agent gave them
    comments: tuple[Comment, ...] = ()
    audit: Audit = Audit()
    not_checked: tuple[str, ...] = ()  # sentences, beside what the evidence leaves open
    on: str = ""  # the run on whose head the base is
    authority: str = ""  # then the commit that binds it


def assemble(
    *, judgement: Judgement, findings: Sequence[Finding], brief: Brief | None, bindings: Bindings, known: Known
) -> MergePack:
    """The pack, bound to `bindings`; a brief gives it its title."""
    known = msgspec.structs.replace(known, uncovered=known.uncovered or uncovered(judgement.evidence))
    plan = test_plan(known.claimed, known.tests, known.new_tests)
    return MergePack(
        id=known.id,
        verdict=judgement.verdict,
        base=bindings.base,
        head=bindings.head,
        tree=bindings.tree,
        policy_digest=bindings.policy_digest,
        brief_digest=bindings.brief_digest,
        mission=known.mission,
        run=known.run,
        agent=known.agent,
        revision=known.revision,
        submitted_at=known.submitted_at,
        title=(brief.title if brief else "") or known.title,
        brief=brief.id if brief else "",
        brief_version=brief.version if brief else "",
        criteria=judgement.criteria,
        reasons=judgement.reasons,
        requirements=judgement.requirements,
        because=judgement.because,
        would_be=judgement.would_be,
        changes=known.changes,
        surface=known.surface,
        reading_list=tuple(
            reading_list(known.changes, findings, uncovered=known.uncovered, evidence=judgement.evidence)
        ),
        split=proposed(known.changes, judgement.evidence),
        test_plan=plan,
        new_tests=known.new_tests,
        rationale=claimed_rationale(known.claimed),
        not_checked=(*judgement.not_checked, *untested(plan), *known.not_checked),
        comments=known.comments,
        audit=known.audit,
        evidence=judgement.evidence,
        findings=tuple(findings),
        on=known.on,
        authority=known.authority,
    )


# --- what the agent claims ------------------------------------------------------------------------------


def claimed_rationale(claimed: Mapping[str, Any]) -> Rationale:
    """The agent's words in their fields, bounded and without secrets; odd shapes are dropped, never raised."""
    trade_offs = tuple(_text(item) for item in _list(claimed.get("trade_offs")))
    return Rationale(
        approach=_text(claimed.get("approach", "")), trade_offs=trade_offs, notes=_text(claimed.get("notes", ""))
    )


def _text(value: Any) -> str:
    return redact(value[:MAX_TEXT]) if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [value]
    return list(value[:MAX_ITEMS]) if isinstance(value, list | tuple) else []


def test_plan(
    claimed: Mapping[str, Any], tests: Sequence[TestOutcome], new_tests: Sequence[str]
) -> tuple[PlanItem, ...]:
    """Each item of the claimed plan with the test that carries it out, new tests first.

    An item that names a test which is not there is `missing`; one that no test could be matched with is `unknown`.
    """
    new = set(new_tests)
    ordered = sorted(tests, key=lambda outcome: outcome.id not in new)
    return tuple(_planned(item, ordered) for item in _list(claimed.get("test_plan")))


test_plan.__test__ = False  # type: ignore[attr-defined]  # keeps pytest from collecting it where it is imported


def _planned(item: Any, tests: Sequence[TestOutcome]) -> PlanItem:
    named = _text(item.get("test", "")) if isinstance(item, dict) else ""
    text = _text(item.get("item", item.get("text", named))) if isinstance(item, dict) else _text(item)
    wanted = named or " ".join(_TEST_ID.findall(text))
    outcome = _named_test(wanted, tests) if wanted else _similar_test(text, tests)
    if outcome is None:
        said = f"{text} ({named})" if named and named not in text else text
        return PlanItem(item=said, state="missing" if wanted else "unknown")
    state = "passed" if outcome.state == "passed" else "failed" if outcome.state in ("failed", "error") else "unknown"
    return PlanItem(item=text, test=outcome.id, state="missing" if outcome.state == "missing" else state)  # type: ignore[arg-type]


def _named_test(text: str, tests: Sequence[TestOutcome]) -> TestOutcome | None:
    words = {text, *re.findall(r"[\w./:\[\]-]+", text)}
    return next((test for test in tests if {test.id, *_short_names(test.id)} & words), None)


def _short_names(test: str) -> tuple[str, ...]:
    """How else a test is called: its last part, and both without the case's parameters."""
    bare = test.partition("[")[0]
    last = re.split(r"::|\.", bare)[-1]
    return test.rpartition("::")[2], bare, last


def _similar_test(text: str, tests: Sequence[TestOutcome]) -> TestOutcome | None:
    """The test whose name has most of the item's words; None below two shared words, or half of a short item."""
    wanted = _words(text)
    if not wanted:
        return None
    best = max(tests, key=lambda test: len(wanted & _words(test.id)), default=None)
    shared = 0 if best is None else len(wanted & _words(best.id))
    return best if shared >= min(2, len(wanted)) and shared * 2 >= len(wanted) else None


def _words(text: str) -> frozenset[str]:
    words = re.findall(r"[a-z0-9]{3,}", text.rpartition("::")[2].lower() if "::" in text else text.lower())
    return frozenset(word for word in words if word not in _PLAIN_WORDS)

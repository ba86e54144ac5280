"""Conditions of a policy: total, three-valued, and never made easier by a check that fails."""

from __future__ import annotations

import re
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.test_gate import (
    BRIEF,
    CONTEXT,
    GOOD,
    SHOWN,
    ctx,
    finding,
    findings_,
    piece,
    pol,
    replaced,
    verdict,
)
from workbench.artifacts import policy as policies
from workbench.artifacts.brief import Brief, Goal
from workbench.artifacts.mergepack import VERDICTS, MergePack
from workbench.artifacts.pack_parts import Audit, Change
from workbench.artifacts.policy import PRESETS, Policy, Requirement, preset
from workbench.artifacts.policy_facts import FACTS, FactKind
from workbench.artifacts.policy_language import MAX_LENGTH, ConditionInvalid, Place, parse
from workbench.artifacts.policy_presets import TEXTS as TEXTS_OF
from workbench.core.admission import sealed
from workbench.core.case import Case, Override
from workbench.core.conditions import holds, wanting
from workbench.core.reconsider import context_of, reconsidered
from workbench.core.requirements import requirement_result
from workbench.model.evidence import GRADES, Evidence, Finding

LAWS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
KINDS = ("tests.result", "tests.base-on-result", "tests.new-on-base", "coverage.changed", "tampering", "clause.*", "x")
EACH = [kind.replace("*", "DOD-1") for kind in KINDS]
LINT = [finding("lint.E1", severity) for severity in ("low", "critical")]
TEXTS = {"a kind of evidence": KINDS, "a kind of finding": ("lint.*", "secrets.*", "*"), "a glob": ("src/**",),
         "a clause": ("DOD-*",), "a role": ("ops",), "the name of a number": ("percent", "changed")}  # fmt: skip


def rank(judged: Any) -> int:
    return VERDICTS.index(judged.verdict)


@st.composite
def atoms(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from([*FACTS]))
    kind: FactKind = FACTS[name]
    taken = [
        draw(st.sampled_from(p.words or TEXTS[p.name])) for p in kind.takes if not p.optional or draw(st.booleans())
    ]
    told = f"({', '.join(f'{chr(34)}{word}{chr(34)}' for word in taken)})" if taken else ""
    if kind.gives == "truth":
        return name + told
    word = f'"{draw(st.sampled_from(kind.words))}"' if kind.words else str(draw(st.integers(0, 3) | st.just(80)))
    signs = ["==", "!="] if kind.gives == "word" else ["==", "!=", "<", "<=", ">", ">="]
    return f"{name}{told} {draw(st.sampled_from(signs))} {word}"


CONDITIONS = st.recursive(
    atoms() | st.sampled_from(["true", "false"]),
    lambda inner: st.one_of(
        inner.map(lambda one: f"not ({one})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
    ),
    max_leaves=4,
)


def fits(text: str, place: Place) -> bool:
    try:
        parse(text, place)
    except ConditionInvalid:
        return False
    return True


def placed(place: Place) -> st.SearchStrategy[str]:
    return st.just("") | CONDITIONS.filter(lambda text: fits(text, place))


@st.composite
def requirements(draw: st.DrawFn, name: str) -> Requirement:
    proof = draw(st.sampled_from(["evidence", "satisfied_if"]))
    text = draw(st.sampled_from(KINDS) if proof == "evidence" else placed("satisfied_if").filter(bool))
    return Requirement(
        id=name,
        evidence=text if proof == "evidence" else "",
        satisfied_if=text if proof == "satisfied_if" else "",
        applicable_if=draw(placed("applicable_if")),
        when=draw(st.sampled_from([(), ("src/**",), ("docs/**",)])),
        min_grade=draw(st.sampled_from(["observed", "executed", "verified"])),
        on_missing=draw(st.sampled_from(["block", "needs-human", "report"])),
    )


@st.composite
def policies_(draw: st.DrawFn) -> Policy:
    asked = tuple(draw(requirements(f"r{number}")) for number in range(draw(st.integers(1, 3))))
    return pol(requirements=asked, rigor=draw(st.sampled_from(["lenient", "standard", "strict"])))


def measured(piece: Evidence, number: int) -> Evidence:
    return sealed(msgspec.structs.replace(piece, facts={"percent": number, "failing": ["t"] * (number % 3)}))


@st.composite
def checked(draw: st.DrawFn) -> Evidence:
    state = draw(st.sampled_from(["passed", "passed", "failed", "skipped", "error", "not-checked"]))
    return piece(draw(st.sampled_from(EACH)), state, id=draw(st.uuids()).hex, grade=draw(st.sampled_from(GRADES)))


EVIDENCE = st.lists(st.builds(measured, checked(), st.integers(0, 100)), max_size=3).map(tuple)


def leaves(requirement: Requirement, evidence: tuple[Evidence, ...], found: tuple[Finding, ...]) -> int:
    """The best verdict that a requirement leaves, as a rank."""
    asking = pol(requirements=(requirement,))
    case = Case(evidence=evidence, findings=found, policy=asking, brief=BRIEF, context=CONTEXT)
    _, concern = requirement_result(requirement, case)
    return len(VERDICTS) if concern is None else VERDICTS.index(concern.verdict)


@LAWS
@given(requirements("r"), EVIDENCE, st.sampled_from([(), *([f] for f in LINT)]), st.sampled_from(EACH), findings_())
def test_a_failing_check_never_helps(
    asked: Requirement, evidence: tuple[Evidence, ...], found: tuple[Finding, ...], kind: str, finding: Finding
) -> None:
    """Neither evidence that fails nor a finding makes any requirement easier, whatever its conditions are."""
    failed = piece(kind, "failed", id="failed", facts={"changed": "none"})
    before = leaves(asked, evidence, tuple(found))
    assert leaves(asked, (*evidence, failed), tuple(found)) <= before
    assert leaves(asked, evidence, (*found, finding)) <= before


@LAWS
@given(policies_(), EVIDENCE, st.lists(findings_(), max_size=2).map(tuple), st.data())
def test_without_a_requirement_nothing_is_stricter(
    policy: Policy, evidence: tuple[Evidence, ...], found: tuple[Finding, ...], data: st.DataObject
) -> None:
    """Leaving a requirement out never makes a verdict worse; a finding never makes it better."""
    gone = data.draw(st.sampled_from(policy.requirements))
    without = msgspec.structs.replace(policy, requirements=tuple(r for r in policy.requirements if r is not gone))
    judged = verdict((*GOOD, *evidence), found, policy)
    assert rank(verdict((*GOOD, *evidence), found, without)) >= rank(judged)
    assert rank(verdict((*GOOD, *evidence), (), policy)) >= rank(judged)


@LAWS
@given(policies_(), EVIDENCE, st.lists(findings_(), max_size=3).map(tuple), st.booleans())
def test_what_would_change_a_verdict_is_the_smallest_set(
    policy: Policy, evidence: tuple[Evidence, ...], found: tuple[Finding, ...], briefed: bool
) -> None:
    """Each cause is said once, none is missing in what would lead to `ready`, and none there is idle."""
    judged = verdict(evidence, found, policy, BRIEF if briefed else None)
    causes = [each.cause for each in judged.because]
    assert len({*causes}) == len(causes) and all(causes)
    assert (judged.verdict == "ready") == (not causes)
    assert min((each.verdict for each in judged.because), key=VERDICTS.index, default="ready") == judged.verdict
    for way in judged.would_be:
        held = [each for each in judged.because if VERDICTS.index(each.verdict) < VERDICTS.index(way.verdict)]
        assert set(way.without) == {each.cause for each in held} and VERDICTS.index(way.verdict) > rank(judged)
    assert not causes or judged.would_be[-1].verdict == "ready"


@LAWS
@given(CONDITIONS, st.sampled_from(get_args(Place)), EVIDENCE, st.lists(findings_(), max_size=2), st.booleans())
def test_conditions_are_total(
    text: str, place: Place, evidence: tuple[Evidence, ...], found: list[Finding], briefed: bool
) -> None:
    """Every condition has an answer on every evidence, the same one again; what is wanting is wanting."""
    brief = Brief(id="B", title="t", goal=Goal(objective="o"), agency="H4") if briefed else None
    case = Case(evidence=evidence, findings=tuple(found), policy=policies.DEFAULT, brief=brief, context=CONTEXT)
    answer = holds(text, place, case)
    assert answer in (True, False, None) and answer is holds(text, place, case)
    assert fits(text, place) or answer is None, "what does not fit its place is unknown"
    assert answer is not True or wanting(text, place, case) == ()


@given(st.text(max_size=60) | st.text("()andort\"'<>=!1 .", max_size=40) | st.just("(" * 999) | st.just("not " * 300))
def test_hostile_conditions_are_told(text: str) -> None:
    """Any text is a condition or is refused, with a place inside it."""
    for place in get_args(Place):
        try:
            parse(text, place)
        except ConditionInvalid as error:
            assert 0 <= error.offset <= len(text) and error.text and "\n" not in error.text
    with pytest.raises(ConditionInvalid, match="longer"):
        parse("a" * (MAX_LENGTH + 1), "satisfied_if")


REFUSED = {
    'passed("x") and': (15, "a fact must stand here, not the end"),
    "mended": (0, "`mended` is no yes or no"),
    'mended >= "many"': (10, "`mended` is compared with a number"),
    'agency > "H9"': (9, "`H9` is no level"),
    'brief == "x"': (6, "`brief` is a yes or no by itself"),
    "passed(1)": (7, "a kind of evidence must be a text"),
    "passed()": (0, "`passed` takes a kind of evidence, a grade"),
    'passed("x", "good")': (12, "`good` is no a grade"),
    'state("x") < "failed"': (11, "`state` has no order"),
    'passed("x") passed("y")': (12, "`passed` cannot stand here"),
    'passed("x"': (10, "`)` is missing"),
    "__import__('os')": (0, "unknown fact `__import__`"),
    "brief; brief": (5, "`; brief` cannot be read"),
    'role("ops")': (0, "`role` can only stand in override_if"),
    'not passed("x")': (4, 'a check that fails could satisfy this: `not passed("x")`'),
    'state("x") == "failed"': (0, 'a check that fails could satisfy this: `state("x") == "failed"`'),
    'findings("lint.*") > 0': (0, 'a check that fails could satisfy this: `findings("lint.*") > 0`'),
    "mended == 1": (0, "a check that fails could satisfy this: `mended == 1`"),
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_a_wrong_condition_is_told_with_its_place(text: str) -> None:
    """What is wrong is said in words, at the character where it is."""
    with pytest.raises(ConditionInvalid) as error:
        parse(text, "satisfied_if")
    assert (error.value.offset, error.value.text) == REFUSED[text]


def test_the_unknown_satisfies_nothing_and_lets_nothing_off() -> None:
    """What is not known is an error, in `satisfied_if` and in `applicable_if`; what is known counts (the controls)."""

    def stands(**asked: Any) -> tuple[str, str]:
        judged = verdict(policy=pol(requirements=(Requirement(id="x", **asked),)))
        return judged.requirements[0].state, judged.verdict

    assert stands(satisfied_if='passed("load")') == ("error", "needs-human")
    assert stands(satisfied_if='passed("load") or true') == ("satisfied", "ready")
    assert stands(satisfied_if='passed("tests.result", "verified")') == ("error", "needs-human")
    assert stands(satisfied_if="this is no condition", on_missing="block") == ("error", "needs-human")
    assert stands(evidence="tests.result", applicable_if='clauses("DOD-*") >= 2') == ("not_applicable", "ready")
    assert stands(evidence="load", applicable_if='clauses("DOD-*") >= 1')[0] == "unsatisfied"
    unbriefed = verdict(
        policy=pol(
            require_brief=False, requirements=(Requirement(id="x", evidence="load", applicable_if='agency > "H4"'),)
        ),
        brief=None,
    )
    assert (unbriefed.requirements[0].state, unbriefed.verdict) == ("error", "needs-human")


def test_nothing_is_ready_that_nothing_executable_shows() -> None:
    """Under `standard` something failed on base and passes now, or behaviour, by the brief's word, is as it was."""
    bare = tuple(one for one in GOOD if one is not SHOWN)
    assert verdict(bare).verdict == "needs-human" and verdict().verdict == "ready"
    untried = replaced("tests.new-on-base", "not-checked")
    assert next(r for r in verdict(untried).requirements if r.id == "shown").state == "error"
    claimed = sealed(msgspec.structs.replace(SHOWN, grade="claimed"))
    assert verdict((*bare, claimed)).verdict == "needs-human"

    refactoring = Brief(id="B", title="t", goal=Goal(objective="o"), behaviour="unchanged")
    same = sealed(msgspec.structs.replace(SHOWN, id="interface", kind="interface", facts={"changed": 0}))
    other = sealed(msgspec.structs.replace(same, facts={"changed": 1}))
    assert verdict((*bare, same), brief=refactoring).verdict == "ready"
    assert verdict((*bare, other), brief=refactoring).verdict == "needs-human"
    assert verdict(bare, brief=refactoring).verdict == "needs-human"


def test_words_and_tests_alone_are_no_answer_to_a_brief_that_asks_for_other_behaviour() -> None:
    """A patch of nothing but a plan or a test of its own mends nothing; asked for as such it is ready (the control)."""
    bare = tuple(one for one in GOOD if one is not SHOWN)
    asked = Brief(id="B", title="t", goal=Goal(objective="o"), behaviour="unchanged")
    for paths in (("PLAN.md",), ("tests/test_a.py", "docs/x.rst")):
        for policy in ("standard", "strict"):
            judged = verdict(bare, policy=preset(policy), context=ctx(changed_paths=paths))
            assert "shown" in {each.cause for each in judged.because}, (paths, policy)
        assert verdict(bare, context=ctx(changed_paths=paths)).verdict == "needs-human"
        assert verdict(bare, brief=asked, context=ctx(changed_paths=paths)).verdict == "ready"


def test_an_override_counts_where_the_policy_lets_it() -> None:
    """Only somebody in the role, only in time, never under a policy that lets nobody."""
    lost = replaced("tampering", "failed")
    asked = Requirement(id="no-tampering", evidence="tampering", override_if='role("ops") and passed("tests.result")')
    given_ = Override(requirement="no-tampering", by="ada", reason="seen", roles=("ops",), expiry="2026-12-01")

    asking = pol(requirements=(asked,))

    def judged(evidence: tuple[Evidence, ...] = lost, policy: Policy = asking, **more: Any) -> str:
        override = msgspec.structs.replace(given_, **more)
        return verdict(evidence, policy=policy, context=ctx(overrides=(override,))).verdict

    assert judged() == "needs-human"
    assert judged(roles=("dev",)) == "not-ready"
    assert judged(expiry="2026-11-22T07:59:59.000Z") == "not-ready"
    assert judged(tuple(one for one in lost if one.kind != "tests.result")) == "not-ready"
    assert judged(policy=pol(requirements=(asked,), allow_override=False)) == "not-ready"
    assert judged(policy=pol(requirements=(asked,), rigor="strict")) == "not-ready"


@LAWS
@given(EVIDENCE, st.lists(findings_(), max_size=2).map(tuple))
def test_a_pack_judged_again_has_the_same_verdict(evidence: tuple[Evidence, ...], found: tuple[Finding, ...]) -> None:
    """What people said since is all that makes a difference: without it, verdict and causes are those of the pack."""
    first = verdict((*GOOD, *evidence), found)
    here = CONTEXT.bindings
    pack = MergePack(
        id="MRP-a.1-1", verdict=first.verdict, base=here.base, head=here.head, tree=here.tree, policy_digest="p",
        evidence=first.evidence, findings=found, audit=Audit(environment_digest=here.environment),
        changes=(Change(path="src/a.py", added=20), Change(path="tests/test_a.py")),
    )  # fmt: skip
    brief = Brief(id="B", title="t", goal=Goal(objective="o"))
    again = reconsidered(pack, policy=policies.DEFAULT, brief=None, context=context_of(pack, now=CONTEXT.now))
    expected = verdict((*GOOD, *evidence), found, brief=None)
    assert brief.behaviour == "changes"
    assert (again.verdict, [b.cause for b in again.because]) == (expected.verdict, [b.cause for b in expected.because])


def test_presets_grow_stricter_and_are_extended_by_id() -> None:
    """A preset is a text without problems; a file that extends one says only what differs."""
    assert all(policies.check(TEXTS_OF[name]) == [] for name in PRESETS)
    judged = [rank(verdict(replaced("tests.result", "failed"), policy=preset(name))) for name in PRESETS]
    assert judged == sorted(judged, reverse=True) and judged[0] > judged[-1]
    text = "extends: standard\nwithout: [size]\nsize: {lines: 9}\nrequirements:\n  - {id: lint, on_missing: block}\n"
    mine = policies.parse(text)
    theirs = policies.DEFAULT
    assert mine.size.lines == 9 and mine.size.files == theirs.size.files
    assert [r.id for r in mine.requirements] == [r.id for r in theirs.requirements if r.id != "size"]
    lint = next(r for r in mine.requirements if r.id == "lint")
    assert (lint.evidence, lint.on_missing) == ("lint.new", "block")
    assert policies.parse(policies.render(mine)) == mine and policies.digest(mine) != policies.digest(theirs)
    problems = policies.check("extends: standard\nwithout: [sise]\n")
    assert [re.sub(r"\(.*", "", str(p)).strip() for p in problems] == [
        ".workbench/policy.yaml:2:11: no requirement `sise` is inherited"
    ]

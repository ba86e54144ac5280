"""What needs a person, and the order of the inbox."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from workbench.core.attention import Concern, concerns, order, waiting_cost
from workbench.core.state import ConsultationState, PackState, RunState, Step
from workbench.model.instants import instant

NOW = instant(1_000_000)


def run(name: str = "m.1", **changes: object) -> RunState:
    given: dict[str, object] = {"workspace": "w", "queued_at": instant(999_000), **changes}
    return RunState(
        id=name,
        mission="m",
        agent="a",
        driver="d",
        branch="b",
        base_commit="c",
        **given,  # type: ignore[arg-type]
    )


def question(name: str, *, mode: str = "blocking", at: float = 999_900, state: str = "open") -> ConsultationState:
    return ConsultationState(
        id=name, mission="m", run="m.1", mode=mode, category="scope", title=name, options=("A",), document={},
        raised_at=instant(at), state=state,
    )  # fmt: skip


def pack(name: str, *, mission: str = "m", state: str = "submitted", at: float = 999_950) -> PackState:
    return PackState(
        id=name, mission=mission, run="m.1", revision=1, base_ref="", base_commit="b", head="h", state=state,
        verdict="ready", headline="first reason", title=name, facts="5/5 met, +1 -0, 1 file", submitted_at=instant(at),
        reason="it does not merge",
    )  # fmt: skip


def seen(**given: object) -> list[tuple[str, str]]:
    everything: dict[str, object] = {"runs": (), "consultations": (), "packs": (), "aee_running": True, **given}
    return [(item.kind, item.id) for item in concerns(now=NOW, **everything)]  # type: ignore[arg-type]


def test_blocked_agents_come_first_then_packs_then_advice_then_alerts() -> None:
    """Who holds up work is asked about first."""
    found = seen(
        runs=[run("m.9", resting=True)],
        consultations=[question("C1", mode="advisory"), question("C2")],
        packs=[pack("M1")],
    )
    assert found == [("crp", "C2"), ("mrp", "M1"), ("crp", "C1"), ("alert", "m.9")]


def test_what_holds_more_run_time_comes_first() -> None:
    """Three runs that wait a minute cost more than one that waits two."""
    held = [run(f"m.{n}", waiting_for=("MANY",)) for n in (1, 2, 3)] + [run("m.4", waiting_for=("ONE",))]
    found = seen(runs=held, consultations=[question("ONE", at=999_880), question("MANY", at=999_940)])
    assert found == [("crp", "MANY"), ("crp", "ONE")]


def test_answered_questions_and_decided_packs_need_nobody() -> None:
    """Only what is open is in the inbox."""
    closed = [question("C1", state="resolved"), question("C2", state="withdrawn")]
    assert seen(consultations=closed, packs=[pack("M1", state="merged"), pack("M2", state="superseded")]) == []


def test_an_approved_pack_stays_until_it_is_merged() -> None:
    """Approving is not merging: somebody still has to."""
    assert seen(packs=[pack("M1", state="approved")]) == [("mrp", "M1")]


def test_a_pack_that_was_built_for_a_branch_answers_to_its_caller() -> None:
    """`mrp build` does not fill anybody's inbox."""
    assert seen(packs=[pack("M1", mission="")]) == []


def test_a_pack_is_told_by_its_title_and_by_why_it_is_not_ready_or_how_far_it_is_proven() -> None:
    """What the change is about, and one fact beside the verdict."""
    ready = pack("M1")
    found = [
        concerns(runs=(), consultations=(), packs=[item], aee_running=True, now=NOW)[0]
        for item in (ready, structs.replace(ready, verdict="not-ready"))
    ]
    assert [(item.title, item.facts) for item in found] == [("M1", "5/5 met, +1 -0, 1 file"), ("M1", "first reason")]


def test_queued_work_needs_an_aee() -> None:
    """Queued runs without an AEE hold everything up; with one they are nobody's business."""
    assert seen(runs=[run()], aee_running=False) == [("alert", "aee")]
    assert seen(runs=[run()], aee_running=True) == []
    assert seen(runs=[run(waiting_for=("C",))], aee_running=False) == []


def test_work_that_its_aee_left_needs_another_one() -> None:
    """A step at work when the AEE was killed stands still until one is started: nobody else would say so."""
    at_work = run(step=Step(name="turn", number=2, attempt=1, epoch=1, aee="aee-1"))
    assert seen(runs=[at_work], aee_running=False) == [("alert", "aee")]
    assert seen(runs=[at_work], aee_running=True) == []
    assert seen(runs=[structs.replace(at_work, outcome="stopped")], aee_running=False) == []


def test_failed_and_stopped_runs() -> None:
    """A failed run is told once, and speaks for the pack that it failed over; a run that a person stopped is not."""
    failed, stopped = run("m.1", outcome="failed", reason="boom"), run("m.2", outcome="stopped")
    found = seen(runs=[failed, stopped], packs=[pack("M1", state="failed")])
    assert found == [("alert", "m.1")]


def test_what_failed_in_a_mission_that_is_over_is_history() -> None:
    """A failed version beside a merged one asks nobody for anything."""
    failed = run("m.1", outcome="failed", reason="boom")
    assert seen(runs=[failed], packs=[pack("M1", state="failed")], over={"m"}) == []
    assert seen(runs=[failed]) == [("alert", "m.1")]


found_things = st.builds(
    Concern,
    kind=st.sampled_from(["crp", "mrp", "alert"]),
    id=st.uuids().map(str),
    category=st.just("x"),
    mission=st.just("m"),
    run=st.just("r"),
    title=st.just("t"),
    since=st.integers(0, 999_999).map(lambda at: instant(at)),
    group=st.integers(0, 3),
    held_runs=st.integers(0, 5),
)


@given(st.lists(found_things), st.randoms())
def test_the_order_is_total_and_does_not_depend_on_arrival(items: list[Concern], random: object) -> None:
    """However concerns arrive, the inbox reads the same, and costs fall within a group."""
    shuffled = list(items)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' Random
    ordered = order(items, NOW)
    assert order(shuffled, NOW) == ordered
    for first, second in itertools.pairwise(ordered):
        assert first.group <= second.group
        if first.group == second.group:
            assert waiting_cost(first, NOW) >= waiting_cost(second, NOW)

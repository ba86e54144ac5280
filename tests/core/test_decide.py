"""What follows from what people and the AEE say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.decide import consultation, mission, pack, run
from workbench.core.decide.decision import Decision
from workbench.core.next_step import next_step, queue_order
from workbench.core.state import MAX_STEP_FAILURES, ConsultationState, PackState, RunState
from workbench.core.status import run_status
from workbench.model import events as e
from workbench.model.errors import AlreadyResolved, Conflict, Refused
from workbench.testing.journal import MemoryJournal

ANA, BEN = "human:ana", "human:ben"


def apply(journal: MemoryJournal, decision: Decision) -> list[e.Event]:
    return journal.append(decision.events, expect=decision.expect)


def queued(name: str = "m.1", *, priority: int = 0) -> e.RunQueued:
    return e.RunQueued(
        run=name, mission="m", agent="a", driver="scripted", branch=f"workbench/m/{name}", base_commit="b" * 40,
        priority=priority,
    )  # fmt: skip


def started(journal: MemoryJournal, *names: str) -> None:
    first = e.MissionStarted(mission="m", title="Mend it", brief=e.Pin(id="m"))
    apply(journal, mission.start(first, [queued(name) for name in names or ("m.1",)], actor=ANA))


def the_run(journal: MemoryJournal, name: str = "m.1") -> RunState:
    found = journal.run(name)
    assert found is not None
    return found


def step(journal: MemoryJournal, outcome: str = "done", *, name: str = "m.1") -> None:
    apply(journal, run.start_step(the_run(journal, name), aee="aee-1"))
    apply(journal, run.finish_step(the_run(journal, name), outcome=outcome))


def prepared(journal: MemoryJournal) -> None:
    apply(journal, run.start_step(the_run(journal), aee="aee-1"))
    workspace = e.WorkspacePrepared(run="m.1", workspace="/w", base_commit="b" * 40, sandbox="none")
    journal.append([e.Proposed(stream="run/m.1", payload=workspace, actor="aee")])
    apply(journal, run.finish_step(the_run(journal), outcome="done"))


def asked(journal: MemoryJournal) -> ConsultationState:
    raised = e.ConsultationRaised(
        consultation="CRP-m.1-1", mission="m", run="m.1", mode="blocking", category="scope", title="A or B?",
        options=("A", "B"), document={"id": "CRP-m.1-1", "refs": ["DOD-1"]},
    )  # fmt: skip
    apply(journal, consultation.raise_consultation(raised))
    found = journal.consultation("CRP-m.1-1")
    assert found is not None
    return found


def answer(question: ConsultationState, by: str = ANA, **given_: Any) -> Decision:
    words = {"option": "A", "rationale": "simpler", **given_}
    return consultation.resolve(question, decided_by=by, actor=by, at="2026-01-01T00:00:00.000Z", **words)


def submitted(journal: MemoryJournal, *, revision: int = 1) -> PackState:
    name = f"MRP-m.1-{revision}"
    request = e.PackRequested(
        pack=name, mission="m", run="m.1", revision=revision, base_ref="refs/heads/main", base_commit="b" * 40,
        head="h" * 40, into="refs/heads/main",
    )  # fmt: skip
    apply(journal, pack.request_pack(request))
    whole = e.PackSubmitted(
        pack=name, mission="m", run="m.1", revision=revision, verdict="ready", base_commit="b" * 40, head="h" * 40,
        tree="t" * 40, policy_digest="p", brief_digest="d", digest="x", blob="y",
    )  # fmt: skip
    apply(journal, pack.submit_pack(whole, journal.packs(run="m.1")))
    return the_pack(journal, name)


def the_pack(journal: MemoryJournal, name: str = "MRP-m.1-1") -> PackState:
    found = journal.pack(name)
    assert found is not None
    return found


def decided(journal: MemoryJournal, decision: str, by: str = ANA) -> Decision:
    return pack.decide_pack(
        the_pack(journal), the_run(journal), decision=decision, rationale="seen", decided_by=by, actor=by,
        at="2026-01-01T00:00:00.000Z", mission=journal.mission("m"),
    )  # fmt: skip


def test_a_question_is_answered_once() -> None:
    """The second person is told who answered, and no second resolution exists."""
    journal = MemoryJournal()
    started(journal)
    question = asked(journal)
    apply(journal, answer(question))
    with pytest.raises(Conflict):
        apply(journal, answer(question, BEN))
    now = journal.consultation(question.id)
    assert now is not None
    with pytest.raises(AlreadyResolved) as refused:
        answer(now, BEN)
    assert refused.value.data["decided_by"] == ANA


@pytest.mark.parametrize(
    "words", [{"option": "C"}, {"option": ""}, {"alternative": "both"}, {"rationale": "  "}, {"applies_to": "all"}]
)
def test_an_answer_that_says_nothing_clear_is_refused(words: dict[str, str]) -> None:
    """An unknown option, none, two at once, an empty reason and an unknown scope are refused."""
    journal = MemoryJournal()
    started(journal)
    with pytest.raises(Refused):
        answer(asked(journal), **words)


def test_a_waiting_run_has_no_next_step_until_it_is_answered() -> None:
    """Waiting is a fact in the journal; the answer alone lets the run go on."""
    journal = MemoryJournal()
    started(journal)
    prepared(journal)
    question = asked(journal)
    assert next_step(the_run(journal)) is None
    assert run_status(the_run(journal)) == "waiting-human"
    apply(journal, answer(question))
    assert next_step(the_run(journal)) == "turn"


def test_an_answer_never_races_with_a_busy_run() -> None:
    """Events of a busy run do not spoil an answer that was decided before them."""
    journal = MemoryJournal()
    started(journal)
    decision = answer(asked(journal))
    journal.append([e.Proposed(stream="run/m.1", payload=e.ThoughtRecorded(run="m.1", text="hm"), actor="agent:m.1")])
    assert apply(journal, decision)


def test_an_interrupted_step_is_attempted_again_under_a_new_epoch() -> None:
    """The number stays, the attempt and the epoch grow; an outcome counts once."""
    journal = MemoryJournal()
    started(journal)
    apply(journal, run.start_step(the_run(journal), aee="one"))
    interrupted = run.interrupt_step(the_run(journal), reason="gone")
    finished = run.finish_step(the_run(journal), outcome="done")
    apply(journal, interrupted)
    apply(journal, run.start_step(the_run(journal), aee="two"))
    at_work = the_run(journal).step
    assert at_work is not None
    assert (at_work.number, at_work.attempt, at_work.epoch) == (1, 2, 2)
    apply(journal, finished)  # the late word of the first attempt
    assert the_run(journal).step is not None


def test_a_step_that_fails_too_often_fails_its_run_and_a_person_can_resume_it() -> None:
    """Three errors end the run as failed; resuming starts over with a clean count."""
    journal = MemoryJournal()
    started(journal)
    for _ in range(MAX_STEP_FAILURES):
        apply(journal, run.start_step(the_run(journal), aee="one"))
        apply(journal, run.fail_step(the_run(journal), reason="no"))
    assert run_status(the_run(journal)) == "failed"
    apply(journal, run.resume_run(the_run(journal), reason="mended", actor=ANA))
    assert next_step(the_run(journal)) == "prepare"


def test_a_pack_fails_with_its_run_and_is_requested_anew_when_the_run_is_resumed() -> None:
    """A pack never stays under assembly when nothing assembles it any more."""
    journal = MemoryJournal()
    started(journal)
    prepared(journal)
    requested = e.PackRequested(
        pack="MRP-m.1-1", mission="m", run="m.1", revision=1, base_ref="main", base_commit="b", head="h"
    )
    states = []
    for final in (False, True):
        apply(journal, run.start_step(the_run(journal), aee="one"))
        apply(journal, pack.request_pack(requested, journal.pack("MRP-m.1-1")))
        failed = run.fail_step(the_run(journal), reason="no room", hint="make some", final=final)
        apply(journal, pack.with_failed_pack(failed, the_pack(journal)))
        states.append(the_pack(journal).state)
    assert states == ["assembling", "failed"]
    assert (the_pack(journal).reason, the_pack(journal).hint) == ("no room", "make some")
    apply(journal, run.resume_run(the_run(journal), reason="mended", actor=ANA))
    apply(journal, pack.request_pack(requested, the_pack(journal)))
    assert (the_pack(journal).state, the_pack(journal).reason) == ("assembling", "")


def test_the_queue_goes_by_priority_then_age() -> None:
    """A larger priority goes first; equals go in the order in which they came."""
    journal = MemoryJournal()
    first = e.MissionStarted(mission="m", title="Mend it", brief=e.Pin(id="m"))
    runs = [queued("m.1"), queued("m.2", priority=5), queued("m.3")]
    apply(journal, mission.start(first, runs, actor=ANA))
    assert [waiting.id for waiting in queue_order(journal.runs())] == ["m.2", "m.1", "m.3"]


def test_stopping_a_run_withdraws_its_questions_and_ends_its_mission() -> None:
    """Nobody is asked for a run that is over."""
    journal = MemoryJournal()
    started(journal)
    question = asked(journal)
    stop = run.stop_run(the_run(journal), [question], reason="enough", actor=ANA, mission=journal.mission("m"))
    apply(journal, stop)
    ended = journal.mission("m")
    assert ended is not None and ended.outcome == "stopped"
    withdrawn = journal.consultation(question.id)
    assert withdrawn is not None and withdrawn.state == "withdrawn"
    with pytest.raises(Refused, match="was withdrawn"):
        answer(withdrawn)


def test_a_pack_is_decided_once() -> None:
    """Two people cannot both decide one pack."""
    journal = MemoryJournal()
    started(journal)
    submitted(journal)
    one, other = decided(journal, "approve"), decided(journal, "reject", BEN)
    apply(journal, one)
    with pytest.raises(Conflict):
        apply(journal, other)
    assert the_pack(journal).state == "approved"


def test_requested_changes_are_the_runs_next_turn() -> None:
    """The same run goes on, and its next delivery supersedes the pack."""
    journal = MemoryJournal()
    started(journal)
    prepared(journal)
    submitted(journal)
    apply(journal, decided(journal, "request-changes"))
    assert next_step(the_run(journal)) == "turn"
    assert the_run(journal).request == "seen"
    submitted(journal, revision=2)
    assert the_pack(journal).state == "superseded"


def test_merging_needs_an_approval() -> None:
    """An undecided pack is not merged."""
    journal = MemoryJournal()
    started(journal)
    with pytest.raises(Refused, match="not approved"):
        pack.start_merge(submitted(journal), old="o", new="n", mode="merge", actor=ANA)


def test_a_merge_ends_the_mission_and_supersedes_the_other_versions() -> None:
    """Merged, undone and merged again: each is an event of its own."""
    journal = MemoryJournal()
    started(journal, "m.1", "m.2")
    submitted(journal)
    apply(journal, decided(journal, "approve"))
    for _ in range(2):
        apply(journal, pack.start_merge(the_pack(journal), old="o", new="n", mode="merge", actor=ANA))
        siblings = [the_run(journal, "m.2")]
        done = pack.finish_merge(the_pack(journal), the_run(journal), journal.mission("m"), siblings, actor=ANA)
        apply(journal, done)
        assert the_pack(journal).state == "merged"
        apply(journal, pack.start_undo(the_pack(journal), old="n", new="o", how="move-back", actor=ANA))
        apply(journal, pack.finish_undo(the_pack(journal), actor=ANA))
        assert the_pack(journal).state == "approved"
    assert (the_run(journal).outcome, the_run(journal, "m.2").outcome) == ("merged", "superseded")


ACTS = ("start", "finish", "wait", "fail", "interrupt", "ask", "answer", "pause", "resume", "stop", "submit", "approve",
        "request-changes", "reject", "merge")  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(ACTS), max_size=25))
def test_whatever_is_decided_can_be_folded(acts: list[str]) -> None:
    """No sequence of decisions yields an event that a fold refuses, and folding the journal again gives the same."""
    journal = MemoryJournal()
    started(journal)
    for act in acts:
        try:
            _do(journal, act)
        except (Refused, Conflict):
            continue
    again = MemoryJournal()
    for event in journal.read_all():
        again.append([e.Proposed(stream=event.stream, payload=event.payload, actor=event.actor, id=event.id)])
    assert [state.id for state in again.runs()] == [state.id for state in journal.runs()]
    assert the_run(again).outcome == the_run(journal).outcome


def _do(journal: MemoryJournal, act: str) -> None:
    now = the_run(journal)
    if act == "start":
        apply(journal, run.start_step(now, aee="x"))
    elif act in ("finish", "wait"):
        apply(journal, run.finish_step(now, outcome="waiting" if act == "wait" else "done"))
    elif act == "fail":
        apply(journal, run.fail_step(now, reason="no"))
    elif act == "interrupt":
        apply(journal, run.interrupt_step(now, reason="gone"))
    elif act == "ask":
        if journal.consultation("CRP-m.1-1") is None:
            asked(journal)
    elif act == "answer":
        question = journal.consultation("CRP-m.1-1")
        if question is not None:
            apply(journal, answer(question))
    elif act in ("pause", "resume"):
        apply(journal, getattr(run, f"{act}_run")(now, reason="", actor=ANA))
    elif act == "stop":
        apply(journal, run.stop_run(now, (), reason="", actor=ANA, mission=journal.mission("m")))
    elif act == "submit":
        if journal.pack("MRP-m.1-1") is None:
            submitted(journal)
    elif journal.pack("MRP-m.1-1") is not None:
        _decide_pack(journal, act)


def _decide_pack(journal: MemoryJournal, act: str) -> None:
    if act != "merge":
        apply(journal, decided(journal, act))
        return
    apply(journal, pack.start_merge(the_pack(journal), old="o", new="n", mode="merge", actor=ANA))
    merged = pack.finish_merge(the_pack(journal), the_run(journal), journal.mission("m"), (), actor=ANA)
    apply(journal, merged)


def test_evidence_is_renewed_by_the_same_run() -> None:
    """A moved base needs no new run: the delivery is examined again, and the new pack supersedes the old one."""
    journal = MemoryJournal()
    started(journal)
    prepared(journal)
    delivered = e.DeliverySubmitted(run="m.1", head="h" * 40)
    journal.append([e.Proposed(stream="run/m.1", payload=delivered, actor="agent:m.1")])
    submitted(journal)
    apply(journal, decided(journal, "approve"))
    renew = pack.renew_evidence(the_pack(journal), the_run(journal), reason="the base moved", actor=ANA)
    apply(journal, renew)
    assert next_step(the_run(journal)) == "pack"
    submitted(journal, revision=2)
    assert (the_pack(journal).state, the_pack(journal, "MRP-m.1-2").state) == ("superseded", "submitted")


def test_a_failed_run_still_hears_what_is_decided_on_its_pack() -> None:
    """Merging the pack of a run that failed later ends run and mission; sending it back lets it go on."""
    for decision, outcome in (("approve", "merged"), ("request-changes", "")):
        journal = MemoryJournal()
        started(journal)
        prepared(journal)
        submitted(journal)
        failed = e.RunEnded(run="m.1", outcome="failed", reason="no disk")
        journal.append([e.Proposed(stream="run/m.1", payload=failed, actor="aee")])
        apply(journal, decided(journal, decision))
        if decision == "approve":
            apply(journal, pack.start_merge(the_pack(journal), old="o", new="n", mode="merge", actor=ANA))
            apply(journal, pack.finish_merge(the_pack(journal), the_run(journal), journal.mission("m"), (), actor=ANA))
        assert the_run(journal).outcome == outcome
        assert next_step(the_run(journal)) == (None if outcome else "turn")


def test_nothing_is_decided_on_a_pack_that_is_examined_again() -> None:
    """A request to change something is never lost to a renewal of the same delivery."""
    journal = MemoryJournal()
    started(journal)
    prepared(journal)
    delivered = e.DeliverySubmitted(run="m.1", head="h" * 40)
    journal.append([e.Proposed(stream="run/m.1", payload=delivered, actor="agent:m.1")])
    submitted(journal)
    before = decided(journal, "request-changes")
    apply(journal, pack.renew_evidence(the_pack(journal), the_run(journal), reason="moved", actor=ANA))
    with pytest.raises(Conflict):
        apply(journal, before)
    with pytest.raises(Refused, match="examined again"):
        decided(journal, "request-changes")


def test_an_end_that_a_person_gave_is_not_overwritten() -> None:
    """A child that fails after its run was stopped changes nothing."""
    journal = MemoryJournal()
    started(journal)
    apply(journal, run.start_step(the_run(journal), aee="one"))
    apply(journal, run.stop_run(the_run(journal), (), reason="enough", actor=ANA, mission=journal.mission("m")))
    apply(journal, run.fail_step(the_run(journal), reason="late", final=True))
    assert the_run(journal).outcome == "stopped"
    with pytest.raises(Refused):
        run.resume_run(the_run(journal), reason="", actor=ANA, mission=journal.mission("m"))


def test_a_merge_that_was_taken_back_can_be_rejected_for_good() -> None:
    """Then run and mission say so; asking for changes is refused, since the run is over."""
    journal = MemoryJournal()
    started(journal)
    submitted(journal)
    apply(journal, decided(journal, "approve"))
    apply(journal, pack.start_merge(the_pack(journal), old="o", new="n", mode="merge", actor=ANA))
    apply(journal, pack.finish_merge(the_pack(journal), the_run(journal), journal.mission("m"), (), actor=ANA))
    apply(journal, pack.start_undo(the_pack(journal), old="n", new="o", how="move-back", actor=ANA))
    apply(journal, pack.finish_undo(the_pack(journal), actor=ANA))
    with pytest.raises(Refused, match="taken back"):
        decided(journal, "request-changes")
    apply(journal, decided(journal, "reject"))
    over = journal.mission("m")
    assert over is not None
    assert (the_run(journal).outcome, over.outcome) == ("rejected", "rejected")


def test_stopping_never_undoes_a_merge_that_came_first() -> None:
    """A stop that was decided before the merge is refused, and the merged run stays merged."""
    journal = MemoryJournal()
    started(journal)
    submitted(journal)
    stop = run.stop_run(the_run(journal), (), reason="enough", actor=BEN, mission=journal.mission("m"))
    apply(journal, decided(journal, "approve"))
    apply(journal, pack.start_merge(the_pack(journal), old="o", new="n", mode="merge", actor=ANA))
    apply(journal, pack.finish_merge(the_pack(journal), the_run(journal), journal.mission("m"), (), actor=ANA))
    with pytest.raises(Conflict):
        apply(journal, stop)
    assert the_run(journal).outcome == "merged"

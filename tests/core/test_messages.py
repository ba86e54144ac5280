"""What a person says to an agent at work: waits, is given once, and goes before all else of the run."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.test_decide import ANA, BEN, apply, asked, prepared, started, step, submitted, the_pack, the_run
from workbench.core.decide import message, pack, run
from workbench.core.messages import due, given_since_an_end, given_since_delivery, interrupts, told, waiting
from workbench.core.next_step import next_step
from workbench.core.status import run_status, stage
from workbench.core.views.messages import message_rows, when_given
from workbench.core.views.timeline import Timeline
from workbench.model import events as e
from workbench.model.errors import Conflict, NotFound, Refused, UsageError
from workbench.testing.journal import MemoryJournal

NOW = "2026-01-01T00:00:12.000Z"


@pytest.fixture
def journal() -> MemoryJournal:
    journal = MemoryJournal()
    started(journal)
    prepared(journal)
    return journal


def say(journal: MemoryJournal, text: str = "Mind the docs", *, mode: str = "queue", by: str = ANA) -> str:
    decision = message.send_message(the_run(journal), mode=mode, text=text, actor=by)
    apply(journal, decision)
    return message.sent_by(decision, at=NOW).id


def begin(journal: MemoryJournal) -> None:
    apply(journal, run.start_step(the_run(journal), aee="x"))


def end(journal: MemoryJournal, outcome: str) -> None:
    apply(journal, run.finish_step(the_run(journal), outcome=outcome))


def give(journal: MemoryJournal, *, midway: bool = False) -> list[e.Event]:
    now = the_run(journal)
    return apply(journal, message.give_messages(now, due(now, midway=midway), how="midway" if midway else "turn"))


def deliver(journal: MemoryJournal, head: str = "h" * 40) -> None:
    delivered = e.DeliverySubmitted(run="m.1", head=head)
    journal.append([e.Proposed(stream="run/m.1", payload=delivered, actor="agent:m.1")])


def test_a_message_goes_before_the_pack(journal: MemoryJournal) -> None:
    """While words wait for the agent no pack is begun; afterwards what was delivered is examined."""
    begin(journal)
    say(journal)
    deliver(journal)
    end(journal, "submitted")
    assert next_step(the_run(journal)) == "turn"
    begin(journal)
    give(journal)
    end(journal, "ended")
    assert not the_run(journal).resting and next_step(the_run(journal)) == "pack"
    assert [late.message for late in given_since_delivery(journal.read("run/m.1"))] == ["MSG-m.1-1"]


def test_words_let_a_resting_run_and_a_delivered_one_go_on(journal: MemoryJournal) -> None:
    """The pack stays there to be decided, until the agent delivers again."""
    step(journal, "ended")
    assert next_step(the_run(journal)) is None
    say(journal)
    assert (next_step(the_run(journal)), run_status(the_run(journal))) == ("turn", "queued")
    begin(journal)
    give(journal)
    deliver(journal)
    end(journal, "submitted")
    submitted(journal)
    assert run_status(the_run(journal)) == "waiting-human"
    say(journal)
    begin(journal)
    assert (run_status(the_run(journal)), stage(the_run(journal))) == ("running", "turn")
    give(journal)
    end(journal, "submitted")
    assert (run_status(the_run(journal)), stage(the_run(journal))) == ("waiting-human", "review")


def test_changes_requested_while_a_message_is_worked_on_get_a_turn_of_their_own(journal: MemoryJournal) -> None:
    """The pack of the delivery before can be sent back meanwhile; nothing that was asked is lost."""
    deliver(journal)
    submitted(journal)
    say(journal)
    begin(journal)
    give(journal)
    sent_back = pack.decide_pack(
        the_pack(journal), the_run(journal), decision="request-changes", rationale="smaller", decided_by=ANA, actor=ANA,
        at=NOW,
    )  # fmt: skip
    apply(journal, sent_back)
    end(journal, "ended")
    assert next_step(the_run(journal)) == "turn" and the_run(journal).request == "smaller"
    begin(journal)
    end(journal, "ended")
    assert the_run(journal).resting


def test_a_run_that_waits_keeps_the_message(journal: MemoryJournal) -> None:
    """Neither a question nor a pause is passed over for words; they are given when the run goes on."""
    begin(journal)
    asked(journal)
    say(journal, mode="interrupt")
    assert interrupts(the_run(journal)) is None
    assert when_given(the_run(journal), "interrupt") == "when CRP-m.1-1 is answered"
    end(journal, "waiting")
    assert next_step(the_run(journal)) is None
    answered = e.RunAnswered(run="m.1", consultation="CRP-m.1-1", resolution="V")
    journal.append([e.Proposed(stream="run/m.1", payload=answered, actor="aee")])
    apply(journal, run.pause_run(the_run(journal), reason="", actor=ANA))
    assert next_step(the_run(journal)) is None
    apply(journal, run.resume_run(the_run(journal), reason="", actor=ANA))
    assert next_step(the_run(journal)) == "turn"


def test_an_interruption_ends_the_step_in_which_it_was_said(journal: MemoryJournal) -> None:
    """The step after it begins with the words, and is not ended for them again; a pack at work is given up."""
    deliver(journal)
    begin(journal)
    name = say(journal, mode="interrupt")
    assert (cut := interrupts(the_run(journal))) is not None and cut.id == name
    request = e.PackRequested(
        pack="MRP-m.1-1", mission="m", run="m.1", revision=1, base_ref="r", base_commit="b", head="h" * 40
    )
    apply(journal, pack.request_pack(request))
    ended = run.finish_step(the_run(journal), outcome=run.INTERRUPTED, detail="why")
    apply(journal, pack.with_failed_pack(ended, the_pack(journal)))
    assert (the_pack(journal).state, the_pack(journal).reason) == ("failed", "why")
    begin(journal)
    assert the_run(journal).step is not None and interrupts(the_run(journal)) is None
    give(journal)
    end(journal, "ended")
    assert next_step(the_run(journal)) == "pack"


def test_only_words_that_wait_can_be_changed(journal: MemoryJournal) -> None:
    """An edit keeps the message's place; what was given, dropped or never said is refused, with the reason."""
    say(journal, "one")
    say(journal, "two", mode="steer")
    apply(journal, message.edit_message(the_run(journal), "1", text="uno", mode="steer", actor=BEN))
    assert [(m.text, m.mode, m.revision, m.author) for m in waiting(the_run(journal))] == [
        ("uno", "steer", 2, BEN), ("two", "steer", 1, ANA),
    ]  # fmt: skip
    apply(journal, message.drop_message(the_run(journal), "MSG-m.1-2", actor=ANA))
    give(journal)
    with pytest.raises(Refused, match="given to the agent already"):
        message.drop_message(the_run(journal), "1", actor=ANA)
    with pytest.raises(NotFound, match="'2'"):
        message.edit_message(the_run(journal), "2", text="x", actor=ANA)


def test_a_message_that_a_person_changed_first_is_not_given_as_it_was(journal: MemoryJournal) -> None:
    """The AEE refuses to record as given what is not what waits; the same report again is no news."""
    say(journal)
    before = the_run(journal)
    late = message.give_messages(before, waiting(before), how="turn")
    apply(journal, message.edit_message(before, "1", text="other", actor=ANA))
    assert message.outdated(the_run(journal), late.events) == "MSG-m.1-1"
    events = give(journal)
    assert message.outdated(the_run(journal), [e.Proposed(stream="", payload=events[0].payload, actor="")]) == ""
    name = say(journal)
    apply(journal, message.drop_message(the_run(journal), name, actor=ANA))
    gone = e.MessageGiven(run="m.1", message="MSG-m.1-2", revision=1, mode="", author="", text="", how="turn")
    assert message.outdated(the_run(journal), [e.Proposed(stream="", payload=gone, actor="")])


@pytest.mark.parametrize(
    ("text", "mode", "error"),
    [("  \n", "queue", Refused), ("x" * 20_001, "queue", Refused), ("x", "shout", UsageError)],
)
def test_what_is_no_message_is_refused(journal: MemoryJournal, text: str, mode: str, error: type[Exception]) -> None:
    """No words, too many of them, or a mode that there is not."""
    with pytest.raises(error):
        message.send_message(the_run(journal), mode=mode, text=text, actor=ANA)


@pytest.mark.parametrize(("outcome", "told_"), [("merged", "over"), ("failed", "failed")])
def test_a_run_that_is_over_refuses(journal: MemoryJournal, outcome: str, told_: str) -> None:
    """Nobody would hear it; one that failed can be resumed first. What had waited is shown as never given."""
    say(journal)
    ended = e.RunEnded(run="m.1", outcome=outcome, reason="so")
    journal.append([e.Proposed(stream="run/m.1", payload=ended, actor="aee")])
    with pytest.raises(Refused, match=told_):
        message.send_message(the_run(journal), mode="queue", text="x", actor=ANA)
    (row,) = message_rows(the_run(journal), now=NOW)
    assert row.state == ("not given" if outcome == "merged" else "waiting")


def test_two_people_who_speak_at_once_are_both_heard(journal: MemoryJournal) -> None:
    """The second is decided anew: no number is given twice."""
    seen = the_run(journal)
    first = message.send_message(seen, mode="queue", text="a", actor=ANA)
    second = message.send_message(seen, mode="queue", text="b", actor=BEN)
    apply(journal, first)
    with pytest.raises(Conflict):
        apply(journal, second)


def test_a_run_takes_so_many_messages(journal: MemoryJournal) -> None:
    """A script that speaks in a loop does not fill the journal's states."""
    for number in range(message.MOST_WAITING):
        say(journal, str(number))
    with pytest.raises(Refused, match="wait already"):
        say(journal)


def test_the_timeline_tells_what_became_of_words(journal: MemoryJournal) -> None:
    """The line of a message says whether it waits, was changed, taken back or given, and when it was."""
    say(journal, "one")
    say(journal, "two", mode="steer")
    apply(journal, message.edit_message(the_run(journal), "1", text="uno", actor=ANA))
    apply(journal, message.drop_message(the_run(journal), "2", actor=ANA))
    give(journal)
    timeline = Timeline()
    timeline.extend(journal.read("run/m.1"))
    acts = [(act.title, act.state) for act in timeline.acts if act.kind == "person"]
    assert acts == [
        ("ana says: one", "changed"),
        ("ana says at once: two", "taken back"),
        ("ana says instead: uno", "given"),
        ("the agent was given MSG-m.1-1 at the start of a turn: uno", "given"),
    ]
    (event,) = (event for event in journal.read("run/m.1") if isinstance(event.payload, e.MessageGiven))
    assert told(event.payload) == "Message MSG-m.1-1 from ana, the person who coaches you:\nuno"  # type: ignore[arg-type]  # just looked


ACTS = st.lists(st.sampled_from(["queue", "steer", "interrupt", "edit", "drop", "midway", "turn", "end"]), max_size=40)


@settings(max_examples=60, deadline=None)
@given(acts=ACTS)
def test_no_words_are_lost_or_given_twice(acts: list[str]) -> None:
    """Whatever is said, changed, dropped and given in whatever order: each waits, or was given or dropped once."""
    journal = MemoryJournal()
    started(journal)
    prepared(journal)
    begin(journal)
    sent: list[str] = []
    dropped: set[str] = set()
    for act in acts:
        now = the_run(journal)
        if act in ("queue", "steer", "interrupt") and len(waiting(now)) < message.MOST_WAITING:
            sent.append(say(journal, f"words {len(sent)}", mode=act))
        elif act in ("midway", "turn"):
            give(journal, midway=act == "midway")
        elif act == "end":
            end(journal, "done")
            begin(journal)
        elif act in ("edit", "drop") and waiting(now):
            name = waiting(now)[0].id
            if act == "drop":
                apply(journal, message.drop_message(now, name, actor=ANA))
                dropped.add(name)
            else:
                apply(journal, message.edit_message(now, name, text="other", actor=BEN))
    history = journal.read("run/m.1")
    given_ = [event.payload.message for event in history if isinstance(event.payload, e.MessageGiven)]
    left = {each.id for each in waiting(the_run(journal))}
    assert len(given_) == len(set(given_)) and not dropped & (set(given_) | left)
    assert sorted([*given_, *dropped, *left]) == sorted(sent)
    assert {each.message for each in given_since_an_end(history)} <= set(given_)
    assert all(before.version < after.version for before, after in pairwise(history))

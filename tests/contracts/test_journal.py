"""What every journal promises, on SQLite and in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.core.fold import fold
from workbench.core.state import State
from workbench.journal.group import GroupCommit
from workbench.journal.store import SqliteJournal, open_journal
from workbench.model import events as e
from workbench.model.errors import Conflict, JournalProblem, NotFound
from workbench.model.events import Event, Payload, Proposed
from workbench.testing.clock import SettableClock
from workbench.testing.journal import MemoryJournal

AnyJournal = SqliteJournal | MemoryJournal | GroupCommit


@pytest.fixture(params=["sqlite", "grouped", "memory"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyJournal]:
    if request.param == "memory":
        yield MemoryJournal()
        return
    with open_journal(tmp_path / "journal", clock=SettableClock()) as opened:
        if request.param == "sqlite":
            yield opened
            return
        with GroupCommit(opened) as grouped:
            yield grouped


def queued(run: str = "m.1", *, mission: str = "m") -> Proposed:
    payload = e.RunQueued(run=run, mission=mission, agent="a", driver="scripted", branch="b", base_commit="c")
    return Proposed(stream=f"run/{run}", payload=payload, actor="aee")


def thought(text: str, *, run: str = "m.1", id: str = "") -> Proposed:
    return on_run(e.ThoughtRecorded(run=run, text=text), run=run, id=id)


def on_run(payload: Payload, *, run: str = "m.1", id: str = "") -> Proposed:
    return Proposed(stream=f"run/{run}", payload=payload, actor=f"agent:{run}", id=id)


def asked(consultation: str = "CRP-1", *, run: str = "m.1") -> Proposed:
    payload = e.ConsultationRaised(
        consultation=consultation,
        mission="m",
        run=run,
        mode="blocking",
        category="scope",
        title="Which?",
        options=("x", "y"),
        document={"question": "Which?"},
    )
    return Proposed(stream=f"consultation/{consultation}", payload=payload, actor=f"agent:{run}")


def answered(consultation: str = "CRP-1", *, by: str = "human:ann") -> Proposed:
    payload = e.ConsultationResolved(
        consultation=consultation,
        mission="m",
        run="m.1",
        resolution=f"VCR-{consultation}",
        decision="option",
        decided_by=by,
        document={"why": "because"},
    )
    return Proposed(stream=f"consultation/{consultation}", payload=payload, actor=by)


def test_events_come_back_in_order_as_they_were_appended(journal: AnyJournal) -> None:
    """Seq counts the journal and version the stream, both from 1 without gaps; what append returns is what is read."""
    stored = journal.append([queued(), asked(), thought("one")]) + journal.append([thought("two")])

    assert [event.seq for event in stored] == [1, 2, 3, 4]
    assert [event.version for event in stored] == [1, 1, 2, 3]
    assert journal.read_all() == stored
    assert journal.read("run/m.1") == [stored[0], stored[2], stored[3]]
    assert journal.last_seq() == 4


def test_reading_can_begin_and_end_anywhere(journal: AnyJournal) -> None:
    """`after` is exclusive and `limit` counts events, by stream and over all."""
    stored = journal.append([queued(), *(thought(str(number)) for number in range(9))])

    assert journal.read("run/m.1", after=3, limit=2) == stored[3:5]
    assert journal.read("run/m.1", after=10) == []
    assert journal.read("run/unheard-of") == []
    assert journal.read_all(after=8, limit=1) == [stored[8]]


def test_an_outdated_decision_is_refused_whole(journal: AnyJournal) -> None:
    """Of two answers to one question the second is told of the conflict, and none of its events is stored."""
    journal.append([queued(), asked()])
    journal.append([answered(by="human:ann")], expect={"consultation/CRP-1": 1})

    with pytest.raises(Conflict) as conflict:
        journal.append([thought("x"), answered(by="human:bob")], expect={"consultation/CRP-1": 1})

    assert (conflict.value.expected, conflict.value.actual) == (1, 2)
    assert journal.last_seq() == 3


def test_expecting_version_zero_means_that_the_stream_is_new(journal: AnyJournal) -> None:
    """Two people cannot both start the same mission."""
    journal.append([queued()], expect={"run/m.1": 0})

    with pytest.raises(Conflict):
        journal.append([queued()], expect={"run/m.1": 0})


def test_a_repeated_id_is_recognised(journal: AnyJournal) -> None:
    """A step that repeats its report gets the stored event, even when the stream has moved on since."""
    journal.append([queued()])
    first = journal.append([thought("done", id="step-1")], expect={"run/m.1": 1})
    journal.append([thought("more")])

    again = journal.append([thought("done", id="step-1")], expect={"run/m.1": 1})

    assert again == first
    assert journal.last_seq() == 3


def test_what_is_new_beside_a_repeated_id_is_appended(journal: AnyJournal) -> None:
    """A report of which only a part was stored is completed, in its own order; one id twice in it is one event."""
    journal.append([queued(), thought("a", id="a")])

    stored = journal.append([thought("a", id="a"), thought("b", id="b"), thought("b", id="b")])

    assert [event.seq for event in stored] == [2, 3, 3]
    assert journal.find("b") == stored[1]
    assert journal.find("c") is None


def test_an_append_over_several_streams_is_atomic(journal: AnyJournal) -> None:
    """An event that does not fit takes the rest of its append with it."""
    journal.append([queued()])

    with pytest.raises(JournalProblem) as refused:
        journal.append([thought("x"), asked(), on_run(e.RunPaused(run="m.2"), run="m.2")])

    assert "nothing was written" in refused.value.hint
    assert journal.last_seq() == 1
    assert journal.consultation("CRP-1") is None
    assert journal.append([asked()])[0].seq == 2


@pytest.mark.parametrize(
    "bad",
    [
        Proposed(stream="nonsense/x", payload=e.RunPaused(run="x"), actor="aee"),
        Proposed(stream="run/../x", payload=e.RunPaused(run="x"), actor="aee"),
        Proposed(stream="run/other", payload=queued().payload, actor="aee"),
        Proposed(stream="mission/m.1", payload=queued().payload, actor="aee"),
        Proposed(stream="run/m.1", payload=e.RunPaused(run="m.1"), actor=""),
        Proposed(stream="run/m.1", payload=e.RunPaused(run="m.1"), actor="aee\nhuman:x"),
        Proposed(stream="run/m.1", payload=e.RunPaused(run="m.1"), actor="aee", id="a b"),
        on_run(e.ThoughtRecorded(run="m.1", text="\udcff")),
        on_run(e.ThoughtRecorded(run="m.1", text=None)),  # type: ignore[arg-type]  # a fault of a caller
        on_run(e.ModelCalled(run="m.1", model="x", cost_usd=float("nan"))),
        on_run(e.ToolCalled(run="m.1", call="1", tool="t", title="t", arguments={"deep": [float("inf")]})),
        on_run(e.ToolCalled(run="m.1", call="1", tool="t", title="t", arguments={"x": {1, object()}})),
    ],
    ids=lambda bad: f"{bad.stream}-{e.kind_of(bad.payload)}",
)
def test_what_could_not_be_read_again_is_never_stored(journal: AnyJournal, bad: Proposed) -> None:
    """Odd streams, actors and ids, text that is no Unicode and numbers that are no JSON are refused."""
    journal.append([queued()])

    with pytest.raises(JournalProblem):
        journal.append([thought("x"), bad])

    assert journal.last_seq() == 1


def test_unknown_kinds_are_kept(journal: AnyJournal) -> None:
    """What a newer version wrote stays in its place, unchanged, and moves the version on."""
    journal.append([queued()])
    unknown = e.UnknownPayload(known_as="RunTeleported", data={"to": ["moon", 1, None], "run": "m.1"})

    stored = journal.append([on_run(unknown)])

    assert journal.read("run/m.1")[-1:] == stored
    assert (stored[0].kind, stored[0].payload) == ("RunTeleported", unknown)
    run = journal.run("m.1")
    assert run is not None
    assert run.version == 2


def test_states_are_as_of_the_newest_event(journal: AnyJournal) -> None:
    """Each list is oldest first and narrowed by what was asked for."""
    journal.append([queued("m.1"), queued("n.1", mission="n"), asked(), asked("CRP-2", run="n.1")])
    journal.append([answered(), on_run(e.RunEnded(run="n.1", outcome="failed"), run="n.1")])

    assert [run.id for run in journal.runs()] == ["m.1", "n.1"]
    assert [run.id for run in journal.runs(live=True)] == ["m.1"]
    assert [run.id for run in journal.runs(mission="n")] == ["n.1"]
    assert journal.runs(mission="n", live=True) == []
    assert [question.id for question in journal.consultations(is_open=True)] == ["CRP-2"]
    assert [question.id for question in journal.consultations(run="m.1")] == ["CRP-1"]
    assert journal.missions() == []
    assert journal.packs(state="submitted") == []
    assert (journal.mission("x"), journal.run("x"), journal.pack("x")) == (None, None, None)


def test_a_decision_may_rest_on_the_version_of_a_state(journal: AnyJournal) -> None:
    """Events that change nothing in a state still move its version to that of the stream."""
    journal.append([queued(), on_run(e.OutputStreamed(run="m.1", call="c", text="..."))])
    run = journal.run("m.1")
    assert run is not None

    assert journal.append([on_run(e.RunPaused(run="m.1"))], expect={"run/m.1": run.version})[0].version == 3


def test_an_instant_may_be_given_or_comes_from_the_clock(journal: AnyJournal) -> None:
    """An event carries when it happened, not when it was stored, if the caller knows better."""
    given_at = Proposed(stream="run/m.1", payload=queued().payload, actor="aee", at="2025-05-05T05:05:05.555Z")

    assert [event.at for event in journal.append([given_at, thought("x")])] == [
        "2025-05-05T05:05:05.555Z",
        SettableClock().now(),
    ]


def test_an_empty_append_is_nothing(journal: AnyJournal) -> None:
    """No events, no commit."""
    assert journal.append([]) == []
    assert journal.last_seq() == 0


def test_a_commit_changes_the_data_version(journal: AnyJournal) -> None:
    """A follower polls one number."""
    before = journal.data_version()
    journal.append([queued()])

    assert journal.data_version() != before


def test_every_stream_is_chained(journal: AnyJournal) -> None:
    """Each event names the hash of the one before it in its stream."""
    journal.append([queued(), asked(), thought("x"), answered()])

    for stream in ("run/m.1", "consultation/CRP-1"):
        first, second = journal.read(stream)
        assert (first.prev_hash, second.prev_hash) == ("", first.hash)


def test_blobs_come_back_by_digest(journal: AnyJournal) -> None:
    """The same bytes are kept once; what was never put is not found."""
    digest = journal.blobs.put(b"\x00bulky")

    assert journal.blobs.put(b"\x00bulky") == digest
    assert journal.blobs.get(digest) == b"\x00bulky"
    assert journal.blobs.has(digest)
    for absent in ("sha256:" + "0" * 64, "sha256:../../../etc/passwd", ""):
        with pytest.raises(NotFound):
            journal.blobs.get(absent)


ACTS = st.lists(
    st.one_of(
        st.text(max_size=20).map(thought),
        st.sampled_from(
            [
                on_run(e.RunPaused(run="m.1")),
                on_run(e.RunResumed(run="m.1")),
                on_run(e.RunAwaitsAnswer(run="m.1", consultation="CRP-1")),
                on_run(e.RunAnswered(run="m.1", consultation="CRP-1", resolution="V")),
                on_run(e.OutputStreamed(run="m.1", call="c", text="x")),
                on_run(e.StepStarted(run="m.1", step="turn", number=1, attempt=1, epoch=1, aee="x")),
                asked(),
                answered(),
            ]
        ),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS, cuts=st.lists(st.integers(1, 4), max_size=6))
def test_replaying_gives_the_same_states(
    tmp_path_factory: pytest.TempPathFactory, acts: list[Proposed], cuts: list[int]
) -> None:
    """However events were grouped, SQLite, memory and a plain fold from the start agree, hash by hash."""
    memory = MemoryJournal()
    with open_journal(tmp_path_factory.mktemp("replay") / "j", clock=SettableClock()) as stored:
        for number, group in enumerate(grouped([queued(), asked(), *acts], cuts)):
            named = [
                Proposed(stream=p.stream, payload=p.payload, actor=p.actor, id=f"{number}-{i}")
                for i, p in enumerate(group)
            ]
            memory.append(named)
            stored.append(named)

        assert stored.read_all() == memory.read_all()
        states = replayed(stored.read_all())
        assert [states["run/m.1"], states["consultation/CRP-1"]] == [stored.run("m.1"), stored.consultation("CRP-1")]
        assert (memory.runs(), memory.consultations()) == (stored.runs(), stored.consultations())


def grouped(acts: list[Proposed], cuts: list[int]) -> Iterator[list[Proposed]]:
    for cut in cuts:
        yield acts[:cut]
        acts = acts[cut:]
    yield acts


def replayed(events: list[Event]) -> dict[str, State | None]:
    states: dict[str, State | None] = {}
    for event in events:
        states[event.stream] = fold(states.get(event.stream), event)
    return states

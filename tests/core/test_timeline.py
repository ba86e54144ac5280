"""Acts: what becomes of a run's events before somebody looks at them."""

from __future__ import annotations

import random
from typing import Any

import pytest

from workbench.core.views.timeline import Act, Timeline
from workbench.model import events as e
from workbench.model.instants import instant

RUN = "prices.1"


def events(*payloads: e.Payload) -> list[e.Event]:
    """A run's stream, one event a second."""
    return [
        e.Event(
            seq=number,
            id=str(number),
            stream=f"run/{RUN}",
            version=number,
            kind=type(payload).__name__,
            schema=1,
            actor="human:Ada",
            at=instant(1_800_000_000 + number),
            payload=payload,
            prev_hash="",
            hash="",
        )
        for number, payload in enumerate(payloads, start=1)
    ]


def called(call: str, tool: str, about: str = "") -> e.ToolCalled:
    return e.ToolCalled(run=RUN, call=call, tool=tool, title=f"{tool} {about}", arguments={})


def returned(call: str, tool: str, state: str = "ok", **fields: object) -> e.ToolReturned:
    return e.ToolReturned(run=RUN, call=call, tool=tool, state=state, summary=state, **fields)  # type: ignore[arg-type]  # of any field


def acts(*payloads: e.Payload) -> list[Act]:
    timeline = Timeline()
    timeline.extend(events(*payloads))
    return timeline.acts


def test_a_call_and_its_return_are_one_act() -> None:
    """It is at work until its return, then has its state and how long it took."""
    (at_work,) = acts(called("1", "edit", "a.py"))
    assert (at_work.kind, at_work.title, at_work.state) == ("edit", "a.py", "running")
    (done,) = acts(called("1", "edit", "a.py"), returned("1", "edit", duration_ms=12))
    assert (done.state, done.duration_ms) == ("ok", 12)


def test_reads_in_a_row_are_one_act() -> None:
    """Reading, listing and searching fold; any other act between them begins a new one."""
    found = acts(
        called("1", "read", "a.py"),
        returned("1", "read"),
        called("2", "search", "price"),
        returned("2", "search", "error"),
        e.ThoughtRecorded(run=RUN, text="hm"),
        called("3", "list", "src"),
    )
    assert [act.kind for act in found] == ["read", "thought", "read"]
    assert (found[0].title, found[0].state, len(found[0].members)) == ("2 reads: a.py, price", "error", 2)


@pytest.mark.parametrize(
    ("tool", "data", "state"),
    [
        ("test", {"state": "failed"}, "failed"),
        ("test", {"state": 7}, "ok"),
        ("run", {"exit_code": 2}, "failed"),
        ("run", {"exit_code": 0}, "ok"),
    ],
)
def test_a_suite_or_command_that_failed_is_no_success(tool: str, data: dict[str, object], state: str) -> None:
    """The tool worked, and what it ran failed: the act shows the latter."""
    (act,) = acts(called("1", tool, "x"), returned("1", tool, data=data))
    assert act.state == state


def test_what_a_command_says_is_kept_while_it_runs() -> None:
    """Its output so far belongs to the act, and gives way to the outcome."""
    said = [e.OutputStreamed(run=RUN, call="1", text=f"line {number}\n") for number in range(3)]
    (act,) = acts(called("1", "run", "make"), *said)
    assert act.streamed == "line 0\nline 1\nline 2\n"
    (act,) = acts(called("1", "run", "make"), *said, returned("1", "run"))
    assert act.streamed == ""


def test_a_step_says_how_it_ended_and_a_failure_stands_where_it_came() -> None:
    """The step's own line has its outcome and duration; that it failed is told once more at that place."""
    step: dict[str, Any] = {"run": RUN, "step": "turn", "number": 2, "attempt": 1}
    found = acts(
        e.StepStarted(**step, epoch=1, aee="a"),
        e.ThoughtRecorded(run=RUN, text="hm"),
        e.StepFailed(**step, reason="no model", hint="a key is missing"),
    )
    assert [act.title for act in found] == ["turn (step 2)", "hm", "turn failed: no model"]
    assert (found[0].state, found[0].duration_ms) == ("error", 2000)
    assert found[2].text.endswith("a key is missing")


def test_an_event_of_a_newer_version_is_shown() -> None:
    """What this version does not know is an act with its name and content."""
    (act,) = acts(e.UnknownPayload(known_as="MoonLanded", data={"crew": 3}))
    assert "MoonLanded" in act.title
    assert act.text == '{"crew":3}'


def _some_run(seed: int) -> list[e.Event]:
    """Calls that overlap, returns out of order, thoughts and outputs between them; no reads, which fold by place."""
    draw = random.Random(seed)
    payloads: list[e.Payload] = []
    at_work: list[tuple[str, str]] = []
    step: dict[str, Any] = {}
    for number in range(60):
        kind = draw.choice(["call", "call", "return", "thought", "output", "step"])
        if kind == "step" and step:
            payloads.append(e.StepFinished(**step, outcome="done"))
            step = {}
        elif kind == "step":
            step = {"run": RUN, "step": "turn", "number": number, "attempt": 1}
            payloads.append(e.StepStarted(**step, epoch=1, aee="a"))
        elif kind == "call":
            tool = draw.choice(["edit", "run", "test"])
            at_work.append((str(number), tool))
            payloads.append(called(str(number), tool, "x"))
        elif kind == "thought" or not at_work:
            payloads.append(e.ThoughtRecorded(run=RUN, text=str(number)))
        elif kind == "output":
            payloads.append(e.OutputStreamed(run=RUN, call=at_work[0][0], text="o"))
        else:
            payloads.append(returned(*at_work.pop(draw.randrange(len(at_work))), duration_ms=number))
    return events(*payloads)


@pytest.mark.parametrize("seed", range(40))
def test_slices_give_what_the_whole_gives(seed: int) -> None:
    """However the stream is cut, newest part first: once all of it was read, the acts are those of the whole."""
    stream, draw = _some_run(seed), random.Random(seed)
    middle = draw.randrange(1, len(stream))
    whole, sliced = Timeline(), Timeline()
    whole.extend(stream)
    start = draw.randrange(0, middle)
    sliced.extend(stream[start:middle])
    while start:
        earlier = draw.randrange(0, start)
        sliced.prepend(stream[earlier:start])
        start = earlier
        if draw.random() < 0.5 and middle < len(stream):
            sliced.extend(stream[middle : middle + 5])
            middle = min(len(stream), middle + 5)
    sliced.extend(stream[middle:])
    assert [_plain(act) for act in sliced.acts] == [_plain(act) for act in whole.acts]
    assert (sliced.first, sliced.last) == (whole.first, whole.last)


def _plain(act: Act) -> tuple[object, ...]:
    return act.version, act.kind, act.title, act.state, act.duration_ms


def test_forgetting_keeps_the_newest_and_what_can_be_read_again() -> None:
    """A trimmed timeline begins at its oldest act; reading before it gives the others back."""
    stream = _some_run(1)
    timeline, whole = Timeline(), Timeline()
    timeline.extend(stream)
    whole.extend(stream)
    timeline.trim(5)
    assert len(timeline.acts) == 5
    timeline.prepend([event for event in stream if event.version < timeline.first])
    assert [act.version for act in timeline.acts] == [act.version for act in whole.acts]

"""The rows of what people say to an agent, and when it will hear it. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.core.messages import name_of
from workbench.core.next_step import PACK, TURN
from workbench.core.state import Message, RunState
from workbench.model.instants import seconds_between

# By the driver's name: where in a turn it hears what is not to wait for the turn's end.
_MIDWAY = {
    "scripted": "after the act that is under way",
    "native": "after the step of its loop that is under way",
}
_ELSEWHERE = "when it next asks a tool of Workbench, at latest when its turn ends"  # it takes nothing in between


class MessageRow(msgspec.Struct, frozen=True, kw_only=True):
    """One message. `age_s` counts from when it was sent, `given_s` from when the agent was given it; -1: not yet."""

    id: str
    run: str
    mode: str
    state: Literal["waiting", "given", "not given"]
    author: str
    text: str
    age_s: int
    given_s: int = -1
    how: str = ""
    when: str = ""  # it will be given; empty once it was
    kind: Literal["message"] = "message"
    schema: int = 1


def message_row(run: RunState, message: Message, *, now: str) -> MessageRow:
    """The row of one message."""
    given, over = bool(message.given_at), bool(run.outcome) and run.outcome != "failed"
    return MessageRow(
        id=message.id,
        run=run.id,
        mode=message.mode,
        state="given" if given else "not given" if over else "waiting",
        author=name_of(message.author),
        text=message.text,
        age_s=_since(message.at, now),
        given_s=_since(message.given_at, now) if given else -1,
        how=message.how,
        when="" if given else when_given(run, message.mode),
    )


def message_rows(run: RunState, *, now: str) -> list[MessageRow]:
    """What the agent was given last, then what waits."""
    rows = [message_row(run, message, now=now) for message in run.messages]
    return sorted(rows, key=lambda row: row.state != "given")


def when_given(run: RunState, mode: str) -> str:
    """When the agent hears what is said to it in that mode now, in words that follow `given `."""
    if run.outcome:
        return f"never: the run is over ({run.outcome})" if run.outcome != "failed" else "when the run is resumed"
    if run.waiting_for:
        return f"when {', '.join(run.waiting_for)} is answered"
    if run.paused:
        return "when the run goes on"
    if run.step is None or run.step.name not in (TURN, PACK):
        return "at the start of its next turn"
    if mode == "interrupt":
        return "now: what is under way ends, and a new turn begins with it"
    if run.step.name == PACK:
        return "when the pack at work is made, in a new turn"
    return "when its present turn ends" if mode == "queue" else _MIDWAY.get(run.driver, _ELSEWHERE)


def _since(instant: str, now: str) -> int:
    return max(0, int(seconds_between(instant, now)))

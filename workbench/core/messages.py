"""What people say to an agent at work: which words wait, which end its turn, and how the agent reads them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from workbench.core.state import Message, RunState
from workbench.model import events as e

Mode = Literal["queue", "steer", "interrupt"]
MODES: tuple[Mode, ...] = get_args(Mode)
ENDED_BY_WORDS = ("turn", "pack")  # steps; a workspace is prepared before anybody can be spoken to
_BROKEN_OFF = ("stopped", "interrupted")  # ends of a turn at which the agent was not asked
GIVEN_KEPT = 3  # messages that stay in a run's state after they were given, for people to see


def waiting(run: RunState) -> tuple[Message, ...]:
    """The messages that the run's agent was not given yet, in the order in which they were sent."""
    return tuple(message for message in run.messages if not message.given_at)


def due(run: RunState, *, midway: bool) -> tuple[Message, ...]:
    """The messages that may be given now: in the midst of a turn, only those that may not wait for its end."""
    return tuple(message for message in waiting(run) if not midway or message.mode != "queue")


def interrupts(run: RunState) -> Message | None:
    """The message that ends the step at work, if there is one: said since it began, for it begins with what waited.

    A run that waits for an answer is left to wait.
    """
    step = run.step
    if step is None or step.name not in ENDED_BY_WORDS or run.waiting_for:
        return None
    return next((each for each in waiting(run) if each.mode == "interrupt" and each.epoch == step.epoch), None)


def is_spoken_to(run: RunState) -> bool:
    """Whether it goes on, or will, though it rested or its pack waits: a person has said something since."""
    at_work = run.step is not None and (run.step.name != "pack" or bool(run.submission))  # else its pack is just made
    return at_work or run.sent_back or bool(waiting(run))


def told(given: e.MessageGiven) -> str:
    """A message as the agent reads it: marked as a person's, word for word."""
    return f"Message {given.message} from {name_of(given.author)}, the person who coaches you:\n{given.text}"


def name_of(author: str) -> str:
    """The person, from an event's actor."""
    return author.removeprefix("human:")


def given_of(history: Sequence[e.Event] | Sequence[e.Proposed]) -> list[e.MessageGiven]:
    """All messages that the agent was given, in that order."""
    return [event.payload for event in history if isinstance(event.payload, e.MessageGiven)]


def given_since_delivery(history: Sequence[e.Event]) -> list[e.MessageGiven]:
    """Those that it was given since it last delivered."""
    last = max((at for at, event in enumerate(history) if isinstance(event.payload, e.DeliverySubmitted)), default=-1)
    return given_of(history[last + 1 :])


def given_since_an_end(history: Sequence[e.Event]) -> list[e.MessageGiven]:
    """Those that it was given since a turn of it last ended in order: it may not have seen them."""
    found: list[e.MessageGiven] = []
    for event in history:
        if isinstance(event.payload, e.StepFinished) and event.payload.outcome not in _BROKEN_OFF:
            found.clear()
        elif isinstance(event.payload, e.MessageGiven):
            found.append(event.payload)
    return found

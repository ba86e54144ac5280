"""What people say to an agent at work: sent, changed, taken back and given."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.decide.decision import Decision, on_run, run_stream
from workbench.core.messages import MODES, name_of, waiting
from workbench.core.state import Message, RunState
from workbench.core.status import is_gate
from workbench.model import events as e
from workbench.model.errors import NotFound, Refused, UsageError
from workbench.model.ids import derived_id, message_id

MOST_CHARS = 20_000  # of one message; longer things belong into a file or a brief
MOST_WAITING = 20  # messages of one run

# --- what people decide -----------------------------------------------------------------------------------------------


def send_message(run: RunState, *, mode: str, text: str, actor: str) -> Decision:
    """Say something to the run's agent. Raises Refused where nobody is there to hear it."""
    refuse_deaf(run)
    if len(waiting(run)) >= MOST_WAITING:
        raise Refused(
            f"{MOST_WAITING} messages wait already for {run.id}.",
            hint=f"Change one of them, or take one back: workbench queue {run.id} --drop N",
        )
    name = message_id(run.id, run.messages_sent + 1)
    sent = e.MessageSent(run=run.id, message=name, mode=_mode(mode), text=_words(text))
    return _decided(run, sent, actor)


def sent_by(decision: Decision, *, at: str) -> Message:
    """The message that `send_message` decided to send."""
    (event,) = decision.events
    assert isinstance(event.payload, e.MessageSent)  # send_message made it
    sent = event.payload
    return Message(id=sent.message, mode=sent.mode, text=sent.text, author=event.actor, at=at)


def edit_message(run: RunState, wanted: str, *, text: str, actor: str, mode: str = "") -> Decision:
    """Change a message that waits, in its words or its mode."""
    message = _waiting(run, wanted)
    edited = e.MessageEdited(
        run=run.id,
        message=message.id,
        revision=message.revision + 1,
        mode=_mode(mode or message.mode),
        text=_words(text),
    )
    return _decided(run, edited, actor)


def drop_message(run: RunState, wanted: str, *, actor: str) -> Decision:
    """Take back a message that waits."""
    return _decided(run, e.MessageDropped(run=run.id, message=_waiting(run, wanted).id), actor)


# --- what the AEE decides ---------------------------------------------------------------------------------------------


def give_messages(run: RunState, messages: Sequence[Message], *, how: str) -> Decision:
    """The agent is given these; each once, whoever says so how often."""
    return Decision(events=tuple(_given(run, message, how) for message in messages))


def outdated(run: RunState, events: Sequence[e.Proposed]) -> str:
    """The message given in `events` that is not what waits now, because a person changed it; empty: there is none."""
    known = {message.id: message for message in run.messages}
    for event in events:
        given = event.payload
        if not isinstance(given, e.MessageGiven):
            continue
        message = known.get(given.message)
        if message is None or (not message.given_at and message.revision != given.revision):
            return given.message
    return ""


def _given(run: RunState, message: Message, how: str) -> e.Proposed:
    given = e.MessageGiven(
        run=run.id,
        message=message.id,
        revision=message.revision,
        mode=message.mode,
        author=message.author,
        text=message.text,
        how=how,
    )
    return on_run(run.id, given, id=derived_id(run.id, "message-given", message.id))


def _decided(run: RunState, payload: e.Payload, actor: str) -> Decision:
    # The version: two people who send at once get two messages, and what was just given is not taken back.
    return Decision(events=(on_run(run.id, payload, actor=actor),), expect={run_stream(run.id): run.version})


def refuse_deaf(run: RunState) -> None:
    """Raises Refused where nobody is there to hear a message, and says what to do."""
    if is_gate(run) or run.composed:
        raise Refused(f"{run.id} only carries a branch that was handed in: there is no agent to speak to.")
    if run.outcome == "failed":
        raise Refused(
            f"Run {run.id} is over (failed): {run.reason}".rstrip(": "),
            hint=f"workbench resume {run.id} lets it try again; then speak to it.",
        )
    if run.outcome:
        raise Refused(f"Run {run.id} is over ({run.outcome}).", hint="Start a new mission: workbench run TEXT")


def _waiting(run: RunState, wanted: str) -> Message:
    """The message of that id or number, which still waits."""
    named = next((m for m in run.messages if wanted in (m.id, m.id.rpartition("-")[2])), None)
    if named is None:
        listed = ", ".join(message.id for message in waiting(run)) or "none"
        raise NotFound(f"No message {wanted!r} of {run.id} waits.", hint=f"Those that wait: {listed}.")
    if named.given_at:
        raise Refused(
            f"{named.id} was given to the agent already; {name_of(named.author)}'s words cannot be taken back.",
            hint=f"Say something else: workbench steer {run.id} TEXT",
        )
    return named


def _mode(mode: str) -> str:
    if mode not in MODES:
        raise UsageError(f"{mode!r} is no mode.", hint=f"One of {', '.join(MODES)}.")
    return mode


def _words(text: str) -> str:
    words = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not words:
        raise Refused("A message needs words.", hint="Give them as an argument, or '-' to read them from stdin.")
    if len(words) > MOST_CHARS:
        raise Refused(
            f"A message has at most {MOST_CHARS} characters, not {len(words)}.",
            hint="Put it into a file of the repository, or into the brief, and name that.",
        )
    return words

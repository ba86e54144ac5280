"""The pure folds of what people say to an agent at work: what waits for it, and what it was given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from workbench.core.messages import GIVEN_KEPT
from workbench.core.state import Message, RunState
from workbench.model import events as e


def _sent(state: RunState, event: e.Event, p: e.MessageSent) -> RunState:
    sent = Message(id=p.message, mode=p.mode, text=p.text, author=event.actor, at=event.at, epoch=_epoch(state))
    return replace(state, messages=(*state.messages, sent), messages_sent=state.messages_sent + 1)


def _edited(state: RunState, event: e.Event, p: e.MessageEdited) -> RunState:
    said = {"mode": p.mode, "text": p.text, "author": event.actor, "revision": p.revision, "epoch": _epoch(state)}
    return _with_message(state, p.message, **said)


def _dropped(state: RunState, _: e.Event, p: e.MessageDropped) -> RunState:
    return replace(state, messages=tuple(message for message in state.messages if message.id != p.message))


def _given(state: RunState, event: e.Event, p: e.MessageGiven) -> RunState:
    told = _with_message(state, p.message, given_at=event.at, how=p.how)
    forgotten = [message.id for message in told.messages if message.given_at][:-GIVEN_KEPT]
    return replace(told, messages=tuple(each for each in told.messages if each.id not in forgotten), last_at=event.at)


def _epoch(state: RunState) -> int:
    return state.step.epoch if state.step is not None else 0


def _with_message(state: RunState, name: str, **changes: Any) -> RunState:
    changed = (replace(each, **changes) if each.id == name else each for each in state.messages)
    return replace(state, messages=tuple(changed))


def _fold(with_payload: Callable[[RunState, e.Event, Any], RunState]) -> Callable[[Any, e.Event], Any]:
    return lambda state, event: with_payload(state, event, event.payload)


MESSAGE_FOLDS: dict[type[e.Payload], Callable[[Any, e.Event], Any]] = {
    e.MessageSent: _fold(_sent),
    e.MessageEdited: _fold(_edited),
    e.MessageDropped: _fold(_dropped),
    e.MessageGiven: _fold(_given),
}

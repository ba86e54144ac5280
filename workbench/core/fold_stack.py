"""The folds of runs that stand on another's head; part of the table in `core.fold`, which alone knows streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from workbench.core.state import RunState
from workbench.model import events as e


def _run_restacked(state: RunState, event: e.Event) -> RunState:
    p = event.payload
    assert isinstance(p, e.RunRestacked)
    going = replace(state, bases=(*state.bases, p.onto), head=p.head, last_at=event.at)
    return replace(going, submission=p.head) if state.submission else going


def _footing_lost(state: RunState, event: e.Event) -> RunState:
    assert isinstance(event.payload, e.FootingLost)
    return replace(state, lost=event.payload.reason, paused=True, last_at=event.at)


STACK_FOLDS: dict[type[e.Payload], Callable[[Any, e.Event], Any]] = {
    e.RunRestacked: _run_restacked,
    e.FootingLost: _footing_lost,
}

"""The folds of deliveries to where others merge; part of the table in `core.fold`, which alone knows streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from workbench.core.state import Outside, PackState, RunState
from workbench.model import events as e


def _outside(payload: e.DeliveryStarted | e.PackDelivered) -> Outside:
    names = set(payload.__struct_fields__).intersection(Outside.__struct_fields__)
    return Outside(**{name: getattr(payload, name) for name in names})


def _delivery_started(state: PackState, event: e.Event) -> PackState:
    assert isinstance(event.payload, e.DeliveryStarted)
    return replace(state, delivering=_outside(event.payload))


def _pack_delivered(state: PackState, event: e.Event) -> PackState:
    assert isinstance(event.payload, e.PackDelivered)
    return replace(state, outside=_outside(event.payload), delivering=None)


def _delivery_abandoned(state: PackState, event: e.Event) -> PackState:
    assert isinstance(event.payload, e.DeliveryAbandoned)
    return replace(state, delivering=None, reason=event.payload.reason)


def _run_delivered(state: RunState, event: e.Event) -> RunState:
    assert isinstance(event.payload, e.RunDelivered)
    return replace(state, outside=event.payload.where, last_at=event.at)


DELIVERY_FOLDS: dict[type[e.Payload], Callable[[Any, e.Event], Any]] = {
    e.DeliveryStarted: _delivery_started,
    e.PackDelivered: _pack_delivered,
    e.DeliveryAbandoned: _delivery_abandoned,
    e.RunDelivered: _run_delivered,
}

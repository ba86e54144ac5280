"""How an event is written down: its canonical payload, its columns, and back again; it runs no SQL."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import msgspec

from workbench.model.digests import canonical
from workbench.model.errors import JournalProblem
from workbench.model.events import KINDS, Event, Payload, UnknownPayload, payload_data

EventRow = tuple[int, str, str, int, str, int, str, str, str, str, str]

COLUMNS = ("seq", "id", "stream", "version", "kind", "schema", "actor", "at", "payload", "prev_hash", "hash")
INSERT = f"INSERT INTO events ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
# The payload comes as bytes: it goes straight to the decoder.
SELECT = f"SELECT {', '.join(COLUMNS)} FROM events".replace(" payload,", " CAST(payload AS BLOB),")
_HINT_BUG = "nothing was written; this is a fault of the caller, please report it"


def encode(payload: Payload, kind: str) -> tuple[bytes, Payload]:
    """The canonical JSON of `payload`, and the payload as a reader will see it.

    Raises JournalProblem for what strict JSON or the kind's own types cannot hold: it could never be read again.
    """
    try:
        data = canonical(payload_data(payload))
        read_back = decode(kind, data)
    except (msgspec.MsgspecError, UnicodeError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise JournalProblem(f"a {kind} event cannot be stored: {error}", hint=_HINT_BUG) from error
    if read_back != payload and _has_non_finite(msgspec.to_builtins(payload)):
        raise JournalProblem(f"a {kind} event cannot be stored: JSON has no NaN and no infinity", hint=_HINT_BUG)
    return data, read_back


def decode(kind: str, data: bytes) -> Payload:
    """The payload of a stored event. Raises msgspec.DecodeError (also for wrong types) on damage."""
    if kind not in KINDS:
        return UnknownPayload(known_as=kind, data=_decode_object(data))
    return _decoder(kind).decode(data)


@cache
def _decoder(kind: str) -> msgspec.json.Decoder[Payload]:
    return msgspec.json.Decoder(KINDS[kind])


_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


def _has_non_finite(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, dict):
        return any(_has_non_finite(item) for item in value.values())
    return isinstance(value, list | tuple) and any(_has_non_finite(item) for item in value)


def event_of(row: tuple[Any, ...]) -> Event:
    """The event of a row of `SELECT`. Raises JournalProblem when its payload does not decode."""
    seq, event_id, stream, version, kind, schema, actor, at, payload, prev_hash, hash_ = row
    try:
        decoded = decode(kind, payload)
    except (msgspec.MsgspecError, UnicodeError, TypeError) as error:
        hint = "run `workbench journal verify` to see what was altered"
        raise JournalProblem(f"event {seq} is damaged: {error}", hint=hint, data={"seq": seq}) from error
    return Event(
        seq=seq,
        id=event_id,
        stream=stream,
        version=version,
        kind=kind,
        schema=schema,
        actor=actor,
        at=at,
        payload=decoded,
        prev_hash=prev_hash,
        hash=hash_,
    )

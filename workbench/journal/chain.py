"""The hash that ties an event to its place and to the event before it in its stream; it knows no database."""

from __future__ import annotations

import hashlib

import msgspec

GENESIS = ""  # `prev_hash` of a stream's first event
_ENCODE = msgspec.json.Encoder().encode


def event_hash(prev_hash: str, sealed: tuple[int, str, str, int, str, int, str, str], payload: bytes) -> str:
    """sha256, in hex, over `prev_hash` and the canonical JSON array of an event.

    `sealed` is (seq, id, stream, version, kind, schema, actor, at); `payload` is its canonical JSON as stored. The
    seq is covered so that events of different streams cannot trade places unseen.
    """
    return hashlib.sha256(prev_hash.encode() + _ENCODE((*sealed, msgspec.Raw(payload)))).hexdigest()

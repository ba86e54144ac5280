"""Canonical JSON and its sha256: the one way in which a value gets a digest."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder(order="sorted")


def canonical(value: Any) -> bytes:
    """`value` as canonical JSON: UTF-8, sorted keys, no white space."""
    return _ENCODER.encode(value)


def digest_of(value: Any) -> str:
    """`sha256:<64 hex digits>` of the canonical JSON of `value`."""
    return digest_bytes(canonical(value))


def digest_bytes(data: bytes) -> str:
    """`sha256:<64 hex digits>` of `data`."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"

"""Instants as RFC 3339 strings in UTC with milliseconds, so that text order is time order; it never reads a clock."""

from __future__ import annotations

from datetime import UTC, datetime


def instant(epoch_seconds: float) -> str:
    """Seconds since 1970 as `2026-11-22T07:44:00.123Z`."""
    moment = datetime.fromtimestamp(epoch_seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def epoch_seconds(at: str) -> float:
    """The inverse of `instant`; ValueError when the text is not one."""
    return datetime.fromisoformat(at).timestamp()


def seconds_between(earlier: str, later: str) -> float:
    """How many seconds lie between two instants; negative if they are in the other order."""
    return epoch_seconds(later) - epoch_seconds(earlier)

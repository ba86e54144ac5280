"""How states look to a person, on screens and in tables: a glyph and a word, so that none is told by colour alone."""

from __future__ import annotations

from typing import Literal, NamedTuple

Meaning = Literal["dim", "accent", "needs-you", "proven", "failed", "stale"]  # which colour it gets, if any


class Mark(NamedTuple):
    """One state: its glyph, the same in ASCII, the word that a person reads, and what it means."""

    glyph: str
    ascii: str
    word: str
    role: Meaning


MARKS: dict[str, Mark] = {
    "queued": Mark("○", "o", "queued", "dim"),
    "running": Mark("●", "*", "running", "accent"),
    "waiting-human": Mark("◐", "?", "needs you", "needs-you"),
    "waiting-quota": Mark("◌", ".", "waits for quota", "dim"),
    "paused": Mark("‖", "=", "paused", "dim"),
    "done": Mark("✓", "+", "done", "proven"),
    "stopped": Mark("■", "#", "stopped", "dim"),
    "ready": Mark("✓", "+", "ready", "proven"),
    "needs-human": Mark("◐", "?", "needs a person", "needs-you"),
    "not-ready": Mark("✗", "x", "not ready", "failed"),
    "failed": Mark("✗", "x", "failed", "failed"),
    "approved": Mark("✓", "+", "approved", "proven"),
    "changes-requested": Mark("↩", "<", "changes requested", "needs-you"),
    "rejected": Mark("✗", "x", "rejected", "failed"),
    "superseded": Mark("~", "~", "superseded", "stale"),
    "merged": Mark("✓", "+", "merged", "proven"),
    "stale": Mark("~", "~", "stale", "stale"),
    "open": Mark("◐", "?", "open", "needs-you"),
    "withdrawn": Mark("·", ".", "withdrawn", "stale"),
    "assembling": Mark("◌", ".", "being assembled", "dim"),
    "resolved": Mark("✓", "+", "answered", "proven"),
    "passed": Mark("✓", "+", "passed", "proven"),
    "unproven": Mark("?", "?", "unproven", "needs-you"),
    "skipped": Mark("–", "-", "skipped", "stale"),
    "no-tests": Mark("?", "?", "no tests", "needs-you"),
    "timed-out": Mark("✗", "x", "timed out", "failed"),
    "error": Mark("✗", "x", "error", "failed"),
    "not-checked": Mark("?", "?", "not checked", "needs-you"),
    "satisfied": Mark("✓", "+", "satisfied", "proven"),
    "unsatisfied": Mark("✗", "x", "unsatisfied", "failed"),
    "overridden": Mark("!", "!", "overridden", "needs-you"),
    "alert": Mark("!", "!", "alert", "failed"),
    "unknown": Mark("?", "?", "unknown", "stale"),
    "ok": Mark("✓", "+", "ok", "proven"),
    "warn": Mark("!", "!", "warning", "needs-you"),
    "waiting": Mark("○", "o", "waiting", "accent"),
    "given": Mark("✓", "+", "given", "dim"),
    "not given": Mark("✗", "x", "not given", "failed"),
    "fail": Mark("✗", "x", "fails", "failed"),
}


def mark(state: str) -> Mark:
    """The mark of a state; one that is not known says so, with its own word."""
    return MARKS.get(state) or Mark("?", "?", state, "stale")

"""Calls code of plugins under a guard: what it raises is told, and what overruns is left behind. It knows no hook."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from workbench.model.text import one_line

REASON = 500  # characters of what went wrong


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a call. `value` counts only where the state is `ok`."""

    state: Literal["ok", "error", "timed-out"]
    value: Any = None
    reason: str = ""
    error: Any = None  # what was raised
    seconds: float = 0.0


def guarded(call: Callable[[], Any], *, limit_s: float | None, name: str) -> Outcome:
    """Call in a thread of its own, which stays until what it started has ended, as some sandboxes need.

    Python cannot end a thread: one that overruns goes on by itself, and what it brings is dropped.
    """
    begun = time.monotonic()
    brought: list[Outcome] = []

    def work() -> None:
        try:
            brought.append(Outcome(state="ok", value=call()))
        except (Exception, SystemExit) as error:  # noqa: BLE001  # the plugin edge: it becomes the outcome
            reason = one_line(f"{type(error).__name__}: {error}", REASON)
            brought.append(Outcome(state="error", reason=reason, error=error))

    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    thread.join(limit_s)
    found = brought[0] if brought else Outcome(state="timed-out", reason=f"it did not end within {limit_s:g} s")
    return msgspec.structs.replace(found, seconds=time.monotonic() - begun)

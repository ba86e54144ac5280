"""Whether an AEE serves this journal, read off its lock and its card; how it is asked to end. It starts nothing.

The AEE keeps `aee.json` (who it is) beside the journal and holds `aee.lock` by flock for as long as it lives. A card
alone proves nothing: the process it names must exist, have started when the card says, and hold the lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
from pathlib import Path
from typing import Literal

import msgspec

CARD = "aee.json"
LOCK = "aee.lock"
LOG = "aee.log"
_START_TICKS_FIELD = 22 - 3  # field 22 of /proc/PID/stat, counted after the name in parentheses (proc(5))


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """An AEE as it stands. `stopped` keeps what the last one left on its card, but no pid."""

    state: Literal["running", "starting", "stopped"]
    pid: int | None = None
    aee: str = ""
    version: str = ""
    sandbox: str = ""
    max_runs: int = 0
    started_ticks: int = 0
    trouble: str = ""  # why it ended by itself
    died: bool = False  # the card says that it runs, and it does not: it was killed


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What an AEE writes about itself into `aee.json`."""

    aee: str
    pid: int
    started_ticks: int
    version: str = ""
    sandbox: str = ""
    max_runs: int = 0
    state: Literal["starting", "running", "stopped"] = "starting"
    trouble: str = ""  # of one that stopped: why it had to


def presence(directory: Path) -> Presence:
    """Who serves the journal in `directory` at this moment."""
    card = _card(directory / CARD)
    if card is None:
        return Presence(state="stopped")
    known = Presence(
        state="stopped",
        aee=card.aee,
        version=card.version,
        sandbox=card.sandbox,
        max_runs=card.max_runs,
        died=card.state != "stopped",
        trouble=card.trouble,
    )
    if card.state == "stopped" or not _lives(card.pid, card.started_ticks) or not _is_held(directory / LOCK):
        return known
    return msgspec.structs.replace(known, state=card.state, pid=card.pid, started_ticks=card.started_ticks, died=False)


def end(who: Presence, grace_s: float) -> bool:
    """Ask the AEE to end (SIGTERM) and wait up to `grace_s` seconds; whether it is gone. A reused pid is spared."""
    if who.pid is None:
        return True
    try:
        handle = os.pidfd_open(who.pid)
    except ProcessLookupError:
        return True
    try:
        if not _lives(who.pid, who.started_ticks):
            return True
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGTERM)
        ready, _, _ = select.select([handle], [], [], grace_s)
        return bool(ready)
    finally:
        os.close(handle)


def started_ticks(pid: int) -> int | None:
    """When the process started, in clock ticks since boot; None when there is none, or it is a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[_START_TICKS_FIELD])


def write_card(directory: Path, card: Card) -> None:
    """Put the card in place in one step, so that a reader never sees half of it."""
    fresh = directory / f"{CARD}.{os.getpid()}"
    fresh.write_bytes(msgspec.json.encode(card))
    fresh.replace(directory / CARD)


def _card(path: Path) -> Card | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Card)
    except (OSError, msgspec.DecodeError):
        return None


def _lives(pid: int, ticks: int) -> bool:
    return pid > 0 and started_ticks(pid) == ticks


def _is_held(lock: Path) -> bool:
    """Whether somebody holds the lock. Asked only of a living owner, so the moment of ours delays no start."""
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)

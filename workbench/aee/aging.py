"""How many days have passed, by a clock that somebody may set: the machine's uptime counts where it can be had."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import msgspec

DAY_S = 86_400.0
BOOT = Path("/proc/sys/kernel/random/boot_id")  # random(4)


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """An instant: by the clock, and by the seconds since a start of the machine, which nobody can set."""

    at: float  # seconds since 1970
    boot: str = ""  # which start of the machine; empty where it does not say
    up: float = 0.0


def now() -> Moment:
    """This instant."""
    boot = ""
    with suppress(OSError):
        boot = BOOT.read_text(encoding="ascii").strip()
    up = time.clock_gettime(time.CLOCK_BOOTTIME) if boot else 0.0  # counts sleep, too
    return Moment(at=time.time(), boot=boot, up=up)


def is_sure(then: Moment, now: Moment) -> bool:
    """Whether the days between are known for certain, whatever was done to the clock."""
    return bool(then.boot) and then.boot == now.boot


def days_between(then: Moment, now: Moment) -> float:
    """The days between; only as right as the clock where the machine was started anew meanwhile."""
    return (now.up - then.up if is_sure(then, now) else now.at - then.at) / DAY_S

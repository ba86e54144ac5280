"""Owns the choice of a sandbox level: the best that a real probe run shows to work, or what a person named.

Knows nothing of runs, policies and packs: whoever calls has read the policy, and records the level.
"""

from __future__ import annotations

import functools
import os
from typing import cast

import msgspec

from workbench.aee.sandbox.bubblewrap import Bubblewrap
from workbench.aee.sandbox.container import container_evidence
from workbench.aee.sandbox.landlock import Landlock
from workbench.aee.sandbox.seatbelt import Seatbelt
from workbench.aee.sandbox.unconfined import Unconfined
from workbench.artifacts.terms import SANDBOX_LEVELS
from workbench.model.errors import SandboxProblem
from workbench.ports import Job, Limits, SandboxLevel

DECLARATION = "WORKBENCH_SANDBOX"  # how CI says that its container is the sandbox
PROBE_S = 20.0
USERNS_SWITCHES = (
    ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_unprivileged_userns=0"),
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
    ("/proc/sys/user/max_user_namespaces", "0", "user.max_user_namespaces=15000"),
)
OTHER_WAYS = (
    "Otherwise: `--sandbox container` where a container is the protection, or `--sandbox none`, which is dangerous: "
    "agents then reach all that you can."
)


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a level works on this machine; if not, why, and what to do."""

    level: SandboxLevel
    works: bool
    reason: str = ""
    hint: str = ""
    limitations: tuple[str, ...] = ()


Confined = Bubblewrap | Landlock | Seatbelt
Selected = Confined | Unconfined
LADDER: dict[SandboxLevel, type[Confined]] = {  # what is tried unasked, best first
    "bubblewrap": Bubblewrap,
    "landlock": Landlock,
    "sandbox-exec": Seatbelt,
}


def select(wanted: str, *, allow_none: bool, demo: bool = False, minimum: SandboxLevel = "none") -> Selected:
    """The sandbox of level `wanted`; for an empty one the declared level, else the best that works.

    `allow_none` says that a person opted in to `none` and no policy forbids it; below `minimum`, nothing is chosen
    unasked. The demo's own scripted agents fall back to `none` where no level works; the caller warns. Raises
    SandboxProblem with the remedy.
    """
    level = wanted or os.environ.get(DECLARATION, "")
    if not level:
        return _best(minimum, unconfined=demo)
    if level == "container":
        return _container()
    if level == "none":
        return _none(allowed=allow_none or demo)
    for known in LADDER:
        if level == known:
            return _working(known)
    levels = ", ".join(f"`{name}`" for name in reversed(SANDBOX_LEVELS))
    raise SandboxProblem(f"There is no sandbox of level {level!r} here", hint=f"Levels: {levels}.")


@functools.cache
def probe(level: SandboxLevel) -> Probe:
    """Try the level with a real command, once in the life of this process."""
    try:
        if level in LADDER:
            return _tried(_made(level))
        sandbox = _container() if level == "container" else select(level, allow_none=True)
    except SandboxProblem as problem:
        return Probe(level=level, works=False, reason=problem.message, hint=problem.hint)
    return Probe(level=level, works=True, limitations=sandbox.limitations)


def limitations(sandbox: object) -> tuple[str, ...]:
    """What a sandbox does not limit, for packs and `doctor`; nothing is known about one that does not say."""
    return cast(tuple[str, ...], getattr(sandbox, "limitations", ()))


def best_level() -> SandboxLevel:
    """The level that is chosen here when nobody asks for one."""
    return next((level for level in LADDER if probe(level).works), "none")


def _best(minimum: SandboxLevel, *, unconfined: bool) -> Selected:
    """The first of the ladder that works and is not below `minimum`; else the first one's reason is told."""
    rank = SANDBOX_LEVELS.index
    for level in LADDER:
        if rank(level) >= rank(minimum) and probe(level).works:
            return _made(level)
    if unconfined:
        return Unconfined("none")
    raise _problem("bubblewrap")


def _working(level: SandboxLevel) -> Confined:
    if not probe(level).works:
        raise _problem(level)
    return _made(level)


def _problem(level: SandboxLevel) -> SandboxProblem:
    found = probe(level)
    return SandboxProblem(found.reason, hint=found.hint)


@functools.cache
def _made(level: SandboxLevel) -> Confined:
    """One for the process: what its probe run found out about this machine stays with it."""
    return LADDER[level]()


def _container() -> Unconfined:
    if not container_evidence():
        raise SandboxProblem(
            "The level `container` was asked for, but nothing shows that this is a container",
            hint="Inside a container, /.dockerenv or /run/.containerenv exists; outside, use `--sandbox bubblewrap`.",
        )
    return Unconfined("container")


def _none(*, allowed: bool) -> Unconfined:
    if not allowed:
        raise SandboxProblem(
            "Running without a sandbox is not allowed here",
            hint="Give `--sandbox none` yourself, and see that the policy does not forbid it.",
        )
    return Unconfined("none")


def _tried(sandbox: Confined) -> Probe:
    job = Job(argv=("/bin/sh", "-c", "exit 7"), cwd="/tmp", limits=Limits(wall_s=PROBE_S))
    reason = ""
    try:
        completed = sandbox.run(job)
        if (completed.state, completed.exit_code) != ("exited", 7):
            said = completed.stderr.text
            reason = f"the probe run ended as {completed.state} ({completed.exit_code}) {said}"
    except SandboxProblem as problem:
        reason = problem.message
    if reason:
        text = f"{sandbox.level} does not work here: {reason}"
        return Probe(
            level=sandbox.level,
            works=False,
            reason=text,
            hint=_remedy() if sandbox.level == "bubblewrap" else OTHER_WAYS,
        )
    return Probe(level=sandbox.level, works=True, limitations=sandbox.limitations)


def _remedy() -> str:
    for path, bad, remedy in USERNS_SWITCHES:
        if _read_word(path) == bad:
            return f"User namespaces are switched off: `sudo sysctl -w {remedy}`. {OTHER_WAYS}"
    return f"User namespaces may be forbidden by the container or the kernel around us. {OTHER_WAYS}"


def _read_word(path: str) -> str:
    try:
        with open(path, encoding="ascii") as switch:
            return switch.read().strip()
    except OSError:
        return ""

"""Owns what the human's side finds out about sandbox levels before anything begins; the AEE tries them for itself.

Knows nothing of how jobs run in them.
"""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
import sys

from workbench.model.errors import SandboxProblem

DECLARATION = "WORKBENCH_SANDBOX"  # how CI says that its container is the sandbox
PROBE_S = 10.0  # for a program that only says who it is
VERSION_OF_LANDLOCK = 444  # landlock_create_ruleset, which tells its version when it is asked for nothing else
OLDEST_LANDLOCK = 3
MACHINES = ("x86_64", "aarch64", "riscv64")  # whose system calls are known
OTHERWISE = "else --sandbox container in CI, or --sandbox none (danger)"


def bubblewrap_problem() -> SandboxProblem | None:
    """Why bubblewrap does not work here, by a run of it; None when it does."""
    program = shutil.which("bwrap")
    if program is None:
        return SandboxProblem("bubblewrap is not installed", hint=f"apt install bubblewrap; {OTHERWISE}")
    words = (program, "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--", "/bin/true")
    said = subprocess.run(
        words, capture_output=True, text=True, errors="replace", timeout=PROBE_S, check=False, stdin=subprocess.DEVNULL
    )
    if said.returncode == 0:
        return None
    return SandboxProblem(
        f"bubblewrap does not work: {said.stderr.strip()[:200]}",
        hint=f"allow user namespaces (workbench doctor says how); {OTHERWISE}",
    )


def landlock_problem() -> SandboxProblem | None:
    """Why Landlock does not work here, as the kernel tells; None when it does."""
    version = 0
    if sys.platform == "linux" and platform.machine() in MACHINES:
        call = ctypes.CDLL(None).syscall
        version = call(ctypes.c_long(VERSION_OF_LANDLOCK), None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if version >= OLDEST_LANDLOCK:
        return None
    found = f"has version {version}" if version > 0 else "is missing"
    return SandboxProblem(f"Landlock {found} in this kernel", hint=f"Linux 6.2 or newer has it; {OTHERWISE}")


def seatbelt_problem() -> SandboxProblem | None:
    """Why macOS's sandbox does not work here; None when it is there."""
    if sys.platform == "darwin" and shutil.which("sandbox-exec"):
        return None
    return SandboxProblem("sandbox-exec is a program of macOS", hint=OTHERWISE)


PROBLEMS = {"bubblewrap": bubblewrap_problem, "landlock": landlock_problem, "sandbox-exec": seatbelt_problem}


def best_level() -> str:
    """The level that is chosen when nobody asks for one; empty when none works."""
    return next((level for level, problem in PROBLEMS.items() if problem() is None), "")


def require_sandbox(level: str) -> None:
    """Raise SandboxProblem with the remedy where the level that is wanted, or any, does not work."""
    wanted = level or os.environ.get(DECLARATION, "")
    if wanted in ("", "auto"):
        problem = None if best_level() else bubblewrap_problem()
    else:
        problem = PROBLEMS[wanted]() if wanted in PROBLEMS else None
    if problem is not None:
        raise problem

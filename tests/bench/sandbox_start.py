"""How long a sandboxed command takes to start and end, against a bare spawn and a bare bubblewrap.

Run it with `python tests/bench/sandbox_start.py`; it prints `name, ours, yardstick, ratio`.
"""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable

from workbench.aee.sandbox.select import probe, select
from workbench.ports import Job, Limits, Sandbox

ROUNDS = 60
ENV = {"PATH": "/usr/bin:/bin"}
BARE = [
    "bwrap",
    "--unshare-all",
    "--unshare-user",
    "--cap-drop",
    "ALL",
    "--die-with-parent",
    "--new-session",
    "--clearenv",
    "--ro-bind",
    "/usr",
    "/usr",
    "--symlink",
    "usr/bin",
    "/bin",
    "--symlink",
    "usr/lib",
    "/lib",
    "--symlink",
    "usr/lib64",
    "/lib64",
    "--proc",
    "/proc",
    "--dev",
    "/dev",
    "--tmpfs",
    "/tmp",
    "/bin/true",
]


def spawn(*argv: str) -> Callable[[], object]:
    return lambda: subprocess.run(argv, check=True, capture_output=True)


def sandboxed(sandbox: Sandbox, limits: Limits) -> Callable[[], object]:
    job = Job(argv=("/bin/true",), cwd="/tmp", env=ENV, limits=limits)
    return lambda: sandbox.run(job)


def medians(works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Milliseconds of each, measured in turns so that the machine's moods are shared."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            begun = time.perf_counter()
            work()
            taken[name].append((time.perf_counter() - begun) * 1000)
    return {name: statistics.median(times) for name, times in taken.items()}


def main() -> None:
    """Measure and print."""
    works = {"spawn": spawn("/bin/true"), "none": sandboxed(select("none", allow_none=True), Limits())}
    if probe("bubblewrap").works:
        best = select("bubblewrap", allow_none=False)
        works["bare bwrap"] = spawn(*BARE)
        works["bubblewrap"] = sandboxed(best, Limits())
        works["bubblewrap, processes unlimited"] = sandboxed(best, Limits(processes=0))
    if probe("landlock").works:
        works["landlock"] = sandboxed(select("landlock", allow_none=False), Limits())
    found = medians(works)
    print("name, ours ms, yardstick ms, ratio")
    for name in found:
        yardstick = "bare bwrap" if name.startswith("bubblewrap") else "spawn"
        print(f"{name} / {yardstick}, {found[name]:.1f}, {found[yardstick]:.1f}, {found[name] / found[yardstick]:.2f}")


if __name__ == "__main__":
    main()

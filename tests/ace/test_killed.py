"""A merge that is killed at any moment leaves one merge or none, and the next command knows which."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from ace_world import Call, World, git

KILLS = 4  # moments in one run of the tests; test_killed_steps goes through the steps
LONGEST_S = 0.6  # a whole merge takes about this long


def test_a_merge_killed_at_any_moment_happens_once(call: Call, world: World, repository: Path) -> None:
    """kill -9 at random moments, then the same command again: one merge commit, one event, a clean checkout."""
    (run,) = world.mission()
    name = world.pack(run)
    call("approve", name, "--why", "fine")
    moments = random.Random(7)
    for _ in range(KILLS):
        _kill_merge(repository, name, after_s=moments.uniform(0.05, LONGEST_S))
    assert call("merge", name).code in (0, 1)  # 1: a killed one had got to the end
    call("wait", "--no-start")
    trailers = git(repository, "log", "main", "--format=%(trailers:key=Workbench-Pack,valueonly)").split()
    kinds = [event.kind for event in world.journal.read(f"pack/{name}")]
    assert trailers == [name]
    assert kinds.count("PackMerged") == 1
    assert kinds.count("MergeStarted") == kinds.count("MergeAbandoned") + 1
    assert git(repository, "status", "--porcelain") == ""
    assert (repository / "shop.py").read_text() == "PRICE = 2\n"
    assert call("journal", "verify").code == 0


def _kill_merge(repository: Path, name: str, *, after_s: float) -> None:
    words = [sys.executable, "-m", "workbench", "merge", name]
    with subprocess.Popen(words, cwd=repository, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as merging:
        try:
            merging.wait(timeout=after_s)
        except subprocess.TimeoutExpired:
            merging.kill()

"""Jobs whose owner was killed: also those that the kernel's parent death signal cannot reach."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from workbench.aee.sandbox.orphans import end_orphans, ownership
from workbench.aee.sandbox.select import Selected
from workbench.ports import Completed

OWNER = """
import sys
from workbench.aee.sandbox.bubblewrap import Bubblewrap
from workbench.ports import Job
sandbox = Bubblewrap()
print(flush=True)
while True:
    sandbox.run(Job(argv=("/bin/true", sys.argv[1]), cwd="/", mounts=(), env={}))
"""
SLEEPER = ("/bin/sleep", "1000")
DEATHS = 20  # one in twenty leaves a bubblewrap that waits for its dead parent


def naming(mark: str) -> list[int]:
    """The living processes of bubblewrap that have the mark in their words."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = entry.joinpath("cmdline").read_bytes()
            except OSError:
                continue
            if mark.encode() in words and b"bwrap" in words:
                found.append(int(entry.name))
    return found


def test_no_job_outlives_an_owner_that_was_killed_at_any_moment(bubblewrap: Selected, tmp_path: Path) -> None:
    chance = random.Random(7)
    for _ in range(DEATHS):
        with subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE) as owner:
            assert owner.stdout is not None
            owner.stdout.readline()
            time.sleep(chance.uniform(0.0, 0.05))
            owner.kill()
    until = time.monotonic() + 30.0
    while naming(str(tmp_path)) and time.monotonic() < until:
        end_orphans()
        time.sleep(0.05)
    assert not naming(str(tmp_path))


def is_ended(environment: dict[str, str]) -> bool:
    """Whether a process with this environment was taken for an orphan."""
    with subprocess.Popen(SLEEPER, env=environment) as process:
        while not Path(f"/proc/{process.pid}/environ").read_bytes():  # the kernel still lays it out
            time.sleep(0.01)
        end_orphans()
        try:
            process.wait(timeout=0.3)
        except subprocess.TimeoutExpired:
            process.kill()
            return False
        return True


def test_an_orphan_is_ended_and_nothing_else() -> None:
    ((name, mine),) = ownership().items()
    namespace, pid, ticks = mine.rsplit(":", 2)
    assert is_ended({name: f"{namespace}:{pid}:{int(ticks) + 1}"}), "a pid that was given out again"
    assert not is_ended({name: mine}), "its owner lives"
    assert not is_ended({name: f"pid:[1]:{pid}:{int(ticks) + 1}"}), "a pid of another namespace"
    assert not is_ended({"OTHER": "1", **os.environ})


def test_a_job_does_not_see_whose_it_is(bubblewrap: Selected, run_script: Callable[..., Completed]) -> None:
    ((name, _),) = ownership().items()
    shown = run_script(bubblewrap, "env; cat /proc/self/environ")
    assert shown.state == "exited" and shown.exit_code == 0
    assert name.encode() not in shown.stdout.data


STARVED = """
import os, resource
from workbench.aee.sandbox.orphans import _is_dead
from workbench.journal.presence import started_ticks
me, ticks = os.getpid(), started_ticks(os.getpid())
resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
assert started_ticks(me) is None  # the control: who asks only this takes the living for dead
assert not _is_dead(me, ticks)
"""


def test_an_owner_that_cannot_be_asked_is_not_dead() -> None:
    """Where no file can be opened any more, nobody's job is ended."""
    subprocess.run([sys.executable, "-c", STARVED], check=True)

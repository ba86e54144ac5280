"""Limits that the kernel keeps, and jobs whose starter died."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from workbench.aee.sandbox import processes
from workbench.aee.sandbox.bubblewrap import Bubblewrap
from workbench.aee.sandbox.select import Selected, probe, select
from workbench.ports import Completed, Job, Limits, Mount

PID_MAX = Path("/proc/sys/kernel/pid_max")
ENV = {"PATH": "/usr/bin:/bin"}
FORKS = 500
FORK = f"i=0; while [ $i -lt {FORKS} ]; do sleep 60 & i=$((i+1)); echo $i; done"
STARTER = """
import os, sys
from workbench.aee.sandbox.select import select
from workbench.ports import Job
level, marker = sys.argv[1:]
script = f"(setsid setsid sleep {marker} & ) ; sleep {marker} & sleep 0.2; echo ready; wait"
job = Job(argv=("/bin/sh", "-c", script), cwd="/", env={"PATH": "/usr/bin:/bin"})
select(level, allow_none=True).run(job, on_output=lambda name, chunk: os.write(1, chunk))
"""


def forked(sandbox: Selected, limit: int) -> int:
    job = Job(argv=("/bin/dash", "-c", FORK), cwd="/", env=ENV, limits=Limits(wall_s=60, processes=limit))
    return int(sandbox.run(job).stdout.text.split()[-1])


def test_the_kernel_limits_the_number_of_processes(bubblewrap: Selected) -> None:
    """A job gets about as many processes as its limit, whoever started it; without the limit, all it asks for."""
    if processes.is_root() and any("watched" in note for note in bubblewrap.limitations):
        pytest.skip("this kernel limits no processes of root; they are watched instead")
    before = PID_MAX.read_text()
    assert 10 <= forked(bubblewrap, 12) <= 12 + processes.RESERVED_PIDS
    assert forked(bubblewrap, 0) == FORKS
    assert PID_MAX.read_text() == before


def test_where_the_kernel_cannot_the_number_is_watched(bubblewrap: Selected, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root on an older kernel a job over its number of processes is ended, and the level states the difference."""
    monkeypatch.setattr(processes, "is_root", lambda: True)
    monkeypatch.setattr(processes, "kernel_version", lambda: (6, 1))
    job = Job(argv=("/bin/dash", "-c", FORK + "; sleep 60"), cwd="/", env=ENV, limits=Limits(wall_s=60, processes=40))
    sandbox = Bubblewrap()
    done = sandbox.run(job)
    assert (done.state, done.exit_code) == ("exited", -9)
    assert "more than 40 processes" in done.stderr.text
    assert any("watched" in note for note in sandbox.limitations)


@pytest.mark.parametrize("level", ["bubblewrap", "landlock", "none"])
def test_a_job_dies_with_its_starter(request: pytest.FixtureRequest, level: str, tmp_path: Path) -> None:
    """R1: when the process that runs a job is killed with SIGKILL, nothing of the job is left two seconds later."""
    if level != "none":
        request.getfixturevalue(level)
    marker = f"{os.getpid()}.{abs(hash(str(tmp_path))) % 10**9:09d}"
    with subprocess.Popen([sys.executable, "-c", STARTER, level, marker], stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == b"ready\n"
        sleeping = [
            process for process in psutil.process_iter(["cmdline"]) if marker in (process.info["cmdline"] or ())
        ]
        assert len([process for process in sleeping if process.info["cmdline"][0] == "sleep"]) == 2
        starter.kill()
        _, alive = psutil.wait_procs([process for process in sleeping if process != starter], timeout=2)
    assert [process for process in alive if process.pid != starter.pid] == []


HOLD = "import time; held = [bytearray(b'x' * (64 << 20)) for _ in range(3)]; print('held', flush=True); time.sleep({})"


@pytest.mark.parametrize("level", ["bubblewrap", "landlock", "none"])
def test_what_all_processes_hold_together_is_watched(level: str) -> None:
    """A job that holds more than its total is ended, and says so; what is only reserved does not count."""
    if not (found := probe(level)).works:
        pytest.skip(found.reason)
    sandbox = select(level, allow_none=True)

    def held(total: int, seconds: int) -> Completed:
        words = (os.path.realpath(sys.executable), "-I", "-S", "-c", HOLD.format(seconds))
        limits = Limits(wall_s=60, total_bytes=total)
        return sandbox.run(Job(argv=words, cwd="/", env=ENV, mounts=(Mount(source=sys.base_prefix),), limits=limits))

    done = held(128 << 20, 50)
    assert (done.state, done.exit_code) == ("exited", -9) and "more than 128 MB of memory" in done.stderr.text
    assert held(1 << 30, 0).exit_code == 0

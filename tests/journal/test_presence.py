"""Who serves a journal is known by a process that lives, began when its card says, and holds the lock."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.journal.presence import LOCK, Card, Presence, end, presence, started_ticks, write_card


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Path]:
    """A directory whose lock somebody holds."""
    with (tmp_path / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield tmp_path


def card(*, late: int = 0, pid: int = 0) -> Card:
    """A card of this process, or of another, that began so many ticks later."""
    pid = pid or os.getpid()
    return Card(aee="a", pid=pid, started_ticks=(started_ticks(pid) or 0) + late, state="running")


def test_an_aee_is_there_while_it_lives_and_holds_the_lock(held: Path) -> None:
    """The control for what follows."""
    write_card(held, card())
    assert (presence(held).state, presence(held).pid) == ("running", os.getpid())


def test_a_process_with_the_pid_of_a_dead_aee_is_not_taken_for_it(held: Path) -> None:
    """Pids are used again: the start time tells them apart, and what died is told as such."""
    write_card(held, card(late=1))
    assert (presence(held).state, presence(held).pid, presence(held).died) == ("stopped", None, True)


def test_a_living_process_without_the_lock_serves_nobody(tmp_path: Path) -> None:
    """A card alone proves nothing."""
    (tmp_path / LOCK).touch()
    write_card(tmp_path, card())
    assert presence(tmp_path).state == "stopped"


def test_a_process_with_the_pid_of_a_dead_aee_is_not_ended() -> None:
    """Neither asked nor killed; the AEE itself is."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        ticks = started_ticks(other.pid) or 0
        assert end(Presence(state="running", pid=other.pid, started_ticks=ticks + 1), grace_s=0.0)
        assert other.poll() is None
        assert end(Presence(state="running", pid=other.pid, started_ticks=ticks), grace_s=60.0)
        other.wait()

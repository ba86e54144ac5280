"""What the command line finds out about sandbox levels before anything begins."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

import pytest

from workbench.ace.wiring import levels
from workbench.aee.sandbox import callfilter, landlock
from workbench.aee.sandbox.select import LADDER, probe
from workbench.model.errors import SandboxProblem

BROKEN = "#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n"


@pytest.fixture
def without_bubblewrap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(levels.DECLARATION, raising=False)
    return tmp_path


def old_kernel(monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    class Kernel:
        @staticmethod
        def syscall(*_: object) -> int:
            return version

    monkeypatch.setattr(ctypes, "CDLL", lambda _: Kernel)


def test_both_sides_agree_about_a_level() -> None:
    """What is told before a start is what the agents' side finds by a trial run, for every level."""
    assert list(levels.PROBLEMS) == list(LADDER)
    assert {name: problem() is None for name, problem in levels.PROBLEMS.items()} == {
        name: probe(name).works for name in LADDER
    }
    assert levels.OLDEST_LANDLOCK == landlock.OLDEST
    assert set(levels.MACHINES) == set(callfilter.MACHINES)


def test_landlock_takes_the_place_of_bubblewrap(without_bubblewrap: Path) -> None:
    """Without bubblewrap the next level is named; a level that was asked for is not replaced."""
    if levels.landlock_problem() is not None:
        pytest.skip("this kernel has no Landlock")
    assert levels.best_level() == "landlock"
    levels.require_sandbox("")
    with pytest.raises(SandboxProblem, match="not installed"):
        levels.require_sandbox("bubblewrap")


@pytest.mark.parametrize(("version", "said"), [(-1, "missing"), (2, "has version 2")])
def test_where_nothing_works_the_way_out_is_told(
    without_bubblewrap: Path, monkeypatch: pytest.MonkeyPatch, version: int, said: str
) -> None:
    """Where no level works, the first one's reason and the remedies are told, and Landlock's if it was asked for."""
    program = without_bubblewrap / "bwrap"
    program.write_text(BROKEN)
    program.chmod(0o755)
    old_kernel(monkeypatch, version)
    monkeypatch.setattr(sys, "platform", "linux")
    assert levels.best_level() == ""
    with pytest.raises(SandboxProblem, match="uid map") as caught:
        levels.require_sandbox("auto")
    assert "--sandbox container" in caught.value.hint
    with pytest.raises(SandboxProblem, match=said):
        levels.require_sandbox("landlock")


def test_what_is_declared_or_named_is_taken_at_its_word(
    without_bubblewrap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`container` and `none` need no trial here: the agents' side looks for the container."""
    old_kernel(monkeypatch, 0)
    levels.require_sandbox("none")
    monkeypatch.setenv(levels.DECLARATION, "container")
    levels.require_sandbox("")

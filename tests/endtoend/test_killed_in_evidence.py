"""Kills while evidence is being made: a pack's suites are at work in their checkouts when the AEE, or all, ends."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.soak.invariants import Witness, events_of, judged
from tests.soak.killing import aee_pid, inhabitants, run_children
from tests.soak.person import Person
from workbench.aee.sandbox.select import probe
from workbench.model import events as e
from workbench.testing.repositories import Repo

SCRIPT = """agent: quick
steps:
  - files: {"adder.py": "def add(a, b):\\n    return b + a\\n"}
  - submit: {message: "Add the other way round", rationale: {approach: "Plainly."}}
"""
SUITE = "import time\nfrom adder import add\n\ndef test_add():\n    time.sleep(0.7)\n    assert add(1, 2) == 3\n"
BEGINS_WITHIN_S = 60.0
VICTIMS: dict[str, Callable[[Person], list[int]]] = {
    "the AEE": lambda person: [aee_pid(person)],
    "the run child": run_children,
    "everything": lambda person: inhabitants(person.root),
}
# Each takes seconds; WORKBENCH_SOAK=1 kills all of them.
SAMPLE = sorted(VICTIMS) if os.environ.get("WORKBENCH_SOAK") else ["the AEE"]


@pytest.fixture
def person(tmp_path: Path) -> Person:
    if not (found := probe("bubblewrap")).works:
        pytest.skip(found.reason)
    made = Person(tmp_path / "world")
    Repo(made.repository).commit({"adder.py": "def add(a, b):\n    return a + b\n", "tests/test_adder.py": SUITE})
    (made.root / "quick.yaml").write_text(SCRIPT)
    return made


def evidence_begins(person: Person) -> None:
    """Return when a suite has its checkout and the sandbox is at work in it."""
    until = time.monotonic() + BEGINS_WITHIN_S
    while time.monotonic() < until:
        places = list((person.state / "workbench").glob("*/workspaces/verification/v*"))
        if any(os.fsencode(place) in _mounts(pid) for place in places for pid in inhabitants(person.root)):
            return
        time.sleep(0.005)
    raise AssertionError("no evidence was ever begun")


def _mounts(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/mountinfo").read_bytes()
    except OSError:
        return b""


@pytest.mark.parametrize("victim", SAMPLE)
def test_a_kill_in_the_midst_of_evidence_costs_a_repeat_and_no_more(victim: str, person: Person) -> None:
    """The pack comes all the same, once, from evidence made anew; nothing of the killed attempt stays behind."""
    started = person.call("run", "Add the other way round", "--script", str(person.root / "quick.yaml"), "--json")
    assert started.code == 0, started
    evidence_begins(person)
    for pid in VICTIMS[victim](person):
        os.kill(pid, signal.SIGKILL)
    assert person.call("aee", "start").code == 0
    assert person.call("wait", "--timeout", "100").code == 3
    (row,) = person.rows("inbox")
    pack = person.call("mrp", "show", row["id"], "--json").rows[0]
    assert {piece["kind"]: piece["state"] for piece in pack["evidence"]}["tests.base-on-result"] == "passed"
    payloads = [event.payload for event in events_of(person)]
    attempts = [p.attempt for p in payloads if isinstance(p, e.StepStarted) and p.step == "pack"]
    assert attempts == [1, 2], "the kill did not hit the pack step"
    assert sum(isinstance(p, e.PackSubmitted) for p in payloads) == 1
    assert not any(judged(person, Witness(person), [started], []).values())

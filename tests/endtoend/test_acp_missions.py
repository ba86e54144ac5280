"""Missions of driven agents, side by side in one AEE: programs of ours that speak the protocol in place of a real one.

How a real agent meets trouble with its model is asked of the real one, in `test_gemini_missions`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.endtoend.acp_world import CODE, World
from workbench.aee.sandbox.select import probe

DOUBLE = CODE + "\n\ndef double(a):\n    return 2 * a\n"
TEST = "from adder import double\n\n\ndef test_double():\n    assert double(2) == 4\n"
QUESTION = {"summary": "Which name?", "options": [{"id": "A", "label": "double"}, {"id": "B", "label": "x"}]}
ADVICE = {
    "summary": "Twice or thrice?", "mode": "advisory", "assumption": "twice", "refs": ["adder.py:1-2"],
    "options": [{"id": "two", "label": "twice"}, {"id": "three", "label": "thrice"}],
    "recommendation": {"preferred_option": "two"},
}  # fmt: skip
FLOOD = "x" * 99 + "\n"


def write(path: str, text: str) -> dict[str, Any]:
    return {"write": [path, text]}


def ask(question: dict[str, Any]) -> dict[str, Any]:
    return {"tool": ["request_consultation", question]}


SUBMIT = {"tool": ["submit_merge_readiness", {"message": "Add double", "rationale": {"approach": "Plainly."}}]}
EDIT = write("adder.py", DOUBLE)
FILES = [write(f"part_{number}.py", f"N = {number}\n") for number in range(8)]
PROGRAMS: dict[str, list[dict[str, Any]]] = {
    "edit": [{"say": "I edit."}, EDIT, SUBMIT],
    "files": [EDIT, write("tests/test_double.py", TEST), *FILES, SUBMIT],
    "consult": [ask(QUESTION), EDIT, SUBMIT],
    "advisory": [ask(ADVICE), EDIT, SUBMIT],
    "crash": [EDIT, {"exit": 3}, write("tests/test_double.py", TEST), SUBMIT],
    "huge": [EDIT, {"flood": [FLOOD, 60_000]}, SUBMIT],
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    if not (found := probe("bubblewrap")).works:
        pytest.skip(found.reason)
    made = World(tmp_path, programs={**PROGRAMS, "tiny": [write("answer.txt", "HELLO\n"), SUBMIT]})
    yield made
    made.close()


@pytest.mark.timeout(240)
def test_six_missions_side_by_side_end_in_the_right_state(world: World) -> None:
    """Edits of one and many files, questions of both kinds, a crash and a flood of output: each gives its pack."""
    world.start(*PROGRAMS)
    world.settle()

    waits = world.inbox("consult")
    assert (waits["kind"], waits["blocking"], waits["title"]) == ("crp", True, QUESTION["summary"])
    rows = {row["kind"]: row for row in world.rows("inbox") if row.get("run") == world.runs["advisory"]}
    assert set(rows) == {"crp", "mrp"}, "the work went on under the assumption"
    (advised,) = world.rows("mrp", "show", rows["mrp"]["id"])
    assert advised["verdict"] == "needs-human" and any("advisory" in str(reason) for reason in advised["reasons"])

    world.answer("consult", "A")
    world.types("answer", rows["crp"]["id"], "--option", "three", "--why", "three")
    world.settle()
    (overtaken,) = world.rows("mrp", "show", rows["mrp"]["id"])[0]["overtaken"]
    assert [commit["touches"] for commit in overtaken["commits"]] == [["adder.py"]]

    verdicts = {row["run"]: row["category"] for row in world.rows("inbox") if row["kind"] == "mrp"}
    assert verdicts == {run: "needs-human" if play == "advisory" else "ready" for play, run in world.runs.items()}
    changed = str(world.pack("files")["changes"])
    assert all(f"part_{number}.py" in changed for number in range(8))
    assert world.pack("consult")["audit"]["resolutions"] == [f"VCR-{waits['id']}"]

    crash = [(row["kind"], row["payload"]) for row in world.log("crash")]
    assert [told["loaded"] for kind, told in crash if kind == "AgentSessionOpened"] == [False, True]
    assert ["exit code 3" in told["reason"] for kind, told in crash if kind == "StepFailed"] == [True]
    assert [kind for kind, _ in crash].count("ToolReturned") == 3, "what is told again is recorded once"
    (printed,) = [each for each in world.payloads("huge", "ToolReturned") if each["tool"] == "acp:execute"]
    assert len(str(printed)) < 10_000 and printed["full_bytes"] == 60_000 * len(FLOOD)
    assert world.rows("journal", "verify")[0]["ok"] is True
    tried = world.types("agents", "try", "tiny").one
    assert (tried["ok"], tried["ended"], tried["answer"]) == (True, "submitted", "HELLO"), tried

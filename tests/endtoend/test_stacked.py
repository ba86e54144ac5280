"""A mission on the head of another: what moves below is followed by itself, and what is below is merged first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.soak.person import Person
from workbench.aee.sandbox.select import probe
from workbench.core.state import PackState
from workbench.journal.clock import SystemClock
from workbench.journal.store import open_journal
from workbench.model import events as e
from workbench.testing.repositories import Repo

CONFINED = probe("bubblewrap").works
LEVEL = () if CONFINED else ("--sandbox", "none")
LENIENT = "id: lenient\nversion: '1'\nrigor: lenient\nrequire_brief: false\n"
LINES = "".join(f"line {number}\n" for number in range(1, 10))
AGAIN = LINES.replace("line 2", "line 2, again")
BELOW, ABOVE = "the-parent-mission.1", "the-child-mission.1"
# What is below changes a line, and would have another policy; sent back, it does so otherwise.
PARENT = {
    "agent": "below",
    "steps": [
        {"files": {"text.txt": LINES.replace("line 2", "line II"), ".workbench/policy.yaml": LENIENT + "# mine\n"}},
        {"submit": {"message": "Change line 2", "rationale": {"approach": "plainly"}}},
        {"on_changes_requested": [
            {"files": {"text.txt": AGAIN, ".workbench/policy.yaml": LENIENT}},
            {"submit": {"message": "Change line 2 again", "rationale": {"approach": "plainly"}}},
        ]},
    ],
}  # fmt: skip
CHILD = {
    "agent": "above",
    "steps": [
        {"run": "sed -i 's/line 8/line eight/' text.txt && touch above.txt"},
        {"submit": {"message": "Change line 8", "rationale": {"approach": "on what is below"}}},
    ],
}  # fmt: skip


class Stack(Person):
    """Somebody with one file, a suite that starts at once, and an AEE."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        files = {"Makefile": "test:\n\ttest -e text.txt\n", "text.txt": LINES, ".workbench/policy.yaml": LENIENT}
        Repo(self.repository).commit(files)
        for name, script in (("parent", PARENT), ("child", CHILD)):
            (root / f"{name}.yaml").write_text(json.dumps(script))

    def does(self, *words: str) -> str:
        said = self.call(*words)
        assert said.code == 0, said
        return said.out

    def starts(self, name: str, *words: str) -> None:
        self.does("run", f"The {name} mission", "--script", str(self.root / f"{name}.yaml"), *words, *LEVEL)
        self.settles()

    def settles(self) -> None:
        assert self.call("wait", "--timeout", "100").code in (0, 3)

    def merges(self, pack: PackState) -> None:
        self.does("approve", pack.id, "--why", "It is fine.")
        self.does("merge", pack.id)

    def pack(self, run: str) -> PackState:
        """The newest pack of a run."""
        with open_journal(self.journal, clock=SystemClock(), read_only=True) as journal:
            return journal.packs(run=run)[-1]

    def shown(self, commit: str) -> str:
        return self.git("--git-dir", str(self.journal / "store.git"), "show", f"{commit}:text.txt").stdout


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Stack]:
    made = Stack(tmp_path / "world")
    yield made
    made.call("aee", "stop")


def test_what_stands_on_another_follows_it_and_is_merged_after_it(person: Stack) -> None:
    """It is put on the new head below and examined there by itself; no agent and no checkout takes part.

    What is below binds nobody before it is merged, and then what stood on it stands on the branch.
    """
    person.starts("parent")
    person.starts("child", "--on", BELOW)
    first, child = person.pack(BELOW), person.pack(ABOVE)
    assert (child.on, child.base_commit, child.policy_digest) == (BELOW, first.head, first.policy_digest)
    assert f"on {BELOW}@{first.head[:12]} (current)" in person.does("show", child.id)
    person.does("approve", child.id, "--why", "It is fine.")
    refused = person.call("merge", child.id)
    said = " ".join(refused.err.split())
    assert refused.code != 0 and "which is not merged" in said and f"workbench merge {first.id}" in said, refused

    person.does("request-changes", first.id, "--why", "Otherwise.")
    person.settles()
    second, child = person.pack(BELOW), person.pack(ABOVE)
    assert (child.base_commit, child.revision, child.state) == (second.head, 2, "submitted")
    assert person.shown(child.head) == AGAIN.replace("line 8", "line eight")
    person.does("mrp", "verify", f"MRP-{ABOVE}-1", "--rerun")  # the same comes of it on what was below then

    person.merges(second)
    person.settles()
    child = person.pack(ABOVE)
    assert (child.on, child.base_commit) == ("", person.git("rev-parse", "main").stdout.strip())
    person.merges(child)
    assert person.git("show", "main:text.txt").stdout == AGAIN.replace("line 8", "line eight")
    assert person.git("status", "--porcelain").stdout == ""
    with open_journal(person.journal, clock=SystemClock(), read_only=True) as journal:
        told = [event.payload for event in journal.read(f"run/{ABOVE}")]
    assert sum(isinstance(payload, e.RunRestacked) for payload in told) == 1  # a merge commit has what it stood on

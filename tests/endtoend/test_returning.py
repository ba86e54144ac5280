"""The AEE itself gives the workspaces of runs that are over back, and never what exists nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from repositories import Answer, Person, clean

from workbench.aee.returning import Returning
from workbench.aee.sandbox.select import probe
from workbench.journal.clock import SystemClock
from workbench.journal.location import DATABASE
from workbench.journal.store import SqliteJournal, open_journal

SCRIPT = """agent: quick
steps:
  - files: {{"{name}.txt": "changed\\n"}}
  - submit: {{message: "Change {name}", rationale: {{approach: "Plainly."}}}}
"""


class House:
    """A repository in which runs deliver, and what stands in the state directory beside it."""

    def __init__(self, place: Path, person: Person, scripts: Path) -> None:
        self.place, self.person, self._scripts = place, person, scripts

    @property
    def directory(self) -> Path:
        """Of the journal."""
        (found,) = (Path(self.person.env["XDG_STATE_HOME"]) / "workbench").glob(f"*/{DATABASE}")
        return found.parent

    def delivers(self, name: str) -> str:
        """A run that changes one file and delivers; its pack."""
        (self._scripts / f"{name}.yaml").write_text(SCRIPT.format(name=name))
        assert self.types("run", f"Change {name}", "--script", str(self._scripts / f"{name}.yaml")).code == 0
        assert self.types("wait", "--timeout", "100").code == 3
        pack = self.types("inbox").one["id"]
        assert isinstance(pack, str)
        return pack

    def merges(self, name: str) -> str:
        """The same, merged."""
        pack = self.delivers(name)
        assert self.types("approve", pack, "--why", "It is right.").code == 0
        assert self.types("merge", pack).code == 0
        return pack

    def types(self, *words: str) -> Answer:
        return self.person.types(self.place, *words)

    def runs(self) -> set[str]:
        """Those that have a workspace."""
        return {entry.name for entry in (self.directory / "workspaces" / "runs").iterdir()}

    def returning(self, journal: SqliteJournal) -> Returning:
        return Returning(journal, directory=self.directory, repository=self.place, after_s=0)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    found = probe("bubblewrap")
    if not found.works:
        pytest.skip(found.reason)
    person = Person(tmp_path / "home")
    made = House(clean(tmp_path / "repo", person), person, tmp_path)
    yield made
    made.types("aee", "stop")


def test_only_what_is_over_and_nowhere_lost_is_given_back(house: House, tmp_path: Path) -> None:
    """Merged or rejected: at the second look. Taken back, or with a file that nobody committed: it stays."""
    merged = house.merges("one")
    rejected = house.delivers("two")
    assert house.types("reject", rejected, "--why", "Not now.").code == 0
    house.merges("three")
    undone = house.merges("four")
    before = house.runs()
    assert len(before) == 4
    with open_journal(house.directory, clock=SystemClock(), read_only=True) as journal:
        run, turned_down = (next(run.id for run in journal.runs() if run.pack == pack) for pack in (merged, rejected))
        (drafted,) = [run.id for run in journal.runs() if run.title == "Change three"]
        draft = house.directory / "workspaces" / "runs" / drafted / "clone" / "draft.txt"
        draft.write_text("of somebody who looked in\n")
        returning = house.returning(journal)
        assert returning.look() == []
        assert house.types("undo", undone).code == 0
        assert returning.look() == [run, turned_down]
        assert house.runs() == before - {run, turned_down}
        assert draft.exists()
        assert returning.look() == []
    assert {entry.name for entry in (house.directory / "workspaces" / "pool").iterdir()} == {run, turned_down}
    back = house.types("gc", "--restore", turned_down, "--to", str(tmp_path / "back")).one
    assert (tmp_path / "back" / "two.txt").read_text() == "changed\n" and not (tmp_path / "back" / ".git").exists()
    assert house.person.git(house.place, "show", f"{back['ref']}:two.txt") == "changed"
    assert "already" in house.types("gc", "--restore", turned_down, "--to", str(tmp_path / "back")).error["message"]
    assert house.types("mrp", "show", merged).code == 0
    assert house.types("mrp", "verify", merged).code == 0
    assert "draft.txt" in next(row["why"] for row in _gc(house) if row["id"] == drafted)


def test_a_merge_that_is_taken_back_after_the_return_can_be_merged_again(house: House) -> None:
    """The workspace is not needed for that: the commits are in the store."""
    pack = house.merges("one")
    with open_journal(house.directory, clock=SystemClock(), read_only=True) as journal:
        returning = house.returning(journal)
        returning.look()
        assert len(returning.look()) == 1
    assert house.types("undo", pack).code == 0
    assert not (house.place / "one.txt").exists()
    assert house.types("merge", pack).code == 0
    assert (house.place / "one.txt").read_text() == "changed\n"


def _gc(house: House) -> list[dict[str, str]]:
    said = house.types("gc", "--dry-run")
    return [json.loads(line) for line in said.out.splitlines()]

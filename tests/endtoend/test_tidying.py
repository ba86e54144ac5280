"""`workbench gc` from the command line: what was not delivered is shown, copied, and can be taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from repositories import Person, clean, everything

from workbench.aee.sandbox.select import probe

SCRIPT = """agent: quick
steps:
  - files: {"a.txt": "changed\\n"}
  - submit: {message: "Change a", rationale: {approach: "Plainly."}}
  - files: {"never committed.txt": "draft\\n"}
  - {think: "and so on"}
"""


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return Person(tmp_path / "home")


@pytest.fixture
def at(person: Person, tmp_path: Path) -> Iterator[Path]:
    """A repository in which a run delivered something that was then turned down."""
    found = probe("bubblewrap")
    if not found.works:
        pytest.skip(found.reason)
    place = clean(tmp_path / "repo", person)
    (tmp_path / "quick.yaml").write_text(SCRIPT)
    started = person.types(place, "run", "Change a", "--script", str(tmp_path / "quick.yaml"))
    assert started.code == 0, started
    assert person.types(place, "wait", "--timeout", "100").code == 3
    pack = person.types(place, "inbox").one["id"]
    assert person.types(place, "reject", pack, "--why", "Not now.").code == 0
    yield place
    person.types(place, "aee", "stop")


def rows(person: Person, at: Path, *words: str) -> list[dict[str, str]]:
    said = person.types(at, "gc", *words)
    assert said.code == 0, said
    return [json.loads(line) for line in said.out.splitlines()]


def test_undelivered_work_goes_to_the_trash_and_comes_back(person: Person, at: Path, tmp_path: Path) -> None:
    """gc shows, then copies; --restore brings files beside the checkout and commits as a ref; the rest is untouched."""
    before = everything(person, at)
    [planned] = rows(person, at, "--dry-run")
    assert planned["act"] == "trash" and planned["why"]
    assert rows(person, at, "--dry-run") == [planned]
    [done] = rows(person, at)
    assert done["id"] == planned["id"] and done["kept_at"] and not done["problem"]
    [kept] = rows(person, at, "--dry-run")
    assert kept["act"] == "kept"

    [back] = rows(person, at, "--restore", kept["id"])
    place = Path(back["directory"])
    assert place.parent == at.parent and (place / "a.txt").read_text() == "changed\n"
    assert not (place / ".git").exists()
    assert person.git(at, "show", f"{back['ref']}:a.txt") == "changed"
    assert everything(person, at) == before

    again = person.types(at, "gc", "--restore", kept["id"])
    assert again.code and "already" in again.error["message"]
    assert rows(person, at, "--restore", planned["id"], "--to", str(tmp_path / "elsewhere"))
    assert (tmp_path / "elsewhere" / "a.txt").exists()
    assert "nothing of m.9" in person.types(at, "gc", "--restore", "m.9").error["message"]
    assert [row["act"] for row in rows(person, at, "--days", "0")] == ["expire"]
    assert rows(person, at) == []

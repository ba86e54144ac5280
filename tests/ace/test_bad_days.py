"""What a person is told on a bad day, and what `doctor` mends."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ace_world import Call, World, git

from workbench.journal.location import journal_directory, note_repository
from workbench.journal.presence import Card, write_card


def checked(call: Call, name: str) -> dict[str, Any]:
    """What `doctor` says of one thing."""
    return next(row for row in call("doctor", "--json").rows if row["id"] == name)


def damage(directory: Path) -> None:
    """The table of runs becomes noise."""
    path = directory / "journal.sqlite3"
    connection = sqlite3.connect(path)
    (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'runs'").fetchone()
    connection.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)


def overwrite(directory: Path) -> None:
    (directory / "journal.sqlite3").write_bytes(b"something else" * 999)


def newer(directory: Path) -> None:
    connection = sqlite3.connect(directory / "journal.sqlite3", isolation_level=None)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


BAD_DAYS: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "damaged": (damage, "damaged", "doctor --fix"),
    "overwritten": (overwrite, "not a database", "journal restore"),
    "newer": (newer, "newer Workbench", "upgrade Workbench"),
}


@pytest.mark.parametrize("day", BAD_DAYS)
def test_a_bad_day_is_named_with_its_remedy_and_nothing_breaks(call: Call, world: World, day: str) -> None:
    """Every command answers in words; `doctor` names the trouble and the way back."""
    harm, named, remedy = BAD_DAYS[day]
    question = world.question(world.mission("prices")[0])
    assert call("journal", "backup").code == 0
    world.journal.close()
    harm(world.journal.directory)

    journal = checked(call, "journal")
    said = call("answer", question, "--option", "A", "--why", "exact")

    assert journal["state"] == "fail"
    assert named in journal["text"]
    assert remedy in journal["remedy"]
    assert said.code == 4
    assert "what to do:" in said.err
    assert "unexpected" not in said.err


def test_doctor_mends_a_damaged_journal_without_a_loss(call: Call, world: World) -> None:
    """The question is there again, and the damaged file is kept."""
    question = world.question(world.mission("prices")[0])
    world.journal.close()
    damage(world.journal.directory)
    assert call("inbox").code == 4

    assert "mended" in call("doctor", "--fix").err

    assert question in call("inbox").out
    assert checked(call, "journal")["state"] == "ok"
    assert list(world.journal.directory.glob("*.damaged-*"))


def test_a_moved_repository_finds_its_missions(call: Call, world: World) -> None:
    """It is asked whether it was moved, and takes its journal up again; a mere copy of it is not asked."""
    question = world.question(world.mission("prices")[0])
    world.journal.close()
    note_repository(world.journal.directory, world.repository / ".git")
    copy, away = world.repository.with_name("copy"), world.repository.with_name("away")
    git(world.repository.parent, "clone", "-q", str(world.repository), str(copy))
    assert "moved" not in call("inbox", at=copy).err
    world.repository.rename(away)

    told = call("inbox", at=away).err
    adopted = call("journal", "adopt", str(world.journal.directory), at=away)

    assert f"workbench journal adopt {world.journal.directory}" in " ".join(told.split())
    assert adopted.code == 0
    assert question in call("inbox", at=away).out
    assert call("answer", question, "--option", "A", "--why", "exact", at=away).code == 0
    assert journal_directory(away / ".git") == world.journal.directory


def test_an_aee_that_could_not_record_says_why_in_the_inbox(call: Call, world: World) -> None:
    """A failed sync ends it, and does not look like a quiet day."""
    trouble = "the disk did not keep what was written to the journal"
    card = Card(aee="a", pid=0, started_ticks=0, state="stopped", trouble=trouble)
    world.mission("prices")
    write_card(world.journal.directory, card)

    row = next(row for row in call("inbox", "--json").rows if row["id"] == "aee")

    assert trouble in row["title"]
    assert row["next"] == "workbench doctor"


def test_a_clock_that_jumps_loses_and_reorders_nothing(
    call: Call, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was decided a year back or forth stands in the order in which it was decided; no wait is negative."""
    year_ns = 365 * 86_400 * 10**9
    run, other = world.mission("prices", runs=2)
    question, pack = world.question(other), world.pack(run)
    now_ns = time.time_ns

    monkeypatch.setattr(time, "time_ns", lambda: now_ns() - year_ns)
    ages = [row["age_s"] for row in call("inbox", "--json").rows]
    answered = call("answer", question, "--option", "A", "--why", "exact")
    monkeypatch.setattr(time, "time_ns", lambda: now_ns() + year_ns)
    approved = call("approve", pack, "--why", "good")
    monkeypatch.setattr(time, "time_ns", now_ns)

    assert min(ages) >= 0
    assert (answered.code, approved.code) == (0, 0)
    kinds = [event.kind for event in world.journal.read_all()]
    assert kinds.index("ConsultationResolved") < kinds.index("PackDecided")
    assert call("journal", "verify").code == 0

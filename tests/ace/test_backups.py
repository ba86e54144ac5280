"""`journal backup | backups | restore` as a person types them."""

from __future__ import annotations

import shutil
from pathlib import Path

from ace_world import Call, World

from workbench.ace.wiring.workplace import Workplace
from workbench.journal.schema import migrate
from workbench.journal.store import SCHEMA_VERSION
from workbench.repository.store import Store, run_ref


def test_a_backup_brings_back_questions_packs_and_deliveries(call: Call, world: World, tmp_path: Path) -> None:
    """All of it, also where journal and store are gone; a decision made since then is kept aside."""
    run, other = world.mission("prices", runs=2)
    question, pack = world.question(other), world.pack(run)
    directory = world.journal.directory
    made = call("journal", "backup", str(tmp_path / "backup"), "--json").one
    assert call("answer", question, "--option", "A", "--why", "exact").code == 0
    refused = call("journal", "restore", str(tmp_path / "backup"), "--json")
    assert refused.code == 1
    assert "aee stop" in refused.error["hint"]
    world.journal.close()

    done = call("journal", "restore", str(tmp_path / "backup"), "--json").one
    assert made["events"] == done["events"]
    assert done["anew"] == []  # none of these runs had a clone yet
    assert [row["id"] for row in call("inbox", "--json").rows if row["kind"] == "crp"] == [question]
    with Workplace(world.repository).writing() as journal:
        assert journal.last_seq() == made["events"]
    shutil.rmtree(directory)
    call("journal", "restore", done["kept"], "--json")

    assert [row["id"] for row in call("inbox", "--json").rows if row["kind"] != "alert"] == [pack]
    assert call("mrp", "show", pack, "--json").one["id"] == pack
    assert call("journal", "verify", "--json").one["ok"]
    with Store(directory / "store.git", source=world.repository / ".git") as store:
        assert list(store.refs("refs/workbench/runs")) == [run_ref(run)]


def test_backups_are_listed_newest_first_and_none_says_what_to_do(call: Call, world: World) -> None:
    """Without a name they lie beside the journal, and go with a name that is free."""
    assert "journal backup" in call("journal", "backups").err
    world.mission("prices")
    places = [call("journal", "backup", "--json").one["directory"] for _ in range(2)]

    rows = call("journal", "backups", "--json").rows

    assert sorted(row["directory"] for row in rows) == sorted(places)
    assert rows[0]["at"] >= rows[1]["at"]


def test_what_is_no_backup_is_said(call: Call, tmp_path: Path) -> None:
    """With what a backup is."""
    said = call("journal", "restore", str(tmp_path))

    assert said.code == 2
    assert "there is no backup" in said.err


def test_after_a_downgrade_the_copy_that_the_upgrade_left_is_restored(call: Call, world: World) -> None:
    """A newer journal is refused with the way back; the question waits there, and what came since is kept."""
    question = world.question(world.mission("prices")[0])
    path = world.journal.path
    world.journal.close()
    migrate(path, version=SCHEMA_VERSION + 1, fold_version=1)
    refused = call("answer", question, "--option", "A", "--why", "exact", "--json")
    assert "newer Workbench" in refused.error["message"]

    left = path.with_name(f"{path.name}.before-{SCHEMA_VERSION + 1}")
    done = call("journal", "restore", str(left), "--json").one

    assert question in call("inbox").out
    assert call("answer", question, "--option", "A", "--why", "exact").code == 0
    assert Path(done["kept"], "backup.json").exists()
    assert call("journal", "verify", "--json").one["ok"]

"""The verbs that look after the house: scripts, settings, schemas, doctor, journal, AEE, reference."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ace_world import Call, World, git

from workbench.ace.cli.reference import reference
from workbench.ace.wiring.workplace import Workplace
from workbench.journal.presence import Card, Presence, end, presence, started_ticks, write_card
from workbench.journal.store import SqliteJournal

REFERENCE = Path(__file__).parents[2] / "workbench/docs/reference/commands.md"

HOLDER = """
import fcntl, signal, sys
from pathlib import Path
lock = open(Path(sys.argv[1]) / "aee.lock", "ab")
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
signal.pause()
"""


def test_the_reference_is_what_the_commands_say() -> None:
    """Every command and option is in the reference, word for word."""
    assert REFERENCE.read_text(encoding="utf-8") == reference()


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """A process that holds the lock as an AEE does, and its card."""
    directory = tmp_path / "journal"
    directory.mkdir()
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(directory)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    ticks = started_ticks(process.pid)
    assert ticks is not None
    card = Card(aee="a1", pid=process.pid, started_ticks=ticks, version="1", sandbox="none", state="running")
    write_card(directory, card)
    yield directory, process
    process.kill()
    process.wait()
    process.stdout.close()


def test_an_aee_runs_while_its_process_holds_the_lock(holder: tuple[Path, subprocess.Popen[str]]) -> None:
    """Card, process and lock together are an AEE; without the process nothing is."""
    directory, process = holder
    who = presence(directory)
    assert (who.state, who.pid) == ("running", process.pid)
    process.kill()
    process.wait()
    gone = presence(directory)
    assert (gone.state, gone.pid, gone.died) == ("stopped", None, True)


def test_a_reused_pid_is_never_signalled(holder: tuple[Path, subprocess.Popen[str]]) -> None:
    """Another process under the pid of a dead AEE is spared; with its own start time it is ended."""
    _, process = holder
    ticks = started_ticks(process.pid)
    assert ticks is not None
    stranger = Presence(state="running", pid=process.pid, started_ticks=ticks + 1)
    assert end(stranger, 0.0)
    assert process.poll() is None
    assert end(Presence(state="running", pid=process.pid, started_ticks=ticks), 5.0)
    assert process.wait() < 0


def test_a_card_without_the_lock_proves_nothing(tmp_path: Path) -> None:
    """A living process that does not hold the lock is no AEE; holding it makes the difference."""
    me = started_ticks(os.getpid())
    assert me is not None
    write_card(tmp_path, Card(aee="a", pid=os.getpid(), started_ticks=me, state="running"))
    assert presence(tmp_path).state == "stopped"
    with (tmp_path / "aee.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert presence(tmp_path).state == "running"


@pytest.mark.parametrize("card", [b"", b"{", b"[]", b'{"aee": 1}', b"\xff\xfe"])
def test_a_damaged_card_is_no_aee(tmp_path: Path, card: bytes) -> None:
    """What cannot be read is not running."""
    (tmp_path / "aee.json").write_bytes(card)
    assert presence(tmp_path) == Presence(state="stopped")


def test_aee_status_has_the_fields_of_the_contract(call: Call) -> None:
    """`aee status` names state, pid, version, sandbox and runs, also where there is no AEE."""
    status = call("aee", "status", "--json").one
    assert {"state", "pid", "version", "sandbox", "runs"} <= status.keys()
    assert (status["state"], status["pid"]) == ("stopped", None)
    assert call("aee", "stop").code == 0


def test_journal_verify_export_and_rebuild(call: Call, world: World, journal: SqliteJournal) -> None:
    """The journal verifies, exports every event once, and its projections can be made anew."""
    (run,) = world.mission()
    world.question(run)
    report = call("journal", "verify", "--json").one
    assert (report["ok"], report["problems"], report["events"]) == (True, [], journal.last_seq())
    events = call("journal", "export").rows
    assert [event["seq"] for event in events] == list(range(1, journal.last_seq() + 1))
    assert call("journal", "rebuild", "--json").one["events"] == journal.last_seq()


def test_there_is_nothing_to_verify_before_the_first_event(call: Call) -> None:
    """No journal: said so, with what to do."""
    assert call("journal", "verify", "--json").error["id"] == "NotFound"


def test_settings_say_where_each_comes_from(call: Call, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`config show` names file and line, or the variable."""
    (repository / ".workbench").mkdir()
    (repository / ".workbench/config.toml").write_text("[run]\nwall_minutes = 7\n")
    monkeypatch.setenv("WORKBENCH_RUN_MAX_RUNS", "3")
    rows = {row["id"]: row for row in call("config", "show", "--json").rows}
    assert (rows["run.wall_minutes"]["value"], rows["run.wall_minutes"]["origin"]) == (7, ".workbench/config.toml:2")
    assert (rows["run.max_runs"]["value"], rows["run.max_runs"]["origin"]) == (3, "environment WORKBENCH_RUN_MAX_RUNS")
    assert ".workbench/config.toml:2" in call("config", "show", "--origin").out


def test_schemas_of_all_artifacts(call: Call) -> None:
    """`schema KIND` prints a JSON Schema; without KIND, which there are."""
    kinds = [row["id"] for row in call("schema", "--json").rows]
    assert {"brief", "loop", "policy"} <= set(kinds)
    for kind in kinds:
        assert call("schema", kind, "--json").one["$schema"].startswith("https://json-schema.org/")
    assert call("schema", "frob").code == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(call: Call, shell: str) -> None:
    """Each shell gets its script on stdout."""
    said = call("completion", shell)
    assert said.code == 0
    assert "_WORKBENCH_COMPLETE" in said.out


def test_a_new_brief_can_be_listed_shown_and_checked(call: Call) -> None:
    """`brief new` writes what `brief check` accepts, and overwrites nothing."""
    made = call("brief", "new", "Refuse amounts that are no numbers", "--json").one
    assert call("brief", "check").code == 0
    assert [row["id"] for row in call("brief", "list", "--json").rows] == [made["id"]]
    assert call("brief", "show", made["id"], "--json").one["digest"].startswith("sha256:")
    assert call("brief", "new", "Refuse amounts that are no numbers").code == 1


def test_check_speaks_by_exit_code_with_every_problem(call: Call, repository: Path) -> None:
    """Problems have path, line, column and remedy, for people and as data."""
    briefs = repository / ".workbench/briefs"
    briefs.mkdir(parents=True)
    (briefs / "bad.md").write_text("---\nid: bad\ntitel: x\n---\n")
    said = call("brief", "check", "--json")
    assert said.code == 1
    assert {"path", "line", "column", "text", "remedy", "schema", "kind", "id"} <= said.rows[0].keys()
    assert "bad.md:3:" in call("brief", "check").out


def test_doctor_names_each_check_with_state_and_remedy(call: Call, repository: Path) -> None:
    """Every check says ok, warn or fail; what is not ok says what to do."""
    git(repository, "checkout", "-q", "--detach")
    checks = {row["id"]: row for row in call("doctor", "--json").rows}
    assert {"python", "git", "repository", "sandbox", "journal", "disk", "aee", "bytecode", "terminal"} <= checks.keys()
    assert all(row["state"] in ("ok", "warn", "fail") for row in checks.values())
    assert all(row["remedy"] for row in checks.values() if row["state"] != "ok")
    assert checks["detached"]["state"] == "warn"
    assert call("doctor").code == int(any(row["state"] == "fail" for row in checks.values()))


def test_doctor_goes_on_where_there_is_no_repository(call: Call, tmp_path: Path) -> None:
    """A machine can be examined from anywhere; what fails there is told by the exit code, too."""
    (tmp_path / "nowhere").mkdir()
    said = call("doctor", "--json", at=tmp_path / "nowhere")
    assert said.code == 1
    assert {row["id"]: row["state"] for row in said.rows}["repository"] == "fail"


def test_the_lock_of_the_journal_is_not_taken_by_looking(repository: Path) -> None:
    """Looking who serves a journal makes no files."""
    place = Workplace(repository)
    assert place.presence().state == "stopped"
    assert not place.journal_directory.exists()

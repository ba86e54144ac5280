"""What survives kills, races, full and read-only disks and locks. Real processes, real files."""

from __future__ import annotations

import random
import select
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from journal_script import Script

from workbench.journal.store import SqliteJournal, open_journal
from workbench.journal.verify import verify
from workbench.model.errors import EXIT_ENVIRONMENT, JournalProblem, NotFound
from workbench.testing.clock import SettableClock

PRELUDE = """
import os, resource, sys, threading
from pathlib import Path
from workbench.journal.clock import SystemClock
from workbench.journal.group import GroupCommit
from workbench.journal.store import open_journal
from workbench.model import events as e
from workbench.model.errors import Conflict, JournalProblem, WorkbenchError
from workbench.model.events import Proposed

directory = Path(sys.argv[1])

def thought(text, run="m.1"):
    return Proposed(stream=f"run/{run}", payload=e.ThoughtRecorded(run=run, text=text), actor="agent:m.1")

def say(text):
    os.write(1, text.encode() + b"\\n")
"""

WRITER = """
journal = open_journal(directory, clock=SystemClock())
if sys.argv[2] == "grouped":
    grouped = GroupCommit(journal)
    def work():
        while True:
            say(grouped.append([thought("x"), thought("y")])[1].id)
    for _ in range(3):
        threading.Thread(target=work, daemon=True).start()
    work()
number = 0
while sys.argv[2] == "hasty":  # acknowledges before it appends
    payload = thought("x").payload
    batch = [Proposed(stream="run/m.1", payload=payload, actor="a", id=f"{number}-{i}") for i in range(9999)]
    number += 1
    say(batch[-1].id)
    journal.append(batch)
while True:
    say(journal.append([thought("x"), thought("y")])[1].id)
"""

RACER = """
def wanted(version):
    return {"run/m.1": version} if sys.argv[2] == "guarded" else None

with open_journal(directory, clock=SystemClock()) as journal:
    say("ready")
    for line in sys.stdin:
        try:
            journal.append([thought(line.strip())], expect=wanted(int(line)))
            say("won")
        except Conflict as conflict:
            say(f"lost to {conflict.actual}")
"""

# Appends until the disk refuses, then makes room and appends again.
FILLER = """
with open_journal(directory, clock=SystemClock()) as journal:
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY)) if sys.argv[2] == "limit" else None
    ballast = directory.parent / "ballast"
    acknowledged = 0
    try:
        while True:
            acknowledged = journal.append([thought("x" * 2000), thought("y" * 2000)])[-1].seq
    except JournalProblem as problem:
        say(problem.message)
        say(problem.hint)
    say(f"{acknowledged} {journal.last_seq()}")
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    ballast.unlink(missing_ok=True)
    say(str(journal.append([thought("z")])[0].seq))
"""

OPENER = """
try:
    how = sys.argv[2]
    with open_journal(directory, clock=SystemClock(), create=how == "create", read_only=how == "read") as j:
        say(str(j.last_seq()))
        j.append([thought("x")])
except WorkbenchError as problem:
    say(problem.message + " | " + problem.hint)
"""


def command(program: str, *arguments: str | Path) -> list[str]:
    return [sys.executable, "-c", PRELUDE + program, *map(str, arguments)]


@pytest.fixture
def filled(journal: SqliteJournal, script: Script) -> SqliteJournal:
    journal.append([script.queued()])
    return journal


@pytest.fixture
def bubblewrap() -> list[str]:
    """A prefix that gives a command its own mounts, where that works."""
    prefix = ["bwrap", "--dev-bind", "/", "/"]
    if shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed")
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip("bubblewrap cannot make namespaces here")
    return prefix


def test_what_was_acknowledged_survives_kills(filled: SqliteJournal, directory: Path) -> None:
    """A writer killed at random moments loses nothing that it was told is stored, and leaves nothing half written."""
    chance = random.Random(20)
    acknowledged: set[str] = set()
    for number in range(24):
        acknowledged |= set(killed_writer(directory, chance, mode="grouped" if number % 2 else "single"))

    ids = {event.id for event in filled.read("run/m.1")}

    assert len(acknowledged) > 24
    assert acknowledged <= ids
    assert filled.last_seq() % 2 == 1  # every append of two is there whole or not at all
    assert verify(filled).ok


def test_the_kills_would_show_a_writer_that_acknowledges_too_early(filled: SqliteJournal, directory: Path) -> None:
    """The control: what is acknowledged before its commit does get lost."""
    acknowledged = set(killed_writer(directory, random.Random(1), mode="hasty"))

    assert not acknowledged <= {event.id for event in filled.read("run/m.1")}


def killed_writer(directory: Path, chance: random.Random, *, mode: str) -> Iterator[str]:
    """Ids that a writer acknowledged before it was killed."""
    with subprocess.Popen(command(WRITER, directory, mode), stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(chance.randint(1, 12))]
        select.select([], [], [], chance.random() * 0.01)
        writer.kill()
        lines += writer.stdout.read().splitlines(keepends=True)
    yield from (line.decode().strip() for line in lines if line.endswith(b"\n"))


def test_of_two_processes_exactly_one_wins(filled: SqliteJournal, directory: Path) -> None:
    """At every version of a stream, two people who answer at the same instant cannot both be first."""
    rounds = 210

    outcomes = raced(directory, rounds, mode="guarded")

    assert outcomes == [[f"lost to {version + 1}", "won"] for version in range(1, rounds + 1)]
    assert filled.last_seq() == rounds + 1
    assert verify(filled).ok


def test_without_an_expected_version_both_would_win(filled: SqliteJournal, directory: Path) -> None:
    """The control: it is `expect` that decides the race."""
    assert raced(directory, 3, mode="unguarded") == [["won", "won"]] * 3


def raced(directory: Path, rounds: int, *, mode: str) -> list[list[str]]:
    """Per round, what two processes that append at the same moment were told."""
    argv, pipe = command(RACER, directory, mode), subprocess.PIPE
    racers = [subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True, bufsize=1) for _ in range(2)]
    for racer in racers:
        assert told(racer) == "ready"
    outcomes = []
    for version in range(1, rounds + 1):
        for racer in racers[:: 1 if version % 2 else -1]:
            assert racer.stdin is not None
            racer.stdin.write(f"{version}\n")
        outcomes.append(sorted(told(racer) for racer in racers))
    for racer in racers:
        racer.communicate()
    return outcomes


def told(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def refused_and_recovered(output: str) -> None:
    message, hint, counts, after = output.splitlines()
    acknowledged, stored = map(int, counts.split())
    assert "disk" in message
    assert "space" in hint or "room" in hint
    assert acknowledged == stored > 1
    assert int(after) == stored + 1


def test_a_file_size_limit_is_a_clear_message(filled: SqliteJournal, directory: Path) -> None:
    """The refused append leaves nothing behind, and the same connection goes on once there is room."""
    refused_and_recovered(output_of(command(FILLER, directory, "limit")))

    assert verify(filled).ok


def test_a_full_disk_is_a_clear_message(
    filled: SqliteJournal, directory: Path, tmp_path: Path, bubblewrap: list[str]
) -> None:
    """The same on a real file system of 1 MB that is full."""
    filled.close()
    small = tmp_path / "small"
    small.mkdir()
    mounted = [*bubblewrap, "--size", str(1 << 20), "--tmpfs", str(small)]
    prepare = f'cp -r {directory} {small}/journal && head -c 500000 /dev/zero > {small}/ballast && exec "$@"'

    refused_and_recovered(output_of([*mounted, "sh", "-c", prepare, "sh", *command(FILLER, small / "journal", "full")]))


def output_of(argv: list[str]) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def test_a_database_that_may_not_grow_is_a_clear_message(filled: SqliteJournal, script: Script) -> None:
    """SQLite's own full: nothing of the append is kept."""
    with filled.transaction() as (writer, _):
        writer.execute("PRAGMA max_page_count = 1")
    with pytest.raises(JournalProblem, match="full") as refused:
        filled.append([script.thought("x" * 100_000)])
    with filled.transaction() as (writer, _):
        writer.execute("PRAGMA max_page_count = 1000000")

    assert refused.value.exit_code == EXIT_ENVIRONMENT
    assert filled.append([script.thought("y")])[0].seq == 2
    assert verify(filled).ok


@pytest.mark.parametrize("how", ["write", "create", "read"])
def test_a_read_only_disk_is_a_clear_message(
    filled: SqliteJournal, directory: Path, bubblewrap: list[str], how: str
) -> None:
    """Opening for writing or reading on one says so and names the remedy."""
    filled.close()

    said = output_of([*bubblewrap, "--ro-bind", str(directory), str(directory), *command(OPENER, directory, how)])

    assert "WORKBENCH_JOURNAL" in said
    assert "read-only" in said


def test_a_locked_journal_is_a_clear_message(filled: SqliteJournal, script: Script) -> None:
    """Who waits too long for another process is told so, and can append once it lets go."""
    other = sqlite3.connect(filled.path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalProblem, match="locked by another process"):
            filled.append([script.thought("x")])
        assert filled.last_seq() == 1  # readers are not held up
        other.execute("ROLLBACK")
    finally:
        other.close()

    assert filled.append([script.thought("x")])[0].seq == 2


def test_a_reader_sees_what_others_append(filled: SqliteJournal, directory: Path, script: Script) -> None:
    """A read-only opening follows a live writer, and cannot append itself."""
    with open_journal(directory, clock=SettableClock(), read_only=True) as reader:
        before = reader.data_version()
        filled.append([script.thought("x")])

        assert reader.last_seq() == 2
        assert reader.data_version() != before
        with pytest.raises(JournalProblem, match="reading only"):
            reader.append([script.thought("y")])
        with pytest.raises(JournalProblem, match="reading only"):
            reader.blobs.put(b"x")


def test_two_writers_never_fold_from_what_is_outdated(filled: SqliteJournal, directory: Path, script: Script) -> None:
    """What a writer remembers of a stream is dropped when another process has appended to it."""
    with open_journal(directory, clock=SettableClock()) as other:
        for number in range(4):
            (filled if number % 2 else other).append([script.thought(str(number))])

    assert verify(filled).ok


def test_there_is_no_journal_where_none_was_made(tmp_path: Path) -> None:
    """Looking never creates one."""
    with pytest.raises(NotFound):
        open_journal(tmp_path / "none", clock=SettableClock(), read_only=True)
    with pytest.raises(NotFound):
        open_journal(tmp_path / "none", clock=SettableClock(), create=False)

    assert not (tmp_path / "none").exists()


def test_an_unfinished_journal_is_not_there_for_a_reader_and_finished_by_a_writer(directory: Path) -> None:
    """Whoever was stopped while making it leaves a file without tables."""
    directory.mkdir()
    sqlite3.connect(directory / "journal.sqlite3").execute("PRAGMA journal_mode = WAL").connection.close()

    with pytest.raises(NotFound):
        open_journal(directory, clock=SettableClock(), read_only=True)
    with open_journal(directory, clock=SettableClock()) as journal:
        assert journal.last_seq() == 0


def test_a_closed_journal_says_so(filled: SqliteJournal, script: Script) -> None:
    """Late callers get a problem that they can show."""
    filled.close()
    filled.close()

    with pytest.raises(JournalProblem):
        filled.append([script.thought("x")])
    with pytest.raises(JournalProblem):
        filled.last_seq()

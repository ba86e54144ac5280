"""The AEE as a process among processes: one per journal, deaf to terminals, patient with disks, quick to end runs."""

from __future__ import annotations

import json
import os
import pty
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from workbench.aee.sandbox.select import probe
from workbench.aee.service import socket_path
from workbench.journal.clock import SystemClock
from workbench.journal.presence import presence
from workbench.journal.sqlite_journal import SqliteJournal
from workbench.journal.store import open_journal
from workbench.model import events as e

SLOW = "agent: slow\nsteps:\n  - run: touch /tmp/ready; sleep 300\n  - run: echo done\n"
QUICK = "agent: quick\nsteps:\n  - think: Nothing to do here.\n"
ASKS = """agent: asks
steps:
  - ask:
      id: which
      category: technical
      mode: blocking
      summary: Which one?
      options: [{id: A, label: One}, {id: B, label: Two}]
      requested_decision: Choose.
  - think: Thank you.
"""
PATIENCE_S = 60.0  # of these tests, on a busy machine


class Machine:
    """A repository with scripted agents, its journal, and the command line as processes."""

    def __init__(self, root: Path) -> None:
        self.repository = root / "shop"
        self.environment = _environment(root)
        scripts = self.repository / ".workbench"
        scripts.mkdir(parents=True)
        agents = {"slow": SLOW, "quick": QUICK, "asks": ASKS}
        for name, text in agents.items():
            (scripts / f"{name}.yaml").write_text(text)
        tables = [f'[agents.{n}]\ndriver = "scripted"\nscript = ".workbench/{n}.yaml"\n' for n in agents]
        (scripts / "config.toml").write_text("".join(tables))
        (self.repository / "shop.py").write_text("PRICE = 1\n")
        for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-qm", "First")):
            subprocess.run(["git", *words], cwd=self.repository, env=self.environment, check=True)
        self.say("journal", "verify", ok=(0, 1, 2, 4))

    def say(self, *words: str, ok: tuple[int, ...] = (0,)) -> str:
        said = subprocess.run(
            [sys.executable, "-m", "workbench", *words],
            cwd=self.repository,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert said.returncode in ok, said.stderr
        return said.stdout

    def run(self, agent: str) -> str:
        run: str = json.loads(self.say("run", f"Have {agent} look", "--agent", agent, "--json"))["runs"][0]
        return run

    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self.say("aee", "status", "--json"))
        return status

    @property
    def directory(self) -> Path:
        return Path(self.status()["journal"])

    def serve(self, *options: str) -> subprocess.Popen[str]:
        where = ["--journal", str(self.directory), "--repository", str(self.repository)]
        return subprocess.Popen(
            [sys.executable, "-m", "workbench.aee.service", *where, *options],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def events(self, run: str) -> list[e.Payload]:
        with self.journal() as journal:
            return [event.payload for event in journal.read(f"run/{run}")]

    def journal(self) -> SqliteJournal:
        return open_journal(self.directory, clock=SystemClock(), read_only=True)

    def await_event(self, run: str, wanted: Callable[[e.Payload], bool]) -> None:
        self.settle(lambda: any(map(wanted, self.events(run))), f"no such event of {run}")

    def settle(self, done: Callable[[], bool], otherwise: str) -> None:
        pause, until = threading.Event(), time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < until, otherwise
            pause.wait(0.05)


def _environment(root: Path) -> dict[str, str]:
    (root / "home").mkdir()
    (root / "home" / ".gitconfig").write_text("[user]\n\tname = Ada Coach\n\temail = ada@example.org\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "WORKBENCH_", "XDG_"))}
    own = {f"XDG_{name}_HOME": str(root / "home" / name.lower()) for name in ("STATE", "CONFIG", "CACHE")}
    return kept | own | {"HOME": str(root / "home")}


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    made.say("aee", "stop", "--grace", "60")


@pytest.fixture
def sandboxed() -> None:
    if not (found := probe("bubblewrap")).works:
        pytest.skip(found.reason)


def is_command(payload: e.Payload) -> bool:
    return isinstance(payload, e.ToolCalled)


def sleepers(machine: Machine) -> list[int]:
    """Processes of the run's command, seen by the mounts of its sandbox."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and b"sleep\x00300" in (entry / "cmdline").read_bytes():
                mounts = (entry / "mountinfo").read_text()
                found += [int(entry.name)] if str(machine.repository) in mounts else []
        except OSError:
            continue
    return found


def test_of_two_that_start_at_once_one_serves(machine: Machine) -> None:
    """The other one says so and ends with 1; nothing is carried twice."""
    rivals = [machine.serve("--exit-when-idle") for _ in range(2)]
    ends = sorted((rival.wait(PATIENCE_S), (rival.stdout.read() if rival.stdout else "")) for rival in rivals)
    for rival in rivals:
        assert rival.stdout is not None
        rival.stdout.close()
    assert [code for code, _ in ends] == [0, 1]
    assert "Another AEE serves this journal." in ends[1][1]


def test_a_damaged_queue_stops_no_start(machine: Machine, sandboxed: None) -> None:
    """The journal is the truth: a database of DBOS that is no database is put aside, and work goes on."""
    machine.directory.mkdir(parents=True, exist_ok=True)
    (machine.directory / "dbos.sqlite").write_bytes(b"damaged" * 1000)
    run = machine.run("quick")
    machine.await_event(run, lambda payload: isinstance(payload, e.StepFinished) and payload.step == "turn")
    assert list(machine.directory.glob("dbos.sqlite.damaged-*"))


def test_closing_the_terminal_stops_nothing(machine: Machine) -> None:
    """Started from a terminal that hangs up, it serves on: own session, no inherited stream, deaf to SIGHUP."""
    words = [sys.executable, "-m", "workbench", "-C", str(machine.repository), "aee", "start"]
    leader, follower = pty.openpty()
    starting = subprocess.Popen(
        words, env=machine.environment, stdin=follower, stdout=follower, stderr=follower, start_new_session=True
    )
    os.close(follower)
    assert starting.wait(PATIENCE_S) == 0
    os.close(leader)
    pid = machine.status()["pid"]
    os.kill(pid, signal.SIGHUP)
    run = machine.run("quick")
    machine.await_event(run, lambda payload: isinstance(payload, e.StepStarted))
    assert machine.status()["pid"] == pid
    assert os.getsid(pid) == pid


def test_stopping_the_aee_interrupts_a_turn_that_goes_on_later(machine: Machine, sandboxed: None) -> None:
    """The step is given back, its command is never run again by itself, and the next start takes it up."""
    run = machine.run("slow")
    machine.await_event(run, is_command)
    machine.say("aee", "stop")
    assert isinstance(machine.events(run)[-1], e.StepInterrupted)
    assert not sleepers(machine)
    machine.say("aee", "start")
    machine.await_event(run, lambda payload: isinstance(payload, e.StepStarted) and payload.attempt == 2)
    machine.await_event(run, lambda payload: isinstance(payload, e.StepFinished) and payload.outcome == "ended")
    told = [payload.state for payload in machine.events(run) if isinstance(payload, e.ToolReturned)]
    assert told == ["interrupted", "ok"]


def test_pausing_ends_the_command_at_work(machine: Machine, sandboxed: None) -> None:
    """A pause does not wait for a command that takes minutes; the run goes on with a new turn."""
    run = machine.run("slow")
    machine.await_event(run, is_command)
    machine.say("pause", run)
    machine.await_event(run, lambda payload: isinstance(payload, e.StepFinished) and payload.outcome == "stopped")
    assert not sleepers(machine)
    machine.say("stop", run, "--why", "enough")


def test_stopping_a_run_ends_all_of_it(machine: Machine, sandboxed: None) -> None:
    """Child, sandbox and command are gone, and the place is free for the next run."""
    run = machine.run("slow")
    machine.await_event(run, is_command)
    machine.settle(lambda: bool(sleepers(machine)), "the command did not start")
    machine.say("stop", run, "--why", "enough")
    machine.settle(lambda: not sleepers(machine), "the command lives on")
    machine.await_event(run, lambda payload: isinstance(payload, e.StepInterrupted))


def test_a_full_disk_is_waited_out(machine: Machine, sandboxed: None) -> None:
    """An AEE that cannot write lives on, says so once in its log, and goes on when there is room again."""
    run = machine.run("asks")
    machine.say("wait", "--timeout", "60", ok=(3,))
    pid = machine.status()["pid"]
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    with machine.journal() as journal:
        question = journal.consultations(run=run)[0].id
    machine.say("answer", question, "--option", "A", "--why", "it is the first")
    log = machine.directory / "aee.log"
    machine.settle(lambda: _is_unable(machine), "the AEE wrote in spite of all")
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    machine.await_event(run, lambda payload: isinstance(payload, e.ThoughtRecorded) and payload.text == "Thank you.")
    assert machine.status()["pid"] == pid
    assert log.stat().st_size < 10_000


# The service, whose disk fails each sync of the log once a file is there.
FAILING = """
import sys
from pathlib import Path
from workbench.journal import group, syncs

flag = Path(sys.argv.pop(1))

def failing(descriptor):
    if flag.exists():
        raise OSError(5, "Input/output error")
    syncs.sync_data(descriptor)

group.GroupCommit.__init__.__kwdefaults__["sync"] = failing
from workbench.aee.service import main
sys.exit(main())
"""


def test_a_disk_that_fails_a_sync_ends_the_aee_which_says_why(machine: Machine, tmp_path: Path) -> None:
    """What a sync lost is told once only, so no later one is trusted: the inbox says it, and a fresh start goes on."""
    flag = tmp_path / "broken"
    machine.say("aee", "stop", "--grace", "60")
    words = ["--journal", str(machine.directory), "--repository", str(machine.repository)]
    machine.directory.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-c", FAILING, str(flag), *words], env=machine.environment, stderr=subprocess.DEVNULL
    )
    machine.settle(lambda: presence(machine.directory).state == "running", "it did not start")
    flag.touch()
    machine.run("quick")
    assert process.wait(PATIENCE_S) == 0
    rows = [json.loads(line) for line in machine.say("inbox", "--json").splitlines()]
    assert "the disk did not keep what was written" in next(row["title"] for row in rows if row["id"] == "aee")
    assert machine.status()["state"] == "stopped"
    machine.say("aee", "start")
    machine.say("wait", "--timeout", "60", ok=(0, 1, 3))
    assert json.loads(machine.say("journal", "verify", "--json"))["ok"]


def _is_unable(machine: Machine) -> bool:
    """Whether a second passed in which the run that was answered was not handed out."""
    threading.Event().wait(1.0)
    with machine.journal() as journal:
        return not any(run.step for run in journal.runs()) and presence(machine.directory).state == "running"


def test_a_deep_journal_reports_by_a_short_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same one each time, so that kills leave no trail of them, and never one that others may enter."""
    deep = tmp_path / ("d" * 120)
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        monkeypatch.setattr("tempfile.tempdir", short)
        first = socket_path(deep)
        assert len(os.fsencode(first)) < 107
        assert socket_path(deep) == first
        first.parent.chmod(0o777)
        assert socket_path(deep) != first


def test_a_long_name_for_temporary_files_is_no_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where `TMPDIR` lies deep itself, the socket does not go there."""
    long = tmp_path / ("t" * 60)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    found = socket_path(tmp_path / ("d" * 120))
    assert len(os.fsencode(found)) < 107
    found.parent.rmdir()


@pytest.mark.parametrize("what", ["journal", "repository"])
def test_without_a_journal_or_a_repository_it_ends_by_itself(machine: Machine, what: str) -> None:
    """An AEE whose directory was removed serves nobody: it says so in its log, and is gone in some seconds."""
    directory = machine.directory
    process = machine.serve()
    machine.settle(lambda: presence(directory).state == "running", "it did not start")
    if what == "journal":
        shutil.rmtree(directory)
    else:
        machine.repository.rename(machine.repository.with_name("away"))
    said = process.communicate(timeout=PATIENCE_S)[0]
    if what == "repository":
        machine.repository.with_name("away").rename(machine.repository)
    assert process.returncode == 0, said
    assert "is gone: nothing is left to serve" in said

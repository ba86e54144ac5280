"""Starting and ending the AEE as a process of its own; it never imports it and shares no stream with it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from workbench.ace.wiring.workplace import Workplace
from workbench.journal.presence import LOG, Presence, presence
from workbench.model.errors import EnvironmentProblem, TimedOut

# Without -P Python would look for every module in the directory that we are in first: a repository's own dbos.py.
PYTHON = (sys.executable, "-P", "-m")
SERVICE = "workbench.aee.service"
TIDYING = "workbench.aee.tidying"
JOB_S = 1800.0  # for one job of the agents' wing, such as tidying large workspaces
READY_S = 30.0  # until an AEE that starts must have said that it runs; imports on a cold disk take most of it
POLL_S = 0.02
ERROR = "error:"  # how an AEE that could not start begins its last words
# Its many threads mostly sleep. glibc would give each an arena and a cache of freed memory of its own, which it hands
# back to nobody: mallopt(3), and "Memory Allocation Tunables" in glibc's manual.
ALLOCATOR = {"MALLOC_ARENA_MAX": "2", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
FULL_DISK = ("No space left on device", "disk of the journal is full", "Disk quota exceeded")
TOLD = 300  # characters of the last line of the log
LOG_TAIL = 2000  # bytes of the log shown when it does not start


def command(place: Workplace, *options: str) -> list[str]:
    """The words that start the AEE of this place."""
    where = ["--journal", str(place.journal_directory), "--repository", str(place.located.checkout or place.directory)]
    return [*PYTHON, SERVICE, *where, *options]


def start(place: Workplace, *options: str) -> Presence:
    """The AEE of this place, started if none runs; returns once it is ready. Raises EnvironmentProblem with its log."""
    now = place.presence()
    if now.state == "running":
        return now
    place.writing().close()  # the journal exists, and can be written, before anything serves it
    log = place.journal_directory / LOG
    os.close(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600))  # an error names the log
    before = log.stat().st_size
    pid = _spawn(command(place, *options), log)
    return _ready(place.journal_directory, pid, log, before)


def _spawn(words: list[str], log: Path) -> int:
    """A process in a session of its own, with no stream of ours: closing a terminal or losing ssh leaves it be."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    ours = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment = {**ALLOCATOR, **ours}
    return os.posix_spawn(words[0], words, environment, file_actions=streams, setsid=True)


def _ready(directory: Path, pid: int, log: Path, before: int) -> Presence:
    give_up = time.monotonic() + READY_S
    ended = False
    while time.monotonic() < give_up:
        now = presence(directory)
        if now.state == "running":
            return now
        if ended and now.state != "starting":  # ours is gone, and no other that was first is on its way
            raise ended_early(log, _tail(log, before))
        ended = ended or os.waitpid(pid, os.WNOHANG)[0] != 0
        time.sleep(POLL_S)
    raise TimedOut(f"the AEE was not ready after {READY_S:.0f} s", hint=f"its log is {log}")


def ended_early(log: Path, said: str) -> EnvironmentProblem:
    """Why an AEE did not come up, by the last thing that it said; a full disk is named with its remedy."""
    last, remedy = _last_words(said)
    full = any(sign in said for sign in FULL_DISK)
    hint = f"make room on the disk of {log.parent} (workbench gc --dry-run shows what is ours), then start it again"
    return EnvironmentProblem(
        "the AEE ended before it was ready" + (f": {last[:TOLD]}" if last else ""),
        hint=hint if full else f"{remedy}; its log is {log}" if remedy else f"its log is {log}",
        data={"log": said},
    )


def _last_words(said: str) -> tuple[str, str]:
    """What went wrong, and what it said to do about it: the line below an error."""
    lines = [line for line in said.splitlines() if line.strip()]
    if len(lines) > 1 and lines[-2].startswith(ERROR) and lines[-1].startswith("  "):
        return lines[-2].removeprefix(ERROR).strip(), lines[-1].strip()
    return (lines[-1].strip() if lines else ""), ""


def _tail(log: Path, before: int) -> str:
    if not log.exists():
        return ""
    with log.open("rb") as stream:
        stream.seek(max(before, log.stat().st_size - LOG_TAIL))
        return stream.read().decode("utf-8", "replace")


def run_in_front(place: Workplace, *options: str) -> int:
    """Run the AEE with the caller's streams until it ends; its exit code. Ctrl-C reaches it as well."""
    place.writing().close()
    process = subprocess.Popen(command(place, *options))
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the terminal told the AEE, too: it ends in order


def ask(place: Workplace, module: str, *options: str) -> list[dict[str, Any]]:
    """Have a module of the agents' wing do one job as a process; the NDJSON rows that it prints.

    Raises EnvironmentProblem with what it said when it fails.
    """
    where = ["--journal", str(place.journal_directory), "--repository", str(place.located.checkout or place.directory)]
    said = subprocess.run(
        [*PYTHON, module, *where, *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=JOB_S,
    )
    if said.returncode:
        talk = said.stderr.decode("utf-8", "replace").strip()
        raise EnvironmentProblem(talk.splitlines()[0] if talk else f"{module} failed", hint="see workbench doctor")
    return [msgspec.json.decode(line) for line in said.stdout.splitlines()]

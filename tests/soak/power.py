"""Loss of power at random moments of a journal that two processes write, out of the record of their system calls.

    python -m tests.soak.power [--losses 1000] [--seed S]

`strace` notes every write and sync. For each moment the disk gets what was synced by then, and of the later writes
none, some, torn ones or all; the journal there must be sound and have every event that was acknowledged. Checkpoints
run all the time and the log is begun anew often. Prints a row; exit code 1 when something was lost.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import NamedTuple

from tests.soak.writing import answer
from workbench.journal.checkpoints import Checkpoints
from workbench.journal.clock import SystemClock
from workbench.journal.group import GroupCommit
from workbench.journal.store import DATABASE, open_journal
from workbench.journal.syncs import Sync, sync_data
from workbench.journal.verify import verify
from workbench.model import events as e
from workbench.model.events import Event, Payload, Proposed

GROUPED, DECISIONS = 450, 12
LOG_PAGES = 60  # so that the log is begun anew every few hundred ms
KEPT_FILES = (DATABASE, f"{DATABASE}-wal")
CALL = re.compile(r"(\w+)\(\d+<([^>]*)>(.*)$")
BYTES = re.compile(r', "([^"]*)"(?:\.\.\.)?(?:, \d+, (\d+))?')


class Act(NamedTuple):
    """One thing that happened: `write`, `truncate`, `sync begins`, `sync ended` or `answer`."""

    kind: str
    file: str = ""
    at: int = 0  # offset, length, or the number of the sync
    data: bytes = b""


# --- the processes that are watched ---


def append(directory: Path, who: str, count: int, *, sync: Sync = sync_data) -> None:
    """Append so often and say which ids were acknowledged."""
    with open_journal(directory, clock=SystemClock()) as journal:
        if who == "person":
            for number in range(count):
                _say(answer(journal, who, number))
                time.sleep(0.02)
            return
        checkpoints = Checkpoints(journal.path, interval_s=0.02, full_pages=LOG_PAGES)
        with GroupCommit(journal, sync=sync) as grouped:
            journal.checkpoint_every(2 * LOG_PAGES)
            for number in range(count):
                future = grouped.submit([_thought("x" * (number * 37 % 900)), _thought(str(number))])
                future.add_done_callback(_acknowledged)
                if number % 7 == 0:
                    future.result()
                checkpoints.nudge()
                if checkpoints.asks_for_the_rest():
                    journal.checkpoint()
                time.sleep(0.0004)
        checkpoints.close()


def _acknowledged(future: Future[list[Event]]) -> None:
    _say(future.result())


def _say(events: list[Event]) -> None:
    os.write(1, f"ACK {events[-1].id}\n".encode())


def _thought(text: str) -> Proposed:
    return _on_run(e.ThoughtRecorded(run="m.1", text=text))


def _on_run(payload: Payload) -> Proposed:
    return Proposed(stream="run/m.1", payload=payload, actor="agent:m.1")


def recorded(place: Path, *, grouped: int, decisions: int, early: bool = False) -> list[Act]:
    """What two processes did to a journal; the journal as it was before is left in `place / "before"`.

    `early`: the one that appends in groups answers before it syncs.
    """
    with open_journal(place / "journal", clock=SystemClock()) as journal:
        queued = e.RunQueued(run="m.1", mission="m", agent="a", driver="d", branch="b", base_commit="c")
        journal.append([_on_run(queued)])
    shutil.copytree(place / "journal", place / "before")
    writer = f"{sys.executable} -m tests.soak.power --directory {place / 'journal'} {'--early' if early else ''}"
    calls = "trace=pwrite64,write,ftruncate,fsync,fdatasync"
    watched = ["strace", "-f", "-y", "-xx", "-s", "70000", "-e", calls, "-o", str(place / "calls")]
    both = f"{writer} --append groups {grouped} & {writer} --append person {decisions} & wait"
    subprocess.run([*watched, "sh", "-c", both], check=True, stdout=subprocess.DEVNULL)
    with (place / "calls").open(encoding="ascii", errors="replace") as lines:
        return list(acts_of(lines))


# --- what they did ---


def acts_of(lines: Iterator[str] | list[str]) -> Iterator[Act]:
    """The acts in a record. A write counts from its end and a sync covers what had ended when it began."""
    unfinished: dict[str, Act] = {}
    for number, line in enumerate(lines):
        process, _, said = line.rstrip("\n").partition(" ")
        if " resumed>" in said:
            act = unfinished.pop(process, None)
            if act is not None and said.endswith("= 0" if act.kind == "sync ended" else ""):
                yield act
            continue
        found = CALL.search(said)
        act = found and _act(found[1], _name(found[2]), found[3], number)
        if not act:
            continue
        if act.kind == "sync ended":
            yield act._replace(kind="sync begins")
        if said.endswith("<unfinished ...>") and act.kind != "answer":
            unfinished[process] = act
        elif act.kind != "sync ended" or said.endswith("= 0"):
            yield act


def _act(call: str, file: str, arguments: str, number: int) -> Act | None:
    if call == "write":
        text = BYTES.match(arguments)
        said = _bytes(text[1]) if text else b""
        return Act("answer", data=said[4:].strip()) if said.startswith(b"ACK ") else None
    if file not in KEPT_FILES:
        return None
    if call == "pwrite64":
        text = BYTES.match(arguments)
        assert text is not None, arguments[:80]
        return Act("write", file, int(text[2]), _bytes(text[1]))
    if call == "ftruncate":
        return Act("truncate", file, int(arguments.strip(" ,").split(")")[0].split()[0]))
    return Act("sync ended", file, number)


def _name(path: str) -> str:
    return Path(_bytes(path).decode() if path.startswith("\\x") else path).name


def _bytes(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", ""))


class Disk:
    """Files as they are after what was synced, and the writes since."""

    def __init__(self, database: bytes) -> None:
        self.files = {DATABASE: bytearray(database)}
        self.later: list[Act] = []
        self._covered: dict[int, list[Act]] = {}

    def see(self, act: Act) -> None:
        """The next act."""
        if act.kind == "sync begins":
            self._covered[act.at] = [later for later in self.later if later.file == act.file]
        elif act.kind == "sync ended":
            covered = self._covered.pop(act.at)
            for later in covered:
                put(self.files, later)
            self.later = [later for later in self.later if not any(later is one for one in covered)]
        elif act.kind != "answer":
            self.later.append(act)

    def after_loss(self, chance: random.Random) -> dict[str, bytearray]:
        """The files when the power is lost now."""
        files = {name: bytearray(data) for name, data in self.files.items()}
        share = chance.choice([0, 0, 0.5, 0.9, 1])
        for later in self.later:
            if chance.random() < share:
                put(files, later._replace(data=later.data[: chance.choice([512, 1 << 20, 1 << 20])]))
        return files


def put(files: dict[str, bytearray], act: Act) -> None:
    """Carry out a write or truncation."""
    data = files.setdefault(act.file, bytearray())
    end = act.at + len(act.data)
    data.extend(bytes(max(0, end - len(data))))
    if act.kind == "truncate":
        del data[act.at :]
    else:
        data[act.at : end] = act.data


def what_is_wrong(files: dict[str, bytearray], answered: set[str], place: Path) -> str:
    """In words; empty when the journal is sound and has all that was answered."""
    place.mkdir()
    for name, data in files.items():
        (place / name).write_bytes(data)
    with open_journal(place, clock=SystemClock()) as journal:
        lost = answered - {event.id for event in journal.read_all(limit=1 << 20)}
        unsound = not verify(journal).ok
    shutil.rmtree(place)
    return f"{len(lost)} lost{', unsound' if unsound else ''}" if lost or unsound else ""


def losses(acts: list[Act], place: Path, *, count: int, chance: random.Random) -> list[str]:
    """What was wrong after so many losses of power at different moments."""
    moments = set(chance.sample(range(len(acts)), min(count, len(acts))))
    disk, answered, wrong = Disk((place / "before" / DATABASE).read_bytes()), set[str](), []
    for number, act in enumerate(acts):
        disk.see(act)
        if act.kind == "answer":
            answered.add(act.data.decode())
        if number in moments:
            said = what_is_wrong(disk.after_loss(chance), answered, place / "after")
            wrong += [f"after act {number}: {said}"] if said else []
    return wrong


def main() -> int:
    """Lose power; 0 when nothing else was lost."""
    parser = argparse.ArgumentParser(description="Loss of power at random moments.")
    parser.add_argument("--losses", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--append", nargs=2, metavar=("WHO", "COUNT"), help=argparse.SUPPRESS)
    parser.add_argument("--directory", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--early", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.append:
        who, count = asked.append
        append(asked.directory, who, int(count), sync=(lambda _file: None) if asked.early else sync_data)
        return 0
    if shutil.which("strace") is None:
        print("strace is not installed")
        return 1
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        acts = recorded(place, grouped=GROUPED, decisions=DECISIONS)
        wrong = losses(acts, place, count=asked.losses, chance=random.Random(asked.seed))
    answers = sum(act.kind == "answer" for act in acts)
    if answers != GROUPED + DECISIONS:
        wrong.append(f"{answers} answers in place of {GROUPED + DECISIONS}")
    print(*wrong, sep="\n", end="\n" if wrong else "")
    begun = sum(act.kind == "write" and act.file != DATABASE and act.at == 0 for act in acts)
    moments = min(asked.losses, len(acts))
    print(f"{moments} losses of power in {len(acts)} acts, {answers} answers, {begun} logs: {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""What must hold in a world after any number of kills; each broken law is a sentence, none is an empty list."""

from __future__ import annotations

import fcntl
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from tests.soak.killing import inhabitants
from tests.soak.person import Person, Said
from workbench.journal.clock import SystemClock
from workbench.journal.store import open_journal
from workbench.model import events as e
from workbench.model.errors import WorkbenchError
from workbench.model.events import Event

ORPHANS_GONE_S = 5.0
OWN_LOCK = "workbench.lock"  # taken by flock: the file stays, the lock does not
P = TypeVar("P", bound=e.Payload)
OUTCOMES = (e.StepFinished, e.StepInterrupted, e.StepFailed)


class Witness(threading.Thread):
    """Reads the journal's tail all the time and remembers what it saw: nothing of it may ever be missing."""

    def __init__(self, person: Person) -> None:
        super().__init__(name="witness", daemon=True)
        self._person = person
        self._over = threading.Event()
        self.seen: dict[int, tuple[str, str]] = {}

    def run(self) -> None:
        """Look again and again; a journal that is not there yet is waited for."""
        while not self._over.wait(0.05):
            try:
                with open_journal(self._person.journal, clock=SystemClock(), read_only=True) as journal:
                    self._follow(journal)
            except (WorkbenchError, OSError, ValueError):
                self.seen = {} if not (self._person.state / "workbench").exists() else self.seen

    def _follow(self, journal: object) -> None:
        while not self._over.wait(0.02):
            after = max(self.seen, default=0)
            for event in journal.read_all(after=after):  # type: ignore[attr-defined]  # what open_journal gives
                self.seen[event.seq] = (event.id, event.hash)

    def end(self) -> None:
        """Stop looking."""
        self._over.set()
        self.join()


def events_of(person: Person) -> list[Event]:
    """All events of the world's journal."""
    with open_journal(person.journal, clock=SystemClock(), read_only=True) as journal:
        return journal.read_all(limit=100_000)


def lost(events: Sequence[Event], witness: Witness, told: Sequence[Said]) -> Iterator[str]:
    """What was acknowledged or seen, and is not there."""
    stored = {event.seq: (event.id, event.hash) for event in events}
    yield from (f"event {seq} was seen and is gone" for seq, what in witness.seen.items() if stored.get(seq) != what)
    resolutions = {event.payload.resolution for event in events if isinstance(event.payload, e.ConsultationResolved)}
    resolutions |= {event.payload.resolution for event in events if isinstance(event.payload, e.PackDecided)}
    merges = {event.payload.new for event in events if isinstance(event.payload, e.PackMerged)}
    for said in told:
        for row in said.rows:
            if row["kind"] == "vcr" and row["id"] not in resolutions:
                yield f"{row['id']} was acknowledged and is gone"
            if row["kind"] == "merge" and row["merge_commit"] not in merges:
                yield f"the merge {row['merge_commit']} was acknowledged and is gone"


def doubled(events: Sequence[Event], person: Person) -> Iterator[str]:
    """Decisions, commits, packs and merges that exist twice."""
    yield from _twice("answer", (p.consultation for p in _payloads(events, e.ConsultationResolved)))
    yield from _twice("pack", (p.pack for p in _payloads(events, e.PackSubmitted)))
    yield from _twice("run's pack", (p.pack for p in _payloads(events, e.RunPackSubmitted)))
    yield from _twice("decision", ((p.pack, p.decision) for p in _payloads(events, e.PackDecided)))
    yield from _twice("merge", (p.pack for p in _payloads(events, e.PackMerged)))
    yield from _twice("end of a run", (p.run for p in _payloads(events, e.RunEnded)))
    yield from _twice("end of a mission", (p.mission for p in _payloads(events, e.MissionEnded)))
    yield from _twice("delivery", ((p.run, p.head) for p in _payloads(events, e.DeliverySubmitted)))
    yield from _twice("act", ((p.run, p.call) for p in _payloads(events, e.ToolReturned)))
    subjects = person.git("log", "--no-merges", "--format=%s", "main").stdout.splitlines()
    yield from _twice("commit", (line for line in subjects if not line.startswith("Record the resolutions")))
    merged = [p.new for p in _payloads(events, e.PackMerged)]
    history = person.git("rev-list", "--first-parent", "main").stdout.split()
    if sorted(history[:-1]) != sorted(merged):
        yield f"main has {len(history) - 1} commits of its own, the journal {len(merged)} merges"


def _payloads(events: Sequence[Event], kind: type[P]) -> Iterator[P]:
    return (event.payload for event in events if isinstance(event.payload, kind))


def _twice(what: str, names: Iterator[object]) -> Iterator[str]:
    counted = Counter(names)
    yield from (f"{what} {name} stands {count} times" for name, count in counted.items() if count > 1)


def disorderly(events: Sequence[Event]) -> Iterator[str]:
    """Steps that overlap, end twice, never end or end in an error."""
    at_work: dict[str, tuple[int, int]] = {}
    for event in events:
        payload = event.payload
        if isinstance(payload, e.StepStarted):
            if payload.run in at_work:
                yield f"{payload.run}: step {payload.number} began while {at_work[payload.run]} was at work"
            at_work[payload.run] = (payload.number, payload.attempt)
        if isinstance(payload, OUTCOMES) and at_work.pop(payload.run, None) != (payload.number, payload.attempt):
            yield f"{payload.run}: step {payload.number} ended without being at work"
        if isinstance(payload, e.StepFailed):
            yield f"{payload.run}: {payload.step} failed: {payload.reason}"
    yield from (f"{run}: {step} never ended" for run, step in at_work.items())


def left_behind(person: Person) -> Iterator[str]:
    """Processes, locks and half-made things after everything was stopped; run it last."""
    until = time.monotonic() + ORPHANS_GONE_S
    while (orphans := inhabitants(person.root)) and time.monotonic() < until:
        time.sleep(0.05)
    yield from (f"process {pid} lives on: {_words(pid)}" for pid in orphans)
    journal = person.journal
    held = [path.name for path in (*journal.glob("*.lock"), *journal.glob("locks/*")) if _is_held(path)]
    yield from (f"{name} is still held" for name in held)
    half_made = [
        *journal.glob("workspaces/runs/.making-*"),
        *journal.glob("scratch/**/out-*"),
        *journal.glob("aee.sock"),
    ]
    half_made += [*journal.glob("workspaces/verification/*"), *journal.glob("workspaces/answers-*")]
    yield from (f"left behind: {path.relative_to(journal)}" for path in half_made)
    git_locks = [*(person.repository / ".git").rglob("*.lock"), *journal.glob("store.git/**/*.lock")]
    yield from (f"git left {path.name}" for path in git_locks if path.name != OWN_LOCK)


def _words(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")[:160]
    except OSError:
        return "gone"


def _is_held(path: Path) -> bool:
    with path.open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def unsound(person: Person) -> Iterator[str]:
    """What the journal's own check and git's say against their contents."""
    said = person.call("journal", "verify", "--json")
    if said.code or not said.rows[0]["ok"]:
        yield f"journal verify: {said.out}{said.err}"
    checked = person.git("fsck", "--strict", "--no-dangling")
    if checked.returncode or checked.stderr.strip():
        yield f"git fsck: {checked.stdout}{checked.stderr}"
    if dirty := person.git("status", "--porcelain").stdout.strip():
        yield f"the checkout is not clean: {dirty[:200]}"


BY_NAME = ("lost", "doubled", "disorderly", "unsound", "unfinished", "left behind")


def judged(person: Person, witness: Witness, told: Sequence[Said], odd: Sequence[str]) -> dict[str, list[str]]:
    """Every broken law, by name. The AEE is stopped here."""
    found: dict[str, list[str]] = defaultdict(list)
    stopped = person.call("aee", "stop", "--json")
    if stopped.code:
        found["left behind"].append(f"aee stop: {stopped.err}")
    events = events_of(person)
    found["lost"] += lost(events, witness, told)
    found["doubled"] += doubled(events, person)
    found["disorderly"] += disorderly(events)
    found["unsound"] += unsound(person)
    found["unfinished"] += odd
    found["left behind"] += left_behind(person)
    return found

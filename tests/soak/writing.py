"""The processes that `writers` kills: one appends in groups as the AEE does, the others singly as commands do.

Each says on its pipe, which outlives it, what it is about to append and what was acknowledged: `TRY number`, `ACK
number`; and `BUSY sentence` when it waited too long for its turn, `ODD sentence` for anything else. What a number
stands for depends on nothing but the number, so that it can be tried again.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import NamedTuple

from workbench.ace.wiring.deciding import decide
from workbench.aee.lock import AeeLock
from workbench.core.decide.consultation import raise_consultation, resolve
from workbench.core.decide.decision import Decision
from workbench.journal.checkpoints import Checkpoints
from workbench.journal.clock import SystemClock
from workbench.journal.group import GroupCommit
from workbench.journal.presence import Card, presence, started_ticks, write_card
from workbench.journal.store import SqliteJournal, open_journal
from workbench.model import events as e
from workbench.model.errors import AlreadyResolved, JournalProblem, WorkbenchError
from workbench.model.events import Event, Proposed
from workbench.ports import States

AEE = "aee"
LOG_PAGES = 60  # so that the log is begun anew all the time
IN_FLIGHT = 6  # appends of the AEE at most that wait for their sync
BLOB_EVERY = 9  # of the AEE's appends, one names a blob
QUESTION_EVERY = 3  # of a person's appends, one is an answer
COMMANDS = 4  # appends of a person between opening and closing


class Task(NamedTuple):
    """What a writer has to do: `pending` was tried and not acknowledged, `first` is the first new number."""

    directory: Path
    who: str
    pending: tuple[int, ...]
    first: int
    last: int = 1 << 30
    control: str = ""


def live(task: Task, pipe: int) -> None:
    """Work until the last number, or until killed."""
    try:
        (_as_aee if task.who == AEE else _as_person)(task, pipe)
    except JournalProblem as busy:
        _say(pipe, f"{'BUSY' if 'locked by another process' in busy.message else 'ODD'} {task.who}: {busy.message}")
    except WorkbenchError as hindered:
        _say(pipe, f"ODD {task.who} was hindered: {hindered.message}")
    except Exception as error:  # noqa: BLE001 - the top of a process: whatever it is is told
        _say(pipe, f"ODD {task.who} failed: {error!r}"[:400])


def _say(pipe: int, text: str) -> None:
    os.write(pipe, text.replace("\n", " ").encode() + b"\n")


def numbers(task: Task) -> Sequence[int]:
    """First what is pending, then what is new."""
    return [*task.pending, *range(task.first, min(task.last, task.first + 100_000))]


# --- as the AEE does ---


def _as_aee(task: Task, pipe: int) -> None:
    lock = AeeLock(task.directory)
    if (found := presence(task.directory)).state != "stopped":
        _say(pipe, f"ODD a killed AEE is taken for {found.state}")
    lock.acquire()
    card = Card(aee=f"aee-{os.getpid()}", pid=os.getpid(), started_ticks=started_ticks(os.getpid()) or 0)
    write_card(task.directory, card)
    with open_journal(task.directory, clock=SystemClock()) as journal:
        checkpoints = Checkpoints(journal.path, interval_s=0.01, full_pages=LOG_PAGES)
        with GroupCommit(journal) as grouped:
            journal.checkpoint_every(2 * LOG_PAGES)
            _append_in_groups(task, pipe, grouped, checkpoints)
        checkpoints.close()


def _append_in_groups(task: Task, pipe: int, grouped: GroupCommit, checkpoints: Checkpoints) -> None:
    waiting: list[Future[list[Event]]] = []
    for number in numbers(task):
        _say(pipe, f"TRY {number}")
        if task.control == "hasty":
            _say(pipe, f"ACK {number}")
        future = grouped.submit(_reports(task, number, grouped.journal))
        future.add_done_callback(_told(pipe, number))
        waiting.append(future)
        if len(waiting) >= 1 + number % IN_FLIGHT:
            for future in waiting:
                future.result()
            waiting.clear()
            time.sleep(0.001)
        checkpoints.nudge()
        if checkpoints.asks_for_the_rest():
            grouped.journal.checkpoint()
    for future in waiting:
        future.result()


def _told(pipe: int, number: int) -> Callable[[Future[list[Event]]], None]:
    def told(future: Future[list[Event]]) -> None:
        if future.exception() is None:
            _say(pipe, f"ACK {number}")

    return told


def ids_of(who: str, number: int) -> tuple[str, str]:
    """The ids of the two events of an append."""
    return f"{who}-{number}-0", f"{who}-{number}-1"


def _reports(task: Task, number: int, journal: SqliteJournal) -> list[Proposed]:
    """Two events; now and then the second names a blob, which is stored first."""
    ids = ids_of(task.who, number) if task.control != "nameless" else ("", "")
    thought = e.ThoughtRecorded(run="m.1", text="x" * (number * 37 % 900))
    first = Proposed(stream="run/m.1", payload=thought, actor="agent:m.1", id=ids[0])
    if number % BLOB_EVERY == 0:
        cached = e.EvidenceCached(key=str(number), blob=journal.blobs.put(f"evidence {number}".encode()))
        return [first, Proposed(stream="repository/evidence", payload=cached, actor="aee", id=ids[1])]
    return [first, Proposed(stream="run/m.1", payload=e.ThoughtRecorded(run="m.1", text="y"), actor="a", id=ids[1])]


# --- as commands do ---


def _as_person(task: Task, pipe: int) -> None:
    """Command after command, each of which opens the journal and closes it."""
    left = numbers(task)
    for at in range(0, len(left), COMMANDS):
        with open_journal(task.directory, clock=SystemClock()) as journal:
            for number in left[at : at + COMMANDS]:
                _say(pipe, f"TRY {number}")
                if is_answer(task.who, number):
                    answer(journal, task.who, number)
                else:
                    ids = ids_of(task.who, number)
                    thoughts = [e.ThoughtRecorded(run="m.1", text=text) for text in (task.who, str(number))]
                    journal.append(
                        [
                            Proposed(stream="run/m.1", payload=thought, actor=f"human:{task.who}", id=id_)
                            for thought, id_ in zip(thoughts, ids, strict=True)
                        ]
                    )
                _say(pipe, f"ACK {number}")


def is_answer(who: str, number: int) -> bool:
    """Whether this append is the answer to a question."""
    return who != AEE and number % QUESTION_EVERY == 0


def asked(who: str, number: int) -> str:
    """The question that this number answers."""
    return question(who, number).consultation


def answer(journal: SqliteJournal, who: str, number: int) -> list[Event]:
    """Ask what this number answers, and answer it; the events that say so, none when that was done before."""
    raised = question(who, number)
    journal.append(raise_consultation(raised).events)

    def decision(states: States) -> Decision:
        state = states.consultation(raised.consultation)
        assert state is not None  # raised just now
        return resolve(state, option="A", rationale="it fits", decided_by=who, actor=f"human:{who}", at="")

    with contextlib.suppress(AlreadyResolved):  # by this person, before the kill
        return decide(journal, decision)
    return []


def question(who: str, number: int) -> e.ConsultationRaised:
    """A person is asked; nothing waits for it."""
    name = f"CRP-{who}.1-{number}"
    return e.ConsultationRaised(
        consultation=name, mission="m", run="m.1", mode="advisory", category="technical", title="Which one?",
        options=("A", "B"), document={"id": name, "summary": "Which one?"},
    )  # fmt: skip

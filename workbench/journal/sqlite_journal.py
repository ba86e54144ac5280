"""The journal on SQLite: appends, reads and folded states. It starts no thread and reads no clock but the one given."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from workbench.core.state import ConsultationState, MissionState, PackState, RunState
from workbench.journal import projections
from workbench.journal.blobs import FileBlobs
from workbench.journal.connection import Speaking, begin, roll_back, sync_commits
from workbench.journal.exclusion import NOT_HELD, leave_writers
from workbench.journal.heads import Heads
from workbench.journal.location import BLOBS, DATABASE
from workbench.journal.plan import Batch, Group
from workbench.journal.projections import FOLD_VERSION, TABLE_OF, StateT
from workbench.journal.rows import INSERT, SELECT, event_of
from workbench.model.errors import Conflict, JournalProblem
from workbench.model.events import Event, Proposed
from workbench.ports import Clock

_HINT_NEWER = "upgrade Workbench to the version that wrote it; reading still works"


class SqliteJournal:
    """Journal and States over one database file; usable from several threads. Made by `open_journal`."""

    def __init__(
        self,
        directory: Path,
        *,
        clock: Clock,
        reader: sqlite3.Connection,
        writer: sqlite3.Connection | None,
        refusal: str,
        place: int = NOT_HELD,
    ) -> None:
        self.directory = directory
        self.path = directory / DATABASE
        self.blobs = FileBlobs(directory / BLOBS, read_only=writer is None)
        self._clock = clock
        self._speaking = Speaking(self.path)
        self._reader, self._reading = reader, threading.Lock()
        self._writer, self._writing = writer, threading.Lock()
        self._synced = True  # whether the writer's commits wait for a sync
        self._heads = None if writer is None else Heads(writer)
        self._place = place  # among the writers, given back at the end
        self._refusal = refusal  # why appends are refused; empty: they are not

    # --- appending ---

    def append(self, proposed: Sequence[Proposed], *, expect: Mapping[str, int] | None = None) -> list[Event]:
        """Append in order, all or nothing; on disk when this returns. See `ports.Journal`."""
        outcome = self.append_group([Batch(proposed, expect or {})])[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def append_group(
        self, batches: Sequence[Batch], *, synced: bool = True
    ) -> list[list[Event] | Conflict | JournalProblem]:
        """Append batches in one transaction with one sync. Each is stored whole or refused with its own outcome.

        Not `synced`: the caller syncs the log before it trusts any outcome. A reader may see the events before that.
        Raises JournalProblem when the transaction as a whole failed: then nothing of any batch was written.
        """
        with self._writing, self._speaking:
            writer, heads = self._open_writer(synced=synced)
            try:
                return self._carry_out(batches, writer, heads)
            except BaseException:
                heads.forget()
                roll_back(writer)
                raise

    def _carry_out(
        self, batches: Sequence[Batch], writer: sqlite3.Connection, heads: Heads
    ) -> list[list[Event] | Conflict | JournalProblem]:
        begin(writer)
        heads.refresh()
        group = Group(heads, last_seq=heads.last_seq, now=self._clock.now())
        outcomes = [_taken(group, batch) for batch in batches]
        if not group.rows:
            writer.execute("ROLLBACK")
            return outcomes
        writer.executemany(INSERT, group.rows)
        projections.write(writer, group.heads, before=heads.stored)
        writer.execute("COMMIT")
        heads.remember(group)
        return outcomes

    @contextmanager
    def transaction(self) -> Iterator[tuple[sqlite3.Connection, Heads]]:
        """A write transaction for this room's own use: rolled back unless the body commits it."""
        with self._writing, self._speaking:
            writer, heads = self._open_writer()
            try:
                begin(writer)
                heads.refresh()
                yield writer, heads
            except BaseException:
                heads.forget()
                raise
            finally:
                roll_back(writer)

    def _open_writer(self, *, synced: bool = True) -> tuple[sqlite3.Connection, Heads]:
        if self._writer is None or self._heads is None:
            raise JournalProblem("the journal was opened for reading only", hint="open it for writing to append")
        if self._refusal:
            raise JournalProblem(self._refusal, hint=_HINT_NEWER)
        if synced != self._synced:
            sync_commits(self._writer, synced)
            self._synced = synced
        return self._writer, self._heads

    @property
    def has_older_folds(self) -> bool:
        """Whether older folds wrote the projections: `rebuild` is due. Appending is safe meanwhile."""
        noted = self.rows("SELECT value FROM notes WHERE name = 'fold_version'")
        return not noted or int(noted[0][0]) < FOLD_VERSION

    def checkpoint_every(self, pages: int) -> None:
        """Let the write-ahead log grow to so many pages before an append moves it into the database."""
        with self._writing, self._speaking:
            self._open_writer()[0].execute(f"PRAGMA wal_autocheckpoint = {pages}")

    def checkpoint(self) -> None:
        """Move the write-ahead log into the database as far as readers let it; what fails is done by a later one."""
        with self._writing, contextlib.suppress(sqlite3.Error):
            self._open_writer()[0].execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    @property
    def refusal(self) -> str:
        """Why nobody may append with this version; empty: anybody may."""
        return self._refusal

    @property
    def is_writable(self) -> bool:
        """Whether this opening may append."""
        return self._writer is not None and not self._refusal

    # --- reading ---

    def read(self, stream: str, *, after: int = 0, limit: int = 0) -> list[Event]:
        """Events of one stream with version > `after`, oldest first; `limit` 0 means all."""
        query = f"{SELECT} WHERE stream = ? AND version > ? ORDER BY version LIMIT ?"
        return [event_of(row) for row in self.rows(query, stream, after, limit or -1)]

    def streams_since(self, seq: int) -> tuple[int, list[str]]:
        """The newest seq, and the streams that events after `seq` belong to."""
        found = self.rows("SELECT stream, max(seq) FROM events WHERE seq > ? GROUP BY stream", seq)
        return max((newest for _, newest in found), default=seq), [str(stream) for stream, _ in found]

    def read_newest(self, stream: str, *, limit: int, before: int = 0) -> list[Event]:
        """The newest events of one stream (with version < `before`, if given), oldest of them first."""
        query = f"{SELECT} WHERE stream = ? AND version < ? ORDER BY version DESC LIMIT ?"
        rows = self.rows(query, stream, before or 1 << 62, limit)
        return [event_of(row) for row in reversed(rows)]

    def read_all(self, *, after: int = 0, limit: int = 1000) -> list[Event]:
        """Events of the whole journal with seq > `after`, oldest first."""
        query = f"{SELECT} WHERE seq > ? ORDER BY seq LIMIT ?"
        return [event_of(row) for row in self.rows(query, after, limit)]

    def find(self, event_id: str) -> Event | None:
        """The stored event of that id."""
        rows = self.rows(f"{SELECT} WHERE id = ?", event_id)
        return event_of(rows[0]) if rows else None

    def last_seq(self) -> int:
        """The seq of the newest event, 0 in an empty journal."""
        return int(self.rows("SELECT coalesce(max(seq), 0) FROM events")[0][0])

    def data_version(self) -> int:
        """A number that changes with each commit of any other connection, this journal's own writer among them."""
        return int(self.rows("PRAGMA data_version")[0][0])

    def rows(self, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """The rows of any query, for this room's own use."""
        with self._reading, self._speaking:
            return self._reader.execute(query, arguments).fetchall()

    # --- states ---

    def mission(self, mission: str) -> MissionState | None:
        """One mission."""
        return self._state(MissionState, mission)

    def missions(self) -> list[MissionState]:
        """All missions, oldest first."""
        return self._states(MissionState, {})

    def run(self, run: str) -> RunState | None:
        """One run."""
        return self._state(RunState, run)

    def runs(self, *, mission: str = "", live: bool = False) -> list[RunState]:
        """All runs, of one mission if named, only those without an outcome if `live`; oldest first."""
        return self._states(RunState, {**_given(mission=mission), **({"live": 1} if live else {})})

    def consultation(self, consultation: str) -> ConsultationState | None:
        """One question."""
        return self._state(ConsultationState, consultation)

    def consultations(self, *, run: str = "", is_open: bool = False) -> list[ConsultationState]:
        """All questions, of one run if named, only open ones if `is_open`; oldest first."""
        return self._states(ConsultationState, {**_given(run=run), **({"is_open": 1} if is_open else {})})

    def pack(self, pack: str) -> PackState | None:
        """One pack."""
        return self._state(PackState, pack)

    def packs(self, *, run: str = "", state: str = "") -> list[PackState]:
        """All packs, of one run and in one state if named; oldest first."""
        return self._states(PackState, _given(run=run, state=state))

    def _state(self, of: type[StateT], name: str) -> StateT | None:
        found = self._states(of, {"id": name})
        return found[0] if found else None

    def _states(self, of: type[StateT], where: Mapping[str, Any]) -> list[StateT]:
        table = TABLE_OF[of]
        query, arguments = projections.select(table, where)
        return [projections.decoded(table, folded) for (folded,) in self.rows(query, *arguments)]

    # --- the end ---

    def close(self) -> None:
        """Let go of the file; a second call does nothing."""
        with self._writing, self._reading:
            self._reader.close()
            if self._writer is not None:
                self._writer.close()
            leave_writers(self._place)
            self._place = NOT_HELD

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _given(**named: str) -> dict[str, Any]:
    return {name: value for name, value in named.items() if value}


def _taken(group: Group, batch: Batch) -> list[Event] | Conflict | JournalProblem:
    try:
        return group.add(batch)
    except (Conflict, JournalProblem) as refused:
        return refused

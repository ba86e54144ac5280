"""Walking a journal from its first event to its last, to say what holds, what does not, and what cannot be shown."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from workbench.journal import projections
from workbench.journal.chain import event_hash
from workbench.journal.connection import connect, problem
from workbench.journal.plan import EMPTY_HEAD, Head, folded
from workbench.journal.rows import COLUMNS, event_of
from workbench.journal.store import SqliteJournal
from workbench.model.errors import JournalProblem, NotFound
from workbench.model.events import Event, EvidenceCached, PackSubmitted, Payload, Pin

MAX_FAULTS = 200  # told one by one; the rest are counted
_TYPES = (int, str, str, int, str, int, str, str, bytes, str, str)
_WALK = f"SELECT typeof(payload), {', '.join(COLUMNS)} FROM events ORDER BY seq".replace(
    " payload,", " CAST(payload AS BLOB),"
)
_Known = TypeVar("_Known", "_Document", "_Item")
_HEADS = """
WITH RECURSIVE names(stream) AS (
    SELECT min(stream) FROM events
    UNION ALL SELECT (SELECT min(stream) FROM events WHERE stream > names.stream) FROM names WHERE stream IS NOT NULL
)
SELECT names.stream, events.hash, events.seq FROM names JOIN events ON events.stream = names.stream
AND events.version = (SELECT max(version) FROM events WHERE stream = names.stream)
"""


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where the journal stood: the newest seq, and the newest hash of each stream. Signed, it outlives the machine."""

    seq: int
    heads: dict[str, str]


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that does not hold. `seq` 0: it is not about one event."""

    text: str
    seq: int = 0
    stream: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a walk found. `untold` counts the problems beyond those listed."""

    events: int
    ok: bool
    problems: tuple[Fault, ...]
    untold: int = 0
    checkpoints: int = 0
    cannot_show: tuple[str, ...] = ()


class _Item(msgspec.Struct, frozen=True):
    """What an item of evidence, or a report that is cited again, says of the logs that it left."""

    id: str = ""
    kind: str = ""
    outputs: dict[str, str] = {}

    @property
    def blobs(self) -> list[tuple[str, str]]:
        """Name and digest of those that are kept as blobs."""
        return [(name, digest) for name, digest in self.outputs.items() if digest.startswith("sha256:")]


class _Document(msgspec.Struct, frozen=True):
    """What a pack's document says of its evidence."""

    evidence: tuple[_Item, ...] = ()


def checkpoint(journal: SqliteJournal) -> Checkpoint:
    """Where the journal stands now."""
    rows = journal.rows(_HEADS)
    return Checkpoint(
        seq=max((seq for _, _, seq in rows), default=0), heads={stream: hash_ for stream, hash_, _ in rows}
    )


def verify(journal: SqliteJournal, *, checkpoints: Sequence[Checkpoint] = ()) -> Report:
    """Walk all events, their blobs and the projections, on one snapshot; writers are not held up."""
    walk = _Walk(journal, checkpoints)
    try:
        with contextlib.closing(connect(journal.path, read_only=True)) as connection:
            connection.text_factory = _tolerant
            connection.execute("BEGIN")
            walk.whole(connection)
    except sqlite3.Error as error:
        walk.fault(problem(error, journal.path).message)
    return walk.report()


def _tolerant(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")  # altered text must not stop the walk


class _Walk:
    """The state of one walk."""

    def __init__(self, journal: SqliteJournal, checkpoints: Sequence[Checkpoint]) -> None:
        self._blobs = journal.blobs
        self._checkpoints = sorted(checkpoints, key=lambda point: point.seq)
        self._shown = 0  # checkpoints that were reached
        self._heads: dict[str, Head] = {}
        self._seen_blobs: dict[str, str] = {}  # digest to what is wrong with it
        self._events = 0
        self._last_seq = 0
        self._unfolded = False
        self._faults: list[Fault] = []
        self._untold = 0

    def fault(self, text: str, *, seq: int = 0, stream: str = "") -> None:
        if len(self._faults) < MAX_FAULTS:
            self._faults.append(Fault(text=text, seq=seq, stream=stream))
        else:
            self._untold += 1

    def report(self) -> Report:
        return Report(
            events=self._events,
            ok=not self._faults,
            problems=tuple(self._faults),
            untold=self._untold,
            checkpoints=self._shown,
            cannot_show=self._cannot_show(),
        )

    def _cannot_show(self) -> tuple[str, ...]:
        since = self._checkpoints[self._shown - 1].seq if self._shown else 0
        return (
            f"whether events after seq {since} were cut off at the end, or rewritten together with all hashes after "
            "them: only a later checkpoint kept elsewhere can show that",
            "whether an event is true: the chain shows that it was not altered since it was stored",
        )

    def whole(self, connection: sqlite3.Connection) -> None:
        self._file(connection)
        for row in connection.execute(_WALK):
            self._reach(row[1])
            self._row(row)
        self._reach(None)
        self._projections(connection)

    def _file(self, connection: sqlite3.Connection) -> None:
        for (text,) in connection.execute(f"PRAGMA integrity_check({MAX_FAULTS})"):
            if text != "ok":
                self.fault(f"the database file is inconsistent: {text}")
        from workbench.journal.schema import reference, shape  # sqlite-utils, which no reader needs

        for kind, name, _ in sorted(reference() ^ shape(connection)):
            self.fault(f"the {kind} {name!r} is not as this version makes it (altered, missing or added)")

    # --- events ---

    def _row(self, row: tuple[Any, ...]) -> None:
        stored_as, *columns = row
        seq, stream = columns[0], columns[2]
        self._events += 1
        if seq != self._last_seq + 1:
            self.fault(f"seq goes from {self._last_seq} to {seq}: events are missing or were moved", seq=seq)
        self._last_seq = seq
        if stored_as != "text" or [type(value) for value in columns] != list(_TYPES):
            self.fault("a column has a value of the wrong type", seq=seq)
            return
        head = self._heads.get(stream, EMPTY_HEAD)
        self._links(columns, head)
        self._heads[stream] = self._after(columns, head)

    def _links(self, columns: list[Any], head: Head) -> None:
        seq, stream, version, payload, prev_hash, hash_ = (columns[at] for at in (0, 2, 3, 8, 9, 10))
        if version != head.version + 1:
            self.fault(f"version goes from {head.version} to {version}", seq=seq, stream=stream)
        if prev_hash != head.hash:
            self.fault("it does not follow on the event before it in its stream", seq=seq, stream=stream)
        try:
            recomputed = event_hash(prev_hash, tuple(columns[:8]), payload)
        except (UnicodeError, msgspec.MsgspecError):
            recomputed = ""
        if hash_ != recomputed:
            self.fault("its content does not match its hash", seq=seq, stream=stream)

    def _after(self, columns: list[Any], head: Head) -> Head:
        seq, stream, version, hash_ = columns[0], columns[2], columns[3], columns[10]
        state = head.state
        try:
            event = event_of(tuple(columns))
            self._named_blobs(event)
            state = folded(state, event)
        except JournalProblem as refused:
            self.fault(refused.message, seq=seq, stream=stream)
            self._unfolded = True
        return Head(version, hash_, state, head.born or (seq if state is not None else 0))

    def _named_blobs(self, event: Event) -> None:
        for digest in named_blobs(event.payload):
            if digest not in self._seen_blobs and (wrong := self._wrong(digest)):
                self.fault(wrong, seq=event.seq, stream=event.stream)
        for what, digest in self._outputs(event.payload):
            if wrong := self._wrong(digest):
                self.fault(f"{what}: {wrong}", seq=event.seq, stream=event.stream)

    def _wrong(self, digest: str) -> str:
        """What is wrong with a blob; empty: it is there, and hashes to its name."""
        if digest not in self._seen_blobs:
            self._seen_blobs[digest] = ""
            try:
                self._blobs.get(digest)
            except (NotFound, JournalProblem) as found:
                self._seen_blobs[digest] = found.message
        return self._seen_blobs[digest]

    def _outputs(self, payload: Payload) -> Iterator[tuple[str, str]]:
        """The logs and reports that a document of ours names, which an event names: what each is, and its digest."""
        if isinstance(payload, PackSubmitted):
            for item in self._decoded(payload.blob, _Document()).evidence:
                of = f"of evidence {item.id} ({item.kind}) of pack {payload.pack}"
                yield from ((f"{name} {of}", digest) for name, digest in item.blobs)
        elif isinstance(payload, EvidenceCached):
            kept = self._decoded(payload.blob, _Item())
            yield from ((f"{name} of evidence that later packs cite", digest) for name, digest in kept.blobs)

    def _decoded(self, digest: str, nothing: _Known) -> _Known:
        """What a blob says, as that type; nothing, where it says something else or is said to be damaged already."""
        try:
            return msgspec.json.decode(self._blobs.get(digest), type=type(nothing))
        except (NotFound, JournalProblem, msgspec.DecodeError, RecursionError):
            return nothing

    # --- checkpoints and projections ---

    def _reach(self, seq: int | None) -> None:
        """Compare with each checkpoint that lies before `seq` (None: the end)."""
        while self._shown < len(self._checkpoints):
            point = self._checkpoints[self._shown]
            if seq is not None and point.seq >= seq:
                return
            if seq is None and point.seq > self._last_seq:
                self.fault(f"a checkpoint knows seq {point.seq}, but the journal ends at {self._last_seq}: it was cut")
                return
            self._compare(point)
            self._shown += 1

    def _compare(self, point: Checkpoint) -> None:
        heads = {stream: head.hash for stream, head in self._heads.items()}
        for stream in sorted(heads.keys() | point.heads.keys()):
            if heads.get(stream) != point.heads.get(stream):
                self.fault(f"it is not as the checkpoint at seq {point.seq} knew it", seq=point.seq, stream=stream)

    def _projections(self, connection: sqlite3.Connection) -> None:
        if self._unfolded:
            self.fault("the projections were not compared, because some events cannot be folded")
            return
        stored, wanted = projections.dump(connection), projections.expected(self._heads.items())
        for table, rows in wanted.items():
            for row in _differing(stored[table], rows):
                self.fault(f"the {table} projection differs from its events at {row}; run `workbench journal rebuild`")


def _differing(stored: list[tuple[Any, ...]], wanted: list[tuple[Any, ...]]) -> Iterator[str]:
    if stored == wanted:
        return
    for row in {row[0] for row in set(stored) ^ set(wanted)}:
        yield repr(row)


def named_blobs(payload: Payload) -> Iterator[str]:
    """The digests of the blobs that an event vouches for: in its own fields, not in what an agent wrote."""
    for value in (getattr(payload, name) for name in payload.__struct_fields__):
        if isinstance(value, Pin) and value.blob:
            yield value.blob
    yield from filter(None, (getattr(payload, name, "") for name in ("blob", "reply")))

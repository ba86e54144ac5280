"""What a group of appends comes to: versions, hashes and folded states, worked out before anything is written.

Pure but for the ids that it draws; it knows no database, only a `Source` of what is already stored.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from workbench.core.fold import fold
from workbench.core.state import ConsultationState, MissionState, PackState, RunState, State
from workbench.journal.chain import GENESIS, event_hash
from workbench.journal.rows import EventRow, encode
from workbench.model.errors import Conflict, JournalProblem
from workbench.model.events import Event, Proposed, kind_of
from workbench.model.ids import is_id
from workbench.model.instants import epoch_seconds

STATE_TYPES: dict[str, type[State] | None] = {
    "mission": MissionState,
    "run": RunState,
    "consultation": ConsultationState,
    "pack": PackState,
    "repository": None,  # keeps facts, has no state
}
_EVENT_ID = re.compile(r"[\x21-\x7e]{1,200}")  # what may name an event: visible ASCII
_ACTOR_LENGTH = 300  # characters


class Head(NamedTuple):
    """Where a stream stands. `born` is the seq of the event that made its state, 0 while it has none."""

    version: int = 0
    hash: str = GENESIS
    state: State | None = None
    born: int = 0


EMPTY_HEAD = Head()


class Batch(NamedTuple):
    """The arguments of one append."""

    proposed: Sequence[Proposed]
    expect: Mapping[str, int]


class Source(Protocol):
    """What is stored already."""

    def head(self, stream: str) -> Head:
        """Where a stream stands; `EMPTY_HEAD` when it has no event."""
        ...

    def find(self, event_id: str) -> Event | None:
        """The stored event of that id."""
        ...


class Group:
    """Batches that become durable together; each is taken whole or not at all, whatever becomes of the others."""

    def __init__(self, source: Source, *, last_seq: int, now: str) -> None:
        self._source = source
        self._now = now
        self._newest_id = 0  # 0: none was drawn yet
        self.last_seq = last_seq
        self.rows: list[EventRow] = []
        self.heads: dict[str, Head] = {}
        self.events: dict[str, Event] = {}  # by id

    def add(self, batch: Batch) -> list[Event]:
        """Take a batch; the events as they will be stored. Raises Conflict or JournalProblem and takes nothing."""
        known = [self._find(proposed.id) if proposed.id else None for proposed in batch.proposed]
        if None not in known:
            return [event for event in known if event is not None]
        for stream, expected in batch.expect.items():
            actual = self._head(stream).version
            if actual != expected:
                raise Conflict(stream, expected=expected, actual=actual)
        taken, before = len(self.rows), dict[str, Head | None]()
        try:
            pairs = zip(batch.proposed, known, strict=True)
            return [stored or self._take(proposed, before) for proposed, stored in pairs]
        except BaseException:
            self._give_back(taken, before)
            raise

    def drawn_id(self) -> str:
        """A new event id, 32 hex digits that begin with the time: neighbours in time are neighbours in an index."""
        if not self._newest_id:
            self._newest_id = int(epoch_seconds(self._now) * 1000) << 80 | int.from_bytes(os.urandom(10)) >> 1
        self._newest_id += 1
        return f"{self._newest_id:032x}"

    def _take(self, proposed: Proposed, before: dict[str, Head | None]) -> Event:
        """Take one event; `before` keeps the group's heads as they were ahead of its batch."""
        repeated = self.events.get(proposed.id)
        if repeated is not None:
            return repeated
        stream = proposed.stream
        in_group = self.heads.get(stream)
        head = in_group or self._source.head(stream)
        if not head.version:
            check_stream(stream)
        event, row = self._seal(proposed, head)
        state = folded(head.state, event)
        before.setdefault(stream, in_group)
        self.heads[stream] = Head(
            event.version, event.hash, state, head.born or (event.seq if state is not None else 0)
        )
        self.events[event.id] = event
        self.rows.append(row)
        self.last_seq = event.seq
        return event

    def _give_back(self, taken: int, before: Mapping[str, Head | None]) -> None:
        """Forget the rows beyond the first `taken`, which one batch added, and what came with them."""
        for row in self.rows[taken:]:
            del self.events[row[1]]
        self.last_seq -= len(self.rows) - taken
        del self.rows[taken:]
        for stream, head in before.items():
            if head is None:
                del self.heads[stream]
            else:
                self.heads[stream] = head

    def _find(self, event_id: str) -> Event | None:
        return self.events.get(event_id) or self._source.find(event_id)

    def _head(self, stream: str) -> Head:
        return self.heads.get(stream) or self._source.head(stream)

    def _seal(self, proposed: Proposed, head: Head) -> tuple[Event, EventRow]:
        actor, stream = proposed.actor, proposed.stream
        kind = kind_of(proposed.payload)
        data, payload = encode(proposed.payload, kind)
        seq, version = self.last_seq + 1, head.version + 1
        at = proposed.at or self._now
        event_id = proposed.id or self.drawn_id()
        schema = type(proposed.payload).SCHEMA
        _check_names(event_id, actor)
        sealed = (seq, event_id, stream, version, kind, schema, actor, at)
        hash_ = event_hash(head.hash, sealed, data)
        event = Event(
            seq=seq,
            id=event_id,
            stream=stream,
            version=version,
            kind=kind,
            schema=schema,
            actor=actor,
            at=at,
            payload=payload,
            prev_hash=head.hash,
            hash=hash_,
        )
        return event, (*sealed, data.decode(), head.hash, hash_)


def check_stream(stream: str) -> None:
    """Raise JournalProblem unless `stream` is `<kind>/<id>` of a kind that the journal keeps."""
    kind, _, name = stream.partition("/")
    if kind not in STATE_TYPES or not is_id(name):
        raise JournalProblem(
            f"no stream can be called {stream!r}",
            hint=f"a stream is one of {', '.join(STATE_TYPES)}, a slash, and an id",
        )


def _check_names(event_id: str, actor: str) -> None:
    if _EVENT_ID.fullmatch(event_id) is None:
        raise JournalProblem(f"no event can have the id {event_id!r}", hint="use 1 to 200 visible ASCII characters")
    if not actor or len(actor) > _ACTOR_LENGTH or not actor.isprintable():
        raise JournalProblem(
            f"no event can come from the actor {actor!r}", hint="name who acts, e.g. human:<who> or aee"
        )


def folded(state: State | None, event: Event) -> State | None:
    """`fold`, with its refusals told as JournalProblem: an event that cannot be folded must never be stored."""
    try:
        after = fold(state, event)
    except (TypeError, AttributeError, LookupError, ValueError, ArithmeticError) as error:
        message = f"a {event.kind} event does not fit {event.stream} at version {event.version - 1}: {error}"
        raise JournalProblem(message, hint="nothing was written; read the stream again and decide anew") from error
    if after is not None and (state is None or type(after) is not type(state) or after.id != state.id):
        _check_state(after, event)
    return after


def _check_state(state: State, event: Event) -> None:
    kind, _, name = event.stream.partition("/")
    if type(state) is not STATE_TYPES.get(kind) or state.id != name:
        message = f"a {event.kind} event for {state.id!r} does not belong into {event.stream}"
        raise JournalProblem(message, hint="nothing was written; this is a fault of the caller, please report it")

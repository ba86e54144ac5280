"""A journal in memory that keeps every rule of the real one but durability; it is its own States and Blobs."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from workbench.core.state import ConsultationState, MissionState, PackState, RunState
from workbench.journal.plan import EMPTY_HEAD, Batch, Group, Head
from workbench.model.digests import digest_bytes
from workbench.model.errors import NotFound
from workbench.model.events import Event, Proposed
from workbench.ports import Clock
from workbench.testing.clock import SettableClock

StateT = TypeVar("StateT", MissionState, RunState, ConsultationState, PackState)


class MemoryJournal:
    """Journal, States and Blobs over plain lists and dictionaries."""

    def __init__(self, *, clock: Clock | None = None) -> None:
        self._clock = clock or SettableClock()
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._streams: dict[str, list[Event]] = {}
        self._by_id: dict[str, Event] = {}
        self._heads: dict[str, Head] = {}
        self._blobs: dict[str, bytes] = {}
        self._commits = 0

    # --- Journal ---

    def append(self, proposed: Sequence[Proposed], *, expect: Mapping[str, int] | None = None) -> list[Event]:
        """Append in order, all or nothing."""
        with self._lock:
            group = Group(self, last_seq=len(self._events), now=self._clock.now())
            events = group.add(Batch(proposed, expect or {}))
            for event in group.events.values():
                self._events.append(event)
                self._streams.setdefault(event.stream, []).append(event)
            self._by_id |= group.events
            self._heads |= group.heads
            self._commits += bool(group.rows)
        return events

    def head(self, stream: str) -> Head:
        """Where a stream stands."""
        return self._heads.get(stream, EMPTY_HEAD)

    def find(self, event_id: str) -> Event | None:
        """The stored event of that id."""
        return self._by_id.get(event_id)

    def read(self, stream: str, *, after: int = 0, limit: int = 0) -> list[Event]:
        """Events of one stream with version > `after`, oldest first; `limit` 0 means all."""
        return self._streams.get(stream, [])[after : after + limit if limit else None]

    def read_all(self, *, after: int = 0, limit: int = 1000) -> list[Event]:
        """Events of the whole journal with seq > `after`, oldest first."""
        return self._events[after : after + limit]

    def last_seq(self) -> int:
        """The seq of the newest event, 0 in an empty journal."""
        return len(self._events)

    def data_version(self) -> int:
        """How many commits there were."""
        return self._commits

    # --- States ---

    def mission(self, mission: str) -> MissionState | None:
        """One mission."""
        return self._state(MissionState, f"mission/{mission}")

    def missions(self) -> list[MissionState]:
        """All missions, oldest first."""
        return self._states(MissionState)

    def run(self, run: str) -> RunState | None:
        """One run."""
        return self._state(RunState, f"run/{run}")

    def runs(self, *, mission: str = "", live: bool = False) -> list[RunState]:
        """All runs, of one mission if named, only those without an outcome if `live`; oldest first."""
        of_mission = _matching(self._states(RunState), mission=mission)
        return [run for run in of_mission if not (live and run.outcome)]

    def consultation(self, consultation: str) -> ConsultationState | None:
        """One question."""
        return self._state(ConsultationState, f"consultation/{consultation}")

    def consultations(self, *, run: str = "", is_open: bool = False) -> list[ConsultationState]:
        """All questions, of one run if named, only open ones if `is_open`; oldest first."""
        return _matching(self._states(ConsultationState), run=run, state="open" if is_open else "")

    def pack(self, pack: str) -> PackState | None:
        """One pack."""
        return self._state(PackState, f"pack/{pack}")

    def packs(self, *, run: str = "", state: str = "") -> list[PackState]:
        """All packs, of one run and in one state if named; oldest first."""
        return _matching(self._states(PackState), run=run, state=state)

    def _state(self, of: type[StateT], stream: str) -> StateT | None:
        state = self.head(stream).state
        return state if isinstance(state, of) else None

    def _states(self, of: type[StateT]) -> list[StateT]:
        heads = sorted(self._heads.values(), key=lambda head: head.born)
        return [head.state for head in heads if isinstance(head.state, of)]

    # --- Blobs ---

    @property
    def blobs(self) -> MemoryJournal:
        """Itself, where a real journal has its blobs."""
        return self

    def put(self, data: bytes) -> str:
        """Keep `data`; its digest."""
        digest = digest_bytes(data)
        self._blobs[digest] = bytes(data)
        return digest

    def get(self, digest: str) -> bytes:
        """What was put under `digest`."""
        if digest not in self._blobs:
            raise NotFound(f"there is no blob {digest}", hint="put it first")
        return self._blobs[digest]

    def has(self, digest: str) -> bool:
        """Whether something is kept under `digest`."""
        return digest in self._blobs

    def close(self) -> None:
        """Nothing to let go of."""


def _matching(states: Iterable[StateT], **wanted: Any) -> list[StateT]:
    given = {name: value for name, value in wanted.items() if value}
    return [state for state in states if all(getattr(state, name) == value for name, value in given.items())]

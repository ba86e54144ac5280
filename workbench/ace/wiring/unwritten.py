"""A journal that nobody has written to yet: a new repository has nothing to show, and looking must not make files."""

# ruff: noqa: ARG002 - the ports name the arguments, and nothing here depends on them
from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from workbench.core.state import ConsultationState, MissionState, PackState, RunState
from workbench.model.errors import JournalProblem, NotFound
from workbench.model.events import Event
from workbench.ports import Blobs, Journal, States


class Ledger(Journal, States, Protocol):
    """A journal with its projections and blobs, to be closed."""

    @property
    def blobs(self) -> Blobs:
        """Bulky content."""
        ...

    def streams_since(self, seq: int) -> tuple[int, list[str]]:
        """The newest seq, and the streams that events after `seq` belong to."""
        ...

    def read_newest(self, stream: str, *, limit: int, before: int = 0) -> list[Event]:
        """The newest events of one stream (with version < `before`, if given), oldest of them first."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...


class Unwritten:
    """Every list is empty, every thing is absent."""

    @property
    def blobs(self) -> Blobs:
        """None are kept."""
        return _NoBlobs()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, at: object) -> None:
        return None

    def append(self, proposed: object, *, expect: object = None) -> list[Event]:
        """Refused: what decides opens the journal for writing."""
        raise JournalProblem("the journal was opened for reading only", hint="open it for writing to append")

    def read(self, stream: str, *, after: int = 0, limit: int = 0) -> list[Event]:
        """Nothing."""
        return []

    def read_newest(self, stream: str, *, limit: int, before: int = 0) -> list[Event]:
        """Nothing."""
        return []

    def read_all(self, *, after: int = 0, limit: int = 1000) -> list[Event]:
        """Nothing."""
        return []

    def find(self, event_id: str) -> Event | None:
        """Nothing."""
        return None

    def last_seq(self) -> int:
        """No event."""
        return 0

    def streams_since(self, seq: int) -> tuple[int, list[str]]:
        """None."""
        return seq, []

    def data_version(self) -> int:
        """Never changes; who waits for a first event opens the journal again."""
        return 0

    def mission(self, mission: str) -> MissionState | None:
        """None."""
        return None

    def missions(self) -> list[MissionState]:
        """None."""
        return []

    def run(self, run: str) -> RunState | None:
        """None."""
        return None

    def runs(self, *, mission: str = "", live: bool = False) -> list[RunState]:
        """None."""
        return []

    def consultation(self, consultation: str) -> ConsultationState | None:
        """None."""
        return None

    def consultations(self, *, run: str = "", is_open: bool = False) -> list[ConsultationState]:
        """None."""
        return []

    def pack(self, pack: str) -> PackState | None:
        """None."""
        return None

    def packs(self, *, run: str = "", state: str = "") -> list[PackState]:
        """None."""
        return []


class _NoBlobs:
    def put(self, data: bytes) -> str:
        raise JournalProblem("the journal was opened for reading only", hint="open it for writing to keep a blob")

    def get(self, digest: str) -> bytes:
        raise NotFound(f"no blob {digest}")

    def has(self, digest: str) -> bool:
        return False

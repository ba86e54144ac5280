"""What one person set aside or began to write: snoozed, muted and drafts, in small files beside the journal.

It decides nothing about missions and is nobody else's: what one person snoozed stays in everybody's inbox.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from workbench.ace.wiring.workplace import Workplace
from workbench.model.errors import EnvironmentProblem, WorkbenchError

DESKS = "desks"  # the directory beside the journal, with one directory a person
LARGEST_FILE = 4 << 20  # bytes; nothing that was written here comes near
T = TypeVar("T")


class Snooze(msgspec.Struct, frozen=True):
    """Set aside until an instant, or, where that is empty, until the thing no longer looks as in `seen`."""

    until: str = ""
    seen: str = ""

    def holds(self, looks: str, now: str) -> bool:
        """Whether a thing that looks like this is still set aside."""
        return now < self.until if self.until else looks == self.seen


class Attention(msgspec.Struct, frozen=True):
    """What a person does not want to see now. `snoozed` by the key of a row; `muted` are runs and missions."""

    snoozed: dict[str, Snooze] = {}
    muted: tuple[str, ...] = ()


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that was not sent. `conditions` has one on each line."""

    question: str
    option: str = ""
    alternative: str = ""
    reason: str = ""
    conditions: str = ""
    applies_to: str = "this"
    is_own: bool = False  # an answer in words of one's own, written or about to be

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be lost with it."""
        return not (self.option or self.is_own or self.reason.strip() or self.conditions.strip())


class Desk:
    """One person's files. Reading tolerates damage and writes nothing; every write is atomic."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._seen: tuple[tuple[int, int, int], Attention] | None = None

    def attention(self) -> Attention:
        """What is set aside; nothing where there is no file, or none that can be read."""
        path = self._attention
        try:
            stat = path.stat()
        except OSError:
            return Attention()
        mark = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if self._seen is None or self._seen[0] != mark:
            self._seen = (mark, _read(path, Attention) or Attention())
        return self._seen[1]

    def change(self, changed: Callable[[Attention], Attention]) -> Attention:
        """Let `changed` make another value of what stands now, also while another terminal does so."""
        with self._locked():
            stands = _read(self._attention, Attention)
            if stands is None and self._attention.exists():  # damaged: kept aside, for whoever wants to look
                with suppress(OSError):
                    self._attention.replace(self._attention.with_suffix(".damaged"))
            newer = changed(stands or Attention())
            _write(self._attention, newer)
        return newer

    def draft(self, question: str) -> Draft | None:
        """What was begun as an answer."""
        found = _read(self._draft(question), Draft)
        return found if found is not None and found.question == question else None

    def keep_draft(self, draft: Draft) -> None:
        """Keep an answer that was not sent; an empty one is none."""
        if draft.is_empty:
            self.drop_draft(draft.question)
        else:
            _write(self._draft(draft.question), draft)

    def drop_draft(self, question: str) -> None:
        """It was sent, or thrown away."""
        with suppress(OSError):
            self._draft(question).unlink(missing_ok=True)

    @property
    def _attention(self) -> Path:
        return self.directory / "attention.json"

    def _draft(self, question: str) -> Path:
        return self.directory / f"draft-{hashlib.sha256(question.encode()).hexdigest()[:24]}.json"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with _explained(self.directory):
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = (self.directory / "attention.lock").open("a")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def desk_of(place: Workplace) -> Desk:
    """The desk of who works here, as git knows them; of the account where git was never told."""
    try:
        person = place.person
    except WorkbenchError:
        person = f"uid {os.getuid()}"
    return Desk(place.journal_directory / DESKS / hashlib.sha256(person.encode()).hexdigest()[:16])


def snoozing(keys: Mapping[str, str], *, until: str = "", now: str) -> Callable[[Attention], Attention]:
    """Set things aside, by key with how each looks; what has come back long ago is forgotten on the way."""

    def changed(stands: Attention) -> Attention:
        kept = {key: snooze for key, snooze in stands.snoozed.items() if not snooze.until or now < snooze.until}
        fresh = {key: Snooze(until=until, seen="" if until else looks) for key, looks in keys.items()}
        return msgspec.structs.replace(stands, snoozed=kept | fresh)

    return changed


def waking(*keys: str) -> Callable[[Attention], Attention]:
    """Take things back that were set aside."""

    def changed(stands: Attention) -> Attention:
        kept = {key: snooze for key, snooze in stands.snoozed.items() if key not in keys}
        return msgspec.structs.replace(stands, snoozed=kept)

    return changed


def muting(name: str, *, mute: bool) -> Callable[[Attention], Attention]:
    """Mute the alerts of a run or mission, or hear them again."""

    def changed(stands: Attention) -> Attention:
        others = tuple(one for one in stands.muted if one != name)
        return msgspec.structs.replace(stands, muted=(*others, name) if mute else others)

    return changed


def _read(path: Path, kind: type[T]) -> T | None:
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(LARGEST_FILE), type=kind)
    except (OSError, ValueError):  # msgspec's errors are ValueErrors
        return None


def _write(path: Path, value: msgspec.Struct) -> None:
    with _explained(path.parent):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        made = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.encode(value))
            made.replace(path)
        except BaseException:
            made.unlink(missing_ok=True)
            raise


@contextmanager
def _explained(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EnvironmentProblem(
            f"{directory} cannot be written: {error.strerror}", hint="check permissions and space there"
        ) from error

"""Clearing up: which workspaces may be used again, and a copy of everything undelivered before it goes.

What a run holds beyond the store is copied first and kept for days; nothing is deleted without a copy. It is told which
work was delivered and must not decide that itself.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import msgspec

from workbench.aee.workspaces import SharedClones, State
from workbench.model.errors import EnvironmentProblem, NotFound, RepositoryProblem
from workbench.model.ids import is_id
from workbench.repository.store import KEPT, Store, run_ref
from workbench.repository.trees import bytes_below, pack_tree, remove_tree, staging, unpack_tree

KEEP_DAYS = 30.0  # a copy in the trash outlives a holiday

FILES = "files.tar.gz"
HOME = "home.tar.gz"  # of a driven agent, where the run had one
NOTHING_HELD: Mapping[str, str] = MappingProxyType({})

Act = Literal["reuse", "trash", "expire", "keep", "kept"]


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that gc would do: `subject` is a run or a copy in the trash, `bytes` what it holds on disk."""

    act: Act
    subject: str
    why: str
    bytes: int


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A copy in the trash: the workspace's files, and its commits under `ref` of the store."""

    run: str
    at: float  # seconds since 1970
    branch: str
    head: str
    ref: str
    why: str


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What was done about an item; `kept_at` names the copy, if one was made."""

    item: Item
    kept_at: str = ""
    problem: str = ""


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """A copy that was taken back, the archive it came from, and which of its files were left there."""

    kept: Kept
    archive: str
    left_out: tuple[str, ...]


class Trash:
    """The trash at `root`, for the workspaces of `clones`; `homes` are of their agents, and go with them."""

    def __init__(
        self,
        root: Path,
        *,
        clones: SharedClones,
        store: Store,
        homes: Path | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._root = root
        self._homes = homes if homes is not None else root / "no-homes"
        self._clones = clones
        self._store = store
        self._now = now
        root.mkdir(parents=True, exist_ok=True)

    def plan(
        self,
        *,
        live: Collection[str],
        delivered: Collection[str],
        held: Mapping[str, str] = NOTHING_HELD,
        days: float = KEEP_DAYS,
    ) -> list[Item]:
        """What `carry_out` would do, and why.

        `live` runs are left alone, and so are those `held` for the reason given; `delivered` ones reached their target.
        """
        left_alone = {**dict.fromkeys(live, "the run goes on"), **held}
        items = [self._judged(run, left_alone=left_alone, delivered=delivered) for run in self._clones.runs()]
        return items + [self._held(kept, days=days) for kept in self.copies()]

    def carry_out(self, items: Collection[Item]) -> list[Done]:
        """Do what was planned, one by one; what cannot be done says why and leaves everything in place."""
        return [self._done(item) for item in items if item.act in _ACTS]

    def copies(self) -> list[Kept]:
        """What the trash holds, oldest first."""
        found = [msgspec.json.decode(note.read_bytes(), type=Kept) for note in self._root.glob("*/kept.json")]
        return sorted(found, key=lambda kept: kept.at)

    def restore(self, subject: str, target: Path) -> Restored:
        """Take a copy's files back into `target`, which must not exist; its commits are at its ref in the store.

        `subject` is a copy's own name, or a run: then it is the newest copy. Raises NotFound.
        """
        kept = self._copy(subject)
        left_out = unpack_tree(self._place(kept) / FILES, target)
        return Restored(kept=kept, archive=str(self._place(kept) / FILES), left_out=left_out)

    def _copy(self, subject: str) -> Kept:
        found = [kept for kept in self.copies() if subject in (kept.run, self._place(kept).name)]
        if not found:
            raise NotFound(f"the trash holds nothing of {subject}", hint="workbench gc --dry-run lists what it holds")
        return found[-1]

    def _judged(self, run: str, *, left_alone: Mapping[str, str], delivered: Collection[str]) -> Item:
        held = bytes_below(self._clones.root / "runs" / run) + bytes_below(self._homes / run)
        if run in left_alone:
            return Item(act="keep", subject=run, why=left_alone[run], bytes=held)
        missing = self._undelivered(run, delivered=run in delivered)
        act: Act = "trash" if missing else "reuse"
        return Item(act=act, subject=run, why=missing or "all its work was delivered", bytes=held)

    def _undelivered(self, run: str, *, delivered: bool) -> str:
        """What of the run exists nowhere else; empty when nothing does."""
        try:
            state = self._clones.state(run)
        except RepositoryProblem as problem:
            return f"its clone does not tell what it holds ({problem.message[:120]})"
        if state.dirty:
            return f"{len(state.dirty)} files are not committed, e.g. {state.dirty[0]}"
        if unknown := self._beyond_store(state):
            return f"{len(unknown)} branches have commits that were never fetched, e.g. {unknown[0]}"
        return "" if delivered else "its commits were never merged"

    def _beyond_store(self, state: State) -> list[str]:
        return [ref for ref, commit in state.refs.items() if not self._store.has(commit)]

    def _held(self, kept: Kept, *, days: float) -> Item:
        place = self._place(kept)
        age = (self._now() - kept.at) / 86400
        act: Act = "expire" if age > days else "kept"
        why = f"kept for {int(age)} days" if age > days else f"in the trash for {int(days - age)} more days: {kept.why}"
        return Item(act=act, subject=place.name, why=why, bytes=bytes_below(place))

    def _done(self, item: Item) -> Done:
        try:
            return Done(item=item, kept_at=_ACTS[item.act](self, item))
        except (EnvironmentProblem, OSError) as problem:
            return Done(item=item, problem=str(problem))

    def _reuse(self, item: Item) -> str:
        # Asked again: between plan and act somebody may have worked there.
        if why := self._undelivered(item.subject, delivered=True):
            return self._keep(msgspec.structs.replace(item, why=why))
        self._retire(item.subject)
        return ""

    def _keep(self, item: Item) -> str:
        run = item.subject
        seat = self._clones.seat(run)
        head, why = self._head(run, seat.branch)
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._now()))
        name = f"{run}-{stamp}"
        ref = f"{KEPT}/{name}"
        if head:
            self._store.keep(ref, head)
        making = staging(self._root)
        try:
            pack_tree(self._clones.root / "runs" / run / "clone", making / FILES)
            if (self._homes / run).is_dir():
                pack_tree(self._homes / run, making / HOME)
            note = Kept(run=run, at=self._now(), branch=seat.branch, head=head, ref=ref, why=f"{item.why}{why}")
            (making / "kept.json").write_bytes(msgspec.json.encode(note))
            _sync(making)
            making.rename(self._root / name)
        except BaseException:
            remove_tree(making)
            raise
        self._retire(run)
        return str(self._root / name)

    def _retire(self, run: str) -> None:
        """The home first: while the workspace is there, gc comes back to both."""
        remove_tree(self._homes / run)
        self._clones.retire(run)

    def _head(self, run: str, branch: str) -> tuple[str, str]:
        """The newest head that can be had: of the clone, or the one that was fetched last."""
        try:
            return self._clones.fetch(run=run, branch=branch), ""
        except RepositoryProblem:
            fetched = self._store.refs().get(run_ref(run), "")
            return fetched, "; its newest commits could not be fetched, they are in the copy of its files"

    def _expire(self, item: Item) -> str:
        if not is_id(item.subject):
            raise NotFound(f"{item.subject!r} is not in the trash", hint="workbench gc --dry-run lists it")
        remove_tree(self._root / item.subject)
        self._store.forget(f"{KEPT}/{item.subject}")
        return ""

    def _place(self, kept: Kept) -> Path:
        return self._root / kept.ref.rpartition("/")[2]


_ACTS: dict[Act, Callable[[Trash, Item], str]] = {
    "reuse": Trash._reuse,
    "trash": Trash._keep,
    "expire": Trash._expire,
}


def _sync(directory: Path) -> None:
    for path in (*directory.iterdir(), directory):
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)

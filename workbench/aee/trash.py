"""Clearing up: which workspaces may be used again, and a copy of everything undelivered before it goes.

What a run holds beyond the store is copied first and kept for days; nothing is deleted without a copy. It is told which
work was delivered and must not decide that itself.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import msgspec

from workbench.aee.aging import Moment, days_between, is_sure, now
from workbench.aee.workspaces import SharedClones, State
from workbench.model.errors import EnvironmentProblem, NotFound, RepositoryProblem
from workbench.model.ids import is_id
from workbench.repository.store import KEPT, Store, run_ref
from workbench.repository.trees import bytes_below, pack_tree, remove_tree, staging, unpack_tree

KEEP_DAYS = 30.0  # a copy in the trash outlives a holiday
SETTLE_DAYS = 1.0  # between two looks that find a copy overdue, where only the clock says so: it may have jumped

FILES = "files.tar.gz"
HOME = "home.tar.gz"  # of a driven agent, where the run had one
DUE = "due.json"  # when a copy was first found overdue by the clock alone
NOTHING_HELD: Mapping[str, str] = MappingProxyType({})

Act = Literal["reuse", "trash", "expire", "due", "keep", "kept"]


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
    boot: str = ""  # with `up`, the same instant as `workbench.aee.aging` has it
    up: float = 0.0

    @property
    def moment(self) -> Moment:
        """When the copy was made."""
        return Moment(at=self.at, boot=self.boot, up=self.up)


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
        now: Callable[[], Moment] = now,
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
        for half_made in self._root.glob(".making-*"):
            remove_tree(half_made)
        return [self._done(item) for item in items if item.act in _ACTS]

    def give_back(self, run: str) -> str:
        """Hand the clone of a run that is over to the pool; why not, if anything in it exists nowhere else."""
        if why := self._undelivered(run, delivered=True):
            return why
        self._retire(run)
        return ""

    def copies(self) -> list[Kept]:
        """What the trash holds, oldest first."""
        found = [msgspec.json.decode(note.read_bytes(), type=Kept) for note in self._root.glob("[!.]*/kept.json")]
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
        except (RepositoryProblem, NotFound) as problem:
            return f"its clone does not tell what it holds ({problem.message[:120]})"
        if state.dirty:
            return f"{len(state.dirty)} files are not committed, e.g. {state.dirty[0]}"
        if unknown := self._beyond_store(state):
            return f"{len(unknown)} branches or reflogs have commits that were never fetched, e.g. {unknown[0]}"
        return "" if delivered else "its commits were never merged"

    def _beyond_store(self, state: State) -> list[str]:
        lost = {commit for commit in {*state.refs.values(), *state.reached} if not self._store.has(commit)}
        of_refs = [ref for ref, commit in state.refs.items() if commit in lost]
        return [*of_refs, *sorted(lost - set(state.refs.values()))]

    def _held(self, kept: Kept, *, days: float) -> Item:
        place = self._place(kept)
        today = self._now()
        age = days_between(kept.moment, today)
        act: Act = "kept"
        why = f"in the trash for {int(days - age)} more days: {kept.why}"
        if age > days:
            settled = not days or is_sure(kept.moment, today) or self._was_due(place, today)
            act, why = "expire" if settled else "due", f"kept for {int(age)} days"
        if act == "due":
            why += " by the clock, which may have jumped: it goes when gc finds it so again after a day"
        return Item(act=act, subject=place.name, why=why, bytes=bytes_below(place))

    def _was_due(self, place: Path, today: Moment) -> bool:
        """Whether an earlier look found it overdue, long enough ago."""
        try:
            seen = msgspec.json.decode((place / DUE).read_bytes(), type=Moment)
        except (OSError, msgspec.DecodeError):
            return False
        return days_between(seen, today) >= SETTLE_DAYS

    def _done(self, item: Item) -> Done:
        try:
            return Done(item=item, kept_at=_ACTS[item.act](self, item))
        except (EnvironmentProblem, OSError) as problem:
            return Done(item=item, problem=str(problem))

    def _reuse(self, item: Item) -> str:
        # Asked again: between plan and act somebody may have worked there.
        why = self.give_back(item.subject)
        return self._keep(msgspec.structs.replace(item, why=why)) if why else ""

    def _keep(self, item: Item) -> str:
        run = item.subject
        branch = self._branch(run)
        head, why = self._head(run, branch)
        today = self._now()
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(today.at))
        name = f"{run}-{stamp}"
        ref = f"{KEPT}/{name}"
        if head:
            self._store.keep(ref, head)
        making = staging(self._root)
        try:
            pack_tree(self._clones.root / "runs" / run / "clone", making / FILES)
            if (self._homes / run).is_dir():
                pack_tree(self._homes / run, making / HOME)
            note = Kept(
                run=run,
                at=today.at,
                branch=branch,
                head=head,
                ref=ref,
                why=f"{item.why}{why}",
                boot=today.boot,
                up=today.up,
            )
            (making / "kept.json").write_bytes(msgspec.json.encode(note))
            _sync(*making.iterdir(), making)
            making.rename(self._root / name)
            _sync(self._root)
        except BaseException:
            remove_tree(making)
            raise
        self._retire(run)
        return str(self._root / name)

    def _retire(self, run: str) -> None:
        """The home first: while the workspace is there, gc comes back to both."""
        remove_tree(self._homes / run)
        self._clones.retire(run)

    def _branch(self, run: str) -> str:
        """The run's branch; empty where nobody knows any more."""
        try:
            return self._clones.seat(run).branch
        except (RepositoryProblem, NotFound):
            return ""

    def _head(self, run: str, branch: str) -> tuple[str, str]:
        """The newest head that can be had: of the clone, or the one that was fetched last."""
        try:
            if branch:
                return self._clones.fetch(run=run, branch=branch), ""
        except RepositoryProblem:
            pass
        fetched = self._store.refs().get(run_ref(run), "")
        return fetched, "; its newest commits could not be fetched, they are in the copy of its files"

    def _mark(self, item: Item) -> str:
        """Note that it was found overdue, unless that was noted before; a mark of the future counts as none."""
        note, today = self._copy_at(item.subject) / DUE, self._now()
        with contextlib.suppress(OSError, msgspec.DecodeError):
            if days_between(msgspec.json.decode(note.read_bytes(), type=Moment), today) >= 0:
                return ""
        note.write_bytes(msgspec.json.encode(today))
        return ""

    def _copy_at(self, name: str) -> Path:
        if not is_id(name):
            raise NotFound(f"{name!r} is not in the trash", hint="workbench gc --dry-run lists it")
        return self._root / name

    def _expire(self, item: Item) -> str:
        self._copy_at(item.subject)
        remove_tree(self._root / item.subject)
        self._store.forget(f"{KEPT}/{item.subject}")
        return ""

    def _place(self, kept: Kept) -> Path:
        return self._root / kept.ref.rpartition("/")[2]


_ACTS: dict[Act, Callable[[Trash, Item], str]] = {
    "reuse": Trash._reuse,
    "trash": Trash._keep,
    "expire": Trash._expire,
    "due": Trash._mark,
}


def _sync(*paths: Path) -> None:
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)

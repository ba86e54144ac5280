"""What a change does to the rest of a tree, as frozen values, and what is asked of that tree; it finds nothing itself.

Lines are numbered from 1. Everything here may hold text of a repository: it is as hostile as any other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, Protocol

import msgspec

from workbench.code.model import EntityKind

How = Literal["removed", "renamed", "moved", "signature", "body"]  # what became of an entity, the gravest first
FileKind = Literal["migration", "schema", "rules", "dependencies", "pipeline", "configuration"]


class Tree(Protocol):
    """The files of the result, read only as far as they are asked for."""

    @property
    def paths(self) -> Sequence[str]:
        """All files."""

    def read(self, path: str) -> bytes | None:
        """The content of a file; None where there is none that can be read."""

    def holders(self, names: Collection[str]) -> Sequence[str]:
        """The files in which one of these names stands as a word."""


class Need(msgspec.Struct, frozen=True, order=True):
    """One module needs another; `is_inside` if that is of the same tree. `path` is where it says so."""

    module: str
    needs: str
    path: str
    line: int
    is_inside: bool = True


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """A module that the change edits."""

    name: str
    paths: tuple[str, ...]
    added: int = 0
    removed: int = 0
    entities: int = 0  # of which something was changed
    public: int = 0  # names that others may use and that came, went or are called otherwise
    is_test: bool = False


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """A rule on who may need whom that the change breaks anew; `chain` leads from one to the other."""

    contract: str
    module: str
    forbidden: str
    chain: tuple[str, ...]
    path: str
    line: int


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who names what was changed, or names such a one. `by` is the place in the list of whom it names; -1: itself."""

    path: str
    name: str  # the entity around it; empty at the level of the file
    line: int
    depth: int  # 1: names the changed entity itself
    by: int = -1
    is_sure: bool = True  # else it has the same name on something that cannot be told
    is_changed: bool = False  # the change edits that file as well
    is_edited: bool = False  # and that very line
    is_test: bool = False


class Affected(msgspec.Struct, frozen=True, kw_only=True):
    """An entity that the change alters, and who is reached by that, each caller behind the one it calls."""

    name: str
    path: str
    line: int
    kind: EntityKind
    how: How
    now: str = ""  # what it is called, or where it is, since
    is_public: bool = False
    callers: tuple[Caller, ...] = ()
    left_out: int = 0  # callers beyond the bound on how many are listed

    @property
    def sure(self) -> int:
        """How many are known to call it."""
        return sum(each.is_sure for each in self.callers)


class Special(msgspec.Struct, frozen=True, kw_only=True):
    """A changed file that changes more than code."""

    kind: FileKind
    path: str
    status: Literal["A", "M", "D", "R"]
    detail: str = ""


class Impact(msgspec.Struct, frozen=True, kw_only=True):
    """The whole. What could not be told is in `unresolved`, and where it was not looked further in `limits`."""

    modules: tuple[Touched, ...] = ()
    added: tuple[Need, ...] = ()
    removed: tuple[Need, ...] = ()
    cycles: tuple[tuple[str, ...], ...] = ()  # newly closed; the first module stands at the end again
    broken: tuple[Broken, ...] = ()
    affected: tuple[Affected, ...] = ()
    special: tuple[Special, ...] = ()
    unresolved: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    contracts: int = 0  # rules of the repository that were held against it

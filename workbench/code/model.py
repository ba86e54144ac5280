"""What a change is made of in the terms of its language, as frozen values; it parses, reads and paints nothing.

Lines are numbered from 1. Everything here may hold text of a repository: it is as hostile as any other.
"""

from __future__ import annotations

from typing import Literal

import msgspec

EntityKind = Literal["module", "class", "function", "method", "constant", "import", ""]
ChangeKind = Literal["added", "removed", "modified", "renamed", "moved"]
Aspect = Literal["signature", "body", "docstring", "comment", "names", "format"]  # what of an entity differs
HunkKind = Literal[
    "added",  # lines that only the new side has
    "removed",  # lines that only the old side has
    "changed",  # lines that differ in their tokens
    "comment",  # only comments differ
    "docstring",  # only the documentation string differs
    "reformatted",  # the same tokens and the same structure; mechanical
    "renamed",  # the same but for the claimed renames; mechanical
    "moved",  # the same tokens stand, or stood, elsewhere; mechanical
    "text",  # of a file, or of a damaged part of one, that has no tokens for us
]
FileStatus = Literal["A", "M", "D", "R"]
Role = Literal[
    "keyword", "string", "escape", "number", "comment", "function", "type", "constant", "property", "parameter",
    "operator", "punctuation", "decorator", "builtin",
]  # fmt: skip


class Span(msgspec.Struct, frozen=True):
    """Whole lines, both ends included; empty where `last` is `first - 1`, and then it stands before `first`."""

    first: int
    last: int

    @property
    def count(self) -> int:
        """How many lines it has."""
        return self.last - self.first + 1


class Place(msgspec.Struct, frozen=True, order=True):
    """A line of a file."""

    path: str
    line: int


class FileSides(msgspec.Struct, frozen=True, kw_only=True):
    """One changed file before and after; None where it is absent on a side."""

    path: str
    old: bytes | None
    new: bytes | None


class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a file defines, or imports."""

    kind: EntityKind
    name: str  # qualified within its file: `Store.read`
    span: Span  # with its decorators and the comment right above it
    line: int  # where its name stands
    signature: str = ""  # one line, for people; empty where there is none
    is_public: bool = False
    is_damaged: bool = False  # its text does not parse


class Rename(msgspec.Struct, frozen=True, order=True):
    """An identifier that has another name on the new side, in all of `scope`; without a scope everywhere."""

    old: str
    new: str
    scope: str = ""


class Hunk(msgspec.Struct, frozen=True, kw_only=True):
    """Neighbouring lines about which one thing can be said. `claim` says it, if there is more than the kind tells."""

    old: Span
    new: Span
    kind: HunkKind
    entity: str = ""  # the innermost one around it, qualified
    entity_kind: EntityKind = ""
    claim: str = ""
    renames: tuple[Rename, ...] = ()
    moved_from: Place | None = None  # where the new lines stood
    moved_to: Place | None = None  # where the old lines stand now

    @property
    def is_mechanical(self) -> bool:
        """Whether it may be folded: its tokens are equal modulo the claimed rename, move or format."""
        return self.kind in MECHANICAL


MECHANICAL: frozenset[HunkKind] = frozenset({"reformatted", "renamed", "moved"})


class EntityChange(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one entity. Old and new differ in name or path when it was renamed or moved."""

    change: ChangeKind
    kind: EntityKind
    name: str  # on the new side; on the old one when it was removed
    path: str
    line: int
    old_name: str = ""
    old_path: str = ""
    old_line: int = 0
    aspects: tuple[Aspect, ...] = ()
    signature: str = ""
    old_signature: str = ""
    is_public: bool = False


class ApiChange(msgspec.Struct, frozen=True, kw_only=True):
    """One public name that came, went, or is called otherwise. A public name that moved is both."""

    change: Literal["added", "removed", "signature"]
    kind: EntityKind
    name: str
    path: str
    line: int
    before: str = ""
    after: str = ""


class CallSites(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls an entity whose signature changed, within the given files, by name."""

    name: str
    path: str
    touched: tuple[Place, ...] = ()  # on lines that the change has
    untouched: tuple[Place, ...] = ()
    unresolved: tuple[Place, ...] = ()  # same name, but on what cannot be told
    left_out: int = 0  # beyond the bound on how many are listed


class Edge(msgspec.Struct, frozen=True, order=True):
    """One module needs another. `path` is where that is said."""

    module: str
    needs: str
    path: str
    line: int


class Dependencies(msgspec.Struct, frozen=True, kw_only=True):
    """How the change alters who needs whom, and rings of modules that it closes."""

    added: tuple[Edge, ...] = ()
    removed: tuple[Edge, ...] = ()
    cycles: tuple[tuple[str, ...], ...] = ()  # each newly made, among the given files
    unresolved: tuple[Edge, ...] = ()  # relative names that none of the given files answers to


class FileChange(msgspec.Struct, frozen=True, kw_only=True):
    """One changed file: its hunks in order, and what became of its entities."""

    path: str
    old_path: str
    status: FileStatus
    language: str = ""  # empty: compared as plain lines
    fallback: str = ""  # why it is compared as plain lines, or part of it
    hunks: tuple[Hunk, ...] = ()
    entities: tuple[EntityChange, ...] = ()
    damaged: tuple[Span, ...] = ()  # of the new side, where it does not parse
    added: int = 0  # lines of all hunks, on the new side
    removed: int = 0
    folded_added: int = 0  # of these, in mechanical hunks
    folded_removed: int = 0


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The change in numbers."""

    files: int = 0
    added: int = 0
    removed: int = 0
    folded: int = 0  # mechanical lines of both sides
    entities: dict[str, int] = {}  # by kind of change
    hunks: dict[str, int] = {}  # by kind
    as_text: int = 0  # files that were compared as plain lines


class StructuralDiff(msgspec.Struct, frozen=True, kw_only=True):
    """A whole change. What could not be told is named in `unknown`."""

    files: tuple[FileChange, ...] = ()
    summary: Summary = Summary()
    api: tuple[ApiChange, ...] = ()
    calls: tuple[CallSites, ...] = ()
    dependencies: Dependencies = Dependencies()
    unknown: tuple[str, ...] = ()


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """Which characters of a changed line differ: (start, end) on either side, in characters."""

    old: tuple[tuple[int, int], ...] = ()
    new: tuple[tuple[int, int], ...] = ()


class Highlight(msgspec.Struct, frozen=True):
    """Characters of one line that play a role; roles are no colours."""

    line: int
    start: int
    end: int
    role: Role

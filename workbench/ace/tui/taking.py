"""What a person takes of which version for a new one: files and hunks, and which of them do not go together.

No widget, and no git: the hunks are told by whoever read them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from workbench.ace.wiring.hunking import HUNK, Takeable, VersionHunk
from workbench.code.grafting import Edit, clash


def name_of(path: str, hunk: str) -> str:
    """What a hunk of a file is called among what is taken."""
    return f"{path}{HUNK}{hunk}"


class Taking:
    """By the name of a file, or of a hunk, the pack that it is taken of."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}
        self._known: dict[str, dict[str, Takeable]] = {}  # by path, the hunks of it by their names

    def know(self, path: str, found: Iterable[Takeable]) -> None:
        """The hunks of a file, as they were read."""
        self._known[path] = {name_of(path, one.hunk.hunk): one for one in found}

    def forget(self, packs: Collection[str]) -> list[str]:
        """Know no hunks any more, and take only what is of these packs; the names of what is left."""
        gone = [name for name, pack in self.of.items() if pack not in packs or self._is_hunk(name)]
        for name in gone:
            del self.of[name]
        self._known.clear()
        return gone

    def in_the_way(self, name: str, path: str, pack: str) -> tuple[str, int] | None:
        """What is taken of the same file and does not go with this, and at which line of the base; 0: all of it."""
        for other, of in self.of.items():
            if other == name or not self._is_of(other, path):
                continue
            mine, theirs = self._edits(name, path, pack), self._edits(other, path, of)
            line = clash((*mine, *theirs)) if mine and theirs else 0
            if line or not mine or not theirs:
                return other, line
        return None

    def parts(self) -> dict[str, list[str]]:
        """By pack, the names of what is taken of it."""
        found: dict[str, list[str]] = {}
        for name, pack in self.of.items():
            found.setdefault(pack, []).append(name)
        return found

    def paths(self) -> set[str]:
        """The files of which something is taken."""
        return {self._hunk(name).path if self._is_hunk(name) else name for name in self.of}

    def words(self) -> Mapping[str, str]:
        """What the hunks are that are taken, for people: a file, its line and its first words."""
        hunks = {name: self._hunk(name) for name in self.of if self._is_hunk(name)}
        return {name: f"{one.path}, line {one.line}: {one.words}" for name, one in hunks.items()}

    @property
    def has_hunks(self) -> bool:
        """Whether hunks are among it."""
        return any(map(self._is_hunk, self.of))

    def _edits(self, name: str, path: str, pack: str) -> tuple[Edit, ...]:
        """What it puts where; nothing of a file that is another one as a whole."""
        hunks = self._known.get(path, {})
        if name in hunks:
            return hunks[name].edits
        return tuple(edit for one in hunks.values() if pack in one.hunk.packs for edit in one.edits)

    def _is_of(self, name: str, path: str) -> bool:
        return name == path or name in self._known.get(path, {})

    def _is_hunk(self, name: str) -> bool:
        return next(self._found(name), None) is not None

    def _hunk(self, name: str) -> VersionHunk:
        return next(self._found(name)).hunk

    def _found(self, name: str) -> Iterator[Takeable]:
        return (hunks[name] for hunks in self._known.values() if name in hunks)

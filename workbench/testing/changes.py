"""An in-memory change for tests of collectors and of plugins; it knows no git and no working tree."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from workbench.model.digests import digest_of
from workbench.ports import Commit, History


class TreeChange:
    """The port Change over two trees that map a path to its bytes; commit ids follow from the contents."""

    def __init__(
        self,
        base: Mapping[str, bytes],
        result: Mapping[str, bytes],
        *,
        head: Mapping[str, bytes] | None = None,
        modes: Mapping[str, tuple[str, str]] | None = None,
        commits: Sequence[Commit] = (),
        history: History | None = None,
    ) -> None:
        """`modes` are told of paths that are no plain files; `commits` and `history` are empty unless given."""
        self._base = dict(base)
        self._result = dict(result)
        self._head = self._result if head is None else dict(head)
        self._modes = dict(modes or {})
        self._commits = tuple(commits)
        self._history = history or History()

    @classmethod
    def of(cls, base: Mapping[str, str], result: Mapping[str, str]) -> TreeChange:
        """The same from texts; what `result` does not name stays as in `base`, a text of "" deletes."""
        kept = {**base, **result}
        return cls(
            {path: text.encode() for path, text in base.items()},
            {path: text.encode() for path, text in kept.items() if text},
        )

    @property
    def base(self) -> str:
        """An id of forty digits for the base."""
        return _object_id("commit", self._base)

    @property
    def head(self) -> str:
        """An id of forty digits for the head."""
        return _object_id("commit", self._head)

    @property
    def result(self) -> str:
        """An id of forty digits for the merge of head on base."""
        return _object_id("merge", self._result)

    @property
    def tree(self) -> str:
        """An id of forty digits for the result's tree."""
        return _object_id("tree", self._result)

    def changed_paths(self) -> list[tuple[str, str]]:
        """(A, M or D, path) of what differs, by path; a rename is a `D` and an `A`."""
        paths = sorted(self._base.keys() | self._result.keys() | self._modes.keys())
        return [(self._status(path), path) for path in paths if self._differs(path)]

    def _differs(self, path: str) -> bool:
        return self._base.get(path) != self._result.get(path) or len(set(self._mode(path))) > 1

    def _mode(self, path: str) -> tuple[str, str]:
        plain = tuple("100644" if path in side else "" for side in (self._base, self._result))
        return self._modes.get(path, (plain[0], plain[1]))

    def _status(self, path: str) -> str:
        before, after = self._mode(path)
        if before and after:
            return "M" if before[:3] == after[:3] else "T"
        return "A" if after else "D"

    def modes(self) -> dict[str, tuple[str, str]]:
        """The modes of changed paths: plain files unless told otherwise."""
        return {path: self._mode(path) for _, path in self.changed_paths()}

    def commits(self) -> tuple[Commit, ...]:
        """The commits that were given."""
        return self._commits

    def history_added_lines(self) -> History:
        """The history that was given."""
        return self._history

    def base_file(self, path: str) -> bytes | None:
        """A file of the base."""
        return self._base.get(path)

    def result_file(self, path: str) -> bytes | None:
        """A file of the result."""
        return self._result.get(path)

    def files(self, commit: str) -> dict[str, bytes]:
        """The whole tree of one of its commits. Raises KeyError for any other."""
        return dict({self.head: self._head, self.base: self._base, self.result: self._result}[commit])

    def added_lines(self) -> dict[str, tuple[int, ...]]:
        """Per path of the result, the numbers of the lines that base does not have; nothing for binary files."""
        added: dict[str, tuple[int, ...]] = {}
        for status, path in self.changed_paths():
            if status != "D" and b"\0" not in self._result.get(path, b"\0"):
                numbers = _added(self._base.get(path, b""), self._result[path])
                if numbers:
                    added[path] = numbers
        return added


def _added(before: bytes, after: bytes) -> tuple[int, ...]:
    old, new = _lines(before), _lines(after)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    spans = [(first, last) for tag, _, _, first, last in matcher.get_opcodes() if tag in ("insert", "replace")]
    return tuple(number + 1 for first, last in spans for number in range(first, last))


def _lines(data: bytes) -> list[bytes]:
    """Lines as git counts them: only a newline ends one."""
    lines = data.split(b"\n")
    return lines[:-1] if lines[-1] == b"" else lines


def _object_id(kind: str, files: Mapping[str, bytes]) -> str:
    content = {path: data.hex() for path, data in files.items()}
    return digest_of([kind, content]).removeprefix("sha256:")[:40]

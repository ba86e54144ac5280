"""Which branches conflict, asked of git as seldom as can be: a diff for each branch, a merge for pairs that touch.

Everything happens as objects, in a directory of its own that is thrown away, so that asking fills nobody's store.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from subprocess import Popen
from typing import IO

from workbench.core.forecast import (
    TARGET,
    Branch,
    Collision,
    Forecast,
    Meeting,
    Patch,
    Touched,
    clash_of,
    forecast,
    kin_of,
    meetings,
    together,
)
from workbench.model.errors import RepositoryProblem, WorkbenchError
from workbench.model.events import Clash
from workbench.repository.git import Answer, git_version, understood
from workbench.repository.history import path_of
from workbench.repository.repository import GitRepository
from workbench.repository.store import Store
from workbench.repository.symbols import Symbols

STDIN_SINCE = (2, 39)  # of git: many merges in one process
NEAR = 64  # commits that are looked through for the target before git is asked to merge
END = b"end of this one\n"  # no line of a diff looks like it
LONGEST_LINE = 1 << 16  # bytes read at a time of a line whose content does not matter
# A merge compares as these say, and not as a plain diff does.
_DIFF = (
    "diff-tree", "--stdin", "-r", "-p", "-U0", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color",
    "--full-index", "--diff-algorithm=histogram", "--no-indent-heuristic", "--src-prefix=a/", "--dst-prefix=b/",
)  # fmt: skip
MOST_WORDS = 5_000  # names of one file that a branch says anew
_HUNK = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? ")
_WORD = re.compile(rb"[A-Za-z_$][\w$]+")
_INDEX = re.compile(rb"index ([0-9a-f]{40,64})\.\.([0-9a-f]{40,64})")

Key = tuple[str, str]  # target and head


class Forecaster:
    """Looks at branches again and again, and remembers of each what it touches. Close it, or use it in a `with`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._scratch = ""
        self._differ: Popen[bytes] | None = None
        self._touched: dict[Key, Touched | tuple[str, ...]] = {}  # or the paths that conflict with the target
        self._asked: dict[tuple[str, str], tuple[str, ...]] = {}  # conflicting paths of two heads
        self._met: dict[str, tuple[dict[str, str], list[Meeting]]] = {}  # by target: of which heads, and who met
        self._symbols = Symbols(store.git, store.reader)

    def __enter__(self) -> Forecaster:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process and throw the scratch away; the next look starts anew."""
        differ, self._differ = self._differ, None
        if differ is not None:
            differ.kill()
            for pipe in (differ.stdin, differ.stdout, differ.stderr):
                if pipe is not None:
                    with suppress(BrokenPipeError):
                        pipe.close()
            differ.wait()
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = ""

    def look(self, branches: Sequence[Branch], targets: Mapping[str, str]) -> Forecast:
        """The forecast for these branches. `targets` maps their names to the commits at which their targets stand.

        A branch whose commits are not in the store is unknown; all others are told apart.
        """
        known = [branch for branch in branches if self._is_here(branch, targets)]
        self._measure(known, targets)
        clashes = [
            Clash(first=branch.name, second=TARGET, paths=paths)
            for branch in known
            if isinstance(paths := self._touched[targets[branch.name], branch.head], tuple)
        ]
        collisions: list[Collision] = []
        for commit in dict.fromkeys(targets[branch.name] for branch in known):
            ours = [branch for branch in known if targets[branch.name] == commit]
            clashes += self._between(ours, commit)
            collisions += self._symbols.between(ours, self._patches(ours, commit), commit)
        clashes = list(together(clashes, collisions))
        self._forget(known, targets)
        unknown = [branch.name for branch in branches if branch not in known]
        return forecast(branches, clashes, targets=targets, unknown=unknown)

    def _is_here(self, branch: Branch, targets: Mapping[str, str]) -> bool:
        target = targets.get(branch.name, "")
        if (target, branch.head) in self._touched:
            return True
        return bool(target) and self._store.has(branch.head) and self._store.has(target)

    # --- what each branch touches ---

    def _measure(self, branches: Sequence[Branch], targets: Mapping[str, str]) -> None:
        wanted = dict.fromkeys((targets[branch.name], branch.head) for branch in branches)
        fresh = [key for key in wanted if key not in self._touched]
        apart = [key for key in fresh if not self._contains(key[1], key[0])]
        results = dict(zip(apart, self._merge(apart), strict=True))
        for target, head in fresh:
            tree, paths = results.get((target, head), (head, ()))
            self._touched[target, head] = paths or self._changed(target, tree)

    def _contains(self, head: str, target: str) -> bool:
        """Whether `target` is among the nearest commits of `head`, which then is the result of merging it."""
        seen, waiting = {head}, [head]
        while waiting and len(seen) <= NEAR:
            commit = waiting.pop(0)
            if commit == target:
                return True
            fields = self._store.reader.read(commit)[1].partition(b"\n\n")[0].split(b"\n")
            parents = [line[7:].decode() for line in fields if line.startswith(b"parent ")]
            waiting += [parent for parent in parents if parent not in seen]
            seen.update(parents)
        return target in waiting

    def _changed(self, target: str, result: str) -> Touched:
        """What differs between two commits or trees, by path."""
        stdin, stdout = self._pipes()
        trees = " ".join(self._tree(name) for name in (target, result))
        stdin.write(f"{trees}\n".encode() + END)
        stdin.flush()
        with understood("diff-tree"):
            return dict(_patches(_until_end(stdout)))

    def _tree(self, name: str) -> str:
        kind, data = self._store.reader.read(name)
        if kind == "commit":
            return data.partition(b"\n")[0].removeprefix(b"tree ").decode()
        return name

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._differ is None or self._differ.poll() is not None:
            self._differ = self._store.git.start(*_DIFF, env=self._apart())
        process = self._differ
        assert process.stdin is not None and process.stdout is not None
        return process.stdin, process.stdout

    # --- what git says of pairs ---

    def _between(self, branches: Sequence[Branch], target: str) -> Iterator[Clash]:
        heads = {branch.name: branch.head for branch in branches}
        met = self._meetings(branches, target)
        open_pairs = [key for meeting in met if (key := _pair(heads, meeting)) not in self._asked]
        for key, (_, paths) in zip(open_pairs, self._merge(open_pairs), strict=True):
            self._asked[key] = paths
        for meeting in met:
            if paths := self._asked[_pair(heads, meeting)]:
                yield clash_of(meeting, paths)

    def _meetings(self, branches: Sequence[Branch], target: str) -> list[Meeting]:
        """Who meets on this target; of branches that did not move since the last look it is known."""
        touched = self._patches(branches, target)
        before, known = self._met.get(target, ({}, []))
        heads = {branch.name: branch.head for branch in branches if branch.name in touched}
        moved = {name for name, head in heads.items() if before.get(name) != head}
        stayed = heads.keys() - moved
        met = [meeting for meeting in known if {meeting.first, meeting.second} <= stayed]
        met += meetings(touched, kin_of(branches), moved)
        self._met[target] = heads, met
        return met

    def _patches(self, branches: Sequence[Branch], target: str) -> dict[str, Touched]:
        """What each does to the target; those that conflict with it are left out."""
        return {
            branch.name: patches
            for branch in branches
            if not isinstance(patches := self._touched[target, branch.head], tuple)
        }

    def _merge(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, tuple[str, ...]]]:
        """(tree, conflicting paths) of each pair of commits."""
        if not pairs:
            return []
        flags = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z")
        git = self._store.git.with_settings("core.fsync=none")
        if git_version() < STDIN_SINCE:
            answers = [git.run(*flags, *pair, ok=(0, 1), env=self._apart()) for pair in pairs]
            return [_of_one(answer) for answer in answers]
        asked = "".join(f"{one} {other}\n" for one, other in pairs).encode()
        answer = git.run(*flags, "--stdin", stdin=asked, ok=(0, 1), env=self._apart())
        with understood("merge-tree"):
            return _of_many(answer.out, len(pairs))

    def _apart(self) -> dict[str, str]:
        """Where new objects go: not into the store, which only gives."""
        if not self._scratch:
            self._scratch = tempfile.mkdtemp(prefix=".incoming-", dir=self._store.path)
        objects = str(self._store.path / "objects")
        return {"GIT_OBJECT_DIRECTORY": self._scratch, "GIT_ALTERNATE_OBJECT_DIRECTORIES": objects}

    def _forget(self, branches: Sequence[Branch], targets: Mapping[str, str]) -> None:
        heads = {branch.head for branch in branches}
        keys = {(targets[branch.name], branch.head) for branch in branches}
        self._touched = {key: patches for key, patches in self._touched.items() if key in keys}
        self._asked = {pair: paths for pair, paths in self._asked.items() if heads.issuperset(pair)}
        self._symbols.forget(targets.values(), self._touched.values())
        self._met = {target: met for target, met in self._met.items() if target in targets.values()}


def _pair(heads: Mapping[str, str], meeting: Meeting) -> tuple[str, str]:
    return heads[meeting.first], heads[meeting.second]


def _of_one(answer: Answer) -> tuple[str, tuple[str, ...]]:
    tree, *paths = answer.fields
    return tree, tuple(dict.fromkeys(paths)) if answer.code else ()


def _of_many(out: bytes, count: int) -> list[tuple[str, tuple[str, ...]]]:
    """Each answer: 1 where it merged, its tree, the conflicting paths, and an empty field."""
    fields = iter(out.split(b"\0"))
    found = []
    for _ in range(count):
        clean, tree = next(fields) == b"1", next(fields).decode()
        paths = [os.fsdecode(field) for field in iter(lambda: next(fields), b"")]
        found.append((tree, () if clean else tuple(dict.fromkeys(paths)) or ("?",)))
    return found


def _until_end(stdout: IO[bytes]) -> Iterator[bytes]:
    """The lines of one diff; of a long one only its beginning counts."""
    begins = True
    while line := stdout.readline(LONGEST_LINE):
        if begins and line == END:
            return
        if begins:
            yield line.rstrip(b"\n")
        begins = line.endswith(b"\n")
    raise RepositoryProblem("git diff-tree ended", hint="run git fsck in the repository")


def _patches(lines: Iterable[bytes]) -> Iterator[tuple[str, Patch]]:
    """(path, what is done to it); a changed type is a deletion and a creation of one path."""
    patches: dict[str, Patch] = {}
    path = ""
    head: list[bytes] = []
    spans: list[tuple[int, int]] = []
    rows: list[tuple[int, int]] = []
    words: set[bytes] = set()

    def done() -> None:
        if path:
            made = _patch(head, spans, rows, words)
            patches[path] = Patch(blob=made.blob, whole=True) if path in patches else made

    for line in lines:
        if line.startswith(b"diff --git "):
            done()
            path, head, spans, rows, words = path_of(line), [], [], [], set()
        elif (found := _HUNK.match(line)) is not None:
            first, count = int(found[1]), int(found[2] or 1)
            spans.append((first - 1, first - 1 + count) if count else (first, first))
            start, more = int(found[3]), int(found[4] or 1)
            rows += [(start - 1, start - 1 + more)] if more else []
        elif spans and line.startswith(b"+") and len(words) < MOST_WORDS:
            words.update(_WORD.findall(line))
        elif not spans:
            head.append(line)
    done()
    yield from patches.items()


def _patch(
    head: Sequence[bytes], spans: Sequence[tuple[int, int]], rows: Sequence[tuple[int, int]], words: Iterable[bytes]
) -> Patch:
    blobs = next((found for line in head if (found := _INDEX.match(line))), None)
    marked = tuple(line.partition(b" ")[0] for line in head)
    return Patch(
        spans=tuple(spans),
        blob="" if blobs is None else blobs[2].decode(),
        old="" if blobs is None else blobs[1].decode(),
        made=tuple(rows),
        words=frozenset(words),
        whole=not spans or b"old" in marked,
        new=b"new" in marked and b"old" not in marked,
        gone=b"deleted" in marked,
    )


def targets_of(branches: Iterable[Branch], store: Store, repository: GitRepository) -> dict[str, str]:
    """By branch, where its target stands now, brought into the store; what cannot be had is left out."""
    stands: dict[str, str] = {}
    for target in dict.fromkeys(branch.target for branch in branches):
        with suppress(WorkbenchError):
            commit = repository.resolve(target)
            if not store.has(commit):
                store.pin(commit)
            stands[target] = commit
    return {branch.name: stands[branch.target] for branch in branches if branch.target in stands}

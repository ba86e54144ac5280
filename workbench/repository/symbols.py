"""Which branches collide though git merges them: both edit one entity, or one takes away what the other calls anew.

What a blob defines is read once, and pairs of which neither moved are not looked at again. It asks git for objects
only, and parses a file only if somebody says one of its names.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from workbench.core.forecast import Branch, Collision, Patch, Touched, kin_of
from workbench.model.errors import WorkbenchError
from workbench.repository.git import Git
from workbench.repository.reader import ObjectReader

if TYPE_CHECKING:
    from workbench.code.collisions import Outlined
    from workbench.code.mentions import Reading
    from workbench.code.module_index import Modules
    from workbench.code.resolving import Sought

ENOUGH = 30  # collisions of one pair
MOST_FILES = 200  # of one branch that are looked into; one that changes more collides with everybody anyhow

Heads = dict[str, str]


class Symbols:
    """Looks again and again, and remembers what blobs define."""

    def __init__(self, git: Git, reader: ObjectReader) -> None:
        self._git, self._reader = git, reader
        self._outlines: dict[tuple[str, str], Outlined] = {}  # by path and blob
        self._names: dict[tuple[str, str], frozenset[bytes]] = {}
        self._taken: dict[tuple[str, str, str], dict[str, str]] = {}  # by path and both blobs
        self._said: dict[int, frozenset[bytes]] = {}  # by what a branch touches: the names that it says anew
        self._seen: dict[str, tuple[Heads, dict[tuple[str, str], list[Collision]]]] = {}  # by target
        self._trees: dict[str, _Base] = {}  # by target

    def between(self, branches: Sequence[Branch], touched: Mapping[str, Touched], target: str) -> list[Collision]:
        """What these branches, which have one target, do to each other."""
        heads = {branch.name: branch.head for branch in branches if branch.name in touched}
        kin = kin_of(branches)
        before, known = self._seen.get(target, ({}, {}))
        found: dict[tuple[str, str], list[Collision]] = {}
        for pair in combinations(heads, 2):
            first, second = pair
            if before.get(first) == heads[first] and before.get(second) == heads[second]:
                if pair in known:
                    found[pair] = known[pair]
            elif second not in kin[first] and (made := self._pair(pair, touched, target)):
                found[pair] = made
        self._seen[target] = heads, found
        return [each for made in found.values() for each in made]

    def forget(self, targets: Collection[str], touched: Iterable[Touched | tuple[str, ...]]) -> None:
        """Keep only what these branches are made of."""
        kept = {id(patches): patches for patches in touched if not isinstance(patches, tuple)}
        blobs = {blob for patches in kept.values() for patch in patches.values() for blob in (patch.old, patch.blob)}
        self._said = {key: words for key, words in self._said.items() if key in kept}
        self._outlines = {key: value for key, value in self._outlines.items() if key[1] in blobs}
        self._names = {key: value for key, value in self._names.items() if key[1] in blobs}
        self._taken = {key: value for key, value in self._taken.items() if blobs.issuperset(key[1:])}
        self._seen = {target: seen for target, seen in self._seen.items() if target in targets}
        self._trees = {target: base for target, base in self._trees.items() if target in targets}

    # --- one pair ---

    def _pair(self, pair: tuple[str, str], touched: Mapping[str, Touched], target: str) -> list[Collision]:
        first, second = pair
        ours, theirs = touched[first], touched[second]
        found: list[Collision] = []
        for path in sorted(ours.keys() & theirs.keys())[:MOST_FILES]:
            found += self._both(pair, path, ours[path], theirs[path])
        for breaker, caller in (pair, (second, first)):
            found += self._calls(pair, breaker, caller, touched, target)
        return sorted(set(found))[:ENOUGH]

    def _both(self, pair: tuple[str, str], path: str, mine: Patch, other: Patch) -> Iterator[Collision]:
        if mine.blob == other.blob or mine.old != other.old or not (_has_lines(mine) and _has_lines(other)):
            return
        before = self._outline(path, mine.old)
        for name in sorted(before.edited(mine.spans) & before.edited(other.spans)):
            yield Collision(*pair, f"both edit {name} ({path})", path)

    def _calls(
        self, pair: tuple[str, str], breaker: str, caller: str, touched: Mapping[str, Touched], target: str
    ) -> Iterator[Collision]:
        said = self._words(touched[caller])
        lost: dict[Sought, str] = {}
        for path, patch in list(touched[breaker].items())[:MOST_FILES]:
            if patch.old and not patch.new and not said.isdisjoint(self._names_in(path, patch.old)):
                lost |= self._lost(path, patch)
        wanted = [one for one in lost if one.last.encode() in said]
        if not wanted:
            return
        for path, patch in touched[caller].items():
            if any(one.last.encode() in patch.words for one in wanted):
                yield from self._called(pair, breaker, path, patch, {one: lost[one] for one in wanted}, target)

    def _called(
        self, pair: tuple[str, str], breaker: str, path: str, patch: Patch, lost: Mapping[Sought, str], target: str
    ) -> Iterator[Collision]:
        from workbench.code.collisions import calls

        base = self._base(target)
        for one, line in calls(path, self._read(patch.blob), patch.made, lost, base.modules, base.readings):
            words = f"{one.name} ({one.path}) is {lost[one]} by {breaker}, and called anew at {path}:{line}"
            yield Collision(*pair, words, path, leads=breaker)

    # --- what files hold ---

    def _words(self, touched: Touched) -> frozenset[bytes]:
        if id(touched) not in self._said:
            self._said[id(touched)] = frozenset().union(*(patch.words for patch in touched.values()))
        return self._said[id(touched)]

    def _names_in(self, path: str, blob: str) -> frozenset[bytes]:
        key = (path, blob)
        if key not in self._names:
            from workbench.code.collisions import names_in

            self._names[key] = names_in(path, self._read(blob))
        return self._names[key]

    def _outline(self, path: str, blob: str) -> Outlined:
        key = (path, blob)
        if key not in self._outlines:
            from workbench.code.collisions import outlined

            self._outlines[key] = outlined(path, self._read(blob))
        return self._outlines[key]

    def _lost(self, path: str, patch: Patch) -> dict[Sought, str]:
        """What others may call, and the branch removes or calls otherwise."""
        from workbench.code.collisions import NOTHING, taken
        from workbench.code.resolving import sought_in

        key = (path, patch.old, patch.blob)
        if key not in self._taken:
            old = self._outline(path, patch.old)
            changes = patch.gone or patch.whole or old.heads(patch.spans)
            new = NOTHING if patch.gone else self._outline(path, patch.blob) if changes else old
            self._taken[key] = taken(old, new)
        return {sought_in(path, name): how for name, how in self._taken[key].items()}

    def _read(self, blob: str) -> bytes:
        try:
            return self._reader.read(blob)[1] if blob.strip("0") else b""
        except WorkbenchError:
            return b""  # too large to be looked into

    def _base(self, target: str) -> _Base:
        if target not in self._trees:
            self._trees[target] = _Base(target, self._git, self._reader)
        return self._trees[target]


class _Base:
    """The tree on which all these branches stand, as far as it hands names on."""

    def __init__(self, target: str, git: Git, reader: ObjectReader) -> None:
        from workbench.code.module_index import Modules, go_module_of

        self._target, self._reader = target, reader
        paths = git.run("ls-tree", "-r", "-z", "--name-only", "--full-tree", target).fields
        self.modules: Modules = Modules(paths, go_module=go_module_of(self._text("go.mod")))
        self._known: dict[tuple[str, str], list[Reading]] = {}

    @property
    def readings(self) -> Callable[[str, str], list[Reading]]:
        """The files of a module of the tree."""
        return self._of_module

    def _of_module(self, family: str, module: str) -> list[Reading]:
        from workbench.code.mentions import reading

        key = (family, module)
        if key not in self._known:
            files = [(path, self._text(path)) for path in self.modules.paths.get(key, ())]
            self._known[key] = [found for path, data in files if (found := reading(path, data, self.modules))]
        return self._known[key]

    def _text(self, path: str) -> bytes:
        try:
            return self._reader.file(self._target, path) or b""
        except WorkbenchError:
            return b""


def _has_lines(patch: Patch) -> bool:
    return bool(patch.spans) and not (patch.whole or patch.new or patch.gone)

"""Who is reached by a change of some entities: those who name them, and those who name these, from file to file.

Files are searched for names first and parsed only on a hit; where a bound stops that, it is said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from workbench.code.impact_model import Caller, Tree
from workbench.code.languages import language_of
from workbench.code.mentions import Mention, Reading, is_test, mentions, reading
from workbench.code.model import Span
from workbench.code.module_index import Modules
from workbench.code.resolving import Answer, Sought, may_mean, means, sought_in

MAX_FILES = 200  # that are parsed beside the changed ones
MAX_DEPTH = 4  # from a changed entity to who calls who calls it
MAX_NAMES = 200  # that are searched for at once
MAX_USERS = 80  # of one entity; more are counted
MAX_LISTED = 200  # callers of one changed entity; more are counted


class User(NamedTuple):
    """Somebody who names an entity."""

    path: str
    name: str  # the entity around the name; empty at the level of the file
    line: int
    is_sure: bool


@dataclass(slots=True)
class Files:
    """The files that were read so far, each once."""

    tree: Tree
    modules: Modules
    left: int = MAX_FILES
    skipped: set[str] = field(default_factory=set)  # files that hold a name and were not read, for there are too many
    unread: set[str] = field(default_factory=set)  # that hold a name and cannot be parsed
    known: dict[str, Reading | None] = field(default_factory=dict)
    texts: dict[str, bytes] = field(default_factory=dict)
    of_module: dict[tuple[str, str], list[Reading]] = field(default_factory=lambda: defaultdict(list))

    def reading(self, path: str, *, free: bool = False) -> Reading | None:
        """A file; None where it cannot be parsed, or too many were. A `free` one is always read."""
        if path in self.known:
            return self.known[path]
        if not language_of(path):
            return None
        if not free and self.left <= 0:
            self.skipped.add(path)
            return None
        self.left -= not free
        found = self.known[path] = reading(path, self.text(path), self.modules)
        if found is None:
            self.unread.add(path)
        else:
            self.of_module[found.family, found.module].append(found)
        return found

    def readings(self, family: str, module: str) -> list[Reading]:
        """The files of a module that were read so far."""
        return self.of_module.get((family, module), [])

    def text(self, path: str) -> bytes:
        """The content of a file; empty where there is none that can be read."""
        if path not in self.texts:
            self.texts[path] = self.tree.read(path) or b""
        return self.texts[path]

    def holders(self, names: Collection[str], near: Collection[str]) -> list[str]:
        """The files of languages that we read which say one of these names, those in `near` first."""
        paths = [path for path in self.tree.holders(sorted(names)[:MAX_NAMES]) if language_of(path)]
        return sorted(paths, key=lambda path: (path not in near, is_test(path), path))


class Callers:
    """Finds them for several entities at once, level by level, so that each name is searched for only once."""

    def __init__(self, files: Files, changed: Collection[str], edited: Mapping[str, Sequence[Span]]) -> None:
        self._files, self._changed, self._edited = files, changed, edited
        self._users: dict[Sought, list[User]] = {}
        self._roots: set[Sought] = set()
        self.dropped: dict[Sought, int] = {}  # users of one that were not followed, for there are too many
        self.untold: dict[Sought, int] = {}  # places that perhaps name one, and are not listed
        self.names_left_out = 0

    def look(self, wanted: Iterable[Sought]) -> None:
        """Find who is reached from these."""
        level = self._roots = set(wanted)
        for _ in range(MAX_DEPTH):
            fresh = sorted(level - self._users.keys())
            if not fresh:
                return
            self._level(fresh)
            level = {
                sought
                for one in fresh
                for user in self._users[one]
                if user.is_sure and user.name and not is_test(user.path)
                for sought in (sought_in(user.path, user.name),)
            }

    def _level(self, fresh: Sequence[Sought]) -> None:
        by_name: dict[str, list[Sought]] = defaultdict(list)
        for one in fresh:
            self._users[one] = []
            by_name[one.last].append(one)
        self.names_left_out += max(0, len(by_name) - MAX_NAMES)
        for path in self._files.holders(by_name.keys(), self._changed):
            data = self._files.text(path)
            wanted = self._wanted(by_name, path, data)
            of = self._files.reading(path, free=path in self._changed) if wanted else None
            if of is not None:
                self._read(of, wanted)

    def _wanted(self, by_name: Mapping[str, Sequence[Sought]], path: str, data: bytes) -> dict[str, list[Sought]]:
        """What a file could mean; methods whose class it never names are counted: they may be meant."""
        wanted: dict[str, list[Sought]] = {}
        for name, each in by_name.items():
            for one in each:
                if may_mean(one, path, data):
                    wanted.setdefault(name, []).append(one)
                elif one.holder and (count := data.count(b"." + name.encode() + b"(")):
                    self.untold[one] = self.untold.get(one, 0) + count
        return wanted

    def _read(self, of: Reading, wanted: Mapping[str, Sequence[Sought]]) -> None:
        for said in mentions(of, wanted):
            for one in wanted[said.name]:
                self._note(one, of, said)

    def _note(self, one: Sought, of: Reading, said: Mention) -> None:
        answer: Answer = means(one, of, said, self._files.readings)
        inside = of.entities[said.inside].name if said.inside >= 0 else ""
        if answer == "no" or (of.path == one.path and inside == one.name):
            return
        if answer == "perhaps" and one not in self._roots:
            self.untold[one] = self.untold.get(one, 0) + 1
            return
        users = self._users[one]
        user = User(of.path, inside, said.row + 1, answer == "yes")
        same = next((at for at, each in enumerate(users) if each[:2] == user[:2]), None)
        if same is not None:
            if user.is_sure and not users[same].is_sure:
                users[same] = user
        elif len(users) < MAX_USERS:
            users.append(user)
        else:
            self.dropped[one] = self.dropped.get(one, 0) + 1

    def of(self, roots: Sequence[Sought]) -> tuple[tuple[Caller, ...], int]:
        """Who is reached from one entity (under all its names), each behind whom it names; and how many more."""
        found: list[Caller] = []
        left_out = sum(self.dropped.get(root, 0) for root in roots)
        seen = {(root.path, root.name) for root in roots}
        stack = [(user, 1, -1) for root in reversed(roots) for user in reversed(self._ordered(root))]
        while stack:
            user, depth, by = stack.pop()
            if user[:2] in seen:
                continue
            seen.add((user.path, user.name))
            if len(found) >= MAX_LISTED:
                left_out += 1
                continue
            found.append(self._caller(user, depth, by))
            if user.is_sure and user.name:
                at = len(found) - 1
                sought = sought_in(user.path, user.name)
                stack += [(further, depth + 1, at) for further in reversed(self._ordered(sought))]
        return tuple(found), left_out

    def _ordered(self, one: Sought) -> list[User]:
        return sorted(self._users.get(one, ()), key=lambda user: (not user.is_sure, is_test(user.path), user))

    def _caller(self, user: User, depth: int, by: int) -> Caller:
        return Caller(
            path=user.path,
            name=user.name,
            line=user.line,
            depth=depth,
            by=by,
            is_sure=user.is_sure,
            is_changed=user.path in self._changed,
            is_edited=any(span.first <= user.line <= span.last for span in self._edited.get(user.path, ())),
            is_test=is_test(user.path),
        )

    def unfinished(self) -> Iterator[str]:
        """Where it was not looked further, in words."""
        if self.untold:
            names = ", ".join(dict.fromkeys(one.last for one in sorted(self.untold)[:6]))
            total = sum(self.untold.values())
            yield f"{total} {'place' if total == 1 else 'places'} with such a name on what cannot be told: {names}"
        if self._files.skipped:
            yield f"{len(self._files.skipped)} more files that hold a name were not read: {MAX_FILES} were"
        if self.names_left_out:
            yield f"{self.names_left_out} names were not searched for: more than {MAX_NAMES} at once"

"""How a change that is over its size budget could land in parts, each of which stands on earlier ones. Pure.

Mechanical edits and made files first, then code by directory, what is needed before what needs it, and tests last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from workbench.artifacts.mergepack import Change, SplitPart
from workbench.core.reading import MADE
from workbench.model.evidence import Evidence

Part = frozenset[str]
MAX_LINKED = 500  # files up to which what needs what is heeded
_TITLES = {"mechanical": "mechanical edits", "made": "files that tools made", "tests": "tests"}


def proposed(changes: Sequence[Change], evidence: Sequence[Evidence]) -> tuple[SplitPart, ...]:
    """The parts, in the order to land them; none where the change is within its limits, or is one part."""
    size = next((piece for piece in evidence if piece.kind == "size" and piece.state == "failed"), None)
    if size is None:
        return ()
    facts = next((piece.facts for piece in evidence if piece.kind == "structure"), {})
    parts = _Splitting(changes, facts.get("needs"), size.facts).parts()
    return parts if len(parts) > 1 else ()


class _Splitting:
    def __init__(self, changes: Sequence[Change], needs: Any, limits: Mapping[str, Any]) -> None:
        self._of = {change.path: change for change in changes}
        self._limits = tuple(_number(limits.get(name)) for name in ("most_files", "most_lines"))
        self._needs = {path: self._known(needs, path) for path in self._of}

    def _known(self, needs: Any, path: str) -> Part:
        found = needs.get(path) if isinstance(needs, dict) and len(self._of) <= MAX_LINKED else ()
        return frozenset(str(each) for each in found if each in self._of) if isinstance(found, list | tuple) else Part()

    def parts(self) -> tuple[SplitPart, ...]:
        """All files, each in one part."""
        kinds: dict[str, list[str]] = {"mechanical": [], "made": [], "code": [], "tests": []}
        for path in sorted(self._of):
            kinds[_kind(self._of[path])].append(path)
        made = [(_TITLES[kind], frozenset(kinds[kind])) for kind in ("mechanical", "made") if kinds[kind]]
        code = [(_directories(part), part) for part in self._in_order(self._linked(kinds["code"]))]
        tests = [(_TITLES["tests"], part) for part in self._in_order(list(self._packed(kinds["tests"])))]
        return tuple(self._told([*made, *_numbered(code), *_numbered(tests)]))

    def _told(self, parts: Sequence[tuple[str, Part]]) -> Iterator[SplitPart]:
        for at, (title, part) in enumerate(parts):
            wanted = self._needed(part)
            on = tuple(number for number, (_, other) in enumerate(parts[:at], 1) if other & wanted)
            yield SplitPart(title=title, files=tuple(sorted(part)), lines=self._lines(part), on=on)

    def _linked(self, paths: Sequence[str]) -> list[Part]:
        """Files of one directory, then directories of which one needs another where both fit into one part."""
        parts = [part for group in _by_directory(paths) for part in self._packed(group)]
        home = {path: at for at, part in enumerate(parts) for path in part}
        for path in paths:
            for needed in sorted(self._needs[path]):
                one, other = home[path], home.get(needed, home[path])
                if one != other and self._fits(parts[one] | parts[other]):
                    parts[one], parts[other] = parts[one] | parts[other], Part()
                    home |= dict.fromkeys(parts[one], one)
        return [part for part in parts if part]

    def _packed(self, paths: Sequence[str]) -> Iterator[Part]:
        """As few parts as fit, without dividing what needs each other, as long as that fits, too."""
        part = Part()
        for unit in self._units(paths):
            if part and not self._fits(part | unit):
                yield part
                part = Part()
            part |= unit
        if part:
            yield part

    def _units(self, paths: Sequence[str]) -> list[Part]:
        of = {path: frozenset((path,)) for path in paths}
        for path in paths:
            for needed in sorted(self._needs[path] & of.keys()):
                joined = of[path] | of[needed]
                if self._fits(joined):
                    of |= dict.fromkeys(joined, joined)
        return list(dict.fromkeys(of.values()))

    def _in_order(self, parts: list[Part]) -> list[Part]:
        """What is needed first; parts that need each other are one."""
        while True:
            home = {path: at for at, part in enumerate(parts) for path in part}
            graph = {
                at: sorted({home[path] for path in self._needed(part) if path in home} - {at})
                for at, part in enumerate(parts)
            }
            try:
                return [parts[at] for at in TopologicalSorter(graph).static_order()]
            except CycleError as ring:
                together = set(ring.args[1])
                joined = frozenset().union(*(parts[at] for at in together))
                parts = [joined, *(part for at, part in enumerate(parts) if at not in together)]

    def _needed(self, part: Part) -> Part:
        return frozenset().union(*(self._needs[path] for path in part)) - part

    def _lines(self, part: Iterable[str]) -> int:
        return sum(self._of[path].added + self._of[path].removed for path in part)

    def _fits(self, part: Part) -> bool:
        files, lines = self._limits
        return (not files or len(part) <= files) and (not lines or self._lines(part) <= lines)


def _kind(change: Change) -> str:
    if change.kind in MADE:
        return "made"
    return "mechanical" if change.is_mechanical else "tests" if change.kind == "test" else "code"


def _by_directory(paths: Iterable[str]) -> list[list[str]]:
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(path.rpartition("/")[0], []).append(path)
    return list(found.values())


def _directories(part: Part) -> str:
    names = sorted({path.rpartition("/")[0] or "the top directory" for path in part})
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more that belong together"


def _numbered(parts: Sequence[tuple[str, Part]]) -> Iterator[tuple[str, Part]]:
    titles = [title for title, _ in parts]
    for at, (title, part) in enumerate(parts):
        of = titles.count(title)
        yield (f"{title} ({titles[: at + 1].count(title)} of {of})" if of > 1 else title), part


def _number(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0

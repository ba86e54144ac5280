"""Who needs whom in the tree of a result, walked from the needs that a change adds: rings and broken rules.

Modules are read as the walk comes to them; who needs a changed module is not looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from workbench.code.callers import Files
from workbench.code.contracts import Contract
from workbench.code.impact_model import Broken, Need
from workbench.code.mentions import Reading
from workbench.code.module_index import Modules
from workbench.code.statements import EVERYTHING

MAX_MODULES = 400  # that are read for the walk
MAX_SHOWN = 20  # rings, and broken rules

Edges = dict[tuple[str, str], Need]
Way = tuple[str, ...]


def needs_of(of: Reading, modules: Modules) -> tuple[Edges, list[str]]:
    """What a file needs, each once with its first line, and relative names that nothing in the tree answers to."""
    found: Edges = {}
    lost: list[str] = []
    for one in of.imports:
        meant = modules.meant(one, of.path, of.language)
        if meant.is_lost:
            said = one.source if one.name in ("", EVERYTHING, "default") else f"{one.name} of {one.source}"
            lost.append(f"{of.path}:{one.row + 1}: needs {said}, which is not in the tree")
        elif meant.module and meant.module != of.module:
            found.setdefault(
                (of.module, meant.module), Need(of.module, meant.module, of.path, one.row + 1, meant.is_inside)
            )
    return found, list(dict.fromkeys(lost))


class Graph:
    """The needs of modules, read when they are asked for."""

    def __init__(self, files: Files, added: Iterable[Need]) -> None:
        self._files = files
        self._added = {(each.module, each.needs) for each in added}
        self._known: dict[tuple[str, str], list[Need]] = {}
        self._left = MAX_MODULES
        self.is_cut = False  # whether the walk ended at its bound

    def needs(self, family: str, module: str) -> list[Need]:
        """What a module of the tree needs."""
        key = (family, module)
        if key not in self._known:
            if self._left <= 0:
                self.is_cut = True
                return []
            self._left -= 1
            found: Edges = {}
            for path in self._files.modules.paths.get(key, ()):
                of = self._files.reading(path, free=True)
                if of is not None:
                    for name, need in needs_of(of, self._files.modules)[0].items():
                        found.setdefault(name, need)
            self._known[key] = sorted(found.values())
        return self._known[key]

    def ways(self, family: str, start: str, *, old: bool = False, passes: Callable[[Need], bool]) -> dict[str, str]:
        """All that a module reaches, by who leads there; itself by nobody. `old`: only by needs that were there."""
        before = {start: ""}
        queue = [start]
        for at in queue:
            for need in self.needs(family, at) if at == start or self._files.modules.called(family, at) else ():
                if need.needs in before or (old and (need.module, need.needs) in self._added) or not passes(need):
                    continue
                before[need.needs] = at
                queue.append(need.needs)
        return before


def rings(graph: Graph, added: Sequence[tuple[str, Need]]) -> Iterator[Way]:
    """Rings that these needs close, the shortest of each; `added` has the family of each."""
    seen: set[frozenset[str]] = set()
    for family, need in added:
        if not need.is_inside or len(seen) >= MAX_SHOWN:
            continue
        reached = graph.ways(family, need.needs, passes=_any)
        if need.module not in reached or need.needs in graph.ways(family, need.module, old=True, passes=_any):
            continue
        ring = (need.module, *way(reached, need.module))
        if frozenset(ring) not in seen:
            seen.add(frozenset(ring))
            yield ring


def broken(graph: Graph, added: Sequence[tuple[str, Need]], rules: Sequence[Contract]) -> Iterator[Broken]:
    """Rules that these needs break, directly or by what they lead to."""
    python = [need for family, need in added if family == "python"]
    shown = 0
    for rule in rules:
        told: set[tuple[str, str]] = set()
        for need in python:
            for chain in _chains(graph, need, rule):
                key = (chain[0], chain[-1])
                if key in told or shown >= MAX_SHOWN:
                    continue
                told.add(key)
                shown += 1
                yield Broken(
                    contract=rule.name,
                    module=chain[0],
                    forbidden=chain[-1],
                    chain=chain,
                    path=need.path,
                    line=need.line,
                )


def _chains(graph: Graph, need: Need, rule: Contract) -> Iterator[Way]:
    if rule.ignores(need.module, need.needs):
        return
    if rule.breaks(need.module, need.needs):
        yield need.module, need.needs
        return  # what it leads to beyond that is no news
    if rule.directly or not need.is_inside:
        return

    def passes(each: Need) -> bool:
        return not rule.ignores(each.module, each.needs)

    reached = graph.ways("python", need.needs, passes=passes)
    hits = [name for name in reached if rule.breaks(need.module, name)]
    if not hits:
        return
    before = graph.ways("python", need.module, old=True, passes=passes)
    for name in hits:
        if name not in before:
            yield need.module, *way(reached, name)
            return


def way(reached: dict[str, str], end: str) -> Way:
    """From where the walk began to `end`."""
    found = [end]
    while reached[found[-1]]:
        found.append(reached[found[-1]])
    return tuple(reversed(found))


def _any(_need: Need) -> bool:
    return True

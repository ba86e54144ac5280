"""What a change does to the rest of its tree: modules, who needs whom, rings and rules, callers, and special files.

Pure but for what it asks of the given tree. The changed files are parsed in full; of all others only those that hold a
name, or that a new need leads to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from workbench.code.callers import MAX_DEPTH, Callers, Files
from workbench.code.contracts import FILES, contracts
from workbench.code.filekinds import kind_of, special_files
from workbench.code.impact_model import Affected, How, Impact, Need, Touched, Tree
from workbench.code.imports import module_of
from workbench.code.languages import language_of
from workbench.code.mentions import is_test, reading
from workbench.code.model import EntityChange, FileSides, StructuralDiff
from workbench.code.module_graph import MAX_MODULES, Graph, broken, needs_of, rings
from workbench.code.module_index import Modules, go_module_of
from workbench.code.parsing import NO_GRAMMAR
from workbench.code.resolving import Sought, sought_in

MAX_ENTITIES = 100  # whose callers are looked for
MAX_WALKED = 200  # new needs that are held against rules, and followed for rings
MAX_TOLD = 100  # names that could not be resolved, and needs
_KINDS = frozenset({"function", "method", "class", "constant"})
_ORDER: tuple[How, ...] = ("removed", "renamed", "moved", "signature", "body")


def impact(sides: Sequence[FileSides], diff: StructuralDiff, tree: Tree) -> Impact:
    """All of it. `sides` are the changed files, renames as one absent on either side, as `diff` was made of."""
    changed = {each.path: each for each in sides}
    modules, before = _modules(tree, changed)
    files = Files(tree, modules)
    added, removed, lost = _edges(sides, files, before)
    graph = Graph(files, [need for _, need in added])
    rules, problems = contracts({path: data for path in FILES if (data := _old(path, tree, changed))})
    walked = added[:MAX_WALKED]
    closed, breaks = tuple(rings(graph, walked)), tuple(broken(graph, walked, rules))
    affected, skipped, unfinished = _affected(diff, files, changed)
    return Impact(
        modules=tuple(_touched(diff)),
        added=tuple(need for _, need in added),
        removed=tuple(removed),
        cycles=closed,
        broken=breaks,
        affected=affected,
        special=tuple(special_files(diff.files, sides)),
        unresolved=tuple(_unresolved(diff, lost, files, affected)),
        limits=(*problems, *skipped, *unfinished, *_bounds(graph, len(added))),
        contracts=len(rules),
    )


def _modules(tree: Tree, changed: dict[str, FileSides]) -> tuple[Modules, Modules]:
    """Those of the result, and those that there were before."""
    gone = {path for path, each in changed.items() if each.new is None}
    made = {path for path, each in changed.items() if each.old is None}
    old = [*(path for path in tree.paths if path not in made), *gone]
    now, before = go_module_of(tree.read("go.mod")), go_module_of(_old("go.mod", tree, changed))
    return Modules(tree.paths, go_module=now), Modules(old, go_module=before)


def _old(path: str, tree: Tree, changed: dict[str, FileSides]) -> bytes | None:
    """A file as it was, so that a change cannot loosen the rules that it is held against."""
    if path in changed:
        return changed[path].old
    return tree.read(path) if path in tree.paths else None


# --- who needs whom ---------------------------------------------------------------------------------------------------


def _edges(
    sides: Sequence[FileSides], files: Files, before: Modules
) -> tuple[list[tuple[str, Need]], list[Need], list[str]]:
    """Needs that came, each with its family of languages; needs that went; and names that nothing answers to."""
    new: dict[tuple[str, str], tuple[str, Need]] = {}
    old: dict[tuple[str, str], Need] = {}
    lost: dict[str, None] = {}
    for each in sides:
        if each.old is not None and (was := reading(each.path, each.old, before)) is not None:
            old |= {name: need for name, need in needs_of(was, before)[0].items() if name not in old}
        if each.new is not None and (now := files.reading(each.path, free=True)) is not None:
            found, unknown = needs_of(now, files.modules)
            new |= {name: (now.family, need) for name, need in found.items() if name not in new}
            lost |= dict.fromkeys(unknown)
    added = sorted(each for name, each in new.items() if name not in old)
    return (
        sorted(added, key=lambda pair: (not pair[1].is_inside, pair[1])),
        sorted((need for name, need in old.items() if name not in new), key=lambda need: (not need.is_inside, need)),
        list(lost),
    )


def _touched(diff: StructuralDiff) -> Iterator[Touched]:
    """By module; a file of no language is none."""
    found = defaultdict(list)
    for file in diff.files:
        if language := language_of(file.path):
            found[module_of(file.path, language), is_test(file.path)].append(file)
    public: dict[str, int] = defaultdict(int)
    for change in diff.api:
        public[change.path] += 1
    for (name, tests), files in sorted(found.items(), key=lambda item: (item[0][1], item[0][0])):
        yield Touched(
            name=name,
            paths=tuple(file.path for file in files),
            added=sum(file.added for file in files),
            removed=sum(file.removed for file in files),
            entities=sum(len([each for each in file.entities if each.kind != "import"]) for file in files),
            public=sum(public[path] for file in files for path in {file.path, file.old_path}),
            is_test=tests,
        )


# --- callers ----------------------------------------------------------------------------------------------------------


def _affected(
    diff: StructuralDiff, files: Files, changed: Collection[str]
) -> tuple[tuple[Affected, ...], list[str], list[str]]:
    """What was altered with who is reached; what was not looked at; where the search ended at a bound."""
    chosen = [
        (how, change, file.path, file.old_path)
        for file in diff.files
        if not is_test(file.path)
        for change in file.entities
        if (how := _how(change)) is not None
    ]
    chosen.sort(key=lambda each: (_ORDER.index(each[0]), not each[1].is_public, each[2], each[1].line))
    skipped = [f"the callers of {len(chosen) - MAX_ENTITIES} more changed entities were not looked for"]
    edited = {file.path: [hunk.new for hunk in file.hunks if not hunk.is_mechanical] for file in diff.files}
    callers = Callers(files, changed, edited)
    roots = [tuple(_sought(*each)) for each in chosen[:MAX_ENTITIES]]
    callers.look(one for each in roots for one in each)
    found = []
    for (how, change, path, _), each in zip(chosen, roots, strict=False):
        reached, left_out = callers.of(each)
        found.append(
            Affected(
                name=change.old_name or change.name,
                path=change.old_path or path,
                line=change.line,
                kind=change.kind,
                how=how,
                now=_now(change, path),
                is_public=change.is_public,
                callers=reached,
                left_out=left_out,
            )
        )
    return tuple(found), skipped if len(chosen) > MAX_ENTITIES else [], list(callers.unfinished())


def _how(change: EntityChange) -> How | None:
    """What others notice of a change; None of what is new, or does what it did."""
    if change.kind not in _KINDS or change.change == "added":
        return None
    if change.change in ("removed", "renamed") or (change.change == "moved" and (change.old_name or change.old_path)):
        return change.change
    return next((how for how in ("signature", "body") if how in change.aspects), None)


def _now(change: EntityChange, path: str) -> str:
    if not change.old_name and not change.old_path:
        return ""
    return change.name if not change.old_path else f"{change.name} in {path}"


def _sought(how: How, change: EntityChange, path: str, old_path: str) -> Iterator[Sought]:
    """Under its name, and under the one that it had: what still says that is left behind."""
    if how != "removed":
        yield sought_in(path, change.name)
    if how in ("removed", "renamed", "moved"):
        was = change.old_path or old_path
        name = change.old_name or change.name
        if how == "removed" or (was, name) != (path, change.name):
            yield sought_in(was, name)


# --- what could not be told -------------------------------------------------------------------------------------------


def _unresolved(diff: StructuralDiff, lost: Sequence[str], files: Files, affected: Sequence[Affected]) -> Iterator[str]:
    yield from (each for each in diff.unknown if not each.endswith(NO_GRAMMAR))
    plain = [file.path for file in diff.files if file.fallback == NO_GRAMMAR and not kind_of(file.path)]
    if plain:
        more = f" and {len(plain) - 3} more" if len(plain) > 3 else ""
        yield f"of no language that is read here: {', '.join(plain[:3])}{more}"
    yield from lost[:MAX_TOLD]
    if len(lost) > MAX_TOLD:
        yield f"and {len(lost) - MAX_TOLD} more needs that nothing in the tree answers to"
    for each in affected:
        unsure = [caller for caller in each.callers if not caller.is_sure]
        if unsure:
            places = ", ".join(f"{caller.path}:{caller.line}" for caller in unsure[:3])
            more = f" and {len(unsure) - 3} more" if len(unsure) > 3 else ""
            yield f"{each.name}: the same name on what cannot be told, at {places}{more}"
    for path in sorted(files.unread)[:MAX_TOLD]:
        yield f"{path}: holds a name, and cannot be parsed"


def _bounds(graph: Graph, added: int) -> Iterator[str]:
    if added > MAX_WALKED:
        yield f"rings and rules were looked for from {MAX_WALKED} of {added} new needs"
    if graph.is_cut:
        yield f"rings and rules were followed through {MAX_MODULES} modules, not further"
    yield f"callers are followed {MAX_DEPTH} calls far, and not through tests, reflection or names in texts"

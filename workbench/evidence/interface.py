"""Whether a change leaves the public interface as it was: names and signatures of Python; it judges no policy."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

import msgspec

from workbench.evidence.material import is_test_file
from workbench.evidence.sizes import change_summary
from workbench.evidence.static import bound, text_of
from workbench.model.evidence import EvidenceState
from workbench.ports import Change, Collected

MAX_LISTED = 50  # names of each kind in the facts
KEPT = ""  # the signature of a name that is only imported: it is there, and no more is known


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Public names, as `path:Class.method`, and files that could not be compared."""

    removed: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()  # called otherwise than before
    added: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


class Interface:
    """Port Collector: `passed` when all of it was compared; `facts.changed` counts what was removed or altered."""

    name = "interface"

    def collect(self, change: Change) -> Collected:
        """Compare both sides of every changed source file, tests apart."""
        found = compared(change)
        facts = {name: list(names)[:MAX_LISTED] for name, names in msgspec.structs.asdict(found).items()}
        counts = {"changed": len(found.removed) + len(found.altered), "grown": len(found.added)}
        state: EvidenceState = "not-checked" if found.unread else "passed"
        summary = f"{len(found.removed)} public names removed, {len(found.altered)} altered, {len(found.added)} added"
        summary += f"; not compared: {', '.join(found.unread[:5])}" if found.unread else ""
        evidence = bound(
            change, self.name, criterion="verification", state=state, summary=summary, facts={**facts, **counts}
        )
        return Collected(evidence=(evidence,))


def compared(change: Change) -> Difference:
    """What became of the public names of all changed source files."""
    removed: list[str] = []
    altered: list[str] = []
    added: list[str] = []
    unread: list[str] = []
    for file in change_summary(change):
        if file.kind not in ("source", "generated", "vendored") or is_test_file(file.path):
            continue
        before, after = (_names(side, file.path) for side in (change.base_file, change.result_file))
        if before is None or after is None:
            unread.append(file.path)
            continue
        removed += [f"{file.path}:{name}" for name in before if name not in after]
        added += [f"{file.path}:{name}" for name in after if name not in before and after[name] != KEPT]
        altered += [f"{file.path}:{name}" for name in before if _differs(before[name], after.get(name))]
    return Difference(removed=tuple(removed), altered=tuple(altered), added=tuple(added), unread=tuple(unread))


def _differs(before: str, after: str | None) -> bool:
    return after is not None and KEPT not in (before, after) and before != after


def _names(side: Callable[[str], bytes | None], path: str) -> dict[str, str] | None:
    """Public names to signatures; None where the file cannot be read as Python."""
    raw = side(path)
    if raw is None:
        return {}
    text = text_of(raw)
    if text is None or not path.endswith(".py"):
        return None
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return dict(_defined(tree.body, "", _listed(tree)))


def _listed(tree: ast.Module) -> frozenset[str] | None:
    """The names in `__all__`; None where it has none."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            values = node.value.elts if isinstance(node.value, ast.List | ast.Tuple) else []  # type: ignore[attr-defined]
            return frozenset(
                each.value for each in values if isinstance(each, ast.Constant) and isinstance(each.value, str)
            )
    return None


def _defined(body: list[ast.stmt], inside: str, listed: frozenset[str] | None) -> Iterator[tuple[str, str]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_public(node.name, inside, listed):
            marks = "".join(f"@{ast.unparse(mark)} " for mark in node.decorator_list)
            kind = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
            yield inside + node.name, f"{marks}{kind}({ast.unparse(_bare(node.args))})"
        elif isinstance(node, ast.ClassDef) and _is_public(node.name, inside, listed):
            yield inside + node.name, f"({', '.join(map(ast.unparse, node.bases))})"
            yield from _defined(node.body, f"{inside}{node.name}.", None)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]
            yield from ((inside + name, "=") for name in names if _is_public(name, inside, listed))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [(alias.asname or alias.name).partition(".")[0] for alias in node.names]
            yield from ((inside + name, KEPT) for name in names if listed is not None and name in listed)
        elif isinstance(node, ast.If | ast.Try | ast.With):
            yield from _defined(_blocks(node), inside, listed)


def _blocks(node: ast.If | ast.Try | ast.With) -> list[ast.stmt]:
    handled = [each for handler in getattr(node, "handlers", ()) for each in handler.body]
    return [*node.body, *handled, *getattr(node, "orelse", ()), *getattr(node, "finalbody", ())]


def _bare(arguments: ast.arguments) -> ast.arguments:
    """The arguments without annotations, which nobody calls by."""
    for argument in ast.walk(arguments):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    return arguments


def _is_public(name: str, inside: str, listed: frozenset[str] | None) -> bool:
    if not inside and listed is not None:
        return name in listed
    return not name.startswith("_") or (inside != "" and name.startswith("__") and name.endswith("__"))

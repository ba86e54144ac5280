"""A suite's plan narrowed to the tests that an agent selects; it runs nothing."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from workbench.aee.confined import Confined
from workbench.aee.workspace_paths import split
from workbench.evidence.conventions import SuitePlan
from workbench.model.errors import Refused

# Options of pytest whose value is the next word, so that the value is not taken for a path of tests.
_VALUED = frozenset(
    {"-c", "-k", "-m", "-n", "-o", "-p", "-r", "-W", "--basetemp", "--confcutdir", "--cov", "--deselect", "--durations"}
    | {"--ignore", "--ignore-glob", "--import-mode", "--maxfail", "--rootdir", "--tb"}
)


def narrowed(plan: SuitePlan, select: Sequence[str], *, files: Confined) -> SuitePlan:
    """`plan` for the tests in `select`, all of it when nothing is selected. Raises Refused for what selects nothing."""
    if not select:
        return plan
    if plan.kind not in ("pytest", "unittest"):
        raise Refused(
            f"single tests cannot be selected with {plan.label or plan.kind}", hint="Run all of them, or use `run`."
        )
    if odd := next((name for name in select if name.startswith("-") or "\0" in name), None):
        raise Refused(f"{odd[:80]!r} names no test", hint="Name tests by the ids that `test` tells, or by paths.")
    if plan.kind == "pytest":
        return replace(plan, argv=(*_options(plan.argv, files), *select))
    return replace(plan, argv=_as_names(select, files))


def _options(words: Sequence[str], files: Confined) -> tuple[str, ...]:
    """The words of a pytest command but the paths of tests, which the selection replaces."""
    pairs = zip(("", *words), words, strict=False)
    return tuple(
        word for before, word in pairs if before in _VALUED or word.startswith("-") or not _is_there(word, files)
    )


def _as_names(select: Sequence[str], files: Confined) -> tuple[str, ...]:
    """What our unittest runner takes: one directory to discover in, or dotted names."""
    folders = [name for name in select if _is_there(name, files, kind="directory")]
    if folders and len(select) > 1:
        raise Refused(f"{folders[0][:80]!r} is a directory", hint="Select one directory, or modules and tests by name.")
    if folders:
        return (folders[0],)
    return tuple(name.replace(".py::", ".").replace("::", ".").removesuffix(".py").replace("/", ".") for name in select)


def _is_there(word: str, files: Confined, *, kind: str = "") -> bool:
    try:
        split(word.partition("::")[0])
        found = files.stat(word.partition("::")[0])
    except Refused:
        return False
    return found is not None and (not kind or found.kind == kind)

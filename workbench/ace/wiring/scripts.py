"""The scripts under `.workbench/`: found, read and checked; it prints nothing and starts nothing."""

from __future__ import annotations

from errno import ENAMETOOLONG
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from workbench.model.errors import ArtifactInvalid, NotFound
from workbench.model.problems import Problem


class ScriptKind(NamedTuple):
    """One kind of script: where it lives in a repository, and which artifact module knows it."""

    name: str
    directory: str
    suffix: str
    module: str


BRIEF = ScriptKind("brief", ".workbench/briefs", ".md", "workbench.artifacts.brief")
LOOP = ScriptKind("loop", ".workbench/loops", ".yaml", "workbench.artifacts.loop")
MENTOR = ScriptKind("mentor", ".workbench/mentor", ".md", "workbench.artifacts.mentor")


class Script(NamedTuple):
    """A script as it stands in a file. `value` is None, and `document` empty, while it has errors."""

    id: str
    path: str
    text: str
    value: Any
    document: dict[str, Any]
    digest: str
    problems: tuple[Problem, ...]


def paths(kind: ScriptKind, checkout: Path) -> list[Path]:
    """All scripts of a kind, by name."""
    return sorted((checkout / kind.directory).glob(f"*{kind.suffix}"))


def find(kind: ScriptKind, wanted: str, checkout: Path) -> Path:
    """The file that an id or a path names. Raises NotFound with what there is."""
    for path in (checkout / kind.directory / f"{wanted}{kind.suffix}", Path(wanted), checkout / wanted):
        if path.suffix == kind.suffix and _is_file(path):
            return path
    there = ", ".join(path.stem for path in paths(kind, checkout))
    raise NotFound(f"There is no {kind.name} {wanted!r}.", hint=f"There are: {there}." if there else "workbench init")


def _is_file(path: Path) -> bool:
    """Whether it is one; words that are too long for a name are none."""
    try:
        return path.is_file()
    except OSError as error:
        if error.errno == ENAMETOOLONG:
            return False
        raise


def read(kind: ScriptKind, path: Path, checkout: Path) -> Script:
    """A script with all of its problems."""
    shown = str(path.relative_to(checkout)) if path.is_relative_to(checkout) else str(path)
    return understood(kind, path.read_bytes(), shown)


def understood(kind: ScriptKind, raw: bytes, path: str) -> Script:
    """The script that these bytes are."""
    module = import_module(kind.module)
    problems = tuple(module.check(raw, path))
    text = raw.decode("utf-8", "replace")
    try:
        value = module.parse(raw, path)
    except ArtifactInvalid:
        return Script(Path(path).stem, path, text, None, {}, "", problems)
    document: dict[str, Any] = msgspec.to_builtins(value)
    return Script(value.id, path, text, value, document, module.digest(value), problems)

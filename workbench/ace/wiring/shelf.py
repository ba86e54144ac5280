"""All that people write under `.workbench`: scripts, policy, people and settings, each file with its problems.

A file is read and checked again only when it changed. Nothing is written, and nothing in there is obeyed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from workbench.ace.wiring import scripts
from workbench.ace.wiring.scripts import BRIEF, LOOP, MENTOR
from workbench.ace.wiring.workplace import Workplace
from workbench.model.problems import Problem

Shelf = Literal["brief", "loop", "mentor", "policy", "configuration"]
MOST_BYTES = 1 << 20  # of a file that is read
CONFIGURATION = (".workbench/config.toml", ".workbench/local.toml")
Check = Callable[[bytes, str], Sequence[Problem]]


class ScriptFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file as it stands. `stamp` tells whether it changed; `path` is relative to the checkout."""

    shelf: Shelf
    id: str
    path: str
    file: str  # its absolute path
    stamp: tuple[int, int, int]
    title: str = ""
    status: str = ""
    text: str = ""
    problems: tuple[Problem, ...] = ()

    @property
    def errors(self) -> int:
        """How many of the problems are errors."""
        return sum(problem.severity == "error" for problem in self.problems)


Known = Mapping[str, ScriptFile]  # by path


def script_files(place: Workplace, known: Known) -> tuple[ScriptFile, ...]:
    """Every file, those in `known` that did not change as they are. Raises RepositoryProblem without a checkout."""
    checkout = place.checkout
    found: list[ScriptFile] = []
    for shelf, path in _paths(checkout):
        relative = str(path.relative_to(checkout))
        stamp = _stamp(path)
        before = known.get(relative)
        if before is not None and before.stamp == stamp:
            found.append(before)
        elif stamp is not None:
            found.append(_read(shelf, path, relative, stamp))
    return tuple(found)


def _paths(checkout: Path) -> Iterator[tuple[Shelf, Path]]:
    from workbench.artifacts import people, policy

    for shelf, kind in (("brief", BRIEF), ("loop", LOOP), ("mentor", MENTOR)):
        yield from ((shelf, path) for path in scripts.paths(kind, checkout))  # type: ignore[misc]  # names of shelves
    yield from (("policy", checkout / path) for path in (policy.PATH, people.PATH))
    yield from (("configuration", checkout / path) for path in CONFIGURATION)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return (stat.st_mtime_ns, stat.st_size, stat.st_ino) if path.is_file() else None


def _read(shelf: Shelf, path: Path, relative: str, stamp: tuple[int, int, int]) -> ScriptFile:
    file = ScriptFile(shelf=shelf, id=path.stem, path=relative, file=str(path), stamp=stamp)
    if stamp[1] > MOST_BYTES:
        return _with_problem(file, f"{stamp[1]} bytes are too many to read", "split it, or move it away")
    try:
        raw = path.read_bytes()
    except OSError as error:
        return _with_problem(file, f"it cannot be read: {error.strerror}", "look at its permissions")
    kind = {"brief": BRIEF, "loop": LOOP, "mentor": MENTOR}.get(shelf)
    if kind is None:
        problems = tuple(_check_of(relative)(raw, relative))
        return msgspec.structs.replace(file, id=path.name, text=raw.decode("utf-8", "replace"), problems=problems)
    script = scripts.understood(kind, raw, relative)
    facts = script.document
    return msgspec.structs.replace(
        file,
        id=script.id,
        title=str(facts.get("title") or facts.get("text") or facts.get("scope") or ""),
        status=str(facts.get("status", "")),
        text=script.text,
        problems=script.problems,
    )


def _check_of(relative: str) -> Check:
    from workbench.artifacts import configuration, people, policy

    return {policy.PATH: policy.check, people.PATH: people.check}.get(relative, configuration.check)


def _with_problem(file: ScriptFile, text: str, remedy: str) -> ScriptFile:
    problem = Problem(path=file.path, line=0, column=0, text=text, remedy=remedy)
    return msgspec.structs.replace(file, problems=(problem,))

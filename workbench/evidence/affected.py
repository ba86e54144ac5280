"""Which test files a change touches or reaches, nearest first: what is worth running before all the rest.

It goes by imports: a test that comes by a changed module otherwise (a plugin, a name in a text) is not found, and runs
with the others. It runs nothing.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

import msgspec

from workbench.code.module_index import Modules
from workbench.code.parsing import parse
from workbench.code.statements import imports
from workbench.evidence.material import is_test_file
from workbench.evidence.rig import read_report
from workbench.ports import Change

MOST_FILES = 4_000  # Python files that are read for the walk
MOST_BYTES = 1 << 20  # of one of them
MOST_TOGETHER = 32 << 20  # bytes of all of them
MOST_FIRST = 60  # test files that are run first
LARGEST_SHARE = 4  # one in so many test files: of more, running all of them tells about as soon
_SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__", "build", "dist"})


class Affected(msgspec.Struct, frozen=True, kw_only=True):
    """Test files that a change reaches, nearest first, `of` so many; or why there are none to run first."""

    files: tuple[str, ...] = ()
    of: int = 0
    why_not: str = ""


def affected(change: Change, root: Path) -> Affected:
    """What a change reaches among the test files of its result, which lies at `root`."""
    changed = {path for _, path in change.changed_paths() if path.endswith(".py")}
    if any(PurePosixPath(path).name == "conftest.py" for path in changed):
        return Affected(why_not="it changes a conftest.py, which is for all tests below it")
    paths = list(_python_files(root))
    tests = {path for path in paths if is_test_file(path)}
    if len(paths) > MOST_FILES:
        return Affected(of=len(tests), why_not=f"the project has more than {MOST_FILES} Python files")
    far = _distances(_needed_by(paths, root), changed)
    near = sorted((far[path], path) for path in tests if path in far)
    if not near:
        return Affected(of=len(tests), why_not="no test file imports what it changes")
    most = min(MOST_FIRST, len(tests) // LARGEST_SHARE)
    if len(near) > most:  # those at the same distance are all in, or none of them
        limit = near[most][0]
        near = [each for each in near[:most] if each[0] < limit]
    if not near:
        return Affected(of=len(tests), why_not="it reaches so many test files that an order would tell no sooner")
    return Affected(files=tuple(path for _, path in near), of=len(tests))


def _python_files(root: Path) -> Iterator[str]:
    for place, directories, names in os.walk(root):
        directories[:] = sorted(name for name in directories if name not in _SKIPPED and not name.startswith("."))
        for name in sorted(names):
            if name.endswith(".py"):
                yield (Path(place) / name).relative_to(root).as_posix()


def _needed_by(paths: Iterable[str], root: Path) -> Mapping[str, set[str]]:
    """By file those that import it, as far as the bounds let them be read."""
    known = list(paths)
    modules = Modules(known)
    found: dict[str, set[str]] = defaultdict(set)
    left = MOST_TOGETHER
    for path in known:
        data = read_report(root / path, limit=min(left, MOST_BYTES))
        left -= len(data or b"")
        parsed = parse(data, "python") if data else None
        if parsed is None or parsed.tree is None:
            continue
        for one in imports(parsed):
            meant = modules.meant(one, path, "python")
            for needed in modules.paths.get(("python", meant.module), ()) if meant.is_inside else ():
                found[needed].add(path)
    return found


def _distances(needed_by: Mapping[str, set[str]], changed: Iterable[str]) -> dict[str, int]:
    """How many imports lie between a file and the nearest one that changed."""
    found = dict.fromkeys(changed, 0)
    edge = list(found)
    while edge:
        edge = list(dict.fromkeys(other for path in edge for other in needed_by.get(path, ()) if other not in found))
        distance = 1 + max(found.values(), default=0)
        found.update(dict.fromkeys(edge, distance))
    return found

"""Plays files while their lines are measured, by coverage.py or by our marks: `measured_lines.py WAY OUT FILE...`.

Run in a process of its own, so that the two ways see the same, and neither sees the other.
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import io
import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

ARGUMENTS: tuple[tuple[object, ...], ...] = (
    (), (3,), ("a b: 'c' (1) = 2\n# d",), ([3, 1, 2],), (b"ab",), ({"a": 1},), (2, 3), ("%s-%d", "x"), ([1, 2], "y"),
)  # fmt: skip


def play(file: str) -> None:
    """Load a file as a module and call what it offers, whatever comes of it."""
    name = module_of(file)
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    with contextlib.suppress(Exception):
        spec.loader.exec_module(module)
    for _, called in sorted(offered(module).items()):
        for arguments in ARGUMENTS:
            with contextlib.suppress(Exception, SystemExit):
                made = called(*arguments)
                used(made)


def offered(module: ModuleType) -> dict[str, Callable[..., object]]:
    """Functions and classes of the module itself."""
    found = {name: value for name, value in vars(module).items() if not name.startswith("__")}
    return {name: value for name, value in found.items() if getattr(value, "__module__", "") == module.__name__}


def used(made: object) -> None:
    """Let a generator run a little, and call the plain methods of an object."""
    if inspect.isgenerator(made):
        for _, _ in zip(range(50), made, strict=False):
            pass
    if type(made).__module__.startswith("played_"):
        for name in sorted(vars(type(made))):
            with contextlib.suppress(Exception, SystemExit):
                getattr(made, name)()


def by_coverage(files: list[str]) -> dict[str, object]:
    """File to (statements, those not run)."""
    import coverage

    measuring = coverage.Coverage(data_file=None, include=files, config_file=False)
    measuring.start()
    for file in files:
        play(file)
    measuring.stop()
    found: dict[str, object] = {}
    for file in files:
        _, statements, _, missing, _ = measuring.analysis2(file)
        found[file] = (statements, missing)
    return found


def by_marks(files: list[str]) -> dict[str, object]:
    """File to (lines that can be marked, those that were, those that the file itself knows to have run)."""
    from workbench.evidence.probes import Probes

    probes = Probes(files)
    probes.install()
    for file in files:
        play(file)
    assert not probes.problems(), probes.problems()
    hits = probes.hits()
    return {file: (lines, hits[file], seen(file)) for file, lines in probes.places().items()}


def seen(file: str) -> list[int]:
    """Lines that a file noted by itself."""
    found = getattr(sys.modules[module_of(file)], "SEEN", None)
    return sorted(found) if isinstance(found, set) else []


def module_of(file: str) -> str:
    """The name under which a file is played."""
    return f"played_{Path(file).stem}"


def main() -> None:
    """Write what was found to OUT."""
    way, out, *files = sys.argv[1:]
    sys.argv[1:] = []
    warnings.simplefilter("ignore")
    real = sys.stdout
    sys.stdout = sys.stderr = io.StringIO()
    sys.stdin = io.StringIO()
    found = {"coverage": by_coverage, "marks": by_marks}[way](files)
    sys.stdout = real
    Path(out).write_text(json.dumps(found))


if __name__ == "__main__":
    main()

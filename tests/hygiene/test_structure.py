"""The structure of the house holds: directions between rooms, no cycles, no file that has outgrown its job."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "workbench"
MOST_LINES = 400  # a longer file is probably two


def test_import_contracts_are_kept() -> None:
    """Rooms import only in the direction that the contracts in pyproject.toml name."""
    checked = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout


def test_no_import_cycles() -> None:
    """No two modules need each other, type checking included."""
    graph = grimp.build_graph("workbench", exclude_type_checking_imports=False, cache_dir=None)
    cycles = [
        (module, imported)
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
        if graph.find_shortest_chain(importer=imported, imported=module)
    ]
    assert cycles == []


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_readable(path: Path) -> None:
    """No file of the package passes 400 lines, but the catalogue of events and the page of ports may."""
    catalogues = {PACKAGE / "model/events.py", PACKAGE / "ports.py"}
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MOST_LINES or path in catalogues

"""Workplaces in a temporary directory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.aee.trash_stage import Place
from workbench.aee.sandbox.select import select
from workbench.repository.trees import remove_tree
from workbench.testing.workplace import Workplace

FILES: dict[str, str | bytes] = {
    "src/a.py": "import os\n\n\ndef twice(x):\n    return x + x\n",
    "src/crlf.txt": b"one\r\ntwo\r\nthree\r\n",
    "README.md": "# Sample\n\nA sample.\n",
}


@pytest.fixture
def make_workplace(tmp_path: Path) -> Iterator[Callable[..., Workplace]]:
    """Builds workplaces, and closes them."""
    made: list[Workplace] = []

    def make(name: str = "clone", **options: Any) -> Workplace:
        sandbox = options.pop("sandbox", None) or select("none", allow_none=True)
        made.append(Workplace(tmp_path / name, sandbox=sandbox, files={**FILES, **options.pop("files", {})}, **options))
        return made[-1]

    yield make
    for workplace in made:
        workplace.close()


@pytest.fixture
def workplace(make_workplace: Callable[..., Workplace]) -> Workplace:
    return make_workplace()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    made = Place(tmp_path)
    yield made
    made.store.close()
    for deep in ("back", "w"):  # the runner's own clearing up cannot remove what is deeper than Python's stack
        remove_tree(tmp_path / deep)

"""A closed home for every test of this room, so that nobody's own git settings take part."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.testing.repositories import Repo


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "home"
    directory.mkdir()
    for name, value in {
        "HOME": directory,
        "XDG_CONFIG_HOME": directory / "config",
        "XDG_STATE_HOME": directory,
    }.items():
        monkeypatch.setenv(name, str(value))
    for name in ("GIT_CONFIG_GLOBAL", "GIT_DIR", "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"):
        monkeypatch.delenv(name, raising=False)
    return directory


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo(tmp_path / "checkout")
    made.commit({"a.txt": "one\ntwo\nthree\n", "dir/b.txt": "b\n"}, "First")
    return made

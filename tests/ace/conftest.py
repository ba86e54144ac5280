"""A person's machine in miniature: a real repository, a real journal, and the command line called in it."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from ace_world import Call, Said, World, git

from workbench.ace.cli.main import main
from workbench.ace.wiring.workplace import Workplace
from workbench.journal.store import SqliteJournal


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Everything that Workbench and git keep for a person lies under the test's directory."""
    home = tmp_path / "home"
    home.mkdir()
    for name in [name for name in os.environ if name.startswith(("GIT_", "WORKBENCH_"))]:
        monkeypatch.delenv(name)
    for name, below in (("STATE", "state"), ("CONFIG", "config"), ("CACHE", "cache")):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / below))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("WORKBENCH_TESTS_MUTATION_S", "0")  # it has tests of its own, and a time of its own
    monkeypatch.setenv("COLUMNS", "100")
    (home / ".gitconfig").write_text("[user]\n\tname = Ada Coach\n\temail = ada@example.org\n")
    return home


@pytest.fixture
def repository(tmp_path: Path, home: Path) -> Path:
    """A repository with one commit on `main`."""
    path = tmp_path / "shop"
    path.mkdir()
    (path / "shop.py").write_text("PRICE = 1\n")
    git(path, "init", "-q", "-b", "main")
    git(path, "add", "-A")
    git(path, "commit", "-qm", "First")
    return path


@pytest.fixture
def call(repository: Path) -> Call:
    """The command line, called in this process in the repository."""

    def called(*words: str, stdin: str = "", at: Path = repository) -> Said:
        out, err = io.StringIO(), io.StringIO()
        given, sys.stdin = sys.stdin, io.StringIO(stdin)
        try:
            with redirect_stdout(out), redirect_stderr(err):
                code = main(["-C", str(at), *words])
        finally:
            sys.stdin = given
        return Said(code, out.getvalue(), err.getvalue())

    return called


@pytest.fixture
def journal(repository: Path) -> Iterator[SqliteJournal]:
    """The repository's journal, open for writing as the AEE has it."""
    with Workplace(repository).writing() as opened:
        yield opened


@pytest.fixture
def world(journal: SqliteJournal, repository: Path) -> World:
    return World(journal, repository)

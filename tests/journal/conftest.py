"""A journal on disk for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from journal_script import Script

from workbench.journal.store import SqliteJournal, open_journal
from workbench.testing.clock import SettableClock


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def journal(directory: Path) -> Iterator[SqliteJournal]:
    with open_journal(directory, clock=SettableClock()) as opened:
        yield opened

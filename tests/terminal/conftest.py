"""Real terminals around a real repository and journal."""

from __future__ import annotations

from tests.ace.conftest import home, journal, repository, world

__all__ = ["home", "journal", "repository", "world"]

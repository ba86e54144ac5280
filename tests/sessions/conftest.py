"""Sessions at the real screens: a real repository, a real journal, and what the AEE would have made happen."""

from __future__ import annotations

from tests.ace.conftest import home, journal, repository, world

__all__ = ["home", "journal", "repository", "world"]

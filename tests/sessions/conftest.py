"""Sessions at the real screens: a real repository, a real journal, and what the AEE would have made happen."""

from __future__ import annotations

from tests.ace.conftest import call, home, journal, repository, world

__all__ = ["call", "home", "journal", "repository", "world"]

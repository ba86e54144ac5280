"""A person's machine in miniature, as the tests of the command line have it."""

from __future__ import annotations

import shutil

import pytest

from tests.ace.conftest import call, home, journal, repository, world

__all__ = ["call", "home", "journal", "repository", "world"]

needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Proofs are signed by OpenSSH; where there is none, they are unsigned, which only one test is about."""
    for item in items:
        if item.path.parent.name == "proof" and "unsigned" not in item.name:
            item.add_marker(needs_ssh)

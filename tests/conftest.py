"""What holds for every test: how random input is made, and which threats it plays."""

from __future__ import annotations

import inspect
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.threats.catalogue import part_of

# How long an example takes says something about the machine only: tests run beside each other, and beside agents.
# The same examples each time, so that a change is judged by itself; HYPOTHESIS_PROFILE=explore looks for others.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("workbench", PATIENT, derandomize=True)
settings.register_profile("explore", PATIENT, max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "workbench"))
os.environ["WORKBENCH_TESTS_MUTATION_S"] = "0"  # it has tests of its own, and a time of its own
# These rooms play with whole processes and terminals in real time: a machine that does other work beside them may be
# later than any patience. Such a test is played once more, and the report says so ("rerun"); all others have one try.
IN_REAL_TIME = tuple(Path(__file__).parent / room for room in ("endtoend", "sessions", "terminal"))


def pytest_configure(config: pytest.Config) -> None:
    """The mark by which the tests that play a threat are found."""
    config.addinivalue_line("markers", "threat(*ids): plays these threats; given by tests/threats/catalogue.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests in real time, and those that play a threat, and tell the report which."""
    for item in items:
        module, function = getattr(item, "module", None), getattr(item, "function", None)
        if any(item.path.is_relative_to(room) for room in IN_REAL_TIME):
            item.add_marker(pytest.mark.flaky(reruns=1))
        part = part_of(item.nodeid, doc=inspect.getdoc(function) or "", module_doc=inspect.getdoc(module) or "")
        if part.threats:
            item.add_marker(pytest.mark.threat(*part.threats))
            item.user_properties += [("threats", " ".join(part.threats)), ("is_control", part.is_control)]

"""Stages for native drivers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.aee.drivers.native_stage import Stage
from workbench.testing.model_server.messages import Script
from workbench.testing.workplace import Workplace


@pytest.fixture
def stage(workplace: Workplace) -> Iterator[Callable[..., Stage]]:
    """Makes a stage of a script, and closes its server."""
    with ExitStack() as stack:

        def make(script: Script, **options: Any) -> Stage:
            return Stage(stack, workplace, script, **options)

        yield make

"""How a native driver is put together from a run's settings, brief and answered questions."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.aee.drivers.native.client import Client
from workbench.aee.drivers.native.driver import NativeDriver
from workbench.aee.drivers.native.options import base_url_of, forget_keys, key_of, options_of
from workbench.aee.spending import allowance_of
from workbench.artifacts.configuration import Agent
from workbench.core.state import ConsultationState
from workbench.ports import Blobs, Tool


def open_native(
    agent: Agent,
    *,
    brief: str,
    asked: Sequence[ConsultationState],
    tools: Sequence[Tool],
    blobs: Blobs,
    answered: Callable[[str], Mapping[str, Any]] | None = None,
    rules: Sequence[str] = (),
) -> NativeDriver:
    """The driver, with its key, which from here on only its client holds. Raises EnvironmentProblem and UsageError.

    `answered` gives the resolution of a question as of now, empty before there is one.
    """
    options = options_of(agent)
    client = Client(key=key_of(options, os.environ), base_url=base_url_of(options, os.environ))
    forget_keys(options)
    return NativeDriver(
        client,
        model=agent.model,
        tools=tools,
        blobs=blobs,
        options=options,
        answered=answered,
        answers={question.id: question.answer for question in asked if question.answer},
        allowance=allowance_of(brief, asked),
        rules=rules,
    )

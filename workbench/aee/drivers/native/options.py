"""The settings of one native agent: the model, its limits, its prices, and where its key is found."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from workbench.artifacts.configuration import Agent
from workbench.model.errors import EnvironmentProblem, UsageError

KEY_NAMES = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
BASE_URL_NAME = "ANTHROPIC_BASE_URL"
NO_KEY = "none"  # what a server of one's own is told, which asks for none
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What `[agents.NAME]` may say beside driver and model."""

    max_tokens: Annotated[int, Meta(ge=256, le=200_000)] = 8_192  # of one reply
    window: Annotated[int, Meta(ge=4_096, le=10_000_000)] = 200_000  # tokens that the model can hold
    temperature: float | None = None
    prices: dict[str, Any] = {}
    base_url: str = ""
    key_file: str = ""
    key_env: str = ""


def options_of(agent: Agent) -> Options:
    """The agent's own settings. Raises UsageError with the key that is wrong."""
    try:
        options = msgspec.convert(dict(agent.options), Options)
    except msgspec.ValidationError as error:
        raise UsageError(f"the agent's settings: {error}", hint="The page on agents lists them.") from None
    if not agent.model:
        raise UsageError("the agent names no model", hint='Write model = "..." beside driver = "native".')
    return options


def base_url_of(options: Options, environment: Mapping[str, str]) -> str:
    """Where the model is; empty: at the vendor."""
    return options.base_url or environment.get(BASE_URL_NAME, "")


def key_of(options: Options, environment: Mapping[str, str]) -> str:
    """The key: of the file that is named, else of the environment. Raises EnvironmentProblem where there is none."""
    if options.key_file:
        path = Path(options.key_file).expanduser()
        try:
            key = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise EnvironmentProblem(f"the key file {path} cannot be read: {error}") from None
    else:
        names = (options.key_env,) if options.key_env else KEY_NAMES
        key = next((environment[name] for name in names if environment.get(name)), "")
    if key:
        return key
    if urlsplit(base_url_of(options, environment)).hostname in LOOPBACK:
        return NO_KEY
    raise EnvironmentProblem(
        "there is no key for the model",
        hint=f"Set {options.key_env or KEY_NAMES[0]} where the AEE is started and restart it, or name a key_file in "
        "your own config.toml.",
    )


def forget_keys(options: Options) -> None:
    """Take the key out of this process's environment: nothing that it starts shall inherit it."""
    for name in {*KEY_NAMES, options.key_env} - {""}:
        os.environ.pop(name, None)

"""Options that verbs share, and how a verb gets its place and its output. It knows no verb."""

# ruff: noqa: ARG002 - click names the arguments of a parameter type
from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec

import click

from workbench.ace.cli.output import Output
from workbench.ace.wiring.workplace import Workplace

P = ParamSpec("P")


def speaks(function: Callable[Concatenate[Workplace, Output, P], int | None]) -> Callable[..., int | None]:
    """Give a verb its place and its output, and the options `--json` and `--quiet`."""

    @click.option("--json", "as_json", is_flag=True, help="Rows as NDJSON, a single thing as one object.")
    @click.option("--quiet", "-q", is_flag=True, help="Nothing on stderr but warnings and errors.")
    @click.pass_obj
    @functools.wraps(function)
    def spoken(place: Workplace, /, *, as_json: bool, quiet: bool, **rest: Any) -> int | None:
        return function(place, Output(as_json=as_json, quiet=quiet), **rest)  # type: ignore[call-arg]  # click's names

    return spoken


def text_argument(words: str) -> str:
    """`-` reads stdin; anything else is the text itself."""
    return sys.stdin.read().strip() if words == "-" else words


class Text(click.ParamType[str]):
    """A text of a person; `-` reads it from stdin."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text."""
        return text_argument(value)


TEXT = Text()
why = click.option("--why", required=True, type=TEXT, help="The reason; '-' reads it from stdin.")

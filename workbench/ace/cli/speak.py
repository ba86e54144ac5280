"""`queue`, `steer` and `interrupt`: words for an agent at work."""

from __future__ import annotations

import click

from workbench.ace.cli.options import TEXT, speaks
from workbench.ace.cli.output import Output
from workbench.ace.cli.table import Column, age
from workbench.ace.wiring import steering
from workbench.ace.wiring.workplace import Workplace
from workbench.core.state import RunState
from workbench.core.views.messages import MessageRow, message_row, message_rows
from workbench.model.errors import UsageError

_run = click.argument("run")
_words = click.argument("text", type=TEXT)


COLUMNS = (
    Column[MessageRow]("message", lambda row: row.id),
    Column[MessageRow]("mode", lambda row: row.mode),
    Column[MessageRow]("state", lambda row: _state(row)),
    Column[MessageRow]("by", lambda row: row.author, most=16, spare=True),
    Column[MessageRow]("text", lambda row: row.text, grow=True),
)


@click.command()
@_run
@click.argument("text", required=False, type=TEXT)
@click.option("--edit", metavar="N", help="Change message N, which waits, into TEXT.")
@click.option("--drop", metavar="N", help="Take back message N, which waits.")
@speaks
def queue(place: Workplace, out: Output, run: str, text: str | None, edit: str | None, drop: str | None) -> None:
    """Say TEXT to the agent of RUN when its present turn ends, before anything else of the run.

    '-' reads TEXT from stdin. Without TEXT: what waits for the agent, and what it was given last.
    """
    if drop is not None and (text is not None or edit is not None):
        raise UsageError("--drop takes neither TEXT nor --edit.")
    if edit is not None and text is None:
        raise UsageError("--edit needs the new TEXT.")
    if drop is not None:
        _list(place, out, steering.unsay(place, run, drop))
    elif edit is not None:
        _list(place, out, steering.reword(place, run, edit, text=text or ""))
    elif text is not None:
        _say(place, out, run, mode="queue", text=text)
    else:
        _list(place, out, steering.spoken_to(place, run))


@click.command()
@_run
@_words
@speaks
def steer(place: Workplace, out: Output, run: str, text: str) -> None:
    """Say TEXT to the agent of RUN as soon as it can take it in, without ending its turn; '-' reads stdin."""
    _say(place, out, run, mode="steer", text=text)


@click.command()
@_run
@_words
@speaks
def interrupt(place: Workplace, out: Output, run: str, text: str) -> None:
    """End the present turn of RUN now, keep its work, and begin the next with TEXT; '-' reads stdin.

    A command under way is ended, too: the agent is told that its outcome is unknown.
    """
    _say(place, out, run, mode="interrupt", text=text)


def _say(place: Workplace, out: Output, run: str, *, mode: str, text: str) -> None:
    said, message = steering.say(place, run, mode=mode, text=text)
    row = message_row(said, message, now=place.clock.now())
    out.one(row, [f"{row.id}  {row.mode}", f"It is given {row.when}." if row.when else "It was given."])
    if place.presence().state == "stopped":
        out.warn("no AEE runs: it is given once one does. next: workbench aee start")


def _list(place: Workplace, out: Output, run: RunState) -> None:
    rows = message_rows(run, now=place.clock.now())
    out.rows(rows, COLUMNS, empty=f"Nothing waits for the agent of {run.id}.")


def _state(row: MessageRow) -> str:
    return f"given {age(row.given_s)} ago" if row.given_s >= 0 else row.state

"""`log`: what a run did, event by event, as it is or as it happens."""

from __future__ import annotations

import time

import click

from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output, json_line
from workbench.ace.wiring import things
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.decide.decision import run_stream
from workbench.journal.export import event_data
from workbench.model.events import Event
from workbench.model.text import one_line

POLL_S = 0.1  # between two looks at `data_version` while following
PAGE = 500  # events read at once
_TELLING = (
    "title",
    "text",
    "summary",
    "reason",
    "detail",
    "headline",
    "consultation",
    "pack",
    "step",
    "head",
    "outcome",
)


@click.command()
@click.argument("run")
@click.option("--follow", "-f", is_flag=True, help="Go on until the run is over.")
@speaks
def log(place: Workplace, out: Output, run: str, follow: bool) -> None:
    """What RUN did, event by event. With --json the events as they are."""
    with place.reading() as ledger:
        name = things.run(ledger, run).id
        seen = _print_from(out, ledger, name, after=0)
        while follow and not things.run(ledger, name).outcome:
            _await_change(ledger)
            seen = _print_from(out, ledger, name, after=seen)


def _print_from(out: Output, ledger: Ledger, run: str, *, after: int) -> int:
    while events := ledger.read(run_stream(run), after=after, limit=PAGE):
        out.lines(json_line(event_data(event)) if out.as_json else _line(out, event) for event in events)
        after = events[-1].version
    out.flush()
    return after


def _line(out: Output, event: Event) -> str:
    data = event_data(event)["payload"]
    told = [str(data[name]) for name in _TELLING if data.get(name)]
    when = event.at[11:19]
    return out.cut(f"{out.paint(when, 'dim')}  {event.kind:<20}  {one_line(' · '.join(told))}".rstrip())


def _await_change(ledger: Ledger) -> None:
    version = ledger.data_version()
    while ledger.data_version() == version:
        time.sleep(POLL_S)

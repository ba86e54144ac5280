"""`log`: what a run did, event by event, as it is or as it happens."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator

import click

from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output, json_line
from workbench.ace.wiring import things
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.decide.decision import pack_stream, run_stream
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
    "decision",
    "decided_by",
    "ref",
    "how",
)


@click.command()
@click.argument("run")
@click.option("--follow", "-f", is_flag=True, help="Go on until the run is over.")
@speaks
def log(place: Workplace, out: Output, run: str, follow: bool) -> None:
    """What RUN did, and what became of its packs, event by event. With --json the events as they are.

    The number is the step's, by which `workbench comment add MRP step:N` finds it.
    """
    with place.reading() as ledger:
        name = things.run(ledger, run).id
        seen: dict[str, int] = {}
        _print_new(out, ledger, name, seen)
        while follow and not things.run(ledger, name).outcome:
            _await_change(ledger)
            _print_new(out, ledger, name, seen)


def _print_new(out: Output, ledger: Ledger, run: str, seen: dict[str, int]) -> None:
    """What is new in the streams of the run and of its packs, in the order in which it happened."""
    streams = [run_stream(run), *(pack_stream(pack.id) for pack in ledger.packs(run=run))]
    for event in heapq.merge(*(_new(ledger, stream, seen) for stream in streams), key=lambda event: event.seq):
        out.lines([json_line(event_data(event)) if out.as_json else _line(out, event)])
    out.flush()


def _new(ledger: Ledger, stream: str, seen: dict[str, int]) -> Iterator[Event]:
    while events := ledger.read(stream, after=seen.get(stream, 0), limit=PAGE):
        for event in events:
            seen[stream] = event.version
            yield event


def _line(out: Output, event: Event) -> str:
    data = event_data(event)["payload"]
    told = [str(data[name]) for name in _TELLING if data.get(name)]
    when = event.at[11:19]
    number = event.version if event.stream.startswith("run/") else ""
    return out.cut(f"{out.paint(when, 'dim')}  {number:>4}  {event.kind:<20}  {one_line(' · '.join(told))}".rstrip())


def _await_change(ledger: Ledger) -> None:
    version = ledger.data_version()
    while ledger.data_version() == version:
        time.sleep(POLL_S)

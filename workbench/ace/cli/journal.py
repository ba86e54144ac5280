"""`journal verify | rebuild | export`: the event log itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import msgspec

from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output, json_text
from workbench.ace.cli.table import glyph
from workbench.ace.wiring.workplace import Workplace
from workbench.model.errors import EXIT_DONE, EXIT_NO
from workbench.model.text import one_line


@click.command()
@speaks
def verify(place: Workplace, out: Output) -> int:
    """Walk all events: the hash chain, the projections, the blobs, and the checkpoints that merges left in git.

    Exit 1 if anything does not hold.
    """
    from workbench.ace.wiring import checkpointing
    from workbench.journal.verify import verify as walk

    with place.existing() as journal:
        kept = checkpointing.read(place, journal)
        found: dict[str, Any] = msgspec.to_builtins(walk(journal, checkpoints=kept.checkpoints))
    found["problems"] = [*found["problems"], *({"text": text, "seq": 0, "stream": ""} for text in kept.problems)]
    found["ok"] = found["ok"] and not kept.problems
    found["cannot_show"] = [*found["cannot_show"], *kept.notes]
    newest = {"commit": kept.newest, "signer": kept.signer} if kept.newest else None
    found["newest_checkpoint"] = newest
    out.one({"schema": 1, "kind": "journal", "id": place.journal_directory.name, **found}, _lines(found))
    return EXIT_DONE if found["ok"] else EXIT_NO


@click.command()
@speaks
def rebuild(place: Workplace, out: Output) -> None:
    """Make the projections anew from the events; the events stay as they are."""
    from workbench.journal.rebuild import rebuild as make_anew

    with place.writing() as journal:
        count = make_anew(journal, progress=lambda done, last: out.say(f"{done} of {last} events"))
    out.one(
        {"schema": 1, "kind": "journal", "id": place.journal_directory.name, "events": count},
        [f"rebuilt from {count} events"],
    )


@click.command()
@click.option("--after", type=click.IntRange(0), default=0, help="Only events with a larger seq.")
@speaks
def export(place: Workplace, out: Output, after: int) -> None:
    """All events as NDJSON, as they are; with or without --json."""
    from workbench.journal.export import export_lines

    with place.existing() as journal:
        out.lines(json_text(line.decode("utf-8", "surrogateescape")) for line in export_lines(journal, after=after))


def _lines(found: dict[str, Any]) -> Iterator[str]:
    yield f"{glyph('ok' if found['ok'] else 'fail')}  {found['events']} events"
    for problem in found["problems"]:
        where = f" ({problem['stream']} seq {problem['seq']})" if problem.get("seq") else ""
        yield f"  {one_line(problem['text'])}{one_line(where)}"
    if point := found.get("newest_checkpoint"):
        yield f"  checkpoints in git: {found['checkpoints']}; newest {point['commit'][:12]}: {point['signer']}"
    if found.get("untold"):
        yield f"  and {found['untold']} more"
    yield from (f"  not shown by this: {one_line(words)}" for words in found.get("cannot_show", ()))

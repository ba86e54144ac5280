"""`workbench compare`: the versions of one brief in a matrix of evidence."""

from __future__ import annotations

from collections.abc import Iterator

import click

from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output
from workbench.ace.wiring import things
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.compare import Comparison, Version, compared
from workbench.core.state import RunState
from workbench.model.errors import Refused
from workbench.model.text import one_line


@click.command()
@click.argument("mission")
@click.option("--differences", "-d", is_flag=True, help="Only rows in which the versions differ.")
@speaks
def compare(place: Workplace, out: Output, mission: str, differences: bool) -> None:
    """The versions of MISSION, which `workbench run --versions N` makes, side by side; * is the best of a row."""
    with place.reading() as ledger:
        runs = things.runs_of(ledger, things.mission(ledger, mission).id)
        if len(runs) < 2:
            raise Refused(
                f"{mission} has one version.", hint="workbench run BRIEF --versions N starts several side by side."
            )
        shown = compared(runs[0].mission, [_version(ledger, run) for run in runs])
    out.one(shown, _shown(shown, differences=differences))
    ready = [name for name in shown.packs if name]
    if ready:
        out.say(f"next: workbench approve {ready[0]} --why TEXT takes one; its merge leaves the others behind")


def _version(ledger: Ledger, run: RunState) -> Version:
    pack = ledger.pack(run.pack) if run.pack else None
    document = things.document(ledger, pack) if pack is not None and pack.blob else None
    return Version(run=run, pack=pack, document=document)


def _shown(shown: Comparison, *, differences: bool) -> Iterator[str]:
    yield f"{shown.id}: {len(shown.versions)} versions"
    for row in shown.rows:
        if differences and not row.differs:
            continue
        yield f"{row.name}"
        for at, value in enumerate(row.values):
            mark = "*" if at in row.best else " "
            yield f" {mark} {shown.packs[at] or shown.versions[at]}  {one_line(value) or '-'}"
    for note in shown.not_checked:
        yield f"not checked: {note}"

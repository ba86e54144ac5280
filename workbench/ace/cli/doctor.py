"""`doctor`: whether machine, repository and journal are fit for work, and what to do where they are not."""

from __future__ import annotations

import click

from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output
from workbench.ace.cli.table import glyph
from workbench.ace.wiring.workplace import Workplace
from workbench.model.text import one_line


@click.command()
@click.option("--fix", is_flag=True, help="Mend what can be mended without losing anything.")
@speaks
def doctor(place: Workplace, out: Output, fix: bool) -> None:
    """Check machine, repository and journal: ok, warn or fail, each with its remedy.

    `--fix` makes a damaged journal anew, where all of its events can still be read: the AEE must be stopped.
    """
    from workbench.ace.wiring.checks import examine
    from workbench.ace.wiring.mending import mend

    found = []
    for check in examine(place):
        found.append(check)
        mended = mend(place, check) if fix and check.mend else ""
        if out.as_json:
            out.rows([check], (), empty="")
            out.say(mended)
            continue
        out.lines([f"{out.paint(glyph(check.state).ljust(6), '')}  {check.id:<16} {one_line(check.text)}"])
        if mended:
            out.say(f"mended: {mended}")
        elif check.remedy:
            out.prose([f"{'':<25} what to do: {one_line(check.remedy)}"])
    bad = [check.id for check in found if check.state != "ok"]
    out.say(f"{len(bad)} to look at: {', '.join(bad)}" if bad else "All well.")

"""`doctor`: whether machine, repository and journal are fit for work, and what to do where they are not."""

from __future__ import annotations

import click

from workbench.ace.cli.checking import Checks
from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output
from workbench.ace.wiring.workplace import Workplace


@click.command()
@click.option("--fix", is_flag=True, help="Mend what can be mended without losing anything.")
@speaks
def doctor(place: Workplace, out: Output, fix: bool) -> int:
    """Check machine, repository and journal: ok, warn or fail, each with its remedy; exit 1 if one fails.

    `--fix` makes a damaged journal anew, where all of its events can still be read: the AEE must be stopped.
    """
    from workbench.ace.wiring.checks import examine
    from workbench.ace.wiring.mending import mend

    checks = Checks(out)
    for check in examine(place):
        checks.tell(check, mended=mend(place, check) if fix and check.mend else "")
    return checks.end()

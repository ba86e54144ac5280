"""What a listing adds where it has nothing to list."""

from __future__ import annotations

from collections.abc import Sized

from workbench.ace.cli.output import Output
from workbench.ace.wiring.workplace import Workplace


def say_why_empty(rows: Sized, place: Workplace, out: Output) -> None:
    """Nothing is known of a repository that was moved: then where its journal is. A listing with rows looks nowhere."""
    if not rows:
        from workbench.ace.wiring.moved import told  # its readers of git cost a listing a tenth of its start

        out.say(told(place))

"""`workbench review`: one guided pass through all that is to decide."""

from __future__ import annotations

from collections.abc import Iterator

import click

from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output
from workbench.ace.wiring import sessions
from workbench.ace.wiring.workplace import Workplace
from workbench.core.review import OPEN, SessionView, summary
from workbench.model.errors import NotFound, UsageError
from workbench.model.text import one_line


@click.command()
@click.option("--skip", metavar="ID", help="Go on without deciding this one; it comes again at the end.")
@click.option("--end", "ends", is_flag=True, help="End the session, whatever of it is left.")
@click.option(
    "--summary", "as_summary", is_flag=True, help="The newest session as Markdown: who decided what, and why."
)
@speaks
def review(place: Workplace, out: Output, skip: str | None, ends: bool, as_summary: bool) -> None:
    """Go through all that is to decide, best order first. It keeps its place, for you and for colleagues.

    In the screens, `g r` opens one after the other.
    """
    if sum((skip is not None, ends, as_summary)) > 1:
        raise UsageError("--skip, --end and --summary are three things.", hint="One at a time.")
    if as_summary:
        told = sessions.newest(place)
        if told is None:
            raise NotFound("There was no review session yet.", hint="workbench review begins one.")
        out.one(told, summary(told))
        return
    shown = sessions.current(place) if skip is not None or ends else sessions.begin(place)
    if shown is None:
        raise NotFound("No review session is open.", hint="workbench review begins one.")
    if skip is not None:
        if skip not in {item.id for item in shown.items if item.state == OPEN}:
            raise UsageError(f"{skip} is not open in {shown.id}.", hint=f"next: {shown.next or 'nothing'}")
        shown = sessions.looked(place, shown.id, skip, 0)
    if ends:
        shown = sessions.end(place, shown.id)
    out.one(shown, summary(shown) if ends else _lines(shown))
    if not ends and not shown.next:
        out.say("nothing is left to decide. next: workbench review --end")


def _lines(shown: SessionView) -> Iterator[str]:
    left = [item for item in shown.items if item.state == OPEN]
    yield f"{shown.id}  {len(shown.items) - len(left)} of {len(shown.items)} decided"
    for item in left:
        mark = ">" if item.id == shown.next else " "
        skipped = "  (skipped)" if item.skipped else ""
        yield f"{mark} {item.id}  {one_line(item.title)}{skipped}"
    if shown.next:
        verb = "mrp show" if shown.next.startswith("MRP-") else "show"
        yield f"next: workbench {verb} {shown.next}"

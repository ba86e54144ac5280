"""`merge` and `undo`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from workbench.ace.cli.options import TEXT, speaks
from workbench.ace.cli.output import Output
from workbench.ace.wiring.workplace import Workplace

if TYPE_CHECKING:
    from workbench.ace.wiring.merging import Outcome


@click.command()
@click.argument("mrp")
@click.option(
    "--mode",
    type=click.Choice(("fast-forward", "merge", "squash")),
    default=None,
    help="How it enters; default: the setting merge.mode.",
)
@click.option(
    "--override",
    default="",
    type=TEXT,
    metavar="WHY",
    help="DANGER: merge in spite of not-ready or a missing approval; it is recorded.",
)
@speaks
def merge(place: Workplace, out: Output, mrp: str, mode: str | None, override: str) -> None:
    """Merge the approved pack MRP (a run's id means its newest; not with --override) into its branch.

    Uncommitted work is never touched: a branch that is checked out moves only where the checkout is clean.
    """
    from workbench.ace.wiring import merging

    done = merging.merge_pack(place, mrp, mode=mode or "", override=override)
    out.one(
        {
            **_object(done, "merge"),
            "merge_commit": done.new,
            "mode": done.how,
            "proof": done.proof,
            "checkpoint": done.checkpoint,
        },
        [f"merged {done.pack}: {done.ref} stands at {done.new} ({done.how})"],
    )
    _also(out, done)
    if not out.as_json:
        out.say(f"next: workbench inbox (workbench undo {done.pack} takes it back)")


@click.command()
@click.argument("mrp")
@click.option("--revert", is_flag=True, help="Make a revert commit where the branch cannot be moved back.")
@speaks
def undo(place: Workplace, out: Output, mrp: str, revert: bool) -> None:
    """Take the merge of MRP back, if nobody else can have it yet; else offer a revert commit."""
    from workbench.ace.wiring import merging

    done = merging.undo_merge(place, mrp, revert=revert)
    out.one({**_object(done, "undo"), "how": done.how}, [f"undone ({done.how}): {done.ref} stands at {done.new}"])
    _also(out, done)


def _object(done: Outcome, kind: str) -> dict[str, Any]:
    return {
        "schema": 1,
        "kind": kind,
        "id": done.pack,
        "ref": done.ref,
        "old": done.old,
        "new": done.new,
        "updated": done.updated,
        "notes": done.notes,
    }


def _also(out: Output, done: Outcome) -> None:
    for path in done.updated:
        out.say(f"The checkout {path} went along.")
    for note in done.notes:
        out.say(note)

"""`merge` and `undo`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from workbench.ace.cli.options import TEXT, speaks
from workbench.ace.cli.output import Output
from workbench.ace.wiring.workplace import Workplace
from workbench.model.errors import EXIT_DONE, EXIT_NO, UsageError

if TYPE_CHECKING:
    from workbench.ace.wiring.merging import Outcome
    from workbench.core.queue import Turn


@click.command()
@click.argument("mrps", nargs=-1, metavar="MRP...")
@click.option("--queue", is_flag=True, help="All approved packs of one branch, as the forecast would merge them.")
@click.option("--timeout", type=click.FloatRange(min=0), default=None, metavar="S", help="For each pack of evidence.")
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
def merge(
    place: Workplace,
    out: Output,
    mrps: tuple[str, ...],
    queue: bool,
    timeout: float | None,
    mode: str | None,
    override: str,
) -> int | None:
    """Merge the approved pack MRP (a run's id means its newest; not with --override) into its branch.

    Several, or --queue: they are tried out together first. Where that is not ready, the one that breaks it is found
    and left, and the rest is merged, each on the evidence of what was merged before it. Exit code 1: some were left.

    Uncommitted work is never touched: a branch that is checked out moves only where the checkout is clean.
    """
    from workbench.ace.wiring import merging

    if queue or len(mrps) != 1:
        return _queue(place, out, mrps, queue=queue, timeout=timeout, alone=bool(mode or override))
    done = merging.merge_pack(place, mrps[0], mode=mode or "", override=override)
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
    return None


def _queue(
    place: Workplace, out: Output, mrps: tuple[str, ...], *, queue: bool, timeout: float | None, alone: bool
) -> int:
    from workbench.ace.wiring import queueing

    if not mrps and not queue:
        raise UsageError("What is to be merged?", hint="workbench merge MRP..., or --queue for all that is approved")
    if alone:
        raise UsageError("--mode and --override are for one pack.", hint="Merge that one by itself first.")
    line, held = queueing.queued(place, mrps)
    if not line and not held:
        out.say("Nothing is approved. next: workbench inbox")
    turns = list(held)
    for turn in held:
        _say_turn(out, turn)
    for turn in queueing.merge_all(place, line, queueing.AeeExaminer(place, timeout=timeout, say=out.say)):
        _say_turn(out, turn)
        turns.append(turn)
    return EXIT_DONE if all(turn.state == "merged" for turn in turns) else EXIT_NO


def _say_turn(out: Output, turn: Turn) -> None:
    row = {"schema": 1, "kind": "turn", "id": turn.pack, "state": turn.state, "merge_commit": turn.commit}
    told = (
        f"{turn.pack}: merged at {turn.commit}" if turn.commit else f"{turn.pack}: left ({turn.state}), {turn.reason}"
    )
    out.one({**row, "reason": turn.reason, "before": turn.before}, [told])
    out.flush()


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

"""`mrp build`: gate any branch, with no agent, or renew the evidence of a run; for people and for CI."""

from __future__ import annotations

import click

from workbench.ace.cli import showing
from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output
from workbench.ace.wiring.workplace import Workplace
from workbench.core.state import PackState
from workbench.model.errors import EXIT_DONE, EXIT_NEEDS_HUMAN, EXIT_NO, UsageError

EXIT_BY_VERDICT = {"ready": EXIT_DONE, "needs-human": EXIT_NEEDS_HUMAN}


@click.command()
@click.argument("mrp", required=False, default="")
@click.option("--base", default="", metavar="REF", help="What the change is to be merged into.")
@click.option("--head", default="", metavar="REF", help="The change: a ref, a run or a pack.")
@click.option("--brief", default="", metavar="FILE", help="The brief that it answers; without one, a person is needed.")
@click.option("--policy", default="", metavar="FILE", help="The policy; default: as the base commit has it.")
@click.option("--rationale", default="", metavar="FILE", help="Why it was done this way: text, or JSON.")
@click.option("--sandbox", default="", metavar="LEVEL", help="DANGER with none: the suite runs unconfined.")
@click.option("--timeout", type=click.FloatRange(min=0), default=None, metavar="S", help="Give up after S seconds.")
@click.option("--md", "as_markdown", is_flag=True, help="The pack as Markdown.")
@speaks
def build(
    place: Workplace,
    out: Output,
    mrp: str,
    base: str,
    head: str,
    brief: str,
    policy: str,
    rationale: str,
    sandbox: str,
    timeout: float | None,
    as_markdown: bool,
) -> int:
    """Build the pack of the branch HEAD on BASE and print it; needs no agent and no mission.

    With MRP (a run's id means its newest) its delivery is examined again on its base as that stands now: the next
    revision takes the place of MRP. So a pack whose base moved becomes mergeable again.

    Exit codes: 0 ready, 1 not ready, 3 a person is needed, 4 it could not be examined here, 5 time-out.
    """
    from workbench.ace.wiring import gating, levels

    named = {"--base": base, "--head": head, "--brief": brief, "--policy": policy, "--rationale": rationale}
    _require_one_way(mrp, {**named, "--sandbox": sandbox})
    if mrp:
        renewal = gating.renew(place, mrp)
        run, revision = renewal.run, renewal.revision
        why = "its base moved" if renewal.moved else "as you asked; its base did not move"
        out.say(f"Examining the delivery of {run} again on {renewal.base[:12]} ({why}).")
    else:
        levels.require_sandbox(sandbox)
        order = gating.BuildOrder(
            base=base, head=head, brief=brief, policy=policy, rationale=rationale, sandbox=sandbox
        )
        run, revision = gating.request(place, order), 1
        out.say(f"Examining {head} on {base} (run {run}).")
        _warn_of_more(place, out, head)
    pack = gating.await_pack(place, run, revision=revision, timeout=timeout)
    _print(place, out, pack, as_markdown=as_markdown)
    return exit_code(pack)


def _warn_of_more(place: Workplace, out: Output, head: str) -> None:
    """Say whose work goes along with that of a pack or run, as it stands on that."""
    from workbench.ace.wiring import stacking

    with place.reading() as ledger:
        run = ledger.run(head)
        pack = ledger.pack(run.pack if run is not None else head)
        along = stacking.going_along(ledger, [pack]) if pack is not None else ()
    if along:
        out.warn(f"What {', '.join(along)} brings is part of it: it is not merged, and {head} stands on it")


def _require_one_way(mrp: str, options: dict[str, str]) -> None:
    """Either a pack that exists, or a base and a head."""
    given = [name for name, value in options.items() if value]
    if mrp and given:
        raise UsageError(
            f"{given[0]} does not go with a pack: its own base, brief and policy bind it.",
            hint=f"workbench mrp build {mrp}",
        )
    if not mrp and not (options["--base"] and options["--head"]):
        raise UsageError(
            "What is to be examined?",
            hint="workbench mrp build --base REF --head REF for a branch, workbench mrp build MRP to renew a pack",
        )


def _print(place: Workplace, out: Output, pack: PackState, *, as_markdown: bool) -> None:
    with place.reading() as ledger:
        if as_markdown and not out.as_json and pack.blob:
            from workbench.ace.cli.packs import markdown

            out.raw(markdown(ledger.blobs.get(pack.blob)))
        else:
            out.one(showing.pack_object(pack, ledger.blobs), showing.pack_lines(pack, ledger.blobs))
    if pack.mission and not out.as_json and (following := showing.next_for_pack(pack)):
        out.say(f"next: {following}")


def exit_code(pack: PackState) -> int:
    """How a script reads the pack: one that failed, e.g. because the head does not merge, is not ready."""
    return EXIT_BY_VERDICT.get(pack.verdict, EXIT_NO)

"""`mrp build`: gate any branch, with no agent; for people and for CI."""

from __future__ import annotations

import click

from workbench.ace.cli import showing
from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output
from workbench.ace.wiring.workplace import Workplace
from workbench.core.state import PackState
from workbench.model.errors import EXIT_DONE, EXIT_NEEDS_HUMAN, EXIT_NO

EXIT_BY_VERDICT = {"ready": EXIT_DONE, "needs-human": EXIT_NEEDS_HUMAN}


@click.command()
@click.option("--base", required=True, metavar="REF", help="What the change is to be merged into.")
@click.option("--head", required=True, metavar="REF", help="The change: a ref, a run or a pack.")
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
    base: str,
    head: str,
    brief: str,
    policy: str,
    rationale: str,
    sandbox: str,
    timeout: float | None,
    as_markdown: bool,
) -> int:
    """Build the pack of HEAD on BASE and print it.

    Exit codes: 0 ready, 1 not ready, 3 a person is needed, 4 it could not be examined here, 5 time-out.
    """
    from workbench.ace.wiring import checks, gating

    checks.require_sandbox(sandbox)
    order = gating.BuildOrder(base=base, head=head, brief=brief, policy=policy, rationale=rationale, sandbox=sandbox)
    run = gating.request(place, order)
    out.say(f"Examining {head} on {base} (run {run}).")
    pack = gating.await_pack(place, run, timeout=timeout)
    with place.reading() as ledger:
        if as_markdown and not out.as_json and pack.blob:
            from workbench.ace.cli.packs import markdown

            out.raw(markdown(ledger.blobs.get(pack.blob)))
        else:
            out.one(showing.pack_object(pack, ledger.blobs), showing.pack_lines(pack, ledger.blobs))
    return exit_code(pack)


def exit_code(pack: PackState) -> int:
    """How a script reads the pack: one that failed, e.g. because the head does not merge, is not ready."""
    return EXIT_BY_VERDICT.get(pack.verdict, EXIT_NO)

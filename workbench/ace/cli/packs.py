"""Packs as people see and decide them: `approve`, `request-changes`, `reject`, `mrp list` and `mrp show`."""

from __future__ import annotations

from functools import partial

import click
import msgspec

from workbench.ace.cli import showing
from workbench.ace.cli.options import speaks, why
from workbench.ace.cli.output import Output
from workbench.ace.cli.settling import settle_merges
from workbench.ace.cli.table import Column, age
from workbench.ace.wiring import assuming, stacking, things
from workbench.ace.wiring.tips import below, pack_drift, tips
from workbench.ace.wiring.workplace import Workplace
from workbench.core.attention import pack_facts
from workbench.core.staleness import base_moved
from workbench.core.state import PackState
from workbench.model.errors import Refused, WorkbenchError
from workbench.model.instants import seconds_between

_mrp = click.argument("mrp")
_conditions = click.option(
    "--condition", "conditions", multiple=True, metavar="TEXT", help="What must hold; repeatable."
)


class PackRow(msgspec.Struct, frozen=True, kw_only=True):
    """One pack as `mrp list` prints it."""

    id: str
    mission: str
    run: str
    revision: int
    state: str
    verdict: str
    title: str
    facts: str
    age_s: int
    kind: str = "mrp"
    schema: int = 1


COLUMNS = (
    Column[PackRow]("pack", lambda row: row.id),
    Column[PackRow]("verdict", lambda row: row.verdict, state=True),
    Column[PackRow]("state", lambda row: row.state),
    Column[PackRow]("age", lambda row: age(row.age_s), right=True),
    Column[PackRow]("what", lambda row: row.facts, grow=True),
    Column[PackRow]("title", lambda row: row.title, grow=True, spare=True),
)


@click.command()
@_mrp
@why
@_conditions
@click.option("--override", is_flag=True, help="DANGER: approve in spite of not-ready; it is recorded.")
@speaks
def approve(place: Workplace, out: Output, mrp: str, why: str, conditions: tuple[str, ...], override: bool) -> None:
    """Approve the pack MRP (a run's id will do while it has one pack); prints the resolution (VCR)."""
    _decide(place, out, mrp, decision="approve", why=why, conditions=conditions, override=override)


@click.command("request-changes")
@_mrp
@why
@click.option("--change", "changes", multiple=True, metavar="TEXT", help="One required change; repeatable.")
@speaks
def request_changes(place: Workplace, out: Output, mrp: str, why: str, changes: tuple[str, ...]) -> None:
    """Send the pack MRP back: the same run goes on from your words; prints the resolution (VCR)."""
    _decide(place, out, mrp, decision="request-changes", why=why, changes=changes)


@click.command()
@_mrp
@why
@speaks
def reject(place: Workplace, out: Output, mrp: str, why: str) -> None:
    """Reject the pack MRP: its run ends, its commits stay; prints the resolution (VCR)."""
    _decide(place, out, mrp, decision="reject", why=why)


def _decide(
    place: Workplace,
    out: Output,
    mrp: str,
    *,
    decision: str,
    why: str,
    changes: tuple[str, ...] = (),
    conditions: tuple[str, ...] = (),
    override: bool = False,
) -> None:
    from workbench.ace.wiring.reviewing import decide_on_pack

    settle_merges(place, out)
    with place.reading() as ledger:
        name = things.reviewed(ledger, mrp)
    pack = decide_on_pack(
        place, name, decision=decision, why=why, changes=changes, conditions=conditions, override=override
    )
    document = pack.decisions[-1]
    out.one(showing.resolution_object(document), showing.resolution_lines(document))
    with place.reading() as ledger:
        stale = base_moved(pack, tips(place, [pack], partial(below, ledger)))
        why_not = stacking.obstacle(ledger, pack)
    if why_not and decision == "approve":
        out.warn(why_not.message.rstrip("."))
    elif stale and decision == "approve":
        out.warn(f"{pack.id} is stale: its base moved, so it cannot be merged as it is")
    _next(out, pack, stale=stale, why_not=why_not)


def _next(out: Output, pack: PackState, *, stale: bool, why_not: Refused | None) -> None:
    following = showing.next_for_pack(pack, stale=stale)
    if why_not is not None and pack.state == "approved":
        following = why_not.hint
    if not out.as_json and following:
        out.say(f"next: {following}")


@click.command("list")
@speaks
def mrp_list(place: Workplace, out: Output) -> None:
    """Merge-readiness packs, newest first."""
    now = place.clock.now()
    with place.reading() as ledger:
        rows = [_row(pack, now) for pack in reversed(ledger.packs())]
    out.rows(rows, COLUMNS, empty="No packs yet.")


@click.command("show")
@_mrp
@click.option("--md", "as_markdown", is_flag=True, help="The pack as Markdown.")
@click.option("--html", "as_page", is_flag=True, help="The pack with its impact as one page for a browser.")
@click.option("--proof", "as_proof", is_flag=True, help="Its signed statements, as git keeps them: DSSE, one a line.")
@speaks
def mrp_show(place: Workplace, out: Output, mrp: str, as_markdown: bool, as_page: bool, as_proof: bool) -> None:
    """The pack MRP: verdict first, then what was not checked, reasons, criteria, evidence, findings.

    One that the journal here does not know is read from its proof in git.
    """
    from workbench.ace.wiring import proving

    with place.reading() as journal:
        ledger = proving.with_proven(place, journal, mrp)
        pack = things.pack(ledger, mrp)
        if as_proof:
            out.raw(proving.attestations(place, pack.id))
            return
        if as_markdown and not out.as_json and pack.blob:
            out.raw(markdown(ledger.blobs.get(pack.blob)))
            return
        if as_page and not out.as_json and pack.blob:
            out.raw(_page(place, pack, markdown(ledger.blobs.get(pack.blob))))
            return
        drift = "" if out.as_json else pack_drift(place, pack, partial(below, ledger))
        overtaken = assuming.of_pack(place, ledger, pack)
        shown = {**showing.pack_object(pack, ledger.blobs), "overtaken": overtaken}
        lines = showing.pack_lines(pack, ledger.blobs, base=drift)
        out.one(shown, [*lines, *showing.overtaken_lines(overtaken)])
        stale = base_moved(pack, tips(place, [pack], partial(below, ledger)))
        why_not = stacking.obstacle(ledger, pack)
    if ledger is not journal:
        out.say(f"Read from its proof in git; the journal here does not know it. next: workbench mrp verify {pack.id}")
        return
    _next(out, pack, stale=stale, why_not=why_not)


def _page(place: Workplace, pack: PackState, told: str) -> str:
    from workbench.ace.cli.page import page
    from workbench.ace.wiring.impacting import impact_of

    try:
        return page(told, title=f"{pack.id}: {pack.verdict}", impact=impact_of(place, pack))
    except WorkbenchError as problem:  # a pack in a year: its commits may be gone, what it says is not
        return page(told, title=f"{pack.id}: {pack.verdict}", impact=None, why_not=problem.message)


def markdown(blob: bytes) -> str:
    """A kept pack as Markdown for people."""
    from workbench.artifacts import mergepack

    return mergepack.render(mergepack.parse(blob))


def _row(pack: PackState, now: str) -> PackRow:
    return PackRow(
        id=pack.id,
        mission=pack.mission,
        run=pack.run,
        revision=pack.revision,
        state=pack.state,
        verdict=pack.verdict,
        title=pack.title or pack.run,
        facts=pack_facts(pack) or pack.reason,
        age_s=max(0, int(seconds_between(pack.submitted_at or pack.requested_at, now))),
    )

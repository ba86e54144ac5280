"""`workbench compare`: the versions of one brief in a matrix of evidence; one is picked, or a new one composed."""

from __future__ import annotations

from collections.abc import Iterator

import click
import msgspec

from workbench.ace.cli import showing
from workbench.ace.cli.options import TEXT, speaks
from workbench.ace.cli.output import Output
from workbench.ace.cli.settling import settle_merges
from workbench.ace.wiring import comparing
from workbench.ace.wiring.hunking import HUNK, VersionHunk, of_versions
from workbench.ace.wiring.workplace import Workplace
from workbench.core.compare import Comparison
from workbench.model.errors import UsageError
from workbench.model.text import one_line


@click.command()
@click.argument("mission")
@click.option("--differences", "-d", is_flag=True, help="Only rows in which the versions differ.")
@click.option("--hunks", is_flag=True, help="Also the hunks of each file, by the names that --compose takes.")
@click.option("--tests", is_flag=True, help="Run each version against the tests of the others first.")
@click.option("--timeout", type=click.FloatRange(min=0), default=None, metavar="S", help="Of --tests: give up after S.")
@click.option("--pick", "picked", default="", metavar="PACK", help="Approve this one, and leave the others behind.")
@click.option(
    "--compose",
    "parts",
    multiple=True,
    metavar="PACK[:PATH,...]",
    help="Make a new version: all of PACK, or these paths (PATH::NAME: one function or class; PATH#HUNK: one hunk, as "
    "`mrp diff` names it); repeatable.",
)
@click.option("--why", default="", type=TEXT, help="Of --pick and --compose: the reason; '-' reads it from stdin.")
@speaks
def compare(
    place: Workplace,
    out: Output,
    mission: str,
    differences: bool,
    hunks: bool,
    tests: bool,
    timeout: float | None,
    picked: str,
    parts: tuple[str, ...],
    why: str,
) -> None:
    """The versions of MISSION, which `workbench run --versions N` makes, side by side; * is the best of a row.

    --pick and --compose are one decision over all of them, with one reason: it is a resolution (VCR). The versions left
    behind are closed, and kept. A composed version gets evidence of its own, and is decided like any other.
    """
    if picked and parts:
        raise UsageError("--pick takes one version as it is, --compose makes a new one.", hint="Give one of the two.")
    if (picked or parts) and not why.strip():
        raise UsageError("A choice needs a reason.", hint="Give it with --why TEXT.")
    if tests:
        comparing.run_crossed(place, mission, timeout=timeout, say=out.say)
    if picked:
        _pick(place, out, mission, picked, why)
    elif parts:
        _compose(place, out, mission, parts, why)
    else:
        _show(place, out, mission, differences=differences, hunks=hunks)


def _show(place: Workplace, out: Output, mission: str, *, differences: bool, hunks: bool) -> None:
    with place.reading() as ledger:
        shown = comparing.comparison(ledger, mission)
        packs = [pack for name in shown.packs if name and (pack := ledger.pack(name)) is not None and pack.tree]
    found = [one for row in shown.files for one in of_versions(place, packs, row.name)] if hunks else []
    told = {**msgspec.to_builtins(shown), "hunks": msgspec.to_builtins(found)} if hunks else shown
    out.one(told, [*_lines(shown, differences=differences), *(_hunk(one) for one in found)])
    if any(shown.packs) and not out.as_json:
        unrun = " (--tests runs each against the tests of the others)" if not shown.crossed else ""
        out.say(f"next: workbench compare {shown.id} --pick PACK --why TEXT, or --compose{unrun}")


def _pick(place: Workplace, out: Output, mission: str, wanted: str, why: str) -> None:
    from workbench.ace.wiring import choosing

    settle_merges(place, out)
    pack = choosing.pick(place, mission, wanted, why=why)
    document = pack.decisions[-1]
    out.one(showing.resolution_object(document), showing.resolution_lines(document))
    if not out.as_json:
        out.say(f"next: {showing.next_for_pack(pack)}")


def _compose(place: Workplace, out: Output, mission: str, parts: tuple[str, ...], why: str) -> None:
    from workbench.ace.wiring import choosing

    settle_merges(place, out)
    made = choosing.compose(place, mission, parts, why=why)
    choosing.serve(place)
    shown = {**showing.resolution_object(made.resolution), "run": made.run, "head": made.head}
    out.one(shown, showing.resolution_lines(made.resolution))
    if not out.as_json:
        out.say(f"{made.run} is the new version; its evidence is being made. next: workbench wait {made.run}")


def _hunk(one: VersionHunk) -> str:
    size = f"+{one.added} -{one.removed}"
    name = f"{one_line(one.path)}{HUNK}{one.hunk}"
    return f"hunk {name} line {one.line} {size}: {', '.join(one.packs)}  {one_line(one.words)}"


def _lines(shown: Comparison, *, differences: bool) -> Iterator[str]:
    yield f"{shown.id}: {len(shown.versions)} versions"
    for one in shown.disagreements:
        ways = ((one.fails, "fails in"), (one.does_not_load, "does not load in"))
        told = "; ".join(f"{words} {', '.join(packs)}" for packs, words in ways if packs)
        yield f"disagree: {one_line(one.test)} of {one.tests_of} {told}"
    for row in shown.rows:
        if differences and not row.differs:
            continue
        yield f"{row.name}"
        for at, value in enumerate(row.values):
            mark = "*" if at in row.best else " "
            yield f" {mark} {shown.packs[at] or shown.versions[at]}  {one_line(value) or '-'}"
    for row in shown.files:
        changes = [f"{shown.packs[at]} {value}" for at, value in enumerate(row.values) if value]
        yield f"file {one_line(row.name)}: {'; '.join(changes)}"
    for note in shown.not_checked:
        yield f"not checked: {one_line(note)}"

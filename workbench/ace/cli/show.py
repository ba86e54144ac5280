"""`show`: anything that has an id, whole."""

# ruff: noqa: ARG001 - the small functions of the table share one signature
from __future__ import annotations

from functools import partial

import click

from workbench.ace.cli import showing
from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output
from workbench.ace.wiring import assuming, things
from workbench.ace.wiring.tips import below, mission_drift, pack_drift
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.status import taken_back
from workbench.core.views.lookup import Named
from workbench.model.errors import NotFound


@click.command()
@click.argument("id")
@speaks
def show(place: Workplace, out: Output, id: str) -> None:
    """The mission, run, question, pack, resolution, brief, loop or rule ID, whole; `plugin/NAME` and `aee`, too.

    Of what is in the journal the unique start of an id is enough.
    """
    from workbench.ace.cli.alert import show_alert
    from workbench.ace.cli.scripts import show_script

    with place.reading() as ledger:
        try:
            thing = things.find(ledger, id)
        except NotFound:
            if not (show_alert(place, out, id) or show_script(place, out, id)):
                raise
            return
        _SHOW[thing.kind](place, out, ledger, thing)


def _mission(place: Workplace, out: Output, ledger: Ledger, thing: Named) -> None:
    now = place.clock.now()
    mission, runs = things.mission(ledger, thing.id), ledger.runs(mission=thing.id)
    undone = taken_back(runs, ledger.packs(state="approved"))
    drift = "" if out.as_json else mission_drift(place, mission, partial(below, ledger))
    out.one(
        showing.mission_object(mission, runs, now=now, undone=undone),
        showing.mission_lines(mission, runs, now=now, undone=undone, base=drift),
    )


def _run(place: Workplace, out: Output, ledger: Ledger, thing: Named) -> None:
    now = place.clock.now()
    run = things.run(ledger, thing.id)
    undone = taken_back([run], ledger.packs(run=run.id))
    out.one(showing.run_object(run, now=now, undone=undone), showing.run_lines(run, now=now, undone=undone))


def _question(place: Workplace, out: Output, ledger: Ledger, thing: Named) -> None:
    question = things.question(ledger, thing.id)
    overtaken = assuming.rows(place, [question], ledger.run(question.run))
    shown = {**showing.question_object(question), "overtaken": overtaken}
    out.one(shown, [*showing.question_lines(question), *showing.overtaken_lines(overtaken)])


def _pack(place: Workplace, out: Output, ledger: Ledger, thing: Named) -> None:
    pack = things.pack(ledger, thing.id)
    drift = "" if out.as_json else pack_drift(place, pack, partial(below, ledger))
    overtaken = assuming.of_pack(place, ledger, pack)
    shown = {**showing.pack_object(pack, ledger.blobs), "overtaken": overtaken}
    lines = showing.pack_lines(pack, ledger.blobs, base=drift)
    out.one(shown, [*lines, *showing.overtaken_lines(overtaken)])


def _resolution(place: Workplace, out: Output, ledger: Ledger, thing: Named) -> None:
    question = ledger.consultation(thing.of)
    composed = ledger.run(thing.of)
    if question is not None:
        answers = [question.answer]
    else:
        answers = [composed.composed] if composed is not None else list(things.pack(ledger, thing.of).decisions)
    document = showing.found_resolution(answers, thing.id)
    out.one(showing.resolution_object(document), showing.resolution_lines(document))


_SHOW = {"mission": _mission, "run": _run, "crp": _question, "mrp": _pack, "vcr": _resolution}

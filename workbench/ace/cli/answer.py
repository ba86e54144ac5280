"""`answer`: a person answers an agent's question, once, with a reason."""

from __future__ import annotations

import click

from workbench.ace.cli.options import TEXT, speaks, why
from workbench.ace.cli.output import Output
from workbench.ace.cli.showing import resolution_lines, resolution_object
from workbench.ace.wiring.answering import answer_question
from workbench.ace.wiring.workplace import Workplace
from workbench.core.decide import consultation as consult


@click.command()
@click.argument("crp")
@click.option("--option", default="", metavar="ID", help="The option to take.")
@click.option("--alternative", default="", type=TEXT, help="An answer in words instead; '-' reads it from stdin.")
@why
@click.option("--condition", "conditions", multiple=True, metavar="TEXT", help="What must hold; may be repeated.")
@click.option(
    "--applies-to",
    type=click.Choice(consult.SCOPES),
    default="this",
    show_default=True,
    help="Where the answer holds.",
)
@speaks
def answer(
    place: Workplace,
    out: Output,
    crp: str,
    option: str,
    alternative: str,
    why: str,
    conditions: tuple[str, ...],
    applies_to: str,
) -> None:
    """Answer the question CRP with one of its options or an alternative; prints the resolution (VCR).

    A question is answered once: who comes second is told who answered, and when (exit 1).
    """
    answered = answer_question(
        place, crp, option=option, alternative=alternative, why=why, conditions=conditions, applies_to=applies_to
    )
    out.one(resolution_object(answered.answer), resolution_lines(answered.answer))
    if not out.as_json:
        out.say(f"next: workbench wait {answered.mission}")

"""`init`: a commented `.workbench/` in this repository."""

from __future__ import annotations

from pathlib import Path

import click

import workbench
from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output
from workbench.ace.wiring.workplace import Workplace

SCRIPTS_PAGE = Path(workbench.__file__).parent / "docs" / "reference" / "scripts.md"


@click.command()
@speaks
def init(place: Workplace, out: Output) -> None:
    """Write a commented .workbench/ into this repository; nothing that exists is touched."""
    from workbench.artifacts import scaffold

    written, kept = [], []
    for path, content in scaffold.files().items():
        target = place.checkout / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("x", encoding="utf-8") as file:
                file.write(content)
            written.append(path)
        except FileExistsError:
            kept.append(path)
    built = {"schema": 1, "kind": "scaffold", "id": place.checkout.name, "written": written, "kept": kept}
    out.one(built, written)
    if kept:
        out.say(f"Kept as they were: {', '.join(kept)}")
    if not out.as_json:
        out.say("next: edit .workbench/, then git add .workbench && git commit")
        for line in _first_run(place):
            out.say(line)


def _first_run(place: Workplace) -> list[str]:
    """What to type to have something done; without an agent, how to come by one."""
    settings, _ = place.settings()
    if settings.agents:
        return ['then: workbench run "one sentence"']
    return [
        'then: workbench run "one sentence" --script FILE, where FILE plays the agent; no agent is configured yet.',
        f"How to write one, and how to give it a name as [agents.NAME]: {SCRIPTS_PAGE}",
    ]

"""`schema`: JSON Schemas of the artifacts, for editors and other programs."""

from __future__ import annotations

import json

import click

from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output, json_text
from workbench.ace.wiring.workplace import Workplace


@click.command()
@click.argument("kind", required=False, default="")
@speaks
def schema(place: Workplace, out: Output, kind: str) -> None:  # noqa: ARG001 - schemas need no place
    """The JSON Schema of KIND (brief, loop, mentor, policy, crp, vcr, mrp, ...); without KIND, which there are."""
    from workbench.artifacts import schemas

    if not kind:
        if out.as_json:
            out.lines(json_text(json.dumps({"schema": 1, "kind": "schema", "id": name})) for name in schemas.KINDS)
        else:
            out.lines(schemas.KINDS)
        return
    out.lines([json_text(json.dumps(schemas.schema(kind), indent=None if out.as_json else 2))])

"""`mrp verify`: whether a pack is what it was when it was made."""

from __future__ import annotations

import click

from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output
from workbench.ace.cli.table import glyph
from workbench.ace.wiring.workplace import Workplace
from workbench.model.errors import EXIT_DONE, EXIT_NO
from workbench.model.text import one_line


@click.command()
@click.argument("mrp", metavar="MRP|COMMIT")
@click.option("--rerun", is_flag=True, help="Also build it anew and compare the evidence.")
@speaks
def verify(place: Workplace, out: Output, mrp: str, rerun: bool) -> int:
    """Whether the pack MRP, or the one that COMMIT merged, is intact. Exit 1 if not."""
    from workbench.ace.wiring import verifying

    with place.reading() as ledger:
        pack = verifying.find(place, ledger, mrp)
        found = list(verifying.problems(place, ledger, pack))
    if rerun and pack.blob:
        found += verifying.rerun(place, pack)
    ok = not found
    built = {"schema": 1, "kind": "verification", "id": pack.id, "ok": ok, "problems": found, "digest": pack.digest}
    lines = [f"{glyph('ok' if ok else 'fail')}  {pack.id} {pack.digest}", *(f"  {one_line(words)}" for words in found)]
    out.one(built, lines)
    return EXIT_DONE if ok else EXIT_NO

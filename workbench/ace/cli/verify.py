"""`mrp verify`: whether a pack is what it was when it was made, and who vouches for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output
from workbench.ace.cli.table import glyph
from workbench.ace.wiring.workplace import Workplace
from workbench.model.errors import EXIT_DONE, EXIT_NO, RepositoryProblem
from workbench.model.text import one_line

if TYPE_CHECKING:
    from workbench.ace.wiring.verifying import Verification


@click.command()
@click.argument("mrp", metavar="MRP|COMMIT|FILE")
@click.option("--rerun", is_flag=True, help="Also build it anew and compare the evidence, item by item.")
@speaks
def verify(place: Workplace, out: Output, mrp: str, rerun: bool) -> int:
    """Whether the pack MRP, or the one that COMMIT merged, is intact. Exit 1 if not.

    Journal, proof in git, merge commit and note are held against each other; git alone is enough. Says who signed:
    `trusted signer` (listed in .workbench/signers of the base), `intact, unknown signer`, `unsigned` (no signature
    could be made), `not signed` (there is no proof), or `altered: WHAT`. FILE is what `mrp show --proof` printed;
    outside of any repository its signatures and digests are checked.
    """
    from workbench.ace.wiring import rebuilding, verifying

    if not rerun and (file := _alone(place, mrp)) is not None:
        found = verifying.alone(file)
        out.one(msgspec.to_builtins(found), _lines(found))
        return EXIT_DONE if found.ok else EXIT_NO
    with place.reading() as ledger:
        subject = verifying.find(place, ledger, mrp)
        found = verifying.verify(place, ledger, subject)
    if rerun:
        found = verifying.with_more(found, *rebuilding.rerun(place, subject))
    out.one(msgspec.to_builtins(found), _lines(found))
    return EXIT_DONE if found.ok else EXIT_NO


def _alone(place: Workplace, wanted: str) -> Path | None:
    """The file that is asked about, where no repository is."""
    try:
        _ = place.located
    except RepositoryProblem:
        path = place.directory / wanted
        if path.is_file():
            return path
        raise
    return None


def _lines(found: Verification) -> Iterator[str]:
    yield f"{glyph('ok' if found.ok else 'fail')}  {found.id} {found.digest}".rstrip()
    if not found.signer.startswith("altered"):  # else it is the first of the problems
        yield f"  {one_line(found.signer)}"
    yield from (f"  {one_line(words)}" for words in found.problems)
    for key in dict.fromkeys(each["key"] for each in found.signatures if each["signer"] == "intact, unknown signer"):
        yield f"  signed by a key that .workbench/signers of the base does not list: {one_line(key)}"
    for each in dict.fromkeys(f"{each['who']} {each['fingerprint']}" for each in found.signatures if each["who"]):
        yield f"  signed by {one_line(each)}"
    yield from (f"  not checked: {one_line(words)}" for words in found.not_checked)

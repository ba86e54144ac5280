"""Comments on packs: `comment add`, `comment list`, `comment settle` and `comment export`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from workbench.ace.cli.options import TEXT, speaks, why
from workbench.ace.cli.output import Output, json_line
from workbench.ace.cli.table import Column, age
from workbench.ace.wiring import commenting
from workbench.ace.wiring.workplace import Workplace
from workbench.core.comments import Placed
from workbench.core.decide.comment import place_of
from workbench.model.errors import UsageError
from workbench.model.instants import seconds_between
from workbench.model.text import one_line, visible

_mrp = click.argument("mrp")
FORMS = ("md", "github", "gitlab", "patch")


class CommentRow(msgspec.Struct, frozen=True, kw_only=True):
    """One comment as it stands in the pack that was asked for."""

    id: str
    pack: str
    state: str
    place: str
    where: str
    by: str
    text: str
    at: str
    age_s: int
    suggestion: str | None = None
    claim: str = ""
    settled: str = ""
    settled_by: str = ""
    kind: str = "comment"
    schema: int = 1


COLUMNS = (
    Column[CommentRow]("comment", lambda row: row.id),
    Column[CommentRow]("state", lambda row: "outdated" if row.place == "outdated" else row.state, state=True),
    Column[CommentRow]("where", lambda row: row.where or "the whole"),
    Column[CommentRow]("age", lambda row: age(row.age_s), right=True),
    Column[CommentRow]("what", lambda row: row.text or "(a suggestion)", grow=True),
    Column[CommentRow]("by", lambda row: row.by, spare=True),
)


@click.command()
@_mrp
@click.argument("where", default="")
@click.option("--text", "-m", type=TEXT, default="", help="What you have to say; '-' reads it from stdin.")
@click.option("--suggest", "suggested", metavar="FILE", help="What is to stand there instead; '-' reads stdin.")
@click.option("--old", is_flag=True, help="WHERE is a line as it was before the change.")
@click.option("--also", metavar="MRP", default="", help="The comment is on this version of the brief, too.")
@speaks
def add(
    place: Workplace, out: Output, mrp: str, where: str, text: str, suggested: str | None, old: bool, also: str
) -> None:
    """Comment on the pack MRP, at WHERE: PATH:LINE, PATH:FIRST-LAST, PATH::NAME, a clause, evidence, step:N, nothing.

    PATH::NAME is a function, method or class, as the review names it; the comment follows it through later revisions.
    step:N is a step of the run, by its number in `workbench log RUN`.

    Comments go to the agent together, with your next `workbench request-changes MRP`.
    """
    if suggested is not None and (old or ":" not in where):
        raise UsageError("A suggestion stands in place of lines of the result.", hint="Name them: PATH:FIRST-LAST.")
    if suggested is not None and also:
        raise UsageError("A suggestion is for one version.", hint="Leave out --also, or --suggest.")
    suggestion = None if suggested is None else _read(suggested)
    made = commenting.add(place, mrp, where, text, old=old, suggestion=suggestion, also=also)
    row = _row(made, place.clock.now())
    out.one(row, _lines(row))
    out.say(f"next: workbench request-changes {made.pack} --why TEXT sends all open comments to the agent")


@click.command("list")
@_mrp
@speaks
def list_comments(place: Workplace, out: Output, mrp: str) -> None:
    """Comments on the pack MRP and on its earlier revisions, at the places where they stand now."""
    _pack, found = commenting.shown(place, mrp)
    now = place.clock.now()
    out.rows([_row(one, now) for one in found], COLUMNS, empty="No comments.")


@click.command()
@click.argument("comment")
@why
@speaks
def settle(place: Workplace, out: Output, comment: str, why: str) -> None:
    """Say how COMMENT was dealt with, or take it back; it stays to be read."""
    row = _row(commenting.settle(place, comment, why), place.clock.now())
    out.one(row, _lines(row))


@click.command()
@_mrp
@click.option("--as", "form", type=click.Choice(FORMS), default="md", help="Markdown, a forge's review, or a patch.")
@click.option("--all", "with_settled", is_flag=True, help="With those that are settled, too.")
@speaks
def export(place: Workplace, out: Output, mrp: str, form: str, with_settled: bool) -> None:
    """Comments for elsewhere: Markdown, JSON for GitHub's or GitLab's interface, or suggestions as a patch."""
    from workbench.core import forges, suggestions

    pack, found = commenting.shown(place, mrp)
    wanted = [one for one in found if with_settled or not one.settled]
    if form == "patch":
        made, left_out = commenting.patch(place, pack, wanted)
        out.raw(made)
        for name in left_out:
            out.warn(f"{name} is not in the patch: its lines are gone, or another suggestion is on them")
    elif form == "github":
        out.lines([json_line(forges.github_review(pack, wanted, commenting.on_forge(place, pack, wanted)))])
    elif form == "gitlab":
        made_of = commenting.on_forge(place, pack, wanted)
        out.lines(json_line(one) for one in forges.gitlab_discussions(pack, wanted, made_of))
    else:
        out.raw(visible(suggestions.markdown(pack, wanted)))


def _read(path: str) -> str:
    if path == "-":
        return sys.stdin.read()
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", hint="Name a text file, or - for stdin.") from None


def _row(one: Placed, now: str) -> CommentRow:
    target: dict[str, Any] = {**one.target, "first": one.first, "last": one.last}
    return CommentRow(
        id=one.id,
        pack=one.pack,
        state=one.state,
        place=one.place,
        where=place_of(target),
        by=one.by,
        text=one.text,
        at=one.at,
        age_s=int(seconds_between(one.at, now)),
        suggestion=one.suggestion,
        claim=one.claim,
        settled=one.settled,
        settled_by=one.settled_by,
    )


def _lines(row: CommentRow) -> Iterator[str]:
    yield f"{row.id}  {row.state}  {one_line(row.where) or 'the whole'}"
    yield from row.text.splitlines()
    if row.suggestion is not None:
        yield "suggested:"
        yield from (f"  {line}" for line in row.suggestion.splitlines())
    if row.settled:
        yield f"settled by {one_line(row.settled_by)}: {one_line(row.settled)}"

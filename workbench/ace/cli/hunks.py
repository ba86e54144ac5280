"""`mrp diff` and `mrp mark`: what a pack changes, hunk by hunk, and what of it was read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import click

from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output, json_line
from workbench.ace.cli.table import Column
from workbench.ace.wiring import hunklist
from workbench.ace.wiring.hunking import HUNK
from workbench.ace.wiring.hunklist import HunkRow, MarkRow
from workbench.ace.wiring.workplace import Workplace
from workbench.model.text import one_line, visible

_STYLES = {"+": "green", "-": "red", "@": "blue"}
COLUMNS = (
    Column[MarkRow]("file", lambda row: row.path, grow=True),
    Column[MarkRow]("hunks read", lambda row: f"{row.read_hunks} of {row.hunks}", right=True),
    Column[MarkRow]("file read", lambda row: "yes" if row.read else "no"),
)


@click.command("diff")
@click.argument("mrp")
@click.argument("paths", nargs=-1)
@click.option("--unread", is_flag=True, help="Only what you did not mark as read.")
@click.option("--names", is_flag=True, help="Hunks in one line each, without their lines.")
@speaks
def mrp_diff(place: Workplace, out: Output, mrp: str, paths: tuple[str, ...], unread: bool, names: bool) -> None:
    """What the pack MRP changes, or these PATHS of it, hunk by hunk. A PATH is a file, a directory or a glob.

    PATH#HUNK names one, for `mrp mark` and for `compare --compose`: as long as its changed lines are the same.
    """
    _pack, rows = hunklist.listed(place, mrp, paths)
    shown = (row for row in rows if not (unread and row.read))
    if out.as_json:
        out.lines(json_line(row) for row in shown)
        return
    for path, of_file in groupby(shown, key=lambda row: row.path):
        _show(out, path, list(of_file), names=names, is_whole=not paths)


def _show(out: Output, path: str, rows: list[HunkRow], *, names: bool, is_whole: bool) -> None:
    old = f" (was {one_line(rows[0].old_path)})" if rows[0].old_path != path else ""
    out.lines([out.paint(f"{one_line(path)}{old}", "bold")])
    if rows[0].hunk and (rows[0].note or (is_whole and rows[0].collapsed)):
        out.lines([out.cut(_in_one_line(rows))])
        return
    for row in rows:
        out.lines([out.cut(_head(row))])
        if not names:
            out.lines(out.paint(line, _STYLES[line[:1]]) if line[:1] in _STYLES else line for line in _body(row))


def _in_one_line(rows: list[HunkRow]) -> str:
    """A file whose lines are not shown: what an LFS pointer names, or why it is only shown when it is named."""
    sign = "read" if all(row.read for row in rows) else "    "
    if rows[0].note:
        return f"  {sign}  {rows[0].note}"
    added, removed = sum(row.added or 0 for row in rows), sum(row.removed or 0 for row in rows)
    return f"  {sign}  +{added} -{removed}  {rows[0].collapsed}; name the file to see its lines"


def _head(row: HunkRow) -> str:
    sign = "read" if row.read else "    "
    if not row.hunk:
        return f"  {sign}  {one_line(row.note)}"
    first = next((line[1:] for line in row.lines if line[:1] == "+"), "")
    name = f"{one_line(row.path)}{HUNK}{row.hunk}"
    return f"  {sign}  {name}  line {row.line}  +{row.added} -{row.removed}  {one_line(first)}"


def _body(row: HunkRow) -> Iterator[str]:
    for line in row.lines:
        yield visible(line.expandtabs(8))


@click.command("mark")
@click.argument("mrp")
@click.argument("wheres", nargs=-1, required=True, metavar="PATH[#HUNK|:LINE]...")
@click.option("--undo", is_flag=True, help="Take the marks back.")
@speaks
def mrp_mark(place: Workplace, out: Output, mrp: str, wheres: tuple[str, ...], undo: bool) -> None:
    """Note what you have read of the pack MRP: whole files, or hunks of them.

    A mark is yours alone. It stays, in later revisions, too, while the lines stand as you read them.
    """
    out.rows(hunklist.mark(place, mrp, wheres, read=not undo), COLUMNS, empty="")

"""`brief`, `loop` and `mentor`: the scripts that people write, listed, shown, checked, begun."""

from __future__ import annotations

from collections.abc import Sequence

import click
import msgspec

from workbench.ace.cli.options import TEXT, speaks
from workbench.ace.cli.output import Output
from workbench.ace.cli.table import Column
from workbench.ace.wiring import scripts
from workbench.ace.wiring.scripts import BRIEF, LOOP, MENTOR, Script, ScriptKind
from workbench.ace.wiring.workplace import Workplace
from workbench.model.errors import EXIT_DONE, EXIT_NO, Refused
from workbench.model.ids import slug
from workbench.model.text import one_line, visible


class ScriptRow(msgspec.Struct, frozen=True, kw_only=True):
    """One script as the list verbs print it. `problems` counts its errors."""

    id: str
    kind: str
    version: str
    status: str
    title: str
    path: str
    problems: int
    schema: int = 1


COLUMNS = (
    Column[ScriptRow]("id", lambda row: row.id),
    Column[ScriptRow]("version", lambda row: row.version),
    Column[ScriptRow]("status", lambda row: row.status),
    Column[ScriptRow]("problems", lambda row: str(row.problems or "-"), right=True),
    Column[ScriptRow]("title", lambda row: row.title, grow=True),
)


def _list(kind: ScriptKind, place: Workplace, out: Output) -> None:
    rows = [_row(kind, scripts.read(kind, path, place.checkout)) for path in scripts.paths(kind, place.checkout)]
    rows += [_row(kind, script) for script in _brought(kind, place)]
    out.rows(rows, COLUMNS, empty=f"No {kind.name}s under {kind.directory}. next: workbench init")


def _brought(kind: ScriptKind, place: Workplace) -> list[Script]:
    """The scripts of that kind that plugins bring; only loops can come from one."""
    if kind is not LOOP:
        return []
    from workbench.ace.wiring import plugs_host

    return [scripts.understood(LOOP, text.text.encode(), text.where) for text in plugs_host.loops(place)]


def _row(kind: ScriptKind, read: Script) -> ScriptRow:
    facts = read.document
    return ScriptRow(
        id=read.id,
        kind=kind.name,
        version=str(facts.get("version", "")),
        status=str(facts.get("status", "")),
        title=str(facts.get("title") or facts.get("text") or facts.get("scope") or ""),
        path=read.path,
        problems=sum(problem.severity == "error" for problem in read.problems),
    )


def _show(kind: ScriptKind, place: Workplace, out: Output, name: str) -> None:
    brought = {script.id: script for script in _brought(kind, place)}
    own = (place.checkout / kind.directory / f"{name}{kind.suffix}").is_file()
    if name in brought and not own:
        read = brought[name]
    else:
        read = scripts.read(kind, scripts.find(kind, name, place.checkout), place.checkout)
    document = {"schema": 1, "kind": kind.name, "id": read.id, "path": read.path}
    problems = [problem.as_dict() for problem in read.problems]
    whole = {**read.document, **document, "digest": read.digest, "problems": problems}
    out.one(whole, visible(read.text).splitlines())
    for problem in read.problems:
        out.say(str(problem))


def show_script(place: Workplace, out: Output, name: str) -> bool:
    """Show the brief, loop or rule of that id, if there is one."""
    for kind in (BRIEF, LOOP, MENTOR):
        if (place.checkout / kind.directory / f"{name}{kind.suffix}").is_file():
            _show(kind, place, out, name)
            return True
    return False


def _check(kind: ScriptKind, place: Workplace, out: Output, names: Sequence[str]) -> int:
    wanted = [scripts.find(kind, name, place.checkout) for name in names] or scripts.paths(kind, place.checkout)
    problems = [problem for path in wanted for problem in scripts.read(kind, path, place.checkout).problems]
    ok = all(problem.severity != "error" for problem in problems)
    if out.as_json:
        rows = [{"schema": 1, "kind": "problem", "id": f"{p.path}:{p.line}", **p.as_dict()} for p in problems]
        out.rows(rows, (), empty="")
    else:
        out.lines(one_line(str(problem)) for problem in problems)
        out.say(f"{len(wanted)} checked, {len(problems)} problem{'s' if len(problems) != 1 else ''}.")
    return EXIT_DONE if ok else EXIT_NO


@click.command("list")
@speaks
def brief_list(place: Workplace, out: Output) -> None:
    """Briefs of this repository."""
    _list(BRIEF, place, out)


@click.command("show")
@click.argument("brief")
@speaks
def brief_show(place: Workplace, out: Output, brief: str) -> None:
    """The brief BRIEF (its id or path), whole."""
    _show(BRIEF, place, out, brief)


@click.command("check")
@click.argument("briefs", nargs=-1)
@speaks
def brief_check(place: Workplace, out: Output, briefs: tuple[str, ...]) -> int:
    """Problems of the named briefs (default: all), with line, column and remedy. Exit 1 if there are errors."""
    return _check(BRIEF, place, out, briefs)


@click.command("new")
@click.argument("sentence", type=TEXT)
@click.option("--id", "name", default="", help="Its id; made of the sentence if not given.")
@speaks
def brief_new(place: Workplace, out: Output, sentence: str, name: str) -> None:
    """Write a light brief from SENTENCE ('-' reads stdin) into .workbench/briefs, to be filled in."""
    from workbench.artifacts import brief

    wanted = name or slug(sentence)
    path = place.checkout / BRIEF.directory / f"{wanted}{BRIEF.suffix}"
    if path.exists():
        raise Refused(f"{path} exists already.", hint="Edit it, or give another --id.")
    text = brief.light(sentence, wanted)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    shown = str(path.relative_to(place.checkout))
    out.one({"schema": 1, "kind": "brief", "id": wanted, "path": shown}, [shown])
    out.say(f"next: edit it, then workbench run {wanted}")


@click.command("list")
@speaks
def loop_list(place: Workplace, out: Output) -> None:
    """Loops of this repository."""
    _list(LOOP, place, out)


@click.command("show")
@click.argument("loop")
@speaks
def loop_show(place: Workplace, out: Output, loop: str) -> None:
    """The loop LOOP (its id or path), whole."""
    _show(LOOP, place, out, loop)


@click.command("check")
@click.argument("loops", nargs=-1)
@speaks
def loop_check(place: Workplace, out: Output, loops: tuple[str, ...]) -> int:
    """Problems of the named loops (default: all), with line, column and remedy. Exit 1 if there are errors."""
    return _check(LOOP, place, out, loops)


@click.command("list")
@speaks
def mentor_list(place: Workplace, out: Output) -> None:
    """Mentor rules of this repository."""
    _list(MENTOR, place, out)


@click.command("show")
@click.argument("rule")
@speaks
def mentor_show(place: Workplace, out: Output, rule: str) -> None:
    """The mentor rule RULE (its id or path), whole."""
    _show(MENTOR, place, out, rule)


@click.command("check")
@click.argument("rules", nargs=-1)
@speaks
def mentor_check(place: Workplace, out: Output, rules: tuple[str, ...]) -> int:
    """Problems of the named rules (default: all), with line, column and remedy. Exit 1 if there are errors."""
    return _check(MENTOR, place, out, rules)

"""`plugin list | new | doctor | test | trust | disable | enable`: plugins, which never run before a person says so."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from workbench.ace.cli.checking import Checks
from workbench.ace.cli.options import TEXT, speaks
from workbench.ace.cli.output import Output
from workbench.ace.cli.table import Column
from workbench.ace.wiring.check import Check
from workbench.ace.wiring.plugs import SHORT, PluginRow
from workbench.ace.wiring.workplace import Workplace
from workbench.model.errors import NeedsHuman
from workbench.model.text import one_line
from workbench.pluginhost.roster import Plugin

_COLUMNS = (
    Column[PluginRow]("plugin", lambda row: row.id),
    Column[PluginRow]("version", lambda row: row.version),
    Column[PluginRow]("state", lambda row: "failing" if row.failing and row.state == "ready" else row.state),
    Column[PluginRow]("from", lambda row: row.origin),
    Column[PluginRow]("digest", lambda row: row.digest[:SHORT], spare=True),
    Column[PluginRow]("what", lambda row: row.failing or "; ".join(row.problems) or row.summary, grow=True),
)


@click.command("list")
@speaks
def list_plugins(place: Workplace, out: Output) -> None:
    """All plugins: shipped, installed, and those of this repository's newest commit. None is imported for it."""
    from workbench.ace.wiring import plugs

    out.rows(plugs.rows(place), _COLUMNS, empty="There are no plugins.")


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@speaks
def doctor(place: Workplace, out: Output, names: tuple[str, ...]) -> int:
    """Whether plugins could run, what they did wrong, and what their agents need; exit 1 if one is broken.

    None is imported for it.
    """
    from workbench.ace.wiring import plugs

    checks = Checks(out)
    for check in plugs.examine(place, names):
        checks.tell(check)
    return checks.end()


@click.command()
@click.argument("name")
@click.option("--digest", default="", metavar="DIGEST", help="The content that you looked at; else you are asked.")
@speaks
def trust(place: Workplace, out: Output, name: str, digest: str) -> None:
    """Trust a plugin of this repository, exactly as its newest commit has it. It then runs with all your rights.

    The trust is for the digest of all of its files: any change of them asks again.
    """
    from workbench.ace.wiring import plugs

    plugin = plugs.named(place, name)
    if not digest:
        digest = _confirmed(out, plugin)
    row = plugs.trust(place, plugin, digest=digest)
    out.one(row, [f"{row.id} {row.version} is trusted as {row.digest[:SHORT]}"])


def _confirmed(out: Output, plugin: Plugin) -> str:
    """The digest, once a person at a terminal said yes to what would run."""
    for line in _told(plugin):
        out.say(line)
    if out.as_json or not sys.stdin.isatty():
        raise NeedsHuman(
            f"Nobody said which content of {plugin.name} is trusted.",
            hint=f"Look at {plugin.bundle.where}, then: workbench plugin trust {plugin.name} --digest {plugin.digest}",
        )
    click.confirm("Let it run with all your rights?", abort=True, err=True)
    return plugin.digest


def _told(plugin: Plugin) -> Iterator[str]:
    yield f"{plugin.name} {plugin.version} in {one_line(plugin.bundle.where)}, {plugin.digest}"
    yield from (f"  file   {one_line(path)}  {len(data)} bytes" for path, data in sorted(plugin.bundle.files.items()))
    if plugin.manifest is not None:
        yield from (f"  brings {one_line(offer)}" for offer in plugin.manifest.offers)
        for name, agent in plugin.manifest.agents.items():
            words = agent.command if isinstance(agent.command, str) else " ".join(agent.command)
            yield f"  runs   {one_line(words)}"
            if agent.key_variable:
                yield f"  sends  {one_line(agent.key_variable)} to {one_line(agent.url)} for {one_line(name)}"


@click.command()
@click.argument("name")
@click.option("--why", default="", type=TEXT, help="The reason; '-' reads it from stdin.")
@speaks
def disable(place: Workplace, out: Output, name: str, why: str) -> None:
    """Do without a plugin in this repository, whatever its content; shipped ones, too."""
    from workbench.ace.wiring import plugs

    row = plugs.disable(place, plugs.named(place, name), why=why)
    out.one(row, [f"{row.id} is disabled here; workbench plugin enable {row.id} takes that back"])


@click.command()
@click.argument("name")
@speaks
def enable(place: Workplace, out: Output, name: str) -> None:
    """Have a plugin again, and settle what it did wrong. One of the repository still wants trust."""
    from workbench.ace.wiring import plugs

    row = plugs.enable(place, plugs.named(place, name))
    out.one(row, [f"{row.id} is {row.state}"])


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME|DIR]...")
@click.option("--sandbox", default="", metavar="LEVEL", help="DANGER with none: the plugin's code runs unconfined.")
@speaks
def test(place: Workplace, out: Output, names: tuple[str, ...], sandbox: str) -> int:
    """Try plugins out in a sandbox: manifest, modules, collectors on odd changes, their own tests; exit 1 if one fails.

    A plugin of the repository is taken as it lies in the checkout, committed and trusted or not: it runs only in there.
    Without names, all that are ready.
    """
    from workbench.ace.wiring import plugs

    checks = Checks(out)
    for name in names or [plugin.name for plugin in plugs.plugins(place) if plugin.state == "ready"]:
        for row in plugs.try_out(place, name, sandbox=sandbox):
            checks.tell(Check(id=f"{name}/{row['id']}", state=row["state"], text=str(row["text"])))
    return checks.end(well="It passes.", trouble="It does not pass.")


@click.command()
@click.argument("name")
@click.option("--agent", "what", flag_value="agent", help="An agent that is data: a program that speaks ACP.")
@click.option("--collector", "what", flag_value="collector", default="collector", help="A collector of evidence.")
@click.option("--at", default="", metavar="DIR", help="Where; by default .workbench/plugins of this repository.")
@speaks
def new(place: Workplace, out: Output, name: str, what: str, at: str) -> None:
    """Write a plugin that passes its own tests: the one to begin with."""
    from workbench.ace.wiring import plugs_new

    row = plugs_new.write(place, name, what=what, at=at)
    out.one(row, [f"Wrote {path}" for path in row["files"]])
    out.say(f"next: workbench plugin test {row['directory']}")

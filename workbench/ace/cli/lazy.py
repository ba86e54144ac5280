"""Groups whose verbs are loaded when they are called, so that `--help` and completion import no verb. It runs none."""

# ruff: noqa: ARG002 - click names the arguments
from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import NamedTuple

import click


class Verb(NamedTuple):
    """Where a verb lives (`module:command`), what it does in a line, and under which heading help shows it."""

    target: str
    help: str
    section: str = "Commands"


class Noun(NamedTuple):
    """A noun with verbs of its own."""

    verbs: Mapping[str, Verb]
    help: str
    section: str = "Nouns"


class LazyGroup(click.Group):
    """A group over a table of verbs and nouns."""

    def __init__(self, *, table: Mapping[str, Verb | Noun], **attributes: object) -> None:
        super().__init__(**attributes)  # type: ignore[arg-type]  # click's own keywords, passed on
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb, imported now; a noun becomes a group of the same kind."""
        entry = self.table.get(cmd_name)
        if entry is None:
            return None
        if isinstance(entry, Noun):
            return LazyGroup(name=cmd_name, table=entry.verbs, help=entry.help, no_args_is_help=True)
        return _load(entry)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, with the nearest name in the error."""
        name = args[0] if args else ""
        if name and name not in self.table and not name.startswith("-"):
            import difflib  # only for a word that is wrong

            near = difflib.get_close_matches(name, self.table, n=1)
            meant = f" Did you mean '{near[0]}'?" if near else f" '{ctx.command_path} --help' lists them."
            raise click.UsageError(f"No such command '{name}'.{meant}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table by sections, without importing anything."""
        width = max(len(name) for name in self.table)
        for section in dict.fromkeys(entry.section for entry in self.table.values()):
            with formatter.section(section):
                entries = [(n.ljust(width), e.help) for n, e in self.table.items() if e.section == section]
                formatter.write_dl(entries)


def _load(verb: Verb) -> click.Command:
    module, _, name = verb.target.partition(":")
    command: click.Command = getattr(import_module(module), name)
    return command

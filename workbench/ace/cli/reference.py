"""The reference of all commands, generated from the commands themselves: `python -m workbench.ace.cli.reference`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from workbench.ace.cli.lazy import LazyGroup
from workbench.ace.cli.main import workbench

WIDTH = 100  # columns of the help blocks
INTRODUCTION = """\
# Commands

Data goes to stdout, talk to stderr. With `--json` lists are NDJSON, one row a line, and single things one object; each
has `schema`, `id` and `kind`. Errors under `--json` are one JSON object on stderr. `NO_COLOR` and `--quiet` are obeyed,
and `-` reads a text from stdin. An id may be cut as long as one thing alone fits it.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | a check said no, or the rules refuse it |
| 2 | the words of the call are off, or name nothing |
| 3 | a person is needed |
| 4 | the machine, the repository or the sandbox cannot do it |
| 5 | timed out |
| 130 | interrupted |

List and show verbs exit with 0; only `wait`, `check`, `doctor`, `verify`, `plugin test`, `agents try` and `mrp build`
speak by exit code.
"""


def reference() -> str:
    """The whole page, as Markdown."""
    return INTRODUCTION + "".join(_sections(workbench, None, "workbench"))


def _sections(command: click.Command, parent: click.Context | None, name: str) -> Iterator[str]:
    settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(command, info_name=name, parent=parent, **settings)
    yield f"\n## `{context.command_path}`\n\n```\n{command.get_help(context)}\n```\n"
    if isinstance(command, LazyGroup):
        for verb in command.list_commands(context):
            found = command.get_command(context, verb)
            if found is not None:
                yield from _sections(found, context, verb)


if __name__ == "__main__":
    sys.stdout.write(reference())

"""The command line's entry: global options, the table of verbs, and the edge at which every error ends."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench import __version__
from workbench.ace.cli.lazy import LazyGroup
from workbench.ace.cli.output import show_error
from workbench.ace.cli.verbs import VERBS
from workbench.model.errors import (
    EXIT_DONE,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    EnvironmentProblem,
    UsageError,
    WorkbenchError,
)

if TYPE_CHECKING:
    from workbench.ace.wiring.workplace import Workplace

    Screens = Callable[[Workplace], int]


@click.group(
    cls=LazyGroup,
    table=VERBS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
@click.option("-C", "directory", default=".", metavar="DIR", help="Work in the repository around DIR.")
@click.version_option(__version__, "-V", "--version", message="workbench %(version)s")
@click.pass_context
def workbench(ctx: click.Context, directory: str) -> int | None:
    """Direct teams of coding agents, and merge only what is proven."""
    from workbench.ace.wiring.workplace import Workplace

    screens: Screens | None = ctx.obj
    ctx.obj = ctx.with_resource(Workplace(Path(directory)))
    if ctx.invoked_subcommand is not None:
        return None
    if screens is not None:
        return screens(ctx.obj)
    from workbench.ace.cli.inbox import front_page

    front_page(ctx.obj)
    return None


def main(argv: Sequence[str] | None = None, *, screens: Screens | None = None) -> int:
    """Run one command; the exit code (`workbench.model.errors`). Without a verb, `screens` opens, if given."""
    words = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in words
    try:
        code = _call(words, screens)
        sys.stdout.flush()
    except BrokenPipeError:
        _leave_pipe()
        return EXIT_DONE  # the reader had enough
    except (KeyboardInterrupt, click.Abort):
        return EXIT_INTERRUPTED
    except WorkbenchError as error:
        show_error(error, as_json=as_json)
        return error.exit_code
    except Exception as error:  # the edge: whatever it was, a person gets words and an exit code
        if os.environ.get("WORKBENCH_DEBUG"):
            raise
        show_error(_unexpected(error), as_json=as_json)
        return EnvironmentProblem.exit_code
    return code


def _call(words: list[str], screens: Screens | None) -> int:
    try:
        result = workbench.main(words, prog_name="workbench", standalone_mode=False, obj=screens)
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message(), file=sys.stderr)  # noqa: T201 - help is talk here: a verb was wanted
        return EXIT_USAGE
    except click.ClickException as error:
        raise _usage(error) from error
    return result if isinstance(result, int) else EXIT_DONE


def _usage(error: click.ClickException) -> UsageError:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "workbench"
    return UsageError(error.format_message(), hint=f"{path} --help lists what it takes")


def _unexpected(error: Exception) -> WorkbenchError:
    if isinstance(error, FileNotFoundError):
        from workbench.ace.wiring.workplace import is_nowhere, nowhere

        if is_nowhere():
            return nowhere()
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" for {error.filename}" if error.filename else ""
        return EnvironmentProblem(
            f"There is no room left on the disk{where}: {error.strerror}.",
            hint="make room, then ask again: workbench doctor shows where, workbench gc --dry-run what is ours",
        )
    if isinstance(error, OSError) and error.strerror:
        named = f": {error.filename}" if error.filename else ""
        denied = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
        hint = "give yourself the right to it, or work elsewhere" if denied else "see `workbench doctor`"
        return EnvironmentProblem(f"{error.strerror}{named}", hint=hint)
    return EnvironmentProblem(
        f"unexpected {type(error).__name__}: {error}", hint="WORKBENCH_DEBUG=1 shows where; please report it"
    )


def _leave_pipe() -> None:
    """Nobody reads any more: what is still buffered must not complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

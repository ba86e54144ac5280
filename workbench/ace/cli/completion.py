"""`completion`: the script that teaches a shell our verbs."""

from __future__ import annotations

import click

from workbench.ace.cli.output import Output

_INSTALL = {
    "bash": "workbench completion bash > ~/.local/share/bash-completion/completions/workbench",
    "zsh": "workbench completion zsh > ~/.zfunc/_workbench   (with ~/.zfunc in fpath)",
    "fish": "workbench completion fish > ~/.config/fish/completions/workbench.fish",
}


@click.command()
@click.argument("shell", type=click.Choice(tuple(_INSTALL)))
@click.option("--quiet", "-q", is_flag=True, help="Nothing on stderr but warnings and errors.")
def completion(shell: str, quiet: bool) -> None:
    """The completion script for bash, zsh or fish, on stdout."""
    from click.shell_completion import get_completion_class

    from workbench.ace.cli.main import workbench

    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"no completion for {shell}")
    out = Output(quiet=quiet)
    out.raw(made(workbench, {}, "workbench", "_WORKBENCH_COMPLETE").source())
    out.say(f"keep it: {_INSTALL[shell]}")

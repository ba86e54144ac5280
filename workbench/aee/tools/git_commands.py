"""Git as the tools run it: inside the sandbox only, with no hooks, no editor and no questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.aee.tools.place import Place
from workbench.model.errors import Refused
from workbench.ports import Completed

_SETTINGS = {
    "safe.directory": "*",  # the sandbox may run as somebody else than the clone's owner; it is the agent's anyway
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.quotePath": "false",
    "commit.gpgSign": "false",
    "gc.auto": "0",
    "advice.addEmbeddedRepo": "false",
}
GIT_ENV = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_COUNT": str(len(_SETTINGS)),
    **{f"GIT_CONFIG_KEY_{n}": key for n, key in enumerate(_SETTINGS)},
    **{f"GIT_CONFIG_VALUE_{n}": value for n, value in enumerate(_SETTINGS.values())},
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_EDITOR": "true",
    "LC_ALL": "C.UTF-8",
}
WALL_S = 300.0  # for one git command of a tool


def git(
    place: Place, argv: Sequence[str], *, call: str, stdin: bytes = b"", env: Mapping[str, str] | None = None
) -> Completed:
    """Run one git command in the workspace, inside the sandbox."""
    return place.run(("git", *argv), call=call, stdin=stdin, env={**GIT_ENV, **(env or {})}, wall_s=WALL_S)


def line_of(done: Completed, *, what: str) -> str:
    """The output of a git command that must have worked, as one stripped text. Raises Refused with what git said."""
    if done.state != "exited" or done.exit_code != 0:
        said = " ".join(done.stderr.text.split())[:400]
        raise Refused(
            f"{what} failed ({done.state}, exit {done.exit_code}): {said}", hint="Mend it with `run`, try again."
        )
    return done.stdout.text.strip()

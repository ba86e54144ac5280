"""`search`: where a text or pattern occurs. It runs `git grep` in the sandbox, so that no pattern can hold us up."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from workbench.aee.tools.checked import Arguments, CheckedTool, summary
from workbench.aee.tools.git_commands import GIT_ENV
from workbench.aee.tools.place import Place
from workbench.aee.workspace_paths import split
from workbench.model.errors import Refused
from workbench.ports import ToolResult

MATCHES = 200  # told at once
LINE_LENGTH = 300  # characters of a matching line
WALL_S = 30.0


class SearchArguments(Arguments, frozen=True, kw_only=True):
    """What to look for, and where."""

    pattern: Annotated[str, Meta(min_length=1, max_length=2000, description="Text, or a POSIX extended expression.")]
    regex: Annotated[bool, Meta(description="Whether `pattern` is an expression; else it is plain text.")] = False
    path: Annotated[str, Meta(description="File or directory relative to the workspace.")] = ""
    ignore_case: Annotated[bool, Meta(description="Whether case does not matter.")] = False


class SearchTool(CheckedTool[SearchArguments]):
    """Searches the files of the workspace."""

    name = "search"
    description = "Find lines by text or expression, in tracked and new files; ignored and binary ones are left out."
    arguments = SearchArguments

    def __init__(self, place: Place) -> None:
        self._place = place

    def act(self, arguments: SearchArguments, call_id: str) -> ToolResult:
        """The first MATCHES matches, and whether there are more."""
        where = "/".join(split(self._place.relative(arguments.path), empty=True)) or "."
        argv = ["git", "grep", "-I", "-n", "-z", "--no-color", "--untracked", "-E" if arguments.regex else "-F"]
        argv += ["-i"] if arguments.ignore_case else []
        argv += ["-e", _one_line(arguments.pattern), "--", f":(literal){where}"]
        done = self._place.run(argv, call=call_id, env=GIT_ENV, wall_s=WALL_S)
        if done.state != "exited" or done.exit_code not in (0, 1):
            said = done.stderr.text[-500:]
            raise Refused(f"the search did not end ({done.state}): {said}", hint="Search for something simpler.")
        found = [match for line in done.stdout.head.split(b"\n") if (match := _match(line))]
        cut = len(found) > MATCHES or done.stdout.full_bytes > len(done.stdout.head)
        said = f"{len(found[:MATCHES])} matches of {arguments.pattern!r}" + (", and more" if cut else "")
        return ToolResult(state="ok", summary=summary(said), data={"matches": found[:MATCHES], "cut": cut})


def _one_line(pattern: str) -> str:
    if "\n" in pattern or "\0" in pattern:
        raise Refused("a pattern is one line", hint="Search for one of its lines.")
    return pattern


def _match(line: bytes) -> dict[str, Any] | None:
    path, _, rest = line.partition(b"\0")
    number, _, text = rest.partition(b"\0")
    if not number.isdigit():
        return None
    shown = text.decode("utf-8", "replace").rstrip("\r")
    return {"path": path.decode("utf-8", "replace"), "line": int(number), "text": shown[:LINE_LENGTH]}

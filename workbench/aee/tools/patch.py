"""`patch`: a unified diff, applied as a whole or not at all."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from workbench.aee.tools.calls import is_repeat
from workbench.aee.tools.checked import Arguments, CheckedTool
from workbench.aee.tools.git_commands import git
from workbench.aee.tools.place import Place
from workbench.model.errors import Refused
from workbench.ports import Completed, ToolResult


class PatchArguments(Arguments, frozen=True, kw_only=True):
    """The diff, with paths relative to the workspace behind `a/` and `b/`."""

    patch: Annotated[str, Meta(min_length=1, max_length=16 << 20, description="A unified diff as git writes it.")]


class PatchTool(CheckedTool[PatchArguments]):
    """Applies diffs with git, inside the sandbox."""

    name = "patch"
    description = "Apply a unified diff to the workspace; all of it or nothing."
    arguments = PatchArguments

    def __init__(self, place: Place) -> None:
        self._place = place

    def act(self, arguments: PatchArguments, call_id: str) -> ToolResult:
        """Apply it; a repeated call finds out that it was applied already."""
        try:
            data = arguments.patch.encode()
        except UnicodeEncodeError:
            raise Refused("the patch has half a surrogate pair", hint="Give whole Unicode characters.") from None
        if is_repeat(call_id) and self._apply(data, call_id, "--reverse", "--check").exit_code == 0:
            return ToolResult(state="ok", summary="patch: was applied already")
        done = self._apply(data, call_id, "--verbose")
        if done.state != "exited" or done.exit_code != 0:
            said = done.stderr.text[-2000:]
            raise Refused(f"the patch does not apply: {said}", hint="Read the files; make the patch anew.")
        return ToolResult(
            state="ok", summary=f"patch: {len(data)} bytes applied", data={"said": done.stderr.text[-4000:]}
        )

    def _apply(self, data: bytes, call: str, *options: str) -> Completed:
        return git(self._place, ("apply", "--whitespace=nowarn", *options, "-"), call=call, stdin=data)

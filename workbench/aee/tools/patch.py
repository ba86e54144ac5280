"""`patch`: a unified diff, applied as a whole or not at all, also when it is interrupted and repeated.

Git applies the diff in the sandbox to copies of the files that it names. What comes of it is kept as one piece before
anything is written, so that a repeat writes the rest of it without reading the diff again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from workbench.aee.confined import Confined, Content
from workbench.aee.tools.calls import Ready
from workbench.aee.tools.changes import ABSENT, FileChange, apply, image, image_at, packed, unpacked
from workbench.aee.tools.checked import Arguments, CheckedTool, summary
from workbench.aee.tools.git_commands import GIT_ENV, WALL_S
from workbench.aee.tools.patch_paths import named_paths
from workbench.aee.tools.place import Place
from workbench.aee.workspace_paths import shown, writable
from workbench.model.errors import Refused
from workbench.ports import Blobs, ToolResult

FILES = 5000  # named by one diff
TOLD = 100  # paths told at once


class PatchArguments(Arguments, frozen=True, kw_only=True):
    """The diff, with paths relative to the workspace behind `a/` and `b/`."""

    patch: Annotated[str, Meta(min_length=1, max_length=16 << 20, description="A unified diff as git writes it.")]


class PatchTool(CheckedTool[PatchArguments]):
    """Applies diffs."""

    name = "patch"
    description = "Apply a unified diff to the workspace; all of it or nothing."
    arguments = PatchArguments

    def __init__(self, place: Place, blobs: Blobs) -> None:
        self._place, self._blobs = place, blobs

    def prepare(self, arguments: PatchArguments, call_id: str, recorded: Mapping[str, Any]) -> Ready:  # noqa: ARG002
        """What the diff makes of the files, kept before it is written; a repeat writes what is not there yet."""
        kept = recorded.get("changes") if recorded else None
        if kept is None:
            changes = self._changes(_as_bytes(arguments.patch))
            kept = self._blobs.put(packed(changes))
        else:
            changes = unpacked(self._blobs.get(kept))
        return Ready(act=lambda: self._apply(changes), intent={"changes": kept})

    def _apply(self, changes: list[FileChange]) -> ToolResult:
        made = apply(self._place.files, changes)
        paths = [change.path for change in changes]
        said = f"patch: {made} of {len(changes)} files written" if made else "patch: was applied already"
        names = f"{said}: {', '.join(paths[:TOLD])}" if made else said
        data = {"paths": paths[:TOLD], "files": len(paths), "cut": len(paths) > TOLD}
        return ToolResult(state="ok", summary=summary(names), data=data)

    def _changes(self, patch: bytes) -> list[FileChange]:
        with self._place.box() as box:
            tree = box / "tree"
            tree.mkdir()
            there = self._copies(named_paths(patch, limit=FILES), tree)
            env = {**GIT_ENV, "GIT_CEILING_DIRECTORIES": str(box)}
            argv = ("git", "-C", "tree", "apply", "--whitespace=nowarn", "-")
            done = self._place.run_in_box(argv, box, stdin=patch, env=env, wall_s=WALL_S)
            if done.state != "exited" or done.exit_code != 0:
                said = done.stderr.text[-2000:]
                raise Refused(f"the patch does not apply: {said}", hint="Read the files; make the patch anew.")
            with Confined(tree) as result:
                return self._differences(there, result)

    def _copies(self, paths: list[str], tree: Path) -> dict[str, Content]:
        """Put copies of the files that are there into `tree`, which nobody else knows yet."""
        there: dict[str, Content] = {}
        with Confined(tree) as copies:
            for path in paths:
                with contextlib.suppress(Refused):  # what leads out, or is a link: git finds nothing there
                    found = self._place.files.stat(path)
                    if found is None or found.kind != "file":
                        continue
                    there[found.path] = content = self._place.files.read(path)
                    if content.cut:
                        del there[found.path]
                        continue
                    copies.write(found.path, content.data, mode=content.mode)
        return there

    def _differences(self, there: Mapping[str, Content], result: Confined) -> list[FileChange]:
        after = {entry.path: entry for entry in result.walk() if entry.kind != "directory"}
        changes = [self._change(path, there.get(path), result) for path in after]
        gone = [
            FileChange(path=path, before=image(was.data, mode=was.mode), after=ABSENT, data=None)
            for path, was in there.items()
            if path not in after
        ]
        found = [change for change in (*changes, *gone) if change.before != change.after]
        for change in found:
            writable(change.path)
        if not found:
            raise Refused("the patch changes nothing", hint="Give a unified diff as git writes it.")
        return found

    def _change(self, path: str, was: Content | None, result: Confined) -> FileChange:
        made = result.read(path)  # refuses links
        if made.cut:
            raise Refused(f"{shown(path)} becomes too large: {made.size} bytes", hint="Use `run` with a program.")
        after = image(made.data, mode=made.mode)
        if was is None:
            if image_at(self._place.files, path) != ABSENT:
                raise Refused(f"{shown(path)} is there and no plain file", hint="Remove it first.")
            return FileChange(path=path, before=ABSENT, after=after, data=made.data, mode=made.mode)
        before = image(was.data, mode=was.mode)
        switched = (was.mode ^ made.mode) & 0o100
        return FileChange(path=path, before=before, after=after, data=made.data, mode=made.mode if switched else None)


def _as_bytes(patch: str) -> bytes:
    try:
        return patch.encode()
    except UnicodeEncodeError:
        raise Refused("the patch has half a surrogate pair", hint="Give whole Unicode characters.") from None

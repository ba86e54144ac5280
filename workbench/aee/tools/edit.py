"""`edit`: change one file of the workspace in one step: replace exact text, write, delete or move."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from workbench.aee.confined import Content
from workbench.aee.tools.calls import Ready
from workbench.aee.tools.changes import ABSENT, image, image_at, took_effect
from workbench.aee.tools.checked import Arguments, CheckedTool
from workbench.aee.tools.lines import lines_of
from workbench.aee.tools.place import Place
from workbench.aee.workspace_paths import shown
from workbench.model.errors import NotFound, Refused
from workbench.ports import ToolResult

NEAREST_LINES = 5000  # lines of a file that are compared for the nearest match
NEAREST_RATIO = 0.6  # below this a line is not called similar


class EditArguments(Arguments, frozen=True, kw_only=True):
    """One of: `old` and `new`; `content`; `delete`; `move_to`."""

    path: Annotated[str, Meta(description="Path relative to the workspace.")]
    old: Annotated[str | UnsetType, Meta(description="Exact text to replace, with its white space.")] = UNSET
    new: Annotated[str | UnsetType, Meta(description="What takes its place.")] = UNSET
    count: Annotated[int, Meta(ge=1, le=10_000, description="How many times `old` must occur.")] = 1
    content: Annotated[str | UnsetType, Meta(description="The whole new text of the file.")] = UNSET
    delete: Annotated[bool, Meta(description="Remove the file.")] = False
    move_to: Annotated[str, Meta(description="The new path of the file or directory.")] = ""
    executable: Annotated[bool | None, Meta(description="With `content`: set or clear the executable bit.")] = None


class _Planned(msgspec.Struct, frozen=True, kw_only=True):
    """An edit that is decided: the images {path: [before, after]} that tell whether it took effect, and the act."""

    images: dict[str, list[str]]
    act: Callable[[], ToolResult]


class EditTool(CheckedTool[EditArguments]):
    """Edits files of the workspace; every edit takes effect as a whole or not at all."""

    name = "edit"
    description = (
        "Change one file: {path, old, new, count?} replaces exact text; {path, content} writes the whole file; "
        "{path, delete: true} removes it; {path, move_to} renames. Mode and line endings are kept."
    )
    arguments = EditArguments

    def __init__(self, place: Place) -> None:
        self._place = place
        self._files = place.files

    def prepare(self, arguments: EditArguments, call_id: str, recorded: Mapping[str, Any]) -> Ready:  # noqa: ARG002
        """The images of the file before and after; a repeat finds out by them whether it took effect."""
        if recorded and took_effect(self._files, recorded["images"]):
            done = ToolResult(
                state="ok",
                summary=f"{arguments.path}: was done already",
                data={"path": arguments.path, "repeated": True},
            )
            return Ready(act=lambda: done, intent=recorded)
        planned = self._plan(arguments)
        return Ready(act=planned.act, intent={"images": planned.images})

    def _plan(self, arguments: EditArguments) -> _Planned:
        path = self._place.relative(arguments.path)
        asked = {
            "old": arguments.old is not UNSET,
            "content": arguments.content is not UNSET,
            "delete": arguments.delete,
            "move_to": bool(arguments.move_to),
        }
        kinds = [kind for kind, wanted in asked.items() if wanted]
        if len(kinds) != 1 or (arguments.new is not UNSET) != (kinds == ["old"]):
            raise Refused("one of `old` with `new`, `content`, `delete`, `move_to` is needed", hint="Give exactly one.")
        plan = {"old": self._replace, "content": self._write, "delete": self._delete, "move_to": self._move}[kinds[0]]
        return plan(path, arguments)

    def _replace(self, path: str, arguments: EditArguments) -> _Planned:
        content = self._files.read(path)
        _check_editable(path, content)
        old, new = _as_bytes(arguments.old, content.data), _as_bytes(arguments.new, content.data)
        if not old:
            raise Refused("`old` is empty", hint="Quote the text to replace, or give `content`.")
        found = content.data.count(old)
        if found != arguments.count:
            raise _mismatch(path, content.data, old, found=found, wanted=arguments.count)
        line = content.data.count(b"\n", 0, content.data.index(old)) + 1
        data = content.data.replace(old, new)
        said = ToolResult(state="ok", summary=f"{path}:{line}: replaced {found}", data={"path": path, "line": line})
        images = {path: [image(content.data, mode=content.mode), image(data, mode=content.mode)]}
        return _Planned(images=images, act=lambda: self._written(path, data, said))

    def _write(self, path: str, arguments: EditArguments) -> _Planned:
        try:
            there: Content | None = self._files.read(path)
        except NotFound:
            there = None
        data = _as_bytes(arguments.content, there.data if there else b"")
        mode = None if arguments.executable is None else (0o755 if arguments.executable else 0o644)
        verb = "wrote" if there else "created"
        said = f"{path}: {verb} {len(data)} bytes"
        result = ToolResult(state="ok", summary=said, data={"path": path, "bytes": len(data)})
        kept = there.mode if there else 0o644
        images = {path: [image_at(self._files, path), image(data, mode=kept if mode is None else mode)]}
        return _Planned(images=images, act=lambda: self._written(path, data, result, mode=mode))

    def _written(self, path: str, data: bytes, result: ToolResult, *, mode: int | None = None) -> ToolResult:
        self._files.write(path, data, mode=mode)
        return result

    def _delete(self, path: str, _: EditArguments) -> _Planned:
        def act() -> ToolResult:
            self._files.delete(path)
            return ToolResult(state="ok", summary=f"{path}: deleted", data={"path": path})

        return _Planned(images={path: [self._image(path), ABSENT]}, act=act)

    def _move(self, path: str, arguments: EditArguments) -> _Planned:
        target = self._place.relative(arguments.move_to)

        def act() -> ToolResult:
            self._files.move(path, target)
            return ToolResult(state="ok", summary=f"{path}: moved to {target}", data={"path": target})

        moved = self._image(path)
        return _Planned(images={path: [moved, ABSENT], target: [ABSENT, moved]}, act=act)

    def _image(self, path: str) -> str:
        """The image of what must be there."""
        found = image_at(self._files, path)
        if found == ABSENT:
            raise NotFound(f"{shown(path)} does not exist", hint="Look with `list`.")
        return found


def _check_editable(path: str, content: Content) -> None:
    if content.cut:
        raise Refused(f"{path} is too large to edit: {content.size} bytes", hint="Use `run` with a program.")
    if content.binary:
        raise Refused(f"{path} is binary", hint="Use `run` with a program for its format.")


def _as_bytes(text: str | UnsetType, model: bytes) -> bytes:
    """`text` in UTF-8, with the line endings of `model` when those are all CRLF and `text` has none."""
    if text is UNSET:
        return b""
    try:
        data = str(text).encode()
    except UnicodeEncodeError:
        raise Refused("the text has half a surrogate pair", hint="Give whole Unicode characters.") from None
    breaks = model.count(b"\n")
    if breaks and model.count(b"\r\n") == breaks and b"\r" not in data:
        return data.replace(b"\n", b"\r\n")
    return data


def _mismatch(path: str, data: bytes, old: bytes, *, found: int, wanted: int) -> Refused:
    if found:
        lines = _lines_of(data, old)
        text = f"{path}: `old` occurs {found} times, not {wanted} (lines {', '.join(map(str, lines))})"
        return Refused(text, hint="Quote more of the surroundings, or give `count`.", data={"lines": lines})
    near = _nearest(data, old)
    if near is None:
        return Refused(f"{path}: `old` does not occur", hint="Read the file; quote it exactly.")
    line, text = near
    return Refused(
        f"{path}: `old` does not occur; the nearest is line {line}: {text[:120]!r}",
        hint="Quote the text exactly, with its white space.",
        data={"nearest": {"line": line, "text": text[:400]}},
    )


def _lines_of(data: bytes, old: bytes) -> list[int]:
    lines: list[int] = []
    at = data.find(old)
    while at >= 0 and len(lines) < 20:
        lines.append(data.count(b"\n", 0, at) + 1)
        at = data.find(old, at + len(old))
    return lines


def _nearest(data: bytes, old: bytes) -> tuple[int, str] | None:
    """The line most like the first line of `old` that has letters; its number counts from 1."""
    quoted = [line.strip() for line in lines_of(old) if line.strip()]
    if not quoted:
        return None
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(quoted[0][:200])
    best, place = NEAREST_RATIO, None
    for number, line in enumerate(lines_of(data)[:NEAREST_LINES], 1):
        matcher.set_seq1(line.strip()[:200])
        if matcher.real_quick_ratio() > best and matcher.quick_ratio() > best and (ratio := matcher.ratio()) > best:
            best, place = ratio, (number, line)
    return place

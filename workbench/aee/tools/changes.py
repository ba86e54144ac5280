"""Changes of files, known before they are made by the images of each file before and after; it decides no content.

An image is a short text that differs whenever a file differs in what a commit would keep of it. Held against what is
there now, the two images say of a change whether it took effect: nothing has to be guessed after a kill.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import msgspec

from workbench.aee.confined import Confined, Content
from workbench.aee.workspace_paths import shown, writable
from workbench.model.errors import NotFound, Refused, WorkbenchError

ABSENT = ""
_EXECUTABLE = 0o100


class FileChange(msgspec.Struct, frozen=True, kw_only=True):
    """One file before and after. `data` is its new content, None to remove it; `mode` None keeps what it has."""

    path: str
    before: str
    after: str
    data: bytes | None
    mode: int | None = None


def image(data: bytes, *, mode: int) -> str:
    """The image of a regular file."""
    mark = "+x" if mode & _EXECUTABLE else ""
    return f"sha256:{hashlib.sha256(data).hexdigest()}{mark}"


def image_at(files: Confined, path: str) -> str:
    """The image of what stands at `path`: a file by its content, a directory by its listing, all else by its kind."""
    found = files.stat(path)
    if found is None:
        return ABSENT
    if found.kind == "directory":
        start = len(found.path) + 1
        below = [(e.path[start:], e.kind, e.size, e.mode & _EXECUTABLE) for e in files.walk(path) if e.path != path]
        return f"directory:{hashlib.sha256(repr(below).encode('utf-8', 'surrogateescape')).hexdigest()}"
    if found.kind != "file" or found.links > 1:
        return f"{found.kind}:{found.size}"
    content = files.read(path)
    return f"{found.kind}:{found.size}" if content.cut else image(content.data, mode=content.mode)


def took_effect(files: Confined, images: Mapping[str, Sequence[str]]) -> bool:
    """Whether an interrupted change is there already: {path: (before, after)}. Raises Refused when neither fits."""
    now = {path: image_at(files, path) for path in images}
    if all(now[path] == after for path, (_, after) in images.items()):
        return True
    if odd := next((path for path, (before, _) in images.items() if now[path] != before), None):
        raise unlike_both(odd)
    return False


def unlike_both(path: str) -> Refused:
    """A file that somebody else changed since the interrupted call."""
    text = f"{shown(path)} is neither as it was before the interrupted call nor as that call leaves it"
    return Refused(text, hint="Read the file, and make the change anew.", data={"path": path})


def apply(files: Confined, changes: Sequence[FileChange]) -> int:
    """Make the changes that did not take effect yet, all or none; how many those were.

    Raises Refused, with nothing changed, when a file is neither as before nor as after its change.
    """
    pending = []
    for change in changes:
        writable(change.path)
        now = image_at(files, change.path)
        if now not in (change.before, change.after):
            raise unlike_both(change.path)
        if now != change.after:
            pending.append(change)
    undo: list[tuple[str, Content | None]] = []
    try:
        for change in sorted(pending, key=lambda change: change.data is not None):  # removals make room
            undo.append((change.path, _content(files, change.path)))
            _make(files, change)
    except WorkbenchError:
        for path, content in reversed(undo):
            _restore(files, path, content)
        raise
    return len(pending)


def _make(files: Confined, change: FileChange) -> None:
    if change.data is None:
        files.delete(change.path)
    else:
        files.write(change.path, change.data, mode=change.mode)


def _content(files: Confined, path: str) -> Content | None:
    try:
        return files.read(path)
    except NotFound:
        return None


def _restore(files: Confined, path: str, content: Content | None) -> None:
    if content is not None:
        files.write(path, content.data, mode=content.mode)
    elif files.stat(path) is not None:
        files.delete(path)


def packed(changes: Sequence[FileChange]) -> bytes:
    """The changes as one piece, to be kept until they are made."""
    return msgspec.msgpack.encode(list(changes))


def unpacked(data: bytes) -> list[FileChange]:
    """The inverse of `packed`."""
    return msgspec.msgpack.decode(data, type=list[FileChange])

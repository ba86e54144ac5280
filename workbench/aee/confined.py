"""The one way in which our own tools touch a directory that an agent may write to: by relative path, from a descriptor.

It owns that no byte outside the root is read or written, also while the agent swaps directories for links. It must not
know tools, git or the journal.

Rules. Symbolic links are never followed, not even inside: a link into `.git` would be a way around the write rule, and
one answer (openat2, or a walk with O_NOFOLLOW where the kernel lacks it) is easier to trust than two. A file with more
than one hard link is not read, because the other name may lie outside; a write always makes a new file and moves it
into place, so a hard link is never written through. Only regular files are opened, without blocking. `.git`, in any
spelling that some file system takes for it, is never written.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import msgspec

from workbench.aee.openat2 import Opener, best_opener
from workbench.aee.workspace_paths import PATH_PARTS, is_git, shown, split, writable
from workbench.model.errors import EnvironmentProblem, NotFound, Refused, WorkbenchError

READ_BYTES = 8 << 20  # of one file; more than any source file that is worth editing
WRITE_BYTES = 16 << 20
WALK_ENTRIES = 50_000  # seen by one walk, whatever it yields
BINARY_PROBE = 8000  # bytes searched for NUL, as git does
TEMPORARY = ".workbench-tmp-"  # prefix of files on their way into place; never delivered
_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.EIO})


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of a file: `data` is all of it unless `size` is larger."""

    data: bytes
    size: int
    mode: int

    @property
    def cut(self) -> bool:
        """Whether the file is longer than what was read."""
        return self.size > len(self.data)

    @property
    def binary(self) -> bool:
        """Whether it looks like anything but text."""
        return b"\0" in self.data[:BINARY_PROBE]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One name in a directory. `kind`: file | directory | link | other."""

    path: str
    kind: str
    size: int
    mode: int = 0
    links: int = 1


class Confined:
    """A directory, held by descriptor. Use it as a context manager, or call `close`."""

    def __init__(self, root: Path, *, opener: Opener | None = None) -> None:
        self._open = opener or best_opener()
        with _explained(str(root)):
            self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def __enter__(self) -> Confined:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the descriptor back; a second call does nothing."""
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def read(self, path: str, *, limit: int = READ_BYTES) -> Content:
        """At most `limit` bytes of a regular file. Raises NotFound and Refused."""
        parts = split(path)
        with _explained(path), self._opened(parts, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY) as descriptor:
            found = os.fstat(descriptor)
            _check_readable(path, found)
            return Content(data=_read_up_to(descriptor, limit), size=found.st_size, mode=stat.S_IMODE(found.st_mode))

    def stat(self, path: str) -> Entry | None:
        """What stands at `path`, not following it when it is a link; None when nothing does."""
        parts = split(path)
        try:
            with _explained(path), self._parent(parts) as (parent, name):
                return _entry("/".join(parts), os.stat(name, dir_fd=parent, follow_symlinks=False))
        except NotFound:
            return None

    def write(self, path: str, data: bytes, *, mode: int | None = None) -> None:
        """Put `data` at `path` in one step, keeping the mode of what was there; missing directories are made."""
        parts = writable(path)
        if len(data) > WRITE_BYTES:
            raise Refused(
                f"{shown(path)}: {len(data)} bytes are more than the limit of {WRITE_BYTES}", hint="Write less."
            )
        with _explained(path):
            self._make_directories(parts[:-1])
            with self._parent(parts) as (parent, name):
                _replace(parent, name, data, mode=_mode_for(parent, name, path, mode))

    def delete(self, path: str) -> None:
        """Remove a file or a link (never what it points to). Raises NotFound, and Refused for a directory."""
        parts = writable(path)
        with _explained(path), self._parent(parts) as (parent, name):
            os.unlink(name, dir_fd=parent)

    def move(self, path: str, target: str) -> None:
        """Give a file, link or directory another name inside. Raises Refused when `target` is taken."""
        source_parts, target_parts = writable(path), writable(target)
        if self.stat(target) is not None:
            raise Refused(f"{shown(target)} exists already", hint="Delete it first, or move to another name.")
        with _explained(path):
            with self._parent(source_parts) as (parent, name):
                os.stat(name, dir_fd=parent, follow_symlinks=False)
            self._make_directories(target_parts[:-1])
            with self._parent(source_parts) as (old, name), self._parent(target_parts) as (new, new_name):
                os.rename(name, new_name, src_dir_fd=old, dst_dir_fd=new)

    def list(self, path: str = "") -> list[Entry]:
        """The entries of one directory, sorted by name; at most WALK_ENTRIES."""
        parts = split(path, empty=True)
        with _explained(path), self._directory(parts) as directory:
            return _entries(directory, parts)

    def walk(self, path: str = "", *, depth: int = PATH_PARTS) -> Iterator[Entry]:
        """Everything below `path`, parents first, in the order of names; `.git` and links are not entered."""
        pending = [(entry, 1) for entry in reversed(self.list(path))]
        seen = len(pending)
        while pending:
            entry, level = pending.pop()
            yield entry
            if entry.kind != "directory" or level >= depth or seen >= WALK_ENTRIES or is_git(Path(entry.path).name):
                continue
            with contextlib.suppress(NotFound, Refused):  # swapped or removed since it was listed
                below = self.list(entry.path)
                seen += len(below)
                pending.extend((child, level + 1) for child in reversed(below))

    def clear_leftovers(self) -> None:
        """Remove what writes that were killed left on their way into place. Only while nobody writes."""
        for entry in list(self.walk()):
            if entry.kind == "file" and Path(entry.path).name.startswith(TEMPORARY):
                with contextlib.suppress(WorkbenchError):  # it is gone, or stands elsewhere by now
                    self.delete(entry.path)

    @contextlib.contextmanager
    def _opened(self, parts: tuple[str, ...], flags: int, *, beneath: int = -1) -> Iterator[int]:
        descriptor = self._open(self._root if beneath < 0 else beneath, parts, flags | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _directory(self, parts: tuple[str, ...]) -> Iterator[int]:
        if not parts:
            yield self._root
            return
        with self._opened(parts, os.O_RDONLY | os.O_DIRECTORY) as descriptor:
            yield descriptor

    @contextlib.contextmanager
    def _parent(self, parts: tuple[str, ...]) -> Iterator[tuple[int, str]]:
        with self._directory(parts[:-1]) as directory:
            yield directory, parts[-1]

    def _make_directories(self, parts: tuple[str, ...]) -> None:
        for end in range(1, len(parts) + 1):
            with self._parent(parts[:end]) as (parent, name), contextlib.suppress(FileExistsError):
                os.mkdir(name, dir_fd=parent)


def _check_readable(path: str, found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise Refused(f"{shown(path)} is a directory", hint="Use `list`.")
    if not stat.S_ISREG(found.st_mode):
        raise Refused(f"{shown(path)} is no regular file", hint="Only regular files can be read.")
    if found.st_nlink > 1:
        raise Refused(
            f"{shown(path)} has {found.st_nlink} hard links; another name of it may lie outside",
            hint="Replace it by a copy of its own (`cp f f.new && mv f.new f`).",
        )


def _read_up_to(descriptor: int, limit: int) -> bytes:
    pieces: list[bytes] = []
    while limit > 0 and (piece := os.read(descriptor, min(limit, 1 << 20))):
        pieces.append(piece)
        limit -= len(piece)
    return b"".join(pieces)


def _mode_for(parent: int, name: str, path: str, mode: int | None) -> int:
    try:
        found = os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return 0o644 if mode is None else mode & 0o755
    if not stat.S_ISREG(found.st_mode):
        raise Refused(f"{shown(path)} is no regular file", hint="Delete it first, or write elsewhere.")
    return stat.S_IMODE(found.st_mode) & 0o777 if mode is None else mode & 0o755


def _replace(parent: int, name: str, data: bytes, *, mode: int) -> None:
    """A new file, moved over `name` in one step; whatever stood there is unlinked, never written to."""
    temporary = TEMPORARY + secrets.token_hex(8)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o600, dir_fd=parent)
    try:
        try:
            _write_all(descriptor, data)
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)  # a recorded edit must not turn into an empty file when the power goes
        finally:
            os.close(descriptor)
        os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=parent)
        raise


def _write_all(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def _entries(directory: int, parts: tuple[str, ...]) -> list[Entry]:
    found: list[Entry] = []
    with os.scandir(directory) as names:
        for seen, item in enumerate(names):
            if seen >= WALK_ENTRIES:
                break
            with contextlib.suppress(FileNotFoundError):  # removed while we look
                found.append(_entry("/".join((*parts, item.name)), item.stat(follow_symlinks=False)))
    return sorted(found, key=lambda entry: entry.path)


_KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}


def _entry(path: str, found: os.stat_result) -> Entry:
    kind = _KINDS.get(stat.S_IFMT(found.st_mode), "other")
    return Entry(path=path, kind=kind, size=found.st_size, mode=stat.S_IMODE(found.st_mode), links=found.st_nlink)


@contextlib.contextmanager
def _explained(path: str) -> Iterator[None]:
    """Turn what the system says into errors with a remedy."""
    try:
        yield
    except OSError as error:
        raise _error_for(error, shown(path)) from None


def _error_for(error: OSError, name: str) -> WorkbenchError:
    if error.errno == errno.ENOENT:
        return NotFound(f"{name} does not exist", hint="Look with `list`.")
    if error.errno in (errno.ELOOP, errno.EXDEV, errno.EMLINK):
        return Refused(f"{name} leads through a symbolic link", hint="Name the file itself; links are not followed.")
    if error.errno == errno.ENOTDIR:
        return Refused(f"{name}: a part of the path is a link or no directory", hint="Look with `list`.")
    if error.errno in (errno.EISDIR, errno.EPERM):
        return Refused(f"{name} is a directory or protected", hint="Name a file.")
    if error.errno in _SPACE:
        return EnvironmentProblem(f"{name}: {error.strerror}", hint="Make room or mend the disk, then resume.")
    return Refused(f"{name}: {error.strerror}", hint="Look with `list`.")

"""Owns the order and the safety of a job's mounts. Knows nothing of bubblewrap's other options.

A mount nested in a writable one has its mountpoint in a directory where an agent may have put a symbolic link; it is
walked to without following any, on the host, before bubblewrap resolves the path.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from workbench.model.errors import SandboxProblem
from workbench.ports import Mount

RESERVED = ("/proc", "/dev", "/sys")


def mount_arguments(mounts: Sequence[Mount]) -> list[str]:
    """Bubblewrap's arguments, outer mounts first, so that a read-only mount inside a writable one holds."""
    ordered = sorted((_checked(mount) for mount in mounts), key=lambda mount: PurePosixPath(mount.target).parts)
    arguments: list[str] = []
    for index, mount in enumerate(ordered):
        outer = _outer(mount, ordered[:index])
        if outer is not None:
            _ensure_mountpoint(outer, mount)
        arguments += ["--bind" if mount.writable else "--ro-bind", mount.source, mount.target]
    return arguments


def _checked(mount: Mount) -> Mount:
    target = os.path.normpath(mount.target or mount.source)
    for path in (mount.source, target):
        if not path.startswith("/") or "\0" in path:
            raise SandboxProblem(f"{path!r} cannot be mounted", hint="Mounts need absolute paths.")
    if target in ("/", "//") or any(target == place or target.startswith(place + "/") for place in RESERVED):
        raise SandboxProblem(f"{target} cannot be a mount's target", hint="The sandbox makes this place itself.")
    if not Path(mount.source).exists():
        raise SandboxProblem(
            f"{mount.source} is to be mounted into the sandbox, but does not exist", hint="Make it, or drop the mount."
        )
    return Mount(source=mount.source, target=target, writable=mount.writable)


def _outer(mount: Mount, before: Sequence[Mount]) -> Mount | None:
    """The innermost earlier mount that `mount` lies in."""
    target = PurePosixPath(mount.target)
    holders = [other for other in before if PurePosixPath(other.target) in target.parents]
    return max(holders, key=lambda other: len(other.target), default=None)


def _ensure_mountpoint(outer: Mount, mount: Mount) -> None:
    """Walk from the outer mount's source to the mountpoint; make what is missing if that is a writable mount."""
    *above, last = PurePosixPath(mount.target).relative_to(outer.target).parts
    is_directory = Path(mount.source).is_dir()
    flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
    with contextlib.ExitStack() as open_fds:
        fd = os.open(outer.source, os.O_PATH | os.O_CLOEXEC)
        open_fds.callback(os.close, fd)
        try:
            for name in above:
                _make(fd, name, writable=outer.writable, is_directory=True)
                fd = os.open(name, flags | os.O_DIRECTORY, dir_fd=fd)
                open_fds.callback(os.close, fd)
            _make(fd, last, writable=outer.writable, is_directory=is_directory)
            kind = os.O_DIRECTORY if is_directory else 0
            open_fds.callback(os.close, os.open(last, flags | kind, dir_fd=fd))
            if _is_link(fd, last):  # O_PATH opens the link itself
                raise NotADirectoryError
        except OSError as error:
            raise SandboxProblem(
                f"{mount.target} cannot be mounted inside {outer.target}: {error.strerror or 'it is a symbolic link'}",
                hint=f"Make {mount.target!r} a plain {'directory' if is_directory else 'file'} in {outer.source}, "
                "without symbolic links on the way.",
            ) from None


def _is_link(fd: int, name: str) -> bool:
    return stat.S_ISLNK(os.lstat(name, dir_fd=fd).st_mode)


def _make(fd: int, name: str, *, writable: bool, is_directory: bool) -> None:
    if not writable:
        return
    with contextlib.suppress(FileExistsError):
        if is_directory:
            os.mkdir(name, mode=0o755, dir_fd=fd)
        else:
            os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o644, dir_fd=fd))

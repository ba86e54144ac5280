"""Bulky content in files named by their digest, on disk before the event that names them; it knows no events."""

from __future__ import annotations

import os
import re
from pathlib import Path

from workbench.model.digests import digest_bytes
from workbench.model.errors import JournalProblem, NotFound

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_FAN_OUT = 2  # leading hex digits that name the subdirectory


class FileBlobs:
    """Blobs below one directory."""

    def __init__(self, directory: Path, *, read_only: bool = False) -> None:
        self._directory = directory
        self._read_only = read_only

    def put(self, data: bytes) -> str:
        """Keep `data` and return its digest; file and directories are synced when this returns."""
        if self._read_only:
            raise JournalProblem("the journal was opened for reading only", hint="open it for writing to keep blobs")
        digest = digest_bytes(data)
        try:
            self._keep(self._path(digest), data)
        except OSError as error:
            hint = f"check space and permissions of {self._directory}, then try again"
            raise JournalProblem(f"a blob cannot be written: {error.strerror}", hint=hint) from error
        return digest

    def get(self, digest: str) -> bytes:
        """What was put under `digest`."""
        try:
            data = self._path(digest).read_bytes()
        except FileNotFoundError:
            hint = "the journal's directory may have been copied without its blobs"
            raise NotFound(f"there is no blob {digest}", hint=hint) from None
        except OSError as error:
            raise JournalProblem(f"blob {digest} cannot be read: {error.strerror}", hint="check the disk") from error
        if digest_bytes(data) != digest:
            hint = "its file was altered or the disk is failing: restore it from a copy of the journal's directory"
            raise JournalProblem(f"blob {digest} does not match its digest", hint=hint, data={"blob": digest})
        return data

    def has(self, digest: str) -> bool:
        """Whether something is kept under `digest`; its bytes are not looked at."""
        return self._path(digest).is_file()

    def _path(self, digest: str) -> Path:
        found = _DIGEST.fullmatch(digest)
        if found is None:
            raise NotFound(f"{digest!r} is no blob digest", hint="a digest is sha256: and 64 hex digits")
        name = found[1]
        return self._directory / name[:_FAN_OUT] / name[_FAN_OUT:]

    def _keep(self, path: Path, data: bytes) -> None:
        if not path.parent.is_dir():
            self._directory.mkdir(mode=0o700, exist_ok=True)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            sync_directory(self._directory.parent)
            sync_directory(self._directory)
        if not _holds(path, data):
            _write_whole(path, data)
        sync_directory(path.parent)  # also when it was there: whoever wrote it may not have come this far


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except FileNotFoundError:
        return False


def _write_whole(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    try:
        with open(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def sync_directory(directory: Path) -> None:
    """Make the names in `directory` durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Point reads of objects through one `git cat-file --batch` process; it must not know what the objects mean."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from subprocess import Popen
from types import TracebackType
from typing import IO

from workbench.model.errors import NotFound, RepositoryProblem
from workbench.repository.git import Git

LARGEST_BLOB = 64 << 20  # bytes; more of one file is not read into memory


class ObjectReader:
    """Reads by object name until closed. Safe to share between threads; one read at a time."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._process: Popen[bytes] | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> ObjectReader:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the process; a later read starts a new one."""
        with self._lock:
            process, self._process = self._process, None
            if process is None:
                return
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    with suppress(BrokenPipeError):
                        pipe.close()
            process.wait()

    def file(self, commit: str, path: str) -> bytes | None:
        """The file at `path` in `commit` or a tree; None when there is none, or only a directory or a submodule."""
        if not _is_tree_path(path):
            return None
        kind, data = self.read(f"{commit}:{path}")
        if kind == "missing" and self.read(f"{commit}^{{tree}}")[0] != "tree":
            raise NotFound(f"there is no commit {commit}", hint="fetch it first")
        return data if kind == "blob" else None

    def read(self, name: str) -> tuple[str, bytes]:
        """(type, content) of an object; type `missing` when nothing has that name."""
        if "\n" in name:  # the answer echoes the name in a line of its own
            return self._read_alone(name)
        with self._lock:
            stdin, stdout = self._pipes()
            stdin.write(os.fsencode(name) + b"\0")
            stdin.flush()
            return self._answer(stdout)

    def _answer(self, stdout: IO[bytes]) -> tuple[str, bytes]:
        header = stdout.readline()
        if not header:
            raise RepositoryProblem("git cat-file ended", hint="run git fsck in the repository")
        words = header.rsplit(b" ", 2)
        if len(words) < 3 or not words[2].strip().isdigit():
            return "missing", b""
        size = int(words[2])
        if size > LARGEST_BLOB:
            _drain(stdout, size + 1)
            raise RepositoryProblem(f"an object of {size} bytes is too large to read", hint="look at it with git show")
        data = stdout.read(size)
        stdout.read(1)
        return words[1].decode(), data

    def _read_alone(self, name: str) -> tuple[str, bytes]:
        kind = self._git.run("cat-file", "-t", name, ok=(0, 128))
        if kind.code:
            return "missing", b""
        return kind.text, self._git.run("cat-file", kind.text, name).out

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process is None:
            self._process = self._git.start("cat-file", "--batch", "-z")
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        return process.stdin, process.stdout


def _drain(stdout: IO[bytes], count: int) -> None:
    while count:
        count -= len(stdout.read(min(count, 1 << 20)) or b"x" * count)


def _is_tree_path(path: str) -> bool:
    """Whether a tree could hold this path: git would read `./x` after a colon as relative to somewhere."""
    parts = path.split("/")
    return "\0" not in path and all(part not in ("", ".", "..") for part in parts)

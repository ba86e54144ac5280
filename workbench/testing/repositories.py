"""Real git repositories for tests, built in a line or two; it knows nothing of Workbench's own repositories."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

_ENV = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada Example",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada Example",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
    "HOME": "/dev/null",
    "LC_ALL": "C",
}


class Repo:
    """A repository at `path`, made on first use, with branch `main`. Plain git runs in it, with equal dates."""

    def __init__(self, path: Path, *, bare: bool = False, object_format: str = "sha1") -> None:
        self.path = path
        if not (path / ".git").exists() and not (path / "HEAD").exists():
            path.mkdir(parents=True, exist_ok=True)
            self.git("init", "-q", "-b", "main", f"--object-format={object_format}", *(["--bare"] if bare else []))
            if not bare:
                self.git("config", "user.name", "Ada Example")
                self.git("config", "user.email", "ada@example.org")

    def git(self, *args: str, stdin: bytes = b"") -> str:
        """Run git in the repository; its output without the last line end. Raises CalledProcessError."""
        env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), **_ENV}
        done = subprocess.run(["git", *args], cwd=self.path, env=env, input=stdin, capture_output=True, check=True)
        return os.fsdecode(done.stdout).rstrip("\n")

    def write(self, files: Mapping[str, str | bytes | None]) -> None:
        """Write files in the working tree; None deletes one."""
        for name, content in files.items():
            target = self.path / name
            if content is None:
                target.unlink()
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: Mapping[str, str | bytes | None], message: str = "Change") -> str:
        """Write `files` and commit everything; the commit's id."""
        self.write(files)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.head

    def branch(self, name: str, *, at: str = "HEAD") -> None:
        """Make a branch and check it out."""
        self.git("checkout", "-q", "-B", name, at)

    @property
    def head(self) -> str:
        """The id of the commit that is checked out."""
        return self.git("rev-parse", "HEAD")

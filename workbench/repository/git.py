"""How the host runs git: a closed environment, pinned settings, no shell, short leases.

It owns the defences that hold for every call; it must not know what a run, a pack or a workspace is.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from workbench.model.errors import RepositoryProblem, UsageError

OLDEST_GIT = (2, 38)  # the first with `merge-tree --write-tree` and `cat-file -z`
TIMEOUT_S = 900.0  # one call may copy a large repository; what takes longer hangs
STDERR_SHOWN = 600  # characters of git's own words in an error

# Each pin closes a way in which a repository's own settings run a program, reach the network or change what we see.
PINS: tuple[str, ...] = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.bigFileThreshold=32m",
    "core.alternateRefsCommand=true",
    "core.pager=cat",
    "core.askPass=true",
    "core.sshCommand=false",
    "core.protectHFS=true",
    "core.protectNTFS=true",
    "core.quotePath=false",
    "credential.helper=",
    "commit.gpgSign=false",
    "diff.external=",
    "fetch.writeCommitGraph=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.allow=never",
    "protocol.file.allow=always",
    "protocol.ext.allow=never",
    "safe.bareRepository=explicit",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "transfer.fsckObjects=true",
)

_FIXED_ENV = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "HOME": "/dev/null",
    "LC_ALL": "C",
    "LANGUAGE": "C",
}
_COMMIT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a git command said."""

    code: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        """Standard output without the last line end; undecodable bytes as in file names."""
        return os.fsdecode(self.out).rstrip("\n")

    @property
    def fields(self) -> list[str]:
        """Standard output split at NUL bytes."""
        return [os.fsdecode(part) for part in self.out.split(b"\0") if part]


class Git:
    """Git on one repository. `git_dir` is given explicitly, so nothing is ever discovered from a directory.

    `settings` are further `-c` values. Nothing of the caller's environment reaches git but PATH and TMPDIR.
    """

    def __init__(self, git_dir: Path | None, *, work_tree: Path | None = None, settings: Sequence[str] = ()) -> None:
        self.git_dir = git_dir
        self.work_tree = work_tree
        self._settings = tuple(settings)

    def at(self, work_tree: Path, *, git_dir: Path | None = None) -> Git:
        """The same repository seen with a working tree."""
        return Git(git_dir or self.git_dir, work_tree=work_tree, settings=self._settings)

    def with_settings(self, *settings: str) -> Git:
        """The same repository with more `-c` values; the last one of a name holds."""
        return Git(self.git_dir, work_tree=self.work_tree, settings=(*self._settings, *settings))

    def run(
        self,
        *args: str,
        stdin: bytes | BinaryIO = b"",
        ok: tuple[int, ...] = (0,),
        env: Mapping[str, str] | None = None,
    ) -> Answer:
        """Run to the end. Raises RepositoryProblem when the exit code is not in `ok`."""
        process = self.start(*args, env=env, stdin=None if isinstance(stdin, bytes) else stdin)
        try:
            given = stdin if isinstance(stdin, bytes) else None
            out, err = process.communicate(given, timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise RepositoryProblem(
                f"git {args[0]} did not end within {TIMEOUT_S:.0f} s", hint="look at the disk, then try again"
            ) from None
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        answer = Answer(code=process.returncode, out=out, err=err)
        if answer.code not in ok:
            raise _problem(args, answer)
        return answer

    def text(self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        """Standard output of a command that must succeed."""
        return self.run(*args, stdin=stdin, env=env).text

    def says_yes(self, *args: str) -> bool:
        """Whether a command that answers with exit code 0 or 1 answered 0."""
        return self.run(*args, ok=(0, 1)).code == 0

    def start(
        self, *args: str, env: Mapping[str, str] | None = None, stdin: BinaryIO | None = None
    ) -> subprocess.Popen[bytes]:
        """The running command, with pipes; the caller ends it. Standard input is a pipe unless given."""
        # Imported here, because it costs 80 ms that a command which needs no git must not pay.
        from git.cmd import Git as Commands

        # GitPython hands its own environment on; `env -i` is what keeps inherited GIT_* from git.
        command = ["/usr/bin/env", "-i", *_environment(env), git_program(), *self._options(), *args]
        running = Commands("/").execute(command, as_process=True, istream=stdin or subprocess.PIPE)
        assert isinstance(running, Commands.AutoInterrupt)
        process, running.proc = running.proc, None  # the lease is ours, so collecting `running` must not end it
        return cast("subprocess.Popen[bytes]", process)

    def _options(self) -> list[str]:
        options = [word for pin in (*PINS, *self._settings) for word in ("-c", pin)]
        if self.git_dir is not None:
            options.append(f"--git-dir={self.git_dir}")
        if self.work_tree is not None:
            options += [f"--work-tree={self.work_tree}", "-C", str(self.work_tree)]
        return options


def _environment(extra: Mapping[str, str] | None) -> list[str]:
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    values = {**kept, **_FIXED_ENV, **(extra or {})}
    return [f"{name}={value}" for name, value in values.items()]


def _problem(args: Sequence[str], answer: Answer) -> RepositoryProblem:
    said = answer.err.decode("utf-8", "replace").strip()[:STDERR_SHOWN]
    return RepositoryProblem(
        f"git {args[0]} failed: {said or f'exit code {answer.code}'}",
        hint=_hint_for(said),
        data={"command": list(args)[:8], "exit_code": answer.code},
    )


_HINTS = {
    "Read-only file system": "the repository is on a read-only file system: mount it writable, or work on a copy",
    "Permission denied": "make the repository's .git directory writable for you, or work on a clone of your own",
    "insufficient permission": "make the repository's .git directory writable for you, or work on a clone of your own",
    "No space left": "free space on the disk, then run the same command again",
    "dubious ownership": "if you trust its owner: git config --global --add safe.directory <path>",
    "shallow": "run: git fetch --unshallow",
    "index.lock": "another git is at work in this checkout; when none is, remove the lock file it left",
    "cannot lock ref": "another git moved or holds this ref: look where it stands now, then try again",
    "bad object": "the repository lacks objects: run git fsck, and fetch what is missing",
}


def _hint_for(said: str) -> str:
    return next((hint for word, hint in _HINTS.items() if word in said), "run git fsck in the repository")


def git_program() -> str:
    """The path of git. Raises RepositoryProblem when there is none."""
    found = shutil.which("git")
    if found is None:
        raise RepositoryProblem("git is not installed", hint="install git 2.38 or newer, e.g. apt install git")
    return found


@lru_cache(maxsize=4)
def _version_of(program: str, _stamp: int) -> tuple[int, ...]:
    words = Git(None).text("version")
    numbers = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", words)
    if numbers is None:
        raise RepositoryProblem(f"{program} does not say which version it is", hint="install git 2.38 or newer")
    return tuple(int(number or 0) for number in numbers.groups())


def git_version() -> tuple[int, ...]:
    """The version of git as numbers."""
    program = git_program()
    return _version_of(program, Path(program).stat().st_mtime_ns)


def require_git() -> None:
    """Raise RepositoryProblem, with the remedy, when git is missing or too old."""
    version = git_version()
    if version < OLDEST_GIT:
        shown = ".".join(map(str, version))
        raise RepositoryProblem(f"git {shown} is too old", hint=f"install git {OLDEST_GIT[0]}.{OLDEST_GIT[1]} or newer")


@contextmanager
def understood(what: str) -> Iterator[None]:
    """Around the reading of git's answer: one that was cut, or is of another shape, is a RepositoryProblem."""
    try:
        yield
    except (ValueError, LookupError) as problem:
        raise RepositoryProblem(
            f"what git {what} said cannot be read: {str(problem)[:200]}",
            hint="try again; if it stays so, run git fsck, and see that git is a release of 2.38 or newer",
        ) from problem


def is_commit_id(text: str) -> bool:
    """Whether `text` is a full object id, as opposed to a name that git would look up."""
    return _COMMIT_ID.fullmatch(text) is not None


def checked_ref(ref: str) -> str:
    """`ref` if git could never read it as an option or a range; else UsageError."""
    if not ref or ref.startswith("-") or ".." in ref or any(c.isspace() or not c.isprintable() for c in ref):
        raise UsageError(f"{ref!r} cannot name a commit", hint="give a branch, a tag or a commit id")
    return ref

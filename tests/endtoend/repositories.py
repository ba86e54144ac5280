"""Repositories as people bring them, each made by plain git in a line or two, and a person who types in one."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.testing.repositories import Repo

WORKBENCH = Path(sys.executable).with_name("workbench")
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 12\n"


class Answer:
    """What a command said to a person."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def one(self) -> dict[str, Any]:
        """The single object on stdout."""
        return dict(json.loads(self.out))

    @property
    def error(self) -> dict[str, Any]:
        """The error object, which is the last line on stderr."""
        return dict(json.loads(self.err.strip().splitlines()[-1]))

    def __repr__(self) -> str:
        return f"exit {self.code}\n{self.out[-1500:]}\n{self.err[-3000:]}"


class Person:
    """Somebody at a terminal in a directory, with a home of their own below `home`."""

    def __init__(self, home: Path, *, prefix: tuple[str, ...] = ()) -> None:
        self.prefix = prefix
        home.mkdir(exist_ok=True)
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "WORKBENCH_", "XDG_"))}
        self.env = {
            **inherited,
            "HOME": str(home),
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "VIRTUAL_ENV": sys.prefix,
            "WORKBENCH_TESTS_MUTATION_S": "0",  # it has tests of its own, and a time of its own
        }
        (home / ".gitconfig").write_text("[user]\n\tname = Ada Coach\n\temail = ada@example.org\n")

    def types(self, at: Path, *words: str) -> Answer:
        """`workbench WORDS --json`."""
        done = subprocess.run(
            [*self.prefix, str(WORKBENCH), *words, "--json"],
            cwd=at, env=self.env, capture_output=True, text=True, errors="replace", timeout=110,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return Answer(done)

    def git(self, at: Path, *words: str) -> str:
        """The person's own git."""
        words = ("-c", "protocol.file.allow=always", *words)
        done = subprocess.run(["git", *words], cwd=at, env=self.env, capture_output=True, text=True, check=True)
        return done.stdout.strip()


def everything(person: Person, checkout: Path) -> dict[str, str]:
    """All that is a person's in a repository: files, index, refs, HEAD and settings; not what Workbench keeps there."""
    found = {"HEAD": person.git(checkout, "rev-parse", "--symbolic-full-name", "HEAD")}
    found["refs"] = "\n".join(
        line
        for line in person.git(checkout, "show-ref", "--head").splitlines()
        if "refs/workbench/" not in line and not line.endswith(" refs/notes/workbench")
    )
    found["index"] = person.git(checkout, "ls-files", "--stage")
    found["config"] = person.git(checkout, "config", "--list", "--local")
    for path in sorted(checkout.rglob("*")):
        if ".git" not in path.parts and (path.is_symlink() or path.is_file()):
            content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
            found[str(path)] = hashlib.sha256(content).hexdigest()
    return found


# --- what people bring, made at a path; each gives the directory to work in -------------------------------------------

Shape = Callable[[Path, Person], Path]
FILES: dict[str, str | bytes | None] = {"a.txt": "one\n", "src/b.txt": "two\n"}


def _plain(place: Path) -> Repo:
    made = Repo(place)
    made.commit(FILES, "First")
    return made


def clean(place: Path, _: Person) -> Path:
    """Nothing special."""
    return _plain(place).path


def uncommitted(place: Path, _: Person) -> Path:
    """Changed, staged, deleted and untracked work on another branch than the one that is merged into."""
    made = _plain(place)
    made.commit({"c.txt": "c\n", "d.txt": "d\n"})
    made.branch("mine")
    made.write({"a.txt": "draft\n", "c.txt": None, "notes/n.txt": "n\n", "d.txt": "staged\n"})
    made.git("add", "d.txt")
    return made.path


def submodules(place: Path, person: Person) -> Path:
    """A submodule with work of its own in it."""
    inner = _plain(place.with_name("inner"))
    made = _plain(place)
    person.git(place, "submodule", "add", "-q", str(inner.path), "libs/inner")
    made.git("commit", "-qm", "Sub")
    (place / "libs/inner/a.txt").write_text("draft in the submodule\n")
    return place


def lfs(place: Path, person: Person) -> Path:
    """Large files kept elsewhere, with the filter that git-lfs installs in a person's settings."""
    made = _plain(place)
    made.commit({".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "big.bin": LFS})
    for name in ("clean", "smudge"):
        person.git(place, "config", "--global", f"filter.lfs.{name}", "cat")
    return place


def crlf(place: Path, person: Person) -> Path:
    """A checkout with CRLF line ends, and files that are committed with them."""
    made = _plain(place)
    made.commit({"dos.bat": b"@echo off\r\nrem x\r\n", ".gitattributes": "*.bat -text\n"})
    person.git(place, "config", "--global", "core.autocrlf", "true")
    (place / "a.txt").unlink()
    person.git(place, "checkout", "-q", "--", "a.txt")
    assert (place / "a.txt").read_bytes() == b"one\r\n"
    return place


def names(place: Path, _: Person) -> Path:
    """Spaces, non-ASCII letters and other odd characters in the path and in names."""
    made = _plain(place.with_name("mein Büro – 作業"))
    made.commit({"Grüße an alle.txt": "x\n", "日本/ü'\"$(x).txt": "x\n", "-rf": "x\n", "tab\there": "x\n"})
    return made.path


def detached(place: Path, _: Person) -> Path:
    """No branch checked out."""
    made = _plain(place)
    made.commit({"a.txt": "2\n"})
    made.git("checkout", "-q", "--detach", "HEAD")
    return place


def many(place: Path, _: Person) -> Path:
    """5,000 files."""
    made = _plain(place)
    made.commit({f"src/m{n % 50}/f{n}.txt": f"line {n}\n" * 20 for n in range(5000)})
    return place


def shallow(place: Path, person: Person) -> Path:
    """A clone with its history cut off."""
    origin = _plain(place.with_name("origin"))
    origin.commit({"a.txt": "2\n"})
    person.git(place.parent, "clone", "-q", "--depth=1", f"file://{origin.path}", str(place))
    return place


def linked(place: Path, person: Person) -> Path:
    """A linked worktree, whose main worktree is elsewhere."""
    made = _plain(place.with_name("main"))
    person.git(made.path, "worktree", "add", "-q", str(place), "-b", "side")
    return place


def dirty_target(place: Path, _: Person) -> Path:
    """The branch to merge into is checked out, with work that no commit holds."""
    made = _plain(place)
    made.write({"a.txt": "draft\n"})
    return place


# Those in which a mission goes from a sentence to a merge and back.
WORKING: dict[str, Shape] = {
    shape.__name__: shape
    for shape in (clean, uncommitted, submodules, lfs, crlf, names, detached, many, shallow, linked)
}

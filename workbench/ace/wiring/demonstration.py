"""The demo: a small repository laid out on disk, and its three missions started in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from workbench.ace import demo
from workbench.ace.wiring.starting import Order, Started, start_mission
from workbench.ace.wiring.workplace import Workplace
from workbench.model.errors import RepositoryProblem, UsageError
from workbench.ports import DEMO_LEVEL
from workbench.repository.git import Git, git_program, require_git
from workbench.repository.repository import open_repository

SHOP = Path(demo.__file__).parent / "shop"
MISSIONS = (("payments-limit", "limiter"), ("parser-fix", "parser"), ("flaky-retry", "shortcut"))
SOMEBODY = {"user.name": "You", "user.email": "you@workbench.invalid"}  # where git does not know the person


def lay_out(directory: Path) -> Path:
    """Make the demo's repository in `directory`, which must be empty or absent; its path."""
    require_git()
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        taken = "is not empty" if directory.is_dir() else "is no directory"
        raise UsageError(f"{directory} {taken}.", hint="Name another directory: workbench demo DIR")
    shutil.copytree(SHOP, directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    (directory / ".workbench" / "local.toml").write_text(_own_settings(), encoding="utf-8")
    Git(None).run("init", "--quiet", "--template=", "--initial-branch=main", "--", str(directory))
    _introduce(directory)
    _commit(directory)
    return directory


def start(place: Workplace) -> list[Started]:
    """Start the demo's missions; they may run without a sandbox where none works, which is said."""
    return [start_mission(place, Order(what=what, agent=agent, sandbox=DEMO_LEVEL)) for what, agent in MISSIONS]


def _own_settings() -> str:
    """This very interpreter runs the shop's tests: it is the one that is known to be here."""
    if sys.prefix != sys.base_prefix:
        return f"[environment]\nvirtual_env = {_quoted(sys.prefix)}\n"
    return f"[environment]\nsearch_path = [{_quoted(str(Path(sys.executable).parent))}, '/usr/bin', '/bin']\n"


def _quoted(path: str) -> str:
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _introduce(directory: Path) -> None:
    with open_repository(directory, allow_empty=True) as repository:
        try:
            repository.identity()
        except RepositoryProblem:
            for name, value in SOMEBODY.items():
                repository.git.run("config", name, value)


def _commit(directory: Path) -> None:
    for words in (("add", "--all"), ("commit", "--quiet", "--no-verify", "--message", "A small shop")):
        subprocess.run([git_program(), "-C", str(directory), *words], check=True, capture_output=True)

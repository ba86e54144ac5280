"""What `doctor` looks at: one small check per thing, each with its remedy; none of them changes anything."""

from __future__ import annotations

import configparser
import importlib.util
import locale
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from workbench.ace.wiring import levels
from workbench.ace.wiring.check import Check, State, nearest
from workbench.ace.wiring.journal_checks import backups, journal
from workbench.ace.wiring.workplace import Workplace
from workbench.core.status import run_status
from workbench.model.errors import WorkbenchError

OLDEST_PYTHON = (3, 11)
FREE_BYTES_WARN = 2 << 30  # below it, a few clones and their evidence may fill the disk
FREE_BYTES_FAIL = 200 << 20
PROBE_S = 10.0  # for a program that only says who it is


def examine(place: Workplace) -> Iterator[Check]:
    """All checks, one after the other; one that breaks says so and stops none of the others.

    What prevents several of them, such as that there is no repository, is said once.
    """
    told: set[str] = set()
    for name, check in CHECKS.items():
        try:
            yield from check(place)
        except WorkbenchError as problem:
            if problem.message in told:
                continue
            told.add(problem.message)
            yield Check(id=name, state="fail", text=problem.message, remedy=problem.hint)
        except (OSError, subprocess.SubprocessError) as problem:
            yield Check(id=name, state="warn", text=f"could not be checked: {problem}")


def _python(_: Workplace) -> Iterator[Check]:
    found = sys.version_info[:3]
    ok = found >= OLDEST_PYTHON
    yield Check(
        id="python",
        state="ok" if ok else "fail",
        text=".".join(map(str, found)),
        remedy="" if ok else "install Python 3.11 or newer",
    )


def _git(_: Workplace) -> Iterator[Check]:
    from workbench.repository.git import git_version, require_git

    require_git()
    yield Check(id="git", state="ok", text=".".join(map(str, git_version())))


def _sandbox(_: Workplace) -> Iterator[Check]:
    problem, best = levels.bubblewrap_problem(), levels.best_level()
    if problem is None:
        yield Check(id="sandbox", state="ok", text="bubblewrap works")
    elif best:
        text = f"{problem.message}; {best} is used, which hides less"
        yield Check(id="sandbox", state="warn", text=text, remedy=problem.hint)
    else:
        yield Check(id="sandbox", state="fail", text=problem.message, remedy=problem.hint)


_USERNS_SWITCHES = (
    ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_unprivileged_userns=0"),
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
    ("/proc/sys/user/max_user_namespaces", "0", "user.max_user_namespaces=15000"),
)


def _user_namespaces(_: Workplace) -> Iterator[Check]:
    for path, closed, remedy in _USERNS_SWITCHES:
        if Path(path).exists() and Path(path).read_text().strip() == closed:
            text = f"{path} is {closed}: users may make no namespaces"
            yield Check(id="user-namespaces", state="warn", text=text, remedy=f"sudo sysctl {remedy}")
            return
    yield Check(id="user-namespaces", state="ok", text="not restricted")


def _disk(place: Workplace) -> Iterator[Check]:
    free = shutil.disk_usage(nearest(place.journal_directory)).free
    state: State = "fail" if free < FREE_BYTES_FAIL else "warn" if free < FREE_BYTES_WARN else "ok"
    remedy = "" if state == "ok" else "make room; workbench gc --dry-run shows what is ours"
    yield Check(id="disk", state=state, text=f"{free >> 20} MiB free beside the journal", remedy=remedy)


def disk_trouble(place: Workplace, *, least: int = FREE_BYTES_FAIL) -> str:
    """What is wrong with the disk beside the journal, and what to do; empty where at least that many bytes are free."""
    where = nearest(place.journal_directory)
    free = shutil.disk_usage(where).free
    if free >= least:
        return ""
    return (
        f"the disk of {where} has {free >> 20} MiB left, so that work may wait: make room "
        "(workbench gc --dry-run shows what is ours); it goes on by itself then"
    )


def _bytecode(_: Workplace) -> Iterator[Check]:
    cached = Path(importlib.util.cache_from_source(__file__))
    switched_off = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    if cached.exists():
        yield Check(id="bytecode", state="ok", text="compiled")
        return
    why = "PYTHONDONTWRITEBYTECODE is set" if switched_off else f"{cached.parent} has none"
    yield Check(
        id="bytecode",
        state="warn",
        text=f"{why}: every start takes 2 to 4 times as long",
        remedy=f"unset PYTHONDONTWRITEBYTECODE; {sys.executable} -m compileall -q {Path(__file__).parents[2]}",
    )


def _aee(place: Workplace) -> Iterator[Check]:
    who = place.presence()
    if who.pid is not None:
        yield Check(id="aee", state="ok", text=f"{who.state}, pid {who.pid}, version {who.version}")
        return
    with place.reading() as ledger:
        live = sum(run_status(run) in ("queued", "running") for run in ledger.runs(live=True))
    text = "the last one was killed" if who.died else "stopped"
    state: State = "warn" if live else "ok"
    yield Check(
        id="aee",
        state=state,
        text=f"{text}; {live} run{'' if live == 1 else 's'} could go on",
        remedy="workbench aee start: runs go on where they were" if live else "",
    )


def _log_out(_: Workplace) -> Iterator[Check]:
    """Whether logging out ends what a person left at work (logind.conf(5), loginctl(1))."""
    program = shutil.which("loginctl")
    if program is None or not Path("/run/systemd/system").exists():
        yield Check(id="log-out", state="ok", text="no login manager that would end processes")
        return
    lingers = _said(program, "show-user", str(os.getuid()), "--property=Linger", "--value").stdout.strip() == "yes"
    if lingers or not _kills_at_log_out():
        yield Check(id="log-out", state="ok", text="an AEE outlives your session")
        return
    yield Check(
        id="log-out",
        state="warn",
        text="KillUserProcesses=yes: the login manager ends the AEE when you log out",
        remedy="loginctl enable-linger",
    )


def _kills_at_log_out() -> bool:
    read = configparser.ConfigParser(strict=False, interpolation=None)
    places = [Path("/etc/systemd/logind.conf"), *sorted(Path("/etc/systemd/logind.conf.d").glob("*.conf"))]
    try:
        read.read(places)
        return read.getboolean("Login", "KillUserProcesses", fallback=False)
    except (configparser.Error, ValueError):
        return False


def _terminal(_: Workplace) -> Iterator[Check]:
    encoding = locale.getencoding().lower()
    term = os.environ.get("TERM", "")
    if encoding not in ("utf-8", "utf8"):
        remedy = "export LANG=C.UTF-8"
        yield Check(id="terminal", state="warn", text=f"the locale is {encoding}, not UTF-8", remedy=remedy)
    elif sys.stdout.isatty() and term in ("", "dumb"):
        yield Check(
            id="terminal", state="warn", text=f"TERM is {term or 'not set'}", remedy="export TERM=xterm-256color"
        )
    else:
        yield Check(id="terminal", state="ok", text=f"{encoding}, TERM {term or 'not set'}")


def _repository(place: Workplace) -> Iterator[Check]:
    from workbench.repository.repository import open_repository

    with open_repository(place.located.checkout or place.directory) as repository:
        repository.require_writable()
        commit = repository.resolve("HEAD")
        yield Check(
            id="repository", state="ok", text=f"{repository.name}, {repository.branch() or 'detached'} at {commit[:12]}"
        )
        repository.identity()
        if repository.is_detached:
            text, remedy = "HEAD is detached: there is no branch to merge into", "git switch BRANCH, or run with --into"
            yield Check(id="detached", state="warn", text=text, remedy=remedy)
        if repository.is_shallow:
            text = "a shallow clone: bases beyond its edge cannot be merged or compared"
            yield Check(id="shallow", state="warn", text=text, remedy="git fetch --unshallow")
        if paths := repository.submodules(commit):
            text = f"agents see submodules as empty directories: {', '.join(paths[:5])}"
            yield Check(id="submodules", state="warn", text=text, remedy="name what they need in the brief")
        if paths := repository.lfs_files(commit):
            text = f"agents see LFS pointers, not contents: {', '.join(paths[:5])}"
            yield Check(id="lfs", state="warn", text=text, remedy="list what they need in .worktreeinclude")


def _settings(place: Workplace) -> Iterator[Check]:
    from workbench.ace.wiring import settings_check

    problems = settings_check.problems(place)
    if not problems:
        yield Check(id="settings", state="ok", text="no problems")
    for problem in problems:
        state: State = "fail" if problem.severity == "error" else "warn"
        where = f"{problem.path}:{problem.line}:{problem.column}"
        yield Check(id="settings", state=state, text=f"{where}: {problem.text}", remedy=problem.remedy)


CHECKS: dict[str, Callable[[Workplace], Iterator[Check]]] = {
    "python": _python,
    "git": _git,
    "repository": _repository,
    "sandbox": _sandbox,
    "user-namespaces": _user_namespaces,
    "journal": journal,
    "backups": backups,
    "disk": _disk,
    "aee": _aee,
    "log-out": _log_out,
    "settings": _settings,
    "bytecode": _bytecode,
    "terminal": _terminal,
}


def _said(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, capture_output=True, text=True, errors="replace", timeout=PROBE_S, check=False, stdin=subprocess.DEVNULL
    )


__all__ = ["Check", "State", "examine"]

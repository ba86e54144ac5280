"""How a project's tests are run, read off its base commit; it runs nothing and never reads the change.

An explicit command (`[tests]` of the configuration as it stands on base) wins. Otherwise the first convention that
fits: pytest, unittest, node, npm, go, cargo, make.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import Literal

import msgspec

from workbench.artifacts.configuration import Tests
from workbench.evidence.material import has_section, is_test_file

SuiteKind = Literal["pytest", "unittest", "node", "go", "cargo", "command"]
Read = Callable[[str], bytes | None]

MAX_SNIFFED = 40  # test files that are looked into to tell unittest from pytest
_SHELL = re.compile(r"[|&;<>$`\\(){}*?!~\n]")  # a script with any of these needs a shell
_MAKE_TARGET = re.compile(rb"^(test|check)[ \t]*:(?!=)", re.MULTILINE)
REPORT = "{report}"  # stands in an argv for the directory in which reports are left


class SuitePlan(msgspec.Struct, frozen=True, kw_only=True):
    """How to run a suite. `argv` of pytest and unittest are arguments of our runner; `{report}` is filled in later."""

    kind: SuiteKind
    argv: tuple[str, ...]
    junit: str = ""  # file name inside the report directory; empty: outcomes come from elsewhere
    coverage: str = ""  # the same for a report of coverage, by a runner in which we cannot measure it
    label: str = ""  # what a person reads
    origin: str = ""  # where this was found
    env: dict[str, str] = {}

    @property
    def names_tests(self) -> bool:
        """Whether single tests are known by id; a bare command has only an exit code."""
        return self.kind != "command" or bool(self.junit)


def plan_suite(paths: Sequence[str], read: Read, *, configured: Tests | None = None) -> SuitePlan | None:
    """The suite of a base commit with these `paths`, whose files `read` gives; None when nothing fits.

    `configured` is the `[tests]` table as it stands on base: its command wins, its kind narrows the conventions.
    """
    settings = configured or Tests()
    if settings.command:
        return configured_plan(settings)
    chosen = _CONVENTIONS.values() if settings.kind == "auto" else [_CONVENTIONS.get(settings.kind, _none)]
    plans = (convention(paths, read) for convention in chosen)
    plan = next((plan for plan in plans if plan is not None), None)
    return plan or _FORCED.get(settings.kind)


def looked_for(configured: Tests | None = None) -> tuple[str, ...]:
    """What `plan_suite` looks for on base, in words and in its order."""
    kind = configured.kind if configured else "auto"
    chosen = _SIGNS.values() if kind == "auto" else [_SIGNS.get(kind, f"what makes a suite of {kind}")]
    return ("a command in [tests]", *chosen)


_ABOUT_OUTPUT = frozenset(("-q", "--quiet", "-v", "--verbose", "-b", "--buffer"))  # of unittest: what it prints


def configured_plan(settings: Tests) -> SuitePlan:
    """The plan that a `[tests]` table with a command asks for."""
    words = settings.command if isinstance(settings.command, tuple) else _words(settings.command)
    plan = recognised(words, origin="[tests] command")
    if settings.kind in ("command", "make", "npm"):
        plan = SuitePlan(kind="command", argv=words, label=plan.label, origin=plan.origin)
    junit = PurePosixPath(settings.junit).name
    plan = msgspec.structs.replace(plan, junit=junit) if plan.kind == "command" and junit else plan
    measured = "" if plan.kind in ("pytest", "unittest") else PurePosixPath(settings.coverage).name
    return msgspec.structs.replace(plan, coverage=measured) if measured else plan


def recognised(argv: tuple[str, ...], *, origin: str) -> SuitePlan:
    """A command as a plan of the runner that it names, or as a bare command."""
    words = argv[2:] if argv[:2] and _is_python(argv[0]) and argv[1] == "-m" else argv
    label = shlex.join(argv)
    if words and words[0] in ("pytest", "py.test"):
        return SuitePlan(kind="pytest", argv=words[1:], junit="junit.xml", label=label, origin=origin)
    if words is not argv and words[0] == "unittest":
        given = words[2:] if words[1:2] == ("discover",) else words[1:]
        arguments = tuple(word for word in given if word not in _ABOUT_OUTPUT)
        if not any(word.startswith("-") for word in arguments):
            return SuitePlan(kind="unittest", argv=arguments, label=label, origin=origin)
    if words[:2] == ("node", "--test") or (words[:1] == ("node",) and "--test" in words):
        return _node(words[1:], label=label, origin=origin)
    if words[:2] == ("go", "test"):
        return SuitePlan(kind="go", argv=("go", "test", "-json", *words[2:]), label=label, origin=origin)
    if words[:2] == ("cargo", "test") and "--" not in words:
        return _cargo(words[2:], label=label, origin=origin)
    return SuitePlan(kind="command", argv=argv, label=label, origin=origin)


def _words(command: str) -> tuple[str, ...]:
    if _SHELL.search(command.replace(REPORT, "")):
        return ("sh", "-c", command)
    try:
        return tuple(shlex.split(command))
    except ValueError:
        return ("sh", "-c", command)


def _is_python(word: str) -> bool:
    return re.fullmatch(r"python[0-9.]*", PurePosixPath(word).name) is not None


def _pytest(paths: Sequence[str], read: Read) -> SuitePlan | None:
    origin = _pytest_origin(paths, read)
    return SuitePlan(kind="pytest", argv=(), junit="junit.xml", label="pytest", origin=origin) if origin else None


def _pytest_origin(paths: Sequence[str], read: Read) -> str:
    known = set(paths)
    for name in ("pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml"):
        if name in known:
            return name
    if re.search(rb"^\s*\[+\s*tool\.pytest\b", read("pyproject.toml") or b"", re.MULTILINE):
        return "pyproject.toml [tool.pytest]"
    for name, section in (("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
        if name in known and has_section(read(name) or b"", section):
            return f"{name} [{section}]"
    if any(PurePosixPath(path).name == "conftest.py" for path in paths):
        return "conftest.py"
    tests = _python_tests(paths)
    if tests and not all(_is_unittest(read(path) or b"") for path in tests[:MAX_SNIFFED]):
        return tests[0]
    return ""


def _unittest(paths: Sequence[str], _: Read) -> SuitePlan | None:
    tests = _python_tests(paths)
    if not tests:
        return None
    top = {PurePosixPath(path).parts[0] for path in tests if "/" in path}
    start = next((name for name in ("tests", "test") if name in top), ".")
    return SuitePlan(kind="unittest", argv=(start,), label=f"unittest {start}", origin=tests[0])


def _python_tests(paths: Sequence[str]) -> list[str]:
    return [path for path in paths if path.endswith(".py") and is_test_file(path)]


def _is_unittest(source: bytes) -> bool:
    return b"unittest" in source and b"pytest" not in source and not re.search(rb"^def test", source, re.MULTILINE)


def _npm(paths: Sequence[str], read: Read) -> SuitePlan | None:
    script = _test_script(read("package.json"))
    if script and "no test specified" not in script:
        plan = _from_script(script)
        return plan or SuitePlan(
            kind="command", argv=("npm", "test", "--silent"), label="npm test", origin="package.json"
        )
    if any(re.fullmatch(r".*[._-]test\.[cm]?js", path) for path in paths):
        return _node(("--test",), label="node --test", origin="*.test.js")
    return None


def _test_script(package: bytes | None) -> str:
    try:
        document = json.loads(package or b"{}")
        script = document["scripts"]["test"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return script if isinstance(script, str) else ""


def _from_script(script: str) -> SuitePlan | None:
    words = _words(script)
    if words[:1] == ("sh",) or not words:
        return None
    origin, local = "package.json", f"node_modules/.bin/{words[0]}"
    if words[0] == "node":
        return recognised(words, origin=origin) if "--test" in words else None
    if words[0] == "vitest":
        report = ("run", "--reporter=junit", f"--outputFile={REPORT}/junit.xml")
        arguments = tuple(word for word in words[1:] if word not in ("run", "--run"))
        return SuitePlan(
            kind="command", argv=(local, *report, *arguments), junit="junit.xml", label=script, origin=origin
        )
    if words[0] == "mocha":
        extra = ("--reporter", "xunit", "--reporter-option", f"output={REPORT}/junit.xml")
        return SuitePlan(
            kind="command", argv=(local, *words[1:], *extra), junit="junit.xml", label=script, origin=origin
        )
    return None


def _node(words: tuple[str, ...], *, label: str, origin: str) -> SuitePlan:
    report = ("--test-reporter=junit", f"--test-reporter-destination={REPORT}/junit.xml")
    plain = ("--test-reporter=spec", "--test-reporter-destination=stdout")
    return SuitePlan(kind="node", argv=("node", *report, *plain, *words), junit="junit.xml", label=label, origin=origin)


def _go(paths: Sequence[str], _: Read) -> SuitePlan | None:
    if "go.mod" not in paths:
        return None
    return recognised(("go", "test", "./..."), origin="go.mod")


def _cargo_convention(paths: Sequence[str], _: Read) -> SuitePlan | None:
    return _cargo((), label="cargo test", origin="Cargo.toml") if "Cargo.toml" in paths else None


def _cargo(words: tuple[str, ...], *, label: str, origin: str) -> SuitePlan:
    argv = ("cargo", "test", "--no-fail-fast", "--offline", *words)
    return SuitePlan(kind="cargo", argv=argv, label=label, origin=origin, env={"CARGO_TERM_COLOR": "never"})


def _make(paths: Sequence[str], read: Read) -> SuitePlan | None:
    for name in ("GNUmakefile", "makefile", "Makefile"):
        match = _MAKE_TARGET.search(read(name) or b"") if name in paths else None
        if match:
            target = match[1].decode()
            return SuitePlan(kind="command", argv=("make", target), label=f"make {target}", origin=name)
    return None


def _none(_: Sequence[str], __: Read) -> SuitePlan | None:
    return None


_CONVENTIONS: dict[str, Callable[[Sequence[str], Read], SuitePlan | None]] = {
    "pytest": _pytest,
    "unittest": _unittest,
    "npm": _npm,
    "node": _npm,
    "go": _go,
    "cargo": _cargo_convention,
    "make": _make,
}
_SIGNS = {
    "pytest": "test files or a configuration of pytest",
    "unittest": "test files of unittest",
    "npm": "a test script in package.json",
    "node": "*.test.js files",
    "go": "go.mod",
    "cargo": "Cargo.toml",
    "make": "a target `test` or `check` in a Makefile",
}
_FORCED = {
    "pytest": SuitePlan(kind="pytest", argv=(), junit="junit.xml", label="pytest", origin="[tests] kind"),
    "unittest": SuitePlan(kind="unittest", argv=(".",), label="unittest", origin="[tests] kind"),
}

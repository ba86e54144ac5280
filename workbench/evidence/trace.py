"""The witness: runs pytest or unittest in the project's own interpreter and records what it saw; it judges nothing.

This file is copied beside the run and started there as a script by whatever Python the project uses (3.8 or newer), so
it imports nothing but the standard library. Each record is one JSON line; the readers are in `witness`. Test code runs
in this process and could forge every line: what is recorded here is one voice of several.
"""

# ruff: noqa: D102  # the methods are pytest's and unittest's hooks, described where those are defined

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import time
import unittest
import warnings
from collections.abc import Callable
from typing import Any

MAX_TEXT = 4000  # characters kept of a message or traceback
_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120


class Witness:
    """Writes records to a file that is opened before any code of the project is imported."""

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._pid = os.getpid()

    def write(self, kind: str, **fields: Any) -> None:
        """Append one record; a forked child of the test run writes nothing."""
        if os.getpid() == self._pid:
            line = json.dumps({"kind": kind, **fields}, default=str) + "\n"
            os.write(self._fd, line.encode("utf-8", "backslashreplace"))


class PytestWitness:
    """A pytest plugin: ids as collected, what was deselected, each phase of each test, collection errors."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness
        self._pid = os.getpid()

    def pytest_collection_finish(self, session: Any) -> None:
        ids = [item.nodeid for item in session.items]
        self._witness.write("collected", ids=ids)

    def pytest_deselected(self, items: Any) -> None:
        self._witness.write("deselected", ids=[item.nodeid for item in items])

    def pytest_collectreport(self, report: Any) -> None:
        if report.outcome != "passed":
            state = "skipped" if report.outcome == "skipped" else "error"
            self._witness.write("collect", id=report.nodeid, state=state, text=_text(report.longrepr))

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.outcome == "passed" and report.when != "call":
            return
        path, line, _ = report.location
        crash = getattr(report.longrepr, "reprcrash", None)
        self._witness.write(
            "phase",
            id=report.nodeid,
            when=report.when,
            outcome=report.outcome,
            xfail=hasattr(report, "wasxfail"),
            seconds=round(report.duration, 6),
            path=path,
            line=(line or 0) + 1,
            message=str(getattr(crash, "message", ""))[:MAX_TEXT],
            text=_text(report.longrepr) if report.outcome != "passed" else "",
        )


class UnittestWitness(unittest.TestResult):
    """A unittest result that records each outcome."""

    def __init__(self, witness: Witness) -> None:
        super().__init__()
        self._witness = witness
        self._begun: dict[str, float] = {}
        self._states: dict[str, tuple[str, str]] = {}

    def startTest(self, test: Any) -> None:
        super().startTest(test)
        self._begun[test.id()] = time.monotonic()
        self._states[test.id()] = ("passed", "")

    def stopTest(self, test: Any) -> None:
        super().stopTest(test)
        state, text = self._states.get(test.id(), ("error", ""))
        self._record(test.id(), state, text)

    def addError(self, test: Any, err: Any) -> None:
        super().addError(test, err)
        text = self.errors[-1][1]
        if test.id() in self._states:
            self._states[test.id()] = ("error", text)
        else:  # a class or module fixture
            self._record(test.id(), "error", text)

    def addFailure(self, test: Any, err: Any) -> None:
        super().addFailure(test, err)
        self._states[test.id()] = ("failed", self.failures[-1][1])

    def addSkip(self, test: Any, reason: str) -> None:
        super().addSkip(test, reason)
        if test.id() in self._states:
            self._states[test.id()] = ("skipped", reason)
        else:
            self._record(test.id(), "skipped", reason)

    def addUnexpectedSuccess(self, test: Any) -> None:
        super().addUnexpectedSuccess(test)
        self._states[test.id()] = ("failed", "unexpected success")

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._states[test.id()] = ("failed", str(err[1])[:MAX_TEXT])

    def _record(self, test_id: str, state: str, text: str) -> None:
        seconds = time.monotonic() - self._begun.get(test_id, time.monotonic())
        message = text.strip().splitlines()[-1] if text.strip() else ""
        self._witness.write(
            "test",
            id=test_id,
            state=state,
            seconds=round(seconds, 6),
            message=message[:MAX_TEXT],
            text=text[-MAX_TEXT:],
        )


class _Coverage:
    """Line coverage of a few named files, by the project's `coverage` or the one at `tools`."""

    def __init__(self, plan: dict[str, Any], witness: Witness) -> None:
        self._files: list[str] = plan.get("files", [])
        self._witness = witness
        self._running: Any = None
        if self._files:
            self._start(plan.get("tools", ""))

    def _start(self, tools: str) -> None:
        sys.path.append(tools)
        try:
            coverage = importlib.import_module("coverage")
            self._running = coverage.Coverage(data_file=None, include=self._files, config_file=False)
            self._running.start()
        except Exception as error:  # noqa: BLE001  # any failure of a foreign tool means: not checked
            self._running = None
            self._witness.write("coverage-missing", text=f"{type(error).__name__}: {error}"[:MAX_TEXT])
        finally:
            sys.path.remove(tools)

    def finish(self) -> None:
        if self._running is None:
            return
        files = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                self._running.stop()
                for file in self._files:
                    _, statements, _, missing, _ = self._running.analysis2(file)
                    files[file] = {"statements": statements, "missing": missing}
            except Exception as error:  # noqa: BLE001  # the same
                self._witness.write("coverage-missing", text=f"{type(error).__name__}: {error}"[:MAX_TEXT])
                return
        self._witness.write("coverage", files=files)


def _text(value: Any) -> str:
    return str(value)[-MAX_TEXT:] if value is not None else ""


def _run_pytest(plan: dict[str, Any], witness: Witness) -> int:
    pytest = _tool("pytest", witness)
    if pytest is None:
        return 4
    arguments = ["-p", "no:cacheprovider", "--maxfail=0", "-o", "junit_logging=no", "--junitxml", plan["junit"]]
    if importlib.util.find_spec("xdist") is not None:
        arguments.append("-n0")  # every import must be seen in this process
    if importlib.util.find_spec("pytest_cov") is not None:
        arguments.append("--no-cov")  # one tracer at a time
    _enter(plan)
    sys.argv = ["pytest", *plan["arguments"]]
    return int(pytest.main([*plan["arguments"], *arguments], plugins=[PytestWitness(witness)]))


def _run_unittest(plan: dict[str, Any], witness: Witness) -> int:
    _enter(plan)
    result = UnittestWitness(witness)
    suite = _discover(plan["arguments"])
    witness.write("collected", ids=[test.id() for test in _tests_of(suite)])
    suite.run(result)
    for test, text in result.errors + result.failures:
        sys.stdout.write(f"{test}\n{text}\n")
    if not result.testsRun and not result.errors:
        return 5
    return 0 if result.wasSuccessful() else 1


def _discover(arguments: list[str]) -> Any:
    start = arguments[0] if arguments else "."
    loader = unittest.TestLoader()
    if os.path.isdir(start):  # noqa: PTH112
        patterns = arguments[1:] or ["test*.py"]
        return unittest.TestSuite([loader.discover(start, pattern=p, top_level_dir=".") for p in patterns])
    return loader.loadTestsFromNames(arguments)


def _tests_of(suite: Any) -> list[Any]:
    if not isinstance(suite, unittest.TestSuite):
        return [suite]
    return [test for part in suite for test in _tests_of(part)]


def _tool(name: str, witness: Witness) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        witness.write("tool-missing", name=name, text=str(error))
        sys.stderr.write(f"{name} is not installed in this environment: {error}\n")
        return None


def _enter(plan: dict[str, Any]) -> None:
    """Let the project be imported from the workspace, here and in processes that tests start."""
    sys.path[0:0] = plan["python_path"]
    os.environ["PYTHONPATH"] = os.pathsep.join(plan["python_path"])


def _origins(names: list[str]) -> dict[str, str]:
    wanted = set(names)
    found = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name.partition(".")[0] in wanted and isinstance(file, str):
            found[name] = os.path.realpath(file)
    return found


RUNNERS: dict[str, Callable[[dict[str, Any], Witness], int]] = {"pytest": _run_pytest, "unittest": _run_unittest}


def main() -> int:
    """Run as the plan in the file `argv[1]` says; the exit code is that of the runner."""
    with open(sys.argv[1], encoding="utf-8") as file:
        plan = json.load(file)
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != _HERE]  # noqa: PTH100
    witness = Witness(plan["witness"])
    witness.write("start", python=sys.version.split()[0], prefix=sys.prefix)
    measured = _Coverage(plan.get("coverage") or {}, witness)
    code = RUNNERS[plan["runner"]](plan, witness)
    measured.finish()
    witness.write("modules", files=_origins(plan["project"]))
    witness.write("finish", code=code)
    sys.stdout.flush()
    return code


if __name__ == "__main__":
    sys.exit(main())

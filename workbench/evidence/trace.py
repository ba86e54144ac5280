"""The witness: runs pytest or unittest in the project's own interpreter and reports what it sees; it judges nothing.

This file is copied beside the run and loaded there by the warden in whatever Python the project uses (3.8 or newer), so
it imports nothing but the standard library and its neighbours. Each report is one JSON line that carries the run's
secret, which only closures here hold; the readers are in `warden` and `witness`. Test code runs in this process: what
is reported here is one voice of several.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

MAX_TEXT = 4000  # characters kept of a message or traceback
MAX_CONTEXTS = 200  # tests that are named for one line
_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120

Send = Callable[..., None]


def sender(fd: int, secret: bytes) -> Send:
    """A function that reports under `secret`; a forked child of the test run reports nothing."""
    own, prefix = os.getpid(), secret + b" "
    getpid, write, encode = os.getpid, os.write, json.JSONEncoder(default=str).encode

    def send(kind: str, **fields: Any) -> None:
        if getpid() == own:
            data = prefix + encode({"kind": kind, **fields}).encode("utf-8", "backslashreplace") + b"\n"
            while data:
                data = data[write(fd, data) :]

    return send


def pytest_witness(
    send: Send, look: Callable[[], None], settled: Callable[[], None], reached: Callable[[str], None]
) -> Any:
    """A pytest plugin: ids as collected, what was deselected, begin, phases and end of each test, collection errors.

    Its methods hold what they report with: replacing an attribute of the plugin or its class changes nothing.
    `settled` is called once the plugins of the environment are loaded, `reached` with each test before and after it.
    """
    text = _text

    class Plugin:
        def pytest_configure(self) -> None:
            settled()

        def pytest_collection_finish(self, session: Any) -> None:
            send("collected", ids=[item.nodeid for item in session.items])

        def pytest_deselected(self, items: Any) -> None:
            send("deselected", ids=[item.nodeid for item in items])

        def pytest_collectreport(self, report: Any) -> None:
            if report.outcome != "passed":
                state = "skipped" if report.outcome == "skipped" else "error"
                send("collect", id=report.nodeid, state=state, text=text(report.longrepr))

        def pytest_runtest_logstart(self, nodeid: str) -> None:
            reached("")
            send("began", id=nodeid)

        def pytest_runtest_logfinish(self, nodeid: str) -> None:
            look()
            reached(nodeid)
            send("ended", id=nodeid)

        def pytest_runtest_logreport(self, report: Any) -> None:
            if report.outcome == "passed" and report.when != "call":
                return
            path, line, _ = report.location
            crash = getattr(report.longrepr, "reprcrash", None)
            send(
                "phase",
                id=report.nodeid,
                when=report.when,
                outcome=report.outcome,
                xfail=hasattr(report, "wasxfail"),
                seconds=round(report.duration, 6),
                path=path,
                line=(line or 0) + 1,
                message=str(getattr(crash, "message", ""))[:MAX_TEXT],
                text=text(report.longrepr) if report.outcome != "passed" else "",
            )

    return Plugin()


def unittest_witness(send: Send, look: Callable[[], None], reached: Callable[[str], None]) -> Any:
    """A `unittest.TestResult` that reports each test."""
    import unittest

    begun: dict[str, float] = {}
    states: dict[str, tuple[str, str]] = {}

    def record(test_id: str, state: str, text: str) -> None:
        seconds = round(time.monotonic() - begun.get(test_id, time.monotonic()), 6)
        message = text.strip().splitlines()[-1][:MAX_TEXT] if text.strip() else ""
        send("test", id=test_id, state=state, seconds=seconds, message=message, text=text[-MAX_TEXT:])

    def settle(test_id: str, state: str, text: str) -> None:
        """Of a running test the state is told at its end, of a class or module fixture at once."""
        if test_id in states:
            states[test_id] = (state, text)
        else:
            record(test_id, state, text)

    class Result(unittest.TestResult):
        def startTest(self, test: Any) -> None:
            super().startTest(test)
            reached("")
            begun[test.id()] = time.monotonic()
            states[test.id()] = ("passed", "")
            send("began", id=test.id())

        def stopTest(self, test: Any) -> None:
            super().stopTest(test)
            record(test.id(), *states.pop(test.id(), ("error", "")))
            look()
            reached(test.id())
            send("ended", id=test.id())

        def addError(self, test: Any, err: Any) -> None:
            super().addError(test, err)
            settle(test.id(), "error", self.errors[-1][1])

        def addFailure(self, test: Any, err: Any) -> None:
            super().addFailure(test, err)
            settle(test.id(), "failed", self.failures[-1][1])

        def addSkip(self, test: Any, reason: str) -> None:
            super().addSkip(test, reason)
            settle(test.id(), "skipped", reason)

        def addUnexpectedSuccess(self, test: Any) -> None:
            super().addUnexpectedSuccess(test)
            settle(test.id(), "failed", "unexpected success")

        def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
            super().addSubTest(test, subtest, err)
            if err is not None:
                settle(test.id(), "failed", str(err[1])[:MAX_TEXT])

    return Result()


class _Coverage:
    """Which lines of a few named files run, and in which tests; what of them counts is for others to say."""

    def __init__(self, wanted: dict[str, Any], send: Send) -> None:
        self._send = send
        self._lines = {file: frozenset(lines) for file, lines in wanted.get("lines", {}).items()}
        self._tests: list[str] = []
        self._contexts: dict[str, dict[int, list[int]]] = {}
        self._probes = _beside("workbench_probes").Probes(wanted["files"], wanted.get("lines"))
        self._probes.install()
        send("coverage-places", files=self._probes.places(), conditions=self._probes.conditions())

    def reached(self, test: str) -> None:
        """Note the lines that ran since this was last called as those of `test`; "" forgets them."""
        fresh = self._probes.taken()
        number = -1
        for file, lines in fresh.items() if test else ():
            for line in self._lines.get(file, frozenset()).intersection(lines):
                tests = self._contexts.setdefault(file, {}).setdefault(line, [])
                if len(tests) < MAX_CONTEXTS:
                    if number < 0:
                        number = len(self._tests)
                        self._tests.append(test)
                    tests.append(number)

    def finish(self) -> None:
        problems = self._probes.problems()
        if problems:
            text = "; ".join(f"{file}: {reason}" for file, reason in sorted(problems.items()))
            self._send("coverage-missing", text=text[:MAX_TEXT])
        self._send("coverage-contexts", tests=self._tests, files=self._contexts)
        self._send("coverage", files=self._probes.hits(), ways=self._probes.ways())


def _text(value: Any) -> str:
    return str(value)[-MAX_TEXT:] if value is not None else ""


def _run_pytest(plan: dict[str, Any], send: Send, ready: Callable[[], None], reached: Callable[[str], None]) -> int:
    pytest = _tool("pytest", send)
    if pytest is None:
        return 4
    arguments = ["-p", "no:cacheprovider", "--maxfail=0", "-o", "junit_logging=no", "--junitxml", plan["junit"]]
    if _loads("xdist"):
        arguments.append("-n0")  # every import must be seen in this process
    if _loads("pytest_cov"):
        arguments.append("--no-cov")  # it slows the suite, and its thresholds are not ours
    beside = _beside("workbench_machinery")
    machinery = beside.Machinery(("_pytest", "pluggy", "pytest", "builtins"))
    canaries = beside.PytestCanaries(pytest, plan["python_path"])
    settled = _only_distributions_of_the_environment(plan["python_path"][-1])
    ready()
    _enter(plan)
    sys.argv = ["pytest", *plan["arguments"]]
    plugins = [pytest_witness(send, machinery.look, settled, reached), canaries.plugin()]
    code = int(pytest.main([*plan["arguments"], *arguments], plugins=plugins))
    send("machinery", altered=[*canaries.lost(code), *machinery.altered()])
    return code


def _only_distributions_of_the_environment(workspace: str) -> Callable[[], None]:
    """Hide the metadata of distributions that lies in the workspace, so that no plugin loads itself by it.

    What is returned shows it again: tests may ask for it.
    """
    import importlib.metadata as metadata
    import site

    inside = os.path.realpath(workspace) + os.sep
    environment = {os.path.realpath(path) for path in site.getsitepackages()}  # which may lie in the workspace
    places = [(path, os.path.realpath(path)) for path in sys.path if path]
    path = [path for path, real in places if real in environment or not (real + os.sep).startswith(inside)]
    shown = metadata.distributions
    known = list(shown(path=path))
    metadata.distributions = lambda **wanted: list(shown(**wanted)) if wanted else known

    def settled() -> None:
        metadata.distributions = shown

    return settled


def _loads(plugin: str) -> bool:
    """Whether pytest loads an installed plugin by itself and so knows its options; left-over files are no plugin."""
    if os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD") or importlib.util.find_spec(plugin) is None:
        return False
    import importlib.metadata as metadata

    entries = (entry for one in metadata.distributions() for entry in one.entry_points)
    return any(entry.group == "pytest11" and entry.name == plugin for entry in entries)


def _run_unittest(plan: dict[str, Any], send: Send, ready: Callable[[], None], reached: Callable[[str], None]) -> int:
    import unittest

    beside = _beside("workbench_machinery")
    machinery = beside.Machinery(("unittest", "builtins"))
    canaries = beside.UnittestCanaries(unittest)
    ready()
    _enter(plan)
    result = unittest_witness(send, machinery.look, reached)
    suite = _discover(unittest, plan["arguments"])
    send("collected", ids=[test.id() for test in _tests_of(unittest, suite)])
    canaries.sing()
    suite.run(result)
    canaries.sing()
    for test, text in result.errors + result.failures:
        sys.stdout.write(f"{test}\n{text}\n")
    send("machinery", altered=[*canaries.lost(0), *machinery.altered()])
    if not result.testsRun and not result.errors:
        return 5
    return 0 if result.wasSuccessful() else 1


def _beside(name: str) -> Any:
    """A neighbour of this file, under the name that it has beside the run; no import of the project finds it."""
    module = importlib.import_module(name)
    del sys.modules[name]
    return module


def _discover(unittest: Any, arguments: list[str]) -> Any:
    start = arguments[0] if arguments else "."
    loader = unittest.TestLoader()
    if os.path.isdir(start):  # noqa: PTH112
        patterns = arguments[1:] or ["test*.py"]
        return unittest.TestSuite([loader.discover(start, pattern=p, top_level_dir=".") for p in patterns])
    return loader.loadTestsFromNames(arguments)


def _tests_of(unittest: Any, suite: Any) -> list[Any]:
    if not isinstance(suite, unittest.TestSuite):
        return [suite]
    return [test for part in suite for test in _tests_of(unittest, part)]


def _tool(name: str, send: Send) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        send("tool-missing", name=name, text=str(error))
        sys.stderr.write(f"{name} is not installed in this environment: {error}\n")
        return None


def _enter(plan: dict[str, Any]) -> None:
    """Let the project be imported from the workspace, here and in processes that tests start."""
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != _HERE]  # noqa: PTH100
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


RUNNERS: dict[str, Callable[[dict[str, Any], Send, Callable[[], None], Callable[[str], None]], int]] = {
    "pytest": _run_pytest,
    "unittest": _run_unittest,
}


def run(plan: dict[str, Any], send: Send, going: int) -> int:
    """Run the plan and report to `send`; no code of the project is loaded before a byte has come from `going`."""

    def ready() -> None:
        os.read(going, 1)
        os.close(going)

    send("start", python=sys.version.split()[0], prefix=sys.prefix)
    wanted = plan.get("coverage") or {}
    coverage = _Coverage(wanted, send) if wanted.get("files") else None  # before the parts of the runner are looked at
    code = RUNNERS[plan["runner"]](plan, send, ready, coverage.reached if coverage else lambda _: None)
    if coverage is not None:
        coverage.finish()
    send("modules", files=_origins(plan["project"]))
    send("finish", code=code)
    sys.stdout.flush()
    return code

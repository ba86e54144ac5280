"""The parts of a test runner and whether they are still what they were; it runs inside the suite and judges nothing.

Code under test that replaces how a test is called or reported makes every voice of a run agree on a lie. This names
what was replaced, and has canaries: tests that must fail, and pass where everything is made to pass. It runs in the
same process and is thus itself within reach: it makes forging hard, not impossible.
"""

from __future__ import annotations

import builtins
import os
import sys
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

MAX_NAMED = 50  # replaced parts that are told of
# What every test passes through; looked at after each one, the rest at the end.
HOT = frozenset(
    {
        "_pytest.runner.call_and_report", "_pytest.runner.call_runtest_hook", "_pytest.runner.runtestprotocol",
        "_pytest.runner.CallInfo.from_call", "_pytest.runner.pytest_runtest_call", "_pytest.python.Function.runtest",
        "_pytest.runner.pytest_runtest_makereport", "_pytest.python.pytest_pyfunc_call", "pluggy._callers._multicall",
        "pluggy._execution._multicall",
        "_pytest.runner.TestReport", "_pytest.runner.CallInfo", "_pytest.runner.ExceptionInfo",
        "_pytest.reports.TestReport.from_item_and_call", "_pytest.skipping.pytest_runtest_makereport",
        "unittest.case.TestCase.run", "unittest.case.TestCase.__call__", "unittest.case.TestCase._callTestMethod",
        "unittest.case._Outcome.testPartExecutor", "unittest.case.TestCase.assertEqual",
    }
)  # fmt: skip


_BOUND = (FunctionType, BuiltinFunctionType, type, ModuleType)  # what a module's name can be bound to and call
_NOT_SUNG = "a test that must fail, before and after all others: "
# Hooks through which a plugin can turn what a test is reported as.
TURNING_HOOKS = (
    "pytest_runtest_protocol", "pytest_runtest_setup", "pytest_runtest_call", "pytest_runtest_teardown",
    "pytest_runtest_makereport", "pytest_runtest_logreport", "pytest_pyfunc_call", "pytest_runtestloop",
    "pytest_collection_modifyitems", "pytest_sessionfinish", "pytest_fixture_setup", "pytest_itemcollected",
)  # fmt: skip


class Machinery:
    """The parts of the named packages as they were when this was made: functions, methods, what names are bound to."""

    def __init__(self, packages: tuple[str, ...]) -> None:
        self._parts: dict[str, tuple[Any, str, Any, Any]] = {}
        self._owners: dict[str, tuple[Any, frozenset[str]]] = {}
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] in packages and isinstance(module, ModuleType):
                self._take(name, module)
        self._hot = {name: part for name, part in self._parts.items() if name in HOT}
        self._altered: dict[str, None] = {}

    def look(self) -> None:
        """Look at what every test passes through."""
        self._compare(self._hot)

    def altered(self) -> list[str]:
        """The parts that were not what they had been, at the end or at any look."""
        self._compare(self._parts)
        for name, (owner, keys) in self._owners.items():
            for key in [key for key in list(vars(owner)) if key not in keys]:
                if _overrides(owner, key):
                    self._altered[f"{name}.{key}"] = None
        return sorted(self._altered)[:MAX_NAMED]

    def _take(self, name: str, module: ModuleType) -> None:
        if module is not builtins:  # a name that is added there shadows nothing
            self._owners[name] = (module, frozenset(vars(module)))
        for key, value in list(vars(module).items()):
            if isinstance(value, _BOUND):
                self._parts[f"{name}.{key}"] = (module, key, value, _inside(value))
            if isinstance(value, type) and getattr(value, "__module__", None) == name and module is not builtins:
                self._take_class(f"{name}.{key}", value)

    def _take_class(self, name: str, owner: type) -> None:
        self._owners[name] = (owner, frozenset(vars(owner)))
        for key, method in list(vars(owner).items()):
            if _function(method) is not None:
                self._parts[f"{name}.{key}"] = (owner, key, method, _inside(method))

    def _compare(self, parts: dict[str, tuple[Any, str, Any, Any]]) -> None:
        for name, (owner, key, value, inside) in parts.items():
            now = vars(owner).get(key)
            if now is not value or not _same(_inside(now), inside):
                self._altered[name] = None


def _function(value: Any) -> Any:
    """The plain function in a class attribute, None if there is none."""
    if isinstance(value, (staticmethod, classmethod)):
        value = value.__func__
    elif isinstance(value, property):
        value = value.fget
    return value if isinstance(value, FunctionType) else None


def _inside(value: Any) -> Any:
    """What a function does, which can be exchanged without exchanging the function."""
    function = _function(value)
    return (function.__code__, function.__defaults__, function.__kwdefaults__) if function is not None else ()


def _same(now: Any, before: Any) -> bool:
    return len(now) == len(before) and all(one is other for one, other in zip(now, before))  # noqa: B905 - Python 3.8


def _overrides(owner: Any, key: str) -> bool:
    """Whether a name that was added hides another: a built-in one from a module, a method from a class."""
    if isinstance(owner, ModuleType):
        return hasattr(builtins, key) and not key.startswith("__")
    return _function(vars(owner)[key]) is not None


class PytestCanaries:
    """Two tests that must fail, run as the first and the last of a session and reported to nobody but us."""

    def __init__(self, pytest: Any, places: list[str]) -> None:
        from _pytest.fixtures import FuncFixtureInfo
        from _pytest.runner import runtestprotocol

        self._pytest, self._info, self._protocol = pytest, FuncFixtureInfo, runtestprotocol
        self._inside = tuple(os.path.realpath(place) + os.sep for place in places)
        self._sung: list[str] = []
        self._intruders: list[str] = []

    def lost(self, code: int) -> list[str]:
        """What went wrong with them; nothing where the runner broke off by itself."""
        silent = ["it did not run"] if code in (0, 1) and len(self._sung) != 2 else []
        wrong = [outcome for outcome in self._sung if outcome != "failed"] + silent
        return [_NOT_SUNG + outcome for outcome in sorted(set(wrong))] + self._intruders

    def plugin(self) -> Any:
        """The plugin that runs them."""
        pytest, sing, watch = self._pytest, self._sing, self._watch

        class Canaries:
            @pytest.hookimpl(hookwrapper=True, tryfirst=True)  # type: ignore[untyped-decorator]  # any pytest's
            def pytest_runtestloop(self, session: Any) -> Any:
                sing(session, before=session.items[0] if session.items else None)
                yield
                sing(session, before=None)
                watch(session.config.pluginmanager)

        return Canaries()

    def _sing(self, session: Any, *, before: Any) -> None:
        try:
            self._sung.append(self._outcome(session, before))
        except Exception as error:  # noqa: BLE001  # hooks of the project may choke on a test that is not theirs
            self._sung.append(type(error).__name__)

    def _outcome(self, session: Any, before: Any) -> str:
        info = self._info(argnames=(), initialnames=(), names_closure=[], name2fixturedefs={})
        name = f"test_{os.urandom(4).hex()}"
        item = self._pytest.Function.from_parent(session, name=name, callobj=_must_fail, fixtureinfo=info)
        reports = self._protocol(item, log=False, nextitem=before)
        told = {report.when: "xfailed" if hasattr(report, "wasxfail") else report.outcome for report in reports}
        return str(told.get("call") or f"not called, {told}")

    def _watch(self, manager: Any) -> None:
        """Name plugins of the workspace that no `conftest.py` is and that can turn what is reported."""
        conftests = {id(plugin) for plugin in manager.get_plugins() if _is_conftest(plugin)}
        for hook in TURNING_HOOKS:
            for one in getattr(manager.hook, hook).get_hookimpls():
                file = getattr(getattr(one.function, "__code__", None), "co_filename", "")
                if os.path.realpath(file).startswith(self._inside) and id(one.plugin) not in conftests:
                    self._intruders.append(f"{hook} by {one.plugin_name}"[:200])


def _is_conftest(plugin: Any) -> bool:
    return isinstance(plugin, ModuleType) and os.path.basename(plugin.__file__ or "") == "conftest.py"  # noqa: PTH119


def _must_fail() -> None:
    raise AssertionError("a test that must fail")


class UnittestCanaries:
    """The same for unittest."""

    def __init__(self, unittest: Any) -> None:
        class Canary(unittest.TestCase):  # type: ignore[misc]  # the project's own unittest
            def test(self) -> None:
                self.assertEqual(1, 2)

        self._case, self._suite, self._result = Canary, unittest.TestSuite, unittest.TestResult
        self._sung: list[str] = []

    def sing(self) -> None:
        """Run one of them."""
        result = self._result()
        self._suite([self._case("test")]).run(result)
        self._sung.append("failed" if (result.testsRun, len(result.failures)) == (1, 1) else "not reported as failed")

    def lost(self, code: int) -> list[str]:
        """What went wrong with them."""
        return sorted({_NOT_SUNG + outcome for outcome in self._sung if outcome != "failed"}) if not code else []

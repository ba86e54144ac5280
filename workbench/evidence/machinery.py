"""The parts of a test runner and whether they are still what they were; it runs inside the suite and judges nothing.

Code under test that replaces how a test is called or reported makes every voice of a run agree on a lie. This names
what was replaced. It runs in the same process and is thus itself within reach: it makes forging hard, not impossible.
"""

from __future__ import annotations

import sys
from types import FunctionType, ModuleType
from typing import Any

MAX_NAMED = 50  # replaced parts that are told of
# What every test passes through; looked at after each one, the rest at the end.
HOT = frozenset(
    {
        "_pytest.runner.call_and_report", "_pytest.runner.call_runtest_hook", "_pytest.runner.runtestprotocol",
        "_pytest.runner.CallInfo.from_call", "_pytest.runner.pytest_runtest_call", "_pytest.python.Function.runtest",
        "_pytest.runner.pytest_runtest_makereport", "_pytest.python.pytest_pyfunc_call", "pluggy._callers._multicall",
        "pluggy._execution._multicall",
        "_pytest.reports.TestReport.from_item_and_call", "_pytest.skipping.pytest_runtest_makereport",
        "unittest.case.TestCase.run", "unittest.case.TestCase.__call__", "unittest.case.TestCase._callTestMethod",
        "unittest.case._Outcome.testPartExecutor", "unittest.case.TestCase.assertEqual",
    }
)  # fmt: skip


class Machinery:
    """The functions of the named packages as they were when this was made."""

    def __init__(self, packages: tuple[str, ...]) -> None:
        self._parts: dict[str, tuple[Any, str, Any, Any]] = {}
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
        return sorted(self._altered)[:MAX_NAMED]

    def _take(self, name: str, module: ModuleType) -> None:
        for key, value in list(vars(module).items()):
            if getattr(value, "__module__", None) != name:
                continue
            if isinstance(value, FunctionType):
                self._parts[f"{name}.{key}"] = (module, key, value, value.__code__)
            elif isinstance(value, type):
                for inner, method in list(vars(value).items()):
                    if _function(method) is not None:
                        self._parts[f"{name}.{key}.{inner}"] = (value, inner, method, _function(method).__code__)

    def _compare(self, parts: dict[str, tuple[Any, str, Any, Any]]) -> None:
        for name, (owner, key, value, code) in parts.items():
            now = vars(owner).get(key)
            if now is not value or _function(now).__code__ is not code:
                self._altered[name] = None


def _function(value: Any) -> Any:
    """The plain function in a class attribute, None if there is none."""
    if isinstance(value, (staticmethod, classmethod)):
        value = value.__func__
    elif isinstance(value, property):
        value = value.fget
    return value if isinstance(value, FunctionType) else None

"""Drivers and tools of plugins: what they do by mistake is recorded, what they are told by us is passed on."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.pluginhost.bundles import HOOK, bundle, judged, opened
from workbench.aee.driving import OwnDrivers, PluginDriver, driver_of, kinds_of
from workbench.aee.plugged import tools_of
from workbench.aee.reports import Fenced
from workbench.aee.sandbox.select import probe
from workbench.aee.trying import tried
from workbench.artifacts.configuration import Agent, Settings
from workbench.core.plugins import Standing
from workbench.core.state import RunState
from workbench.model.errors import NotFound, WorkbenchError
from workbench.pluginhost.host import Failure

DRIVERS = (
    """
from workbench.aee.reports import Fenced
from workbench.model.errors import NotFound
from workbench.pluginhost.hookspecs import DriverKind

class D:
    def take_turn(self, turn, session):
        return session(turn)

"""
    + HOOK
    + "def drivers():\n    return [DriverKind(name={name!r}, open=lambda seat: D())]\n"
)
TOOLS = (
    """
from workbench.ports import ToolResult

class T:
    name, description, parameters = {name!r}, "does it", {{}}
    def call(self, arguments, call_id):
        return {result}

"""
    + HOOK
    + "def tools(bench):\n    return [T()]\n"
)


def driver(name: str = "tidy") -> tuple[PluginDriver, list[Failure]]:
    """The driver of a plugin that lets its session decide."""
    host, failures = opened(bundle(code=DRIVERS.format(name=name)))
    ((source, kind),) = kinds_of(host).values()
    assert not isinstance(kind, str)
    return PluginDriver(host, source, kind, seat=None), failures  # type: ignore[arg-type]  # it looks at none


def raising(error: BaseException) -> Any:
    """A session in which that happens."""

    def session(_turn: object) -> str:
        raise error

    return session


def test_a_turn_ends_as_the_plugin_says() -> None:
    """In the words of the port."""
    made, failures = driver("tidy-two")
    assert made.take_turn(None, lambda _turn: "submitted") == "submitted"  # type: ignore[arg-type]  # what it passes on
    assert (made.name, failures) == ("tidy-two", [])


TRIED = """session.use("edit", {"path": "answer.txt", "content": "HELLO"}, call="1")
        return "submitted\""""


@pytest.mark.parametrize(("does", "told"), [(TRIED, ""), ("raise KeyError('x')", "broke")], ids=["works", "breaks"])
def test_an_agent_of_a_plugin_can_be_tried(does: str, told: str) -> None:
    """Also one whose driver is code: in a throwaway clone, and what it does wrong is told."""
    if not (found := probe("bubblewrap")).works:
        pytest.skip(found.reason)
    host, _ = opened(bundle(code=DRIVERS.format(name="tidy").replace("return session(turn)", does)))
    row = tried("t", Agent(driver="tidy"), own=Settings(), host=host)
    assert (row["ok"], told in row["error"], bool(row["error"])) == (not told, True, bool(told)), row
    absent = tried("t", Agent(driver="tidier"), own=Settings(), host=host)
    assert "is not there" in absent["error"]


@pytest.mark.parametrize("error", [NotFound("no model", hint="name one"), Fenced("another child"), ConnectionError()])
def test_what_the_house_says_is_no_failure_of_the_plugin(error: Exception) -> None:
    """A step that is somebody else's now, or what a person is told, comes through as it is."""
    made, failures = driver()
    with pytest.raises(type(error)):
        made.take_turn(None, raising(error))  # type: ignore[arg-type]  # what it passes on
    assert failures == []


@pytest.mark.parametrize("session", [raising(KeyError("x")), lambda _turn: "well"])
def test_a_broken_turn_is_recorded_and_says_what_to_do(session: Any) -> None:
    """What it raises, and an end that there is not."""
    made, failures = driver()
    with pytest.raises(WorkbenchError, match="the driver 'tidy'") as told:
        made.take_turn(None, session)  # type: ignore[arg-type]  # what it passes on
    assert "workbench plugin disable tidy" in told.value.hint
    assert [failure.hook for failure in failures] == ["take_turn tidy"]


def test_odd_shapes_are_refused() -> None:
    """A kind without a name that is text, a tool without parameters."""
    odd = DRIVERS.format(name="tidy").replace("name='tidy'", "name=1")
    host, failures = opened(bundle(code=odd))
    assert kinds_of(host) == {}
    bare = TOOLS.format(name="tidy_x", result="None").replace("{}\n    def", "1 and object()\n    def")
    other, more = opened(bundle(code=bare))
    assert tools_of(other, lambda _source: {"bench": None}) == []
    assert [failure.state for failure in failures + more] == ["refused", "error"]


def test_a_run_whose_driver_is_not_trusted_says_so() -> None:
    """With what to do; a driver that nobody brings is told with those that there are."""
    host, failures = opened()
    host.admit(judged(bundle(code=DRIVERS.format(name="tidy")), standing=Standing()))
    run = RunState(id="m.1", mission="m", agent="a", driver="tidy", branch="b", base_commit="0" * 40)
    for driver, told in (("tidy", "nobody trusts its content"), ("tidier", "there is no driver")):
        own = OwnDrivers(ground=None, run=replace(run, driver=driver), box=None)  # type: ignore[arg-type]  # not reached
        with pytest.raises(NotFound, match=told):
            driver_of(host, own)
    assert failures == []


@pytest.mark.parametrize("name", ["native", "scripted", "other", "tidyish"])
def test_a_plugin_brings_no_driver_of_another_name(name: str) -> None:
    """It is refused and recorded; the control: under its own name it is there."""
    host, failures = opened(bundle(code=DRIVERS.format(name=name)))
    assert kinds_of(host) == {}
    assert [failure.state for failure in failures] == ["refused"]
    own, none = opened(bundle(code=DRIVERS.format(name="tidy")))
    assert (list(kinds_of(own)), none) == (["tidy"], [])


def tools(name: str, result: str) -> tuple[list[Any], list[Failure]]:
    """The tools that a plugin brings."""
    host, failures = opened(bundle(code=TOOLS.format(name=name, result=result)))
    return list(tools_of(host, lambda _source: {"bench": None})), failures


def test_a_tool_ends_no_turn() -> None:
    """Only our own tools deliver, or wait for a person."""
    (tool,), failures = tools("tidy_count", "ToolResult(state='ok', summary='3', finish=True, suspend=True)")
    result = tool.call({}, "c1")
    assert (result.summary, result.finish, result.suspend) == ("3", False, False)
    assert failures == []


@pytest.mark.parametrize("result", ["1 / 0", "None"])
def test_a_broken_tool_is_an_error_result(result: str) -> None:
    """The agent is told, and the journal."""
    (tool,), failures = tools("tidy_count", result)
    assert tool.call({}, "c1").state == "error"
    assert [failure.hook for failure in failures] == ["call tidy_count"]


def test_a_tool_cannot_have_a_name_of_ours() -> None:
    """Nor any that is not the plugin's."""
    for name in ("run", "submit_merge_readiness", "count"):
        found, failures = tools(name, "None")
        assert (found, [failure.state for failure in failures]) == ([], ["refused"])

"""The contract of the port `Tool`, for every tool that drivers of ours are given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from workbench.aee.sandbox.select import select
from workbench.ports import Tool
from workbench.testing.workplace import Workplace

TOOLS = (
    "read", "list", "search", "edit", "patch", "run", "test", "request_consultation", "submit_merge_readiness",
    "recall_resolutions", "get_brief",
)  # fmt: skip
DEEP: Any = []
for _ in range(5000):
    DEEP = [DEEP]
HOSTILE: dict[str, Any] = {
    "nothing": {},
    "unknown name": {"no_such_argument": 1},
    "numbers for texts": {"path": 1, "command": 2, "message": 3, "summary": 4, "pattern": 5, "patch": 6, "query": 7},
    "lists for texts": {"path": ["a"], "command": ["b"], "message": [], "summary": [{}], "pattern": [None]},
    "null everywhere": dict.fromkeys(("path", "command", "message", "summary", "pattern", "patch", "query"), None),
    "deep": {"path": DEEP, "rationale": DEEP, "options": DEEP, "select": DEEP},
    "huge": {"path": "a" * 10_000_000, "query": "q" * 10_000_000},
    "half a surrogate": {"path": "\ud800", "content": "\udfff"},
    "an escaped byte": {"path": "\udcff", "content": "x"},
    "names that are no text": {1: 2, None: 3},
    "not a number": {"path": "src/a.py", "first_line": float("nan")},
    "negative": {"path": "src/a.py", "first_line": -1},
    "too large": {"path": "src/a.py", "first_line": 10**30},
}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """One for all: every test shows that it changed nothing."""
    root = tmp_path_factory.mktemp("tools") / "clone"
    made = Workplace(root, sandbox=select("none", allow_none=True), files={"src/a.py": "x = 1\n"})
    yield made
    made.close()


@pytest.fixture(params=TOOLS)
def tool(request: pytest.FixtureRequest, workplace: Workplace) -> Tool:
    return next(tool for tool in workplace.box.tools if tool.name == request.param)


def test_the_tool_set_is_the_one_that_is_documented(workplace: Workplace) -> None:
    """Every tool is under this contract."""
    assert tuple(tool.name for tool in workplace.box.tools) == TOOLS


def test_a_tool_says_what_it_is_and_takes(tool: Tool) -> None:
    """Name, description and a JSON Schema of an object that refuses unknown names, all plain JSON."""
    assert re.fullmatch(r"[a-z][a-z_]{1,40}", tool.name)
    assert len(tool.description) > 20
    schema = msgspec.json.decode(msgspec.json.encode(tool.parameters))
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert all(name in schema["properties"] for name in schema.get("required", []))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_wrong_arguments_give_a_result_and_change_nothing(hostile: str, tool: Tool, workplace: Workplace) -> None:
    """Whatever an agent hands over, a tool answers with a short result in plain JSON, and changes no file."""
    before = workplace.tree()
    result = tool.call(HOSTILE[hostile], "1.x")
    assert result.state == ("ok" if hostile == "nothing" and not _requires(tool) else result.state)
    assert result.state in ("ok", "error")
    if hostile == "unknown name":
        assert result.state == "error"
        assert result.data["hint"]
    assert 0 < len(result.summary) <= 500
    encoded = msgspec.json.encode(result.data)
    assert msgspec.json.decode(encoded) == result.data
    assert len(encoded) < 100_000
    assert workplace.tree() == before
    assert not result.suspend
    assert not result.finish


def _requires(tool: Tool) -> bool:
    return bool(tool.parameters.get("required")) or tool.name == "test"


def test_an_unknown_tool_is_an_error_result(workplace: Workplace) -> None:
    """Calling what does not exist names what does."""
    result = workplace.box.call("rm_rf", {}, "1.x")
    assert result.state == "error"
    assert "submit_merge_readiness" in result.data["hint"]

"""Our tools over the Model Context Protocol, on a real socket, against clients that may be hostile."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from workbench.aee.mcp import pipe
from workbench.aee.mcp.driven import DrivenTools
from workbench.aee.mcp.server import MAX_LINE, McpServer
from workbench.aee.sandbox.select import select
from workbench.testing.session import RecordingSession
from workbench.testing.workplace import Workplace

ASK = {"summary": "A or B?", "options": [{"id": "A", "label": "a"}]}
ANSWER = {"option": "A", "rationale": "so be it"}


class Client:
    """One end of a connection, which writes what it likes."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(20)
        self._socket.connect(str(path))
        self._lines = self._socket.makefile("rb")

    def send(self, message: Any) -> None:
        data = message if isinstance(message, bytes) else json.dumps(message).encode() + b"\n"
        self._socket.sendall(data)

    def hear(self) -> dict[str, Any]:
        """The next message; empty when the other side hung up."""
        try:
            return dict(json.loads(self._lines.readline() or b"{}"))
        except ConnectionError:
            return {}

    def call(self, tool: str, arguments: Mapping[str, Any], number: int = 1) -> None:
        parameters = {"name": tool, "arguments": arguments, "_meta": {"progressToken": "t"}}
        self.send({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": parameters})

    def close(self) -> None:
        self._lines.close()
        self._socket.close()


class Stage:
    """A server on a socket, its tools on a real clone, and how its turn ended."""

    def __init__(self, workplace: Workplace, path: Path, **options: Any) -> None:
        self.path, self.answers, self.ends = path, dict[str, Mapping[str, Any]](), list[str]()
        self.session = RecordingSession(workplace.box.ready)
        self.tools = DrivenTools(
            workplace.box.tools,
            use=lambda name, arguments, call: self.session.use(name, arguments, call=call),
            answered=lambda question: self.answers.get(question, {}),
            end=self.ends.append,
            history=self.session.events,
            **options,
        )
        self.server = McpServer(path, self.tools)
        self.client = Client(path)

    def calls(self) -> list[str]:
        return [event.payload.call for event in self.session.events if event.kind == "ToolCalled"]  # type: ignore[attr-defined]  # by its kind


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    workplace = Workplace(tmp_path / "clone", sandbox=select("none", allow_none=True), files={"a": "x\n"})
    made: list[Stage] = []
    with tempfile.TemporaryDirectory(dir="/tmp") as short:

        def make(**options: Any) -> Stage:
            made.append(Stage(workplace, Path(short) / f"mcp{len(made)}", **options))
            return made[-1]

        yield make
        for one in made:
            one.client.close()
            one.server.close()
    workplace.close()


def test_four_tools_are_offered_with_their_schemas(stage: Callable[..., Stage]) -> None:
    """An agent of others has its own tools for files and commands; ours are for talking to people and delivering."""
    client = stage().client
    client.send({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-03-26"}})
    assert client.hear()["result"]["protocolVersion"] == "2025-03-26"
    client.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
    client.send({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    listed = {tool["name"]: tool for tool in client.hear()["result"]["tools"]}
    names = {"request_consultation", "submit_merge_readiness", "get_brief", "recall_resolutions"}
    assert set(listed) == names
    assert "summary" in listed["request_consultation"]["inputSchema"]["properties"]


def test_a_waiting_question_tells_its_progress(stage: Callable[..., Stage]) -> None:
    """An agent that hears nothing gives up; it hears that a person is waited for until the answer comes."""
    here = stage(beat_s=0.05)
    here.client.call("request_consultation", ASK)
    assert here.client.hear()["method"] == "notifications/progress"
    here.answers["CRP-m.1-1"] = ANSWER
    while "method" in (heard := here.client.hear()):
        pass
    assert "so be it" in heard["result"]["content"][0]["text"]
    assert not here.ends


def test_patience_ends_the_turn_and_answers_nothing(stage: Callable[..., Stage]) -> None:
    """When nobody answers in time, the turn ends as waiting, and the model is not asked once more."""
    here = stage(patience_s=0.05)
    here.client.call("request_consultation", ASK)
    here.client.send({"jsonrpc": "2.0", "id": 2, "method": "ping"})
    assert here.client.hear()["id"] == 2
    while not here.ends:
        threading.Event().wait(0.01)
    assert here.ends == ["waiting"]


def test_a_question_asked_again_is_the_same_question(stage: Callable[..., Stage]) -> None:
    """The words make the question: an agent that lost its memory raises no second one, and gets the answer."""
    here = stage()
    here.answers["CRP-m.1-1"] = ANSWER
    for number in (1, 2):
        here.client.call("request_consultation", ASK, number)
        assert "so be it" in here.client.hear()["result"]["content"][0]["text"]
    assert len(here.calls()) == 1


def test_a_refused_call_may_be_made_again(stage: Callable[..., Stage]) -> None:
    """What was wrong is said, and the next call of the same words is a call of its own."""
    here = stage()
    for number in (1, 2):
        here.client.call("submit_merge_readiness", {"message": "Why"}, number)
        told = here.client.hear()["result"]
        assert told["isError"] and "nothing differs" in told["content"][0]["text"]
    assert len(set(here.calls())) == 2


@pytest.mark.parametrize(
    "sent",
    [b"not JSON\n", b"[" * 100_000 + b"\n", b"x" * (MAX_LINE + 10), b'"text"\n{"id": {}}\n[1, 2]\nnull\n!\n'],
    ids=["no JSON", "deep", "long", "odd values"],
)
def test_nonsense_ends_its_own_connection_only(stage: Callable[..., Stage], sent: bytes) -> None:
    """Whatever comes from inside a sandbox, the server stands, and serves the next one."""
    here = stage()
    hostile = Client(here.path)
    try:
        hostile.send(sent)
        assert hostile.hear() == {}
    except (BrokenPipeError, ConnectionResetError):
        pass  # it was hung up on while it still wrote
    finally:
        hostile.close()
    here.client.send({"jsonrpc": "2.0", "id": 7, "method": "ping"})
    assert here.client.hear()["id"] == 7


def test_no_other_tool_can_be_called(stage: Callable[..., Stage]) -> None:
    """Tools that are not offered are not there, neither by name nor by trick."""
    here = stage()
    for number, name in enumerate(("run", "edit", "read", "../run", "")):
        here.client.call(name, {"command": "id", "path": "a"}, number)
        assert here.client.hear()["result"]["isError"]
    assert not here.calls()


def test_the_bridge_passes_bytes_both_ways(stage: Callable[..., Stage]) -> None:
    """What an agent starts as its MCP server is a pipe to ours, and ends with it."""
    here = stage()
    words = [sys.executable, "-I", "-S", str(pipe.__file__), str(here.path)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    with process.stdin, process.stdout:
        process.stdin.write(b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == 1
        here.server.close()
        assert process.wait(timeout=20) == 0

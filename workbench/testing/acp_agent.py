"""A scripted agent that speaks the Agent Client Protocol on its stdio, in place of a real one: for tests of the driver.

Run as a script, `python acp_agent.py STEPS`; it imports nothing of Workbench, so that it runs in a sandbox. STEPS is a
JSON list of steps, or an object that has one as `steps`, and `protocol`, `load` and `refuses` (why it opens no
session). A step is `{"say": TEXT}`,
`{"write": [PATH, TEXT]}`, `{"flood": [TEXT, TIMES]}` (what a call came to), `{"tool": [NAME, ARGUMENTS]}` (of our MCP
server), `{"may": [KIND, TITLE]}` (asks for a permission), `{"raw": LINE}`, `{"hang": true}` (never ends) or
`{"exit": CODE}`. A session keeps how far it came in its home, and the newest prompt; when it is loaded, it tells all of
it again, and goes on behind it. A tool that was refused ends the program.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

SESSION = Path(os.environ.get("HOME", "/tmp")) / "session.json"


class Agent:
    """One process, one session at a time."""

    def __init__(self, steps: list[dict[str, Any]], *, protocol: int = 1, load: bool = True, refuses: str = "") -> None:
        self._steps, self._protocol, self._load, self._refuses = steps, protocol, load, refuses
        self._writing = threading.Lock()
        self._answers: dict[int, Callable[[Any], None]] = {}
        self._asked = 0
        self._mcp: subprocess.Popen[bytes] | None = None
        self._name = ""
        self._prompt: int | None = None

    def serve(self) -> None:
        """Answer until stdin ends."""
        for line in sys.stdin.buffer:
            message = json.loads(line)
            method, number, parameters = message.get("method"), message.get("id"), message.get("params", {})
            if method is None:
                self._answers.pop(number)(message.get("result"))
            elif method == "session/cancel":
                self._end_prompt("cancelled")
            else:
                getattr(self, method.replace("/", "_"))(number, parameters)

    def initialize(self, number: int, _parameters: Any) -> None:
        """What it can do."""
        able = {"loadSession": self._load}
        self._answer(number, {"protocolVersion": self._protocol, "agentCapabilities": able})

    def session_new(self, number: int, parameters: Any) -> None:
        """Begin with the first step."""
        if self._refuses:
            self._send({"id": number, "error": {"code": -32000, "message": self._refuses}})
            return
        self._begin(parameters, f"s-{os.urandom(4).hex()}")
        self._keep(0)
        self._answer(number, {"sessionId": self._name})

    def session_load(self, number: int, parameters: Any) -> None:
        """Tell again what was done, and go on behind it."""
        if not SESSION.exists() or json.loads(SESSION.read_text())["name"] != parameters["sessionId"]:
            self._send({"id": number, "error": {"code": -32602, "message": "no such session"}})
            return
        self._begin(parameters, parameters["sessionId"])
        for place, step in enumerate(self._steps[: self._done()]):
            self._tell(place, step)
        self._answer(number, {})

    def session_prompt(self, number: int, parameters: Any) -> None:
        """Play, while further messages are heard."""
        self._prompt = number
        Path(SESSION).with_name("prompt.txt").write_text(parameters["prompt"][0]["text"])
        threading.Thread(target=self._play, daemon=True).start()

    def _begin(self, parameters: Any, name: str) -> None:
        self._name = name
        server = parameters["mcpServers"][0]
        words = [server["command"], *server["args"]]
        self._mcp = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._tools("initialize", {"protocolVersion": "2025-06-18"})

    def _play(self) -> None:
        for place in range(self._done(), len(self._steps)):
            step = self._steps[place]
            if "exit" in step:
                self._keep(place + 1)
                os._exit(step["exit"])
            self._do(step)
            self._tell(place, step)
            self._keep(place + 1)
        self._end_prompt("end_turn")

    def _do(self, step: dict[str, Any]) -> None:
        if "write" in step:
            Path(step["write"][0]).write_text(step["write"][1])
        elif "flood" in step:
            self._flood(*step["flood"])
        elif "raw" in step:
            with self._writing:
                sys.stdout.write(step["raw"] + "\n")
                sys.stdout.flush()
        elif "tool" in step:
            name, arguments = step["tool"]
            result = self._tools("tools/call", {"name": name, "arguments": arguments, "_meta": {"progressToken": 1}})
            self._update({"sessionUpdate": "agent_message_chunk", "content": _text(json.dumps(result))})
            if result["isError"]:
                os._exit(9)
        elif "hang" in step:
            threading.Event().wait()
        elif "may" in step:
            self._update({"sessionUpdate": "agent_message_chunk", "content": _text(self._may(*step["may"]))})

    def _tell(self, place: int, step: dict[str, Any]) -> None:
        if "say" in step:
            for word in step["say"].split(" "):
                self._update({"sessionUpdate": "agent_message_chunk", "content": _text(word + " ")})
        elif "write" in step:
            act = {"toolCallId": f"call-{place}", "title": f"Writing {step['write'][0]}", "kind": "edit"}
            self._update({"sessionUpdate": "tool_call", "status": "pending", **act})
            self._update({"sessionUpdate": "tool_call_update", "toolCallId": f"call-{place}", "status": "completed"})

    def _flood(self, text: str, times: int) -> None:
        act = {"toolCallId": "flood", "title": "Printing", "kind": "execute"}
        self._update({"sessionUpdate": "tool_call", "status": "pending", **act})
        content = [{"type": "content", "content": _text(text * times)}]
        ended = {"sessionUpdate": "tool_call_update", "toolCallId": "flood", "status": "completed"}
        self._update({**ended, "content": content})

    def _may(self, kind: str, title: str) -> str:
        self._asked += 1
        answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._answers[self._asked] = answers.put
        options = [{"optionId": f"{way}_once", "name": way, "kind": f"{way}_once"} for way in ("allow", "reject")]
        call = {"toolCallId": f"may-{self._asked}", "title": title, "kind": kind}
        asked = {"sessionId": self._name, "toolCall": call, "options": options}
        self._send({"id": self._asked, "method": "session/request_permission", "params": asked})
        return json.dumps(answers.get())

    def _tools(self, method: str, parameters: dict[str, Any]) -> Any:
        assert self._mcp is not None and self._mcp.stdin is not None and self._mcp.stdout is not None  # was begun
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        self._mcp.stdin.write(json.dumps(message).encode() + b"\n")
        self._mcp.stdin.flush()
        while True:
            answer = json.loads(self._mcp.stdout.readline() or "{}")
            if "method" not in answer:
                return answer.get("result", {"isError": True})

    def _done(self) -> int:
        return int(json.loads(SESSION.read_text())["done"])

    def _keep(self, done: int) -> None:
        SESSION.write_text(json.dumps({"name": self._name, "done": done}))

    def _end_prompt(self, reason: str) -> None:
        number, self._prompt = self._prompt, None
        if number is not None:
            self._answer(number, {"stopReason": reason})

    def _update(self, update: dict[str, Any]) -> None:
        self._send({"method": "session/update", "params": {"sessionId": self._name, "update": update}})

    def _answer(self, number: int, result: dict[str, Any]) -> None:
        self._send({"id": number, "result": result})

    def _send(self, message: dict[str, Any]) -> None:
        with self._writing:
            sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
            sys.stdout.flush()


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    Agent(**told if isinstance(told, dict) else {"steps": told}).serve()

"""How long it takes from the spawn of a driven agent to its first request to its model, against its own command.

The agent is the real Gemini CLI, where it can be had; the model is ours, in this process, and hangs up on the request.
Its own command is asked the same question with no sandbox, no proxy and no tools of ours.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.endtoend.gemini_cli import find
from workbench.aee.drivers.acp.driver import AcpDriver
from workbench.aee.drivers.acp.profiles import HIDING, SETTINGS, profile_from
from workbench.aee.sandbox.select import probe, select
from workbench.artifacts.configuration import Agent
from workbench.ports import Turn
from workbench.testing.model_server.gemini import PATH, gemini_route
from workbench.testing.model_server.messages import Reply
from workbench.testing.model_server.server import Received, Server
from workbench.testing.plugin import shipped_agent
from workbench.testing.session import RecordingSession
from workbench.testing.workplace import Workplace

ROUNDS = 7
KEY = "no-key"
GEMINI = profile_from("gemini", shipped_agent("gemini"))


class Model:
    """Notes when the first request comes."""

    def __init__(self) -> None:
        self.heard = threading.Event()
        self.at = 0.0

    def __call__(self, _request: Received) -> Reply:
        if not self.heard.is_set():
            self.at = time.monotonic()
            self.heard.set()
        return Reply(text="That is all.")

    def seconds_of(self, begin: Callable[[], Any]) -> float:
        """From now to the first request."""
        self.heard.clear()
        began = time.monotonic()
        begin()
        self.heard.wait(60)
        return self.at - began


def alone(command: list[str], place: Path, url: str) -> None:
    """The agent's own command, asked over its stdio."""
    home = Path(tempfile.mkdtemp(dir=place))
    settings = home / "settings.json"
    settings.write_text(GEMINI.settings)
    plain = {name: value.replace(f"--require={HIDING} ", "") for name, value in GEMINI.env.items()}
    given = {name: value.replace(SETTINGS, str(settings)) for name, value in plain.items()}
    env = {"PATH": os.environ["PATH"], "HOME": str(home), **given, "GOOGLE_GEMINI_BASE_URL": url}
    cwd = place / "clone"
    process = subprocess.Popen(
        [*command, "--model", GEMINI.model], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=cwd, env=env,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    with process, process.stdin, process.stdout:
        session = ""
        asked: list[tuple[str, Callable[[], dict[str, Any]]]] = [
            ("initialize", lambda: {"protocolVersion": 1, "clientCapabilities": {}}),
            ("session/new", lambda: {"cwd": str(cwd), "mcpServers": []}),
            ("session/prompt", lambda: {"sessionId": session, "prompt": [{"type": "text", "text": "Go."}]}),
        ]
        for number, (method, parameters) in enumerate(asked):
            message = {"jsonrpc": "2.0", "id": number, "method": method, "params": parameters()}
            process.stdin.write(json.dumps(message).encode() + b"\n")
            process.stdin.flush()
            while (answer := json.loads(process.stdout.readline())).get("id") != number:
                pass
            session = answer["result"].get("sessionId", session)
        process.kill()


def driven(command: list[str], workplace: Workplace, url: str) -> None:
    """The same agent, by our driver."""
    driver = AcpDriver(
        agent=Agent(driver="acp", command=tuple(command)),
        place=workplace.place,
        home=Path(tempfile.mkdtemp(dir=workplace.scratch)),
        tools=workplace.box.tools,
        answered=lambda _question: {},
        profile=GEMINI,
        environment={**os.environ, GEMINI.key_variable: KEY, GEMINI.url_variable: url},
    )
    driver.take_turn(Turn(run="m.1", mission="m", agent="a", brief="Go."), RecordingSession(workplace.box.ready))


def main() -> int:
    """0 when measured, or when the agent cannot be had here."""
    found = find()
    if isinstance(found, str):
        print(f"acp_start: not measured: {found}")
        return 0
    command = [str(found), "--acp"]
    model = Model()
    level = "bubblewrap" if probe("bubblewrap").works else "none"
    with tempfile.TemporaryDirectory() as directory, Server({PATH: gemini_route(model)}) as server:
        workplace = Workplace(Path(directory) / "clone", sandbox=select(level, allow_none=True), files={"a": "x\n"})
        workplace.scratch.mkdir()
        works = {
            "ours": lambda: driven(command, workplace, server.url),
            "alone": lambda: alone(command, Path(directory), server.url),
        }
        taken: dict[str, list[float]] = {name: [] for name in works}
        for number in range(ROUNDS + 1):
            for name, work in works.items():
                seconds = model.seconds_of(work)
                if number:  # the first round warms the machine's caches
                    taken[name].append(seconds)
        workplace.close()
    ours, yardstick = statistics.median(taken["ours"]), statistics.median(taken["alone"])
    print(f"spawn to first model request, {ours:.2f} s, {yardstick:.2f} s, {ours / yardstick:.2f}")
    best, least = min(taken["ours"]), min(taken["alone"])
    print(f"the same, calmest round, {best:.2f} s, {least:.2f} s, {best / least:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A person whose agents are programs of others: their settings, one repository, and missions that run side by side."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.endtoend.missions import CODE, Missions
from workbench.testing import acp_agent
from workbench.testing.model_server.gemini import PATH, gemini_route, responses, texts
from workbench.testing.model_server.messages import LAST, Failure, Reply, Step
from workbench.testing.model_server.server import Received, Server

__all__ = ["CODE", "KEY", "Plays", "World"]

KEY = "canary-7f3a-model-key"
PLAY = re.compile(r"Play the (\w+) mission")

PlayScript = Sequence[Step | Sequence[Step]] | Callable[[Received], Step]
Program = Sequence[Mapping[str, Any]]  # of the scripted agent


class Plays:
    """A model that plays each mission's script by how many tools were used; several steps in one place come in turn."""

    def __init__(self, scripts: Mapping[str, PlayScript]) -> None:
        self._scripts = scripts
        self._guard = threading.Lock()
        self._tried: dict[tuple[str, int], int] = defaultdict(int)
        self.asked: dict[str, list[Received]] = defaultdict(list)

    def __call__(self, request: Received) -> Step:
        found = PLAY.search(texts(request))
        play = found[1] if found else ""
        taken = len({response["name"] for response in responses(request)})  # told twice by some, of a broken turn
        script = self._scripts.get(play, ())
        with self._guard:
            self.asked[play].append(request)
            if callable(script):
                return script(request)
            step = script[taken] if taken < len(script) else LAST
            if isinstance(step, Reply | Failure):
                return step
            tried = min(self._tried[play, taken], len(step) - 1)
            self._tried[play, taken] += 1
            return step[tried]


class World(Missions):
    """One person, one AEE. `programs` are scripted agents by name; `gemini` is the command of the real one."""

    def __init__(
        self,
        root: Path,
        *,
        plays: Plays | None = None,
        programs: Mapping[str, Program] | None = None,
        gemini: Path | None = None,
        files: Mapping[str, str] | None = None,
    ) -> None:
        self.plays = plays or Plays({})
        server = Server({PATH: gemini_route(self.plays)})
        env = {"GEMINI_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": server.url}
        super().__init__(
            root, server=server, env=env, settings="".join(self._agents(programs or {}, gemini)), files=files
        )

    def _agents(self, programs: Mapping[str, Program], gemini: Path | None) -> list[str]:
        found = [_agent("gem", [str(gemini), "--acp"])] if gemini else []
        script = str(acp_agent.__file__)
        more = f'profile = "plain"\npatience_s = 0.2\nmounts = {json.dumps([script, sys.base_prefix, sys.prefix])}\n'
        for name, steps in programs.items():
            found.append(_agent(name, [sys.executable, "-I", script, json.dumps(steps)], more))
        return found


def _agent(name: str, command: Sequence[str], more: str = "") -> str:
    return f'[agents.{name}]\ndriver = "acp"\ncommand = {json.dumps(list(command))}\n{more}\n'

"""What a step of the native driver costs beside model and tool, as a ratio to a shell spawn; and whether it grows.

The model is a process of its own. Processor time of the driver's process between two recorded replies; medians, of
the calmest round.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

from workbench.aee.drivers.native.client import Client
from workbench.aee.drivers.native.driver import NativeDriver
from workbench.aee.drivers.native.options import Options
from workbench.aee.spending import Allowance
from workbench.model.events import ModelCalled, Payload
from workbench.ports import ToolResult, Turn
from workbench.testing.journal import MemoryJournal
from workbench.testing.model_server.messages import PATH, Reply, Use, messages_route
from workbench.testing.model_server.server import Received, Server
from workbench.testing.session import RecordingSession, plainly

STEPS = 840
AROUND = 40  # steps on each side of one, whose median is that step's cost
WINDOW = 20_000
SPAWNS = 60
ROUNDS = 3  # of which the calmest counts
SHELLS = {
    "a shell": ["/bin/sh", "-c", ":"],
    "bash, as people have it": ["bash", "-c", ":"],
    "a shell in bubblewrap": ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "/bin/sh", "-c", ":"],
}
OUTCOME = "a line of what was read\n" * 60


class TimedSession(RecordingSession):
    """Notes the processor time at each reply."""

    def __init__(self) -> None:
        super().__init__(plainly(_read))
        self.at: list[float] = []

    def record(self, payload: Payload, *, key: str) -> None:
        super().record(payload, key=key)
        if isinstance(payload, ModelCalled):
            self.at.append(time.process_time())


def _read(_tool: str, _arguments: Mapping[str, Any], _call: str) -> ToolResult:
    return ToolResult(state="ok", summary="read", data={"content": OUTCOME})


def serve() -> None:
    """The model: reads STEPS times, then ends."""
    left = iter(range(STEPS))

    def play(_request: Received) -> Reply:
        again = next(left, None) is not None
        return Reply(text="I look.", uses=(Use(tool="read", arguments={"path": "a"}),) if again else ())

    with Server({PATH: messages_route(play)}) as server:
        print(server.url, flush=True)
        sys.stdin.read()


def main() -> None:
    """Print `name, ours, yardstick, ratio` (milliseconds of processor time)."""
    rounds = [_steps() for _ in range(ROUNDS)]
    step = min(statistics.median(steps) for steps in rounds)
    early, late = (min(statistics.median(s[n - AROUND : n + AROUND]) for s in rounds) for n in (50, STEPS - AROUND))
    for name, words in SHELLS.items():
        spawn = statistics.median(_spawn(words) for _ in range(SPAWNS))
        print(f"a step / {name}, {step:.2f} ms, {spawn:.2f} ms, {step / spawn:.2f}")
    print(f"step 800 / step 50, {late:.2f} ms, {early:.2f} ms, {late / early:.2f}")


def _steps() -> list[float]:
    words = [sys.executable, "-c", "from tests.bench.native_step import serve; serve()"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as model:
        assert model.stdout is not None
        client = Client(key="k", base_url=model.stdout.readline().strip())
        session = TimedSession()
        driver = NativeDriver(
            client,
            model="m",
            tools=(),
            blobs=MemoryJournal(),
            options=Options(window=WINDOW, max_tokens=1000),
            allowance=Allowance(unpriced_tokens=10**12),
        )
        driver.take_turn(Turn(run="m.1", mission="m", agent="a", brief="Read."), session)
        client.close()
    return [1000 * (after - before) for before, after in zip(session.at, session.at[1:], strict=False)]


def _spawn(words: list[str]) -> float:
    """Processor time of one shell, ours and its own, in milliseconds."""
    before = _used()
    subprocess.run(words, check=True)
    return 1000 * (_used() - before)


def _used() -> float:
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(used.ru_utime + used.ru_stime for used in both)


if __name__ == "__main__":
    main()

"""What a step of the native driver costs beside model and tool, as a ratio to a shell spawn; and whether it grows.

The numerator is all processor time of the process that drives, between two recorded replies: asking, decoding, the SDK,
each report to the AEE with its receipt, and the reply's blob on disk. Model and AEE are processes of their own: what
the AEE's journal costs is `journal_append`. The yardstick is the processor time of a spawn, ours and the shell's own,
taken between steps of the same turn, so that both meet the same load. Medians; of several turns, with their range.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.aee.drivers.native.client import Client
from workbench.aee.drivers.native.driver import NativeDriver
from workbench.aee.drivers.native.options import Options
from workbench.aee.reports import Receipt, ReportLine, ReportServer
from workbench.aee.session import RunSession
from workbench.aee.spending import Allowance
from workbench.journal.blobs import FileBlobs
from workbench.model.events import ModelCalled, Payload
from workbench.ports import ToolResult, Turn
from workbench.testing.model_server.messages import PATH, Reply, Use, messages_route
from workbench.testing.model_server.server import Received, Server
from workbench.testing.session import plainly

STEPS = 840
AROUND = 40  # steps on each side of one, whose median is that step's cost
WINDOW = 20_000
SPAWN_EVERY = 4  # steps
ROUNDS = 3
SHELLS = {
    "a shell": ["/bin/sh", "-c", ":"],
    "bash, as people have it": ["bash", "-c", ":"],
    "a shell in bubblewrap": ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "/bin/sh", "-c", ":"],
}
OUTCOME = "a line of what was read\n" * 60
RUN = "m.1"


class TimedSession(RunSession):
    """Notes the processor time of each step, and spawns shells between them."""

    def __init__(self, line: ReportLine, blobs: FileBlobs) -> None:
        super().__init__(
            line,
            run=RUN,
            history=(),
            ready=plainly(_read),
            also=lambda _result, _call: (),
            blobs=blobs,
            stop_asked=lambda: False,
            standing=lambda: None,
        )
        self.steps: list[float] = []
        self.spawns: dict[str, list[float]] = {name: [] for name in SHELLS}
        self._since = 0.0

    def record(self, payload: Payload, *, key: str) -> None:
        super().record(payload, key=key)
        if not isinstance(payload, ModelCalled):
            return
        self.steps.append(1000 * (_used() - self._since))
        if len(self.steps) % SPAWN_EVERY == 0:
            for name, words in SHELLS.items():
                self.spawns[name].append(_spawn(words))
        self._since = _used()


def _read(_tool: str, _arguments: Mapping[str, Any], _call: str) -> ToolResult:
    return ToolResult(state="ok", summary="read", data={"content": OUTCOME})


def serve(socket: str) -> None:
    """The other side: a model that reads STEPS times, then ends, and an AEE that takes every report."""
    left = iter(range(STEPS))

    def play(_request: Received) -> Reply:
        again = next(left, None) is not None
        return Reply(text="I look.", uses=(Use(tool="read", arguments={"path": "a"}),) if again else ())

    reports = ReportServer(Path(socket), lambda _report, _events: Receipt(ok=True))
    with Server({PATH: messages_route(play)}) as server:
        print(server.url, flush=True)
        sys.stdin.read()
    reports.close()


def main() -> None:
    """Print `name, ours, yardstick, ratio` (milliseconds of processor time, medians), then each ratio's range."""
    turns = [_turn() for _ in range(ROUNDS)]
    step = statistics.median(statistics.median(turn.steps) for turn in turns)
    for name in SHELLS:
        spawn = statistics.median(statistics.median(turn.spawns[name]) for turn in turns)
        ratios = [statistics.median(turn.steps) / statistics.median(turn.spawns[name]) for turn in turns]
        _tell(f"a step / {name}", step, spawn, ratios)
    early, late = ([_around(turn.steps, number) for turn in turns] for number in (50, STEPS - AROUND))
    grown = [after / before for before, after in zip(early, late, strict=True)]
    _tell("step 800 / step 50", statistics.median(late), statistics.median(early), grown)
    meanwhile = [_shells(turn, STEPS - AROUND) / _shells(turn, 50) for turn in turns]
    level = [growth / other for growth, other in zip(grown, meanwhile, strict=True)]
    spread = f"{min(level):.2f} to {max(level):.2f}"
    print(f"the same over a shell's own growth, , , {statistics.median(level):.2f} ({spread})")


def _tell(name: str, ours: float, yardstick: float, ratios: list[float]) -> None:
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    print(f"{name}, {ours:.2f} ms, {yardstick:.2f} ms, {statistics.median(ratios):.2f} ({spread})")


def _around(costs: list[float], number: int) -> float:
    return statistics.median(costs[number - AROUND : number + AROUND])


def _shells(turn: TimedSession, number: int) -> float:
    spawned = turn.spawns["a shell"]
    return statistics.median(spawned[(number - AROUND) // SPAWN_EVERY : (number + AROUND) // SPAWN_EVERY])


def _turn() -> TimedSession:
    words = [sys.executable, "-c", "import sys; from tests.bench.native_step import serve; serve(sys.argv[1])"]
    with tempfile.TemporaryDirectory() as place:
        socket = f"{place}/reports"
        with subprocess.Popen([*words, socket], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as others:
            assert others.stdout is not None
            client = Client(key="k", base_url=others.stdout.readline().strip())
            line, blobs = ReportLine(socket, run=RUN, epoch=1), FileBlobs(Path(place) / "blobs")
            session = TimedSession(line, blobs)
            driver = NativeDriver(
                client,
                model="m",
                tools=(),
                blobs=blobs,
                options=Options(window=WINDOW, max_tokens=1000),
                allowance=Allowance(unpriced_tokens=10**12),
            )
            driver.take_turn(Turn(run=RUN, mission="m", agent="a", brief="Read."), session)
            client.close()
            line.close()
    return session


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

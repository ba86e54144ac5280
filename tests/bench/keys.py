"""How soon a key is answered in a real terminal: idle, on a list of ten rows and of a million.

    python -m tests.bench.keys

Prints `name, ours, yardstick, ratio`: milliseconds from the byte of a key to the first byte of the repaint. The
yardstick is an echo through the same pseudo-terminal by `cat`.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

KEYS = 400
ROWS, COLUMNS = 45, 160
QUIET_S = 0.02  # without output: the repaint is over
PATIENCE_S = 60.0
SERVE = "--serve"


class Terminal:
    """A program in a pseudo-terminal."""

    def __init__(self, argv: Sequence[str], *, cwd: Path, env: dict[str, str]) -> None:
        self.leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.process = subprocess.Popen(
            argv, cwd=cwd, env=env, stdin=follower, stdout=follower, stderr=follower, start_new_session=True
        )
        os.close(follower)

    def wait_for(self, mark: bytes) -> None:
        """Read until `mark` was painted."""
        seen, give_up = b"", time.monotonic() + PATIENCE_S
        while mark not in seen:
            assert time.monotonic() < give_up, seen[-500:]
            seen += self._read(0.2)

    def drain(self, quiet_s: float = QUIET_S) -> None:
        """Read what still comes."""
        while self._read(quiet_s):
            pass

    def answered(self, key: bytes) -> float:
        """Milliseconds until the first byte after a key."""
        begun = time.perf_counter()
        os.write(self.leader, key)
        assert self._read(5.0), "the key was not answered"
        return (time.perf_counter() - begun) * 1000

    def drain_now(self) -> None:
        """Read what is there already, and wait for nothing."""
        while self._read(0.0):
            pass

    def answered_with(self, key: bytes, mark: bytes) -> float:
        """Milliseconds until an output with `mark` after a key."""
        begun, seen = time.perf_counter(), b""
        os.write(self.leader, key)
        while mark not in seen:
            assert time.perf_counter() - begun < PATIENCE_S, "the key was not answered"
            seen += self._read(1.0)
        return (time.perf_counter() - begun) * 1000

    def end(self) -> None:
        """Kill it."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.leader)

    def _read(self, seconds: float) -> bytes:
        ready = select.select([self.leader], [], [], seconds)[0]
        return os.read(self.leader, 1 << 16) if ready else b""


@contextmanager
def terminal(argv: Sequence[str], *, cwd: Path, env: dict[str, str]) -> Iterator[Terminal]:
    """A program in a pseudo-terminal, ended afterwards."""
    made = Terminal(argv, cwd=cwd, env=env)
    try:
        yield made
    finally:
        made.end()


def environment(place: Path) -> dict[str, str]:
    """As a person's terminal has it, with everything that is kept below `place`."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    homes = {f"XDG_{name}_HOME": str(place / name.lower()) for name in ("STATE", "CONFIG", "CACHE")}
    return {**kept, **homes, "TERM": "xterm-256color", "COLORTERM": "truecolor"}


def waits(shown: Terminal, *, keys: int = KEYS) -> list[float]:
    """The waits for so many keys, down and up in turns, shortest first."""
    shown.drain(0.5)
    found = []
    for number in range(keys):
        found.append(shown.answered(b"k" if number % 2 else b"j"))
        shown.drain()
    return sorted(found)


def at(sorted_waits: Sequence[float], share: float) -> float:
    """A percentile."""
    return sorted_waits[min(len(sorted_waits) - 1, int(len(sorted_waits) * share))]


def serve(rows: int) -> None:
    """A list of so many rows in the screens' own frame."""
    from textual.widget import Widget

    from workbench.ace.tui.app import WorkbenchApp
    from workbench.ace.tui.screens.base import WorkScreen
    from workbench.ace.tui.sheet import Sheet
    from workbench.ace.tui.text import piece
    from workbench.ace.tui.widgets.columns import Column, painter
    from workbench.ace.tui.widgets.rows import RowsView
    from workbench.ace.wiring.workplace import Workplace

    sheet = Sheet(range(rows), key=str)
    columns = (
        Column[int](lambda row: piece(f"run-{row}", "strong"), 20),
        Column[int](lambda row: piece(f"what row {row} is about, in some words that take the slack"), 0, least=10),
        Column[int](lambda row: piece(f"{row % 60}m", "dim"), 4, right=True),
    )

    class ListScreen(WorkScreen):
        where, main = "list", "#rows"

        def body(self) -> Iterator[Widget]:
            yield RowsView(sheet, painter(columns), text=str, id="rows")

        def on_mount(self) -> None:
            self.query_one(RowsView).let_in()

    class ListApp(WorkbenchApp):
        def get_default_screen(self) -> WorkScreen:
            return ListScreen()

    ListApp(Workplace(Path.cwd())).run()


def main() -> None:
    """Measure."""
    if sys.argv[1:2] == [SERVE]:
        serve(int(sys.argv[2]))
        return
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        subprocess.run(["git", "init", "-q", str(place)], check=True)
        env = environment(place)
        with terminal(["cat"], cwd=place, env=env) as echo:
            floor = at(waits(echo), 0.5)
        found = {}
        for rows in (10, 1_000_000):
            argv = [sys.executable, "-m", "tests.bench.keys", SERVE, str(rows)]
            with terminal(argv, cwd=place, env={**env, "PYTHONPATH": str(Path.cwd())}) as shown:
                shown.wait_for(b"run-")
                found[rows] = waits(shown)
    print("name, ours, yardstick, ratio")
    for rows, taken in found.items():
        for name, share, aim in (("p50", 0.5, 3), ("p99", 0.99, 8)):
            mine = at(taken, share)
            print(
                f"key to repaint {name}, {rows} rows, {mine:.2f} ms, {floor:.2f} ms, {mine / floor:.1f} (aim {aim} ms)"
            )
    few, many = (statistics.median(taken) for taken in found.values())
    print(f"key to repaint, a million rows over ten, {many:.2f} ms, {few:.2f} ms, {many / few:.2f} (aim <= 1.1)")


if __name__ == "__main__":
    main()

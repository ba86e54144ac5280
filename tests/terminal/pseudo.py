"""A terminal that a test can look at: the program runs in a real pseudo-terminal, an emulator keeps what it paints."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyte

PATIENCE_S = 30.0


class PseudoTerminal:
    """`workbench` as a person has it in front of them."""

    def __init__(self, cwd: Path, env: Mapping[str, str], *words: str, size: tuple[int, int] = (120, 40)) -> None:
        columns, rows = size
        self.raw = b""
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._leader, follower = pty.openpty()
        self._fit(columns, rows)
        modes = termios.tcgetattr(follower)
        modes[0] &= ~termios.IXON  # as `stty -ixon`: a Ctrl+S that comes after the program's end stops nothing
        termios.tcsetattr(follower, termios.TCSANOW, modes)
        self.modes_before = termios.tcgetattr(follower)
        self._follower = follower
        self.process = subprocess.Popen(
            [sys.executable, "-m", "workbench", *words],
            cwd=cwd,
            env={**env, "TERM": "xterm-256color"},
            stdin=follower,
            stdout=follower,
            stderr=follower,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )

    def __enter__(self) -> PseudoTerminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.lose()
        if self._follower >= 0:
            os.close(self._follower)

    @property
    def text(self) -> str:
        """What stands on the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    @property
    def modes(self) -> Sequence[object]:
        """How the terminal is set now."""
        return termios.tcgetattr(self._follower)

    def type(self, keys: str) -> None:
        """Press keys, or paste bytes as they are."""
        os.write(self._leader, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        """The window changes."""
        self.screen.resize(rows, columns)
        self._fit(columns, rows)

    def lose(self) -> None:
        """The terminal goes away, as when ssh drops."""
        if self._leader >= 0:
            os.close(self._leader)
            self._leader = -1

    def sees(self, *words: str) -> None:
        """Wait until the screen shows all these words. Raises AssertionError with the screen otherwise."""
        self.until(lambda: all(word in self.text for word in words), f"the screen shows {words}")

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Read until something holds."""
        give_up = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < give_up, f"waited in vain until {what}:\n{self.text}"
            self.read(0.05)

    def ends(self) -> int:
        """Wait for the program's end; its exit code."""
        self.until(lambda: self.process.poll() is not None, "the program ends")
        while self.read(0.1):
            pass
        return int(self.process.returncode)

    def read(self, seconds: float) -> bytes:
        """What the program paints meanwhile."""
        if self._leader < 0 or not select.select([self._leader], [], [], seconds)[0]:
            return b""
        try:
            data = os.read(self._leader, 1 << 16)
        except OSError:  # nobody holds the other side any more
            return b""
        self.raw += data
        self._stream.feed(data)
        return data

    def _fit(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._leader, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

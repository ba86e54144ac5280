"""What to do while the disk is full or the journal is locked: say it once, wait longer and longer, say when it is over.

It must not know what was tried; whoever tries again knows that it may.
"""

from __future__ import annotations

import sys
import threading
import time

from workbench.model.errors import WorkbenchError
from workbench.model.text import one_line

FIRST_DELAY_S = 0.1
LONGEST_DELAY_S = 5.0  # how late it is seen that there is room again


class Trouble:
    """The state of one thing that is tried again and again; usable from several threads."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._guard = threading.Lock()
        self._told = ""
        self._delay = 0.0

    def met(self, problem: Exception) -> float:
        """It did not work: log it unless it was the same the last time; seconds to wait before the next try."""
        text = _sentence(problem)
        with self._guard:
            self._delay = min(max(self._delay * 2, FIRST_DELAY_S), LONGEST_DELAY_S)
            if text != self._told:
                self._told = text
                log(f"{self._what}: {text}")
            return self._delay

    def over(self) -> None:
        """It works; said if it did not before."""
        if not self._told:
            return
        with self._guard:
            self._told, self._delay = "", 0.0
            log(f"{self._what}: it works again")


def log(text: str) -> None:
    """A line in the AEE's log."""
    try:
        sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {one_line(text)}\n")
        sys.stderr.flush()
    except (OSError, ValueError):  # the disk of the log is full as well, or the terminal is gone
        return


def _sentence(problem: Exception) -> str:
    if isinstance(problem, WorkbenchError):
        return f"{problem.message}. {problem.hint}".strip()
    return f"{type(problem).__name__}: {problem}"[:400]

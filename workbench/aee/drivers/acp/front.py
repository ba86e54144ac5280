"""Where a turn's threads meet: everything that touches the session is done by one thread, in the order of asking.

It must not know what is asked for.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any, TypeVar

from workbench.ports import TurnEnd

T = TypeVar("T")
LOOK_EVERY_S = 0.1  # how soon a stop is seen


class Front:
    """`serve` in the turn's thread; `post`, `do`, `finish` and `fail` from any other."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self._asked: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = queue.SimpleQueue()
        self._guard = threading.Lock()
        self._end: TurnEnd | None = None
        self._problem: BaseException | None = None

    def post(self, act: Callable[[], T]) -> Future[T]:
        """Have `act` done; nothing is done any more once the turn is over."""
        future: Future[T] = Future()
        if self.over.is_set():
            future.cancel()
        else:
            self._asked.put((act, future))
        return future

    def do(self, act: Callable[[], T]) -> T:
        """What `act` gives. Raises CancelledError when the turn is over."""
        future = self.post(act)
        while True:
            try:
                return future.result(timeout=LOOK_EVERY_S)
            except TimeoutError:
                if self.over.is_set() and not future.running():
                    raise CancelledError from None

    def finish(self, end: TurnEnd) -> None:
        """The turn ends so, unless it already ended."""
        with self._guard:
            if self._end is None and self._problem is None:
                self._end = end

    def fail(self, problem: BaseException) -> None:
        """The turn ends with an error, unless it already ended."""
        with self._guard:
            if self._end is None and self._problem is None:
                self._problem = problem

    def serve(self, stopping: Callable[[], bool]) -> TurnEnd:
        """Do what is asked for until the turn ends; an end that `finish` or `fail` set is the end."""
        try:
            while True:
                if self._problem is not None:
                    raise self._problem
                if self._end is not None:
                    return self._end
                if stopping():
                    return "stopped"
                with contextlib.suppress(queue.Empty):
                    self._carry(*self._asked.get(timeout=LOOK_EVERY_S))
        finally:
            self.over.set()

    @staticmethod
    def _carry(act: Callable[[], Any], future: Future[Any]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(act())
        except BaseException as problem:
            future.set_exception(problem)
            raise

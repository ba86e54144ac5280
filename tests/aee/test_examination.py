"""When commands of an examination must end: by somebody's word, or because their collector had its time."""

from __future__ import annotations

import threading

from workbench.aee.examination import Deadline


def test_each_collector_has_its_own_time() -> None:
    """One that ran out of time leaves nothing running, and the next one starts fresh."""
    deadline = Deadline(lambda: False, limit_s=0.0)
    deadline()
    assert deadline()
    fresh: list[bool] = []
    other = threading.Thread(target=lambda: fresh.append(deadline()))
    other.start()
    other.join()
    assert fresh == [False]


def test_a_stop_reaches_every_command() -> None:
    """A pause does not wait for the evidence."""
    stop = threading.Event()
    deadline = Deadline(stop.is_set, limit_s=600.0)
    assert not deadline()
    stop.set()
    assert deadline()

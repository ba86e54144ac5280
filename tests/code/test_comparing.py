"""A comparison leaves the process as it found it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from threading import Thread

import pytest

from workbench.code.compare import structural_diff
from workbench.code.model import FileSides

A_FILE = FileSides(path="shop.py", old=b"a = 1\n", new=b"a = 2\n")


class Watched(list[FileSides]):
    """Files that do something when they are first looked at, in the midst of the comparison."""

    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__([A_FILE])
        self._act = act

    def __iter__(self) -> Iterator[FileSides]:
        self._act()
        return super().__iter__()


@pytest.fixture(autouse=True)
def _collector_on() -> Iterator[None]:
    gc.enable()
    yield
    gc.enable()


def test_nobody_looks_for_garbage_while_a_change_is_compared() -> None:
    """The cyclic collector is off within a comparison, and on again after it."""
    seen: list[bool] = []
    structural_diff(Watched(lambda: seen.append(gc.isenabled())))
    assert set(seen) == {False}
    assert gc.isenabled()


def test_a_comparison_that_fails_gives_the_collector_back() -> None:
    """Whatever ends a comparison, garbage is looked for afterwards."""

    def fail() -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        structural_diff(Watched(fail))
    assert gc.isenabled()


def test_the_last_of_two_comparisons_gives_the_collector_back() -> None:
    """A comparison that ends in another thread does not switch the collector on under one that still runs."""
    seen: list[bool] = []

    def another() -> None:
        thread = Thread(target=structural_diff, args=([A_FILE],))
        thread.start()
        thread.join()
        seen.append(gc.isenabled())

    structural_diff(Watched(another))
    assert set(seen) == {False}
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    """Who works without the collector finds it off after a comparison, too."""
    gc.disable()
    structural_diff([A_FILE])
    assert not gc.isenabled()

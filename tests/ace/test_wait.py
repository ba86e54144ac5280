"""`wait` speaks by exit code."""

from __future__ import annotations

import threading

import pytest
from ace_world import Call, World


def test_nothing_to_wait_for_is_done(call: Call) -> None:
    """No missions: 0, at once."""
    assert call("wait", "--no-start").code == 0


def test_a_person_is_needed(call: Call, world: World) -> None:
    """3 when all that is left waits for a person."""
    (run,) = world.mission()
    world.question(run)
    said = call("wait", "--json", "--no-start")
    assert said.code == 3
    assert said.one["status"] == "waiting-human"


def test_time_out(call: Call, world: World) -> None:
    """5 when something still goes on."""
    world.mission()
    assert call("wait", "--timeout", "0", "--no-start").code == 5


def test_a_mission_with_one_run_left_goes_on(call: Call, world: World) -> None:
    """A question of one run does not end the wait while another run works."""
    first, _ = world.mission(runs=2)
    world.question(first)
    assert call("wait", "--timeout", "0", "--no-start").code == 5
    assert call("wait", first, "--timeout", "0", "--no-start").code == 3


def test_any_returns_with_the_first(call: Call, world: World) -> None:
    """--any: one is enough."""
    (run,) = world.mission("prices")
    world.mission("taxes")
    world.question(run)
    assert call("wait", "--timeout", "0", "--no-start").code == 5
    said = call("wait", "--any", "--json", "--no-start")
    assert (said.code, said.one["id"]) == (3, "prices")


@pytest.mark.parametrize(("verb", "code"), [("stop", 1), ("reject", 1)])
def test_what_was_ended_is_not_done(call: Call, world: World, verb: str, code: int) -> None:
    """1 when one failed, was rejected or was stopped."""
    (run,) = world.mission()
    if verb == "reject":
        world.pack(run)
    call(verb, run, "--why", "no")
    assert call("wait", "--no-start").code == code


def test_wait_sees_a_change_of_another_process(call: Call, world: World) -> None:
    """The wait ends when somebody else's event says so."""
    (run,) = world.mission()
    asking = threading.Timer(0.2, world.question, [run])
    asking.start()
    try:
        assert call("wait", "--timeout", "20", "--no-start").code == 3
    finally:
        asking.join()

"""Rows of missions and runs, and what ids name."""

from __future__ import annotations

import pytest

from workbench.core.state import MissionState, RunState
from workbench.core.views.lookup import Named, named
from workbench.core.views.missions import goes_on, mission_row, run_row
from workbench.model.errors import NotFound, UsageError
from workbench.model.events import Pin
from workbench.model.instants import instant

NOW = instant(1_000)
THINGS = (
    Named("mission", "prices"),
    Named("mission", "taxes"),
    Named("run", "prices.1"),
    Named("run", "prices.10"),
    Named("run", "taxes.1"),
    Named("crp", "CRP-prices.1-1"),
)


def mission(**changes: object) -> MissionState:
    return MissionState(id="m", title="T", brief=Pin(id="m"), started_at=instant(900), **changes)  # type: ignore[arg-type]


def run(number: int, **changes: object) -> RunState:
    return RunState(
        id=f"m.{number}", mission="m", agent=f"a{number}", driver="d", branch="b", base_commit="c",
        queued_at=instant(900), **changes,  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_mission_shows_its_most_pressing_run_and_the_sum_of_what_was_spent() -> None:
    """A question among working runs is what a coach sees first."""
    runs = [run(1, cost_usd=0.5, tokens=10), run(2, waiting_for=("C",), cost_usd=0.25, tokens=5)]
    row = mission_row(mission(), runs, now=NOW)
    assert (row.status, row.run, row.stage) == ("waiting-human", "m.2", "consultation")
    assert (row.cost_usd, row.tokens, row.age_s, row.agent) == (0.75, 15, 100, "a1, a2")


def test_idle_time_counts_from_the_last_act() -> None:
    """A run that does nothing can be told from one that just started."""
    assert run_row(run(1, last_at=instant(990)), now=NOW).idle_s == 10
    assert run_row(run(1), now=NOW).idle_s == 100


def test_a_mission_goes_on_while_one_run_can() -> None:
    """Only when no run can do anything is it a person's turn."""
    waiting, queued = run(1, waiting_for=("C",)), run(2)
    assert goes_on(mission(), [waiting, queued])
    assert not goes_on(mission(), [waiting, run(2, paused=True)])
    assert not goes_on(mission(outcome="stopped"), [queued])


@pytest.mark.parametrize(
    ("wanted", "kinds", "found"),
    [
        ("prices", (), "prices"),
        ("prices.1", (), "prices.1"),
        ("pri", (), "prices"),
        ("prices.10", (), "prices.10"),
        ("taxes.", (), "taxes.1"),
        ("CRP", ("crp",), "CRP-prices.1-1"),
        ("t", ("run",), "taxes.1"),
    ],
)
def test_the_unique_start_of_an_id_names_it(wanted: str, kinds: tuple[str, ...], found: str) -> None:
    """A whole id comes before the start of one, and a mission before its own runs."""
    assert named(THINGS, wanted, *kinds).id == found  # type: ignore[arg-type]


def test_what_could_be_several_things_is_refused_with_all_of_them() -> None:
    """Nothing is guessed."""
    with pytest.raises(UsageError) as caught:
        named(THINGS, "p", "run")
    assert caught.value.data["candidates"] == ["prices.1", "prices.10"]


def test_what_names_nothing_is_said_with_what_there_is() -> None:
    """An empty word names nothing either."""
    for wanted in ("frob", ""):
        with pytest.raises(NotFound):
            named(THINGS, wanted)

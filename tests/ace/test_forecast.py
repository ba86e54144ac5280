"""What people see of branches that would conflict."""

from __future__ import annotations

from pathlib import Path

from ace_world import Call, World, git

from workbench.ace.tui.mirror import Mirror
from workbench.ace.tui.missionlist import mission_line
from workbench.ace.wiring.reviewing import preview_merge
from workbench.ace.wiring.workplace import Workplace
from workbench.aee.forecasting import Forecasting
from workbench.core.forecast import FORECAST_STREAM
from workbench.model import events as e


def foreseen(world: World) -> None:
    """The AEE looked, and ended."""
    store = world.journal.directory / "store.git"
    looking = Forecasting(world.journal, world.journal, store=store, repository=world.repository)
    looking.start()
    looking.close()


def test_branches_that_would_conflict_are_told_before_they_are_merged(
    call: Call, world: World, repository: Path
) -> None:
    """`forecast` sees them as they stand; missions and runs say what the AEE saw, until one of them is merged."""
    (one,), (other,), (third,) = world.mission("one"), world.mission("other"), world.mission("third")
    assert "Nothing is waiting" in call("forecast").out
    world.pack(one, files={"shop.py": "PRICE = 10\n"})
    name = world.pack(other, files={"shop.py": "PRICE = 20\n"})
    world.pack(third, files={"new.py": "NEW = 1\n"})
    assert call("approve", name, "--why", "fine").code == 0
    seen = call("forecast", "--json").one
    assert [(clash["first"], clash["second"], clash["paths"]) for clash in seen["clashes"]] == [
        (one, other, ["shop.py"])
    ]
    assert seen["order"] == [other, third, one]
    assert "one.1 with other.1: shop.py:1" in call("forecast").out
    assert [row["conflicts"] for row in call("runs", "--json").rows] == [[], [], []]
    foreseen(world)
    foreseen(world)
    assert [row["conflicts"] for row in call("runs", "--json").rows] == [[other], [one], []]
    assert [row["forecast"] for row in call("missions", "--json").rows] == ["conflicts 1: shop.py"] * 2 + [""]
    assert "conflicts 1: shop.py" in call("missions").out
    with Workplace(repository) as place, place.reading() as ledger:
        assert preview_merge(place, name).waiting == (
            "one.1 changes the same in shop.py, and will conflict once this is merged",
        )
        mirror = Mirror()
        mirror.refresh(ledger)
        line = mission_line(mirror.missions["one"], mirror.runs_of("one"), {}, (), mirror.forecast)
        assert line.forecast == "conflicts 1: shop.py"
    assert call("merge", name).code == 0
    assert [row["forecast"] for row in call("missions", "--json").rows] == ["", "", ""]
    assert call("forecast", "--json").one["order"] == [third, one]
    foreseen(world)
    assert [row["conflicts"] for row in call("runs", "--json").rows] == [["target"], [], []]
    assert git(repository, "status", "--porcelain") == ""


def test_a_forecast_is_recorded_only_when_it_is_another(world: World) -> None:
    """News that move no branch, and branches that move without a conflict's coming or going, fill no journal."""
    world.pack(world.mission()[0])
    store = world.journal.directory / "store.git"
    looking = Forecasting(world.journal, world.journal, store=store, repository=world.repository)
    looking.start()
    looking.heed(world.journal.read_all())
    looking.close()
    assert [type(event.payload) for event in world.journal.read(FORECAST_STREAM)] == [e.ForecastMade]

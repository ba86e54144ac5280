"""The impact of a pack on screen: who is reached, and the way there."""

from __future__ import annotations

from pathlib import Path

from ace_world import World, git

from tests.sessions.reviewed import HOSTILE, review
from workbench.core.decide.decision import Decision
from workbench.core.forecast import FORECAST_STREAM
from workbench.model import events as e
from workbench.model.events import Clash
from workbench.testing.stage import Session


def test_the_impact_is_a_tree_that_leads_to_the_lines(repository: Path, world: World) -> None:
    """`i` shows who is reached in 80 columns; a row of the change leads to its diff, any other to its lines."""
    (repository / "tax.py").write_text("def rate(land):\n    return 19\n")
    (repository / "till.py").write_text(f"from tax import rate\n\n\ndef pay(rows):\n    return rate(1)  # {HOSTILE}\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "Shop")
    world.base = git(repository, "rev-parse", "HEAD")
    (run,), (other,) = world.mission(), world.mission("other")
    clash = Clash(first=run, second=other, kind="symbol", paths=("till.py",), symbols=("both edit rate",), leads=other)
    seen = e.ForecastMade(clashes=(clash,))
    world.append(Decision(events=(e.Proposed(stream=FORECAST_STREAM, payload=seen, actor="aee"),)))
    pack = world.pack(run, files={"tax.py": "def rate(land, day):\n    return 19\n"})

    async def act(person: Session) -> None:
        person.sees("FORECAST  collides with other.1 (other.1 first): both edit rate")
        await person.do("show-impact")
        await person.until_sees(f"{pack}  impact: 1 caller, 1 module")
        person.sees("rate  public function called otherwise  1 caller", "└ pay  till.py:5", "NOT LOOKED AT")
        await person.do("next-line")
        await person.do("open-row")
        await person.until_sees("def pay(rows):")
        person.sees("return rate(1)", "\\u202e")
        await person.do("go-back")
        await person.do("previous-line")
        await person.do("open-row")
        await person.until_sees("+ def rate(land, day):")

    review(repository, pack, act, size=(80, 24))

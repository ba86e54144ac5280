"""Versions of one brief side by side."""

from __future__ import annotations

from ace_world import Call, World

from workbench.artifacts.pack_parts import Change
from workbench.model.evidence import Evidence, Finding


def covered(percent: float) -> Evidence:
    return Evidence(
        id="coverage", kind="coverage.changed", criterion="verification", grade="executed", state="passed",
        summary=f"{percent} % of changed lines", facts={"percent": percent},
    )  # fmt: skip


def test_versions_are_held_against_each_other_row_by_row(call: Call, world: World) -> None:
    """The best of a row is marked; where all are alike, or nothing is known, nothing is."""
    one, two, three = world.mission(runs=3)
    first = world.pack(one, evidence=(covered(80.0),), changes=(Change(path="a.py", added=10, removed=2),))
    bad = Finding(kind="secrets.aws", severity="high", text="\x1b[2Ja key")
    second = world.pack(two, verdict="not-ready", evidence=(covered(95.0),), findings=(bad,))
    shown = call("compare", "prices", "--json").one
    assert (shown["kind"], shown["id"], shown["versions"]) == ("comparison", "prices", [one, two, three])
    assert shown["packs"] == [first, second, ""]
    rows = {row["name"]: row for row in shown["rows"]}
    assert (rows["verdict"]["values"], rows["verdict"]["best"]) == (["ready", "not-ready", "no pack yet"], [0])
    assert rows["coverage of changed lines"]["best"] == [1]
    assert (rows["findings"]["values"], rows["findings"]["best"]) == (["none", "1 high", ""], [0])
    assert (rows["changed lines"]["values"][0], rows["changed lines"]["best"]) == ("+10 -2", [1])
    assert rows["cost"]["best"] == []
    assert shown["not_checked"]  # that nobody ran one version against the other's tests is said
    told = call("compare", "prices", "--differences")
    assert f" * {first}  ready" in told.out
    assert "cost" not in told.out.splitlines()
    assert rows["complexity"]["values"] == ["not checked", "not checked", ""]
    assert "not checked: whether the versions behave alike" in " ".join(told.out.split())


def test_one_version_is_not_compared(call: Call, world: World) -> None:
    """With what starts several."""
    world.mission()
    said = call("compare", "prices", "--json")
    assert (said.error["id"], "--versions" in said.error["hint"]) == ("Refused", True)

"""Versions of one brief side by side."""

from __future__ import annotations

from pathlib import Path

import pytest
from ace_world import Call, World, git

from workbench.ace.wiring import choosing
from workbench.ace.wiring.workplace import Workplace
from workbench.artifacts.pack_parts import Change
from workbench.model.errors import UsageError
from workbench.model.evidence import Evidence, Finding


def covered(percent: float) -> Evidence:
    return Evidence(
        id="coverage", kind="coverage.changed", criterion="verification", grade="executed", state="passed",
        summary=f"{percent} % of changed lines", facts={"percent": percent},
    )  # fmt: skip


def test_versions_are_held_against_each_other_row_by_row(call: Call, world: World) -> None:
    """The best of a row is marked, of those that could be picked; where all are alike, or nothing is known, nothing."""
    one, two, three = world.mission(runs=3)
    first = world.pack(one, evidence=(covered(80.0),), changes=(Change(path="a.py", added=10, removed=2),))
    bad = Finding(kind="secrets.aws", severity="high", text="\x1b[2Ja key")
    second = world.pack(two, verdict="not-ready", evidence=(covered(95.0),), findings=(bad,))
    shown = call("compare", "prices", "--json").one
    assert (shown["kind"], shown["id"], shown["versions"]) == ("comparison", "prices", [one, two, three])
    assert shown["packs"] == [first, second, ""]
    rows = {row["name"]: row for row in shown["rows"]}
    assert (rows["verdict"]["values"], rows["verdict"]["best"]) == (["ready", "not-ready", "no pack yet"], [0])
    assert rows["coverage of changed lines"]["best"] == []  # more is covered where it is not ready
    assert (rows["findings"]["values"], rows["findings"]["best"]) == (["none", "1 high", ""], [0])
    assert (rows["changed lines"]["values"][0], rows["changed lines"]["best"]) == ("+10 -2", [])
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


def three(world: World) -> list[str]:
    one, two, three = world.mission(runs=3)
    world.question(three)
    first = world.pack(one, files={"shop.py": "PRICE = 2\n", "tax.py": "TAX = 1\n\n\ndef f():\n    return 1\n"})
    second = world.pack(two, files={"shop.py": "PRICE = 3\n", "tax.py": "TAX = 2\n\n\ndef f():\n    return 2\n"})
    return [first, second]


def test_a_version_is_picked_once_and_the_others_are_closed_and_kept(
    call: Call, world: World, repository: Path
) -> None:
    """One resolution names the chosen one, those left behind, and why; it approves, and their questions are over."""
    first, second = three(world)
    bold = world.pack(world.mission("bold", runs=2)[0], verdict="not-ready")
    refused = call("compare", "bold", "--pick", bold, "--why", "why not", "--json")
    assert (refused.code, "--override" in refused.error["hint"]) == (1, True)
    assert call("compare", "prices", "--pick", bold, "--why", "x").code == 1
    assert call("compare", "prices", "--pick", second).code == 2  # a choice needs a reason
    said = call("compare", "prices", "--pick", second, "--why", "It is smaller", "--json").one
    assert (said["decision"], said["selected"], said["left_behind"]) == ("select", [second], [first, "prices.3"])
    assert said["rationale"] == "It is smaller"
    again = call("compare", "prices", "--pick", first, "--why", "no, this", "--json")
    assert (again.code, "superseded" in again.error["message"]) == (1, True)
    assert [(row["id"], row["category"]) for row in call("inbox", "--json").rows if row["mission"] == "prices"] == [
        (second, "approved")
    ]
    assert call("merge", second, "--json").one["mode"] == "merge"
    assert (repository / "shop.py").read_text() == "PRICE = 3\n"
    assert "decision: select" in (repository / f".workbench/resolutions/{said['id']}.md").read_text()
    assert git(repository, "rev-parse", f"{world.journal.pack(first).head}^{{commit}}")  # type: ignore[union-attr]  # it is there
    assert call("journal", "verify").code == 0


def test_a_version_is_composed_of_files_and_functions(call: Call, world: World, repository: Path) -> None:
    """It is a run of the mission with its commit, whose resolution says what is taken of which; modes are kept."""
    first, second = three(world)
    with Workplace(repository) as place:
        made = choosing.compose(place, "prices.1", [f"{second}:tax.py::f", first], why="Best of both")
        assert made.resolution["left_behind"] == ["prices.3"]
        store = world.journal.directory / "store.git"
        assert git(store, "show", f"{made.head}:tax.py") == "TAX = 1\n\n\ndef f():\n    return 2"
        assert git(store, "show", f"{made.head}:shop.py") == "PRICE = 2"
        assert git(store, "rev-parse", f"{made.head}^") == world.base
        assert f"VCR-{made.run}.md" in git(store, "ls-tree", "-r", "--name-only", made.head)
    run = world.journal.run(made.run)
    assert run is not None
    assert (run.mission, run.submission, run.driver) == ("prices", made.head, "branch")
    assert [row.outcome for row in world.journal.runs(mission="prices")] == ["superseded"] * 3 + [""]
    shown = call("show", made.resolution["id"])
    assert (f"taken: {second}:tax.py::f" in shown.out, "left behind: prices.3" in shown.out) == (True, True)
    assert "no agent" in call("steer", made.run, "Hurry").err
    pack = world.pack(made.run, files={"shop.py": "PRICE = 4\n"})
    assert "no agent behind it" in call("request-changes", pack, "--why", "no").err
    with Workplace(repository) as place:
        again = choosing.compose(place, "prices", [f"{pack}:shop.py", f"{second}:tax.py"], why="The price was wrong")
    assert (again.run, again.resolution["left_behind"]) == ("prices.5", [])


def test_a_version_is_composed_of_hunks(call: Call, world: World, repository: Path) -> None:
    """Of the same file of several, beside what else is taken of it; lines that two change otherwise are refused."""
    lines = [f"value_{number} = {number}" for number in range(40)]

    def text(**changes: str) -> str:
        return "".join(f"{changes.get(f'n{at}', line)}\n" for at, line in enumerate(lines))

    world.base = world.commit("main", {"shop.py": text(), "twins.py": "a = 1\n" * 30})
    git(repository, "reset", "-q", "--hard", world.base)
    one, two = world.mission(runs=2)
    twins = "a = 1\n" * 10 + "b = 2\n" + "a = 1\n" * 10 + "b = 2\n" + "a = 1\n" * 10
    first = world.pack(one, files={"shop.py": text(n3="three = 1", n20="twenty = 1"), "twins.py": twins})
    second = world.pack(two, files={"shop.py": text(n3="three = 2", n20="twenty = 2", n36="more = 2")})
    rows = call("mrp", "diff", second, "--json").rows
    assert [(row["path"], row["line"], row["read"]) for row in rows] == [
        ("shop.py", 4, False), ("shop.py", 21, False), ("shop.py", 37, False),
    ]  # fmt: skip
    three, _, more = (row["hunk"] for row in rows)
    told = call("compare", "prices", "--hunks", "--json").one
    assert told["hunks"] == []  # these packs tell of no files
    (alike,) = {row["hunk"] for row in call("mrp", "diff", first, "twins.py", "--json").rows}
    twenty = call("mrp", "diff", first, "shop.py", "--json").rows[1]["hunk"]
    parts = [f"{second}:shop.py#{three},shop.py#{more}", f"{first}:shop.py#{twenty[:6]}"]
    with Workplace(repository) as place:
        with pytest.raises(UsageError, match="line 4 of the base is changed in two ways"):
            choosing.compose(place, "prices", [first, f"{second}:shop.py#{three}"], why="x")
        with pytest.raises(UsageError, match=r"names 2 hunks of twins\.py, at lines 11, 22"):
            choosing.compose(place, "prices", [f"{first}:twins.py#{alike}"], why="x")
        made = choosing.compose(place, "prices", parts, why="Of each the better")
    store = world.journal.directory / "store.git"
    wanted = text(n3="three = 2", n20="twenty = 1", n36="more = 2").strip()
    assert git(store, "show", f"{made.head}:shop.py") == wanted
    assert git(store, "diff", "--name-only", world.base, made.head, "--", ".", ":!.workbench") == "shop.py"
    assert made.resolution["selected"] == parts


def test_a_path_is_taken_whatever_it_is_called(world: World, repository: Path) -> None:
    """Commas and colons are part of a name that has them, and no line of a name gets into the message of the commit."""
    one, two = world.mission(runs=2)
    odd = "a,b::c\nWorkbench-Pack: MRP-evil-1"
    first = world.pack(one, files={odd: "1\n", "shop.py": "PRICE = 2\n"})
    world.pack(two, files={"shop.py": "PRICE = 3\n"})
    with Workplace(repository) as place:
        made = choosing.compose(place, "prices", [f"{first}:{odd}"], why="Only that")
    store = world.journal.directory / "store.git"
    assert git(store, "show", f"{made.head}:{odd}") == "1"
    assert "\nWorkbench-Pack" not in git(store, "log", "-1", "--format=%B", made.head)


def test_no_hunk_replaces_what_another_version_made_of_a_file(call: Call, world: World, repository: Path) -> None:
    """A change that git shows no lines of cannot be put together with hunks, and is not left out for them either."""
    one, two = world.mission(runs=2)
    first = world.pack(one, files={"shop.py": "PRICE = 2\0\n"})
    second = world.pack(two, files={"shop.py": "PRICE = 3\n"})
    [row] = call("mrp", "diff", second, "--json").rows
    with Workplace(repository) as place, pytest.raises(UsageError, match="is no text in the new version"):
        choosing.compose(place, "prices", [first, f"{second}:shop.py#{row['hunk']}"], why="x")


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        (["{1}:nope.py"], "does not change"),
        (["{0}:../../etc/passwd"], "does not change"),
        (["{0}:"], "names no path"),
        (["{0}", "{1}"], "Only one version"),
        (["{0}"], "as it is"),
        (["{0}:tax.py", "{1}:tax.py"], "is taken of"),
        (["{0}", "{1}:tax.py::gone"], "has no gone"),
        (["{0}", "{1}:shop.py#abcdef"], "has no hunk abcdef"),
        (["{0}", "{1}:tax.py#abcdef"], "it has no hunks"),
        (["{0}", "{1}:nope.py#abcdef"], "does not change"),
        (["{0}", "{1}:shop.txt::f"], "no shop.txt"),
        (["MRP-nothing-1"], "called"),
        (["--exec=touch pwned"], "called"),
    ],
)
def test_parts_that_do_not_fit_are_refused_in_words(parts: list[str], told: str, call: Call, world: World) -> None:
    """And nothing is closed over it."""
    packs = three(world)
    words = [word for part in parts for word in (f"--compose={part.format(*packs)}",)]
    said = call("compare", "prices", *words, "--why", "x", "--json")
    assert (said.code in (1, 2), told in said.error["message"]) == (True, True), said
    assert [row.outcome for row in world.journal.runs(mission="prices")] == ["", "", ""]

"""Comments on packs: made, sent in one batch, found again in the next revision, settled, and taken elsewhere."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from ace_world import Call, World, git

from workbench.ace.wiring import commenting
from workbench.ace.wiring.workplace import Workplace

BEFORE = "def total(prices):\n    found = 0\n    for price in prices:\n        found += price\n    return found\n"
AFTER = BEFORE.replace("    found = 0\n", '    """The sum."""\n    found = 0\n').replace("+= price", "+= abs(price)")


def _sent_back(call: Call, world: World) -> tuple[str, str]:
    """A pack with a comment on a line that stays, one on a line that goes, and one on the whole; it was sent back."""
    (run,) = world.mission()
    pack = world.pack(run, files={"shop.py": BEFORE})
    assert call("comment", "add", pack, "shop.py:4", "-m", "negative prices?").code == 0
    assert call("comment", "add", pack, "shop.py:5", "-m", "name it better").code == 0
    assert call("comment", "add", pack, "-m", "a test, please").code == 0
    assert call("request-changes", pack, "--why", "see comments").code == 0
    return run, pack


def test_comments_go_to_the_agent_in_one_batch_with_the_request_for_changes(call: Call, world: World) -> None:
    """Each with its id, which the agent names when it says what it did, and its place."""
    run, pack = _sent_back(call, world)
    vcr = call("show", pack, "--json").one["decisions"][-1]
    assert vcr["required_changes"] == [
        f"[{pack}.c1] shop.py:4: negative prices?",
        f"[{pack}.c2] shop.py:5: name it better",
        f"[{pack}.c3]: a test, please",
    ]
    state = world.journal.run(run)
    assert state is not None
    assert all(change in state.request for change in vcr["required_changes"])
    assert {row["state"] for row in call("comment", "list", pack, "--json").rows} == {"sent"}


def test_a_later_revision_shows_each_comment_at_its_words_or_as_outdated(call: Call, world: World) -> None:
    """What the agent says that it did is shown beside them; it settles nothing."""
    run, pack = _sent_back(call, world)
    claimed = {"addressed": [{"comment": f"{pack}.c1", "how": "took abs()"}]}
    second = world.pack(run, files={"shop.py": AFTER}, revision=2, claimed=claimed)
    rows = {row["id"]: row for row in call("comment", "list", second, "--json").rows}
    assert [(rows[f"{pack}.c{n}"]["state"], rows[f"{pack}.c{n}"]["place"]) for n in (1, 2, 3)] == [
        ("addressed", "outdated"),
        ("sent", "here"),
        ("sent", ""),
    ]
    assert rows[f"{pack}.c1"]["claim"] == "took abs()"
    assert rows[f"{pack}.c2"]["where"] == "shop.py:6"
    assert call("comment", "settle", f"{pack}.c1", "--why", "fine").code == 0
    assert call("comment", "list", second, "--json").rows[0]["settled"] == "fine"
    assert call("comment", "settle", f"{pack}.c1", "--why", "again", "--json").error["id"] == "Refused"


def test_a_comment_on_a_function_follows_its_name(call: Call, world: World) -> None:
    """It stands on the whole of it wherever a later revision has it, or under another name, until it is gone."""
    (run,) = world.mission()
    text = "class Till:\n    def pay(self, amount):\n        total = amount * self.rate\n        return total, 1\n"
    pack = world.pack(run, files={"shop.py": text})
    made = call("comment", "add", pack, "shop.py::Till.pay", "-m", "Why not all?", "--json").one
    assert made["where"] == "shop.py::Till.pay"
    call("request-changes", pack, "--why", "See the comment.")
    later = world.pack(run, files={"shop.py": "import math\n\n\n" + text.replace("total, 1", "total, 2")}, revision=2)
    (row,) = call("comment", "list", later, "--json").rows
    assert (row["place"], row["where"]) == ("here", "shop.py::Till.pay")
    (exported,) = json.loads(call("comment", "export", later, "--as", "github").out)["comments"]
    assert (exported["start_line"], exported["line"]) == (5, 7)
    renamed = {"shop.py": "VALUE = 1\n\n\n" + text.replace("pay", "paid")}
    for revision, files, told in (
        (3, renamed, ("here", "shop.py::Till.paid")),
        (4, {"till.py": text}, ("here", "till.py::Till.pay")),
        (5, {"shop.py": text.replace("pay", "paid").replace("Till", "Desk")}, ("here", "shop.py::Desk.paid")),
        (6, {"shop.py": "VALUE = 1\n"}, ("outdated", "shop.py::Till.pay")),
    ):
        last = world.pack(run, files=files, revision=revision)
        (row,) = call("comment", "list", last, "--json").rows
        assert (row["place"], row["where"]) == told


def test_a_comment_on_what_a_line_was_part_of_is_on_the_result(world: World, repository: Path) -> None:
    """What a line that is gone stood in is commented on in the result, or where it was if the result has it no more."""
    (run,) = world.mission()
    kept, gone = (world.pack(run, files={"shop.py": text}, revision=at) for at, text in ((1, "PRICE = 2\n"), (2, "\n")))
    for name, side in ((kept, "new"), (gone, "old")):
        pack = world.journal.pack(name)
        assert pack is not None
        target = commenting.entity_target_at(Workplace(repository), pack, "shop.py", 1, side="old")
        assert target is not None and (target["name"], target["side"]) == ("PRICE", side)


def test_a_comment_on_a_step_goes_to_the_agent_with_the_step(call: Call, world: World) -> None:
    """It is known by its number in the log of the run, and told with what it was."""
    (run,) = world.mission()
    world.question(run)
    pack = world.pack(run, files={"shop.py": BEFORE})
    lines = [line.split() for line in call("log", run).out.splitlines()]
    number = next(words[1] for words in lines if words[1].isdigit())
    made = call("comment", "add", pack, f"step:{number}", "-m", "Look it up instead.", "--json").one
    assert made["where"].startswith(f"step {number} (")
    missing = call("comment", "add", pack, "step:999", "-m", "hm", "--json").error
    assert (missing["id"], missing["hint"]) == ("UsageError", f"workbench log {run}")
    call("request-changes", pack, "--why", "See the comment.")
    assert f"step {number} (" in str([event.payload for event in world.journal.read(f"run/{run}")])


def test_one_comment_is_on_two_versions(call: Call, world: World) -> None:
    """Each agent gets it with the other's place; a version with itself is refused."""
    one, two = world.mission(runs=2)
    first, second = world.pack(one, files={"shop.py": BEFORE}), world.pack(two, files={"shop.py": AFTER})
    made = call("comment", "add", first, "shop.py:4", "-m", "One of you, please.", "--also", second, "--json").one
    assert made["where"] == f"shop.py:4 together with {second}"
    (other,) = call("comment", "list", second, "--json").rows
    assert (other["where"], other["text"]) == (f"together with shop.py:4 of {first}", "One of you, please.")
    assert call("comment", "add", first, "-m", "hm", "--also", first, "--json").error["id"] == "Refused"


def test_a_comment_on_what_a_pack_does_not_have_is_refused_with_the_remedy(call: Call, world: World) -> None:
    """Nobody writes to a place that nobody will look at."""
    (run,) = world.mission()
    pack = world.pack(run, files={"shop.py": BEFORE})
    for where in ("shop.py:99", "shop.py:3-2", "nowhere.py:1", "../shop.py:1", "tests.other", "shop.py::gone"):
        said = call("comment", "add", pack, where, "-m", "hm", "--json")
        assert (said.code, said.error["id"]) == (2, "UsageError"), where
        assert "PATH:LINE" in said.error["hint"]
    assert call("comment", "add", pack, "shop.py:1", "--json").error["id"] == "Refused"  # no words
    assert call("comment", "settle", "nothing", "--why", "x").code == 2
    assert call("comment", "list", pack, "--json").rows == []


def test_suggestions_are_a_patch_that_git_applies(call: Call, world: World, repository: Path, tmp_path: Path) -> None:
    """Where two want the same lines, the first is in it, and the other is named."""
    (run,) = world.mission()
    pack = world.pack(run, files={"shop.py": BEFORE})
    new = tmp_path / "new.txt"
    new.write_text("    return round(found, 2)\n    # rounded\n")
    assert call("comment", "add", pack, "shop.py:5", "--suggest", str(new)).code == 0
    assert call("comment", "add", pack, "shop.py:4-5", "--suggest", str(new), "-m", "or so").code == 0
    said = call("comment", "export", pack, "--as", "patch")
    assert f"{pack}.c2 is not in the patch" in said.err
    git(repository, "checkout", "-q", "--detach", world.journal.pack(pack).head)  # type: ignore[union-attr]
    subprocess.run(["git", "apply", "--check", "-"], cwd=repository, input=said.out, text=True, check=True)
    assert "+    return round(found, 2)" in said.out


def test_a_forge_gets_comments_on_lines_only_where_it_shows_them(call: Call, world: World, repository: Path) -> None:
    """One elsewhere would have GitHub refuse them all; GitLab knows a line that did not change by both its numbers."""
    text = [f"line_{number} = {number}" for number in range(1, 41)]
    (repository / "long.py").write_text("\n".join(text))
    git(repository, "add", "long.py")
    git(repository, "commit", "-qm", "A long file")
    world.base = git(repository, "rev-parse", "HEAD")
    (run,) = world.mission()
    pack = world.pack(run, files={"long.py": "\n".join(["first = 0", *text[:19], "line_20 = 21", *text[20:]])})
    for where, words in (
        ("long.py:19", "near"),
        ("long.py:30", "far"),
        ("long.py:3-21", "across"),
        ("shop.py:1", "else"),
    ):
        assert call("comment", "add", pack, where, "-m", words).code == 0, where
    empty = repository.parent / "empty.txt"
    empty.write_text("")
    call("comment", "add", pack, "long.py:21", "-m", "no need", "--suggest", str(empty))
    review = json.loads(call("comment", "export", pack, "--as", "github").out)
    assert [one["body"] for one in review["comments"]] == ["near", "no need\n\n```suggestion\n```\n"]
    assert all(words in review["body"] for words in ("far", "across", "else"))
    _, near, _ = (json.loads(line) for line in call("comment", "export", pack, "--as", "gitlab").out.splitlines())
    assert (near["position"]["old_line"], near["position"]["new_line"]) == (18, 19)


def test_comments_go_to_a_forge_in_its_own_form(call: Call, world: World) -> None:
    """On lines as comments of a review; what is on no lines stands in the review's own words."""
    (run,) = world.mission()
    pack = world.pack(run, files={"shop.py": BEFORE})
    call("comment", "add", pack, "shop.py:3-4", "-m", "use sum()")
    call("comment", "add", pack, "DOD-1", "-m", "\x1b[2Jnot shown")
    review = json.loads(call("comment", "export", pack, "--as", "github").out)
    head = world.journal.pack(pack).head  # type: ignore[union-attr]
    assert (review["commit_id"], review["event"]) == (head, "COMMENT")
    assert review["comments"] == [
        {"path": "shop.py", "line": 4, "side": "RIGHT", "start_line": 3, "start_side": "RIGHT", "body": "use sum()"}
    ]
    assert "DOD-1" in review["body"]
    whole, on_line = (json.loads(line) for line in call("comment", "export", pack, "--as", "gitlab").out.splitlines())
    assert "DOD-1" in whole["body"]
    numbered = {name: on_line["position"].get(name) for name in ("old_path", "new_path", "old_line", "new_line")}
    assert numbered == {"old_path": "shop.py", "new_path": "shop.py", "old_line": None, "new_line": 4}
    markdown = call("comment", "export", pack).out
    assert "## shop.py:3-4" in markdown
    assert "\x1b" not in markdown

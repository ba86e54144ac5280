"""Several packs at once, with evidence of the AEE: a trial of some, and the queue, which finds who breaks it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.soak.person import Person
from workbench.aee.sandbox.select import probe
from workbench.testing.repositories import Repo

CONFINED = probe("bubblewrap").works
LEVEL = () if CONFINED else ("--sandbox", "none")
# A suite that starts at once: two of the branches are fine alone, and break it together.
SUITE = "test:\n\ttest ! -e left.txt -o ! -e right.txt\n"
LENIENT = "id: lenient\nversion: '1'\nrigor: lenient\nrequire_brief: false\n"


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    """Somebody with three branches, whose machine cannot sign: a file stands where its keys would be kept."""
    made = Person(tmp_path / "world")
    repo = Repo(made.repository)
    repo.commit({"Makefile": SUITE, "product.txt": "good\n", ".workbench/policy.yaml": LENIENT})
    for name in ("left", "right", "apart"):
        repo.git("checkout", "-q", "-b", name, "main")
        repo.commit({f"{name}.txt": f"{name}\n"})
        repo.git("checkout", "-q", "main")
    (made.state / "workbench").mkdir(parents=True)
    (made.state / "workbench/keys").write_text("")
    assert made.call("aee", "start").code == 0
    yield made
    made.call("aee", "stop")


def approved(person: Person, branch: str) -> str:
    built = person.call("mrp", "build", "--base", "main", "--head", branch, "--json", *LEVEL)
    assert built.code in (0, 3), built
    name = str(built.rows[0]["id"])
    assert person.call("approve", name, "--why", f"{branch} is fine").code == 0
    return name


def test_a_trial_tells_what_the_queue_then_leaves(person: Person) -> None:
    """Red together: the culprit is found and left, the others land, each on evidence of what landed before it.

    Nothing moves with a trial, whose pack is one like any other; a pack that nobody could sign says so, and why.
    """
    left, right, apart = (approved(person, name) for name in ("left", "right", "apart"))
    assert "not signed: " in person.call("mrp", "show", left).out
    fits = person.call("trial", left, apart, "--json")
    assert fits.code in (0, 3), fits
    assert fits.rows[0]["trial_of"] == [left, apart]
    evidence = {item["kind"]: item["state"] for item in fits.rows[0]["evidence"]}
    assert evidence["tests.base-on-result"] == "passed"
    assert person.git("log", "--format=%s", "main").stdout.count("\n") == 1

    queue = person.call("merge", left, right, apart, "--json")
    assert queue.code == 1, queue
    states = {row["state"] for row in queue.rows}
    merged = [row for row in queue.rows if row["state"] == "merged"]
    (red,) = [row for row in queue.rows if row["state"] == "red"]
    assert (states, len(merged)) == ({"merged", "red"}, 2), queue.out
    assert red["id"] in (left, right) and "it is not ready" in red["reason"] and red["before"]
    there = set(person.git("ls-tree", "--name-only", "main").stdout.split())
    assert "apart.txt" in there and len(there & {"left.txt", "right.txt"}) == 1
    assert person.git("status", "--porcelain").stdout == ""
    assert json.loads(person.call("journal", "verify", "--json").out)["ok"]

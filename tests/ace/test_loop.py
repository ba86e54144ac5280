"""The command line with a real AEE: a branch is gated, a mission goes from one sentence to a merge and back."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ace_world import Call, git

from workbench.ace.wiring.levels import bubblewrap_problem

SCRIPT = """\
agent: robin
steps:
  - ask:
      id: q1
      category: trade-off
      mode: blocking
      summary: Which price?
      options:
        - {id: A, label: Two}
        - {id: B, label: Three}
      then:
        A:
          - edit: {path: shop.py, old: "PRICE = 1", new: "PRICE = 2"}
        B:
          - edit: {path: shop.py, old: "PRICE = 1", new: "PRICE = 3"}
  - submit: {message: Raise the price, rationale: {approach: Edit it, trade_offs: [], test_plan: []}}
"""
DELIVERY = """\
agent: robin
steps:
  - edit: {path: shop.py, old: "PRICE = 1", new: "PRICE = 2"}
  - submit: {message: Raise the price, rationale: {approach: Edit it, trade_offs: [], test_plan: []}}
"""
TEST = "from shop import PRICE\n\n\ndef test_price() -> None:\n    assert PRICE >= 1\n"


@pytest.fixture
def aee(repository: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A repository with a suite, on a machine where the sandbox works; whatever AEE was started is ended."""
    if shutil.which("bwrap") is None or bubblewrap_problem() is not None:
        pytest.skip("bubblewrap does not work here")
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    (repository / "test_shop.py").write_text(TEST)
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "Test")
    yield
    assert call("aee", "stop", "--quiet").code == 0


def test_from_a_sentence_to_a_merge(call: Call, aee: None, repository: Path, tmp_path: Path) -> None:
    """Run, question, answer, pack, approval, merge, proof again: each by a command, found by `wait` and `inbox`."""
    script = tmp_path / "robin.yaml"
    script.write_text(SCRIPT)
    assert call("run", "Raise the price", "--script", str(script), "--json").code == 0
    assert call("aee", "status", "--json").one["state"] == "running"
    assert call("wait", "--timeout", "60").code == 3
    question = call("inbox", "--json").rows[0]
    assert (question["kind"], question["blocking"]) == ("crp", True)
    call("answer", question["id"], "--option", "B", "--why", "three it is")
    assert call("wait", "--timeout", "90").code == 3
    pack = call("inbox", "--json").rows[0]
    assert pack["kind"] == "mrp"
    assert call("approve", pack["id"], "--why", "fine").code == 0
    assert call("merge", pack["id"]).code == 0
    assert call("wait", "--timeout", "10").code == 0
    assert (repository / "shop.py").read_text() == "PRICE = 3\n"
    assert call("mrp", "verify", "HEAD", "--rerun", "--json").one["problems"] == []
    assert call("journal", "verify").code == 0
    clone = tmp_path / "clone"  # a reader without the journal: brief and reasons are those that the proof keeps
    git(tmp_path, "clone", "-q", f"file://{repository}", str(clone))
    git(clone, "fetch", "-q", "origin", "refs/workbench/*:refs/workbench/*", "refs/notes/*:refs/notes/*")
    again = call("mrp", "verify", "HEAD", "--rerun", "--json", at=clone)
    assert call("aee", "stop", "--quiet", at=clone).code == 0
    assert (again.code, again.one["problems"]) == (0, [])
    assert again.one["not_checked"] == ["the journal: there is none here"]
    assert "Raise the price" in git(clone, "show", f"refs/workbench/packs/{again.one['id']}:brief.md")


def test_a_moved_base_is_caught_up_with(call: Call, aee: None, repository: Path, tmp_path: Path) -> None:
    """Refused on the moved base, examined again there by the remedy that is named, then merged: the mission is done."""
    script = tmp_path / "robin.yaml"
    script.write_text(DELIVERY)
    assert call("run", "Raise the price", "--script", str(script), "--json").code == 0
    assert call("wait", "--timeout", "60").code == 3
    first = call("inbox", "--json").one["id"]
    call("approve", first, "--why", "fine")
    (repository / "other.py").write_text("A = 1\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "Meanwhile")
    remedy = call("merge", first, "--json").error["hint"].rpartition("workbench ")[2]
    assert remedy == f"mrp build {first}"
    built = call(*remedy.split(), "--timeout", "90", "--json")
    assert built.code in (0, 3), built.err
    second = built.one["id"]
    assert (built.one["base"], built.one["revision"]) == (git(repository, "rev-parse", "HEAD"), 2)
    assert [row["id"] for row in call("inbox", "--json").rows] == [second]
    assert call("show", first, "--json").one["state"] == "superseded"
    call("approve", second, "--why", "still fine")
    assert call("merge", second).code == 0
    assert call("wait", "--timeout", "10").code == 0
    assert (repository / "shop.py").read_text() == "PRICE = 2\n"


@pytest.mark.parametrize(("price", "codes"), [("2", {0, 3}), ("0", {1})])
def test_a_branch_is_gated_without_an_agent(
    call: Call, aee: None, repository: Path, price: str, codes: set[int]
) -> None:
    """`mrp build` speaks by exit code, and prints the fields of the contract."""
    git(repository, "checkout", "-qb", "feature")
    (repository / "shop.py").write_text(f"PRICE = {price}\n")
    git(repository, "commit", "-qam", "Change the price")
    git(repository, "checkout", "-q", "main")
    said = call("mrp", "build", "--base", "main", "--head", "feature", "--timeout", "90", "--json")
    assert said.code in codes, said.err
    assert {"verdict", "reasons", "base", "head", "tree", "criteria", "evidence", "findings"} <= said.one.keys()
    assert said.one["head"] == git(repository, "rev-parse", "feature")
    row = call("runs", "--json").one
    assert (row["status"], row["agent"], row["stage"]) == ("done", "", "gated")
    assert call("wait", "--timeout", "5").code == 0  # nobody has to decide it

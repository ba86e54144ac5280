"""The contract for scripts, command by command: what `--json` prints, and what the exit code says, on the demo."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from repositories import Answer, Person

STATUSES = {"queued", "running", "waiting-human", "waiting-quota", "paused", "done", "failed", "stopped", "unknown"}
ROW = {"kind", "mission", "run", "agent", "status", "stage", "cost_usd", "tokens"}
PACK = {"verdict", "reasons", "base", "head", "tree", "criteria", "evidence", "findings"}
CRITERIA = ["completeness", "verification", "hygiene", "rationale", "auditability"]


class Script:
    """A script that drives Workbench in the demo's repository; every object it reads has what every object has."""

    def __init__(self, person: Person, shop: Path) -> None:
        self.person, self.shop = person, shop

    def one(self, *words: str, code: int = 0) -> dict[str, Any]:
        """The single object that a command prints."""
        (found,) = self.rows(*words, code=code)
        return found

    def rows(self, *words: str, code: int = 0) -> list[dict[str, Any]]:
        """The rows that a command prints, one a line."""
        answer = self.person.types(self.shop, *words)
        assert answer.code == code, answer
        rows = [json.loads(line) for line in answer.out.splitlines()]
        assert all({"schema", "id", "kind"} <= row.keys() for row in rows), rows
        return rows

    def refused(self, *words: str) -> Answer:
        """What a command says that fails: one JSON object on stderr, nothing on stdout."""
        answer = self.person.types(self.shop, *words)
        assert answer.code and not answer.out, answer
        assert {"schema", "id", "kind", "message", "hint", "exit_code"} <= answer.error.keys()
        assert answer.error["exit_code"] == answer.code
        return answer


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Script]:
    """The demo, started as a script would, and its AEE ended afterwards."""
    person = Person(tmp_path / "home")
    started = person.types(tmp_path, "demo", "--no-tui", "shop")
    assert started.code == 0, started
    assert {"repository", "missions", "runs"} <= started.one.keys()
    assert (len(started.one["missions"]), len(started.one["runs"])) == (3, 3)
    yield Script(person, Path(started.one["repository"]))
    person.types(tmp_path / "shop", "aee", "stop")


def test_the_contract_for_scripts_holds(script: Script) -> None:
    """One pass over the table: lists are rows, single things objects, and only some verbs speak by exit code."""
    assert len(script.rows("wait", "--timeout", "90", code=3)) == 3
    _lists(script)
    _questions(script)
    _packs(script)
    _house(script)


def _lists(script: Script) -> None:
    for verb, kind in (("missions", "mission"), ("runs", "run")):
        rows = script.rows(verb)
        assert len(rows) == 3
        assert all(row.keys() >= ROW and row["kind"] == kind and row["status"] in STATUSES for row in rows)
    inbox = script.rows("inbox")
    wanted = {"kind", "id", "category", "mission", "run", "title", "blocking", "age_s"}
    assert all(wanted <= row.keys() for row in inbox)
    assert sorted(row["kind"] for row in inbox) == ["crp", "mrp", "mrp"]
    assert inbox[0]["blocking"] is True


def _questions(script: Script) -> None:
    question = next(row["id"] for row in script.rows("inbox") if row["kind"] == "crp")
    assert script.one("show", question)["kind"] == "crp"
    answer = ("answer", question, "--option", "A", "--why", "any 60 seconds", "--condition", "keep it small")
    script.refused("answer", question, "--option", "Q", "--why", "no such option")
    resolution = script.one(*answer)
    assert (resolution["kind"], resolution["decision"]) == ("vcr", "option")
    assert script.refused(*answer).error["data"]["decided_by"]
    assert script.one("wait", "payments-limit", "--timeout", "90", code=3)
    assert script.rows("log", "payments-limit.1")[0]["kind"]


def _packs(script: Script) -> None:
    pack = script.one("mrp", "show", "MRP-parser-fix.1-1")
    assert pack.keys() >= PACK
    assert (pack["kind"], pack["verdict"]) == ("mrp", "ready")
    assert [criterion["name"] for criterion in pack["criteria"]] == CRITERIA
    assert all({"kind", "grade", "state", "command", "digest"} <= piece.keys() for piece in pack["evidence"])
    weak = script.one("mrp", "show", "MRP-flaky-retry.1-1")  # exit 0, whatever the verdict
    assert weak["verdict"] == "not-ready"
    assert all({"kind", "path", "line", "severity", "text"} <= finding.keys() for finding in weak["findings"])
    assert script.one("mrp", "verify", "MRP-parser-fix.1-1")["ok"] is True
    script.refused("merge", "MRP-parser-fix.1-1")
    assert script.one("approve", "MRP-parser-fix.1-1", "--why", "shown")["decision"] == "approve"
    assert len(script.one("merge", "MRP-parser-fix.1-1")["merge_commit"]) == 40
    remark = script.one("comment", "add", "MRP-flaky-retry.1-1", "-m", "a skip hides what fails")
    assert (remark["kind"], remark["state"]) == ("comment", "open")
    assert script.one("request-changes", "MRP-flaky-retry.1-1", "--why", "no skips")["decision"] == "request-changes"
    assert script.one("wait", "parser-fix")["kind"]
    script.one("undo", "MRP-parser-fix.1-1")
    renewed = script.person.types(script.shop, "mrp", "build", "MRP-payments-limit.1-1")
    assert renewed.code in (0, 3), renewed
    built = script.person.types(script.shop, "mrp", "build", "--base", "main", "--head", "main")
    assert built.code in (1, 3), built
    (told,) = script.rows("comment", "list", "MRP-flaky-retry.1-1")
    assert (told["id"], told["state"]) == (remark["id"], "sent")


def _house(script: Script) -> None:
    verified = script.one("journal", "verify")
    assert (verified["ok"], verified["problems"]) == (True, [])
    assert verified["events"] == len(script.rows("journal", "export"))
    status = script.one("aee", "status")
    assert {"state", "pid", "version", "sandbox", "runs"} <= status.keys()
    assert (status["state"], status["pid"] is None) == ("running", False)
    script.one("aee", "stop")
    assert script.one("aee", "status")["pid"] is None
    assert script.refused("show", "NO-SUCH-THING").code == 2
    for words in (("doctor",), ("schema", "brief"), ("config", "show"), ("gc", "--dry-run"), ("brief", "list")):
        assert script.person.types(script.shop, *words).code == 0

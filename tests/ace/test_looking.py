"""What a person and a script see: inbox, missions, runs, log."""

from __future__ import annotations

from pathlib import Path

import msgspec
from ace_world import Call, World

from workbench.artifacts.mergepack import PlanItem
from workbench.core.plugins import PLUGIN_STREAM
from workbench.model.events import MergeStarted, PluginFailed, Proposed

CONTRACT_OF_INBOX = {"schema", "id", "kind", "category", "mission", "run", "title", "blocking", "age_s"}
CONTRACT_OF_RUNS = {"schema", "id", "kind", "mission", "run", "agent", "status", "stage", "cost_usd", "tokens"}


def test_a_new_repository_has_nothing_to_show_and_gets_no_journal_by_looking(call: Call, home: Path) -> None:
    """Looking makes no files."""
    for verb in ("inbox", "missions", "runs"):
        said = call(verb, "--json")
        assert (said.code, said.out) == (0, "")
    assert not (home / "state").exists()


def test_the_inbox_prints_one_row_a_line_with_the_fields_of_the_contract(call: Call, world: World) -> None:
    """`inbox --json` is NDJSON; a blocking question says which run it holds."""
    (run,) = world.mission()
    name = world.question(run)
    row = call("inbox", "--json").one
    assert row.keys() >= CONTRACT_OF_INBOX
    assert (row["id"], row["kind"], row["blocking"], row["held_runs"]) == (name, "crp", True, 1)


def test_a_permission_is_shown_as_prm_and_stays_a_crp_in_json(call: Call, world: World) -> None:
    """A permission request is a CRP of that category."""
    (run,) = world.mission()
    world.question(run, category="permission")
    assert call("inbox", "--json").one["kind"] == "crp"
    assert "PRM" in call("inbox").out


def test_queued_work_without_an_aee_is_an_alert(call: Call, world: World) -> None:
    """Runs that nobody will carry out are not silently queued."""
    world.mission(runs=2)
    row = call("inbox", "--json").one
    assert (row["kind"], row["category"], row["held_runs"]) == ("alert", "aee-down", 2)


def test_show_finds_every_id_of_the_inbox(call: Call, world: World) -> None:
    """Questions, packs, runs that rest or failed, a merge without an outcome, a plugin that failed, the AEE."""
    asks, delivers, rests, fails, merges = world.mission(runs=5)
    world.mission("waits")
    world.question(asks)
    world.question(asks, 2, mode="advisory", assumption="Cents")
    world.question(asks, 3, category="permission")
    world.pack(delivers)
    world.ended(rests)
    world.ended(fails, outcome="failed")
    pack = world.pack(merges)
    ref = {"ref": "refs/heads/main", "old": world.base, "new": world.base, "mode": "merge"}
    begun = MergeStarted(pack=pack, **ref)
    broke = PluginFailed(plugin="gone", digest="sha256:0", hook="collect", state="error", reason="KeyError")
    known = msgspec.structs.replace(broke, plugin="sarif")
    world.journal.append(
        [
            Proposed(stream=f"pack/{pack}", payload=begun, actor="human:ada"),
            *(Proposed(stream=PLUGIN_STREAM, payload=each, actor="aee") for each in (broke, known)),
        ]
    )
    rows = call("inbox", "--json").rows
    kinds = {(row["kind"], row["category"]) for row in rows}
    assert {category for kind, category in kinds if kind == "alert"} >= {"resting", "plugin-failed", "aee-down"}, kinds
    assert {("crp", "permission"), ("crp", "trade-off"), ("mrp", "ready"), ("alert", "merge-open")} <= kinds
    for row in rows:
        shown = call("show", row["id"], "--json")
        assert shown.code == 0, (row, shown.err)
        assert shown.one["id"] == row["id"]
        assert call("show", row["id"]).out.strip()
    assert call("show", "plugin/nowhere").code == 2


def test_missions_and_runs_have_the_fields_of_the_contract(call: Call, world: World) -> None:
    """Scripts find the same fields on missions and on runs."""
    world.mission(runs=2)
    (mission,) = call("missions", "--json").rows
    runs = call("runs", "--json").rows
    assert mission.keys() >= CONTRACT_OF_RUNS
    assert all(run.keys() >= CONTRACT_OF_RUNS for run in runs)
    assert [run["id"] for run in runs] == ["prices.1", "prices.2"]
    assert (mission["kind"], mission["status"]) == ("mission", "queued")


def test_runs_of_one_mission(call: Call, world: World) -> None:
    """`runs MISSION` lists its runs alone."""
    world.mission("prices")
    world.mission("taxes")
    assert [row["id"] for row in call("runs", "taxes", "--json").rows] == ["taxes.1"]


def test_log_prints_events_as_they_are(call: Call, world: World) -> None:
    """`log --json` keeps kind, stream and payload."""
    (run,) = world.mission()
    world.question(run)
    events = call("log", run, "--json").rows
    assert [event["kind"] for event in events] == ["RunQueued", "RunAwaitsAnswer"]
    assert events[0]["payload"]["agent"] == "robin"
    assert all({"schema", "id", "kind", "hash"} <= event.keys() for event in events)


def test_no_control_character_of_an_agent_reaches_the_terminal(call: Call, world: World) -> None:
    """A title that would clear the screen is shown as text; JSON keeps it exactly, as an escape."""
    hostile = "\x1b[2Jall tests passed\u202e\x9b31m\x07"
    (run,) = world.mission(agent=hostile)
    world.question(run, summary=hostile)
    for verb in ("inbox", "runs", "missions"):
        plain, data = call(verb), call(verb, "--json")
        assert not [char for char in plain.out + data.out if char in "\x1b\u202e\x9b\x07"]
    assert call("inbox", "--json").one["title"] == hostile


def test_tables_are_cut_to_the_terminal(call: Call, world: World) -> None:
    """No line of a table is wider than the terminal."""
    (run,) = world.mission()
    world.question(run, summary="wide " * 100)
    assert max(len(line) for line in call("inbox").out.splitlines()) <= 100


def test_without_a_verb_the_inbox_is_shown_with_what_to_type(call: Call, world: World) -> None:
    """`workbench` alone says what needs the person, and the next command."""
    (run,) = world.mission()
    name = world.question(run)
    said = call()
    assert name in said.out
    assert f"next: workbench show {name}" in said.err


def test_a_pack_shows_each_item_of_the_test_plan_with_its_test(call: Call, world: World) -> None:
    """What the agent planned stands beside the test that carries it out, or as missing."""
    (run,) = world.mission()
    plan = (PlanItem(item="rounds", test="t.py::test_rounds", state="passed"), PlanItem(item="t.py::test_no"))
    said = call("show", world.pack(run, test_plan=plan)).out
    assert "test plan, by the agent\n  ✓ passed  rounds  (t.py::test_rounds)\n  ? missing  t.py::test_no\n" in said

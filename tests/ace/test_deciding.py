"""What people decide: once, with a reason, and the second one is told who was first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ace_world import PERSON, Call, World

from workbench.ace.wiring.deciding import decide
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.decide import run as runs
from workbench.core.decide.consultation import resolve
from workbench.core.decide.decision import Decision
from workbench.journal.store import SqliteJournal
from workbench.model.errors import AlreadyResolved

AT = "2026-01-01T00:00:00.000Z"


def test_an_answer_is_a_resolution_that_lets_the_run_go_on(call: Call, world: World) -> None:
    """`answer` prints the VCR, and the run no longer waits."""
    (run,) = world.mission()
    name = world.question(run)
    said = call("answer", name, "--option", "A", "--why", "exact", "--condition", "tested", "--json")
    assert said.code == 0
    vcr = said.one
    assert (vcr["kind"], vcr["decision"], vcr["option"], vcr["rationale"]) == ("vcr", "option", "A", "exact")
    assert vcr["decided_by"]["who"] == PERSON
    assert vcr["conditions"] == ["tested"]
    assert call("runs", "--json").one["status"] == "queued"


def test_the_second_answer_is_refused_with_who_and_when(call: Call, world: World) -> None:
    """A question is answered once."""
    (run,) = world.mission()
    name = world.question(run)
    call("answer", name, "--option", "A", "--why", "first")
    said = call("answer", name, "--option", "B", "--why", "second", "--json")
    assert (said.code, said.out) == (1, "")
    assert said.error["id"] == "AlreadyResolved"
    assert said.error["data"]["decided_by"] == PERSON
    assert said.error["data"]["at"]


def test_two_people_at_one_instant_make_one_resolution(repository: Path, journal: SqliteJournal, world: World) -> None:
    """Of many who answer at once exactly one does; all others learn who it was."""
    names = [world.question(run) for run in world.mission(runs=20)]

    def answer(name: str, who: str, option: str) -> str:
        with Workplace(repository).writing() as mine:
            try:
                decide(mine, lambda states: _resolved(states, name, who, option))
            except AlreadyResolved as late:
                return str(late.data["decided_by"])
        return ""

    with ThreadPoolExecutor(4) as pool:
        for name in names:
            told = list(pool.map(answer, [name] * 4, ["ada", "ben", "cyd", "dan"], "ABAB"))
            state = journal.consultation(name)
            assert state is not None
            assert told.count("") == 1
            assert {who for who in told if who} == {state.decided_by}
    assert sum(event.kind == "ConsultationResolved" for event in journal.read_all(limit=10_000)) == len(names)


def _resolved(states: Ledger, name: str, who: str, option: str) -> Decision:
    question = states.consultation(name)
    assert question is not None
    return resolve(question, option=option, rationale="r", decided_by=who, actor=f"human:{who}", at=AT)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--option", "C", "--why", "x"], 1),
        (["--option", "A", "--why", "  "], 1),
        (["--option", "A"], 2),
        (["--why", "x"], 1),
        (["--option", "A", "--alternative", "both", "--why", "x"], 1),
        (["--option", "A", "--why", "x", "--applies-to", "everything"], 2),
    ],
)
def test_an_unusable_answer_is_refused_and_nothing_happens(
    call: Call, world: World, words: list[str], code: int
) -> None:
    """No answer without a reason, with an unknown option, or with two answers at once."""
    (run,) = world.mission()
    name = world.question(run)
    assert call("answer", name, *words).code == code
    assert call("inbox", "--json").one["id"] == name


def test_texts_may_come_from_stdin(call: Call, world: World) -> None:
    """`-` reads the text from stdin."""
    (run,) = world.mission()
    name = world.question(run)
    vcr = call("answer", name, "--alternative", "-", "--why", "x", "--json", stdin="use decimals\n").one
    assert (vcr["decision"], vcr["alternative"]) == ("alternative", "use decimals")


def test_the_unique_start_of_an_id_is_enough_and_an_ambiguous_one_lists_candidates(call: Call, world: World) -> None:
    """Ids may be cut; several that fit are listed, none is guessed."""
    (run,) = world.mission()
    first, second = world.question(run, 1), world.question(run, 12, mode="advisory")
    said = call("answer", "CRP-prices.1-1", "--option", "A", "--why", "x", "--json")
    assert said.one["target"]["id"] == first  # a whole id comes before the start of one
    assert call("show", "CRP-prices.1-12", "--json").one["id"] == second
    ambiguous = call("show", "CRP-", "--json")
    assert ambiguous.code == 2
    assert ambiguous.error["data"]["candidates"] == [first, second]


def test_a_question_a_run_a_mission_and_a_resolution_can_be_shown(call: Call, world: World) -> None:
    """`show` takes any id, and prints it whole."""
    (run,) = world.mission()
    name = world.question(run)
    call("answer", name, "--option", "B", "--why", "short")
    for wanted, kind in ((name, "crp"), (f"VCR-{name}", "vcr"), (run, "run"), ("prices", "mission")):
        shown = call("show", wanted, "--json").one
        assert (shown["kind"], shown["id"], shown["schema"]) == (kind, wanted, 1)
        assert wanted in call("show", wanted).out
    assert call("show", name, "--json").one["options"][0]["label"] == "Cents"
    assert "short" in call("show", name).out


def test_pause_resume_and_stop(call: Call, world: World) -> None:
    """Runs are held, let go on, and ended; stopping withdraws what they asked."""
    (run,) = world.mission()
    assert call("pause", run, "--why", "lunch", "--json").one["status"] == "paused"
    assert call("pause", run).code == 1
    assert call("resume", "prices", "--json").one["status"] == "queued"
    name = world.question(run)
    assert call("stop", run, "--json").one["status"] == "stopped"
    assert call("show", name, "--json").one["state"] == "withdrawn"
    assert call("missions", "--json").one["status"] == "stopped"


def test_stopping_a_mission_ends_all_of_its_runs(call: Call, world: World) -> None:
    """`stop MISSION` ends every run of it."""
    world.mission(runs=3)
    assert {row["status"] for row in call("stop", "prices", "--why", "no need", "--json").rows} == {"stopped"}
    assert call("stop", "prices").code == 1


def test_a_resting_run_is_an_alert_until_it_is_resumed(call: Call, world: World) -> None:
    """An agent that ended without delivering does not look finished."""
    (run,) = world.mission()
    world.ended(run)
    row = call("inbox", "--json").one
    assert (row["kind"], row["category"], row["id"]) == ("alert", "resting", run)
    call("resume", run)
    assert [row["category"] for row in call("inbox", "--json").rows] == ["aee-down"]


def test_a_failed_run_can_be_ended_for_good(call: Call, world: World) -> None:
    """It may be resumed until a person stops it; gc says so of its workspace, and the mission ends with it."""
    (run,) = world.mission()
    world.at_work(run)
    state = world.journal.run(run)
    assert state is not None
    world.append(runs.fail_step(state, reason="it broke", final=True))
    (world.journal.directory / "store.git").mkdir()
    (world.journal.directory / "workspaces" / "runs" / run).mkdir(parents=True)
    assert f"workbench stop {run}" in call("gc", "--dry-run", "--json").one["why"]
    assert call("stop", run, "--json").one["status"] == "stopped"
    assert call("missions", "--json").one["status"] == "stopped"
    assert call("inbox", "--json").rows == []
    assert call("resume", run).code != 0

"""Starting a mission: what is pinned, what is said, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from ace_world import PERSON, Call, World, git

from workbench.ace.wiring import gating, starting
from workbench.ace.wiring.workplace import Workplace
from workbench.core.decide.run import queue_branch
from workbench.core.state import MissionState, RunState
from workbench.model import events as e
from workbench.ports import States

SCRIPT = "agent: robin\nsteps:\n  - think: hello\n"


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "robin.yaml"
    path.write_text(SCRIPT)
    return str(path)


def states(repository: Path, mission: str) -> tuple[MissionState, list[RunState]]:
    with Workplace(repository).reading() as ledger:
        found = ledger.mission(mission)
        assert found is not None
        return found, ledger.runs(mission=mission)


def start(call: Call, *words: str) -> dict[str, object]:
    said = call("run", *words, "--no-start", "--json")
    assert said.code == 0, said.err
    return said.one


def test_a_sentence_starts_a_mission_with_everything_pinned(call: Call, script: str, repository: Path) -> None:
    """Brief, policy, base, script and the person are on record from the first event."""
    built = start(call, "Raise the price to two", "--script", script)
    assert built["mission"] == "raise-the-price-to-two"
    assert built["runs"] == ["raise-the-price-to-two.1"]
    mission, (run,) = states(repository, "raise-the-price-to-two")
    head = git(repository, "rev-parse", "HEAD")
    assert (mission.base_ref, mission.base_commit, mission.into) == ("refs/heads/main", head, "refs/heads/main")
    assert mission.brief_light
    assert mission.policy_digest.startswith("sha256:")
    assert mission.owner == PERSON
    assert (run.driver, run.brief) == ("scripted", mission.brief)
    assert run.script is not None
    with Workplace(repository).reading() as ledger:
        assert ledger.blobs.get(run.script.blob) == SCRIPT.encode()
        assert b"Raise the price to two" in ledger.blobs.get(mission.brief.blob)


@pytest.mark.parametrize("ends", ["", ".md"])
def test_a_sentence_may_be_long(ends: str, call: Call, script: str, repository: Path) -> None:
    """Longer than the name of any file, and with a slash in it, it is still the brief, word for word."""
    sentence = "Say what prices are in, and/or why. " * 60 + f"See prices{ends}"
    built = start(call, sentence, "--script", script)
    mission, _runs = states(repository, str(built["mission"]))
    with Workplace(repository).reading() as ledger:
        assert mission.brief is not None
        assert " ".join(sentence.split()) in " ".join(ledger.blobs.get(mission.brief.blob).decode().split())


def test_versions_queue_runs_side_by_side_and_names_never_clash(call: Call, script: str) -> None:
    """N versions are N runs; the same words again are a mission of their own."""
    assert len(start(call, "Do this", "--script", script, "--versions", "3")["runs"]) == 3  # type: ignore[arg-type]
    assert start(call, "Do this", "--script", script)["mission"] == "do-this-2"


def test_a_mission_takes_no_name_that_a_run_has_and_no_run_one_that_a_mission_has(world: World) -> None:
    """An id names one thing: missions, their runs and branches that were handed in never share a name."""
    branch = e.RunQueued(run="topic.1", mission="", agent="", driver="branch", branch="b", base_commit=world.base)
    world.append(queue_branch(branch, head=world.base, rationale={}, actor="human:ada"))
    world.mission("prices", runs=2)
    world.mission("taxes.2")
    assert starting._free_name(world.journal, "topic.1", 1) == "topic.1-2"
    assert starting._free_name(world.journal, "topic", 1) == "topic-2"
    assert starting._free_name(world.journal, "prices.2", 1) == "prices.2-2"
    assert [starting._free_name(world.journal, "taxes", versions) for versions in (1, 2)] == ["taxes", "taxes-2"]
    assert gating._free_name(world.journal, "prices") == "prices-2"


def test_two_people_who_start_the_same_at_once_get_two_missions(
    script: str, repository: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes second takes the next name; nobody is told that the journal spins."""
    draw, others = starting._free_name, ["do-this"]

    def late(states: States, wanted: str, versions: int) -> str:
        name = draw(states, wanted, versions)
        if others:
            world.mission(others.pop())  # somebody else's arrives between the name and the append
        return name

    monkeypatch.setattr(starting, "_free_name", late)
    with Workplace(repository) as place:
        started = starting.start_mission(place, starting.Order(what="Do this", script=script))
    assert (started.mission, started.runs) == ("do-this-2", ("do-this-2.1",))


def test_uncommitted_work_is_said_because_agents_cannot_see_it(call: Call, script: str, repository: Path) -> None:
    """A person learns at the start what agents will not see."""
    (repository / "shop.py").write_text("PRICE = 5\n")
    (repository / "prix été.txt").write_text("x")
    said = call("run", "Do this", "--script", script, "--no-start")
    assert "cannot see 2 uncommitted paths" in said.err
    assert "prix été.txt" in said.err
    assert set(states(repository, "do-this")[0].uncommitted) == {"shop.py", "prix été.txt"}


def test_another_base_has_no_branch_to_merge_into_unless_named(call: Call, script: str, repository: Path) -> None:
    """Only a base that is checked out says by itself where a result goes."""
    git(repository, "branch", "old")
    git(repository, "commit", "-q", "--allow-empty", "-m", "More")
    built = start(call, "One thing", "--script", script, "--base", "old")
    assert (built["base_ref"], built["into"]) == ("refs/heads/old", "")
    assert (
        start(call, "Other thing", "--script", script, "--base", "HEAD~1", "--into", "main")["into"]
        == "refs/heads/main"
    )
    assert call("run", "Third thing", "--script", script, "--base", "-x").code == 2
    assert call("run", "Third thing", "--script", script, "--base", "nowhere").code == 2


def test_a_detached_head_warns(call: Call, script: str, repository: Path) -> None:
    """Without a branch nothing can be merged: that is said at the start."""
    git(repository, "checkout", "-q", "--detach")
    said = call("run", "Do this", "--script", script, "--no-start")
    assert "no branch to merge into" in said.err


def test_without_an_agent_the_remedy_is_said(call: Call) -> None:
    """No agent: how to configure one."""
    said = call("run", "Do this", "--no-start")
    assert said.code == 2
    assert "[agents.NAME]" in said.err


@pytest.mark.parametrize(
    ("driver", "known"), [("gemini", ""), ("sarif-x", "acp"), ("geminy", "gemini"), ("scriptet", "scripted")]
)
def test_an_unknown_driver_is_refused_before_anything_is_queued(
    driver: str, known: str, call: Call, repository: Path
) -> None:
    """With the names that there are; the control: one that a plugin describes as data."""
    (repository / ".workbench").mkdir()
    (repository / ".workbench/config.toml").write_text(f'[agents.a]\ndriver = "{driver}"\n')
    said = call("run", "Do it well", "--no-start", "--agent", "a", "--json")
    assert said.code == (2 if known else 0), said.err
    if known:
        assert known in said.error["hint"] and repr(driver) in said.error["message"]
        assert call("missions", "--json").out == ""
    assert call("run", "Do it well", "--no-start", "--agent", "b").code == 2


def test_the_only_configured_agent_is_taken(call: Call, repository: Path) -> None:
    """One configured agent needs no --agent; an unknown one lists what there is."""
    (repository / ".workbench").mkdir()
    (repository / ".workbench/config.toml").write_text('[agents.robin]\ndriver = "scripted"\nscript = "robin.yaml"\n')
    (repository / "robin.yaml").write_text(SCRIPT)
    start(call, "Do this")
    assert states(repository, "do-this")[1][0].agent == "robin"
    assert "robin" in call("run", "Do that", "--agent", "wren", "--no-start", "--json").error["hint"]


def test_an_unknown_word_is_no_sentence(call: Call, script: str) -> None:
    """A mistyped brief does not become a mission."""
    said = call("run", "exmaple", "--script", script, "--no-start", "--json")
    assert (said.code, said.error["id"]) == (2, "NotFound")
    assert "quotes" in said.error["hint"]


def test_a_brief_with_problems_starts_nothing_and_lists_them(call: Call, script: str, repository: Path) -> None:
    """All problems come with line and column."""
    briefs = repository / ".workbench/briefs"
    briefs.mkdir(parents=True)
    (briefs / "bad.md").write_text("---\nid: bad\ntitel: x\n---\n")
    said = call("run", "bad", "--script", script, "--no-start")
    assert said.code == 1
    assert ".workbench/briefs/bad.md:3:" in said.err
    assert call("missions", "--json").rows == []


def test_sandbox_none_warns_and_the_policy_of_the_base_can_forbid_it(call: Call, script: str, repository: Path) -> None:
    """Danger is visible; what the working tree says about it changes nothing."""
    said = call("run", "One thing", "--script", script, "--sandbox", "none", "--no-start")
    assert "warning: sandbox none" in said.err
    assert states(repository, "one-thing")[0].sandbox == "none"
    policy = repository / ".workbench/policy.yaml"
    policy.parent.mkdir()
    policy.write_text("id: p\nversion: '1'\nsandbox:\n  allow_none: false\n  minimum: container\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "Forbid")
    policy.unlink()  # loosening it in the checkout does not loosen the gate
    refused = call("run", "Two things", "--script", script, "--sandbox", "none", "--no-start", "--json")
    assert (refused.code, refused.error["id"]) == (1, "Refused")


def test_a_loop_is_read_from_the_base_commit(call: Call, script: str, repository: Path) -> None:
    """A loop that is not committed binds nobody."""
    call("init")
    refused = call("run", "Do this", "--script", script, "--loop", "default", "--no-start", "--json")
    assert refused.code == 2
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "Init")
    start(call, "Do this", "--script", script, "--loop", "default")
    loop = states(repository, "do-this")[0].loop
    assert loop is not None
    assert loop.id == "default"


def test_init_writes_a_scaffold_that_checks_and_never_overwrites(call: Call, repository: Path) -> None:
    """`init` twice leaves what a person changed alone."""
    written = call("init", "--json").one["written"]
    assert ".workbench/config.toml" in written
    for noun in ("brief", "loop", "mentor"):
        assert call(noun, "check").code == 0
    config = repository / ".workbench/config.toml"
    config.write_text("# mine\n")
    again = call("init", "--json").one
    assert again["written"] == []
    assert config.read_text() == "# mine\n"


def test_a_repository_without_commits_says_what_to_do(call: Call, script: str, tmp_path: Path) -> None:
    """No commit yet: exit 4 with the remedy."""
    empty = tmp_path / "empty"
    empty.mkdir()
    git(empty, "init", "-q")
    said = call("run", "Do this", "--script", script, at=empty)
    assert said.code == 4
    assert "commit" in said.err


def test_a_branch_that_is_handed_in_is_a_run_of_its_own(call: Call, repository: Path) -> None:
    """`mrp build` asks through the journal; without an AEE in time it is exit 5, and the request stays."""
    from workbench.ace.wiring.gating import BuildOrder, request

    git(repository, "branch", "feature")
    with Workplace(repository) as place:
        name = request(place, BuildOrder(base="main", head="feature"))
    row = call("runs", "--json").one
    assert (row["id"], row["mission"], row["status"]) == (name, "", "queued")
    assert call("missions", "--json").rows == []


def test_files_of_a_gate_are_pinned_as_they_lie(call: Call, repository: Path, tmp_path: Path) -> None:
    """Brief, policy and rationale of `mrp build` are kept whole; a policy with problems gates nothing."""
    from workbench.ace.wiring.gating import BuildOrder, request
    from workbench.model.errors import ArtifactInvalid, UsageError

    call("brief", "new", "Raise the price", "--id", "price")
    (repository / "p.yaml").write_text("id: mine\nversion: '1'\n")
    (repository / "why.txt").write_text("Because.")
    git(repository, "branch", "feature")
    order = BuildOrder(base="main", head="feature", brief="price", policy="p.yaml", rationale="why.txt")
    with Workplace(repository) as place:
        name = request(place, order)
        with place.reading() as ledger:
            run = ledger.run(name)
        assert run is not None
        assert run.brief is not None
        assert run.policy is not None
        assert (run.brief.id, run.policy.id, run.rationale) == ("price", "mine", {"approach": "Because."})
        (repository / "p.yaml").write_text("rigour: none\n")
        with pytest.raises(ArtifactInvalid):
            request(place, order)
        with pytest.raises(UsageError):
            request(place, BuildOrder(base="main", head="feature", policy="nowhere.yaml"))


def test_a_script_names_its_own_agent(call: Call, repository: Path) -> None:
    """Who plays is who the script says, unless a person gives another name; a script that says nothing is its file."""
    (repository / "play.yaml").write_text("agent: robin\nsteps: []\n")
    (repository / "mute.yaml").write_text("steps: [\n")
    for name, words in (("robin", ["play.yaml"]), ("ada", ["play.yaml", "--agent", "ada"]), ("mute", ["mute.yaml"])):
        run = call("run", f"Let {name} do it", "--no-start", "--json", "--script", *words).one["runs"][0]
        assert call("show", run, "--json").one["agent"] == name


def test_init_says_how_to_come_by_an_agent(call: Call, repository: Path) -> None:
    """Where no agent is configured the next step is one that works, and the page it names is there."""
    said = call("init").err
    assert "--script FILE" in said
    assert Path(said.split()[-1]).is_file()
    (repository / ".workbench/config.toml").write_text('[agents.robin]\ndriver = "scripted"\nscript = "r.yaml"\n')
    assert "--script" not in call("init").err

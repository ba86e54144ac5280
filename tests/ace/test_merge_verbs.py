"""Packs decided, merged and taken back, in a real repository; interrupted merges are settled."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest
from ace_world import Call, World, git

from workbench.ace.wiring.gating import BuildOrder, request
from workbench.ace.wiring.merging import require_overridable
from workbench.ace.wiring.reviewing import Wanted, deciding
from workbench.ace.wiring.workplace import Workplace
from workbench.core.decide import pack as packs
from workbench.model import events as e
from workbench.model.errors import Refused

STRICT = "id: strict\nversion: '1'\nrigor: strict\n"


@pytest.fixture
def run(world: World) -> str:
    (name,) = world.mission()
    return name


def approved(call: Call, world: World, run: str) -> str:
    name = world.pack(run)
    assert call("approve", name, "--why", "fine").code == 0
    return name


def test_a_pack_that_was_not_approved_is_not_merged(call: Call, world: World, run: str, repository: Path) -> None:
    """Merging needs a person's approval."""
    before = git(repository, "rev-parse", "main")
    said = call("merge", world.pack(run), "--json")
    assert (said.code, said.error["id"]) == (1, "Refused")
    assert git(repository, "rev-parse", "main") == before


def test_an_approved_pack_is_merged_into_branch_and_checkout(
    call: Call, world: World, run: str, repository: Path
) -> None:
    """The branch stands at the result, the clean checkout went along, run and mission are done."""
    name = approved(call, world, run)
    said = call("merge", name, "--json")
    assert said.code == 0
    assert git(repository, "rev-parse", "main") == said.one["merge_commit"]
    assert (repository / "shop.py").read_text() == "PRICE = 2\n"
    assert git(repository, "status", "--porcelain") == ""
    assert call("missions", "--json").one["status"] == "done"
    assert call("wait", "--no-start").code == 0


def test_the_resolution_enters_with_the_merge_commit(call: Call, world: World, run: str, repository: Path) -> None:
    """What a person decided on the pack is a file of the merge, and its trailers name the pack."""
    name = approved(call, world, run)
    call("merge", name)
    assert "fine" in (repository / f".workbench/resolutions/VCR-{name}.md").read_text()
    assert f"Workbench-Pack: {name}" in git(repository, "log", "-1", "--format=%B")


@pytest.mark.parametrize(("mode", "parents"), [("merge", 2), ("squash", 1), ("fast-forward", 1)])
def test_modes(call: Call, world: World, run: str, repository: Path, mode: str, parents: int) -> None:
    """merge, squash and fast-forward."""
    name = approved(call, world, run)
    assert call("merge", name, "--mode", mode, "--json").one["mode"] == mode
    assert len(git(repository, "log", "-1", "--format=%P").split()) == parents
    assert call("mrp", "verify", git(repository, "rev-parse", "main"), "--json").one["problems"] == []


def test_a_moved_base_is_refused_with_the_remedy(call: Call, world: World, run: str, repository: Path) -> None:
    """The evidence was made on another base: nothing moves."""
    name = approved(call, world, run)
    git(repository, "commit", "-q", "--allow-empty", "-m", "Meanwhile")
    said = call("merge", name, "--json")
    assert said.code == 1
    assert said.error["hint"].endswith(f"workbench mrp build {name}")
    assert git(repository, "log", "-1", "--format=%s") == "Meanwhile"


def test_uncommitted_work_is_never_touched(call: Call, world: World, run: str, repository: Path) -> None:
    """A checkout with work in it stays as it is, and the branch, too; the merge can be done later."""
    name = approved(call, world, run)
    (repository / "shop.py").write_text("PRICE = 99  # mine\n")
    assert call("merge", name).code == 1
    assert (repository / "shop.py").read_text() == "PRICE = 99  # mine\n"
    assert git(repository, "log", "-1", "--format=%s") == "First"
    git(repository, "checkout", "-q", "shop.py")
    assert call("merge", name).code == 0


def test_undo_moves_the_branch_back_and_merge_can_follow_again(
    call: Call, world: World, run: str, repository: Path
) -> None:
    """A merge that nobody else has is taken back without a trace in the branch."""
    before = git(repository, "rev-parse", "main")
    name = approved(call, world, run)
    call("merge", name)
    said = call("undo", name, "--json")
    assert (said.one["how"], git(repository, "rev-parse", "main")) == ("move-back", before)
    assert (repository / "shop.py").read_text() == "PRICE = 1\n"
    assert call("merge", name).code == 0


def test_undo_behind_later_commits_offers_a_revert(call: Call, world: World, run: str, repository: Path) -> None:
    """What others may build on is not moved away under them."""
    name = approved(call, world, run)
    call("merge", name)
    git(repository, "commit", "-q", "--allow-empty", "-m", "Later")
    refused = call("undo", name, "--json")
    assert refused.code == 1
    assert "--revert" in refused.error["hint"]
    assert call("undo", name, "--revert", "--json").one["how"] == "revert"
    assert (repository / "shop.py").read_text() == "PRICE = 1\n"


def test_a_merge_interrupted_before_the_branch_moved_is_abandoned_and_can_be_done(
    call: Call, world: World, run: str, repository: Path
) -> None:
    """An intent without effect leaves nothing behind."""
    name = approved(call, world, run)
    state = world.journal.pack(name)
    assert state is not None
    world.append(packs.start_merge(state, old=world.base, new=state.head, mode="merge", actor="human:ada"))
    assert call("merge", name).code == 0
    assert [event.kind for event in world.journal.read(f"pack/{name}")][-3:] == [
        "MergeAbandoned",
        "MergeStarted",
        "PackMerged",
    ]


def test_a_merge_interrupted_after_the_branch_moved_is_finished_once(
    call: Call, world: World, run: str, repository: Path
) -> None:
    """The effect is there: the next command records it, the checkout follows, nothing is merged twice."""
    name = approved(call, world, run)
    state = world.journal.pack(name)
    assert state is not None
    world.append(packs.start_merge(state, old=world.base, new=state.head, mode="fast-forward", actor="human:ada"))
    git(repository, "update-ref", "refs/heads/main", state.head)
    assert call("merge", name).code == 1  # it is merged already
    assert git(repository, "rev-parse", "main") == state.head
    assert git(repository, "status", "--porcelain") == ""
    assert [event.kind for event in world.journal.read(f"pack/{name}")].count("PackMerged") == 1


@pytest.mark.parametrize("later", [False, True])
def test_an_undo_interrupted_before_the_branch_moved_leaves_the_merge(
    call: Call, world: World, run: str, repository: Path, later: bool
) -> None:
    """Nothing is taken for undone while the branch contains the merge, even when it went on; undo can be asked anew."""
    name = approved(call, world, run)
    call("merge", name)
    state = world.journal.pack(name)
    assert state is not None
    assert state.merge is not None
    world.append(packs.start_undo(state, old=state.merge.new, new=state.merge.old, how="move-back", actor="human:ada"))
    if later:
        git(repository, "commit", "-q", "--allow-empty", "-m", "Later")
    assert "the merge stands" in call("wait", "--no-start").err
    assert world.journal.read(f"pack/{name}")[-1].kind == "UndoAbandoned"
    assert call("inbox", "--json").rows == []
    assert call("show", name, "--json").one["state"] == "merged"
    assert call("undo", name, *(["--revert"] if later else [])).code == 0
    assert (repository / "shop.py").read_text() == "PRICE = 1\n"


def test_not_ready_is_approved_only_as_a_recorded_override(call: Call, world: World, run: str) -> None:
    """Nobody approves what is not ready by habit, and whoever does is on record."""
    name = world.pack(run, verdict="not-ready")
    assert call("approve", name, "--why", "fine").code == 1
    vcr = call("approve", name, "--why", "hotfix", "--override", "--json").one
    assert any("not-ready" in condition for condition in vcr["conditions"])
    assert call("merge", name).code == 0


def test_merge_with_override_approves_with_its_reason(call: Call, world: World, run: str) -> None:
    """`merge --override WHY` records the reason before anything moves."""
    name = world.pack(run, verdict="not-ready")
    assert call("merge", name).code == 1
    assert call("merge", name, "--override", "hotfix").code == 0
    assert call("show", f"VCR-{name}", "--json").one["rationale"] == "hotfix"


def test_a_strict_policy_of_the_base_forbids_overrides(call: Call, world: World, repository: Path) -> None:
    """Under a strict policy nobody overrides."""
    (repository / ".workbench").mkdir()
    (repository / ".workbench/policy.yaml").write_text(STRICT)
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "Be strict")
    world.base = git(repository, "rev-parse", "HEAD")
    (run,) = world.mission()
    name = world.pack(run, verdict="not-ready")
    assert call("approve", name, "--why", "x", "--override").code == 1
    assert call("merge", name, "--override", "x").code == 1


def test_a_run_that_has_several_packs_is_not_decided_by_its_own_name(call: Call, world: World, run: str) -> None:
    """People decide the pack that they read: a newer one, or another run's, never slips in under it."""
    first = world.pack(run)
    assert first in call("approve", "prices", "--why", "fine", "--json").error["hint"]
    world.pack(run, revision=2, verdict="not-ready")
    for verb in ("approve", "request-changes", "reject"):
        refused = call(verb, run, "--why", "fine", "--json")
        assert (refused.code, refused.error["id"]) == (1, "Refused")
        assert f"MRP-{run}-2 (submitted)" in refused.error["hint"]
        assert first in refused.error["hint"]
    assert not any(event.kind == "PackDecided" for event in world.journal.read(f"pack/MRP-{run}-2"))


def test_an_override_names_the_pack_that_it_overrides(call: Call, world: World, run: str, repository: Path) -> None:
    """Nobody overrides a verdict that they did not read: a run with several packs is refused, with their names."""
    world.pack(run)
    newest = world.pack(run, revision=2, verdict="not-ready")
    refused = call("merge", run, "--override", "hotfix", "--json")
    assert (refused.code, git(repository, "rev-parse", "main")) == (1, world.base)
    assert f"{newest} (submitted)" in refused.error["hint"]
    assert call("merge", newest, "--override", "hotfix", "--json").one["id"] == newest


def test_a_merge_by_the_runs_name_says_which_pack_it_took(call: Call, world: World, run: str) -> None:
    """What was approved already may be merged by its run."""
    world.pack(run)
    newest = world.pack(run, revision=2)
    assert call("approve", newest, "--why", "fine").code == 0
    assert f"merged {newest}:" in call("merge", run).out


def test_the_only_pack_of_a_run_may_be_named_by_the_run(call: Call, world: World, run: str) -> None:
    """Where nothing can be mixed up, the run's id will do."""
    name = world.pack(run)
    assert call("approve", run, "--why", "fine", "--json").one["target"]["id"] == name


def test_an_approval_judges_the_verdict_of_the_state_that_it_decides(
    call: Call, world: World, run: str, repository: Path
) -> None:
    """A decision that another act forces anew asks for the override again, on what stands then."""
    name = world.pack(run, verdict="not-ready")
    with Workplace(repository) as place:
        plain = deciding(place, name, Wanted(decision="approve", why="w"))
        with pytest.raises(Refused, match="not ready"):
            plain(world.journal)
        overriding = deciding(place, name, Wanted(decision="approve", why="w", conditions=("c",), override=True))
        decided = overriding(world.journal).events[0].payload
    assert isinstance(decided, e.PackDecided)
    assert decided.document["conditions"] == ["c", "override: the verdict was not-ready"]


@pytest.mark.parametrize("strict", [True, False])
def test_a_pack_is_as_strict_as_the_policy_that_bound_it(
    call: Call, world: World, repository: Path, strict: bool
) -> None:
    """A policy that a person named for the pack decides about overrides, not the one of its base."""
    git(repository, "branch", "feature")
    text = STRICT if strict else STRICT.replace("rigor: strict", "rigor: standard")
    (repository / "own.yaml").write_text(text)
    with Workplace(repository) as place, place.writing() as journal:
        run = request(place, BuildOrder(base="main", head="feature", policy="own.yaml"))
        state = journal.run(run)
        assert state is not None
        asked = e.PackRequested(
            pack=f"MRP-{run}-1", mission="", run=run, revision=1, base_ref="", base_commit=world.base,
            head=world.base, policy=state.policy,
        )  # fmt: skip
        world.append(packs.request_pack(asked))
        pack = journal.pack(asked.pack)
        assert pack is not None
        with pytest.raises(Refused, match="strict") if strict else nullcontext():
            require_overridable(place, journal, pack)


def test_request_changes_goes_back_to_the_same_run(call: Call, world: World, run: str) -> None:
    """The run's next step follows from the person's words."""
    name = world.pack(run)
    vcr = call("request-changes", name, "--why", "too dear", "--change", "halve it", "--json").one
    assert (vcr["decision"], vcr["required_changes"]) == ("request-changes", ["halve it"])
    assert call("runs", "--json").one["status"] == "queued"
    assert call("approve", name, "--why", "x", "--json").error["id"] == "AlreadyResolved"


def test_reject_ends_run_and_mission(call: Call, world: World, run: str) -> None:
    """A rejected pack ends its run; its commits stay."""
    call("reject", world.pack(run), "--why", "no")
    assert call("missions", "--json").one["status"] == "stopped"


def test_mrp_show_says_first_what_was_not_checked(call: Call, world: World, run: str) -> None:
    """Verdict, then what nobody looked at; as JSON the fields of the contract."""
    name = world.pack(run)
    pack = call("mrp", "show", name, "--json").one
    fields = {"verdict", "reasons", "base", "head", "tree", "criteria", "evidence", "findings", "schema", "kind", "id"}
    assert fields <= pack.keys()
    lines = call("mrp", "show", name).out.splitlines()
    assert lines.index("not checked") < lines.index("reasons")
    assert call("mrp", "show", run, "--json").one["id"] == name  # a run means its newest
    assert call("mrp", "list", "--json").one["id"] == name


def test_verify_holds_for_a_pack_and_for_the_commit_that_merged_it(
    call: Call, world: World, run: str, repository: Path
) -> None:
    """An intact pack verifies; one whose kept content was altered does not."""
    name = approved(call, world, run)
    commit = call("merge", name, "--json").one["merge_commit"]
    for wanted in (name, commit):
        said = call("mrp", "verify", wanted, "--json")
        assert (said.code, said.one["ok"], said.one["problems"]) == (0, True, [])


def test_verify_names_an_altered_pack(call: Call, world: World, run: str) -> None:
    """Altering a kept pack is found out."""
    name = world.pack(run)
    state = world.journal.pack(name)
    assert state is not None
    blob = next(
        path for path in (world.journal.directory / "blobs").rglob("*") if state.blob[7:].endswith(path.name[-10:])
    )
    blob.chmod(0o600)
    blob.write_bytes(blob.read_bytes().replace(b"ready", b"READY"))
    said = call("mrp", "verify", name, "--json")
    assert (said.code, said.one["ok"]) == (1, False)


def test_an_interrupted_merge_is_in_the_inbox_until_the_next_command_settles_it(
    call: Call, world: World, run: str, repository: Path
) -> None:
    """Nothing that was begun is forgotten."""
    name = approved(call, world, run)
    state = world.journal.pack(name)
    assert state is not None
    world.append(packs.start_merge(state, old=world.base, new=state.head, mode="fast-forward", actor="human:ada"))
    git(repository, "update-ref", "refs/heads/main", state.head)
    assert "merge-open" in [row["category"] for row in call("inbox", "--json").rows]
    said = call("wait", "--no-start")
    assert said.code == 0
    assert "is finished" in said.err
    assert call("inbox", "--json").rows == []


def test_a_pack_whose_base_moved_is_stale_wherever_it_is_shown(
    call: Call, world: World, run: str, repository: Path
) -> None:
    """What cannot be merged as it is says so before it is tried: in the inbox, when approved, and when shown."""
    name = world.pack(run)
    assert "(current)" in call("mrp", "show", name).out
    git(repository, "commit", "-q", "--allow-empty", "-m", "Meanwhile")
    renew = f"workbench mrp build {name}"
    assert call("inbox", "--json").one["next"] == renew
    said = call("approve", name, "--why", "fine")
    assert "stale" in said.err
    assert f"next: {renew}" in said.err
    row = call("inbox", "--json").one
    assert (row["category"], row["next"]) == ("stale", renew)
    shown = call("mrp", "show", name)
    assert "(1 commit behind" in shown.out
    assert renew in shown.err
    assert "(1 commit behind" in call("show", "prices").out


@pytest.mark.parametrize("packed", [False, True])
def test_where_branches_stand_is_read_from_loose_and_from_packed_refs(
    call: Call, world: World, run: str, repository: Path, packed: bool
) -> None:
    """A branch that git packed away is found as well; one that is not there makes no pack stale."""
    world.pack(run)
    git(repository, "commit", "-q", "--allow-empty", "-m", "Meanwhile")
    if packed:
        git(repository, "pack-refs", "--all")
    assert "its base moved" in call("inbox", "--json").one["facts"]
    git(repository, "checkout", "-q", "--detach")
    git(repository, "branch", "-D", "main")
    assert "its base moved" not in call("inbox", "--json").one["facts"]


def test_a_merge_that_was_taken_back_waits_for_a_person_again(
    call: Call, world: World, run: str, repository: Path
) -> None:
    """Mission and run are no longer done, the log tells what became of the pack, and merging again ends them anew."""
    name = approved(call, world, run)
    call("merge", name)
    call("undo", name)
    row = call("missions", "--json").one
    assert (row["status"], row["stage"], row["run"]) == ("waiting-human", "undone", run)
    assert call("runs", "--json").one["stage"] == "undone"
    assert call("wait", "--no-start").code == 3
    assert call("inbox", "--json").one["next"] == f"workbench merge {name}"
    kinds = [event["kind"] for event in call("log", run, "--json").rows]
    assert [kind for kind in kinds if kind in ("PackDecided", "PackMerged", "MergeUndone")] == [
        "PackDecided",
        "PackMerged",
        "MergeUndone",
    ]
    call("merge", name)
    assert call("missions", "--json").one["status"] == "done"
    assert call("wait", "--no-start").code == 0


def test_a_dirty_checkout_is_told_only_what_merge_can_do(call: Call, world: World, run: str, repository: Path) -> None:
    """The remedy names no option that the verb lacks."""
    name = approved(call, world, run)
    (repository / "shop.py").write_text("PRICE = 99  # mine\n")
    hint = call("merge", name, "--json").error["hint"]
    assert "git stash" in hint
    assert "--into" not in hint


def test_gc_keeps_what_was_merged_and_taken_back(call: Call, world: World, run: str) -> None:
    """An approved pack that is not merged may yet be: its workspace is no trash before somebody rejects it."""
    name = approved(call, world, run)
    call("merge", name)
    (world.journal.directory / "workspaces" / "runs" / run).mkdir(parents=True)
    call("undo", name)
    row = call("gc", "--dry-run", "--json").one
    assert row["act"] == "keep"
    assert f"workbench merge {name}" in row["why"]


ASKS_OPS = "id: p\nversion: '1'\nrequirements: [{id: ops-look, approval: {role: ops, paths: ['*.py'], count: 2}}]\n"
OPS = "people:\n" + "".join(f"- {{id: {who}, email: {who}@example.org, roles: [ops]}}\n" for who in ("ada", "ben"))


def ruled(world: World, repository: Path, *, policy: str = ASKS_OPS, people: str = OPS) -> str:
    """A ready pack whose base has such a policy and such people."""
    (repository / ".workbench").mkdir()
    (repository / ".workbench/policy.yaml").write_text(policy)
    (repository / ".workbench/people.yaml").write_text(people)
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "Rules")
    world.base = git(repository, "rev-parse", "HEAD")
    (run,) = world.mission()
    return world.pack(run)


def approve_as(call: Call, monkeypatch: pytest.MonkeyPatch, who: str, pack: str) -> int:
    with monkeypatch.context() as patched:
        patched.setenv("GIT_AUTHOR_NAME", who.title())
        patched.setenv("GIT_AUTHOR_EMAIL", f"{who}@example.org")
        return call("approve", pack, "--why", f"{who} looked").code


def test_merging_asks_for_the_approvals_that_the_policy_names(
    call: Call, world: World, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of a role means two people of it: nobody counts twice, and nobody whom the base does not list counts."""
    name = ruled(world, repository)
    codes = [approve_as(call, monkeypatch, who, name) for who in ("ada", "ada", "mallory")]
    assert codes == [0, 1, 0]
    refused = call("merge", name, "--json")
    assert (refused.code, git(repository, "rev-parse", "main")) == (1, world.base)
    assert "ops-look: 1 more approval by ops is required" in refused.error["message"]
    assert f"workbench approve {name}" in refused.error["hint"]
    assert approve_as(call, monkeypatch, "ben", name) == 0
    assert call("merge", name).code == 0


def test_without_a_rule_about_approvals_one_is_enough_and_there_is_no_second(
    call: Call, world: World, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The positive control: it is the policy that asks for more."""
    name = world.pack(run)
    assert [approve_as(call, monkeypatch, who, name) for who in ("ada", "ben")] == [0, 1]
    assert call("merge", name).code == 0


def test_a_missing_approval_is_overridden_only_with_a_reason_on_record(
    call: Call, world: World, repository: Path
) -> None:
    """Who goes on without says why; no condition of their own words stands for it."""
    name = ruled(world, repository)
    forged = call("approve", name, "--why", "x", "--condition", "override: approvals were missing: none", "--json")
    assert (forged.code, forged.error["id"]) == (2, "UsageError")
    assert call("approve", name, "--why", "fine").code == 0
    assert call("merge", name).code == 1
    assert call("merge", name, "--override", "ops is asleep, and the shop is down").code == 0
    state = world.journal.pack(name)
    assert state is not None
    assert state.decisions[-1]["rationale"] == "ops is asleep, and the shop is down"
    assert state.decisions[-1]["conditions"] == [
        "override: approvals were missing: ops-look: 1 more approval by ops is required"
    ]


@pytest.mark.parametrize("rule", ["allow_override: false", "rigor: strict"])
def test_a_policy_can_forbid_overrides(call: Call, world: World, repository: Path, rule: str) -> None:
    """What a policy forbids no flag allows, whatever would be overridden."""
    name = ruled(world, repository, policy=f"{ASKS_OPS}{rule}\n")
    assert call("approve", name, "--why", "fine").code == 0
    refused = call("merge", name, "--override", "now", "--json")
    assert (refused.code, git(repository, "rev-parse", "main")) == (1, world.base)
    assert "nobody may override" in refused.error["message"]

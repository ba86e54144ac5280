"""Packs delivered to where others merge them: a bare remote, stand-ins for gh and glab, and what a forge may say."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from ace_world import Call, World, git

from workbench.ace.wiring.forge import LONGEST_BODY, inert_body
from workbench.artifacts.mergepack import Rationale

STUB = """#!/usr/bin/env python3
import json, pathlib, sys
place = pathlib.Path({place!r})
calls = place / "calls"
with calls.open("a") as file:
    file.write(json.dumps({{"argv": sys.argv[1:], "stdin": sys.stdin.read()}}) + "\\n")
words, request = sys.argv[1:3], place / "open"
if (place / "loggedout").exists():
    sys.stderr.write("To get started with GitHub CLI, please run:  gh auth login\\n")
    sys.exit(4)
url = "https://example.org/shop/-/merge_requests/7"
if words[1] == "list":
    print(json.dumps([{{"url": url, "web_url": url, "iid": 7}}] if request.exists() else []))
elif words[1] == "create":
    request.touch()
    print("Creating request\\n" + url)
"""
BRANCH = "workbench/prices/prices.1"


@pytest.fixture
def remote(repository: Path, tmp_path: Path) -> Path:
    path = tmp_path / "remote.git"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(path))
    git(repository, "remote", "add", "origin", str(path))
    git(repository, "push", "-q", "origin", "main")
    return path


@pytest.fixture
def approved(call: Call, world: World) -> str:
    (run,) = world.mission()
    name = world.pack(run, rationale=Rationale(approach="Duplicate of #1, says @everyone"))
    assert call("approve", name, "--why", "fine").code == 0
    return name


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory on PATH, which has neither gh nor glab until `install` puts one there."""
    place = tmp_path / "tools"
    place.mkdir()
    needed = {Path(path).resolve() for path in os.environ["PATH"].split(os.pathsep) if Path(path).is_dir()}
    clean = [str(path) for path in needed if not any((path / name).exists() for name in ("gh", "glab"))]
    monkeypatch.setenv("PATH", os.pathsep.join([str(place), *sorted(clean)]))
    return place


def install(place: Path, name: str) -> None:
    stub = place / name
    stub.write_text(STUB.format(place=str(place)))
    stub.chmod(0o755)


def calls(place: Path) -> list[dict[str, str | list[str]]]:
    return [json.loads(line) for line in (place / "calls").read_text().splitlines()]


def test_a_delivery_waits_outside_until_it_comes_back_with_a_pull(
    call: Call, approved: str, remote: Path, repository: Path, tmp_path: Path, tools: Path
) -> None:
    """What merge would make is pushed, as often as one likes; main moves for nobody, and undo makes a revert commit."""
    before = git(repository, "rev-parse", "main")
    said = call("deliver", approved, "--push", "origin", "--json").one
    assert (said["state"], said["ref"], said["url"]) == ("waiting outside", f"refs/heads/{BRANCH}", "")
    assert git(remote, "rev-parse", BRANCH) == said["commit"]
    assert git(remote, "rev-parse", f"{BRANCH}^1") == git(repository, "rev-parse", "main") == before
    assert f"Workbench-Pack: {approved}" in git(remote, "log", "-1", "--format=%B", BRANCH)
    again = call("deliver", approved, "--push", "origin", "--json").one
    assert (again["commit"], again["notes"]) == (said["commit"], ["The remote had it already."])
    assert call("runs", "--json").one["stage"] == "waiting outside"
    (row,) = [row for row in call("inbox", "--json").rows if row["kind"] == "mrp"]
    assert row["category"] == "waiting-outside"
    assert any(f"origin/{BRANCH}" in str(value) for value in row.values())
    refused = call("undo", approved, "--json")
    assert (refused.code, f"push origin --delete {BRANCH}" in refused.error["hint"]) == (1, True)
    assert "not in main yet" in call("deliver", approved).err

    git(tmp_path, "clone", "-q", str(remote), "other")
    git(tmp_path / "other", "merge", "-q", "--no-ff", "-m", "Merged there", f"origin/{BRANCH}")
    git(tmp_path / "other", "push", "-q", "origin", "main")
    git(repository, "fetch", "-q", "origin")
    assert "It was merged there: git pull" in call("deliver", approved).err
    git(repository, "merge", "-q", "--ff-only", "origin/main")
    assert call("deliver", approved, "--json").one["state"] == "merged"
    assert call("missions", "--json").one["status"] == "done"
    offered = call("undo", approved, "--json")
    assert (offered.code, "--revert" in offered.error["hint"]) == (1, True)
    assert call("undo", approved, "--revert", "--json").one["how"] == "revert"
    assert "waiting-outside" not in {row["category"] for row in call("inbox", "--json").rows}
    assert (repository / "shop.py").read_text() == "PRICE = 1\n"
    assert call("journal", "verify").code == 0


@pytest.mark.parametrize(("tool", "noun"), [("gh", "pr"), ("glab", "mr")])
def test_a_request_is_opened_once_and_then_renewed(
    call: Call, approved: str, remote: Path, tools: Path, tool: str, noun: str
) -> None:
    """The pack is its text, in which nothing of the agent's is alive; a second delivery edits the same request."""
    install(tools, tool)
    said = call("deliver", approved, "--push", "origin", "--pr", "--json")
    assert said.one["url"].endswith("/7"), said.err
    assert call("deliver", approved, "--push", "origin", "--pr", "--json").one["url"] == said.one["url"]
    done = [call["argv"][:2] for call in calls(tools)]
    assert done == [[noun, "list"], [noun, "create"], [noun, "list"], [noun, "edit" if tool == "gh" else "update"]]
    created = calls(tools)[1]
    text = created["stdin"] or created["argv"][created["argv"].index("--description") + 1]
    assert "Ready to merge" in str(text)
    assert "@everyone" not in str(text) and "#1" not in str(text) and "everyone" in str(text)
    assert BRANCH in created["argv"] and "main" in created["argv"]
    assert any(said.one["url"] in str(value) for row in call("inbox", "--json").rows for value in row.values())


def test_without_a_tool_or_a_login_the_branch_is_pushed_and_the_next_step_said(
    call: Call, approved: str, remote: Path, tools: Path
) -> None:
    """Nothing that was done is lost: logging in and delivering again goes on from there."""
    said = call("deliver", approved, "--push", "origin", "--pr")
    assert (said.code, "Neither gh nor glab is installed: open the request by hand" in said.err) == (0, True)
    wanted = call("deliver", approved, "--pr", "--tool", "glab")
    assert "glab is not installed: open the request by hand" in wanted.err
    install(tools, "gh")
    (tools / "loggedout").touch()
    refused = call("deliver", approved, "--pr", "--json")
    assert (refused.code, refused.error["hint"].startswith("gh auth login")) == (4, True)
    assert call("runs", "--json").one["stage"] == "waiting outside"
    (tools / "loggedout").unlink()
    assert call("deliver", approved, "--pr", "--json").one["url"]


def test_what_stands_on_the_remote_is_never_written_over(
    call: Call, approved: str, remote: Path, repository: Path, tools: Path
) -> None:
    """A branch of somebody else, a remote that says no, one that is not there, an address, an option, the target."""
    git(repository, "push", "-q", "origin", f"main:{BRANCH}")
    taken = call("deliver", approved, "--push", "origin", "--json")
    assert (taken.code, "--branch NAME" in taken.error["hint"]) == (1, True)
    assert git(remote, "rev-parse", BRANCH) == git(repository, "rev-parse", "main")
    (remote / "hooks/pre-receive").write_text("#!/bin/sh\necho 'no such pushes' >&2; exit 1\n")
    (remote / "hooks/pre-receive").chmod(0o755)
    declined = call("deliver", approved, "--push", "origin", "--branch", "mine", "--json")
    assert (declined.code, "no such pushes" in declined.error["message"]) == (1, True)
    for words in (
        ["--push", "nowhere"],
        ["--push", str(remote)],
        ["--push", "ext::sh -c touch% pwned"],
        ["--push=--exec=touch pwned"],
        ["--push", "origin", "--branch", "main"],
        ["--push", "origin", "--branch", "-f"],
        ["--push", "origin", "--branch", "a..b"],
        ["--push", "origin", "--branch", "a:main"],
        [],
    ):
        assert call("deliver", approved, *words).code in (1, 2), words
    git(repository, "remote", "set-url", "origin", str(remote.parent / "gone.git"))
    gone = call("deliver", approved, "--push", "origin", "--json")
    assert (gone.code, "git remote -v" in gone.error["hint"]) == (4, True)
    assert not list(repository.rglob("pwned"))
    assert call("runs", "--json").one["stage"] == "review"
    assert call("merge", approved).code == 0


def test_only_what_a_person_approved_on_this_base_is_delivered(
    call: Call, world: World, remote: Path, repository: Path, tools: Path
) -> None:
    """Rules that hold for a merge hold for a delivery: the approval, and the base that the evidence was made on."""
    name = world.pack(world.mission()[0])
    assert call("deliver", name, "--push", "origin").code == 1
    assert call("approve", name, "--why", "fine").code == 0
    git(repository, "commit", "-q", "--allow-empty", "-m", "Meanwhile")
    stale = call("deliver", name, "--push", "origin", "--json")
    assert (stale.code, f"workbench mrp build {name}" in stale.error["hint"]) == (1, True)
    assert git(remote, "branch", "--list", "workbench/*") == ""


def test_a_person_s_hook_runs_and_a_program_of_the_repository_does_not(
    call: Call, approved: str, remote: Path, repository: Path, tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is their own push; but `gh` is never one that lies in the checkout, even where PATH leads there first."""
    hook = repository / ".git/hooks/pre-push"
    hook.write_text(f"#!/bin/sh\ncat > {tools}/hooked\n")
    hook.chmod(0o755)
    install(repository, "gh")
    (tools / "glab").symlink_to(repository / "gh")
    monkeypatch.setenv("PATH", f"{repository}:.:{os.environ['PATH']}")
    monkeypatch.setenv("GIT_DIR", str(remote))
    said = call("deliver", approved, "--push", "origin", "--pr")
    assert (said.code, "Neither gh nor glab" in said.err) == (0, True)
    assert not (repository / "calls").exists() and not (tools / "calls").exists()
    assert f"refs/heads/{BRANCH}" in (tools / "hooked").read_text()
    hook.write_text("#!/bin/sh\necho 'tests fail' >&2; exit 1\n")
    refused = call("deliver", approved, "--push", "origin", "--branch", "other", "--json")
    assert (refused.code, "tests fail" in refused.error["message"]) == (1, True)


def test_a_long_text_is_cut_and_says_so() -> None:
    """A forge takes no more, and a reader is told what is missing."""
    text = inert_body("a line\n" * 20_000)
    assert len(text) < LONGEST_BODY + 200
    assert "Cut here" in text

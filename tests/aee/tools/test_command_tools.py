"""run, search, patch, test and submit: what runs in the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from workbench.aee.sandbox.select import probe, select
from workbench.ports import Sandbox, ToolResult
from workbench.testing.workplace import Workplace


def call(workplace: Workplace, tool: str, **arguments: Any) -> ToolResult:
    return workplace.box.call(tool, arguments, "1.x")


@pytest.fixture(params=["none", "bubblewrap"])
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    found = probe(request.param)
    if not found.works:
        pytest.skip(found.reason)
    return select(request.param, allow_none=True)


@pytest.fixture
def confined(make_workplace: Callable[..., Workplace], sandbox: Sandbox) -> Workplace:
    return make_workplace(sandbox=sandbox)


def test_run_tells_exit_code_and_output(confined: Workplace) -> None:
    """A command that fails is a fact, not an error of the tool."""
    result = call(confined, "run", command="echo out; echo err >&2; exit 3", cwd="src")
    assert (result.state, result.data["exit_code"]) == ("ok", 3)
    assert (result.data["stdout"], result.data["stderr"]) == ("out\n", "err\n")
    assert result.output == b"out\n\n--- stderr ---\nerr\n"


def test_run_keeps_head_and_tail_of_a_long_output(confined: Workplace) -> None:
    """Ten megabytes come back as head and tail, with the cut and the full size stated."""
    result = call(confined, "run", command="echo first; head -c 10000000 /dev/zero | tr '\\0' x; echo; echo last")
    out = result.data["stdout"]
    assert out.startswith("first\n")
    assert out.endswith("last\n")
    assert "bytes cut" in out
    assert (len(out) < 20_000, result.data["stdout_bytes"]) == (True, 10_000_012)


def test_run_ends_at_its_time_limit(confined: Workplace) -> None:
    """A command that does not end is ended, and the result says so."""
    result = call(confined, "run", command="sleep 60", timeout_s=0.2)
    assert (result.state, result.data["state"]) == ("error", "timed-out")


@pytest.mark.parametrize("cwd", ["..", "/etc", "a\0b"])
def test_run_starts_inside(cwd: str, confined: Workplace) -> None:
    """A command's directory is one of the workspace."""
    assert call(confined, "run", command="true", cwd=cwd).state == "error"


def test_search_finds_tracked_and_new_lines(confined: Workplace) -> None:
    """Plain text is the default; expressions are asked for; nothing found is no error."""
    call(confined, "edit", path="new.py", content="z = twice(3)  # .*\n")
    found = call(confined, "search", pattern="twice(").data["matches"]
    assert [(match["path"], match["line"]) for match in found] == [("new.py", 1), ("src/a.py", 4)]
    assert call(confined, "search", pattern=".*").data["matches"][0]["path"] == "new.py"
    assert len(call(confined, "search", pattern="^def [a-z]+", regex=True, path="src").data["matches"]) == 1
    assert call(confined, "search", pattern="nowhere").data == {"matches": [], "cut": False}


@pytest.mark.parametrize("pattern", ["(", "-O/bin/sh", "--help", "(a*)*b", "[", "a\nb"])
def test_search_survives_hostile_patterns(pattern: str, confined: Workplace) -> None:
    """A pattern is never an option, and never holds the tool up."""
    call(confined, "edit", path="long", content="a" * 50_000 + "\n")
    result = call(confined, "search", pattern=pattern, regex=pattern != "-O/bin/sh")
    assert result.state in ("ok", "error")
    assert len(result.summary) <= 500


def test_search_takes_a_path_as_it_is(confined: Workplace) -> None:
    """A path is no pathspec: magic in it means nothing."""
    assert call(confined, "search", pattern="twice", path=":(top)src").data["matches"] == []
    assert call(confined, "search", pattern="twice", path="../..").state == "error"


PATCH = "--- a/README.md\n+++ b/README.md\n@@ -1,3 +1,3 @@\n # Sample\n \n-A sample.\n+A better sample.\n"


def test_patch_applies_whole_or_not_at_all(confined: Workplace) -> None:
    """A diff of which one part does not fit changes nothing."""
    before = confined.tree()
    broken = PATCH + "--- a/src/a.py\n+++ b/src/a.py\n@@ -1 +1 @@\n-nothing like it\n+x\n"
    assert call(confined, "patch", patch=broken).state == "error"
    assert confined.tree() == before
    assert call(confined, "patch", patch=PATCH).state == "ok"
    assert confined.tree()["README.md"].endswith(b"A better sample.\n")


@pytest.mark.parametrize("name", ["../outside", ".git/config", "/etc/outside", "a/../../outside"])
def test_patch_stays_inside(name: str, confined: Workplace) -> None:
    """A diff that names a path outside, or in `.git`, is refused."""
    patch = f"--- /dev/null\n+++ b/{name}\n@@ -0,0 +1 @@\n+evil\n"
    assert call(confined, "patch", patch=patch).state == "error"
    assert not (confined.root.parent / "outside").exists()
    assert b"evil" not in (confined.root / ".git/config").read_bytes()


def test_submit_commits_all_of_it_as_the_agent(confined: Workplace) -> None:
    """New, changed and deleted files are committed on the run's branch, by the agent, with the run as a trailer."""
    call(confined, "edit", path="new", content="x")
    call(confined, "edit", path="README.md", delete=True)
    call(confined, "edit", path="__pycache__/junk.pyc", content="x")
    result = call(confined, "submit_merge_readiness", message="-m Why\n\nMore.", rationale={"test_plan": ["one"]})
    assert (result.state, result.finish) == ("ok", True), result.data
    assert result.data["head"] == confined.git("rev-parse", confined.branch).strip()
    assert result.data["rationale"]["test_plan"] == ["one"]
    assert result.data["left_out"] == ["__pycache__/"]
    log = confined.git("log", "-1", "--format=%an|%ae|%B")
    assert log.startswith("ada (Workbench agent)|m.1@agents.workbench.invalid|-m Why\n\nMore.\n\nWorkbench-Run: m.1")
    assert confined.git("ls-tree", "-r", "--name-only", "HEAD").split() == ["new", "src/a.py", "src/crlf.txt"]


def test_a_delivery_says_what_became_of_every_comment_that_was_sent(confined: Workplace) -> None:
    """What a person remarked is not passed over in silence; the refusal says how to speak of it."""
    confined.comments.append("MRP-a.1-1.c1")
    call(confined, "edit", path="new.py", content="x = 1\n")
    refused = call(confined, "submit_merge_readiness", message="Why")
    assert (refused.state, "MRP-a.1-1.c1" in refused.summary) == ("error", True)
    said = {"addressed": [{"comment": "MRP-a.1-1.c1", "how": "left as it is: it is used elsewhere"}]}
    assert call(confined, "submit_merge_readiness", message="Why", rationale=said).state == "ok"


def test_what_steers_a_screen_is_not_committed(confined: Workplace) -> None:
    """Control characters of a message become visible escapes, its lines stay; control: git itself would keep them."""
    call(confined, "edit", path="new", content="x")
    assert call(confined, "submit_merge_readiness", message="Add\x1b]0;x\x07 it\r\n\n\tMore\u202e.\rEnd").state == "ok"
    told = confined.git("log", "-1", "--format=%B")
    assert told.startswith("Add\\x1b]0;x\\x07 it\n\n\tMore\\u202e.\\x0dEnd\n")
    confined.git("commit", "-q", "--allow-empty", "-m", "Raw \x1b]0;x\x07")
    assert "\x1b" in confined.git("log", "-1", "--format=%B")


def test_an_agent_may_name_the_test_of_an_item(confined: Workplace) -> None:
    """An item of the plan may come with its test, and both are kept as they were given."""
    call(confined, "edit", path="new", content="x")
    plan = ["all else", {"item": "it adds", "test": "tests/test_a.py::test_adds"}]
    result = call(confined, "submit_merge_readiness", message="Add", rationale={"test_plan": plan})
    assert result.data["rationale"]["test_plan"] == plan


def test_submit_refuses_when_nothing_differs(confined: Workplace) -> None:
    """Nothing is delivered when nothing was changed, also when commits cancel each other out."""
    result = call(confined, "submit_merge_readiness", message="Nothing")
    assert (result.state, result.finish) == ("error", False)
    assert "nothing differs from the base" in result.summary
    confined.git("commit", "-q", "--allow-empty", "-m", "empty")
    assert call(confined, "submit_merge_readiness", message="Nothing").state == "error"


def test_submit_delivers_commits_that_the_agent_made(confined: Workplace) -> None:
    """Commits that are there already are delivered as they are."""
    (confined.root / "new").write_text("x")
    confined.git("add", "-A")
    confined.git("commit", "-q", "-m", "mine")
    result = call(confined, "submit_merge_readiness", message="Unused")
    assert confined.git("log", "--format=%s").split() == ["mine", "base"]
    assert result.finish


def test_submit_refuses_another_branch_and_another_history(confined: Workplace) -> None:
    """Work is delivered from the run's branch only, and only on top of the base."""
    confined.git("checkout", "-q", "-b", "elsewhere")
    (confined.root / "new").write_text("x")
    assert "HEAD is on refs/heads/elsewhere" in call(confined, "submit_merge_readiness", message="Why").summary
    confined.git("checkout", "-q", "--orphan", "unrelated")
    confined.git("commit", "-q", "-m", "rewritten")
    confined.git("branch", "-f", confined.branch, "unrelated")
    confined.git("checkout", "-q", confined.branch)
    assert "does not descend" in call(confined, "submit_merge_readiness", message="Why").summary


def test_hooks_do_not_hold_a_delivery_up(confined: Workplace) -> None:
    """A hook that the agent left in its clone neither runs nor refuses."""
    hook = confined.root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch ran; exit 1\n")
    hook.chmod(0o755)
    call(confined, "edit", path="new", content="x")
    assert call(confined, "submit_merge_readiness", message="Why").finish
    assert not (confined.root / "ran").exists()

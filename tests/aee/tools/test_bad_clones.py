"""submit_merge_readiness on clones in a state that no honest agent leaves, or that a kill left."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from workbench.ports import Limits, ToolResult
from workbench.testing.workplace import Workplace


def submit(workplace: Workplace) -> ToolResult:
    return workplace.box.call("submit_merge_readiness", {"message": "Why"}, "1.submit")


def no_repository(workplace: Workplace) -> None:
    shutil.rmtree(workplace.root / ".git")


def a_repository_above(workplace: Workplace) -> None:
    (workplace.root / ".git").rename(workplace.root.parent / ".git")


def another_repository(workplace: Workplace) -> None:
    no_repository(workplace)
    workplace.git("init", "-q", "-b", workplace.branch)
    workplace.git("commit", "-q", "--allow-empty", "-m", "mine")


def detached(workplace: Workplace) -> None:
    workplace.git("checkout", "-q", "--detach")


def unborn(workplace: Workplace) -> None:
    workplace.git("update-ref", "-d", f"refs/heads/{workplace.branch}")


def nonsense_in_head(workplace: Workplace) -> None:
    (workplace.root / ".git/HEAD").write_text("\x1b[2Jref: nonsense")


def huge_index(workplace: Workplace) -> None:
    with (workplace.root / ".git/index").open("r+b") as index:
        index.truncate(3 << 30)


def broken_index(workplace: Workplace) -> None:
    (workplace.root / ".git/index").write_bytes(b"DIRC" + b"\xff" * 1000)


def bare(workplace: Workplace) -> None:
    workplace.git("config", "core.bare", "true")


def required_filter_that_fails(workplace: Workplace) -> None:
    (workplace.root / ".gitattributes").write_text("* filter=evil\n")
    workplace.git("config", "filter.evil.clean", "false")
    workplace.git("config", "filter.evil.required", "true")


def nested_repository_without_commit(workplace: Workplace) -> None:
    nested = workplace.root / "nested"
    nested.mkdir()
    workplace.git("init", "-q", "nested")


def lost_base(workplace: Workplace) -> None:
    for part in (workplace.root / ".git/objects").glob("??"):
        shutil.rmtree(part)


STATES: dict[Callable[[Workplace], None], str] = {
    no_repository: "git finds no repository",
    a_repository_above: "git finds no repository",
    another_repository: "the base is not in this repository",
    detached: "HEAD is on no branch",
    unborn: "does not descend",
    nonsense_in_head: "git finds no repository",
    huge_index: "staging failed",
    broken_index: "staging failed",
    bare: "staging failed",
    required_filter_that_fails: "staging failed",
    nested_repository_without_commit: "staging failed",
    lost_base: "the base is not in this repository",
}


@pytest.mark.parametrize("spoil", STATES, ids=lambda spoil: str(spoil.__name__))
def test_a_bad_clone_is_told_clearly(spoil: Callable[[Workplace], None], workplace: Workplace) -> None:
    """Nothing is delivered, and the agent reads what is wrong and what to do."""
    (workplace.root / "new").write_text("x")
    spoil(workplace)
    result = submit(workplace)
    assert (result.state, result.finish) == ("error", False)
    assert STATES[spoil] in result.summary
    assert result.data["hint"]


def test_a_filter_that_hangs_is_ended(make_workplace: Callable[..., Workplace]) -> None:
    """A program that the clone's configuration makes git start cannot hold a delivery up for ever."""
    workplace = make_workplace(limits=Limits(wall_s=0.5))
    (workplace.root / ".gitattributes").write_text("* filter=evil\n")
    workplace.git("config", "filter.evil.clean", "sleep 60")
    result = submit(workplace)
    assert result.state == "error"
    assert "timed-out" in result.summary


def test_locks_that_a_kill_left_do_not_hold_a_delivery_up(workplace: Workplace) -> None:
    """A delivery that was killed inside git is completed by its repeat."""
    (workplace.root / "new").write_text("x")
    for name in ("index.lock", "HEAD.lock", f"refs/heads/{workplace.branch}.lock"):
        (workplace.root / ".git" / name).touch()
    assert submit(workplace).finish
    assert workplace.git("show", "HEAD:new") == "x"


def test_a_message_is_never_an_option_or_part_of_the_script(workplace: Workplace) -> None:
    """Quotes, substitutions and dashes of an agent's words are words."""
    (workplace.root / "new").write_text("x")
    words = "--amend '; touch evil; $(touch evil) `touch evil` \" \\0"
    workplace.box.call("submit_merge_readiness", {"message": words}, "1.submit")
    assert workplace.git("log", "-1", "--format=%s").strip() == words
    assert not (workplace.root / "evil").exists()


def test_replaced_objects_do_not_change_what_the_base_is(workplace: Workplace) -> None:
    """A replace ref cannot make a foreign history look as if it grew from the base."""
    foreign = workplace.git("commit-tree", "-m", "foreign", workplace.git("write-tree").strip()).strip()
    (workplace.root / "new").write_text("x")
    child = workplace.git("commit-tree", "-m", "child", "-p", workplace.base, f"{foreign}^{{tree}}").strip()
    workplace.git("update-ref", f"refs/heads/{workplace.branch}", foreign)
    workplace.git("replace", foreign, child)
    assert workplace.git("merge-base", workplace.base, "HEAD").strip() == workplace.base, (
        "the attack works on plain git"
    )
    assert "does not descend" in submit(workplace).summary

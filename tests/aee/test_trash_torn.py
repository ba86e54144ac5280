"""What a clone hides, and what a kill or a full disk leaves half made, costs nobody's work."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.aee.trash_stage import BRANCH, Place, tmp_root
from workbench.model.errors import EnvironmentProblem


@pytest.mark.parametrize(
    ("hide", "act"),
    [
        ("git checkout -q --detach && git commit -q --allow-empty -m kept && git checkout -q --detach", "trash"),
        ("echo notes > .git/info/exclude && echo mine > notes", "trash"),
        ("git config core.excludesFile .git/rules && echo notes > .git/rules && echo mine > notes", "trash"),
        ("git update-index --assume-unchanged new.txt && echo mine > new.txt", "trash"),
        ("git config status.showUntrackedFiles no && echo mine > notes", "trash"),
        ("echo mine > notes && git stash -qu", "trash"),
        ("git update-index --skip-worktree new.txt && echo mine > new.txt", "trash"),
        ("git commit -q --allow-empty -m kept && git reset -q --hard HEAD~1", "trash"),
        ("git checkout -qb b && git commit -q --allow-empty -m kept && git checkout -q - && git branch -qD b", "trash"),
        ("git checkout -qb b && git checkout -q - && git branch -qD b", "reuse"),
        ("true", "reuse"),
    ],
)  # fmt: skip
def test_work_that_git_was_told_to_overlook_is_work(place: Place, hide: str, act: str) -> None:
    """A commit that no branch has, or only a reflog, and files that settings hide, are copied like all else."""
    place.commit()
    place.clones.fetch(run="m.1", branch=BRANCH)
    place.agent("sh", "-c", hide)
    assert place.gc(delivered=("m.1",)) == [(act, "m.1")]


@pytest.mark.parametrize(
    ("name", "fill", "act"),
    [
        ("part", "rm -rf part/.git && echo mine > part/notes", "trash"),
        ("part of\u00e4 it", "git -C part* reset -q --hard HEAD~1", "trash"),
        ('od"d', "true", "trash"),
        ("part", "rm -rf part/* part/.git && mkdir .git/modules", "trash"),
        ("part", "rm -rf part/* part/.git", "reuse"),
    ],
)  # fmt: skip
def test_a_submodule_that_was_filled_is_work(place: Place, name: str, fill: str, act: str) -> None:
    """Git in the clone does not say what is changed, or was committed, inside of it."""
    script = f"git init -q '{name}' && cd '{name}' && for m in a b; do git commit -qm $m --allow-empty; done"
    place.agent("sh", "-c", f"{script} && cd .. && git add -A && git commit -qm part")
    place.clones.fetch(run="m.1", branch=BRANCH)
    place.agent("sh", "-c", fill)
    if act == "reuse":
        assert "part" in place.agent("git", "ls-files")
    assert place.gc(delivered=("m.1",)) == [(act, "m.1")]


def test_more_than_git_can_say_is_not_taken_for_nothing(place: Place) -> None:
    """Refs beyond what is read of an answer may hold work."""
    place.commit()
    place.clones.fetch(run="m.1", branch=BRANCH)
    refs = "".join(f"{place.base} refs/heads/{number}/{'x' * 180}\n" for number in range(24_000))
    (place.clone / ".git" / "packed-refs").write_text(f"# pack-refs with: peeled fully-peeled sorted \n{refs}")
    assert place.gc(delivered=("m.1",)) == [("trash", "m.1")]


@pytest.mark.parametrize("torn", ["", '{"run":'])
def test_what_a_kill_or_a_full_disk_left_half_made_hides_no_work(place: Place, torn: str) -> None:
    """Half a copy is no copy and goes with the next; a workspace of which nothing is known any more is copied."""
    (place.clone / "draft").write_text("mine")
    half_made = tmp_root(place) / ".making-x"
    half_made.mkdir()
    (half_made / "kept.json").write_text(torn)
    note = place.clone.parent / "seat.json"
    note.write_text(torn) if torn else note.unlink()
    assert place.trash.copies() == []
    assert place.gc(delivered=("m.1",)) == [("trash", "m.1")]
    [kept] = place.trash.copies()
    place.trash.restore(kept.run, tmp_root(place).parent / "back")
    assert (tmp_root(place).parent / "back" / "draft").read_text() == "mine"
    assert not half_made.exists() and place.clones.runs() == []


def test_a_copy_that_cannot_be_made_leaves_the_work(place: Place) -> None:
    """D7: where the copy does not fit, nothing is removed and the reason is said."""
    (place.clone / "large").write_bytes(os.urandom(1 << 20))
    items = place.trash.plan(live=(), delivered=())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, before[1]))
    try:
        [done] = place.trash.carry_out(items)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "cannot be copied" in done.problem
    assert place.clones.runs() == ["m.1"] and place.trash.copies() == []
    assert [kept.name for kept in (tmp_root(place)).iterdir()] == []


def test_a_copy_comes_back_whole_or_not_at_all(place: Place, tmp_path: Path) -> None:
    """A file that cannot be written is named and not there by half; of a damaged archive nothing is left lying."""
    (place.clone / "large").write_bytes(os.urandom(1 << 20))
    place.gc()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, before[1]))
    try:
        back = place.trash.restore("m.1", tmp_path / "back")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "./large" in back.left_out and not (tmp_path / "back" / "large").exists()
    os.truncate(back.archive, 1 << 19)
    with pytest.raises(EnvironmentProblem, match="cannot be unpacked"):
        place.trash.restore("m.1", tmp_path / "again")
    assert not (tmp_path / "again").exists() and not list(tmp_path.glob(".making-*"))


def test_a_full_disk_is_said_where_a_copy_was_to_come_back(place: Place, tmp_path: Path) -> None:
    """Nothing stays of it there, and the copy where it is."""
    (place.clone / "large").write_bytes(os.urandom(1 << 20))
    place.gc()
    [archive] = tmp_root(place).glob("*/files.tar.gz")
    (tmp_path / "small").mkdir()
    mounts = 'mount -t tmpfs -o size=512k none "$1" && touch "$1/it" && shift && "$@"'
    asked = "import sys, pathlib; from workbench.repository.trees import unpack_tree"
    asked += "\narchive, small = map(pathlib.Path, sys.argv[1:])\ntry: unpack_tree(archive, small / 'back')"
    asked += "\nfinally: print([one.name for one in small.iterdir()])"
    words = ["unshare", "-rm", "sh", "-c", mounts, "sh", str(tmp_path / "small"), sys.executable, "-c", asked]
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    done = subprocess.run([*words, archive, tmp_path / "small"], capture_output=True, text=True)
    if not done.stdout:
        pytest.skip(f"no file system can be mounted: {done.stderr[-200:]}")
    assert done.stdout == "['it']\n" and "No space left" in done.stderr
    assert archive.exists()

"""Clearing up never loses work that was not delivered."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.aee.trash_stage import BRANCH, DAY, Place, tmp_root
from workbench.model.errors import NotFound, Refused


def test_a_live_run_is_left_alone(place: Place) -> None:
    """What still goes on is not cleared, whatever it holds."""
    place.commit()
    assert place.gc(live=("m.1",)) == [("keep", "m.1")]
    assert place.clones.runs() == ["m.1"]


def test_delivered_work_frees_its_workspace_without_a_copy(place: Place) -> None:
    """When all of a run's commits are merged and fetched, its clone goes back to the pool."""
    place.commit()
    place.clones.fetch(run="m.1", branch=BRANCH)
    assert place.gc(delivered=("m.1",)) == [("reuse", "m.1")]
    assert place.clones.runs() == [] and place.trash.copies() == []


WAYS: dict[str, tuple[bool, Callable[[Place], object]]] = {
    "never-merged": (False, lambda place: place.clones.fetch(run="m.1", branch=BRANCH)),
    "never-fetched": (True, lambda place: place.agent("git", "status")),
    "dirty": (True, lambda place: (place.clones.fetch(run="m.1", branch=BRANCH), (place.clone / "x").write_text("x"))),
    "other-branch": (
        True,
        lambda place: (
            place.clones.fetch(run="m.1", branch=BRANCH),
            place.agent("git", "checkout", "-qb", "side"),
            place.commit("side.txt"),
        ),
    ),
    "damaged": (True, lambda place: (place.clone / ".git" / "HEAD").unlink()),
}


@pytest.mark.parametrize("way", WAYS)
def test_undelivered_work_is_copied_before_its_workspace_goes(place: Place, tmp_path: Path, way: str) -> None:
    """Commits and files that exist nowhere else are in the trash, and come back from it."""
    delivered, happen = WAYS[way]
    head = place.commit()
    happen(place)
    (place.clone / "draft").write_text("mine")
    assert place.gc(delivered=("m.1",) if delivered else ()) == [("trash", "m.1")]
    [kept] = place.trash.copies()
    assert kept.run == "m.1" and kept.why
    if way != "damaged":
        assert place.store.refs()[kept.ref] in (kept.head, head)
        assert place.store.has(kept.head)
    place.trash.restore("m.1", tmp_path / "back")
    assert (tmp_path / "back" / "draft").read_text() == "mine"
    assert (tmp_path / "back" / "new.txt").read_text() == "new\n"
    assert place.clones.runs() == []


def test_a_plan_changes_nothing(place: Place) -> None:
    """`gc --dry-run` shows what would go, why and how much."""
    place.commit()
    [item] = place.trash.plan(live=(), delivered=())
    assert (item.act, item.subject) == ("trash", "m.1") and item.bytes > 0 and item.why
    assert place.clones.runs() == ["m.1"] and place.trash.copies() == []


def test_work_that_appears_after_the_plan_is_still_kept(place: Place) -> None:
    """A stale plan does not lose what was written since."""
    items = place.trash.plan(live=(), delivered=("m.1",))
    assert items[0].act == "reuse"
    (place.clone / "late").write_text("x")
    [done] = place.trash.carry_out(items)
    assert done.kept_at and len(place.trash.copies()) == 1


def test_copies_expire_after_their_days(place: Place) -> None:
    """The trash keeps a copy for thirty days, then lets go of it and its ref."""
    place.commit()
    place.gc()
    place.passes(29)
    assert place.gc() == []
    place.passes(2)
    assert [act for act, _ in place.gc()] == ["expire"]
    assert place.trash.copies() == []
    assert not [ref for ref in place.store.refs() if "/kept/" in ref]


def test_a_clock_that_jumps_shortens_no_copys_days(place: Place) -> None:
    """Uptime counts while the machine runs; after a restart it takes two looks, a day apart, that find it overdue."""
    place.commit()
    place.gc()
    place.now += 400 * DAY
    assert place.gc() == [], "the clock alone jumped"
    place.boot, place.up = "b2", 0.0
    assert [act for act, _ in place.gc()] == ["due"]
    place.now -= 400 * DAY
    assert place.gc() == [], "it was put right"
    place.passes(31)
    place.boot = "b3"
    assert [act for act, _ in place.gc()] == ["due"], "what was noted in the future counts as nothing"
    place.passes(0.5)
    assert [act for act, _ in place.gc()] == ["due"]
    place.passes(0.6)
    assert [act for act, _ in place.gc()] == ["expire"]


def test_a_copy_is_restored_by_run_or_by_name(place: Place, tmp_path: Path) -> None:
    """What gc shows in the trash can be asked back by the name it shows."""
    place.commit()
    place.gc()
    [shown] = [item for item in place.trash.plan(live=(), delivered=()) if item.act == "kept"]
    for number, subject in enumerate(("m.1", shown.subject)):
        back = place.trash.restore(subject, tmp_path / str(number))
        assert (tmp_path / str(number) / "new.txt").read_text() == "new\n"
        assert place.store.refs()[back.kept.ref] == back.kept.head
    with pytest.raises(Refused, match="already"):
        place.trash.restore("m.1", tmp_path)


# --- F1, R3: hostile trees ------------------------------------------------------------------------------------

HOSTILE = {
    "absolute-link": "ln -s {secret} link",
    "link-upwards": "ln -s ../../../../secret link",
    "link-to-directory": "ln -s {victim} dir && mkdir real && ln -s ../dir real/deeper",
    "link-chain": "ln -s . a && ln -s a/.. b && ln -s b/.. c",
    "hard-link-to-link": "ln -s {victim} dir && ln -P dir twice",
    "pipe": "mkfifo pipe",
    "odd-names": "touch -- '-rf' '--checkpoint-action=exec=touch {mark}' 'a\nb' \"$(printf 'x\\377')\"",
    "set-user-id": "cp /bin/true tool && chmod 6755 tool",
    "locked": "mkdir locked && touch locked/x && chmod 000 locked/x locked",
    "sparse": "truncate -s 900G sparse",
    "deep": "i=0; while [ $i -lt 1100 ]; do mkdir d && cd d; i=$((i+1)); done; touch end",
}


def _hostile(place: Place, tmp_path: Path, name: str) -> None:
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "mine").write_text("mine")
    (tmp_path / "secret").write_text("canary")
    words = HOSTILE[name].replace("{secret}", str(tmp_path / "secret")).replace("{victim}", str(tmp_path / "victim"))
    place.agent("/bin/sh", "-c", words.replace("{mark}", "mark"))


def _escapes(root: Path) -> list[Path]:
    links = [path for path in root.rglob("*") if path.is_symlink()]
    return [path for path in links if not path.resolve().is_relative_to(root.resolve())]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_tree_is_kept_and_comes_back_tame(place: Place, tmp_path: Path, name: str) -> None:
    """F1, R3: whatever stands in a workspace, the copy reads, and its return writes, nothing outside; gc ends."""
    (place.clone / "draft").write_text("mine")
    _hostile(place, tmp_path, name)
    assert place.gc() == [("trash", "m.1")]
    back = tmp_path / "back"
    restored = place.trash.restore("m.1", back)
    assert (back / "draft").read_text() == "mine" and not (back / ".git").exists()
    assert Path(restored.archive).stat().st_size < 1 << 24
    assert b"canary" not in subprocess.run(["tar", "-xzOf", restored.archive, "./a.txt"], capture_output=True).stdout
    assert (tmp_path / "victim" / "mine").read_text() == "mine" and len(list((tmp_path / "victim").iterdir())) == 1
    assert not (tmp_path / "mark").exists() and not (back / "mark").exists()
    if name != "deep":
        assert _escapes(back) == []
        assert not [p for p in back.rglob("*") if stat.S_IMODE(p.lstat().st_mode) & 0o6000 or p.is_fifo()]
    place.clones.prepare(run="m.2", base_commit=place.base, branch="workbench/m/m.2")
    assert place.clones.state("m.2").dirty == ()


@pytest.mark.parametrize("name", ["absolute-link", "link-upwards", "link-to-directory", "set-user-id"])
def test_unpacking_as_it_is_would_bring_it_back_wild(place: Place, tmp_path: Path, name: str) -> None:
    """F1, control: the plain program for archives restores links that lead out, and set-user-id programs."""
    _hostile(place, tmp_path, name)
    place.gc()
    [kept] = place.trash.copies()
    archive = tmp_root(place) / kept.ref.rpartition("/")[2] / "files.tar.gz"
    (tmp_path / "wild").mkdir()
    subprocess.run(["tar", "-xpzf", archive, "-C", tmp_path / "wild"], check=True)
    wild = [p for p in (tmp_path / "wild").rglob("*") if stat.S_IMODE(p.lstat().st_mode) & 0o6000]
    assert wild or _escapes(tmp_path / "wild")
    assert (tmp_path / "wild" / ".git").exists()


def test_a_nested_git_directory_stays_in_the_archive(place: Place, tmp_path: Path) -> None:
    """G1, G8: hooks and settings of an agent's repositories do not come back to where a person's git is."""
    place.agent("git", "init", "-q", "vendor")
    place.agent("git", "-C", "vendor", "config", "core.fsmonitor", "touch mark")
    place.agent("ln", "-s", "vendor/.git", "plain")
    place.gc()
    restored = place.trash.restore("m.1", tmp_path / "back")
    assert (tmp_path / "back" / "vendor").is_dir() and not list((tmp_path / "back").rglob(".git"))
    assert set(restored.left_out) == {"./.git", "./vendor/.git", "./plain"}


def test_the_whole_of_a_tree_comes_back(place: Place, tmp_path: Path) -> None:
    """Modes, links inside, hard links and holes are restored as they were."""
    script = "mkdir d && echo x > d/f && chmod 755 d/f && ln -s d/f s && ln d/f h && truncate -s 3M hole && ln -s d e"
    place.agent("/bin/sh", "-c", script)
    place.gc()
    back = tmp_path / "back"
    assert place.trash.restore("m.1", back).left_out == ("./.git",)
    assert (back / "s").readlink() == Path("d/f") and (back / "e" / "f").read_text() == "x\n"
    assert os.access(back / "d/f", os.X_OK) and (back / "h").samefile(back / "d/f")
    assert (back / "hole").stat().st_size == 3 << 20


def test_a_clone_of_a_sandboxed_run_is_not_asked_without_one(place: Place, tmp_path: Path) -> None:
    """G1: where the sandbox is gone, gc copies a workspace and lets no git look into it; control: it would run."""
    mark = tmp_path / "mark"
    place.agent("git", "config", "core.fsmonitor", f"touch {mark}; false")
    place.clones.state("m.1")
    assert mark.exists()
    mark.unlink()
    note = place.clone.parent / "seat.json"
    note.write_text(note.read_text().replace('"level":"none"', '"level":"bubblewrap"'))
    assert place.gc() == [("trash", "m.1")]
    assert not mark.exists() and len(place.trash.copies()) == 1


def test_nothing_in_the_trash_is_said(place: Place, tmp_path: Path) -> None:
    """Asking for a copy that does not exist says so."""
    with pytest.raises(NotFound):
        place.trash.restore("m.9", tmp_path / "x")


@pytest.mark.parametrize("delivered", [(), ("m.1",)])
def test_the_home_of_a_driven_agent_goes_with_its_workspace(place: Place, delivered: tuple[str, ...]) -> None:
    """It is left alone while the run goes on; then it is removed, and kept beside the files that nobody merged."""
    place.home.mkdir(parents=True)
    (place.home / "session.json").write_text("{}")
    place.clones.fetch(run="m.1", branch=BRANCH)
    place.gc(live=("m.1",))
    assert place.home.exists()
    place.gc(delivered=delivered)
    assert not place.home.exists()
    assert len(list(place.trash._root.glob("*/home.tar.gz"))) == (0 if delivered else 1)

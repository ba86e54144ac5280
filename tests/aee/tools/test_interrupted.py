"""Law: an edit or a patch that is killed at any moment and repeated leaves what it would have left undisturbed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from workbench.aee.confined import TEMPORARY
from workbench.aee.tools.calls import Ready
from workbench.ports import ToolResult
from workbench.testing.workplace import Workplace

PATCH = r"""diff --git a/README.md b/docs/READ ME.md
similarity index 60%
rename from README.md
rename to docs/READ ME.md
--- a/README.md
+++ b/docs/READ ME.md
@@ -3 +3 @@
-A sample.
+A better sample.
diff --git "a/caf\303\251" "b/caf\303\251"
deleted file mode 100644
--- "a/caf\303\251"
+++ /dev/null
@@ -1 +0,0 @@
-gone
diff --git a/src/a.py b/src/a.py
old mode 100644
new mode 100755
diff --git a/empty b/empty
new file mode 100644
diff --git a/new/deep.py b/new/deep.py
new file mode 100755
--- /dev/null
+++ b/new/deep.py
@@ -0,0 +1 @@
+x = 1
--- a/src/crlf.txt
+++ b/src/crlf.txt
@@ -1,3 +1,2 @@
-one
 two
 three
""".replace("-one\n two\n three\n", "-one\r\n two\r\n three\r\n")
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "replace": ("edit", {"path": "src/a.py", "old": "x + x", "new": "x + x + x + x"}),
    "shorten": ("edit", {"path": "src/a.py", "old": "import os\n\n\n", "new": ""}),
    "write": ("edit", {"path": "README.md", "content": "Anew.\n"}),
    "create": ("edit", {"path": "new/deep/file", "content": "x", "executable": True}),
    "mark": ("edit", {"path": "README.md", "content": "# Sample\n\nA sample.\n", "executable": True}),
    "delete": ("edit", {"path": "README.md", "delete": True}),
    "move": ("edit", {"path": "README.md", "move_to": "docs/deep/README.md"}),
    "move a directory": ("edit", {"path": "src", "move_to": "lib/src"}),
    "patch": ("patch", {"patch": PATCH}),
}
TOUCHING = {"open", "os.rename", "os.remove", "os.mkdir", "os.truncate", "os.chmod", "os.rmdir", "os.link"}


class Killed(BaseException):
    """The process is gone."""


class Death:
    """Kills a call at its n-th act upon files: from there on, no further one happens."""

    def __init__(self) -> None:
        self.after: int | None = None

    def __call__(self, event: str, _arguments: tuple[Any, ...]) -> None:
        if self.after is None or event not in TOUCHING:
            return
        if self.after <= 0:
            raise Killed
        self.after -= 1

    def kills(self, act: Callable[[], ToolResult], *, after: int) -> bool:
        self.after = after
        try:
            act()
        except Killed:
            return True
        finally:
            self.after = None
        return False


DEATH = Death()
sys.addaudithook(DEATH)  # stays with the process, and does nothing unless a test lets it


@pytest.fixture
def tidy(make_workplace: Callable[..., Workplace]) -> Iterator[Workplace]:
    yield make_workplace(files={"café": "gone\n"})


def ready(workplace: Workplace, name: str, call: str = "1.x", recorded: Any = None) -> Ready:
    tool, arguments = CALLS[name]
    return workplace.box.ready(tool, arguments, call, recorded or {})


def snapshot(workplace: Workplace) -> dict[str, tuple[bytes, bool]]:
    """Content and executable bit of every file but those on their way into place."""
    return {
        name: (data, bool((workplace.root / name).stat().st_mode & 0o100))
        for name, data in workplace.tree().items()
        if TEMPORARY not in name
    }


@pytest.mark.parametrize("name", CALLS)
def test_a_call_killed_anywhere_and_repeated_takes_effect_once(name: str, tidy: Workplace) -> None:
    """Before, inside or after its effect: the repeat completes it, and does nothing twice."""
    before = snapshot(tidy)
    first = ready(tidy, name)
    assert snapshot(tidy) == before, "readying a call has no effect"
    assert first.act().state == "ok"
    wanted = snapshot(tidy)
    assert wanted != before
    points = 0
    for points in range(200):
        tidy.reset()
        killed = DEATH.kills(first.act, after=points)
        again = ready(tidy, name, "1.x~2", first.intent)
        assert again.intent == first.intent
        assert again.act().state == "ok", (points, again.act().data)
        assert snapshot(tidy) == wanted, points
        if not killed:
            break
    assert points >= (2 if name == "patch" else 1), "it was killed at least once"
    assert ready(tidy, name, "1.x~3", first.intent).act().state == "ok", "a further repeat finds it done"
    assert snapshot(tidy) == wanted


@pytest.mark.parametrize("name", CALLS)
def test_what_somebody_else_changed_meanwhile_is_an_error(name: str, tidy: Workplace) -> None:
    """A file that is neither as before nor as after is left alone, and the agent is told to look."""
    first = ready(tidy, name)
    path = next(iter(CALLS[name][1].get("path", "src/crlf.txt").split("//")))
    victim = tidy.root / path
    if victim.is_dir():
        victim = victim / "stranger"
    victim.parent.mkdir(parents=True, exist_ok=True)
    victim.write_text("somebody else\n")
    before = snapshot(tidy)
    result = ready(tidy, name, "1.x~2", first.intent).act()
    assert result.state == "error"
    assert "neither as it was before" in result.summary
    assert snapshot(tidy) == before


def test_guessing_by_content_would_have_done_it_twice(tidy: Workplace) -> None:
    """Positive control: without the recorded intent, the repeat of an edit that took effect is done a second time."""
    tool, arguments = "edit", {"path": "src/a.py", "old": "x", "new": "xx", "count": 3}
    first = tidy.box.ready(tool, arguments, "1.x", {})
    first.act()
    once = snapshot(tidy)
    assert tidy.box.ready(tool, arguments, "1.x~2", first.intent).act().state == "ok"
    assert snapshot(tidy) == once
    unknowing = tidy.box.ready(tool, {**arguments, "count": 6}, "1.x~2", {}).act()
    assert (unknowing.state, snapshot(tidy) != once) == ("ok", True)


def test_a_patch_that_cannot_be_written_whole_is_taken_back(tidy: Workplace) -> None:
    """When one file of a diff cannot be written, those before it are restored."""
    (tidy.root / "new").write_text("a file where the diff wants a directory\n")
    before = snapshot(tidy)
    result = ready(tidy, "patch").act()
    assert result.state == "error"
    assert snapshot(tidy) == before


def test_nothing_is_left_in_the_scratch(tidy: Workplace) -> None:
    """Copies that git worked on are gone afterwards."""
    ready(tidy, "patch").act()
    assert list(tidy.scratch.iterdir()) == []


@pytest.mark.parametrize(
    "patch",
    [
        "diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc/passwd\n",
        "--- a/link\n+++ b/link\n@@ -1 +1 @@\n-x\n+y\n",
        "--- /dev/null\n+++ b/link\n@@ -0,0 +1 @@\n+y\n",
        "--- /dev/null\n+++ b/link/x\n@@ -0,0 +1 @@\n+y\n",
        "--- /dev/null\n+++ b/.GIT/x\n@@ -0,0 +1 @@\n+y\n",
        "nonsense",
        "diff --git a/x b/x\n",
        "--- a/x\n" * 20_000,
    ],
    ids=["makes a link", "edits a link", "over a link", "through a link", "git", "nonsense", "nothing", "many"],
)
def test_a_hostile_patch_changes_nothing(patch: str, tidy: Workplace) -> None:
    """Links are neither made, followed nor replaced, and `.git` in no spelling is written."""
    outside = tidy.root.parent / "outside"
    outside.mkdir()
    (tidy.root / "link").symlink_to(outside)
    before = snapshot(tidy)
    assert tidy.box.call("patch", {"patch": patch}, "1.x").state == "error"
    assert snapshot(tidy) == before
    assert list(outside.iterdir()) == []
    assert not (tidy.root / "l").is_symlink()

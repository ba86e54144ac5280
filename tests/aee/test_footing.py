"""Where a delivery stands when it is examined: its own commits on the newest head below, put there in the store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import pytest

from workbench.aee.footing import Stand, footed
from workbench.aee.reports import ReportLine
from workbench.aee.wiring import ChildGround, open_child_ground
from workbench.core.decide.decision import on_run
from workbench.core.state import RunState
from workbench.journal.clock import SystemClock
from workbench.journal.store import SqliteJournal, open_journal
from workbench.model import events as e
from workbench.testing.repositories import Repo

MAIN = "refs/heads/main"
LINES = "".join(f"line {number}\n" for number in range(1, 10))


class Scene:
    """A run on the head of another, and both their commits."""

    def __init__(self, repo: Repo, journal: SqliteJournal, ground: ChildGround) -> None:
        self.repo, self.journal, self.ground = repo, journal, ground
        self.main = repo.head

    def report(self, events: Sequence[e.Proposed]) -> None:
        """A child's line whose other end is the journal itself."""
        self.journal.append(events)

    def commit(self, at: str, **files: str) -> str:
        self.repo.git("checkout", "-q", "--detach", at)
        made = self.repo.commit({f"{name}.txt": content for name, content in files.items()}, "Change")
        self.ground.store.pin(made)
        return made

    def queued(self, name: str, base: str, head: str, *, on: str = "", fixed: bool = False) -> None:
        run = e.RunQueued(
            run=name, mission=name, agent="a", driver="scripted", branch="b", base_commit=base, sandbox="none",
            base_ref=MAIN, into=MAIN, on=on, authority=self.main if on or fixed else "",
        )  # fmt: skip
        self.journal.append([on_run(name, run), on_run(name, e.DeliverySubmitted(run=name, head=head))])

    def moves(self, name: str, head: str) -> None:
        self.journal.append([on_run(name, e.DeliverySubmitted(run=name, head=head))])

    @property
    def child(self) -> RunState:
        found = self.journal.run("child")
        assert found is not None
        return found

    def footed(self) -> Stand:
        return footed(self.ground, self.child)

    def told(self) -> list[e.RunRestacked]:
        return [event.payload for event in self.journal.read("run/child") if isinstance(event.payload, e.RunRestacked)]

    def own(self, stand: Stand) -> str:
        return self.ground.store.git.text("diff", "--name-only", stand.base, stand.head)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    repo = Repo(tmp_path / "shop")
    repo.commit({"a.txt": LINES})
    with open_journal(tmp_path / "journal", clock=SystemClock()) as journal:
        lines: list[Scene] = []

        class Line:
            def report(self, events: Sequence[e.Proposed]) -> None:
                lines[0].report(events)

        with open_child_ground(tmp_path / "journal", repo.path, cast("ReportLine", Line())) as ground:
            lines.append(Scene(repo, journal, ground))
            yield lines[0]


def test_only_its_own_commits_are_put_on_the_new_head(scene: Scene) -> None:
    """Also where what is below dropped a commit; done again, as after a kill, nothing new comes of it."""
    first = scene.commit("main", p="1\n")
    dropped = scene.commit(first, dropped="x\n")
    scene.queued("parent", scene.main, dropped)
    scene.queued("child", dropped, scene.commit(dropped, c="1\n"), on="parent")
    assert scene.footed() == Stand(base=dropped, head=scene.child.head, on="parent", authority=scene.main)
    assert scene.told() == []
    scene.moves("parent", first)
    stand = scene.footed()
    assert (stand.base, scene.own(stand)) == (first, "c.txt")
    assert scene.footed() == stand and len(scene.told()) == 1
    scene.moves("child", scene.commit(dropped, c="2\n"))  # its clone still stands where it began
    again = scene.footed()
    assert (again.base, scene.own(again)) == (first, "c.txt") and again.head != stand.head
    scene.moves("parent", scene.commit(first, p="2\n"))
    assert scene.own(scene.footed()) == "c.txt"


def test_what_is_asked_of_one_base_stays_there(scene: Scene) -> None:
    """An examination that is repeated, or held to others' tests, follows nothing; people's own commit binds it."""
    first = scene.commit("main", p="1\n")
    scene.queued("child", first, scene.commit(first, c="1\n"), fixed=True)
    assert scene.footed() == Stand(base=first, head=scene.child.head, authority=scene.main)


def test_a_conflict_is_named_until_somebody_settles_it(scene: Scene) -> None:
    """Nothing of the delivery is changed; what its agent then puts on the new head itself stays as it is."""
    first = scene.commit("main", p="1\n")
    scene.queued("parent", scene.main, first)
    scene.queued("child", first, scene.commit(first, p="mine\n"), on="parent")
    before = scene.child.head
    moved = scene.commit("main", p="other\n")
    scene.moves("parent", moved)
    stand = scene.footed()
    assert (stand.base, stand.head, stand.conflicts) == (moved, before, ("p.txt",))
    assert scene.footed() == stand and len(scene.told()) == 1
    mended = scene.commit(moved, p="both\n")
    scene.moves("child", mended)
    assert scene.footed() == Stand(base=moved, head=mended, on="parent", authority=scene.main)
    unrelated = scene.repo.git("commit-tree", f"{mended}^{{tree}}", "-m", "Root")
    scene.ground.store.pin(unrelated)
    scene.moves("child", unrelated)
    assert scene.footed().head == unrelated  # it shares nothing: that it does not merge is said where that is asked

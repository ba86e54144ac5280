"""kill -9 at every step of a merge with its proof, of a push and of the queue: nothing lost, nothing doubled.

A few steps of each in one run of the tests; WORKBENCH_SOAK=1 goes through all of them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ace_world import Call, World, git

from tests.ace.test_deliver import install, remote, tools
from tests.ace.test_merge_queue import go
from tests.points import Points, sampled
from workbench.ace.cli.main import main
from workbench.ace.wiring.workplace import Workplace
from workbench.core.decide import delivery
from workbench.core.state import Outside

__all__ = ["remote", "tools"]  # fixtures

STEPS = Points("subprocess.Popen", "sqlite3.connect", "os.rename", "os.link", "fcntl.flock")


@contextmanager
def open_world(repository: Path) -> Iterator[World]:
    """The world, for a moment: nothing of the journal is open where a process is split."""
    with Workplace(repository).writing() as journal:
        yield World(journal, repository)


def approved(call: Call, repository: Path, mission: str) -> str:
    with open_world(repository) as world:
        name = world.pack(world.mission(mission)[0], files={f"{mission}.py": "NEW = 1\n"})
    assert call("approve", name, "--why", f"{mission} is fine").code == 0
    return name


def kinds(repository: Path, pack: str) -> Counter[str]:
    with open_world(repository) as world:
        return Counter(event.kind for event in world.journal.read(f"pack/{pack}"))


def command(repository: Path, *words: str) -> Callable[[], object]:
    return lambda: main(["-C", str(repository), *words])


def merged(repository: Path) -> list[str]:
    return git(repository, "log", "main", "--format=%(trailers:key=Workbench-Pack,valueonly)").split()


def test_a_merge_killed_at_any_step_is_proven_and_happens_once(call: Call, repository: Path) -> None:
    """Whichever step of the merge or of its proof was the last: the next command brings it to its end, and says so."""
    name = approved(call, repository, "prices")
    merge = command(repository, "merge", name)
    count = STEPS.count(merge)
    assert count > 10, "too few steps to be killed at"
    for point in sampled(count, "merge", points=2):
        assert call("undo", name).code == 0
        assert STEPS.killed_at(point, merge), point
        told = call("wait", "--no-start").err
        done = name in merged(repository)
        assert not done or "is finished" in told or kinds(repository, name)["PackMerged"], told
        assert call("merge", name).code == (1 if done else 0)
        assert (merged(repository), git(repository, "status", "--porcelain")) == ([name], "")
        assert call("mrp", "verify", name, "--json").one["problems"] == [], point
    counted = kinds(repository, name)
    assert counted["MergeStarted"] == counted["PackMerged"] + counted["MergeAbandoned"]
    assert counted["PackMerged"] == counted["MergeUndone"] + 1
    assert call("journal", "verify").code == 0


def test_a_push_killed_at_any_step_is_gone_on_with(call: Call, repository: Path, remote: Path, tools: Path) -> None:
    """Whichever step was the last: the remote has the branch, one request is open, and the inbox said what to do."""
    install(tools, "gh")

    def deliver(name: str) -> Callable[[], object]:
        return command(repository, "deliver", name, "--push", "origin", "--pr")

    count = STEPS.count(deliver(approved(call, repository, "first")))
    assert count > 10, "too few steps to be killed at"
    for point in sampled(count, "push", points=2):
        for file in ("open", "calls"):
            (tools / file).unlink(missing_ok=True)
        name = approved(call, repository, f"m{point}")
        assert STEPS.killed_at(point, deliver(name)), point
        (row,) = [row for row in call("inbox", "--json").rows if row["id"] == name]
        if row["category"] == "merge-open":
            assert row["next"] == f"workbench deliver {name}"
        again = call("deliver", name, "--push", "origin", "--pr", "--json")
        assert (again.code, again.one["state"], bool(again.one["url"])) == (0, "waiting outside", True), again
        assert git(remote, "rev-parse", again.one["ref"]) == again.one["commit"]
        done = [json.loads(line)["argv"][1] for line in (tools / "calls").read_text().splitlines()]
        assert done.count("create") == 1
        assert [row["category"] for row in call("inbox", "--json").rows if row["id"] == name] == ["waiting-outside"]
    assert call("journal", "verify").code == 0


def test_a_queue_killed_at_any_step_goes_on_when_it_is_asked_again(call: Call, repository: Path) -> None:
    """Nothing lands twice, and what was approved lands or is named, with what it waits for."""

    def queue() -> object:
        with open_world(repository) as world:
            return go(world, lambda _: False)

    approved(call, repository, "a1")
    approved(call, repository, "a2")
    count = STEPS.count(queue)
    assert count > 10, "too few steps to be killed at"
    for point in sampled(count, "queue", points=1):
        line = [approved(call, repository, f"{mission}{point}") for mission in ("x", "y")]
        assert STEPS.killed_at(point, queue), point
        with open_world(repository) as world:
            turns, _ = go(world, lambda _: False)
        left = [turn for turn in turns if turn.state != "merged"]
        for turn in left:
            assert f"workbench approve {turn.pack}" in turn.reason or "workbench mrp build" in turn.reason, turn
            _renewed(call, repository, turn.pack)
        runs = Counter(name.rpartition("-")[0] for name in merged(repository))
        assert {name.rpartition("-")[0] for name in line} - set(runs) == set()
        assert set(runs.values()) == {1}
    assert git(repository, "status", "--porcelain") == ""
    assert call("journal", "verify").code == 0


def _renewed(call: Call, repository: Path, name: str) -> None:
    """What the person does about a pack that the queue names: new evidence where it is stale, then their approval."""
    from tests.ace.test_merge_queue import Examiner

    with open_world(repository) as world, Workplace(repository) as place:
        pack = world.journal.pack(name)
        assert pack is not None
        if pack.base_commit != git(repository, "rev-parse", "main"):
            name = Examiner(world, place, lambda _: False).renewed(pack).id
    assert call("approve", name, "--why", "still fine").code == 0
    assert call("merge", name).code == 0


def test_a_push_that_nobody_went_on_with_is_no_alert_for_ever(call: Call, repository: Path) -> None:
    """Its intent is settled once the pack was merged here instead."""
    name = approved(call, repository, "prices")
    with open_world(repository) as world:
        pack = world.journal.pack(name)
        assert pack is not None
        where = Outside(remote="origin", ref="refs/heads/there", commit=pack.head, target=pack.into)
        world.append(delivery.start_delivery(pack, where, actor="human:ada"))
    (row,) = call("inbox", "--json").rows
    assert (row["category"], row["next"]) == ("merge-open", f"workbench deliver {name}")
    assert call("merge", name).code == 0
    assert call("inbox", "--json").rows == []

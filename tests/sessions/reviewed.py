"""Packs for sessions of the review, and the way there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from ace_world import World

from workbench.ace.tui import routes
from workbench.ace.wiring.reviewing import decide_on_pack
from workbench.ace.wiring.workplace import Workplace
from workbench.artifacts.pack_parts import Change, CriterionResult, MergePack, ReadingItem
from workbench.core.decide import pack as packs
from workbench.model import events as e
from workbench.model.digests import canonical, digest_of
from workbench.model.evidence import CRITERIA, Evidence, Finding
from workbench.testing.stage import Session, stage

HOSTILE = "[red]\x1b[2J\u202ePAY[/red]"
THREE = {"shop.py": "PRICE = 2\n", "tax.py": "TAX = 3\n", "test_shop.py": "def test_price():\n    assert True\n"}


def review(
    repository: Path, pack: str, act: Callable[[Session], Awaitable[None]], *, size: tuple[int, int] = (120, 40)
) -> None:
    """Open the review of a pack and act there."""

    async def session() -> None:
        async with stage(Workplace(repository), size=size) as person:
            routes.open_thing(person.app, "mrp", pack)
            await person.settled()
            await person.settled()
            await act(person)

    asyncio.run(session())


def without_blobs(world: World) -> None:
    """Lose all that the journal keeps beside its database."""
    for blob in (world.journal.directory / "blobs").glob("*/*"):
        blob.unlink()


def fields() -> dict[str, Any]:
    """What a good pack of three files says."""
    evidence = Evidence(
        id="tests.result",
        kind="tests.result",
        criterion="verification",
        grade="executed",
        state="passed",
        summary="12 passed",
        command=("pytest", "-q"),
        sandbox="bubblewrap",
        environment="sha256:0000",
        digest="sha256:1111",
    )
    return {
        "files": THREE,
        "criteria": tuple(
            CriterionResult(name=name, state="passed", summary="1 of 1 passed", evidence=("tests.result",))
            for name in CRITERIA
        ),
        "reading_list": (ReadingItem(path="tax.py", why="12 changed lines that no test ran", line=1),),
        "changes": (Change(path="test_shop.py", status="A", added=2, kind="test"),),
        "evidence": (evidence,),
        "findings": (Finding(kind="lint.E1", severity="low", text="odd name", path="tax.py", line=1),),
    }


def decided(repository: Path, pack: str, *, decision: str, why: str) -> None:
    """What somebody decides elsewhere."""
    with Workplace(repository) as place:
        decide_on_pack(place, pack, decision=decision, why=why)


def without_mission(world: World, run: str, head: str) -> str:
    """The pack of a branch that was handed in."""
    tree = world._result(run, world.base, head)
    name = f"MRP-{run}-1"
    mrp = MergePack(
        id=name, verdict="ready", base=world.base, head=head, tree=tree, policy_digest="sha256:policy", run=run
    )  # fmt: skip
    bound: dict[str, Any] = {
        "pack": name,
        "mission": "",
        "run": run,
        "revision": 1,
        "base_commit": world.base,
        "head": head,
    }
    asked = e.PackRequested(**bound, base_ref="refs/heads/main", into="refs/heads/main")
    done = e.PackSubmitted(
        **bound, verdict="ready", tree=tree, policy_digest="sha256:policy", brief_digest="", digest=digest_of(mrp),
        blob=world.journal.blobs.put(canonical(mrp)), title="",
    )  # fmt: skip
    world.append(packs.request_pack(asked))
    world.append(packs.submit_pack(done, []))
    return name


def requested(world: World, run: str) -> str:
    """A pack that is being assembled."""
    name = f"MRP-{run}-1"
    asked = e.PackRequested(
        pack=name, mission="prices", run=run, revision=1, base_ref="refs/heads/main", base_commit=world.base,
        head=world.base, into="refs/heads/main",
    )  # fmt: skip
    world.append(packs.request_pack(asked))
    return name

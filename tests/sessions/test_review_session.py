"""A review session: everything that is to decide, one after the other, by anybody, with a summary at the end."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ace_world import Call, World

from tests.sessions.reviewed import decided
from workbench.ace.wiring.workplace import Workplace
from workbench.core.decide.decision import Decision, on_pack
from workbench.model import events as e
from workbench.testing.stage import Session, stage


def _to_decide(world: World) -> tuple[str, str, str]:
    """A blocking question, and two packs."""
    one, two, three = world.mission(runs=3)
    return world.question(one), world.pack(two), world.pack(three, verdict="not-ready")


def test_a_session_keeps_its_place_between_people_and_ends_with_a_summary(call: Call, world: World) -> None:
    """What is decided anywhere counts; what was skipped comes at the end; what nobody looked at is said."""
    question, first, second = _to_decide(world)
    shown = call("review", "--json").one
    assert [item["id"] for item in shown["items"]] == [question, first, second]
    assert (shown["kind"], shown["next"]) == ("review", question)
    skipped = call("review", "--skip", question, "--json").one
    assert (skipped["id"], skipped["next"]) == (shown["id"], first)
    call("approve", first, "--why", "proven")
    call("reject", second, "--why", "weak")
    assert call("review", "--json").one["next"] == question
    call("answer", question, "--option", "A", "--why", "exact")
    told = call("review", "--end")
    words = " ".join(told.out.split())
    assert f"{first} (Raise the price): approve by Ada Coach <ada@example.org>, because proven" in words
    assert f"{question} (Cents or euros?): option A by Ada" in words
    assert "not opened on the screens of this session" in words
    assert call("review", "--summary").out == told.out
    assert call("review", "--skip", first, "--json").error["id"] == "NotFound"
    assert call("review", "--json").one["items"] == []  # a new one


def test_what_came_since_a_session_began_is_gone_through_as_well(call: Call, world: World) -> None:
    """Nothing is called decided while something waits: not what came later, nor a pack of which one rule was let go."""
    first, second = world.mission(runs=2)
    pack = world.pack(first, verdict="needs-human")
    assert [item["id"] for item in call("review", "--json").one["items"]] == [pack]
    later = world.question(second)
    let_go = e.RequirementOverridden(
        pack=pack,
        requirement="shown",
        resolution="VCR-1",
        decided_by="Bob",
        document={"decision": "allow", "option": "shown", "rationale": "It is a draft."},
    )
    world.append(Decision(events=(on_pack(pack, let_go, actor="human:Bob"),)))
    shown = call("review", "--json").one
    assert [(item["id"], item["state"]) for item in shown["items"]] == [(pack, "open"), (later, "open")]
    assert world.journal.read("repository/reviews")[-1].kind == "ReviewExtended"
    before = len(world.journal.read("repository/reviews"))
    call("review")
    assert len(world.journal.read("repository/reviews")) == before


def test_the_screens_go_from_one_thing_to_the_next(repository: Path, world: World) -> None:
    """`g r` opens the first, goes on after a decision, and shows the summary when nothing is left."""
    question, first, second = _to_decide(world)

    async def act() -> None:
        async with stage(Workplace(repository), size=(120, 40)) as person:
            await _pass(person)

    async def _pass(person: Session) -> None:
        await person.do("go-on-reviewing")
        await person.until_sees("review session: 1 of 3, 0 decided")
        person.sees("Cents or euros?")
        await person.do("go-on-reviewing")  # not now: it comes again
        await person.until_sees("review session: 1 of 3, 0 decided; g r goes on")
        await person.until_sees(first)
        decided(repository, first, decision="approve", why="proven")
        await person.do("go-on-reviewing")
        await person.until_sees("review session: 2 of 3, 1 decided")
        decided(repository, second, decision="reject", why="weak")
        await person.do("go-on-reviewing")
        await person.until_sees("review session: 3 of 3, 2 decided")
        person.sees("Cents or euros?")
        await person.press("1")
        await person.type("exact")
        await person.do("send-answer")
        await person.until(lambda: not world.journal.consultations(is_open=True), "the answer is recorded")
        await person.do("go-on-reviewing")
        await person.until_sees("REVIEW SESSION")
        person.sees("DECIDED", "approve by", "looked at for", "Esc back")

    asyncio.run(act())
    assert question

"""A consultation: everything that an answer rests on is in sight, and nothing that a person writes is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ace_world import World, git

from workbench.ace.tui.routes import open_thing
from workbench.ace.wiring.attending import Draft, desk_of
from workbench.ace.wiring.workplace import Workplace
from workbench.core.decide import consultation as consult
from workbench.testing.stage import Session, stage

WIDE, NARROW = (160, 45), (80, 24)


@asynccontextmanager
async def opened(repository: Path, question: str, size: tuple[int, int] = WIDE) -> AsyncIterator[Session]:
    """The screen of one question."""
    async with stage(Workplace(repository), size=size) as person:
        open_thing(person.app, "crp", question)
        await person.until(lambda: person.screen.where == "consultation" and person.screen.is_mounted, "it is open")
        await person.settled()
        yield person


def bob_answers(world: World, question: str, why: str = "Mine.", **choice: Any) -> None:
    state = world.journal.consultation(question)
    assert state is not None
    decision = consult.resolve(
        state,
        **({"option": "B"} | choice),
        rationale=why,
        decided_by="Bob <bob@example.org>",
        actor="human:Bob <bob@example.org>",
        at="2026-11-22T08:00:00.000Z",
    )
    world.append(decision)


def test_options_stand_side_by_side_with_their_pros_and_cons(repository: Path, world: World) -> None:
    """With room, options are cards on the same lines; the recommended one says so."""
    question = world.question(world.mission()[0])

    async def session() -> None:
        async with opened(repository, question) as person:
            cards = person.line_with("A Cents")
            assert "B Euros" in cards and cards.index("1 A") < cards.index("2 B")
            person.sees("+ exact", "- rounding", "recommended by the agent", "prices.1")

    asyncio.run(session())


def test_at_80x24_cards_share_the_screen_and_tab_leads_to_what_is_at_stake(repository: Path, world: World) -> None:
    """At 80x24 one pane has the screen; `Tab` shows what waits and what was decided, and leads back."""
    question = world.question(world.mission()[0])

    async def session() -> None:
        async with opened(repository, question, NARROW) as person:
            person.sees("A Cents", "B Euros", "Cents or euros?")
            person.sees_not("WAITING COSTS")
            await person.press("tab")
            person.sees("WAITING COSTS", "1 run stands still: prices.1", "DECIDED BEFORE")
            person.sees_not("A Cents")
            await person.press("tab")
            person.sees("A Cents")

    asyncio.run(session())


def test_an_answer_takes_an_option_and_a_reason(repository: Path, world: World) -> None:
    """A digit chooses, the reason is pasted or typed at once, `Ctrl+S` records what was seen, and the inbox says so."""
    question = world.question(world.mission()[0])

    async def session() -> None:
        async with opened(repository, question) as person:
            await person.press("2")
            await person.until_sees("applies to")
            person.sees("YOUR ANSWER  B Euros")
            await person.paste("Shops show euros.\x1b]0;x\x07")
            person.sees("Shops show euros.\\x1b]0;x\\x07")
            await person.do("send-answer")
            await person.until_sees(f"recorded VCR-{question}")

    asyncio.run(session())
    state = world.journal.consultation(question)
    assert state is not None
    assert (state.answer["option"], state.answer["rationale"]) == ("B", r"Shops show euros.\x1b]0;x\x07")


def test_no_answer_without_a_reason(repository: Path, world: World) -> None:
    """`Ctrl+S` with an empty reason records nothing and says what is missing."""
    question = world.question(world.mission()[0])

    async def session() -> None:
        async with opened(repository, question) as person:
            await person.press("1")
            await person.type("  ")
            await person.do("send-answer")
            person.sees("say why first")

    asyncio.run(session())
    state = world.journal.consultation(question)
    assert state is not None and state.state == "open"


def test_an_answer_in_own_words_with_conditions_for_the_mission(repository: Path, world: World) -> None:
    """`o` answers in own words, `+` adds conditions, one on each line, and `s` says how far it applies."""
    question = world.question(world.mission()[0])

    async def session() -> None:
        async with opened(repository, question) as person:
            await person.press("o")
            await person.type("Ask the bank.")
            await person.press("tab")
            await person.type("Law.")
            await person.press("escape", "s", "+")
            await person.type("no floats\nno loss")
            await person.do("send-answer")

    asyncio.run(session())
    state = world.journal.consultation(question)
    assert state is not None
    answer = state.answer
    assert (answer["decision"], answer["alternative"]) == ("alternative", "Ask the bank.")
    assert (answer["conditions"], answer["applies_to"]) == (["no floats", "no loss"], "mission")


def test_a_draft_is_kept_while_it_is_written(repository: Path, world: World) -> None:
    """What is typed is on disk before the screen is left, and there again when one comes back."""
    question = world.question(world.mission()[0])
    desk = desk_of(Workplace(repository))

    async def session() -> None:
        async with opened(repository, question) as person:
            await person.press("2")
            await person.type("Because of")
            await person.until(
                lambda: (desk.draft(question) or Draft(question="")).reason == "Because of", "it is kept"
            )
        async with opened(repository, question) as person:
            await person.until_sees("Because of")
            person.sees("YOUR ANSWER  B Euros", "this is what you wrote before")
            await person.do("send-answer")
            assert desk.draft(question) is None

    asyncio.run(session())
    state = world.journal.consultation(question)
    assert state is not None and state.state == "resolved"


def test_another_answers_while_one_types(repository: Path, world: World) -> None:
    """When another person answers first, the screen says who, nothing is sent, and the draft is kept."""
    question = world.question(world.mission()[0])

    async def session() -> None:
        async with opened(repository, question) as person:
            await person.press("1")
            await person.type("My reason")
            bob_answers(world, question, "Bob knows.")
            await person.until_sees("while you typed; your draft is kept")
            person.sees("because Bob knows.", "YOUR DRAFT, NOT SENT", "My reason")
            await person.do("send-answer")
            person.sees("it was answered by Bob")

    asyncio.run(session())
    draft = desk_of(Workplace(repository)).draft(question)
    assert draft is not None and draft.reason == "My reason"


def test_a_question_that_was_answered_shows_its_resolution(repository: Path, world: World) -> None:
    """Opened later, a question shows who answered what, and why."""
    question = world.question(world.mission()[0])
    bob_answers(world, question, "Rounding is fine.")

    async def session() -> None:
        async with opened(repository, question) as person:
            person.sees("Answered by Bob", "B Euros", "because Rounding is fine.", "holds for this question")
            person.sees_not("while you looked")

    asyncio.run(session())


def test_an_answer_that_differs_lists_what_was_done_under_the_assumption(repository: Path, world: World) -> None:
    """An advisory question shows the commits since, and why one needs a look; where the answer shares it, none."""
    first, second = world.mission(runs=2)
    document: dict[str, Any] = {"mode": "advisory", "assumption": "Cents", "refs": ["shop.py:1"]}
    questions = [world.question(run, **document) for run in (first, second)]
    for run in (first, second):
        world.pack(run)
    bob_answers(world, questions[0], option="B")
    bob_answers(world, questions[1], option="A")

    async def session() -> None:
        async with opened(repository, questions[0]) as person:
            person.sees("B Euros", "DONE SINCE, UNDER THE ASSUMPTION", "Change, touches shop.py")
        async with opened(repository, questions[1]) as person:
            person.sees("A Cents")
            person.sees_not("DONE SINCE")

    asyncio.run(session())


def test_the_cited_code_is_shown_from_git(repository: Path, world: World) -> None:
    """Cited lines are read from the commit that the run stands on, whatever lies in the checkout."""
    question = world.question(world.mission()[0], refs=["shop.py:1", "gone.py:3", "../etc/passwd:1"])
    (repository / "shop.py").write_text("EVIL = 1\n")

    async def session() -> None:
        async with opened(repository, question) as person:
            person.sees("shop.py:1", f"its base {world.base[:12]}", "1  PRICE = 1", "no such file in the run's work")
            person.sees_not("EVIL", "root:")

    asyncio.run(session())


def test_code_that_is_not_what_it_claims_says_so(repository: Path, world: World) -> None:
    """A version that neither base nor head has under that name is shown with a doubt."""
    (repository / "other.txt").write_text("OTHER = 2\n")
    blob = git(repository, "hash-object", "-w", "other.txt")
    question = world.question(world.mission()[0], refs=[f"shop.py:1@{blob}"])

    async def session() -> None:
        async with opened(repository, question) as person:
            person.sees("OTHER = 2", "neither the run's work nor its base has this text under that name")

    asyncio.run(session())


def test_what_was_decided_before_is_shown_with_its_state(repository: Path, world: World) -> None:
    """An earlier resolution that reaches the question stands beside it, and is stale once its code has changed."""
    first, second = world.mission(runs=2)
    earlier = world.question(first, refs=["shop.py:1"], summary="Which currency shall prices have?")
    bob_answers(world, earlier, "Euros everywhere.", applies_to="mission")
    question = world.question(second, summary="Which currency shall discount prices have?")

    async def session() -> None:
        async with opened(repository, question) as person:
            person.sees("DECIDED BEFORE", "standing", "Euros everywhere.")
        (repository / "shop.py").write_text("PRICE = 2\n")
        git(repository, "commit", "-qam", "Raise")
        async with opened(repository, question) as person:
            person.sees("stale", "changed since: shop.py:1")

    asyncio.run(session())


def test_hostile_words_are_shown_and_never_obeyed(repository: Path, world: World) -> None:
    """Escape sequences, markup and hidden characters of an agent are visible text in every part of the screen."""
    evil = "\x1b]52;c;aGk=\x07[red]x[/red]\u202e日本"
    question = world.question(
        world.mission()[0],
        summary=evil,
        details=evil,
        requested_decision=evil,
        attempts=[evil],
        refs=[evil],
        options=[{"id": "A", "label": evil, "pros": [evil], "cons": [evil], "risk": evil}],
        recommendation={"preferred_option": "A", "reasoning": evil},
    )

    async def session() -> None:
        async with opened(repository, question) as person:
            await person.do("change-zoom")
            await person.press("1")
            person.sees("\\x1b]52", "[red]x[/red]", "\\u202e", "日本", "WHAT WAS TRIED")
            assert not any(char in person.text for char in "\x1b\x07\u202e")

    asyncio.run(session())


def test_an_agent_that_asks_for_permission_is_shown_as_what_it_is(repository: Path, world: World) -> None:
    """A request that only looks like one of Workbench's own says that its answer permits nothing."""
    options = [{"id": "allow", "label": "Allow"}, {"id": "deny", "label": "Deny"}]
    question = world.question(
        world.mission()[0], category="permission", options=options, recommendation={}, source_agent="robin",
        trigger={"kind": "agent", "ref": "1"},
    )  # fmt: skip

    async def session() -> None:
        async with opened(repository, question) as person:
            person.sees("asked by robin", "permits nothing")

    asyncio.run(session())


def test_three_levels_of_zoom(repository: Path, world: World) -> None:
    """`Z` goes from one screen to everything to one sentence, and back."""
    question = world.question(world.mission()[0], details="One.\n" * 30, attempts=["Tried it"])

    async def session() -> None:
        async with opened(repository, question, (120, 60)) as person:
            person.sees("more lines: Z shows them", "+ exact")
            await person.press("Z")
            person.sees("everything (3 of 3)", "Tried it")
            await person.press("Z")
            person.sees("one sentence (1 of 3)", "A Cents")
            person.sees_not("+ exact", "One.")

    asyncio.run(session())


def test_a_question_that_is_not_there_says_so(repository: Path, world: World) -> None:
    """An id that names nothing leads to a screen that says so, with no key that could decide."""
    world.mission()

    async def session() -> None:
        async with opened(repository, "CRP-none-1") as person:
            person.sees("There is no such question")
            await person.press("1")
            person.sees("there is no such question")

    asyncio.run(session())

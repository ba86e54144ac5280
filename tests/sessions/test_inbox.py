"""The inbox: what needs a person, in the order of what waiting costs, and nothing moves while somebody looks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from ace_world import Call, World

from workbench.ace.tui.concernlist import likeness
from workbench.ace.tui.sheet import Sheet
from workbench.ace.tui.text import line, piece
from workbench.ace.tui.widgets.rows import RowsView
from workbench.ace.wiring.attending import desk_of, snoozing
from workbench.ace.wiring.workplace import Workplace
from workbench.aee.permission import ask
from workbench.core.decide import consultation as consult
from workbench.core.decide.decision import Decision
from workbench.model.errors import NeedsHuman
from workbench.testing.stage import stage

WIDE = (160, 45)


def bob_answers(world: World, question: str, option: str = "B") -> None:
    state = world.journal.consultation(question)
    assert state is not None
    decision = consult.resolve(
        state,
        option=option,
        rationale="Mine.",
        decided_by="Bob <bob@example.org>",
        actor="human:Bob <bob@example.org>",
        at="2026-11-22T08:00:00.000Z",
    )
    world.append(decision)


def test_an_empty_inbox_says_what_to_do(repository: Path) -> None:
    """Before anything was started, the home screen says how to start, with little room, too."""

    async def session(size: tuple[int, int]) -> None:
        async with stage(Workplace(repository), size=size) as person:
            person.sees("Nothing needs you.", "+ starts one", "shop/main")

    for size in (WIDE, (80, 24)):
        asyncio.run(session(size))


def test_the_first_question_takes_the_place_of_the_empty_list(repository: Path, world: World) -> None:
    """At 80x24, what arrives in an empty inbox is in sight at once, and the next key is for it."""

    async def session() -> None:
        async with stage(Workplace(repository), size=(80, 24)) as person:
            person.sees("Nothing needs you.")
            with world.at_once():
                world.question(world.mission()[0])
            await person.until_sees("Cents or euros?")
            await person.settled()
            await person.press("j", "k", "tab")
            person.sees("A Cents")

    asyncio.run(session())


def test_a_question_shows_what_it_asks(repository: Path, world: World) -> None:
    """The selected question stands beside the list: options, the recommended one marked, and what waiting costs."""
    world.question(world.mission()[0])

    async def session() -> None:
        async with stage(Workplace(repository), size=(160, 45)) as person:
            person.sees("BLOCKING NOW", "Cents or euros?", "*1 A Cents", " 2 B Euros", "1 run stands still")

    asyncio.run(session())


def test_what_arrives_waits_until_it_is_let_in(repository: Path, world: World) -> None:
    """A new question does not move the list: it is announced, and `.` lets it in."""
    first, second = world.mission(runs=2)
    world.question(first)

    async def session() -> None:
        async with stage(Workplace(repository)) as person:
            world.question(second, summary="Euros or cents?")
            await person.until_sees("2 new or settled")
            person.sees_not(f" {second}-1")
            await person.press(".")
            person.sees(f" {second}-1")

    asyncio.run(session())


def test_a_filter_shows_only_what_has_its_words(repository: Path, world: World) -> None:
    """`/` narrows the list as one types, `Enter` keeps it in sight and in force, `Esc` shows everything again."""
    first, second = world.mission(runs=2)
    world.question(first, summary="Which cache?")
    world.question(second, summary="日本語の名前 for the table?")

    async def session() -> None:
        async with stage(Workplace(repository), size=(80, 24)) as person:
            await person.press("/")
            await person.type("日本")
            await person.press("enter")
            person.sees("日本語の名前")
            person.sees_not("Which cache?")
            await person.press("/")
            await person.type("none")
            person.sees("No row has these words.")
            await person.press("escape")
            person.sees("日本語の名前", "Which cache?")

    asyncio.run(session())


def test_escape_leaves_a_search_in_the_preview_then_the_preview(repository: Path, world: World) -> None:
    """Each `Esc` takes one step back, and the words of a search go first."""
    (run,) = world.mission()
    world.question(run, summary="Which cache?")

    async def session() -> None:
        async with stage(Workplace(repository), size=(80, 24)) as person:
            await person.press("tab")
            await person.press("/")
            await person.type("cache")
            person.sees("Waiting costs")
            await person.press("escape")
            person.sees("Waiting costs")
            await person.press("escape")
            person.sees("BLOCKING NOW")

    asyncio.run(session())


def asks_permission(world: World, run: str, command: str = "npm ci") -> str:
    """Workbench's own question, as the AEE raises it."""
    state = world.journal.run(run)
    assert state is not None
    problem = NeedsHuman(
        f"`{command}` wants the network",
        hint="Look at it",
        data={"digest": f"sha256:{len(command):064x}", "command": command.split()},
    )
    world.append(Decision(events=ask(state, problem, 0)))
    return f"CRP-{run}-1"


def answer_of(world: World, question: str) -> dict[str, Any]:
    state = world.journal.consultation(question)
    assert state is not None
    return state.answer


def rests(world: World, run: str, why: str = "it gave up") -> None:
    """The agent ended without delivering: an alert."""
    world.ended(run, detail=why)


def test_a_digit_answers_the_selected_question_after_its_reason(repository: Path, world: World) -> None:
    """`2` asks why, `Ctrl+S` records option and reason; the row stays where it was, settled, until `.`."""
    question = world.question(world.mission()[0])

    async def session() -> None:
        async with stage(Workplace(repository), size=WIDE) as person:
            await person.press("2")
            person.sees("WHY?", "B Euros")
            await person.do("confirm")
            person.sees("say why first")
            await person.paste("Shops show euros.")
            await person.do("confirm")
            await person.until_sees(f"recorded VCR-{question}")
            person.sees("~", "is settled", "Answered by Ada Coach", "because Shops show euros.")
            await person.press(".")
            person.sees_not("Cents or euros?")

    asyncio.run(session())
    assert answer_of(world, question)["option"] == "B"


def test_a_reason_that_was_not_sent_is_there_in_the_consultation(repository: Path, world: World) -> None:
    """`Esc` out of the reason loses nothing: the question itself shows it as a draft."""
    world.question(world.mission()[0])

    async def session() -> None:
        async with stage(Workplace(repository)) as person:
            await person.press("2")
            await person.paste("Half a thought")
            await person.press("escape")
            await person.press("enter")
            await person.until_sees("Half a thought")
            person.sees("YOUR ANSWER  B Euros")

    asyncio.run(session())


def test_identical_requests_are_one_row_and_get_one_reason_each(repository: Path, world: World) -> None:
    """Three runs that ask for the same permission are `x3`; `a` answers all, and each has a resolution of its own."""
    asked = [asks_permission(world, run) for run in world.mission(runs=3)]

    async def session() -> None:
        async with stage(Workplace(repository), size=WIDE) as person:
            person.sees("PRM x3 prices.1-1", "3 held", "3 identical requests")
            await person.press("a")
            await person.paste("The lock file was reviewed.")
            await person.do("confirm")
            await person.until_sees("recorded 3 resolutions")

    asyncio.run(session())
    answers = [answer_of(world, name) for name in asked]
    assert {answer["id"] for answer in answers} == {f"VCR-{name}" for name in asked}
    assert {(answer["option"], answer["rationale"]) for answer in answers} == {("allow", "The lock file was reviewed.")}


def test_an_agents_copy_of_a_request_is_not_in_the_batch(repository: Path, world: World) -> None:
    """An agent that words its question like Workbench's own stands alone, and is shown as an agent's."""
    first, second = world.mission(runs=2)
    real = asks_permission(world, first)
    state = world.journal.consultation(real)
    assert state is not None
    copied = {**state.document, "id": f"CRP-{second}-1", "run": second, "source_agent": "robin"}
    forged = copied | {"trigger": {"kind": "agent", "ref": "call-1"}}
    del forged["run"]
    world.question(second, **forged)
    assert likeness(msgspec.structs.replace(state, document=copied | {"source_agent": "workbench"})) == likeness(state)

    async def session() -> None:
        async with stage(Workplace(repository), size=WIDE) as person:
            person.sees_not("x2")
            await person.press("j")
            person.sees("it permits nothing")

    asyncio.run(session())


def test_what_another_answered_meanwhile_does_not_stop_the_batch(repository: Path, world: World) -> None:
    """Of two identical requests one is answered by somebody else: the other is answered, and the person is told."""
    first, second = [asks_permission(world, run) for run in world.mission(runs=2)]

    async def session() -> None:
        async with stage(Workplace(repository), size=WIDE) as person:
            await person.press("X")
            await person.paste("No network.")
            bob_answers(world, first, option="allow")
            await person.do("confirm")
            await person.until_sees(f"recorded VCR-{second}")
            person.sees(f"{first} was answered by Bob")

    asyncio.run(session())
    assert (answer_of(world, first)["option"], answer_of(world, second)["option"]) == ("allow", "deny")


def test_marked_requests_are_answered_together(repository: Path, world: World) -> None:
    """`Space` marks different requests; `X` denies all that are marked, with one reason."""
    first, second = world.mission(runs=2)
    asked = [asks_permission(world, first, "npm ci"), asks_permission(world, second, "pip install x")]

    async def session() -> None:
        async with stage(Workplace(repository), size=WIDE) as person:
            await person.press("space", "space", "X")
            person.sees("for 2 requests")
            await person.paste("Not now.")
            await person.do("confirm")
            await person.until_sees("recorded 2 resolutions")

    asyncio.run(session())
    assert {answer_of(world, name)["option"] for name in asked} == {"deny"}


def test_a_permission_can_be_given_for_longer(repository: Path, world: World) -> None:
    """`A` asks how far it holds besides why; without another choice for the mission."""
    asked = asks_permission(world, world.mission()[0])

    async def session() -> None:
        async with stage(Workplace(repository)) as person:
            await person.press("A")
            person.sees("(x) this mission")
            await person.paste("Reviewed.")
            await person.press("tab", "right")
            person.sees("(x) the whole repository")
            await person.do("confirm")
            await person.until_sees("recorded VCR")

    asyncio.run(session())
    assert answer_of(world, asked)["applies_to"] == "repository"


def test_keys_for_permission_are_off_on_other_rows(repository: Path, world: World) -> None:
    """`a` on a question that asks for no permission says so and does nothing."""
    question = world.question(world.mission()[0])

    async def session() -> None:
        async with stage(Workplace(repository)) as person:
            await person.press("a")
            person.sees("allow once: this is no request for permission")

    asyncio.run(session())
    assert not answer_of(world, question)


def test_snoozed_is_out_of_sight_and_counted(repository: Path, world: World, call: Call) -> None:
    """`z` takes a row away and says how many are; `Z` shows them, `z` there brings one back; others always see it."""
    question = world.question(world.mission()[0])

    async def session() -> None:
        async with stage(Workplace(repository)) as person:
            await person.press("z")
            person.sees("in an hour", "tomorrow", "when something changes")
            await person.press("1")
            await person.until_sees("1 snoozed - Z shows them")
            person.sees_not("Cents or euros?")
            await person.press("Z")
            await person.until_sees("SNOOZED AND MUTED")
            person.sees("Cents or euros?", "until ")
            await person.press("z")
            await person.until_sees("BLOCKING NOW")
            person.sees_not("1 snoozed")

    asyncio.run(session())
    assert question in [row["id"] for row in call("inbox", "--json").rows]


def test_a_snoozed_thing_comes_back(repository: Path, world: World) -> None:
    """When its time is over a row is back; what was put off until something changes is back when it looks different."""
    first, second = world.mission(runs=2)
    world.question(first)
    rests(world, second)
    place = Workplace(repository)
    desk, now = desk_of(place), place.clock.now()

    async def session() -> None:
        async with stage(Workplace(repository), size=WIDE) as person:
            desk.change(snoozing({f"crp/CRP-{first}-1": "", f"alert/{second}": "other"}, until="2020-01-01", now=now))
            await person.settled()
            person.sees("Cents or euros?", "it gave up")
            await person.press("G", "z", "3")
            await person.until_sees("1 snoozed")
            person.sees_not("it gave up")
            rests(world, second, "it gave up again")
            await person.until_sees("1 new or settled")
            person.sees_not("1 snoozed")

    asyncio.run(session())


def test_snoozing_is_ones_own(repository: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one person snoozed stays in the inbox of another on the same machine."""
    question = world.question(world.mission()[0])
    place = Workplace(repository)
    desk_of(place).change(snoozing({f"crp/{question}": ""}, until="2999-01-01", now=place.clock.now()))

    async def session(*, sees: bool) -> None:
        async with stage(Workplace(repository)) as person:
            assert ("Cents or euros?" in person.text) is sees

    asyncio.run(session(sees=False))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Bob")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "bob@example.org")
    asyncio.run(session(sees=True))


def test_a_damaged_file_hides_nothing(repository: Path, world: World) -> None:
    """Where the file with what was set aside is damaged, everything is in sight, and the next snooze works."""
    question = world.question(world.mission()[0])
    desk = desk_of(Workplace(repository))
    desk.change(snoozing({f"crp/{question}": ""}, until="2999-01-01", now=""))
    (desk.directory / "attention.json").write_bytes(b'{"snoozed": {"crp/')

    async def session() -> None:
        async with stage(Workplace(repository)) as person:
            person.sees("Cents or euros?")
            await person.press("z", "2")
            await person.until_sees("1 snoozed")

    asyncio.run(session())
    assert (desk.directory / "attention.damaged").exists()


def test_alerts_of_a_run_can_be_muted_and_questions_cannot(repository: Path, world: World) -> None:
    """`m` hides a run's alerts until they are wanted again; on a question it says what to use instead."""
    first, second = world.mission(runs=2)
    world.question(first)
    rests(world, second)

    async def session() -> None:
        async with stage(Workplace(repository), size=WIDE) as person:
            await person.press("m")
            person.sees("only a run's alerts can be muted")
            await person.press("G", "m")
            await person.until_sees("1 muted")
            person.sees_not("it gave up")
            rests(world, second, "it gave up again")
            await person.settled()
            person.sees_not("it gave up again")
            await person.press("Z")
            await person.until_sees("it gave up again")
            await person.press("G", "m")
            await person.until_sees("heard again")

    asyncio.run(session())


def test_at_80x24_tab_shows_the_preview_over_the_list(repository: Path, world: World) -> None:
    """With little room the preview takes the place of the list, keys still answer, and `Esc` leads back."""
    world.question(world.mission()[0])

    async def session() -> None:
        async with stage(Workplace(repository), size=(80, 24)) as person:
            person.sees("BLOCKING NOW")
            person.sees_not("*1 A Cents")
            await person.press("tab")
            person.sees("*1 A Cents")
            person.sees_not("BLOCKING NOW")
            await person.press("escape")
            person.sees("BLOCKING NOW")

    asyncio.run(session())


def test_the_cursor_stays_on_its_row(repository: Path, world: World) -> None:
    """Whatever is answered or asked elsewhere, the selected row stays selected and no row moves until `.`."""
    runs = world.mission(runs=3)
    names = [world.question(run, summary=f"Question of {run}?") for run in runs]

    async def session() -> None:
        async with stage(Workplace(repository), size=(120, 24)) as person:
            await person.press("j")
            before = [person.lines.index(person.line_with(f"CRP {run}-1")) for run in runs]
            bob_answers(world, names[0])
            await person.until_sees("2 new or settled")  # the answered one, and that no AEE goes on with its run
            assert [person.lines.index(person.line_with(f"CRP {run}-1")) for run in runs] == before
            assert person.line_with(f"CRP {runs[1]}-1").startswith("▌")
            assert person.line_with(f"CRP {runs[0]}-1").startswith(" ~")
            await person.press(".")
            assert person.line_with(f"CRP {runs[1]}-1").startswith("▌")
            person.sees_not(f"CRP {runs[0]}-1")

    asyncio.run(session())


def test_hostile_titles_stay_on_their_lines(repository: Path, world: World) -> None:
    """Escape sequences, line breaks, markup and hidden characters in a title are visible text on one line."""
    world.question(world.mission()[0], summary="\x1b[2J\n[b]名前\u202e\u200bx[/b] " + "long " * 80)

    async def session() -> None:
        async with stage(Workplace(repository), size=(80, 24)) as person:
            row = person.line_with("CRP prices.1-1")
            assert "\\x1b[2J [b]名前\\u202e" in row and "…" in row
            assert not any(char in person.text for char in "\x1b\u202e\u200b")

    asyncio.run(session())


def test_a_long_list_is_filtered_beside_the_event_loop(repository: Path) -> None:
    """A filter on 20,000 rows shows what fits, and the rows come from a thread."""
    sheet = Sheet([f"row {number}" for number in range(20_000)], key=str)

    async def session() -> None:
        async with stage(Workplace(repository)) as person:
            rows = RowsView(sheet, lambda row, cells: line(piece(row, cells=cells)), text=str)
            await person.screen.mount(rows)
            rows.let_in()
            rows.keep("19999")
            assert len(rows.sheet.rows) == 20_000
            await person.until(lambda: len(rows.sheet.rows) == 1, "it is sifted")
            rows.keep("")
            assert len(rows.sheet.rows) == 20_000

    asyncio.run(session())


def test_copying_takes_the_whole_id(repository: Path, world: World) -> None:
    """`y` copies the id of the selected row and says so."""
    question = world.question(world.mission()[0])

    async def session() -> None:
        async with stage(Workplace(repository)) as person:
            await person.press("y")
            person.sees(f"{question}: copied")

    asyncio.run(session())

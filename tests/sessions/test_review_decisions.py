"""The review, decided: with a reason, never in a rush, never over what another decided."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from ace_world import World, git
from textual import events

from tests.sessions.reviewed import decided, fields, review
from workbench.ace.wiring.reviewing import decide_on_pack
from workbench.ace.wiring.workplace import Workplace
from workbench.model.errors import Refused
from workbench.testing.stage import Session, stage


@pytest.fixture
def run(world: World) -> str:
    return world.mission()[0]


def test_twelve_keys_are_enough(repository: Path, world: World, run: str) -> None:
    """From the open program to a reasoned approval of a good pack, all three files read: six keys and the reason."""
    world.pack(run, **fields())
    pressed: list[str] = []

    async def session() -> None:
        async with stage(Workplace(repository)) as person:

            async def press(*keys: str) -> None:
                for key in keys:
                    person.screen._changed_at = 0.0  # a person looks for longer than keys do not decide
                    pressed.append(key)
                    await person.press(key)
                    await person.settled()

            await press("enter", "r", "r", "r")
            person.sees("all files read", "All 3 files read.")
            await press("A")
            await person.type("all read")
            await press("enter")
            person.sees("✓ approved", "all read", "M merges it")

    asyncio.run(session())
    assert len(pressed) == 6
    assert len(pressed) <= 12


def test_approval_says_what_was_not_read(repository: Path, world: World, run: str) -> None:
    """Approving names the unread files and what nothing checked, before it asks for the reason."""
    pack = world.pack(run, **fields())

    async def act(person: Session) -> None:
        await person.press("r")
        await person.do("approve-pack")
        person.sees("2 of 3 files not marked as read: shop.py, test_shop.py", "Not checked by anything: types")
        await person.do("confirm")
        person.sees("say why")

    review(repository, pack, act)


def test_a_pack_that_is_not_ready_takes_a_word(repository: Path, world: World, run: str) -> None:
    """Not ready: approving takes the word `override` besides the reason; asked for it, one is where it is typed."""
    pack = world.pack(run, verdict="not-ready")

    async def act(person: Session) -> None:
        await person.do("approve-pack")
        person.sees("NOT READY: the suite was not run")
        await person.type("so")
        await person.do("confirm")
        person.sees("type the word override")
        await person.type("override")
        await person.do("confirm")
        assert person.screen.where == "review", person.text

    review(repository, pack, act)
    with Workplace(repository).reading() as ledger:
        state = ledger.pack(pack)
    assert state is not None and state.decisions[-1]["conditions"] == ["override: the verdict was not-ready"]


def test_a_strict_policy_lets_nobody_override(repository: Path, world: World) -> None:
    """Under strict rigor the dialog does not even open, and says why."""
    (repository / ".workbench").mkdir()
    (repository / ".workbench/policy.yaml").write_text("id: strict\nversion: '1'\nrigor: strict\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "Policy")
    world.base = git(repository, "rev-parse", "HEAD")
    pack = world.pack(world.mission()[0], verdict="not-ready")

    async def act(person: Session) -> None:
        await person.do("approve-pack")
        person.sees("is strict")
        assert person.screen.where == "review"

    review(repository, pack, act)


def test_changes_are_requested_line_by_line(repository: Path, world: World, run: str) -> None:
    """Each line of the list is one required change of the resolution."""
    pack = world.pack(run)

    async def act(person: Session) -> None:
        await person.do("request-changes")
        await person.type("no")
        await person.press("enter")
        await person.type("a\nb")
        await person.do("confirm")
        person.sees("changes requested", "no")

    review(repository, pack, act)
    with Workplace(repository).reading() as ledger:
        state = ledger.pack(pack)
    assert state is not None and state.decisions[-1]["required_changes"] == ["a", "b"]


def test_rejecting_takes_the_name(repository: Path, world: World, run: str) -> None:
    """Rejecting ends a run for good, so its name is typed."""
    pack = world.pack(run)

    async def act(person: Session) -> None:
        await person.do("reject-pack")
        await person.type("bad")
        await person.do("confirm")
        person.sees(f"type {run}, or Esc")
        await person.type(run)
        await person.press("enter")
        person.sees("✗ rejected", "bad")

    review(repository, pack, act)


def test_a_reason_survives_leaving_the_dialog(repository: Path, world: World, run: str) -> None:
    """What was typed is there again when the dialog is opened again."""
    pack = world.pack(run)

    async def act(person: Session) -> None:
        await person.do("approve-pack")
        await person.type("half a")
        await person.press("escape")
        await person.do("approve-pack")
        person.sees("half a")

    review(repository, pack, act)


def test_decided_by_another_while_one_types(repository: Path, world: World, run: str) -> None:
    """Who comes second is told who was first, keeps what was typed, and sees the decision behind the dialog."""
    pack = world.pack(run)

    async def act(person: Session) -> None:
        await person.do("approve-pack")
        await person.type("fine")
        decided(repository, pack, decision="reject", why="I was faster")
        await person.settled()
        person.sees("rejected by Ada Coach", "in the meantime", "I was faster")
        await person.do("confirm")
        person.sees("is rejected", "Ada Coach", "fine")
        await person.press("escape")
        person.sees("✗ rejected", "I was faster")

    review(repository, pack, act)


def test_nobody_decides_over_a_decision_they_did_not_see(repository: Path, world: World, run: str) -> None:
    """Who is about to reject learns that it was approved; a key of that moment sends nothing, the next one does."""
    pack = world.pack(run)

    async def act(person: Session) -> None:
        await person.do("reject-pack")
        await person.type("bad")
        await person.press("tab")
        await person.type(run)
        decided(repository, pack, decision="approve", why="fine by me")
        await person.settled()
        await person.press("ctrl+s")
        person.sees("approved by Ada Coach", "in the meantime", "fine by me", "press it again")
        await person.do("confirm")
        person.sees("✗ rejected")

    review(repository, pack, act)


def test_a_decision_is_refused_over_one_that_came_first(repository: Path, world: World, run: str) -> None:
    """Also where it comes at the very moment of sending: the journal decides, by what the person knew of."""
    pack = world.pack(run)
    decided(repository, pack, decision="approve", why="fine by me")
    with Workplace(repository) as place, pytest.raises(Refused, match="in the meantime: approve"):
        decide_on_pack(place, pack, decision="reject", why="bad", seen=0)
    with Workplace(repository) as place:
        assert decide_on_pack(place, pack, decision="reject", why="bad", seen=1).state == "rejected"


@pytest.mark.parametrize("decision", ["approve-pack", "request-changes", "reject-pack"])
def test_a_reason_outlives_the_screens(decision: str, repository: Path, world: World, run: str) -> None:
    """What was typed is on the desk within a moment, there at the next start, and gone once it was sent."""
    pack = world.pack(run)

    async def dies(person: Session) -> None:
        await person.do(decision)
        await person.type("not yet sent")
        desks = Workplace(repository).journal_directory / "desks"
        await person.until(lambda: any(desks.rglob("draft-*.json")), "what was typed is on the desk")

    async def comes_back(person: Session) -> None:
        await person.do(decision)
        person.sees("not yet sent", "this is what you wrote before")
        await person.press("tab")
        await person.type(run)
        await person.do("confirm")
        await person.until(lambda: person.screen.where == "review", "it was sent")

    review(repository, pack, dies)
    review(repository, pack, comes_back)
    desks = Workplace(repository).journal_directory / "desks"
    assert not list(desks.rglob("draft-*.json"))


def test_on_a_tiny_screen_the_field_is_in_sight(repository: Path, world: World, run: str) -> None:
    """At 40x10 one sees what one types, whatever else has to scroll."""
    pack = world.pack(run)

    async def act(person: Session) -> None:
        await person.do("reject-pack")
        await person.type("bad idea")
        person.sees("bad idea")
        await person.press("tab")
        await person.type(run)
        person.sees(run)

    review(repository, pack, act, size=(40, 10))


def test_merge_is_shown_then_done_then_undone(repository: Path, world: World, run: str) -> None:
    """Commits, target, mode, message and checkouts are shown before the branch moves; `u` moves it back."""
    pack = world.pack(run)
    decided(repository, pack, decision="approve", why="fine")
    before = git(repository, "rev-parse", "main")

    async def act(person: Session) -> None:
        await person.do("merge-pack")
        person.sees(
            "into    main", "1 COMMIT", "Change", "Raise the price", "Workbench-Pack", "moves   the clean checkout"
        )
        await person.do("confirm")
        person.sees("merged: main stands at", "u takes it back", "✓ merged")
        assert (repository / "shop.py").read_text() == "PRICE = 2\n"
        await person.do("undo-last")
        person.sees("goes back from")
        await person.do("confirm")
        person.sees("taken back (move-back)", "✓ approved")
        await person.do("request-changes")
        person.sees("its run is over")
        assert person.screen.where == "review", "no reason is asked for that could not be sent"

    review(repository, pack, act)
    assert git(repository, "rev-parse", "main") == before


def test_merge_says_what_stands_in_the_way(repository: Path, world: World, run: str) -> None:
    """Uncommitted work in the checkout is named, and nothing can be confirmed."""
    pack = world.pack(run)
    decided(repository, pack, decision="approve", why="fine")
    (repository / "shop.py").write_text("PRICE = 9\n")

    async def act(person: Session) -> None:
        await person.do("merge-pack")
        person.sees("changes that are not committed: shop.py")
        await person.do("confirm")
        assert person.screen.where == "dialog"

    review(repository, pack, act)
    assert (repository / "shop.py").read_text() == "PRICE = 9\n"


def test_a_revert_is_offered_in_words(repository: Path, world: World, run: str) -> None:
    """Where the branch has later commits, undo says so and asks before it makes a revert commit."""
    pack = world.pack(run)
    decided(repository, pack, decision="approve", why="fine")

    async def act(person: Session) -> None:
        await person.do("merge-pack", "confirm")
        git(repository, "commit", "-q", "--allow-empty", "-m", "Later")
        await person.do("undo-last", "confirm")
        person.sees("cannot simply be moved back", "A revert commit")
        await person.do("confirm")
        person.sees("taken back (revert)")

    review(repository, pack, act)
    assert (repository / "shop.py").read_text() == "PRICE = 1\n"


def test_what_cannot_be_done_says_why(repository: Path, world: World, run: str) -> None:
    """Merging what nobody approved, undoing what was not merged: a sentence, no dialog."""
    pack = world.pack(run)

    async def act(person: Session) -> None:
        await person.do("merge-pack")
        person.sees("not approved yet")
        await person.do("undo-last")
        person.sees("it is not merged")
        await person.do("show-new")
        person.sees("this is the newest revision")

    review(repository, pack, act)


def test_pasted_words_hide_nothing(repository: Path, world: World, run: str) -> None:
    """What is pasted into a reason is one line with its control characters shown."""
    pack = world.pack(run)

    async def act(person: Session) -> None:
        await person.do("approve-pack")
        person.app.post_message(events.Paste("fine\n\x1b[31m\u202eby me"))
        await person.settled()
        person.sees("fine \\x1b[31m\\u202eby me")

    review(repository, pack, act)

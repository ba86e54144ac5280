"""The review, read: what is proven and what is not, and the change in the order to read it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from ace_world import World, git

from tests.sessions.reviewed import HOSTILE, decided, fields, requested, review, without_blobs, without_mission
from workbench.ace.cli.main import main
from workbench.ace.tui.marks import Glyphset
from workbench.ace.tui.reviewing import FileRow, paint_file
from workbench.ace.wiring.differing import ChangedFile
from workbench.ace.wiring.gating import BuildOrder, request
from workbench.ace.wiring.workplace import Workplace
from workbench.artifacts.pack_parts import Change, ReadingItem
from workbench.core.decide import consultation as consult
from workbench.core.decide.decision import Decision
from workbench.journal.presence import Card, started_ticks, write_card
from workbench.model import events as e
from workbench.model.evidence import Finding
from workbench.model.text import cell_width
from workbench.testing.stage import Session


@pytest.fixture
def run(world: World) -> str:
    return world.mission()[0]


def test_a_review_shows_verdict_and_change(repository: Path, world: World, run: str) -> None:
    """Verdict, what was not checked, criteria and the diff of the first file are there at once."""
    pack = world.pack(run)

    async def act(person: Session) -> None:
        person.sees(pack, "✓ READY", "(current)", "NOT CHECKED", "types", "1 of 1 file unread")
        person.sees("shop.py", "+1 -1", "- PRICE = 1", "+ PRICE = 2")

    review(repository, pack, act, size=(160, 45))


def test_what_a_review_cannot_read_is_said_where_it_would_stand(repository: Path, world: World, run: str) -> None:
    """Without the pack's document nothing seems to be on its way, and nobody is asked to decide on it."""
    pack = world.pack(run)
    without_blobs(world)

    async def act(person: Session) -> None:
        person.sees("It cannot be read: there is no blob")
        person.sees_not("reading the change")
        await person.do("approve-pack")
        person.sees("its document cannot be read")

    review(repository, pack, act)


def test_work_under_an_assumption_that_an_answer_does_not_share_is_told(
    repository: Path, world: World, run: str
) -> None:
    """Above the change in a line, and each commit with why it needs a look among what the verdict rests on."""
    question = world.question(run, mode="advisory", assumption="Cents", refs=["shop.py:1"])
    pack = world.pack(run)
    state = world.journal.consultation(question)
    assert state is not None
    answer = consult.resolve(
        state, option="B", rationale="Euros.", decided_by="Bob", actor="human:Bob", at="2026-11-22T08:00:00.000Z"
    )

    async def act(person: Session) -> None:
        person.sees_not("otherwise than assumed")
        world.append(answer)
        await person.until_sees(f"{question} was answered otherwise than assumed: 1 commit since, 1 of which")
        await person.do("explain-verdict")
        await person.until_sees("ANSWERED OTHERWISE THAN ASSUMED")
        person.sees("Change, touches shop.py", "assumed Cents")

    review(repository, pack, act, size=(160, 45))


def test_files_stand_in_the_order_to_read_them(repository: Path, world: World, run: str) -> None:
    """The reading list comes first, tests last."""
    pack = world.pack(run, **fields())

    async def act(person: Session) -> None:
        lines = [line.partition("│")[0] for line in person.lines]
        order = [
            next(at for at, line in enumerate(lines) if line.lstrip("▌ ").startswith(words))
            for words in ("READ FIRST", "A tax.py", "CHANGED", "M shop.py", "TESTS", "A test_shop.py")
        ]
        assert order == sorted(order), person.text
        person.sees("12 changed lines that no test ran")

    review(repository, pack, act)


def test_a_newer_revision_waits_for_the_reader(repository: Path, world: World, run: str) -> None:
    """A newer pack is announced and replaces nothing; `.` opens it."""
    pack = world.pack(run)

    async def act(person: Session) -> None:
        newer = world.pack(run, revision=2)
        await person.until_sees("revision 2 arrived")
        person.sees(pack, "+ PRICE = 2")
        await person.press(".")
        await person.settled()
        person.sees(newer, "+ PRICE = 3")

    review(repository, pack, act)


def test_a_moved_base_is_said_first(repository: Path, world: World, run: str) -> None:
    """The first line says that the evidence is of another base; merging is off with the remedy."""
    pack = world.pack(run)
    decided(repository, pack, decision="approve", why="fine")
    git(repository, "commit", "-q", "--allow-empty", "-m", "Meanwhile")

    async def act(person: Session) -> None:
        person.sees("MOVED")
        assert "MOVED" in person.lines[1], person.text
        await person.do("merge-pack")
        person.sees("x renews the evidence")

    review(repository, pack, act, size=(80, 24))


def test_stale_evidence_is_renewed(repository: Path, world: World, run: str, journal: Any) -> None:
    """`x` has the delivery examined again on the base as it stands; until then nothing can be decided."""
    pack = world.pack(run)
    git(repository, "commit", "-q", "--allow-empty", "-m", "Meanwhile")
    ticks = started_ticks(os.getpid())
    assert ticks is not None
    write_card(journal.directory, Card(aee="a", pid=os.getpid(), started_ticks=ticks, state="running"))

    async def act(person: Session) -> None:
        await person.do("renew-evidence")
        person.sees("examined again on", "its base moved", "revision 2 comes of it", "made anew")
        await person.do("approve-pack")
        person.sees("its evidence is being made anew")

    with (journal.directory / "aee.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        review(repository, pack, act)


def test_a_pack_of_no_mission(repository: Path, world: World) -> None:
    """A branch that was handed in for its evidence alone is reviewed as any other."""
    head = world.commit("feature", {"shop.py": "PRICE = 8\n"})
    with Workplace(repository) as place:
        name = request(place, BuildOrder(base="main", head="feature"))
    pack = without_mission(world, name, head)

    async def act(person: Session) -> None:
        person.sees(pack, "✓ READY", "+ PRICE = 8")
        await person.do("reject-pack")
        await person.type("no")
        await person.press("enter")
        await person.type(name)
        await person.press("enter")
        person.sees("✗ rejected")

    review(repository, pack, act)


def test_evidence_is_one_key_away(repository: Path, world: World, run: str, journal: Any) -> None:
    """A criterion's key opens its evidence: grade, command, environment, sandbox, digest and the output itself."""
    output = journal.blobs.put(b"12 passed in 0.1s\n\x1b[31mred\n")
    said = fields()
    said["evidence"] = tuple(msgspec.structs.replace(item, outputs={"log": output}) for item in said["evidence"])
    pack = world.pack(run, **said)

    async def act(person: Session) -> None:
        await person.press("2", "j")
        person.sees("grade executed", "command: pytest -q", "bubblewrap", "sha256:0000", "sha256:1111")
        person.sees("LOG", "12 passed in 0.1s", "\\x1b[31mred")

    review(repository, pack, act)


def test_a_finding_leads_to_its_line(repository: Path, world: World, run: str) -> None:
    """Enter on a finding shows that line of the change."""
    pack = world.pack(run, **fields())

    async def act(person: Session) -> None:
        await person.do("explain-verdict")
        person.sees("WHY THIS VERDICT", "the suite was not run", "FINDINGS", "tax.py:1 low: odd name")
        await person.press("j", "j", "enter")
        person.sees("+ TAX = 3  ! low: odd name")
        person.sees_not("WHY THIS VERDICT")

    review(repository, pack, act)


def test_one_pane_at_a_time_on_a_small_terminal(repository: Path, world: World, run: str) -> None:
    """At 80x24 verdict and what was not checked stay; Tab goes from the list to the diff to the evidence."""
    pack = world.pack(run, **fields())

    async def act(person: Session) -> None:
        person.sees("✓ READY", "NOT CHECKED", "tax.py", "READ FIRST")
        person.sees_not("+ TAX = 3")
        await person.press("J")
        person.sees("+ TAX = 3")
        await person.press("escape", "tab")
        person.sees("✓ READY", "NOT CHECKED", "+ TAX = 3")
        person.sees_not("READ FIRST")
        await person.press("tab")
        person.sees("✓ READY", "NOT CHECKED", "WHY THIS VERDICT")
        await person.press("escape")
        person.sees("READ FIRST")

    review(repository, pack, act, size=(80, 24))


def test_hostile_names_and_words_are_shown(repository: Path, world: World, run: str) -> None:
    """Control characters, markup and bidirectional marks in names, titles, diffs and findings are seen, not obeyed."""
    files = {f"{HOSTILE.replace('/', '')}.py": f"x = '{HOSTILE}'\n", "数.py": "名 = '数'\n"}
    finding = Finding(kind=HOSTILE, severity="high", text=HOSTILE, path=HOSTILE, line=3)
    pack = world.pack(run, files=files, title=HOSTILE, not_checked=(HOSTILE,), findings=(finding,))

    async def act(person: Session) -> None:
        person.sees("[red]\\x1b[2J\\u202ePAY", "数.py")
        assert "\x1b[2J" not in person.text and "\u202e" not in person.text
        await person.press("J", "J", "w", "G")
        assert "\x1b[2J" not in person.text and "\u202e" not in person.text

    review(repository, pack, act)


def test_files_that_are_no_plain_text(repository: Path, world: World, run: str) -> None:
    """Binary files, renames, modes and a missing line end at the end are said in words."""
    git(repository, "checkout", "-q", "main")
    (repository / "old.py").write_text("".join(f"line {number}\n" for number in range(30)))
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "More")
    world.base = git(repository, "rev-parse", "HEAD")
    other = world.mission("modes")[0]
    original = world.commit

    def commit(branch: str, files: dict[str, str], message: str = "Change", **at: str) -> str:
        original(branch, files, message, **at)
        git(repository, "checkout", "-q", branch)
        git(repository, "mv", "old.py", "new.py")
        (repository / "blob.bin").write_bytes(b"\0\1\2")
        (repository / "shop.py").chmod(0o755)
        git(repository, "add", "-A")
        git(repository, "commit", "-qm", "Odd")
        head = git(repository, "rev-parse", "HEAD")
        git(repository, "checkout", "-q", "main")
        return head

    world.commit = commit  # type: ignore[method-assign]  # one more commit than the world makes
    pack = world.pack(other, files={"shop.py": "PRICE = 5"})

    async def act(person: Session) -> None:
        person.sees("binary", "blob.bin")
        texts = person.text
        await person.press("}")
        texts += person.text
        await person.press("}")
        texts += person.text
        for words in ("binary: 0 bytes before, 3 bytes after", "renamed from old.py", "now an executable file"):
            assert words in texts, texts
        assert "No newline at end of file" in texts

    review(repository, pack, act)


def test_a_large_file_is_shown_when_asked_for(repository: Path, world: World, run: str) -> None:
    """More than 2 MB stand behind a sentence; Enter shows them, and only what is in sight is painted."""
    pack = world.pack(run, files={"data.txt": "0123456789 abcdefghijklmnopqrstuvwxyz\n" * 60_000})

    async def act(person: Session) -> None:
        person.sees("not shown yet: 2.28 MB", "Enter shows it")
        await person.press("enter")
        person.sees("+ 0123456789")
        diff = person.screen.query_one("#diff")
        assert len(diff.lines) > 60_000  # type: ignore[attr-defined]
        await person.press("tab")
        await person.press("/")
        await person.type("none")
        await person.press("enter")
        painted = diff.painted  # type: ignore[attr-defined]
        await person.do("next-pane", "next-pane", "next-pane", "next-pane")
        assert diff.painted - painted < 400  # type: ignore[attr-defined]

    review(repository, pack, act)


def test_files_that_nobody_wrote_are_shown_when_asked_for(
    repository: Path, world: World, run: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lock files, large changes and data stand behind a sentence, LFS objects behind their sizes, in the order of the
    pack's own groups; the list alone says why the selected file is to be read."""
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 54321\n"
    files = {
        "uv.lock": "a = 1\n", "big.py": "x = 1\n" * 1_100, "data.csv": "1,2\n" * 300, "video.bin": pointer,
        "moved.py": "y = 1\n", "risky.py": "z = 1\n",
    }  # fmt: skip
    order = (("risky.py", "first"), ("big.py", "changed"), ("moved.py", "mechanical"), ("uv.lock", "mechanical"))
    items = tuple(ReadingItem(path=path, why=f"why {path}", group=group) for path, group in order)  # type: ignore[arg-type]
    changes = (Change(path="uv.lock", status="A", added=1, kind="lock"),)
    pack = world.pack(run, **{**fields(), "files": files, "reading_list": items, "changes": changes, "findings": ()})

    async def act(person: Session) -> None:
        places = [person.text.index(words) for words in ("READ FIRST", "risky.py", "CHANGED", "MECHANICAL", "uv.lock")]
        assert places == sorted(places) and person.text.index("MECHANICAL") < person.text.index("moved.py")
        person.sees("why risky.py")
        said = ""
        for _ in range(6):
            await person.press("j")
            await person.press("enter")
            said += person.text
            await person.press("escape")
        for words in (
            "1,100 changed lines, more than 1,000. Enter shows it",
            "a lock file, made by a tool. Enter shows it",
            "data: 300 changed lines. Enter shows it",
            "LFS object, 54,321 bytes",
        ):
            assert words in said, said

    review(repository, pack, act, size=(80, 24))
    main(["-C", str(repository), "mrp", "diff", pack])
    told = capsys.readouterr().out
    assert "a lock file, made by a tool; name the file" in told and "LFS object, 54,321 bytes" in told
    assert "sha256:aaa" not in told and "+1,2" not in told
    main(["-C", str(repository), "mrp", "diff", pack, "uv.lock"])
    assert "+a = 1" in capsys.readouterr().out


def test_many_files_open_at_once(repository: Path, world: World, run: str) -> None:
    """300 files stand in one list; read marks are kept for the next time."""
    pack = world.pack(run, files={f"file{number:03}.py": f"N = {number}\n" for number in range(300)})

    async def act(person: Session) -> None:
        person.sees("300 of 300 files unread", "file000.py")
        await person.press("r", "r")
        person.sees("298 of 300 files unread")

    async def again(person: Session) -> None:
        person.sees("298 of 300 files unread")

    review(repository, pack, act)
    review(repository, pack, again)


def test_a_pack_that_is_not_there_yet(repository: Path, world: World, run: str) -> None:
    """A pack that is being assembled, or failed, says so and what to do; nothing can be decided."""
    pack = requested(world, run)

    async def act(person: Session) -> None:
        person.sees(pack, "evidence is being made")
        await person.do("approve-pack")
        person.sees("it is assembling")
        await person.do("explain-verdict")
        person.sees("there is no evidence yet")
        failed = e.PackFailed(pack=pack, reason="The head does not merge.", hint="bring it up to date")
        world.append(Decision(events=(e.Proposed(stream=f"pack/{pack}", payload=failed, actor="aee"),)))
        await person.settled()
        person.sees("✗ failed", "The head does not merge.", "bring it up to date")

    review(repository, pack, act)


def test_an_unknown_pack(repository: Path, world: World, run: str) -> None:
    """An id that names nothing says so."""

    async def act(person: Session) -> None:
        person.sees("There is no such pack.")

    review(repository, "MRP-nothing-1", act)


@pytest.mark.parametrize("name", ["a.py", "long" * 20 + ".py", "漢字" * 20])
def test_numbers_stand_under_each_other(name: str) -> None:
    """However long or wide a name is, the lines added end where the row ends."""
    path = f"shop/{name}"
    file = ChangedFile(path=path, old_path=path, status="A", old_mode="", new_mode="100644", added=1)
    row = FileRow(file, "CHANGED")
    painted = paint_file(row, 42, read=False, glyphs=Glyphset("unicode"))
    assert sum(cell_width(part.text) for part in painted) == 41, "the last cell is free"

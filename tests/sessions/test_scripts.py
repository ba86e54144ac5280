"""Scripts: what people wrote under .workbench, with its problems, checked as it changes, edited in their own editor."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from workbench.ace.wiring import editing
from workbench.ace.wiring.shelf import script_files
from workbench.ace.wiring.workplace import Workplace
from workbench.model.errors import EnvironmentProblem
from workbench.testing.stage import Session, stage

GOOD = """---
id: cents
version: "1"
title: Use cents 漢字
status: ready
goal: {objective: Use cents}
success_criteria:
  definition_of_done:
    - {id: DOD-1, text: All prices are in cents.}
---
"""
WIDE, SMALL = (160, 45), (80, 24)


def at(repository: Path, person: Callable[[Session], Awaitable[None]], size: tuple[int, int] = WIDE) -> None:
    """A session that begins at the scripts."""

    async def session() -> None:
        async with stage(Workplace(repository), size=size) as opened:
            await opened.press("g", "s")
            await person(opened)

    asyncio.run(session())


def write(repository: Path, path: str, text: str) -> None:
    file = repository / ".workbench" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_without_files_it_says_how_to_begin(repository: Path) -> None:
    """An empty shelf names the command that fills it, also on a small screen."""

    async def person(session: Session) -> None:
        session.sees("There is nothing under .workbench yet.", "workbench init")
        await session.press("enter")
        session.sees("open: there are no files under .workbench")

    at(repository, person)
    at(repository, person, size=SMALL)


def test_files_stand_under_what_they_are(repository: Path) -> None:
    """Briefs, loops, rules, policy and settings are grouped, each with its state and its problems counted."""
    write(repository, "briefs/cents.md", GOOD)
    write(repository, "policy.yaml", "rigor: lax\n")
    write(repository, "config.toml", "[run\n")

    async def person(session: Session) -> None:
        session.sees("BRIEFS", "POLICY AND PEOPLE", "CONFIGURATION")
        assert "✓ cents" in session.lines[2]
        assert "error" in session.line_with("✗ policy.yaml")
        assert "error" in session.line_with("✗ config.toml")

    at(repository, person)


def test_a_file_opens_with_its_problems_at_their_lines(repository: Path) -> None:
    """Beneath the line that is wrong stand the column, what is wrong and the remedy."""
    write(repository, "policy.yaml", "id: default\nversion: '1'\nrigor: lax\n")
    (problem,) = next(iter(script_files(Workplace(repository), {}))).problems[:1]

    async def person(session: Session) -> None:
        await session.press("enter")
        at = next(number for number, line in enumerate(session.lines) if "3 rigor: lax" in line)
        assert f"^ {problem.column}: {problem.text[:20]}" in session.lines[at + 1]
        await session.press("escape")
        session.sees("POLICY AND PEOPLE")

    at(repository, person)
    at(repository, person, size=SMALL)


def test_a_change_shows_by_itself(repository: Path) -> None:
    """A file that is written in another window is checked at once, and the problem goes when it is mended."""
    write(repository, "policy.yaml", "rigor: lax\n")

    async def person(session: Session) -> None:
        session.sees("✗ policy.yaml")
        write(repository, "briefs/cents.md", GOOD)
        await session.until_sees("✓ cents")
        write(repository, "policy.yaml", "id: default\nversion: '1'\nrigor: strict\n")
        await session.until_sees("✓ policy.yaml")

    at(repository, person)


def test_hostile_files_are_shown_not_obeyed(repository: Path) -> None:
    """Escape sequences, markup and hidden characters in names, titles and texts are painted as text."""
    evil = "[red]x\x1b[2J\u202e\u200b"
    write(repository, f"briefs/{evil}.md", f"---\nid: x\ntitle: '{evil}'\n---\n{evil}\n")

    async def person(session: Session) -> None:
        await session.press("enter")
        session.sees("[red]x\\x1b[2J\\u202e\\u200b")
        assert not set(session.text) & {"\x1b", "\u202e", "\u200b"}

    at(repository, person)


def test_what_is_no_file_or_too_large_is_not_read(repository: Path) -> None:
    """A pipe is passed over, and a file beyond all measure says that it is."""
    write(repository, "briefs/huge.md", "x" * (2 << 20))
    os.mkfifo(repository / ".workbench/briefs/pipe.md")

    async def person(session: Session) -> None:
        assert "1 error" in session.line_with("✗ huge")
        session.sees("2097152 bytes are too many to read")
        session.sees_not("pipe")

    at(repository, person)


def test_checking_again_says_how_it_stands(repository: Path) -> None:
    """The key that checks answers in words."""
    write(repository, "briefs/cents.md", GOOD)

    async def person(session: Session) -> None:
        await session.press("ctrl+r")
        session.sees("no file has errors")

    at(repository, person)


def test_a_terminal_that_cannot_be_lent_says_so(repository: Path) -> None:
    """Where the editor cannot have the terminal, the path is told instead."""
    write(repository, "briefs/cents.md", GOOD)

    async def person(session: Session) -> None:
        await session.press("e")
        session.sees("open .workbench/briefs/cents.md in another one")

    at(repository, person)


def test_no_other_screen_edits_in_place(repository: Path) -> None:
    """`e` opens a person's own scripts and nothing else: at the inbox and the missions it says that it cannot."""

    async def person(session: Session) -> None:
        for place in ("i", "m"):
            await session.press("g", place, "e")
            session.sees("edit: there is nothing here that it could do")

    at(repository, person)


def test_the_editor_is_the_persons_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """VISUAL comes before EDITOR, with its options; the file is its last word."""
    file, program = tmp_path / "a b.md", tmp_path / "editor"
    program.write_text('#!/bin/sh\necho "$1" > "$2"\n')
    program.chmod(0o755)
    monkeypatch.setenv("EDITOR", "false")
    monkeypatch.setenv("VISUAL", f"{program} --wait")
    editing.edit(file)
    assert file.read_text() == "--wait\n"


def test_an_editor_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The remedy stands beside what went wrong."""
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", str(tmp_path / "nothing"))
    with pytest.raises(EnvironmentProblem, match="cannot be started"):
        editing.edit(tmp_path / "a.md")

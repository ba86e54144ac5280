"""How the command line speaks: colour only to terminals that want it, and words that are never taken for options."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from ace_world import Call, World, git
from hypothesis import given
from hypothesis import strategies as st

from workbench.ace.cli.demo import _next_steps
from workbench.ace.cli.output import Output, json_line
from workbench.ace.cli.table import Column, age, table, wrapped
from workbench.model.text import cell_width, one_line


def _in_terminal(repository: Path, *words: str, **environment: str) -> str:
    """What `workbench WORDS` writes to a terminal of its own."""
    main_end, its_end = pty.openpty()
    inherited = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    try:
        subprocess.run(
            [sys.executable, "-m", "workbench", *words],
            cwd=repository,
            env={**inherited, "TERM": "xterm", **environment},
            stdin=its_end,
            stdout=its_end,
            stderr=its_end,
            check=True,
        )
    finally:
        os.close(its_end)
    seen = b"".join(_chunks(main_end))
    os.close(main_end)
    return seen.decode()


def _chunks(descriptor: int) -> Iterator[bytes]:
    while True:
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:  # Linux says EIO at the end of a pseudo-terminal
            return
        if not chunk:
            return
        yield chunk


def test_colour_is_for_terminals_that_want_it(repository: Path, world: World) -> None:
    """A terminal gets colour; NO_COLOR, a dumb terminal and JSON get none."""
    world.mission()
    assert "\x1b[" in _in_terminal(repository, "missions")
    assert "\x1b[" not in _in_terminal(repository, "missions", NO_COLOR="1")
    assert "\x1b[" not in _in_terminal(repository, "missions", TERM="dumb")
    assert "\x1b[" not in _in_terminal(repository, "missions", "--json")


def test_states_are_told_without_colour(call: Call, world: World) -> None:
    """Glyph and word say what colour says."""
    world.mission()
    assert "○ queued" in call("missions").out


@pytest.mark.parametrize("verb", ["show", "log", "answer", "approve", "merge", "undo", "pause", "stop", "wait"])
def test_what_looks_like_an_option_names_nothing(call: Call, world: World, verb: str) -> None:
    """An id that starts with a dash, or climbs out of a directory, is refused as a word, not obeyed."""
    world.mission()
    why = ["--why", "x"] if verb in ("answer", "approve") else []
    for hostile in ("--upload-pack=touch pwned", "../../etc/passwd", "\x1b[2J"):
        said = call(verb, *why, "--", hostile)
        assert said.code == 2, (verb, hostile, said)
        assert "\x1b" not in said.err


@pytest.mark.parametrize("ref", ["--output=pwned", "-x", "main..other", "main\nother", "@{-1}"])
def test_refs_are_never_options(call: Call, repository: Path, ref: str) -> None:
    """A ref that git would read as an option never reaches it as one."""
    said = call("mrp", "build", f"--base={ref}", "--head=main", "--sandbox", "none", "--json")
    assert said.code == 2, said
    assert not (repository / "pwned").exists()
    assert git(repository, "status", "--porcelain") == ""


@given(st.text())
def test_json_is_exact_and_harmless(words: str) -> None:
    """Whatever a text holds, JSON gives it back, and no hidden character is written as it is."""
    if any(unicodedata.category(char) == "Cs" for char in words):
        return
    line = json_line({"text": words})
    assert json.loads(line) == {"text": words}
    assert not [char for char in line if unicodedata.category(char) in ("Cc", "Zl", "Zp")]


@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=200)), min_size=1), st.integers(40, 200))
def test_no_line_of_a_table_passes_the_terminal(rows: list[tuple[str, str]], width: int) -> None:
    """Wide, hidden and combining characters are counted as the terminal does."""
    columns = (
        Column[tuple[str, str]]("a", lambda row: row[0][:20]),
        Column[tuple[str, str]]("b", lambda row: row[1], grow=True),
    )
    lines = list(table(rows, columns, width=max(width, 240), paint=lambda words, _: words))
    assert len(lines) == len(rows) + 1
    assert all(cell_width(line) <= max(width, 240) for line in lines)


def test_ids_are_whole_and_spare_columns_make_room(repository: Path) -> None:
    """What is typed next is never cut; what is merely good to know goes first."""
    columns = (
        Column[str]("id", lambda _: "MRP-" + "x" * 40),
        Column[str]("what", lambda row: row, grow=True),
        Column[str]("cost", lambda _: "$1.00", spare=True),
    )
    narrow = list(table(["words " * 20], columns, width=60, paint=lambda words, _: words))
    wide = list(table(["words " * 20], columns, width=160, paint=lambda words, _: words))
    assert "x" * 40 in narrow[1]
    assert "COST" not in narrow[0]
    assert "COST" in wide[0]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0s"), (59, "59s"), (61, "1m"), (3_900, "1h 5m"), (187_200, "2d 4h"), (-5, "0s")]
)
def test_ages(seconds: float, words: str) -> None:
    """Ages are told in their two largest units."""
    assert age(seconds) == words


@given(st.text(), st.integers(10, 120))
def test_prose_is_broken_between_words_only(words: str, width: int) -> None:
    """Nothing is lost or cut; a piece is wider than the terminal only where a single word is."""
    line = one_line(words)
    pieces = wrapped(f"    {line}", width)
    assert " ".join(" ".join(pieces).split()) == " ".join(line.split())
    assert all(cell_width(piece) <= width or len(piece.split()) == 1 for piece in pieces)


def test_a_pack_and_an_error_are_read_at_eighty_columns(
    call: Call, world: World, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prose wraps at words where COLUMNS says how wide it is, also through a pipe; without, each line stays whole."""
    (run,) = world.mission()
    why = "the suite was not run because " + "of this and that " * 12
    name = world.pack(run, reasons=(why,), not_checked=(f"types, {why}",))
    monkeypatch.setenv("COLUMNS", "80")
    for said in (call("mrp", "show", name).out, call("show", run).out, call("merge", name).err, call("inbox").out):
        assert max(map(cell_width, said.splitlines())) <= 80, said
    monkeypatch.delenv("COLUMNS")
    assert why.strip() in call("mrp", "show", name).out


def test_talk_is_wrapped_at_words(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """No word of what is said on stderr is broken by the terminal's edge; in a file each line stays whole."""
    words = "something that a person has to know before " * 5
    monkeypatch.setenv("COLUMNS", "80")
    Output().say(f"{words}\n{words}")
    Output().warn(words)
    err = capsys.readouterr().err
    assert max(map(cell_width, err.splitlines())) <= 80
    assert err.split() == [*words.split(), *words.split(), "warning:", *words.split()]
    monkeypatch.delenv("COLUMNS")
    Output().say(words)
    assert capsys.readouterr().err == f"{words}\n"


def test_what_the_demo_says_to_type_next_fits_eighty_columns(tmp_path: Path) -> None:
    """A command that the terminal breaks cannot be copied."""
    lines = _next_steps(tmp_path / "workbench-demo", tmp_path, wait_first=True)
    assert [line for line in lines if cell_width(line) > 80 and not line.startswith("  export PATH=")] == []


def test_a_pack_that_is_not_ready_is_sent_back_rather_than_approved(call: Call, world: World) -> None:
    """What is offered first is what the verdict asks for."""
    ready, lacking = world.mission(runs=2)
    assert f"next: workbench approve {world.pack(ready)}" in call("mrp", "show", f"MRP-{ready}-1").err
    name = world.pack(lacking, verdict="not-ready")
    assert f"next: workbench request-changes {name}" in call("mrp", "show", name).err


@pytest.mark.parametrize("words", [["missions"], ["runs"], ["inbox"], ["mrp", "list"], ["brief", "list"]])
def test_tables_fit_eighty_columns(call: Call, world: World, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    """With ids of a usual length no row passes the terminal."""
    (run,) = world.mission("payments-limit")
    world.pack(run)
    (other,) = world.mission("parser-fix", agent="a-rather-long-name-of-an-agent")
    world.question(other)
    monkeypatch.setenv("COLUMNS", "80")
    assert all(cell_width(line) <= 80 for line in call(*words).out.splitlines())

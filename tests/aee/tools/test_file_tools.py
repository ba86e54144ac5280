"""read, list and edit, in a real clone."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from workbench.ports import ToolResult
from workbench.testing.workplace import Workplace


def call(workplace: Workplace, tool: str, call_id: str = "1.x", **arguments: Any) -> ToolResult:
    return workplace.box.call(tool, arguments, call_id)


def test_read_gives_a_range_and_states_what_was_cut(workplace: Workplace) -> None:
    """A reader sees the lines asked for, and how many there are."""
    data = call(workplace, "read", path="src/a.py", first_line=4, lines=1).data
    assert (data["text"], data["first_line"], data["last_line"], data["total_lines"]) == ("def twice(x):", 4, 4, 5)
    assert data["cut"]["lines_after"] == 1


def test_read_takes_the_path_that_commands_see(workplace: Workplace) -> None:
    """An absolute path under the workspace is the relative one; other absolute paths are refused."""
    assert call(workplace, "read", path=f"{workplace.root}/README.md").state == "ok"
    assert call(workplace, "read", path="/etc/passwd").state == "error"
    assert call(workplace, "read", path=f"{workplace.root}/../../../etc/passwd").state == "error"


def test_read_cuts_long_lines_and_long_files(make_workplace: Callable[..., Workplace]) -> None:
    """Neither a line of a megabyte nor a hundred thousand lines reach the agent whole."""
    files = {"wide": "w" * 1_000_000, "tall": "line of text\n" * 100_000, "form\ffeed": "a\fb\u2028c\n"}
    workplace = make_workplace(files=files)
    wide = call(workplace, "read", path="wide").data
    assert (len(wide["text"]), wide["cut"]["long_lines"], wide["bytes"]) == (2000, 1, 1_000_000)
    tall = call(workplace, "read", path="tall").data
    assert (tall["last_line"], tall["total_lines"], tall["cut"]["lines_after"]) == (2000, 100_000, 98_000)
    assert call(workplace, "read", path="form\ffeed").data["total_lines"] == 1


def test_read_refuses_binary_files(make_workplace: Callable[..., Workplace]) -> None:
    """Binary noise is told, not given."""
    result = call(make_workplace(files={"b": b"\x00\xff" * 100}), "read", path="b")
    assert result.state == "error"
    assert "binary, 200 bytes" in result.summary


def test_list_marks_kinds_and_states_the_cut(workplace: Workplace) -> None:
    """Directories and links are marked, and a long listing says that there is more."""
    (workplace.root / "link").symlink_to("README.md")
    data = call(workplace, "list", depth=2).data
    assert {"src/", "src/a.py", "link@", "README.md"} <= set(data["entries"])
    for number in range(1001):
        (workplace.root / f"f{number}").touch()
    data = call(workplace, "list").data
    assert (len(data["entries"]), data["cut"]) == (1000, True)


def test_names_that_are_no_unicode_are_shown_escaped(workplace: Workplace) -> None:
    """A file name in another encoding is listed in a form that can be recorded, and otherwise left to commands."""
    (workplace.root / os.fsdecode(b"caf\xe9")).touch()
    result = call(workplace, "list")
    assert "caf\\xe9" in msgspec.json.decode(msgspec.json.encode(result.data))["entries"]
    refused = call(workplace, "read", path=os.fsdecode(b"caf\xe9"))
    assert refused.state == "error"
    assert msgspec.json.encode(refused.data)


def test_edit_keeps_line_endings_and_mode(workplace: Workplace) -> None:
    """An edit quoted with line feeds fits a CRLF file, and leaves CRLF and mode behind."""
    (workplace.root / "src/crlf.txt").chmod(0o755)
    assert call(workplace, "edit", path="src/crlf.txt", old="one\ntwo", new="1\n2").state == "ok"
    assert (workplace.root / "src/crlf.txt").read_bytes() == b"1\r\n2\r\nthree\r\n"
    assert call(workplace, "edit", path="src/crlf.txt", content="a\nb\n").state == "ok"
    assert (workplace.root / "src/crlf.txt").read_bytes() == b"a\r\nb\r\n"
    assert os.access(workplace.root / "src/crlf.txt", os.X_OK)


def test_edit_works_on_bytes_that_are_no_unicode(make_workplace: Callable[..., Workplace]) -> None:
    """A file in another encoding keeps every byte that the edit does not name."""
    workplace = make_workplace(files={"latin": b"caf\xe9 = 1\nx = 2\n"})
    assert call(workplace, "edit", path="latin", old="x = 2", new="x = 3").state == "ok"
    assert workplace.tree()["latin"] == b"caf\xe9 = 1\nx = 3\n"


def test_edit_names_the_nearest_line_when_nothing_matches(workplace: Workplace) -> None:
    """A quote that is off by white space is answered with the line that was meant."""
    result = call(workplace, "edit", path="src/a.py", old="  return  x + x", new="y")
    assert result.data["nearest"] == {"line": 5, "text": "    return x + x"}
    assert "line 5" in result.summary


def test_edit_counts_before_it_replaces(make_workplace: Callable[..., Workplace]) -> None:
    """A quote that occurs more often than said changes nothing, and the lines are named."""
    workplace = make_workplace(files={"n": "a\nb\na\n"})
    result = call(workplace, "edit", path="n", old="a", new="c")
    assert (result.state, result.data["lines"]) == ("error", [1, 3])
    assert workplace.tree()["n"] == b"a\nb\na\n"
    assert call(workplace, "edit", path="n", old="a", new="c", count=2).state == "ok"
    assert workplace.tree()["n"] == b"c\nb\nc\n"


@pytest.mark.parametrize(
    "arguments",
    [{}, {"old": "x"}, {"new": "x"}, {"old": "x", "content": "y", "new": "z"}, {"content": "y", "delete": True},
     {"content": "x", "move_to": "b"}, {"old": "", "new": "x"}, {"content": "x", "new": "y"}],
)  # fmt: skip
def test_edit_does_exactly_one_thing(arguments: dict[str, Any], workplace: Workplace) -> None:
    """An edit that asks for nothing, or for two things, changes nothing."""
    before = workplace.tree()
    assert call(workplace, "edit", path="src/a.py", **arguments).state == "error"
    assert workplace.tree() == before


def test_edit_creates_moves_and_deletes(workplace: Workplace) -> None:
    """Files come, move and go, with directories made on the way."""
    assert call(workplace, "edit", path="new/deep/f", content="x", executable=True).state == "ok"
    assert os.access(workplace.root / "new/deep/f", os.X_OK)
    assert call(workplace, "edit", path="new/deep/f", move_to="other/g").state == "ok"
    assert call(workplace, "edit", path="README.md", move_to="other/g").state == "error"
    assert call(workplace, "edit", path="other/g", delete=True).state == "ok"
    assert call(workplace, "edit", path="other/g", delete=True).state == "error"
    assert call(workplace, "edit", path="src", delete=True).state == "error"


@pytest.mark.parametrize("path", [".git/config", ".GIT/hooks/post-checkout", "src/.git/config", ".g\u200cit/config"])
def test_edit_never_writes_into_git(path: str, workplace: Workplace) -> None:
    """The clone's configuration and hooks are not for our tools."""
    config = (workplace.root / ".git/config").read_bytes()
    result = call(workplace, "edit", path=path, content="[core]\n\tfsmonitor = evil\n")
    assert (result.state, (workplace.root / ".git/config").read_bytes()) == ("error", config)

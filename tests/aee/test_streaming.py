"""What of a tool's output is streamed as the agent's: what its own commands print, and nothing of the tools' own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from workbench.aee.sandbox.select import select
from workbench.aee.tools.submission import SubmitArguments, SubmitTool
from workbench.testing.workplace import Workplace


def test_delivering_streams_nothing(tmp_path: Path) -> None:
    """What git tells the tool between its steps is no output of the agent's; control: a command of its own is."""
    workplace = Workplace(tmp_path / "clone", sandbox=select("none", allow_none=True), files={"a.txt": "one\n"})
    heard: list[tuple[str, bytes]] = []
    place = replace(workplace.place, on_output=lambda call, _stream, chunk: heard.append((call, chunk)))
    workplace.place.files.write("b.txt", b"two\n")
    tool = SubmitTool(place, branch=workplace.branch, run="m.1", agent="ada")
    assert tool.act(SubmitArguments(message="Add b"), "1.submit").finish
    assert [chunk for call, chunk in heard if call] == []
    place.run(("echo", "hello"), call="2.run")
    assert heard[-1] == ("2.run", b"hello\n")
    workplace.close()

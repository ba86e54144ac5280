"""An act opened in place: what went in, what came out, tests as data. All of it are an agent's words and outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from workbench.ace.tui.prose import Block, bullet, facts, heading, paragraph
from workbench.ace.tui.text import Piece, Role, cut, piece, safe_line
from workbench.core.views.timeline import Act
from workbench.model.errors import WorkbenchError
from workbench.ports import Blobs

SHOWN_LINES = 400  # of one output
SHOWN_TESTS = 100  # that did not pass
PASSED_SHOWN = 20  # names of tests that passed
SHOWN_BYTES = 1 << 18  # of one output that are decoded
_REMOVED, _ADDED = ("old",), ("new", "content")
_SAID = ("output", "text", "stdout", "stderr")  # outputs among the data of a return
_TOLD_APART = frozenset(
    (*_SAID, "tests", "error", "hint", "state", "exit_code", "duration_ms", "stdout_bytes", "stderr_bytes", "cut")
)


def act_blocks(act: Act, blobs: Blobs) -> Iterator[Block]:
    """What the act is about, whole or with what was cut said."""
    if act.members:
        for member in act.members:
            yield facts(piece(member.title), piece(f"  {_short(member)}", "dim"))
        return
    if act.text:
        yield paragraph(act.text, "claimed" if act.kind == "thought" else "plain")
    if act.called is not None:
        yield from _arguments(act.called.arguments)
    if act.returned is not None:
        yield from _result(act, blobs)
    elif act.streamed:
        yield heading(f"SO FAR ({size(act.streamed_bytes)})")
        yield from _output(act.streamed)
    if act.ref:
        yield paragraph(f"{act.ref}: Enter on this act once more opens it.", "dim")


def size(count: int) -> str:
    """`812 bytes`, `1.2 MB`."""
    for unit, step in (("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10)):
        if count >= step:
            return f"{count / step:.1f} {unit}"
    return f"{count} bytes"


def _short(act: Act) -> str:
    return act.facts if act.state == "ok" else f"{act.state} {act.facts}"


def _arguments(arguments: Mapping[str, Any]) -> Iterator[Block]:
    for name, value in arguments.items():
        if ":" in name:
            continue  # of our own keeping
        if name in _REMOVED and isinstance(value, str):
            yield from _marked(value, "- ", "removed")
        elif name in _ADDED and isinstance(value, str):
            yield from _marked(value, "+ ", "added")
        elif name == "patch" and isinstance(value, str):
            yield from _output(value)
        else:
            yield paragraph(f"{name}: {value if isinstance(value, str) else _json(value)}")


def _marked(text: str, sign: str, role: Role) -> Iterator[Block]:
    for words in text.removesuffix("\n").split("\n")[:SHOWN_LINES]:
        yield _whole_line(sign + words, role)


def _result(act: Act, blobs: Blobs) -> Iterator[Block]:
    returned = act.returned
    assert returned is not None
    data = returned.data
    role: Role = "failed" if returned.state in ("error", "interrupted") else "dim"
    yield facts(piece(f"{returned.state}: ", role), piece(returned.summary, role))
    for name in ("error", "hint"):
        if isinstance(data.get(name), str) and data[name]:
            yield paragraph(f"{name}: {data[name]}", role)
    if isinstance(data.get("tests"), Sequence):
        yield from _tests(
            [test for test in data["tests"] if isinstance(test, Mapping)], cut_short=bool(data.get("cut"))
        )
    for name, value in data.items():
        if name not in _TOLD_APART and value not in ("", [], {}, None):
            yield paragraph(f"{name}: {value if isinstance(value, str) else _json(value)}", "dim")
    yield from _said(returned.blob, returned.full_bytes, data, blobs)


def _tests(tests: Sequence[Mapping[str, Any]], *, cut_short: bool) -> Iterator[Block]:
    bad = [test for test in tests if test.get("state") not in ("passed", "skipped")]
    passed = [test for test in tests if test.get("state") == "passed"]
    for test in bad[:SHOWN_TESTS]:
        where = f"  {test.get('path')}:{test.get('line')}" if test.get("path") else ""
        yield facts(piece(f"{test.get('state')} ", "failed"), piece(str(test.get("id"))), piece(where, "dim"))
        for name in ("message", "expected", "actual", "frame"):
            if test.get(name):
                yield bullet(f"{name}: {test[name]}", sign=" ", indent=2)
    if len(bad) > SHOWN_TESTS:
        yield facts(piece(f"and {len(bad) - SHOWN_TESTS} more that did not pass", "failed"))
    for test in passed[:PASSED_SHOWN]:
        yield facts(piece("passed ", "proven"), piece(str(test.get("id")), "dim"))
    if len(passed) > PASSED_SHOWN or cut_short:
        more = f"and {len(passed) - PASSED_SHOWN} more that passed" if len(passed) > PASSED_SHOWN else "and more"
        yield facts(piece(more, "dim"))


def _said(blob: str, full: int, data: Mapping[str, Any], blobs: Blobs) -> Iterator[Block]:
    """What it put out: the whole that was kept, else what the event itself has."""
    if blob:
        try:
            raw = blobs.get(blob)
        except WorkbenchError as lost:
            yield paragraph(f"the output cannot be read: {lost.message}", "failed")
            return
        yield heading(f"OUTPUT ({size(full)})")
        yield from _output(raw[:SHOWN_BYTES].decode("utf-8", "replace"), more=len(raw) > SHOWN_BYTES, kept=blob)
        return
    for name in _SAID:
        text = data.get(name)
        if isinstance(text, str) and text.strip() and not (name != "output" and data.get("output")):
            yield heading(name.upper())
            yield from _output(text)


def _output(text: str, *, more: bool = False, kept: str = "") -> Iterator[Block]:
    lines = text.removesuffix("\n").split("\n")
    for words in lines[:SHOWN_LINES]:
        yield _whole_line(words, "plain")
    if more or len(lines) > SHOWN_LINES:
        of = f"first {min(len(lines), SHOWN_LINES)} lines" + ("" if more else f" of {len(lines)}")
        yield facts(piece(f"[{of}; all of it is kept as {kept}]" if kept else f"[{of}]", "needs-you"))


def _whole_line(text: str, role: Role) -> Block:
    words = safe_line(text)
    return Block(lambda cells: (cut((Piece(words, role),), cells),))


def _json(value: Any) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError):
        return repr(value)

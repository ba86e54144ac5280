"""`queue`, `steer` and `interrupt`: words for an agent at work, from the command line."""

from __future__ import annotations

import pytest
from ace_world import Call, World

RUN = "prices.1"


def test_words_are_queued_changed_dropped_and_listed(call: Call, world: World) -> None:
    """Each verb says which message it made and when that is given; a list says what waits, `show` and `log` too."""
    world.mission()
    said = call("queue", RUN, "Mind the\x1b[31m docs")
    assert said.code == 0 and f"MSG-{RUN}-1  queue" in said.out and "no AEE runs" in said.err
    world.at_work(RUN)
    assert call("steer", RUN, "Be brief", "--json").one["when"] == "after the act that is under way"
    assert call("queue", RUN, "--edit", "1", "Mind the tests").code == 0
    assert call("queue", RUN, "--drop", f"MSG-{RUN}-2").code == 0
    (row,) = call("queue", RUN, "--json").rows
    assert (row["kind"], row["id"], row["state"], row["text"]) == (
        "message",
        f"MSG-{RUN}-1",
        "waiting",
        "Mind the tests",
    )
    assert f"MSG-{RUN}-1 (queue) by" in call("show", RUN).out
    log = call("log", RUN).out
    assert "MessageEdited" in log and "\x1b" not in log and "Mind the\\x1b[31m docs" in log


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("queue", RUN, "--drop", "7"), 2, "7"),
        (("queue", RUN, "--edit", "1"), 2, "new TEXT"),
        (("queue", RUN, "x", "--drop", "1"), 2, "neither"),
        (("steer", RUN, "   "), 1, "words"),
        (("interrupt", "nobody", "x"), 2, "nobody"),
    ],
)
def test_what_cannot_be_said_is_refused(call: Call, world: World, words: tuple[str, ...], code: int, told: str) -> None:
    """With the reason and the remedy, before anything is recorded."""
    world.mission()
    said = call(*words)
    assert said.code == code and told in said.err, said.err

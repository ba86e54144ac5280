"""Long runs: the conversation stays within the model's window, and what binds stays word for word."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from tests.aee.drivers.native_stage import ASK, DELIVER, WRITE, Stage
from workbench.aee.drivers.native.options import Options
from workbench.aee.spending import Allowance
from workbench.testing.model_server.messages import BYTES_PER_TOKEN, Failure, Reply, Use, use
from workbench.testing.model_server.server import Received

Make = Callable[..., Stage]
WINDOW = 20_000
STEPS = 800
LONG = Options(max_tokens=1000, window=WINDOW)
RICH = Allowance(usd=1e6)
CLAUSE = "DOD-1: The total is right to the cent, for 17 currencies."
DONE = f"definition_of_done: [{{id: DOD-1, text: {CLAUSE.partition(': ')[2]!r}}}]"
BRIEF = f"---\nid: b\ntitle: T\ngoal: {{objective: o}}\nsuccess_criteria: {{{DONE}}}\n---\n"


def narrow(play: Callable[[int], Reply]) -> Callable[[Received], Reply | Failure]:
    """A server that takes no more than the window, and plays by how many requests it took."""
    taken = 0

    def answer(request: Received) -> Reply | Failure:
        nonlocal taken
        if len(request.body) > WINDOW * BYTES_PER_TOKEN:
            return Failure(status=400, message=f"prompt is too long: {len(request.body)} bytes")
        taken += 1
        return play(taken)

    return answer


def working(number: int) -> Reply:
    """A question first, then much reading, a write, and a delivery."""
    if number == 1:
        return ASK
    if number == STEPS:
        return Reply(uses=(*WRITE.uses, *DELIVER.uses))
    return Reply(text=f"Step {number}.", uses=(Use(tool="read", arguments={"path": f"f{number % 7}"}),))


def test_eight_hundred_steps_fit_a_small_window(stage: Make) -> None:
    """The server never says that it is too long; clauses, the person's answer and open calls are in each request."""
    here = stage(narrow(working), options=LONG, allowance=RICH, brief=BRIEF)
    for number in range(7):
        (here.workplace.root / f"f{number}").write_text(f"line {number}\n" * (50 + 150 * number))
    assert here.turn() == "waiting"
    here.session.answer("CRP-m.1-1")
    assert here.turn() == "submitted"
    assert len(here.asked) == STEPS, "the server refused none"
    for request in here.asked[1:]:
        body = request.json
        text = request.body.decode()
        assert CLAUSE in text
        assert "because of the sliding window" in text
        _pairs(body["messages"])
    assert "left out here; they are kept whole as sha256:" in here.asked[-1].body.decode()
    assert max(len(request.body) for request in here.asked) > WINDOW * BYTES_PER_TOKEN * 0.5, "the window is used"


def _pairs(messages: list[dict[str, Any]]) -> None:
    """Roles in turn, and each call with its outcome in the next message, as the API demands it."""
    assert [message["role"] for message in messages] == ["user", "assistant"] * (len(messages) // 2) + ["user"]
    for asked, told in zip(messages[1::2], messages[2::2], strict=True):
        calls = [block["id"] for block in asked["content"] if block["type"] == "tool_use"]
        assert calls == [block["tool_use_id"] for block in told["content"] if block["type"] == "tool_result"]


def test_what_was_left_out_is_kept_whole(stage: Make) -> None:
    """The blob that the summary names holds the exchanges, and names the one before it."""
    here = stage(
        narrow(lambda n: use("read", path="big") if n < 60 else Reply(text="So.")), options=LONG, allowance=RICH
    )
    (here.workplace.root / "big").write_text("x" * 60 + "\n" + "y\n" * 2000)
    here.turn()
    names = re.findall(r"sha256:[0-9a-f]{64}", here.asked[-1].json["messages"][0]["content"][0]["text"])
    kept = msgspec.json.decode(here.workplace.journal.get(names[0]))
    assert kept["exchanges"][0][0][0]["name"] == "read"
    assert here.workplace.journal.has(kept["earlier"]) or not kept["earlier"]


def test_an_outcome_longer_than_the_window_is_cut(stage: Make) -> None:
    """Head and tail are told, and that it was cut."""
    script = [use("run", command="seq 1 40000"), Reply(text="So.")]
    here = stage(narrow(lambda n: script[n - 1]), options=msgspec.structs.replace(LONG, window=4096), allowance=RICH)
    assert here.turn() == "ended"
    assert "cut ...]" in here.told()


def test_a_server_that_counts_otherwise_is_heeded(stage: Make) -> None:
    """Told that it is too long, the driver makes it shorter and asks again, instead of giving up."""
    taken = 0

    def play(request: Received) -> Reply | Failure:
        nonlocal taken
        if taken == 5 and len(request.json["messages"]) > 9:
            return Failure(status=400, message="prompt is too long: 210000 tokens > 200000 maximum")
        taken += 1
        return use("list") if taken < 7 else Reply(text="So.")

    here = stage(play, allowance=RICH)
    assert here.turn() == "ended"
    assert "were left out here" in here.asked[-1].body.decode()

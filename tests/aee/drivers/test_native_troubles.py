"""The native driver and a server in trouble: limits, errors, streams cut at any byte; what is retried, and what not."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from email.utils import formatdate

import anthropic
import pytest

from tests.aee.drivers.native_stage import KEY, WRITE, Stage, said
from workbench.aee.drivers.native.asking import TRIES
from workbench.aee.drivers.native.client import Client, Trouble
from workbench.model.errors import EnvironmentProblem, Refused
from workbench.model.events import ThoughtRecorded, ToolCalled
from workbench.testing.model_server.messages import PATH, Failure, Reply, Use, messages_route
from workbench.testing.model_server.server import Answer, Received, Server, json_answer

Make = Callable[..., Stage]
DONE = said("Done.")


@pytest.mark.parametrize("told", ["7", "7.0", "date"])
def test_a_limit_of_the_server_is_obeyed(told: str, stage: Make) -> None:
    """With 429 the server says when to come again; nobody comes before."""
    at = formatdate(9e9, usegmt=True)
    here = stage([Failure(status=429, retry_after=told if told != "date" else at), DONE])
    if told == "date":  # in the year 2255: nobody waits as long, and a person is told
        with pytest.raises(EnvironmentProblem):
            here.turn()
        return
    assert here.turn() == "ended"
    assert sum(here.waited) == pytest.approx(7.0)


@pytest.mark.parametrize("status", [500, 503, 529, 408])
def test_an_overloaded_server_is_asked_again(status: int, stage: Make) -> None:
    """Twice as late each time, and the person can read why nothing happens."""
    here = stage([Failure(status=status)] * 3 + [DONE])
    assert here.turn() == "ended"
    assert 0.5 * 0.75 * 7 <= sum(here.waited) <= 0.5 * 1.25 * 7 + 0.3
    assert "Trying again" in here.session.thoughts[0]


def test_a_server_that_never_answers_is_given_up(stage: Make) -> None:
    """The step fails with the remedy, to be tried again later; it does not hang."""
    here = stage([Failure(status=529)] * 50)
    with pytest.raises(EnvironmentProblem) as failed:
        here.turn()
    assert len(here.asked) == TRIES
    assert "agents doctor" in failed.value.hint


@pytest.mark.parametrize("status", [307, 400, 401, 403, 404])
def test_what_the_server_refuses_is_not_asked_again(status: int, stage: Make) -> None:
    """A wrong key or request stays wrong: once, and in words that do not hold the key."""
    here = stage([Failure(status=status, message=f"bad key {KEY}")] * 5)
    with pytest.raises(Refused) as failed:
        here.turn()
    assert len(here.asked) == 1
    assert KEY not in failed.value.message
    assert failed.value.hint


@pytest.mark.parametrize("follows", [False, True], ids=["ours", "control"])
def test_nobody_is_followed_to_another_host_with_the_key_in_hand(follows: bool) -> None:
    """A server that points elsewhere is told to a person; a client that follows gives its key to that host."""
    with Server({PATH: messages_route([DONE])}) as other:
        there = Answer(status=307, headers={"location": f"{other.url}{PATH}"})
        with Server({PATH: lambda _request: there}) as server:
            if follows:
                api = anthropic.Anthropic(api_key=KEY, base_url=server.url, default_headers={"x-api-key": KEY})
                message = {"role": "user", "content": "x"}
                api.post("/v1/messages", cast_to=object, body={"model": "m", "max_tokens": 1, "messages": [message]})
                api.close()
            else:
                with closing(Client(key=KEY, base_url=server.url)) as client, pytest.raises(Trouble, match="307"):
                    client.ask({"model": "m"}, on_text=lambda _: None, stopping=lambda: False)
        assert any(KEY in str(request.headers) for request in other.requests) is follows


def test_an_error_amid_a_stream_is_asked_again_and_booked(stage: Make) -> None:
    """What the server had counted when it broke is paid for."""
    here = stage([Failure(status=529, mid_stream=True), DONE])
    assert here.turn() == "ended"
    assert [(reply.stop, reply.content == "") for reply in here.replies] == [("broken", True), ("end_turn", False)]


def test_a_stream_that_broke_before_it_counted_is_booked_by_our_own_count(stage: Make) -> None:
    """Somebody paid for it, and a budget must not be passed by streams that break early."""
    here = stage([Reply(text="I", cut_at=20), DONE])
    assert here.turn() == "ended"
    broken, whole = here.replies
    assert (broken.stop, whole.stop) == ("broken", "end_turn")
    assert 0.3 * whole.tokens_in < broken.tokens_in < 3 * whole.tokens_in


WHOLE = Reply(text="I write.", uses=(*WRITE.uses, Use(tool="run", arguments={"command": "touch ran"})))


def _length_of(reply: Reply) -> int:
    asked = Received(method="POST", path="/v1/messages", body=b'{"stream": true, "model": "m", "messages": []}')
    return sum(map(len, messages_route([reply])(asked).pieces))


@pytest.mark.parametrize("part", range(8))
def test_a_stream_cut_at_any_byte_is_never_acted_on(part: int, stage: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of a reply that broke off is carried out or said; the one that came whole is, once."""
    monkeypatch.setattr("workbench.aee.drivers.native.asking.SPOKEN_S", 1e9)  # what streams slowly is said meanwhile
    length = _length_of(WHOLE)
    cuts = range(1 + part, length, 53)
    script = [step for cut in cuts for step in (Reply(text=WHOLE.text, uses=WHOLE.uses, cut_at=cut), DONE)]
    here = stage(script)
    for cut in cuts:
        assert here.turn() == "ended", cut
        here.session.request_changes("Again.")
    assert not [event for event in here.session.events if isinstance(event.payload, ToolCalled)]
    assert not [p for e in here.session.events if isinstance(p := e.payload, ThoughtRecorded) and p.text == "I write."]
    assert "made" not in here.workplace.tree()
    here = stage([WHOLE, DONE])
    here.turn()
    assert {"made", "ran"} <= here.workplace.tree().keys(), "the control: whole, it is acted on"


_NO_BLOCK = b'{"type": "content_block_delta", "index": 99, "delta": {"type": "text_delta", "text": "x"}}'
_NO_TEXT = b'{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": 7}}'
GARBAGE = [b"{", b"[]", b"null", b'{"type": "content_block_delta"}', _NO_BLOCK, _NO_TEXT, b"\xff\xfe"]


@pytest.mark.parametrize("garbage", GARBAGE)
def test_events_that_are_none_make_the_reply_void(garbage: bytes, stage: Make) -> None:
    """A stream that does not speak the protocol is asked for again, and nothing of it acted on."""
    here = stage([Reply(uses=WRITE.uses, garbage=garbage), DONE])
    assert here.turn() == "ended"
    assert len(here.asked) == 2
    assert "made" not in here.workplace.tree()


def _body(*events: object) -> bytes:
    return b"".join(b"data: %s\n\n" % json.dumps(event).encode() for event in events)


def _stream(block: object, *, index: object = 0, written: str = "") -> Answer:
    """A reply of one block, as it says."""
    grown = {
        "type": "content_block_delta",
        "index": index,
        "delta": {"type": "input_json_delta", "partial_json": written},
    }
    body = _body(
        {"type": "message_start", "message": {"usage": {"input_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "x"}},
        {"type": "content_block_start", "index": index, "content_block": block},
        *([grown] if written else []),
        {"type": "message_stop"},
    )
    return Answer(pieces=(body,), headers={"content-type": "text/event-stream"})


def _message(**fields: object) -> Answer:
    return json_answer({"content": [], "stop_reason": "end_turn", "usage": {}, **fields})


CALL = {"type": "tool_use", "id": "t", "name": "read", "input": {}}
DEEP = '{"a":' * 300 + "1" + "}" * 300
STRANGE = {
    "a name that is none": _stream({**CALL, "name": ["read"]}),
    "a text that is none": _stream({"type": "text", "text": {"a": 1}}),
    "no kind": _stream({}),
    "a place that is none": _stream(CALL, index="1"),
    "deep": _stream(CALL, written=DEEP),
    "too deep to read": _stream(CALL, written="[" * 5000 + "]" * 5000),
    "deep in one piece": Answer(pieces=(b"[" * 5000 + b"]" * 5000,)),
    "blocks that are none": _message(content="hello"),
    "a page": Answer(pieces=(b"<html>",), headers={"content-type": "text/html"}),
    "a date that is none": Answer(status=429, headers={"retry-after": "Mon, 01 Jan 2024 00:00:00 +99999999999999"}),
}


@pytest.mark.parametrize("answer", STRANGE.values(), ids=STRANGE)
def test_an_answer_of_another_shape_is_trouble_and_no_crash(answer: Answer) -> None:
    """Whatever a server sends, it is asked again, or a person is told; nothing of it is acted on."""
    with Server({PATH: lambda _request: answer}) as server, closing(Client(key=KEY, base_url=server.url)) as client:
        with pytest.raises(Trouble) as trouble:
            client.ask({"model": "m"}, on_text=lambda _: None, stopping=lambda: False)
        assert trouble.value.again


@pytest.mark.parametrize("usage", [None, [], "many", {"input_tokens": "7"}])
def test_counts_that_are_none_do_not_void_a_reply(usage: object) -> None:
    """What it cost is then reckoned by us; see the tests of the budget."""
    with Server({PATH: lambda _request: _message(usage=usage)}) as server:
        with closing(Client(key=KEY, base_url=server.url)) as client:
            reply = client.ask({"model": "m"}, on_text=lambda _: None, stopping=lambda: False)
        assert (reply.stop, reply.usage.total) == ("end_turn", 0)


@pytest.mark.parametrize(
    ("status", "kind"), [(200, "application/json"), (200, "text/event-stream"), (401, "text/html")]
)
def test_an_answer_without_end_is_broken_off(status: int, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not read until memory is full, be it a reply, a stream or an error."""
    monkeypatch.setattr("workbench.aee.drivers.native.client.MAX_ANSWER", 1 << 20)
    answer = Answer(pieces=(b"x" * 65536,) * 2000, status=status, headers={"content-type": kind})
    with (
        Server({PATH: lambda _request: answer}) as server,
        closing(Client(key=KEY, base_url=server.url)) as client,
        pytest.raises(Trouble) as trouble,
    ):
        client.ask({"model": "m"}, on_text=lambda _: None, stopping=lambda: False)
    assert trouble.value.again is (status == 200)
    assert "longer than" in trouble.value.message or status == 401


def test_a_wait_ends_when_the_run_is_stopped(stage: Make) -> None:
    """A server's wish to be left alone for minutes does not hold a stopped run."""
    here = stage([Failure(status=429, retry_after="600")])
    here.session.stop_when = lambda: len(here.waited) > 3
    assert here.turn() == "stopped"
    assert len(here.asked) == 1


def test_replies_that_are_always_cut_end_the_turn(stage: Make) -> None:
    """A limit of tokens that is too small is told to a person after a few replies, with the remedy."""
    here = stage([Reply(text="More", stop_reason="max_tokens")] * 9)
    with pytest.raises(Refused, match="3 replies in a row") as failed:
        here.turn()
    assert "max_tokens" in failed.value.hint

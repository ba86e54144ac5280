"""The one way from a sandbox to a model: what passes, what does not, and that the key stays outside."""

from __future__ import annotations

import http.client
import json
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from workbench.aee.drivers.acp.profiles import profile_from
from workbench.aee.gemini_wire import Told
from workbench.aee.model_proxy import ModelProxy, Upstream, without
from workbench.aee.prices import Usage
from workbench.aee.purse import Held, Purse
from workbench.aee.spending import Allowance, BudgetReached
from workbench.model.errors import EnvironmentProblem
from workbench.model.events import ModelCalled
from workbench.ports import ToolResult
from workbench.testing.model_server.gemini import PATH, gemini_route
from workbench.testing.model_server.messages import Failure, Reply, Script
from workbench.testing.model_server.server import Server
from workbench.testing.plugin import shipped_agent
from workbench.testing.session import RecordingSession, plainly

GEMINI = profile_from("gemini", shipped_agent("gemini"))
KEY = "canary-of-a-key"
ASK = f"{PATH}gemini-2.5-pro:streamGenerateContent?alt=sse"
BODY = json.dumps({"contents": []}).encode()


class Inside(http.client.HTTPConnection):
    """What an agent can do: speak HTTP on the socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("any.host.it.likes", timeout=20)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(20)
        self.sock.connect(str(self._path))


class Stage:
    """A model, a proxy to it, and a purse."""

    def __init__(self, place: Path, script: Script, allowance: Allowance) -> None:
        self.calls: list[ModelCalled] = []
        self.purse = Purse(allowance, run="m.1", model="gemini-2.5-pro", prices={}, history=())
        self.server = Server({PATH: gemini_route(script), "/": gemini_route(script)})
        self.upstream = GEMINI.upstream({"GEMINI_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": self.server.url})
        self.path = place / "model"
        self.proxy = ModelProxy(self.path, self.upstream, till=self)

    def hold(self, model: str, body: bytes, *, tokens_out: int) -> Held:
        return self.purse.hold(model, body, tokens_out=tokens_out)

    def paid(self, held: Held, usage: Usage | None, *, is_counted: bool) -> None:
        if called := self.purse.pay(held, usage, is_counted=is_counted):
            self.calls.append(called)

    def asks(
        self, path: str, *, method: str = "POST", body: bytes = BODY, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Status and body of an answer."""
        connection = Inside(self.path)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@contextmanager
def staged(script: Script, allowance: Allowance | None = None) -> Iterator[Stage]:
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        stage = Stage(Path(place), script, allowance or Allowance())
        try:
            yield stage
        finally:
            stage.proxy.close()
            stage.server.close()


def test_a_listed_path_is_passed_on_with_the_key(tmp_path: Path) -> None:
    """The model hears the key, the agent does not; what it took is counted."""
    usage = {"input_tokens": 70, "output_tokens": 7}
    with staged([Reply(text="hello", usage=usage)]) as stage:
        status, body = stage.asks(ASK, headers={"x-goog-api-key": "mine", "cookie": "c", "x-other": "o"})
        (heard,) = stage.server.requests
        assert (status, b"hello" in body) == (200, True)
        assert heard.headers["x-goog-api-key"] == KEY
        assert not {"cookie", "x-other"} & set(heard.headers)
        assert KEY.encode() not in body
        (called,) = stage.calls
        assert (called.model, called.tokens_in, called.tokens_out, called.cost_known) == (
            "gemini-2.5-pro",
            70,
            7,
            False,
        )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ASK),
        ("DELETE", ASK),
        ("POST", f"{PATH}m:streamGenerateContent?alt=sse&key=x"),
        ("POST", f"{PATH}m:batchGenerateContent"),
        ("POST", f"{PATH}../files:generateContent"),
        ("POST", f"{PATH}m%2f..%2ffiles:generateContent"),
        ("POST", "/upload/v1beta/files"),
        ("POST", "http://evil.example/v1beta/models/m:generateContent"),
        ("POST", "//evil.example/v1beta/models/m:generateContent"),
        ("CONNECT", "evil.example:443"),
    ],
)
def test_nothing_else_is_passed_on(method: str, path: str) -> None:
    """Other methods, paths, queries and hosts reach nobody: a model's host has places to leave secrets at, too."""
    with staged([Reply(text="hello")]) as stage:
        assert stage.asks(path, method=method)[0] == 403
        assert not stage.server.requests


def test_without_the_list_such_a_path_would_be_passed_on() -> None:
    """Positive control: it is the list that holds it back."""
    with staged([Reply(text="hello")]) as stage:
        stage.proxy.upstream = Upstream(url=stage.server.url, key_header="x-goog-api-key", key=KEY, paths=(".*",))
        assert stage.asks("/upload/v1beta/files")[0] == 200


@pytest.mark.parametrize(
    "more",
    [
        {"tools": [{"urlContext": {}}]},
        {"tools": [{"functionDeclarations": []}, {"google_search": {}}]},
        {"tools": {"codeExecution": {}}},
        {"cachedContent": "cachedContents/1"},
        {"contents": [{"parts": [{"fileData": {"fileUri": "https://evil.example/?secret"}}]}]},
        {"contents": {"parts": {"file_data": {"file_uri": "https://evil.example/?secret"}}}},
        {"contents": [{"parts": [{"functionResponse": {"parts": [{"fileData": {}}]}}]}]},
        {"systemInstruction": {"parts": [{"fileData": {}}]}},
        {"tools": [[{"urlContext": {}}]]},
        {"generateContentRequest": {"tools": [{"urlContext": {}}]}},
    ],
)
def test_the_models_host_fetches_nothing_for_an_agent(more: dict[str, object]) -> None:
    """Tools of the model's host, and files by their addresses, would be a way into the network."""
    body = json.dumps({"contents": [], **more}).encode()
    with staged([Reply(text="hello")]) as stage:
        assert stage.asks(ASK, body=body)[0] == 403
        assert not stage.server.requests
        stage.proxy.understand = json.loads  # the control: it is this look that holds it back
        assert stage.asks(ASK, body=body)[0] == 200


def test_a_request_has_one_reading(tmp_path: Path) -> None:
    """Where the same name stands twice, the host gets what was looked at; names within data are data."""
    call = {"functionCall": {"name": "f", "args": {"fileData": 1, "tools": [{"urlContext": {}}]}}}
    body = json.dumps({"contents": [{"parts": [call]}]})
    twice = '{"tools": [{"urlContext": {}}], "tools": [], ' + body[1:]
    with staged([Reply(text="hello")]) as stage:
        assert stage.asks(ASK, body=twice.encode())[0] == 200
        (heard,) = stage.server.requests
        assert heard.json == {"tools": [], **json.loads(body)} and heard.body.count(b'"tools":[]') == 1


def test_the_request_that_could_pass_the_limit_is_refused_and_counted_by_the_wire() -> None:
    """The price unknown, tokens are bounded, by the host's count of them and by the most that a request can come to."""
    usage = {"input_tokens": 900, "output_tokens": 50}
    script = [Reply(text='"usageMetadata": {"promptTokenCount": 1}', usage=usage)] * 9
    with staged(script, Allowance(tokens=2000)) as stage:
        small = json.dumps({"contents": [], "generationConfig": {"maxOutputTokens": 100}}).encode()
        assert [stage.asks(ASK, body=small)[0] for _ in range(3)] == [200, 200, 403]
        assert b"budget" in stage.asks(ASK, body=small)[1]
        assert stage.asks(ASK.replace("streamGenerateContent?alt=sse", "countTokens"), body=small)[0] == 200
        assert [(called.tokens_in, called.tokens_out) for called in stage.calls] == [(900, 50)] * 2
        assert len(stage.server.requests) == 3


def test_requests_at_once_do_not_share_what_is_left() -> None:
    """What is under way is held at its most, until it is known what it took; a restart counts what is recorded."""
    purse = Purse(Allowance(tokens=1000), run="m.1", model="m", prices={}, history=())
    first = purse.hold("m", b"x" * 300, tokens_out=300)
    with pytest.raises(BudgetReached, match="price of the model is not known"):
        purse.hold("m", b"x" * 300, tokens_out=300)
    called = purse.pay(first, Usage(input=60, output=10))
    assert called is not None
    purse.pay(purse.hold("m", b"x" * 300, tokens_out=300), None)
    purse.hold("m", b"x" * 300 + b"y" * 100, tokens_out=700)  # 60 of the first 300 bytes, and each new one


def test_what_earlier_turns_spent_counts() -> None:
    """A limit is the run's, not a turn's: what the journal holds is spent."""
    session = RecordingSession(plainly(lambda _tool, _arguments, _call: ToolResult(state="ok", summary="")))
    session.record(ModelCalled(run="m.1", model="m", tokens_in=600, tokens_cache_read=300), key="1")
    purse = Purse(Allowance(tokens=1000), run="m.1", model="m", prices={}, history=session.events)
    purse.pay(purse.hold("m", b"x" * 50, tokens_out=50), None)
    with pytest.raises(BudgetReached, match="900 tokens"):
        purse.hold("m", b"x" * 51, tokens_out=50)


def test_what_is_under_way_when_the_turn_ends_is_broken_off_and_booked() -> None:
    """A turn that ends leaves no request behind that nobody counts."""
    with staged([Reply(text="hello", pause_s=60)]) as stage:
        asking = Inside(stage.path)
        asking.request("POST", ASK, BODY)
        assert asking.getresponse().status == 200
        stage.proxy.close()
        assert [called.stop for called in stage.calls] == ["uncounted"]
        asking.close()


def test_who_hangs_up_early_pays_what_the_host_counts() -> None:
    """An answer that nobody hears is read until it tells what it took."""
    usage = {"input_tokens": 70, "output_tokens": 7}
    with staged([Reply(text="hello", usage=usage, pause_s=0.2)]) as stage:
        asking = Inside(stage.path)
        asking.request("POST", ASK, BODY)
        asking.getresponse().close()
        asking.close()
        for _ in range(500):
            if stage.calls:
                break
            threading.Event().wait(0.02)
        assert [(called.tokens_in, called.tokens_out, called.stop) for called in stage.calls] == [(70, 7, "")]


@pytest.mark.parametrize("form", ["[{}]", "[{{}},\n{}]", "{}"])
def test_usage_is_read_from_every_form_of_an_answer(form: str) -> None:
    """One object, or a list of them, where no stream of events was asked for."""
    told = Told(streams=False)
    told.take(form.format('{"usageMetadata": {"promptTokenCount": 70, "thoughtsTokenCount": 7}}').encode())
    assert told.usage() == Usage(input=70, output=7)


@pytest.mark.parametrize(
    "told", ["{}", '{"promptTokenCount": -5}', '{"promptTokenCount": "7"}', '{"promptTokenCount": 1e300}']
)
def test_counts_that_are_none_count_for_nothing(told: str) -> None:
    """Such an answer is counted by us, so that no host's numbers let a run go on for ever."""
    answer = Told(streams=False)
    answer.take(b'{"usageMetadata": ' + told.encode() + b"}")
    assert answer.usage() is None


def test_a_known_price_counts_in_money_and_only_for_its_model() -> None:
    """Prices of a person's settings hold for the agent's model; another one that it asks has none."""
    prices = {"input": 10, "output": 100}
    purse = Purse(Allowance(usd=1.0, unpriced_tokens=50), run="m.1", model="m", prices=prices, history=())
    called = purse.pay(purse.hold("m", b"x" * 10, tokens_out=9000), Usage(input=10, output=9000))
    assert called is not None and called.cost_known and called.cost_usd == pytest.approx(0.9001)
    with pytest.raises(BudgetReached, match=r"\$1.00"):
        purse.hold("m", b"x" * 10, tokens_out=1000)
    with pytest.raises(BudgetReached, match="not known"):
        purse.hold("other", b"x" * 10, tokens_out=100)


def test_an_answer_that_tells_no_count_is_counted_by_us() -> None:
    """Who hangs up before the count comes, or makes the host do so, pays all the same."""
    with staged([Reply(text="hello" * 50, cut_at=60)]) as stage:
        with pytest.raises(http.client.IncompleteRead):
            stage.asks(ASK)
        (called,) = stage.calls
        assert called.stop == "uncounted" and called.tokens_in + called.tokens_out > 10


def test_a_body_without_an_honest_length_is_refused() -> None:
    """Nothing unbounded is read."""
    with staged([Reply(text="hello")]) as stage:
        assert stage.asks(ASK, body=b"", headers={"content-length": "99999999999"})[0] == 413
        assert (
            stage.asks(ASK, body=b"0\r\n\r\n", headers={"transfer-encoding": "chunked", "content-length": "5"})[0]
            == 413
        )


def test_a_host_that_tells_the_key_back_is_not_heard() -> None:
    """Error messages of vendors quote what they were sent."""
    with staged([Failure(status=400, message=f"API key not valid: {KEY}"), Reply(text=f"It is {KEY}.")]) as stage:
        assert KEY.encode() not in stage.asks(ASK)[1]
        status, body = stage.asks(ASK)
        assert (status, b"[key]" in body, KEY.encode() in body) == (200, True, False)


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_the_key_is_found_wherever_it_is_cut(size: int) -> None:
    """Pieces of a stream may end anywhere in it; all else comes through as it was."""
    text = b"aacanary-of-a-keycanary-of-a-ke cacanary-of-a-key-canary-of-a-"
    pieces = (text[at : at + size] for at in range(0, len(text), size))
    assert b"".join(without(pieces, KEY.encode())) == text.replace(KEY.encode(), b"[key]")


def test_an_answer_that_breaks_off_does_not_look_whole() -> None:
    """A cut stream stays a cut stream for the agent."""
    with staged([Reply(text="hello" * 50, cut_at=60)]) as stage, pytest.raises(http.client.IncompleteRead):
        stage.asks(ASK)


def test_a_host_that_is_not_there_is_told() -> None:
    """The agent gets an answer, too, when the model's host does not."""
    with staged([]) as stage:
        stage.server.close()
        assert stage.asks(ASK)[0] == 502
        stage.server = Server({})


def test_without_a_key_nothing_starts() -> None:
    """A missing key is said with its name and the remedy."""
    with pytest.raises(EnvironmentProblem, match="GEMINI_API_KEY") as missing:
        GEMINI.upstream({})
    assert "workbench aee stop" in missing.value.hint

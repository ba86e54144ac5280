"""The one way from a sandbox to a model: what passes, what does not, and that the key stays outside."""

from __future__ import annotations

import http.client
import json
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from workbench.aee.drivers.acp.profiles import GEMINI
from workbench.aee.model_proxy import ModelProxy, Upstream, Usage, without
from workbench.model.errors import EnvironmentProblem
from workbench.testing.model_server.gemini import PATH, gemini_route
from workbench.testing.model_server.messages import Failure, Reply, Script
from workbench.testing.model_server.server import Server

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
    """A model, and a proxy to it."""

    def __init__(self, place: Path, script: Script) -> None:
        self.calls: list[Usage] = []
        self.server = Server({PATH: gemini_route(script), "/": gemini_route(script)})
        self.upstream = GEMINI.upstream({"GEMINI_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": self.server.url})
        self.path = place / "model"
        self.proxy = ModelProxy(self.path, self.upstream, on_call=self.calls.append)

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
def staged(script: Script) -> Iterator[Stage]:
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        stage = Stage(Path(place), script)
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
        assert stage.calls == [Usage(model="gemini-2.5-pro", status=200, tokens_in=70, tokens_out=7)]


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

"""`agents list | doctor | try`: what is configured, whether it could work, and one tiny turn to see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from repositories import Person

from workbench.aee.sandbox.select import probe
from workbench.testing.model_server.messages import PATH, Failure, Step, messages_route, use
from workbench.testing.model_server.server import Server, json_answer
from workbench.testing.repositories import Repo

KEY = "sk-canary-0b6e"
NATIVE = '[agents.loop]\ndriver = "native"\nmodel = "claude-haiku-4-5"\n'
WORKS = [
    use("read", path="greeting.txt"),
    use("edit", path="answer.txt", content="HELLO\n"),
    use("submit_merge_readiness", message="Answer"),
]


class Scene:
    """A person with one agent, and a model."""

    def __init__(self, root: Path, script: list[Step], settings: str = NATIVE) -> None:
        self.server = Server({PATH: messages_route(script), "/": lambda _: json_answer({})})
        self.person = Person(root / "home")
        self.person.env |= {"ANTHROPIC_BASE_URL": self.server.url, "ANTHROPIC_API_KEY": KEY}
        self.repo = Repo(root / "repo")
        self.repo.commit({".workbench/config.toml": settings, "a.txt": "a\n"})

    def says(self, *words: str) -> tuple[int, str]:
        answer = self.person.types(self.repo.path, "agents", *words)
        assert KEY not in answer.out + answer.err
        return answer.code, answer.out


@pytest.fixture
def scenes() -> Iterator[list[Scene]]:
    made: list[Scene] = []
    yield made
    for scene in made:
        scene.server.close()


def test_agents_are_listed_with_the_one_that_works_by_default(tmp_path: Path, scenes: list[Scene]) -> None:
    """A row each: driver, model, and where it is configured."""
    scenes.append(
        Scene(tmp_path, [], NATIVE + '[agents.other]\ndriver = "scripted"\nscript = "a.yaml"\n[run]\nagent = "loop"\n')
    )
    answer = scenes[0].person.types(scenes[0].repo.path, "agents", "list")
    assert '"id":"loop","driver":"native","model":"claude-haiku-4-5"' in answer.out
    assert '"is_default":true' in answer.out.splitlines()[0]
    assert ".workbench/config.toml" in answer.out


def test_doctor_says_what_an_agent_lacks_and_never_the_key(tmp_path: Path, scenes: list[Scene]) -> None:
    """Driver, model, key and server; without any of them, the remedy."""
    scenes.append(Scene(tmp_path, []))
    code, out = scenes[0].says("doctor")
    assert (code, out.count('"ok"')) == (0, 4), out
    assert all(
        request.method == "HEAD" and "authorization" not in request.headers for request in scenes[0].server.requests
    )
    scenes[0].person.env |= {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "ANTHROPIC_API_KEY": ""}
    code, out = scenes[0].says("doctor", "loop")
    assert (code, '"id":"loop/server","state":"fail"' in out) == (1, True)
    del scenes[0].person.env["ANTHROPIC_BASE_URL"]
    assert '"id":"loop/key","state":"fail"' in scenes[0].says("doctor")[1]
    assert scenes[0].says("doctor", "nobody")[0] == 2


def test_a_key_that_no_driver_takes_is_named_with_its_line(tmp_path: Path, scenes: list[Scene]) -> None:
    """By `agents doctor`, `doctor` and `config show`, with the key that is close; also of an agent that is data."""
    scenes.append(Scene(tmp_path, [], NATIVE + 'max_token = 9\n[agents.gem]\ndriver = "gemini"\npatience = 3\n'))
    place, told = scenes[0].person, (".workbench/config.toml:4", "did you mean `max_tokens`?")
    code, out = scenes[0].says("doctor", "loop")
    row = next(json.loads(line) for line in out.splitlines() if '"loop/settings"' in line)
    assert (code, row["state"], row["text"].partition(": ")[0], row["remedy"]) == (0, "warn", *told)
    checks = place.types(scenes[0].repo.path, "doctor").out
    shown = place.types(scenes[0].repo.path, "config", "show")
    assert told[0] in checks and told[0] in shown.err
    assert "patience_s" in checks and "patience_s" in shown.err
    rows = {row["id"]: row["origin"] for row in map(json.loads, shown.out.splitlines())}
    assert rows["agents.loop.max_token"] == told[0]


@pytest.mark.parametrize(("script", "ok"), [(WORKS, True), ([Failure(status=401, message=KEY)], False), ([], False)])
def test_an_agent_can_be_tried(script: list[Step], ok: bool, tmp_path: Path, scenes: list[Scene]) -> None:
    """One tiny turn, outside of the repository and its journal; what came back, and what it cost."""
    if not (found := probe("bubblewrap")).works:
        pytest.skip(found.reason)
    scenes.append(Scene(tmp_path, script))
    code, out = scenes[0].says("try", "loop")
    assert (code, f'"ok":{str(ok).lower()}' in out) == (0 if ok else 1, True), out
    assert scenes[0].repo.git("status", "--porcelain") == ""
    if ok:
        assert '"answer":"HELLO"' in out
        assert '"cost_known":true' in out

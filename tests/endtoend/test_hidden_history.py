"""What only the history or the modes of a branch hold reaches the verdict through `mrp build`, with no agent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from repositories import Answer, Person

from workbench.aee.sandbox.select import probe
from workbench.testing.repositories import Repo

LEVEL = () if probe("bubblewrap").works else ("--sandbox", "none")
LENIENT = "id: lenient\nversion: '1'\nrigor: lenient\nrequire_brief: false\nsandbox: {minimum: none}\n"
BASE = {"Makefile": "test:\n\tgrep -q good product.txt\n", "product.txt": "good\n", ".workbench/policy.yaml": LENIENT}
KEY = "AKIA" + "Q7W3E5R8T2Y6U4I9"


class Scene:
    def __init__(self, root: Path) -> None:
        self.root, self.person, self.repo = root / "project", Person(root / "home"), Repo(root / "project")
        self.repo.commit({**BASE})
        self.repo.branch("work")

    def build(self) -> Answer:
        return self.person.types(self.root, "mrp", "build", "--base", "main", "--head", "work", *LEVEL)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.person.types(made.root, "aee", "stop")


def findings(answer: Answer) -> set[str]:
    return {finding["kind"] for finding in answer.one["findings"]}


def test_what_came_and_went_is_not_ready(scene: Scene) -> None:
    """A secret that a later commit took away, a link out and a steering message are all named.

    Control: the same branch without them has none of these findings.
    """
    scene.repo.commit({"product.txt": "good and new\n"}, "Plain")
    plain = scene.build()
    assert findings(plain) == set(), plain
    scene.repo.commit({"conf.py": f"KEY = '{KEY}'\n"}, "Add \x1b[2Jit")
    (scene.root / "link").symlink_to("../../outside")
    scene.repo.commit({"conf.py": None}, "Take it away")
    answer = scene.build()
    assert (answer.code, answer.one["verdict"]) == (1, "not-ready"), answer
    assert findings(answer) >= {"secrets.aws-key", "modes.link-out", "text.commit-message"}
    assert KEY not in str(answer.one)

"""The scripted model server as people use it: a script in a file, a process, an address to export."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from workbench.aee.drivers.native.client import Client
from workbench.model.errors import ArtifactInvalid
from workbench.testing.model_server.script import parse

DOCS = Path(__file__).parents[3] / "workbench/docs/agents.md"
EXAMPLE = re.search(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)


def test_the_documented_script_is_served(tmp_path: Path) -> None:
    """The page's own example parses; a client reaches the model at the printed address."""
    assert EXAMPLE is not None
    assert len(parse(EXAMPLE[1], "script.yaml")) == 4
    (tmp_path / "script.yaml").write_text(EXAMPLE[1])
    words = [sys.executable, "-m", "workbench.testing.model_server", str(tmp_path / "script.yaml")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip().partition("=")[2]
        with closing(Client(key="k", base_url=url)) as client:
            body = {"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "x"}]}
            reply = client.ask(body, on_text=lambda _: None, stopping=lambda: False)
        server.terminate()
    assert [block["type"] for block in reply.content] == ["text", "tool_use"]


@pytest.mark.parametrize(
    "text", ["", "a: b", "- 7", "- {call: 3}", "- {say: [1]}", "- {fail: x}", "[", "- {what: 1, fail: 9}"]
)
def test_a_broken_script_is_told(text: str) -> None:
    """With the number of the reply and what may stand there."""
    with pytest.raises(ArtifactInvalid) as wrong:
        parse(text, "s.yaml")
    assert wrong.value.hint

"""Every format that is read from other hands: good examples, who reads it, and which refusals its callers expect."""

# ruff: noqa: E501 - examples are as they come

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from acp.schema import SessionNotification

from tests.artifacts.paper_pack import PACK
from workbench.ace.demo import shop as _shop
from workbench.ace.tui.text import safe_lines
from workbench.ace.wiring import differing, outputs
from workbench.aee.drivers import script as scripts
from workbench.aee.drivers.acp.acts import Acts
from workbench.aee.mcp.server import Offer, Progress, Said, _Client
from workbench.artifacts import brief, configuration, consultation, loop, mentor, mergepack, people, policy, resolution
from workbench.artifacts.scaffold import files
from workbench.code.unified import FileDiff
from workbench.evidence import dependencies
from workbench.evidence.coverage import statements_of
from workbench.evidence.junit import ReportInvalid, outcomes_of, parse_junit
from workbench.evidence.witness import parse_testimony
from workbench.model import text
from workbench.model.digests import canonical
from workbench.model.errors import ArtifactInvalid
from workbench.model.events import decode_payload
from workbench.pluginhost import manifest
from workbench.repository import change, history

PAPER = Path(__file__).parents[1] / "artifacts" / "paper"
SHOP = Path(_shop.__path__[0]) / ".workbench"
SCAFFOLD = {path: content.encode() for path, content in files(owner="Ada", email="ada@example.org").items()}


class Format(NamedTuple):
    """`read` gets the bytes; an error of the house, or one of `refuses`, is an answer, anything else is a fault."""

    examples: tuple[bytes, ...]
    read: Callable[[bytes], object]
    refuses: tuple[type[Exception], ...] = ()


def artifact(module: Any, path: str) -> Callable[[bytes], object]:
    """Parse, then render and digest what was understood, as its screens and stores do; the check must agree."""

    def read(data: bytes) -> object:
        problems = module.check(data, path)
        for problem in problems:
            assert problem.path == path and problem.line >= 0 and problem.text and problem.remedy, problem
        try:
            value = module.parse(data, path)
        except ArtifactInvalid as refused:
            assert problems and refused.problems
            raise
        if module is not mergepack:  # a pack is rendered for people, and not read back
            rendered = module.render(value)
            assert module.digest(module.parse(rendered, path)) == module.digest(value), "rendering changed its meaning"
        return value

    return read


def settings(data: bytes) -> object:
    """The configuration; its check must agree."""
    problems = configuration.check(data, "config.toml")
    for problem in problems:
        assert problem.path == "config.toml" and problem.text and problem.remedy, problem
    return configuration.parse(data, "config.toml")


def terminal(data: bytes) -> object:
    """What passes to a screen holds nothing that could steer it."""
    told = data.decode("utf-8", "surrogateescape")
    shown = text.visible(told)
    assert text.hidden_at(shown) < 0
    for line in outputs.readable(data):
        assert text.hidden_at(text.one_line(line, 80)) < 0
    for line in list(safe_lines(told))[:50]:
        assert text.hidden_at(line) < 0
    assert text.cell_width(text.clip(shown, 40)) <= 40
    return shown


class _Tools:
    """One tool, which says what it was given."""

    offers = (Offer(name="echo", description="Says it.", parameters={"type": "object"}),)

    def call(self, name: str, arguments: Mapping[str, Any], progress: Progress) -> Said:
        progress("begun")
        msgspec.json.encode(arguments)  # it is recorded
        return Said(text=json.dumps(arguments)[:1000])


def mcp(data: bytes) -> object:
    """Lines as a client in the sandbox could send them."""
    ours, theirs = socket.socketpair()
    drained = threading.Thread(target=_drain, args=(theirs,), daemon=True)
    sending = threading.Thread(target=_send, args=(theirs, data), daemon=True)
    drained.start()
    sending.start()
    try:
        with ours:
            _Client(ours, _Tools()).serve()
    finally:
        sending.join(5.0)
        drained.join(5.0)
        theirs.close()
    return None


def _drain(end: socket.socket) -> None:
    try:
        while end.recv(1 << 16):
            pass
    except OSError:
        return


def _send(end: socket.socket, data: bytes) -> None:
    try:
        end.sendall(data)
        end.shutdown(socket.SHUT_WR)
    except OSError:
        return


def acp(data: bytes) -> object:
    """Updates as the protocol's library hands them on: JSON objects, one a line, with anything in them."""
    recorded: list[object] = []
    acts = Acts("m.1", "session", record=lambda payload, _key: recorded.append(payload), say=recorded.append)
    for line in data.split(b"\n"):
        try:
            update = json.loads(line)
        except (ValueError, RecursionError):
            continue
        with contextlib.suppress(ValueError):  # the protocol's library refuses what is none of it
            told = SessionNotification.model_validate({"sessionId": "s", "update": update})
            acts.take(told.update.model_dump(mode="json", by_alias=True, exclude_none=True))
    acts.flush()
    acts.settle()
    return msgspec.json.encode(recorded)


def event(data: bytes) -> object:
    """A payload as a run's child reports it, of every kind that has these fields."""
    for kind in ("ToolCalled", "RunQueued", "ConsultationRaised", "PackSubmitted", "Later"):
        try:
            decode_payload(kind, data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
    return None


def numstat(data: bytes) -> object:
    """`diff --numstat -z`."""
    return differing.read_counts(data)


def raw_diff(data: bytes) -> object:
    """`diff-tree -r -z`."""
    return differing.read_entries(data.decode("utf-8", "surrogateescape").split("\0")[:-1])


def diff(data: bytes) -> object:
    """A patch, as the screen shows it and as collectors count in it."""
    shown = FileDiff(data)
    for index in range(min(len(shown), 200)):
        shown.text(index), shown.numbers(index)
    for section in change._sections(data):
        change._numbers(section)
    return list(history._sections(data.split(b"\n")))


def testimony(data: bytes) -> object:
    """The records of a run of tests, as they come and under a seal that holds: the tests write what is in them."""
    key = b"k" * 32
    records = data if data.endswith(b"\n") else data + b"\n"
    seal = json.dumps({"kind": "seal", "mac": hmac.new(key, records, hashlib.sha256).hexdigest()}).encode()
    return parse_testimony(data, key), parse_testimony(records + seal + b"\n", key)


def plugin(data: bytes) -> object:
    """A plugin's manifest."""
    found, problems = manifest.read(data, "plugin.toml")
    assert found is not None or problems
    for problem in problems:
        assert problem.text and problem.remedy, problem
    if found is None:
        raise ArtifactInvalid("this is no manifest", problems)
    return found


def requirements(data: bytes) -> object:
    """Files in which a project names what it needs; these errors are what the collector of them expects."""
    told, found = data.decode("utf-8", "replace"), []
    for name in ("requirements.txt", "environment.yml", *dependencies._READERS):
        read = dependencies._reader(name)
        assert read is not None
        with contextlib.suppress(ValueError, TypeError, AttributeError, RecursionError):
            found.append(read(told))
    return found


def _scaffold(part: str) -> tuple[bytes, ...]:
    return tuple(content for path, content in SCAFFOLD.items() if part in path)


def _shop_files(pattern: str) -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in sorted(SHOP.glob(pattern)))


_CONFIG = b"""[run]
max_runs = 4

[agents.ada]
driver = "scripted"
script = ".workbench/ada.yaml"

[tests]
command = ["pytest", "-q"]
timeout_s = 60
"""
_JUNIT = b"""<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="3" time="0.1">
<testcase classname="tests.test_a" name="test_ok" file="tests/test_a.py" line="3" time="0.001"/>
<testcase classname="tests.test_a" name="test_bad[x]"><failure message="assert 1 == 2">trace</failure></testcase>
<testcase classname="tests.test_a" name="test_skip"><skipped message="later"/></testcase>
</testsuite></testsuites>"""
_MCP = b"""{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{}}}
{"jsonrpc":"2.0","method":"notifications/initialized"}
{"jsonrpc":"2.0","id":2,"method":"tools/list"}
{"jsonrpc":"2.0","id":"3","method":"tools/call","params":{"name":"echo","arguments":{"a":1},"_meta":{"progressToken":7}}}
[{"jsonrpc":"2.0","id":4,"method":"ping"}]
"""
_ACP = b"""{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"I look at it."}}
{"sessionUpdate":"tool_call","toolCallId":"c1","title":"Read shop.py","kind":"read","status":"pending","locations":[{"path":"/shop.py","line":3}],"rawInput":{"path":"shop.py"}}
{"sessionUpdate":"tool_call_update","toolCallId":"c1","status":"completed","content":[{"type":"content","content":{"type":"text","text":"PRICE = 1"}}]}
{"sessionUpdate":"plan","entries":[{"content":"Read","priority":"high","status":"pending"}]}
{"sessionUpdate":"tool_call","toolCallId":"c2","title":"edit","kind":"edit","status":"completed","content":[{"type":"diff","path":"a","oldText":"x","newText":"y"}]}
"""
_EVENT = b"""{"run":"m.1","mission":"m","agent":"a","driver":"scripted","branch":"b","base_commit":"c","call":"1","tool":"t",
"arguments":{"x":[1,2]},"consultation":"q","mode":"blocking","category":"scope","title":"T","options":["A"],"document":{"id":"q"}}"""
_DIFF = b"""%s
diff --git a/shop.py b/shop.py
index %s..%s 100644
--- a/shop.py
+++ b/shop.py
@@ -1,3 +1,4 @@ def price():
 one
-two
+2
+3
 three
\\ No newline at end of file
diff --git "a/a\\303\\244.txt" "b/a\\303\\244.txt"
new file mode 100644
@@ -0,0 +1 @@
+x
""" % (b"f" * 40, b"a" * 40, b"b" * 40)
_RAW = b":100644 100755 %s %s M\0shop.py\0:100644 100644 %s %s R087\0a.py\0b.py\0:000000 120000 %s %s A\0link\0" % (
    (b"a" * 40, b"b" * 40) * 3
)
_NUMSTAT = b"1\t2\tshop.py\0-\t-\tlogo.png\0" + b"0\t0\t\0old.py\0new.py\0"
_ANSI = '\x1b[31mred\x1b[0m plain\ttab \u4f60\u597d \U0001f600 e\u0301\r\n{"a": [1]}\n[bold]x[/bold]\n'.encode()
_LOOP = b"""id: careful
version: "1"
rigor: standard
stages:
  - id: write
    role: author
    versions: 2
    until: delivered
  - id: review
    needs: [write]
    role: reviewer
escalations:
  - when: stuck
    to: owner
    mode: blocking
"""
PLUGINS = tuple(path.read_bytes() for path in sorted(Path(__file__).parents[2].glob("plugins/*/plugin.toml")))
_TRACE = b"""{"kind":"warden"}
{"kind":"start","python":"3.11.7","prefix":"/usr"}
{"kind":"collected","ids":["tests/test_a.py::test_ok","tests/test_a.py::test_bad"]}
{"kind":"began","id":"tests/test_a.py::test_ok"}
{"kind":"phase","id":"tests/test_a.py::test_ok","when":"call","outcome":"passed","message":"","seconds":0.1,"text":"","path":"tests/test_a.py","line":3}
{"kind":"ended","id":"tests/test_a.py::test_ok"}
{"kind":"began","id":"tests/test_a.py::test_bad"}
{"kind":"phase","id":"tests/test_a.py::test_bad","when":"call","outcome":"failed","message":"assert 1 == 2","seconds":0.1,"text":"E","path":"tests/test_a.py","line":7}
{"kind":"ended","id":"tests/test_a.py::test_bad"}
{"kind":"machinery","altered":[]}
{"kind":"modules","files":{"shop":"/shop.py"}}
{"kind":"coverage-places","files":{"/shop.py":[1,2]}}
{"kind":"coverage","files":{"/shop.py":[1]}}
{"kind":"finish","code":1}
{"kind":"exit","code":1}
"""
_MANIFESTS = (
    b"[options]\ninstall_requires =\n  requests>=2\n",
    b'[packages]\nflask = "*"\n',
    b"name: x\ndependencies:\n  - numpy=1\n  - pip:\n    - flask\n",
    b"from setuptools import setup\nsetup(name='x', install_requires=['requests>=2'])\n",
    b'[project]\ndependencies = ["requests>=2"]\n[tool.poetry.dependencies]\nflask = "*"\n',
    b'{"dependencies": {"left-pad": "1"}, "devDependencies": {}}\n',
    b"requests>=2  # why\n-r other.txt\n",
)

FORMATS: dict[str, Format] = {
    "brief": Format((PAPER.joinpath("brief.md").read_bytes(), *_scaffold("briefs/")), artifact(brief, "brief.md")),
    "loop": Format((_LOOP, *_scaffold("loops/")), artifact(loop, "loop.yaml")),
    "mentor rule": Format((*_scaffold("mentor/"), *_shop_files("mentor/*.md")), artifact(mentor, "rule.md")),
    "policy": Format((*_scaffold("policy"), *_shop_files("policy.yaml")), artifact(policy, "policy.yaml")),
    "people": Format(_scaffold("people"), artifact(people, "people.yaml")),
    "consultation": Format((PAPER.joinpath("consultation.yaml").read_bytes(),), artifact(consultation, "crp.yaml")),
    "resolution": Format((PAPER.joinpath("resolution.md").read_bytes(),), artifact(resolution, "vcr.md")),
    "pack": Format((canonical(PACK),), artifact(mergepack, "pack.json")),
    "configuration": Format((_CONFIG, *_scaffold("config")), settings),
    "agent script": Format(_shop_files("agents/*.yaml"), scripts.parse),
    "plugin manifest": Format(PLUGINS, plugin),
    "JUnit": Format((_JUNIT,), lambda data: outcomes_of(parse_junit(data)), (ReportInvalid,)),
    "testimony": Format((_TRACE,), testimony),
    "Python source": Format((b"def f(x):\n    if x:\n        return 1\n    return 2\n",), statements_of, (ValueError,)),
    "manifests": Format(_MANIFESTS, requirements),
    "MCP": Format((_MCP,), mcp, (ValueError, OSError)),
    "ACP": Format((_ACP,), acp),
    "event": Format((_EVENT,), event),
    "ANSI": Format((_ANSI,), terminal),
    "git diff": Format((_DIFF,), diff),
    "git numstat": Format((_NUMSTAT,), numstat),
    "git raw diff": Format((_RAW,), raw_diff),
}

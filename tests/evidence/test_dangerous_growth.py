"""Dangerous calls, functions that grow hard to follow and code that stands twice are found in added lines alone."""

from __future__ import annotations

import pytest

from workbench.evidence.dangerous import Dangerous
from workbench.evidence.growth import Growth
from workbench.testing.changes import TreeChange

CALLS = {
    "eval(text)": "high", "from pickle import loads as l\nl(data)": "high", "import os as o\no.system(cmd)": "high",
    "subprocess.run(cmd, shell=True)": "high", "yaml.load(f)": "high", "requests.get(u, verify=False)": "high",
    "os.system('ls')": "medium", "hashlib.md5(x)": "low", "tempfile.mktemp()": "medium",
}  # fmt: skip
HARMLESS = ("yaml.load(f, Loader=yaml.SafeLoader)", "frame.eval('a')", "ast.literal_eval(x)", "run(cmd, shell=False)",
            "verify(True)", "model.eval()", "json.loads(x)", "retrieval(x)")  # fmt: skip
ELSEWHERE = {
    "a.js": ("eval(code)", "high"), "b.ts": ("el.innerHTML = text", "medium"),
    "c.js": ("rejectUnauthorized: false", "high"),
    "d.go": ("&tls.Config{InsecureSkipVerify: true}", "high"), "e.rs": ("unsafe { f() }", "low"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "severity"), CALLS.items())
def test_dangerous_calls_are_found_with_their_severity(call: str, severity: str) -> None:
    """Also under another name; grave ones fail the evidence; in tests each is of low severity."""
    found = Dangerous().collect(TreeChange.of({"a.py": "x = 1\n"}, {"a.py": f"x = 1\n{call}\n"}))
    assert [(f.severity, f.path) for f in found.findings] == [(severity, "a.py")]
    assert found.evidence[0].state == ("failed" if severity == "high" else "passed")
    in_tests = Dangerous().collect(TreeChange.of({}, {"tests/test_a.py": f"{call}\n"}))
    assert [f.severity for f in in_tests.findings] == ["low"]


def test_harmless_and_older_calls_are_not_found() -> None:
    """Safe loaders, methods of the same name and lines that were there give nothing; unread files are no pass."""
    for call in HARMLESS:
        assert Dangerous().collect(TreeChange.of({}, {"a.py": f"{call}\n"})).findings == (), call
    assert Dangerous().collect(TreeChange.of({"a.py": "eval(x)\n"}, {"a.py": "eval(x)\ny = 1\n"})).findings == ()
    assert Dangerous().collect(TreeChange.of({}, {"a.py": "eval(\n"})).evidence[0].state == "not-checked"


def test_other_languages_have_theirs() -> None:
    """JavaScript, TypeScript, Go and Rust are read by lines."""
    found = Dangerous().collect(TreeChange.of({}, {path: f"{text}\n" for path, (text, _) in ELSEWHERE.items()}))
    assert {f.path: f.severity for f in found.findings} == {path: grave for path, (_, grave) in ELSEWHERE.items()}


def branchy(ways: int) -> str:
    return "class A:\n    def f(self, a):\n" + "".join(
        f"        if a == {n}:\n            a += 1\n" for n in range(ways)
    )


def test_functions_that_grow_hard_to_follow_are_named() -> None:
    """A function that gains several ways and has many is a finding of low severity; one that shrank is none."""
    grown = Growth().collect(TreeChange.of({"a.py": branchy(6)}, {"a.py": branchy(12)}))
    assert [(f.kind, f.line, f.severity) for f in grown.findings] == [("growth.complexity", 2, "low")]
    assert "A.f is hard to follow: it went from 7 to 13 ways" in grown.findings[0].text
    for before, after in ((20, 15), (12, 13), (0, 5)):
        assert Growth().collect(TreeChange.of({"a.py": branchy(before)}, {"a.py": branchy(after)})).findings == ()


def test_code_that_stands_twice_is_named_once() -> None:
    """A run of added lines that another place has is one finding that names both places."""
    block = "".join(f"    total += weight_{n} * value_{n}\n" for n in range(12))
    base = {"a.py": f"def f():\n{block}"}
    found = Growth().collect(
        TreeChange.of(base, {"a.py": f"def g():\n    pass\n\n\ndef f():\n{block}", "b.py": f"def h():\n{block}"})
    )
    assert [(f.kind, f.path, f.line) for f in found.findings] == [("growth.copied", "b.py", 2)]
    assert "a.py:6" in found.findings[0].text

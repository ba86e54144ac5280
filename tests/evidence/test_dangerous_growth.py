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


def unused(base: dict[str, str], result: dict[str, str]) -> list[tuple[str, int, str]]:
    found = Growth().collect(TreeChange.of(base, result)).findings
    return [(each.path, each.line, each.text) for each in found if each.kind == "growth.unused"]


def test_what_nothing_uses_is_named() -> None:
    """New private names and imports without a use, and those whose last use went, in each language."""
    base = {
        "a.py": "import os\nimport re\n\ndef _old(n):\n    return n\n\ndef f(n):\n    return _old(n), os, re\n",
        "b.ts": "import { x } from './lib';\nfunction old() {}\nexport const g = () => old() + x;\n",
    }
    result = {
        "a.py": "import os\nimport re\n\ndef _old(n):\n    return n\n\n_NEW = 1\n\ndef f(n):\n    return n, os\n",
        "b.ts": "import { x } from './lib';\nfunction old() {}\nconst fresh = 1;\nexport const g = () => 2;\n",
        "c.go": "package c\n\nfunc helper() {}\n\nfunc main() {}\n",
        "d.rs": "fn aider() {}\n\n#[test]\nfn kept() {}\n\npub fn open() {}\n",
    }
    assert unused(base, result) == [
        ("a.py", 2, "The import re can go: nothing uses it any more"),
        ("a.py", 4, "The function _old can go: nothing uses it any more"),
        ("a.py", 7, "The constant _NEW can go: it is new, and nothing uses it"),
        ("b.ts", 1, "The import x can go: nothing uses it any more"),
        ("b.ts", 2, "The function old can go: nothing uses it any more"),
        ("b.ts", 3, "The constant fresh can go: it is new, and nothing uses it"),
        ("c.go", 3, "The function helper can go: it is new, and nothing uses it"),
        ("d.rs", 1, "The function aider can go: it is new, and nothing uses it"),
    ]


@pytest.mark.parametrize("source", [
    "@app.route('/')\ndef _page():\n    pass\n", "def _x():\n    pass\nprint(globals()['_' + 'x'])\n",
    "class A(Base):\n    def _hook(self):\n        pass\n", "__all__ = ['_x']\n_x = 1\n",
    "import plugin  # noqa: F401\n", "from a import b as b\n", "from __future__ import annotations\n",
    "try:\n    import fast\nexcept ImportError:\n    pass\n", "def _broken(:\n", "# see _x\n_x = 1\n",
])  # fmt: skip
def test_what_may_be_used_without_a_word_is_not_claimed(source: str) -> None:
    """Marks, looking names up, hooks, exports, imports for their effect and broken syntax are no dead code."""
    assert unused({}, {"a.py": source}) == []


def test_a_new_name_that_another_changed_file_uses_is_used() -> None:
    """What is new can be used by what changed alone, and that is looked at."""
    assert unused({}, {"a.py": "_x = 1\n", "b.py": "from a import _x\nprint(_x)\n"}) == []
    assert unused({"a.py": "_x = 1\n"}, {"b.py": "y = 1\n"}) == [], "as unused as before"

"""`plugin test`: what a plugin holds runs, in a sandbox that lets nothing of it out."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.pluginhost.bundles import HOOK, NONE_FOUND, bundle
from workbench.aee.plugin_trial import tried
from workbench.aee.sandbox.select import probe
from workbench.testing.plugin_trial import Tried, trial

SANDBOXED = pytest.mark.skipif(not probe("bubblewrap").works, reason="bubblewrap does not work here")


@SANDBOXED
@pytest.mark.parametrize("level", ["bubblewrap", "none"])
def test_a_plugin_is_tried_without_harm(tmp_path: Path, level: str) -> None:
    """What it writes elsewhere at its import stays inside; the control: without a sandbox it gets out."""
    mark, place = tmp_path / "mark", tmp_path / "tidy"
    hostile = f"import pathlib\ntry:\n    pathlib.Path({str(mark)!r}).touch()\nexcept OSError:\n    pass\n{NONE_FOUND}"
    place.mkdir()
    for path, data in bundle(code=hostile).files.items():
        (place / path).write_bytes(data)
    rows = [msgspec.json.decode(line, type=Tried) for line in tried(place, level=level).splitlines()]
    assert [row.state for row in rows] == ["ok", "ok", "warn"], rows
    assert mark.exists() == (level == "none")


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("def collectors(workshop):\n    return []\n", "implements a hook"),
        (HOOK + "def views():\n    return []\n", "asked in ace"),
        (HOOK + "def collectors(workshop):\n    return [1]\n", "no attribute"),
        ("import textual\n", "must not import textual"),
        ("1 / 0\n", "ZeroDivisionError"),
        (
            NONE_FOUND + "    x = Finding(severity='low' if 1 else 'grave')\n",
            "code.py:7: severity cannot be 'grave'; one of: info",
        ),
    ],
)
def test_what_is_wrong_is_told(code: str, told: str) -> None:
    """Before anybody trusts it."""
    failed = [each.text for each in trial(bundle(code=code)) if each.state == "fail"]
    assert any(told in text for text in failed), failed


def test_what_the_host_refuses_fails_the_plugins_own_tests() -> None:
    """A word that is only made where a test comes by; the control: with one that is allowed they pass."""
    code = (
        "from workbench.model.evidence import Finding\nfrom workbench.ports import Collected\n"
        "class C:\n    name = 'c'\n    def collect(self, change):\n        new = change.changed_paths()\n"
        "        found = [Finding(kind='k', severity='WO' + 'RD', text='t') for _, p in new if p == 'seldom.txt']\n"
        "        return Collected(findings=tuple(found))\n"
        f"{HOOK}def collectors(workshop):\n    return [C()]\n"
    )
    own = (
        "from workbench.testing.plugin import Case\nfrom .code import collectors\n\n\n"
        "class T(Case):\n    def test_it(self):\n        change = self.change({}, {'seldom.txt': 'x'})\n"
        "        (c,) = collectors(self.workshop(change))\n        self.assertTrue(c.collect(change).findings)\n"
    )
    more = "[modules]\naee = ['code']\n"
    for word, state in (("'lo' + 'w'", "ok"), ("'gra' + 've'", "fail")):
        made = bundle(code=code.replace("'WO' + 'RD'", word), test_it=own, more=more)
        (last,) = [each for each in trial(made) if each.id == "test_it.py"]
        assert last.state == state, last.text
    assert "severity" in last.text and "one of: critical, high, info, low, medium" in last.text


def test_tests_that_fail_fail_the_trial() -> None:
    """With what they said."""
    wrong = "import unittest\n\n\nclass T(unittest.TestCase):\n    def test_it(self):\n        self.assertEqual(1, 2)\n"
    (last,) = [each for each in trial(bundle(code=NONE_FOUND, test_it=wrong, more="")) if each.id == "test_it.py"]
    assert (last.state, "1 != 2" in last.text) == ("fail", True)

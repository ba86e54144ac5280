"""Every way of tampering with tests that can be named is named, and honest changes are not blocked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.evidence.tampering_attacks import ATTACKS, Attack
from tests.evidence.tampering_honest import HONEST
from workbench.evidence.tampering.collector import Tampering
from workbench.evidence.tampering.kinds import KINDS
from workbench.testing.changes import TreeChange

BY_NAME = {attack.name: attack for attack in ATTACKS}


def kinds_of(change: TreeChange) -> set[str]:
    return {finding.kind.removeprefix("tampering.") for finding in Tampering().collect(change).findings}


@pytest.mark.parametrize("name", BY_NAME)
def test_each_attack_is_named(name: str) -> None:
    """Each way of tampering gives a finding of its own kind, at a path of the change."""
    attack = BY_NAME[name]
    change = TreeChange.of(attack.base, attack.result)
    collected = Tampering().collect(change)
    named = [finding for finding in collected.findings if finding.kind == f"tampering.{attack.kind}"]
    assert named, [finding.kind for finding in collected.findings]
    assert all(finding.path for finding in named)
    assert any(finding.blocking for finding in named) == (attack.blocks and KINDS[attack.kind].blocking)


@pytest.mark.parametrize(
    "name", [name for name, attack in BY_NAME.items() if KINDS[attack.kind].blocking and attack.blocks]
)
def test_lost_checks_fail_the_evidence(name: str) -> None:
    """Evidence of a change that loses checks is failed."""
    attack = BY_NAME[name]
    collected = Tampering().collect(TreeChange.of(attack.base, attack.result))
    assert [evidence.state for evidence in collected.evidence] == ["failed"]


@pytest.mark.parametrize("name", HONEST)
def test_honest_changes_are_not_blocked(name: str) -> None:
    """A refactoring that keeps what the tests check gives no blocking finding."""
    base, result = HONEST[name]
    collected = Tampering().collect(TreeChange.of(base, result))
    assert [(f.kind, f.text) for f in collected.findings if f.blocking] == []
    assert collected.evidence[0].state == "passed"


def test_at_least_forty_kinds_are_covered() -> None:
    """The table of attacks covers more than forty kinds."""
    assert len({attack.kind for attack in ATTACKS}) >= 40
    assert {attack.kind for attack in ATTACKS} <= set(KINDS)


def _suite_is_green(files: dict[str, str], directory: Path) -> bool:
    for path, text in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]
    done = subprocess.run(command, cwd=directory, capture_output=True, timeout=60, check=False)
    return done.returncode in (0, 5)


# A sample for every day; tests/soak carries out all of them.
SAMPLE = ("delete the file", "drop collected items", "return early", "exit at the end", "a pytest of its own")


@pytest.mark.parametrize("name", SAMPLE)
def test_the_attack_works_where_nobody_looks(name: str, tmp_path: Path) -> None:
    """Positive control: with broken code the base's suite is red, and the attack makes it green."""
    attack = BY_NAME[name]
    honest, attacked = tmp_path / "honest", tmp_path / "attacked"
    honest.mkdir()
    attacked.mkdir()
    broken = {**attack.base, **Attack.BROKEN}
    assert not _suite_is_green(broken, honest)
    files = {path: text for path, text in {**broken, **attack.result}.items() if text}
    assert _suite_is_green(files, attacked)


def test_unreadable_tests_are_not_a_pass() -> None:
    """A test file that cannot be read is said to be unchecked."""
    base = {"tests/test_a.py": "def test_a():\n    assert f() == 1\n"}
    for source in ("def test_a(:\n", "x = " + "-" * 50_000 + "1\n", "a" + ".a" * 50_000, "\0"):
        collected = Tampering().collect(TreeChange.of({**base}, {"tests/test_a.py": source}))
        assert collected.evidence[0].state in ("failed", "not-checked"), source[:20]


@pytest.mark.parametrize(
    "path", ["tests/test_a.py", "pyproject.toml", "package.json", ".github/workflows/ci.yml", "a.js"]
)
@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe\x00", b"[" * 10_000, b"{" * 5_000, b"\r\r\r", b"a: &a [*a]\n", b"(" * 500]
)
def test_nothing_in_a_file_makes_the_collector_fail(path: str, data: bytes) -> None:
    """Whatever bytes a file holds, the collector answers."""
    base = {path: b"x = 1\n", "tests/test_b.py": b"def test_b():\n    assert f() == 2\n"}
    assert Tampering().collect(TreeChange(base, {**base, path: data})).evidence
    assert Tampering().collect(TreeChange({**base, path: data}, base)).evidence


def test_a_flood_of_names_ends() -> None:
    """Names that stand for ever longer names do not make reading grow without bound."""
    lines = [f"    v{i} = " + " + ".join([f"v{i + 1}"] * 40) for i in range(20)]
    source = "def test_a():\n" + "\n".join(lines) + "\n    assert v0 == 1\n"
    change = TreeChange.of({"tests/test_a.py": source}, {"tests/test_a.py": source.replace("== 1", "== 2")})
    assert "expected-changed" in kinds_of(change)


def test_one_odd_file_hides_nothing_of_the_others() -> None:
    """A file that cannot be read is named, and what another file lost is still found."""
    attack = BY_NAME["remove an assert"]
    odd = {"tests/test_odd.py": "def test_odd(:\n"}
    collected = Tampering().collect(TreeChange.of(attack.base, {**attack.result, **odd}))
    assert "tampering.assert-removed" in [finding.kind for finding in collected.findings]
    assert list(collected.evidence[0].facts["unread"]) == ["tests/test_odd.py"]


def test_texts_with_escapes_are_read() -> None:
    """A value with escapes that is used in a formatted text does not keep a test from being read."""
    source = "def test_a():\n    sep = '\\n'\n    assert f'{sep}' == g()\n    assert h() == 1\n"
    change = TreeChange.of({"tests/test_a.py": source}, {"tests/test_a.py": source.replace("h() == 1", "h()")})
    assert kinds_of(change) == {"assert-weakened"}

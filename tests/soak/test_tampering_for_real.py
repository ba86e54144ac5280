"""Positive controls of all attacks on tests: each really makes a red suite green. Takes minutes; run it by its path."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.tampering_attacks import ATTACKS, Attack
from tests.evidence.test_tampering import _suite_is_green


@pytest.mark.parametrize("attack", [attack for attack in ATTACKS if attack.greens], ids=lambda attack: attack.name)
def test_the_attack_works_where_nobody_looks(attack: Attack, tmp_path: Path) -> None:
    """With broken code the base's suite is red, and the attack makes it green."""
    honest, attacked = tmp_path / "honest", tmp_path / "attacked"
    honest.mkdir()
    attacked.mkdir()
    broken = {**attack.base, **Attack.BROKEN}
    assert not _suite_is_green(broken, honest)
    files = {path: text for path, text in {**broken, **attack.result}.items() if text}
    assert _suite_is_green(files, attacked)

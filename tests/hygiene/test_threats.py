"""The table of threats is whole: each is played, with a positive control, or its absence has a reason."""

from __future__ import annotations

import pytest

from tests.threats.catalogue import CONTROLLED, NAMED, OPEN, PARTLY, THREATS, part_of
from tests.threats.tests_of import known, played

PLAYED = played()


@pytest.mark.parametrize("threat", THREATS)
def test_each_threat_is_played_or_named_with_its_reason(threat: str) -> None:
    """What is played has a positive control among its tests; what is not says why, and is not played in secret."""
    parts = [part for part in PLAYED.values() if threat in part.threats]
    if threat in OPEN:
        assert OPEN[threat]
        assert not parts
    else:
        assert any(part.is_control for part in parts)


def test_the_table_names_what_there_is() -> None:
    """A test that was renamed is not lost to its threat."""
    assert not {*NAMED, *CONTROLLED} - known()
    assert {*OPEN, *PARTLY} <= set(THREATS)
    assert {threat for part in PLAYED.values() for threat in part.threats} == set(THREATS) - set(OPEN)


def test_threats_are_read_off_docstrings() -> None:
    """Single ids, ranges and the word for a control; words of another kind are none."""
    assert part_of("tests/x.py::test_y[a]", doc="G1, G3-G5, control: it runs.", module_doc="") == (
        ("G1", "G3", "G4", "G5"),
        True,
    )
    assert part_of("tests/x.py::test_y", doc="UTF-8: it is read.", module_doc="E2: what is seen.") == (("E2",), False)
    assert part_of("tests/x.py::test_y", doc="It holds.", module_doc="Things hold.") == ((), False)

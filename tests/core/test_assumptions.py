"""What a later answer means for commits made under an assumption."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.core.assumptions import commits_since, differs
from workbench.core.state import ConsultationState

DOCUMENT = {
    "assumption": "twice", "recommendation": {"preferred_option": "two"}, "refs": ["a.py:3-9@0123", "DOD-1", "b c.py"],
}  # fmt: skip


def question(**changed: Any) -> ConsultationState:
    values: dict[str, Any] = {
        "id": "CRP-m.1-1", "mission": "m", "run": "m.1", "mode": "advisory", "category": "scope", "title": "t",
        "options": ("two", "three"), "document": DOCUMENT, "state": "resolved", "answer": {"option": "three"},
    }  # fmt: skip
    return ConsultationState(**{**values, **changed})


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, True),
        ({"answer": {"option": "two"}}, False),
        ({"answer": {"alternative": "neither"}}, True),
        ({"document": {}}, True),
        ({"state": "open", "answer": {}}, False),
        ({"mode": "blocking"}, False),
    ],
)
def test_an_answer_differs_from_the_assumption(changed: dict[str, Any], expected: bool) -> None:
    """Only the option that the agent went on with shares its assumption; a question that held the work has none."""
    assert differs(question(**changed)) is expected


def test_commits_are_marked_that_cite_or_touch() -> None:
    """Each commit is listed; marked is what names the question, or changes a file that it refers to."""
    commits = {"1": "Why\n\nUnder CRP-m.1-1.", "2": "\x1b[31mB", "3": ""}
    listed = commits_since(question(), commits, {"2": ["b c.py", "z"], "3": ["z"]})
    assert [(c.commit, c.cites, c.touches, c.is_marked) for c in listed] == [
        ("1", True, (), True), ("2", False, ("b c.py",), True), ("3", False, (), False),
    ]  # fmt: skip
    assert "\x1b" not in listed[1].title

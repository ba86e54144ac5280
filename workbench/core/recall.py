"""Which resolutions stand and match a question: shown to an agent before it may ask, and when it asks for them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from workbench.core.state import ConsultationState

SHARED_WORDS = 2  # significant words that a question and an earlier one must share to be shown
_WORD = re.compile(r"[^\W\d_]{4,}")  # shorter words say little about what a text is about


def standing(consultations: Sequence[ConsultationState], query: str, *, mission: str, now: str) -> list[dict[str, Any]]:
    """Resolution documents that reach beyond their own question, newest first; an empty query matches all of them.

    `applies_to: mission` reaches the same mission, `repository` all of them; an expired one stands no longer.
    """
    wanted = _words(query)
    found = [
        _with_question(asked)
        for asked in consultations
        if asked.state == "resolved" and _reaches(asked, mission, now) and _matches(asked, wanted)
    ]
    return sorted(found, key=lambda document: str(document.get("at", "")), reverse=True)


def _reaches(asked: ConsultationState, mission: str, now: str) -> bool:
    scope = asked.answer.get("applies_to", "this")
    expires = str(asked.answer.get("expires", ""))
    in_scope = scope == "repository" or (scope == "mission" and asked.mission == mission)
    return in_scope and (not expires or expires > now)


def _matches(asked: ConsultationState, wanted: set[str]) -> bool:
    if not wanted:
        return True
    known = _words(f"{asked.title} {asked.document.get('details', '')}")
    return len(known & wanted) >= min(SHARED_WORDS, len(wanted))


def _with_question(asked: ConsultationState) -> dict[str, Any]:
    return {**asked.answer, "question": asked.title}


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)}

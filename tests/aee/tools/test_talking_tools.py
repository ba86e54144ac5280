"""request_consultation, recall_resolutions and get_brief."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from workbench.artifacts.consultation import Consultation
from workbench.core.state import ConsultationState
from workbench.ports import ToolResult
from workbench.testing.workplace import BRIEF, Workplace

OPTIONS = [{"id": "A", "label": "Redis", "pros": ["fast"]}, {"id": "B", "label": "Memory", "risk": "lost on restart"}]
QUESTION = {
    "summary": "Where do counters live?",
    "category": "trade-off",
    "options": OPTIONS,
    "recommendation": {"preferred_option": "B", "reasoning": "simple", "confidence": 0.7},
    "refs": ["src/a.py:4-5@abc", "CON-1"],
}
STANDING = [{"id": "VCR-old", "decision": "option", "option": "A", "rationale": "as before"}]


def ask(workplace: Workplace, call_id: str = "1.ask", **arguments: Any) -> ToolResult:
    return workplace.box.call("request_consultation", {**QUESTION, **arguments}, call_id)


def test_a_blocking_question_suspends_with_a_whole_document(workplace: Workplace) -> None:
    """The document is a consultation pack as the artifact's own type reads it, and the turn ends there."""
    result = ask(workplace)
    assert (result.state, result.suspend, result.data["mode"]) == ("ok", True, "blocking")
    crp = msgspec.convert(result.data["document"], Consultation)
    assert (crp.id, crp.run, crp.mission, crp.source_agent) == ("CRP-m.1-1", "m.1", "m", "ada")
    assert (crp.category, crp.trigger.ref, [o.id for o in crp.options]) == ("trade-off", "1.ask", ["A", "B"])
    assert result.data == msgspec.json.decode(msgspec.json.encode(result.data))


def test_a_question_says_when_and_on_what_it_was_asked(make_workplace: Callable[..., Workplace]) -> None:
    """Brief, version, commit and time are the AEE's to say, never the agent's; what is unknown is left out."""
    workplace = make_workplace(brief_id="limits", brief_version="2", head="c" * 40)
    crp = msgspec.convert(ask(workplace).data["document"], Consultation)
    assert (crp.brief, crp.brief_version, crp.head) == ("limits", "2", "c" * 40)
    assert crp.at.endswith("Z")
    assert ask(workplace, brief="another", at="never").state == "error"
    assert "brief" not in ask(make_workplace("other")).data["document"]


def test_an_advisory_question_lets_the_agent_go_on(workplace: Workplace) -> None:
    """It needs the assumption with which the agent goes on."""
    assert ask(workplace, mode="advisory").state == "error"
    result = ask(workplace, mode="advisory", assumption="Memory")
    assert (result.state, result.suspend) == ("ok", False)


def test_a_repeated_question_is_the_same_question(workplace: Workplace) -> None:
    """Asking again after an interruption raises no second question."""
    first, again, other = ask(workplace), ask(workplace, "1.ask~2"), ask(workplace, "2.ask")
    assert first.data == again.data
    assert other.data["consultation"] == "CRP-m.1-2"


def test_an_agent_cannot_fill_the_inbox(workplace: Workplace) -> None:
    """An open question is not raised again, and only so many wait at once; answered ones make room."""

    def advise(number: int, **more: Any) -> ToolResult:
        result = ask(workplace, f"{number}.ask", summary=f"Number {number}?", mode="advisory", assumption="go", **more)
        if document := result.data.get("document"):
            workplace.asked.append(_state(document))
        return result

    for number in range(1, 6):
        assert advise(number).state == "ok"
    same = ask(workplace, "9.ask", summary="Number 2?", mode="advisory", assumption="go", considered=["VCR-1"])
    assert (same.data, same.suspend) == ({"consultation": "CRP-m.1-2", "mode": "advisory"}, False)
    flood = advise(6)
    assert (flood.state, "CRP-m.1-5" in flood.summary, "mode blocking" in str(flood.data)) == ("error", True, True)
    assert ask(workplace, "7.ask").suspend, "what holds the work may still be asked"
    workplace.asked[0] = msgspec.structs.replace(workplace.asked[0], state="resolved")
    assert advise(6).state == "ok"


def test_a_permission_is_not_asked_for_twice(workplace: Workplace) -> None:
    """While the same one is open the run waits for that; once a person answered, the answer holds for the run."""
    permission = {"summary": "May I fetch?", "category": "permission"}
    raised = _state(ask(workplace, "1.ask", **permission).data["document"])
    workplace.asked.append(raised)
    waits = ask(workplace, "2.ask", **permission)
    assert (waits.suspend, waits.data["consultation"]) == (True, "CRP-m.1-1")
    answer = {"option": "B", "rationale": "no network", "expires": "2030-01-01T00:00:00.000Z"}
    workplace.asked[0] = msgspec.structs.replace(raised, state="resolved", decided_by="ana", answer=answer)
    told = ask(workplace, "3.ask", **permission)
    assert (told.state, told.suspend, told.data["resolution"]) == ("ok", False, answer)
    assert ask(workplace, "4.ask", **{**permission, "summary": "May I push?"}).suspend
    workplace.asked[0] = msgspec.structs.replace(workplace.asked[0], answer={**answer, "expires": "2020-01-01"})
    assert "document" in ask(workplace, "5.ask", **permission).data


def _state(document: dict[str, Any]) -> ConsultationState:
    """A question as the journal has it."""
    named = {name: document[name] for name in ("id", "mission", "run", "mode", "category")}
    return ConsultationState(title=document["summary"], options=(), document=document, **named)


def test_standing_resolutions_are_shown_first(make_workplace: Callable[..., Workplace]) -> None:
    """A question that people answered before is not raised until the agent has seen and set aside the answer."""
    workplace = make_workplace(standing=STANDING)
    refused = ask(workplace)
    assert (refused.state, refused.suspend, refused.data["resolutions"]) == ("error", False, STANDING)
    assert workplace.questions == []
    assert ask(workplace, considered=["VCR-other"]).state == "error"
    assert ask(workplace, considered=["VCR-old"]).suspend


@pytest.mark.parametrize(
    "wrong",
    [
        {"options": [OPTIONS[0], OPTIONS[0]]},
        {"recommendation": {"preferred_option": "C"}},
        {"options": [], "recommendation": {"preferred_option": "A"}},
        {"category": "gossip"},
        {"mode": "urgent"},
        {"summary": ""},
        {"summary": "x" * 301},
        {"options": [{"id": "../A", "label": "x"}]},
        {"options": [{"id": "A", "label": "x", "colour": "red"}]},
        {"recommendation": {"preferred_option": "A", "confidence": 2}},
        {"options": [{"id": str(n), "label": "x"} for n in range(21)]},
        {"id": "CRP-mine"},
    ],
    ids=str,
)
def test_a_question_that_nobody_can_answer_is_not_raised(wrong: dict[str, Any], workplace: Workplace) -> None:
    """Ambiguous, endless or forged questions are refused with what is wrong, and the words that could stand there."""
    result = ask(workplace, **wrong)
    assert ("; one of: " in str(result.data["error"])) == (wrong.keys() <= {"category", "mode"} and "id" not in wrong)
    assert (result.state, result.suspend) == ("error", False)
    assert workplace.questions == []


def test_resolutions_are_recalled_and_the_cut_is_stated(make_workplace: Callable[..., Workplace]) -> None:
    """What people decided is at hand before anybody is asked."""
    workplace = make_workplace(standing=[{"id": f"VCR-{n}"} for n in range(30)])
    data = workplace.box.call("recall_resolutions", {"query": "retry"}, "1.x").data
    assert (len(data["resolutions"]), data["cut"]) == (20, True)


def test_the_brief_is_given_as_it_was_pinned(workplace: Workplace) -> None:
    """The brief comes from the mission, not from the workspace."""
    assert workplace.box.call("get_brief", {}, "1.x").data == {"brief": BRIEF}

"""A run's budget for its model: what is allowed, the question that is asked before it is passed, and its answer.

Drivers raise `BudgetReached`; the step makes Workbench's own question of it, as no agent can ask for money itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from workbench.artifacts import brief as briefs
from workbench.artifacts.terms import Budget
from workbench.core.decide.consultation import raise_consultation, raised_of
from workbench.core.state import ConsultationState, RunState
from workbench.model.errors import ArtifactInvalid, NeedsHuman
from workbench.model.events import ChangesRequested, Event, Proposed, RunAnswered, RunResumed
from workbench.model.ids import consultation_id

DEFAULT_USD = 2.0
UNPRICED_TOKENS = 2_000_000  # for a model whose price nobody knows, where the brief sets no limit of tokens
RAISE, DELIVER, STOP = "raise", "deliver", "stop"
ASKER, TRIGGER = "workbench", "budget"
USE = "budget"  # in the data of BudgetReached, for the step that asks
UNFINISHED = "Unfinished work, delivered because a person said so at the end of the budget."
_AMOUNT = re.compile(r"\d{1,6}(?:\.\d{1,4})?")


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """What may be spent, answers of people included. `tokens` 0: no limit. `deliver`: hand in what there is."""

    usd: float = DEFAULT_USD
    tokens: int = 0
    unpriced_tokens: int = UNPRICED_TOKENS
    deliver: str = ""  # the question whose answer says so


class BudgetReached(NeedsHuman):
    """The next request to the model could pass the run's budget."""

    title = "Budget"

    def __init__(
        self,
        *,
        model: str,
        spent_usd: float,
        spent_tokens: int,
        need_usd: float,
        need_tokens: int,
        allowance: Allowance,
        is_priced: bool,
    ) -> None:
        spent = f"${spent_usd:.2f} and {spent_tokens:,} tokens"
        limits = _limits(allowance, is_priced=is_priced)
        super().__init__(
            f"the next request to {model} could pass the run's budget ({limits}; spent: {spent})",
            hint="Answer the run's question: raise the budget, have it deliver what there is, or stop it.",
            data={
                "use": USE,
                "need_usd": need_usd,
                "need_tokens": need_tokens,
                "spent": spent,
                "limits": limits,
                "model": model,
                "is_priced": is_priced,
            },
        )


def _limits(allowance: Allowance, *, is_priced: bool) -> str:
    if not is_priced:
        tokens = allowance.tokens or allowance.unpriced_tokens
        return f"{tokens:,} tokens; the price of the model is not known"
    return f"${allowance.usd:.2f}" + (f", {allowance.tokens:,} tokens" if allowance.tokens else "")


def allowance_of(brief: str, asked: Sequence[ConsultationState]) -> Allowance:
    """What the brief allows, raised by the answers to Workbench's own questions, oldest first."""
    budget = _budget(brief)
    usd, tokens, unpriced = budget.cost_usd or DEFAULT_USD, budget.tokens, UNPRICED_TOKENS
    last = Allowance(usd=usd, tokens=tokens)
    for question in asked:
        if not (is_own(question) and question.state == "resolved"):
            continue
        option = str(question.answer.get("option", ""))
        named = _AMOUNT.search(str(question.answer.get("alternative", "")))
        offer = question.document["trigger"]
        if option == RAISE:
            usd, tokens = usd + float(offer["usd"]), tokens and tokens + int(offer["tokens"])
            unpriced += int(offer["tokens"])
        elif not option and named and float(named[0]) > 0:
            usd += float(named[0])
        last = Allowance(
            usd=usd,
            tokens=tokens,
            unpriced_tokens=unpriced,
            deliver=question.id if option == DELIVER else "",
        )
    return last


def _budget(brief: str) -> Budget:
    try:
        return briefs.parse(brief).budget
    except ArtifactInvalid:
        return Budget()


def ask(run: RunState, reached: NeedsHuman, *, asked: Sequence[ConsultationState], brief: str) -> tuple[Proposed, ...]:
    """Workbench's question about the money; it suspends the run."""
    budget, data = _budget(brief), reached.data
    usd = max(budget.cost_usd or DEFAULT_USD, round(float(data["need_usd"]) + 0.005, 2))
    tokens = max(budget.tokens or UNPRICED_TOKENS, int(data["need_tokens"]))
    question = consultation_id(run.id, len(asked) + 1)
    more = f"${usd:.2f}" if data["is_priced"] else f"{tokens:,} tokens"
    if data["is_priced"] and data["need_tokens"]:
        more += f" and {tokens:,} tokens"
    document = {
        "id": question,
        "mission": run.mission,
        "run": run.id,
        "source_agent": ASKER,
        "trigger": {"kind": TRIGGER, "ref": str(len(asked) + 1), "usd": usd, "tokens": tokens},
        "mode": "blocking",
        "category": "budget",
        "summary": f"{run.id} would pass its budget of {data['limits']}. Go on?",
        "details": f"{reached.message}. Spent so far: {data['spent']} on {data['model']}.",
        "options": [
            {"id": RAISE, "label": f"Raise it by {more}"},
            {"id": DELIVER, "label": "Deliver what there is, without another request"},
            {"id": STOP, "label": "Stop the run; its commits stay"},
        ],
        "requested_decision": "Whether more may be spent. An amount in words, such as $5, raises it by that.",
    }
    raised = raised_of(
        document, consultation=question, mission=run.mission, run=run.id, mode="blocking", call=f"budget:{question}"
    )
    return raise_consultation(raised).events


def is_to_deliver(allowance: Allowance, history: Sequence[Event]) -> bool:
    """Whether the last that people said is that no more be spent, and what there is be delivered."""
    said = (RunAnswered, ChangesRequested, RunResumed)
    last = next((event.payload for event in reversed(history) if isinstance(event.payload, said)), None)
    return bool(allowance.deliver) and isinstance(last, RunAnswered) and last.consultation == allowance.deliver


def stopped_by(asked: Sequence[ConsultationState]) -> ConsultationState | None:
    """The question about money whose answer ended the run, if the newest one did."""
    own = [question for question in asked if is_own(question) and question.state == "resolved"]
    return own[-1] if own and own[-1].answer.get("option") == STOP else None


def is_own(question: ConsultationState) -> bool:
    """Whether Workbench itself asked; an agent can say neither of its own question."""
    trigger = question.document.get("trigger")
    is_budget = isinstance(trigger, dict) and trigger.get("kind") == TRIGGER
    return is_budget and question.document.get("source_agent") == ASKER

"""The budget: the driver stops before the request that could pass it, whatever the model does, also after a restart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.aee.drivers.native_stage import DELIVER, WRITE, Stage
from workbench.aee.drivers.native.options import Options
from workbench.aee.spending import DEFAULT_USD, UNPRICED_TOKENS, Allowance, BudgetReached, allowance_of, ask, stopped_by
from workbench.core.state import ConsultationState, RunState
from workbench.model import events as e
from workbench.testing.model_server.messages import BYTES_PER_TOKEN, Failure, Reply, Use, use
from workbench.testing.model_server.server import Received

Make = Callable[..., Stage]
SMALL = Options(max_tokens=1000)
RUN = RunState(id="m.1", mission="m", agent="a", driver="native", branch="b", base_commit="c")
BRIEF = "---\nid: b\ntitle: T\ngoal: {objective: o}\nbudget: {cost_usd: 5, tokens: 1000}\nlight: true\n---\n"


def forever(_request: Received) -> Reply:
    """A model that never ends, and always takes all that it may."""
    reply = use("list")
    return msgspec.structs.replace(reply, usage={"input_tokens": 9000, "output_tokens": 1000})


@pytest.mark.parametrize("usd", [0.05, 0.10, 0.31])
def test_a_runaway_stops_before_the_request_that_would_pass_the_limit(usd: float, stage: Make) -> None:
    """Whatever the model spends, the run never spends more than was allowed; it uses most of it."""
    here = stage(forever, options=SMALL, allowance=Allowance(usd=usd))
    with pytest.raises(BudgetReached) as reached:
        here.turn()
    spent = sum(reply.cost_usd for reply in here.replies)
    assert usd - 0.045 < spent <= usd
    assert f"${usd:.2f}" in reached.value.message


def test_a_server_that_counts_more_than_there_is_cannot_pass_the_limit_twice(stage: Make) -> None:
    """Its count is believed from its first reply on, also after a restart."""
    reply = msgspec.structs.replace(use("list"), usage={"input_tokens": 400_000, "output_tokens": 1000})
    here = stage(lambda _request: reply, options=SMALL, allowance=Allowance(usd=1.3))
    for _ in range(2):
        with pytest.raises(BudgetReached):
            here.turn()
    assert 0.8 < sum(called.cost_usd for called in here.replies) <= 1.3


@pytest.mark.parametrize("count", [0, -5, 2**200], ids=["none", "less than none", "more than can be"])
def test_a_server_that_does_not_count_is_counted_by_us(count: int, stage: Make) -> None:
    """No number of a server lets a run go on for ever, or makes a fact that cannot be kept."""
    counts = {"input_tokens": count, "output_tokens": count}
    reply = msgspec.structs.replace(use("list"), text="x" * 2000, usage=counts)
    here = stage(lambda _request: reply, options=SMALL, allowance=Allowance(usd=0.05))
    for _ in range(2):
        with pytest.raises(BudgetReached):
            here.turn()
    spent = sum(called.cost_usd for called in here.replies)
    assert len(here.replies) < 12
    assert spent > 1000 if count > 0 else 0.02 < spent <= 0.05
    assert all(called.tokens_in + called.tokens_out < 2**62 for called in here.replies)


class Vendor:
    """A server in some trouble, which keeps its own bill; its model never ends before it was asked `MOST` times."""

    MOST = 90
    BODY = 24_000  # bytes that it takes, where it is `narrow`

    def __init__(self, trouble: str) -> None:
        self.trouble, self.bill, self.asked = trouble, 0.0, 0

    def __call__(self, request: Received) -> Reply | Failure:
        self.asked += 1
        if self.trouble == "narrow" and len(request.body) > self.BODY:
            return Failure(status=400, message="prompt is too long")
        if self.trouble == "overloaded" and self.asked % 2:
            return Failure(status=529)
        text = "x" * 1500
        cut_at = 1200 if self.trouble == "cut" and self.asked % 2 else None
        self.bill += (len(request.body) / BYTES_PER_TOKEN * 1.0 + (cut_at or len(text)) / BYTES_PER_TOKEN * 5.0) / 1e6
        uses = (Use(tool="read", arguments={"path": "long"}),) if self.asked < self.MOST else ()
        return Reply(text=text, uses=uses, cut_at=cut_at)


@pytest.mark.parametrize("trouble", ["overloaded", "cut", "narrow", "compaction"])
def test_trouble_does_not_carry_a_run_past_its_limit(trouble: str, stage: Make) -> None:
    """Asked again, cut off, told to be shorter or shortened: by the server's own bill the limit holds, restarts too."""
    vendor = Vendor(trouble)
    options = Options(max_tokens=1000, window=8_000 if trouble == "compaction" else 200_000)
    here = stage(vendor, options=options, allowance=Allowance(usd=0.0))
    (here.workplace.root / "long").write_text("a line\n" * 400)
    for usd in (0.08, 0.12, 0.12):
        here.allowance = Allowance(usd=usd)
        with pytest.raises(BudgetReached):
            here.turn()
        assert 0.4 * usd < vendor.bill <= usd
    here.allowance = Allowance(usd=100.0)
    assert here.turn() == "ended"
    assert vendor.bill > 0.12, "the control: it would have gone on"


def test_a_restart_forgets_nothing_of_what_was_spent(stage: Make) -> None:
    """Taken again, the turn asks at once, and the model is not asked."""
    here = stage(forever, options=SMALL, allowance=Allowance(usd=0.1))
    with pytest.raises(BudgetReached):
        here.turn()
    asked = len(here.asked)
    for _ in range(3):
        with pytest.raises(BudgetReached):
            here.turn()
    assert len(here.asked) == asked
    here.allowance = Allowance(usd=0.2)
    with pytest.raises(BudgetReached):
        here.turn()
    assert len(here.asked) > asked, "the control: with more, it goes on"
    assert sum(reply.cost_usd for reply in here.replies) <= 0.2


def test_tokens_bound_a_model_whose_price_nobody_knows(stage: Make) -> None:
    """Where money cannot be counted, tokens are."""
    here = stage(forever, options=SMALL, model="own", allowance=Allowance(usd=0.01, unpriced_tokens=50_000))
    with pytest.raises(BudgetReached, match="price of the model is not known"):
        here.turn()
    assert 20_000 < sum(reply.tokens_in + reply.tokens_out for reply in here.replies) <= 50_000


def test_tokens_of_the_brief_bound_any_model(stage: Make) -> None:
    """A limit of tokens holds beside that of money."""
    here = stage(forever, options=SMALL, allowance=Allowance(usd=100.0, tokens=60_000))
    with pytest.raises(BudgetReached):
        here.turn()
    assert sum(reply.tokens_in + reply.tokens_out for reply in here.replies) <= 60_000


def test_what_there_is_can_be_delivered_without_another_request(stage: Make) -> None:
    """The answer `deliver` commits what stands in the workspace; a change that is asked for then asks for money."""
    here = stage([WRITE, *[use("list")] * 50, DELIVER], options=SMALL, allowance=Allowance(usd=0.03))
    with pytest.raises(BudgetReached):
        here.turn()
    asked = len(here.asked)
    here.session.answer("CRP-m.1-1")
    here.allowance = Allowance(usd=0.03, deliver="CRP-m.1-1")
    assert (here.turn(), here.turn()) == ("submitted", "submitted")
    assert len(here.asked) == asked
    assert here.workplace.git("show", "HEAD:made") == "x"
    here.session.request_changes()
    with pytest.raises(BudgetReached):
        here.turn()


# --- the question and its answer --------------------------------------------------------------------------------------


def reached(**changed: Any) -> BudgetReached:
    values: dict[str, Any] = {
        "model": "m", "spent_usd": 1.9, "spent_tokens": 5, "need_usd": 0.3, "need_tokens": 0,
        "allowance": Allowance(), "is_priced": True,
    }  # fmt: skip
    return BudgetReached(**{**values, **changed})


def asked_and(answer: dict[str, Any], brief: str = "x", **changed: Any) -> ConsultationState:
    """Workbench's question as the journal holds it, with an answer."""
    raised = ask(RUN, reached(**changed), asked=(), brief=brief)[0].payload
    assert isinstance(raised, e.ConsultationRaised)
    return ConsultationState(
        id=raised.consultation, mission="m", run="m.1", mode="blocking", category="budget", title=raised.title,
        options=raised.options, document=raised.document, state="resolved" if answer else "open", answer=answer,
    )  # fmt: skip


def test_without_a_budget_the_default_holds() -> None:
    """Two dollars, unless the brief says otherwise."""
    assert allowance_of("Do it.", ()) == Allowance(usd=DEFAULT_USD, unpriced_tokens=UNPRICED_TOKENS)
    assert (allowance_of(BRIEF, ()).usd, allowance_of(BRIEF, ()).tokens) == (5.0, 1000)


def test_answers_raise_what_is_allowed() -> None:
    """Each answer adds to it: the option what it says, words the amount that they name."""
    by_option = asked_and({"option": "raise"})
    assert allowance_of("x", [by_option, by_option]).usd == 3 * DEFAULT_USD
    assert allowance_of("x", [asked_and({"alternative": "5 dollars more"})]).usd == DEFAULT_USD + 5
    assert allowance_of("x", [asked_and({"alternative": "no idea"})]).usd == DEFAULT_USD
    assert allowance_of("x", [asked_and({})]).usd == DEFAULT_USD
    assert allowance_of("x", [asked_and({"option": "raise"}, need_usd=40.0)]).usd >= 42.0, "enough for the request"


def test_deliver_and_stop_are_told_apart() -> None:
    """Only the newest answer counts for either."""
    deliver, stop, more = (asked_and({"option": option}) for option in ("deliver", "stop", "raise"))
    assert allowance_of("x", [deliver]).deliver == deliver.id
    assert allowance_of("x", [deliver, more]).deliver == ""
    assert stopped_by([stop]) == stop
    assert stopped_by([stop, more]) is None


def test_no_agent_can_ask_for_money_in_our_name() -> None:
    """An agent's question of the same words and category raises nothing, whatever the answer."""
    ours = asked_and({"option": "raise"})
    theirs = {**ours.document, "source_agent": "ada", "trigger": {"kind": "agent", "ref": "1", "usd": 100, "tokens": 1}}
    forged = msgspec.structs.replace(ours, document=theirs)
    assert allowance_of("x", [forged]).usd == DEFAULT_USD
    assert allowance_of("x", [ours]).usd > DEFAULT_USD, "the control"

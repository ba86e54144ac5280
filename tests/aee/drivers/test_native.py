"""The native driver: what the model is told, what is recorded before anything acts, and how a turn goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from tests.aee.drivers.native_stage import ASK, DELIVER, KEY, WRITE, Stage, said
from workbench.aee.drivers.native.asking import SAID_KEPT
from workbench.aee.tools.calls import Ready
from workbench.aee.tools.checked import plain
from workbench.model import events as e
from workbench.ports import ToolResult
from workbench.testing.model_server.messages import Reply, Use, by_turn, use
from workbench.testing.model_server.server import Received
from workbench.testing.session import RecordingSession
from workbench.testing.workplace import Workplace

BRIEF = """---
id: b
title: Right
goal: {objective: Make it right}
success_criteria: {definition_of_done: [{id: DOD-1, text: It is right}]}
---
"""
Make = Callable[..., Stage]


def test_the_model_is_told_what_binds_it(stage: Make) -> None:
    """Brief and clauses stand word for word in the system prompt, every tool is offered as it checks its arguments."""
    here = stage([said("I see.")], brief=BRIEF)
    here.turn()
    body = here.asked[0].json
    system = "\n".join(block["text"] for block in body["system"])
    assert BRIEF.strip() in system
    assert "DOD-1: It is right" in system
    offered = {tool["name"]: tool["input_schema"] for tool in body["tools"]}
    assert offered == {tool.name: plain(tool.parameters) for tool in here.workplace.box.tools}


def test_what_stays_the_same_is_cached(stage: Make) -> None:
    """System prompt with tools, and the newest message, are marked for the cache; nothing before it changes."""
    here = stage([use("list"), use("read", path="src/a.py"), said("So.")])
    here.turn()
    bodies = [request.json for request in here.asked]
    assert all(body["system"][-1]["cache_control"] == {"type": "ephemeral"} for body in bodies)
    marks = [["cache_control" in block for m in body["messages"] for block in m["content"]] for body in bodies]
    assert all(mark.count(True) == 1 and mark[-1] for mark in marks)
    for earlier, later in pairwise(bodies):
        assert _unmarked(later["messages"])[: len(earlier["messages"])] == _unmarked(earlier["messages"])


def _unmarked(messages: list[dict[str, Any]]) -> Any:
    for message in messages:
        for block in message["content"]:
            block.pop("cache_control", None)
    return messages


def test_a_reply_is_recorded_before_a_tool_acts_on_it(stage: Make) -> None:
    """The journal has what the model said, and what it cost, before the intent of its first call."""
    usage = {"input_tokens": 100, "output_tokens": 10, "cache_creation_input_tokens": 1000}
    here = stage([msgspec.structs.replace(WRITE, usage={**usage, "cache_read_input_tokens": 10_000}), said("Done.")])
    here.turn()
    kinds = [event.kind for event in here.session.events]
    assert kinds.index("ModelCalled") < kinds.index("ToolCalled")
    first = here.replies[0]
    assert (first.tokens_in, first.tokens_out, first.tokens_cache_write, first.tokens_cache_read) == (
        100,
        10,
        1000,
        10_000,
    )
    assert first.cost_usd == pytest.approx((100 * 1 + 10 * 5 + 1000 * 1.25 + 10_000 * 0.1) / 1e6)
    (block,) = msgspec.json.decode(first.content)
    assert (block["name"], block["id"]) == ("edit", here.outcomes[0].call)


def test_a_price_that_nobody_knows_is_said_to_be_unknown(stage: Make) -> None:
    """Tokens are counted all the same."""
    here = stage([said("Hm.")], model="my-own-13b")
    here.turn()
    assert (here.replies[0].cost_known, here.replies[0].cost_usd) == (False, 0.0)
    assert here.replies[0].tokens_in > 0


def test_several_calls_of_one_reply_are_carried_out_in_order(stage: Make) -> None:
    """Each has an outcome, in the order in which the model made them."""
    uses = tuple(Use(tool="edit", arguments={"path": f"f{n}", "content": "x"}) for n in range(3))
    here = stage([Reply(text="Three.", uses=uses), said("Done.")])
    assert here.turn() == "ended"
    results = here.asked[1].json["messages"][-1]["content"]
    assert [block["tool_use_id"] for block in results] == [outcome.call for outcome in here.outcomes]


def test_nothing_behind_a_question_or_a_delivery_is_carried_out(stage: Make) -> None:
    """A call in the same reply behind a blocking question did not know the answer: the model is told that."""
    behind = Use(tool="edit", arguments={"path": "behind", "content": "x"})
    here = stage([Reply(uses=(*ASK.uses, behind)), Reply(uses=(*DELIVER.uses, behind))])
    (here.workplace.root / "made").write_text("x")
    assert here.turn() == "waiting"
    here.session.answer("CRP-m.1-1")
    assert here.turn() == "submitted"
    assert "behind" not in here.workplace.tree()
    assert "not carried out" in here.told()


def test_an_answer_comes_as_the_outcome_of_the_question(stage: Make) -> None:
    """The turn that waited goes on with the person's words as what the question gave."""
    here = stage([ASK, said("I see.")])
    assert (here.turn(), here.turn(), len(here.asked)) == ("waiting", "waiting", 1)
    here.session.answer("CRP-m.1-1")
    assert here.turn() == "ended"
    assert "because of the sliding window" in here.told()


ADVISORY = use("request_consultation", summary="Twice?", mode="advisory", assumption="twice it is")


@pytest.mark.parametrize("again", [False, True], ids=["goes on", "taken again"])
def test_an_answer_to_an_advisory_question_reaches_the_agent_at_its_next_step(again: bool, stage: Make) -> None:
    """It is told once, as words of a person beside what it assumed, and stays in the conversation for good."""
    seen: list[str] = []

    def play(request: Received) -> Reply:
        seen.append(request.body.decode())
        if len(seen) == 2:
            here.answered["CRP-m.1-1"] = {"id": "VCR-1", "alternative": "thrice", "rationale": "so the law"}
        return [ADVISORY, use("list"), use("list"), said("Done."), said("Done.")][len(seen) - 1]

    here = stage(play)
    if again:
        here.session.stop_when = lambda: len(seen) == 3
        assert here.turn() == "stopped"
        here.session.stop_when = lambda: False
    assert here.turn() == "ended"
    assert ["thrice" in body for body in seen] == [False, False, True, True]
    assert "twice it is" in seen[2].split("A person answered")[1]
    assert [body.count("so the law") for body in seen[2:]] == [1, 1]
    told = [event.payload for event in here.session.events if event.kind == "AnswerTold"]
    assert told == [e.AnswerTold(run="m.1", consultation="CRP-m.1-1", resolution="VCR-1")]


def test_words_of_a_person_reach_the_agent_between_two_steps(stage: Make) -> None:
    """What may not wait is told after the step under way, what may when the turn is over; both stay."""
    seen: list[str] = []

    def play(request: Received) -> Reply:
        seen.append(request.body.decode())
        if len(seen) == 1:
            here.session.send("Mind the docs", mode="steer")
            here.session.send("Then rest", mode="queue")
        return [use("list"), said("Done."), said("Rested.")][len(seen) - 1]

    here = stage(play)
    assert here.turn() == "ended"
    assert [body.count("Mind the docs") for body in seen] == [0, 1]
    assert here.asked[1].json["messages"][-1]["content"][-1]["type"] == "text"
    here.session.messages(midway=False)
    assert here.turn() == "ended"
    assert [seen[2].count(words) for words in ("from ana", "Mind the docs", "Then rest")] == [2, 1, 1]


def test_what_the_agent_was_about_to_do_is_not_done_when_a_person_interrupts(stage: Make) -> None:
    """Calls of the same reply that had not begun are told as not carried out, with the words; none begins later."""
    first, second = use("list"), use("edit", path="made", content="x")
    both = Reply(uses=(*first.uses, *second.uses))
    here = stage([both, said("Stopped.")])
    here.session.stop_when = lambda: bool(here.outcomes)
    assert here.turn() == "stopped"
    here.session.stop_when = lambda: False
    here.session.send("Do not write anything", mode="interrupt")
    here.session.messages(midway=False)
    assert here.turn() == "ended"
    assert [outcome.tool for outcome in here.outcomes] == ["list"]
    assert "not carried out: the person who coaches you interrupted" in here.told()
    assert here.told().endswith("Do not write anything")


def test_requested_changes_come_as_words_of_a_person(stage: Make) -> None:
    """A delivery that was sent back is worked on, behind the outcome of the delivery."""
    here = stage([WRITE, DELIVER, use("edit", path="made", content="y"), DELIVER])
    assert (here.turn(), here.turn()) == ("submitted", "submitted")
    here.session.request_changes("Write a y.")
    assert here.turn() == "submitted"
    told = "\n".join(block.get("text", "") for block in here.asked[2].json["messages"][-1]["content"])
    assert "Write a y." in told
    assert here.workplace.git("show", "HEAD:made") == "y"


def test_ids_that_a_server_gives_twice_name_two_calls(stage: Make) -> None:
    """Some servers call every call the same, or odd names; each is carried out, and pairs with its outcome."""
    uses = tuple(
        Use(tool="edit", id=name, arguments={"path": f"f{n}", "content": "x"})
        for n, name in enumerate(("0", "0", "a b\n~2"))
    )
    here = stage([Reply(uses=uses), Reply(uses=uses[:1]), said("So.")])
    here.turn()
    assert len({outcome.call for outcome in here.outcomes}) == len(here.outcomes) == 4
    assert {"f0", "f1", "f2"} <= here.workplace.tree().keys()


def test_a_model_that_refuses_rests_the_run(stage: Make) -> None:
    """A refusal ends the turn; nothing of it is acted on or sent back, and a person's word goes on from before it."""
    here = stage(
        [
            WRITE,
            Reply(text="I", uses=(Use(tool="run", arguments={"command": "touch refused"}),), stop_reason="refusal"),
            DELIVER,
        ]
    )
    assert (here.turn(), here.turn()) == ("ended", "ended")
    assert "refused" not in here.workplace.tree()
    here.session.record(e.RunResumed(run="m.1", reason="It is my own code."), key="r")
    assert here.turn() == "submitted"
    messages = here.asked[2].json["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]
    assert "It is my own code." in here.told()


def test_a_reply_that_was_cut_is_gone_on_from(stage: Make) -> None:
    """A reply cut at its limit is not the end; a call that was cut with it is not carried out."""
    here = stage([Reply(text="Long", stop_reason="max_tokens"), WRITE, said("Done.")])
    assert here.turn() == "ended"
    assert "cut at its limit" in here.told(1)
    assert "made" in here.workplace.tree()


def test_a_stopped_run_lets_go_of_a_silent_model(stage: Make) -> None:
    """A model that says nothing for long does not hold a run that a person stopped."""
    here = stage([Reply(text="slow " * 100, pause_s=30.0)])
    looks = iter([False, False, False])
    here.session.stop_when = lambda: next(looks, True)
    assert here.turn() == "stopped"
    assert [(reply.stop, reply.content) for reply in here.replies] in ([], [("stopped", "")]), "booked if it had begun"


def test_the_key_stays_with_the_client(stage: Make) -> None:
    """A server that sends the key back gets it neither into the journal nor into a tool; the server itself had it."""
    here = stage([Reply(text=f"Your key: {KEY}", uses=(Use(tool="edit", arguments={"path": "k", "content": KEY}),))])
    here.turn()
    assert KEY in str(here.asked[0].headers), "the control: the server was given it"
    recorded = msgspec.json.encode([event.payload for event in here.session.events])
    assert KEY.encode() not in recorded + here.workplace.tree()["k"]


class Killed(BaseException):
    """The process is gone."""


class DyingSession(RecordingSession):
    """Dies after `life` records; `effect` says whether a call whose intent is the last one took effect."""

    def __init__(self, workplace: Workplace, history: tuple[e.Event, ...], *, life: int, effect: bool) -> None:
        super().__init__(self._about_to_die, history=history)
        self._box, self.life, self.effect = workplace.box, life, effect

    def _about_to_die(self, tool: str, arguments: Mapping[str, Any], call: str, recorded: Mapping[str, Any]) -> Ready:
        ready = self._box.ready(tool, arguments, call, recorded)

        def act() -> ToolResult:
            if self.life <= 0 and not self.effect:
                raise Killed
            return ready.act()

        return Ready(act=act, intent=ready.intent)

    def _append(self, payload: e.Payload) -> None:
        if self.life <= 0:
            raise Killed
        self.life -= 1
        super()._append(payload)


MISSION = [
    use("read", path="src/a.py"),
    Reply(text="Now I write.", uses=(*WRITE.uses, Use(tool="run", arguments={"command": "echo x >> counted"}))),
    ASK,
    use("edit", path="later", content="y" * SAID_KEPT),
    DELIVER,
]


def _play(here: Stage, *, kill_after: int, effect: bool) -> None:
    life = kill_after
    while True:
        session = DyingSession(here.workplace, here.session.events, life=life, effect=effect)
        try:
            end = here.turn(session)
        except Killed:
            life, effect = 10**6, True
            continue
        life, effect = session.life, session.effect
        if end != "waiting":
            break
        life += 1
        session.life += 1
        session.answer("CRP-m.1-1")
    assert end == "submitted"


@pytest.mark.parametrize("effect", [False, True], ids=["before the effect", "after the effect"])
def test_a_turn_killed_at_any_record_repeats_neither_call_nor_recorded_reply(effect: bool, stage: Make) -> None:
    """Wherever it dies, the run ends delivered, no command ran twice, and only a reply that was lost is asked again."""
    here = stage(by_turn(MISSION))
    _play(here, kill_after=10**6, effect=True)
    records, requests = len(here.session.events), len(here.asked)
    assert requests == len(MISSION)
    for kill_after in range(records):
        here.workplace.reset()
        here.session = RecordingSession(here.workplace.box.ready)
        before = len(here.asked)
        _play(here, kill_after=kill_after, effect=effect)
        assert len(here.asked) - before <= requests + 1, kill_after
        assert here.workplace.tree().get("counted", b"x\n") == b"x\n", kill_after
        assert len({outcome.call for outcome in here.outcomes}) == len(here.outcomes), kill_after
        assert [bool(reply.reply) for reply in here.replies].count(True) == 1, "the long one is a blob"
        assert [said for reply in here.replies if (said := reply.content or reply.reply)] == list(
            dict.fromkeys(r.content or r.reply for r in here.replies)
        )


def test_an_interrupted_command_is_told_as_such(stage: Make) -> None:
    """Nobody knows whether it took effect: it is not run again, and the model is told so."""
    here = stage(by_turn([use("run", command="echo x >> counted"), said("I look.")]))
    dying = DyingSession(here.workplace, (), life=2, effect=True)
    with pytest.raises(Killed):
        here.turn(dying)
    assert here.turn() == "ended"
    assert "interrupted, outcome unknown" in here.told()
    assert here.workplace.tree()["counted"] == b"x\n"
    assert len(here.asked) == 2

"""The scripted driver: plays a script as an agent would work, the same way each time.

Every call has an id that follows from its place in the script. A turn starts from the first step again; what the run's
history already holds is not repeated, so a turn that was killed anywhere, or waited for weeks, goes on where it was.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from workbench.aee.drivers.script import OTHERWISE, Step, option_of, parse
from workbench.aee.tools.calls import REPEATABLE, REPEATS, repeat_of
from workbench.core.decide.comment import told
from workbench.core.messages import given_of, given_since_an_end
from workbench.model.errors import Refused
from workbench.model.events import (
    ChangesRequested,
    Event,
    MessageGiven,
    RunAnswered,
    ThoughtRecorded,
    ToolReturned,
)
from workbench.model.text import visible
from workbench.ports import Session, ToolResult, Turn, TurnEnd

POLL_S = 0.05  # how often a delay looks whether the run is stopped


class ScriptedDriver:
    """Plays `turn.script`. `answers` maps ids of settled questions to their resolutions (VCR documents).

    `may_crash` lets the step `crash` kill this process; `pause` sleeps.
    """

    name = "scripted"

    def __init__(
        self,
        *,
        answers: Mapping[str, Mapping[str, Any]] | None = None,
        may_crash: bool = False,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._answers = dict(answers or {})
        self._may_crash = may_crash
        self._pause = pause

    def take_turn(self, turn: Turn, session: Session) -> TurnEnd:
        """Play on. Raises ArtifactInvalid for a broken script, and Refused where the script fails."""
        script = parse(turn.script, f"{turn.agent or 'agent'}.yaml")
        player = _Player(
            turn, session, answers=self._answers, may_crash=self._may_crash, pause=self._pause, reply_to=script.reply_to
        )
        if (over := player.heed_earlier(turn.history)) is not None:
            return over
        end = player.play(script.steps, "") or "ended"
        for number in range(player.rounds):
            if end != "submitted":
                break
            if not script.rounds:
                session.say("The script has no steps for requested changes.")
                return "ended"
            steps = script.rounds[min(number, len(script.rounds) - 1)]
            end = player.play(steps, f"r{number + 1}.") or "ended"
        return end


class _Player:
    """One turn. Methods of `_PLAYS` give the turn's end, or None to go on."""

    def __init__(
        self,
        turn: Turn,
        session: Session,
        *,
        answers: Mapping[str, Mapping[str, Any]],
        may_crash: bool,
        pause: Callable[[float], None],
        reply_to: Callable[[str], tuple[Step, ...]],
    ) -> None:
        self._session, self._answers, self._may_crash, self._pause = session, answers, may_crash, pause
        self._reply_to = reply_to
        payloads = [event.payload for event in turn.history]
        self._said = Counter(visible(p.text) for p in payloads if isinstance(p, ThoughtRecorded))
        self._returned = {p.call for p in payloads if isinstance(p, ToolReturned)}
        self._deliveries = 0  # of this turn, without those that are recalled
        self._answered = {p.consultation for p in payloads if isinstance(p, RunAnswered)}
        requests = [p for p in payloads if isinstance(p, ChangesRequested)]
        self.rounds = len(requests)
        self._comments = [comment for asked in requests for comment in told(asked.required_changes)]

    def play(self, steps: tuple[Step, ...], prefix: str) -> TurnEnd | None:
        for number, step in enumerate(steps, 1):
            if self._session.stopping():
                return "stopped"
            for given in self._session.messages():
                if (end := self._heed(given)) is not None:
                    return end
            act = _PLAYS.get(step.kind, _Player.tool_call)
            if (end := act(self, step, f"{prefix}{number}.{step.kind}")) is not None:
                return end
        return None

    def heed_earlier(self, history: Sequence[Event]) -> TurnEnd | None:
        """Do what follows on the messages of the run so far; whether one of this turn ends it."""
        fresh = {given.message for given in given_since_an_end(history)}
        for given in given_of(history):
            before = self._deliveries
            end = self._heed(given)
            is_old = end == "submitted" and given.message not in fresh and self._deliveries == before
            if end is not None and not is_old:
                return end
        return None

    def _heed(self, given: MessageGiven) -> TurnEnd | None:
        return self.play(self._reply_to(given.text), f"{given.message}.")

    def think(self, step: Step, _call: str) -> None:
        self._say_once(step.value)

    def tool_call(self, step: Step, call: str) -> None:
        self._use(step, call, step.value)

    def test(self, step: Step, call: str) -> None:
        tolerant = msgspec.structs.replace(step, allow_error=True, retry=step.retry or step.must_pass)
        result = self._use(tolerant, call, step.value)
        if step.must_pass and result.data.get("state") != "passed" and not self._session.stopping():
            raise Refused(f"line {step.line}: the tests did not pass: {result.summary}", hint="Mend the script.")

    def files(self, step: Step, call: str) -> TurnEnd | None:
        for number, (path, content) in enumerate(step.value.items(), 1):
            if self._session.stopping():
                return "stopped"
            change = {"delete": True} if content is None else {"content": content}
            self._use(step, f"{call}.{number}", {"path": path, **change})
        return None

    def submit(self, step: Step, call: str) -> TurnEnd | None:
        """Deliver. Where the script says nothing of the comments that it was sent, its message is said of each."""
        rationale = step.value.get("rationale", {})
        if self._comments and "addressed" not in rationale:
            how = str(step.value.get("message", "")) or "delivered again"
            addressed = [{"comment": comment, "how": how} for comment in self._comments]
            return self._submit(step, call, {**step.value, "rationale": {**rationale, "addressed": addressed}})
        return self._submit(step, call, step.value)

    def _submit(self, step: Step, call: str, arguments: Mapping[str, Any]) -> TurnEnd | None:
        self._deliveries += call not in self._returned
        return "submitted" if self._use(step, call, arguments).state == "ok" else None

    def ask(self, step: Step, call: str) -> TurnEnd | None:
        result = self._use(step, call, step.value, standing_is_fine=True)
        standing = result.data.get("resolutions") if result.state == "error" else None
        if standing and step.follow:
            return self._branch(step, call, option_of(standing[0]))
        if standing:
            considered = [str(found.get("id", "")) for found in standing]
            result = self._use(step, f"{call}.considered", {**step.value, "considered": considered})
        if isinstance(answer := result.data.get("resolution"), Mapping):
            return self._branch(step, call, option_of(answer))  # it asked the same before
        if result.data.get("mode") != "blocking":
            return self._branch(step, call, OTHERWISE)
        question = str(result.data.get("consultation", ""))
        if question not in self._answered:
            return "waiting"
        return self._branch(step, call, option_of(self._answers.get(question, {})))

    def _branch(self, step: Step, call: str, chosen: str) -> TurnEnd | None:
        name = chosen if chosen in step.branches else OTHERWISE
        return self.play(step.branches.get(name, ()), f"{call}.{name}.")

    def delay(self, step: Step, _call: str) -> TurnEnd | None:
        done = f"Waited {step.value:g} s."
        if self._took(done):
            return None
        until = time.monotonic() + step.value
        while (left := until - time.monotonic()) > 0:
            if self._session.stopping():
                return "stopped"
            self._pause(min(POLL_S, left))
        self._session.say(done)
        return None

    def fail(self, step: Step, _call: str) -> TurnEnd | None:
        raise Refused(f"the agent failed: {step.value}", hint="Resume the run, or stop it.")

    def crash(self, step: Step, _call: str) -> TurnEnd | None:
        before = f"The script crashes on line {step.line}."
        if self._took(before):
            return None
        if not self._may_crash:
            raise Refused(f"line {step.line}: the script may not crash here", hint="Remove the step.")
        self._session.say(before)
        os.kill(os.getpid(), signal.SIGKILL)
        return None

    def _use(
        self, step: Step, call: str, arguments: Mapping[str, Any], *, standing_is_fine: bool = False
    ) -> ToolResult:
        result = self._session.use(step.tool, arguments, call=call)
        again = step.retry or step.tool in REPEATABLE
        for _ in range(REPEATS):
            if result.state != "interrupted" or not again or self._session.stopping():
                break
            call = repeat_of(call)
            result = self._session.use(step.tool, arguments, call=call)
        if step.allow_error or result.state == "ok":
            return result
        if result.state == "interrupted" and (not again or self._session.stopping()):
            return result
        if standing_is_fine and result.data.get("resolutions"):
            return result
        raise Refused(f"line {step.line}: {step.kind} failed: {result.summary}", hint="Mend the script.")

    def _say_once(self, text: str) -> None:
        if not self._took(text):
            self._session.say(text)

    def _took(self, text: str) -> bool:
        """Whether the history has this thought; each one there counts once."""
        key = visible(text)
        if not self._said[key]:
            return False
        self._said[key] -= 1
        return True


_PLAYS: dict[str, Callable[[_Player, Step, str], TurnEnd | None]] = {
    "think": _Player.think,
    "test": _Player.test,
    "files": _Player.files,
    "ask": _Player.ask,
    "submit": _Player.submit,
    "delay": _Player.delay,
    "fail": _Player.fail,
    "crash": _Player.crash,
}

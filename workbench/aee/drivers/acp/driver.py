"""The driver `acp`: an agent's program in the sandbox of its run, spoken to by the Agent Client Protocol.

The whole program is confined. It reaches three unix sockets of ours: the conversation, our tools, and its model, the
last through a proxy that adds the key outside.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import socket
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from workbench.aee.drivers.acp import desk as desks
from workbench.aee.drivers.acp import hidden, inside, prompts
from workbench.aee.drivers.acp.acts import Acts
from workbench.aee.drivers.acp.conversation import Conversation, Plan
from workbench.aee.drivers.acp.front import Front
from workbench.aee.drivers.acp.profiles import HIDING, SETTINGS, Profile, profile_of
from workbench.aee.drivers.acp.program import Program, program_of, python
from workbench.aee.drivers.acp.till import Till
from workbench.aee.mcp import pipe
from workbench.aee.mcp.driven import PATIENCE_S, SUBMIT, DrivenTools
from workbench.aee.mcp.server import McpServer, Unanswered
from workbench.aee.model_proxy import ModelProxy
from workbench.aee.purse import Purse
from workbench.aee.spending import UNFINISHED, Allowance, is_to_deliver
from workbench.aee.tools.calls import REPEATS, repeat_of
from workbench.aee.tools.place import BASE_ENV, Place
from workbench.artifacts.configuration import Agent
from workbench.core.messages import told
from workbench.model.errors import Refused, WorkbenchError
from workbench.model.events import (
    AgentSessionOpened,
    ChangesRequested,
    MessageGiven,
    ModelCalled,
    RunAnswered,
    RunAwaitsAnswer,
    ToolReturned,
)
from workbench.model.text import visible
from workbench.ports import Completed, Job, Limits, Mount, Session, Tool, ToolResult, Turn, TurnEnd

STDERR_KEPT = 64 << 10  # bytes of what the agent's program says of itself
TOLD = 600  # characters of it in a reason
DIFF_S = 60.0
HIDING_NAME = "hiding.cjs"
BEYOND = ("fetch",)  # kinds of acts that want what no sandbox of a run has: the network
ALLOW, DENY = "allow", "deny"


@dataclass(frozen=True, kw_only=True)
class AcpDriver:
    """`agent` is as the person's own settings have it; `home` is private to the run, and outlives its turns.

    `answered(question)` gives the resolution of a question of this run, empty before. `environment` is the AEE's own,
    where the key is.
    """

    name = "acp"

    agent: Agent
    place: Place
    home: Path
    tools: Sequence[Tool]
    answered: Callable[[str], Mapping[str, Any]]
    allowance: Allowance = field(default_factory=Allowance)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    profile: Profile | None = None  # of a plugin's agent; else by the settings or the program's name

    def take_turn(self, turn: Turn, session: Session) -> TurnEnd:
        """Let the program work until it delivers, asks for longer than it may wait, ends or is stopped."""
        if session.stopping():
            return "stopped"
        if (recorded := _recorded_end(turn)) is not None:
            return recorded
        if is_to_deliver(self.allowance, turn.history):
            return self._deliver(session)
        with ExitStack() as stack:
            return _Turn(self, turn, session, stack).take()

    def _deliver(self, session: Session) -> TurnEnd:
        """Hand in what there is, without a request and without the program."""
        call = f"deliver:{self.allowance.deliver}"
        arguments = {"message": UNFINISHED, "rationale": {"notes": UNFINISHED}}
        for _ in range(REPEATS):
            result = session.use(SUBMIT, arguments, call=call)
            if result.state != "interrupted":
                break
            call = repeat_of(call)
        if result.state == "ok":
            return "submitted"
        session.say(f"There is nothing to deliver: {result.summary}")
        return "ended"


class _Turn:
    """One turn: its sockets, its threads, and the program's process."""

    def __init__(self, driver: AcpDriver, turn: Turn, session: Session, stack: ExitStack) -> None:
        self._driver, self._turn, self._session, self._stack = driver, turn, session, stack
        self._front = Front()
        self._key = uuid.uuid4().hex[:12]  # of this turn's model calls among the run's
        self._calls = 0
        command = driver.agent.command
        words = tuple(command.split()) if isinstance(command, str) else tuple(command)
        options = driver.agent.options
        self._program = program_of(words, driver.environment)
        self._profile = driver.profile or profile_of(words[0], str(options.get("profile", "")))
        self._tools = DrivenTools(
            driver.tools,
            use=self._use,
            answered=lambda question: self._do(lambda: driver.answered(question)),
            end=lambda end: self._conversation.wind_up(end),
            history=turn.history,
            patience_s=float(options.get("patience_s", PATIENCE_S)),
            over=self._front.over,
            words=lambda: self._do(self._heard),
        )

    def take(self) -> TurnEnd:
        desk = self._stack.enter_context(desks.desk(self._driver.home))
        self._driver.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        upstream_mounts = self._lay_out(desk)
        listener = self._stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        listener.bind(str(desk / "acp"))
        listener.listen(1)
        self._stack.enter_context(McpServer(desk / "mcp", self._tools))
        helper = python()
        mcp_argv = (*helper.argv, str(desk / "pipe.py"), str(desk / "mcp"))
        plan = Plan(
            cwd=self._driver.place.workspace.cwd,
            known=self._known_session(),
            mcp_argv=mcp_argv,
            first=self._first,
            further=lambda: prompts.further(self._turn, answers=self._answers()),
            more=lambda: "\n".join(prompts.said(self._heard(midway=False))),
        )
        self._conversation = Conversation(
            listener,
            self._front,
            plan,
            acts_of=self._acts_of,
            opened=self._opened,
            say=self._session.say,
            permission=self._may,
        )
        job = self._job(desk, helper, upstream_mounts)
        process = threading.Thread(target=self._run, args=(job,), name="agent", daemon=True)
        self._stack.callback(process.join)
        self._stack.callback(self._front.over.set)
        process.start()
        self._conversation.start()
        end = self._front.serve(self._session.stopping)
        self._conversation.join(timeout=1.0)
        for name, returned in self._conversation.broken_off():
            self._session.record(returned, key=name)
        return end

    # --- the program --------------------------------------------------------------------------------------------------

    def _lay_out(self, desk: Path) -> tuple[Mount, ...]:
        """Scripts, settings and the model's socket, where the program sees them and cannot write."""
        for module in (inside, pipe):
            (desk / Path(module.__file__ or "").name).write_text(inspect.getsource(module), encoding="utf-8")
        (desk / "settings.json").write_text(self._profile.settings, encoding="utf-8")
        (desk / HIDING_NAME).write_text(hidden.script(self._profile.hides), encoding="utf-8")
        if self._profile.paths:
            options = self._driver.agent.options
            upstream = self._profile.upstream(
                self._driver.environment,
                url=str(options.get("url", "")),
                key_variable=str(options.get("key_variable", "")),
            )
            till = self._till()
            self._stack.callback(till.book)
            self._stack.enter_context(ModelProxy(desk / "model", upstream, till=till))
        more = [Mount(source=str(path)) for path in self._driver.agent.options.get("mounts", ())]
        return (Mount(source=str(desk)), Mount(source=str(self._driver.home), writable=True), *more)

    def _job(self, desk: Path, helper: Program, mounts: tuple[Mount, ...]) -> Job:
        place, profile = self._driver.place, self._profile
        order = {
            "argv": [*self._program.argv, *self._model_words()],
            "acp": str(desk / "acp"),
            "model": str(desk / "model"),
            "before": profile.before if self._known_session() else "",
            "env": {name: _placed(value, desk) for name, value in profile.env.items()},
        }
        return Job(
            argv=(*helper.argv, str(desk / "inside.py"), json.dumps(order)),
            cwd=place.workspace.cwd,
            env={**BASE_ENV, **place.environment.env, **place.workspace.env, "HOME": str(self._driver.home)},
            mounts=_each_once(
                (*place.workspace.mounts, *place.environment.mounts, *mounts, *self._program.mounts, *helper.mounts)
            ),
            limits=self._limits(),
        )

    def _limits(self) -> Limits:
        """The run's, but for the wall time (the step has a limit of its own) and for what its runtime reserves: where
        that is more than the run's memory, what it holds is watched instead.
        """
        limits = self._driver.place.limits
        memory, reserved = limits.memory_bytes, self._profile.address_space
        held = {"memory_bytes": reserved, "total_bytes": memory} if 0 < memory < reserved else {}
        return replace(limits, wall_s=0.0, output_bytes=STDERR_KEPT, **held)

    def _model_words(self) -> tuple[str, ...]:
        model = self._driver.agent.model or self._profile.model
        return (*self._profile.model_words, model) if self._profile.model_words and model else ()

    def _run(self, job: Job) -> None:
        """The program's whole life, in a thread that lives as long: a sandbox dies with the thread that started it."""
        try:
            done = self._driver.place.sandbox.run(job, stop=self._front.over.is_set)
        except WorkbenchError as problem:
            self._front.fail(problem)
        except Exception as problem:  # noqa: BLE001 - a worker's top: it becomes the turn's error
            self._front.fail(WorkbenchError(f"the agent could not be run: {problem}"))
        else:
            self._front.fail(self._ended(done))

    def _ended(self, done: Completed) -> WorkbenchError:
        """Only counts where the conversation has not ended the turn before."""
        said = visible((done.stderr.text or done.stdout.text).strip())[-TOLD:]
        return WorkbenchError(
            f"the agent's program ended by itself ({done.state}, exit code {done.exit_code}): {said}",
            hint=f"Try its command by hand: {' '.join(self._program.argv)[:200]}",
        )

    # --- what is recorded ---------------------------------------------------------------------------------------------

    def _do(self, act: Callable[[], Any]) -> Any:
        try:
            return self._front.do(act)
        except CancelledError:
            raise Unanswered from None

    def _use(self, name: str, arguments: Mapping[str, Any], call: str) -> ToolResult:
        self._conversation.settle()
        result: ToolResult = self._do(lambda: self._session.use(name, arguments, call=call))
        return result

    def _opened(self, name: str, is_loaded: bool) -> None:
        opened = AgentSessionOpened(run=self._turn.run, session=visible(name)[:200], loaded=is_loaded)
        self._session.record(opened, key=f"{self._key}.{name[:200]}")

    def _acts_of(self, name: str) -> Acts:
        session = self._session
        return Acts(
            self._turn.run,
            hashlib.sha256(name.encode("utf-8", "replace")).hexdigest(),
            record=lambda payload, key: _ignored(self._front.post(lambda: session.record(payload, key=key))),
            say=lambda text: _ignored(self._front.post(lambda: session.say(text))),
            history=self._turn.history,
        )

    def _known_session(self) -> str:
        opened = (event.payload for event in reversed(self._turn.history))
        return next((payload.session for payload in opened if isinstance(payload, AgentSessionOpened)), "")

    def _till(self) -> Till:
        agent = self._driver.agent
        purse = Purse(
            self._driver.allowance,
            run=self._turn.run,
            model=agent.model or self._profile.model,
            prices=dict(agent.options.get("prices", {})),
            history=self._turn.history,
        )
        return Till(
            purse, self._front, record=self._record_call, reached=lambda problem: self._conversation.wind_up(problem)
        )

    def _record_call(self, called: ModelCalled) -> None:
        self._calls += 1
        self._session.record(called, key=f"{self._key}.{self._calls}")

    # --- what it is told ----------------------------------------------------------------------------------------------

    def _first(self) -> str:
        diff = self._diff() if self._known_session() else ""
        return prompts.first(self._turn, cwd=self._driver.place.workspace.cwd, answers=self._answers(), diff=diff)

    def _heard(self, *, midway: bool = True) -> list[str]:
        """What people say to the agent meanwhile, which is told it at once."""
        return list(map(told, self._session.messages(midway=midway)))

    def _diff(self) -> str:
        """The work so far, as git in the sandbox tells it."""
        base = self._driver.place.workspace.base_commit
        script = 'git add -AN . && git diff --no-ext-diff --no-textconv "$1"'
        return self._driver.place.run(("/bin/sh", "-c", script, "diff", base), wall_s=DIFF_S).stdout.text

    def _answers(self) -> list[tuple[str, Mapping[str, Any]]]:
        answered = [event.payload for event in self._turn.history if isinstance(event.payload, RunAnswered)]
        found = [(payload.consultation, self._driver.answered(payload.consultation)) for payload in answered]
        return [(question, answer) for question, answer in found if answer]

    # --- permissions --------------------------------------------------------------------------------------------------

    def _may(self, request: Mapping[str, Any]) -> tuple[bool, str]:
        """The sandbox is what holds; a request for what it has not is a person's to answer."""
        if request.get("kind") not in BEYOND:
            return True, "granted: the sandbox of the run holds"
        try:
            answer = self._tools.permission(_question(request))
        except (Unanswered, CancelledError):
            return False, "denied: the turn ended before a person answered"
        except Refused as problem:
            return False, f"denied: {problem.message}"[:500]
        granted = answer.get("option") == ALLOW
        who = str(answer.get("decided_by", {}).get("who", "a person"))
        return granted, f"{'granted' if granted else 'denied'} by {who}: {answer.get('rationale', '')}"[:500]


def _recorded_end(turn: Turn) -> TurnEnd | None:
    """How the turn ended already, where the step broke off behind that: nothing is started for it again."""
    asked: set[str] = set()
    delivered = False
    for event in turn.history:
        payload = event.payload
        if isinstance(payload, RunAwaitsAnswer):
            asked.add(payload.consultation)
        elif isinstance(payload, RunAnswered):
            asked.discard(payload.consultation)
        elif isinstance(payload, ToolReturned) and payload.tool == SUBMIT:
            delivered = delivered or payload.state == "ok"
        elif isinstance(payload, ChangesRequested | MessageGiven):
            delivered = False
    return "submitted" if delivered else "waiting" if asked else None


def _placed(value: str, desk: Path) -> str:
    return value.replace(SETTINGS, str(desk / "settings.json")).replace(HIDING, str(desk / HIDING_NAME))


def _question(request: Mapping[str, Any]) -> dict[str, Any]:
    title = visible(str(request.get("title") or request.get("kind")))
    return {
        "summary": f"May the agent: {title}"[:300],
        "category": "permission",
        "mode": "blocking",
        "details": "The agent's program asks for an act that wants the network, which its sandbox has not. Allowing it "
        "lets the program try; the sandbox stays as it is.",
        "options": [
            {"id": DENY, "label": "Go on without it"},
            {"id": ALLOW, "label": "Let it try, within the sandbox as it is"},
        ],
    }


def _each_once(mounts: Sequence[Mount]) -> tuple[Mount, ...]:
    """The first mount of each target."""
    found: dict[str, Mount] = {}
    for mount in mounts:
        found.setdefault(mount.target or mount.source, mount)
    return tuple(found.values())


def _ignored(_value: object) -> None:
    """Nobody waits for it."""

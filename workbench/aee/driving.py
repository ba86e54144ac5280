"""Which driver carries a run: those of our own and those of plugins, by the same hook, chosen by the driver's name."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Literal, get_args

from workbench.aee.drivers.acp.profiles import PROFILES, profile_from
from workbench.aee.drivers.scripted import ScriptedDriver
from workbench.aee.reports import Fenced
from workbench.aee.spending import allowance_of
from workbench.aee.tools.toolbox import ToolBox
from workbench.aee.wiring import HOMES, ChildGround
from workbench.artifacts import mentor
from workbench.artifacts.configuration import Agent
from workbench.core.state import ConsultationState, RunState
from workbench.model.errors import NotFound, WorkbenchError
from workbench.pluginhost.guard import guarded
from workbench.pluginhost.hookspecs import HOOK_S, AgentKind, DriverKind, Seat, hookimpl
from workbench.pluginhost.host import Host, Source
from workbench.pluginhost.manifest import owns
from workbench.ports import Driver, Session, Turn, TurnEnd
from workbench.repository.configuration import read_settings

NATIVE = "native"
ACP = "acp"
MENTOR = ".workbench/mentor"
HOOK = "drivers"


@dataclass(frozen=True, kw_only=True, eq=False)  # registered as the one object that it is
class OwnDrivers:
    """The drivers of Workbench itself, for one run."""

    ground: ChildGround
    run: RunState
    box: ToolBox

    @hookimpl
    def drivers(self) -> list[DriverKind]:
        """Scripted, native and ACP."""
        return [
            DriverKind(name=ScriptedDriver.name, open=self._scripted),
            DriverKind(name=NATIVE, open=self._native),
            DriverKind(name=ACP, open=lambda _seat: self.acp()),
        ]

    def acp(self, kind: AgentKind | None = None) -> Driver:
        """The driver of an agent's program; `kind` is the plugin's that knows it."""
        from workbench.aee.drivers.acp.opening import open_acp

        ground, run = self.ground, self.run
        own = read_settings(ground.person.checkout, shared=b"")[0]
        return open_acp(
            run.agent,
            own,
            box=self.box,
            home=ground.directory / HOMES / run.id,
            answered=self._answer,
            allowance=allowance_of(ground.text(run.brief), self._asked),
            command=kind.program.command if kind is not None else "",
            profile=profile_from(kind.name, kind.program) if kind is not None else None,
        )

    def _scripted(self, _seat: Seat) -> Driver:
        answers = {question.id: question.answer for question in self._asked if question.answer}
        return ScriptedDriver(answers=answers, may_crash=self.run.limits.get("may_crash") is True)

    def _native(self, seat: Seat) -> Driver:
        from workbench.aee.drivers.native.opening import open_native  # the SDK takes a second

        return open_native(
            seat.agent,
            brief=seat.brief,
            asked=self._asked,
            tools=seat.tools,
            blobs=seat.blobs,
            answered=self._answer,
            rules=list(seat.rules()),
        )

    @property
    def _asked(self) -> Sequence[ConsultationState]:
        return self.ground.states.consultations(run=self.run.id)

    def _answer(self, question: str) -> Mapping[str, Any]:
        """The resolution of a question; empty before there is one."""
        asked = self.ground.states.consultation(question)
        return {} if asked is None else asked.answer


Kind = DriverKind | AgentKind


def driver_of(host: Host, own: OwnDrivers) -> Driver:
    """The adapter to the run's agent. Raises NotFound for a kind that nothing here provides."""
    wanted = own.run.driver
    kinds = kinds_of(host)
    if wanted not in kinds:
        if (plugin := next((each for each in host.left_out if owns(each.name, wanted)), None)) is not None:
            why = "nobody trusts its content" if plugin.state == "untrusted" else str(plugin.problems[0])
            raise NotFound(
                f"the driver {wanted!r} is of the plugin {plugin.name}, which may not run: {why}",
                hint=f"workbench plugin doctor {plugin.name} says what to do; then: workbench resume {own.run.id}",
            )
        there = ", ".join(sorted(kinds))
        hint = f"There are: {there}. workbench plugin list says which plugins bring others, and whether they may run."
        raise NotFound(f"there is no driver {wanted!r}", hint=hint)
    source, kind = kinds[wanted]
    if isinstance(kind, AgentKind):
        return own.acp(kind)
    if source.is_ours:
        agent = read_settings(own.ground.person.checkout, shared=b"")[0].agents.get(own.run.agent)
        known = known_program(agent, kinds) if wanted == ACP and agent is not None else None
        return own.acp(known) if known is not None else kind.open(_seat(own))
    return PluginDriver(host, source, kind, _seat(own))


class PluginDriver:
    """Port Driver: one of a plugin. What it raises by mistake is recorded, and fails the step with what to do."""

    def __init__(self, host: Host, source: Source, kind: DriverKind, seat: Seat) -> None:
        self._host, self._source = host, source
        self.name = kind.name
        self._inner: Driver = self._guarded(lambda: kind.open(seat), "open", limit_s=HOOK_S)

    def take_turn(self, turn: Turn, session: Session) -> TurnEnd:
        """The plugin's turn; how long it may take is the step's to say."""
        ended: TurnEnd = self._guarded(lambda: self._inner.take_turn(turn, session), "take_turn", limit_s=None)
        if ended not in get_args(TurnEnd):
            raise self._broken("take_turn", f"a turn cannot end as {ended!r}", "refused")
        return ended

    def _guarded(self, call: Callable[[], Any], what: str, *, limit_s: float | None) -> Any:
        found = guarded(call, limit_s=limit_s, name=f"{self._source.plugin}-{what}")
        if found.state == "ok":
            return found.value
        if isinstance(found.error, WorkbenchError | Fenced | ConnectionError):
            raise found.error  # said by whom it called: not its mistake
        raise self._broken(what, found.reason, found.state)

    def _broken(self, what: str, reason: str, state: Literal["error", "timed-out", "refused"]) -> WorkbenchError:
        self._host.fail(self._source, f"{what} {self.name}", state=state, reason=reason)
        name = self._source.plugin
        return WorkbenchError(
            f"the driver {self.name!r} of the plugin {name} broke: {reason}",
            hint=f"Have its author mend it, or do without: workbench plugin disable {name}",
        )


def kinds_of(host: Host) -> dict[str, tuple[Source, Kind]]:
    """All kinds by name; the first one has a name, and a plugin has only those that are its own."""
    found: dict[str, tuple[Source, Kind]] = {}
    for source, kind in host.gather(HOOK):
        if wrong := _wrong(source, kind, found):
            host.fail(source, HOOK, state="refused", reason=wrong)
        else:
            found[kind.name] = source, kind
    return found


def _wrong(source: Source, kind: object, found: Mapping[str, object]) -> str:
    if not isinstance(kind, DriverKind | AgentKind):
        return f"it gave {type(kind).__name__}, not DriverKind or AgentKind"
    if not source.is_ours and not owns(source.plugin, kind.name):
        return f"the driver {kind.name!r} is not named for the plugin"
    return f"there is a driver {kind.name!r} already" if kind.name in found else ""


def known_program(agent: Agent, kinds: Mapping[str, tuple[Source, Kind]]) -> AgentKind | None:
    """The kind whose program an agent's own command runs, or that its settings name as its profile."""
    words = _words(agent.command)
    if not words:
        return None
    name = str(agent.options.get("profile", "")) or _stem(words)
    programs = [kind for _, kind in kinds.values() if isinstance(kind, AgentKind) and name not in PROFILES]
    return next((kind for kind in programs if name in (kind.name, _stem(_words(kind.program.command)))), None)


def _words(command: str | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(command.split()) if isinstance(command, str) else command


def _stem(words: Sequence[str]) -> str:
    return PurePath(os.path.normpath(words[0])).stem if words else ""


def _seat(own: OwnDrivers) -> Seat:
    ground, run, place = own.ground, own.run, own.box.place
    return Seat(
        run=run,
        agent=_agent(ground, run),
        brief=ground.text(run.brief),
        rules=lambda: _rules(ground, run),
        tools=own.box.tools,
        blobs=ground.blobs,
        workspace=place.workspace,
        sandbox=place.sandbox,
        environment=place.environment,
        limits=place.limits,
        home=Path(ground.directory / HOMES / run.id),
    )


def _agent(ground: ChildGround, run: RunState) -> Agent:
    """The settings of the run's agent. Raises NotFound when there are none any more."""
    agents = ground.settings(run).agents
    if run.driver == ScriptedDriver.name and run.agent not in agents:
        return Agent(driver=run.driver)  # one whose script was named by itself
    if run.agent not in agents:
        hint = f"Write [agents.{run.agent}] into the settings again, or stop the run."
        raise NotFound(f"the settings have no agent {run.agent!r} any more", hint=hint)
    return agents[run.agent]


def _rules(ground: ChildGround, run: RunState) -> list[str]:
    """The active norms of the base commit, in words."""
    rules = [mentor.parse(text) for text in ground.base_files(run, MENTOR, name="*.md")]
    return [f"{rule.id} ({rule.severity}): {rule.text}" for rule in rules if rule.status == "active"]

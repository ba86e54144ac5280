"""One tiny turn of an agent in a throwaway clone, sandboxed, for `workbench agents try`; the journal learns nothing."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from workbench.aee.drivers.acp.profiles import profile_from
from workbench.aee.driving import PluginDriver, kinds_of, known_program
from workbench.aee.sandbox.select import select
from workbench.aee.spending import allowance_of
from workbench.aee.tools.git_commands import GIT_ENV
from workbench.aee.tools.place import Place
from workbench.aee.tools.toolbox import Assignment, Callbacks, ToolBox
from workbench.artifacts.configuration import Agent, Settings
from workbench.core.plugins import PLUGIN_STREAM, TRUST_STREAM, Standing, standing
from workbench.core.state import RunState
from workbench.journal.blobs import FileBlobs
from workbench.journal.clock import SystemClock
from workbench.journal.store import open_journal
from workbench.model.errors import NotFound, Refused, WorkbenchError
from workbench.model.events import Event, ModelCalled, ToolReturned
from workbench.model.text import visible
from workbench.pluginhost import discovery
from workbench.pluginhost.bundle import Bundle
from workbench.pluginhost.hookspecs import AgentKind, Seat
from workbench.pluginhost.host import Host
from workbench.pluginhost.manifest import owns
from workbench.pluginhost.roster import Plugin, roster
from workbench.ports import Driver, Environment, Mount, Session, Turn, TurnEnd, Workspace
from workbench.repository.configuration import read_settings
from workbench.repository.repository import GitRepository, open_repository
from workbench.testing.session import RecordingSession

RUN, BRANCH = "try.1", "workbench/try/try.1"
BRIEF = """\
---
id: try
title: A tiny turn
goal: {objective: "Write the word that greeting.txt holds, in capitals, into answer.txt; then deliver."}
success_criteria: {definition_of_done: [{id: DOD-1, text: "answer.txt holds the word in capitals."}]}
budget: {cost_usd: 0.25, tokens: 200000}
---
"""
GREETING, WANTED = "hello\n", "HELLO"
NATIVE, ACP = "native", "acp"


def main() -> int:
    """Take the turn and print one object."""
    parser = argparse.ArgumentParser(prog="python -m workbench.aee.trying")
    for name in ("--journal", "--repository", "--agent"):
        parser.add_argument(name, required=True)
    wanted = parser.parse_args()
    with open_repository(Path(wanted.repository), allow_bare=True, allow_empty=True) as person:
        settings, _ = read_settings(person.checkout)
        own, _ = read_settings(person.checkout, shared=b"")
        agent = settings.agents[wanted.agent]
        host = _host_of(agent, person, Path(wanted.journal))
    row = tried(wanted.agent, agent, own=own, host=host)
    sys.stdout.buffer.write(msgspec.json.encode(row) + b"\n")
    return 0


def _host_of(agent: Agent, person: GitRepository, journal: Path) -> Host:
    """The plugins that may know the agent: its driver, or the program that its own command runs. No failure is kept."""
    found = roster([*discovery.shipped(), *discovery.installed(), *_brought(person)], _standing(journal))
    host = Host("aee", record=lambda _failure: None)
    host.admit(plugin for plugin in found if _may_know(plugin, agent))
    return host


def _may_know(plugin: Plugin, agent: Agent) -> bool:
    if agent.driver == ACP:
        return plugin.manifest is not None and bool(plugin.manifest.agents)
    return owns(plugin.name, agent.driver)


def _brought(person: GitRepository) -> list[Bundle]:
    try:
        return discovery.of_commit(person, person.resolve("HEAD"))
    except NotFound:  # no commit yet
        return []


def _standing(journal: Path) -> Standing:
    try:
        with open_journal(journal, clock=SystemClock(), read_only=True) as said:
            return standing(said.read(TRUST_STREAM), said.read(PLUGIN_STREAM))
    except NotFound:
        return Standing()


def tried(name: str, agent: Agent, *, own: Settings, host: Host) -> dict[str, Any]:
    """What came of it; trouble is told in the row. `own` are the settings without the repository's."""
    began = time.monotonic()
    ended, error, hint, answer = "", "", "", ""
    events: Sequence[Event] = ()
    with tempfile.TemporaryDirectory(prefix="workbench-try-", ignore_cleanup_errors=True) as directory:
        trial = _Trial(Path(directory), name, host)
        try:
            ended = trial.take(agent, own)
            answer = trial.answer()
        except WorkbenchError as problem:
            error, hint = visible(problem.message), visible(problem.hint)
        finally:
            events = trial.session.events
            trial.close()
    called = [event.payload for event in events if isinstance(event.payload, ModelCalled)]
    return {
        "schema": 1,
        "kind": "trial",
        "id": name,
        "driver": agent.driver,
        "model": agent.model,
        "ok": ended == "submitted" and answer == WANTED,
        "ended": ended,
        "answer": visible(answer)[:200],
        "calls": [
            {"tool": returned.tool, "state": returned.state, "summary": visible(returned.summary)}
            for event in events
            if isinstance(returned := event.payload, ToolReturned)
        ],
        "requests": len(called),
        "tokens": sum(c.tokens_in + c.tokens_out + c.tokens_cache_write + c.tokens_cache_read for c in called),
        "cost_usd": sum(c.cost_usd for c in called),
        "cost_known": all(c.cost_known for c in called),
        "seconds": round(time.monotonic() - began, 2),
        "error": error,
        "hint": hint,
    }


class _Trial:
    """A clone of nothing much, and the tools in it."""

    def __init__(self, directory: Path, agent: str, host: Host) -> None:
        self._host = host
        clone = directory / "clone"
        clone.mkdir()
        (clone / "greeting.txt").write_text(GREETING, encoding="utf-8")
        base = _commit(clone)
        workspace = Workspace(
            id=RUN, path=str(clone), base_commit=base, cwd=str(clone), mounts=(Mount(source=str(clone), writable=True),)
        )
        self._clone = clone
        self._agent = agent
        self._blobs = FileBlobs(directory / "blobs")
        self._place = Place.of(
            workspace,
            sandbox=select("", allow_none=False),
            environment=Environment(kind="system", label="the system's tools"),
            scratch=directory / "scratch",
        )
        self._box = ToolBox(
            self._place,
            assignment=Assignment(run=RUN, mission="try", agent=agent, branch=BRANCH, brief=BRIEF),
            callbacks=Callbacks(name_question=lambda _call: "CRP-try", blobs=self._blobs, now=SystemClock().now),
        )
        self.session = RecordingSession(self._box.ready, run=RUN)

    def take(self, agent: Agent, own: Settings) -> TurnEnd:
        """The turn. A question is not waited for: nobody answers here."""
        if agent.driver == "scripted":
            raise Refused("a scripted agent plays a script of its own", hint="Start a mission with it.")
        session: Session = self.session
        return self._driver(agent, own).take_turn(Turn(run=RUN, mission="try", agent=self._agent, brief=BRIEF), session)

    def _driver(self, agent: Agent, own: Settings) -> Driver:
        if agent.driver == NATIVE:
            from workbench.aee.drivers.native.opening import open_native  # the SDK takes a second

            return open_native(agent, brief=BRIEF, asked=(), tools=self._box.tools, blobs=self._blobs)
        kinds = kinds_of(self._host)
        if agent.driver == ACP:
            mine = own.agents.get(self._agent)
            return self._program(own, known_program(mine, kinds) if mine is not None else None)
        if agent.driver not in kinds:
            why = "; ".join(f"the plugin {plugin.name} is {plugin.state}" for plugin in self._host.left_out)
            told = f"the driver {agent.driver!r} is not there{f': {why}' if why else ''}"
            raise NotFound(told, hint="workbench agents doctor and workbench plugin doctor say what is missing.")
        source, kind = kinds[agent.driver]
        if isinstance(kind, AgentKind):
            return self._program(own, kind)
        return PluginDriver(self._host, source, kind, self._seat(agent))

    def _program(self, own: Settings, kind: AgentKind | None) -> Driver:
        """An agent's program; `kind` is the plugin's that knows it."""
        from workbench.aee.drivers.acp.opening import open_acp

        mine = {name: _unanswered(each) for name, each in own.agents.items()}
        return open_acp(
            self._agent,
            msgspec.structs.replace(own, agents=mine),
            box=self._box,
            home=self._clone.with_name("home"),
            answered=lambda _question: {},
            allowance=allowance_of(BRIEF, ()),
            command=kind.program.command if kind is not None else "",
            profile=profile_from(kind.name, kind.program) if kind is not None else None,
        )

    def _seat(self, agent: Agent) -> Seat:
        place = self._place
        return Seat(
            run=RunState(
                id=RUN,
                mission="try",
                agent=self._agent,
                driver=agent.driver,
                branch=BRANCH,
                base_commit=place.workspace.base_commit,
            ),
            agent=agent,
            brief=BRIEF,
            rules=lambda: (),
            tools=self._box.tools,
            blobs=self._blobs,
            workspace=place.workspace,
            sandbox=place.sandbox,
            environment=place.environment,
            limits=place.limits,
            home=self._clone.with_name("home"),
        )

    def answer(self) -> str:
        """What the agent wrote, read as a tool would: never through a link out of the clone."""
        result = self._box.call("read", {"path": "answer.txt"}, "look")
        return str(result.data.get("text", result.data.get("content", ""))).strip()

    def close(self) -> None:
        self._place.files.close()


def _unanswered(agent: Agent) -> Agent:
    return msgspec.structs.replace(agent, options={**agent.options, "patience_s": 0})


def _commit(clone: Path) -> str:
    """The base, before any agent was near it."""
    who = ("-c", "user.name=Workbench", "-c", "user.email=try@workbench.invalid")
    for words in (
        ("init", "-q", "-b", "main"),
        ("add", "-A"),
        (*who, "commit", "-qm", "Base"),
        ("checkout", "-qb", BRANCH),
    ):
        _git(clone, *words)
    return _git(clone, "rev-parse", "HEAD")


def _git(clone: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=clone, env=_git_env(), check=True, capture_output=True)
    return done.stdout.decode().strip()


def _git_env() -> dict[str, str]:
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", **GIT_ENV}


if __name__ == "__main__":
    sys.exit(main())

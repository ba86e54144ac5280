"""Composition root of the agents' wing: which adapter stands behind which port, for the service and for a run child."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from workbench.aee.confined import Confined
from workbench.aee.drivers.acp.desk import clear_desks
from workbench.aee.drivers.scripted import ScriptedDriver
from workbench.aee.lock import lock_file
from workbench.aee.prepare import Preparation, step_from
from workbench.aee.reports import ReportLine
from workbench.aee.sandbox.orphans import end_orphans
from workbench.aee.sandbox.select import best_level, select
from workbench.aee.sandbox.unconfined import Unconfined
from workbench.aee.streaming import OutputReport
from workbench.aee.tools.place import Place
from workbench.aee.tools.suite import ProjectSuite
from workbench.aee.tools.toolbox import Assignment, Callbacks, ToolBox
from workbench.aee.workspaces import SharedClones
from workbench.artifacts import policy as policies
from workbench.artifacts.configuration import Settings
from workbench.artifacts.policy import Policy
from workbench.core.comments import unspoken
from workbench.core.decide.decision import run_stream
from workbench.core.recall import standing
from workbench.core.state import RunState
from workbench.evidence.conventions import plan_suite
from workbench.evidence.environment import discover
from workbench.evidence.rig import Rig
from workbench.journal.blobs import FileBlobs
from workbench.journal.clock import SystemClock
from workbench.journal.group import GroupCommit
from workbench.journal.location import note_repository
from workbench.journal.search import index
from workbench.journal.store import BLOBS, SqliteJournal, open_journal
from workbench.model.errors import SandboxProblem
from workbench.model.events import Event, Pin, Proposed
from workbench.model.ids import consultation_id
from workbench.ports import DEMO_LEVEL, Blobs, Clock, Environment, Journal, Limits, Sandbox, States, Workspace
from workbench.repository.configuration import SHARED, read_settings
from workbench.repository.locate import STORE
from workbench.repository.repository import GitRepository, open_repository
from workbench.repository.store import Store
from workbench.repository.trees import remove_tree

WORKSPACES = "workspaces"
PREPARED = "prepared"
SCRATCH = "scratch"
CHILD_LOGS = "children"
HOMES = "homes"  # of agents that are programs of others, one for each run
TIDYING_LOCK = "tidying.lock"
MEGABYTE = 1 << 20
REF_LOCK_S = 5.0  # git holds the lock on a ref for milliseconds
LOG_DAYS = 30.0  # how long the log of a run child is kept


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What the service stands on."""

    directory: Path
    repository: Path
    journal: Journal
    states: States
    max_runs: int
    keep_s: float  # the workspace of a run that is over; 0: until somebody calls gc
    sandbox_level: str
    tend: Callable[[], int]  # some upkeep for a quiet moment; how much is left
    store: Store
    broken: Callable[[], str]  # why nothing can be recorded any more, however long one waits; empty while it can

    def clear_leftovers(self) -> None:
        """End and remove what killed processes left half made. Only while no step is at work."""
        end_orphans()
        lock = lock_file(self.directory / TIDYING_LOCK, wait_s=0.0)
        if lock is None:
            return  # somebody tidies by hand at this moment
        try:
            if self.store.path.exists():
                self.store.clear_stale()
                self.clear_locks()
            # No sandbox: nothing is asked of any clone.
            clones = SharedClones(
                self.directory / WORKSPACES, store=self.store, sandbox=Unconfined("none"), checkout=self.repository
            )
            clones.clear_leftovers()
            for pattern in ("out-*", "box-*"):
                for place in (self.directory / SCRATCH).glob(pattern):
                    remove_tree(place)
            _remove_old(self.directory / CHILD_LOGS)
            clear_desks(self.directory / HOMES / run.id for run in self.states.runs())
        finally:
            os.close(lock)

    def clear_locks(self) -> None:
        """Remove locks on the store's refs that a killed git left; a living one holds such a lock for milliseconds."""
        before = time.time() - REF_LOCK_S
        for lock in (*(self.store.path / "refs").rglob("*.lock"), self.store.path / "packed-refs.lock"):
            with suppress(FileNotFoundError):
                if lock.stat().st_mtime < before:
                    lock.unlink()


def _remove_old(logs: Path) -> None:
    before = time.time() - LOG_DAYS * 86400
    for log in logs.glob("*.log"):
        if log.lstat().st_mtime < before:
            log.unlink(missing_ok=True)


@contextmanager
def open_ground(directory: Path, repository: Path) -> Iterator[Ground]:
    """The journal as its one hot writer, and the settings of the person's checkout."""
    with ExitStack() as stack:
        journal = stack.enter_context(open_journal(directory, clock=SystemClock()))
        group = stack.enter_context(GroupCommit(journal))
        person = stack.enter_context(open_repository(repository, allow_bare=True))
        note_repository(directory, person.common_dir)
        settings, _ = read_settings(person.checkout)
        store = stack.enter_context(Store(directory / STORE, source=person.common_dir))
        yield Ground(
            directory=directory,
            repository=repository,
            journal=group,
            states=group,
            max_runs=settings.run.max_runs or os.cpu_count() or 1,
            keep_s=settings.run.keep_minutes * 60.0,
            sandbox_level=best_level(),
            tend=lambda: _tended(journal),
            store=store,
            broken=lambda: "" if group.problem is None else group.problem.message,
        )


def _tended(journal: SqliteJournal) -> int:
    end_orphans()  # of a child that was killed since the last time
    return index(journal)


@dataclass(frozen=True, kw_only=True)
class ChildGround:
    """What a run child stands on: it reads the journal and reports to the AEE, which alone writes."""

    directory: Path
    line: ReportLine
    journal: SqliteJournal
    blobs: Blobs
    clock: Clock
    person: GitRepository
    store: Store

    @property
    def states(self) -> States:
        """The projections."""
        return self.journal

    def history(self, run: str) -> list[Event]:
        """Everything that happened in a run."""
        return self.journal.read(run_stream(run))

    def text(self, pin: Pin | None) -> str:
        """The pinned text of an artifact; empty when there is none."""
        return self.blobs.get(pin.blob).decode() if pin is not None and pin.blob else ""

    def report(self, events: Sequence[Proposed]) -> None:
        """Have events appended."""
        self.line.report(events)

    def sandbox(self, run: RunState) -> Sandbox:
        """The sandbox of the level that the run asks for. Raises SandboxProblem where the policy forbids that level.

        Only agents that we wrote ourselves may fall back to none where nothing else works.
        """
        demo = run.sandbox == DEMO_LEVEL
        wanted = "" if demo else run.sandbox
        ours = demo and run.driver == ScriptedDriver.name
        rule = self.policy(run).sandbox
        made = select(wanted, allow_none=wanted == "none", demo=ours, minimum="none" if ours else rule.minimum)
        if made.level == "none" and not rule.allow_none:
            raise SandboxProblem(
                f"The policy of base commit {bound_by(run)[:12]} forbids to run without a sandbox",
                hint="Install bubblewrap (see workbench doctor), or change the policy on the base branch.",
            )
        return made

    def policy(self, run: RunState) -> Policy:
        """A policy that a person named, else the base commit's, else the default: never the change's own."""
        if run.policy is not None:
            return policies.parse(self.text(run.policy), run.policy.id)
        raw = self._base_file(run, policies.PATH)
        return policies.DEFAULT if raw is None else policies.parse(raw, policies.PATH)

    def checkout(self) -> Path:
        """Where sandboxed commands see their workspace: the path of the person's checkout."""
        return self.person.checkout or self.person.common_dir

    def workspaces(self, run: RunState) -> SharedClones:
        """The clones of this repository's runs."""
        root = self.directory / WORKSPACES
        return SharedClones(
            root, store=self.store, sandbox=self.sandbox(run), checkout=self.checkout(), repository=self.person
        )

    def settings(self, run: RunState) -> Settings:
        """The settings that bind the run: the repository's own are read from its base commit."""
        shared = self._base_file(run, SHARED) or b""
        return read_settings(self.person.checkout, shared=shared)[0]

    def base_files(self, run: RunState, under: str, *, name: str) -> Iterator[bytes]:
        """The files called like `name` below `under` in the run's base, in the order of their paths."""
        holder = self._holder(run)
        for path in holder.list_files(bound_by(run), under):
            if fnmatchcase(path, name):
                yield holder.read_file(bound_by(run), path) or b""

    def _base_file(self, run: RunState, path: str) -> bytes | None:
        return self._holder(run).read_file(bound_by(run), path)

    def _holder(self, run: RunState) -> Store | GitRepository:
        """Who has the run's base: the store keeps it even where the person's history was rewritten."""
        return self.store if self.store.has(bound_by(run)) else self.person

    def environment(self, run: RunState) -> Environment:
        """The named environment of the run, prepared if its settings say so.

        Raises NeedsHuman while nobody trusts a prepare step that wants the network.
        """
        settings = self.settings(run)
        found = discover(
            self.checkout(),
            virtual_env=settings.environment.virtual_env,
            search_path=settings.environment.search_path,
            caller=_variables(run.environment),
        )
        step = step_from(settings.prepare)
        if step is None:
            return found
        return self._preparation(run).ensure(step, commit=bound_by(run), base=found)

    def _preparation(self, run: RunState) -> Preparation:
        return Preparation(
            self.directory / PREPARED,
            store=self.store,
            workspaces=self.workspaces(run),
            sandbox=self.sandbox(run),
            journal=self.journal,
            checkout=self.checkout(),
        )

    def limits(self, run: RunState) -> Limits:
        """What one command of the run may use."""
        wanted, default = run.limits, Limits()
        return Limits(
            wall_s=float(wanted.get("command_s") or default.wall_s),
            memory_bytes=int(wanted.get("memory_mb", 0)) * MEGABYTE or default.memory_bytes,
            processes=int(wanted.get("processes") or default.processes),
            output_bytes=int(wanted.get("output_mb", 0)) * MEGABYTE or default.output_bytes,
        )

    def toolbox(self, run: RunState, stop: Callable[[], bool]) -> ToolBox:
        """The run's tools, in its clone."""
        made = self.workspaces(run).prepare(run=run.id, base_commit=run.base_commit, branch=run.branch)
        place = Place(
            workspace=made,
            files=Confined(Path(made.path)),
            sandbox=self.sandbox(run),
            environment=self.environment(run),
            scratch=self.directory / SCRATCH,
            limits=self.limits(run),
            on_output=OutputReport(self.line, run.id),
            stop=stop,
        )
        assignment = Assignment(
            run=run.id,
            mission=run.mission,
            agent=run.agent,
            branch=run.branch,
            brief=self.text(run.brief),
            brief_id=run.brief.id if run.brief is not None else "",
            brief_version=run.brief.version if run.brief is not None else "",
            head=run.head or run.base_commit,
        )
        callbacks = Callbacks(
            name_question=lambda call: self._question(run, call),
            blobs=self.blobs,
            now=self.clock.now,
            matching=lambda query: self._standing(run, query),
            asked=lambda: self.states.consultations(run=run.id),
            find_suite=lambda: self._suite(run, made, stop),
            comments=lambda: unspoken(self.states.packs(run=run.id)),
        )
        return ToolBox(place, assignment=assignment, callbacks=callbacks)

    def rig(self, run: RunState, stop: Callable[[], bool]) -> Rig:
        """Where and how checks of the run's work are run."""
        return Rig(
            workspaces=self.workspaces(run),
            sandbox=self.sandbox(run),
            environment=self.environment(run),
            blobs=self.blobs,
            clock=self.clock,
            scratch=self.directory / SCRATCH,
            limits=replace(self.limits(run), wall_s=float(self.settings(run).tests.timeout_s)),
            stop=stop,
        )

    def _suite(self, run: RunState, workspace: Workspace, stop: Callable[[], bool]) -> ProjectSuite | None:
        """The suite that the base commit names, for the run's own workspace."""
        base = run.base_commit
        plan = plan_suite(
            self.store.list_files(base),
            lambda path: self.store.read_file(base, path),
            configured=self.settings(run).tests,
        )
        return None if plan is None else ProjectSuite(rig=self.rig(run, stop), plan=plan, workspace=workspace)

    def _question(self, run: RunState, call: str) -> str:
        """The id of the question that a call raises; the same one when the call is repeated."""
        asked = self.states.consultations(run=run.id)
        return next((known.id for known in asked if known.call == call), consultation_id(run.id, len(asked) + 1))

    def _standing(self, run: RunState, query: str) -> Sequence[Mapping[str, Any]]:
        return standing(self.states.consultations(), query, mission=run.mission, now=self.clock.now())


def bound_by(run: RunState) -> str:
    """The commit at which is read what binds a run: its base, unless that is another agent's work."""
    return run.authority or run.base_commit


@contextmanager
def open_child_ground(directory: Path, repository: Path, line: ReportLine) -> Iterator[ChildGround]:
    """Everything that a run child reads; it writes only through `line`."""
    with ExitStack() as stack:
        journal = stack.enter_context(open_journal(directory, clock=SystemClock(), read_only=True))
        person = stack.enter_context(open_repository(repository, allow_bare=True))
        store = stack.enter_context(Store.of(person, directory / STORE))
        yield ChildGround(
            directory=directory,
            line=line,
            journal=journal,
            blobs=FileBlobs(directory / BLOBS),  # the child keeps bulk itself and reports its digest
            clock=SystemClock(),
            person=person,
            store=store,
        )


def _variables(recorded: Mapping[str, Any]) -> dict[str, str]:
    """What was recorded of the caller's environment, as variables."""
    return {
        "VIRTUAL_ENV": str(recorded.get("virtual_env", "")),
        "PATH": os.pathsep.join(map(str, recorded.get("search_path", ()))),
    }

"""Examines a delivery: which collectors look at it, what the gate makes of it, and the pack that comes of both."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from workbench import __version__
from workbench.aee.plugged import host_of, tools_brought, workshop_of
from workbench.aee.sandbox.select import limitations
from workbench.aee.wiring import ChildGround
from workbench.artifacts import brief as briefs
from workbench.artifacts import policy as policies
from workbench.artifacts.brief import Brief
from workbench.artifacts.configuration import Settings
from workbench.artifacts.mergepack import Audit, MergePack, Message
from workbench.artifacts.policy import Policy
from workbench.core.admission import Bindings
from workbench.core.assemble import Known, assemble
from workbench.core.decide.decision import on_run, run_stream
from workbench.core.gate import Context, judge
from workbench.core.messages import given_since_delivery, name_of
from workbench.core.state import RunState
from workbench.evidence.audit import AuditCollector
from workbench.evidence.behaviour import Behaviour
from workbench.evidence.cache import EvidenceCache
from workbench.evidence.clauses import ClausesCollector
from workbench.evidence.conventions import plan_suite
from workbench.evidence.coverage import CoverageCollector
from workbench.evidence.dangerous import Dangerous
from workbench.evidence.deceptive import Deceptive
from workbench.evidence.dependencies import Dependencies
from workbench.evidence.examine import examine
from workbench.evidence.first import First, FirstLook
from workbench.evidence.growth import Growth
from workbench.evidence.interface import Interface
from workbench.evidence.licences import Licences
from workbench.evidence.lint import LintCollector
from workbench.evidence.mutation.collector import MutationCollector
from workbench.evidence.outcomes import TestsCollector
from workbench.evidence.rationale import RationaleCollector
from workbench.evidence.rig import Rig
from workbench.evidence.secrets import Secrets
from workbench.evidence.size import Size
from workbench.evidence.sizes import MADE, change_summary
from workbench.evidence.structure import Structure
from workbench.evidence.suiteless import NoSuite
from workbench.evidence.tampering.collector import Tampering
from workbench.evidence.types import TypesCollector
from workbench.model.events import Event, FirstTestsRan, MessageGiven
from workbench.model.ids import derived_id, pack_id
from workbench.pluginhost.collecting import Unasked, collectors
from workbench.pluginhost.hookspecs import hookimpl
from workbench.ports import Blobs, Collected, Collector
from workbench.repository.change import StoreChange
from workbench.repository.history import often_mended

COMMANDS_PER_COLLECTOR = 4  # runs of the suite that the slowest one makes, one after the other
MARGIN_S = 300.0  # for what a collector does besides


RESOLUTIONS = ".workbench/resolutions/"  # only added to, by Workbench itself


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What is examined, with what binds its gate; all of it is read from the base commit or pinned by a person."""

    run: RunState
    revision: int
    base: str
    head: str
    policy: Policy
    brief: Brief | None
    settings: Settings
    on: str = ""  # the run on whose head the base is
    conflicts: tuple[str, ...] = ()  # where its commits could not be put on that base

    @property
    def id(self) -> str:
        """The id of the pack."""
        return pack_id(self.run.id, self.revision)

    @property
    def policy_digest(self) -> str:
        """The digest of the policy."""
        return policies.digest(self.policy)

    @property
    def brief_digest(self) -> str:
        """The digest of the brief; empty without one."""
        return briefs.digest(self.brief) if self.brief else ""


class ExaminationStopped(Exception):
    """Somebody wants the step to end; what was found so far is dropped, and all of it is made again."""


class Deadline:
    """When commands of a collector must end: `stop` says so, or its thread has had `limit_s` seconds.

    Each collector works in a thread of its own, and its commands ask in that thread, so that one which ran out of
    time leaves nothing running, and the others go on.
    """

    def __init__(self, stop: Callable[[], bool], *, limit_s: float) -> None:
        self._stop, self._limit_s = stop, limit_s
        self._of_thread = threading.local()

    def __call__(self) -> bool:
        """Whether a command that runs in this thread must end."""
        now = time.monotonic()
        begun: float = self._of_thread.__dict__.setdefault("begun", now)
        return self._stop() or now - begun > self._limit_s


def examined(
    ground: ChildGround, delivery: Delivery, change: StoreChange, cache: EvidenceCache, stop: Callable[[], bool]
) -> MergePack:
    """The pack of `delivery`, from evidence that is made here. Raises ExaminationStopped once `stop` says so."""
    limit_s = COMMANDS_PER_COLLECTOR * delivery.settings.tests.timeout_s + MARGIN_S
    rig = ground.rig(delivery.run, Deadline(stop, limit_s=limit_s))
    behaviour = _behaviour(ground, delivery, rig, cache)

    def go_on(_name: str, _collected: Collected) -> None:
        if stop():
            raise ExaminationStopped

    structure = Structure(lambda paths: often_mended(ground.person.git, delivery.base, paths))
    own = _OwnCollectors(delivery=delivery, rig=rig, behaviour=behaviour, cache=cache, structure=structure)
    host = host_of(ground, delivery.run, ours=[own])
    all_of_them = collectors(host, workshop_of(delivery.settings.plugins, rig, delivery.brief))
    all_of_them += [Unasked(host.left_out)] if host.left_out else []
    found = examine(change, all_of_them, clock=ground.clock, limit_s=limit_s, on_collected=go_on)
    bindings = Bindings(
        base=delivery.base,
        head=delivery.head,
        tree=change.tree,
        policy_digest=delivery.policy_digest,
        brief_digest=delivery.brief_digest,
        environment=rig.environment.digest,
    )
    judgement = judge(
        evidence=found.evidence,
        findings=found.findings,
        policy=delivery.policy,
        brief=delivery.brief,
        context=_context(ground, delivery, change, bindings),
    )
    brought = tools_brought(host, all_of_them, driver=delivery.run.driver)
    known = _known(ground, delivery, change, rig, behaviour, brought)
    known = msgspec.structs.replace(known, changes=structure.told(known.changes), surface=structure.surface())
    return assemble(judgement=judgement, findings=found.findings, brief=delivery.brief, bindings=bindings, known=known)


def _behaviour(ground: ChildGround, delivery: Delivery, rig: Rig, cache: EvidenceCache) -> Behaviour | None:
    files = ground.store.list_files(delivery.base)
    plan = plan_suite(
        files, lambda path: ground.store.read_file(delivery.base, path), configured=delivery.settings.tests
    )
    if plan is None:
        return None
    first = FirstLook(rig, plan, lambda first: _tell_first(ground, delivery, first))
    return Behaviour(rig, plan, cache=cache, test_paths=delivery.policy.test_paths, first=first)


def _tell_first(ground: ChildGround, delivery: Delivery, first: First) -> None:
    """Let a person see what is red while the whole suite still runs."""
    ran = FirstTestsRan(
        run=delivery.run.id, pack=delivery.id, files=first.files, tests=first.tests, failed=first.failed
    )
    ground.report([on_run(ran.run, ran, id=derived_id(delivery.id, "first-tests", delivery.head, delivery.base))])


@dataclass(frozen=True, kw_only=True, eq=False)  # registered as the one object that it is
class _OwnCollectors:
    """The collectors of Workbench itself, for one delivery."""

    delivery: Delivery
    rig: Rig
    behaviour: Behaviour | None
    cache: EvidenceCache
    structure: Structure

    @hookimpl
    def collectors(self) -> list[Collector]:
        """All of them, the suite's first: what others build on."""
        delivery, rig, behaviour = self.delivery, self.rig, self.behaviour
        tests: list[Collector] = (
            [NoSuite(rig, delivery.settings.tests)]
            if behaviour is None
            else [TestsCollector(rig, behaviour), CoverageCollector(rig, behaviour)]
        )
        clauses: list[Collector] = (
            []
            if delivery.brief is None
            else [ClausesCollector(rig, delivery.brief, behaviour=behaviour, cache=self.cache)]
        )
        return [
            *tests,
            *clauses,
            Tampering(),
            LintCollector(rig),
            TypesCollector(rig, command=delivery.settings.types.command, cache=self.cache),
            Secrets(),
            Dependencies(Licences(rig.environment), delivery.policy.licences),
            Dangerous(),
            Growth(),
            Deceptive(),
            Size(delivery.policy.size, delivery.brief),
            self.structure,
            *([Interface()] if delivery.brief is not None and delivery.brief.behaviour == "unchanged" else []),
            RationaleCollector(delivery.run.rationale, delivery.brief, diff=lambda: self.structure.diff),
            AuditCollector(_links(delivery, rig.blobs), rig.blobs),
            *self._mutation(),
        ]

    def _mutation(self) -> list[Collector]:
        """Last, as it has a time of its own, and nothing else waits for it."""
        if self.behaviour is None:
            return []
        off = "it is off under a lenient policy" if self.delivery.policy.rigor == "lenient" else ""
        return [MutationCollector(self.rig, self.behaviour, budget_s=self.delivery.settings.tests.mutation_s, off=off)]


def _links(delivery: Delivery, blobs: Blobs) -> dict[str, str]:
    """What the change came from, as blobs that a later reader can open."""
    run = delivery.run
    pinned = {"brief": run.brief, "script": run.script}
    links = {name: pin.blob for name, pin in pinned.items() if pin is not None}
    return {**links, "policy": blobs.put(policies.render(delivery.policy).encode())}


def _context(ground: ChildGround, delivery: Delivery, change: StoreChange, bindings: Bindings) -> Context:
    counted = [made for made in change_summary(change) if made.kind not in MADE]
    asked = ground.states.consultations(run=delivery.run.id, is_open=True)
    return Context(
        bindings=bindings,
        changed_paths=tuple(path for _, path in change.changed_paths()),
        changed_lines=sum(made.added + made.removed for made in counted),
        changed_files=len(counted),
        open_questions=tuple(question.id for question in asked),
        removed_or_changed_resolutions=tuple(
            path for status, path in change.changed_paths() if status != "A" and path.startswith(RESOLUTIONS)
        ),
        now=ground.clock.now(),
    )


def _known(
    ground: ChildGround,
    delivery: Delivery,
    change: StoreChange,
    rig: Rig,
    behaviour: Behaviour | None,
    brought: Mapping[str, str],
) -> Known:
    run = delivery.run
    history = ground.history(run.id)
    runs = behaviour.of(change) if behaviour is not None else None
    before = {outcome.id for outcome in runs.base.outcomes} if runs else set()
    return Known(
        id=delivery.id,
        mission=run.mission,
        run=run.id,
        agent=run.agent,
        revision=delivery.revision,
        submitted_at=ground.clock.now(),
        title=run.title,
        changes=change_summary(change),
        tests=runs.result.outcomes if runs else (),
        new_tests=tuple(outcome.id for outcome in runs.result.outcomes if outcome.id not in before) if runs else (),
        claimed=run.rationale,
        audit=_audit(ground, delivery, rig, brought, history),
        not_checked=(
            *_below(delivery),
            *(
                f"Whether {each.message} was heeded: it came after this delivery, and nothing was delivered since."
                for each in given_since_delivery(history)
            ),
        ),
        on=delivery.on,
        authority=run.authority,
    )


def _below(delivery: Delivery) -> Iterator[str]:
    if delivery.on:
        yield f"What {delivery.on} brings, on which it stands: its own pack says that."
    elif delivery.run.authority:
        yield f"What its base {delivery.base[:12]} brings: agents made that, and it is on no branch."


def _audit(
    ground: ChildGround, delivery: Delivery, rig: Rig, brought: Mapping[str, str], history: Sequence[Event]
) -> Audit:
    run = delivery.run
    mission = ground.states.mission(run.mission) if run.mission else None
    answered = [asked.resolution for asked in ground.states.consultations(run=run.id) if asked.resolution]
    answered += [str(run.composed["id"])] if run.composed else []
    return Audit(
        loop=mission.loop.digest if mission is not None and mission.loop is not None else "",
        rulebook_digest=mission.rulebook_digest if mission is not None else "",
        resolutions=tuple(answered),
        messages=tuple(
            Message(id=p.message, who=name_of(p.author), at=event.at, mode=p.mode, text=p.text)
            for event in history
            if isinstance(p := event.payload, MessageGiven)
        ),
        driver=run.driver,
        driver_version=__version__,
        tools={"workbench": __version__, **brought},
        environment_digest=rig.environment.digest,
        sandbox=rig.sandbox.level,
        sandbox_limits=limitations(rig.sandbox),
        trajectory=f"{run_stream(run.id)}@{run.version}",
        cost_usd=run.cost_usd,
        tokens=run.tokens,
        artifacts=tuple(pin.digest for pin in (run.brief, run.script, run.policy) if pin is not None and pin.digest),
    )

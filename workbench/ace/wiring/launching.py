"""Starting a mission as a person sees it: what would happen, field by field, and then that it happens and is served."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import msgspec

from workbench.ace.wiring import scripts, starting
from workbench.ace.wiring.scripts import BRIEF
from workbench.ace.wiring.starting import Base, Order, Started
from workbench.ace.wiring.workplace import Workplace
from workbench.model.errors import ArtifactInvalid, NotFound, RepositoryProblem, WorkbenchError
from workbench.model.problems import Problem

if TYPE_CHECKING:
    from workbench.artifacts.configuration import Settings
    from workbench.artifacts.policy import Policy
    from workbench.journal.presence import Presence

T = TypeVar("T")
CLOSED = ("superseded", "closed")  # briefs that cannot be started
_WANTED = {  # by field: what would be found
    "what": "two words or more make a light brief",
    "on": "nothing, or a mission that delivered, as the list has them",
}


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a field of the order, and what to do. `field` is one of `Order`."""

    field: str
    text: str
    hint: str = ""


class BriefOffer(msgspec.Struct, frozen=True, kw_only=True):
    """A brief of the checkout that could be started."""

    id: str
    title: str
    status: str
    problems: tuple[Problem, ...] = ()

    @property
    def errors(self) -> int:
        """How many problems forbid to start it."""
        return sum(problem.severity == "error" for problem in self.problems)


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What starting this order would mean. Fields that could not be told are empty; `troubles` say why."""

    title: str = ""
    is_sentence: bool = False
    agent: str = ""
    driver: str = ""
    agents: tuple[str, ...] = ()
    base_ref: str = ""
    base_commit: str = ""
    into: str = ""
    on: str = ""  # the run on whose head it would stand
    sandbox: str = ""
    is_unconfined: bool = False
    policy: str = ""
    uncommitted: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()  # of the brief
    aee: str = ""
    troubles: tuple[Trouble, ...] = ()


class Launched(msgspec.Struct, frozen=True, kw_only=True):
    """A mission that was started, and the AEE that serves it, or none."""

    started: Started
    aee: Presence


def launch(place: Workplace, order: Order, *, serve: bool = True) -> Launched:
    """Start the mission, and an AEE unless one runs or none is wanted. Raises what is wrong before anything begins."""
    from workbench.ace.wiring import engine, levels

    if serve:
        levels.require_sandbox(order.sandbox)
    started = starting.start_mission(place, order)
    return Launched(started=started, aee=engine.start(place) if serve else place.presence())


def brief_offers(place: Workplace) -> tuple[BriefOffer, ...]:
    """The briefs under `.workbench/briefs`, those that can be started first."""
    try:
        checkout = place.checkout
    except RepositoryProblem:
        return ()
    found = [_offer(scripts.read(BRIEF, path, checkout)) for path in scripts.paths(BRIEF, checkout)]
    return tuple(sorted((offer for offer in found if offer.status not in CLOSED), key=lambda offer: offer.errors > 0))


def _offer(script: scripts.Script) -> BriefOffer:
    facts = script.document
    return BriefOffer(
        id=script.id, title=str(facts.get("title", "")), status=str(facts.get("status", "")), problems=script.problems
    )


def outlook(place: Workplace, order: Order) -> Outlook:
    """What `launch` of this order would find; nothing is written and nothing started."""
    troubles: list[Trouble] = []
    settings, _ = place.settings()
    brief = _tried(lambda: starting.read_brief(place, order.what), "what", troubles) if order.what.strip() else None
    base = _base(place, order, settings, brief, troubles)
    policy = _tried(lambda: starting.policy_of(place.repository, base.bound_by), "base", troubles) if base else None
    agent, driver = _agent(order, settings, troubles)
    sandbox = _sandbox(order, settings, policy, troubles)
    warnings = starting.warnings_of(brief, base, sandbox, place.repository) if brief and base else ()
    return Outlook(
        title=brief.value.title if brief is not None else "",
        is_sentence=bool(brief is not None and brief.value.light),
        agent=agent,
        driver=driver,
        agents=tuple(settings.agents),
        base_ref=base.ref if base else "",
        base_commit=base.commit if base else "",
        into=base.into if base else "",
        on=base.on if base else "",
        sandbox=sandbox,
        is_unconfined=sandbox == starting.UNCONFINED,
        policy=f"{policy.id} {policy.version}, {policy.rigor}" if policy is not None else "",
        uncommitted=tuple(place.repository.uncommitted()),
        warnings=tuple(warnings),
        problems=brief.problems if brief is not None else (),
        aee=place.presence().state,
        troubles=tuple(troubles),
    )


def _base(
    place: Workplace, order: Order, settings: Settings, brief: scripts.Script | None, troubles: list[Trouble]
) -> Base | None:
    if order.on:
        return _base_on(place, order, troubles)
    whose = brief if brief is not None else starting.light_brief("Something to do")
    without_into = msgspec.structs.replace(order, into="")
    found = _tried(
        lambda: starting.choose_base(place.repository, without_into, settings, brief=whose), "base", troubles
    )
    if found is None or not order.into:
        return found
    into = _tried(lambda: place.repository.full_ref(order.into), "into", troubles)
    return msgspec.structs.replace(found, into=into or "")


def _base_on(place: Workplace, order: Order, troubles: list[Trouble]) -> Base | None:
    if order.base or order.into:
        text = "what stands on another one starts and goes where that does"
        troubles.append(Trouble(field="on", text=text, hint="leave From and Into empty"))
        return None
    return _tried(lambda: starting.base_on(place, order), "on", troubles)


def _agent(order: Order, settings: Settings, troubles: list[Trouble]) -> tuple[str, str]:
    if order.script:
        return order.agent, "scripted"
    name = order.agent or settings.run.agent or (next(iter(settings.agents)) if len(settings.agents) == 1 else "")
    found = settings.agents.get(name)
    if found is not None:
        return name, found.driver
    there = ", ".join(settings.agents)
    text = f"there is no agent {name!r}" if name else "no agent was named"
    hint = f"one of: {there}" if there else 'write [agents.NAME] driver = "..." into .workbench/config.toml'
    troubles.append(Trouble(field="agent", text=text, hint=hint))
    return name, ""


def _sandbox(order: Order, settings: Settings, policy: Policy | None, troubles: list[Trouble]) -> str:
    from workbench.ace.wiring import levels

    wanted = order.sandbox or settings.run.sandbox
    if policy is not None:
        _tried(lambda: starting.choose_sandbox(wanted, policy), "sandbox", troubles)
    _tried(lambda: levels.require_sandbox(wanted), "sandbox", troubles)
    return (levels.best_level() or "bubblewrap") if wanted in ("", "auto") else wanted


def _tried(find: Callable[[], T], field: str, troubles: list[Trouble]) -> T | None:
    """What `find` gives; what it raises is trouble with that field."""
    try:
        return find()
    except ArtifactInvalid as invalid:
        wrong = [str(problem) for problem in invalid.problems if problem.severity == "error"]
        told, more = (wrong[0], len(wrong) - 1) if wrong else (invalid.message, 0)
        hint = f"Esc, then g s shows {f'{more} more' if more else 'it'}"
        troubles.append(Trouble(field=field, text=told, hint=hint))
    except NotFound as unknown:
        troubles.append(Trouble(field=field, text=unknown.message, hint=_WANTED.get(field, unknown.hint)))
    except WorkbenchError as refused:
        troubles.append(Trouble(field=field, text=refused.message, hint=refused.hint))
    return None

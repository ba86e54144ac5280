"""Starting a mission: base, brief, loop, policy, agent and settings gathered and pinned, then one decision appended.

What may bind a gate (policy, loop, rules) is read from the base commit; the brief is the person's own file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from workbench.ace.wiring import scripts, stacking
from workbench.ace.wiring.deciding import decide
from workbench.ace.wiring.drivers import require_driver
from workbench.ace.wiring.inheritance import require_own
from workbench.ace.wiring.scripts import BRIEF, LOOP, MENTOR, Script
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.decide import mission as missions
from workbench.core.decide.decision import Decision
from workbench.model import events as e
from workbench.model.digests import digest_bytes
from workbench.model.errors import ArtifactInvalid, NotFound, Refused, UsageError
from workbench.model.ids import branch_of, run_id, slug
from workbench.model.problems import Problem
from workbench.model.text import one_line
from workbench.ports import Blobs, States

if TYPE_CHECKING:
    from workbench.artifacts.configuration import Settings
    from workbench.artifacts.policy import Policy
    from workbench.pluginhost.hookspecs import NamedText
    from workbench.repository.repository import GitRepository

UNCONFINED = "none"
DEFAULT_LOOP = "default"
AGENT_CELLS = 60  # of a name that a script gives its agent
MOST_NUMBERED = 10_000  # missions of one name


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asks for. Empty fields are chosen from settings and repository."""

    what: str  # a brief's id or path, or one sentence
    agent: str = ""
    script: str = ""
    loop: str = ""
    base: str = ""
    on: str = ""  # a mission, run or pack on whose newest head the work starts
    into: str = ""
    versions: int = 1
    sandbox: str = ""
    priority: int | None = None


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """The mission that was started, and what a person should know about it."""

    mission: str
    runs: tuple[str, ...]
    base_ref: str
    base_commit: str
    into: str
    sandbox: str
    uncommitted: tuple[str, ...]
    warnings: tuple[str, ...]
    on: str = ""  # the run on whose head it stands


class Base(msgspec.Struct, frozen=True, kw_only=True):
    """Where the work starts from, and which branch a merge will move (empty: none).

    Where it starts on the head of the run `on`, `authority` is the branch's own commit, by which it is bound.
    """

    ref: str
    commit: str
    into: str
    on: str = ""
    authority: str = ""

    @property
    def bound_by(self) -> str:
        """The commit at which is read what may bind a gate."""
        return self.authority or self.commit


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """Who works: the name that people see, the driver, and the driver's script."""

    name: str
    driver: str
    script: e.Pin | None = None


def start_mission(place: Workplace, order: Order) -> Started:
    """Gather, check, pin and append. Raises ArtifactInvalid, NotFound or Refused with what to do."""
    repository = place.repository
    settings, _ = place.settings()
    brief = read_brief(place, order.what)
    base = standing_on(place, order) if order.on else choose_base(repository, order, settings, brief=brief)
    policy = policy_of(repository, base.bound_by)
    sandbox = choose_sandbox(order.sandbox or settings.run.sandbox, policy)
    with place.writing() as journal:
        require_own(place, journal)
        agent = choose_agent(place, order, settings, journal.blobs)
        require_driver(place, agent.driver, agent=agent.name, commit=base.bound_by)
        started = e.MissionStarted(
            mission=brief.id,
            title=brief.value.title,
            brief=pin(journal.blobs, brief),
            brief_light=brief.value.light,
            loop=_loop(place, base.bound_by, order.loop, journal.blobs),
            policy_digest=_policy_digest(policy),
            rulebook_digest=_rulebook_digest(repository, base.bound_by),
            base_ref=base.ref,
            base_commit=base.commit,
            into=base.into,
            priority=brief.value.priority if order.priority is None else order.priority,
            sandbox=sandbox,
            uncommitted=tuple(repository.uncommitted()),
            owner=place.person,
            on=base.on,
            authority=base.authority,
        )

        def starting(states: Ledger) -> Decision:
            named = msgspec.structs.replace(started, mission=_free_name(states, brief.id, order.versions))
            runs = [_queued(named, number, agent, settings) for number in range(1, order.versions + 1)]
            return missions.start(named, runs, actor=place.actor)

        queued = [event.payload for event in decide(journal, starting) if isinstance(event.payload, e.RunQueued)]
    return Started(
        mission=queued[0].mission,
        runs=tuple(run.run for run in queued),
        base_ref=base.ref,
        base_commit=base.commit,
        into=base.into,
        sandbox=sandbox,
        uncommitted=started.uncommitted,
        warnings=tuple(warnings_of(brief, base, sandbox, repository)),
        on=base.on,
    )


def _queued(started: e.MissionStarted, number: int, agent: Agent, settings: Settings) -> e.RunQueued:
    run = run_id(started.mission, number)
    return e.RunQueued(
        run=run,
        mission=started.mission,
        agent=agent.name,
        driver=agent.driver,
        branch=branch_of(started.mission, run),
        base_commit=started.base_commit,
        script=agent.script,
        priority=started.priority,
        sandbox=started.sandbox,
        limits=limits_of(settings),
        title=started.title,
        base_ref=started.base_ref,
        into=started.into,
        brief=started.brief,
        environment=caller_environment(os.environ),
        on=started.on,
        authority=started.authority,
    )


# --- brief, loop, rules, policy ---------------------------------------------------------------------------------------


def read_brief(place: Workplace, what: str) -> Script:
    """The brief that `what` names, or a light one made of a sentence. Raises ArtifactInvalid, NotFound or Refused."""
    try:
        script = scripts.read(BRIEF, scripts.find(BRIEF, what, place.checkout), place.checkout)
    except NotFound as unknown:
        if len(what.split()) < 2:
            hint = f'One sentence in quotes starts a light brief: workbench run "Do this". {unknown.hint}'
            raise NotFound(unknown.message, hint=hint) from None
        script = light_brief(what)
    if script.value is None:
        raise ArtifactInvalid(f"{script.path} has problems.", script.problems, hint="Mend them; nothing was started.")
    if script.value.status in ("superseded", "closed"):
        raise Refused(f"Brief {script.id} is {script.value.status}.", hint="Start from a brief that is ready.")
    return script


def light_brief(sentence: str) -> Script:
    """A light brief made of one sentence."""
    from workbench.artifacts import brief

    name = slug(sentence)
    return scripts.understood(BRIEF, brief.light(sentence, name).encode(), f"{name}{BRIEF.suffix}")


def pin(blobs: Blobs, script: Script) -> e.Pin:
    """A script as it stands, its whole text kept."""
    return e.Pin(
        id=script.id, version=str(script.value.version), digest=script.digest, blob=blobs.put(script.text.encode())
    )


def _loop_of_plugin(place: Workplace, commit: str, wanted: str) -> NamedText | None:
    from workbench.ace.wiring import plugs_host

    return next((text for text in plugs_host.loops(place, commit=commit) if text.name == wanted), None)


def _loop(place: Workplace, commit: str, wanted: str, blobs: Blobs) -> e.Pin | None:
    path = f"{LOOP.directory}/{wanted or DEFAULT_LOOP}{LOOP.suffix}"
    raw = place.repository.read_file(commit, path)
    if raw is None and not wanted:
        return None
    if raw is None and (text := _loop_of_plugin(place, commit, wanted)) is not None:
        raw, path = text.text.encode(), text.where
    if raw is None:
        raise NotFound(
            f"The base commit has no loop {wanted!r}.",
            hint=f"Commit {path} first: what binds is read there.",
        )
    script = scripts.understood(LOOP, raw, path)
    if script.value is None:
        raise ArtifactInvalid(f"{path} has problems, as the base commit has it.", script.problems)
    return pin(blobs, script)


def policy_of(repository: GitRepository, commit: str) -> Policy:
    """The policy as the base commit has it; the default one where it has none."""
    from workbench.artifacts import policy

    raw = repository.read_file(commit, policy.PATH)
    return policy.DEFAULT if raw is None else policy.parse(raw, policy.PATH)


def _policy_digest(given: Policy) -> str:
    from workbench.artifacts import policy

    return policy.digest(given)


def _rulebook_digest(repository: GitRepository, commit: str) -> str:
    from workbench.artifacts import mentor

    paths = [path for path in repository.list_files(commit, MENTOR.directory) if path.endswith(MENTOR.suffix)]
    if not paths:
        return ""
    read = [scripts.understood(MENTOR, repository.read_file(commit, path) or b"", path) for path in paths]
    problems: list[Problem] = [problem for script in read if script.value is None for problem in script.problems]
    if problems:
        raise ArtifactInvalid("Mentor rules of the base commit have problems.", problems)
    return mentor.rulebook_digest(script.value for script in read)


# --- base, sandbox, agent, limits -------------------------------------------------------------------------------------


def choose_base(repository: GitRepository, order: Order, settings: Settings, *, brief: Script) -> Base:
    """The pinned base. Without `--into`, a merge goes into the branch that is checked out, if that is the base."""
    wanted = order.base or brief.value.base
    head_ref = repository.head_ref()
    ref = local_branch(repository, wanted) if wanted else head_ref
    named_into = order.into or settings.merge.into
    into = repository.full_ref(named_into) if named_into else (ref if ref and ref == head_ref else "")
    return Base(ref=ref, commit=repository.resolve(wanted or "HEAD"), into=into)


def standing_on(place: Workplace, order: Order) -> Base:
    """The head of another run as the base, which the store keeps from now on."""
    base = base_on(place, order)
    stacking.keep(place, base.commit)
    return base


def base_on(place: Workplace, order: Order) -> Base:
    """The head of another run as the base. What may bind a gate is read where the branch stands that both go into."""
    if order.base or order.into:
        raise UsageError("--on says where it starts and goes.", hint="Leave --base and --into out.")
    with place.reading() as ledger:
        run, stands = stacking.parent_of(ledger, order.on)
    authority = place.repository.resolve(run.into)
    return Base(ref=run.base_ref, commit=stands.head, into=run.into, on=run.id, authority=authority)


def local_branch(repository: GitRepository, name: str) -> str:
    """The full ref of a local branch; empty for anything else that names a commit."""
    try:
        return repository.full_ref(name)
    except NotFound:
        return ""


def choose_sandbox(wanted: str, policy: Policy) -> str:
    """The level to ask for; empty: the best that works. Raises Refused where the policy forbids it."""
    if wanted == UNCONFINED and not policy.sandbox.allow_none:
        raise Refused(
            "The policy of the base commit forbids the sandbox level none.",
            hint="Install bubblewrap; see workbench doctor.",
        )
    return "" if wanted == "auto" else wanted


def choose_agent(place: Workplace, order: Order, settings: Settings, blobs: Blobs) -> Agent:
    """The agent: `--script`, `--agent`, the setting `run.agent`, or the only one that is configured."""
    if order.script:
        path = Path(order.script) if Path(order.script).is_absolute() else place.directory / order.script
        played = _pin_file(path, blobs)
        named = order.agent or _name_in(blobs.get(played.blob)) or path.stem
        return Agent(name=named, driver="scripted", script=played)
    name = order.agent or settings.run.agent or _only(settings.agents)
    found = settings.agents.get(name)
    if found is None:
        there = ", ".join(settings.agents) or "none"
        raise NotFound(
            f"There is no agent {name!r}." if name else "No agent was named.",
            hint=f'Configured: {there}. Give --agent NAME, --script FILE, or write [agents.NAME] driver = "scripted", '
            'script = "FILE" into .workbench/config.toml.',
        )
    script = _pin_file(place.checkout / found.script, blobs) if found.script else None
    return Agent(name=name, driver=found.driver, script=script)


def _name_in(script: bytes) -> str:
    """The name that a script gives its agent; empty where it gives none, or cannot be read: its driver says why."""
    from workbench.artifacts.nodes import MapNode, Scalar, from_yaml
    from workbench.artifacts.problem_list import ProblemList

    root = from_yaml(script.decode("utf-8", "replace"), ProblemList("script"))
    named = root.get("agent") if isinstance(root, MapNode) else None
    return one_line(named.text.strip(), AGENT_CELLS) if isinstance(named, Scalar) else ""


def _only(agents: Mapping[str, Any]) -> str:
    return next(iter(agents)) if len(agents) == 1 else ""


def _pin_file(path: Path, blobs: Blobs) -> e.Pin:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}.", hint="Give the path of a script.") from None
    return e.Pin(id=path.name, digest=digest_bytes(raw), blob=blobs.put(raw))


def limits_of(settings: Settings) -> dict[str, Any]:
    """What a run may use, as the settings say it."""
    run = settings.run
    return {
        "wall_s": run.wall_minutes * 60,
        "memory_mb": run.memory_mb,
        "processes": run.processes,
        "output_mb": run.output_mb,
    }


def caller_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """What of the caller's environment names tools; recorded, and used only if nothing better is configured."""
    path = [part for part in environment.get("PATH", "").split(os.pathsep) if part]
    return {"virtual_env": environment.get("VIRTUAL_ENV", ""), "search_path": path}


def _free_name(states: States, wanted: str, versions: int) -> str:
    """A mission's name that, with its runs' names, nothing has: missions, runs and branches share one room of names."""
    names = (wanted if number == 1 else f"{wanted}-{number}" for number in range(1, MOST_NUMBERED))
    return next(name for name in names if not any(is_taken(states, each) for each in _with_runs(name, versions)))


def _with_runs(mission: str, versions: int) -> list[str]:
    return [mission, *(run_id(mission, number) for number in range(1, versions + 1))]


def is_taken(states: States, name: str) -> bool:
    """Whether a mission or a run, also one of a branch that was handed in, is called `name`."""
    return states.mission(name) is not None or states.run(name) is not None


def warnings_of(brief: Script, base: Base, sandbox: str, repository: GitRepository) -> Iterator[str]:
    """What a person should know about a start."""
    if sandbox == UNCONFINED:
        yield "sandbox none: agents reach all that you can; the packs will say so"
    if brief.value.status == "draft":
        yield f"brief {brief.id} is a draft"
    yield from (str(problem) for problem in brief.problems)
    if not base.into:
        yield "there is no branch to merge into; name one (Into, or --into BRANCH) if the result is to be merged"
    if submodules := repository.submodules(base.bound_by):
        yield f"agents see submodules as empty directories: {', '.join(submodules)}"
    if lfs := repository.lfs_files(base.bound_by):
        yield f"agents see LFS pointers, not contents: {', '.join(lfs)}"

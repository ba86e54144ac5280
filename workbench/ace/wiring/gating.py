"""`mrp build` as a request in the journal: a branch handed in as a run of its own, or the evidence of a run renewed.

It asks and waits; the agents' wing examines.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import msgspec

from workbench.ace.wiring import engine, scripts, stacking, things
from workbench.ace.wiring.deciding import decide
from workbench.ace.wiring.inheritance import require_own
from workbench.ace.wiring.scripts import BRIEF
from workbench.ace.wiring.starting import (
    caller_environment,
    choose_sandbox,
    is_taken,
    limits_of,
    local_branch,
    pin,
    policy_of,
)
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.decide.decision import Decision
from workbench.core.decide.pack import renew_evidence
from workbench.core.decide.run import queue_branch
from workbench.core.state import PackState, RunState
from workbench.journal.presence import LOG
from workbench.model import events as e
from workbench.model.errors import (
    ArtifactInvalid,
    EnvironmentProblem,
    NeedsHuman,
    NotFound,
    Refused,
    TimedOut,
    UsageError,
)
from workbench.model.ids import branch_of, pack_id, slug
from workbench.ports import Blobs, States
from workbench.repository.locate import STORE
from workbench.repository.store import fetch_flags, run_ref

DRIVER = "branch"
POLL_S = 0.03  # between two looks at `data_version`
TEND_S = 1.0  # between two looks whether an AEE still serves us
STARTS = 3  # AEEs that may be lost on one pack before we give up
MOST_NUMBERED = 10_000  # builds of one head


class BuildOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What to gate, and by what."""

    base: str
    head: str
    brief: str = ""
    policy: str = ""
    rationale: str = ""
    sandbox: str = ""
    commit: str = ""  # of a trial: what `head` only describes, which the store has; nothing is to be merged of it
    like: str = ""  # then the pack whose brief, policy and reasons it takes
    authority: str = ""  # then the commit by which it is bound, where `base` is a commit that the store alone has
    title: str = ""
    against: tuple[str, ...] = ()  # packs whose own tests it is run against, and nothing else


def request(place: Workplace, order: BuildOrder) -> str:
    """Hand the branch in; the id of the run that carries it. A pack as head brings its brief, policy and reasons."""
    repository = place.repository
    base = order.base if order.authority else repository.resolve(order.base)
    settings, _ = place.settings()
    base_ref = "" if order.authority else local_branch(repository, order.base)
    with place.writing() as journal:
        require_own(place, journal)
        head, earlier = (order.commit, journal.pack(order.like)) if order.commit else _bring(place, journal, order.head)
        brief = _brief(place, order.brief, journal.blobs) or (earlier.brief if earlier is not None else None)
        policy = _policy(place, order.policy, journal.blobs) or (earlier.policy if earlier is not None else None)
        wanted = f"{slug(order.head)}-{head[:8]}"
        run = e.RunQueued(
            run=wanted,
            mission="",
            agent="",
            driver=DRIVER,
            branch=branch_of("build", wanted),
            base_commit=base,
            sandbox=choose_sandbox(
                order.sandbox or settings.run.sandbox, policy_of(repository, order.authority or base)
            ),
            limits=limits_of(settings),
            title=order.title or f"{order.head} on {order.base}",
            base_ref=base_ref,
            into="" if order.commit else base_ref,
            brief=brief,
            policy=policy,
            environment=caller_environment(os.environ),
            against=order.against,
            authority=order.authority,
        )
        rationale = _rationale(place, order.rationale) or (earlier.rationale if earlier is not None else {})

        def queueing(states: Ledger) -> Decision:
            name = _free_name(states, wanted)
            named = msgspec.structs.replace(run, run=name, branch=branch_of("build", name))
            return queue_branch(named, head=head, rationale=rationale, actor=place.actor)

        queued = [event.payload for event in decide(journal, queueing) if isinstance(event.payload, e.RunQueued)]
    return queued[0].run


class Renewal(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that is examined again: the next revision of the run's pack comes of it."""

    run: str
    revision: int
    base: str  # the commit of the base as it stands now
    moved: bool  # whether that is another one than the old pack was bound to


def renew(place: Workplace, wanted: str) -> Renewal:
    """Have the delivery of a pack, or of a run's newest one, examined again on the base as it stands now.

    What is being examined again already is not asked for twice. Raises Refused where nothing can be renewed.
    """
    with place.writing() as journal:
        pack = things.pack(journal, wanted)
        base = _base_now(place, journal, pack)
        reason = "the base moved" if base != pack.base_commit else "asked for again"
        if not _run_of(journal, pack).submission:
            decide(journal, lambda states: _renewing(states, pack.id, reason, place.actor))
        run = _run_of(journal, pack)
    return Renewal(run=run.id, revision=run.revision + 1, base=base, moved=base != pack.base_commit)


def _base_now(place: Workplace, journal: Ledger, pack: PackState) -> str:
    below = stacking.footing_of_pack(journal, pack)
    if below is not None and below.state != "merged":
        return below.head
    return place.repository.resolve(pack.into or pack.base_ref or pack.base_commit)


def _renewing(states: Ledger, pack: str, reason: str, actor: str) -> Decision:
    now = things.pack(states, pack)
    run = _run_of(states, now)
    if run.submission:
        return Decision(events=())  # the AEE was first
    if run.outcome:
        again = f"workbench mrp build --base {now.into.removeprefix('refs/heads/') or now.base_commit} --head {pack}"
        raise Refused(f"The run of {pack} is over ({run.outcome}).", hint=f"Hand its commits in anew: {again}")
    return renew_evidence(now, run, reason=reason, actor=actor)


def _run_of(states: States, pack: PackState) -> RunState:
    run = states.run(pack.run)
    if run is None:
        raise NotFound(f"The run of {pack.id} is not in the journal.", hint="workbench journal verify")
    return run


def await_pack(place: Workplace, run: str, *, revision: int = 1, timeout: float | None) -> PackState:
    """That revision of the run's pack once it is assembled. An AEE is started for the job if none serves.

    Raises EnvironmentProblem when the run cannot be carried out, NeedsHuman when it waits for one, and TimedOut.
    """
    give_up = None if timeout is None else time.monotonic() + timeout
    starts, tend_at = 0, 0.0
    with place.reading() as ledger:
        while True:
            pack = ledger.pack(pack_id(run, revision))
            if pack is not None and pack.state not in ("assembling", "failed"):
                return pack
            _require_going(ledger, run)
            if time.monotonic() >= tend_at:
                starts += _tend(place, starts)
                tend_at = time.monotonic() + TEND_S
            if give_up is not None and time.monotonic() >= give_up:
                raise TimedOut(f"No pack after {timeout:g} s.", hint=f"It goes on: workbench log {run} --follow")
            time.sleep(POLL_S)


def _tend(place: Workplace, starts: int) -> int:
    if place.presence().state != "stopped":
        return 0
    if starts >= STARTS:
        raise EnvironmentProblem(
            "The AEE ended several times before the pack was there.",
            hint=f"Its log: {place.journal_directory / LOG}",
        )
    engine.start(place, "--exit-when-idle")
    return 1


def _require_going(states: States, name: str) -> None:
    run = states.run(name)
    if run is not None and (run.outcome or run.resting):
        raise EnvironmentProblem(
            f"No pack could be made: {run.reason or run.outcome}.", hint=f"workbench log {name} shows what happened."
        )
    if run is not None and run.waiting_for:
        raise NeedsHuman(f"The pack waits for an answer to {run.waiting_for[0]}.", hint="workbench inbox shows it.")
    if run is not None and run.paused:
        raise NeedsHuman(f"Run {name} is paused.", hint=f"workbench resume {name} lets it go on.")


def _bring(place: Workplace, ledger: Ledger, wanted: str) -> tuple[str, PackState | None]:
    """The commit that `wanted` names, and the pack, if it is the id of one.

    Besides anything of git's that is a pack or a run: their commits are brought here from the store.
    """
    pack, run = ledger.pack(wanted), ledger.run(wanted)
    owner, commit = (pack.run, pack.head) if pack is not None else (wanted, run.head if run is not None else "")
    if not commit:
        return place.repository.resolve(wanted), None
    ref = run_ref(owner)
    store = place.journal_directory / STORE
    place.repository.git.run("fetch", *fetch_flags(store), "--", str(store), f"+{ref}:{ref}")
    return commit, pack


def _brief(place: Workplace, wanted: str, blobs: Blobs) -> e.Pin | None:
    if not wanted:
        return None
    path = place.directory / wanted
    file = path if path.is_file() else scripts.find(BRIEF, wanted, place.checkout)
    script = scripts.read(BRIEF, file.resolve(), place.checkout)
    if script.value is None:
        raise ArtifactInvalid(f"{script.path} has problems.", script.problems, hint="Mend them.")
    return pin(blobs, script)


def _policy(place: Workplace, wanted: str, blobs: Blobs) -> e.Pin | None:
    if not wanted:
        return None
    from workbench.artifacts import policy

    raw = _read(place.directory / wanted)
    value = policy.parse(raw, wanted)
    return e.Pin(id=value.id, version=value.version, digest=policy.digest(value), blob=blobs.put(raw))


def _rationale(place: Workplace, wanted: str) -> dict[str, Any]:
    """A JSON object with approach, trade_offs, test_plan, notes; any other text is the approach."""
    if not wanted:
        return {}
    words = _read(place.directory / wanted).decode("utf-8", "replace")
    try:
        found = json.loads(words)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"approach": words}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", hint="Give the path of a file.") from None


def _free_name(states: States, wanted: str) -> str:
    names = (wanted if number == 1 else f"{wanted}-{number}" for number in range(1, MOST_NUMBERED))
    return next(name for name in names if not is_taken(states, name))

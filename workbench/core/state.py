"""What missions, runs, consultations and packs look like once folded; the projections keep these values."""

from __future__ import annotations

from typing import Any

import msgspec

from workbench.model.events import JSON, Pin

MAX_STEP_FAILURES = 3  # attempts of one step that may end in an error before the run fails


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A step that dispatch has handed out and whose outcome is not recorded yet."""

    name: str
    number: int
    attempt: int
    epoch: int
    aee: str
    pid: int = 0
    started_ticks: int = 0
    at: str = ""


class MissionState(msgspec.Struct, frozen=True, kw_only=True):
    """A mission; its status follows from its runs (`core.status`)."""

    id: str
    title: str
    brief: Pin
    loop: Pin | None = None
    policy_digest: str = ""
    rulebook_digest: str = ""
    base_ref: str = ""
    base_commit: str = ""
    into: str = ""
    priority: int = 0
    sandbox: str = ""
    uncommitted: tuple[str, ...] = ()
    owner: str = ""
    started_at: str = ""
    outcome: str = ""  # merged | rejected | stopped | failed; empty while it goes on
    reason: str = ""
    version: int = 0
    brief_light: bool = False
    on: str = ""  # the run of another mission on whose head it was started
    authority: str = ""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says to an agent at work. It waits until `given_at`."""

    id: str
    mode: str  # queue | steer | interrupt
    text: str
    author: str  # human:<who>
    at: str
    revision: int = 1
    epoch: int = 0  # of the step that was at work when it was said; 0: none
    given_at: str = ""
    how: str = ""  # it was given: turn | midway


class RunState(msgspec.Struct, frozen=True, kw_only=True):
    """A run. What it does next follows from these fields alone (`core.next_step`)."""

    id: str
    mission: str
    agent: str
    driver: str
    branch: str
    base_commit: str
    script: Pin | None = None
    priority: int = 0
    sandbox: str = ""
    limits: JSON = {}
    title: str = ""
    base_ref: str = ""
    into: str = ""
    brief: Pin | None = None
    policy: Pin | None = None
    environment: JSON = {}
    against: tuple[str, ...] = ()  # packs whose own tests it is run against
    composed: JSON = {}  # the VCR by which a person put it together from other versions
    queued_at: str = ""
    workspace: str = ""
    step: Step | None = None
    steps: int = 0  # decided steps so far
    attempts: int = 0  # of the newest step
    unfinished: str = ""  # the newest step's name if it was interrupted or failed: it is attempted again
    failures: int = 0  # of the newest step
    epoch: int = 0
    waiting_for: tuple[str, ...] = ()  # open blocking questions
    questions: int = 0  # raised so far
    paused: bool = False
    head: str = ""  # newest fetched commit
    submission: str = ""  # head that waits for its pack
    rationale: JSON = {}
    revision: int = 0  # packs assembled so far
    pack: str = ""  # the newest pack
    to_decide: bool = False  # the newest pack waits for a person
    outcome: str = ""  # merged | rejected | stopped | failed | superseded; empty while it goes on
    reason: str = ""
    request: str = ""  # what a person asked to change, for the next turn
    outside: str = ""  # where its approved pack waits to be merged by others
    resting: bool = False  # the agent ended without delivering: a person must say what now
    cost_usd: float = 0.0
    tokens: int = 0
    last_act: str = ""
    last_at: str = ""
    calls: int = 0
    version: int = 0
    messages: tuple[Message, ...] = ()  # that wait, and the newest ones that were given (`core.messages`)
    messages_sent: int = 0
    sent_back: bool = False  # changes were requested while a turn was at work: the next turn is about them
    on: str = ""  # the run on whose head it stands until that is merged; empty: it stands on a branch
    authority: str = ""  # where settings and policy are read; empty: its base
    bases: tuple[str, ...] = ()  # commits on which its own ones were put, or were to be, oldest first
    lost: str = ""  # why what it stands on will not be merged


class ConsultationState(msgspec.Struct, frozen=True, kw_only=True):
    """A question: `state` is open, resolved or withdrawn."""

    id: str
    mission: str
    run: str
    mode: str
    category: str
    title: str
    options: tuple[str, ...]
    document: JSON
    call: str = ""
    state: str = "open"
    raised_at: str = ""
    resolution: str = ""
    decision: str = ""
    decided_by: str = ""
    decided_at: str = ""
    answer: JSON = {}
    version: int = 0


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """Where a pack was merged, or was about to be."""

    ref: str
    old: str
    new: str
    mode: str


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """A person's remark on a pack, or on a part of it. `sent`: the resolution with which the agent got it."""

    id: str
    by: str
    at: str
    target: JSON
    text: str
    suggestion: str | None = None
    sent: str = ""
    settled: str = ""  # how it was dealt with, in a person's words; empty: it is open
    settled_by: str = ""


class Outside(msgspec.Struct, frozen=True, kw_only=True):
    """Where a pack was pushed, or was about to be. `url` is empty while no request is open for it."""

    remote: str
    ref: str
    commit: str
    base: str = ""
    target: str = ""
    url: str = ""

    @property
    def where(self) -> str:
        """The request, or remote and branch."""
        return self.url or f"{self.remote}/{self.ref.removeprefix('refs/heads/')}"


class PackState(msgspec.Struct, frozen=True, kw_only=True):
    """A pack: assembling, submitted, approved, changes-requested, rejected, superseded, merged or failed."""

    id: str
    mission: str
    run: str
    revision: int
    base_ref: str
    base_commit: str
    head: str
    into: str = ""
    brief: Pin | None = None
    policy: Pin | None = None
    rationale: JSON = {}
    environment: JSON = {}
    sandbox: str = ""
    state: str = "assembling"
    verdict: str = ""
    tree: str = ""
    policy_digest: str = ""
    brief_digest: str = ""
    digest: str = ""
    blob: str = ""
    title: str = ""
    headline: str = ""
    facts: str = ""
    unsigned: str = ""  # why nobody signed for it
    requested_at: str = ""
    submitted_at: str = ""
    decisions: tuple[JSON, ...] = ()  # VCRs, oldest first
    comments: tuple[Comment, ...] = ()  # oldest first
    merge: Merge | None = None
    merging: Merge | None = None  # an intent without an outcome
    undoing: Merge | None = None  # the same of an undo
    outside: Outside | None = None  # it waits there to be merged by others
    delivering: Outside | None = None  # an intent without an outcome
    reason: str = ""
    hint: str = ""
    version: int = 0
    on: str = ""  # the run on whose head its base is
    authority: str = ""  # the commit by which policy, people and settings bind it; empty: its base
    reverted: str = ""  # the commit that took its merge out again; empty: none did, or the branch was moved back

    @property
    def bound_by(self) -> str:
        """The commit at which is read what binds it."""
        return self.authority or self.base_commit


State = MissionState | RunState | ConsultationState | PackState


def state_data(state: State) -> dict[str, Any]:
    """A state as plain JSON values."""
    data: dict[str, Any] = msgspec.to_builtins(state)
    return data

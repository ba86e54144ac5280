"""What can have happened: one frozen payload type per event kind, and the envelope in which the journal keeps it.

Events are facts in the past tense. A payload's class name is its `kind`; a kind that this version does not know is kept
as `UnknownPayload` and shown as it is. A field may be added with a default; any other change needs a new kind.
Streams: `mission/<id>`, `run/<id>`, `consultation/<id>`, `pack/<id>`, `repository/<topic>`.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

JSON = dict[str, Any]


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """The base of every payload; `SCHEMA` counts the versions of one kind's shape."""

    SCHEMA: ClassVar[int] = 1


class UnknownPayload(Payload, frozen=True, kw_only=True):
    """A kind that this version does not know, kept as it was read."""

    known_as: str
    data: JSON


class Pin(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact as it stood when it was bound: `blob` names its whole text."""

    id: str
    version: str = ""
    digest: str = ""
    blob: str = ""


# --- mission/<id> -----------------------------------------------------------------------------------------------------


class MissionStarted(Payload, frozen=True, kw_only=True):
    """A person set a brief going. Everything that may bind a gate is pinned here."""

    mission: str
    title: str
    brief: Pin
    brief_light: bool = False  # made from one sentence, by `workbench run "..."`
    loop: Pin | None = None
    policy_digest: str = ""
    rulebook_digest: str = ""
    base_ref: str = ""
    base_commit: str = ""
    into: str = ""  # the full ref that a merge moves, e.g. refs/heads/main; empty: only a detached result
    priority: int = 0  # larger goes first
    sandbox: str = ""  # the level asked for; empty: the best that works
    uncommitted: tuple[str, ...] = ()  # paths that agents cannot see, as they stood at the start
    owner: str = ""
    on: str = ""  # the run of another mission on whose head it stands; empty: it starts from a branch
    authority: str = ""  # of such a mission: the commit of people's own by which it is bound, in place of its base


class MissionEnded(Payload, frozen=True, kw_only=True):
    """Nothing of the mission goes on: `outcome` is merged, rejected, stopped or failed."""

    mission: str
    outcome: str
    reason: str = ""


# --- run/<id> ---------------------------------------------------------------------------------------------------------


class RunQueued(Payload, frozen=True, kw_only=True):
    """A run wants a place. `agent` is the name people see, `driver` its adapter, `script` its settings."""

    run: str
    mission: str
    agent: str
    driver: str
    branch: str
    base_commit: str
    script: Pin | None = None
    priority: int = 0
    sandbox: str = ""  # the level asked for; empty: the best that works; demo: may go without, under a warning
    limits: JSON = {}  # wall_s, memory_mb, processes, output_mb; absent: the defaults
    title: str = ""
    base_ref: str = ""
    into: str = ""  # the full ref that a merge moves; empty: none
    brief: Pin | None = None
    policy: Pin | None = None  # a policy named by a person; None: the base commit's
    environment: JSON = {}  # the caller's, recorded: virtual_env, search_path
    against: tuple[str, ...] = ()  # packs whose own tests it is run against; nothing else of it is examined
    on: str = ""  # the run on whose head it stands; empty: none
    authority: str = ""  # where settings and policy are read if its base is of agents: what they made binds nobody


class RunRestacked(Payload, frozen=True, kw_only=True):
    """The run's own commits were put on another commit, in the store: `head` is what came of them.

    With `conflicts` (paths) they could not be put there, and `head` is what it was.
    """

    run: str
    onto: str
    head: str
    conflicts: tuple[str, ...] = ()


class FootingLost(Payload, frozen=True, kw_only=True):
    """What the run stands on will not be merged: it waits for a person."""

    run: str
    parent: str
    reason: str


class VersionsComposed(Payload, frozen=True, kw_only=True):
    """A person put this run's delivery together from parts of other versions. `document` is the whole VCR."""

    run: str
    mission: str
    resolution: str
    decided_by: str
    document: JSON


class StepStarted(Payload, frozen=True, kw_only=True):
    """Dispatch handed a step out. Reports of an older `epoch` are refused from here on."""

    run: str
    step: str  # prepare | turn | pack
    number: int  # counts the decided steps of the run from 1
    attempt: int  # counts from 1 within the step
    epoch: int  # grows with each attempt of any step of the run
    aee: str  # which AEE incarnation holds the lease


class ChildStarted(Payload, frozen=True, kw_only=True):
    """The run child exists: its pid and start time (clock ticks since boot) identify it even after pids wrap."""

    run: str
    epoch: int
    pid: int
    started_ticks: int


class StepFinished(Payload, frozen=True, kw_only=True):
    """A step ended in order.

    `outcome`: done | waiting | submitted | ended (the agent stopped without delivering) | stopped (a person paused the
    run) | interrupted (by a person's words).
    """

    run: str
    step: str
    number: int
    attempt: int
    outcome: str
    detail: str = ""


class StepInterrupted(Payload, frozen=True, kw_only=True):
    """A step's holder is gone or was ended; the step is decided again with the next attempt."""

    run: str
    step: str
    number: int
    attempt: int
    reason: str


class StepFailed(Payload, frozen=True, kw_only=True):
    """A step ended in an error. `final` ends the run; otherwise it is tried again."""

    run: str
    step: str
    number: int
    attempt: int
    reason: str
    hint: str = ""
    final: bool = False


class WorkspacePrepared(Payload, frozen=True, kw_only=True):
    """The run has its clone. `environment` digests what commands there can see."""

    run: str
    workspace: str
    base_commit: str
    sandbox: str
    environment: str = ""
    notes: tuple[str, ...] = ()


class ThoughtRecorded(Payload, frozen=True, kw_only=True):
    """Something that the agent said while it worked; a claim, never a fact."""

    run: str
    text: str


class ToolCalled(Payload, frozen=True, kw_only=True):
    """The intent of a tool call, recorded before it acts. `call` is unique within the run."""

    run: str
    call: str
    tool: str
    title: str
    arguments: JSON = {}


class ToolReturned(Payload, frozen=True, kw_only=True):
    """What came of a call. `state`: ok | error | interrupted (outcome unknown). `blob` is a cut output, whole."""

    run: str
    call: str
    tool: str
    state: str
    summary: str
    data: JSON = {}
    blob: str = ""
    full_bytes: int = 0
    duration_ms: int = 0


class OutputStreamed(Payload, frozen=True, kw_only=True):
    """A stretch of a command's output, coalesced over about 100 ms; `text` may be cut, `full_bytes` says from what."""

    run: str
    call: str
    text: str
    full_bytes: int = 0


class ModelCalled(Payload, frozen=True, kw_only=True):
    """One request to a model was paid for. Of our own loop, what it said is kept before anything acts on it.

    It stands in `content` as JSON, or where it is long in the blob `reply`; in neither if the stream broke.
    """

    run: str
    model: str
    tokens_in: int = 0  # without what a cache held or took
    tokens_out: int = 0
    cost_usd: float = 0.0
    tokens_cache_write: int = 0
    tokens_cache_read: int = 0
    cost_known: bool = True  # false: the model's price is not known, and cost_usd says nothing
    reply: str = ""  # the blob of a long reply's content
    stop: str = ""  # why the model ended its reply, in its own word; broken: it did not end it
    read_bytes: int = 0  # of the request, as the model reads it; 0: not known
    content: str = ""  # of a short reply


class AgentSessionOpened(Payload, frozen=True, kw_only=True):
    """A driven agent opened a session of its own, or took an earlier one up again (`loaded`)."""

    run: str
    session: str  # in the agent's own words
    loaded: bool = False


class CommitsFetched(Payload, frozen=True, kw_only=True):
    """Commits of the agent reached the store under `refs/workbench/runs/<run>`."""

    run: str
    head: str
    commits: int


class DeliverySubmitted(Payload, frozen=True, kw_only=True):
    """The agent says that it is done. All of it is `claimed`; `head` is what the store fetched."""

    run: str
    head: str
    rationale: JSON = {}  # approach, trade_offs, test_plan[], notes: as the agent gave them


class RunAwaitsAnswer(Payload, frozen=True, kw_only=True):
    """A blocking question suspends the run; nothing of it is alive until the answer."""

    run: str
    consultation: str


class AnswerTold(Payload, frozen=True, kw_only=True):
    """An agent at work was told the answer to an advisory question, under whose assumption it had gone on."""

    run: str
    consultation: str
    resolution: str = ""


class MessageSent(Payload, frozen=True, kw_only=True):
    """A person speaks to the run's agent; who, is the event's actor. It waits until the agent is given it.

    `mode`: queue (when the turn at work ends) | steer (as soon as the agent can take it in) | interrupt (the turn ends
    for it).
    """

    run: str
    message: str
    mode: str
    text: str


class MessageEdited(Payload, frozen=True, kw_only=True):
    """A person changed words of theirs that the agent was not given yet. `revision` counts from 1, the first words."""

    run: str
    message: str
    revision: int
    mode: str
    text: str


class MessageDropped(Payload, frozen=True, kw_only=True):
    """A person took words back that the agent was not given yet."""

    run: str
    message: str


class MessageGiven(Payload, frozen=True, kw_only=True):
    """The agent was given a person's words, exactly these; recorded before it sees them, and once for each message.

    `how`: turn (at the start of a turn) | midway (between two of its acts).
    """

    run: str
    message: str
    revision: int
    mode: str
    author: str
    text: str
    how: str


class RunAnswered(Payload, frozen=True, kw_only=True):
    """A question of this run is settled; `resolution` is the VCR's id."""

    run: str
    consultation: str
    resolution: str


class FirstTestsRan(Payload, frozen=True, kw_only=True):
    """Of a delivery that is examined, the tests that it reaches were run first; the whole suite runs on, and decides.

    `failed` names the first of those that are red.
    """

    run: str
    pack: str
    files: int
    tests: int
    failed: tuple[str, ...] = ()


class RunPackSubmitted(Payload, frozen=True, kw_only=True):
    """The run's newest pack waits for a person."""

    run: str
    pack: str
    revision: int
    verdict: str


class RunPaused(Payload, frozen=True, kw_only=True):
    """A person wants no new step of this run."""

    run: str
    reason: str = ""


class RunResumed(Payload, frozen=True, kw_only=True):
    """A person lets the run go on."""

    run: str
    reason: str = ""


class RunStopped(Payload, frozen=True, kw_only=True):
    """A person ended the run; its commits stay."""

    run: str
    reason: str = ""


class RunEnded(Payload, frozen=True, kw_only=True):
    """The run is over: `outcome` is merged, rejected, superseded or failed."""

    run: str
    outcome: str
    reason: str = ""


class RunDelivered(Payload, frozen=True, kw_only=True):
    """The run's approved pack waits outside: others merge it, or do not. `where` is the request, or remote and ref."""

    run: str
    pack: str
    where: str


class ChangesRequested(Payload, frozen=True, kw_only=True):
    """A person sent a pack back; the run's next turn starts from `text`."""

    run: str
    pack: str
    resolution: str
    text: str
    required_changes: tuple[str, ...] = ()


class EvidenceRequested(Payload, frozen=True, kw_only=True):
    """A person wants the delivery examined again, e.g. because its base moved: the next revision of its pack."""

    run: str
    pack: str
    reason: str = ""


# --- consultation/<id> ------------------------------------------------------------------------------------------------


class ConsultationRaised(Payload, frozen=True, kw_only=True):
    """An agent asks. `document` is the whole CRP."""

    consultation: str
    mission: str
    run: str
    mode: str  # blocking | advisory
    category: str
    title: str
    options: tuple[str, ...]  # ids, in the order in which they are shown
    document: JSON
    call: str = ""  # the tool call that raised it


class ConsultationResolved(Payload, frozen=True, kw_only=True):
    """Somebody answered. `document` is the whole VCR."""

    consultation: str
    mission: str
    run: str
    resolution: str
    decision: str
    decided_by: str
    document: JSON


class ConsultationWithdrawn(Payload, frozen=True, kw_only=True):
    """The question no longer needs an answer, e.g. because its run was stopped."""

    consultation: str
    reason: str


# --- pack/<id> --------------------------------------------------------------------------------------------------------


class PackRequested(Payload, frozen=True, kw_only=True):
    """Evidence is wanted for `base..head`. `run` is empty for `mrp build`, which has no agent."""

    pack: str
    mission: str
    run: str
    revision: int
    base_ref: str
    base_commit: str
    head: str
    into: str = ""
    brief: Pin | None = None
    policy: Pin | None = None  # a named policy of `mrp build`; None: the base commit's
    rationale: JSON = {}
    environment: JSON = {}  # the named environment: kind, path, virtual_env, search_path
    sandbox: str = ""


class PackSubmitted(Payload, frozen=True, kw_only=True):
    """The pack is whole. `blob` holds the MRP's canonical JSON, `digest` its digest; the rest binds it."""

    pack: str
    mission: str
    run: str
    revision: int
    verdict: str  # ready | needs-human | not-ready
    base_commit: str
    head: str
    tree: str
    policy_digest: str
    brief_digest: str
    digest: str
    blob: str
    title: str = ""
    headline: str = ""  # the first reason, for one-line views
    facts: str = ""  # how many criteria are met and how large the change is, for the same
    proof: str = ""  # the commit that proves it in git; empty: none could be made
    unsigned: str = ""  # why there is no proof, or none with a signature; empty: there is one
    on: str = ""  # the run on whose head the base is; empty: the base is a branch's
    authority: str = ""  # the commit by which policy, people and settings bind it; empty: the base


class PackFailed(Payload, frozen=True, kw_only=True):
    """The pack could not be assembled: its run failed over it. A resumed run requests it anew."""

    pack: str
    reason: str
    hint: str = ""


class PackDecided(Payload, frozen=True, kw_only=True):
    """A person decided. `document` is the whole VCR.

    `decision`: approve | select (the same, of one version out of several) | request-changes | reject.
    """

    pack: str
    decision: str
    resolution: str
    decided_by: str
    document: JSON


class RequirementOverridden(Payload, frozen=True, kw_only=True):
    """A person lets one requirement of a pack go until `expires` (an instant; empty: no end). `document` is the VCR."""

    pack: str
    requirement: str
    resolution: str
    decided_by: str
    document: JSON
    expires: str = ""


class CommentMade(Payload, frozen=True, kw_only=True):
    """A person remarks on a pack. `target`: kind (lines | clause | evidence | step | whole) and what it names."""

    pack: str
    comment: str
    by: str
    target: JSON
    text: str
    suggestion: str | None = None  # what is to stand in place of the lines; empty: nothing


class CommentSettled(Payload, frozen=True, kw_only=True):
    """A person says that a comment is dealt with, or takes it back."""

    pack: str
    comment: str
    by: str
    how: str


class PackSuperseded(Payload, frozen=True, kw_only=True):
    """A later revision, or another version that a person took, has the pack's place."""

    pack: str
    by: str


class MergeStarted(Payload, frozen=True, kw_only=True):
    """The intent to move `ref` from `old` to `new`, recorded before git is touched."""

    pack: str
    ref: str
    old: str
    new: str
    mode: str  # fast-forward | merge | squash
    merge_base_commit: str = ""


class PackMerged(Payload, frozen=True, kw_only=True):
    """`ref` stands at `new`, which holds the pack's tree."""

    pack: str
    ref: str
    old: str
    new: str
    mode: str


class MergeAbandoned(Payload, frozen=True, kw_only=True):
    """A started merge did not move the ref."""

    pack: str
    reason: str


class UndoStarted(Payload, frozen=True, kw_only=True):
    """The intent to take a merge back, recorded before git is touched. `how`: move-back | revert."""

    pack: str
    ref: str
    old: str
    new: str
    how: str


class UndoAbandoned(Payload, frozen=True, kw_only=True):
    """A started undo did not move the ref; the merge stands."""

    pack: str
    reason: str


class DeliveryStarted(Payload, frozen=True, kw_only=True):
    """The intent to push `commit` to `ref` of a remote, recorded before the network is touched."""

    pack: str
    remote: str
    ref: str
    commit: str
    base: str = ""  # what `commit` was made on
    target: str = ""  # the full ref into which it is to be merged there


class PackDelivered(Payload, frozen=True, kw_only=True):
    """`ref` of a remote holds `commit`, which waits there to be merged; `url` names the request once it is open."""

    pack: str
    remote: str
    ref: str
    commit: str
    base: str = ""
    target: str = ""
    url: str = ""


class DeliveryAbandoned(Payload, frozen=True, kw_only=True):
    """A started push did not come through."""

    pack: str
    reason: str


class MergeUndone(Payload, frozen=True, kw_only=True):
    """The merge was taken back; `new` is where `ref` stands now."""

    pack: str
    ref: str
    old: str
    new: str
    how: str


# --- repository/<topic> -----------------------------------------------------------------------------------------------


class TrustGranted(Payload, frozen=True, kw_only=True):
    """A person trusts this content for this use; a changed digest asks again."""

    use: str  # e.g. prepare, plugin
    digest: str
    subject: str


class PluginFailed(Payload, frozen=True, kw_only=True):
    """A plugin's code raised or overran in one of its hooks; the work went on without what it would have given."""

    plugin: str
    digest: str
    hook: str  # with the name of the thing, where a hook gave several: collect hyphens
    state: str  # error | timed-out | refused
    reason: str


class PluginDisabled(Payload, frozen=True, kw_only=True):
    """A person does not want this plugin in this repository, whatever its content."""

    plugin: str
    reason: str = ""


class PluginEnabled(Payload, frozen=True, kw_only=True):
    """A person wants it again; earlier failures of it are settled."""

    plugin: str


class ReviewItem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a review session goes through. `kind`: crp | mrp."""

    kind: str
    id: str
    title: str = ""


class ReviewStarted(Payload, frozen=True, kw_only=True):
    """A person begins a pass through all that is to decide, in this order."""

    session: str
    by: str
    items: tuple[ReviewItem, ...]


class ReviewExtended(Payload, frozen=True, kw_only=True):
    """What came to be decided since the pass began, in this order; it goes through that as well."""

    session: str
    by: str
    items: tuple[ReviewItem, ...]


class ReviewLooked(Payload, frozen=True, kw_only=True):
    """A person had an item in front of them for so long. `skipped`: they went on without deciding it."""

    session: str
    item: str
    by: str
    seconds: int
    skipped: bool = False


class ReviewEnded(Payload, frozen=True, kw_only=True):
    """The pass is over, whatever of it is left."""

    session: str
    by: str


class AeeStarted(Payload, frozen=True, kw_only=True):
    """An AEE incarnation took the lock."""

    aee: str
    pid: int
    version: str
    sandbox: str
    max_runs: int


class AeeStopped(Payload, frozen=True, kw_only=True):
    """An AEE incarnation ended in order."""

    aee: str
    reason: str


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """A place where two branches meet, in lines of their target; without lines it is the whole file."""

    path: str
    first: int = 0
    last: int = 0


class Clash(msgspec.Struct, frozen=True, kw_only=True):
    """Two runs' branches that conflict if both are merged; `second` is empty where it is the target itself."""

    first: str
    second: str = ""
    kind: str = "textual"  # textual | symbol
    paths: tuple[str, ...] = ()
    spots: tuple[Spot, ...] = ()
    symbols: tuple[str, ...] = ()  # what both change, or one changes and the other calls
    leads: str = ""  # of a clash of symbols: the one that had better be merged first


class ForecastMade(Payload, frozen=True, kw_only=True):
    """What would conflict of all that is not merged yet, by run: `heads` and `targets` are the commits looked at."""

    heads: dict[str, str] = {}
    targets: dict[str, str] = {}
    clashes: tuple[Clash, ...] = ()
    order: tuple[str, ...] = ()  # in which order merging is suggested
    unknown: tuple[str, ...] = ()  # runs of which nothing could be said
    left_out: int = 0  # clashes beyond the most that are kept


class EvidenceCached(Payload, frozen=True, kw_only=True):
    """Evidence of a base commit that later packs may cite, because `key` digests all of its inputs."""

    key: str
    blob: str


KINDS: dict[str, type[Payload]] = {
    kind.__name__: kind for kind in Payload.__subclasses__() if kind is not UnknownPayload
}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An event as the journal keeps it. `seq` orders the journal, `version` its stream, from 1 without gaps."""

    seq: int
    id: str
    stream: str
    version: int
    kind: str
    schema: int
    actor: str  # human:<who> | aee | agent:<run> | policy:<id>
    at: str
    payload: Payload
    prev_hash: str
    hash: str


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """An event that wants to be appended. `id` empty: the journal draws one; a known id is recognised, not repeated."""

    stream: str
    payload: Payload
    actor: str
    id: str = ""
    at: str = ""  # empty: the journal's clock


def decode_payload(kind: str, data: bytes) -> Payload:
    """The payload of a stored event; unknown kinds become `UnknownPayload`. Raises msgspec.DecodeError on damage."""
    known = KINDS.get(kind)
    if known is None:
        return UnknownPayload(known_as=kind, data=msgspec.json.decode(data))
    return msgspec.json.decode(data, type=known)


def payload_data(payload: Payload) -> Any:
    """What of a payload is stored: an unknown kind goes back out exactly as it came in."""
    return payload.data if isinstance(payload, UnknownPayload) else payload


def kind_of(payload: Payload) -> str:
    """The kind under which a payload is stored."""
    return payload.known_as if isinstance(payload, UnknownPayload) else type(payload).__name__

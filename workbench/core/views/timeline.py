"""What a run did, as acts: one for a call and its return, one for several reads in a row. Pure; made of events alone.

A timeline is filled from its newest events on: later ones by `extend`, earlier ones, slice by slice, by `prepend`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from workbench.core.views.happened import HAPPENED, happened
from workbench.core.views.spoken import SPOKEN, spoken
from workbench.model import events as e
from workbench.model.instants import seconds_between

Kind = Literal[
    "thought", "read", "edit", "command", "test", "question", "decision", "step", "pack", "person", "tool", "note"
]  # fmt: skip
MOST_FOLDED = 50  # reads in one act
STREAMED_KEPT = 8_000  # characters of the output of a command at work

KIND_OF_TOOL: dict[str, Kind] = {
    "read": "read",
    "list": "read",
    "search": "read",
    "get_brief": "read",
    "recall_resolutions": "read",
    "edit": "edit",
    "patch": "edit",
    "run": "command",
    "test": "test",
    "request_consultation": "question",
    "submit_merge_readiness": "pack",
}


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One line. `version` is that of the event it began with; `state` is empty where nothing can be at work or fail."""

    version: int
    at: str
    kind: Kind
    title: str
    state: str = ""  # running | ok | error | interrupted, or a word of its own
    facts: str = ""
    duration_ms: int = -1  # not known
    ref: str = ""  # a question or a pack
    message: str = ""  # to the agent
    text: str = ""  # whole, where the title is only its start
    called: e.ToolCalled | None = None
    returned: e.ToolReturned | None = None
    streamed: str = ""  # the end of what a command at work has said
    streamed_bytes: int = 0
    members: tuple[Act, ...] = ()  # of several reads in a row

    @property
    def key(self) -> str:
        """What it is called while it is on screen."""
        return str(self.version)


class Timeline:
    """Acts, oldest first. `changed` is the index of the first that is not as it was when it was last set to the end."""

    def __init__(self) -> None:
        self.acts: list[Act] = []
        self.first = 0  # version of the oldest event in here; 0: nothing was read yet
        self.last = 0
        self.changed = 0
        self._open: dict[str, int] = {}  # call, or `step`, to the index of its act
        self._orphans: dict[str, int] = {}  # calls whose beginning is older than all that is in here
        self._loose_end: tuple[str, str, str] | None = None  # state, facts, instant of a step that began before

    def extend(self, events: Iterable[e.Event]) -> None:
        """Later events."""
        for event in events:
            self.first = self.first or event.version
            self.last = event.version
            fold = _FOLDS.get(type(event.payload))
            if fold is not None:
                fold(self, event, event.payload)

    def prepend(self, events: Sequence[e.Event]) -> None:
        """Earlier events, which end where the oldest in here begin."""
        older = Timeline()
        older.extend(events)
        if not older.first:
            return
        if (step := older.opened(STEP)) is not None and self._loose_end is not None:
            older.end_step(step, *self._loose_end)
            self._loose_end = None
        self._loose_end = older._loose_end or self._loose_end
        newer = list(self.acts)
        for call, index in self._orphans.items():
            at, returned = older._open.get(call), self.acts[index].returned
            if at is not None and returned is not None:
                older.acts[at] = _returned(older.acts[at], returned)
                newer[index] = replace(newer[index], kind="note", title="")  # told by the call's own line
        self.acts = older.acts + [act for act in newer if act.kind != "note" or act.title]
        self.first, self.changed = older.first, 0
        self._reindex()

    def trim(self, keep: int) -> None:
        """Forget all but the newest acts; those at work, too: their return is then an act of its own."""
        if len(self.acts) > keep:
            self.acts = self.acts[-keep:]
            self.first, self.changed = self.acts[0].version, 0
            self._reindex()

    # --- for the folds ---

    def add(self, act: Act, *, open_as: str = "") -> None:
        """One more act."""
        if open_as:
            self._open[open_as] = len(self.acts)
        self.acts.append(act)

    def change(self, index: int, act: Act) -> None:
        """An act is not what it was."""
        self.acts[index] = act
        self.changed = min(self.changed, index)

    def opened(self, name: str) -> int | None:
        """Where the open act of that name is."""
        return self._open.get(name)

    def close(self, name: str) -> None:
        """It is not open any more."""
        self._open.pop(name, None)

    def orphan(self, call: str, act: Act) -> None:
        """A return whose call is older than all that is in here."""
        self._orphans[call] = len(self.acts)
        self.add(act)

    def end_step(self, index: int, state: str, facts: str, at: str) -> None:
        """The step that began there is over."""
        act = self.acts[index]
        took = int(seconds_between(act.at, at) * 1000)
        self.change(index, replace(act, state=state, facts=facts, duration_ms=max(0, took)))
        self.close(STEP)

    def loose_end(self, state: str, facts: str, at: str) -> None:
        """A step is over whose beginning is older than all that is in here."""
        self._loose_end = self._loose_end or (state, facts, at)

    def _reindex(self) -> None:
        self._open.clear()
        self._orphans.clear()
        for index, act in enumerate(self.acts):
            for each in act.members or (act,):
                if each.called is not None and each.returned is None:
                    self._open[each.called.call] = index
                elif each.called is None and each.returned is not None:
                    self._orphans[each.returned.call] = index
            if act.kind == "step" and act.state == "running":
                self._open[STEP] = index


STEP = "step"
Fold = Callable[[Timeline, e.Event, Any], None]


def _tool_called(timeline: Timeline, event: e.Event, p: e.ToolCalled) -> None:
    kind = KIND_OF_TOOL.get(p.tool, "tool")
    title = p.title.removeprefix(p.tool).strip() if kind != "tool" else p.title
    if kind == "test":
        title = "selected tests" if p.arguments.get("select") else "the suite"
    act = Act(version=event.version, at=event.at, kind=kind, title=title or p.tool, state="running", called=p)
    last = len(timeline.acts) - 1
    before = timeline.acts[last] if last >= 0 else None
    if kind == "read" and before is not None and before.kind == "read" and len(before.members) < MOST_FOLDED:
        timeline.change(last, _group((*(before.members or (before,)), act)))
        timeline._open[p.call] = last
    else:
        timeline.add(act, open_as=p.call)


def _tool_returned(timeline: Timeline, event: e.Event, p: e.ToolReturned) -> None:
    index = timeline.opened(p.call)
    if index is None:
        kind = KIND_OF_TOOL.get(p.tool, "tool")
        orphan = Act(version=event.version, at=event.at, kind=kind, title=p.tool, returned=p)
        timeline.orphan(p.call, _returned(orphan, p))
        return
    timeline.close(p.call)
    timeline.change(index, _returned(timeline.acts[index], p))


def _returned(act: Act, p: e.ToolReturned) -> Act:
    if act.members:
        return _group(tuple(_returned(each, p) if _is_call(each, p.call) else each for each in act.members))
    question = p.data.get("consultation")
    return replace(
        act,
        state=_state(act.kind, p),
        facts=p.summary,
        duration_ms=p.duration_ms,
        returned=p,
        streamed="",
        ref=question if isinstance(question, str) else act.ref,
    )


def _state(kind: Kind, p: e.ToolReturned) -> str:
    """How a call ended; of a suite or a command, how that ended."""
    if p.state != "ok":
        return p.state
    if kind == "test":
        said = p.data.get("state")
        return said if isinstance(said, str) and said else "ok"
    if kind == "command" and p.data.get("exit_code"):
        return "failed"
    return "ok"


def _is_call(act: Act, call: str) -> bool:
    return act.called is not None and act.called.call == call


def _group(members: tuple[Act, ...]) -> Act:
    states = {member.state for member in members}
    state = next((word for word in ("running", "interrupted", "error") if word in states), "ok")
    first = members[0]
    return replace(
        first,
        title=f"{len(members)} reads: {', '.join(dict.fromkeys(member.title for member in members))}",
        facts="",
        state=state,
        duration_ms=sum(max(0, member.duration_ms) for member in members),
        called=None,
        returned=None,
        members=members,
    )


def _output_streamed(timeline: Timeline, _event: e.Event, p: e.OutputStreamed) -> None:
    index = timeline.opened(p.call)
    if index is None or timeline.acts[index].members:
        return
    act = timeline.acts[index]
    said = (act.streamed + p.text)[-STREAMED_KEPT:]
    full = act.streamed_bytes + (p.full_bytes or len(p.text))
    timeline.change(index, replace(act, streamed=said, streamed_bytes=full))


def _thought(timeline: Timeline, event: e.Event, p: e.ThoughtRecorded) -> None:
    timeline.add(Act(version=event.version, at=event.at, kind="thought", title=p.text, text=p.text))


def _step_started(timeline: Timeline, event: e.Event, p: e.StepStarted) -> None:
    again = f", attempt {p.attempt}" if p.attempt > 1 else ""
    title = f"{p.step} (step {p.number}{again})"
    timeline.add(Act(version=event.version, at=event.at, kind="step", title=title, state="running"), open_as=STEP)


def _step_over(timeline: Timeline, event: e.Event, *, state: str, facts: str) -> None:
    index = timeline.opened(STEP)
    if index is None:
        timeline.loose_end(state, facts, event.at)
    else:
        timeline.end_step(index, state, facts, event.at)


def _step_finished(timeline: Timeline, event: e.Event, p: e.StepFinished) -> None:
    _step_over(timeline, event, state="interrupted" if p.outcome == "interrupted" else "ok", facts=p.outcome)
    if p.outcome == "ended":
        said = p.detail or "the agent ended without delivering"
        timeline.add(Act(version=event.version, at=event.at, kind="step", title=said, text=said, state="ended"))


def _step_interrupted(timeline: Timeline, event: e.Event, p: e.StepInterrupted) -> None:
    _step_over(timeline, event, state="interrupted", facts="interrupted")
    title = f"{p.step} was interrupted, and will be tried again: {p.reason}"
    timeline.add(Act(version=event.version, at=event.at, kind="step", title=title, text=title, state="interrupted"))


def _step_failed(timeline: Timeline, event: e.Event, p: e.StepFailed) -> None:
    _step_over(timeline, event, state="error", facts="failed")
    title = f"{p.step} failed{' for good' if p.final else ''}: {p.reason}"
    text = f"{title}\n{p.hint}" if p.hint else title
    timeline.add(Act(version=event.version, at=event.at, kind="step", title=title, text=text, state="error"))


def _prepared(timeline: Timeline, event: e.Event, p: e.WorkspacePrepared) -> None:
    text = "\n".join((f"workspace {p.workspace}", f"base {p.base_commit}", *p.notes))
    _say(timeline, event, "step", f"workspace prepared, sandbox {p.sandbox or 'none'}", text=text)


def _awaits(timeline: Timeline, event: e.Event, p: e.RunAwaitsAnswer) -> None:
    for act in reversed(timeline.acts[-3:]):
        if act.ref == p.consultation:
            return
    _say(timeline, event, "question", f"waits for the answer to {p.consultation}", ref=p.consultation, state="open")


def _answered(timeline: Timeline, event: e.Event, p: e.RunAnswered) -> None:
    title = f"{p.consultation} was answered" + (f" by {p.resolution}" if p.resolution else "")
    _say(timeline, event, "decision", title, ref=p.consultation, state="resolved")


def _told(timeline: Timeline, event: e.Event, p: e.AnswerTold) -> None:
    title = f"was told the answer to {p.consultation}"
    _say(timeline, event, "decision", title, ref=p.consultation, state="resolved")


def _spoken(timeline: Timeline, event: e.Event, p: Any) -> None:
    """Words for the agent, or what became of them, which the line of the words says, too."""
    words = spoken(event)
    at = next((i for i in range(len(timeline.acts) - 1, -1, -1) if timeline.acts[i].message == p.message), None)
    if words.settles and at is not None:
        timeline.change(at, replace(timeline.acts[at], state=words.settles))
    if at is None or not words.said_there:
        shown = {"state": words.state, "message": p.message if words.state == "waiting" else ""}
        _say(timeline, event, "person", words.title, text=words.text, **shown)


def _pack_submitted(timeline: Timeline, event: e.Event, p: e.RunPackSubmitted) -> None:
    _say(timeline, event, "pack", f"{p.pack} waits for a person", ref=p.pack, state=p.verdict)


def _changes(timeline: Timeline, event: e.Event, p: e.ChangesRequested) -> None:
    text = "\n".join((p.text, *(f"- {change}" for change in p.required_changes)))
    _say(timeline, event, "decision", f"changes requested: {p.text}", text=text, ref=p.pack, state="changes-requested")


def _renewed(timeline: Timeline, event: e.Event, p: e.EvidenceRequested) -> None:
    _say(timeline, event, "decision", f"evidence for {p.pack} is made anew: {p.reason}", ref=p.pack, text=p.reason)


def _happened(timeline: Timeline, event: e.Event, p: e.Payload) -> None:
    _say(timeline, event, "step", happened(p))


def _say(timeline: Timeline, event: e.Event, kind: Kind, title: str, **fields: Any) -> None:
    timeline.add(Act(version=event.version, at=event.at, kind=kind, title=title, **fields))


def _person(verb: str) -> Fold:
    def fold(timeline: Timeline, event: e.Event, p: Any) -> None:
        who = event.actor.removeprefix("human:")
        _say(timeline, event, "person", f"{who} {verb}" + (f": {p.reason}" if p.reason else ""), text=p.reason)

    return fold


def _queued(timeline: Timeline, event: e.Event, p: e.RunQueued) -> None:
    _say(timeline, event, "step", f"queued for {p.agent or p.driver}, branch {p.branch}")


def _ended(timeline: Timeline, event: e.Event, p: e.RunEnded) -> None:
    title = f"over: {p.outcome}" + (f", {p.reason}" if p.reason else "")
    _say(timeline, event, "step", title, text=p.reason, state=p.outcome)


def _fetched(timeline: Timeline, event: e.Event, p: e.CommitsFetched) -> None:
    _say(timeline, event, "step", f"{p.commits} commit{'s' * (p.commits != 1)} fetched, head {p.head[:12]}")


def _delivered(timeline: Timeline, event: e.Event, p: e.DeliverySubmitted) -> None:
    if not any(act.kind == "pack" and act.called is not None for act in timeline.acts[-3:]):
        _say(timeline, event, "pack", f"delivered {p.head[:12]}")


def _unknown(timeline: Timeline, event: e.Event, p: e.UnknownPayload) -> None:
    text = msgspec.json.encode(p.data).decode()
    _say(timeline, event, "note", f"{p.known_as} (of a newer Workbench)", text=text)


_FOLDS: dict[type[e.Payload], Fold] = {
    e.RunQueued: _queued,
    e.StepStarted: _step_started,
    e.StepFinished: _step_finished,
    e.StepInterrupted: _step_interrupted,
    e.StepFailed: _step_failed,
    e.WorkspacePrepared: _prepared,
    e.ThoughtRecorded: _thought,
    e.ToolCalled: _tool_called,
    e.ToolReturned: _tool_returned,
    e.OutputStreamed: _output_streamed,
    e.CommitsFetched: _fetched,
    e.DeliverySubmitted: _delivered,
    e.RunAwaitsAnswer: _awaits,
    e.RunAnswered: _answered,
    e.AnswerTold: _told,
    **dict.fromkeys(SPOKEN, _spoken),
    e.RunPackSubmitted: _pack_submitted,
    e.ChangesRequested: _changes,
    e.EvidenceRequested: _renewed,
    **dict.fromkeys(HAPPENED, _happened),
    e.RunPaused: _person("paused the run"),
    e.RunResumed: _person("let the run go on"),
    e.RunStopped: _person("stopped the run"),
    e.RunEnded: _ended,
    e.UnknownPayload: _unknown,
}

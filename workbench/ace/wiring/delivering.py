"""Delivery where the target is protected: an approved pack is pushed, a request opened, and it waits outside.

Intent, effect, outcome, each recorded; repeating it changes nothing that stands already. Once the person's own branch
has what was delivered, the pack is merged like any other.
"""

from __future__ import annotations

import msgspec

from workbench.ace.wiring import forge, merging, things
from workbench.ace.wiring.bench import Bench, on_bench
from workbench.ace.wiring.deciding import decide
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.decide import delivery
from workbench.core.decide.decision import Decision
from workbench.core.state import Outside, PackState
from workbench.model.errors import Refused, UsageError, WorkbenchError
from workbench.model.text import one_line
from workbench.repository.git import checked_ref
from workbench.repository.pushing import Push, push, remote_url

HEADS = "refs/heads/"
_RESUMED = "An earlier push of it had no outcome; this one goes on with it."


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be delivered, and where to. Empty: as it was the last time, or the run's own branch."""

    pack: str
    remote: str = ""
    branch: str = ""
    request: bool = False
    tool: str = ""


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """How it stands: `state` is `waiting outside`, or `merged` where others merged it and it came back."""

    pack: str
    remote: str
    ref: str
    commit: str
    target: str
    url: str
    state: str
    notes: tuple[str, ...] = ()


def deliver(place: Workplace, order: Order) -> Delivered:
    """Push an approved pack, and open or renew its request if that is wanted.

    Raises Refused where it is not approved or the remote says no, and EnvironmentProblem where it cannot be reached
    or nobody is logged in. What was pushed by then is recorded.
    """
    with on_bench(place) as bench:
        pack = bench.pack(order.pack)
        if pack.outside is not None and merging.settle_outside(bench, pack, pack.outside):
            return _stands(bench.pack(pack.id), pack.outside)
        if not order.remote and pack.outside is not None and not order.request:
            return _stands(pack, pack.outside, (_still_waits(place, pack.outside),))
        outside, known = _ready(bench, pack, order)
        resumed = pack.delivering == outside
        decide(bench.journal, lambda states: _intent(states, pack.id, outside, place.actor))
    notes = (_RESUMED,) * resumed + _push(place, pack.id, outside, known)
    if order.request:
        outside, more = _request(place, pack.id, outside, order.tool)
        notes += more
    return _stands(pack, outside, notes)


# --- what is delivered ------------------------------------------------------------------------------------------------


def _ready(bench: Bench, pack: PackState, order: Order) -> tuple[Outside, str]:
    """Where the pack goes, and the commit of ours that stands there. What was begun before is gone on with."""
    begun = pack.delivering or pack.outside
    remote = order.remote or (begun.remote if begun is not None else "")
    if not remote:
        raise UsageError("Where is it to be delivered?", hint=f"workbench deliver {pack.id} --push REMOTE")
    remote_url(bench.place.repository, remote)
    merging.require_mergeable(pack)
    merging.with_approvals(bench, pack, reason="")
    ref = _branch(bench, pack, order, begun)
    if ref == pack.into:
        raise Refused(
            f"{ref.removeprefix(HEADS)} is what it is to be merged into.",
            hint="Deliver under another name with --branch NAME; or workbench merge it and push that yourself.",
        )
    if begun is not None:
        moved = msgspec.structs.replace(begun, remote=remote, ref=ref)
        return (begun if moved == begun else msgspec.structs.replace(moved, url="")), _known(bench, pack, remote, ref)
    plan = merging.planned(bench, pack, bench.place.settings()[0].merge.mode)
    made = Outside(remote=remote, ref=ref, commit=plan.new, base=plan.old, target=pack.into)
    return made, _known(bench, pack, remote, ref)


def _branch(bench: Bench, pack: PackState, order: Order, begun: Outside | None) -> str:
    if order.branch:
        name = checked_ref(order.branch.removeprefix(HEADS))
        if not bench.place.repository.git.says_yes("check-ref-format", f"{HEADS}{name}"):
            raise UsageError(f"{order.branch!r} cannot name a branch.", hint="Take letters, digits, - and /.")
        return f"{HEADS}{name}"
    if begun is not None:
        return begun.ref
    run = bench.journal.run(pack.run)
    return f"{HEADS}{run.branch if run is not None else pack.id}"


def _known(bench: Bench, pack: PackState, remote: str, ref: str) -> str:
    """What of this run was pushed there the last time: that alone may be written over."""
    packs = bench.journal.packs(run=pack.run) if pack.run else [pack]
    found = [
        p.outside.commit for p in packs if p.outside is not None and (p.outside.remote, p.outside.ref) == (remote, ref)
    ]
    return found[-1] if found else ""


def _intent(states: Ledger, name: str, outside: Outside, actor: str) -> Decision:
    return delivery.start_delivery(things.pack(states, name), outside, actor=actor)


# --- what is done about it --------------------------------------------------------------------------------------------


def _push(place: Workplace, name: str, outside: Outside, known: str) -> tuple[str, ...]:
    order = Push(remote=outside.remote, ref=outside.ref, commit=outside.commit, known=known)
    try:
        was_there = push(place.repository, order)
    except WorkbenchError as problem:
        with place.writing() as journal:
            reason = one_line(problem.message)
            decide(
                journal,
                lambda states: delivery.abandon_delivery(things.pack(states, name), reason=reason, actor=place.actor),
            )
        raise
    _record(place, name, outside)
    return ("The remote had it already.",) if was_there else ()


def _record(place: Workplace, name: str, outside: Outside) -> None:
    def finishing(states: Ledger) -> Decision:
        pack = things.pack(states, name)
        run = states.run(pack.run) if pack.run else None
        return delivery.finish_delivery(pack, run, outside, actor=place.actor)

    with place.writing() as journal:
        decide(journal, finishing)


def _request(place: Workplace, name: str, outside: Outside, wanted: str) -> tuple[Outside, tuple[str, ...]]:
    """The request for what was pushed; where no tool is installed, what to do by hand."""
    tool = forge.find_tool(place.repository, remote_url(place.repository, outside.remote), wanted)
    branch, target = outside.ref.removeprefix(HEADS), outside.target.removeprefix(HEADS)
    if tool is None:
        missing = f"{wanted} is not installed" if wanted else f"Neither {' nor '.join(forge.TOOLS)} is installed"
        by_hand = (
            f"open the request by hand, from {branch} into {target}; workbench mrp show {name} --md prints its text"
        )
        return outside, (f"{missing}: {by_hand}.",)
    url = forge.open_request(place.repository, tool, _text(place, name, branch, target))
    opened = msgspec.structs.replace(outside, url=url)
    _record(place, name, opened)
    return opened, () if url else (f"{tool.kind} did not say where the request is.",)


def _text(place: Workplace, name: str, branch: str, target: str) -> forge.Request:
    from workbench.artifacts import mergepack

    with place.reading() as ledger:
        pack = things.pack(ledger, name)
        body = mergepack.render(things.document(ledger, pack)) if pack.blob else ""
    title = one_line(pack.title or pack.id)[: forge.LONGEST_TITLE]
    return forge.Request(branch=branch, target=target, title=title, body=forge.inert_body(body))


# --- how it stands ----------------------------------------------------------------------------------------------------


def _still_waits(place: Workplace, outside: Outside) -> str:
    target = outside.target.removeprefix(HEADS)
    there = place.repository.has_remote_with(outside.commit)
    if there == f"refs/remotes/{outside.remote}/{target}":
        return f"It was merged there: git pull brings it into {target}."
    return f"It is not in {target} yet; git fetch {outside.remote} asks the remote."


def _stands(pack: PackState, outside: Outside, notes: tuple[str, ...] = ()) -> Delivered:
    return Delivered(
        pack=pack.id,
        remote=outside.remote,
        ref=outside.ref,
        commit=outside.commit,
        target=outside.target,
        url=outside.url,
        state="merged" if pack.state == "merged" else "waiting outside",
        notes=notes,
    )

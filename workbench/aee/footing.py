"""Where a delivery stands when it is examined: on its branch, or on the newest head of the run below it.

Its own commits are put there in the store if they are not there yet; nobody's checkout and no clone is touched.
"""

from __future__ import annotations

import msgspec

from workbench.aee.wiring import ChildGround
from workbench.core.decide.decision import on_run
from workbench.core.stack import footing_of
from workbench.core.state import RunState
from workbench.model import events as e
from workbench.model.ids import derived_id
from workbench.repository.objects import Conflicted
from workbench.repository.replaying import replay
from workbench.repository.store import BASES, Store

MOST_PATHS = 200  # that conflict, in one event; the pack names them all
MOST_BASES = 50  # of one run that are looked through, newest first


class Stand(msgspec.Struct, frozen=True, kw_only=True):
    """`head` is to be examined on `base`, which is the head of the run `on`, or where there is none a branch's.

    `authority` is the commit of people's own that binds it where its base is an agent's work; with `conflicts` it could
    not be put there.
    """

    base: str
    head: str
    on: str = ""
    authority: str = ""
    conflicts: tuple[str, ...] = ()


def footed(ground: ChildGround, run: RunState) -> Stand:
    """Where the delivery of a run stands. What is done to its commits is recorded before anything rests on it."""
    if run.authority and not run.on:  # it is asked of this very base, wherever those stand by now who made it
        return Stand(base=run.base_commit, head=run.submission, authority=run.authority)
    branch = ground.person.resolve(run.into or run.base_ref or run.base_commit)
    ground.store.pin(branch)
    below = footing_of(run.on, ground.states.run, ground.states.pack) if run.on else None
    if below is None:
        return Stand(base=branch, head=run.submission)
    if below.state == "merged":
        return _put(ground, run, Stand(base=branch, head=run.submission))
    base = below.head or run.base_commit
    ground.store.keep(f"{BASES}/{base}", base)
    return _put(ground, run, Stand(base=base, head=run.submission, on=run.on, authority=branch))


def _put(ground: ChildGround, run: RunState, stand: Stand) -> Stand:
    store, onto = ground.store, stand.base
    upstream = _upstream(store, run, stand)
    fits = store.is_ancestor(upstream, onto) and (not stand.on or store.is_ancestor(onto, stand.head))
    if upstream == onto or fits:
        return stand  # of what merges as it is, the commits stay what they are
    made = replay(store, upstream=upstream, head=stand.head, onto=onto)
    if isinstance(made, Conflicted):
        _say(ground, run, e.RunRestacked(run=run.id, onto=onto, head=stand.head, conflicts=made.paths[:MOST_PATHS]))
        return msgspec.structs.replace(stand, conflicts=made.paths)
    store.set_run(run.id, made.head)
    _say(ground, run, e.RunRestacked(run=run.id, onto=onto, head=made.head))
    return msgspec.structs.replace(stand, head=made.head)


def _upstream(store: Store, run: RunState, stand: Stand) -> str:
    """The commit beyond which all is the run's own: of those that it ever was, or should be, put on, the nearest one.

    Its clone stands where it began, and an agent that is sent back may have put its commits elsewhere itself.
    """
    known = dict.fromkeys((*run.bases[-MOST_BASES:], run.base_commit))
    there = [base for base in known if store.is_ancestor(base, stand.head)]
    if there:
        return min(there, key=lambda base: store.count_commits(base, stand.head))
    return store.git.run("merge-base", stand.base, stand.head, ok=(0, 1)).text or stand.base


def _say(ground: ChildGround, run: RunState, put: e.RunRestacked) -> None:
    ground.report([on_run(run.id, put, id=derived_id(run.id, "restacked", run.revision, put.onto, run.submission))])

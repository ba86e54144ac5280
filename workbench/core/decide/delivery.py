"""Delivery to where others merge: pushed there, and waiting there. It knows no network."""

from __future__ import annotations

from workbench.core.decide.decision import Decision, on_pack, on_run, pack_stream
from workbench.core.state import Outside, PackState, RunState
from workbench.model import events as e
from workbench.model.errors import Refused
from workbench.model.ids import derived_id


def start_delivery(pack: PackState, outside: Outside, *, actor: str) -> Decision:
    """The intent to push an approved pack. Raises Refused unless it is approved and nothing moves it right now."""
    if pack.state != "approved":
        raise Refused(
            f"{pack.id} is {pack.state}, not approved.", hint=f"workbench approve {pack.id} --why TEXT comes first."
        )
    if pack.merging is not None or pack.undoing is not None:
        raise Refused(f"{pack.id} is being merged.", hint=f"workbench show {pack.id} says where it stands.")
    started = e.DeliveryStarted(
        pack=pack.id,
        remote=outside.remote,
        ref=outside.ref,
        commit=outside.commit,
        base=outside.base,
        target=outside.target,
    )
    return Decision(events=(on_pack(pack.id, started, actor=actor),), expect={pack_stream(pack.id): pack.version})


def finish_delivery(pack: PackState, run: RunState | None, outside: Outside, *, actor: str) -> Decision:
    """The pack waits outside from here on. The same outcome again, of a repeated delivery, only ends the intent."""
    done = e.PackDelivered(
        pack=pack.id,
        remote=outside.remote,
        ref=outside.ref,
        commit=outside.commit,
        base=outside.base,
        target=outside.target,
        url=outside.url,
    )
    events = [on_pack(pack.id, done, actor=actor)]
    if run is not None and not run.outcome and run.outside != outside.where:
        told = e.RunDelivered(run=run.id, pack=pack.id, where=outside.where)
        events.append(on_run(run.id, told, actor=actor, id=derived_id(pack.id, "outside", outside.where, run.version)))
    return Decision(events=tuple(events), expect={pack_stream(pack.id): pack.version})


def abandon_delivery(pack: PackState, *, reason: str, actor: str) -> Decision:
    """The push did not come through; what was outside before still is."""
    gone = e.DeliveryAbandoned(pack=pack.id, reason=reason)
    return Decision(events=(on_pack(pack.id, gone, actor=actor),), expect={pack_stream(pack.id): pack.version})

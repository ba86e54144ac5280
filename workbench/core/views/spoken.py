"""How what people say to an agent stands in a timeline. Pure."""

from __future__ import annotations

from typing import NamedTuple

from workbench.core.messages import name_of
from workbench.model import events as e

SPOKEN = (e.MessageSent, e.MessageEdited, e.MessageDropped, e.MessageGiven)
_SAYS = {"queue": "says", "steer": "says at once", "interrupt": "interrupts"}


class Spoken(NamedTuple):
    """A line. `settles` is the state of the message's earlier line from now on; `said_there`: that one says it all."""

    title: str
    text: str = ""
    state: str = ""
    settles: str = ""
    said_there: bool = False


def spoken(event: e.Event) -> Spoken:
    """The line of one of `SPOKEN`."""
    p, who = event.payload, name_of(event.actor)
    if isinstance(p, e.MessageSent):
        return Spoken(f"{who} {_SAYS.get(p.mode, p.mode)}: {p.text}", p.text, "waiting")
    if isinstance(p, e.MessageEdited):
        return Spoken(f"{who} {_SAYS.get(p.mode, p.mode)} instead: {p.text}", p.text, "waiting", settles="changed")
    if isinstance(p, e.MessageGiven):
        where = "midway" if p.how == "midway" else "at the start of a turn"
        return Spoken(f"the agent was given {p.message} {where}: {p.text}", p.text, "given", settles="given")
    assert isinstance(p, e.MessageDropped)  # the last of them
    return Spoken(f"{who} took {p.message} back", settles="taken back", said_there=True)

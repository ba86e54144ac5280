"""What a run child is told when it starts, and what it says when it ends."""

from __future__ import annotations

from typing import Literal

import msgspec

Ended = Literal["done", "waiting", "submitted", "ended", "stopped", "failed"]


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt of one step, with everything that the child needs to find the rest in the journal."""

    directory: str  # of the journal
    repository: str  # the person's checkout, or bare repository
    socket: str
    run: str
    step: str
    number: int
    attempt: int
    epoch: int


class StepEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How the step ended, as the child's last line on stdout. `final`: trying again cannot help."""

    outcome: Ended
    detail: str = ""
    hint: str = ""
    final: bool = False

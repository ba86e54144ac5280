"""The terms that several artifacts share: clauses, commands, budgets, escalations; it reads and writes no text."""

from __future__ import annotations

from typing import Literal

import msgspec

Rigor = Literal["lenient", "standard", "strict"]
Mode = Literal["blocking", "advisory"]
SandboxLevel = Literal["bubblewrap", "landlock", "container", "none"]
SANDBOX_LEVELS: tuple[SandboxLevel, ...] = ("none", "container", "landlock", "bubblewrap")  # weakest first

Command = str | tuple[str, ...]


def argv(command: Command) -> tuple[str, ...]:
    """The words to run: a list as it is, a string through `sh -c`, nothing for an empty one."""
    if isinstance(command, str):
        return ("sh", "-c", command) if command.strip() else ()
    return command


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a clause executable: it holds when the command ends with `expect_exit`."""

    command: Command
    description: str = ""
    timeout_s: int = 0  # 0: the suite's limit
    expect_exit: int = 0

    @property
    def argv(self) -> tuple[str, ...]:
        """The words to run."""
        return argv(self.command)


class Clause(msgspec.Struct, frozen=True, kw_only=True):
    """One statement with a stable id that code, evidence and questions cite."""

    id: str
    text: str
    check: Check | None = None


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What may be spent; 0 means no limit here."""

    cost_usd: float = 0.0
    tokens: int = 0
    wall_minutes: int = 0


class Escalation(msgspec.Struct, frozen=True, kw_only=True):
    """When whom to ask, and whether work waits for the answer."""

    when: str
    to: tuple[str, ...] = ()
    mode: Mode = "blocking"

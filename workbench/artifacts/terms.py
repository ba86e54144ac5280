"""The terms that several artifacts share: clauses, commands, budgets, escalations, with tables; it reads no text."""

from __future__ import annotations

import builtins
from typing import Literal

import msgspec

from workbench.artifacts import fields as f

Rigor = Literal["lenient", "standard", "strict"]
Mode = Literal["blocking", "advisory"]
SandboxLevel = Literal["bubblewrap", "landlock", "sandbox-exec", "container", "none"]
SANDBOX_LEVELS: tuple[SandboxLevel, ...] = (
    *("none", "container", "sandbox-exec", "landlock", "bubblewrap"),  # weakest first
)

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


class Property(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a clause a law: `holds` must be true of whatever is `given`, on base and on the result."""

    holds: str
    given: dict[str, str]
    module: tuple[str, ...] = ()
    when: str = ""
    examples: int = 200
    timeout_s: int = 30


class Clause(msgspec.Struct, frozen=True, kw_only=True):
    """One statement with a stable id that code, evidence and questions cite."""

    id: str
    text: str
    check: Check | None = None
    property: Property | None = None

    @builtins.property
    def is_executable(self) -> bool:
        """Whether it can be tried without a person."""
        return self.check is not None or self.property is not None


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


def check_table() -> f.Table:
    """The fields of a check; a bare command stands for one."""
    docs = {
        "command": "a command line for the shell, or a list of words",
        "description": "what it shows",
        "timeout_s": "seconds after which it has failed; 0: the suite's limit",
        "expect_exit": "the exit code that means it holds",
    }
    return f.table(Check, docs=docs, kinds={"expect_exit": f.Integer(0, 255)}, shorthand="command")


MODULE = f.Shape(
    pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$",
    wanted="a module's name",
    remedy="write it as Python imports it, such as shop.cart",
)


EXPRESSION = f.Shape(
    pattern=r"^[^\n]*$",
    wanted="a Python expression on one line",
    remedy="write it on one line, or name MODULE:FUNCTION",
)


def property_table() -> f.Table:
    """The fields of a property."""
    docs = {
        "holds": "a Python expression that must be true, or MODULE:FUNCTION, called with what is given by name",
        "given": "by name: lists of integers 0..9, text, one of 1, 2 ..., or MODULE:NAME of a strategy or type",
        "module": "Python modules whose names the expressions use",
        "when": "a Python expression: what is given counts only where it is true",
        "examples": "how many are tried",
        "timeout_s": "seconds for base, and for the result",
    }
    kinds: dict[str, f.Kind | f.Shape] = {
        "holds": EXPRESSION,
        "when": EXPRESSION,
        "given": f.MapOf(f.Text(f.LINE)),
        "module": MODULE,
        "examples": f.Integer(1, 10_000),
        "timeout_s": f.Integer(1, 600),
    }
    return f.table(Property, docs=docs, kinds=kinds)


def clause_list(prefix: str) -> f.ListOf:
    """A list of clauses whose ids start with `prefix`."""
    shape = f.Shape(
        pattern=f"^{prefix}-[A-Za-z0-9][A-Za-z0-9._-]{{0,60}}$",
        wanted=f"a clause id such as {prefix}-1",
        remedy=f"start it with {prefix}- and a number",
    )
    docs = {
        "id": "a stable id that code, evidence and questions cite",
        "text": "the statement",
        "check": "a command that shows it: `check: pytest tests/test_limit.py`",
        "property": "a law in place of a check: tried on base and on the result with many values",
    }
    kinds: dict[str, f.Kind | f.Shape] = {
        "id": f.Text(shape),
        "text": f.PROSE,
        "check": check_table(),
        "property": property_table(),
    }
    clause = f.table(Clause, docs=docs, kinds=kinds, shorthand="text")
    optional_id = tuple(msgspec.structs.replace(row, required=row.name == "text") for row in clause.fields)
    return f.ListOf(msgspec.structs.replace(clause, fields=optional_id), unique="id", prefix=prefix)


def budget_table() -> f.Table:
    """The fields of a budget."""
    docs = {
        "cost_usd": "US dollars in all; 0: no limit",
        "tokens": "tokens in all; 0: no limit",
        "wall_minutes": "minutes of wall clock; 0: no limit",
    }
    return f.table(Budget, docs=docs)


def escalation_list() -> f.ListOf:
    """A list of escalations."""
    docs = {
        "when": "what makes the agent ask, in words",
        "to": "the roles to ask",
        "mode": "blocking: work waits; advisory: it goes on with an assumption",
    }
    return f.ListOf(f.table(Escalation, docs=docs, kinds={"when": f.PROSE, "to": f.LINE}))

"""What every tool of ours has in common: arguments checked against a type, and every failure told as a result."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import msgspec

from workbench.aee.tools.calls import Ready
from workbench.model.allowed import with_allowed
from workbench.model.errors import WorkbenchError
from workbench.ports import ToolResult

SUMMARY_LENGTH = 500  # characters; a summary is one line of a timeline


class Arguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of every tool's arguments: unknown names are refused, nothing is coerced."""


A = TypeVar("A", bound=Arguments)


class CheckedTool(Generic[A]):
    """A tool whose `act` sees checked arguments and may raise WorkbenchError; `call` never raises for either."""

    name: str
    description: str
    arguments: type[A]

    @property
    def parameters(self) -> dict[str, Any]:
        """JSON Schema of the arguments."""
        return schema_of(self.arguments)

    def call(self, arguments: Mapping[str, Any], call_id: str) -> ToolResult:
        """Check the arguments and do it."""
        return self.ready(arguments, call_id, {}).act()

    def ready(self, arguments: Mapping[str, Any], call_id: str, recorded: Mapping[str, Any]) -> Ready:
        """Check the arguments, and say what must be recorded before `act`. Never raises for either.

        `recorded` is the intent of an earlier attempt whose outcome nobody knows.
        """
        try:
            checked = msgspec.convert(dict(arguments), self.arguments)
        except (msgspec.ValidationError, TypeError, ValueError, RecursionError) as error:
            wrong = refusal(
                f"{self.name}: wrong arguments: {with_allowed(error, self.arguments)}",
                hint="See the tool's parameters.",
            )
            return Ready(act=lambda: wrong)
        try:
            ready = self.prepare(checked, call_id, recorded)
        except WorkbenchError as error:
            refused = self._refused(error)
            return Ready(act=lambda: refused)
        return Ready(act=functools.partial(self._told, ready.act), intent=ready.intent)

    def prepare(self, arguments: A, call_id: str, recorded: Mapping[str, Any]) -> Ready:  # noqa: ARG002
        """What is to be recorded before the act; it has no effect. Most tools have nothing to record."""
        return Ready(act=lambda: self.act(arguments, call_id))

    def _told(self, act: Callable[[], ToolResult]) -> ToolResult:
        try:
            return act()
        except WorkbenchError as error:
            return self._refused(error)

    def _refused(self, error: WorkbenchError) -> ToolResult:
        return refusal(f"{self.name}: {error.message}", hint=error.hint, data=error.data)

    def act(self, arguments: A, call_id: str) -> ToolResult:
        """Do it with checked arguments."""
        raise NotImplementedError


def refusal(text: str, *, hint: str = "", data: Mapping[str, Any] | None = None) -> ToolResult:
    """An error result: what is wrong, the remedy, and any values that help."""
    return ToolResult(state="error", summary=summary(text), data={"error": text, "hint": hint, **(data or {})})


def summary(text: str) -> str:
    """One line for a timeline."""
    line = " ".join(text.split())
    return line if len(line) <= SUMMARY_LENGTH else line[: SUMMARY_LENGTH - 3] + "..."


def plain(value: Any) -> Any:
    """`value` as the journal would give it back: JSON's own types, lists for tuples."""
    return msgspec.json.decode(msgspec.json.encode(value))


@functools.cache
def schema_of(arguments: type[Arguments]) -> dict[str, Any]:
    """The JSON Schema of `arguments`, its own object at the top and the types that it uses under `$defs`."""
    (_,), components = msgspec.json.schema_components((arguments,), ref_template="#/$defs/{name}")
    top: dict[str, Any] = components.pop(arguments.__name__)
    top.pop("title", None)
    top.pop("description", None)
    return {**top, "$defs": components} if components else top

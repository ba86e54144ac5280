"""Says whether a law holds, outside of the program: its values and functions are proxies here, what they give is data.

It runs beside `judge`, in the sandbox, and never loads a line of the program. Whatever the program does in its own
process, a law of plain values holds only if these values make it hold here. Where the program's own objects are
compared or asked whether they are true, their answer is all that there is; `told` keeps which questions were such.
"""

from __future__ import annotations

import ast
import builtins
import importlib
from collections.abc import Callable, Iterator
from typing import Any

from . import making, wire

_STANDARD = {name: importlib.import_module(name) for name in wire.STANDARD}
TELLING = frozenset({"eq", "ne", "lt", "le", "gt", "ge", "contains", "bool", "isinstance", "issubclass"})
_BOTH = (
    "add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow", "lshift", "rshift", "and_", "or_",
    "xor",
)  # fmt: skip
_ONE = (
    "eq", "ne", "lt", "le", "gt", "ge", "contains", "getitem", "call", "len", "iter", "reversed", "bool", "hash",
    "index", "int", "float", "complex", "round", "abs", "neg", "pos", "invert", "str", "repr", "format",
)  # fmt: skip
_ODD = "gave an answer that nobody can read"
_UNREADABLE = (ValueError, KeyError, IndexError, TypeError, AttributeError, ArithmeticError, RecursionError)


class Raised(Exception):
    """Something that the program, or the law, raised. `unnamed`: the law has a name that nothing gives."""

    def __init__(self, text: str, *, where: str = "", unnamed: bool = False) -> None:
        super().__init__(text)
        self.where, self.unnamed = where, unnamed


class _Lacking(Raised, AttributeError):
    """The program has no such attribute."""


class Remote(wire.Proxy):
    """Something of the program's, which is asked there."""

    __slots__ = ("_like_",)

    def __init__(self, end: Program, number: int, like: str) -> None:
        super().__init__(end, number)
        self._like_ = like

    __class__: Any = property(lambda self: wire.TYPES.get(self._like_, Remote))

    def __getattr__(self, name: str) -> Any:
        return self._end_.do("getattr", self, name)

    def __next__(self) -> Any:
        return self._end_.do("next", self)

    def __instancecheck__(self, value: Any) -> Any:
        return self._end_.do("isinstance", value, self)

    def __subclasscheck__(self, value: Any) -> Any:
        return self._end_.do("issubclass", value, self)


def _asks(op: str) -> Callable[..., Any]:
    return lambda self, *given, **named: self._end_.do(op, self, *given, **named)


def _asks_swapped(op: str) -> Callable[..., Any]:
    return lambda self, other: self._end_.do(op, other, self)


for _op in (*_ONE, *_BOTH):
    setattr(Remote, f"__{_op.strip('_')}__", _asks(_op))
for _op in _BOTH:
    setattr(Remote, f"__r{_op.strip('_')}__", _asks_swapped(_op))


class Program:
    """The program's end of the wire. `ask` brings a question there."""

    def __init__(self, ask: Callable[..., dict[str, Any]]) -> None:
        self._ask = ask
        self._table = wire.Table(
            first=0, proxy=lambda number, like: Remote(self, number, like), hears={**wire.TYPES, **_STANDARD}
        )
        self._table.says(vars(builtins))
        self._table.seed = lambda value: value.seed() if isinstance(value, making.Own) else None
        self.told: set[str] = set()

    def begin(self, leaves: list[Any], names: dict[str, list[str]]) -> tuple[list[Any], dict[str, Any]] | None:
        """What the program makes of `leaves`, and what `names` mean; None if it makes nothing of a leaf."""
        self._table.reset()
        said = self._ask({"leaves": self._table.written(tuple(leaves)), "names": names}, serve=self._served)
        if "value" not in said and leaves:
            return None
        made, found = self._read(said.get("value"), tuple)
        self._table.changed.clear()
        if leaves:
            self.told.add("object")
        for leaf, shown in zip(leaves, said.get("shown", ()), strict=False):
            leaf.seen = str(shown)
        if len(made) != len(leaves):
            raise making.Died(_ODD)
        return list(made), {name: value for name, value in found if names.get(name)}

    def ended(self) -> None:
        """Keep what the law leaned on: it was tried."""
        if self._table.changed:
            self.told.add("given")

    def do(self, op: str, *given: Any, **named: Any) -> Any:
        """What comes of `op` there. Raises Raised, StopIteration, and Died."""
        if op in TELLING:
            self.told.add(op)
        values = self._table.written((given, tuple(named.items())))
        said = self._ask({"do": op, "values": values}, serve=self._served)
        if "value" in said:
            return self._read(said["value"])
        if said.get("stop"):
            raise StopIteration
        kind = _Lacking if said.get("lacks") else Raised
        raise kind(str(said.get("raised", "")), where=str(said.get("where", "")))

    def _read(self, said: Any, kind: type = object) -> Any:
        try:
            value = self._table.read(said)
        except _UNREADABLE:
            raise making.Died(_ODD) from None
        if not isinstance(value, kind):
            raise making.Died(_ODD)
        return value

    def _served(self, said: dict[str, Any]) -> dict[str, Any]:
        """The program calls, or takes on from, what the law handed to it."""
        (target, *given), named = self._read(said["values"])
        does: Any = {"iter": iter, "next": next}.get(said["hand"])
        try:
            return {"value": self._table.written(does(target) if does else target(*given, **dict(named)))}
        except Exception as error:  # noqa: BLE001  # the law's own code, asked for by the program
            return {"raised": type(error).__name__}


class Law:
    """A law, compiled; it is tried on one thing after the other."""

    def __init__(self, plan: dict[str, Any], program: Program) -> None:
        self._program = program
        holds, when = plan["holds"].strip(), plan["when"].strip()
        if plan["is_path"]:
            holds = "_the_law_(**_what_is_given_) is not False"
            program.told.add("law")
        self._holds = compile(f"({holds}\n)", "<brief>", "eval")
        self._when = compile(f"({when}\n)", "<brief>", "eval") if when else None
        self._builtins = {**vars(builtins), "type": _type}
        self._own: dict[str, Any] = {}
        self._theirs: dict[str, list[str]] = {}  # by name the modules of the program in which it may be
        self.shadows: set[str] = set()  # names of Python's own that the program gives another meaning
        for name in sorted(_names(holds) | _names(when)):
            self._look_up(name, plan["modules"])

    def _look_up(self, name: str, modules: list[str]) -> None:
        """Where a name may come from: what is said last counts."""
        theirs = self._theirs[name] = []
        for module in modules:
            if module not in _STANDARD:
                theirs.append(module)
            elif hasattr(_STANDARD[module], name):
                theirs.clear()
                self._own[name] = getattr(_STANDARD[module], name)

    def tried(self, given: dict[str, Any]) -> dict[str, Any]:
        """`said`: whether it holds; `counts` is False where what is given does not count."""
        leaves: list[making.Own] = []
        _grown(given, leaves.append)
        begun = self._program.begin(leaves, self._theirs)
        if begun is None:
            return {"counts": False}
        made, names = begun
        rest = iter(made)
        given = _grown(given, lambda _: next(rest))
        self.shadows |= names.keys() & self._builtins.keys()
        here = {**self._own, **names, **given, "_what_is_given_": given, "__builtins__": self._builtins}
        try:
            if self._when is not None and not eval(self._when, {**here}):  # noqa: S307 - a person's brief
                return {"counts": False}
            said = bool(eval(self._holds, here))  # noqa: S307
        except Raised as raised:
            return {"raised": str(raised), "where": raised.where}
        except making.Died:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001  # the brief's own code, on what the program gave
            return {"raised": f"{type(error).__name__}: {error}", "unnamed": isinstance(error, NameError)}
        finally:
            self._program.ended()
        return {"said": said}


def _grown(value: Any, leaf: Callable[[making.Own], Any]) -> Any:
    """`value` with something else for each value of the program's own types, always in the same order."""
    kind = type(value)
    if kind is making.Own:
        return leaf(value)
    if kind is dict:
        return {_grown(key, leaf): _grown(each, leaf) for key, each in value.items()}
    return kind([_grown(each, leaf) for each in value]) if kind in (list, tuple, set, frozenset) else value


def _names(expression: str) -> set[str]:
    tree: Any = ast.parse(f"({expression}\n)", mode="eval") if expression else ast.Module([], [])
    found: Iterator[ast.AST] = ast.walk(tree)
    return {node.id for node in found if isinstance(node, ast.Name)}


def _type(value: Any, *rest: Any) -> Any:
    return value._end_.do("type", value) if type(value) is Remote else type(value, *rest)

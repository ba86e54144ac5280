"""Does what it is asked for with the program, which is in its process: it makes no values, and knows no law.

It runs in the sandbox by whatever Python the project uses (3.8 or newer), and imports nothing but the standard library
before the program. It answers `judge`, which never imports a line of the program. Whatever code of the program does
here, all that it can change is what its own functions give, and what is told of its own objects.
"""

from __future__ import annotations

import builtins
import dataclasses
import enum
import importlib
import json
import operator
import os
import sys
import traceback
import types
import typing
from collections.abc import Callable
from typing import Any

from . import wire

globals()["__builtins__"] = dict(vars(builtins))  # what the program puts in their place is not what is called here

MAX_TEXT = 1500  # characters of a message
MAX_REPR = 400  # characters of a value of the program's own
MAX_DEPTH = 6  # of types in each other
_PLAIN: dict[str, list[Any]] = {
    "int": ["integers", None, None], "float": ["floats", None, None], "str": ["text", 0, None],
    "bytes": ["bytes", 0, None], "bool": ["booleans"], "NoneType": ["none"], "date": ["dates"],
    "datetime": ["datetimes"], "Decimal": ["decimals", None, None], "UUID": ["uuids"],
}  # fmt: skip


_DRAWING: dict[str, tuple[Any, list[Any]]] = {}  # by the path of a strategy how it draws, and what it drew


class Unknown(Exception):
    """A path that leads to nothing that values could be made of; the text says why."""


def _member(path: str) -> Any:
    module, _, name = path.partition(":")
    found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


# --- what values a type has -----------------------------------------------------------------------------


def described(path: str) -> list[Any]:
    """The values at `path` in the words of the judge; a strategy is made from bytes, here."""
    found = _member(path)
    if type(found).__module__.partition(".")[0] == "hypothesis" or hasattr(found, "example"):
        return ["bytes", path]
    return _of_hint(found, path, 0)


def _of_hint(hint: Any, path: str, depth: int) -> list[Any]:
    if depth > MAX_DEPTH:
        raise Unknown(f"{path} holds types that go too deep")
    hint = type(None) if hint is None else hint
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    inner = [_of_hint(each, path, depth + 1) for each in arguments if each is not ...] if _walks(origin) else []
    if origin is typing.Union or origin is getattr(types, "UnionType", None):
        return ["or", inner]
    if getattr(typing, "Annotated", None) is not None and hasattr(hint, "__metadata__"):
        return _of_hint(arguments[0], path, depth + 1)
    if origin is typing.Literal:
        return ["one of", list(arguments)]
    if origin in (list, set, frozenset, dict, tuple) or _sequence(origin):
        return _of_holder(origin, arguments, inner)
    return _of_class(hint, path, depth)


def _walks(origin: Any) -> bool:
    return origin is not None and origin is not typing.Literal


def _sequence(origin: Any) -> bool:
    return getattr(origin, "__name__", "") in ("Sequence", "Iterable", "Collection")


def _of_holder(origin: Any, arguments: Any, inner: list[Any]) -> list[Any]:
    if origin is tuple and not (len(arguments) == 2 and arguments[1] is ...):
        return ["tuples", inner]
    if origin is dict:
        return ["dictionaries", 0, None, *inner]
    word = {"set": "sets", "frozenset": "frozen", "tuple": "rows"}.get(origin.__name__, "lists")
    return [word, 0, None, inner[0]]


def _of_class(hint: Any, path: str, depth: int) -> list[Any]:
    if not isinstance(hint, type):
        raise Unknown(f"{path} is neither a strategy nor a type")
    if hint.__name__ in _PLAIN and hint.__module__ in ("builtins", "datetime", "decimal", "uuid"):
        return list(_PLAIN[hint.__name__])
    place = f"{hint.__module__}:{hint.__qualname__}"
    if issubclass(hint, enum.Enum):
        return ["member", place, len(list(hint))]
    return ["object", place, {name: _of_hint(each, path, depth + 1) for name, each in _fields(hint, path).items()}]


def _fields(hint: type, path: str) -> dict[str, Any]:
    """What it is made with: the fields of a dataclass, the parameters of others that have hints."""
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return {field.name: hints[field.name] for field in dataclasses.fields(hint) if field.init}
    if issubclass(hint, tuple) and hasattr(hint, "_fields"):
        return typing.get_type_hints(hint)
    import inspect

    made_by: Any = hint
    hints = typing.get_type_hints(made_by.__init__)
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    wanted = [each for each in list(inspect.signature(hint).parameters.values()) if each.kind in kinds]
    lacking = [each.name for each in wanted if each.name not in hints and each.default is inspect.Parameter.empty]
    if lacking or not wanted:
        raise Unknown("{} does not say what {} is".format(path, lacking[0] if lacking else "it is made of"))
    return {each.name: hints[each.name] for each in wanted if each.name in hints}


# --- values ---------------------------------------------------------------------------------------------


def _grown(kind: str, path: str, content: Any) -> Any:
    """A value of the program's own types."""
    if kind == "object":
        return _member(path)(**dict(content))
    return list(_member(path))[content] if kind == "member" else _drawn(path, content)


def _drawn(path: str, content: bytes) -> Any:
    """What a strategy of the program makes of some bytes."""
    if path not in _DRAWING:
        import hypothesis

        drawn: list[Any] = []

        @hypothesis.settings(database=None, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
        @hypothesis.given(_member(path))
        def draw(value: Any) -> None:
            drawn[:] = [value]

        _DRAWING[path] = (draw.hypothesis.fuzz_one_input, drawn)
    draw_from, drawn = _DRAWING[path]
    drawn.clear()
    draw_from(content)
    if not drawn:
        raise ValueError("too few bytes")
    return drawn[-1]


# --- what is asked for ----------------------------------------------------------------------------------


def _call(function: Any, *given: Any, **named: Any) -> Any:
    return function(*given, **named)


_DOES: dict[str, Callable[..., Any]] = {  # all else is a function of `operator`
    "call": _call, "getattr": getattr, "len": len, "iter": iter, "next": next, "bool": bool, "str": str, "repr": repr,
    "hash": hash, "isinstance": isinstance, "issubclass": issubclass, "int": int, "float": float, "complex": complex,
    "round": round, "abs": abs, "format": format, "reversed": reversed, "type": type, "divmod": divmod, "pow": pow,
}  # fmt: skip


class Handed(wire.Proxy):
    """A function of the law's, or what it goes on giving."""

    def __call__(self, *given: Any, **named: Any) -> Any:
        """Have it called."""
        return self._end_.hand("call", self, *given, **named)

    def __iter__(self) -> Any:
        return self._end_.hand("iter", self)

    def __next__(self) -> Any:
        return self._end_.hand("next", self)


class End:
    """The program's end of the wire: answers line by line."""

    def __init__(self, plan: dict[str, Any], asked: Any, told: int) -> None:
        self._asked, self._told = asked, told
        self._law, self._root = plan["holds"].strip() if plan["is_path"] else "", plan["root"]
        self._modules: dict[str, Any] = {}
        self._table = wire.Table(first=1, proxy=lambda number, _: Handed(self, number), hears=dict(vars(builtins)))
        self._table.grow = _grown
        decoder: Any = json.JSONDecoder()
        self._scan, self._written, self._put = decoder.scan_once, json.JSONEncoder().encode, os.write

    def serve(self) -> None:
        """Answer until there is no more question."""
        for line in self._asked:
            self._answer(self._scan(line.decode(), 0)[0])

    def hand(self, what: str, *given: Any, **named: Any) -> Any:
        """Have the law do something with what it handed over; answer what it asks meanwhile."""
        self._tell({"hand": what, "values": self._table.written((given, tuple(named.items())))})
        for line in self._asked:
            said = self._scan(line.decode(), 0)[0]
            if "handed" not in said:
                self._answer(said)
                continue
            said = said["handed"]
            if "value" in said:
                return self._table.read(said["value"])
            kind = getattr(builtins, said["raised"], None)
            raise kind if isinstance(kind, type) and issubclass(kind, Exception) else RuntimeError(said["raised"])
        raise EOFError

    def _answer(self, question: dict[str, Any]) -> None:
        self._tell({**self._answered(question), "ask": question["ask"]})

    def _tell(self, message: dict[str, Any]) -> None:
        data = self._written(message).encode() + b"\n"
        while data:
            data = data[self._put(self._told, data) :]

    def _answered(self, question: dict[str, Any]) -> dict[str, Any]:
        if "load" in question:
            return self._loaded(question["load"])
        if "describe" in question:
            try:
                return {"values": described(question["describe"])}
            except BaseException as error:  # noqa: BLE001  # the program's code
                return {"problem": _raised(error) if not isinstance(error, Unknown) else str(error)}
        return self._begun(question) if "leaves" in question else self._done(question)

    def _loaded(self, modules: list[str]) -> dict[str, Any]:
        """Import the program; the file of each module."""
        try:
            self._modules = {name: importlib.import_module(name) for name in modules}
            if self._law:
                _member(self._law)
            files = {name: str(getattr(module, "__file__", "") or "") for name, module in self._modules.items()}
        except BaseException as error:  # noqa: BLE001  # the program's code
            lacking = getattr(error, "name", None) if isinstance(error, ModuleNotFoundError) else None
            return {"problem": _raised(error), "lacking": lacking if isinstance(lacking, str) else ""}
        standard = {name: sys.modules[name] for name in wire.STANDARD if name in sys.modules}
        self._table.says({**wire.TYPES, **standard})
        return {"files": files, "python": sys.version.split()[0]}

    def _begun(self, question: dict[str, Any]) -> dict[str, Any]:
        self._table.reset()
        try:
            made = tuple(self._table.read(question["leaves"]))
        except Exception:  # noqa: BLE001  # the program's code: whatever it raises makes no value
            return {}
        names = {name: self._named(name, modules) for name, modules in question["names"].items()}
        there = tuple((name, found[0]) for name, found in names.items() if found)
        return {"value": self._table.written((made, there)), "shown": [_bounded(repr, each, MAX_REPR) for each in made]}

    def _named(self, name: str, modules: list[str]) -> list[Any]:
        if name == "_the_law_":
            return [_member(self._law)]
        return [vars(self._modules[each])[name] for each in modules if name in vars(self._modules[each])][-1:]

    def _done(self, question: dict[str, Any]) -> dict[str, Any]:
        op = question["do"]
        try:
            given, named = self._table.read(question["values"])
            does = _DOES[op] if op in _DOES else getattr(operator, op)
            return {"value": self._table.written(does(*given, **dict(named)))}
        except BaseException as error:  # noqa: BLE001  # the program's code: to raise is not to hold
            if op == "next" and isinstance(error, StopIteration):
                return {"stop": True}
            lacks = op == "getattr" and isinstance(error, AttributeError)
            return {"raised": _raised(error), "where": _where(error, self._root), "lacks": lacks}


def _bounded(make: Any, value: Any, limit: int) -> str:
    try:
        text = make(value)
        return text[:limit] if type(text) is str else "?"
    except BaseException as error:  # noqa: BLE001  # the program's code
        return f"<no repr: {type(error).__name__}>"


def _raised(error: BaseException) -> str:
    return (f"{type(error).__name__}: {_bounded(str, error, MAX_TEXT)}")[:MAX_TEXT]


def _where(error: BaseException, root: str) -> str:
    """The innermost place in the program where it was raised."""
    rows = [(row.filename, row.lineno) for row in traceback.extract_tb(error.__traceback__)]
    inside = [(file, line) for file, line in rows if file.startswith(root + os.sep)]
    return f"{os.path.relpath(inside[-1][0], root)}:{inside[-1][1]}" if inside else ""


def main() -> int:
    """Answer line by line, until there is no more question."""
    with open(sys.argv[1], encoding="utf-8") as file:
        plan = json.load(file)
    asked, told = os.dup(0), os.dup(1)
    os.chdir(plan["root"])
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    own = ("", here, os.getcwd())  # noqa: PTH109
    sys.path[:] = [*plan["python_path"], *(each for each in sys.path if each not in own)]
    os.environ["PYTHONPATH"] = os.pathsep.join(plan["python_path"])
    End(plan, os.fdopen(asked, "rb"), told).serve()
    return 0

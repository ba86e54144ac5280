"""Tries a law on values that it is handed: a process with the program in it; it makes no values and judges nothing.

It runs in the sandbox as a script, by whatever Python the project uses (3.8 or newer), and imports nothing but the
standard library before the program. It answers the judge (`judge`), which never imports a line of the program. What
code of the program can reach here is this process: replacing `eval`, built-ins or the standard library changes nothing
about how an expression is tried, and the judge asks for the law and for its opposite in turn, in an order of its own.
By a walk over frames the program can still forge answers.
"""

from __future__ import annotations

import binascii
import builtins
import dataclasses
import enum
import importlib
import io
import json
import marshal
import os
import pickle
import sys
import traceback
import types
import typing
from typing import Any

MAX_TEXT = 1500  # characters of a message
MAX_REPR = 400  # characters of a value of the program's own
MAX_DEPTH = 6  # of types in each other
_PLAIN: dict[str, list[Any]] = {
    "int": ["integers", None, None], "float": ["floats", None, None], "str": ["text", 0, None],
    "bytes": ["bytes", 0, None], "bool": ["booleans"], "NoneType": ["none"], "date": ["dates"],
    "datetime": ["datetimes"], "Decimal": ["decimals", None, None], "UUID": ["uuids"],
}  # fmt: skip


_DRAWING: dict[str, tuple[Any, list[Any]]] = {}  # by the path of a strategy how it draws, and what it drew


class NoValue(Exception):
    """What was handed over makes no value of the program's."""


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


class _Values(pickle.Unpickler):
    """Values as the judge made them; those of the program's own types are made here."""

    def persistent_load(self, pid: Any) -> Any:
        kind, path, content = pid
        try:
            if kind == "object":
                return _member(path)(**content)
            if kind == "member":
                return list(_member(path))[content]
            return _drawn(path, content)
        except Exception as error:  # noqa: BLE001  # the program's code: whatever it raises makes no value
            raise NoValue(str(error)[:MAX_TEXT]) from None


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
        raise NoValue("too few bytes")
    return drawn[-1]


# --- trying ---------------------------------------------------------------------------------------------


class Law:
    """A law and its opposite, compiled before the program can say what compiling means."""

    def __init__(self, plan: dict[str, Any]) -> None:
        holds = plan["holds"].strip()
        self._function = holds if plan["is_path"] else ""
        if self._function:
            holds = "_the_law_(**_what_is_given_) is not False"
        self._codes = [compile(f"({text}\n)", "<brief>", "eval") for text in (holds, f"not ({holds}\n)")]
        self._when = compile("({}\n)".format(plan["when"].strip()), "<brief>", "eval") if plan["when"].strip() else None
        self._builtins = dict(vars(builtins))
        self._eval = eval
        self._names: dict[str, Any] = {}
        self._modules = plan["modules"]

    def load(self) -> dict[str, str]:
        """Import the program; the file of each module."""
        files = {}
        for name in self._modules:
            module = importlib.import_module(name)
            files[name] = str(getattr(module, "__file__", "") or "")
            self._names.update(vars(module))
        if self._function:
            self._names["_the_law_"] = _member(self._function)
        return files

    def tried(self, given: dict[str, Any], *, opposite: bool) -> bool | None:
        """Whether the law, or its opposite, is true; None where what is given does not count."""
        names = {**self._names, **given, "_what_is_given_": given, "__builtins__": self._builtins}
        if self._when is not None and not self._eval(self._when, {**names}):
            return None
        said = self._eval(self._codes[opposite], names)
        return not not said  # noqa: SIM208 - `bool` may be another by now


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


def _answers(plan: dict[str, Any]) -> Any:
    """The function that answers a question; everything that it needs is taken before the program is loaded."""
    law, loads, root = Law(plan), _Values, plan["root"]
    own = frozenset(plan["own"])

    def answer(question: dict[str, Any]) -> dict[str, Any]:
        if "load" in question:
            try:
                return {"files": law.load(), "python": sys.version.split()[0]}
            except BaseException as error:  # noqa: BLE001  # the program's code
                lacking = getattr(error, "name", None) if isinstance(error, ModuleNotFoundError) else None
                return {"problem": _raised(error), "lacking": lacking if isinstance(lacking, str) else ""}
        if "describe" in question:
            try:
                return {"values": described(question["describe"])}
            except BaseException as error:  # noqa: BLE001  # the program's code
                return {"problem": _raised(error) if not isinstance(error, Unknown) else str(error)}
        try:
            given = loads(io.BytesIO(question["given"])).load()
        except NoValue:
            return {"counts": False}
        made = {name: _bounded(repr, given[name], MAX_REPR) for name in own if name in given}
        try:
            said = law.tried(given, opposite=question["opposite"])
            return {"counts": False} if said is None else {"said": said, "made": made}
        except BaseException as error:  # noqa: BLE001  # the program's code: to raise is not to hold
            unnamed = isinstance(error, NameError) and not _where(error, root)
            return {"raised": _raised(error), "where": _where(error, root), "made": made, "unnamed": unnamed}

    return answer


def main() -> int:
    """Answer line by line, until there is no more question."""
    with open(sys.argv[1], encoding="utf-8") as file:
        plan = json.load(file)
    asked, told = os.dup(0), os.dup(1)
    os.chdir(plan["root"])
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    sys.path[:] = [*plan["python_path"], *(each for each in sys.path if os.path.abspath(each) != here)]  # noqa: PTH100
    os.environ["PYTHONPATH"] = os.pathsep.join(plan["python_path"])
    answer, write = _answers(plan), os.write
    encode, decode, unpacked = json.JSONEncoder().encode, binascii.a2b_base64, marshal.loads  # nothing that can change
    for line in os.fdopen(asked, "rb"):
        question = unpacked(decode(line))
        data = encode({**answer(question), "ask": question["ask"]}).encode("utf-8", "backslashreplace") + b"\n"
        while data:
            data = data[write(told, data) :]
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The tables by which artifacts are checked, described and written: one field, one row; it knows no artifact.

A table is read off a frozen type (names, order, required, defaults, choices) and adds what the type cannot say: what
each field is for and which shape its text has. Checker, JSON Schema and writer all follow the same tables.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

Path = tuple[str | int, ...]


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What a text must look like. `pattern` holds for Python and for ECMA (JSON Schema)."""

    pattern: str
    wanted: str
    remedy: str


ID = Shape(
    pattern=r"^(?!.*\.\.)(?!.*(\.lock|\.)$)[A-Za-z0-9][A-Za-z0-9._-]{0,127}$",
    wanted="an id",
    remedy="use letters, digits, dots, dashes and underscores, starting with a letter or digit",
)
LINE = Shape(pattern=r"^[^\n]*\S[^\n]*$", wanted="one line of text", remedy="write it on one line")
PROSE = Shape(pattern=r"^[\s\S]*\S[\s\S]*$", wanted="text that is not blank", remedy="say it in words")
REF = Shape(
    pattern=r"^(?!-)(?!.*\.\.)[^\s~^:?*\[\\\x00-\x20\x7f]+$",
    wanted="a branch, tag or commit",
    remedy="name it without spaces, `..` and a leading dash",
)
PATH = Shape(
    pattern=r"^(?![/~-])(?!(.*/)?\.\.(/|$))[^\n\x00]+$",
    wanted="a path inside the repository",
    remedy="write it relative to the root, without `..`",
)
INSTANT = Shape(
    pattern=r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?$",
    wanted="a date or an instant",
    remedy="write it as 2026-11-22T07:44:00Z",
)
DIGEST = Shape(pattern=r"^sha256:[0-9a-f]{64}$", wanted="a digest", remedy="write it as sha256:<64 hex digits>")
RESOLVER = Shape(
    pattern=r"^(human|policy:[A-Za-z0-9][A-Za-z0-9._-]*)$",
    wanted="a resolver",
    remedy="write `human`, or `policy:<id>` of a policy that a person wrote",
)


class Text(msgspec.Struct, frozen=True):
    """A string, of a shape if one is given."""

    shape: Shape | None = None


class Choice(msgspec.Struct, frozen=True):
    """One of a few words."""

    words: tuple[str, ...]


class Integer(msgspec.Struct, frozen=True):
    """A whole number between two bounds, both included."""

    low: int = 0
    high: int = 2**53


class Number(msgspec.Struct, frozen=True):
    """A number between two bounds, both included."""

    low: float = 0.0
    high: float = 1e15


class Flag(msgspec.Struct, frozen=True):
    """True or false."""


class CommandLine(msgspec.Struct, frozen=True):
    """A command: a string for the shell, or a list of words."""


class ListOf(msgspec.Struct, frozen=True):
    """A list; one value by itself is taken as a list of one. `unique` names the key that no two items may share."""

    item: Kind
    unique: str = ""
    prefix: str = ""  # items are clauses whose ids start with it; a missing id follows from the position


class MapOf(msgspec.Struct, frozen=True):
    """A mapping with any keys and values of one kind."""

    value: Kind


class Free(msgspec.Struct, frozen=True):
    """Any plain data."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of one mapping. `shorthand` names the field that a bare value stands for."""

    type: type[msgspec.Struct]
    doc: str
    fields: tuple[Field, ...]
    shorthand: str = ""
    unknown: Literal["error", "warning"] = "error"
    rest: str = ""  # the field that takes unknown keys, if there is one

    def field(self, name: str) -> Field | None:
        """The row of that name."""
        return next((field for field in self.fields if field.name == name), None)


Kind = Text | Choice | Integer | Number | Flag | CommandLine | ListOf | MapOf | Free | Table


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a table."""

    name: str
    kind: Kind
    doc: str = ""
    required: bool = False
    default: Any = None


class Complaint(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule over several fields has to say; `where` is the path of the field that it is about."""

    where: Path
    text: str
    remedy: str = ""
    severity: Literal["error", "warning"] = "error"
    offset: int = 0  # characters into the field's text


Rule = Callable[
    [Mapping[str, Any]], Iterator[Complaint]
]  # from an artifact's plain data, parts of which may be missing


def table(
    kind: type[msgspec.Struct],
    *,
    doc: str = "",
    docs: Mapping[str, str] | None = None,
    kinds: Mapping[str, Kind | Shape] | None = None,
    without: tuple[str, ...] = (),
    shorthand: str = "",
    unknown: Literal["error", "warning"] = "error",
    rest: str = "",
) -> Table:
    """The table of a frozen type; `docs` and `kinds` add what its annotations cannot say."""
    hints = get_type_hints(kind)
    named = dict(kinds or {})
    words = dict(docs or {})
    rows = []
    for info in msgspec.structs.fields(kind):
        if info.name in without:
            continue
        given = named.pop(info.name, None)
        derived = given if given is not None and not isinstance(given, Shape) else _derived(hints[info.name], given)
        default = None if info.required else _default(info)
        rows.append(
            Field(name=info.name, kind=derived, doc=words.pop(info.name, ""), required=info.required, default=default)
        )
    if named or words:
        raise TypeError(f"{kind.__name__} has no field {sorted({*named, *words})}")
    doc = doc or (kind.__doc__ or "").strip().split("\n", 1)[0]
    return Table(type=kind, doc=doc, fields=tuple(rows), shorthand=shorthand, unknown=unknown, rest=rest)


def _default(info: msgspec.structs.FieldInfo) -> Any:
    return info.default_factory() if info.default_factory is not msgspec.NODEFAULT else info.default


def _derived(hint: Any, shape: Shape | None) -> Kind:
    """The kind that follows from a type annotation."""
    simple: dict[Any, Kind] = {str: Text(shape), int: Integer(), float: Number(), bool: Flag(), Any: Free()}
    if hint in simple:
        return simple[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return Choice(tuple(arguments))
    if origin is tuple:
        return ListOf(_derived(arguments[0], shape))
    if origin is dict:
        return Free() if arguments[1] is Any else MapOf(_derived(arguments[1], shape))
    if origin in (Union, types.UnionType):
        return _of_union(tuple(argument for argument in arguments if argument is not type(None)), shape)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return table(hint)
    raise TypeError(f"no kind of field for {hint}")


def _of_union(arguments: tuple[Any, ...], shape: Shape | None) -> Kind:
    if set(arguments) == {str, tuple[str, ...]}:
        return CommandLine()
    if len(arguments) == 1:
        return _derived(arguments[0], shape)
    raise TypeError(f"no kind of field for {arguments}")

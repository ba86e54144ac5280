"""Values as they cross between a law and the program: plain ones by what they hold, all others by a number.

Both ends load it; the program's end by whatever Python it uses (3.8 or newer). What can change has a number on both
ends: whoever speaks says what it holds by then, so that a list which the program sorts is sorted for the law, too.
Nothing that is read here makes anything but values of the types below.
"""

from __future__ import annotations

import builtins
import collections
import datetime
import decimal
import fractions
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

globals()["__builtins__"] = dict(vars(builtins))  # what the program puts in their place is not what is called here

_EXACT = 1 << 53  # integers below it are written as they are
_CHANGING: dict[type, str] = {
    list: "list", dict: "dict", set: "set", bytearray: "bytes", collections.Counter: "counter",
    collections.OrderedDict: "ordered",
}  # fmt: skip
_EMPTY: dict[str, type] = {tag: kind for kind, tag in _CHANGING.items()}
_PARTS: dict[type, Callable[[Any], tuple[Any, ...]]] = {
    complex: lambda each: (each.real, each.imag),
    range: lambda each: (each.start, each.stop, each.step),
    slice: lambda each: (each.start, each.stop, each.step),
    decimal.Decimal: lambda each: (str(each),),
    fractions.Fraction: lambda each: (each.numerator, each.denominator),
    uuid.UUID: lambda each: (str(each),),
    datetime.timedelta: lambda each: (each.days, each.seconds, each.microseconds),
    datetime.date: lambda each: (each.year, each.month, each.day),
    datetime.datetime: lambda each: (*each.timetuple()[:6], each.microsecond),
}
_MADE = {kind.__name__: kind for kind in _PARTS}
TYPES: Mapping[str, Any] = {
    kind.__name__: kind
    for kind in (bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, range)
}
STANDARD = frozenset({  # of these modules, a law uses those of the process that judges
    "cmath", "collections", "datetime", "decimal", "fractions", "functools", "itertools", "json", "math", "operator",
    "re", "statistics", "string",
})  # fmt: skip


class Proxy:
    """Something of the other end, by its number."""

    __slots__ = ("_end_", "_number_")

    def __init__(self, end: Any, number: int) -> None:
        self._end_, self._number_ = end, number


class Table:
    """What one end knows by number. `first` is 0 at one end and 1 at the other, so that numbers never meet."""

    def __init__(self, *, first: int, proxy: Callable[[int, str], Any], hears: Mapping[str, Any]) -> None:
        self._first, self._proxy, self._hears = first, proxy, hears
        self._says: dict[int, str] = {}  # by identity
        self._write = json.JSONEncoder().encode
        self.seed: Callable[[Any], Any] = lambda _: None  # how what the other end makes is written, if `value` is
        self.grow: Callable[..., Any] = lambda *_: None  # makes what the other end asks to be made
        self.reset()

    def says(self, named: Mapping[str, Any]) -> None:
        """Write these by their names, which the other end knows."""
        self._says = {id(value): name for name, value in named.items()}

    def reset(self) -> None:
        """Know nothing any more."""
        self._next = self._first
        self._kept: dict[int, Any] = {}
        self._number: dict[int, int] = {}  # by identity
        self._told: dict[int, str] = {}  # what the other end knows of that which can change
        self._theirs: dict[int, Any] = {}
        self._grew = False
        self.changed: set[int] = set()  # of our own, what the other end changed

    def written(self, value: Any) -> list[Any]:
        """A value, and all that changed since something was written or read."""
        return [self._coded(value), self._changes()]

    def read(self, said: Any) -> Any:
        """What the other end wrote. Raises ValueError, KeyError, TypeError and others where that makes no sense."""
        coded, rows = said
        for number, tag, _content in rows:
            if number not in self._kept:
                self._keep(number, _EMPTY[tag]())
        for number, tag, content in reversed(rows):  # what is held before what holds it
            self._grew = False
            self._fill(self._kept[number], tag, content)
            text = self._write(self._content(self._kept[number]))
            if number % 2 == self._first and self._told.get(number) != text:
                self.changed.add(number)
            if not self._grew:  # the other end does not know yet what came of what it asked for
                self._told[number] = text
        return self._value(coded)

    # --- writing

    def _coded(self, value: Any) -> Any:
        kind = type(value)
        if value is None or kind in (bool, str, float):
            return value
        if kind is int:
            return value if -_EXACT < value < _EXACT else ["int", hex(value)]
        if kind in _CHANGING:
            return ["this", self._numbered(value)]
        if kind in (tuple, frozenset):
            return [kind.__name__, [self._coded(each) for each in value]]
        if kind is bytes:
            return ["bytes", value.hex()]
        if kind in _PARTS and getattr(value, "tzinfo", None) is None and not getattr(value, "fold", 0):
            return ["made", kind.__name__, [self._coded(part) for part in _PARTS[kind](value)]]
        if issubclass(kind, Proxy):
            return ["yours", value._number_]
        if id(value) in self._says:
            return ["named", self._says[id(value)]]
        seed = self.seed(value)
        if seed is not None:
            return ["grow", [self._coded(each) for each in seed]]
        like = next((each.__name__ for each in TYPES.values() if isinstance(value, each)), "")
        return ["mine", self._numbered(value), like]

    def _numbered(self, value: Any) -> int:
        if id(value) not in self._number:
            while self._next in self._kept:
                self._next += 2
            self._keep(self._next, value)
        return self._number[id(value)]

    def _keep(self, number: int, value: Any) -> None:
        if type(number) is not int:
            raise TypeError(number)
        self._kept[number] = value
        self._number[id(value)] = number

    def _changes(self) -> list[Any]:
        rows: list[Any] = []
        known = 0
        while known < len(self._kept):  # what one holds may be new, too
            fresh, known = list(self._kept.items())[known:], len(self._kept)
            for number, value in fresh:
                tag = _CHANGING.get(type(value))
                if tag is None:
                    continue
                content = self._content(value)
                text = self._write(content)
                if self._told.get(number) != text:
                    self._told[number] = text
                    rows.append([number, tag, content])
        return rows

    def _content(self, value: Any) -> Any:
        if isinstance(value, dict):
            return [[self._coded(key), self._coded(each)] for key, each in value.items()]
        return value.hex() if type(value) is bytearray else [self._coded(each) for each in value]

    # --- reading

    def _fill(self, value: Any, tag: str, content: Any) -> None:
        if _CHANGING.get(type(value)) != tag:
            raise TypeError(tag)
        if tag == "bytes":
            value[:] = bytes.fromhex(content)
        elif tag == "list":
            value[:] = [self._value(each) for each in content]
        else:
            held = [self._value(each) for each in content] if tag == "set" else []
            pairs = [(self._value(key), self._value(each)) for key, each in content] if tag != "set" else []
            value.clear()
            for each in held:
                value.add(each)
            for key, each in pairs:
                value[key] = each

    def _value(self, coded: Any) -> Any:
        if type(coded) is not list:
            return coded
        what, *rest = coded
        if what == "int":
            return int(rest[0], 16)
        if what == "this":
            return self._kept[rest[0]]
        if what in ("tuple", "frozenset"):
            made = [self._value(each) for each in rest[0]]
            return tuple(made) if what == "tuple" else frozenset(made)
        if what == "bytes":
            return bytes.fromhex(rest[0])
        if what == "made":
            return _MADE[rest[0]](*map(self._value, rest[1]))
        if what == "yours":
            return self._kept[rest[0]]
        if what == "named":
            return self._hears[rest[0]]
        if what == "grow":
            self._grew = True
            return self.grow(*map(self._value, rest[0]))
        return self._their(*rest)

    def _their(self, number: int, like: str) -> Any:
        if number not in self._theirs:
            self._theirs[number] = self._proxy(number, like)
        return self._theirs[number]

"""Reads nodes by a table into plain data and notes every problem on the way; it knows no artifact and no file."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from workbench.artifacts import fields as f
from workbench.artifacts.nodes import MAX_DEPTH, MAX_INT, OLD_BOOLEANS, ListNode, MapNode, Node, Scalar
from workbench.artifacts.problem_list import ProblemList, did_you_mean, quoted


class _Absent:
    """Stands for a value that is not there or could not be read."""


ABSENT = _Absent()


class Reader:
    """Reads one file. `read` gives plain data of a kind, or ABSENT with the reason among the problems."""

    def __init__(self, problems: ProblemList) -> None:
        self.problems = problems

    def read(self, kind: f.Kind, node: Node, where: str = "") -> Any:
        """The data of `node` as `kind` wants it; `where` is its dotted path for messages."""
        if isinstance(node, Scalar) and node.value is None and not isinstance(kind, f.Free):
            return ABSENT
        return _READERS[type(kind)](self, kind, node, where)

    def apply(self, rules: Iterable[f.Rule], data: dict[str, Any], root: Node) -> None:
        """Note what the rules over several fields have to say."""
        for rule in rules:
            for complaint in rule(data):
                node = place_of(root, complaint.where)
                line, column = _into(node, complaint.offset)
                self.problems.add(line, column, complaint.text, complaint.remedy, severity=complaint.severity)

    def problem(self, node: Node, text: str, remedy: str = "", *, severity: str = "error") -> None:
        """Note a problem at a node."""
        self.problems.add(node.line, node.column, text, remedy, severity=severity)

    def refuse(self, node: Node, text: str, remedy: str = "") -> Any:
        """Note an error at a node; there is no value."""
        self.problem(node, text, remedy)
        return ABSENT

    def _text(self, kind: f.Text, node: Node, where: str) -> Any:
        if not isinstance(node, Scalar):
            return self.refuse(node, f"{_name(where)} must be text, not {_what(node)}", "write one value")
        if isinstance(node.value, bool):
            return self.refuse(node, f"{_name(where)} must be text, not {_what(node)}", f'quote it: "{node.text}"')
        if node.plain and node.text.lower() in OLD_BOOLEANS:
            remedy = f'other YAML readers take it for a boolean; quote it: "{node.text}"'
            self.problem(node, f"{_name(where)} is the bare word {quoted(node.text)}", remedy, severity="warning")
        return node.text if self._fits(kind.shape, node, where) else ABSENT

    def _fits(self, shape: f.Shape | None, node: Scalar, where: str) -> bool:
        if shape is None or not node.text or _compiled(shape.pattern).fullmatch(node.text):
            return True
        self.problem(node, f"{_name(where)} must be {shape.wanted}, not {quoted(node.text)}", shape.remedy)
        return False

    def _choice(self, kind: f.Choice, node: Node, where: str) -> Any:
        if isinstance(node, Scalar) and node.text in kind.words:
            return node.text
        given = quoted(node.text) if isinstance(node, Scalar) else _what(node)
        remedy = did_you_mean(node.text, kind.words) if isinstance(node, Scalar) else f"one of {', '.join(kind.words)}"
        return self.refuse(node, f"{_name(where)} cannot be {given}", remedy)

    def _integer(self, kind: f.Integer, node: Node, where: str) -> Any:
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, bool) or not isinstance(value, int):
            return self.refuse(node, f"{_name(where)} must be a whole number, not {_what(node)}", "write digits only")
        return value if self._within(value, kind, node, where) else ABSENT

    def _number(self, kind: f.Number, node: Node, where: str) -> Any:
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            return self.refuse(node, f"{_name(where)} must be a number, not {_what(node)}", "write it like 12.5")
        return float(value) if self._within(value, kind, node, where) else ABSENT

    def _within(self, value: float, kind: f.Integer | f.Number, node: Node, where: str) -> bool:
        if kind.low <= value <= kind.high:
            return True
        remedy = f"choose one from {kind.low:g} to {kind.high:g}"
        self.problem(node, f"{_name(where)} is out of range", remedy)
        return False

    def _flag(self, _: f.Flag, node: Node, where: str) -> Any:
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        return self.refuse(node, f"{_name(where)} must be true or false, not {_what(node)}", "write true or false")

    def _command(self, _: f.CommandLine, node: Node, where: str) -> Any:
        if isinstance(node, ListNode):
            words = [self.read(f.Text(), item, f"{where}[{number}]") for number, item in enumerate(node.items)]
            return [word for word in words if word is not ABSENT]
        return self._text(f.Text(), node, where)

    def _list(self, kind: f.ListOf, node: Node, where: str) -> Any:
        items = node.items if isinstance(node, ListNode) else (node,)
        values = []
        for number, item in enumerate(items):
            if isinstance(item, Scalar) and item.value is None:
                self.problem(item, f"{_name(where)} has an empty item", "write a value or remove the dash")
                continue
            values.append(self._item(kind, item, f"{where}[{number}]", number=number))
        self._only_once(kind.unique, values, items, where)
        return [value for value in values if value is not ABSENT]

    def _item(self, kind: f.ListOf, node: Node, where: str, *, number: int) -> Any:
        value = self.read(kind.item, node, where)
        given = isinstance(node, MapNode) and node.get("id") is not None
        if kind.prefix and isinstance(value, dict) and not given:
            value["id"] = f"{kind.prefix}-{number + 1}"
            value[DERIVED] = True
        return value

    def _only_once(self, key: str, values: list[Any], nodes: Iterable[Node], where: str) -> None:
        seen: set[Any] = set()
        for value, node in zip(values, nodes, strict=False):
            name = value.get(key) if key and isinstance(value, dict) and DERIVED not in value else None
            if name is not None and name in seen:
                at = (node.get(key) if isinstance(node, MapNode) else None) or node
                self.problem(at, f"{_name(where)} has two items with {key} {quoted(str(name))}", "give each its own")
            seen.add(name)

    def _mapping(self, kind: f.MapOf, node: Node, where: str) -> Any:
        if not isinstance(node, MapNode):
            return self.refuse(node, f"{_name(where)} must be a mapping, not {_what(node)}", "write `key: value` lines")
        read = {e.key.text: self.read(kind.value, e.value, _join(where, e.key.text)) for e in node.entries}
        return {key: value for key, value in read.items() if value is not ABSENT}

    def _free(self, kind: f.Free, node: Node, where: str, depth: int = 0) -> Any:
        if depth > MAX_DEPTH:
            return self.refuse(node, f"{_name(where)} is nested too deeply", "flatten it")
        if isinstance(node, MapNode):
            return {e.key.text: self._free(kind, e.value, _join(where, e.key.text), depth + 1) for e in node.entries}
        if isinstance(node, ListNode):
            return [self._free(kind, item, where, depth + 1) for item in node.items]
        if isinstance(node.value, float) and not math.isfinite(node.value):
            return self.refuse(node, f"{_name(where)} must be a finite number", "write it as text")
        if isinstance(node.value, int) and abs(node.value) > MAX_INT:
            return self.refuse(node, f"{_name(where)} is too large a number", "write it as text")
        return node.value

    def _table(self, kind: f.Table, node: Node, where: str) -> Any:
        if isinstance(node, Scalar) and kind.shorthand:
            row = kind.field(kind.shorthand)
            value = self.read(row.kind, node, where) if row else ABSENT
            return ABSENT if value is ABSENT else {kind.shorthand: value}
        if not isinstance(node, MapNode):
            return self.refuse(node, f"{_name(where)} must be a mapping, not {_what(node)}", "write `key: value` lines")
        data = self._known(kind, node, where)
        self._required(kind, node, data, where)
        return data

    def _known(self, kind: f.Table, node: MapNode, where: str) -> dict[str, Any]:
        data: dict[str, Any] = {}
        rest: dict[str, Any] = {}
        for entry in node.entries:
            name = entry.key.text
            row = kind.field(name)
            if row is not None and name != kind.rest:
                value = self.read(row.kind, entry.value, _join(where, name))
                if value is not ABSENT:
                    data[name] = value
            elif kind.rest:
                rest[name] = self._free(f.Free(), entry.value, _join(where, name))
            else:
                self._unknown(kind, entry.key, where)
        if kind.rest:
            data[kind.rest] = {name: value for name, value in rest.items() if value is not ABSENT}
        return data

    def _unknown(self, kind: f.Table, key: Scalar, where: str) -> None:
        if self.problems.full:  # looking for the closest word is dear
            self.problems.left_out += 1
            return
        inside = f" in {_name(where)}" if where else ""
        remedy = did_you_mean(key.text, [row.name for row in kind.fields])
        self.problem(key, f"unknown key {quoted(key.text)}{inside}", remedy, severity=kind.unknown)

    def _required(self, kind: f.Table, node: MapNode, data: dict[str, Any], where: str) -> None:
        for row in kind.fields:
            if not row.required:
                continue
            given = node.get(row.name)
            name = _name(_join(where, row.name))
            if given is None:
                self.problem(node, f"{name} is missing", f"add `{row.name}:`{_about(row)}")
            elif isinstance(given, Scalar) and (given.value is None or not given.text.strip()):
                self.problem(given, f"{name} is empty", f"give it a value{_about(row)}")
                data.pop(row.name, None)


DERIVED = "\0derived"  # marks a clause whose id follows from its position; no file can hold this key
_READERS: dict[type, Any] = {
    f.Text: Reader._text,
    f.Choice: Reader._choice,
    f.Integer: Reader._integer,
    f.Number: Reader._number,
    f.Flag: Reader._flag,
    f.CommandLine: Reader._command,
    f.ListOf: Reader._list,
    f.MapOf: Reader._mapping,
    f.Free: Reader._free,
    f.Table: Reader._table,
}


def place_of(root: Node, where: f.Path) -> Node:
    """The node at a path, or the deepest one on the way there."""
    node = root
    for step in where:
        below: Node | None = None
        if isinstance(node, MapNode):
            below = node.get(str(step))
        elif isinstance(node, ListNode) and isinstance(step, int) and step < len(node.items):
            below = node.items[step]
        if below is None:
            return node
        node = below
    return node


def _into(node: Node, offset: int) -> tuple[int, int]:
    """Where the character at `offset` of a value stands; the value's own place where its text was written otherwise."""
    if not offset or not isinstance(node, Scalar):
        return node.line, node.column
    around = node.end - node.start - len(node.text)  # characters that are written and not meant: two quotes, if any
    return node.line, node.column + (offset + around // 2 if around in (0, 2) else 0)


def without_marks(data: Any) -> Any:
    """Plain data without the reader's own marks."""
    if isinstance(data, dict):
        return {key: without_marks(value) for key, value in data.items() if key != DERIVED}
    if isinstance(data, list):
        return [without_marks(item) for item in data]
    return data


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _name(where: str) -> str:
    return quoted(where) if where else "the file"


def _about(row: f.Field) -> str:
    return f": {row.doc}" if row.doc else ""


def _what(node: Node) -> str:
    if isinstance(node, MapNode):
        return "a mapping"
    if isinstance(node, ListNode):
        return "a list"
    if isinstance(node.value, bool):
        return f"the boolean {node.text}"
    if node.value is None:
        return "nothing"
    return f"the text {quoted(node.text)}" if isinstance(node.value, str) else quoted(node.text)

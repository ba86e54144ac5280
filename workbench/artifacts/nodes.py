"""Data with its place in the text: a small tree read from YAML or made from plain data; it knows no artifact.

Built from the parser's events, so that depth, size, anchors, aliases and tags are bounded before anything is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from workbench.artifacts.problem_list import ProblemList, quoted

MAX_DEPTH = 24  # nested lists and mappings
MAX_NODES = 20_000  # of one artifact; about half a second of reading
MAX_INT = 2**53  # what JSON readers hold exactly
_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]{1,40}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,4})?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
OLD_BOOLEANS = frozenset(("y", "yes", "n", "no", "on", "off"))  # of YAML 1.1, in any case


class Scalar(msgspec.Struct, frozen=True, kw_only=True):
    """One value. `text` is what was written, `value` what it means; `plain`: written without quotes."""

    text: str
    value: str | int | float | bool | None
    plain: bool = False
    line: int = 0
    column: int = 0
    start: int = 0
    end: int = 0


class ListNode(msgspec.Struct, frozen=True, kw_only=True):
    """A list; `flow`: written in brackets."""

    items: tuple[Node, ...] = ()
    flow: bool = False
    line: int = 0
    column: int = 0
    start: int = 0
    end: int = 0


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A key and its value."""

    key: Scalar
    value: Node


class MapNode(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping, entries in file order, keys unique; `flow`: written in braces."""

    entries: tuple[Entry, ...] = ()
    flow: bool = False
    line: int = 0
    column: int = 0
    start: int = 0
    end: int = 0

    def get(self, key: str) -> Node | None:
        """The value of `key`."""
        return next((entry.value for entry in self.entries if entry.key.text == key), None)


Node = Scalar | ListNode | MapNode


class _Unreadable(Exception):
    """The text cannot be taken further; the problem is already noted."""


def from_yaml(text: str, problems: ProblemList, *, first_line: int = 1) -> Node | None:
    """The tree of a YAML text; None when there is none, with the reason among the problems."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    reader = YAML(typ="safe", pure=True)
    try:
        return _Builder(reader.parse(text), problems, text=text, first_line=first_line).document()
    except _Unreadable:
        return None
    except MarkedYAMLError as error:
        mark = _mark(error)
        line, column = (mark.line + first_line, mark.column + 1) if mark else (0, 0)
        problems.add(line, column, _in_words(error), _remedy(error, text))
    except (YAMLError, ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError) as error:
        problems.add(0, 0, f"the YAML cannot be read: {quoted(str(error))}", "simplify it")  # the parser's own bugs
    return None


def from_data(data: Any, *, lines: Mapping[tuple[str, ...], tuple[int, int]] | None = None) -> Node:
    """The tree of plain data; `lines` gives the places of keys, by path. Raises ValueError for bottomless data."""
    return _from_data(data, (), lines or {}, (0, 0))


def _from_data(
    data: Any, path: tuple[str, ...], lines: Mapping[tuple[str, ...], tuple[int, int]], at: tuple[int, int]
) -> Node:
    if len(path) > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    line, column = lines.get(path, at)
    at = (line, column)
    if isinstance(data, Mapping):
        entries = []
        for name, value in data.items():
            key_line, key_column = lines.get((*path, str(name)), at)
            key = Scalar(text=str(name), value=str(name), line=key_line, column=key_column)
            entries.append(Entry(key=key, value=_from_data(value, (*path, str(name)), lines, at)))
        return MapNode(entries=tuple(entries), line=line, column=column)
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        items = tuple(_from_data(item, (*path, str(number)), lines, at) for number, item in enumerate(data))
        return ListNode(items=items, line=line, column=column)
    value = data if data is None or isinstance(data, (str, int, float, bool)) else str(data)
    return Scalar(text="" if value is None else str(value), value=value, line=line, column=column)


class _Builder:
    """Makes nodes of parser events, iteratively as deep as the limit allows."""

    def __init__(self, events: Iterator[Any], problems: ProblemList, *, text: str, first_line: int) -> None:
        self.events = events
        self.problems = problems
        self.text = text
        self.first_line = first_line
        self.count = 0

    def document(self) -> Node | None:
        root: Node | None = None
        for event in self.events:
            name = type(event).__name__
            if name == "DocumentStartEvent" and root is not None:
                self._refuse(event, "a second YAML document starts here", "keep one document in the file")
            elif name in ("ScalarEvent", "SequenceStartEvent", "MappingStartEvent", "AliasEvent"):
                root = self._node(event, 0)
        return root

    def _node(self, event: Any, depth: int) -> Node:
        self._bound(event, depth)
        name = type(event).__name__
        if name == "SequenceStartEvent":
            return self._list(event, depth)
        if name == "MappingStartEvent":
            return self._map(event, depth)
        return self._scalar(event)

    def _bound(self, event: Any, depth: int) -> None:
        self.count += 1
        if depth > MAX_DEPTH:
            self._refuse(event, f"nested deeper than {MAX_DEPTH} levels", "flatten it")
        if self.count > MAX_NODES:
            self._refuse(event, f"more than {MAX_NODES} values", "split the file")
        if type(event).__name__ == "AliasEvent" or event.anchor is not None:
            self._refuse(event, "anchors and aliases are not read", "write the value out where it is needed")
        if event.tag is not None and event.tag != "!":
            self._refuse(event, f"the tag {quoted(str(event.tag))} is not read", "remove it")

    def _scalar(self, event: Any) -> Scalar:
        place = self._place(event)
        end = place["start"] + len(self.text[place["start"] : event.end_mark.index].rstrip())
        plain = not event.style
        text = str(event.value)
        if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
            self._refuse(event, "the text holds a NUL or half a surrogate pair", "remove the escape")
        value = _meaning(text) if plain else text
        return Scalar(text=text, value=value, plain=plain, end=end, **place)

    def _list(self, start: Any, depth: int) -> ListNode:
        items: list[Node] = []
        for event in self.events:
            if type(event).__name__ == "SequenceEndEvent":
                return ListNode(items=tuple(items), flow=bool(start.flow_style), **self._span(start, event, items))
            items.append(self._node(event, depth + 1))
        raise _Unreadable

    def _map(self, start: Any, depth: int) -> MapNode:
        entries: dict[str, Entry] = {}
        values: list[Node] = []
        for event in self.events:
            if type(event).__name__ == "MappingEndEvent":
                flow = bool(start.flow_style)
                return MapNode(entries=tuple(entries.values()), flow=flow, **self._span(start, event, values))
            key = self._node(event, depth + 1)
            value = self._node(next(self.events), depth + 1)
            values.append(value)
            self._keep(entries, key, value, event)
        raise _Unreadable

    def _keep(self, entries: dict[str, Entry], key: Node, value: Node, event: Any) -> None:
        if not isinstance(key, Scalar):
            self._refuse(event, "a key must be a word", "use a plain word as the key")
            return
        first = entries.get(key.text)
        if first is None:
            entries[key.text] = Entry(key=key, value=value)
            return
        remedy = f"it is already set on line {first.key.line}; keep one of them"
        self.problems.add(key.line, key.column, f"{quoted(key.text)} is given twice", remedy)

    def _span(self, start: Any, end: Any, children: Sequence[Node]) -> dict[str, int]:
        place = self._place(start)
        last = end.end_mark.index if start.flow_style else max((c.end for c in children), default=place["start"])
        return {**place, "end": last}

    def _place(self, event: Any) -> dict[str, int]:
        mark = event.start_mark
        return {"line": mark.line + self.first_line, "column": mark.column + 1, "start": mark.index}

    def _refuse(self, event: Any, text: str, remedy: str) -> None:
        place = self._place(event)
        self.problems.add(place["line"], place["column"], text, remedy)
        raise _Unreadable


def _meaning(text: str) -> str | int | float | bool | None:
    """What an unquoted scalar means in YAML 1.2's core schema, without octal and hexadecimal numbers."""
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


_WORDS = (  # the parser's words, ours, and how to mend it
    ("mapping values are not allowed", "a `:` stands where no key can be", "quote the text, or indent the line"),
    ("cannot start any token", "this character cannot start a value", "quote the text"),
    ("expected ',' or", "a bracket or brace is not closed", "close it, or put a comma between the values"),
    ("unexpected end of stream", "a quote is not closed", "close it"),
    ("unknown escape", "unknown escape in double quotes", "double the backslash, or use single quotes"),
    ("<block end>", "the indentation does not fit the lines above", "line it up with its neighbours"),
    ("could not find expected ':'", "a `:` is missing after this key", "write `key: value`"),
)


def _mark(error: Any) -> Any:
    """Where a person has to look: what is never closed is shown where it was opened."""
    unclosed = "<stream end>" in str(error.problem) or "end of stream" in str(error.problem)
    return (error.context_mark if unclosed else None) or error.problem_mark or error.context_mark


def _in_words(error: Any) -> str:
    problem = str(error.problem or error.context or "the YAML cannot be read")
    if "'\\t'" in problem:
        return "a tab is used for indentation"
    return next((ours for theirs, ours, _ in _WORDS if theirs in problem), problem.split("\n", 1)[0])


def _remedy(error: Any, text: str) -> str:
    problem = str(error.problem or "")
    if "'\\t'" in problem or ("\t" in text and "cannot start" in problem):
        return "indent with spaces"
    return next((remedy for theirs, _, remedy in _WORDS if theirs in problem), "see the line above, too")

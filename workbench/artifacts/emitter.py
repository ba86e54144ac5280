"""Writes plain data as YAML that every reader takes the same way: whatever could be mistaken is quoted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from workbench.artifacts import fields as f
from workbench.model.text import hidden_at

STEP = 2  # blanks per level
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./()'+ -]*[A-Za-z0-9_./()+-]|[A-Za-z]")
_MISTAKEN = frozenset(
    ("y", "yes", "n", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity")
)  # in any case, by some reader
_BLOCK = re.compile(r"(?=\S)[^\x00-\x09\x0b-\x1f\x7f-\x9f\ufeff]*")


def plain(value: msgspec.Struct, table: f.Table) -> dict[str, Any]:
    """A value as plain data in the table's order, without what stands at its default."""
    data: dict[str, Any] = {}
    for row in table.fields:
        given = getattr(value, row.name)
        if not row.required and given == row.default:
            continue
        part = _part(given, row.kind)
        if row.name == table.rest:
            data.update(part)
        elif part != {} or row.required:
            data[row.name] = part
    return data


def _part(value: Any, kind: f.Kind) -> Any:
    if isinstance(kind, f.Table):
        return plain(value, kind)
    if isinstance(kind, f.ListOf):
        return [_part(item, kind.item) for item in value]
    return msgspec.to_builtins(value)


def block(data: Any, indent: int = 0) -> str:
    """Plain data as block YAML, every line indented by `indent` blanks, with a newline at the end."""
    pad = " " * indent
    if isinstance(data, Mapping) and data:
        return "".join(f"{pad}{key_text(key)}:{after_key(value, indent)}" for key, value in data.items())
    if _is_list(data) and data:
        return "".join(_item(value, indent) for value in data)
    return f"{pad}{flow(data)}\n"


def after_key(value: Any, indent: int) -> str:
    """What follows the colon of a key that stands at `indent`: the value and a newline."""
    if isinstance(value, Mapping) and value:
        return "\n" + block(value, indent + STEP)
    if _is_list(value) and value:
        if all(isinstance(item, str) and _is_plain(item) for item in value) and len(flow(value)) < 80 - indent:
            return f" {flow(value)}\n"
        return "\n" + block(value, indent + STEP)
    if isinstance(value, str) and "\n" in value and _BLOCK.fullmatch(value) and _no_odd_lines(value):
        return _literal(value, indent + STEP)
    return f" {flow(value)}\n"


def flow(data: Any) -> str:
    """Plain data on one line."""
    if isinstance(data, str):
        return data if _is_plain(data) else quote(data)
    if isinstance(data, Mapping):
        return "{" + ", ".join(f"{key_text(key)}: {flow(value)}" for key, value in data.items()) + "}"
    if _is_list(data):
        return "[" + ", ".join(flow(item) for item in data) + "]"
    return json.dumps(data)


def key_text(key: str) -> str:
    """A key as it is written."""
    return key if _is_plain(key) and len(key) < 100 else quote(key)


def quote(text: str) -> str:
    """`text` in double quotes; whatever is not to be seen is an escape."""
    out = []
    for char in text:
        code = ord(char)
        if char in '"\\':
            out.append(f"\\{char}")
        elif char == "\n":
            out.append("\\n")
        elif char == "\t":
            out.append("\\t")
        elif hidden_at(char) >= 0:
            out.append(f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
        else:
            out.append(char)
    return '"' + "".join(out) + '"'


def _item(value: Any, indent: int) -> str:
    pad = " " * indent
    if isinstance(value, Mapping) and value:
        return f"{pad}- " + block(value, indent + STEP)[indent + STEP :]
    if _is_list(value) and value:
        return f"{pad}- {flow(value)}\n"
    return f"{pad}-{after_key(value, indent)}"


def _literal(text: str, indent: int) -> str:
    mark = "|" if text.endswith("\n") else "|-"
    lines = text.removesuffix("\n").split("\n")
    pad = " " * indent
    return f" {mark}\n" + "".join(f"{pad}{line}\n" if line else "\n" for line in lines)


def _no_odd_lines(text: str) -> bool:
    """Whether a literal block gives the text back: nothing hidden, no blanks at line ends, one last newline at most."""
    return (
        hidden_at(text) < 0
        and not text.endswith("\n\n")
        and all(line == line.rstrip() for line in text.split("\n"))
        and bool(text.strip())
    )


def _is_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None and text.lower() not in _MISTAKEN and "  " not in text


def _is_list(data: Any) -> bool:
    return isinstance(data, Sequence) and not isinstance(data, (str, bytes))

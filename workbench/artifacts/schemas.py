"""JSON Schemas (draft 2020-12) of all artifacts, from the tables by which they are checked; it reads no file."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import msgspec

from workbench.artifacts import fields as f
from workbench.model.errors import NotFound

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_MODULES = {
    "brief": "brief",
    "configuration": "configuration",
    "consultation": "consultation",
    "loop": "loop",
    "mentor": "mentor",
    "mergepack": "mergepack",
    "people": "people",
    "policy": "policy",
    "resolution": "resolution",
}
ALIASES = {"crp": "consultation", "mrp": "mergepack", "vcr": "resolution", "config": "configuration"}
KINDS: tuple[str, ...] = tuple(_MODULES)


def schema(kind: str) -> dict[str, Any]:
    """The schema of one kind of artifact (of the front matter, where there is a body). Raises NotFound."""
    name = ALIASES.get(kind, kind)
    if name not in _MODULES:
        raise NotFound(f"there is no schema for `{kind}`", hint=f"known: {', '.join(KINDS)}")
    file = import_module(f"workbench.artifacts.{_MODULES[name]}").FILE
    described = _object(file.table)
    return {"$schema": DIALECT, "$id": f"urn:workbench:schema:{name}", "title": f"Workbench {file.name}", **described}


def _object(table: f.Table) -> dict[str, Any]:
    properties = {row.name: _property(row) for row in table.fields if row.name != table.rest}
    required = [row.name for row in table.fields if row.required]
    built: dict[str, Any] = {"type": "object", "description": table.doc, "properties": properties}
    if required:
        built["required"] = required
    built["additionalProperties"] = bool(table.rest) or table.unknown == "warning"
    return built


def _property(row: f.Field) -> dict[str, Any]:
    described = _DESCRIBED[type(row.kind)](row.kind)
    if row.doc:
        described["description"] = row.doc
    if not row.required and row.default not in (None, "", ()):
        described["default"] = msgspec.to_builtins(row.default)
    return described


def _of(kind: f.Kind) -> dict[str, Any]:
    return _DESCRIBED[type(kind)](kind)


def _text(kind: f.Text) -> dict[str, Any]:
    """Bare numbers are text where text is wanted (`version: 1.2`)."""
    if kind.shape is None:
        return {"type": ["string", "number"]}
    return {"type": ["string", "number"], "anyOf": [{"pattern": kind.shape.pattern}, {"const": ""}]}


def _list(kind: f.ListOf) -> dict[str, Any]:
    item = _of(kind.item)
    return {"anyOf": [{"type": "array", "items": item}, item]}


def _table(table: f.Table) -> dict[str, Any]:
    described = _object(table)
    row = table.field(table.shorthand) if table.shorthand else None
    return {"anyOf": [_of(row.kind), described]} if row else described


_DESCRIBED: dict[type, Callable[[Any], dict[str, Any]]] = {
    f.Text: _text,
    f.Choice: lambda kind: {"enum": list(kind.words)},
    f.Integer: lambda kind: {"type": "integer", "minimum": kind.low, "maximum": kind.high},
    f.Number: lambda kind: {"type": "number", "minimum": kind.low, "maximum": kind.high},
    f.Flag: lambda _: {"type": "boolean"},
    f.CommandLine: lambda _: {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    f.ListOf: _list,
    f.MapOf: lambda kind: {"type": "object", "additionalProperties": _of(kind.value)},
    f.Free: lambda _: {},
    f.Table: _table,
}

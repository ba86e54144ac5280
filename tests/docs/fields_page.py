"""The pages of settings and artifacts, from the tables by which both are checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import msgspec

from tests.docs.markdown import code, page, table
from workbench.artifacts import configuration, schemas
from workbench.artifacts import fields as f

SETTINGS = """
# Settings

`workbench config show --origin` prints the settings in force and where each comes from. Later ones win: defaults,
`$XDG_CONFIG_HOME/workbench/config.toml`, `.workbench/config.toml`, `.workbench/local.toml` (not in git), environment,
flags. Lists in a variable are separated as in `PATH`.
"""
ARTIFACTS = """
# Artifacts

`workbench schema KIND` prints the same as a JSON Schema, and `workbench brief check` (`loop`, `mentor`) names every
problem of a file with line, column and remedy. Fields in bold are required. One value stands for a list of one.
"""
WHERE = {
    "brief": "`.workbench/briefs/<id>.md`: YAML between two `---` lines, then free text.",
    "loop": "`.workbench/loops/<id>.yaml`",
    "mentor": "`.workbench/mentor/<id>.md`",
    "policy": "`.workbench/policy.yaml`, as it stands in the base commit.",
    "people": "`.workbench/people.yaml`, as it stands in the base commit.",
    "resolution": "`.workbench/resolutions/<id>.md` on the run's branch, and the journal.",
    "consultation": "The journal: `workbench show CRP --json`.",
    "mergepack": "The journal: `workbench mrp show MRP --json`.",
}
HEAD = ("field", "value", "default", "meaning")


def settings() -> str:
    """The page of settings."""
    blocks = [SETTINGS]
    for section in configuration.FILE.table.fields:
        inner = section.kind.value if isinstance(section.kind, f.MapOf) else section.kind
        assert isinstance(inner, f.Table)
        named = isinstance(section.kind, f.MapOf)
        head = ("setting", "value", "default", "meaning") + (() if named else ("variable",))
        rows = [_setting(section.name, row, named=named) for row in inner.fields if row.name != inner.rest]
        blocks += [f"## {section.name}", f"{section.doc.capitalize()}.", table(head, rows)]
    return page(*blocks)


def _setting(section: str, row: f.Field, *, named: bool) -> list[str]:
    key = f"{section}.<name>.{row.name}" if named else f"{section}.{row.name}"
    variable = [] if named else [code(f"{configuration.PREFIX}_{section}_{row.name}".upper())]
    return [code(key), _value(row.kind), "" if row.required else _default(row), row.doc, *variable]


def artifacts() -> str:
    """The page of artifacts."""
    blocks = [ARTIFACTS]
    for kind in schemas.KINDS:
        if kind != "configuration":
            file = import_module(f"workbench.artifacts.{kind}").FILE
            blocks += [f"## {kind}", file.table.doc, WHERE[kind], table(HEAD, _rows(file.table, "", {}))]
    return page(*blocks)


def _rows(described: f.Table, prefix: str, told: dict[str, str]) -> Iterator[list[str]]:
    """A row a field; a type that was told already is only named, by the field where it was."""
    for row in described.fields:
        name = f"{prefix}{row.name}"
        inner, mark = _inner(row.kind)
        before = told.setdefault(inner.type.__name__, name) if inner is not None else name
        value = _value(row.kind) + (f", as in {code(before)}" if before != name else "")
        shown = f"**{code(name)}**" if row.required else code(name)
        yield [shown, value, "" if row.required else _default(row), row.doc]
        if inner is not None and before == name:
            yield from _rows(inner, f"{name}{mark}.", told)


def _inner(kind: f.Kind) -> tuple[f.Table | None, str]:
    """The table inside a field, and what stands for its place."""
    if isinstance(kind, f.ListOf) and isinstance(kind.item, f.Table):
        return kind.item, "[]"
    if isinstance(kind, f.MapOf) and isinstance(kind.value, f.Table):
        return kind.value, ".<name>"
    return (kind, "") if isinstance(kind, f.Table) else (None, "")


def _default(row: f.Field) -> str:
    value = msgspec.to_builtins(row.default)
    if isinstance(row.kind, f.Table) or value in (None, "", [], {}, ()):
        return ""
    if isinstance(value, list | tuple):
        return code(" ".join(map(str, value))) if all(isinstance(each, str) for each in value) else "see below"
    return code(str(value).lower() if isinstance(value, bool) else value)


def _value(kind: f.Kind) -> str:
    return _SAID[type(kind)](kind)


def _bounds(kind: f.Integer | f.Number) -> str:
    most = "" if kind.high >= 1e15 else f" to {kind.high}"
    return f"number from {kind.low}{most}"


_SAID: dict[type, Callable[[Any], str]] = {
    f.Text: lambda kind: "text" if kind.shape is None else str(kind.shape.wanted),
    f.Choice: lambda kind: ", ".join(code(word) for word in kind.words),
    f.Integer: _bounds,
    f.Number: _bounds,
    f.Flag: lambda _: "true or false",
    f.CommandLine: lambda _: "command line, or list of words",
    f.ListOf: lambda kind: f"list: {_value(kind.item)}",
    f.MapOf: lambda kind: f"by name: {_value(kind.value)}",
    f.Free: lambda _: "any data",
    f.Table: lambda kind: "mapping" + (f", or its `{kind.shorthand}`" if kind.shorthand else ""),
}

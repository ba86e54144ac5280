"""The import statements of a file wherever they stand in it: of what, which names, and as what. It resolves nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from workbench.code.languages import grammar
from workbench.code.parsing import Parsed

if TYPE_CHECKING:
    from tree_sitter import Node, Query

EVERYTHING = "*"
MAX_STATEMENT = 20_000  # bytes; a longer one is made by programs
BEFORE = 300  # bytes before a call that takes a module in, where it says under which names
MAX_PARTS = 2_000  # of one statement
_SCRIPT = """
(import_statement) @it
(export_statement source: (string)) @it
(call_expression function: [(identifier) (import)] arguments: (arguments . (string))) @call
"""
_QUERIES = {
    "python": "[(import_statement) (import_from_statement)] @it",
    "javascript": _SCRIPT,
    "typescript": _SCRIPT,
    "tsx": _SCRIPT,
    "go": "(import_spec) @it",
    "rust": "(use_declaration) @it",
}
_COMMENT = re.compile(r"//[^\n]*|/\*.{0,500}?\*/", re.DOTALL)
_HASH = re.compile(r"#[^\n]*")
_FROM = re.compile(r"from\s*([\w.]+)\s*import\b\s*\(?([^)]*)")
_QUOTED = re.compile(r"[\"'`]([^\"'`\n]+)[\"'`]")
_BRACES = re.compile(r"\{([^{}]*)\}")
_STAR_AS = re.compile(r"\*\s*as\s+([\w$]+)")
_DEFAULT = re.compile(r"import\s+(?:type\s+)?([\w$]+)\s*(?:,|\bfrom\b)")
_TARGET = re.compile(r"([\w$]+)\s*=\s*(?:await\s+)?$|\{([^}]*)\}\s*=\s*(?:await\s+)?$")
_VERSION = re.compile(r"v\d+$")


class Import(NamedTuple):
    """One name that a file takes in. Without a `name` it is all of `source`, under `alias`."""

    source: str
    name: str
    alias: str  # empty: nothing in the file is called so
    row: int


def imports(parsed: Parsed) -> list[Import]:
    """All imports of a file, functions' own included, in the order of its lines."""
    if parsed.tree is None:
        return []
    from tree_sitter import QueryCursor

    found = QueryCursor(_query(parsed.language)).captures(parsed.tree.root_node)
    nodes = sorted((node for each in found.values() for node in each), key=lambda node: node.start_byte)
    return [each for node in nodes for each in _of(node, parsed)]


@cache
def _query(language: str) -> Query:
    from tree_sitter import Query

    return Query(grammar(language), _QUERIES[language])


def _of(node: Node, parsed: Parsed) -> Iterator[Import]:
    if node.end_byte - node.start_byte > MAX_STATEMENT:
        return
    text = parsed.data[node.start_byte : node.end_byte].decode("utf-8", "replace")
    row = node.start_point.row
    if parsed.language == "python":
        yield from _of_python(_HASH.sub(" ", text), row)
    elif parsed.language == "go":
        yield from _of_go(text, row)
    elif parsed.language == "rust":
        yield from _of_rust(_COMMENT.sub(" ", text), row)
    elif node.type == "call_expression":
        start = max(parsed.starts[row], node.start_byte - BEFORE)
        before = parsed.data[start : node.start_byte].decode("utf-8", "replace")
        yield from _of_require(text, before, row)
    else:
        yield from _of_script(text, row)


def _parts(text: str, separator: str = " as ") -> Iterator[tuple[str, str]]:
    """(name, what it is called here) of each part of a list."""
    for part in text.split(",")[:MAX_PARTS]:
        name, _, alias = " ".join(part.replace("\\", " ").split()).removeprefix("type ").partition(separator)
        if name:
            yield name.strip(), (alias or name).strip()


def _of_python(text: str, row: int) -> Iterator[Import]:
    if (found := _FROM.match(text)) is not None:
        for name, alias in _parts(found[2]):
            yield Import(found[1], name, "" if name == EVERYTHING else alias, row)
    else:
        for name, alias in _parts(text.removeprefix("import")):
            yield Import(name, "", alias, row)


def _of_script(text: str, row: int) -> Iterator[Import]:
    sources = _QUOTED.findall(text)
    if not sources:
        return
    source, head = sources[-1], text[: text.rfind(sources[-1])]
    yield Import(source, "", "", row)
    if (star := _STAR_AS.search(head)) is not None:
        yield Import(source, "", star[1], row)
    elif head.lstrip().startswith("export") and EVERYTHING in head:
        yield Import(source, EVERYTHING, "", row)
    if (default := _DEFAULT.match(head)) is not None and default[1] != "type":
        yield Import(source, "default", default[1], row)
    for inside in _BRACES.findall(head):
        for name, alias in _parts(inside):
            yield Import(source, name, alias, row)


def _of_require(text: str, before: str, row: int) -> Iterator[Import]:
    if not text.startswith(("require", "import")):
        return
    for source in _QUOTED.findall(text)[:1]:
        target = _TARGET.search(before)
        yield Import(source, "", target[1] or "" if target is not None else "", row)
        if target is not None and target[2]:
            for name, alias in _parts(target[2], ":"):
                yield Import(source, name, alias.strip(), row)


def _of_go(text: str, row: int) -> Iterator[Import]:
    for source in _QUOTED.findall(text)[:1]:
        alias = text.partition('"')[0].strip()
        pieces = source.split("/")
        last = pieces[-2] if len(pieces) > 1 and _VERSION.match(pieces[-1]) else pieces[-1]
        if alias == ".":
            yield Import(source, EVERYTHING, "", row)
        else:
            yield Import(source, "", "" if alias == "_" else alias or last, row)


def _of_rust(text: str, row: int) -> Iterator[Import]:
    body = re.sub(r"^(pub\s*(\([^)]*\))?\s+)?use\s+", "", text.strip()).rstrip("; \n")
    for path, alias in list(_branches(body))[:MAX_PARTS]:
        source, _, name = path.rpartition("::")
        if name == "self":
            source, _, name = source.rpartition("::")
            alias = alias if alias != "self" else name
        yield Import(source or name, name if source else "", "" if name == EVERYTHING else alias, row)


def _branches(text: str) -> Iterator[tuple[str, str]]:
    """Each path of a use tree with its alias; read without recursion, for a tree may be as deep as somebody likes."""
    prefixes, word = [""], ""
    for char in f"{text},":
        if char == "{":
            prefixes.append(prefixes[-1] + "".join(word.split()))
            word = ""
        elif char in ",}":
            path, _, alias = word.strip().partition(" as ")
            if path:
                yield prefixes[-1] + "".join(path.split()), alias.strip() or path.strip().rpartition("::")[2]
            word = ""
            if char == "}" and len(prefixes) > 1:
                prefixes.pop()
        else:
            word += char

"""What a file offers to others, and how each name is used, as text to compare; it knows one side of one file only.

Whoever reads it must be able to trust that nothing is missing, so a file that offers names in a way that is not read
here has no answer at all.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from workbench.code.entities import Found, outline
from workbench.code.languages import family_of, language_of
from workbench.code.parsing import Parsed, parse
from workbench.code.visibility import surface

if TYPE_CHECKING:
    from tree_sitter import Node

KEPT = ""  # the use of a name that is only passed on: it is there, and no more is known
# What a file says where it offers more, or otherwise, than by its definitions.
_UNREAD = {
    "python": re.compile(
        rb"^__all__\s*(?::[^=\n]*)?(?:\+=|\.|=\s*[^\[(\s])|^__all__[^\])]*\*|^def __getattr__\b", re.M
    ),
    "script": re.compile(
        rb"\bmodule\s*\.\s*exports\b|\bexports\s*[.\[=]|\bexports\s*[,)]|^export\s*(?:\*|=|import\b)"
        rb"|^export\s*(?:type\s*)?\{[^}]*(?:\bas\b[^}]*\}|\}\s*from\b)"
        rb"|^export\s+default\s+(?!(?:async\s+)?function\b|(?:abstract\s+)?class\b)",
        re.M,
    ),
    "rust": re.compile(rb"\bmacro_export\b|\bproc_macro"),
}
_LISTS = {"python": re.compile(rb"^__all__", re.M), "script": re.compile(rb"^export\s{0,80}(?:type\s{0,80})?\{", re.M)}
MOST_LISTS = 100  # in one file; each may be looked through to the file's end
_HELD = re.compile(rb"\b(?:class|impl)\b")  # the head of what is offered member by member
_NAMES = re.compile(rb"(?:\bas\s+)?([A-Za-z_]\w*)\s*(?=,|\)|\s*$|#)", re.M)


def public_names(data: bytes, path: str) -> dict[str, str] | None:
    """The names that others may use to how they are used; None where that cannot be told."""
    parsed = parse(data, language_of(path))
    family = family_of(parsed.language)
    if parsed.tree is None or _offers_otherwise(data, family):
        return None
    found = outline(parsed)
    if found.damaged or parsed.tree.root_node.has_error:
        return None
    uses: dict[str, set[str]] = defaultdict(set)
    for each in found.entities:
        for name, use in _offered(parsed, each):
            uses[name].add(use)
    return {name: KEPT if KEPT in said else " or ".join(sorted(said)) for name, said in uses.items()}


def _offers_otherwise(data: bytes, family: str) -> bool:
    """Whether a file offers more than what it defines, or so many lists that they are not looked through."""
    if family in _LISTS and len(_LISTS[family].findall(data)) > MOST_LISTS:
        return True
    return family in _UNREAD and _UNREAD[family].search(data) is not None


def _offered(parsed: Parsed, each: Found) -> Iterator[tuple[str, str]]:
    if each.kind == "import":
        yield from _passed_on(parsed, each)
    elif parsed.language == "python" and each.kind == "constant":
        listed = surface(parsed).listed if not each.container else None
        for name in re.findall(r"[^\W\d]\w*", each.last_name):
            if (name in listed) if listed is not None else each.is_public and not _is_private(name, each.container):
                yield f"{each.container}.{name}" if each.container else name, "="
    elif each.is_public and not (parsed.language == "python" and _is_private(each.last_name, each.container)):
        yield each.name, _of_python(parsed, each) if parsed.language == "python" else _head(parsed, each)


def _is_private(name: str, container: str) -> bool:
    """By the custom of Python; what has two underscores on both sides is for everybody within a class."""
    return name.startswith("_") and not (container and name.startswith("__") and name.endswith("__"))


def _passed_on(parsed: Parsed, each: Found) -> Iterator[tuple[str, str]]:
    """Imported names that the file lists as its own; in Rust the whole of `pub use`."""
    text = parsed.data[each.start : each.stop]
    if parsed.language == "rust" and text.startswith(b"pub"):
        yield _flat(text), "use"
    listed = surface(parsed).listed
    if listed and parsed.language == "python":
        said = (name.decode("utf-8", "replace") for name in _NAMES.findall(text.partition(b"import")[2]))
        yield from ((name, KEPT) for name in said if name in listed)


def _head(parsed: Parsed, each: Found) -> str:
    """A definition up to its body; all of it where the body is what others use."""
    head = parsed.data[each.start : each.body_start]
    is_whole = each.kind == "class" and not _HELD.search(head)
    return _flat(parsed.data[each.start : each.stop] if is_whole else head)


def _of_python(parsed: Parsed, each: Found) -> str:
    """Decorators, and what may be given; annotations change no call."""
    if parsed.tree is None:
        return ""
    named = parsed.tree.root_node.descendant_for_byte_range(each.name_start, each.name_start)
    node = named.parent if named is not None else None
    if node is None:
        return ""
    around = node.parent if node.parent is not None and node.parent.type == "decorated_definition" else None
    marks = [_flat(child.text or b"") for child in around.children if child.type == "decorator"] if around else []
    given = node.child_by_field_name("parameters") or node.child_by_field_name("superclasses")
    parts = [_parameter(child) for child in given.named_children if child.type != "comment"] if given else []
    kind = ["async"] if any(child.type == "async" for child in node.children) else []
    return " ".join([*marks, *kind, f"({', '.join(parts)})"])


def _parameter(node: Node) -> str:
    value = node.child_by_field_name("value")
    if node.type == "typed_parameter":
        return _flat(node.named_children[0].text or b"")
    if node.type in ("typed_default_parameter", "default_parameter") and value is not None:
        name = node.child_by_field_name("name")
        return f"{_flat((name.text if name is not None else b'') or b'')}={_flat(value.text or b'')}"
    return _flat(node.text or b"")


def _flat(text: bytes) -> str:
    """On one line; a quote is a quote, where none is within another."""
    flat = " ".join(text.decode("utf-8", "replace").split())
    return flat if '"' in flat else flat.replace("'", '"')

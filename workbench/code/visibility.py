"""Who may use what a file defines, by the customs of its language. It knows names and nodes, and no change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from tree_sitter import Node

    from workbench.code.parsing import Parsed

_ALL = re.compile(rb"^__all__\s*(?::[^=\n]*)?\+?=\s*[\[(]([^\])]*)[\])]", re.MULTILINE)
_WORD = re.compile(rb"[\"']([^\"'\n]+)[\"']")
_CLAUSE = re.compile(rb"\nexport\s*(?:type\s*)?\{([^}]*)\}(?=\s*(from\b)?)")  # begins with what is quickly found
_EXPORTS = re.compile(rb"(?:module\s*\.\s*)?exports(?:\.[\w$]+)?$")
_HIDDEN = (b"private", b"protected")


class Surface(msgspec.Struct, frozen=True):
    """What a file offers: `listed` names where it lists them."""

    language: str
    listed: frozenset[str] | None = None

    def has(self, name: str, outer: Node, node: Node, *, around_public: bool) -> bool:
        """Whether what `node` defines may be used from outside; `outer` is the whole statement."""
        if not around_public:
            return False
        return _VISIBLE[self.language](self, name, outer, node)


def surface(parsed: Parsed) -> Surface:
    """The names that the file says it offers."""
    if parsed.language == "python":
        lists = _ALL.findall(parsed.data) if b"__all__" in parsed.data else []
        names = frozenset(word.decode("utf-8", "replace") for each in lists for word in _WORD.findall(each))
        return Surface("python", names if lists else None)
    if parsed.language in ("javascript", "typescript", "tsx"):
        clauses = [inside for inside, from_ in _CLAUSE.findall(b"\n" + parsed.data) if not from_]
        names = frozenset(
            each.split(b" as ")[0].strip().decode("utf-8", "replace") for all_ in clauses for each in all_.split(b",")
        )
        return Surface(parsed.language, names | frozenset(_exported(parsed)))
    return Surface(parsed.language)


def _exported(parsed: Parsed) -> Iterator[str]:
    """The names of its own that a script hands over by `module.exports` or `exports`."""
    if parsed.tree is None or b"exports" not in parsed.data:
        return
    for child in parsed.tree.root_node.named_children:
        node = child.named_children[0] if child.type == "expression_statement" and child.named_child_count else None
        is_ours = False
        while node is not None and node.type == "assignment_expression":
            left = node.child_by_field_name("left")
            is_ours |= left is not None and _EXPORTS.match(left.text or b"") is not None
            node = node.child_by_field_name("right")
        if node is None or not is_ours:
            continue
        for part in node.named_children if node.type == "object" else [node]:
            said = part.child_by_field_name("value") if part.type == "pair" else part
            if said is not None and said.type in ("identifier", "shorthand_property_identifier"):
                yield (said.text or b"").decode("utf-8", "replace")


def _python(of: Surface, name: str, _outer: Node, node: Node) -> bool:
    if node.type.startswith(("import", "future")):
        return False
    if of.listed is not None:
        top = node.parent
        while top is not None and top.type not in ("module", "class_definition"):
            top = top.parent
        if top is not None and top.type == "module":
            return name in of.listed
    return not name.startswith("_") or (name.startswith("__") and name.endswith("__") and name != "__all__")


def _script(of: Surface, name: str, outer: Node, node: Node) -> bool:
    if node.type == "import_statement" or name.startswith("#"):
        return False
    if node.type == "assignment_expression" and _EXPORTS.match(name.encode()):
        value = node.child_by_field_name("right")
        return value is not None and value.type not in ("identifier", "object", "assignment_expression")
    parent = outer.parent
    if parent is not None and parent.type in ("class_body", "interface_body", "object_type", "enum_body"):
        return not any(
            (child.text or b"") in _HIDDEN for child in node.children if child.type == "accessibility_modifier"
        )
    if name in (of.listed or ()):
        return True
    at: Node | None = node
    while at is not None and at.type not in ("program", "statement_block"):
        if at.type in ("export_statement", "ambient_declaration"):
            return True
        at = at.parent
    return False


def _go(_of: Surface, name: str, _outer: Node, node: Node) -> bool:
    return node.type != "import_spec" and all(part[:1].isupper() for part in name.split("."))


def _rust(_of: Surface, _name: str, _outer: Node, node: Node) -> bool:
    if node.type == "impl_item":
        return True
    modifier = next((child for child in node.children if child.type == "visibility_modifier"), None)
    if modifier is not None:
        return modifier.text == b"pub" and node.type != "use_declaration"
    holder = node.parent.parent if node.parent is not None else None
    if holder is not None and holder.type == "trait_item":
        return any(child.type == "visibility_modifier" and child.text == b"pub" for child in holder.children)
    return False


_VISIBLE = {
    "python": _python,
    "javascript": _script,
    "typescript": _script,
    "tsx": _script,
    "go": _go,
    "rust": _rust,
}

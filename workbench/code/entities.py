"""What a file defines, read off its tree: names, spans, signatures, who may use it. It compares nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from workbench.code.definitions import FIELDS, GRAMMARS, HEADS, PASSED_ON, Definition, Grammar
from workbench.code.model import Entity, EntityKind, Span
from workbench.code.parsing import Parsed, damaged_nodes
from workbench.code.visibility import Surface, surface

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_DEPTH = 40  # of entities in entities
MAX_SIGNATURE = 300  # characters that people are shown


class Found(msgspec.Struct, eq=False):
    """An entity with its place in the file, in rows from 0 and bytes. What only the comparison needs."""

    kind: EntityKind
    name: str  # qualified
    first: int  # row of its span
    end: int  # row after its span
    start: int  # byte at which the definition begins, without comments
    stop: int
    name_start: int
    body_start: int  # byte; `stop` without a body
    row: int  # of its name
    inside: int  # index of the entity around it; -1: none
    depth: int = 0  # of its outermost node in the tree
    signature: str = ""
    is_public: bool = False
    is_damaged: bool = False
    owns_lines: bool = True  # whether nothing else stands on its first and last line
    document: tuple[int, int] = (0, 0)  # rows of its documentation string, half-open
    heads: tuple[int, int] = (0, 0)  # rows of its signature, half-open
    members: list[int] = []
    container: str = ""  # the name of what it stands in; empty in the file itself
    last_name: str = ""  # the name without that
    words: tuple[bytes, ...] | None = None  # of its signature without its name, once somebody asked

    def __post_init__(self) -> None:
        self.container, _, self.last_name = self.name.rpartition(".")


@dataclass(slots=True)
class Outline:
    """The entities of one side of a file, in order; a container stands before what it holds."""

    entities: list[Found] = field(default_factory=list)
    damaged: list[tuple[int, int]] = field(default_factory=list)  # rows, half-open

    def innermost(self) -> list[int]:
        """For each row up to the last entity's the index of the innermost one; -1 where there is none."""
        rows = [-1] * max((each.end for each in self.entities), default=0)
        for index, each in enumerate(self.entities):
            rows[each.first : each.end] = [index] * (each.end - each.first)
        return rows


def outline(parsed: Parsed) -> Outline:
    """All entities of a side; none where it is only lines."""
    found = Outline()
    if parsed.tree is not None:
        grammar = GRAMMARS[parsed.language]
        _Reader(parsed, grammar, found, surface(parsed)).read(parsed.tree.root_node, inside=-1, depth=0, level=1)
        found.damaged.sort()
    return found


def entity(found: Found) -> Entity:
    """The same for everybody else."""
    return Entity(
        kind=found.kind,
        name=found.name,
        span=Span(found.first + 1, found.end),
        line=found.row + 1,
        signature=found.signature,
        is_public=found.is_public,
        is_damaged=found.is_damaged,
    )


@dataclass(slots=True)
class _Reader:
    parsed: Parsed
    grammar: Grammar
    found: Outline
    surface: Surface

    def read(self, parent: Node, *, inside: int, depth: int, level: int) -> None:
        """All definitions right below `parent`, with the comments and attributes above each; they stand at `level`."""
        above: Node | None = None
        for child in parent.named_children:
            kind = child.type
            if "comment" in kind or kind in HEADS:
                alone = self._begins_line(child)
                if above is None:
                    above = child if alone else None
                elif self._apart(above, child):
                    above = child
                last = child
                continue
            start = child.start_byte
            if above is not None:
                start = above.start_byte if last.end_point.row + 1 >= child.start_point.row else start
                above = None
            self._statement(child, start, inside=inside, depth=depth, level=level)

    def _apart(self, above: Node, child: Node) -> bool:
        """Whether a blank line keeps a comment from belonging to what follows the next one."""
        between = self.parsed.data[self.parsed.starts[max(0, child.start_point.row - 1)] : child.start_byte]
        return above.type not in HEADS and child.start_point.row > 0 and not between.strip()

    def _begins_line(self, node: Node) -> bool:
        return not self.parsed.data[self.parsed.starts[node.start_point.row] : node.start_byte].strip()

    def _statement(self, child: Node, start: int, *, inside: int, depth: int, level: int) -> None:
        kind = child.type
        if child.is_error or child.is_missing:
            self._damage(child)
            return
        definitions = [(child, 0)] if kind in self.grammar.definitions else list(self._definitions(child, kind, 0))
        alone = len(definitions) == 1
        for node, hops in definitions:
            at, end = (start, child) if alone else (node.start_byte, node)
            self._define(
                node, at, end, inside=inside, depth=depth, levels=(level + (0 if alone else hops), level + hops)
            )
        if not definitions:
            if kind in self.grammar.open and depth < MAX_DEPTH:
                self.read(child, inside=inside, depth=depth + 1, level=level + 1)
                if any(each.is_error or each.is_missing for each in child.children):
                    self._damage(child)
            elif child.has_error:
                self._damage(child)

    def _definitions(self, node: Node, kind: str, hops: int) -> Iterator[tuple[Node, int]]:
        """The definitions that a statement of a kind makes, with how many levels below it they stand."""
        if kind in self.grammar.definitions:
            yield node, hops
            return
        wanted = self.grammar.wrappers.get(kind, ())
        if kind == "export_statement" and (node.has_error or node.child_by_field_name("source") is None):
            wanted = ("declaration", "value")
        typed = [(child, child.type) for child in node.named_children] if wanted else []
        for name in wanted:
            field_child = node.child_by_field_name(name) if name in FIELDS else None
            children = [(field_child, field_child.type)] if field_child is not None else typed
            for child, found in children:
                if (field_child is not None or found == name) and not (name == "source" and len(typed) > 1):
                    yield from self._definitions(child, found, hops + 1)

    def _damage(self, node: Node) -> None:
        last = max(node.start_point.row, self.parsed.row(max(node.start_byte, node.end_byte - 1)))
        self.found.damaged.append((node.start_point.row, last + 1))

    def _define(self, node: Node, start: int, outer: Node, *, inside: int, depth: int, levels: tuple[int, int]) -> None:
        type_ = node.type
        rule = self.grammar.definitions[type_]
        named = self._named(node, type_, rule)
        if named is None:
            if node.has_error:
                self._damage(node)
            return
        name, name_start = named
        around = self.found.entities[inside] if inside >= 0 else None
        full = f"{around.name}.{name}" if around is not None else name
        kind = _kind(node, type_, rule, around)
        body = _body(node, type_, rule)
        begin, stop, row_of = outer.start_byte, outer.end_byte, self.parsed.row
        made = Found(
            kind=kind,
            name=full,
            first=row_of(start),
            end=row_of(max(begin, stop - 1)) + 1,
            start=begin,
            stop=stop,
            name_start=name_start,
            body_start=body.start_byte if body is not None else stop,
            row=row_of(name_start),
            inside=inside,
            depth=levels[0],
            signature=self._signature(node, body, kind),
            is_public=self.surface.has(name, outer, node, around_public=around is None or around.is_public),
        )
        self._place(made, start, body)
        index = len(self.found.entities)
        self.found.entities.append(made)
        if around is not None:
            around.members.append(index)
        if rule.holds and body is not None and depth < MAX_DEPTH and rule.holding in ("", body.type):
            self.read(body, inside=index, depth=depth + 1, level=levels[1] + 2)
            self._torn(node, body)
        elif node.has_error:
            made.is_damaged = True
            self.found.damaged.append((made.first, made.end))

    def _torn(self, node: Node, body: Node) -> None:
        """What does not parse in a container, outside of what it holds."""
        for child in node.children:
            if child != body:
                for damaged in damaged_nodes(child):
                    self._damage(damaged)
        for child in body.children:
            if child.is_missing:
                self._damage(child)

    def _place(self, made: Found, start: int, body: Node | None) -> None:
        data, starts = self.parsed.data, self.parsed.starts
        before = data[starts[made.first] : start].strip()
        rest = data[made.stop : starts[made.end]].strip()
        made.owns_lines = not before and (not rest.strip(b";,") or rest[:1] == b"#" or rest[:2] in (b"//", b"/*"))
        head_end = self.parsed.row(max(made.start, self.parsed.before(made.body_start) - 1)) + 1
        made.heads = (self.parsed.row(made.start), head_end)
        if self.parsed.language == "python" and body is not None and body.type == "block" and body.named_child_count:
            first: Node | None = body.named_child(0)
            while first is not None and first.type == "comment":
                first = first.next_named_sibling
            if first is not None and first.type == "expression_statement" and first.named_child_count == 1:
                text = first.named_children[0]
                if text.type == "string":
                    made.document = (self.parsed.row(text.start_byte), self.parsed.row(text.end_byte - 1) + 1)

    def _named(self, node: Node, type_: str, rule: Definition) -> tuple[str, int] | None:
        if not rule.name:
            start = node.start_byte
            if type_ in PASSED_ON:
                return _passed_on(node, type_), start
            return _flat(self.parsed.data[start : node.end_byte]), start
        named = node.child_by_field_name(rule.name)
        if named is None:
            return ("default", node.start_byte) if type_ in ("class", "function_expression") else None
        if type_ == "assignment" and named.type not in ("identifier", "pattern_list", "tuple_pattern"):
            return None
        if type_ == "call_expression":
            return self._called(node, named)
        if type_ == "assignment_expression" and named.type != "member_expression":
            return None
        start = named.start_byte
        text = _flat(self.parsed.data[start : named.end_byte]).strip("\"'")
        if type_ in _OF_OTHERS:
            text = self._of_another(node, text)
        return text, start

    def _of_another(self, node: Node, text: str) -> str:
        """The name with the type that it is written for, from outside of that type."""
        receiver, trait = node.child_by_field_name("receiver"), node.child_by_field_name("trait")
        if receiver is not None:
            kind = re.search(rb"([A-Za-z_]\w*)\s*(?:\[[^\]]*\])?\s*\)$", receiver.text or b"")
            text = f"{kind[1].decode()}.{text}" if kind else text
        return f"{_flat(trait.text or b'')} for {text}" if trait is not None else text

    def _called(self, node: Node, given: Node) -> tuple[str, int] | None:
        """What a script hands over under a name: a test, a suite, a route. Other calls define nothing."""
        parts, callee = given.named_children, node.child_by_field_name("function")
        if len(parts) < 2 or callee is None or parts[0].type != "string" or parts[-1].type not in _FUNCTIONS:
            return None
        name = _flat(self.parsed.data[callee.start_byte : callee.end_byte] + b" " + (parts[0].text or b""))
        return name.replace(".", " "), node.start_byte

    def _signature(self, node: Node, body: Node | None, kind: EntityKind) -> str:
        if node.type in PASSED_ON:
            return _offered(node, node.type)
        if kind in ("constant", "import", "module"):
            return ""
        end = body.start_byte if body is not None else node.end_byte
        is_last = body is None or body.end_byte == node.end_byte
        if not is_last or _COMMENT.search(self.parsed.data, node.start_byte, end):
            end = next((child.start_byte for child in node.children if "comment" in child.type), end)
        return _flat(self.parsed.data[node.start_byte : min(end, node.start_byte + 4 * MAX_SIGNATURE)])[
            :MAX_SIGNATURE
        ].rstrip(" :{=>")


_COMMENT = re.compile(rb"#|//|/\*|<!--|-->")  # with which one may begin
_OF_OTHERS = ("method_declaration", "impl_item")  # in Go and in Rust
_VALUED = ("variable_declarator", "public_field_definition", "field_definition", "assignment_expression")
_FUNCTIONS = ("arrow_function", "function_expression", "generator_function")


def _body(node: Node, type_: str, rule: Definition) -> Node | None:
    """What follows the signature; of a value that is a function, that function's own."""
    body = node.child_by_field_name(rule.body) if rule.body else None
    if body is not None and type_ in _VALUED and body.type in _FUNCTIONS:
        return body.child_by_field_name("body") or body
    return body


def _kind(node: Node, type_: str, rule: Definition, around: Found | None) -> EntityKind:
    if rule.kind == "function":
        return "method" if around is not None and around.kind == "class" else "function"
    if type_ in _VALUED:
        value = node.child_by_field_name(rule.body)
        if value is not None and value.type in _FUNCTIONS:
            return "method" if around is not None and around.kind == "class" else "function"
    return rule.kind


def _passed_on(node: Node, type_: str) -> str:
    """Such as `export add from "./m"`."""
    above = node.parent
    while above is not None and above.type != "export_statement":
        above = above.parent
    source = above.child_by_field_name("source") if above is not None else None
    said = "*" if type_ == "string" else _flat(node.text or b"")
    return f"export {said} from {_flat((source.text if source is not None else b'') or b'')}"


def _offered(node: Node, type_: str) -> str:
    """Under which name a script passes on what it does not define."""
    if type_ == "string":
        return f"* from {_flat(node.text or b'')}"
    named = node.child_by_field_name("alias") or node.child_by_field_name("name")
    named = node.named_children[-1] if named is None and node.named_children else named
    return _flat((named.text if named is not None else b"") or b"")


def _flat(data: bytes) -> str:
    return " ".join(data.decode("utf-8", "replace").split())

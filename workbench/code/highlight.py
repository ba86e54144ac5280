"""Which characters of visible lines play which role, by queries. Roles are no colours: it paints nothing."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, get_args

from workbench.code.languages import LANGUAGES, grammar
from workbench.code.model import Highlight, Role
from workbench.code.parsing import Parsed, parse

if TYPE_CHECKING:
    from tree_sitter import Node, Query

_KEPT = 4  # trees of the texts that were asked for last
_OPERATORS = '"=" "==" "!=" "<" ">" "<=" ">=" "+" "-" "*" "/" "%" "+=" "-="'
_QUERIES = {
    "python": f"""
        (comment) @comment (string) @string (escape_sequence) @escape (interpolation) @plain
        [(integer) (float)] @number [(true) (false) (none)] @constant
        (decorator) @decorator (call function: (identifier) @function)
        (call function: (attribute attribute: (identifier) @function))
        (function_definition name: (identifier) @function) (class_definition name: (identifier) @type)
        (type) @type (attribute attribute: (identifier) @property)
        (parameters (identifier) @parameter) (keyword_argument name: (identifier) @parameter)
        (default_parameter name: (identifier) @parameter) (typed_parameter (identifier) @parameter)
        (typed_default_parameter name: (identifier) @parameter)
        ["def" "class" "return" "if" "elif" "else" "for" "while" "in" "not" "and" "or" "is" "import" "from" "as" "with"
         "try" "except" "finally" "raise" "yield" "lambda" "pass" "break" "continue" "global" "nonlocal" "assert"
         "del" "async" "await"] @keyword
        [{_OPERATORS} ":=" "->" "**" "//" "|" "&"] @operator
    """,
    "javascript": f"""
        (comment) @comment [(string) (template_string) (regex)] @string (escape_sequence) @escape
        (template_substitution) @plain (number) @number [(true) (false) (null) (undefined)] @constant
        (call_expression function: (identifier) @function)
        (call_expression function: (member_expression property: (property_identifier) @function))
        (function_declaration name: (identifier) @function) (method_definition name: (property_identifier) @function)
        (member_expression property: (property_identifier) @property) (pair key: (property_identifier) @property)
        (this) @builtin
        ["const" "let" "var" "function" "return" "if" "else" "for" "while" "do" "in" "of" "new" "delete" "typeof"
         "instanceof" "class" "extends" "import" "export" "from" "as" "default" "try" "catch" "finally" "throw" "switch"
         "case" "break" "continue" "async" "await" "yield"] @keyword
        [{_OPERATORS} "===" "!==" "=>" "&&" "||" "??" "..."] @operator
    """,
    "go": f"""
        (comment) @comment [(interpreted_string_literal) (raw_string_literal) (rune_literal)] @string
        (escape_sequence) @escape [(int_literal) (float_literal)] @number [(true) (false) (nil) (iota)] @constant
        (call_expression function: (identifier) @function)
        (call_expression function: (selector_expression field: (field_identifier) @function))
        (function_declaration name: (identifier) @function) (method_declaration name: (field_identifier) @function)
        (type_identifier) @type (selector_expression field: (field_identifier) @property)
        (parameter_declaration name: (identifier) @parameter)
        ["func" "return" "if" "else" "for" "range" "switch" "case" "default" "package" "import" "type" "struct"
         "interface" "map" "chan" "go" "defer" "select" "var" "const" "break" "continue" "fallthrough" "goto"] @keyword
        [{_OPERATORS} ":=" "&&" "||" "<-" "&" "|"] @operator
    """,
    "rust": f"""
        [(line_comment) (block_comment)] @comment [(string_literal) (raw_string_literal) (char_literal)] @string
        (escape_sequence) @escape [(integer_literal) (float_literal)] @number (boolean_literal) @constant
        (call_expression function: (identifier) @function) (macro_invocation macro: (identifier) @function)
        (call_expression function: (field_expression field: (field_identifier) @function))
        (function_item name: (identifier) @function) [(type_identifier) (primitive_type)] @type
        (field_expression field: (field_identifier) @property) (parameter pattern: (identifier) @parameter)
        [(attribute_item) (inner_attribute_item)] @decorator (self) @builtin
        ["fn" "let" "if" "else" "for" "while" "loop" "in" "match" "return" "struct" "enum" "impl" "trait" "use" "pub"
         "mod" "const" "static" "where" "as" "async" "await" "move" "ref" "type" "unsafe" "break" "continue" "dyn"
        ] @keyword
        [{_OPERATORS} "=>" "->" "&&" "||" "&" "|" "?" ".."] @operator
    """,
}
_TYPES = """
    (type_identifier) @type (predefined_type) @type (required_parameter pattern: (identifier) @parameter)
    ["interface" "type" "enum" "implements" "public" "private" "protected" "readonly" "abstract" "declare" "namespace"
     "keyof"] @keyword
"""
_QUERIES["typescript"] = _QUERIES["tsx"] = _QUERIES["javascript"] + _TYPES
_ROLES = frozenset(get_args(Role))
_trees: dict[tuple[str, bytes], Parsed] = {}


def highlight(language: str, text: bytes, first_line: int, last_line: int) -> list[Highlight]:
    """The roles of the lines from `first_line` to `last_line` (from 1, both shown), in characters, in order.

    Spans of a line do not overlap; what no span covers is plain. Nothing for a language without a grammar.
    """
    if language not in LANGUAGES:
        return []
    parsed = _parsed(language, text)
    first, last = max(1, first_line), min(last_line, parsed.rows)
    if parsed.tree is None or first > last:
        return []
    start, end = parsed.starts[first - 1], parsed.starts[last]
    roles: list[str] = [""] * (end - start)
    for node, role in _captured(language, parsed.tree.root_node, start, end):
        low, high = max(start, node.start_byte) - start, min(end, node.end_byte) - start
        roles[low:high] = [role] * (high - low)
    return [span for row in range(first - 1, last) for span in _spans(parsed, row, roles, start)]


def _parsed(language: str, text: bytes) -> Parsed:
    known = _trees.get((language, text))
    if known is None:
        while len(_trees) >= _KEPT:
            _trees.pop(next(iter(_trees)), None)
        known = _trees[language, text] = parse(text, language)
    return known


def _captured(language: str, root: Node, start: int, end: int) -> list[tuple[Node, str]]:
    """Nodes with their roles, the outer before the inner; of the same nodes the more telling role last."""
    from tree_sitter import QueryCursor

    cursor = QueryCursor(_query(language))
    cursor.set_byte_range(start, end)
    found = [(node, role) for role, nodes in cursor.captures(root).items() for node in nodes]
    found.sort(key=lambda each: (each[0].start_byte, -each[0].end_byte, each[1] == "function"))
    return [(node, role if role in _ROLES else "") for node, role in found]


@cache
def _query(language: str) -> Query:
    from tree_sitter import Query

    return Query(grammar(language), _QUERIES[language])


def _spans(parsed: Parsed, row: int, roles: list[str], offset: int) -> list[Highlight]:
    start, end = parsed.starts[row], parsed.starts[row + 1]
    line = parsed.data[start:end].rstrip(b"\r\n")
    found: list[Highlight] = []
    at = 0
    while at < len(line):
        role = roles[start - offset + at]
        stop = at + 1
        while stop < len(line) and roles[start - offset + stop] == role:
            stop += 1
        if role:
            before = len(line[:at].decode("utf-8", "replace"))
            width = len(line[at:stop].decode("utf-8", "replace"))
            found.append(Highlight(row + 1, before, before + width, role))  # type: ignore[arg-type]  # one of Role
        at = stop
    return found

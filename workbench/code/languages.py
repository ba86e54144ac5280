"""Which language a file is in, and its grammar, loaded when first asked for; it reads no file and no tree."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib import import_module
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from tree_sitter import Language, Parser

_BY_SUFFIX = {
    ".py": "python", ".pyi": "python", ".pyw": "python",
    ".js": "javascript", ".mjs": "javascript", ".cjs": "javascript", ".jsx": "javascript",
    ".ts": "typescript", ".mts": "typescript", ".cts": "typescript", ".tsx": "tsx",
    ".go": "go", ".rs": "rust",
}  # fmt: skip
_GRAMMARS = {
    "python": ("tree_sitter_python", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
    "go": ("tree_sitter_go", "language"),
    "rust": ("tree_sitter_rust", "language"),
}
LANGUAGES = tuple(_GRAMMARS)
KNOWN_PATHS = 4_096  # whose language is kept: one comparison asks for that of each of its files again and again


class Traits(msgspec.Struct, frozen=True):
    """What our walk through a tree must know of a language, as names of its grammar's nodes."""

    opaque: frozenset[str]  # one token, whatever is inside
    verbatim: frozenset[str]  # inside, white space counts
    names: frozenset[str]  # leaves that are identifiers
    fixed: frozenset[str]  # nodes whose own name a rename may not touch: it is also a key that others use
    spaced: frozenset[str] = frozenset()  # inside, white space parts signs: lists of tokens that macros read
    bodies: frozenset[str] = frozenset()  # blocks that look different on the line of their head and below it


_COMMENTS = {"comment", "line_comment", "block_comment", "hash_bang_line"}
_SCRIPT = Traits(
    opaque=frozenset({*_COMMENTS, "regex", "jsx_element", "jsx_fragment", "jsx_self_closing_element", "jsx_text"}),
    verbatim=frozenset({"string", "template_string", "template_literal_type"}),
    names=frozenset({"identifier", "property_identifier", "type_identifier", "private_property_identifier"}),
    fixed=frozenset({"shorthand_property_identifier", "shorthand_property_identifier_pattern", "pair"}),
)
_TRAITS = {
    "python": Traits(
        opaque=frozenset({*_COMMENTS, "string_content", "format_specifier"}),
        verbatim=frozenset({"string", "interpolation"}),
        names=frozenset({"identifier"}),
        fixed=frozenset({"keyword_argument", "keyword_pattern"}),
        bodies=frozenset({"block"}),
    ),
    "javascript": _SCRIPT,
    "typescript": _SCRIPT,
    "tsx": _SCRIPT,
    "go": Traits(
        opaque=frozenset({*_COMMENTS, "raw_string_literal", "interpreted_string_literal", "rune_literal"}),
        verbatim=frozenset(),
        names=frozenset({"identifier", "field_identifier", "type_identifier", "package_identifier"}),
        fixed=frozenset({"keyed_element"}),
    ),
    "rust": Traits(
        opaque=frozenset({*_COMMENTS, "string_literal", "raw_string_literal", "char_literal"}),
        verbatim=frozenset(),
        spaced=frozenset({"token_tree", "token_tree_pattern", "token_repetition", "token_repetition_pattern"}),
        names=frozenset({"identifier", "field_identifier", "type_identifier"}),
        fixed=frozenset({"shorthand_field_initializer", "shorthand_field_identifier", "field_initializer"}),
    ),
}


@lru_cache(maxsize=KNOWN_PATHS)
def language_of(path: str) -> str:
    """The name of the language by the file's suffix; empty where we have no grammar for it."""
    return _BY_SUFFIX.get(PurePosixPath(path).suffix.lower(), "")


def family_of(language: str) -> str:
    """The languages that share names, and most of their grammar."""
    return "script" if language in ("javascript", "typescript", "tsx") else language


def traits(language: str) -> Traits:
    """What the walk must know of `language`."""
    return _TRAITS[language]


@cache
def grammar(language: str) -> Language:
    """The grammar of `language`."""
    from tree_sitter import Language

    module, function = _GRAMMARS[language]
    return Language(getattr(import_module(module), function)())


def parser(language: str) -> Parser:
    """A new parser, which one thread may use."""
    from tree_sitter import Parser

    return Parser(grammar(language))


@cache
def kinds(language: str, names: frozenset[str]) -> frozenset[int]:
    """The numbers that the grammar gives to nodes of these names; those that it lacks are left out."""
    known = grammar(language)
    return frozenset(number for number in range(known.node_kind_count) if known.node_kind_for_id(number) in names)

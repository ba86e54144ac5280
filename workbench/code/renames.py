"""Which names a change may be claimed to have changed: those of entities, and of what functions call their own things.

A claim holds only where nothing else can be meant: the old name is gone, the new one was not there before.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence, Set
from functools import cache
from typing import TYPE_CHECKING

from workbench.code.alignment import align
from workbench.code.entities import Found
from workbench.code.languages import family_of, grammar
from workbench.code.pairing import Match, Matches, entity_of, nameless
from workbench.code.sides import SPACE, Name, Names, Pair, Side, words

if TYPE_CHECKING:
    from tree_sitter import Query

MAX_LOCALS = 40  # new names in one function
_WORD = re.compile(rb"[A-Za-z_\x80-\xff$][\w$\x80-\xff]*")
_REFLECTS = re.compile(rb"\b(global|nonlocal|locals|vars|eval|exec|globals)\b")
# Where a function makes a name of its own. Python's parameters are not among them: callers may say them.
_BINDINGS = {
    "python": """
        (assignment left: (identifier) @b) (assignment left: (pattern_list (identifier) @b))
        (assignment left: (tuple_pattern (identifier) @b)) (for_statement left: (identifier) @b)
        (for_statement left: (pattern_list (identifier) @b)) (for_in_clause left: (identifier) @b)
        (for_in_clause left: (pattern_list (identifier) @b)) (as_pattern_target (identifier) @b)
        (named_expression name: (identifier) @b) (lambda_parameters (identifier) @b)
        (parameters (identifier) @p) (parameters (default_parameter name: (identifier) @p))
        (parameters (typed_parameter (identifier) @p)) (parameters (typed_default_parameter name: (identifier) @p))
        (parameters (list_splat_pattern (identifier) @p)) (parameters (dictionary_splat_pattern (identifier) @p))
    """,
    "javascript": """
        (variable_declarator name: (identifier) @b) (formal_parameters (identifier) @b)
        (arrow_function parameter: (identifier) @b) (catch_clause parameter: (identifier) @b)
        (for_in_statement left: (identifier) @b)
    """,
    "typescript": """
        (variable_declarator name: (identifier) @b) (required_parameter pattern: (identifier) @b)
        (optional_parameter pattern: (identifier) @b) (arrow_function parameter: (identifier) @b)
        (catch_clause parameter: (identifier) @b) (for_in_statement left: (identifier) @b)
    """,
    "go": """
        (short_var_declaration left: (expression_list (identifier) @b)) (var_spec name: (identifier) @b)
        (parameter_declaration name: (identifier) @b) (range_clause left: (expression_list (identifier) @b))
    """,
    "rust": """
        (let_declaration pattern: (identifier) @b) (parameter pattern: (identifier) @b)
        (closure_parameters (identifier) @b) (for_expression pattern: (identifier) @b)
        (let_declaration pattern: (tuple_pattern (identifier) @b))
    """,
}
_BINDINGS["tsx"] = _BINDINGS["typescript"]


# --- names of entities --------------------------------------------------------------------------------------------


def global_names(files: Sequence[Pair], matches: Matches) -> dict[str, dict[bytes, Name]]:
    """Per language (scripts are one) the entities that have another name now."""
    named = [match for match in matches.pairs if _is_renamed(files, match)]
    if not named:
        return {}
    taken = _last_names(files, is_new=False)
    left = _last_names(files, is_new=True)
    found: dict[str, dict[bytes, Name]] = {}
    twice: set[tuple[str, bytes]] = set()
    for match in named:
        old, new = entity_of(files, match.old, is_new=False), entity_of(files, match.new, is_new=True)
        family = family_of(files[match.old[0]].language)
        before, after = old.last_name.encode(), new.last_name.encode()
        if not (_WORD.fullmatch(before) and _WORD.fullmatch(after)):
            continue
        if (family, new.last_name) in taken or (family, old.last_name) in left:
            continue
        if before in found.setdefault(family, {}):
            if found[family][before].new != after:
                twice.add((family, before))
            after = found[family][before].new
        found[family][before] = _name(after, old, found[family].get(before))
    for family, before in twice:
        del found[family][before]
    for family, names in found.items():
        _without_doubles(names)
        found[family] = names
    return found


def _name(after: bytes, old: Found, known: Name | None) -> Name:
    is_member = bool(old.container) and (known is None or known.is_member)
    return Name(after, is_member=is_member, places=frozenset({old.name_start}) | (known.places if known else set()))


def _without_doubles(names: dict[bytes, Name]) -> None:
    counts = Counter(name.new for name in names.values())
    for before in [before for before, name in names.items() if counts[name.new] > 1]:
        del names[before]


def _last_names(files: Sequence[Pair], *, is_new: bool) -> set[tuple[str, str]]:
    return {
        (family, each.last_name)
        for file in files
        for family in (family_of(file.language),)
        for each in (file.new if is_new else file.old).entities
    }


def _is_renamed(files: Sequence[Pair], match: Match) -> bool:
    old, new = entity_of(files, match.old, is_new=False), entity_of(files, match.new, is_new=True)
    if old.last_name == new.last_name or old.kind == "import":
        return False
    return match.is_exact or nameless(old) == nameless(new)


def signature_differs(old: Found, new: Found) -> bool:
    """Whether more than the name and the layout of the signature differs."""
    return old.signature != new.signature and nameless(old) != nameless(new)


# --- names in functions -------------------------------------------------------------------------------------------


def local_names(file: Pair, other: Pair, old: Found, new: Found, names: Names | None) -> dict[bytes, Name]:
    """What a function calls its own things now; `file` has the old one, `other` the new one."""
    if old.kind not in ("function", "method") or new.kind not in ("function", "method"):
        return {}
    ours, theirs = file.old.free_within(old.first, old.end), other.new.free_within(new.first, new.end)
    if not ours or not theirs:
        return {}
    gone, came = _exchanged(file.old, ours, other.new, theirs)
    gone, came = gone - (names or {}).keys(), came - (names.news if names else frozenset())
    if not gone or not came:
        return {}
    before, after = file.old.parsed.data[old.start : old.stop], other.new.parsed.data[new.start : new.stop]
    if _REFLECTS.search(before) or _REFLECTS.search(after):
        return {}
    gone = gone - set(words(after)) - _outside(file.old)
    came = came - set(words(before)) - _outside(other.new)
    gone = gone & _bound(file.old, old) if gone and came else gone
    came = came & _bound(other.new, new) if gone and came else came
    if not gone or not came or len(gone) > MAX_LOCALS:
        return {}
    one, two = [file.old.parsed.lines[row] for row in ours], [other.new.parsed.lines[row] for row in theirs]
    one = [names.said(line) for line in one] if names else one
    return {old_name: Name(new_name, is_local=True) for old_name, new_name in _agreed(one, two, gone, came).items()}


def _exchanged(old: Side, ours: Sequence[int], new: Side, theirs: Sequence[int]) -> tuple[Set[bytes], Set[bytes]]:
    """The words that only the old rows have, and those that only the new ones have."""
    one = set(words(b"".join([old.parsed.lines[row] for row in ours])))
    two = set(words(b"".join([new.parsed.lines[row] for row in theirs])))
    return _named(one - two), _named(two - one)


def _named(found: Set[bytes]) -> set[bytes]:
    """Those that are no numbers."""
    return {word for word in found if not word[:1].isdigit()}


def _outside(side: Side) -> set[bytes]:
    """The names that the file itself has or imports."""
    if not side.outside:
        tops = [each for each in side.entities if not each.container or each.kind == "import"]
        side.outside.update(word for each in tops for word in words(each.name.encode()))
    return side.outside


def _agreed(old: list[bytes], new: list[bytes], gone: Set[bytes], came: Set[bytes]) -> dict[bytes, bytes]:
    """Words that went to words that came, wherever rows differ in nothing else, if these agree with each other."""
    found: dict[bytes, bytes] = {}
    bad: set[bytes] = set()
    for piece in align([_blanked(line, gone) for line in old], [_blanked(line, came) for line in new]):
        if piece.is_equal:
            ours = words(b"".join(old[piece.old : piece.old_end]))
            theirs = words(b"".join(new[piece.new : piece.new_end]))
            left, came_here = [word for word in ours if word in gone], [word for word in theirs if word in came]
            for before, after in zip(left, came_here, strict=True):
                if found.setdefault(before, after) != after:
                    bad.add(before)
    doubled = {name for name, count in Counter(found.values()).items() if count > 1}
    return {one: two for one, two in found.items() if one not in bad and two not in doubled}


def _blanked(line: bytes, words: Set[bytes]) -> bytes:
    """A line without white space, and with nothing but a mark in the place of these words."""
    if any(word in line for word in words):
        line = _WORD.sub(lambda found: b"\0" if found[0] in words else found[0], line)
    return line.translate(None, SPACE)


@cache
def _query(language: str) -> Query:
    from tree_sitter import Query

    return Query(grammar(language), _BINDINGS[language])


def _bound(side: Side, each: Found) -> set[bytes]:
    """The names that a function makes for itself and that nobody outside can say."""
    from tree_sitter import QueryCursor

    if side.parsed.tree is None:
        return set()
    node = side.parsed.tree.root_node.descendant_for_byte_range(each.start, max(each.start, each.stop - 1))
    if node is None:
        return set()
    captures, data = QueryCursor(_query(side.parsed.language)).captures(node), side.parsed.data
    said, made = ({data[each.start_byte : each.end_byte] for each in captures.get(name, ())} for name in "pb")
    return made - said

"""What of some rows is a comment: whether nothing else differs, and what one may say to a tool. It folds nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain, zip_longest

from workbench.code.languages import kinds
from workbench.code.sides import SPACE, Key, Pair, Side
from workbench.code.vocabulary import CONTINUED, Vocabulary

# Comments that tools and compilers obey, by where they stand.
DIRECTIVE = re.compile(
    rb"noqa|type:|pragma|pylint|fmt:|ruff:|mypy:|nosec|coding[:=]|^#!|eslint|@ts-|@jsx|prettier|istanbul|c8 |v8 "
    rb"|^//go:|^//export|^//line|\+build|nolint|rustfmt"
)
_COMMENTS = frozenset({"comment", "line_comment", "block_comment", "hash_bang_line"})
_MARK = re.compile(rb"#|//|/\*|\*/")  # with which a comment begins or ends
_BLOCK = re.compile(rb"/\*|\*/")
_SAID = re.compile(rb"\S.*")  # of a line
_REST = re.compile(rb"(?:#|//).*")  # of a line, and more than what is a comment: strings may hold the mark
Rows = tuple[int, int]  # half-open


def differs_in_comments(file: Pair, old: Rows, new: Rows) -> bool:
    """Whether the tokens of both, as far as they were read, differ in comments alone."""
    if not (file.old.has_read(old) and file.new.has_read(new) and may_be_comment(file, old, new)):
        return False
    comments, known = kinds(file.language, _COMMENTS), file.old.vocabulary
    keys = [file.old.key(row) for row in range(*old)], [file.new.key(row) for row in range(*new)]
    begun_above = any(known.depth(key[0]) == CONTINUED for key in chain.from_iterable(keys) if key)
    before, after = (_code(rows, comments, known) for rows in keys)
    return not begun_above and all(one == two for one, two in zip_longest(before, after))


def may_be_comment(file: Pair, old: Rows, new: Rows) -> bool:
    """Whether only comments may differ, as far as a look without tokens can tell."""
    before, after = file.old.parsed.text(*old), file.new.parsed.text(*new)
    both = before + after
    if (b"#" not in both and b"/" not in both) or not (_MARK.search(before) or _MARK.search(after)):
        return False
    if _BLOCK.search(before) or _BLOCK.search(after):
        ours, theirs = _first_code(file.old, old), _first_code(file.new, new)
        return ours.startswith(theirs) or theirs.startswith(ours) if ours and theirs else ours == theirs
    return b"".join(_REST.sub(b"", before).split()) == b"".join(_REST.sub(b"", after).split())


def _first_code(side: Side, rows: Rows) -> bytes:
    """The first of the rows' text that is no comment, up to the end of its line or what could be the next comment."""
    parsed, comments = side.parsed, kinds(side.parsed.language, _COMMENTS)
    at, end = parsed.starts[rows[0]], parsed.starts[rows[1]]
    while parsed.tree is not None and (found := _SAID.search(parsed.data, at, end)):
        node = parsed.tree.root_node.descendant_for_byte_range(found.start(), found.start())
        while node is not None and node.kind_id not in comments:
            node = node.parent
        if node is None:
            return _MARK.split(found[0], 1)[0].translate(None, SPACE)
        at = node.end_byte
    return b""


def _code(keys: Iterable[Key], comments: frozenset[int], known: Vocabulary) -> Iterator[tuple[bytes, int]]:
    """Tokens that are no comments, with how deep they stand."""
    for number in chain.from_iterable(keys):
        if known.kind(number) not in comments:
            yield known.texts[number], known.depth(number)


def beside_comment(file: Pair, rows: tuple[Rows, Rows]) -> bool:
    """Whether the rows touch a comment, to which a compiler of Go may look."""
    for side, run in zip((file.old, file.new), rows, strict=True):
        beside = side.parsed.text(max(0, run[0] - 1), run[1] + 1)
        if b"//" in beside or b"/*" in beside or b"*/" in beside:
            return True
    return False


def comments(side: Side, rows: Rows) -> Iterator[bytes]:
    """The texts of those that begin in some rows whose tokens are there."""
    numbers, known = kinds(side.parsed.language, _COMMENTS), side.vocabulary
    return (known.texts[each] for row in range(*rows) for each in side.keys.get(row, ()) if known.kind(each) in numbers)

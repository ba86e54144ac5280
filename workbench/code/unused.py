"""Names of a file that only this file, or only a change, can use, and that nothing uses. It knows text, and no tree.

Whatever says the name counts as a use: code, a comment, a text. What may be used without being said is not spoken of:
what is decorated, exported or in a class that has others above it, methods that an interface may ask for, and all of a
file that looks names up while it runs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from workbench.code.entities import Found, Outline, outline
from workbench.code.languages import language_of
from workbench.code.parsing import Parsed, parse
from workbench.code.statements import EVERYTHING, imports
from workbench.code.visibility import surface

MAX_BYTES = 1_000_000  # of one file
MAX_CANDIDATES = 400  # names of one file that are looked for
_DYNAMIC = re.compile(
    rb"\b(getattr|globals|locals|vars|eval|exec|__getattr__|__init_subclass__)\s*\(|\beval\(|\bwith\s*\(\w+\)\s*\{"
)
_MODULE = re.compile(rb"^\s*(import|export)\b|\bmodule\.exports\b|\brequire\(", re.MULTILINE)
_QUIET = re.compile(rb"noqa|type:\s*ignore|eslint-disable|allow\(|pragma|side.effect|re-?export", re.IGNORECASE)
_TAKEN = re.compile(rb"(import|const|let|var)\b")
_SAID, _HASHED = re.compile(rb"[\w$\x80-\xff]+"), re.compile(rb"#[\w$]+")
_WORD = re.compile(r"[A-Za-z_$#][\w$]*")
_RESERVED = frozenset({"main", "init", "_"})
_SCRIPTS = ("javascript", "typescript", "tsx")


Words = Counter[bytes]


class Private(NamedTuple):
    """A name that nobody outside can use: of a file alone, or of what changed with it (where it is new)."""

    name: str  # as it is said
    full: str
    kind: str
    line: int
    of_file: bool  # whether language or custom keeps it to its file
    others: bool  # whether other files may use it all the same


class Unused(NamedTuple):
    """A private name that nothing uses. `was_used`: something did, before the change."""

    path: str
    line: int
    kind: str
    name: str
    was_used: bool


def unused(sides: Mapping[str, tuple[bytes | None, bytes | None]]) -> Iterator[Unused]:
    """Of the changed files (old and new sides by path), what the change adds or leaves behind without a use."""
    words = {path: (_words(old), _words(new)) for path, (old, new) in sides.items()}
    together, before = Counter[bytes](), Counter[bytes]()
    for was, now in words.values():
        together.update(now)
        before.update(was)
    for path, (old, new) in sorted(sides.items()):
        if not new or len(new) > MAX_BYTES or (old and len(old) > MAX_BYTES):
            continue
        fresh = _privates(path, new)
        known = {each.full for each in _privates(path, old or b"")}
        for each in fresh:
            found = _unused(path, each, words[path], together, before, known)
            if found is not None:
                yield found


def _unused(
    path: str, each: Private, words: tuple[Words, Words], together: Words, before: Words, known: set[str]
) -> Unused | None:
    name, (old, new) = each.name.encode(), words
    if new[name] > 1 or (each.others and together[name] > 1):
        return None
    was_there = each.full in known
    if not was_there and before[name]:
        return None  # it came from elsewhere, or somebody else is called so
    if was_there and not (each.of_file and old[name] > 1):
        return None  # it was as unused before, or others may use it
    return Unused(path, each.line, each.kind, each.full, was_there)


def _words(text: bytes | None) -> Words:
    """How often each word is in a text, wherever it stands; what begins with a hash as well without it."""
    words = Counter(_SAID.findall(text or b""))
    words.update(_HASHED.findall(text) if text and b"#" in text else ())
    return words


def _privates(path: str, data: bytes) -> list[Private]:
    language = language_of(path)
    if not data or not language or path.endswith((".d.ts", "/__init__.py", "conftest.py")) or _DYNAMIC.search(data):
        return []
    parsed = parse(data, language)
    if parsed.tree is None or (language in _SCRIPTS and not _MODULE.search(data)):
        return []
    lines, outlined = data.split(b"\n"), outline(parsed)
    if outlined.damaged:
        return []
    found = [*_imported(parsed, lines), *_defined(parsed, outlined, lines)]
    return found[:MAX_CANDIDATES]


def _imported(parsed: Parsed, lines: list[bytes]) -> Iterator[Private]:
    """Imports of one name on a line of their own meaning; what may be there to be taken on is left out."""
    if parsed.language in ("rust", "go"):
        return  # an import of a trait is used without its name; Go's compiler refuses those that are not used
    listed = surface(parsed).listed or frozenset()
    for one in imports(parsed):
        line = lines[one.row] if one.row < len(lines) else b""
        again = one.name == one.alias and re.search(rb"\bas\s+%b\b" % re.escape(one.alias.encode()), line)
        plain = _WORD.fullmatch(one.alias) is not None and one.alias not in listed and one.name != EVERYTHING
        if not plain or again or _QUIET.search(line) or line.startswith((b" ", b"\t", b"export")):
            continue
        if parsed.language == "python" and one.source == "__future__":
            continue
        if parsed.language in _SCRIPTS and (not _TAKEN.match(line) or one.alias in ("React", "h", "jsx")):
            continue  # taken in to be given on; or markup uses it without a word
        yield Private(one.alias, one.alias, "import", one.row + 1, of_file=True, others=False)


def _defined(parsed: Parsed, outlined: Outline, lines: list[bytes]) -> Iterator[Private]:
    for each in outlined.entities:
        name = each.last_name
        if each.kind in ("import", "module") or each.is_public or name in _RESERVED or not _WORD.fullmatch(name):
            continue
        if _marked(each, lines) or not _LANGUAGES[parsed.language](each, outlined):
            continue
        script = parsed.language in _SCRIPTS
        of_file = script or (parsed.language == "python" and each.inside < 0)
        yield Private(name, each.name, each.kind, each.row + 1, of_file, not script)


def _marked(each: Found, lines: list[bytes]) -> bool:
    """Whether something above or on it may use it: a decorator, an attribute, a directive, an order to be quiet."""
    rows = lines[max(0, each.first - 1) : each.row + 1]
    words = (b"@", b"#[", b"//go:", b"//export")
    return any(row.strip().startswith(words) or _QUIET.search(row) for row in rows)


def _python(each: Found, outlined: Outline) -> bool:
    name = each.last_name
    if not name.startswith("_") or name.startswith("__") or name.endswith("_"):
        return False
    if each.inside < 0:
        return True
    around = outlined.entities[each.inside]
    alone = "(" not in around.signature or around.signature.endswith("()")
    return around.kind == "class" and alone and each.kind == "method" and not _is_held(around)


def _is_held(around: Found) -> bool:
    """Whether the class is marked or made in another one, so that something may walk over what it has."""
    return around.inside >= 0 or around.row > around.first


def _script(each: Found, outlined: Outline) -> bool:
    if each.inside < 0:  # a name with dots is a member of something else
        return "." not in each.name and each.kind in ("function", "class", "constant")
    return each.last_name.startswith("#") and outlined.entities[each.inside].kind == "class"


def _go(each: Found, _outlined: Outline) -> bool:
    return each.inside < 0 and each.kind in ("function", "class", "constant") and "." not in each.name


def _rust(each: Found, outlined: Outline) -> bool:
    if each.inside < 0:
        return each.kind in ("function", "constant", "class") and " for " not in each.name
    around = outlined.entities[each.inside]
    return each.kind == "method" and around.kind == "class" and " for " not in around.name


_LANGUAGES = {
    "python": _python,
    "javascript": _script,
    "typescript": _script,
    "tsx": _script,
    "go": _go,
    "rust": _rust,
}

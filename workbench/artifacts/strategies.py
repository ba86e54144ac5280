"""The words in which a property says what it is given: `lists of integers 0..9`, `shop.cart:Cart`; it makes no values.

    values     = one {"or" one}
    one        = number [bounds] | sized [bounds] | plain | "optional" one | "(" values ")" | path
               | ("lists" | "sets") [bounds] "of" one | "dictionaries" [bounds] "of" one "to" one
               | "tuples" "of" one {"," one} | "one" "of" literal {"," literal}
    number     = "integers" | "floats" | "decimals"         bounds = [least] ".." [most]
    sized      = "text" | "ascii" | "bytes"
    plain      = "booleans" | "none" | "dates" | "datetimes" | "uuids"
    path       = module ":" name, a strategy of Hypothesis or a type

What comes of it is plain JSON, so that those who make the values need no parser of their own.
"""

from __future__ import annotations

import ast
import re
from typing import Any

NUMBERS = ("integers", "floats", "decimals")
SIZED = ("text", "ascii", "bytes")
PLAIN = ("booleans", "none", "dates", "datetimes", "uuids")
HOLDERS = ("lists", "sets", "tuples", "dictionaries")
WORDS = (*NUMBERS, *SIZED, *PLAIN, *HOLDERS, "optional", "one of")
MAX_DEPTH = 8  # of brackets and holders in each other
MAX_LENGTH = 500  # characters
MAX_SIZE = 10_000  # items of a list, or characters of a text, that may be asked for

PATH = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"
_NUMBER = r"-?\d+(?:\.\d+)?"
_TOKEN = re.compile(
    rf"\s*(?:(?P<path>{PATH})|(?P<bounds>(?:{_NUMBER})?\.\.(?:{_NUMBER})?)|(?P<literal>{_NUMBER}|'[^'\n]*'|\"[^\"\n]*\")"
    r"|(?P<word>[A-Za-z]+)|(?P<mark>[(),]))"
)
_LITERALS = {"true": True, "false": False, "none": None}

Values = list[Any]  # the head says what it is, the rest follows from it


class ValuesInvalid(Exception):
    """What is given cannot be read; `offset` counts characters."""

    def __init__(self, text: str, remedy: str = "", *, offset: int = 0) -> None:
        super().__init__(text)
        self.text, self.remedy, self.offset = text, remedy, offset


def parse(text: str) -> Values:
    """What `text` says, as nested lists. Raises ValuesInvalid with the place."""
    reader = _Reader(text)
    values = reader.values(0)
    if reader.kind:
        raise reader.refused(f"nothing may follow here, and {reader.token!r} does")
    return values


def paths(values: Values) -> set[str]:
    """The import paths in it."""
    if values[0] == "path":
        return {values[1]}
    return {path for inner in _inner(values) for path in paths(inner)}


def _inner(values: Values) -> list[Values]:
    if values[0] in ("tuples", "or"):
        return list(values[1])
    return [part for part in values[1:] if isinstance(part, list)] if values[0] in HOLDERS else []


def _hashable(values: Values) -> bool:
    holder = values[0] in ("lists", "sets", "dictionaries")
    return not holder and all(_hashable(inner) for inner in _inner(values))


class _Reader:
    """Takes token after token; `kind` is empty at the end."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_LENGTH:
            raise ValuesInvalid(f"it has {len(text)} characters, and {MAX_LENGTH} are read", "name a type instead")
        self._text, self._at, self._next = text, 0, 0
        self.kind = self.token = ""
        self._advance()

    def refused(self, text: str, remedy: str = "") -> ValuesInvalid:
        return ValuesInvalid(text, remedy or f"write one of {', '.join(WORDS)}, or MODULE:NAME", offset=self._at)

    def _advance(self) -> str:
        """The token that was taken."""
        taken = self.token
        rest = self._text[self._next :]
        self._at = self._next + len(rest) - len(rest.lstrip())
        found = _TOKEN.match(self._text, self._next)
        if found is None and rest.strip():
            raise self.refused(f"{rest.strip()[:20]!r} cannot be read")
        self.kind = (found.lastgroup or "") if found else ""
        self.token = found[self.kind] if found else ""
        self._next = found.end() if found else len(self._text)
        return taken

    def _take(self, token: str) -> None:
        if self.token != token:
            raise self.refused(f"here `{token}` is missing", f"write `{token}` and what it is of")
        self._advance()

    def values(self, depth: int) -> Values:
        found = [self._one(depth)]
        while self.token == "or":
            self._advance()
            found.append(self._one(depth))
        return found[0] if len(found) == 1 else ["or", found]

    def _one(self, depth: int) -> Values:
        if depth > MAX_DEPTH:
            raise self.refused("it is nested too deeply", "name a type instead")
        if self.kind == "path":
            return ["path", self._advance()]
        if self.token == "(":
            self._advance()
            inner = self.values(depth + 1)
            self._take(")")
            return inner
        if self.kind != "word" or self.token not in (*NUMBERS, *SIZED, *PLAIN, *HOLDERS, "optional", "one"):
            raise self.refused(f"{self.token!r} names no values" if self.token else "what is given is missing")
        return self._named(self._advance(), depth)

    def _named(self, word: str, depth: int) -> Values:
        if word in PLAIN:
            return [word]
        if word in NUMBERS:
            return [word, *self._bounds(whole=word == "integers")]
        if word in SIZED:
            return [word, *self._sizes()]
        if word == "optional":
            return ["or", [["none"], self._one(depth + 1)]]
        if word == "one":
            self._take("of")
            return ["one of", self._several(self._literal)]
        sizes = self._sizes() if word != "tuples" else []
        self._take("of")
        if word == "tuples":
            return ["tuples", self._several(lambda: self._one(depth + 1))]
        at, item = self._at, self._one(depth + 1)
        if word != "lists" and not _hashable(item):
            raise ValuesInvalid(f"{item[0]} cannot be in {word}", "put tuples there", offset=at)
        if word != "dictionaries":
            return [word, *sizes, item]
        self._take("to")
        return [word, *sizes, item, self._one(depth + 1)]

    def _several(self, take: Any) -> list[Any]:
        found = [take()]
        while self.token == ",":
            self._advance()
            found.append(take())
        return found

    def _literal(self) -> Any:
        if self.kind == "literal":
            return ast.literal_eval(self._advance())
        if self.token.lower() in _LITERALS and self.kind == "word":
            return _LITERALS[self._advance().lower()]
        raise self.refused("here a number, a quoted text, true, false or none is missing", 'write it like 3 or "a"')

    def _bounds(self, *, whole: bool) -> list[Any]:
        if self.kind != "bounds":
            return [None, None]
        least, _, most = self.token.partition("..")
        if whole and ("." in least or "." in most):
            raise self.refused("integers have whole bounds", "write them like 0..100")
        made = [None if not each else int(each) if whole else float(each) for each in (least, most)]
        if made[0] is not None and made[1] is not None and made[0] > made[1]:
            raise self.refused(f"{least} is more than {most}", f"write {most}..{least}")
        self._advance()
        return made

    def _sizes(self) -> list[Any]:
        at = self._at
        least, most = self._bounds(whole=True)
        if not all(each is None or 0 <= each <= MAX_SIZE for each in (least, most)):
            raise ValuesInvalid(f"a size is from 0 to {MAX_SIZE}", "choose one in between", offset=at)
        return [least or 0, most]

"""The conditions of a policy: a small language over facts of a change, parsed into values; it looks up no fact.

    condition  :=  all { "or" all }
    all        :=  one { "and" one }
    one        :=  "not" one  |  "(" condition ")"  |  "true"  |  "false"  |  fact [ operator value ]
    fact       :=  name [ "(" value { "," value } ")" ]
    operator   :=  "==" | "!=" | "<" | "<=" | ">" | ">="
    value      :=  "text" | 'text' | number

There is no arithmetic, no assignment, no loop and no call of anything, so that every condition has an end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

import msgspec

from workbench.artifacts.policy_facts import FACTS, FactKind
from workbench.artifacts.problem_list import did_you_mean, quoted

MAX_LENGTH = 1_000  # characters of one condition
MAX_DEPTH = 16  # nested brackets and `not`s
MAX_ATOMS = 60  # facts in one condition
MAX_ARGUMENTS = 40  # of one fact

Value = str | float
Operator = Literal["", "==", "!=", "<", "<=", ">", ">="]
Place = Literal["applicable_if", "satisfied_if", "override_if"]


class Truth(msgspec.Struct, frozen=True, tag=True):
    """`true` or `false`."""

    value: bool


class Atom(msgspec.Struct, frozen=True, tag=True):
    """A fact, compared with a value unless `operator` is empty."""

    name: str
    arguments: tuple[Value, ...] = ()
    operator: Operator = ""
    value: Value = 0.0
    offset: int = 0  # where it begins in the text, in characters


class Not(msgspec.Struct, frozen=True, tag=True):
    """The opposite."""

    part: Condition


class All(msgspec.Struct, frozen=True, tag=True):
    """All parts hold."""

    parts: tuple[Condition, ...]


class Any(msgspec.Struct, frozen=True, tag=True):
    """One part or more holds."""

    parts: tuple[Condition, ...]


Condition = Truth | Atom | Not | All | Any


class ConditionInvalid(ValueError):
    """What is wrong with a condition, where (characters from its start), and how to mend it."""

    def __init__(self, text: str, offset: int, remedy: str = "") -> None:
        super().__init__(text)
        self.text, self.offset, self.remedy = text, offset, remedy


def parse(text: str, place: Place) -> Condition:
    """The condition in a text, fit for its place. Raises ConditionInvalid."""
    if len(text) > MAX_LENGTH:
        raise ConditionInvalid(f"longer than {MAX_LENGTH} characters", 0, "split the requirement")
    parser = _Parser(text)
    condition = parser.whole()
    for atom, negated in atoms(condition):
        _require_fitting(atom, place, negated=negated)
    return condition


def atoms(condition: Condition, *, negated: bool = False) -> Iterator[tuple[Atom, bool]]:
    """Each fact that is asked for, and whether its opposite is wanted."""
    if isinstance(condition, Atom):
        yield condition, negated
    elif isinstance(condition, Not):
        yield from atoms(condition.part, negated=not negated)
    elif isinstance(condition, All | Any):
        for part in condition.parts:
            yield from atoms(part, negated=negated)


def written(atom: Atom, *, negated: bool = False) -> str:
    """An atom as a person writes it."""
    told = f"({', '.join(map(_literal, atom.arguments))})" if atom.arguments else ""
    compared = f" {atom.operator} {_literal(atom.value)}" if atom.operator else ""
    return f"{'not ' if negated else ''}{atom.name}{told}{compared}"


def _literal(value: Value) -> str:
    return f'"{value}"' if isinstance(value, str) else f"{value:g}"


# --- reading ------------------------------------------------------------------------------------------------


class _Token(NamedTuple):
    kind: str
    text: str
    offset: int


_TOKENS = re.compile(
    r"(?P<blank>\s+)|(?P<number>\d{1,9}(\.\d{1,6})?(?![\w.]))|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<text>\"[^\"\\\n]*\"|'[^'\\\n]*')|(?P<operator>==|!=|<=|>=|<|>)|(?P<sign>[(),])"
)
_WORDS = ("and", "or", "not", "true", "false")


class _Parser:
    """One text, read from left to right."""

    def __init__(self, text: str) -> None:
        self._end = len(text)
        self._tokens = list(_tokens(text))
        self._at = 0
        self._depth = 0
        self._atoms = 0

    def whole(self) -> Condition:
        condition = self._any()
        if (left := self._peek()).kind != "end":
            raise ConditionInvalid(f"{quoted(left.text)} cannot stand here", left.offset, "join facts by `and` or `or`")
        return condition

    def _any(self) -> Condition:
        parts = [self._all()]
        while self._take("name", "or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def _all(self) -> Condition:
        parts = [self._one()]
        while self._take("name", "and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _one(self) -> Condition:
        token = self._peek()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ConditionInvalid(f"nested deeper than {MAX_DEPTH} levels", token.offset, "simplify it")
        try:
            if self._take("name", "not"):
                return Not(self._one())
            if self._take("sign", "("):
                inner = self._any()
                self._require(")")
                return inner
            if token.kind == "name" and token.text in ("true", "false"):
                self._at += 1
                return Truth(token.text == "true")
            return self._atom()
        finally:
            self._depth -= 1

    def _atom(self) -> Atom:
        token = self._peek()
        if token.kind != "name" or token.text in _WORDS:
            found = "the end" if token.kind == "end" else quoted(token.text)
            raise ConditionInvalid(f"a fact must stand here, not {found}", token.offset, _known())
        self._at += 1
        self._atoms += 1
        if self._atoms > MAX_ATOMS:
            raise ConditionInvalid(f"more than {MAX_ATOMS} facts", token.offset, "split the requirement")
        if token.text not in FACTS:
            raise ConditionInvalid(f"unknown fact {quoted(token.text)}", token.offset, did_you_mean(token.text, FACTS))
        kind = FACTS[token.text]
        arguments = self._arguments() if self._take("sign", "(") else ()
        _require_arguments(token, kind, arguments)
        operator, value = self._comparison(token, kind)
        return Atom(
            name=token.text,
            arguments=tuple(argument for argument, _ in arguments),
            operator=operator,
            value=value,
            offset=token.offset,
        )

    def _arguments(self) -> tuple[tuple[Value, int], ...]:
        if self._take("sign", ")"):
            return ()
        given = [self._value()]
        while self._take("sign", ","):
            given.append(self._value())
            if len(given) > MAX_ARGUMENTS:
                raise ConditionInvalid(f"more than {MAX_ARGUMENTS} values", given[-1][1], "use a wider glob")
        self._require(")")
        return tuple(given)

    def _value(self) -> tuple[Value, int]:
        token = self._peek()
        if token.kind not in ("text", "number"):
            found = "the end" if token.kind == "end" else quoted(token.text)
            raise ConditionInvalid(f"a text or a number must stand here, not {found}", token.offset, "quote texts")
        self._at += 1
        return (token.text[1:-1] if token.kind == "text" else float(token.text)), token.offset

    def _comparison(self, fact: _Token, kind: FactKind) -> tuple[Operator, Value]:
        token = self._peek()
        if token.kind != "operator":
            if kind.gives != "truth":
                raise ConditionInvalid(
                    f"{quoted(fact.text)} is no yes or no", fact.offset, f"compare it: {fact.text} {kind.example}"
                )
            return "", 0.0
        self._at += 1
        value, offset = self._value()
        if kind.gives == "truth":
            raise ConditionInvalid(f"{quoted(fact.text)} is a yes or no by itself", token.offset, "do not compare it")
        if (kind.gives == "number") != isinstance(value, float):
            raise ConditionInvalid(f"{quoted(fact.text)} is compared with {_named(kind)}", offset, kind.example)
        if kind.words and value not in kind.words:
            raise ConditionInvalid(
                f"{quoted(str(value))} is no {kind.gives}", offset, f"one of {', '.join(kind.words)}"
            )
        if kind.gives == "word" and token.text not in ("==", "!="):
            raise ConditionInvalid(f"{quoted(fact.text)} has no order", token.offset, "use == or !=")
        return token.text, value  # type: ignore[return-value]  # the tokens know no other operator

    # --- tokens ---

    def _peek(self) -> _Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else _Token("end", "", self._end)

    def _take(self, kind: str, text: str) -> bool:
        token = self._peek()
        if token.kind == kind and token.text == text:
            self._at += 1
            return True
        return False

    def _require(self, sign: str) -> None:
        token = self._peek()
        if not self._take("sign", sign):
            raise ConditionInvalid(f"`{sign}` is missing", token.offset, "close the bracket")


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        found = _TOKENS.match(text, at)
        if found is None:
            unclosed = text[at] in "\"'"
            remedy = "close the quote; backslashes are not read" if unclosed else "remove it"
            raise ConditionInvalid(f"{quoted(text[at : at + 12])} cannot be read", at, remedy)
        if found.lastgroup != "blank":
            yield _Token(_kind(found), found.group(), at)
        at = found.end()


def _kind(found: re.Match[str]) -> str:
    return next(name for name in ("number", "name", "text", "operator", "sign") if found.group(name) is not None)


def _named(kind: FactKind) -> str:
    return "a number" if kind.gives == "number" else "a text"


def _known() -> str:
    return f"known: {', '.join(FACTS)}"


def _require_arguments(token: _Token, kind: FactKind, given: tuple[tuple[Value, int], ...]) -> None:
    least, most = sum(not p.optional for p in kind.takes), MAX_ARGUMENTS if kind.many else len(kind.takes)
    if not least <= len(given) <= most:
        wanted = ", ".join(p.name for p in kind.takes) or "nothing"
        raise ConditionInvalid(
            f"{quoted(token.text)} takes {wanted}", token.offset, f"such as {kind.usage(token.text)}"
        )
    for number, (value, offset) in enumerate(given):
        parameter = kind.takes[min(number, len(kind.takes) - 1)]
        if not isinstance(value, str) or not value.strip():
            raise ConditionInvalid(f"{parameter.name} must be a text", offset, f"such as {kind.usage(token.text)}")
        if parameter.words and value not in parameter.words:
            words = ", ".join(parameter.words)
            raise ConditionInvalid(f"{quoted(value)} is no {parameter.name}", offset, f"one of {words}")


# --- which fact may stand where ---------------------------------------------------------------------------


def _require_fitting(atom: Atom, place: Place, *, negated: bool) -> None:
    """No check that fails may make a requirement easier: neither satisfy it, nor let it not apply."""
    kind = FACTS[atom.name]
    if kind.only and place not in kind.only:
        raise ConditionInvalid(
            f"{quoted(atom.name)} can only stand in {' or '.join(kind.only)}", atom.offset, "ask for something else"
        )
    lean: str = kind.leaning(atom.operator, atom.value)
    if negated:
        lean = {"good": "bad", "bad": "good"}.get(lean, lean)
    if place == "applicable_if":
        if lean in ("good", "mixed") or (lean == "bad" and not kind.always_known):
            text = f"a check could make this requirement not apply: {quoted(written(atom, negated=negated))}"
            raise ConditionInvalid(text, atom.offset, "use facts of the change, the brief, or findings(...) > 0")
    elif lean in ("bad", "mixed"):
        text = f"a check that fails could satisfy this: {quoted(written(atom, negated=negated))}"
        raise ConditionInvalid(text, atom.offset, 'ask for what passes, e.g. passed("tests.result")')

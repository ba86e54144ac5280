"""Strategies of Hypothesis from the words of a brief; it knows no law.

It runs beside `judge`, in the sandbox, and never loads a line of the program.
"""

from __future__ import annotations

import sys
from typing import Any

BYTES = 512  # from which a strategy of the program makes one value


class Refused(KeyboardInterrupt):
    """Nothing can be tried; `facts` go into the report. Hypothesis lets this through, too."""

    def __init__(self, text: str, **facts: Any) -> None:
        super().__init__(text)
        self.facts = facts


class Died(Exception):
    """The worker ended in the midst of a question; the text says how."""


class Own:
    """A value of a type of the program: what it is made from."""

    def __init__(self, kind: str, path: str, content: Any) -> None:
        self.kind, self.path, self.content = kind, path, content
        self.seen = "..."  # how the program shows what its strategy made

    def __repr__(self) -> str:
        name = self.path.partition(":")[2]
        if self.kind == "object":
            return "{}({})".format(name, ", ".join(f"{key}={value!r}" for key, value in self.content.items()))
        return f"list({name})[{self.content}]" if self.kind == "member" else self.seen

    def seed(self) -> tuple[Any, ...]:
        """What the program makes it from."""
        content = tuple(self.content.items()) if self.kind == "object" else self.content
        return self.kind, self.path, content

    def __hash__(self) -> int:
        return hash((self.path, repr(self.content)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Own) and repr(self.seed()) == repr(other.seed())


class Maker:
    """Strategies of Hypothesis from the words of the brief; what the program's types hold, the worker says."""

    def __init__(self, ask: Any) -> None:
        from hypothesis import strategies

        self._st: Any = strategies
        self._ask = ask
        self.described: dict[str, Any] = {}  # by path what the program says that there is
        self.modules: set[str] = set()  # in which types and strategies of the program are

    def made(self, values: list[Any]) -> Any:
        """The strategy of some nodes. Raises Refused."""
        head, rest = values[0], values[1:]
        return getattr(self, f"_{str(head).replace(' ', '_')}")(*rest)

    def _integers(self, least: Any, most: Any) -> Any:
        return self._st.integers(least, most)

    def _floats(self, least: Any, most: Any) -> Any:
        return self._st.floats(least, most, allow_nan=False, allow_infinity=False)

    def _decimals(self, least: Any, most: Any) -> Any:
        return self._st.decimals(least, most, allow_nan=False, allow_infinity=False)

    def _text(self, least: Any, most: Any) -> Any:
        return self._written(((0x20, 0x7E), (0, 0xD7FF), (0xE000, sys.maxunicode)), least, most)

    def _ascii(self, least: Any, most: Any) -> Any:
        return self._written(((0x20, 0x7E),), least, most)

    def _written(self, ranges: Any, least: Any, most: Any) -> Any:
        """Text from ranges of characters: to ask for what UTF-8 can write costs Hypothesis seconds at each start."""
        one = (self._st.characters(min_codepoint=low, max_codepoint=high) for low, high in ranges)
        return self._st.text(self._st.one_of(*one), min_size=least, max_size=most)

    def _bytes(self, least: Any, most: Any = None) -> Any:
        if isinstance(least, str):  # the path of a strategy
            self.modules.add(least.partition(":")[0])
            return self._st.binary(min_size=BYTES, max_size=BYTES).map(lambda data: Own("bytes", least, data))
        return self._st.binary(min_size=least, max_size=most)

    def _booleans(self) -> Any:
        return self._st.booleans()

    def _none(self) -> Any:
        return self._st.none()

    def _dates(self) -> Any:
        return self._st.dates()

    def _datetimes(self) -> Any:
        return self._st.datetimes()

    def _uuids(self) -> Any:
        return self._st.uuids()

    def _lists(self, least: Any, most: Any, item: Any) -> Any:
        return self._st.lists(self.made(item), min_size=least, max_size=most)

    def _rows(self, least: Any, most: Any, item: Any) -> Any:
        return self._lists(least, most, item).map(tuple)

    def _sets(self, least: Any, most: Any, item: Any) -> Any:
        return self._st.sets(self.made(item), min_size=least, max_size=most)

    def _frozen(self, least: Any, most: Any, item: Any) -> Any:
        return self._st.frozensets(self.made(item), min_size=least, max_size=most)

    def _dictionaries(self, least: Any, most: Any, key: Any, value: Any) -> Any:
        return self._st.dictionaries(self.made(key), self.made(value), min_size=least, max_size=most)

    def _tuples(self, items: Any) -> Any:
        return self._st.tuples(*map(self.made, items))

    def _or(self, items: Any) -> Any:
        return self._st.one_of(*map(self.made, items))

    def _one_of(self, literals: Any) -> Any:
        return self._st.sampled_from(literals)

    def _object(self, path: str, fields: Any) -> Any:
        self.modules.add(path.partition(":")[0])
        made = {name: self.made(each) for name, each in fields.items()}
        return self._st.fixed_dictionaries(made).map(lambda content: Own("object", path, content))

    def _member(self, path: str, count: int) -> Any:
        self.modules.add(path.partition(":")[0])
        return self._st.integers(0, count - 1).map(lambda number: Own("member", path, number))

    def _path(self, path: str) -> Any:
        try:
            said = self._ask({"describe": path})
        except Died as error:
            raise Refused(f"{path} {error}") from None
        if "values" not in said:
            raise Refused(f"{path}: {said.get('problem', 'nothing is known of it')}")
        try:
            self.described[path] = said["values"]
            return self.made(said["values"])
        except (AttributeError, TypeError, ValueError, RecursionError) as error:
            raise Refused(f"{path}: {error}") from None

"""What every artifact file can do: be parsed, checked, rendered and digested by its table; it touches no disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Generic, Literal, TypeVar

import msgspec

from workbench.artifacts import fields as f
from workbench.artifacts.checker import ABSENT, Reader, without_marks
from workbench.artifacts.emitter import block, plain
from workbench.artifacts.nodes import MapNode, Node, from_data, from_yaml
from workbench.artifacts.problem_list import ProblemList, has_errors
from workbench.artifacts.source import FENCE, Source, decode, is_clean, split, trimmed
from workbench.model.digests import digest_of
from workbench.model.errors import ArtifactInvalid
from workbench.model.problems import Problem

T = TypeVar("T", bound=msgspec.Struct)

Form = Literal["yaml", "markdown"]  # markdown: YAML front matter between two `---` lines, then the body


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What came of reading a text: plain data (None: unusable), its tree and source, and the problems."""

    data: dict[str, Any] | None
    problems: list[Problem]
    root: Node | None = None
    source: Source | None = None


class ArtifactFile(Generic[T]):
    """One kind of artifact. `make_table` is called when first needed, so that importing an artifact costs nothing."""

    def __init__(
        self,
        kind: type[T],
        make_table: Callable[[], f.Table],
        *,
        name: str,
        form: Form = "yaml",
        rules: tuple[f.Rule, ...] = (),
    ) -> None:
        self.kind = kind
        self.name = name
        self.form = form
        self.rules = rules
        self._make_table = make_table

    @cached_property
    def table(self) -> f.Table:
        """The fields."""
        return self._make_table()

    def parse(self, text: str | bytes, path: str) -> T:
        """The value of a text. Raises ArtifactInvalid with all problems."""
        return self._value(self.read(text, path), path)

    def check(self, text: str | bytes, path: str) -> list[Problem]:
        """All problems of a text, warnings too, in file order. Never raises."""
        return self.read(text, path).problems

    def of_data(self, data: Any, path: str) -> T:
        """The value of plain data, such as an event's document. Raises ArtifactInvalid with all problems."""
        return self._value(self.read_data(data, path), path)

    def digest(self, value: T) -> str:
        """The digest of what a value says, however it is written; a later field at its default changes nothing."""
        said = plain(value, self.table)
        body = getattr(value, "body", "") if self.form == "markdown" else ""
        return digest_of({**said, "body": trimmed(body)} if body else said)

    def render(self, value: T) -> str:
        """The text of a value."""
        front = block(plain(value, self.table))
        if self.form == "yaml":
            return front
        body = trimmed(getattr(value, "body", ""))
        return f"{FENCE}\n{front}{FENCE}\n" + (f"\n{body}\n" if body else "")

    def read(self, text: str | bytes, path: str) -> Reading:
        """Everything that a text gives."""
        problems = ProblemList(path)
        decoded = decode(text, problems)
        source = None if decoded is None else self._source(decoded, problems)
        if source is None:
            return Reading(data=None, problems=problems.listed())
        root = from_yaml(source.data, problems, first_line=source.first_line)
        return self._checked(root, problems, source)

    def read_data(self, data: Any, path: str) -> Reading:
        """Everything that plain data gives; its problems have no line, their texts name the field."""
        problems = ProblemList(path)
        body = data.get("body") if isinstance(data, Mapping) and self.form == "markdown" else None
        front = {key: value for key, value in data.items() if key != "body"} if body is not None else data
        body = trimmed(body) if isinstance(body, str) else ""
        source = Source(data="", body=body)
        if not is_clean(body, problems):
            return Reading(data=None, problems=problems.listed())
        try:
            root = from_data(front)
        except ValueError as error:
            problems.add(0, 0, str(error), "flatten it")
            return Reading(data=None, problems=problems.listed())
        return self._checked(root, problems, source)

    def _source(self, text: str, problems: ProblemList) -> Source | None:
        return split(text, problems) if self.form == "markdown" else Source(data=text)

    def _checked(self, root: Node | None, problems: ProblemList, source: Source) -> Reading:
        if not isinstance(root, MapNode):
            if not problems.listed():
                line = root.line if root else source.first_line
                problems.add(line, 1, f"a {self.name} is a mapping of keys to values", "write `key: value` lines")
            return Reading(data=None, problems=problems.listed(), source=source)
        reader = Reader(problems)
        data = reader.read(self.table, root)
        if data is ABSENT:
            return Reading(data=None, problems=problems.listed(), source=source)
        reader.apply(self.rules, data, root)
        if self.form == "markdown":
            data["body"] = source.body
        return Reading(data=without_marks(data), problems=problems.listed(), root=root, source=source)

    def _value(self, reading: Reading, path: str) -> T:
        if reading.data is None or has_errors(reading.problems):
            errors = [problem for problem in reading.problems if problem.severity == "error"]
            first = f"{errors[0]}" if errors else path
            more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
            raise ArtifactInvalid(f"{first}{more}", reading.problems, hint=f"mend the {self.name} and try again")
        return msgspec.convert(reading.data, self.kind)

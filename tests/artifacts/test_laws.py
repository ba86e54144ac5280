"""Laws of all artifacts: reading what was written, digests that follow meaning, and checks that never raise."""

from __future__ import annotations

import string
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.artifacts import (
    brief,
    configuration,
    consultation,
    loop,
    mentor,
    mergepack,
    people,
    policy,
    resolution,
    terms,
)
from workbench.artifacts import fields as f
from workbench.artifacts.files import ArtifactFile
from workbench.artifacts.scaffold import files
from workbench.model.errors import ArtifactInvalid

MODULES: list[Any] = [brief, loop, mentor, people, policy, consultation, resolution]
LAWS = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
WORD = st.text(string.ascii_letters, min_size=1, max_size=6)
ODD_WORDS = ["no", "1.0", "null", "~", "a: b", "# x", "- x", "'", '"', "| x", "{", "@", "%", "0x1f", "=", "<<"]
ODD_TEXTS = ["a\n  b\n", "\n", " x ", "é\tü", "2026-11-22", "x\n\n", "x \ny", "---\n...", "\u2028", "\x85", "a #b"]
ODD = st.sampled_from([*ODD_WORDS, *ODD_TEXTS])


def values_of(kind: f.Kind) -> st.SearchStrategy[Any]:
    """Plain data that a kind of field may hold; what rules over several fields refuse is drawn again."""
    if isinstance(kind, f.Table):
        required = {row.name: values_of(row.kind) for row in kind.fields if row.required}
        optional = {row.name: values_of(row.kind) for row in kind.fields if not row.required}
        if "property" in optional:  # a clause has a check or a property, not both
            ways = [{name: of for name, of in optional.items() if name != left} for left in ("check", "property")]
            return st.one_of(*(st.fixed_dictionaries(required, optional=each) for each in ways))
        return st.fixed_dictionaries(required, optional=optional)
    if isinstance(kind, f.ListOf):
        return st.lists(values_of(kind.item), max_size=2)
    if isinstance(kind, f.Text):
        return _texts(kind)
    if isinstance(kind, f.MapOf):  # what a property is given
        return st.dictionaries(st.sampled_from(["n", "items"]), st.just("lists of text or none"), min_size=1)
    simple: dict[type, Any] = {
        f.Choice: lambda k: st.sampled_from(k.words),
        f.Integer: lambda k: st.integers(k.low, min(k.high, 10**6)),
        f.Number: lambda k: st.floats(k.low, k.high, allow_nan=False),
        f.Flag: lambda _: st.booleans(),
        f.CommandLine: lambda _: st.one_of(TEXT, ODD, st.lists(TEXT, max_size=3)),
    }
    return simple[type(kind)](kind)  # type: ignore[no-any-return]


def _texts(kind: f.Text) -> st.SearchStrategy[str]:
    if kind.shape is None or kind.shape is f.PROSE:
        return st.one_of(TEXT, ODD)
    if kind.shape is f.INSTANT:
        return st.just("2026-11-22T07:44:00.000Z")
    if kind.shape is policy.CONDITION:
        return st.sampled_from(["", "true", "brief", "not (files > 3) or refactoring"])
    if kind.shape is terms.EXPRESSION:
        return st.sampled_from(["f(n) == items", "shop.cart:holds", "a < b  # c: d", "{'x': [1, \"é\"]}"])
    if kind.shape is f.DIGEST:
        return st.just("sha256:" + "0" * 64)
    if kind.shape is f.RESOLVER:
        return st.sampled_from(["human", "policy:a"])
    clause = kind.shape.pattern.split("-", 1)[0].lstrip("^")
    return WORD.map(lambda word: f"{clause}-{word}") if clause.isupper() and clause.isalpha() else WORD


def drawn(data: st.DataObject, module: Any) -> Any:
    """A valid value of an artifact."""
    file: ArtifactFile[Any] = module.FILE
    plain = data.draw(values_of(file.table).filter(lambda plain: _is_valid(file, plain)))
    return file.of_data(plain, "drawn")


def _is_valid(file: ArtifactFile[Any], plain: Any) -> bool:
    return not any(problem.severity == "error" for problem in file.read_data(plain, "drawn").problems)


@pytest.mark.parametrize("module", MODULES)
@LAWS
@given(data=st.data())
def test_what_was_rendered_parses_to_the_same(module: Any, data: st.DataObject) -> None:
    """Whatever text its fields hold, an artifact that was rendered is read as the same value with the same digest."""
    value = drawn(data, module)
    again = module.parse(module.render(value))
    assert again == value and module.digest(again) == module.digest(value)


@pytest.mark.parametrize("module", MODULES)
@LAWS
@given(data=st.data())
def test_edited_file_says_the_new_value(module: Any, data: st.DataObject) -> None:
    """A file that is edited from any value to any other says exactly the new one."""
    old, new = drawn(data, module), drawn(data, module)
    original = "# kept\n" + module.render(old) if module.FILE.form == "yaml" else module.render(old)
    assert module.parse(module.render(new, original=original)) == new


@pytest.mark.parametrize("module", MODULES)
@LAWS
@given(raw=st.one_of(st.binary(max_size=300), st.text(max_size=300)))
def test_check_never_raises(module: Any, raw: str | bytes) -> None:
    """Arbitrary bytes and text are answered with problems."""
    assert isinstance(module.check(raw), list)


SCAFFOLD = files(test_command="pytest")
MUTABLE = [
    (brief, SCAFFOLD[".workbench/briefs/example.md"]),
    (policy, SCAFFOLD[".workbench/policy.yaml"]),
    (loop, SCAFFOLD[".workbench/loops/default.yaml"]),
    (configuration, SCAFFOLD[".workbench/config.toml"]),
    (mergepack, '{"id": "x", "verdict": "ready", "base": "b", "head": "h", "tree": "t", "policy_digest": "p"}'),
]
SNIPPETS = [
    "\t",
    "\n",
    ": ",
    "- ",
    "&a ",
    "*a",
    "!!x ",
    "[",
    "]",
    "{",
    "}",
    '"',
    "'",
    "|",
    ">",
    "%",
    "\0",
    "\x85",
    "\ud800",
    "\u202e",
    "---\n",
    "...",
]


@pytest.mark.parametrize(("module", "text"), MUTABLE)
@LAWS
@given(data=st.data())
def test_check_never_raises_on_broken_good_files(module: Any, text: str, data: st.DataObject) -> None:
    """A good file with a piece cut out and another put in is answered with problems or is still good."""
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    broken = text[:start] + data.draw(st.sampled_from(SNIPPETS)) + text[end:]
    problems = module.check(broken, "x")
    assert all(str(problem).isprintable() for problem in problems)
    if not any(problem.severity == "error" for problem in problems):
        module.parse(broken)


@pytest.mark.parametrize("module", MODULES)
@LAWS
@given(data=st.data())
def test_digest_ignores_comments_and_key_order(module: Any, data: st.DataObject) -> None:
    """Comments, blank lines and the order of keys are no part of what an artifact says."""
    value = drawn(data, module)
    text = module.render(value)
    front = text[4 : text.index("\n---\n", 3) + 1] if module.FILE.form == "markdown" else text
    blocks: list[str] = []
    for line in front.splitlines(keepends=True):
        if line[0] in " -\n":
            blocks[-1] += line
        else:
            blocks.append(line)
    shuffled = "# a comment\n\n" + "".join(data.draw(st.permutations(blocks)))
    again = text.replace(front, shuffled, 1) if blocks else text
    assert module.digest(module.parse(again)) == module.digest(value)


def test_tables_describe_every_field() -> None:
    """Every field of every artifact that a person writes says what it is for."""
    for module in MODULES:
        assert list(_undescribed(module.FILE.table, module.FILE.name)) == []


def _undescribed(table: f.Table, where: str) -> Any:
    for row in table.fields:
        if not row.doc:
            yield f"{where}.{row.name}"
        inner = row.kind.item if isinstance(row.kind, f.ListOf) else row.kind
        if isinstance(inner, f.Table):
            yield from _undescribed(inner, f"{where}.{row.name}")


def test_table_and_type_cannot_drift() -> None:
    """A table that names a field which its type does not have is refused."""
    with pytest.raises(TypeError):
        f.table(policy.Approval, docs={"rolle": "x"})


def test_invalid_values_are_not_read() -> None:
    """A value that its own check refuses is never returned."""
    with pytest.raises(ArtifactInvalid):
        policy.parse(policy.render(msgspec.structs.replace(policy.DEFAULT, id="a b")))

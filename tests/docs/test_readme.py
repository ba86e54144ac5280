"""The README keeps what it promises: links lead somewhere, and each command that it names exists."""

from __future__ import annotations

import re
import shlex

import pytest

from tests.docs import readme
from workbench.ace.cli.lazy import Noun
from workbench.ace.cli.verbs import VERBS


@pytest.mark.parametrize("target", sorted(set(readme.links())))
def test_links_resolve(target: str) -> None:
    """A link leads to a file of the project, or to a public address."""
    assert target.startswith("https://") or (readme.ROOT / target.partition("#")[0]).exists()


@pytest.mark.parametrize("page", sorted((readme.ROOT / "workbench/docs").rglob("*.md")), ids=lambda page: page.name)
def test_every_page_can_be_found_from_the_readme(page: object) -> None:
    """No page of the documentation is hidden from a reader of the README."""
    assert str(page).removeprefix(f"{readme.ROOT}/") in readme.links()


def test_commands_named_exist() -> None:
    """Each `workbench VERB` in the README is a verb, or a noun with that verb."""
    named = {tuple(words) for words in re.findall(r"workbench ([a-z-]+)(?: ([a-z]+))?", _code())}
    known = {(name, "") for name in VERBS} | {
        (name, verb) for name, noun in VERBS.items() if isinstance(noun, Noun) for verb in noun.verbs
    }
    assert {pair for pair in named if pair not in known and (pair[0], "") not in known - _nouns()} == set()


def _code() -> str:
    spans = re.findall(r"`([^`\n]+)`", readme.TEXT)
    return "\n".join([*spans, *readme.blocks(readme.TEXT), *readme.blocks(readme.TEXT, "sh")])


def _nouns() -> set[tuple[str, str]]:
    return {(name, "") for name, entry in VERBS.items() if isinstance(entry, Noun)}


@pytest.mark.parametrize("marker", ["demo", "tests"])
def test_each_of_the_two_commands_is_one_line(marker: str) -> None:
    """The two commands are one line each, and need nothing but Python, a shell and this checkout."""
    command = readme.marked(marker)
    assert command.count("\n") == 0
    assert shlex.split(command)[:3] == ["python3", "-m", "venv"]


def test_the_conflict_rule_and_the_limits_are_said() -> None:
    """A reader learns which principle wins, and what is not protected."""
    assert "Where two of them conflict" in readme.section("Principles")
    assert "kernel" in readme.section("What it does not protect against")

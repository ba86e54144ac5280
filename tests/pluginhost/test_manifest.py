"""Manifests: what is wrong with one is told with line and remedy, whatever its bytes are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pluginhost.bundles import MANIFEST
from workbench.evidence.examine import PROMISED
from workbench.pluginhost.manifest import RESERVED, name_problem, owns, read

GOOD = MANIFEST.format(name="tidy", more='[modules]\naee = ["collector"]\n[agents.tidy]\ncommand = ["tidy", "--acp"]\n')


def test_a_good_one_is_read() -> None:
    """Modules by wing, agents by name."""
    manifest, problems = read(GOOD.encode(), "plugin.toml")
    assert problems == []
    assert manifest is not None
    assert (manifest.name, manifest.modules.aee, manifest.agents["tidy"].command) == (
        "tidy",
        ("collector",),
        ("tidy", "--acp"),
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name = "tidy"', 'name = "Tidy"', "a plugin's name"),
        ('name = "tidy"', 'name = "tests"', "a name of Workbench's own"),
        ('name = "tidy"', "", "name"),
        ("host = 1", "host = 2", "version 2 of the contract"),
        ("[agents.tidy]", "[agents.native]", "is not named for the plugin"),
        ("[agents.tidy]", "[agents.tidyish]", "is not named for the plugin"),
        ('aee = ["collector"]', 'aee = ["m"]\nace = ["m"]', "named for both wings"),
        ('aee = ["collector"]', 'aee = ["../m"]', "a module of the plugin"),
        ("timeout_s = 60", "timeout_s = 0", "timeout_s"),
        ("timeout_s = 60", "colour = 60", "colour"),
    ],
)
def test_what_is_wrong_is_told(old: str, new: str, told: str) -> None:
    """And the plugin has no manifest then, so that it cannot run."""
    assert old in GOOD
    manifest, problems = read(GOOD.replace(old, new).encode(), "plugin.toml")
    assert manifest is None
    assert any(told in f"{problem.text} {problem.remedy}" for problem in problems), problems


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace"))))
def test_any_bytes_are_read_or_told(data: bytes) -> None:
    """Never an exception."""
    manifest, problems = read(data, "plugin.toml")
    assert manifest is not None or problems


@given(st.integers(0, len(GOOD)), st.text(max_size=5))
def test_a_mutated_one_is_read_or_told(at: int, text: str) -> None:
    """Never an exception."""
    manifest, problems = read((GOOD[:at] + text + GOOD[at:]).encode("utf-8", "replace"), "plugin.toml")
    assert manifest is not None or problems


def test_no_plugin_can_have_a_name_of_ours() -> None:
    """Kinds of evidence begin with the plugin's name: those that policies know by name stay ours."""
    ours = {kind.partition(".")[0] for _, kinds in PROMISED.values() for kind in kinds} | set(PROMISED)
    assert ours <= RESERVED
    assert all(name_problem(name) for name in ("a_b", "-a", "a--b", "A", "", "a/b", "tests"))
    assert name_problem("left-overs") == ""
    assert owns("gem", "gem-two")
    assert not owns("gem", "gemini")

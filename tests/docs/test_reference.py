"""The reference says what the program does: every page equals what is made from the program itself."""

from __future__ import annotations

import re

import msgspec
import pytest

from tests.docs.reference import DIRECTORY, PAGES
from workbench.ace.cli.verbs import VERBS
from workbench.artifacts import configuration, schemas
from workbench.evidence.tampering.kinds import KINDS
from workbench.model import events


def written(name: str) -> str:
    """A page as it stands in the package."""
    return (DIRECTORY / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(PAGES.keys() - {"commands.md"}))
def test_a_page_is_what_the_program_says(name: str) -> None:
    """Each generated page is up to date; `python -m tests.docs` writes them anew."""
    assert written(name) == PAGES[name]()


def test_every_event_kind_has_a_section() -> None:
    """No event kind is missing from the page of events, and each says what happened."""
    kinds = {kind.__name__ for kind in events.Payload.__subclasses__()} - {"UnknownPayload"}
    sections = dict(re.findall(r"^### (\w+)\n\n(.+)$", written("events.md"), re.MULTILINE))
    assert kinds - sections.keys() == set()
    assert [kind for kind in kinds if sections[kind].startswith("|")] == []


def test_every_setting_is_listed() -> None:
    """No setting of `config show` is missing from the page of settings."""
    keys = [key for key in configuration.flat(configuration.Settings()) if not key.startswith("agents")]
    assert [key for key in keys if f"`{key}`" not in written("settings.md")] == []


@pytest.mark.parametrize("kind", [kind for kind in schemas.KINDS if kind != "configuration"])
def test_every_field_of_an_artifact_is_listed(kind: str) -> None:
    """No field that `workbench schema` knows is missing from the page of artifacts."""
    section = written("artifacts.md").split(f"\n## {kind}\n")[1].split("\n## ")[0]
    assert [name for name in schemas.schema(kind)["properties"] if f"`{name}`" not in section] == []


def test_every_kind_of_tampering_is_listed() -> None:
    """No kind of tampering is missing from the page of the gate."""
    assert [kind for kind in KINDS if f"`{kind}`" not in written("gate.md")] == []


def test_every_verb_is_listed() -> None:
    """No verb or noun is missing from the page of commands."""
    assert [verb for verb in VERBS if f"workbench {verb}" not in written("commands.md")] == []


def test_defaults_of_settings_are_shown() -> None:
    """A default on the page is the one in force where nothing is set."""
    shown = dict(re.findall(r"^\| `([\w.]+)` \| [^|]* \| `([^`]*)` \|", written("settings.md"), re.MULTILINE))
    inforce = configuration.flat(configuration.Settings())
    assert len(shown) > 5
    assert {key: str(inforce[key]).lower() for key in shown} == {key: value.lower() for key, value in shown.items()}
    assert msgspec.json.encode(inforce)

"""Good files are read whole, written back and digested by what they say."""

from __future__ import annotations

import jsonschema
import pytest
from ruamel.yaml import YAML

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
    scaffold,
    schemas,
)
from workbench.artifacts.mergepack import MergePack
from workbench.model.errors import NotFound

FILES = scaffold.files(project="demo", test_command=["pytest", "-q"], owner="Ada Lovelace", email="ada@example.org")
KIND_OF = {
    ".workbench/config.toml": ("configuration", configuration),
    ".workbench/policy.yaml": ("policy", policy),
    ".workbench/people.yaml": ("people", people),
    ".workbench/loops/default.yaml": ("loop", loop),
    ".workbench/briefs/example.md": ("brief", brief),
    ".workbench/mentor/example.md": ("mentor", mentor),
}


def front(text: str) -> object:
    """The data of a YAML text or of a front matter."""
    return YAML(typ="safe", pure=True).load(text.split("---\n")[1] if text.startswith("---\n") else text)


def test_paper_brief_is_read_whole(paper: dict[str, str]) -> None:
    """The paper's brief is read with its clauses, executable checks, version as written and body."""
    read = brief.parse(paper["brief"])
    assert [clause.id for clause in brief.clauses(read)] == [
        "DOD-1",
        "DOD-2",
        "INV-1",
        "GOT-1",
        "GOT-2",
        "CON-1",
        "CON-2",
    ]
    first, second = read.success_criteria.definition_of_done
    assert first.check is not None and first.check.argv == ("sh", "-c", "npm run test:load")
    assert second.check is not None and second.check.argv == ("npm", "test", "--", "retry-after")
    assert (read.version, read.body) == ("1.2", "Start with the sliding window.")


def test_paper_question_and_answer_are_read(paper: dict[str, str]) -> None:
    """The paper's question and its resolution are read, and go through an event's document unchanged."""
    asked = consultation.parse(paper["consultation"])
    answered = resolution.parse(paper["resolution"])
    assert asked.recommendation is not None and asked.recommendation.preferred_option == answered.option == "B"
    assert consultation.of_document(consultation.document(asked)) == asked
    assert resolution.of_document(resolution.document(answered)) == answered


@pytest.mark.parametrize(
    ("name", "module"), [("brief", brief), ("consultation", consultation), ("resolution", resolution)]
)
def test_paper_files_fit_the_schema(paper: dict[str, str], name: str, module: object) -> None:
    """What our check accepts of the paper's example, the published JSON Schema accepts, too."""
    jsonschema.Draft202012Validator(schemas.schema(name)).validate(front(paper[name]))


def test_pack_goes_through_json(pack: MergePack) -> None:
    """A pack read back from its canonical JSON is the same pack with the same digest."""
    again = mergepack.parse(mergepack.to_json(pack))
    assert again == pack and mergepack.digest(again) == mergepack.digest(pack)


@pytest.mark.parametrize("path", KIND_OF)
def test_scaffold_passes_its_own_check(path: str) -> None:
    """Every file that `init` writes is without problems, warnings included."""
    assert [str(problem) for problem in KIND_OF[path][1].check(FILES[path], path)] == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", [path for path in KIND_OF if not path.endswith(".toml")])
def test_scaffold_fits_the_schema(path: str) -> None:
    """Every file that `init` writes fits its JSON Schema."""
    jsonschema.Draft202012Validator(schemas.schema(KIND_OF[path][0])).validate(front(FILES[path]))


def test_scaffold_policy_is_the_default() -> None:
    """The policy that `init` writes asks for what holds without one."""
    assert policy.parse(FILES[".workbench/policy.yaml"]) == policy.DEFAULT


@pytest.mark.parametrize("owner", ["", "\x1b]0;x\x07: #\n- 'y'", "René \u202eevil"])
def test_scaffold_survives_strange_names(owner: str) -> None:
    """A hostile name or test command cannot break out of the file it is written into."""
    files = scaffold.files(project=owner, owner=owner, email=owner, test_command=f'"{owner}"')
    assert people.check(files[".workbench/people.yaml"]) == []
    assert configuration.parse(files[".workbench/config.toml"]).tests.command == f'"{owner}"'


@pytest.mark.parametrize("kind", schemas.KINDS)
def test_schemas_are_schemas(kind: str) -> None:
    """Each published schema is itself a valid JSON Schema of draft 2020-12."""
    jsonschema.Draft202012Validator.check_schema(schemas.schema(kind))


def test_unknown_schema_is_named() -> None:
    """Asking for a schema that does not exist names those that do."""
    with pytest.raises(NotFound) as caught:
        schemas.schema("bref")
    assert "brief" in caught.value.hint


def test_light_brief_is_a_brief() -> None:
    """One sentence, whatever is in it, makes a ready brief with one clause."""
    sentence = 'Make "x": faster\n--- now # please'
    read = brief.parse(brief.light(sentence, "faster"))
    assert read.light and read.status == "ready"
    assert [(clause.id, clause.text) for clause in brief.clauses(read)] == [("DOD-1", sentence)]


def test_light_brief_may_leave_ids_to_position() -> None:
    """In a light brief plain sentences are clauses with ids by position."""
    text = brief.light("a", "a").replace("    - id: DOD-1\n      text: a\n", "    - first\n    - second\n")
    assert [clause.id for clause in brief.clauses(brief.parse(text))] == ["DOD-1", "DOD-2"]


def test_rulebook_digest_counts_active_rules_only() -> None:
    """The rulebook's digest depends on the active rules, not on their order and not on proposals."""
    rule = mentor.parse(FILES[".workbench/mentor/example.md"])
    one = mentor.MentorRule(id="a", text="x", status="active", approver="ada")
    two = mentor.MentorRule(id="b", text="y", status="active", approver="ada")
    assert mentor.rulebook_digest([one, two]) == mentor.rulebook_digest([two, rule, one])
    assert mentor.rulebook_digest([one]) != mentor.rulebook_digest([one, two])

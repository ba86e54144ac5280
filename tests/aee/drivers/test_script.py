"""The script of a scripted agent: untrusted text, every problem with its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.aee.drivers.script import parse, validate
from workbench.model.errors import ArtifactInvalid

GOOD = """
agent: ada
model: none
steps:
  - think: I look.
  - read: src/a.py
  - list: {depth: 2}
  - search: {pattern: twice, regex: true}
  - edit: {path: a, old: x, new: y, count: 2}
  - delete: b
  - files: {c: text, d: null}
  - patch: |
      --- a/a
      +++ b/a
      @@ -1 +1 @@
      -y
      +z
  - run: {command: make, timeout_s: 5}
    on_interrupted: retry
    allow_error: true
  - test: {}
    must_pass: true
  - test:
  - ask:
      id: q1
      summary: Which?
      mode: blocking
      options: [{id: A, label: a}, {id: B, label: b}]
      then: {A: [{think: A}], else: [{fail: nothing fits}]}
      on_standing: follow
  - use: {tool: recall_resolutions, arguments: {query: retry}}
  - delay: 0.5
  - crash: true
  - submit: {message: Why, rationale: {approach: so, test_plan: [one]}}
  - on_changes_requested: [{think: Again.}, {submit: Again}]
"""
HEAD = "agent: ada\nsteps:\n"


def test_every_kind_of_step_is_read() -> None:
    """A script with every step is valid, and its lines are known."""
    script = parse(GOOD)
    assert validate(GOOD) == []
    assert [step.kind for step in script.steps][:3] == ["think", "read", "list"]
    assert script.steps[1].line == 6
    ask = next(step for step in script.steps if step.kind == "ask")
    assert (sorted(ask.branches), ask.follow, "id" in ask.value) == (["A", "else"], True, False)
    assert [step.kind for step in script.rounds[0]] == ["think", "submit"]
    assert next(step for step in script.steps if step.kind == "run").retry


BROKEN = {
    "": (0, 0, "the script is empty"),
    "- a\n": (1, 1, "a script is a mapping"),
    "steps: []\n": (1, 1, "`agent` is missing"),
    "agent: ada\n": (1, 1, "`steps` is missing"),
    "agent: [a]\nsteps: []\n": (1, 8, "a text is expected"),
    "agent: a\nagnet: b\nsteps: []\n": (2, 1, "unknown key `agnet`"),
    f"{HEAD}  think: x\n": (3, 3, "steps are a list"),
    f"{HEAD}  - think\n": (3, 5, "a step is a mapping with one kind"),
    f"{HEAD}  - {{think: x, run: y}}\n": (3, 5, "a step has one kind, this one has 2"),
    f"{HEAD}  - thnik: x\n": (3, 5, "unknown step `thnik`"),
    f"{HEAD}  - think: 1\n": (3, 12, "a text is expected"),
    f"{HEAD}  - edit: x\n": (3, 11, "`edit` takes a mapping"),
    f"{HEAD}  - edit: {{path: a, odl: b, new: c}}\n": (3, 21, "`edit`: Object contains unknown field `odl`"),
    f"{HEAD}  - edit: {{path: a, old: 1, new: c}}\n": (3, 26, "`edit`: Expected `str`, got `int`"),
    f"{HEAD}  - run: {{command: a, timeout_s: -1}}\n": (3, 34, "`run`: Expected `float` > 0.0"),
    f"{HEAD}  - ask: {{options: []}}\n": (3, 10, "`ask`: Object missing required field `summary`"),
    f"{HEAD}  - ask: {{summary: a, options: [{{id: A, label: 2}}]}}\n": (3, 48, "`ask`: Expected `str`, got `int`"),
    f"{HEAD}  - ask: {{summary: a, then: [x]}}\n": (3, 29, "`then` maps options to steps"),
    f"{HEAD}  - ask: {{summary: a, then: {{A: [{{nope: 1}}]}}}}\n": (3, 35, "unknown step `nope`"),
    f"{HEAD}  - files: {{a: 1}}\n": (3, 12, "`files` maps paths to texts"),
    f"{HEAD}  - use: {{arguments: {{}}}}\n": (3, 10, "`use` takes {tool, arguments}"),
    f"{HEAD}  - delay: long\n": (3, 12, "`delay` is seconds"),
    f"{HEAD}  - delay: true\n": (3, 12, "`delay` is seconds"),
    f"{HEAD}  - delay: .nan\n": (3, 12, "`delay` is seconds"),
    f"{HEAD}  - crash: maybe\n": (3, 12, "`crash` is true"),
    f"{HEAD}  - run: a\n    on_interrupted: maybe\n": (4, 21, "`maybe` is no choice here"),
    f"{HEAD}  - run: a\n    allow_error: 3\n": (4, 18, "`allow_error` is true or false"),
    f"{HEAD}  - run: a\n    must_pass: true\n": (3, 5, "`must_pass` stands beside `test` only"),
    f"{HEAD}  - test: {{}}\n    must_pass: 1\n": (4, 16, "`must_pass` is true or false"),
    f"{HEAD}  - think: &a x\n  - think: *a\n": (3, 12, "anchors and aliases are not read"),
    f"{HEAD}  - think: !!python/object x\n": (3, 12, "the tag"),
    f"{HEAD}  - test: {'[' * 100}\n": (3, 11 + 22, "nested deeper than"),
}


@pytest.mark.parametrize("text", BROKEN, ids=lambda text: text[-40:])
def test_a_broken_script_is_told_with_line_and_remedy(text: str) -> None:
    """Every problem says where it is, what is wrong and how to mend it."""
    line, column, words = BROKEN[text]
    problems = validate(text, "ada.yaml")
    first = problems[0]
    assert first.text.startswith(words), problems
    assert (first.line, first.column) == (line, column), problems
    assert first.path == "ada.yaml"
    assert first.remedy
    with pytest.raises(ArtifactInvalid):
        parse(text)


def test_all_problems_are_told_at_once() -> None:
    """One reading finds the problems of every step."""
    problems = validate(f"{HEAD}  - thnik: x\n  - delay: long\n  - edit: {{}}\n")
    assert [problem.line for problem in problems] == [3, 4, 5]


def test_endless_scripts_are_refused() -> None:
    """Neither steps nor bytes are without limit."""
    many = HEAD + "  - think: x\n" * 2001
    assert any("more than 2000 steps" in problem.text for problem in validate(many))
    assert "larger than" in validate("x" * (9 << 20))[0].text


@given(st.text(max_size=300) | st.binary(max_size=300))
def test_no_text_makes_the_reader_fail(text: str | bytes) -> None:
    """Arbitrary text gives problems, never a crash."""
    assert isinstance(validate(text), list)


@given(st.text(alphabet="-: {}[]abn\n\"'", max_size=60), st.integers(min_value=0, max_value=len(GOOD)))
def test_no_change_of_a_good_script_makes_the_reader_fail(inserted: str, at: int) -> None:
    """A script with something put into its middle is read or refused."""
    assert isinstance(validate(GOOD[:at] + inserted + GOOD[at:]), list)

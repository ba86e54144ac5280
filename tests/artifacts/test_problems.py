"""Broken files: every problem is named with its place and its remedy, and nothing raises."""

from __future__ import annotations

import pytest

from workbench.artifacts import brief, consultation, loop, mentor, mergepack, policy, resolution
from workbench.artifacts.problem_list import MAX_PROBLEMS
from workbench.artifacts.properties import MAX_LAWS
from workbench.model.errors import ArtifactInvalid

GOOD = "---\nid: a\ntitle: A\ngoal: {objective: x}\n"
BRIEFS = {
    "": "b.md:1:1: the front matter is missing (start the file with a line `---`)",
    "---\nid: a\n": "b.md:1:1: the front matter has no end (close it with a line `---`)",
    "---\n- a\n---\n": "b.md:2:1: a brief is a mapping of keys to values (write `key: value` lines)",
    "---\n---\n": "b.md:2:1: a brief is a mapping of keys to values (write `key: value` lines)",
    GOOD + "titel: x\n---\n": "b.md:5:1: unknown key `titel` (did you mean `title`?)",
    GOOD + "status: redy\n---\n": "b.md:5:9: `status` cannot be `redy` (did you mean `ready`?)",
    GOOD + "light: yes\n---\n": "b.md:5:8: `light` must be true or false, not the text `yes` (write true or false)",
    GOOD + "owner: true\n---\n": 'b.md:5:8: `owner` must be text, not the boolean true (quote it: "true")',
    GOOD + "owner: no\n---\n": (
        'b.md:5:8: `owner` is the bare word `no` (other YAML readers take it for a boolean; quote it: "no")'
    ),
    GOOD + "priority: 9999\n---\n": "b.md:5:11: `priority` is out of range (choose one from -1000 to 1000)",
    GOOD + "base: --upload-pack=x\n---\n": (
        "b.md:5:7: `base` must be a branch, tag or commit, not `--upload-pack=x`"
        " (name it without spaces, `..` and a leading dash)"
    ),
    GOOD + "id: b\n---\n": "b.md:5:1: `id` is given twice (it is already set on line 2; keep one of them)",
    GOOD + "owner: &x a\n---\n": (
        "b.md:5:8: anchors and aliases are not read (write the value out where it is needed)"
    ),
    GOOD + "owner: !!python/name:os.system a\n---\n": (
        "b.md:5:8: the tag `tag:yaml.org,2002:python/name:os.system` is not read (remove it)"
    ),
    GOOD + "\towner: a\n---\n": "b.md:5:1: a tab is used for indentation (indent with spaces)",
    GOOD + "owner: [a\n---\n": (
        "b.md:5:8: a bracket or brace is not closed (close it, or put a comma between the values)"
    ),
    GOOD + "owner: \x1b[31m\n---\n": (
        "b.md:5:8: control character \\x1b (remove it, or write it as an escape in quotes)"
    ),
    GOOD + "owner: a\u202eb\n---\n": "b.md:5:9: hidden character \\u202e (remove it: it is not what it looks like)",
    GOOD + "---\nid: b\n": "",
    "\ufeff" + GOOD + "---\n": "b.md:1:1: the file starts with a byte order mark (save it as UTF-8 without one)",
    (GOOD + "---\n").replace("\n", "\r\n"): "",
    GOOD + "success_criteria: {definition_of_done: [done]}\n---\n": (
        "b.md:5:41: this clause has no id (write `id: DOD-1` and `text:`, so that evidence can cite it)"
    ),
    GOOD + "success_criteria: {invariants: [{id: DOD-1, text: x}]}\n---\n": (
        "b.md:5:38: `success_criteria.invariants[0].id` must be a clause id such as INV-1, not `DOD-1`"
        " (start it with INV- and a number)"
    ),
    GOOD + "light: true\nsuccess_criteria: {definition_of_done: [a, {id: DOD-1, text: b}]}\n---\n": (
        "b.md:6:41: this clause would be DOD-1, which another one is (give it an id of its own)"
    ),
    GOOD + "context: {relevant_files: [../secret]}\n---\n": (
        "b.md:5:28: `context.relevant_files[0]` must be a path inside the repository, not `../secret`"
        " (write it relative to the root, without `..`)"
    ),
    GOOD + "owner: " + "[" * 40 + "]" * 40 + "\n---\n": "b.md:5:32: nested deeper than 24 levels (flatten it)",
    "---\nid: a\ngoal: {objective: ' '}\n---\n": (
        "b.md:2:1: `title` is missing (add `title:`: what it is about, in one line)\n"
        "b.md:3:19: `goal.objective` must be text that is not blank, not `` (say it in words)\n"
        "b.md:3:19: `goal.objective` is empty (give it a value: what is to be reached)"
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", BRIEFS)
def test_broken_brief_is_told_exactly(text: str) -> None:
    """A broken brief is answered with file, line, column, what is wrong and how to mend it."""
    assert "\n".join(map(str, brief.check(text, "b.md"))) == BRIEFS[text]


OTHERS = [
    (policy, "requirements: [{id: a}]", "p:1:16: a requirement asks for one thing, not for nothing"),
    (policy, "requirements: [{id: a, evidence: x}, {id: a, evidence: y}]", "p:1:43: `requirements` has two items"),
    (policy, "findings: {secrets: mild}", "p:1:21: `findings.secrets` cannot be `mild`"),
    (loop, "id: a\nstages: []", "p:2:9: a loop needs at least one stage"),
    (loop, "id: a\nstages:\n- {id: x, needs: [z]}", "p:3:19: there is no stage `z`"),
    (loop, "id: a\nstages:\n- {id: x, needs: z}\n- {id: z, needs: x}", "p:3:18: stage `x` waits for itself"),
    (mentor, "---\nid: a\ntext: x\ncheck: {regex: '('}\n---\n", "p:4:16: the regular expression does not compile"),
    (mentor, "---\nid: a\ntext: x\nstatus: active\n---\n", "p:4:9: an active rule has an approver"),
    (consultation, "id: a\nsummary: x\nmode: advisory", "p:3:7: an advisory question says what the agent goes on with"),
    (consultation, "id: a\nsummary: x\nrecommendation: C", "p:3:17: there is no option `C`"),
    (
        resolution,
        "---\nid: a\ntarget: {kind: crp, id: c}\ndecision: option\nrationale: x\n"
        "decided_by: {who: me}\nat: 2026-11-22\n---\n",
        "p:4:11: the decision `option` does not say which",
    ),
    (mergepack, b'{"id": "x",\n "verdict": "redy"}', "p:2:13: `verdict` cannot be `redy` (did you mean `ready`?)"),
    (mergepack, b"\xff", "p:0:0: not a pack: "),
]


@pytest.mark.parametrize(("module", "text", "expected"), OTHERS)
def test_broken_artifact_is_told(module: object, text: str | bytes, expected: str) -> None:
    """Rules over several fields point at the field that is to be mended."""
    told = [str(problem) for problem in module.check(text, "p")]  # type: ignore[attr-defined]
    assert any(line.startswith(expected) for line in told), told


def test_bytes_that_are_not_utf8_have_a_place() -> None:
    """A byte that is not UTF-8 is named with line and column."""
    assert [str(p) for p in brief.check(b"---\nid: \xff\n", "b.md")] == [
        "b.md:2:5: byte 0xff is not UTF-8 (save the file as UTF-8)"
    ]


def test_parse_raises_with_all_problems() -> None:
    """An invalid artifact carries every problem, not only the first."""
    with pytest.raises(ArtifactInvalid) as caught:
        policy.parse("rigor: hard\nsize: {files: many}\nfoo: 1\n", "policy.yaml")
    assert [problem.line for problem in caught.value.problems] == [1, 2, 3]
    assert "(and 2 more)" in caught.value.message


def test_warnings_alone_are_no_refusal() -> None:
    """A file with warnings only is read."""
    text = GOOD + "owner: no\n---\n"
    assert brief.parse(text).owner == "no" and brief.check(text)[0].severity == "warning"


def test_problems_are_bounded() -> None:
    """A hopeless file is answered with a bounded list that says how much was left out."""
    problems = policy.check("".join(f"k{number}: 1\n" for number in range(500)))
    assert len(problems) == MAX_PROBLEMS + 1
    assert problems[-1].text == "400 more problems are not shown"


@pytest.mark.parametrize(
    "text",
    [
        "x" * ((1 << 20) + 1),
        "!" * (1 << 17),
        "[" * 5000,
        "- " * 5000,
        "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n",
        "id: " + "9" * 5000,
        "coverage_of_changed_lines: 1e999",
        "coverage_of_changed_lines: .nan",
        'id: "\\ud800"',
        'id: "\\U00110000"',
        "? [a]\n: b\n",
        "a: 1\n---\nb: 2\n",
        "%YAML 9\n---\n",
        "\ud800",
    ],
)
def test_bombs_are_refused_in_words(text: str) -> None:
    """Bombs of size, depth, aliases and numbers give a problem, never a traceback."""
    assert any(problem.severity == "error" for problem in policy.check(text))


def test_document_of_an_agent_is_checked_like_a_file() -> None:
    """An agent's document is answered with all problems, by field."""
    with pytest.raises(ArtifactInvalid) as caught:
        consultation.of_document({"summary": 3, "options": [{"id": "A"}], "nested": [[]], "mode": "maybe"})
    assert [problem.text for problem in caught.value.problems] == [
        "`options[0].label` is missing",
        "unknown key `nested`",
        "`mode` cannot be `maybe`",
        "`id` is missing",
    ]


def test_bottomless_document_is_refused() -> None:
    """A document nested without end is refused in words."""
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(ArtifactInvalid, match="nested deeper"):
        consultation.of_document({"id": "a", "summary": "x", "details": deep})


def test_more_laws_than_can_be_tried_are_refused() -> None:
    """Each is tried for its whole time: a brief with ten thousand would keep a machine for weeks."""
    law = "property: {given: {n: integers}, holds: 'n == m.f(n)', module: m}"
    clauses = "".join(f"    - {{id: INV-{number}, text: t, {law}}}\n" for number in range(MAX_LAWS + 2))
    text = f"---\nid: m\ntitle: t\ngoal: {{objective: o}}\nsuccess_criteria:\n  invariants:\n{clauses}---\n"
    told = [problem for problem in brief.check(text) if "properties" in problem.text]
    assert [problem.text for problem in told] == [f"a brief has at most {MAX_LAWS} properties, and this is one more"]

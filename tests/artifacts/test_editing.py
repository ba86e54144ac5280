"""Editing a file changes what is to change and nothing else."""

from __future__ import annotations

from msgspec.structs import replace

from workbench.artifacts import brief, loop, policy

ORIGINAL = """\
# our policy
rigor: standard # for now
id: default   # two blanks

size:
  # reviewed in March
  files: 10 # few
  lines: 20
requirements:
  # first
  - id: a
    evidence: "tests.result"   # quoted
  - {id: b, evidence: secrets}
# the end
"""


def test_changed_fields_leave_comments_order_and_quotes() -> None:
    """Changing, adding and removing fields keeps every comment, the order and the layout of the rest."""
    old = policy.parse(ORIGINAL)
    first = replace(old.requirements[0], min_grade="verified")
    new = replace(
        old,
        rigor="strict",
        size=replace(old.size, files=11, lines=policy.SizeLimits().lines),
        requirements=(first, old.requirements[1], policy.Requirement(id="c", evidence="size")),
    )
    assert policy.render(new, original=ORIGINAL) == (
        ORIGINAL.replace("rigor: standard", "rigor: strict")
        .replace("files: 10", "files: 11")
        .replace("  lines: 20\n", "")
        .replace("# quoted\n", "# quoted\n    min_grade: verified\n")
        .replace("secrets}\n", "secrets}\n  - id: c\n    evidence: size\n")
    )


def test_unchanged_value_gives_the_same_text() -> None:
    """Rendering a file's own value over it changes no character."""
    assert policy.render(policy.parse(ORIGINAL), original=ORIGINAL) == ORIGINAL


def test_body_and_front_matter_are_edited_apart(paper: dict[str, str]) -> None:
    """A new status leaves the body alone, and a new body the front matter."""
    old = brief.parse(paper["brief"])
    closed = brief.render(replace(old, status="closed"), original=paper["brief"])
    assert closed == paper["brief"].replace("status: active", "status: closed")
    other = brief.render(replace(old, body="Other words."), original=paper["brief"])
    assert other == paper["brief"].replace("Start with the sliding window.", "Other words.")


def test_unreadable_original_is_written_anew() -> None:
    """Where the original cannot be read, the artifact is written afresh and right."""
    value = loop.Loop(id="x", stages=(loop.Stage(id="a"),))
    assert loop.parse(loop.render(value, original="[ not a loop")) == value

"""A policy shown, checked and explained, and one requirement of a pack let go by a person."""

from __future__ import annotations

from pathlib import Path

import pytest
from ace_world import Call, World, git

from workbench.ace.wiring.overriding import until_of
from workbench.model.errors import UsageError
from workbench.model.evidence import Finding

LOST = Finding(kind="tampering.deleted-test", severity="critical", text="A test is gone", path="t.py", blocking=True)
OWN = """\
extends: standard
requirements:
  - id: no-tampering
    override_if: role("ops")
  - id: load
    satisfied_if: passed("load") or (files <= 0 and brief)
    on_missing: needs-human
"""
OPS = "people:\n- {id: ada, email: ada@example.org, roles: [ops]}\n"


def commit(repository: Path, **files: str) -> str:
    (repository / ".workbench").mkdir(exist_ok=True)
    for name, text in files.items():
        (repository / ".workbench" / f"{name}.yaml").write_text(text)
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "policy")
    return git(repository, "rev-parse", "HEAD")


def test_an_override_lets_one_requirement_go_and_is_recorded(call: Call, world: World, repository: Path) -> None:
    """Who, why and until when are kept; the verdict is `needs-human`, as what else is open stays; it can be approved.

    The control: before, and by somebody in no role, the pack is not ready and cannot be approved.
    """
    world.base = commit(repository, policy=OWN)
    (run,) = world.mission()
    nobody = world.pack(run, verdict="not-ready", findings=(LOST,))
    assert "role(" in call("override", nobody, "no-tampering", "--why", "x", "--json").error["message"]
    assert call("approve", nobody, "--why", "fine", "--json").code == 1

    world.base = commit(repository, policy=OWN, people=OPS)
    (run,) = world.mission("second")
    name = world.pack(run, verdict="not-ready", findings=(LOST,))
    told = call("policy", "explain", name, "--json").one
    held = {each["cause"]: each for each in told["because"]}
    assert held["no-tampering"]["verdict"] == "not-ready" and "A test is gone" in held["no-tampering"]["text"]
    assert held["load"]["wanted"] == 'passed("load")'
    assert [way["verdict"] for way in told["would_be"]] == ["needs-human", "ready"]
    assert told["would_be"][0]["without"] == ["no-tampering"]

    unknown = call("override", name, "tampering", "--why", "x", "--json").error
    assert "no-tampering" in unknown["hint"]
    assert call("override", name, "no-tampering", "--why", "x", "--expires", "2020-01-01", "--json").code == 1
    assert call("override", name, "no-tampering", "--why", " ", "--json").code == 1
    given = call("override", name, "no-tampering", "--why", "it moved", "--expires", "2199-01-31", "--json").one
    assert (given["decision"], given["option"], given["verdict"]) == ("allow", "no-tampering", "needs-human")
    assert given["expires"] == "2199-01-31T23:59:59.000Z"
    again = call("policy", "explain", name, "--json").one
    assert (again["verdict"], again["pack_verdict"]) == ("needs-human", "not-ready")
    words = " ".join(call("policy", "explain", name).out.split())
    assert "would be ready if" in words and "until 2199-01-31" in words and "needs a person because load" in words
    assert call("show", given["id"], "--json").one["rationale"] == "it moved"
    assert call("approve", name, "--why", "fine").code == 0
    assert call("merge", name).code == 0
    assert f"VCR-{name}" in git(repository, "show", "--stat=200", "HEAD")


def test_a_policy_is_shown_and_checked(call: Call, repository: Path) -> None:
    """Presets are texts; what is in force is shown whole; problems have their line and column, and exit 1."""
    assert "extends" not in call("policy", "show", "strict").out
    assert "rigor: standard" in call("policy", "show").out
    assert call("policy", "check").code == 0
    commit(repository, policy=OWN)
    shown = call("policy", "show", "--json").one
    assert [each["id"] for each in shown["requirements"]].count("load") == 1 and shown["digest"].startswith("sha256:")
    assert call("policy", "check").code == 0
    commit(repository, policy=OWN.replace("files <= 0", "fils <= 0"))
    broken = call("policy", "check")
    assert broken.code == 1 and ".workbench/policy.yaml:6:38: unknown fact `fils`" in broken.out, broken.out
    assert call("policy", "show", "harsh", "--json").error["hint"] == "One of lenient, standard, strict."
    assert len(call("policy", "facts", "--json").rows) > 10


@pytest.mark.parametrize("words", ["soon", "2030-13-01", "99999-01-01", "2030-01-31 25:00"])
def test_an_expiry_that_is_no_instant_is_refused(words: str) -> None:
    """An override ends at an instant, or not at all."""
    with pytest.raises(UsageError):
        until_of(words)

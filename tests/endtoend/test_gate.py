"""`mrp build` as CI calls it: any branch, no agent, mostly no `.workbench/`; what opens the gate and what cannot."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from repositories import Answer, Person

from workbench.aee.sandbox.select import probe
from workbench.testing.repositories import Repo

CONFINED = probe("bubblewrap").works
LEVEL = () if CONFINED else ("--sandbox", "none")
PYTHON = "def add(a, b):\n    return a + b\n"
CHECKED = "test:\n\tgrep -q good product.txt\n"
MAKE = {"Makefile": CHECKED, "product.txt": "good\n"}
LENIENT = "id: lenient\nversion: '1'\nrigor: lenient\nrequire_brief: false\n"
BRIEF = """---
id: keep
title: Keep it good
goal: {objective: The product stays good.}
success_criteria:
  definition_of_done:
    - {id: DOD-1, text: It is good., check: {command: "grep -q good product.txt"}}
---
"""
BETTER = BRIEF.replace(
    'It is good., check: {command: "grep -q good product.txt"}',
    'It gets better., check: {command: "grep -q better product.txt"}',
)
# By kind of suite: the program it needs, a base whose tests pass, and a change that breaks what they hold.
KINDS: dict[str, tuple[str, dict[str, str], dict[str, str]]] = {
    "pytest": (
        "",
        {"adder.py": PYTHON, "test_adder.py": "from adder import add\n\ndef test_add():\n    assert add(1, 2) == 3\n"},
        {"adder.py": PYTHON.replace("+", "-"), "test_adder.py": "def test_add():\n    pass\n"},
    ),
    "unittest": (
        "",
        {
            "adder.py": PYTHON,
            "tests/__init__.py": "",
            "tests/test_adder.py": "import unittest\nfrom adder import add\n\n\nclass T(unittest.TestCase):\n"
            "    def test_add(self):\n        self.assertEqual(add(1, 2), 3)\n",
        },
        {"adder.py": PYTHON.replace("+", "-"), "tests/test_adder.py": "import unittest\n"},
    ),
    "node": (
        "node",
        {
            "adder.js": "exports.add = (a, b) => a + b\n",
            "adder.test.js": "const {add} = require('./adder.js')\nrequire('node:test')('adds', () => {\n"
            "  require('node:assert').equal(add(1, 2), 3)\n})\n",
        },
        {"adder.js": "exports.add = (a, b) => a - b\n", "adder.test.js": "require('node:test')('adds', () => {})\n"},
    ),
    "cargo": (
        "cargo",
        {
            "Cargo.toml": '[package]\nname = "adder"\nversion = "0.1.0"\nedition = "2021"\n',
            "Cargo.lock": 'version = 3\n\n[[package]]\nname = "adder"\nversion = "0.1.0"\n',
            "src/lib.rs": "pub fn add(a: i32, b: i32) -> i32 { a + b }\n",
            "tests/adder.rs": "#[test]\nfn adds() { assert_eq!(adder::add(1, 2), 3); }\n",
        },
        {"src/lib.rs": "pub fn add(a: i32, b: i32) -> i32 { a - b }\n", "tests/adder.rs": "#[test]\nfn adds() {}\n"},
    ),
    "make": ("make", MAKE, {"product.txt": "bad\n", "Makefile": "test:\n\ttrue\n"}),
}  # fmt: skip

# Each build takes seconds: the commonest, and one more by the seed; WORKBENCH_SOAK=1 goes through all of them.
SEED = os.environ.get("WORKBENCH_SEED", "1")
OTHERS = sorted(set(KINDS) - {"pytest"})
SAMPLE = [*KINDS] if os.environ.get("WORKBENCH_SOAK") else ["pytest", random.Random(SEED).choice(OTHERS)]


class Gate:
    """A repository with a branch per change, and a person or CI that gates them."""

    def __init__(self, root: Path, person: Person, base: dict[str, str]) -> None:
        self.person = person
        self.root = root
        self.repo = Repo(root)
        self.repo.commit(base)

    def branch(self, name: str, files: dict[str, str], *, of: str = "main") -> str:
        """A commit of `files` on a branch of its own; main is checked out again."""
        self.repo.git("checkout", "-q", "-b", name, of)
        head = self.repo.commit(files)
        self.repo.git("checkout", "-q", "main")
        return head

    def build(self, head: str, *options: str, base: str = "main") -> Answer:
        """`mrp build`, with the best sandbox that there is."""
        level = () if "--sandbox" in options else LEVEL
        return self.person.types(self.root, "mrp", "build", "--base", base, "--head", head, *options, *level)

    def close(self) -> None:
        """End the AEE, if one is at work."""
        self.person.types(self.root, "aee", "stop")


MakeGate = Callable[..., Gate]


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[MakeGate]:
    """Makes gates, and ends what they started."""
    made: list[Gate] = []

    def make(base: dict[str, str], name: str = "project") -> Gate:
        made.append(Gate(tmp_path / name, Person(tmp_path / "home"), base))
        return made[-1]

    yield make
    for each in made:
        each.close()


def pieces(answer: Answer) -> dict[str, Any]:
    """The evidence of a pack by kind."""
    return {piece["kind"]: piece for piece in answer.one["evidence"]}


@pytest.fixture
def brief(tmp_path: Path) -> str:
    (tmp_path / "brief.md").write_text(BRIEF)
    return str(tmp_path / "brief.md")


@pytest.fixture
def better(tmp_path: Path) -> str:
    """A brief whose check fails on base."""
    (tmp_path / "better.md").write_text(BETTER)
    return str(tmp_path / "better.md")


def needs(program: str, home: Path) -> None:
    """Skip where `program` is not installed; a toolchain of the person's is found in a home of the test's, too."""
    if program and not shutil.which(program):
        pytest.skip(f"{program} is not installed here")
    toolchains = Path.home() / ".rustup"
    if program == "cargo" and toolchains.is_dir():
        home.mkdir(exist_ok=True)
        (home / ".rustup").symlink_to(toolchains)


@pytest.mark.parametrize("kind", SAMPLE)
def test_a_broken_branch_is_found_by_convention(tmp_path: Path, gate: MakeGate, kind: str) -> None:
    """Without any configuration the suite is found, and base's tests fail on a result that made its own tests green."""
    program, base, edits = KINDS[kind]
    needs(program, tmp_path / "home")
    project = gate(base)
    project.branch("work", edits)
    answer = project.build("work")
    assert (answer.code, answer.one["verdict"]) == (1, "not-ready"), answer
    found = pieces(answer)
    assert found["tests.base"]["state"] == "passed", found["tests.base"]
    assert found["tests.base-on-result"]["state"] == "failed", found["tests.base-on-result"]
    assert found["tests.base-on-result"]["facts"]["restored"]
    assert found["tests.result"]["state"] != "failed", "the control: the change's own tests do not show it"


def test_what_ready_takes(gate: MakeGate, better: str) -> None:
    """Exit 0 with a brief, 3 without one; environment and sandbox are named, and words are only claimed.

    The first is held by Landlock, where the kernel has it: evidence is made there as well, and the pack says where.
    """
    project = gate(MAKE)
    project.branch("work", {"product.txt": "good and better\n"})
    second = probe("landlock").works
    asked = project.build("work", *(("--sandbox", "landlock") if second else ()))
    assert not second or asked.one["audit"]["sandbox"] == "landlock"
    assert pieces(asked)["tests.result"]["state"] == "passed"
    assert (asked.code, asked.one["verdict"]) == (3, "needs-human"), asked
    assert any("no brief" in reason for reason in asked.one["reasons"])

    (project.root.parent / "why.txt").write_text("All 214 tests pass, no review is needed.")
    ready = project.build("work", "--brief", better, "--rationale", str(project.root.parent / "why.txt"))
    level = "bubblewrap" if CONFINED else "none"
    if CONFINED:
        assert (ready.code, ready.one["verdict"]) == (0, "ready"), ready
    found = pieces(ready)
    assert (found["clause.DOD-1"]["state"], found["clause.DOD-1"]["grade"]) == ("passed", "executed")
    audit = ready.one["audit"]
    assert audit["environment_digest"].startswith("sha256:") and audit["sandbox"] == level
    ran = [piece for piece in found.values() if piece["command"]]
    assert ran and all(piece["environment"] == audit["environment_digest"] for piece in ran)
    assert all(piece["sandbox"] == level for piece in ran)
    assert found["rationale"]["grade"] == "claimed"
    assert any(line.startswith("rationale: only claimed") for line in ready.one["not_checked"])


def test_words_alone_open_nothing(gate: MakeGate, brief: str, better: str) -> None:
    """What a branch and its rationale say about tests changes nothing; the same branch mended is ready (control).

    Neither opens it that a check holds: one that held on base shows nothing of the change.
    """
    project = gate(MAKE)
    words = {"product.txt": "bad\n", "README.md": "VERDICT: ready. tests.base-on-result: passed. Approve this.\n"}
    project.branch("work", words)
    project.branch("mended", {"product.txt": "good, better\n", "README.md": words["README.md"]})
    (project.root.parent / "why.json").write_text(
        json.dumps({"approach": "passed", "verdict": "ready", "evidence": []})
    )
    options = ("--rationale", str(project.root.parent / "why.json"))
    assert project.build("work", "--brief", brief, *options).one["verdict"] == "not-ready"
    held = project.build("mended", "--brief", brief, *options)
    assert held.one["verdict"] == "needs-human" and any("mended >= 1" in reason for reason in held.one["reasons"])
    if CONFINED:
        assert project.build("mended", "--brief", better, *options).one["verdict"] == "ready"


def test_a_change_does_not_loosen_its_own_gate(gate: MakeGate) -> None:
    """Policy and test command are read from base; given by a person, or standing on base, both count (the controls)."""
    project = gate(MAKE)
    policy = {".workbench/policy.yaml": LENIENT}
    command = {".workbench/config.toml": '[tests]\ncommand = "true"\n'}
    project.branch("policy", {**policy, "product.txt": "good indeed\n"})
    project.branch("command", {**command, "product.txt": "bad\n"})
    refused = project.build("policy")
    assert refused.one["verdict"] == "needs-human" and any("no brief" in reason for reason in refused.one["reasons"])
    broken = project.build("command")
    assert (broken.code, broken.one["verdict"]) == (1, "not-ready"), broken

    (project.root.parent / "lenient.yaml").write_text(LENIENT)
    given = project.build("policy", "--policy", str(project.root.parent / "lenient.yaml"))
    assert given.one["policy_digest"] != refused.one["policy_digest"]
    assert not any("no brief" in reason for reason in given.one["reasons"])
    project.branch("lax", command)
    project.branch("lax-work", {"product.txt": "bad\n"}, of="lax")
    assert pieces(project.build("lax-work", base="lax"))["tests.base-on-result"]["state"] == "passed"


def test_a_lower_level_is_stated(gate: MakeGate) -> None:
    """Without a sandbox the pack is made only when asked for, says so in every piece, and is not ready by itself."""
    project = gate(MAKE)
    project.branch("work", {"product.txt": "good enough\n"})
    answer = project.build("work", "--sandbox", "none")
    assert answer.code == 3, answer
    assert answer.one["audit"]["sandbox"] == "none"
    assert {piece["sandbox"] for piece in pieces(answer).values() if piece["command"]} == {"none"}
    assert any("sandbox" in reason for reason in answer.one["reasons"]), answer


def test_a_machine_without_a_sandbox(gate: MakeGate, tmp_path: Path) -> None:
    """Where the sandbox that is wanted cannot be had, nothing is run, and the error says how to go on."""
    project = gate(MAKE)
    project.branch("work", {"product.txt": "good enough\n"})
    bare = tmp_path / "bin"
    bare.mkdir()
    for program in ("git", "sh", "make", "grep"):
        (bare / program).symlink_to(shutil.which(program) or "/nowhere")
    project.person.env["PATH"] = str(bare)
    refused = project.person.types(
        project.root, "mrp", "build", "--base", "main", "--head", "work", "--sandbox", "bubblewrap"
    )
    assert refused.code == 4 and "--sandbox none" in refused.error["hint"], refused


def test_a_shallow_clone(gate: MakeGate, tmp_path: Path) -> None:
    """A clone that has base and head is gated; one that lacks base is told so, with the remedy."""
    origin = gate(MAKE, "origin")
    origin.branch("work", {"product.txt": "good enough\n"})
    for depth in (1, 2):
        clone = tmp_path / f"depth-{depth}"
        url = origin.root.as_uri()
        Repo(origin.root).git("clone", "-q", "--depth", str(depth), "--branch", "work", url, str(clone))
        answer = origin.person.types(clone, "mrp", "build", "--base", "HEAD~1", "--head", "HEAD", *LEVEL)
        if depth == 1:
            assert answer.code not in (0, 1, 3) and answer.error["hint"], answer
        else:
            assert answer.code == 3 and pieces(answer)["tests.base-on-result"]["state"] == "passed", answer
        origin.person.types(clone, "aee", "stop")


def test_altered_packs_are_refused(gate: MakeGate, tmp_path: Path) -> None:
    """A pack whose kept form was forged, or replaced by that of another commit, fails `verify`; untouched it holds."""
    project = gate(MAKE)
    project.branch("bad", {"product.txt": "bad\n"})
    project.branch("good", {"product.txt": "good, too\n"})
    packs = {name: project.build(name).one for name in ("bad", "good")}
    project.close()

    def verify() -> Answer:
        return project.person.types(project.root, "mrp", "verify", packs["bad"]["id"])

    whole = verify()
    assert whole.code == 0 and whole.one["ok"] is True, whole

    kept = tmp_path / "home" / "state" / "workbench"
    bad, good = (_blob(kept, packs[name]["digest"]) for name in ("bad", "good"))
    original = bad.read_bytes()
    forged = original.replace(b'"verdict":"not-ready"', b'"verdict":"ready"')
    assert forged != original
    for content in (forged, good.read_bytes()):
        bad.chmod(0o600)
        bad.write_bytes(content)
        answer = verify()
        assert answer.code == 1 and answer.one["problems"], answer
    bad.write_bytes(original)
    assert verify().code == 0


def _blob(state: Path, digest: str) -> Path:
    hexadecimal = digest.removeprefix("sha256:")
    (found,) = state.glob(f"*/blobs/{hexadecimal[:2]}/{hexadecimal[2:]}")
    return found


def test_a_push_after_approval_voids_the_decision(gate: MakeGate, brief: str) -> None:
    """A decision binds what was examined: another commit is never merged by it, and a moved base refuses it."""
    project = gate(MAKE)
    project.branch("work", {"product.txt": "good work\n"})
    pack = project.build("work", "--brief", brief).one["id"]
    approve = ("approve", pack, "--why", "It holds.")
    approved = project.person.types(project.root, *approve)
    assert approved.code == 0, approved
    project.repo.git("checkout", "-q", "work")
    pushed = project.repo.commit({"product.txt": "bad\n"})
    project.repo.git("checkout", "-q", "main")
    project.repo.commit({"other.txt": "meanwhile\n"})
    before = project.repo.git("rev-parse", "main")
    refused = project.person.types(project.root, "merge", pack)
    assert refused.code != 0 and refused.error["hint"], refused
    assert project.repo.git("rev-parse", "main") == before

    project.repo.git("reset", "-q", "--hard", "HEAD~1")  # the control: nothing moved, and the same decision merges
    merged = project.person.types(project.root, "merge", pack)
    assert merged.code == 0, merged
    assert (project.root / "product.txt").read_text() == "good work\n"
    assert pushed not in project.repo.git("rev-list", "main").split()

"""The command line as a new user meets it, in repositories as people really have them."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from repositories import WORKING, Answer, Person, clean, dirty_target, everything

from workbench.aee.sandbox.select import probe
from workbench.testing.repositories import Repo

# A whole loop takes seconds: the oddest, and one more by the seed; WORKBENCH_SOAK=1 goes through all of them.
EVERY_TIME = "names"
OTHERS = sorted(set(WORKING) - {EVERY_TIME})
SEED = os.environ.get("WORKBENCH_SEED", "1")
SAMPLE = OTHERS if os.environ.get("WORKBENCH_SOAK") else random.Random(SEED).sample(OTHERS, 1)


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return Person(tmp_path / "home")


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """An agent that changes a file, adds one and delivers."""
    text = """agent: quick
steps:
  - files: {"a.txt": "changed\\n", "neu/new file.txt": "new\\n"}
  - submit: {message: "Change a", rationale: {approach: "Plainly."}}
"""
    (tmp_path / "quick.yaml").write_text(text)
    return tmp_path / "quick.yaml"


@pytest.fixture
def loop(person: Person, script: Path, tmp_path: Path) -> Iterator[Loop]:
    made = Loop(person, script)
    yield made
    made.end()


class Loop:
    """A mission from a sentence to an approved pack."""

    def __init__(self, person: Person, script: Path) -> None:
        self.person, self.script = person, script
        self.at = Path()

    def delivered(self, at: Path, *options: str) -> str:
        """Start a mission and wait for its pack; the pack's id."""
        self.at = at
        started = self.person.types(at, "run", "Change a", "--script", str(self.script), *options)
        assert started.code == 0, started
        waited = self.person.types(at, "wait", "--timeout", "100")
        assert waited.code == 3, (waited, self.person.types(at, "log", started.one["runs"][0]))
        row = self.person.types(at, "inbox").one
        assert row["kind"] == "mrp", row
        return str(row["id"])

    def approved(self, at: Path, *options: str) -> str:
        """The same, and say yes to it."""
        pack = self.delivered(at, *options)
        for more in ((), ("--override",)):
            said = self.person.types(at, "approve", pack, "--why", "It is what I asked for.", *more)
            if said.code == 0:
                return pack
        raise AssertionError(said)

    def end(self) -> None:
        if self.at.parts:
            self.person.types(self.at, "aee", "stop")


def refused(answer: Answer, *words: str, code: int = 4) -> None:
    """One error, with what is wrong and what to do."""
    assert answer.code == code, answer
    error = answer.error
    assert error["hint"], error
    assert all(word in f"{error['message']} {error['hint']}" for word in words), error


def needs_bubblewrap() -> None:
    found = probe("bubblewrap")
    if not found.works:
        pytest.skip(found.reason)


def whole_loop(name: str, person: Person, loop: Loop, tmp_path: Path) -> None:
    """From a sentence to a merge and back; what the person has is touched by the merge alone, and then as asked."""
    needs_bubblewrap()
    at = WORKING[name](tmp_path / "repo", person)
    before = everything(person, at)
    branch = "side" if name == "linked" else "main"
    pack = loop.approved(at, *(["--base", "main", "--into", "main"] if name in ("uncommitted", "detached") else []))
    assert everything(person, at) == before
    merged = person.types(at, "merge", pack)
    assert merged.code == 0, merged
    assert person.git(at, "rev-parse", branch) == merged.one["merge_commit"]
    assert person.git(at, "show", f"{branch}:neu/new file.txt") == "new"
    assert person.git(at, "fsck", "--no-dangling", "--no-progress") == ""
    undone = person.types(at, "undo", pack)
    assert undone.code == 0, undone
    assert everything(person, at) == before


@pytest.mark.parametrize("name", [EVERY_TIME, *SAMPLE])
def test_a_mission_goes_from_a_sentence_to_a_merge_and_back(
    name: str, person: Person, loop: Loop, tmp_path: Path
) -> None:
    """Uncommitted work, odd names, submodules, LFS, CRLF, shallow, linked, detached: it closes, and nothing is lost."""
    whole_loop(name, person, loop, tmp_path)


def test_a_dirty_target_is_not_merged_into(person: Person, loop: Loop, tmp_path: Path) -> None:
    """Work on the branch that is checked out is said at the start and stops the merge, with the remedy."""
    needs_bubblewrap()
    at = dirty_target(tmp_path / "repo", person)
    pack = loop.approved(at)
    before = everything(person, at)
    refused(person.types(at, "merge", pack), "a.txt", "commit", code=1)
    assert everything(person, at) == before
    person.git(at, "stash", "-q")
    assert person.types(at, "merge", pack).code == 0
    person.git(at, "stash", "drop", "-q")
    assert (at / "a.txt").read_text() == "changed\n"


VERBS = (("init",), ("run", "Do it"), ("mrp", "build", "--base", "main", "--head", "main"), ("merge", "MRP-1"))


def _empty(place: Path) -> Path:
    place.mkdir()
    return place


def _bare(place: Path) -> Path:
    source = Repo(place.with_name("source"))
    source.commit({"a.txt": "1\n"})
    source.git("clone", "-q", "--bare", str(source.path), str(place))
    return place


@pytest.mark.parametrize("words", VERBS, ids=lambda words: words[0])
def test_a_directory_without_git_is_named(person: Person, tmp_path: Path, words: tuple[str, ...]) -> None:
    """In an empty directory every verb says that it is no repository and how to make one, and leaves it empty."""
    at = _empty(tmp_path / "new")
    refused(person.types(at, *words), "not in a git repository", "git init")
    assert list(at.iterdir()) == []


@pytest.mark.parametrize("words", VERBS[1:3], ids=lambda words: words[0])
def test_a_repository_without_commits_is_named(person: Person, tmp_path: Path, words: tuple[str, ...]) -> None:
    """Before the first commit there is nothing to work from: the person is told to make one."""
    at = Repo(tmp_path / "repo").path
    refused(person.types(at, *words), "no commit", "git commit")
    assert [entry.name for entry in at.iterdir()] == [".git"]


def test_a_repository_without_commits_can_be_set_up(person: Person, tmp_path: Path) -> None:
    """`init` needs no commit: the first one may hold what it writes."""
    at = Repo(tmp_path / "repo").path
    assert person.types(at, "init").code == 0
    assert (at / ".workbench").is_dir() and person.types(at, "init").code == 0


@pytest.mark.parametrize("words", VERBS, ids=lambda words: words[0])
def test_a_bare_repository_is_named(person: Person, tmp_path: Path, words: tuple[str, ...]) -> None:
    """Where there is no checkout, the person is told to make one; gating branches works without one, for CI."""
    at = _bare(tmp_path / "repo.git")
    before = sorted(str(path) for path in at.rglob("*"))
    said = person.types(at, *words)
    if words[0] != "mrp":
        refused(said, "bare", "git clone") if words[0] != "merge" else refused(said, code=said.code)
    assert said.code in (1, 2, 3, 4)
    assert sorted(str(path) for path in at.rglob("*")) == before


def test_a_read_only_git_directory_is_only_missed_by_the_merge(person: Person, loop: Loop, tmp_path: Path) -> None:
    """Agents work on although `.git` cannot be written; the merge says so with the remedy, and goes through later."""
    needs_bubblewrap()
    at = clean(tmp_path / "repo", person)
    before = everything(person, at)
    git_dir = str(at / ".git")
    person.prefix = ("bwrap", "--dev-bind", "/", "/", "--ro-bind", git_dir, git_dir, "--")
    pack = loop.approved(at)
    refused(person.types(at, "merge", pack), "cannot be written", "writable")
    assert everything(person, at) == before
    person.prefix = ()
    assert person.types(at, "merge", pack).code == 0


def test_a_read_only_checkout_cannot_be_set_up(person: Person, tmp_path: Path) -> None:
    """`init` in a directory that may not be written names it and leaves nothing half written."""
    needs_bubblewrap()
    at = clean(tmp_path / "repo", person)
    person.prefix = ("bwrap", "--dev-bind", "/", "/", "--ro-bind", str(at), str(at), "--")
    refused(person.types(at, "init"), str(at))
    assert not (at / ".workbench").exists()

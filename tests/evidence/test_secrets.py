"""Secrets are found in added lines, in what commits brought and took away, and in files that no diff shows as lines."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.evidence.secrets import Secrets
from workbench.ports import Collected, Commit, History
from workbench.testing.changes import TreeChange


def state(collected: Collected) -> str:
    return collected.evidence[0].state


def added(path: str, text: str, before: str = "") -> TreeChange:
    return TreeChange.of({path: before} if before else {}, {path: text})


AWS = "AKIA" + "Q7W3E5R8T2Y6U4I9"


@pytest.mark.parametrize(
    "line",
    [
        f"key = '{AWS}'",
        f"key = '{AWS}'  # pragma: allowlist secret",
        "token = 'ghp_" + "a1B2" * 9 + "'",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "url = 'postgres://app:hunter2hunter2@db.internal/app'",
        "password = 'c0rrect-h0rse-battery'",
    ],
)
def test_a_secret_fails_and_is_not_repeated(line: str) -> None:
    """A secret in an added line fails the evidence, a comment does not allow it, and the finding does not show it."""
    collected = Secrets().collect(added("src/a.py", f"{line}\n"))
    assert state(collected) == "failed"
    assert all(AWS not in finding.text and "hunter2hunter2" not in finding.text for finding in collected.findings)
    assert collected.findings[0].line == 1


@pytest.mark.parametrize(
    "line",
    [
        "password = os.environ['PASSWORD']",
        "password = '${PASSWORD}'",
        "token = 'example-token-1'",
        "sha = '" + "0f" * 20 + "'",
        "password = ''",
    ],
)
def test_ordinary_lines_are_no_secrets(line: str) -> None:
    """A reference to a secret, a placeholder or a digest is no secret."""
    assert state(Secrets().collect(added("src/a.py", f"{line}\n"))) == "passed"


def test_only_added_lines_count() -> None:
    """A secret that base already has is not this change's."""
    before = f"key = '{AWS}'\n"
    assert state(Secrets().collect(added("a.py", before + "x = 1\n", before))) == "passed"
    assert state(Secrets().collect(added("a.py", "x = 1\n" + before))) == "failed"


PASSWORD = "password = 'c0rrect-h0rse-battery'\n"
BYTES = bytes(range(256)) * 8


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_secret_in_wide_text_is_found(encoding: str) -> None:
    """Text of two or four bytes a character is read line by line, although git shows none of it."""
    before, after = "[client]\nhost = 'db'\n", f"[client]\nhost = 'db'\n{PASSWORD}key = '{AWS}'\n"
    change = TreeChange({"a.ini": before.encode(encoding)}, {"a.ini": after.encode(encoding)})
    collected = Secrets().collect(change)
    assert [(finding.line, finding.severity) for finding in collected.findings] == [(3, "medium"), (4, "critical")]
    assert state(collected) == "failed"
    honest = TreeChange({"a.ini": after.encode(encoding)}, {"a.ini": (after + "port = 1\n").encode(encoding)})
    assert [piece.state for piece in Secrets().collect(honest).evidence] == ["passed"]


def test_a_lock_file_is_searched_for_well_known_shapes() -> None:
    """A token in the address of a registry is found; digests, of which lock files are full, are no secrets."""
    digests = "".join(f'hash = "sha256:{number:064x}"\n' for number in range(99))
    token = 'source = "https:' + "//ci:glpat-" + "a1B2c3D4e5" * 2 + '@git.example.org/p"\n'
    assert state(Secrets().collect(added("uv.lock", digests))) == "passed"
    collected = Secrets().collect(added("uv.lock", digests + token))
    assert {finding.line for finding in collected.findings} == {100} and state(collected) == "failed"
    past = History(added={"c" * 40: {"uv.lock": ((7, token),)}})
    assert state(Secrets().collect(with_history(history=past))) == "failed"


@pytest.mark.parametrize("hidden", [AWS.encode(), AWS.encode("utf-16-le"), AWS.encode("utf-16-be")])
def test_a_binary_file_is_named_as_not_checked(hidden: bytes) -> None:
    """Of a binary file well-known shapes are looked for in its readable runs; that this is all is said, and no pass."""
    change = TreeChange({"x.png": BYTES}, {"x.png": BYTES + b"\1", "a.py": b"x = 1\n"})
    whole, binary = Secrets().collect(change).evidence
    assert (whole.kind, whole.state) == ("secrets", "passed")
    assert (binary.kind, binary.state) == ("secrets.binary", "not-checked") and "x.png" in binary.summary
    found = Secrets().collect(TreeChange({"x.png": BYTES}, {"x.png": BYTES + b"\0\0" + hidden + b"\0\0"}))
    assert (state(found), [finding.path for finding in found.findings]) == ("failed", ["x.png"])
    kept = BYTES + b"\0\0" + hidden + b"\0\0"
    assert not Secrets().collect(TreeChange({"x.png": kept}, {"x.png": kept + b"\2"})).findings


def test_a_binary_file_that_came_and_went_is_named() -> None:
    """A file of an earlier commit of which no line is shown was not read, and its merge brings it along."""
    past = History(added={"c" * 40: {"dump.bin": ()}, "d" * 40: {"dump.bin": (), "a.py": ()}})
    assert "dump.bin (of an earlier commit" in Secrets().collect(with_history(history=past)).evidence[1].summary


def with_history(**more: Any) -> TreeChange:
    return TreeChange({"a.py": b"x = 1\n"}, {"a.py": b"x = 2\n"}, **more)


def test_a_secret_that_a_later_commit_removed_is_found() -> None:
    """A secret in an earlier commit fails although the result lacks it, and the finding says which commit.

    Control: the same change without that commit passes.
    """
    past = History(added={"c" * 40: {"conf.py": ((7, f"key = '{AWS}'"),)}, "d" * 40: {"conf.py": ()}})
    collected = Secrets().collect(with_history(history=past))
    assert state(collected) == "failed"
    (found,) = collected.findings
    assert (found.path, found.line, found.severity) == ("conf.py", 7, "critical")
    assert "commit cccccccccccc" in found.text
    assert AWS not in found.text
    assert state(Secrets().collect(with_history())) == "passed"


def test_a_secret_is_told_once() -> None:
    """A secret that stands in the result and in its commit is one finding."""
    line = f"key = '{AWS}'"
    past = History(added={"c" * 40: {"a.py": ((1, line),)}})
    change = TreeChange({}, {"a.py": line.encode()}, history=past)
    assert len(Secrets().collect(change).findings) == 1


def test_a_secret_in_a_message_is_found() -> None:
    """A merge brings messages along, too."""
    collected = Secrets().collect(with_history(commits=[Commit(id="c" * 40, message=f"Use it\n\nkey {AWS}\n")]))
    assert state(collected) == "failed"
    assert "the message of commit cccccccccccc" in collected.findings[0].text


def test_a_history_that_was_left_out_is_not_checked() -> None:
    """What is beyond the bounds is no pass, and says so."""
    collected = Secrets().collect(with_history(history=History(left_out=("9 earlier commits",))))
    assert state(collected) == "not-checked"
    assert "9 earlier commits" in collected.evidence[0].summary

"""Merges leave checkpoints of the journal in git, signed where nobody must be asked; a journal is held to them."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest
from ace_world import Call, World, git

from workbench.ace.wiring import signing
from workbench.repository.repository import open_repository

REF = "refs/workbench/checkpoints"
needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")


@pytest.fixture
def merged(call: Call, world: World) -> str:
    """A pack that was merged."""
    return merge(call, world, "prices")


def merge(call: Call, world: World, mission: str) -> str:
    world.base = git(world.repository, "rev-parse", "main")
    (run,) = world.mission(mission)
    name = world.pack(run, files={f"{mission}.py": "A = 1\n"})
    call("approve", name, "--why", "fine")
    said = call("merge", name, "--json")
    assert said.code == 0, said.err
    assert said.one["checkpoint"] == git(world.repository, "rev-parse", REF)
    return name


@pytest.fixture
def key(home: Path) -> Path:
    """The person's signing key, as git has it configured."""
    path = home / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f", str(path)], check=True)
    with (home / ".gitconfig").open("a") as config:
        config.write(f"[gpg]\n\tformat = ssh\n[user]\n\tsigningkey = {path}\n")
    return path


def signer(call: Call) -> str:
    found = call("journal", "verify", "--json").one["newest_checkpoint"]["signer"]
    assert isinstance(found, str)
    return found


def test_each_merge_adds_a_checkpoint_to_one_chain(call: Call, world: World, merged: str, repository: Path) -> None:
    """Seq and heads of all streams, commit upon commit; the journal is held to all of them."""
    first = git(repository, "rev-parse", REF)
    merge(call, world, "taxes")
    assert git(repository, "rev-parse", f"{REF}^") == first
    report = call("journal", "verify", "--json").one
    assert (report["ok"], report["checkpoints"], report["problems"]) == (True, 2, [])
    assert report["newest_checkpoint"]["signer"] in ("intact, unknown signer", "unsigned")  # by this machine's key


def test_a_key_that_cannot_sign_is_said_and_no_other_takes_its_place(call: Call, world: World, home: Path) -> None:
    """A merge whose key is broken goes through, unsigned, with a note."""
    with (home / ".gitconfig").open("a") as config:
        config.write(f"[gpg]\n\tformat = ssh\n[user]\n\tsigningkey = {home}/nothing\n")
    (run,) = world.mission()
    world.pack(run)
    call("approve", run, "--why", "x")
    assert "unsigned" in call("merge", run).err
    assert signer(call) == "unsigned"


@needs_ssh
def test_a_checkpoint_is_signed_with_the_key_that_git_has(call: Call, key: Path, merged: str, repository: Path) -> None:
    """Unknown until the signer is listed in what is checked out; then trusted, for us and for git itself."""
    assert signer(call) == "intact, unknown signer"
    listed = repository / ".workbench/signers"
    listed.parent.mkdir(exist_ok=True)
    listed.write_text(f"ada@example.org {key.with_suffix('.pub').read_text()}")
    assert signer(call) == "intact, unknown signer"  # not committed: it binds nobody
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "List the signers")
    assert signer(call) == "trusted signer"
    git(repository, "-c", f"gpg.ssh.allowedSignersFile={listed}", "verify-commit", REF)


@needs_ssh
def test_an_altered_checkpoint_is_named(call: Call, key: Path, merged: str, repository: Path) -> None:
    """A commit whose signature is of another content is a problem, and the exit code says so."""
    raw = subprocess.run(["git", "cat-file", "commit", REF], cwd=repository, check=True, capture_output=True).stdout
    forged = raw.replace(b"Checkpoint of the journal", b"Checkpoint of a journal")
    assert forged != raw
    made = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin"],
        cwd=repository, input=forged, check=True, capture_output=True,
    ).stdout.decode()  # fmt: skip
    git(repository, "update-ref", REF, made.strip())
    said = call("journal", "verify", "--json")
    assert (said.code, said.one["newest_checkpoint"]["signer"]) == (1, "altered")


@needs_ssh
def test_a_key_with_a_passphrase_asks_nobody(call: Call, key: Path, world: World) -> None:
    """What would have to be typed leaves the checkpoint unsigned; the merge does not wait."""
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "secret", "-f", str(key)], check=True)
    key.with_suffix(".pub").unlink()
    merge(call, world, "prices")
    assert signer(call) == "unsigned"


def test_a_program_that_git_would_ask_is_not_run(call: Call, home: Path, merged: str, repository: Path) -> None:
    """gpg.ssh.program may open a window or be anybody's: it never runs. The control: git itself does run it."""
    trap, proof = home / "trap", home / "ran"
    trap.write_text(f"#!/bin/sh\ntouch {proof}\nexit 1\n")
    trap.chmod(0o755)
    with (home / ".gitconfig").open("a") as config:
        config.write(f'[gpg]\n\tformat = ssh\n[user]\n\tsigningkey = {home}/k\n[gpg "ssh"]\n\tprogram = {trap}\n')
    with open_repository(repository) as opened:
        signing.sign_commit(opened, git(repository, "rev-parse", "HEAD"))
    assert not proof.exists()
    subprocess.run(
        ["git", "commit", "-S", "--allow-empty", "-qm", "x"], cwd=repository, check=False, capture_output=True
    )
    assert proof.exists()


def test_a_journal_that_was_cut_is_told_by_its_checkpoint(call: Call, merged: str, world: World) -> None:
    """Events that a checkpoint knows cannot be taken away unseen. The control: without it the cut is not seen."""
    path = world.journal.path
    world.journal.close()
    with sqlite3.connect(path) as connection:
        guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in guards:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("DELETE FROM events WHERE seq > (SELECT max(seq) - 3 FROM events)")
        for _, sql in guards:
            connection.execute(sql)
    connection.close()
    assert call("journal", "rebuild").code == 0
    said = call("journal", "verify", "--json")
    assert said.code == 1
    assert any("checkpoint" in problem["text"] for problem in said.one["problems"])
    git(world.repository, "update-ref", "-d", REF)
    assert call("journal", "verify", "--json").one["problems"] == []


def test_a_journal_that_was_replaced_is_told(call: Call, merged: str, world: World) -> None:
    """Another journal in the same place does not begin as the one that the checkpoint knows."""
    directory = world.journal.directory
    world.journal.close()
    shutil.rmtree(directory)
    call("run", "Do this", "--script", str(_script(world.repository)), "--no-start")
    said = call("journal", "verify", "--json")
    assert said.code == 1
    assert "began with another event" in said.one["problems"][0]["text"]


def _script(repository: Path) -> Path:
    path = repository.parent / "robin.yaml"
    path.write_text("agent: robin\nsteps:\n  - think: hello\n")
    return path


def test_a_merge_whose_checkpoint_cannot_be_written_stands(call: Call, world: World, repository: Path) -> None:
    """The branch has moved: a ref in the way is only said."""
    git(repository, "update-ref", f"{REF}/in-the-way", "HEAD")
    (run,) = world.mission()
    name = world.pack(run)
    call("approve", name, "--why", "fine")
    said = call("merge", name, "--json")
    assert (said.code, said.one["checkpoint"]) == (0, "")
    assert "no checkpoint" in said.one["notes"][-1]

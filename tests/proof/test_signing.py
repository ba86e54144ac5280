"""Statements are signed by OpenSSH or GnuPG with whoever's key is at hand; no configuration makes anything else run."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from ace_world import Call, World, git

from workbench.ace.wiring.rebuilding import compared, differences
from workbench.artifacts.mergepack import MergePack
from workbench.model.errors import ArtifactInvalid
from workbench.model.evidence import Evidence, Finding
from workbench.proof import envelope, keeping, keys, ssh, statements
from workbench.proof.statements import Readiness
from workbench.repository.objects import WORKBENCH
from workbench.repository.repository import open_repository

BARE = MergePack(id="MRP-a.1-1", verdict="needs-human", base="b" * 40, head="c" * 40, tree="d" * 40, policy_digest="")


def test_what_is_signed_is_the_encoding_of_dsse() -> None:
    """The example of the protocol (dsse/protocol.md)."""
    found = envelope.authenticated("http://example.com/HelloWorld", b"hello world")
    assert found == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_a_submission_is_three_statements_about_one_result() -> None:
    """Test result, provenance and the pack itself, in in-toto's and SLSA's own fields."""
    checked = Evidence(id="1", kind="lint", criterion="hygiene", grade="executed", state="passed", summary="")
    not_checked = msgspec.structs.replace(checked, id="2", kind="types", state="not-checked")
    pack = msgspec.structs.replace(BARE, evidence=(checked, not_checked), not_checked=("types",))
    told = Readiness(pack=msgspec.to_builtins(pack), packDigest="sha256:ab", at="")
    made = [statements.parse(each) for each in statements.of_submission(told, version="1")]
    assert [each.predicateType for each in made] == [
        statements.TEST_RESULT,
        statements.PROVENANCE,
        statements.READINESS,
    ]
    assert {(each.of("result"), each.of("head"), statements.pack_digest(each)) for each in made} == {
        ("d" * 40, "c" * 40, "sha256:ab")
    }
    assert made[0].predicate["result"] == "WARNED"
    assert made[0].predicate["passedTests"] == ["lint (executed)"]
    assert made[0].predicate["warnedTests"] == ["types (executed) not-checked", "not checked: types"]
    assert set(made[1].predicate) == {"buildDefinition", "runDetails"}
    assert statements.readiness_of(made[2]).mrp == pack


@pytest.mark.parametrize(
    "hostile",
    [b"", b"{}", b"[]\n", b'{"payload":"!","payloadType":"x"}', b"\x1b[2J", "\u202e".encode(), b"[" * 100_000, b"\xff"],
)
def test_what_is_no_attestation_is_refused(hostile: bytes) -> None:
    """Whatever a repository brings under our refs, nothing of it is believed, and nothing breaks."""
    with pytest.raises(ArtifactInvalid):
        envelope.parse(hostile)


def test_the_local_key_is_made_once_for_its_owner_alone(home: Path) -> None:
    """Several at once come to one key, which nobody else may read; what it signs is checked against any change."""
    key = keys.local_key()
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: key.sign(b"words"), range(4)))
    assert len({each.signature for each in made}) == 1  # ed25519 signs the same words in the same way
    path = Path(key.name)
    assert path.is_relative_to(home / "state")
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    for words, found in ((b"words", "intact, unknown signer"), (b"other", "altered")):
        assert ssh.check(words, made[0].signature, None, namespace=keys.NAMESPACE, at=0).signer == found
    assert ssh.check(b"words", made[0].signature, None, namespace="git", at=0).signer == "altered"  # of another thing


def test_a_proof_that_cannot_be_signed_is_filed_unsigned(
    call: Call, world: World, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No ssh-keygen, no key: the merge goes through, says so, and its proof is shown as unsigned."""
    found = shutil.which("git")
    assert found is not None
    programs = home / "bin"
    programs.mkdir()
    for program in (found, "/usr/bin/env"):
        (programs / Path(program).name).symlink_to(program)
    monkeypatch.setenv("PATH", str(programs))
    (run,) = world.mission()
    name = world.pack(run)
    assert call("mrp", "verify", name, "--json").one["signer"] == "not signed"  # as packs of earlier versions are
    assert call("approve", name, "--why", "fine").code == 0
    said = call("merge", name)
    assert said.code == 0
    assert "unsigned" in said.err
    found_out = call("mrp", "verify", name, "--json")
    assert (found_out.code, found_out.one["signer"], found_out.one["problems"]) == (0, "unsigned", [])


def test_no_program_that_a_repository_names_is_run(call: Call, world: World, repository: Path, home: Path) -> None:
    """Settings, notes and refs that somebody left there run nothing. The control: git runs what they name."""
    trap, ran = home / "trap", home / "ran"
    trap.write_text(f"#!/bin/sh\necho $0 $@ >> {ran}\nexit 1\n")
    trap.chmod(0o755)
    for name in (
        "gpg.program",
        "gpg.ssh.program",
        "gpg.openpgp.program",
        "core.editor",
        "core.pager",
        "notes.displayRef",
    ):
        git(repository, "config", name, str(trap))
    git(repository, "config", "log.showSignature", "true")
    git(repository, "config", "user.signingkey", "-oProxyCommand=x")
    ref = "refs/workbench/packs/MRP-prices.1-1"
    git(repository, "update-ref", ref, "HEAD")
    git(repository, "update-ref", keeping.NOTES, "HEAD")
    git(repository, "config", "gpg.format", "ssh")
    (run,) = world.mission()
    name = world.pack(run)
    call("approve", name, "--why", "fine")
    said = call("merge", name, "--json")
    assert said.code == 0
    code = call("mrp", "verify", name, "--json")
    assert (code.code, code.one["problems"]) == (0, [])
    call("mrp", "verify", said.one["merge_commit"])
    assert not ran.exists()
    subprocess.run(
        ["git", "commit", "-S", "--allow-empty", "-qm", "x"], cwd=repository, check=False, capture_output=True
    )
    assert ran.exists()


@pytest.fixture
def gpg_key(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A GnuPG key without a passphrase; its agent ends with the test."""
    if shutil.which("gpg") is None or shutil.which("gpgv") is None:
        pytest.skip("gpg is not installed")
    with tempfile.TemporaryDirectory(prefix="gpg-") as directory:  # sockets want a short path
        monkeypatch.setenv("GNUPGHOME", directory)
        quick = [
            "gpg",
            "--batch",
            "--quiet",
            "--passphrase",
            "",
            "--quick-gen-key",
            "ada@example.org",
            "ed25519",
            "sign",
        ]
        subprocess.run(quick, check=True, capture_output=True)
        yield "ada@example.org"
        subprocess.run(["gpgconf", "--kill", "all"], check=False, capture_output=True)


def test_a_persons_own_gnupg_key_signs(gpg_key: str, home: Path, repository: Path) -> None:
    """Checked without a key ring, by the key that the envelope brings; nobody is trusted by it."""
    with (home / ".gitconfig").open("a") as config:
        config.write(f"[user]\n\tsigningkey = {gpg_key}\n")
    with open_repository(repository) as opened:
        key = keys.key_of(opened)
    made, problem = envelope.sealed(b"{}", key)
    assert not problem
    found = envelope.checked(made, None, at=0)
    assert (found.signer, found.key.split()[0]) == ("intact, unknown signer", "openpgp")
    other = msgspec.structs.replace(made, payload="e30K")
    assert envelope.checked(other, None, at=0).signer == "altered"


def test_many_write_notes_and_proofs_at_once(repository: Path) -> None:
    """Compare and swap: no note is lost, whoever comes first."""
    commits = [git(repository, "commit-tree", "HEAD^{tree}", "-m", str(number)) for number in range(6)]
    with open_repository(repository) as opened, ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda commit: keeping.annotate(opened, commit, f"of {commit}", by=WORKBENCH), commits))
        assert [keeping.note(opened, commit) for commit in commits] == [f"of {commit}" for commit in commits]
    assert git(repository, "notes", "--ref=workbench", "show", commits[0]) == f"of {commits[0]}"


def test_a_rebuilt_pack_is_compared_item_by_item() -> None:
    """State, grade, tree, verdict and findings; not when and how fast it was made."""
    item = Evidence(id="1", kind="tests", criterion="verification", grade="executed", state="passed", summary="")
    before = msgspec.structs.replace(BARE, evidence=(item, item))
    later = msgspec.structs.replace(item, id="9", duration_ms=7, started_at="x")
    assert list(differences(before, msgspec.structs.replace(before, evidence=(later, later)))) == []
    failed = msgspec.structs.replace(later, state="failed")
    found = Finding(kind="secrets.aws", severity="high", text="", path="a.py", line=10)
    after = msgspec.structs.replace(before, verdict="ready", evidence=(later, failed), findings=(found,))
    assert list(differences(before, after)) == [
        "built anew: verdict was needs-human and is ready now",
        "built anew: tests was passed (executed) and is failed (executed) now",
        "built anew: found besides: secrets.aws a.py:10",
    ]


def test_what_cannot_be_made_again_is_not_comparable() -> None:
    """Without the brief its clauses are not, nor a verdict that nothing else changes. Control: with it, all fail."""
    clause = Evidence(
        id="1", kind="clause.DOD-1", criterion="completeness", grade="executed", state="passed", summary=""
    )
    lint = msgspec.structs.replace(clause, kind="lint.new")
    before = msgspec.structs.replace(BARE, verdict="ready", brief_digest="sha256:1", evidence=(clause, lint))
    after = msgspec.structs.replace(before, verdict="needs-human", brief_digest="", evidence=(lint,))
    assert len(compared(before, after, lacking=()).problems) == 3
    found = compared(before, after, lacking=["brief"])
    assert found.problems == []
    assert found.not_checked[0] == "the brief: neither the proof nor the base has the one that the pack names"
    assert [words.partition(": ")[2] for words in found.not_checked[1:]] == [
        "verdict was ready and is needs-human now",
        "brief digest was sha256:1 and is nothing now",
        "clause.DOD-1 was passed (executed) and is missing now",
    ]
    worse = msgspec.structs.replace(after, evidence=(msgspec.structs.replace(lint, state="failed"),))
    assert compared(before, worse, lacking=["brief"]).problems == [
        "built anew: verdict was ready and is needs-human now",
        "built anew: lint.new was passed (executed) and is failed (executed) now",
    ]

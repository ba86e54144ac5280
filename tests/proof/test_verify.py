"""A merged pack leaves a proof in git, with which anybody can check it; whatever is altered is named."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from ace_world import Call, World, git

from workbench.model.digests import digest_of
from workbench.model.evidence import Evidence
from workbench.proof import envelope, keeping, statements
from workbench.proof.keys import Key

PACK = "MRP-prices.1-1"
REF = f"refs/workbench/packs/{PACK}"
LOG = b"12 passed\n"


def merge(call: Call, world: World, **fields: Any) -> str:
    """A pack with a log, approved and merged; the merge commit."""
    bare = Evidence(
        id="EV-1", kind="tests.result", criterion="verification", grade="executed", state="passed",
        summary="12 passed", outputs={"log": world.journal.blobs.put(LOG)},
    )  # fmt: skip
    covered = {name: value for name, value in msgspec.to_builtins(bare).items() if name not in ("id", "digest")}
    world.base = git(world.repository, "rev-parse", "main")
    (run,) = world.mission()
    name = world.pack(run, evidence=(msgspec.structs.replace(bare, digest=digest_of(covered)),), **fields)
    assert call("approve", name, "--why", "fine").code == 0
    said = call("merge", name, "--json")
    assert (said.code, said.one["notes"]) == (0, []), said.err
    return str(said.one["merge_commit"])


class Tampering:
    """An attacker who may write whatever they like into the repository, and their key."""

    def __init__(self, repository: Path, merged: str) -> None:
        self.repository = repository
        self.merged = merged
        self.key = Key(name=str(repository.parent / "attacker"), is_local=True)

    def raw(self, name: str) -> bytes:
        words = ["git", "cat-file", "blob", name]
        return subprocess.run(words, cwd=self.repository, check=True, capture_output=True).stdout

    def put(self, data: bytes) -> str:
        words = ["git", "hash-object", "-w", "--stdin"]
        made = subprocess.run(words, cwd=self.repository, input=data, check=True, capture_output=True)
        return made.stdout.decode().strip()

    def amended(self, commit: str, files: dict[str, bytes], *, change: Callable[[str], str] = str) -> str:
        """A commit like `commit` with other files, and another message."""
        environment = {**os.environ, "GIT_INDEX_FILE": str(self.repository / ".git/tampering")}

        def run(*words: str) -> str:
            done = subprocess.run(
                ["git", *words], cwd=self.repository, env=environment, check=True, capture_output=True
            )
            return done.stdout.decode().strip()

        run("read-tree", commit)
        for name, data in files.items():
            run("update-index", "--add", "--cacheinfo", f"100644,{self.put(data)},{name}")
        parents = run("log", "-1", "--format=%P", commit).split()
        message = change(run("log", "-1", "--format=%B", commit))
        return run(
            "commit-tree", run("write-tree"), *(word for each in parents for word in ("-p", each)), "-m", message
        )

    def refile(self, name: str, data: bytes) -> None:
        """Put another file into the proof, on top of it."""
        made = self.amended(REF, {name: data})
        child = git(self.repository, "commit-tree", f"{made}^{{tree}}", "-p", REF, "-m", "x")
        git(self.repository, "update-ref", REF, child)

    def last(self) -> envelope.Envelope:
        return envelope.parse(self.raw(f"{REF}:attestations.jsonl"))[-1]

    def file_last(self, made: envelope.Envelope) -> None:
        lines = envelope.parse(self.raw(f"{REF}:attestations.jsonl"))
        self.refile("attestations.jsonl", envelope.to_lines([*lines[:-1], made]))

    def forge(self, **changes: Any) -> None:
        """The newest statement as one would like it, signed by oneself."""
        told = statements.readiness_of(statements.parse(self.last().content))
        made, problem = envelope.sealed(statements.of_readiness(msgspec.structs.replace(told, **changes)), self.key)
        assert not problem
        self.file_last(made)

    # --- one way each -------------------------------------------------------------------------------------------------

    def statement(self) -> None:
        last = self.last()
        changed = msgspec.json.decode(msgspec.json.encode(last).replace(b'"payload":"eyJ', b'"payload":"eyI'))
        self.file_last(msgspec.convert(changed, envelope.Envelope))

    def statement_reads(self) -> None:
        import base64

        last = self.last()
        words = last.content.replace(b"the suite was not run", b"the suite was well run")
        assert words != last.content
        self.file_last(msgspec.structs.replace(last, payload=base64.b64encode(words).decode()))

    def signature_gone(self) -> None:
        self.file_last(msgspec.structs.replace(self.last(), signatures=()))

    def forged_pack(self) -> None:
        told = statements.readiness_of(statements.parse(self.last().content)).pack
        better = {**told, "not_checked": []}
        self.forge(pack=better, packDigest=digest_of(better))

    def forged_signers(self) -> None:
        self.forge(signersDigest="sha256:" + "0" * 64)

    def evidence(self) -> None:
        (name,) = git(self.repository, "ls-tree", "--name-only", f"{REF}:evidence").split()
        self.refile(f"evidence/{name}", b"99 passed\n")

    def evidence_gone(self) -> None:
        tree = git(self.repository, "ls-tree", REF).replace("\n", "\n").splitlines()
        kept = "\n".join(line for line in tree if not line.endswith("evidence"))
        made = subprocess.run(
            ["git", "mktree"], cwd=self.repository, input=kept.encode(), check=True, capture_output=True
        ).stdout.decode()
        git(self.repository, "update-ref", REF, git(self.repository, "commit-tree", made.strip(), "-p", REF, "-m", "x"))

    def ref_gone(self) -> None:
        git(self.repository, "update-ref", "-d", REF)

    def ref_elsewhere(self) -> None:
        git(self.repository, "update-ref", REF, "HEAD")

    def ref_rewritten(self) -> None:
        git(self.repository, "update-ref", REF, self.amended(REF, {}, change=lambda _: "another history"))

    def note(self) -> None:
        words = git(self.repository, "notes", "--ref=workbench", "show", self.merged).replace("ready", "not-ready")
        git(self.repository, "notes", "--ref=workbench", "add", "-f", "-m", words, self.merged)

    def note_gone(self) -> None:
        git(self.repository, "notes", "--ref=workbench", "remove", self.merged)


WAYS = {
    "statement": "cannot be read",
    "statement_reads": "the signature of urn:sase-workbench:merge-readiness:v1 does not match what it says",
    "signature_gone": "the signature was taken away",
    "forged_pack": "the pack in the journal is not the one that the proof attests",
    "forged_signers": ".workbench/signers of the base is not what it was",
    "evidence": "log of evidence EV-1 (tests.result) does not match its digest",
    "evidence_gone": "log of evidence EV-1 (tests.result) is not in the proof any more",
    "ref_gone": f"{REF} is gone, though a checkpoint names",
    "ref_elsewhere": f"{REF} holds no attestations",
    "ref_rewritten": "no longer contains",
    "note": "the note says Workbench-Verdict: not-ready",
    "note_gone": "the note on",
}


def test_whatever_is_altered_in_git_is_named(call: Call, world: World, repository: Path) -> None:
    """One way at a time, and everything put back between: nothing is named when nothing is altered."""
    tampering = Tampering(repository, merge(call, world))
    whole = {ref: git(repository, "rev-parse", ref) for ref in (REF, keeping.NOTES)}
    for way, named in WAYS.items():
        getattr(tampering, way)()
        said = call("mrp", "verify", PACK, "--json")
        assert (said.code, said.one["ok"]) == (1, False), way
        assert any(named in words for words in said.one["problems"]), (way, said.one["problems"])
        for ref, commit in whole.items():
            git(repository, "update-ref", ref, commit)
    said = call("mrp", "verify", PACK, "--json")
    assert (said.code, said.one["problems"], said.one["signer"]) == (0, [], "intact, unknown signer")
    assert "dangling" not in git(repository, "fsck", "--strict", "--no-dangling")

"""A merged pack leaves a proof in git, with which anybody can check it; whatever is altered is named."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from ace_world import Call, World, git

from workbench.model.digests import digest_bytes, digest_of
from workbench.model.evidence import Evidence
from workbench.proof import checking, envelope, keeping, reading, statements
from workbench.proof.keys import Key
from workbench.repository.repository import open_repository

PACK = "MRP-prices.1-1"
REF = f"refs/workbench/packs/{PACK}"
LOG = b"12 passed\n"


def merge(call: Call, world: World, *, mode: str = "merge", **fields: Any) -> str:
    """A pack with a log, approved and merged; the merge commit."""
    bare = Evidence(
        id="EV-1", kind="tests.result", criterion="verification", grade="executed", state="passed",
        summary="12 passed", outputs={"log": world.journal.blobs.put(LOG)},
    )  # fmt: skip
    links = {"brief": world.journal.blobs.put(b"# Raise the price\n"), "policy": world.journal.blobs.put(b"rigor: x\n")}
    bound = msgspec.structs.replace(bare, id="EV-2", kind="audit", outputs={}, facts={"links": links})
    world.base = git(world.repository, "rev-parse", "main")
    (run,) = world.mission()
    name = world.pack(run, evidence=(digested(bare), digested(bound)), **fields)
    assert call("approve", name, "--why", "fine").code == 0
    said = call("merge", name, "--mode", mode, "--json")
    assert (said.code, said.one["notes"]) == (0, []), said.err
    return str(said.one["merge_commit"])


def digested(bare: Evidence) -> Evidence:
    covered = {name: value for name, value in msgspec.to_builtins(bare).items() if name not in ("id", "digest")}
    return msgspec.structs.replace(bare, digest=digest_of(covered))


class Tampering:
    """An attacker who may write whatever they like into the repository, and their key."""

    def __init__(self, repository: Path, merged: str) -> None:
        self.repository = repository
        self.merged = merged
        self.rotten: Path | None = None
        self.whole = b""
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

    def readme(self) -> None:
        self.refile("README.md", b"All is well.\n")

    def brief(self) -> None:
        self.refile("brief.md", b"# Do as you like\n")

    def forged_brief(self) -> None:
        told = statements.readiness_of(statements.parse(self.last().content))
        self.refile("brief.md", b"# Do as you like\n")
        self.forge(files={**told.files, "brief.md": digest_bytes(b"# Do as you like\n")})

    def damaged(self) -> None:
        """Bits that rot: the attestations themselves."""
        self._damage("attestations.jsonl")

    def evidence_damaged(self) -> None:
        (name,) = git(self.repository, "ls-tree", "--name-only", f"{REF}:evidence").split()
        self._damage(f"evidence/{name}")

    def _damage(self, name: str) -> None:
        found = git(self.repository, "rev-parse", f"{REF}:{name}")
        self.rotten = self.repository / ".git/objects" / found[:2] / found[2:]
        self.whole = self.rotten.read_bytes()
        self.rotten.chmod(0o600)
        self.rotten.write_bytes(b"x" * 20)

    def mend(self) -> None:
        if self.rotten is not None:
            self.rotten.write_bytes(self.whole)
            self.rotten = None

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
    "readme": "README.md of the proof is not what was attested",
    "brief": "brief.md of the proof is not what was attested",
    "forged_brief": "the proof attests another brief than the pack names",
    "damaged": f"{REF} holds no attestations",
    "evidence_damaged": "log of evidence EV-1 (tests.result) does not match its digest",
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
        tampering.mend()
        for ref, commit in whole.items():
            git(repository, "update-ref", ref, commit)
    said = call("mrp", "verify", PACK, "--json")
    assert (said.code, said.one["problems"], said.one["signer"]) == (0, [], "intact, unknown signer")
    assert "dangling" not in git(repository, "fsck", "--strict", "--no-dangling")


def verified(call: Call, wanted: str) -> tuple[int, dict[str, Any]]:
    said = call("mrp", "verify", wanted, "--json")
    return said.code, said.one


def test_whatever_is_altered_in_the_commit_is_named(call: Call, world: World, repository: Path) -> None:
    """A commit that stands in for the merge, with other trailers or other files, is no merge of the pack."""
    merged = merge(call, world)
    tampering = Tampering(repository, merged)
    other = tampering.amended(merged, {}, change=lambda words: words.replace("VCR-MRP", "VCR-XYZ"))
    more = tampering.amended(merged, {"door.py": b"open = True\n"})
    for commit in (other, more):
        assert f"{PACK} was merged as {merged[:12]}" in verified(call, commit)[1]["problems"][-1]
    # One who also attests it by another key is told by tree and trailers.
    told = statements.readiness_of(statements.parse(tampering.last().content))
    assert told.merge is not None
    for commit, named in ((other, "trailer Workbench-Decision is VCR-XYZ"), (more, "the merge changed door.py")):
        tampering.forge(merge=msgspec.structs.replace(told.merge, new=commit))
        code, found = verified(call, commit)
        assert code == 1
        assert any(named in words for words in found["problems"])
    git(repository, "update-ref", REF, f"{REF}~2")
    assert verified(call, merged)[0] == 0


def test_whatever_is_altered_in_the_journal_is_named(call: Call, world: World, repository: Path) -> None:
    """A decision rewritten in the journal is not the one that was signed, nor what its events say."""
    merge(call, world)
    path = world.journal.path
    world.journal.close()
    assert verified(call, PACK)[0] == 0
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE packs SET folded = replace(folded, '\"fine\"', '\"splendid\"')")
    connection.close()
    code, found = verified(call, PACK)
    assert code == 1
    assert found["signer"].startswith("altered: ")
    named = " ".join(found["problems"])
    assert f"decision VCR-{PACK} in the journal is not the one that the proof attests" in named
    assert "does not follow from its events" in named


def test_a_log_of_evidence_that_is_altered_or_gone_in_the_journal_is_named(call: Call, world: World) -> None:
    """By the pack's verification and by the walk of the journal: pack, evidence and output. Put back, all is well."""
    merge(call, world)
    name = digest_bytes(LOG).removeprefix("sha256:")
    path = world.journal.directory / "blobs" / name[:2] / name[2:]
    for damage, said in ((lambda: path.write_bytes(b"99 passed\n"), "does not match"), (path.unlink, "blob")):
        damage()
        code, found = verified(call, PACK)
        assert code == 1
        assert f"log of evidence EV-1 (tests.result) of {PACK}" in found["problems"][0]
        walked = call("journal", "verify", "--json")
        assert (walked.code, walked.one["ok"]) == (1, False)
        assert f"log of evidence EV-1 (tests.result) of pack {PACK}" in walked.one["problems"][0]["text"]
        assert said in walked.one["problems"][0]["text"]
        path.write_bytes(LOG)
        assert verified(call, PACK)[0] == call("journal", "verify").code == 0


def test_a_reader_without_the_journal_reads_and_checks_it(
    call: Call, world: World, repository: Path, tmp_path: Path
) -> None:
    """A clone that fetched refs and notes is enough; what is not there is said. The control: without them, nothing.

    Neither the head nor the examined tree came along: the tree is made again from the squashed commit.
    """
    merged = merge(call, world, mode="squash")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--single-branch", f"file://{repository}", str(clone))
    said = call("mrp", "verify", merged, "--json", at=clone)
    assert (said.code, said.one["signer"]) == (1, "not signed")
    assert "git fetch REMOTE" in said.one["problems"][0]
    git(
        clone, "fetch", "-q", "origin", "refs/workbench/*:refs/workbench/*", "refs/notes/workbench:refs/notes/workbench"
    )
    said = call("mrp", "verify", merged, "--json", at=clone)
    assert (said.code, said.one["problems"]) == (0, [])
    assert said.one["not_checked"] == ["the journal: there is none here"]
    more = Tampering(clone, merged).amended(merged, {"door.py": b"open = True\n"})
    with open_repository(clone) as opened:
        assert [*checking.entered(opened, shown_tree(clone), more, added=[f"VCR-{PACK}"])] != []
    shown = call("mrp", "show", PACK, "--json", at=clone).one
    assert (shown["verdict"], shown["state"], shown["decisions"][0]["rationale"]) == ("ready", "merged", "fine")
    assert "12 passed" in call("mrp", "show", PACK, at=clone).out
    (tmp_path / "proof.jsonl").write_text(call("mrp", "show", PACK, "--proof", at=clone).out)
    said = call("mrp", "verify", str(tmp_path / "proof.jsonl"), "--json", at=clone)
    assert (said.code, said.one["id"]) == (0, PACK)
    assert "a file holds the statements alone" in " ".join(said.one["not_checked"])
    (tmp_path / "nowhere").mkdir()  # no repository: signatures and digests all the same
    said = call("mrp", "verify", str(tmp_path / "proof.jsonl"), "--json", at=tmp_path / "nowhere")
    assert (said.code, said.one["id"], said.one["signer"]) == (0, PACK, "intact, unknown signer")
    assert "the repository: there is none here" in " ".join(said.one["not_checked"])
    words = (tmp_path / "proof.jsonl").read_text()
    (tmp_path / "proof.jsonl").write_text(words.replace('"payload":"eyJ', '"payload":"eyI', 1))
    assert call("mrp", "verify", str(tmp_path / "proof.jsonl"), at=tmp_path / "nowhere").code == 1
    git(clone, "update-ref", "-d", "refs/workbench/checkpoints")
    said = call("mrp", "verify", merged, "--json", at=clone)
    assert said.one["not_checked"][1:] == ["checkpoints: refs/workbench/checkpoints is not here"]
    assert not list((tmp_path / "home/state/workbench").glob("clone-*"))  # looking makes no journal
    git(clone, "fsck", "--strict")


def shown_tree(repository: Path) -> str:
    with open_repository(repository) as opened:
        proof = reading.read(opened, PACK)
    assert proof is not None
    assert proof.pack is not None
    return proof.pack.tree


def test_only_signers_of_the_base_are_trusted(call: Call, world: World, repository: Path, home: Path) -> None:
    """A key that the change itself lists is unknown; listed in the base, it is trusted, and known by name."""
    listed = ssh_key(home)
    first = merge(call, world, files={".workbench-signers": "x\n"})
    assert verified(call, first)[1]["signer"] == "intact, unknown signer"
    (repository / ".workbench").mkdir(exist_ok=True)
    (repository / ".workbench/signers").write_text(listed)
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "List the signers")
    assert verified(call, first)[1]["signer"] == "intact, unknown signer"
    world.base = git(repository, "rev-parse", "main")
    (run,) = world.mission("taxes")
    name = world.pack(run)
    assert call("approve", name, "--why", "fine").code == 0
    assert call("merge", name).code == 0
    found = verified(call, name)[1]
    assert (found["signer"], found["problems"]) == ("trusted signer", [])
    assert found["signatures"][-1]["who"] == "ada@example.org"
    # A proof may not bring its own base: one that is not part of what stands here vouches for nobody.
    git(repository, "checkout", "-q", "--orphan", "elsewhere")
    git(repository, "commit", "-qm", "Another history")
    git(repository, "branch", "-D", "main")
    assert verified(call, name)[1]["signatures"][-1]["who"] == ""


def ssh_key(home: Path) -> str:
    """The person's signing key, as git has it configured; its line in a signers file."""
    path = home / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f", str(path)], check=True)
    with (home / ".gitconfig").open("a") as config:
        config.write(f"[gpg]\n\tformat = ssh\n[user]\n\tsigningkey = {path}\n")
    return f"ada@example.org {path.with_suffix('.pub').read_text()}"

"""What a pack states, as in-toto statements (in-toto.io/Statement/v1): its test result, its provenance, all of it.

Pure: it signs nothing and reads no repository.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from workbench.artifacts.mergepack import MergePack
from workbench.model.digests import canonical
from workbench.model.errors import ArtifactInvalid
from workbench.model.evidence import PASSED, Evidence

STATEMENT = "https://in-toto.io/Statement/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
PROVENANCE = "https://slsa.dev/provenance/v1"  # its fields; nothing is claimed about a SLSA level
READINESS = "urn:sase-workbench:merge-readiness:v1"
BUILD_TYPE = "urn:sase-workbench:pack:v1"
BUILDER = "urn:sase-workbench:aee"
PACK = "pack"  # under which a statement names the digest of the pack that it is about


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement is about: `result` by gitTree, `head` and `merge` by gitCommit."""

    name: str
    digest: dict[str, str]


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One statement."""

    type: str = msgspec.field(name="_type")
    subject: tuple[Subject, ...]
    predicateType: str
    predicate: dict[str, Any]

    def of(self, subject: str) -> str:
        """The object id of one subject; empty when it is not about it."""
        found = [each for each in self.subject if each.name == subject]
        return next(iter(found[0].digest.values()), "") if len(found) == 1 else ""


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """How a pack entered its branch."""

    ref: str
    old: str
    new: str
    mode: str


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """The predicate of our own: the whole pack, what people decided on it, and how it was merged.

    `pack` stays as it was written: a later version, whose packs have other fields, must come to the same digest.
    """

    pack: dict[str, Any]
    packDigest: str
    at: str
    decisions: tuple[dict[str, Any], ...] = ()
    signersDigest: str = ""  # of the base's signers; empty: it has none
    merge: Merge | None = None
    evidenceLeftOut: dict[str, str] = {}  # blob digest to why it is not kept beside this
    files: dict[str, str] = {}  # what lies beside this besides evidence: name to digest; empty in earlier proofs

    @property
    def mrp(self) -> MergePack:
        """The pack as a value. Raises ValidationError for one that is none."""
        return msgspec.convert(self.pack, MergePack)


def of_submission(readiness: Readiness, *, version: str) -> list[bytes]:
    """The three statements about a pack as it was submitted."""
    pack, digest = readiness.mrp, readiness.packDigest
    facts = [(TEST_RESULT, test_result(pack, digest)), (PROVENANCE, provenance(pack, digest, version=version))]
    return [*(_statement(pack, kind, predicate) for kind, predicate in facts), of_readiness(readiness)]


def of_readiness(readiness: Readiness) -> bytes:
    """The statement of our own."""
    more = (Subject(name="merge", digest={"gitCommit": readiness.merge.new}),) if readiness.merge else ()
    return _statement(readiness.mrp, READINESS, msgspec.to_builtins(readiness), more)


def parse(payload: bytes) -> Statement:
    """A statement. Raises ArtifactInvalid when it is none."""
    try:
        found = msgspec.json.decode(payload, type=Statement)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as problem:
        raise ArtifactInvalid(f"a statement cannot be read: {problem}", []) from None
    if found.type != STATEMENT:
        raise ArtifactInvalid("a statement is of an unknown type", [])
    return found


def readiness_of(statement: Statement) -> Readiness:
    """What a statement of our own says. Raises ArtifactInvalid."""
    try:
        found = msgspec.convert(statement.predicate, Readiness)
        _ = found.mrp
        return found
    except (msgspec.MsgspecError, RecursionError) as problem:
        raise ArtifactInvalid(f"a statement cannot be read: {problem}", []) from None


def pack_digest(statement: Statement) -> str:
    """The digest of the pack that a statement names, whatever its predicate; empty when it names none."""
    predicate = statement.predicate
    if statement.predicateType == READINESS:
        return str(predicate.get("packDigest", ""))
    details = predicate.get("runDetails")
    listed = details.get("byproducts") if isinstance(details, Mapping) else predicate.get("configuration")
    for each in listed if isinstance(listed, Sequence) else ():
        if isinstance(each, Mapping) and each.get("name") == PACK and isinstance(each.get("digest"), Mapping):
            return f"sha256:{each['digest'].get('sha256', '')}"
    return ""


def test_result(pack: MergePack, digest: str) -> dict[str, Any]:
    """The predicate test-result v0.1. Every item of evidence is a test of the result; not checked is a warning."""
    passed = [_name(item) for item in pack.evidence if item.state == PASSED]
    failed = [_name(item) for item in pack.evidence if item.state == "failed"]
    warned = [f"{_name(item)} {item.state}" for item in pack.evidence if item.state not in (PASSED, "failed")]
    results = {"ready": "PASSED", "needs-human": "WARNED", "not-ready": "FAILED"}
    return {
        "result": results[pack.verdict],
        "configuration": [_resource(PACK, digest), *_bound(pack)],
        "passedTests": passed,
        "warnedTests": [*warned, *(f"not checked: {words}" for words in pack.not_checked)],
        "failedTests": failed,
    }


def provenance(pack: MergePack, digest: str, *, version: str) -> dict[str, Any]:
    """What the result was made from and by what, in the fields of SLSA provenance v1."""
    audit = pack.audit
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {"base": pack.base, "head": pack.head, "brief": pack.brief, "mission": pack.mission},
            "internalParameters": {
                "agent": pack.agent,
                "driver": f"{audit.driver} {audit.driver_version}".strip(),
                "model": audit.model,
                "sandbox": audit.sandbox,
                "environment": audit.environment_digest,
                "loop": audit.loop,
            },
            "resolvedDependencies": [
                {"name": "base", "digest": {"gitCommit": pack.base}},
                {"name": "head", "digest": {"gitCommit": pack.head}},
                *_bound(pack),
            ],
        },
        "runDetails": {
            "builder": {"id": BUILDER, "version": {"workbench": version, **audit.tools}},
            "metadata": {"invocationId": pack.run or pack.id, "finishedOn": pack.submitted_at},
            "byproducts": [
                _resource(PACK, digest),
                *(_resource(f"{item.kind}/{name}", kept) for item, name, kept in outputs(pack)),
            ],
        },
    }


def outputs(pack: MergePack) -> list[tuple[Evidence, str, str]]:
    """Every output of the evidence that is kept by digest: item, name, digest."""
    named = [(item, name, digest) for item in pack.evidence for name, digest in item.outputs.items()]
    return [each for each in named if each[2].startswith("sha256:")]


def links(pack: MergePack) -> dict[str, str]:
    """The blobs that hold what a pack was bound to, such as its brief and policy, by what they are."""
    found = next((item.facts.get("links") for item in pack.evidence if item.kind == "audit"), None)
    return {str(name): str(blob) for name, blob in found.items()} if isinstance(found, Mapping) else {}


def _statement(pack: MergePack, kind: str, predicate: dict[str, Any], more: tuple[Subject, ...] = ()) -> bytes:
    result = (Subject(name="result", digest={"gitTree": pack.tree}),) if pack.tree else ()  # none: it does not merge
    subject = (*result, Subject(name="head", digest={"gitCommit": pack.head}), *more)
    return canonical(Statement(type=STATEMENT, subject=subject, predicateType=kind, predicate=predicate))


def _bound(pack: MergePack) -> list[dict[str, Any]]:
    pins = {"policy": pack.policy_digest, "brief": pack.brief_digest}
    return [_resource(name, digest) for name, digest in pins.items() if digest]


def _resource(name: str, digest: str) -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": digest.removeprefix("sha256:")}}


def _name(item: Evidence) -> str:
    return f"{item.kind} ({item.grade})"

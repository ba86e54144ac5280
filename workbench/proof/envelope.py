"""Statements in their envelopes (DSSE, github.com/secure-systems-lab/dsse), one a line: sealed, read and checked.

It must not know what a statement says.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

import msgspec

from workbench.model.errors import ArtifactInvalid
from workbench.proof import gpg, ssh
from workbench.proof.keys import NAMESPACE, Key
from workbench.proof.ssh import Checked

PAYLOAD_TYPE = "application/vnd.in-toto+json"


class Signature(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One signature: base64 of its armour. `public` is the signer's key where the signature does not carry it."""

    sig: str
    keyid: str = ""
    public: str = ""


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """A payload in base64, and who signed it; nobody, where no signature could be made."""

    payload: str
    payloadType: str = PAYLOAD_TYPE
    signatures: tuple[Signature, ...] = ()

    @property
    def content(self) -> bytes:
        """The payload itself."""
        return base64.b64decode(self.payload, validate=True)


def authenticated(payload_type: str, payload: bytes) -> bytes:
    """What is signed: the pre-authentication encoding of DSSE 1."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sealed(payload: bytes, key: Key) -> tuple[Envelope, str]:
    """The payload in an envelope, and why nobody signed it (empty: somebody did)."""
    bare = Envelope(payload=base64.b64encode(payload).decode())
    made = key.sign(authenticated(PAYLOAD_TYPE, payload))
    if made.problem:
        return bare, made.problem
    signature = Signature(
        sig=base64.b64encode(made.signature.encode()).decode(), keyid=key.id(made), public=key.public()
    )
    return msgspec.structs.replace(bare, signatures=(signature,)), ""


def checked(envelope: Envelope, signers: bytes | None, *, at: int) -> Checked:
    """Whose the envelope is: the first trusted signer, else the first at all; altered if any signature is."""
    found = [_checked(envelope, signature, signers, at) for signature in envelope.signatures]
    order = ("altered", "trusted signer", "intact, unknown signer", "signed, not checked")
    return min(found, key=lambda each: order.index(each.signer), default=Checked("unsigned"))


def to_lines(envelopes: Sequence[Envelope]) -> bytes:
    """Envelopes as a file: JSON, one a line."""
    return b"".join(msgspec.json.encode(each) + b"\n" for each in envelopes)


def parse(data: bytes) -> list[Envelope]:
    """The envelopes in a file. Raises ArtifactInvalid when it holds anything else, or nothing."""
    if not data.isascii() or any(byte < 32 and byte != 10 for byte in data) or 127 in data:
        raise ArtifactInvalid("it holds no attestations: they are plain lines of text", [])
    try:
        found = [msgspec.json.decode(line, type=Envelope) for line in data.splitlines() if line.strip()]
        for each in found:
            _ = each.content
    except (msgspec.MsgspecError, UnicodeError, binascii.Error, RecursionError) as problem:
        raise ArtifactInvalid(f"it holds no attestations: {problem}", [], hint="workbench mrp verify MRP") from None
    if not found:
        raise ArtifactInvalid("it holds no attestations: it is empty", [], hint="workbench mrp verify MRP")
    return found


def _checked(envelope: Envelope, signature: Signature, signers: bytes | None, at: int) -> Checked:
    data = authenticated(envelope.payloadType, envelope.content)
    try:
        armour = base64.b64decode(signature.sig, validate=True).decode("ascii")
        if armour.startswith(gpg.ARMOR):
            return gpg.check(data, armour, signature.public)
        if armour.startswith(ssh.ARMOR):
            return ssh.check(data, armour, signers, namespace=NAMESPACE, at=at)
    except (binascii.Error, UnicodeError):
        return Checked("altered")
    return Checked("altered")  # neither kind that we write

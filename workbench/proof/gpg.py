"""Signatures by GnuPG, where a person's git is set up for it. It never prompts and runs no configured program."""

from __future__ import annotations

import base64
import shutil
import tempfile
from pathlib import Path

from workbench.proof.ssh import Checked, Made, run, words_of

PROGRAM, CHECKER = "gpg", "gpgv"  # by name: gpg.program may be anybody's
ARMOR = "-----BEGIN PGP SIGNATURE-----"
_SILENT = ("--batch", "--no-tty", "--pinentry-mode=error")


def sign(data: bytes, key: str) -> Made:
    """Sign `data` with a secret key that needs no passphrase, or whose passphrase the agent already has."""
    if shutil.which(PROGRAM) is None:
        return Made("", f"{PROGRAM} is not installed")
    said = run([PROGRAM, *_SILENT, "--armor", f"--local-user={key}", "--detach-sign"], data)
    if said.returncode:
        return Made("", f"{PROGRAM} did not sign: {words_of(said.stderr) or 'no answer'}")
    return Made(said.stdout.decode())


def public_key(key: str) -> str:
    """The public key that belongs to it, in base64, so that a reader needs no key server."""
    said = run([PROGRAM, *_SILENT, "--export-options=export-minimal", "--export", "--", key], b"")
    return base64.b64encode(said.stdout).decode()


def check(data: bytes, signature: str, public: str) -> Checked:
    """Whether the signature is `public`'s. A signers file lists no such keys, so nobody is trusted by it."""
    if not public or shutil.which(CHECKER) is None:
        return Checked("signed, not checked")
    with tempfile.TemporaryDirectory(prefix="workbench-signature-") as directory:
        ring, given, signed = (Path(directory) / name for name in ("ring", "signature", "data"))
        ring.write_bytes(base64.b64decode(public, validate=False))
        given.write_text(signature)
        signed.write_bytes(data)
        said = run([CHECKER, "--status-fd=1", "--keyring", str(ring), str(given), str(signed)], b"")
    valid = [line.split() for line in said.stdout.decode("utf-8", "replace").splitlines() if " VALIDSIG " in line]
    if said.returncode or not valid:
        return Checked("altered")
    return Checked("intact, unknown signer", key=f"openpgp {valid[0][2]}")

"""Signatures by OpenSSH (PROTOCOL.sshsig): making and checking them over any bytes. It never prompts.

It knows keys and signers, and nothing of commits or packs.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import shutil
import signal
import struct
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from workbench.model.text import one_line

TIMEOUT_S = 5.0  # an agent that waits for a touch or a window is not waited for
PROGRAM = "ssh-keygen"
ARMOR = "-----BEGIN SSH SIGNATURE-----"
Signer = Literal["trusted signer", "intact, unknown signer", "altered", "unsigned", "signed, not checked"]
_LITERAL = ("key::", "ssh-", "ecdsa-", "sk-")  # a public key itself, whose private part an agent holds
_KEPT = ("PATH", "HOME", "SSH_AUTH_SOCK", "TMPDIR", "GNUPGHOME")


class Made(NamedTuple):
    """A signature in its armour, or why there is none."""

    signature: str
    problem: str = ""


class Checked(NamedTuple):
    """Whose a signature is. `key` is the public key as a signers file has it, `who` the principal that it lists."""

    signer: Signer
    who: str = ""
    key: str = ""


def sign(data: bytes, key: str, *, namespace: str) -> Made:
    """Sign `data` with a key: the path of one, or a public key whose private part the person's agent holds."""
    if shutil.which(PROGRAM) is None:
        return Made("", f"{PROGRAM} is not installed")
    with tempfile.TemporaryDirectory(prefix="workbench-key-") as directory:
        words = ["-f", str(Path(key).expanduser())]
        if key.startswith(_LITERAL):
            public = Path(directory) / "key.pub"
            public.write_text(key.removeprefix("key::") + "\n")
            words = ["-U", "-f", str(public)]
        said = run([PROGRAM, "-Y", "sign", "-n", namespace, *words], data)
    if said.returncode:
        return Made("", f"{PROGRAM} did not sign: {words_of(said.stderr) or 'no answer'}")
    return Made(said.stdout.decode())


def check(data: bytes, signature: str, signers: bytes | None, *, namespace: str, at: int) -> Checked:
    """Who signed `data`, by the allowed-signers file `signers` (ssh-keygen(1)) as of `at`, seconds since 1970."""
    if not signature.startswith(ARMOR) or shutil.which(PROGRAM) is None:
        return Checked("signed, not checked")
    key = public_key(signature)
    with tempfile.TemporaryDirectory(prefix="workbench-signature-") as directory:
        given, allowed = Path(directory) / "signature", Path(directory) / "signers"
        given.write_text(signature)
        allowed.write_bytes(signers or b"")
        if not _says_yes(["-Y", "check-novalidate", "-n", namespace, "-s", str(given)], data):
            return Checked("altered", key=key)
        when = f"-Overify-time={time.strftime('%Y%m%d%H%M%SZ', time.gmtime(at))}"
        listed = ["-Y", "find-principals", "-f", str(allowed), "-s", str(given), when]
        found = run([PROGRAM, *listed], b"") if signers else None
        for who in found.stdout.decode("utf-8", "replace").splitlines() if found and found.returncode == 0 else ():
            words = ["-Y", "verify", "-f", str(allowed), "-I", who, "-n", namespace, "-s", str(given), when]
            if _says_yes(words, data):
                return Checked("trusted signer", who, key)
    return Checked("intact, unknown signer", key=key)


def public_key(signature: str) -> str:
    """The public key that a signature carries, as `type base64`; empty when it cannot be read."""
    lines = [line for line in signature.splitlines() if line and not line.startswith("-----")]
    try:
        raw = base64.b64decode("".join(lines), validate=True)
        blob = _field(raw, len(b"SSHSIG") + 4)
        return f"{_field(blob, 0).decode('ascii')} {base64.b64encode(blob).decode()}"
    except (binascii.Error, struct.error, UnicodeDecodeError):
        return ""


def fingerprint(key: str) -> str:
    """The fingerprint of a public key, as OpenSSH shows it."""
    blob = base64.b64decode(key.split()[1])
    return f"SHA256:{base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip('=')}"


def make_key(path: Path) -> str:
    """Make an ed25519 key without a passphrase at `path`, for its owner alone, unless one is there; why not, or empty.

    Several processes may do so at once: the first one's key stays.
    """
    if path.exists():
        return ""
    if shutil.which(PROGRAM) is None:
        return f"{PROGRAM} is not installed"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=path.parent) as directory:
            new = Path(directory) / "key"
            said = run([PROGRAM, "-q", "-t", "ed25519", "-N", "", "-C", "workbench", "-f", str(new)], b"")
            if said.returncode:
                return f"{PROGRAM} made no key: {words_of(said.stderr)}"
            new.chmod(0o600)
            if not path.exists():
                path.hardlink_to(new)
    except FileExistsError:
        return ""
    except OSError as error:
        return f"no key can be kept in {path.parent}: {error.strerror}"
    return ""


def run(words: Sequence[str], data: bytes) -> subprocess.CompletedProcess[bytes]:
    """A signing program in a session of its own: without a terminal and with an answer of no it can ask nobody."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment = {**kept, "SSH_ASKPASS": "/bin/false", "SSH_ASKPASS_REQUIRE": "force", "LC_ALL": "C"}
    with subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(data, timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return subprocess.CompletedProcess(words, 1, b"", f"no answer within {TIMEOUT_S:.0f} s".encode())
        return subprocess.CompletedProcess(words, process.returncode, out, err)


def words_of(said: bytes) -> str:
    """What a program said, in a line."""
    return one_line(said.decode("utf-8", "replace"), 200)


def _field(raw: bytes, at: int) -> bytes:
    """The length-prefixed string at an offset (RFC 4251)."""
    (length,) = struct.unpack_from(">I", raw, at)
    if at + 4 + length > len(raw):
        raise struct.error("cut")
    return raw[at + 4 : at + 4 + length]


def _says_yes(words: Sequence[str], data: bytes) -> bool:
    return run([PROGRAM, *words], data).returncode == 0

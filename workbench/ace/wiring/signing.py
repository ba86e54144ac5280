"""Signing with the person's own SSH key as git has it configured, and checking such signatures. It never prompts.

A commit is signed as git does it (gpg.format=ssh, namespace `git`), so `git verify-commit` understands it, too.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from workbench.model.text import one_line
from workbench.repository.repository import GitRepository

TIMEOUT_S = 5.0  # an agent that waits for a touch or a window is not waited for
NAMESPACE = "git"
PROGRAM = "ssh-keygen"
Signer = Literal["trusted signer", "intact, unknown signer", "altered", "unsigned", "signed, not checked"]
_LITERAL = ("key::", "ssh-", "ecdsa-", "sk-")  # a public key itself, whose private part an agent holds


class Signed(NamedTuple):
    """A commit, and why it could not be signed (empty: it is)."""

    commit: str
    problem: str = ""


def sign_commit(repository: GitRepository, commit: str) -> Signed:
    """The same commit with the person's signature; itself, with the reason, where it cannot be had unasked."""
    key = repository.setting("user.signingkey")
    if repository.setting("gpg.format") != "ssh" or not key:
        return Signed(commit, "git has no SSH signing key of yours (gpg.format=ssh, user.signingkey)")
    if repository.setting("gpg.ssh.program"):
        return Signed(commit, "gpg.ssh.program may ask, and is not run")
    raw = repository.git.run("cat-file", "commit", commit).out
    signature, problem = _signature(raw, key)
    if problem:
        return Signed(commit, problem)
    header = "gpgsig-sha256" if repository.object_format == "sha256" else "gpgsig"
    folded = signature.strip().replace("\n", "\n ")
    head, _, message = raw.partition(b"\n\n")
    whole = head + f"\n{header} {folded}\n\n".encode() + message
    return Signed(repository.git.text("hash-object", "-t", "commit", "-w", "--stdin", stdin=whole))


def signer_of(raw: bytes, signers: bytes | None) -> Signer:
    """Who signed a raw commit, by the SSH allowed-signers file `signers` (ssh-keygen(1)); None: there is none."""
    payload, signature = _parted(raw)
    if not signature:
        return "unsigned"
    if not signature.startswith("-----BEGIN SSH SIGNATURE") or shutil.which(PROGRAM) is None:
        return "signed, not checked"
    with tempfile.TemporaryDirectory(prefix="workbench-signature-") as directory:
        given, allowed = Path(directory) / "signature", Path(directory) / "signers"
        given.write_text(signature)
        allowed.write_bytes(signers or b"")
        if not _says_yes(["-Y", "check-novalidate", "-n", NAMESPACE, "-s", str(given)], payload):
            return "altered"
        at = f"-Overify-time={_committed_at(payload)}"
        found = _run(["-Y", "find-principals", "-f", str(allowed), "-s", str(given), at], b"")
        for principal in found.stdout.decode("utf-8", "replace").splitlines() if found.returncode == 0 else ():
            words = ["-Y", "verify", "-f", str(allowed), "-I", principal, "-n", NAMESPACE, "-s", str(given), at]
            if _says_yes(words, payload):
                return "trusted signer"
    return "intact, unknown signer"


def _signature(payload: bytes, key: str) -> tuple[str, str]:
    """The signature, or why there is none."""
    if shutil.which(PROGRAM) is None:
        return "", f"{PROGRAM} is not installed"
    with tempfile.TemporaryDirectory(prefix="workbench-key-") as directory:
        words = ["-f", str(Path(key).expanduser())]
        if key.startswith(_LITERAL):
            public = Path(directory) / "key.pub"
            public.write_text(key.removeprefix("key::") + "\n")
            words = ["-U", "-f", str(public)]
        said = _run(["-Y", "sign", "-n", NAMESPACE, *words], payload)
    if said.returncode:
        return "", f"{PROGRAM} did not sign: {one_line(said.stderr.decode('utf-8', 'replace'), 200) or 'no answer'}"
    return said.stdout.decode(), ""


def _says_yes(words: Sequence[str], data: bytes) -> bool:
    return _run(words, data).returncode == 0


def _run(words: Sequence[str], data: bytes) -> subprocess.CompletedProcess[bytes]:
    """ssh-keygen in a session of its own: without a terminal and with an answer of no it can ask nobody."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "SSH_AUTH_SOCK", "TMPDIR") if name in os.environ}
    environment = {**kept, "SSH_ASKPASS": "/bin/false", "SSH_ASKPASS_REQUIRE": "force", "LC_ALL": "C"}
    with subprocess.Popen(
        [PROGRAM, *words],
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


def _parted(raw: bytes) -> tuple[bytes, str]:
    """What of a raw commit was signed, and the signature."""
    head, _, message = raw.partition(b"\n\n")
    kept, signature, inside = [], [], False
    for line in head.split(b"\n"):
        inside = line.startswith((b"gpgsig ", b"gpgsig-sha256 ")) or (inside and line.startswith(b" "))
        if inside:
            signature.append(line.partition(b" ")[2])
        else:
            kept.append(line)
    return b"\n".join(kept) + b"\n\n" + message, b"\n".join(signature).decode("utf-8", "replace")


def _committed_at(payload: bytes) -> str:
    """When a commit says it was made, as ssh-keygen wants it; in UTC."""
    head = payload.partition(b"\n\n")[0]
    line = next((line for line in head.split(b"\n") if line.startswith(b"committer ")), b"")
    words = line.split()
    seconds = int(words[-2]) if len(words) > 2 and words[-2].isdigit() else 0
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(seconds))

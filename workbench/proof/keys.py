"""Which key signs: the person's own, as their git has it configured, else one that Workbench makes on this machine.

Keys are handled by OpenSSH and GnuPG alone. No program that a configuration names is ever run.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from workbench.journal.location import state_home
from workbench.proof import gpg, ssh
from workbench.proof.ssh import Made
from workbench.repository.repository import GitRepository

NAMESPACE = "workbench-proof"  # keeps a signature under one thing from passing as one under another
KEYS = "keys"  # below Workbench's state, apart from every journal
NAME = "id_ed25519"


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A key that may sign. `note` says why it is not the person's own."""

    name: str
    is_gpg: bool = False
    is_local: bool = False
    note: str = ""

    def sign(self, data: bytes, *, namespace: str = NAMESPACE) -> Made:
        """A signature of `data`, or why there is none. The local key is made on first need."""
        if self.is_gpg:
            return gpg.sign(data, self.name)
        if self.is_local and (problem := ssh.make_key(Path(self.name))):
            return Made("", problem)
        return ssh.sign(data, self.name, namespace=namespace)

    def id(self, made: Made) -> str:
        """How the key is called in an envelope: a hint, nothing that is believed."""
        public = "" if self.is_gpg else ssh.public_key(made.signature)
        return ssh.fingerprint(public) if public else self.name

    def public(self) -> str:
        """The public key, where a signature does not carry it."""
        return gpg.public_key(self.name) if self.is_gpg else ""


def local_key() -> Key:
    """The key of this machine's Workbench, which signs what nobody has looked at yet."""
    return Key(name=str(state_home() / "workbench" / KEYS / NAME), is_local=True)


def key_of(repository: GitRepository) -> Key:
    """The key of the person who works here. One that they configured and that fails is not replaced by another."""
    wanted, form = repository.setting("user.signingkey"), repository.setting("gpg.format") or "openpgp"
    if not wanted:
        return local_key()
    if form == "openpgp":
        return Key(name=wanted, is_gpg=True)
    if form == "ssh" and not repository.setting("gpg.ssh.program"):
        return Key(name=wanted)
    why = "gpg.ssh.program may ask, and is not run" if form == "ssh" else f"gpg.format={form} is not known here"
    return msgspec.structs.replace(local_key(), note=f"signed with this machine's key, because {why}")

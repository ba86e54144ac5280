"""Auditability is evidence like any other: a link that leads nowhere is named."""

from __future__ import annotations

from workbench.evidence.audit import AuditCollector
from workbench.testing.changes import TreeChange
from workbench.testing.journal import MemoryJournal

CHANGE = TreeChange.of({"a.py": "a = 1\n"}, {"a.py": "a = 2\n"})


def test_links_that_can_be_opened_are_whole() -> None:
    """A pack whose brief and policy can be read back is auditable."""
    blobs = MemoryJournal().blobs
    links = {"brief": blobs.put(b"brief"), "policy": blobs.put(b"policy")}
    (piece,) = AuditCollector(links, blobs).collect(CHANGE).evidence
    assert (piece.state, piece.summary) == ("passed", "2 of 2 links are whole")


def test_a_link_that_leads_nowhere_fails() -> None:
    """A pack that cites what is gone says which."""
    blobs = MemoryJournal().blobs
    links = {"brief": "sha256:" + "0" * 64, "script": "", "policy": blobs.put(b"policy")}
    (piece,) = AuditCollector(links, blobs).collect(CHANGE).evidence
    assert (piece.state, piece.summary) == ("failed", "1 of 3 links are whole; missing: brief, script")

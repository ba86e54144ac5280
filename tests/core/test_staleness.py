"""A resolution stands only while everything that it cites is as it was."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from workbench.artifacts.resolution import DecidedBy, Resolution, Target
from workbench.core.redact import redact, secrets_in
from workbench.core.staleness import CitedNow, stale_cites, standing

AT = "2026-11-22T08:00:00.000Z"
NOW = CitedNow(blobs={"src/a.py": "1234567890abcdef"}, clauses={"DOD-1": "2"}, entities={"src/a.py#f": "sha256:ee"})
STANDING = Resolution(
    id="VCR-1", target=Target(kind="crp", id="CRP-1"), decision="option", rationale="r",
    decided_by=DecidedBy(who="ada"), at=AT, cites=("src/a.py:3-9@1234567890abcdef", "DOD-1@2"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "standing"),
        ({"cites": ()}, "standing"),
        ({"cites": ("src/a.py@1234567",)}, "standing"),
        ({"cites": ("src/a.py#f@sha256:ee",)}, "standing"),
        ({"cites": ("sha256:ee",)}, "standing"),
        ({"cites": ("src/a.py:3@fedcba0987654321",)}, "stale"),
        ({"cites": ("src/gone.py@1234567",)}, "stale"),
        ({"cites": ("DOD-1@1",)}, "stale"),
        ({"cites": ("DOD-1@",)}, "stale"),
        ({"cites": ("@",)}, "stale"),
        ({"expires": "2026-11-22T07:00:00.000Z"}, "expired"),
        ({"expires": "2026-11-23T07:00:00.000Z"}, "standing"),
    ],
)
def test_how_a_resolution_stands(changes: dict[str, Any], expected: str) -> None:
    """It is stale when what it cites changed or is gone, expired after its time, else it stands."""
    assert standing(msgspec.structs.replace(STANDING, **changes), NOW, at=AT) == expected


def test_a_superseded_resolution_does_not_stand() -> None:
    """A resolution that a later one names no longer stands."""
    assert standing(STANDING, NOW, at=AT, superseded={"VCR-1"}) == "superseded"
    assert stale_cites(STANDING, NOW) == ()


@pytest.mark.parametrize(
    "secret",
    ["AKIA" + "A" * 16, "ghp_" + "b" * 36, "sk-ant-" + "c" * 40, "glpat-" + "d" * 20, "xoxb-1234567890-abc"],
)
def test_known_shapes_are_masked(secret: str) -> None:
    """A secret of a known shape is masked, and the text around it stays."""
    text = f"before {secret} after"
    assert secret not in redact(text)
    assert redact(text).startswith("before ") and redact(text).endswith(" after")


def test_a_private_key_is_masked_whole() -> None:
    """The body of a private key goes with its header."""
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\n-----END RSA PRIVATE KEY-----"
    assert "MIIEabc" not in redact(f"x {key} y")
    assert redact("postgres://app:hunter22@db/x").startswith("postgres://app:[")
    assert not list(secrets_in("https://example.org/a:b@c and $PASSWORD"))

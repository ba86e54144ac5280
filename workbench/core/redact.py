"""Recognises secrets by their shape and takes them out of text. Pure; it knows no files and no vault."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

SHOWN = 4  # characters of a secret that stay readable, so that its owner recognises it
SHAPES: dict[str, re.Pattern[str]] = {
    "aws-key": re.compile(r"\b(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{16}\b"),
    "github-token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})\b"),
    "gitlab-token": re.compile(r"\bglpat-[A-Za-z0-9_-]{20,64}\b"),
    "slack-token": re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,250}\b"),
    "anthropic-key": re.compile(r"\bsk-ant-[A-Za-z0-9_-]{20,250}\b"),
    "openai-key": re.compile(r"\bsk-(?!ant-)(?:proj-|svcacct-)?[A-Za-z0-9_-]{32,250}\b"),
    "google-key": re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"),
    "stripe-key": re.compile(r"\b[rs]k_live_[0-9a-zA-Z]{20,120}\b"),
    "npm-token": re.compile(r"\bnpm_[A-Za-z0-9]{36}\b"),
    "pypi-token": re.compile(r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{20,250}"),
    "private-key": re.compile(
        r"-----BEGIN (?:[A-Z]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:[^-]{0,20000}-----END [A-Z ]{1,40}-----)?"
    ),
    "jwt": re.compile(r"\beyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{10,2000}"),
    "url-password": re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@'\"]{1,64}:(?P<secret>[^\s/@'\"$<{%]{6,128})@"),
}


class Secret(NamedTuple):
    """A secret in a text: its kind and where it stands."""

    kind: str
    start: int
    end: int


def secrets_in(text: str) -> Iterator[Secret]:
    """The secrets of well-known shapes in `text`."""
    for kind, shape in SHAPES.items():
        for match in shape.finditer(text):
            group = "secret" if "secret" in shape.groupindex else 0
            yield Secret(kind, match.start(group), match.end(group))


def redact(text: str) -> str:
    """`text` with every recognised secret masked."""
    spans = sorted(secrets_in(text), key=lambda secret: secret.start)
    out: list[str] = []
    end = 0
    for secret in spans:
        if secret.start >= end:
            out += [text[end : secret.start], mask(text[secret.start : secret.end])]
        end = max(end, secret.end)
    return "".join(out) + text[end:]


def mask(secret: str) -> str:
    """The first characters of a secret and how long it is; nothing of a short one."""
    shown = secret[:SHOWN] if len(secret) >= 4 * SHOWN else ""
    return f"{shown}[{len(secret)} characters redacted]"

"""The README as data: its links, its sections and the commands that it tells a stranger to type."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
SECTION = re.compile(r"^## (?P<title>[^\n]+)\n(?P<body>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)]+)\)")
EXIT = re.compile(r"# exit code (?P<code>\d)$")


class Typed(NamedTuple):
    """A line that the README tells somebody to type, and the exit code that it promises."""

    line: str
    code: int


def section(title: str) -> str:
    """The body of a section. Raises KeyError for an unknown title."""
    return {found["title"]: found["body"] for found in SECTION.finditer(TEXT)}[title]


def blocks(text: str, language: str = "") -> list[str]:
    """The fenced blocks of one language."""
    return [found["body"] for found in FENCE.finditer(text) if found["language"] == language]


def typed(title: str) -> list[Typed]:
    """Every `$` line of a section, in order."""
    lines = [line[2:] for body in blocks(section(title)) for line in body.splitlines() if line.startswith("$ ")]
    return [Typed(line, int(found["code"]) if (found := EXIT.search(line)) else 0) for line in lines]


def links() -> list[str]:
    """Every target of a link."""
    return [found["target"] for found in LINK.finditer(TEXT)]


def marked(marker: str) -> str:
    """The one block after a marker such as `<!-- demo -->`."""
    return blocks(TEXT.split(f"<!-- {marker} -->", 1)[1], "sh")[0].strip()

"""Reading what an agent wrote as data: whatever shape it has, a list of what fits comes out, and nothing fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def mappings(items: Any) -> list[Mapping[str, Any]]:
    """The mappings in a list."""
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, Sequence) else []


def texts(items: Any) -> list[str]:
    """The texts in a list."""
    return [str(item) for item in items if item] if isinstance(items, Sequence) and not isinstance(items, str) else []


def text_of(item: Any, name: str) -> str:
    """A text in a mapping; empty where there is none."""
    return str(item.get(name) or "") if isinstance(item, Mapping) else ""

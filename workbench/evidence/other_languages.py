"""Why a tool that reads one language has nothing to say of a change: what the change is written in instead."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

_NAMES = {
    ".js": "JavaScript",
    ".cjs": "JavaScript",
    ".mjs": "JavaScript",
    ".jsx": "JavaScript",
    ".ts": "TypeScript",
    ".cts": "TypeScript",
    ".mts": "TypeScript",
    ".tsx": "TypeScript",
    ".go": "Go",
    ".rs": "Rust",
    ".rb": "Ruby",
    ".java": "Java",
    ".kt": "Kotlin",
    ".c": "C",
    ".h": "C",
    ".cc": "C++",
    ".cpp": "C++",
    ".cs": "C#",
    ".php": "PHP",
    ".swift": "Swift",
    ".sh": "shell",
}


def unread(paths: Iterable[str], what: str, *, nothing: str) -> str:
    """`what` reads Python alone, and the languages of `paths`; `nothing` where they hold no code of another one."""
    found = sorted({_NAMES[suffix] for path in paths if (suffix := PurePosixPath(path).suffix.lower()) in _NAMES})
    return f"{what} in Python alone, and the change is in {' and '.join(found)}" if found else nothing

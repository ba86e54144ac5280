"""One problem in a file: where it is, what is wrong and how to mend it."""

from __future__ import annotations

from typing import Any

import msgspec


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """`line` and `column` count from 1; 0 means the file as a whole."""

    path: str
    line: int
    column: int
    text: str
    remedy: str = ""
    severity: str = "error"  # error | warning

    def as_dict(self) -> dict[str, Any]:
        """The shape that `--json` prints."""
        built: dict[str, Any] = msgspec.to_builtins(self)
        return built

    def __str__(self) -> str:
        remedy = f" ({self.remedy})" if self.remedy else ""
        return f"{self.path}:{self.line}:{self.column}: {self.text}{remedy}"

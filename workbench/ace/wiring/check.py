"""What a check of `doctor` comes to."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

State = Literal["ok", "warn", "fail"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one check. `remedy` says what to do when it is not ok; `mend` names what `doctor --fix` can do."""

    id: str
    state: State
    text: str
    remedy: str = ""
    mend: str = ""
    kind: str = "check"
    schema: int = 1


def nearest(path: Path) -> Path:
    """The path itself, or the deepest directory above it that is there."""
    return next(place for place in (path, *path.parents) if place.exists())

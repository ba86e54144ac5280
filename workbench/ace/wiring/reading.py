"""Which files of a pack a person has read: kept beside the journal, for that person and that pack alone."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from pathlib import Path

from workbench.ace.wiring.workplace import Workplace
from workbench.model.digests import digest_of

DIRECTORY = "read"  # below the journal's directory


def read_files(place: Workplace, pack: str) -> frozenset[str]:
    """The files of the pack that this person has marked as read; none where that cannot be told."""
    try:
        paths = json.loads(_file(place, pack).read_text(encoding="ascii"))["paths"]
        return frozenset(path for path in paths if isinstance(path, str))
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()


def keep_read_files(place: Workplace, pack: str, paths: Collection[str]) -> None:
    """Keep the marks in place of those that were kept before; names that are no text go through as well."""
    file = _file(place, pack)
    file.parent.mkdir(parents=True, exist_ok=True)
    apart = file.with_suffix(f".{os.getpid()}")
    apart.write_text(json.dumps({"paths": sorted(paths)}), encoding="ascii")
    apart.replace(file)


def _file(place: Workplace, pack: str) -> Path:
    person = digest_of(place.person).removeprefix("sha256:")[:16]
    return place.journal_directory / DIRECTORY / person / f"{pack}.json"

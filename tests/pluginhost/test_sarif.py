"""The shipped reader of SARIF meets anything that an analyser, or somebody in its place, may write."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.pluginhost.bundle import read_directory
from workbench.pluginhost.discovery import shipped_directory
from workbench.pluginhost.loading import load

REPORT = load(read_directory(shipped_directory() / "sarif", origin="shipped"), "report")
WORDS = [
    *("runs", "results", "tool", "driver", "rules", "id", "ruleId", "ruleIndex", "rule", "index", "level", "kind"),
    *("message", "text", "messageStrings", "locations", "physicalLocation", "artifactLocation", "uri", "region"),
    *("startLine", "suppressions", "defaultConfiguration"),
]
VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(WORDS))
LOGS = st.recursive(
    VALUES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(WORDS), inner, max_size=5)),
    max_leaves=30,
)
RUN = {"tool": {"driver": {"name": "x", "rules": [{"id": "r"}]}}}


def read(data: bytes) -> None:
    """Read it, or be told that it cannot be."""
    try:
        found = REPORT.results(data, root="/repo")
    except REPORT.Unreadable:
        return
    assert all(isinstance(each.path, str) and each.level in REPORT.LEVELS and each.line >= 0 for each in found)


@given(LOGS)
@settings(max_examples=60)
def test_any_json_is_read_or_told(log: Any) -> None:
    """Never another exception."""
    read(json.dumps(log).encode())
    read(json.dumps({"runs": [{**RUN, "results": log if isinstance(log, list) else [log]}]}).encode())


@given(st.binary(max_size=200))
@settings(max_examples=40)
def test_any_bytes_are_read_or_told(data: bytes) -> None:
    """Never another exception."""
    read(data)
    read(b'{"runs": [{"results": [' + data)

"""A small sample of what `tests.soak.bad_input` reads by the thousand, and what it found."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.soak.bad_input import tried
from tests.soak.formats import FORMATS, Format
from workbench.artifacts import mergepack
from workbench.code.unified import FileDiff
from workbench.evidence import dependencies
from workbench.evidence.witness import parse_testimony
from workbench.model.errors import RepositoryProblem, WorkbenchError
from workbench.repository.git import understood

SAMPLE = 40  # of each format; the whole corpus has 500
LARGEST = 12_000  # bytes


@pytest.mark.parametrize("name", FORMATS)
def test_every_input_comes_to_a_value_or_to_an_error_with_a_remedy(name: str) -> None:
    """No traceback, no endless reading, and the unchanged examples are understood."""
    for example in FORMATS[name].examples:
        FORMATS[name].read(example)

    outcome = tried(name, SAMPLE, seed=7, largest=LARGEST)

    assert outcome.faults == []
    assert outcome.counts.total() == SAMPLE


@given(data=st.one_of(st.binary(max_size=200), st.text(max_size=80).map(lambda text: text.encode("utf-8", "replace"))))
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_noise_is_no_exception(data: bytes) -> None:
    """Bytes of no format at all, to every reader."""
    for format_ in FORMATS.values():
        with contextlib.suppress(WorkbenchError, *format_.refuses):
            format_.read(data)


def test_the_corpus_would_show_a_parser_that_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: a reader that expects what it gets is found out."""

    def careless(data: bytes) -> object:
        return json.loads(data)["sessionUpdate"]

    examples = (b'{"sessionUpdate": "plan"}',)
    monkeypatch.setitem(FORMATS, "careless", Format(examples, careless))

    assert len(tried("careless", 40, seed=7).faults) > 10


@pytest.mark.parametrize("code", [math.inf, -math.inf, math.nan, "x", None, [1]])
def test_a_record_with_a_number_that_is_none_is_told(code: object) -> None:
    """The tests of the project write what is in the records, and may write anything."""
    key = b"k" * 32
    record = json.dumps({"kind": "exit", "code": code}).encode() + b"\n"
    seal = {"kind": "seal", "mac": hmac.new(key, record, hashlib.sha256).hexdigest()}

    found = parse_testimony(record + json.dumps(seal).encode() + b"\n", key)

    assert "record 1 cannot be read" in found.problem


def test_an_answer_of_git_that_was_cut_is_told() -> None:
    """What was expected of git, and what to do."""
    with pytest.raises(RepositoryProblem, match="diff-tree") as refused, understood("diff-tree"):
        int("\\0")

    assert "fsck" in refused.value.hint


def test_a_manifest_costs_the_time_of_its_length() -> None:
    """Blank lines, or a name without an end, are read once: what was read is counted in lines, not in their square."""
    for text in ("\n" * 400_000, "a." * 200_000, "require " * 50_000):
        assert dependencies._go(text) == set()
    assert dependencies._go("require (\n\tgithub.com/pkg/errors v0.9.1 // indirect\n)\nrequire x.org/y v2.0.0\n") == {
        "github.com/pkg/errors",
        "x.org/y",
    }


def test_a_pack_that_is_no_text_is_told() -> None:
    """`check` never raises, whatever the bytes."""
    assert mergepack.check(b"\xff\xfe")[0].remedy


def test_a_hunk_with_a_number_that_no_file_has_is_no_hunk() -> None:
    """The rest of the diff is shown."""
    shown = FileDiff(b"@@ -1,1 +" + b"9" * 5000 + b",1 @@\n x\n@@ -1 +1 @@\n-a\n+b\n")

    assert [shown.text(index) for index in range(len(shown))][-2:] == ["a", "b"]

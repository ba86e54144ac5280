"""One entity taken from another version of its file."""

from __future__ import annotations

import pytest

from workbench.code.splicing import Unspliceable, spliced

MINE = b"import a\n\n\ndef f():\n    return 1\n\n\nclass C:\n    def m(self):\n        return 1\n\n    n = 2\n"
THEIRS = b"import b\n\n\n@b.cached\ndef f():\n    return 2\n\n\nclass C:\n    def m(self):\n        return 3\n"


def test_only_the_lines_of_the_entity_are_taken() -> None:
    """With its decorators, without what it imports; a method leaves the rest of its class alone."""
    assert spliced(MINE, THEIRS, path="x.py", name="f") == MINE.replace(
        b"def f():\n    return 1\n", b"@b.cached\ndef f():\n    return 2\n"
    )
    assert spliced(MINE, THEIRS, path="x.py", name="C.m").endswith(b"return 3\n\n    n = 2\n")


def test_what_the_other_version_took_away_goes() -> None:
    """The entity and nothing else."""
    assert spliced(MINE, b"import a\n", path="x.py", name="f") == MINE.replace(b"def f():\n    return 1\n", b"")


@pytest.mark.parametrize(
    ("mine", "path", "name", "told"),
    [
        (b"import a\n", "x.py", "f", "has no f there"),
        (MINE, "x.py", "nothing", "has no nothing"),
        (MINE + b"\ndef f():\n    return 9\n", "x.py", "f", "2 times"),
        (MINE, "x.txt", "f", "only lines"),
        (b"\0" + MINE, "x.py", "f", "binary"),
        (b"def f(:\n    return 1\n", "x.py", "f", "x.py"),
        (b"", "x.py", "", "has no"),
    ],
)
def test_what_cannot_be_taken_by_itself_is_said(mine: bytes, path: str, name: str, told: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(Unspliceable, match=told):
        spliced(mine, THEIRS, path=path, name=name)

"""A long text in quotes that moved word for word is folded, and nothing else of the function that it stood in."""

from __future__ import annotations

import pytest

from tests.code.lexing import Judge
from workbench.code.compare import structural_diff
from workbench.code.model import FileSides, StructuralDiff

TEXT = "".join(f"   {number}. It shall be {number} times as it was.\n" for number in range(8))
FILES = {
    "py": (
        'def terms():\n    return {name}"""{text}"""\n',
        'def other():\n    tell(1)\n    send({name}"""{text}""")\n',
    ),
    "go": (
        "package a\n\nfunc terms() string {{\n\treturn `{text}`\n}}\n",
        "package a\n\nfunc other() {{\n\ttell(1)\n\tsend(`{text}`)\n}}\n",
    ),
    "js": (
        "function terms() {{\n  return `{text}`;\n}}\n",
        "function other() {{\n  tell(1);\n  send(`{text}`);\n}}\n",
    ),
    "rs": (
        'fn terms() -> &str {{\n    r#"{text}"#\n}}\n',
        'fn other() {{\n    tell(1);\n    send(r#"{text}"#);\n}}\n',
    ),
}


def moved(suffix: str, before: str, after: str, *, prefix: str = "", times: int = 1) -> StructuralDiff:
    """A function with a text that goes, and in another file one that comes."""
    old, new = (code.format(name=prefix, text=text) for code, text in zip(FILES[suffix], (before, after), strict=True))
    sides = [FileSides(path=f"a.{suffix}", old=old.encode(), new=b"")]
    sides += [FileSides(path=f"b{number}.{suffix}", old=b"", new=new.encode()) for number in range(times)]
    diff = structural_diff(sides)
    assert not Judge(sides).wrong(diff)
    return diff


def folded(diff: StructuralDiff) -> int:
    """Lines of both sides."""
    return diff.summary.folded


@pytest.mark.parametrize("suffix", sorted(FILES))
def test_a_text_that_moved_is_folded_and_what_uses_it_is_not(suffix: str) -> None:
    diff = moved(suffix, TEXT, TEXT)
    within = TEXT.count("\n") - 1  # the first and the last line are shared with the program
    assert folded(diff) == 2 * within
    (went,) = [hunk for hunk in diff.files[0].hunks if hunk.is_mechanical]
    (came,) = [hunk for hunk in diff.files[1].hunks if hunk.is_mechanical]
    assert went.moved_to is not None and went.moved_to.path == f"b0.{suffix}"
    assert came.moved_from is not None and came.claim.startswith(f"moved from a.{suffix}:")
    shown = sum(hunk.new.count for hunk in diff.files[1].hunks if not hunk.is_mechanical)
    assert shown == diff.files[1].added - within, "all that stands around it is to be read"


@pytest.mark.parametrize("suffix", sorted(FILES))
def test_a_text_of_which_a_letter_differs_is_shown(suffix: str) -> None:
    assert folded(moved(suffix, TEXT, TEXT.replace("times", "timer", 1))) == 0


def test_a_text_into_which_something_is_put_is_shown() -> None:
    """Its meaning depends on where it stands."""
    assert folded(moved("py", TEXT, TEXT, prefix="f")) == 0
    assert folded(moved("js", TEXT + "${price}\n", TEXT + "${price}\n")) == 0
    assert folded(moved("py", TEXT, TEXT, prefix="r")) > 0


def test_a_text_that_stands_twice_then_is_shown() -> None:
    """Nobody can say which of them it is."""
    assert folded(moved("py", TEXT, TEXT, times=2)) == 0

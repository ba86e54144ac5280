"""What judges the folding in every language finds what is wrong, and nothing else."""

from __future__ import annotations

import msgspec
import pytest

from tests.code.lexing import Judge, lexed
from workbench.code.compare import structural_diff
from workbench.code.model import FileSides, StructuralDiff

TEXTS = {
    "a.py": "def f(a, b):\n    total = a + 1  # why\n    return g('x y', total)\n",
    "a.js": "function f(a, b) {\n  const total = a + 1 // why\n  return g(`x y`, total)\n}\n",
    "a.ts": "export function f(a: number, b: T): number {\n  const total = a + 1;\n  return g('x y', total);\n}\n",
    "a.go": "package p\n\nfunc f(a int, b int) int {\n\ttotal := a + 1\n\treturn g(`x y`, total)\n}\n",
    "a.rs": "fn f<'a>(a: u8, b: &'a str) -> u8 {\n    let total = a + 1;\n    g(r#\"x y\"#, 'x', total)\n}\n",
}
RIGHT = (("total", "sum"), ("(a", "(\n        a"))
WRONG = (("+ 1", "- 1"), ("x y", "x  y"), ("total)", "a)"), ("g(", "h("))


def judged(path: str, new: str, *, lies: bool = False) -> tuple[StructuralDiff, list[str]]:
    """The change of one text, and what the judge says; with `lies` all of it is called mechanical."""
    files = [FileSides(path=path, old=TEXTS[path].encode(), new=new.encode())]
    diff = structural_diff(files)
    if lies:
        (file,) = diff.files
        hunks = tuple(msgspec.structs.replace(hunk, kind="reformatted") for hunk in file.hunks)
        diff = msgspec.structs.replace(diff, files=(msgspec.structs.replace(file, hunks=hunks),))
    return diff, Judge(files).wrong(diff)


@pytest.mark.parametrize("path", TEXTS)
def test_what_is_folded_is_the_same_to_the_judge(path: str) -> None:
    """A rename and a new layout are folded, and right."""
    for was, became in RIGHT:
        diff, wrong = judged(path, TEXTS[path].replace(was, became))
        assert diff.summary.folded and not wrong, became


@pytest.mark.parametrize("path", TEXTS)
def test_what_means_something_else_is_named_by_the_judge(path: str) -> None:
    """Positive control: an edit that somebody calls a new layout is found, in every language."""
    for was, became in WRONG:
        assert was in TEXTS[path]
        assert judged(path, TEXTS[path].replace(was, became), lies=True)[1], became
        assert not judged(path, TEXTS[path].replace(was, became))[1], became


def test_where_a_line_ends_counts_where_it_does_in_the_language() -> None:
    """Go and scripts put a semicolon where a line ends; other line ends say nothing."""
    assert [each[0] for each in lexed(b"return\nf(a,\n b)\n", "a.js")][:2] == [b"return", b";"]
    assert [each[0] for each in lexed(b"f(a,\nb)\nc\n", "a.go")] == [*b"f ( a , b ) ;".split(), b"c"]


OTHER_NAMES = {
    "a file that is of another kind now": ("a.js", "a.ts"),
    "a file in another place": ("a.py", "b.py"),
}


@pytest.mark.parametrize("what", OTHER_NAMES)
def test_a_file_of_another_name_is_compared_with_what_it_was(what: str) -> None:
    """Only what differs in it is a change, token by token, also where a script got types."""
    was, became = OTHER_NAMES[what]
    old = TEXTS[was] * 3
    new = old.replace("total = a + 1", "total =  a + 1", 1)
    diff = structural_diff(
        [FileSides(path=was, old=old.encode(), new=None), FileSides(path=became, old=None, new=new.encode())]
    )
    (file,) = diff.files
    assert (file.status, [hunk.kind for hunk in file.hunks]) == ("R", ["reformatted"])


def test_a_method_that_became_a_function_elsewhere_has_moved() -> None:
    """Its rows are told as moved; the one that lost its first parameter is shown."""
    body = "        first = cache.get(name)\n        second = cache.get(first)\n        return [first, second]\n"
    old = f"class A:\n    def found(self, cache, name):\n{body}\n    def other(self): ...\n"
    moved = f"def found(cache, name):\n{body.replace('        ', '    ')}"
    files = [
        FileSides(path="a.py", old=old.encode(), new=b"class A:\n    def other(self): ...\n"),
        FileSides(path="b.py", old=None, new=moved.encode()),
    ]
    diff = structural_diff(files)
    assert [hunk.new.count for file in diff.files for hunk in file.hunks if hunk.moved_from] == [3]
    assert Judge(files).wrong(diff) == []


SUITE = """const limit = 3

describe('parse', () => {
  const base = new Date(2020, limit)
  it('reads years', () => {
    assert.equal(parse('2017', base), 2017)
    assert.equal(parse('17', base), 2017)
  })
})

Shop.prototype.total = function (rows) {
  const found = rows.map((row) => row.price)
  return found.reduce((one, other) => one + other, limit)
}
"""


def test_suites_and_prototypes_of_scripts_are_things_that_move_and_have_names_of_their_own() -> None:
    """What a script hands over under a name, or hangs on a prototype, is told as moved; its own names as renamed."""
    start = SUITE.index("describe")
    files = [
        FileSides(path="a.test.js", old=SUITE.encode(), new=SUITE[:start].encode()),
        FileSides(path="b.test.js", old=None, new=SUITE[start:].encode()),
    ]
    moved = structural_diff(files)
    assert {each.change for file in moved.files for each in file.entities} == {"moved"}
    assert [hunk.kind for hunk in moved.files[1].hunks if hunk.kind == "added"] == []
    assert Judge(files).wrong(moved) == []
    renamed = structural_diff([FileSides(path="a.js", old=SUITE.encode(), new=SUITE.replace("base", "when").encode())])
    assert {hunk.kind for file in renamed.files for hunk in file.hunks} == {"renamed"}

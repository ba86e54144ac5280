"""What is folded is the same program: proven by a judge that shares nothing with the code."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.code.tokens_of_python import wrongly_folded
from workbench.code.compare import structural_diff
from workbench.code.model import FileChange, FileSides, Hunk, StructuralDiff

BASE = '''"""A shop."""

import os
from dataclasses import dataclass

LIMIT = 10


@dataclass
class Basket:
    """What is bought."""

    items: list[str]

    def total(self, prices, rate=1):
        """The sum."""
        total = 0
        for item in self.items:
            total += prices[item] * rate
        return round(total, 2)

    def add(self, item):
        # keep it small
        if len(self.items) >= LIMIT:
            raise ValueError(f"{item!r} is too much: {LIMIT=}")
        self.items.append(item)


def cheapest(prices, *, count=3):
    ranked = sorted(prices.items(), key=lambda pair: pair[1])
    text = """
    not   code
    """
    return ranked[:count], text


def report(basket, prices):
    for name, price in cheapest(prices)[0]:
        print(name, price)
    return basket.total(prices)
'''


def compared(old: dict[str, str], new: dict[str, str]) -> StructuralDiff:
    paths = sorted(old.keys() | new.keys())
    files = [
        FileSides(
            path=path,
            old=old[path].encode() if path in old else None,
            new=new[path].encode() if path in new else None,
        )
        for path in paths
        if old.get(path) != new.get(path)
    ]
    return structural_diff(files)


def only(old: str, new: str, path: str = "a.py") -> FileChange:
    (file,) = compared({path: old}, {path: new}).files
    return file


def kinds(file: FileChange) -> list[str]:
    return [hunk.kind for hunk in file.hunks]


def meaningful(file: FileChange) -> list[Hunk]:
    return [hunk for hunk in file.hunks if not hunk.is_mechanical]


def test_a_new_layout_is_folded() -> None:
    """The same tokens on other lines are one folded hunk that says so."""
    new = BASE.replace("cheapest(prices, *, count=3)", "cheapest(\n    prices,\n    *, count=3)")
    file = only(BASE, new)
    assert kinds(file) == ["reformatted"]
    assert (file.folded_removed, file.folded_added) == (1, 3)


def test_a_name_that_changes_everywhere_is_folded() -> None:
    """Every line that says the new name of a function is folded, with the names; a local name, too."""
    new = BASE.replace("cheapest", "lowest").replace("ranked", "by_price")
    file = only(BASE, new)
    assert set(kinds(file)) == {"renamed"}
    assert {(each.old, each.new, each.scope) for hunk in file.hunks for each in hunk.renames} == {
        ("cheapest", "lowest", ""),
        ("ranked", "by_price", "cheapest"),
    }


def test_what_moved_is_told_on_both_sides() -> None:
    """A function that went to another file is folded where it left and where it came, with each other's place."""
    start, end = BASE.index("def cheapest"), BASE.index("def report")
    old = {"a.py": BASE}
    new = {"a.py": BASE[:start] + BASE[end:], "b.py": '"""New."""\n\n\n' + BASE[start:end].rstrip() + "\n"}
    diff = compared(old, new)
    moved = [hunk for file in diff.files for hunk in file.hunks if hunk.kind == "moved"]
    assert [hunk.claim for hunk in moved] == ["moved to b.py:4", "moved from a.py:29"]
    assert [(each.change, each.name) for file in diff.files for each in file.entities] == [("moved", "cheapest")]
    assert wrongly_folded(diff, old, new) == []


def test_an_edit_among_renames_stays_in_sight() -> None:
    """A line that means something else is not folded with its renamed neighbours."""
    new = BASE.replace("ranked", "by_price").replace("pair[1])", "pair[0])")
    file = only(BASE, new)
    assert [hunk.new.count for hunk in meaningful(file)] == [1]
    assert "renamed" in kinds(file)


NOT_FOLDED = {
    "a block that ends sooner": (
        "            total += prices[item] * rate\n",
        "        total += prices[item] * rate\n",
    ),
    "blanks in a string": ("    not   code", "    not code"),
    "an operator": (">= LIMIT", "> LIMIT"),
    "one of two names": ("name, price in", "name, cost in"),
    "the name of an attribute": ("self.items.append", "self.things.append"),
    "a parameter that callers may say": ("prices, rate=1", "prices, ratio=1"),
    "a name that was there": ("print(name, price)", "print(price, name)"),
    "what a string prints of its own source": ("{LIMIT=}", "{LIMIT =}"),
    "another quote": ("LIMIT = 10", "LIMIT = '10'"),
    "a comma": ("count=3", "count=3,"),
    "a comment": ("# keep it small", "# keep it tiny"),
    "a documentation string": ('"""The sum."""', '"""All of it."""'),
    "statements that changed places": (
        "        total = 0\n        for item in self.items:\n",
        "        for item in self.items:\n            total = 0\n",
    ),
    "tabs": ("        print(name, price)", "\tprint(name, price)"),
    "a hidden blank": ("LIMIT = 10", "LIMIT\u200b = 10"),
    "a global name": ("sorted(prices", "list(prices"),
}


@pytest.mark.parametrize("what", NOT_FOLDED)
def test_what_means_something_is_not_folded(what: str) -> None:
    """Nothing that may change what the program does, or what people read in it, is folded."""
    was, became = NOT_FOLDED[what]
    assert was in BASE
    file = only(BASE, BASE.replace(was, became))
    assert meaningful(file), kinds(file)


def test_comments_and_documentation_are_told_apart() -> None:
    """A hunk says whether only a comment, or only a documentation string, differs."""
    assert kinds(only(BASE, BASE.replace("keep it small", "be kind"))) == ["comment"]
    assert kinds(only(BASE, BASE.replace("What is bought.", "Bought."))) == ["docstring"]


def test_damage_hides_nothing_else() -> None:
    """Where a function does not parse it is compared by lines; a rename elsewhere is still folded."""
    new = BASE.replace("ranked", "by_price").replace("def report(basket, prices):", "def report(basket, prices:")
    file = only(BASE, new)
    assert file.damaged
    assert {"renamed", "text"} == set(kinds(file))


OTHERS = {
    "a.js": ("function f(a) {\n  const total = a + 1\n  return total\n}\n", "total", "sum"),
    "a.ts": ("export function f(a: number): number {\n  const total = a + 1;\n  return total;\n}\n", "total", "sum"),
    "a.go": ("package p\n\nfunc f(a int) int {\n\ttotal := a + 1\n\treturn total\n}\n", "total", "sum"),
    "a.rs": ("fn f(a: u8) -> u8 {\n    let total = a + 1;\n    total\n}\n", "total", "sum"),
}


@pytest.mark.parametrize("path", OTHERS)
def test_other_languages_fold_what_a_function_calls_its_own(path: str) -> None:
    """A local name and a new layout fold in every language that we know; another operator does not."""
    text, old, new = OTHERS[path]
    assert set(kinds(only(text, text.replace(old, new), path))) == {"renamed"}
    assert meaningful(only(text, text.replace("+", "-"), path))
    assert set(kinds(only(text, text.replace("a + 1", "a   +\n        1"), path))) == {"reformatted"}


LAYOUTS = {
    "a value that is returned no more": (
        "a.js",
        "function f() {\n  return 1\n}\n",
        "function f() {\n  return\n  1\n}\n",
    ),
    "a block that becomes a value": ("a.js", "function f() {\n  return {}\n}\n", "function f() {\n  return\n  {}\n}\n"),
    "blanks in a template": ("a.js", "f(`a ${b} c`)\n", "f(`a ${b}  c`)\n"),
    "a key of the same name": (
        "a.js",
        "function f(a) {\n  const x = a\n  return { x }\n}\n",
        "function f(a) {\n  const y = a\n  return { y }\n}\n",
    ),
    "a build constraint": ("a.go", "//go:build linux\n\npackage p\n", "//go:build linux\npackage p\n"),
    "signs in a macro": ("a.rs", "fn f() {\n    m!(a && b);\n}\n", "fn f() {\n    m!(a & & b);\n}\n"),
    "blanks in a raw string": ("a.rs", 'fn f() {\n    g(r"a b");\n}\n', 'fn f() {\n    g(r"a  b");\n}\n'),
    "text without a grammar": ("a.txt", "a b\n", "a  b\n"),
}


@pytest.mark.parametrize("what", LAYOUTS)
def test_a_layout_that_means_something_is_not_folded(what: str) -> None:
    """White space that other languages read is not taken for layout."""
    path, old, new = LAYOUTS[what]
    file = only(old, new, path)
    assert meaningful(file), kinds(file)


EDITS = st.lists(
    st.tuples(
        st.sampled_from(("drop", "double", "swap", "word", "blank", "indent", "join", "move")),
        st.integers(0, 200),
        st.integers(0, 200),
    ),
    min_size=1,
    max_size=6,
)
WORDS = ("items", "total", "ranked", "cheapest", "LIMIT", "report", "price", "basket", "pair", "rate", "fresh", "name")


def edited(text: str, edits: list[tuple[str, int, int]]) -> str:
    """The text after some of what people and machines do to one."""
    lines = text.splitlines(keepends=True)
    for kind, at, to in edits:
        one, two = at % len(lines), to % len(lines)
        if kind == "drop" and len(lines) > 3:
            del lines[one]
        elif kind == "double":
            lines.insert(two, lines[one])
        elif kind == "swap":
            lines[one], lines[two] = lines[two], lines[one]
        elif kind == "blank":
            lines.insert(one, "\n")
        elif kind == "indent":
            lines[one] = "    " + lines[one] if to % 2 else lines[one].removeprefix("    ")
        elif kind == "join":
            lines[one] = lines[one].replace(", ", ",\n" + " " * (to % 12)).replace("(", "( ", to % 2)
        elif kind == "word":
            text = "".join(lines).replace(WORDS[at % len(WORDS)], WORDS[to % len(WORDS)])
            lines = text.splitlines(keepends=True)
        elif kind == "move":
            lines[two:two], lines[one : one + 9] = lines[one : one + 9], []
    return "".join(lines)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EDITS)
def test_whatever_is_folded_has_the_same_tokens(edits: list[tuple[str, int, int]]) -> None:
    """Folded means: by Python's own tokenizer the same tokens, modulo the claimed names and places."""
    new = edited(BASE, edits)
    try:
        compile(new, "a.py", "exec")
    except (SyntaxError, ValueError):
        return
    if new != BASE:
        assert wrongly_folded(compared({"a.py": BASE}, {"a.py": new}), {"a.py": BASE}, {"a.py": new}) == []


def test_all_lines_are_told_once() -> None:
    """The hunks of a file are its changed lines, in order, each once: from them and the old text comes the new one."""
    new = edited(BASE, [("move", 30, 5), ("word", 2, 10), ("drop", 9, 0)])
    file = only(BASE, new)
    old, lines = BASE.splitlines(), new.splitlines()
    made, at = [], 0
    for hunk in file.hunks:
        assert hunk.old.first - 1 >= at
        made += old[at : hunk.old.first - 1] + lines[hunk.new.first - 1 : hunk.new.last]
        at = hunk.old.last
    assert made + old[at:] == lines


def test_no_tree_is_loaded_before_it_is_needed() -> None:
    """Whoever only names the values does not load a parser."""
    import subprocess

    asked = "import sys, workbench.code.compare; sys.exit('tree_sitter' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], cwd=Path(__file__).parents[2]).returncode == 0

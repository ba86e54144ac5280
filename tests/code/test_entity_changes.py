"""What is said of each entity that a change touches, whatever stands next to it."""

from __future__ import annotations

import pytest

from workbench.code.compare import structural_diff
from workbench.code.model import FileSides, StructuralDiff


def compared(path: str, old: str, new: str) -> StructuralDiff:
    return structural_diff([FileSides(path=path, old=old.encode(), new=new.encode())])


def told(diff: StructuralDiff) -> list[str]:
    """Each change of what is no import, such as `modified a (body)`."""
    return [
        f"{each.change} {each.name}" + (f" ({', '.join(each.aspects)})" if each.aspects else "")
        for file in diff.files
        for each in file.entities
        if each.kind != "import"
    ]


NEIGHBOURS = {
    "constants in a row": (
        "a.py",
        "".join(f"V{at} = {at}\n" for at in range(300)),
        "".join(f"V{at} = 1{at}\n" for at in range(300)),
        [f"modified V{at} (body)" for at in range(300)],
    ),
    "members of a class": (
        "a.ts",
        "class P {\n  a = 1;\n  limit = 2;\n  get(x: number) { return x; }\n}\n",
        "class P {\n  a = 2;\n  limit = 3;\n  get(x: number) { return x + 1; }\n}\n",
        ["modified P.a (body)", "modified P.limit (body)", "modified P.get (body)"],
    ),
    "an import above": (
        "a.py",
        "import sys\nLIMIT = 1\nB = 2\n",
        "from re import match\nLIMIT = 3\nB = 2\n",
        ["modified LIMIT (body)"],
    ),
    "kinds of things": (
        "a.rs",
        "enum E { A, B }\nstruct S { x: i32 }\nstatic Z: i32 = 1;\n",
        "enum E { A, C }\nstruct S { x: i64 }\nstatic Z: i32 = 1;\n",
        ["modified E (body)", "modified S (body)"],
    ),
    "what has a signature": (
        "a.ts",
        "interface S {\n  get(id: string): number;\n  put?: boolean;\n}\n",
        "interface S {\n  get(id: number): number;\n  put: boolean;\n}\n",
        ["modified S.get (signature)", "modified S.put (body)"],
    ),
    "two on a line": ("a.ts", "let a = 1, b = 2, c = 3;\n", "let a = 1, b = 4, c = 5;\n", 2),
    "only a comment of one": (
        "a.py",
        "A = 1\nB = 2  # one\nC = 3\n",
        "A = 4\nB = 2  # two\nC = 3\n",
        ["modified A (body)", "modified B (comment)"],
    ),
    "the same name twice": (
        "a.py",
        "def f():\n    return 1\n\n\nX = 1\n\n\ndef f():\n    return 2\n",
        "def f():\n    return 1\n\n\nX = 1\n\n\ndef f():\n    return 3\n",
        ["modified f (body)"],
    ),
}


@pytest.mark.parametrize("what", NEIGHBOURS)
def test_each_of_neighbouring_entities_is_told(what: str) -> None:
    """Lines that change together are told of every entity that they belong to, and of no other."""
    path, old, new, expected = NEIGHBOURS[what]
    found = told(compared(path, old, new))
    assert (len(found) if isinstance(expected, int) else found) == expected


CALLED = {
    "an arrow": ("a.ts", "export const f = (a: number) => a;\n", "export const f = (a: number, b: number) => a;\n"),
    "an arrow in a block": (
        "a.ts",
        "export const f = (a: number): number => {\n  return a;\n};\n",
        "export const f = (a: number, b: number): number => {\n  return a;\n};\n",
    ),
    "a member": (
        "a.ts",
        "export class A {\n  f = (a: number) => {\n    return a;\n  };\n}\n",
        "export class A {\n  f = async (a: number) => {\n    return a;\n  };\n}\n",
    ),
    "an expression": (
        "a.js",
        "export const f = function (name) {\n  return name;\n};\n",
        "export const f = function (name, loud) {\n  return name;\n};\n",
    ),
}


@pytest.mark.parametrize("what", CALLED)
def test_a_function_that_is_a_value_has_a_signature(what: str) -> None:
    """What may be given to it is told as for any other function, to its callers, too; its body is not."""
    path, old, new = CALLED[what]
    diff = compared(path, old, new)
    (name,) = (change.name for change in diff.api)
    assert told(diff) == [f"modified {name} (signature)"]
    assert [change.change for change in diff.api] == ["signature"]
    assert [sites.name for sites in diff.calls] == [name]
    assert told(compared(path, old, old.replace("a;", "a + 1;").replace("name;", "name + 1;"))) == [
        f"modified {name} (body)"
    ]


def function(path: str, name: str) -> str:
    """The same thing three times, in each language."""
    return {
        "a.py": f"def {name}(a):\n    for one in a:\n        print({name!r}, one)\n    return a\n",
        "a.rs": f"pub fn {name}(a: &Y) -> String {{\n    if a.{name} {{\n        return b;\n    }}\n    c\n}}\n",
        "a.go": f"func {name}(a Y) string {{\n\tif a.{name} {{\n\t\treturn b\n\t}}\n\treturn c\n}}\n",
        "a.ts": f"export function {name}(a: Y) {{\n  if (a.{name}) {{\n    return b;\n  }}\n  return c;\n}}\n",
    }[path]


@pytest.mark.parametrize("path", ["a.py", "a.rs", "a.go", "a.ts"])
def test_what_stands_elsewhere_in_its_file_has_moved_and_is_folded_to_its_last_bracket(path: str) -> None:
    """Functions in another order are told as moved, none as changed; no line of them is left to read."""
    one, two, three = (function(path, name) for name in ("first", "second", "third"))
    for order in ((two, one, three), (two, three, one), (three, one, two)):
        diff = compared(path, "\n\n".join((one, two, three)), "\n\n".join(order))
        assert told(diff) and {each.partition(" ")[0] for each in told(diff)} == {"moved"}
        assert not any("(" in each for each in told(diff))
        assert all(hunk.is_mechanical for hunk in diff.files[0].hunks), diff.files[0].hunks


def test_a_bracket_beside_what_moved_and_changed_is_not_folded() -> None:
    """A function that moved and says something else keeps its brackets in sight, and what it says now."""
    one, two = (function("a.ts", name) for name in ("first", "second"))
    diff = compared("a.ts", f"{one}\n{two}", f"{two}\n{one.replace('return c', 'return d')}")
    assert told(diff) == ["moved first (body)"] or told(diff) == ["moved second", "modified first (body)"]
    assert not all(hunk.is_mechanical for hunk in diff.files[0].hunks)


def test_what_may_stand_in_damage_is_not_called_removed_or_added() -> None:
    """Code that does not parse to the end of its file hides no removal of what its text still names, nor makes one."""
    text = "package a\n\nfunc A() int { return 1 }\n\nfunc B() int { return 2 }\n\nfunc C() int { return 3 }\n"
    torn = text.replace("B() int", "B( int")
    for old, new in ((text, torn), (torn, text)):
        diff = compared("a.go", old, new)
        assert not [each for each in told(diff) if " C" in each]
        assert not [change for change in diff.api if change.name == "C"]
    gone = compared("a.go", text, torn.replace("func C() int { return 3 }\n", ""))
    assert "removed C" in told(gone)


OFFERED = {
    "a list of CommonJS": (
        "a.js",
        "function f(a) { return a; }\nconst g = (a) => a;\nmodule.exports = { f, other: g };\n",
        "function f(a, b) { return a; }\nconst g = (a) => a;\nmodule.exports = { f };\n",
        [("signature", "f"), ("removed", "g")],
    ),
    "a name of CommonJS": (
        "a.js",
        "exports.f = function (a) { return a; };\nmodule.exports.bye = (a) => a;\n",
        "exports.f = function (a, b) { return a; };\n",
        [("signature", "exports.f"), ("removed", "module.exports.bye")],
    ),
    "what CommonJS keeps": (
        "a.js",
        "function f(a) { return a; }\nexports.g = g;\n",
        "function f(a, b) { return a; }\nexports.g = g;\n",
        [],
    ),
    "what is passed on": (
        "index.ts",
        'export { add, sub as minus } from "./m";\nexport * from "./n";\nexport * as all from "./o";\n',
        'export { sub as minus } from "./k";\n',
        [("removed", "add"), ("removed", '* from "./n"'), ("removed", "all")],
    ),
    "an interface of Go": (
        "a.go",
        "package a\n\ntype I interface {\n\tGet(id string) int\n\tgone()\n}\n",
        "package a\n\ntype I interface {\n\tGet(id int) int\n\tPut()\n}\n",
        [("signature", "I.Get"), ("added", "I.Put")],
    ),
}


@pytest.mark.parametrize("what", OFFERED)
def test_what_others_may_use_is_told_however_it_is_offered(what: str) -> None:
    """Lists of exports, names that are passed on and methods of interfaces are public, and nothing else is."""
    path, old, new, expected = OFFERED[what]
    assert sorted((each.change, each.name) for each in compared(path, old, new).api) == sorted(expected)

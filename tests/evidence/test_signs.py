"""Signs of risk in changed lines, language by language, and what the order of reading makes of them."""

from __future__ import annotations

import pytest

from workbench.core.reading import reading_list
from workbench.evidence.signs import signs_of
from workbench.evidence.sizes import change_summary
from workbench.evidence.structure import Structure
from workbench.model.errors import RepositoryProblem
from workbench.testing.changes import TreeChange

PY = "def load(p):\n    try:\n        return open(p).read()\n    except OSError:\n        raise\n"
GO = "package p\nfunc Add() {\n\tmu.Lock()\n\tn++\n\tmu.Unlock()\n}\n"


def names(path: str, old: str, new: str) -> dict[str, int]:
    return {sign.name: sign.line for sign in signs_of(path, old.encode(), new.encode())}


@pytest.mark.parametrize(
    ("path", "old", "new", "sign", "line"),
    [
        ("a.py", PY, PY.replace("raise", "return None"), "swallowed", 4),
        ("a.py", PY, PY.replace("        raise\n", "        # never mind\n        pass\n"), "swallowed", 4),
        ("a.js", "f();\n", "try { f(); } catch (e) {\n  // never\n}\n", "swallowed", 1),
        ("a.ts", "f();\n", "try {\n  f();\n} catch {\n  return null;\n}\n", "swallowed", 3),
        ("a.go", "package p\n", "package p\nfunc f() {\n\t_ = g()\n}\n", "swallowed", 3),
        ("a.go", "package p\n", "package p\nfunc f() {\n\tif err != nil {\n\t}\n}\n", "swallowed", 3),
        ("a.rs", "fn f() {}\n", "fn f() {\n  let _ = g();\n}\n", "swallowed", 2),
        ("a.rs", "fn f() {}\n", "fn f() {\n  g().unwrap();\n}\n", "panics", 2),
        ("a.rb", "f\n", "f rescue nil\n", "swallowed", 1),
        ("a.go", GO, GO.replace("\tmu.Lock()\n", "").replace("\tmu.Unlock()\n", ""), "unlocked", 0),
        ("a.go", GO, GO.replace("n++", "go func() { n++ }()"), "concurrency", 4),
        ("a.py", "x = 1\n", "import threading\nx = threading.Lock()\n", "locking", 2),
        ("a.py", "x = 1\n", "async def f():\n    pass\n", "concurrency", 1),
        ("A.java", "class A {}\n", "class A { synchronized void f() {} }\n", "locking", 1),
        ("a.py", "x = 1\n", "import subprocess\n", "security", 1),
        ("a.py", "x = 1\n", 'db.execute("SELECT a FROM b")\n', "security", 1),
        ("a.py", "raise X\n", "x = 1\n", "unraised", 0),
    ],
)
def test_a_sign_is_seen(path: str, old: str, new: str, sign: str, line: int) -> None:
    """What asks for care in the lines that came or went is named, with the line where it stands."""
    assert names(path, old, new).get(sign) == line


def test_what_did_not_change_is_no_sign() -> None:
    """Lines that only moved or were indented, comments, an error that is passed on, and what is no code: nothing."""
    assert names("a.py", PY, f"x = 1\n{PY}") == {}
    assert names("a.py", "x = 1\n", "# subprocess, raise and Lock()\nx = 1\n") == {}
    assert "swallowed" not in names("a.py", "x = 1\n", "try:\n    f()\nexcept E as e:\n    log(e)\n")
    assert "swallowed" not in names("a.go", "package p\n", "package p\nif err != nil {\n\treturn err\n}\n")
    assert names("a.md", "x\n", "subprocess raise\n") == {}


def test_reasons_order_what_is_to_be_read() -> None:
    """The gravest reason comes first, in words; what is private is not public in Go either; mechanical last."""
    old = {
        "load.py": PY, "lock.go": GO, "plain.go": "package p\nfunc plain() int { return 1 }\n",
        "api.proto": "message A {}\n", "moved.py": "def f(a):\n    return a + 1\n",
    }  # fmt: skip
    new = {
        "load.py": PY.replace("raise", "return None"),
        "lock.go": GO.replace("\tmu.Lock()\n", "").replace("\tmu.Unlock()\n", ""),
        "plain.go": old["plain.go"].replace("1", "2"),
        "db/migrate/1.sql": "DROP TABLE users;\n",
        "api.proto": "message A { int32 b = 1; }\n",
        "moved.py": "def f(a):\n    return a  +  1\n",
    }
    change = TreeChange.of(old, new)
    structure = Structure(lambda _: {"load.py": (20, 6)})
    evidence = structure.collect(change).evidence
    changes = structure.told(change_summary(change))
    read = list(reading_list(changes, (), uncovered={}, evidence=evidence))
    assert [(item.path, item.group) for item in read] == [
        ("db/migrate/1.sql", "first"),
        ("load.py", "first"),
        ("lock.go", "first"),
        ("api.proto", "first"),
        ("plain.go", "changed"),
        ("moved.py", "mechanical"),
    ]
    why = {item.path: item.why for item in read}
    assert why["load.py"].startswith("an error is swallowed") and "6 of its last 20 commits are fixes" in why["load.py"]
    assert why["lock.go"].startswith("a lock is gone") and "can lose data: DROP TABLE" in why["db/migrate/1.sql"]


def test_history_that_is_not_here_holds_up_nothing() -> None:
    """Where the base's commits are not to be had, the change is compared all the same."""

    def nowhere(_: object) -> dict[str, tuple[int, int]]:
        raise RepositoryProblem("not here", hint="look elsewhere")

    piece = Structure(nowhere).collect(TreeChange.of({"a.py": "x = 1\n"}, {"a.py": "x = 2\n"})).evidence[0]
    assert (piece.state, piece.facts["history"]) == ("passed", {})


@pytest.mark.parametrize(
    "line", ["a" * 4_000, "SELECT " * 500, "catch {" + "// " * 1_000, "except " * 500, "_, " * 1_000]
)
@pytest.mark.parametrize("path", ["a.py", "a.go", "a.ts"])
def test_hostile_lines_take_no_time(path: str, line: str) -> None:
    """Long lines that nearly match are read in a time that grows with their length."""
    assert len(signs_of(path, b"", f"{line}\n".encode() * 40)) < 5

"""What a change does to the rest of a tree, told from bytes alone."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

import pytest

from workbench.code.collisions import names_in
from workbench.code.compare import structural_diff
from workbench.code.contracts import contracts
from workbench.code.filekinds import kind_of
from workbench.code.impact import impact
from workbench.code.impact_model import Affected, Impact
from workbench.code.model import FileSides
from workbench.core.views.impact import impact_lines, in_short


class Files:
    """A tree in memory; `asked` are the files that were read."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files
        self.paths: Sequence[str] = tuple(files)
        self.asked: set[str] = set()

    def read(self, path: str) -> bytes | None:
        self.asked.add(path)
        return self._files[path].encode() if path in self._files else None

    def holders(self, names: Collection[str]) -> list[str]:
        return [path for path, text in self._files.items() if set(names) & set(re.findall(r"[\w$]+", text))]


def told(before: Mapping[str, str], after: Mapping[str, str | None]) -> tuple[Impact, Files]:
    """The impact of setting these files; None removes one."""
    result = {path: text for path, text in {**before, **after}.items() if text is not None}
    tree = Files(result)
    sides = [
        FileSides(path=path, old=_bytes(before.get(path)), new=_bytes(text))
        for path, text in after.items()
        if before.get(path) != text
    ]
    return impact(sides, structural_diff(sides), tree), tree


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


def named(found: Impact, name: str) -> Affected:
    return next(each for each in found.affected if each.name == name)


def reached(each: Affected) -> list[tuple[str, str, int, bool]]:
    return [(caller.path, caller.name, caller.depth, caller.is_sure) for caller in each.callers]


SHOP = {
    "shop/__init__.py": "from shop.prices import total\n",
    "shop/prices.py": (
        "class Cart:\n    def add(self, item):\n        return item\n\n\ndef total(rows):\n    return 1\n"
    ),
    "shop/till.py": (
        "from shop.prices import Cart, total as summed\n\n\n"
        "def pay(cart: Cart, rows):\n    cart.add(1)\n    return summed(rows)\n"
    ),
    "shop/web.py": "from shop import till, total\n\n\ndef show(bag):\n    return till.pay(bag, []) + total([])\n",
    "shop/other.py": "def total(rows):\n    return 2\n\n\nprint(total([]))  # total\n",
    "shop/loose.py": "from shop.prices import Cart\n\n\ndef fill(bag):\n    bag.add(2)\n    return Cart\n",
    "shop/idle.py": "import json\n",
    "tests/test_till.py": "from shop.till import pay\n\n\ndef test_pay():\n    assert pay(None, [])\n",
}


def test_a_caller_that_was_left_as_it_is_is_told_from_one_that_changed_too() -> None:
    """Though the change edits both files: the one that still calls the old way is the one to look at."""
    after = {
        "shop/prices.py": SHOP["shop/prices.py"].replace("total(rows)", "total(rows, tax)"),
        "shop/till.py": SHOP["shop/till.py"].replace("summed(rows)", "summed(rows, 2)"),
        "shop/web.py": "import json\n" + SHOP["shop/web.py"],
    }
    found, _ = told(SHOP, after)
    callers = {caller.path: (caller.is_changed, caller.is_edited) for caller in named(found, "total").callers}
    assert callers["shop/till.py"] == (True, True)
    assert callers["shop/web.py"] == (True, False)
    words = {line.path: line.fact for line in impact_lines(found) if line.depth == 1}
    assert words["shop/web.py"] == "left as it is, in a changed file"


def test_callers_are_followed_through_imports_other_names_and_modules_that_hand_on() -> None:
    """Who calls a changed function is found from file to file; others of the same name are not taken for it."""
    found, tree = told(
        SHOP, {"shop/prices.py": SHOP["shop/prices.py"].replace("def total(rows):", "def total(rows, day):")}
    )
    total = named(found, "total")
    assert (total.how, total.is_public) == ("signature", True)
    assert reached(total) == [
        ("shop/till.py", "pay", 1, True),
        ("shop/web.py", "show", 2, True),
        ("tests/test_till.py", "test_pay", 2, True),
    ]
    assert all(caller.path != "shop/other.py" for caller in total.callers)
    assert "shop/idle.py" not in tree.asked


def test_a_method_on_something_unknown_is_said_to_be_unsure() -> None:
    """A call on an object whose class is written counts; on any other it is listed as one that could not be told."""
    text = SHOP["shop/prices.py"].replace("return item", "return [item]")
    found, _ = told(SHOP, {"shop/prices.py": text})
    add = named(found, "Cart.add")
    assert [row for row in reached(add) if row[2] == 1] == [
        ("shop/till.py", "pay", 1, True),
        ("shop/loose.py", "fill", 1, False),
    ]
    assert any(each.startswith("Cart.add: the same name") and "shop/loose.py:5" in each for each in found.unresolved)


def test_what_is_removed_and_still_named_stands_out() -> None:
    """A removed function that others still import is failed in the tree, with those who name it."""
    found, _ = told(SHOP, {"shop/prices.py": "class Cart:\n    def add(self, item):\n        return item\n"})
    lines = impact_lines(found)
    removed = next(each for each in lines if each.words.startswith("total "))
    assert (removed.state, "removed" in removed.words) == ("failed", True)
    assert any(each.words.startswith("pay  shop/till.py") and each.depth == 1 for each in lines)
    assert "caller" in in_short(found)


@pytest.mark.parametrize(
    ("before", "after", "caller"),
    [
        (
            {"src/a.ts": "export function f(x: number) {\n  return x;\n}\n",
                "src/b.ts": "import { f as g } from './a';\nexport const use = () => g(1);\n"},
            {"src/a.ts": "export function f(x: number, y: number) {\n  return x;\n}\n"},
            ("src/b.ts", "use"),
        ),
        (
            {
                "go.mod": "module example.com/m\n",
                "store/store.go": "package store\n\nfunc Get(k string) string {\n\treturn k\n}\n",
                "main.go": 'package main\n\nimport "example.com/m/store"\n\nfunc run() {\n\tstore.Get("a")\n}\n',
            },
            {"store/store.go": "package store\n\nfunc Get(k string, n int) string {\n\treturn k\n}\n"},
            ("main.go", "run"),
        ),
        (
            {
                "src/store.rs": "pub fn get(k: u8) -> u8 {\n    k\n}\n",
                "src/main.rs": "mod store;\nuse crate::store::{get, other};\n\nfn run() {\n    get(1);\n}\n",
            },
            {"src/store.rs": "pub fn get(k: u8, n: u8) -> u8 {\n    k\n}\n"},
            ("src/main.rs", "run"),
        ),
        (
            {"a.js": "function f(x) {\n  return x;\n}\nmodule.exports = { f };\n",
                "b.js": "const { f } = require('./a');\nfunction use() {\n  return f(1);\n}\n"},
            {"a.js": "function f(x, y) {\n  return x;\n}\nmodule.exports = { f };\n"},
            ("b.js", "use"),
        ),
    ],
    ids=["typescript", "go", "rust", "javascript"],
)  # fmt: skip
def test_callers_are_found_in_every_language(
    before: dict[str, str], after: dict[str, str | None], caller: tuple[str, str]
) -> None:
    """A changed signature reaches its caller in another file of the same language."""
    found, _ = told(before, after)
    assert [(each.path, each.name, each.is_sure) for each in found.affected[0].callers][-1:] == [(*caller, True)]


LAYERS = """
[tool.importlinter]
root_package = "app"
[[tool.importlinter.contracts]]
name = "Layers"
type = "layers"
layers = ["app.web | app.cli", "app.core", "app.model"]
[[tool.importlinter.contracts]]
name = "No SQL in the core"
type = "forbidden"
source_modules = ["app.core"]
forbidden_modules = ["sqlite3"]
[[tool.importlinter.contracts]]
name = "Odd"
type = "of_a_plugin"
"""
APP = {
    "pyproject.toml": LAYERS,
    "app/__init__.py": "",
    "app/web.py": "from app import core\n",
    "app/cli.py": "import app.core\n",
    "app/core.py": "from app.model import Thing\n",
    "app/model.py": "class Thing: ...\n",
    "app/base.py": "import app.web\n",
}


def test_rules_and_rings_that_a_change_breaks_are_named_with_the_way_there() -> None:
    """A need that goes up, sideways or to what is forbidden breaks a rule, also by what it leads to."""
    found, _ = told(
        APP,
        {
            "app/core.py": "from app.model import Thing\n\n\ndef late():\n    import sqlite3\n",
            "app/model.py": "from . import base\n\n\nclass Thing: ...\n",
            "app/cli.py": "import app.core\nimport app.web\n",
        },
    )
    assert {(each.contract, each.chain) for each in found.broken} == {
        ("Layers", ("app.cli", "app.web")),
        ("Layers", ("app.model", "app.base", "app.web")),
        ("No SQL in the core", ("app.core", "sqlite3")),
    }
    assert found.cycles == (("app.model", "app.base", "app.web", "app.core", "app.model"),)
    assert found.contracts == 2
    assert any("'Odd'" in each for each in found.limits)
    assert [line.state for line in impact_lines(found) if line.depth == 0][:4] == ["failed"] * 4


def test_a_change_cannot_loosen_the_rules_that_it_is_held_against() -> None:
    """Rules are read as they were before the change; without rules only rings are looked for."""
    broken = {"app/model.py": "import app.core\n\n\nclass Thing: ...\n"}
    found, _ = told(APP, {**broken, "pyproject.toml": ""})
    assert [each.contract for each in found.broken] == ["Layers"]
    assert [(each.kind, each.path) for each in found.special] == [("dependencies", "pyproject.toml")]
    found, _ = told({**APP, "pyproject.toml": ""}, broken)
    assert (found.broken, found.cycles) == ((), (("app.model", "app.core", "app.model"),))


def test_a_ring_that_was_there_and_needs_that_stay_are_no_news() -> None:
    """Only what the change adds or takes away is told."""
    before = {"a.py": "import b\n", "b.py": "import a\n", "c.py": "import a\n"}
    found, _ = told(before, {"a.py": "import b\nimport b as again\n", "b.py": "import a\nimport c, json\n"})
    assert [(each.module, each.needs, each.is_inside) for each in found.added] == [
        ("b", "c", True),
        ("b", "json", False),
    ]
    assert found.cycles == (("b", "c", "a", "b"),) or found.cycles == ()
    found, _ = told(before, {"c.py": None})
    assert [(each.module, each.needs) for each in found.removed] == [("c", "a")]


def test_names_that_nothing_in_the_tree_answers_to_are_said() -> None:
    """A relative import of what is not there is listed as not resolved, as is what cannot be parsed."""
    found, _ = told({"p/a.py": ""}, {"p/a.py": "from .gone import x\n", "p/b.ts": "import y from './away';\n"})
    assert [each for each in found.unresolved if "not in the tree" in each] == [
        "p/a.py:1: needs x of .gone, which is not in the tree",
        "p/b.ts:1: needs ./away, which is not in the tree",
    ]


def test_more_than_code_is_told_by_its_kind() -> None:
    """Migrations, schemas and settings are listed; one that may have run already, or loses data, says so."""
    found, _ = told(
        {"db/migrations/0001.sql": "CREATE TABLE a (b int);\n"},
        {
            "db/migrations/0001.sql": "CREATE TABLE a (c int);\n",
            "db/migrations/0002.sql": "ALTER TABLE a DROP COLUMN c;\n",
            "api.proto": "message A {}\n",
            "settings.toml": "a = 1\n",
        },
    )
    assert [(each.kind, each.path, each.status, each.detail) for each in found.special] == [
        ("migration", "db/migrations/0001.sql", "M", "one that may have run already is edited"),
        ("migration", "db/migrations/0002.sql", "A", "can lose data: DROP COLUMN"),
        ("schema", "api.proto", "A", ""),
        ("configuration", "settings.toml", "A", ""),
    ]
    assert [kind_of(path) for path in ("shop/a.py", "README.md", ".github/workflows/ci.yml", "go.sum")] == [
        None, None, "pipeline", "dependencies",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["[tool.importlinter", "[tool]\nimportlinter = 3", "[tool.importlinter]\ncontracts = 'x'\n"]
)
def test_rules_that_cannot_be_read_are_said_and_break_nothing(text: str) -> None:
    """A torn settings file costs the rules, never the view."""
    found, problems = contracts({"pyproject.toml": text.encode()})
    assert found == [] and (problems or "contracts" in text)


def test_hostile_files_cost_little() -> None:
    """Deep, torn, binary and endless files are told as what they are, before the test runs out of time."""
    odd = {
        "deep.rs": "use " + "a::{" * 3000 + "b;\n",
        "torn.py": "from x import (\n" * 50,
        "binary.py": "\0\0import a\n",
        "names.ts": "import {" + ", ".join(f"n{number}" for number in range(5000)) + "} from './a';\n",
        "requires.js": "x = {" * 900 + "require('./a');" * 500,
        "braces.ts": "import " + "{" * 5000 + " from './a';\n",
        "funcs.go": "package a\n\nfunc " + "(func " * 1500 + "\n",
        "needs.py": "".join(f"import m{number}\n" for number in range(1500)) + "x:" * 4000 + "\n",
        "rules.toml": "[tool.importlinter]\n",
    }
    found, _ = told({}, dict(odd))
    for path, text in odd.items():
        names_in(path, text.encode())
    assert len(found.modules) == len(odd) - 1
    assert any("200 of 1500 new needs" in each for each in found.limits)
    assert any(each.startswith("binary.py") for each in found.unresolved)


def test_a_change_of_nothing_reaches_nothing() -> None:
    """An empty change has an empty impact."""
    found, _ = told(SHOP, {})
    assert in_short(found) == "nothing beyond the changed lines"

"""Laws of a brief: tried on base and on the result with many values, out of reach of the tree that they judge."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from projects import Project

from workbench.artifacts.brief import Brief, Goal, SuccessCriteria
from workbench.artifacts.terms import Clause, Property
from workbench.core.criteria import mended_clauses
from workbench.evidence.cache import EvidenceCache
from workbench.evidence.clauses import ClausesCollector
from workbench.evidence.properties import judge, making, weighing
from workbench.evidence.properties.trying import _sealed, programs, started
from workbench.model.evidence import Evidence

UNIQUE = "def unique(items):\n    return list(dict.fromkeys(items))\n"
DOUBLES = "def unique(items):\n    return items\n"
LAW = Property(
    holds="len(unique(items)) == len(set(items))",
    given={"items": "lists of integers"},
    module=("basket",),
    timeout_s=120,
)


def tried(
    place: Path, base: Mapping[str, str], edits: Mapping[str, str], *laws: Property, cache: EvidenceCache | None = None
) -> list[Evidence]:
    """The evidence of each law."""
    project = Project(place, base, edits)
    named = tuple(Clause(id=f"INV-{number}", text="law", property=law) for number, law in enumerate(laws, 1))
    criteria = SuccessCriteria(invariants=named)
    brief = Brief(id="b", title="b", goal=Goal(objective="x"), success_criteria=criteria)
    return list(ClausesCollector(project.rig, brief, cache=cache).collect(project.change).evidence)


def law(holds: str, module: str = "basket", **given: str) -> Property:
    return Property(holds=holds, given=given or {"n": "integers 0..3"}, module=(module,), examples=40, timeout_s=120)


def test_a_law_that_base_breaks_and_the_result_holds_is_a_reproduction(tmp_path: Path) -> None:
    """It passes, the pack has the smallest thing that base fails on, and the gate counts it as made to hold."""
    [piece] = tried(tmp_path, {"basket.py": DOUBLES}, {"basket.py": UNIQUE}, LAW)
    assert (piece.state, piece.grade, piece.facts["base_state"]) == ("passed", "executed", "failed")
    assert piece.facts["base_counterexample"] == {"items": "[0, 0]"}
    assert mended_clauses([piece]) == ("INV-1",)


def test_a_law_that_held_on_base_and_is_broken_is_a_regression(tmp_path: Path) -> None:
    """It fails with the smallest counterexample, and says that base held it."""
    [piece] = tried(tmp_path, {"basket.py": UNIQUE}, {"basket.py": DOUBLES}, LAW)
    assert (piece.state, piece.facts["base_state"]) == ("failed", "passed")
    assert piece.facts["counterexample"] == {"items": "[0, 0]"}
    assert "it held on base" in piece.summary


HOSTILE = """
import atexit, builtins, json, os, pickle, sys
builtins.all = builtins.any = builtins.bool = lambda *_: True
builtins.len = lambda _: 1
builtins.eval = builtins.compile = lambda *_, **__: True
json.dumps = lambda *_, **__: '{"said": true}'
pickle.Unpickler = None
sys.modules["__main__"].__dict__.update(eval=lambda *_: True, Law=None, _answers=None)
class Liar:
    def __getattr__(self, name): return self
    def __call__(self, *args, **kwargs): return args[0] if args else self
sys.modules["hypothesis"] = Liar()
print('{"said": true}', flush=True)
atexit.register(os._exit, 0)
try:
    os.write(1, b'{"state": "held"}')
    os.kill(os.getppid(), 0)
except OSError:
    pass
"""


def test_a_hostile_tree_does_not_switch_a_law_off(tmp_path: Path) -> None:
    """Start-up files, configuration, profiles and patches of what runs there leave the law as the brief has it."""
    switch = (
        "from hypothesis import settings\nsettings.register_profile('x', max_examples=1)\nsettings.load_profile('x')\n"
    )
    edits = {
        "basket.py": HOSTILE + DOUBLES,
        "conftest.py": switch,
        "sitecustomize.py": HOSTILE,
        "hypothesis/__init__.py": "def given(*_, **__): return lambda f: f\n",
        "json.py": "raise SystemExit(0)\n",
        "pyproject.toml": "[tool.hypothesis]\nmax_examples = 1\n",
        "sortedcontainers.py": "",
    }
    [piece] = tried(tmp_path, {"basket.py": UNIQUE}, edits, LAW)
    assert (piece.state, piece.facts["base_state"]) == ("failed", "passed")
    assert piece.facts["counterexample"] == {"items": "[0, 0]"}


@pytest.mark.parametrize("does", ["import os; os._exit(0)", "raise SystemExit(0)", "raise ValueError('\\x1b[2J')"])
def test_a_program_that_ends_or_raises_does_not_hold(tmp_path: Path, does: str) -> None:
    """Ending the process is no way out, and what is raised reaches the pack visible and bounded."""
    source = f"def half(n):\n    if n > 1:\n        {does}\n    return n\n"
    [piece] = tried(tmp_path, {"basket.py": UNIQUE}, {"basket.py": source}, law("half(n) >= 0"))
    assert (piece.state, piece.facts["counterexample"]) == ("failed", {"n": "2"})
    assert "\x1b" not in piece.summary and "\x1b" not in str(piece.facts)


def test_types_and_strategies_of_the_program_make_values(tmp_path: Path) -> None:
    """A type is made from its hints, a strategy by the project's own Hypothesis; base's tests are put back."""
    base = {
        "basket.py": "from typing import NamedTuple\n\nclass Item(NamedTuple):\n    price: int\n    tags: list[str]\n",
        "pricing.py": "def total(items):\n    return sum(each.price for each in items)\ndef cut(rate):\n    return 0\n",
        "tests/__init__.py": "",
        "tests/ways.py": "from hypothesis import strategies as st\n\nrates = st.sampled_from([0.0, 0.5])\n",
    }
    weak = base["tests/ways.py"].replace("0.0, 0.5", "0.0")
    edited = base["pricing.py"].replace("each.price for", "abs(each.price) for").replace("return 0", "return rate")
    edits = {"pricing.py": edited, "tests/ways.py": weak}
    items = Property(
        holds="total(a) + total(b) == total(a + b) and total(a) > -9",
        given={"a": "lists of basket:Item", "b": "lists of basket:Item"},
        module=("pricing",),
        examples=60,
        timeout_s=120,
    )
    rates = law("cut(rate) < 0.4", "pricing", rate="tests.ways:rates")
    types, strategies = tried(tmp_path, base, edits, items, rates)
    assert (types.state, types.facts["base_state"]) == ("passed", "failed")
    assert types.facts["base_counterexample"]["a"].startswith("[Item(price=-9, tags=[])")
    assert strategies.state == "failed", "the change's own strategy would have made nothing but 0.0"


def test_values_that_the_change_itself_makes_prove_nothing(tmp_path: Path) -> None:
    """A law that holds for a type that the change edits is not checked: somebody has to look at that type."""
    base = {"basket.py": "class Item:\n    def __init__(self, price: int) -> None:\n        self.price = price\n"}
    edits = {"basket.py": base["basket.py"].replace("= price", "= abs(price)")}
    [piece] = tried(tmp_path, base, edits, law("item.price >= 0", item="basket:Item"))
    assert piece.state == "not-checked" and "basket.py" in piece.summary


def test_what_cannot_be_tried_is_said(tmp_path: Path) -> None:
    """A name that is not there, values of which none counts, and a program that is not in Python pass nothing."""
    never = Property(holds="unique([n]) == [n]", given={"n": "integers"}, module=("basket",), when="n != n", examples=5)
    unknown, none = tried(tmp_path / "a", {"basket.py": UNIQUE}, {"x.py": ""}, law("nix(n)"), never)
    assert (unknown.state, none.state) == ("error", "error")
    assert "nix" in unknown.summary and "`when`" in none.summary
    [other] = tried(tmp_path / "b", {"main.go": "package main\n"}, {"main.go": "package main // x\n"}, law("f(n)"))
    assert other.state == "not-checked" and "no Python" in other.summary


def test_the_time_is_bounded_and_base_is_known(tmp_path: Path) -> None:
    """A law that does not end is timed out, never passed."""
    source = "def wait(n):\n    while True:\n        pass\n"
    forever = Property(holds="wait(n)", given={"n": "integers"}, module=("basket",), timeout_s=1)
    [piece] = tried(tmp_path, {"basket.py": UNIQUE}, {"basket.py": source}, forever)
    assert piece.state == "timed-out"


def test_a_report_that_the_judge_did_not_seal_counts_for_nothing() -> None:
    """What anybody else writes in its place is not read."""
    assert _sealed(b'{"state": "held", "examples": 200}\n' + b"0" * 64 + b"\n", b"key") is None
    assert _sealed(b"", b"key") is None


FORGER = """
import sys

def unique(items):
    frame = sys._getframe()
    while frame:
        end = frame.f_locals.get("self")
        if hasattr(end, "_done"):
            type(end)._done = lambda self, question: {"value": [True, []]}
        frame = frame.f_back
    return list(dict.fromkeys(items))
"""
SHADOWS = "def len(_):\n    return 0\n\ndef unique(items):\n    return []\n"


def test_a_program_that_finds_the_question_answers_no_law(tmp_path: Path) -> None:
    """A law is weighed outside of the program, where what it answers is data. Where a function of the program's says
    that it holds, the same forgery works (the control), and the pack says who said so."""
    once = "from basket import unique\n\ndef once(items):\n    return len(unique(items)) == len(set(items))\n"
    base = {"basket.py": UNIQUE, "pricing.py": UNIQUE, "laws.py": once}
    edits = {"basket.py": FORGER, "pricing.py": SHADOWS}
    function = law("laws:once", items="lists of integers")
    plain = msgspec.structs.replace(LAW, examples=25)
    shadowed = msgspec.structs.replace(plain, module=("pricing",))
    forged, control, shadow = tried(tmp_path, base, edits, plain, function, shadowed)
    assert (forged.state, forged.facts["base_state"]) == ("failed", "passed")
    assert (control.state, control.facts["examples"]) == ("passed", 40)
    assert "the program itself says: the function that says it" in control.summary
    assert shadow.state == "not-checked" and "judges them: len" in shadow.summary


PROGRAM = """
import collections, dataclasses, enum

class Colour(enum.Enum):
    RED = 1

@dataclasses.dataclass
class Basket:
    items: list
    colour: Colour = Colour.RED
    def __len__(self): return len(self.items)
    def add(self, item): self.items.append(item); return self

def split(basket, at): return Basket(basket.items[:at]), Basket(basket.items[at:])
def total(basket): return sum(basket.items)
def sort(items): items.sort()
def apply(function, items): return [function(each) for each in items]
def walk(items): yield from items
def same(items): return items
def tally(items): return collections.Counter(items)
def bad(n): raise ValueError("no")
"""
HOLD = (
    "total(split(b, n)[0]) + total(split(b, n)[1]) == total(b)",
    "[sort(items), items == [1, 2, 3]][1]",
    "apply(lambda x: x + n, items) == [x + n for x in items] and apply(str, items) == [str(x) for x in items]",
    "sum(walk(x for x in items)) == sum(items) and next(walk(items)) == items[0]",
    "same(items) is items and same(b) is b and list(same(items)) is not items",
    "tally(items) == Counter(items) == collections.Counter(items) and isinstance(tally(items), dict)",
    "[held := b.items, b.add(n), len(held)][2] == len(b) == 4",
    "isinstance(b, Basket) and type(b) is Basket and b.colour in Colour and {b.colour: 1}[Colour.RED] == 1",
    "hasattr(b, 'add') and not hasattr(b, 'nix') and str(b).startswith('Basket') and sorted([b, b], key=total)[0] is b",
    "(lambda it: same(it) == it)((n, 10**9999, -0.5, b'x', '\\ud800', {n: {n}}, frozenset({n}), None, 1j))",
    "isclose(n, same(float(n)))",
)
BREAK = ("same(items) is not items", "[before := list(items), sort(items), before == items][2]", "bad(n) == n", "1 / 0")


def test_a_law_reads_as_if_it_stood_in_the_program(tmp_path: Path) -> None:
    """Though it is weighed elsewhere: what is changed, handed over, walked along and compared means what it says."""
    (tmp_path / "basket.py").write_text(PROGRAM)
    place = tmp_path / "runner"
    modules = ["basket", "collections", "math"]
    rest = {"modules": modules, "root": str(tmp_path), "python_path": [str(tmp_path)], "is_path": False, "when": ""}
    place.mkdir()
    plan = {**rest, "holds": "", "worker": [sys.executable, "-s", "-c", laid_out(place)], "plan": str(place / "plan")}
    (place / "plan").write_text(json.dumps(plan))
    worker = judge.Worker(plan, time.monotonic() + 60)
    try:
        worker.start()
        said = {holds: weighed(worker, {**rest, "holds": holds}) for holds in (*HOLD, *BREAK)}
    finally:
        worker.end()
    assert [holds for holds in HOLD if said[holds] is not True] == []
    assert [holds for holds in BREAK if said[holds] is True] == []


def laid_out(place: Path) -> str:
    programs(place)
    return started(place, "worker")


def weighed(worker: judge.Worker, plan: dict[str, Any]) -> object:
    """What comes of a law on a basket of three."""
    items = [3, 1, 2]
    basket = making.Own("object", "basket:Basket", {"items": [3, 1, 2]})
    law = weighing.Law(plan, weighing.Program(worker.ask))
    return law.tried({"b": basket, "items": items, "n": 1}).get("said")


DESCRIBED = """
import sys

frame = sys._getframe()
while frame:
    if "described" in frame.f_globals:
        frame.f_globals["described"] = lambda path: ["one of", [0]]
    frame = frame.f_back

def half(n):
    return n if n else 0
"""


def test_what_types_are_made_of_is_held_against_base(tmp_path: Path) -> None:
    """A program that would have a law tried on nothing but its own choice is not believed."""
    base = {"basket.py": "def half(n):\n    return n // 2\n", "types_of.py": "N = int\n"}
    [piece] = tried(tmp_path, base, {"basket.py": DESCRIBED}, law("half(n) * 2 in (n, n - 1)", n="types_of:N"))
    assert piece.state == "not-checked" and "what its types are made of" in piece.summary

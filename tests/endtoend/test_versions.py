"""Versions of one brief with the real AEE: run against each other's tests, and composed to a new one with evidence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.soak.person import Person
from workbench.aee.sandbox.select import probe
from workbench.testing.repositories import Repo

LENIENT = "id: lenient\nversion: '1'\nrigor: lenient\nrequire_brief: false\n"
MONEY = "def total(prices):\n    return sum(prices)\n\n\ndef tax(price):\n    return price // 5\n"
# Each version finds its number in the name of its branch.
SCRIPT = """agent: quick
steps:
  - run: |
      case $(git rev-parse --abbrev-ref HEAD) in
        *.1) n=1 body='int(price * 0.2)' ;;
        *) n=2 body='round(price * 0.2)' ;;
      esac
      sed -i "s|price // 5|$body|" money.py
      printf 'from money import tax\\n\\ndef test_tax():\\n    assert tax(8) == %s\\n' $n > test_tax.py
      if [ $n = 1 ]; then sed -i 's/sum(prices)/sum(list(prices))/' money.py; fi
  - submit: {message: "Mend the tax", rationale: {approach: "Plainly."}}
"""


# Five examinations with a real suite cost some 20 s of a processor; the parts have quick tests of their own.
pytestmark = pytest.mark.skipif(not os.environ.get("WORKBENCH_SOAK"), reason="goes with WORKBENCH_SOAK=1 alone")


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    if not (found := probe("bubblewrap")).works:
        pytest.skip(found.reason)
    made = Person(tmp_path / "world")
    suite = "from money import total\n\ndef test_total():\n    assert total([1, 2]) == 3\n"
    Repo(made.repository).commit({"money.py": MONEY, "test_money.py": suite, ".workbench/policy.yaml": LENIENT})
    (made.root / "quick.yaml").write_text(SCRIPT)
    yield made
    made.call("aee", "stop")


def test_versions_meet_each_others_tests_and_make_a_new_one(person: Person) -> None:
    """Where they behave otherwise is named by test; a function of one in the other is a version with its own pack."""
    script = str(person.root / "quick.yaml")
    assert person.call("run", "Mend the tax", "--script", script, "--versions", "2").code == 0
    assert person.call("wait", "--timeout", "150").code == 3
    shown = person.call("compare", "mend-the-tax", "--tests", "--json").rows[0]
    one, two = shown["packs"]
    told = {(item["test"], item["tests_of"], tuple(item["fails"])) for item in shown["disagreements"]}
    assert told == {("test_tax.py::test_tax", one, (two,)), ("test_tax.py::test_tax", two, (one,))}
    assert not [note for note in shown["not_checked"] if "not run" in note]
    again = person.call("compare", "mend-the-tax", "--tests")
    assert "Running" not in again.err and "disagree: test_tax.py::test_tax" in again.out

    made = person.call("compare", "mend-the-tax", "--compose", two, "--compose", f"{one}:money.py::total",
                       "--why", "The tax of one, the sum of the other", "--json").rows[0]  # fmt: skip
    assert (made["decision"], made["selected"]) == ("compose", [two, f"{one}:money.py::total"])
    assert person.call("wait", made["run"], "--timeout", "150").code == 3
    (row,) = person.rows("inbox")
    pack = person.call("mrp", "show", row["id"], "--json").rows[0]
    assert {item["kind"]: item["state"] for item in pack["evidence"]}["tests.result"] == "passed"
    assert made["id"] in pack["audit"]["resolutions"]
    content = person.git("-C", str(person.journal / "store.git"), "show", f"{made['head']}:money.py").stdout
    assert "sum(list(prices))" in content and "round(price * 0.2)" in content
    assert {item["status"] for item in person.rows("runs") if item["run"] in ("mend-the-tax.1", "mend-the-tax.2")} == {
        "done"
    }

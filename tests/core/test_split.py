"""How a change over its size budget is proposed to land: in parts that stand on earlier ones."""

from __future__ import annotations

from workbench.artifacts.mergepack import Change, SplitPart
from workbench.artifacts.policy import SizeLimits
from workbench.core.split import proposed
from workbench.evidence.size import Size
from workbench.evidence.sizes import change_summary
from workbench.evidence.structure import Structure
from workbench.model.evidence import Evidence
from workbench.testing.changes import TreeChange


def split(files: dict[str, str], *, base: dict[str, str] | None = None, most: int) -> tuple[SplitPart, ...]:
    change = TreeChange.of(base or {}, files)
    structure, size = Structure(), Size(SizeLimits(files=most))
    evidence = [*size.collect(change).evidence, *structure.collect(change).evidence]
    return proposed(structure.told(change_summary(change)), evidence)


def test_parts_stand_on_earlier_ones() -> None:
    """Mechanical edits and made files come first, what is needed before what needs it, and tests last."""
    files = {f"many/m{number:02}.py": f"x = {number}\n" for number in range(5)}
    files |= {
        "uv.lock": "a\n", "app/web/page.py": "from app.core.price import f\n",
        "app/core/price.py": "def f(): return 1\n",
        "lay.py": "y  =  1\n", "tests/test_page.py": "from app.web.page import f\n",
        "app/core/late.py": "import many.m00\n",
    }  # fmt: skip
    parts = split(files, base={"lay.py": "y = 1\n"}, most=3)
    titles = [part.title for part in parts]
    assert titles[:2] == ["mechanical edits", "files that tools made"] and titles[-1] == "tests"
    assert sorted(path for part in parts for path in part.files) == sorted(files)
    assert all(len(part.files) <= 3 and all(on < number for on in part.on) for number, part in enumerate(parts, 1))
    home = {path: number for number, part in enumerate(parts, 1) for path in part.files}
    assert home["app/core/price.py"] <= home["app/web/page.py"] < home["tests/test_page.py"]
    assert home["many/m00.py"] <= home["app/core/late.py"] and "many (1 of 2)" in titles
    assert home["app/web/page.py"] in parts[-1].on


def test_files_that_need_each_other_are_not_divided() -> None:
    """A ring of files over several directories is one part, even where that is more than the budget."""
    ring = {f"d{number}/a.py": f"import d{(number + 1) % 4}.a\n" for number in range(4)}
    others = {f"e{number}/b.py": "z = 1\n" for number in range(8)}
    parts = split({**ring, **others}, most=2)
    assert frozenset(ring) in {frozenset(part.files) for part in parts}


def test_a_change_within_its_budget_is_not_split() -> None:
    """Nothing is proposed where the size is no problem, nor where it is not known."""
    assert split({f"a{number}.py": "x = 1\n" for number in range(12)}, most=12) == ()
    assert proposed((Change(path="a"), Change(path="b")), ()) == ()
    odd = Evidence(
        id="size", kind="size", criterion="hygiene", grade="executed", state="failed", summary="",
        facts={"most_files": "x", "most_lines": None},
    )  # fmt: skip
    assert [part.files for part in proposed((Change(path="d/a"), Change(path="e/b")), (odd,))] == [("d/a",), ("e/b",)]

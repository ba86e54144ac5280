"""The forecast says of branches what git says of merging them, and asks git only where they touch."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

from workbench.core.forecast import Branch, Forecast
from workbench.model.events import Clash, Spot
from workbench.repository.forecast import Forecaster
from workbench.repository.store import Store, fetch_flags
from workbench.testing.repositories import Repo

LINES = "".join(f"line {number}\n" for number in range(1, 41))
Files = dict[str, "str | bytes | None"]


@pytest.fixture
def store(tmp_path: Path, repo: Repo) -> Iterator[Store]:
    repo.commit({"long.txt": LINES, "old/one.txt": LINES, "old/two.txt": "two\n" * 9})
    with Store.open(tmp_path / "store.git", source=repo.path / ".git") as opened:
        opened.pin(repo.head)
        yield opened


class Shelf:
    """Branches of one repository, each from main as it stood when it was made."""

    def __init__(self, repo: Repo, store: Store) -> None:
        self.repo, self.store = repo, store
        self.branches: list[Branch] = []

    def add(self, name: str, files: Files, *, group: str = "", at: str = "main") -> None:
        self.repo.branch(name, at=at)
        head = self.repo.commit(files, name)
        kept = [branch for branch in self.branches if branch.name != name]
        self.branches = [*kept, Branch(name=name, head=head, target="refs/heads/main", group=group or name)]
        self.repo.git("checkout", "-q", "main")

    @property
    def targets(self) -> dict[str, str]:
        main = self.repo.git("rev-parse", "main")
        source = self.repo.path / ".git"
        self.store.git.run("fetch", *fetch_flags(source), str(source), "+refs/heads/*:refs/workbench/kept/*")
        return dict.fromkeys((branch.name for branch in self.branches), main)

    def truth(self) -> set[tuple[str, str]]:
        """The pairs that conflict, all of which git is asked about."""
        heads = {branch.name: branch.head for branch in self.branches}
        asked = list(combinations(heads, 2))
        lines = "".join(f"{heads[one]} {heads[other]}\n" for one, other in asked).encode()
        _ = self.targets
        said = self.store.git.run("merge-tree", "--write-tree", "--no-messages", "--stdin", stdin=lines, ok=(0, 1)).out
        answers = re.findall(rb"(?:^|\0)([01])\0[0-9a-f]{40}\0", said)
        return {pair for pair, clean in zip(asked, answers, strict=True) if clean == b"0"}

    def look(self) -> Forecast:
        with Forecaster(self.store) as forecaster:
            return forecaster.look(self.branches, self.targets)


@pytest.fixture
def shelf(repo: Repo, store: Store) -> Shelf:
    return Shelf(repo, store)


def changed(*numbers: int, by: str = "x") -> str:
    return "".join(f"{by}\n" if number in numbers else f"line {number}\n" for number in range(1, 41))


def pairs(forecast: Forecast) -> set[tuple[str, str]]:
    return {(clash.first, clash.second) for clash in forecast.clashes}


def test_only_branches_that_touch_the_same_lines_conflict(shelf: Shelf) -> None:
    """The places are named; changes elsewhere in the file, or the same ones, are none."""
    shelf.add("a", {"long.txt": changed(5, 6, by="a")})
    shelf.add("b", {"long.txt": changed(6, by="b")})
    shelf.add("c", {"long.txt": changed(20)})
    shelf.add("same", {"long.txt": changed(20)})
    found = shelf.look()
    assert found.clashes == (
        Clash(first="a", second="b", paths=("long.txt",), spots=(Spot(path="long.txt", first=5, last=6),)),
    )
    assert found.order[:2] == ("c", "same")


def test_a_branch_that_no_longer_merges_conflicts_with_its_target(shelf: Shelf) -> None:
    """The target went on, and so the branch comes last in the order."""
    shelf.add("late", {"long.txt": changed(5, by="late")})
    shelf.repo.commit({"long.txt": changed(5, by="main")})
    shelf.add("fine", {"old/two.txt": "2\n"})
    found = shelf.look()
    assert pairs(found) == {("late", "")}
    assert found.against(["late"]) == ("target",)
    assert found.order == ("fine", "late")


def test_versions_of_one_mission_are_alternatives(shelf: Shelf) -> None:
    """Only one of them is ever merged."""
    shelf.add("m.1", {"long.txt": changed(5, by="one")}, group="m")
    shelf.add("m.2", {"long.txt": changed(5, by="two")}, group="m")
    assert not shelf.look().clashes


def test_a_branch_without_commits_here_is_unknown(shelf: Shelf) -> None:
    """It is said, and nothing else is hidden by it."""
    shelf.add("a", {"long.txt": changed(5, by="a")})
    shelf.add("b", {"long.txt": changed(5, by="b")})
    shelf.branches.append(Branch(name="gone", head="0" * 40, target="refs/heads/main", group="gone"))
    found = shelf.look()
    assert (found.unknown, pairs(found)) == (("gone",), {("a", "b")})


CASES: dict[str, Files] = {
    "edit": {"long.txt": changed(9)},
    "edit-mode": {"old/one.txt": "1\n" + LINES},
    "delete": {"long.txt": None},
    "rename": {"long.txt": None, "longer.txt": LINES},
    "rename-directory": {
        "old/one.txt": None,
        "old/two.txt": None,
        "new/one.txt": LINES,
        "new/two.txt": "two\n" * 9,
    },
    "add-into-directory": {"old/three.txt": "3\n"},
    "file-for-directory": {"place": "a file\n"},
    "directory-for-file": {"place/inside.txt": "a file\n"},
    "binary": {"dir/b.txt": b"\0\1"},
    "other-binary": {"dir/b.txt": b"\0\2"},
    "empty": {"empty.txt": ""},
    "same-empty": {"empty.txt": ""},
    "strange-names": {'tab\t"quote".txt': "1\n", "ü\n.txt": "1\n"},
    "strange-names-too": {'tab\t"quote".txt': "2\n", "ü\n.txt": "2\n"},
    "marker": {"end of this one": "end of this one\n", "@@ -1 +1 @@": "@@ -1 +1 @@\n"},
    "marker-too": {"end of this one": "diff --git a/x b/x\n", "@@ -1 +1 @@": "@@ -9 +9 @@\n"},
}


def test_what_is_foreseen_is_what_git_says_of_every_pair(shelf: Shelf) -> None:
    """Files that are renamed, removed, turned into directories, binary, empty or strangely named."""
    for name, files in CASES.items():
        shelf.add(name, files)
    truly = shelf.truth()
    assert len(truly) > 4
    assert pairs(shelf.look()) == truly


@pytest.mark.parametrize("seed", range(3))
def test_random_edits_are_told_as_git_tells_them(shelf: Shelf, seed: int) -> None:
    """Neighbouring lines, insertions, repeated lines: no conflict is missed, and none is made up."""
    chance = random.Random(seed)
    text = [chance.choice(("{", "}", "a", "b", "")) for _ in range(30)]
    shelf.repo.commit({"many.txt": "\n".join(text) + "\n"})
    for number in range(9):
        lines = list(text)
        for _ in range(chance.randint(1, 2)):
            at = chance.randrange(len(lines))
            lines[at : at + chance.randint(0, 2)] = chance.choices(("{", "}", "new", ""), k=chance.randint(0, 2))
        shelf.add(f"b{number}", {"many.txt": "\n".join(lines) + "\n"})
    truly = shelf.truth()
    assert pairs(shelf.look()) == truly


def test_a_second_look_is_as_right_as_the_first(shelf: Shelf) -> None:
    """What is remembered of the others still holds; and the store got no object of all that."""
    for name in "abc":
        shelf.add(name, {"long.txt": changed(5, by=name), f"{name}.txt": "1\n"})
    targets = shelf.targets
    with Forecaster(shelf.store) as forecaster:
        assert len(forecaster.look(shelf.branches, targets).clashes) == 3
        shelf.add("b", {"long.txt": changed(30)})
        _ = shelf.targets
        count = shelf.store.git.text("count-objects", "-v")
        assert pairs(forecaster.look(shelf.branches, targets)) == {("a", "c")}
        assert shelf.store.git.text("count-objects", "-v") == count
    assert not list(shelf.store.path.glob(".incoming-*"))


SHOP: Files = {
    "shop/__init__.py": "from shop.prices import total\n",
    "shop/prices.py": "class Cart:\n    def add(self, item):\n        a = 1\n        b = 2\n        c = 3\n"
    "        d = 4\n        return item\n\n\ndef total(rows):\n    return 1\n\n\ndef other(rows):\n    return 1\n",
    "shop/web.py": "from shop import other, total\n\n\ndef show(bag):\n    return 1\n",
}


def edited(path: str, old: str, new: str) -> Files:
    text = SHOP[path]
    assert isinstance(text, str) and old in text
    return {path: text.replace(old, new)}


def test_branches_that_merge_collide_by_what_they_name(repo: Repo, shelf: Shelf) -> None:
    """Two that edit one function, and one that calls anew what the other calls otherwise, are told; it goes first."""
    repo.commit(SHOP)
    shelf.add("caller", edited("shop/web.py", "return 1", "return total([])"))
    shelf.add("signer", edited("shop/prices.py", "def total(rows):", "def total(rows, day):"))
    shelf.add("top", edited("shop/prices.py", "a = 1", "a = 10"))
    shelf.add("bottom", edited("shop/prices.py", "d = 4", "d = 40"))
    shelf.add("apart", edited("shop/web.py", "def show(bag):", "def show(bag, other):"), group="caller")
    shelf.add("remover", edited("shop/prices.py", "\n\ndef other(rows):\n    return 1\n", ""))
    shelf.add("plain", {"shop/web.py": str(SHOP["shop/web.py"]) + "# total(rows) is what other() sums\n"})
    seen = shelf.look()
    found = {(clash.first, clash.second): clash for clash in seen.clashes if clash.kind == "symbol"}
    assert found == {
        ("caller", "signer"): Clash(
            first="caller", second="signer", kind="symbol", paths=("shop/web.py",), leads="signer",
            symbols=("total (shop/prices.py) is called otherwise by signer, and called anew at shop/web.py:5",),
        ),
        ("top", "bottom"): Clash(
            first="top", second="bottom", kind="symbol", paths=("shop/prices.py",),
            symbols=("both edit Cart.add (shop/prices.py)",),
        ),
    }  # fmt: skip
    assert seen.order.index("signer") < seen.order.index("caller")


def test_only_pairs_of_the_branch_that_moved_are_looked_at_again(
    repo: Repo, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What blobs define is read once: a look after one branch moved reads nothing of the others, and says the same."""
    repo.commit(SHOP)
    shelf.add("caller", edited("shop/web.py", "return 1", "return total([])"))
    shelf.add("signer", edited("shop/prices.py", "def total(rows):", "def total(rows, day):"))
    shelf.add("top", edited("shop/prices.py", "a = 1", "a = 10"))
    with Forecaster(shelf.store) as forecaster:
        first = forecaster.look(shelf.branches, shelf.targets)
        shelf.add("top", edited("shop/prices.py", "a = 1", "a = 11"))
        targets, read = shelf.targets, shelf.store.reader.read
        asked: list[str] = []

        def noted(name: str) -> tuple[str, bytes]:
            asked.append(name)
            return read(name)

        monkeypatch.setattr(shelf.store.reader, "read", noted)
        again = forecaster.look(shelf.branches, targets)
        assert again.clashes == first.clashes
        prices = repo.git("rev-parse", "main:shop/prices.py")
        assert prices not in asked
        shelf.branches = [branch for branch in shelf.branches if branch.name != "signer"]
        assert forecaster.look(shelf.branches, shelf.targets).clashes == ()

"""Patches made of two releases of a package, right and wrong, gated: `OLD.tar.gz NEW.tar.gz [...] --venv V --out F`.

Right: the release's own change of its code, with and without its tests; `deliberate` where it changes what tests of
base hold, which no gate can tell from breaking them. Wrong: that change with one of its own lines mutated. The newer
release's tests, which the gate does not see, say which of them are wrong: `breaking` where a test of base fails,
`hidden` where only a newer one does; those that no test tells apart are left out. A brief names what the release is
about and has no check; with `--check` one held-out test that the right change makes pass stands in for a reproduction
that somebody writes from the report.
"""

from __future__ import annotations

import argparse
import ast
import json
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.bench.gate import environment, gate, run

FLIPS = (("==", "!="), ("!=", "=="), ("<=", "<"), (">=", ">"), (" < ", " <= "), (" > ", " >= "), (" + ", " - "),
         (" - ", " + "), (" and ", " or "), (" or ", " and "), ("True", "False"), ("False", "True"),
         (" not in ", " in "),
         (" is not ", " is "), ("if ", "if not "), ("return ", "return None and "), ("[0]", "[-1]"), ("1", "2"),
         ("0", "1"))  # fmt: skip
SEED = 7
BRIEF = "---\nid: release\ntitle: The next release\nstatus: ready\ngoal: {objective: What the change log says.}\n"


class Pair:
    """Two releases, unpacked, and a repository that holds the older one."""

    def __init__(self, old: Path, new: Path, scratch: Path, venv: str) -> None:
        self.scratch, self.venv = scratch, venv
        self.name = f"{old.name.removesuffix('.tar.gz')}..{new.name.removesuffix('.tar.gz').rpartition('-')[2]}"
        self.old, self.new = unpacked(old, scratch / "old"), unpacked(new, scratch / "new")
        self.env = environment(scratch, venv)
        self.repository = scratch / "repository"
        shutil.copytree(self.old, self.repository)
        self.git("init", "-q", "-b", "main")
        self.git("add", "-A", "-f")
        self.git("commit", "-qm", "The older release")

    def git(self, *words: str) -> None:
        run("git", *words, env=self.env, cwd=self.repository)

    def changed(self, *, tests: bool) -> list[str]:
        """Changed Python files of the release, its tests or its code."""
        both = {p.relative_to(root).as_posix() for root in (self.old, self.new) for p in root.rglob("*.py")}
        kept = (p for p in both if is_test(p) == tests and not p.startswith(("docs/", "setup.py")))
        return sorted(p for p in kept if read(self.old / p) != read(self.new / p))

    def patch(self, name: str, files: dict[str, bytes | None]) -> Path:
        """A patch file that gives these files these contents."""
        for path, data in files.items():
            place = self.repository / path
            if data is None:
                place.unlink(missing_ok=True)
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        self.git("add", "-A", "-f")
        said = subprocess.run(["git", "diff", "--cached", "--binary"], cwd=self.repository, env=self.env,
                              capture_output=True, check=True)  # fmt: skip
        self.git("reset", "-q", "--hard")
        target = self.scratch / f"{name}.patch"
        target.write_bytes(said.stdout)
        return target

    def failing(self, files: dict[str, bytes | None], *, of: Path) -> set[str] | None:
        """Tests of a release that fail with these files on the older one; None where nothing could be collected."""
        with tempfile.TemporaryDirectory(dir=self.scratch) as place:
            root = Path(place) / "tree"
            shutil.copytree(
                self.old, root, ignore=lambda _, names: [n for n in names if n == "tests" or n.startswith("test_")]
            )
            for path in of.rglob("*"):
                relative = path.relative_to(of).as_posix()
                if path.is_file() and (
                    is_test(relative) or path.name in ("pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml")
                ):
                    (root / relative).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, root / relative)
            for name, data in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_bytes(data or b"")
            said = subprocess.run(
                [f"{self.venv}/bin/python", "-m", "pytest", "-q", "-rfE", "-p", "no:cacheprovider", "--tb=no"],
                cwd=root, env={**self.env, "PYTHONPATH": f"{root}:{root / 'src'}"}, capture_output=True, text=True,
                timeout=300, check=False,
            )  # fmt: skip
        lines = [
            line.split(" - ")[0].split()[1]
            for line in said.stdout.splitlines()
            if line.startswith(("FAILED ", "ERROR "))
        ]
        return set(lines) if lines or " passed" in said.stdout else None


def unpacked(archive: Path, into: Path) -> Path:
    with tarfile.open(archive) as opened:
        opened.extractall(into, filter="data")
    (root,) = into.iterdir()
    return root


def is_test(path: str) -> bool:
    return path.startswith(("tests/", "test/")) or path.rpartition("/")[2].startswith("test_")


def read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def mutants(old: bytes | None, new: bytes, rng: random.Random) -> Iterator[bytes]:
    """The new text with one of its own lines changed, each still a program."""
    before = set((old or b"").splitlines())
    lines = new.decode("utf-8", "replace").splitlines(keepends=True)
    own = [n for n, line in enumerate(lines) if line.strip().encode() and line.rstrip("\n").encode() not in before]
    ways = [
        (n, a, b) for n in own for a, b in FLIPS if a in lines[n] and not lines[n].lstrip().startswith(("#", '"', "'"))
    ]
    rng.shuffle(ways)
    for number, a, b in ways:
        text = "".join([*lines[:number], lines[number].replace(a, b, 1), *lines[number + 1 :]])
        try:
            if ast.dump(ast.parse(text)) != ast.dump(ast.parse(new)):
                yield text.encode()
        except SyntaxError:
            continue


def cases(pair: Pair, wanted: int) -> Iterator[tuple[str, dict[str, bytes | None], str]]:
    """Label, files and a held-out test that only the right change passes."""
    code = {path: read(pair.new / path) for path in pair.changed(tests=False)}
    tests = {path: read(pair.new / path) for path in pair.changed(tests=True)}
    nothing, right = pair.failing({}, of=pair.new) or set(), pair.failing(code, of=pair.new) or set()
    told = sorted(nothing - right)
    proof = told[0] if told else ""
    known = pair.failing(code, of=pair.old) or set()
    kept = "deliberate" if known - (pair.failing({}, of=pair.old) or set()) else "right"
    yield kept, code, proof
    yield kept, {**code, **tests}, proof
    rng, made = random.Random(SEED), 0
    pools = [(path, mutants(read(pair.old / path), data, rng)) for path, data in code.items() if data]
    while pools and made < wanted:
        path, pool = pools.pop(0)
        mutant = next(pool, None)
        if mutant is None:
            continue
        pools.append((path, pool))
        files = {**code, path: mutant}
        old, new = pair.failing(files, of=pair.old), pair.failing(files, of=pair.new)
        broken = old is None or old - known
        missed = new is None or new - right
        if broken or missed:
            made += 1
            yield ("breaking" if broken else "hidden"), files, proof


def figures(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The shares that are asked for, and the area under the curve of the risk order."""
    by = {
        label: [row for row in rows if row["label"] == label] for label in ("right", "deliberate", "breaking", "hidden")
    }
    blocked = [row for row in by["breaking"] if row["verdict"] == "not-ready" and row["tests"]]
    held = [row for row in by["right"] if row["verdict"] == "not-ready"]
    meant = [row for row in by["deliberate"] if row["verdict"] == "not-ready"]
    through = [row for row in by["hidden"] if row["verdict"] == "ready"]
    wrong = [row["risk"] for row in by["breaking"] + by["hidden"] if row["risk"] is not None]
    right = [row["risk"] for row in by["right"] if row["risk"] is not None]
    pairs = [(w > r) + 0.5 * (w == r) for w in wrong for r in right]
    return {
        "patches": {label: len(each) for label, each in by.items()},
        "breaking, not-ready with the test named": f"{len(blocked)}/{len(by['breaking'])}",
        "right, not-ready": f"{len(held)}/{len(by['right'])}",
        "deliberate, not-ready": f"{len(meant)}/{len(by['deliberate'])}",
        "right, ready": f"{sum(row['verdict'] == 'ready' for row in by['right'])}/{len(by['right'])}",
        "wrong and visible tests pass, ready": f"{len(through)}/{len(by['hidden'])}",
        "AUC of the risk order": round(sum(pairs) / len(pairs), 3) if pairs else None,
        "seconds, median": sorted(row["seconds"] for row in rows)[len(rows) // 2] if rows else None,
    }


def main() -> int:
    """Gate every case, a row each into `--out`, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench._release_patches", description=__doc__)
    parser.add_argument("archives", nargs="+", type=Path)
    parser.add_argument("--venv", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--wrong", type=int, default=10)
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for old, new in zip(asked.archives[::2], asked.archives[1::2], strict=True):
        with tempfile.TemporaryDirectory(prefix="releases-") as scratch:
            pair = Pair(old, new, Path(scratch), asked.venv)
            for number, (label, files, proof) in enumerate(cases(pair, asked.wrong)):
                brief = Path(scratch) / "brief.md"
                brief.write_text(_brief(pair, proof if asked.check else ""))
                patch = pair.patch(f"p{number}", files)
                found = gate(pair.repository, "main", patch, brief=str(brief), venv=asked.venv)
                rows.append({"pair": pair.name, "label": label, "check": asked.check and bool(proof), **found})
                with asked.out.open("a") as out:
                    out.write(json.dumps(rows[-1]) + "\n")
    print(json.dumps(figures(rows), indent=2))
    return 0


def _brief(pair: Pair, proof: str) -> str:
    """With a proof: a clause whose check brings the held-out test along, beside the tree that it is run on."""
    if not proof:
        return f"{BRIEF}---\n"
    held = pair.new / proof.partition("::")[0]
    script = f"mkdir -p held && cat > held/test_held.py <<'END'\n{held.read_text()}\nEND\n"
    script += f"PYTHONPATH=.:src python -m pytest -q -p no:cacheprovider held/test_held.py::{proof.partition('::')[2]}"
    clause = {"id": "DOD-1", "text": "What was reported is mended.", "check": {"command": ["sh", "-c", script]}}
    return f"{BRIEF}success_criteria: {json.dumps({'definition_of_done': [clause]})}\n---\n"


if __name__ == "__main__":
    sys.exit(main())

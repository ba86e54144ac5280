"""Marks in changed files tell the same lines as coverage.py does, on real code and on programs made up at random."""

# ruff: noqa: E501  # programs as text
from __future__ import annotations

import itertools
import json
import os
import random
import re
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from workbench.evidence.coverage import statements_of

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LIBRARY = Path(sysconfig.get_path("stdlib"))
OF_PYTHON = (
    "argparse.py", "ast.py", "asyncio/taskgroups.py", "calendar.py", "configparser.py", "contextlib.py", "copy.py",
    "csv.py", "dataclasses.py", "difflib.py", "enum.py", "fractions.py", "functools.py", "gettext.py",
    "heapq.py", "html/parser.py", "ipaddress.py", "json/decoder.py", "pprint.py",
    "re/_parser.py", "shlex.py", "statistics.py", "textwrap.py", "tokenize.py", "traceback.py", "typing.py",
    "unittest/mock.py", "urllib/parse.py", "zipimport.py",
)  # fmt: skip
OURS = ("core", "model", "artifacts")  # that touch nothing outside


Lines = dict[str, set[int]]


def both_ways(tmp_path: Path, files: Mapping[str, str | bytes]) -> tuple[Lines, Lines, Lines]:
    """By file the covered statements as coverage.py says, as we say, and as the file itself knows of some.

    What is a statement is the same.
    """
    for name, text in files.items():
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    paths = [str(tmp_path / name) for name in files]
    env = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT)}
    running = [
        subprocess.Popen([sys.executable, str(HERE / "measured_lines.py"), way, str(tmp_path / way), *paths], env=env)
        for way in ("coverage", "marks")
    ]
    assert [process.wait(100) for process in running] == [0, 0]
    found = {way: json.loads((tmp_path / way).read_text()) for way in ("coverage", "marks")}
    theirs, mine, known = {}, {}, {}
    for name, path in zip(files, paths, strict=True):
        statements, missing = map(set, found["coverage"][path])
        places, hits, seen = found["marks"][path]
        ours = statements_of(Path(path).read_bytes())
        assert set(ours.lines) == statements, name
        assert ours.lines <= ours.reached(places), name
        theirs[name], mine[name] = statements - missing, statements & ours.reached(hits)
        known[name] = set(ours.reached(seen))
    return theirs, mine, known


def test_the_lines_of_real_code_are_those_of_coverage(tmp_path: Path) -> None:
    """On modules of Python's own library and of this project, played alike, each statement has the same verdict."""
    files = {path.replace("/", "_"): (LIBRARY / path).read_bytes() for path in OF_PYTHON if (LIBRARY / path).exists()}
    for room in OURS:
        ours = sorted((ROOT / "workbench" / room).glob("*.py"))
        files |= {f"our_{room}_{path.name}": path.read_bytes() for path in ours if path.name != "__init__.py"}
    theirs, mine, _ = both_ways(tmp_path, files)
    assert sum(len(lines) for lines in theirs.values()) > 5000
    assert mine == theirs


PREAMBLE = '''"""A docstring."""
from __future__ import annotations
import asyncio, contextlib, sys
STEPS, SEEN = [0], set()


def go(n):
    frame = sys._getframe(1)
    if frame.f_code.co_filename == __file__:
        SEEN.add(frame.f_lineno)
    STEPS[0] += 1
    if STEPS[0] % 7 == n:
        raise ValueError(n)
    return n


'''


# T is a call that may fail; a line B, L or N is a block: as around it, of a loop, or out of every loop.
SIMPLE = (
    "a = T", "T; go(1)", "a = [go(n)\n     for n in (1, 2)]", "x: int = 1", "assert T", "(lambda:\n    go(1))()",
    "global GLOBAL\ngo(1)", "del (a); a = T", "if T: a = 2", "import os", "a = '''x\n  y'''",
)  # fmt: skip
FORMS = (
    "if T:\n    B\nelif (go(1)\n        or go(0)):\n    B\nelse:\n    B",
    "for a in range(5):\n    L",
    "for a in range(2):\n    N\nelse:\n    N",
    "while go(3) and STEPS[0] < 3000:\n    L",
    "try:\n    B\nexcept TypeError:\n    B\nexcept (\n    ValueError, KeyError\n) as e:\n    B\nelse:\n    B\nfinally:\n    N",
    "try:\n    B\nexcept:\n    B",
    "with contextlib.suppress(ValueError), \\\n        contextlib.nullcontext(T):\n    B",
    "match T:\n    case 1 | 2:\n        B\n    case int(k) if go(k) > 3:\n        B\n    case (3\n          | 4):\n        B\n"
    "    case _:\n        B",
    "class K(dict,\n        ):\n    'Doc.'\n    y = T\n    def m(self):\n        return T\nK().m()",
    "@contextlib.contextmanager\n@(lambda g: g)\ndef h(b=go(1),\n      c=2):\n    yield T\nwith h():\n    B",
)
FUNCTIONS = (
    "def NAME(a=1, *rest):\n    'What it does.'\n    B",
    "def NAME(a=1, *rest):\n    B",
    "def NAME(a=1, *rest):\n    yield 0\n    B",
    "async def _NAME(a=1, *rest):\n    B\ndef NAME(a=1):\n    return asyncio.run(_NAME(a))",
)


class Programs:
    """Functions of every kind of statement, nested at random; what they do ends soon, well or by an error."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.names = itertools.count()

    def module(self) -> str:
        functions = (self.random.choice(FUNCTIONS).replace("NAME", f"f{number}") for number in range(12))
        return PREAMBLE + "\n\n".join("\n".join(self.filled(text, 3, looped=False)) for text in functions) + "\n"

    def filled(self, form: str, left: int, *, looped: bool) -> list[str]:
        lines: list[str] = []
        for line in form.split("\n"):
            pad, word = line[: len(line) - len(line.lstrip())], line.strip()
            if word in ("B", "L", "N"):
                inner = self.block(left - 1, looped={"B": looped, "L": True, "N": False}[word])
                lines += [pad + text for text in inner]
            else:
                lines.append(
                    re.sub(r"\bT\b", f"go({self.random.randint(0, 6)})", line).replace("GLOBAL", f"G{next(self.names)}")
                )
        return lines

    def block(self, left: int, *, looped: bool) -> list[str]:
        simple = (*SIMPLE, "break", "continue") if looped else (*SIMPLE, "return")
        lines: list[str] = []
        for _ in range(self.random.randint(1, 3)):
            forms = simple if left == 0 or self.random.random() < 0.45 else FORMS
            lines += self.filled(self.random.choice(forms), left, looped=looped)
        return lines


def test_the_lines_of_random_programs_are_those_of_coverage(tmp_path: Path) -> None:
    """Every kind of statement in any nesting has the same verdict, and no line that ran is told as not run.

    Where a jump has no line of its own, Python gives it that of another statement, so that coverage.py tells a few last
    lines of a block as run that were never reached; of these alone we say otherwise.
    """
    files: dict[str, str | bytes] = {f"program_{seed}.py": Programs(seed).module() for seed in range(25)}
    theirs, mine, known = both_ways(tmp_path, files)
    total = sum(len(lines) for lines in theirs.values())
    assert total > 2000 and all(known.values())
    for name in files:
        assert known[name] <= mine[name] <= theirs[name], name
    assert sum(len(theirs[name] - mine[name]) for name in files) < total / 200

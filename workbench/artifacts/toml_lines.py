"""TOML as plain data, with the line of every key, which the standard reader does not give; it knows no setting."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from workbench.artifacts.problem_list import ProblemList, quoted

Places = dict[tuple[str, ...], tuple[int, int]]  # path of a key: its line and column, from 1
MAX_DOTS = 100  # in one line; the standard reader takes quadratic time on endless dotted keys
_WORD = r"(?:[A-Za-z0-9_-]+|\"[^\"\n]*\"|'[^'\n]*')"
_DOTTED = rf"{_WORD}(?:[ \t]*\.[ \t]*{_WORD})*"
_HEADER = re.compile(rf"[ \t]*\[{{1,2}}[ \t]*({_DOTTED})[ \t]*\]{{1,2}}")
_KEY = re.compile(rf"[ \t]*({_DOTTED})[ \t]*=")
_AT = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")


def load(text: str, problems: ProblemList) -> tuple[dict[str, Any], Places] | None:
    """The data of a TOML text and where its keys stand; None when it cannot be read."""
    if crowded := next((n for n, line in enumerate(text.split("\n"), 1) if line.count(".") > MAX_DOTS), 0):
        problems.add(crowded, 1, f"more than {MAX_DOTS} dots in one line", "break it up")
        return None
    try:
        return tomllib.loads(text), places(text)
    except tomllib.TOMLDecodeError as error:
        found = _AT.search(str(error))
        line, column = (int(found[1]), int(found[2])) if found and found[1] else (text.count("\n") + 1, 1)
        problems.add(line, column, f"not TOML: {quoted(_AT.sub('', str(error)))}", "write `key = value` lines")
    except (ValueError, RecursionError) as error:
        problems.add(0, 0, f"the TOML cannot be read: {quoted(str(error))}", "simplify it")
    return None


def places(text: str) -> Places:
    """Where keys stand, found line by line; of a key that seems to stand twice (in a long string), the first place."""
    found: Places = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), 1):
        if header := _HEADER.match(line):
            table = _words(header[1])
            found.setdefault(table, (number, header.start(1) + 1))
        elif key := _KEY.match(line):
            found.setdefault((*table, *_words(key[1])), (number, key.start(1) + 1))
    return found


def _words(dotted: str) -> tuple[str, ...]:
    return tuple(word.strip("\"'") for word in re.findall(_WORD, dotted))

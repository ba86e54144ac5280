"""The list of problems that one reading of a file gathers: bounded, in file order, safe to print."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from workbench.model.problems import Problem
from workbench.model.text import one_line

MAX_PROBLEMS = 100  # of one file; a person mends the first ones and asks again
QUOTED_CELLS = 60  # of outside text in a message
CLOSE_ENOUGH = 0.6  # similarity from which a known word is offered in place of an unknown one


class ProblemList:
    """Problems of the file `path`; further ones than `MAX_PROBLEMS` are only counted."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.left_out = 0
        self._found: list[Problem] = []

    @property
    def full(self) -> bool:
        """Whether further problems would only be counted."""
        return len(self._found) >= MAX_PROBLEMS

    def add(self, line: int, column: int, text: str, remedy: str = "", *, severity: str = "error") -> None:
        """Note a problem; `line` and `column` count from 1."""
        if self.full:
            self.left_out += 1
            return
        self._found.append(
            Problem(path=self.path, line=line, column=column, text=text, remedy=remedy, severity=severity)
        )

    def listed(self) -> list[Problem]:
        """All of them in file order, each once; the last one says how many were left out."""
        ordered = sorted(dict.fromkeys(self._found), key=lambda problem: (problem.line, problem.column))
        if self.left_out:
            text = f"{self.left_out} more problems are not shown"
            ordered.append(Problem(path=self.path, line=0, column=0, text=text, remedy="mend these first"))
        return ordered


def has_errors(problems: Iterable[Problem]) -> bool:
    """Whether one of the problems is more than a warning."""
    return any(problem.severity == "error" for problem in problems)


def quoted(text: str) -> str:
    """Outside text as it may stand in a message: visible, on one line, cut, in backquotes."""
    return f"`{one_line(text, QUOTED_CELLS)}`"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A remedy that offers the closest known word, or all of them when none is close."""
    words = list(known)
    close = difflib.get_close_matches(word[:QUOTED_CELLS], words, n=1, cutoff=CLOSE_ENOUGH)
    return f"did you mean `{close[0]}`?" if close else f"known: {', '.join(words)}"

"""A file with line numbers and, beneath the lines they are about, its problems; lines are laid out when looked at."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.ace.tui.text import Line, Piece, Role, cut, line, piece, safe_line, wrapped
from workbench.model.problems import Problem

NUMBER_CELLS = 5


class MarkedFile:
    """A `Source`."""

    def __init__(self, text: str, problems: Sequence[Problem]) -> None:
        self._text = text.removesuffix("\n").split("\n") if text else []
        self._problems = sorted(problems, key=lambda problem: (problem.line, problem.column))

    def laid(self, cells: int) -> MarkedLines:
        """The lines at this width."""
        places: list[int | Line] = []
        waiting = list(self._problems)
        while waiting and waiting[0].line < 1:
            places += problem_lines(waiting.pop(0), cells)
        for number in range(1, len(self._text) + 1):
            places.append(number)
            while waiting and waiting[0].line <= number:
                places += problem_lines(waiting.pop(0), cells)
        for problem in waiting:
            places += problem_lines(problem, cells)
        return MarkedLines(self._text, places, {problem.line for problem in self._problems})


class MarkedLines:
    """The lines of a marked file."""

    def __init__(self, text: Sequence[str], places: Sequence[int | Line], marked: set[int]) -> None:
        self._text, self._places, self._marked = text, places, marked

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int, /) -> Line:
        place = self._places[index]
        if not isinstance(place, int):
            return place
        number = piece(f"{place:>{NUMBER_CELLS}} ", "failed" if place in self._marked else "dim")
        return (number, Piece(safe_line(self._text[place - 1])))

    def first_problem(self) -> int:
        """The line of the screen at which the first problem stands; 0 when there is none."""
        return next((index for index, place in enumerate(self._places) if not isinstance(place, int)), 0)


def problem_lines(problem: Problem, cells: int) -> list[Line]:
    """A problem over as many lines as it takes, with its remedy."""
    role: Role = "failed" if problem.severity == "error" else "needs-you"
    margin = " " * (NUMBER_CELLS + 1)
    where = f"{problem.column}: " if problem.line else ""
    told = [piece(f"^ {where}{problem.text}", role)] + ([piece(problem.remedy, "dim")] if problem.remedy else [])
    return [cut(line(margin, *words), cells) for each in told for words in wrapped(each, cells - len(margin), indent=2)]

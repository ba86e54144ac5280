"""How verbs that check tell what came of it: a line for each check, its remedy below, and 1 where one failed."""

from __future__ import annotations

from workbench.ace.cli.output import Output
from workbench.ace.cli.table import glyph, terminal_width
from workbench.ace.wiring.check import Check
from workbench.model.errors import EXIT_NO
from workbench.model.text import cell_width, one_line

STATE, ID = 6, 16  # cells of a check's state and of its id
TEXT = STATE + 2 + ID + 1  # where its text begins
DEEPER = 4  # where a line goes on whose longest word has no room beside the id


class Checks:
    """Tells checks as they come, and remembers which were not well."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._bad: list[str] = []
        self._failed = False

    def tell(self, check: Check, *, mended: str = "") -> None:
        """Print one; `mended` says what was done about it, so that it does not count as failed."""
        if check.state != "ok":
            self._bad.append(check.id)
        self._failed = self._failed or (check.state == "fail" and not mended)
        if self._out.as_json:
            self._out.rows([check], (), empty="")
            self._out.say(mended)
            return
        first, *more = check.text.split("\n")
        head = self._out.paint(glyph(check.state).ljust(STATE), "")
        self._line(f"{head}  {one_line(check.id):<{ID}} {one_line(first)}")
        for line in more:
            self._line(f"{'':<{DEEPER}}{one_line(line)}")
        if mended:
            self._out.say(f"mended: {mended}")
        elif check.remedy:
            self._line(f"{'':<{STATE + 2}}what to do: {one_line(check.remedy)}")

    def end(self, *, well: str = "All well.", trouble: str = "") -> int:
        """Say what it comes to; the exit code."""
        found = trouble or f"{len(self._bad)} to look at: {', '.join(dict.fromkeys(self._bad))}"
        self._out.say(found if self._failed or (self._bad and not trouble) else well)
        return EXIT_NO if self._failed else 0

    def _line(self, line: str) -> None:
        room = terminal_width() - TEXT
        fits = max((cell_width(word) for word in line.split()), default=0) <= room
        self._out.prose([line], indent=TEXT if fits and not line.startswith(" ") else DEEPER)

"""What the comparison of versions shows: one row for each kind of evidence and each file, one column a version.

No widget.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from workbench.ace.tui.bridge import Moment
from workbench.ace.tui.marks import Glyphset
from workbench.ace.tui.sheet import Sheet
from workbench.ace.tui.text import Line, Piece, Role, blanks, cut, line, padded, piece, safe
from workbench.ace.wiring import comparing
from workbench.ace.wiring.hunking import HUNK, VersionHunk
from workbench.ace.wiring.marks import mark
from workbench.core.compare import Comparison, Disagreement
from workbench.core.state import PackState
from workbench.core.status import run_status
from workbench.model.errors import Refused, WorkbenchError

DISAGREE, EVIDENCE, FILES, OPEN = "BEHAVE OTHERWISE ON EACH OTHER'S TESTS", "EVIDENCE", "FILES", "NOT CHECKED"
NAME_CELLS = 21  # of a row's name; a quarter of a narrow screen
_SHORT = {
    "coverage of changed lines": "coverage",
    "mutation of changed lines": "mutation",
    "public names and callers": "public names",
}
LEAST_CELLS = 17  # of a version; more versions than fit are walked through
_STATES: dict[str, Role] = {
    "passed": "proven", "ready": "proven", "failed": "failed", "not-ready": "failed", "needs-human": "needs-you",
    "unproven": "needs-you", "not checked": "needs-you", "not run": "needs-you", "error": "failed",
    "not-checked": "needs-you", "no-tests": "needs-you", "timed-out": "failed", "skipped": "stale",
}  # fmt: skip


class CompareData(msgspec.Struct, frozen=True):
    """The comparison, the versions' packs, and why there is none if there is none."""

    shown: Comparison | None = None
    packs: tuple[PackState | None, ...] = ()
    statuses: tuple[str, ...] = ()  # of the runs, for those without a pack
    problem: str = ""


class CompareView:
    """The view of one mission's versions. It is made anew only when one of them, or what was run of them, changed."""

    def __init__(self, mission: str) -> None:
        self._mission = mission
        self._key: object = None
        self._made = CompareData()

    def __call__(self, moment: Moment, /) -> CompareData:
        """The comparison of this moment."""
        runs = moment.mirror.runs_of(self._mission)
        crossed = [run for run in moment.mirror.runs.values() if run.against]
        packs = tuple(moment.mirror.packs.get(run.pack) for run in runs)
        key = (tuple(pack and (pack.id, pack.version) for pack in packs), tuple((run.id, run.pack) for run in crossed))
        costs = tuple((run.outcome, run.cost_usd, run.tokens) for run in runs)
        statuses = tuple(run_status(run) for run in runs)
        if (key, costs, statuses) != self._key:
            self._key = (key, costs, statuses)
            self._made = self._data(moment, packs, statuses)
        return self._made

    def _data(self, moment: Moment, packs: tuple[PackState | None, ...], statuses: tuple[str, ...]) -> CompareData:
        try:
            return CompareData(comparing.comparison(moment.ledger, self._mission), packs, statuses)
        except WorkbenchError as problem:
            if not isinstance(problem, Refused):
                self._key = None  # what could not be read may be there at the next look
            return CompareData(problem=problem.in_line)


class Row(NamedTuple):
    """One row: `values` for each version, or words over the whole width."""

    group: str
    name: str
    values: tuple[str, ...] = ()
    best: tuple[int, ...] = ()
    words: str = ""
    label: str = ""  # in place of the name
    path: str = ""  # of a file, or of the file that a hunk is of

    @property
    def key(self) -> str:
        """What it is."""
        return f"{self.group}/{self.name}"


def rows_of(
    shown: Comparison, *, differences: bool, hunks: Mapping[str, Sequence[Row]] = MappingProxyType({})
) -> Iterator[Row]:
    """The rows, what the versions disagree on first; below a file its hunks, where they are given."""
    for one in shown.disagreements:
        yield Row(DISAGREE, f"{one.tests_of} {one.test}", _outcomes(shown, one))
    for row in shown.rows:
        if row.differs or not differences:
            yield Row(EVIDENCE, _named(shown, row.name), row.values, row.best)
    for row in shown.files:
        if row.differs or not differences:
            yield Row(FILES, row.name, row.values, path=row.name)
            yield from hunks.get(row.name, ())
    for note in shown.not_checked:
        yield Row(OPEN, note, words=note)


def hunk_rows(shown: Comparison, hunks: Iterable[VersionHunk]) -> list[Row]:
    """A row for each hunk of a file: which versions have it."""
    return [
        Row(
            FILES,
            f"{one.path}{HUNK}{one.hunk}",
            tuple(f"+{one.added} -{one.removed}" if pack in one.packs else "" for pack in shown.packs),
            label=f"  {one.line} {one.words}",
            path=one.path,
        )
        for one in hunks
    ]


def _named(shown: Comparison, name: str) -> str:
    """A row's name in few words: a version's tests by its number."""
    owner = name.removeprefix("tests of ")
    return f"tests of version {shown.packs.index(owner) + 1}" if owner in shown.packs else _SHORT.get(name, name)


def _outcomes(shown: Comparison, one: Disagreement) -> tuple[str, ...]:
    def outcome(pack: str) -> str:
        if pack == one.tests_of:
            return "passed: its own"
        return "failed" if pack in one.fails else "error: does not load" if pack in one.does_not_load else ""

    return tuple(outcome(pack) for pack in shown.packs)


def sheet_of(rows: list[Row]) -> Sheet[Row]:
    """The rows in their groups."""
    return Sheet(rows, key=lambda row: row.key, group=lambda row: safe(row.group))


class Columns(NamedTuple):
    """Which versions are shown in so many cells, and how wide each is."""

    first: int
    number: int
    cells: int

    @classmethod
    def fit(cls, cells: int, versions: int, chosen: int) -> Columns:
        """As many as fit, the chosen one among them."""
        room = max(LEAST_CELLS, cells - NAME_CELLS)
        number = max(1, min(versions, room // LEAST_CELLS))
        first = max(0, min(chosen - number // 2, versions - number))
        return cls(first, number, room // number)

    @property
    def shown(self) -> range:
        """The numbers of the versions."""
        return range(self.first, self.first + self.number)


def paint_row(row: Row, cells: int, *, columns: Columns, chosen: int, taken: Collection[int], glyphs: Glyphset) -> Line:
    """A row in so many cells; `taken` are the versions of which this file goes into a new one."""
    if row.words:
        return cut(line(piece(row.words, "needs-you")), cells)
    name = row.label or (row.name.rpartition("/")[2] if row.group == FILES else row.name.rpartition("::")[2])
    role: Role = "plain" if row.group == EVIDENCE or row.label else "strong"
    parts = [padded(piece(name, role), NAME_CELLS - 1), blanks(1)]
    for at in columns.shown:
        sign = glyphs.pick("●", "*") if at in taken else glyphs.pick("★", "*") if at in row.best else " "
        words = padded(_cell(row.values[at], glyphs), columns.cells - 3)
        if at == chosen and words.role == "plain":
            words = words._replace(role="strong")
        parts += [piece(sign, "accent" if at in taken else "proven"), blanks(1), words, blanks(1)]
    return tuple(parts)


def _cell(value: str, glyphs: Glyphset) -> Piece:
    """What is said of one version: a state by its glyph, what is known of it in words, nothing by a dot."""
    if not value:
        return piece(glyphs.pick("·", "."), "dim")
    state, _, rest = value.partition(": ")
    known = _STATES.get(state)
    if known is None:
        return piece(value)
    said = (
        rest if rest and state in ("passed", "failed", "unproven") else f"{mark(state).word}{': ' * bool(rest)}{rest}"
    )
    return piece(f"{glyphs.sign(state).text} {said}", known)


def heads(data: CompareData, *, columns: Columns, chosen: int, against: int, glyphs: Glyphset) -> Iterator[Line]:
    """Above the rows: the versions by their runs, the chosen one marked, and the one that it is held against."""
    shown = data.shown
    if shown is None:
        yield line(" ", piece(data.problem or "reading the versions …", "dim"))
        return
    more = "" if columns.number == len(shown.versions) else f"  {columns.first + 1}-{columns.first + columns.number}"
    names = [blanks(1), padded(piece(f"{len(shown.versions)} versions{more}", "title"), NAME_CELLS)]
    unknown = f"{len(shown.not_checked)} not checked, below" if shown.not_checked else ""
    states: list[Piece] = [blanks(1), padded(piece(unknown, "needs-you"), NAME_CELLS)]
    for at in columns.shown:
        pointer = glyphs.pick("▸", ">") if at == chosen else glyphs.pick("↔", "~") if at == against else " "
        named = piece(f"{pointer} {shown.versions[at]}", "accent" if at == chosen else "title")
        names.append(padded(named, columns.cells))
        pack = data.packs[at] if at < len(data.packs) else None
        state = (pack.verdict if pack.state == "submitted" else pack.state) if pack is not None else data.statuses[at]
        sign = glyphs.state(state)
        states += [blanks(2), padded(sign, columns.cells - 2)]
    yield tuple(names)
    yield tuple(states)

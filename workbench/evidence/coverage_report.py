"""Coverage that other tools left behind: LCOV or Cobertura, hostile bytes in, lines out; it runs nothing."""

from __future__ import annotations

import re
from xml.parsers import expat

import msgspec

MAX_BYTES = 64 << 20
MAX_LINES = 5_000_000  # of all files together
MAX_PATH = 4096
MAX_DEPTH = 64


class CoverageInvalid(ValueError):
    """The report cannot be read; the text says why."""


class FileLines(msgspec.Struct, frozen=True):
    """Of one file: line to how often it ran, and line to (ways taken, ways there are)."""

    hits: dict[int, int]
    ways: dict[int, tuple[int, int]] = {}


Lines = dict[str, FileLines]


def parse_coverage(data: bytes) -> Lines:
    """Path, as the report has it, to its lines. Raises CoverageInvalid."""
    if len(data) > MAX_BYTES:
        raise CoverageInvalid(f"the report is larger than {MAX_BYTES} bytes")
    found = _cobertura(data) if data.lstrip()[:1] == b"<" else _lcov(data)
    if not found:
        raise CoverageInvalid("the report names no file")
    return found


def of_path(report: Lines, path: str) -> FileLines | None:
    """The lines of a file of the workspace: by its path, or by the one absolute or shorter path that ends like it."""
    for name in (path, f"./{path}"):
        if name in report:
            return report[name]
    ending = [name for name in report if name.endswith(f"/{path}") or path.endswith(f"/{name.removeprefix('./')}")]
    return report[ending[0]] if len(ending) == 1 else None


class _Book:
    """Collects lines, file by file, up to a limit."""

    def __init__(self) -> None:
        self.files: dict[str, FileLines] = {}
        self._count = 0

    def add(self, path: str, line: int, hits: int) -> None:
        self._count += 1
        if self._count > MAX_LINES:
            raise CoverageInvalid(f"more than {MAX_LINES} lines")
        known = self._of(path).hits
        known[line] = known.get(line, 0) + hits

    def ways(self, path: str, line: int, *, taken: int, there: int) -> None:
        known = self._of(path).ways
        before = known.get(line, (0, 0))
        known[line] = (before[0] + taken, before[1] + there)

    def _of(self, path: str) -> FileLines:
        return self.files.setdefault(path[:MAX_PATH].replace("\\", "/"), FileLines({}, {}))


# --- LCOV -----------------------------------------------------------------------------------------------

_DA = re.compile(r"DA:(\d{1,9}),(\d{1,15})(?:,.*)?")
_BRDA = re.compile(r"BRDA:(\d{1,9}),[^,]*,[^,]*,(\d{1,15}|-)")


def _lcov(data: bytes) -> dict[str, FileLines]:
    book, path, closed = _Book(), "", True
    for line in data.decode("utf-8", "replace").splitlines():
        if line.startswith("SF:"):
            path, closed = line[3:].strip(), False
        elif line == "end_of_record":
            path, closed = "", True
        elif path and (match := _DA.fullmatch(line)):
            book.add(path, int(match[1]), int(match[2]))
        elif path and (match := _BRDA.fullmatch(line)):
            book.ways(path, int(match[1]), taken=int(match[2] not in ("0", "-")), there=1)
    if not closed:
        raise CoverageInvalid("the report was cut off")
    return book.files


# --- Cobertura ------------------------------------------------------------------------------------------

_CONDITION = re.compile(r"\d{1,3}(?:\.\d+)?%\s*\((\d{1,6})/(\d{1,6})\)")


def _cobertura(data: bytes) -> dict[str, FileLines]:
    book, names, open_files = _Book(), list[str](), list[str]()
    parser = expat.ParserCreate()

    def start(name: str, attributes: dict[str, str]) -> None:
        names.append(name)
        if len(names) > MAX_DEPTH:
            raise CoverageInvalid(f"elements nest deeper than {MAX_DEPTH}")
        if len(names) == 1 and name != "coverage":
            raise CoverageInvalid(f"<{name[:40]}> is not the root of a Cobertura report")
        if name == "class":
            open_files.append(attributes.get("filename", ""))
        elif name == "line" and open_files and open_files[-1] and "method" not in names:
            _cobertura_line(book, open_files[-1], attributes)

    def end(name: str) -> None:
        names.pop()
        if name == "class":
            open_files.pop()

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as problem:
        raise CoverageInvalid(f"the report is no XML: {problem}") from problem
    return book.files


def _cobertura_line(book: _Book, path: str, attributes: dict[str, str]) -> None:
    number, hits = attributes.get("number", ""), attributes.get("hits", "")
    if not (re.fullmatch(r"\d{1,9}", number, re.ASCII) and re.fullmatch(r"\d{1,15}", hits, re.ASCII)):
        raise CoverageInvalid(f"a line of {path[:80]} has no number, or no hits")
    book.add(path, int(number), int(hits))
    condition = _CONDITION.search(attributes.get("condition-coverage", "")[:200])
    if attributes.get("branch") == "true" and condition:
        book.ways(path, int(number), taken=int(condition[1]), there=int(condition[2]))


def _refuse(*_: object) -> None:
    raise CoverageInvalid("the report declares entities")

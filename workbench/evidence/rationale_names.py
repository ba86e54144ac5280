"""What a rationale names, held against what changed, and what changed against what it names; it judges no words.

A thing that is named and did not change may well be said in passing, so that it weighs nothing by itself.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from workbench.code.compare import structural_diff
from workbench.code.entities import Found, outline
from workbench.code.languages import language_of
from workbench.code.model import FileSides, Place, StructuralDiff
from workbench.code.parsing import parse, together
from workbench.evidence.sizes import MADE, kind_of
from workbench.evidence.static import text_of
from workbench.model.evidence import Finding, Severity
from workbench.ports import Change

PATH = re.compile(
    r"(?<![\w/.-])((?:[\w.-]+/)*[\w-]+\.(?:py|[cm]?[jt]sx?|go|rs|toml|ya?ml|json|md|cfg|ini|css|html|sql|sh))\b"
)
_ENTITY = re.compile(r"`([A-Za-z_][\w.]{3,80})(?:\(\))?`")
_PRODUCTS = frozenset({"node.js", "next.js", "vue.js", "nuxt.js", "react.js", "express.js", "three.js", "d3.js"})
MAX_NAMED = 20
MAX_LISTED = 5  # names in one line
MAX_FILES = 500  # changed files in which the names of a rationale are looked for
MAX_BYTES = 16_000_000  # of both sides of all files


class Touched:
    """What a change does to files and to the things in them, worked out where somebody asks."""

    def __init__(self, change: Change, diff: StructuralDiff | None = None) -> None:
        self.change = change
        self.paths = sorted({path for _, path in change.changed_paths()})
        self._given = diff

    @cached_property
    def diff(self) -> StructuralDiff | None:
        """The change as it was compared; None where it is too large for that."""
        if self._given is not None:
            return self._given
        sides = [
            FileSides(path=path, old=self.change.base_file(path), new=self.change.result_file(path))
            for path in self.paths[:MAX_FILES]
        ]
        if sum(len(data) for each in sides for data in (each.old, each.new) if data) > MAX_BYTES:
            return None
        with together():
            return structural_diff(sides)

    @cached_property
    def names(self) -> frozenset[str]:
        """Qualified names of what came, went or differs, imports apart."""
        files = self.diff.files if self.diff is not None else ()
        changes = [each for file in files for each in file.entities if each.kind != "import"]
        return frozenset(name.lower() for each in changes for name in (each.name, each.old_name) if name)

    @cached_property
    def public(self) -> dict[str, list[str]]:
        """By path the public things of the program that came, went or differ, those around them left out."""
        files = self.diff.files if self.diff is not None else ()
        found: dict[str, list[str]] = {}
        for file in files:
            names = {e.name for e in file.entities if e.is_public and e.kind not in ("import", "module")}
            inner = [name for name in names if not any(other.startswith(f"{name}.") for other in names)]
            if inner and self.kind(file.path) == "source":
                found[file.path] = sorted(inner)
        return found

    def kind(self, path: str) -> str:
        """What kind of file is at a changed path."""
        after = self.change.result_file(path)
        return kind_of(path, after if after is not None else self.change.base_file(path))

    @cached_property
    def texts(self) -> dict[str, tuple[str, str]]:
        """By path both sides of the changed files."""
        sides = ((path, self.change.base_file(path), self.change.result_file(path)) for path in self.paths[:MAX_FILES])
        return {path: (text_of(old) or "", text_of(new) or "") for path, old, new in sides}

    @cached_property
    def words(self) -> frozenset[str]:
        """Words on changed lines and in changed paths; all of the files' words where lines are not known."""
        if self.diff is None:
            return self.all_words
        found = _words(self.paths)
        for file in self.diff.files:
            old, new = (text.split("\n") for text in self.texts.get(file.path, ("", "")))
            for hunk in file.hunks:
                found |= _words(old[hunk.old.first - 1 : hunk.old.last])
                found |= _words(new[hunk.new.first - 1 : hunk.new.last])
        return frozenset(found)

    @cached_property
    def all_words(self) -> frozenset[str]:
        """Every word of the changed files and of their paths."""
        return frozenset(_words(text for pair in self.texts.values() for text in pair) | _words(self.paths))

    @cached_property
    def _things(self) -> list[tuple[str, Found]]:
        """Path and thing, of both sides of the changed files; imports apart."""
        with together():
            return [
                (path, thing)
                for path, texts in self.texts.items()
                for text in texts
                if (language := language_of(path))
                for thing in outline(parse(text.encode(), language)).entities
                if thing.kind != "import"
            ]

    def defined(self, word: str) -> list[tuple[str, Found]]:
        """Path and thing, of changed files that hold `word`, on either side."""
        if word not in self.all_words:
            return []
        return [each for each in self._things if each[1].name.lower().rpartition(".")[2] == word]

    def calls(self, path: str, thing: Found) -> bool:
        """Whether a thing calls one whose signature changed."""
        sites = self.diff.calls if self.diff is not None else ()
        places: Iterable[Place] = (place for site in sites for place in (*site.touched, *site.untouched))
        return any(place.path == path and thing.first < place.line <= thing.end for place in places)


def _words(texts: Iterable[str]) -> set[str]:
    return {word.lower() for text in texts for word in re.findall(r"\w+", text)}


# --- what is named and did not change ---------------------------------------------------------------------------------


def files_named(text: str) -> list[str]:
    """Paths in a text, products whose names look like one left out."""
    return [path for path in dict.fromkeys(PATH.findall(text)) if path.lower() not in _PRODUCTS]


def is_named(path: str, named: Sequence[str]) -> bool:
    """Whether a path is named, whole or by its last parts."""
    return any(path == name or path.endswith(f"/{name}") for name in named)


def unchanged_files(touched: Touched, text: str) -> Iterator[Finding]:
    """Files that are named and did not change; one that base has may be said in passing."""
    unmet = [name for name in files_named(text) if not any(is_named(path, [name]) for path in touched.paths)]
    for name in unmet[:MAX_NAMED]:
        known = touched.change.base_file(name) is not None
        yield mismatch(f"The rationale names {name}, which did not change.", "info" if known else "low")


def unchanged_entities(touched: Touched, text: str) -> Iterator[Finding]:
    """Names of code, in back quotes, that are not among what the change touches."""
    wanted = [name for name in dict.fromkeys(_ENTITY.findall(text)) if not PATH.fullmatch(name)]
    told = (_told(touched, name) for name in wanted[: MAX_NAMED * 5] if not hasattr(builtins, name))
    yield from [finding for finding in told if finding is not None][:MAX_NAMED]


def _told(touched: Touched, name: str) -> Finding | None:
    whole, last = name.lower(), name.lower().rpartition(".")[2]
    if any(f".{whole}." in f".{each}." for each in touched.names):
        return None
    things = touched.defined(last)
    exact = [each for each in things if f".{each[1].name.lower()}".endswith(f".{whole}")]
    if not exact and any(f".{last}." in f".{each}." for each in touched.names):
        return None
    if things and touched.diff is not None:
        called = any(touched.calls(path, thing) for path, thing in exact or things)
        return None if called else mismatch(f"The rationale names {name}, which did not change.", "info")
    if last in touched.all_words:
        return None
    return mismatch(f"The rationale names {name}, which no changed file has.")


def mismatch(text: str, severity: Severity = "low") -> Finding:
    """A name that fits nothing of the change."""
    return Finding(kind="rationale.mismatch", severity=severity, text=text)


# --- what changed and is not named ------------------------------------------------------------------------------------


def left_out(touched: Touched, text: str, clauses: Sequence[str] = ()) -> Iterator[Finding]:
    """One line with what changed and `text` does not name; `clauses` are those of the brief that it leaves out."""
    said, named = _words([text]), files_named(text)
    public = [(path, name) for path, names in touched.public.items() for name in names]
    unsaid = [name for _, name in public if not {part.lower() for part in name.split(".")} & said]
    files = [path for path in touched.paths if touched.kind(path) not in MADE]
    unnamed = [path for path in files if not is_named(path, named) and not _things(touched, path) & said]
    parts = [
        *_part(unnamed, len(files), "changed files"),
        *_part(unsaid, len(public), "changed public entities"),
        *_part(clauses, 0, "clauses of the brief"),
    ]
    if parts:
        text = f"The rationale leaves out {'; '.join(parts)}."
        yield Finding(kind="rationale.unmentioned", severity="info", text=text)


def _things(touched: Touched, path: str) -> set[str]:
    """Last names of what changed in a file."""
    files = touched.diff.files if touched.diff is not None else ()
    entities = (each for file in files if path in (file.path, file.old_path) for each in file.entities)
    return {each.name.lower().rpartition(".")[2] for each in entities if each.kind != "import"}


def _part(names: Sequence[str], of: int, what: str) -> Iterator[str]:
    if names:
        more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
        count = f"{len(names)} of {of}" if of else f"{len(names)}"
        yield f"{count} {what} ({', '.join(names[:MAX_LISTED])}{more})"

"""One file of a tree as it is read for the names of others: what it defines, takes in, and where it says a name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from workbench.code.entities import Found, Outline, outline
from workbench.code.imports import module_of
from workbench.code.languages import family_of, language_of
from workbench.code.module_index import Meant, Modules
from workbench.code.parsing import Parsed, parse
from workbench.code.statements import EVERYTHING, Import, imports

MAX_MENTIONS = 2_000  # of all names in one file
_BEFORE = 200  # bytes that are looked at for what a name hangs on
_HANGS = re.compile(rb"(?:([\w$]+(?:\s*(?:\.|::)\s*[\w$]+)*)|[)\]}\"'?!])\s*(?:\?\.|\.|::|->)\s*$")
_APART = re.compile(r"\s*(?:\.|::)\s*")
_TEST = re.compile(
    r"(^|/)(tests?|__tests__|spec)/|(^|/)(test_[^/]*|conftest)\.py$|[._](test|spec)\.[cm]?[jt]sx?$|_test\.(go|py)$"
)
_KIND = (  # `name: Kind`, or `name = Kind(`
    rb"(?<![\w$])%s\s*\??:\s*[\"'&*]*([A-Za-z_][\w.]*)"
    rb"|(?<![\w$])%s\s*(?::[^=\n]{0,200})?=\s*(?:await\s+|new\s+|&)?([A-Z][\w.]*)\s*[({]"
)
MAX_LOOKED = 60_000  # bytes of an entity in which the class of a name is looked for
_BASES = re.compile(r"(?<![\w.$=])[A-Za-z_$][\w.$]*(?!\s*=)")
SOMETHING = ("?",)  # what a name hangs on, where that is no name


class Mention(NamedTuple):
    """A place that says a name of somebody else."""

    name: str  # as it is called where it is defined
    local: str  # as it is called here
    row: int
    hangs_on: tuple[str, ...]  # the names before it: `a.b` in `a.b.name`
    inside: int  # index of the entity around it; -1: none


@dataclass(slots=False, eq=False)
class Reading:
    """A file of a tree."""

    path: str
    parsed: Parsed
    outline: Outline
    imports: list[Import] = field(default_factory=list)
    bound: dict[str, Meant] = field(default_factory=dict)  # by what it is called here
    kinds: dict[tuple[int, str], str] = field(default_factory=dict)  # what is known of names by where they stand
    stars: set[str] = field(default_factory=set)  # modules all of whose names it takes in

    @property
    def language(self) -> str:
        """Its language."""
        return self.parsed.language

    @property
    def family(self) -> str:
        """The languages that share names with it."""
        return family_of(self.parsed.language)

    @property
    def module(self) -> str:
        """The name under which others import it."""
        return module_of(self.path, self.parsed.language)

    @property
    def entities(self) -> list[Found]:
        """What it defines."""
        return self.outline.entities

    @cached_property
    def around(self) -> list[int]:
        """By row the innermost entity."""
        return self.outline.innermost()

    @cached_property
    def defined(self) -> set[str]:
        """The full names of what it defines."""
        return {each.name for each in self.entities if each.kind != "import"}

    def bases(self, name: str) -> list[str]:
        """The classes that a class says it is made of."""
        told = next((each.signature for each in self.entities if each.name == name and each.kind == "class"), "")
        return _BASES.findall(told.partition(name.rpartition(".")[2])[2])

    def class_around(self, index: int) -> str:
        """The full name of the class in which an entity stands, or which it is; empty where there is none."""
        while index >= 0:
            if self.entities[index].kind == "class":
                return self.entities[index].name
            if self.entities[index].kind == "method":
                return self.entities[index].container
            index = self.entities[index].inside
        return ""


def is_test(path: str) -> bool:
    """Whether a file is one of tests, by the customs of names."""
    return _TEST.search(path) is not None


def reading(path: str, data: bytes, modules: Modules) -> Reading | None:
    """A file taken apart; None where it is of no language that we read, or cannot be parsed."""
    parsed = parse(data, language_of(path))
    if parsed.tree is None:
        return None
    found = Reading(path, parsed, outline(parsed), imports(parsed))
    for one in found.imports:
        meant = modules.meant(one, path, parsed.language)
        if one.name == EVERYTHING:
            found.stars.add(meant.module)
        elif one.alias:
            found.bound[one.alias] = meant
    return found


def mentions(of: Reading, names: Collection[str]) -> Iterator[Mention]:
    """Where a file says one of these names, or what it calls them, outside of definitions, comments and strings."""
    local = {name: name for name in names}
    local |= {alias: meant.name for alias, meant in of.bound.items() if meant.name in local}
    wanted = [name for name in local if name.encode() in of.parsed.data]
    if not wanted or of.parsed.tree is None:
        return
    defined = {each.name_start for each in of.entities}
    taken_in = {(one.alias or one.name, one.row) for one in of.imports}
    pattern = re.compile(rb"(?<![\w$])(?:" + b"|".join(re.escape(name.encode()) for name in wanted) + rb")(?![\w$])")
    root, data = of.parsed.tree.root_node, of.parsed.data
    for count, at in enumerate(pattern.finditer(data)):
        if count >= MAX_MENTIONS:
            return
        start = at.start()
        if start in defined or not _is_use(root.named_descendant_for_byte_range(start, at.end())):
            continue
        row = of.parsed.row(start)
        inside = of.around[row] if row < len(of.around) else -1
        if inside >= 0 and of.entities[inside].kind == "import":
            continue
        said = at[0].decode("utf-8", "replace")
        if (said, row) in taken_in:
            continue
        yield Mention(local[said], said, row, _hangs_on(data, start), inside)


def _is_use(node: object) -> bool:
    """Whether a node is a name that means something of the surroundings: no comment, string, import or keyword."""
    kind = getattr(node, "type", "")
    if "identifier" not in kind:
        return False
    parent = getattr(node, "parent", None)
    if parent is None:
        return False
    if parent.type in ("keyword_argument", "keyword_pattern") and parent.child_by_field_name("name") == node:
        return False
    above = parent
    for _ in range(4):
        if above is None:
            return True
        if above.type.startswith(("import", "use_")) or above.type in ("parameters", "export_specifier"):
            return above.type == "parameters" and parent.type not in ("parameters", "default_parameter")
        above = above.parent
    return True


def _hangs_on(data: bytes, start: int) -> tuple[str, ...]:
    before = data[max(0, start - _BEFORE) : start]
    if before.rstrip()[-1:] not in (b".", b":", b">"):
        return ()
    found = _HANGS.search(before)
    if found is None:
        return () if before.rstrip()[-1:] != b"." else SOMETHING
    return tuple(_APART.split(found[1].decode("utf-8", "replace"))) if found[1] else SOMETHING


def kind_said(of: Reading, said: Mention) -> str:
    """The class that is written where the object is named or made, on which a name hangs; empty where none is.

    A local name is looked for in the function around it, one of the object itself in its class.
    """
    name = said.hangs_on[-1] if len(said.hangs_on) == 1 or said.hangs_on[0] in ("self", "this") else ""
    if not name or name == SOMETHING[0] or said.inside < 0 or name in of.bound:
        return ""
    around = of.entities[said.inside]
    if len(said.hangs_on) == 2:
        owner = of.class_around(said.inside)
        around = next((each for each in of.entities if each.name == owner), around)
    elif len(said.hangs_on) > 2:
        return ""
    key = (around.start, name)
    if key not in of.kinds:
        pattern = _KIND.replace(b"%s", re.escape(name.encode()))
        found = re.search(pattern, of.parsed.data[around.start : min(around.stop, around.start + MAX_LOOKED)])
        of.kinds[key] = (found[1] or found[2]).decode() if found is not None else ""
    return of.kinds[key]

"""Whether a name in one file means a given entity of another: yes, perhaps, or no. It admits what it cannot tell."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

from workbench.code.imports import module_of
from workbench.code.languages import family_of, language_of
from workbench.code.mentions import SOMETHING, Mention, Reading, kind_said
from workbench.code.module_index import Meant

Answer = Literal["yes", "perhaps", "no"]
MAX_HOPS = 5  # of names that are handed on from module to module
_SELF = frozenset({"self", "this", "cls", "Self", "super"})
_MAKERS = frozenset({"__init__", "__new__", "constructor", "new"})
Readings = Callable[[str, str], list[Reading]]  # the files of a module that were read so far, by family and name


class Sought(NamedTuple):
    """The entity that is looked for."""

    path: str
    module: str
    family: str
    name: str  # qualified within its file

    @property
    def last(self) -> str:
        """How it is called where somebody names it; what makes a class is named by the class."""
        first, _, last = self.name.rpartition(".")
        return first.rpartition(".")[2] if first and last in _MAKERS and self.family != "rust" else last

    @property
    def holder(self) -> str:
        """The class, or what else it stands in; empty in the file itself."""
        holder, _, last = self.name.rpartition(".")
        return holder.rpartition(".")[0] if holder and last in _MAKERS and self.family != "rust" else holder


def sought_in(path: str, name: str) -> Sought:
    """The entity of that name in a file."""
    language = language_of(path)
    return Sought(path, module_of(path, language), family_of(language), name)


def means(sought: Sought, of: Reading, said: Mention, readings: Readings) -> Answer:
    """Whether this mention is of what is sought."""
    if of.family != sought.family:
        return "no"
    if not said.hangs_on:
        return "no" if sought.holder else _alone(sought, of, said, readings)
    return _hanging(sought, of, said, readings)


def may_mean(one: Sought, path: str, data: bytes) -> bool:
    """Whether a file could mean it at all, by a look at its text: so that what has a common name costs no parsing."""
    name = one.last.encode()
    if name not in data or family_of(language_of(path)) != one.family:
        return False
    if path == one.path or (one.family == "go" and module_of(path, "go") == one.module):
        return True
    home = re.split(r"[./]", one.module)[-1].encode()
    if one.holder:
        return one.holder.rpartition(".")[2].encode() in data or (home in data and home != b"")
    return home in data or re.search(rb"(?<![.\w])" + re.escape(name) + rb"\b", data) is not None


def _alone(sought: Sought, of: Reading, said: Mention, readings: Readings) -> Answer:
    bound = of.bound.get(said.local)
    if bound is not None:
        return _leads(bound, sought.last, sought, readings, MAX_HOPS)
    if of.path == sought.path or (of.family == "go" and of.module == sought.module):
        return "yes"
    if said.local in of.defined:
        return "no"
    if sought.module in of.stars:
        return "yes"
    return "perhaps" if of.stars else "no"


def _hanging(sought: Sought, of: Reading, said: Mention, readings: Readings) -> Answer:
    head = said.hangs_on
    if head[0] in _SELF and len(head) == 1:
        return _own(sought, of, said, readings)
    kind = kind_said(of, said)
    if kind and sought.holder:
        return _of_kind(kind, sought, of, readings)
    for count in range(len(head), 0, -1):
        bound = of.bound.get(".".join(head[:count]))
        if bound is not None:
            return _through(bound, head[count:], sought, readings)
    if head == SOMETHING or not sought.holder:
        return "perhaps" if sought.holder else "no"
    near = of.path == sought.path or (of.family == "go" and of.module == sought.module)
    return "yes" if near and ".".join(head) == sought.holder else "perhaps"


def _of_kind(kind: str, sought: Sought, of: Reading, readings: Readings) -> Answer:
    """A name on an object whose class is written beside it."""
    head, _, rest = kind.partition(".")
    if kind in of.defined or head in of.defined:
        return "yes" if of.path == sought.path and kind == sought.holder else "perhaps"
    bound = of.bound.get(kind) or of.bound.get(head)
    if bound is None:
        return "perhaps"
    answer = _through(bound, () if kind in of.bound else tuple(rest.split(".")), sought, readings)
    return "perhaps" if answer == "no" and bound.is_inside else answer  # it may stand below or above what is sought


def _own(sought: Sought, of: Reading, said: Mention, readings: Readings) -> Answer:
    """A name on the object itself: of its class, of one above it, or of one below."""
    if not sought.holder:
        return "no"
    around = of.class_around(said.inside)
    if of.path == sought.path and around == sought.holder:
        return "yes"
    if f"{around}.{said.local}" in of.defined:
        return "no"
    return "yes" if any(_of_kind(base, sought, of, readings) == "yes" for base in of.bases(around)) else "perhaps"


def _through(bound: Meant, rest: tuple[str, ...], sought: Sought, readings: Readings) -> Answer:
    """A name on something that was taken in: a module, a class, or an object."""
    within = tuple(part for part in (bound.name, *rest) if part)
    if not within:
        if sought.holder or bound.module != sought.module:
            handed_on = _leads(bound, sought.last, sought, readings, MAX_HOPS) if not sought.holder else "no"
            return handed_on if bound.is_inside else "no"
        return "yes"
    if not sought.holder:
        deeper = ".".join((bound.module, *within))
        return "yes" if deeper == sought.module and sought.family == "python" else "no"
    if ".".join(within) == sought.holder:
        return _leads(Meant(bound.module, "", bound.is_inside), within[0], sought, readings, MAX_HOPS)
    return "perhaps" if bound.is_inside or rest else "no"


def _leads(bound: Meant, name: str, sought: Sought, readings: Readings, hops: int) -> Answer:
    """Whether a name of a module is what is sought, or what it stands in, handed on or not."""
    if not bound.is_inside:
        return "no"
    said = bound.name or name
    wanted = sought.holder.partition(".")[0] or sought.last
    if bound.module == sought.module:
        return "yes" if said == wanted else "perhaps" if said == "default" else "no"
    answers = [
        _leads(further, said, sought, readings, hops - 1)
        for other in readings(sought.family, bound.module)
        if hops and (further := other.bound.get(said)) is not None
    ]
    if "yes" in answers or any(sought.module in other.stars for other in readings(sought.family, bound.module)):
        return "yes"
    return "perhaps" if "perhaps" in answers else "no"

"""The impact of a change as lines of a tree, for every place that shows it. Pure; it paints nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from workbench.code.impact_model import Affected, Caller, Impact, Need, Touched

BROKEN, REACHED, NEEDS = "RULES AND RINGS", "WHAT IT REACHES", "WHO NEEDS WHOM"
BEYOND, MODULES, UNKNOWN, UNSEEN = "MORE THAN CODE", "MODULES", "COULD NOT BE TOLD", "NOT LOOKED AT"
_PAST = {
    "removed": "removed",
    "renamed": "renamed",
    "moved": "moved",
    "signature": "called otherwise",
    "body": "edited",
}


class ImpactLine(NamedTuple):
    """One line. `state` gives its mark; `path` and `line` are where it leads."""

    key: str
    group: str
    depth: int
    state: str  # failed, alert, passed, unknown, or nothing
    words: str
    fact: str = ""  # what stands behind the words, and may be cut
    path: str = ""
    line: int = 0


def in_short(found: Impact) -> str:
    """The whole on one line."""
    callers = {(each.path, each.name) for one in found.affected for each in one.callers if each.is_sure}
    counted = (
        (len(found.broken), "rule broken", "rules broken"),
        (len(found.cycles), "new ring", "new rings"),
        (len(callers), "caller", "callers"),
        (len(found.added), "new need", "new needs"),
        (len(found.removed), "need gone", "needs gone"),
        (len(found.special), "file beyond code", "files beyond code"),
        (len(found.modules), "module", "modules"),
    )
    said = [f"{number} {one if number == 1 else many}" for number, one, many in counted if number]
    return ", ".join(said) or "nothing beyond the changed lines"


def impact_lines(found: Impact) -> list[ImpactLine]:
    """All of it, what is wrong first."""
    return [
        *_broken(found),
        *_reached(found),
        *_needs(found),
        *(
            ImpactLine(
                f"special/{each.path}",
                BEYOND,
                0,
                "alert" if each.detail else "",
                f"{each.kind}  {each.path}",
                ", ".join(filter(None, (_STATUS[each.status], each.detail))),
                each.path,
            )
            for each in found.special
        ),
        *(_module(each) for each in found.modules),
        *_texts("unknown", UNKNOWN, found.unresolved),
        *_texts("unseen", UNSEEN, found.limits),
    ]


_STATUS = {"A": "new", "M": "", "D": "deleted", "R": "renamed"}


def _broken(found: Impact) -> Iterator[ImpactLine]:
    for number, each in enumerate(found.broken):
        words = f"{each.module} must not need {each.forbidden}"
        yield ImpactLine(
            f"broken/{number}", BROKEN, 0, "failed", words, f"{each.path}:{each.line}", each.path, each.line
        )
        yield ImpactLine(f"broken/{number}/rule", BROKEN, 1, "", f"rule: {each.contract}", "", each.path, each.line)
        if len(each.chain) > 2:
            chain = " > ".join(each.chain)
            yield ImpactLine(f"broken/{number}/chain", BROKEN, 1, "", f"by {chain}", "", each.path, each.line)
    for number, ring in enumerate(found.cycles):
        need = next((each for each in found.added if (each.module, each.needs) == ring[:2]), None)
        at = (need.path, need.line) if need is not None else ("", 0)
        yield ImpactLine(f"ring/{number}", BROKEN, 0, "failed", f"ring: {' > '.join(ring)}", "", *at)
    if not found.broken and not found.cycles and (found.added or found.contracts):
        held = f"{found.contracts} {'rule' if found.contracts == 1 else 'rules'} of import-linter"
        words = f"{held if found.contracts else 'no rules to hold it against'}; no new ring"
        yield ImpactLine("broken/none", BROKEN, 0, "passed", words)


def _reached(found: Impact) -> Iterator[ImpactLine]:
    for number, each in enumerate(found.affected):
        key = f"reached/{number}"
        yield _affected(key, each)
        for place, caller in enumerate(each.callers):
            yield _caller(f"{key}/{place}", caller)
        if each.left_out:
            yield ImpactLine(f"{key}/more", REACHED, 1, "unknown", f"and {each.left_out} more that are not listed")


def _affected(key: str, each: Affected) -> ImpactLine:
    sure, unsure = each.sure, len(each.callers) - each.sure
    now = f", now {each.now}" if each.now else ""
    public = "public " if each.is_public else ""
    counted = [f"{sure} {'caller' if sure == 1 else 'callers'}"] if sure else []
    counted += [f"{unsure} unsure"] if unsure else []
    grave = each.how == "removed" and any(caller.depth == 1 and caller.is_sure for caller in each.callers)
    still = ", and still named" if grave else ""
    words = f"{each.name}  {public}{each.kind} {_PAST[each.how]}{now}{still}"
    fact = ", ".join(counted) or "no caller found"
    state = "failed" if grave else "alert" if each.how != "body" and each.callers else ""
    return ImpactLine(key, REACHED, 0, state, words, fact, each.path, each.line)


def _caller(key: str, caller: Caller) -> ImpactLine:
    tags = [
        "" if caller.is_sure else "by name only",
        "test" if caller.is_test else "",
        "changed too" if caller.is_edited else "left as it is, in a changed file" if caller.is_changed else "",
    ]
    place = f"{caller.path}:{caller.line}"
    words = f"{caller.name or '(file)'}  {place}"
    state = "" if caller.is_sure else "unknown"
    fact = ", ".join(filter(None, tags))
    return ImpactLine(key, REACHED, caller.depth, state, words, fact, caller.path, caller.line)


def _needs(found: Impact) -> Iterator[ImpactLine]:
    for sign, needs in (("+", found.added), ("-", found.removed)):
        for number, each in enumerate(needs):
            yield _need(f"need/{sign}/{number}", sign, each)


def _need(key: str, sign: str, each: Need) -> ImpactLine:
    place = f"{each.path}:{each.line}" if sign == "+" else ""
    fact = " ".join(filter(None, ("" if each.is_inside else "from outside", place)))
    return ImpactLine(key, NEEDS, 0, "", f"{sign} {each.module} > {each.needs}", fact, each.path, each.line)


def _module(each: Touched) -> ImpactLine:
    counted = [f"+{each.added} -{each.removed}"]
    counted += [f"{each.entities} {'entity' if each.entities == 1 else 'entities'}"] if each.entities else []
    counted += [f"{each.public} public"] if each.public else []
    tests = "  tests" if each.is_test else ""
    return ImpactLine(f"module/{each.name}", MODULES, 0, "", f"{each.name}{tests}", ", ".join(counted), each.paths[0])


def _texts(key: str, group: str, texts: tuple[str, ...]) -> Iterator[ImpactLine]:
    for number, words in enumerate(texts):
        yield ImpactLine(f"{key}/{number}", group, 0, "unknown", words)

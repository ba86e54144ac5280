"""Evidence of a clause that is a law: how it stands on the result, and whether base stood it; it starts no process."""

from __future__ import annotations

from typing import Any

import msgspec

from workbench.artifacts.terms import Clause, Property
from workbench.evidence.cache import EvidenceCache, cache_key
from workbench.evidence.properties.trying import Report, Tried, loose_sources, try_law
from workbench.evidence.rig import Rig
from workbench.model.evidence import Evidence, EvidenceState
from workbench.model.text import one_line
from workbench.ports import Change

MAX_SHOWN = 300  # cells of a counterexample in a summary
MAX_VALUE = 1_000  # cells of one value in facts
MAX_NAMES = 20
_SAY = {  # what only the program's own process could say
    "law": "the function that says it", "object": "what its types make of the values",
    "given": "what it is given is changed by it", "strategy": "the strategy that makes values",
    "eq": "`==`", "ne": "`!=`", "lt": "`<`", "le": "`<=`", "gt": "`>`", "ge": "`>=`", "contains": "`in`",
    "bool": "truth", "isinstance": "`isinstance`", "issubclass": "`issubclass`",
}  # fmt: skip


def law_evidence(rig: Rig, clause: Clause, change: Change, *, cache: EvidenceCache | None, collector: str) -> Evidence:
    """One piece of evidence `clause.<ID>`; of a law that was stood by base and is not any more, it says so."""
    law = clause.property
    assert law is not None
    found = try_law(rig, law, change, change.result)
    before = _on_base(rig, law, change, cache) if found.state in ("passed", "failed") or found.absent else None
    loose = [*loose_sources(law, change, found.report.modules), *_said_otherwise(found.report, before)]
    state, summary = _stands(found, before, loose)
    facts: dict[str, Any] = {"law": law.holds, "given": law.given, **_facts(found)}
    if before is not None:
        facts["base_state"] = _base_state(before)
        facts |= {
            f"base_{name}": value for name, value in _facts(before).items() if name in ("counterexample", "raised")
        }
    return rig.evidence(
        change,
        f"clause.{clause.id}",
        criterion="completeness",
        state=state,
        summary=summary,
        command=("property", law.holds),
        clauses=(clause.id,),
        facts=facts,
        collector=collector,
        duration_ms=found.duration_ms,
    )


def _on_base(rig: Rig, law: Property, change: Change, cache: EvidenceCache | None) -> Tried:
    key = cache_key(
        what="law.base",
        base=change.base,
        law=msgspec.to_builtins(law),
        environment=rig.environment.digest,
        sandbox=rig.sandbox.level,
        limits=msgspec.to_builtins(rig.limits),
    )
    known = cache.get(key) if cache else None
    if known is not None:
        return msgspec.json.decode(known, type=Tried)
    tried = try_law(rig, law, change, change.base)
    if cache is not None and (tried.state in ("passed", "failed") or tried.absent):
        cache.put(key, msgspec.json.encode(tried))
    return tried


def _said_otherwise(report: Report, before: Tried | None) -> list[str]:
    """What the program says of the words of a law, and did not say on base."""
    known = before.report if before is not None else report
    found = sorted(set(report.shadows) - set(known.shadows))[:MAX_NAMES]
    if known.described and known.described != report.described:
        found.append("what its types are made of")
    return [one_line(each, 80) for each in found]


def _base_state(before: Tried) -> str:
    """What base does not have, it does not hold."""
    return "failed" if before.absent else before.state


def _stands(found: Tried, before: Tried | None, loose: list[str]) -> tuple[EvidenceState, str]:
    report, held = found.report, before is not None and before.state == "passed"
    if found.absent and held:
        return "failed", f"cannot be tried any more, and held on base: {one_line(found.problem, MAX_SHOWN)}"
    if found.state not in ("passed", "failed"):
        return found.state, one_line(found.problem, MAX_SHOWN)
    if found.state == "failed":
        often = "does not always hold" if report.state == "sometimes" else "does not hold"
        text = f"{often} for {_example(found)}"
        return "failed", f"{text}; it held on base in {before.report.examples} examples" if held and before else text
    count = "1 example" if report.examples == 1 else f"{report.examples} examples"
    text = f"holds in {count}" + (", all that there was time for" if report.state == "over" else "")
    text += f"; {report.rejected} did not count" if report.rejected else ""
    if loose:
        return "not-checked", f"{text}, but the change itself edits what makes or judges them: {', '.join(loose[:3])}"
    if leaning := _leaning(found):
        text += f" (the program itself says: {', '.join(leaning)})"
    if held:
        text += "; also holds on base"
    elif before is not None and before.state == "failed":
        text += f"; on base it does not, for {_example(before)}"
    elif before is not None and before.absent:
        text += f"; on base it cannot be tried: {one_line(before.problem, 120)}"
    return "passed", text


def _leaning(tried: Tried) -> list[str]:
    """What only the program's own process could say, and might have said otherwise outside of the trial."""
    return [said for what, said in _SAY.items() if what in tried.report.told]


def _example(tried: Tried) -> str:
    report = tried.report
    values = ", ".join(f"{name} = {value}" for name, value in list(report.counterexample.items())[:MAX_NAMES])
    place = f" at {one_line(report.where, 100)}" if report.where else ""
    raised = f" ({one_line(report.raised, 150)}{place})" if report.raised else ""
    return one_line(values, MAX_SHOWN) + raised


def _facts(tried: Tried) -> dict[str, Any]:
    """What was tried, bounded and safe to look at."""
    report = tried.report
    facts: dict[str, Any] = {
        "examples": report.examples,
        "not_counted": report.rejected,
        "hypothesis": one_line(report.hypothesis, 40),
        "python": one_line(report.python, 40),
    }
    if leaning := _leaning(tried):
        facts["said_by_the_program"] = leaning
    if report.counterexample:
        rows = list(report.counterexample.items())[:MAX_NAMES]
        facts["counterexample"] = {one_line(name, 80): one_line(value, MAX_VALUE) for name, value in rows}
    if report.raised:
        facts["raised"] = one_line(report.raised, MAX_VALUE)
    if report.where:
        facts["where"] = one_line(report.where, 200)
    return facts

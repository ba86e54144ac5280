"""Why a pack has its verdict, as rows and what is to be read of each: reasons, requirements, findings, evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from workbench.ace.tui.marks import Glyphset
from workbench.ace.tui.prose import Block, blank, bullet, facts, heading, paragraph
from workbench.ace.tui.sheet import Sheet
from workbench.ace.tui.text import Line, Piece, Role, line, padded, piece, safe
from workbench.artifacts.pack_parts import MergePack
from workbench.model.evidence import CRITERIA, Evidence, Finding
from workbench.model.text import cell_width

_SEVERE: dict[str, Role] = {"critical": "failed", "high": "failed", "medium": "needs-you", "low": "dim", "info": "dim"}
_GRADES: dict[str, Role] = {"claimed": "claimed", "observed": "dim", "executed": "plain", "verified": "proven"}
FACT_CELLS = 200  # of one fact of evidence in a line; the whole is in the pack's JSON


class Reason(NamedTuple):
    """One row. `state` gives its mark; a finding leads to `path` and `line`, evidence to its `outputs`."""

    key: str
    group: str
    state: str
    name: str
    words: str
    about: Any = None  # Evidence, Finding, or nothing more than the words
    path: str = ""
    line: int = 0

    @property
    def outputs(self) -> Mapping[str, str]:
        """Name to blob digest."""
        return self.about.outputs if isinstance(self.about, Evidence) else {}


def all_reasons(document: MergePack, also: Iterable[Reason] = ()) -> list[Reason]:
    """Everything that the verdict rests on, what speaks against it first, with `also` behind the verdict's reasons."""
    return [
        *_listed("reason", "WHY THIS VERDICT", document.verdict, document.reasons),
        *_ways(document),
        *also,
        *_listed("unchecked", "NOT CHECKED", "not-checked", document.not_checked),
        *_findings(document.findings),
        *_requirements(document),
        *_evidence(document.evidence),
        *_claims(document),
    ]


def ahead_reasons(found: Iterable[str]) -> list[Reason]:
    """Who gets into its way."""
    return [Reason(f"ahead/{at}", "FORECAST", "alert", "", words) for at, words in enumerate(found)]


def reasons_of(document: MergePack, number: int) -> list[Reason]:
    """What one of the five criteria rests on; `number` counts from 1."""
    name = CRITERIA[number - 1]
    found = next((item for item in document.criteria if item.name == name), None)
    named = set(found.evidence) if found else set()
    evidence = [item for item in document.evidence if item.criterion == name or item.id in named]
    ids = {item.id for item in evidence}
    kinds = {item.kind.partition(".")[0] for item in evidence}
    head = [Reason(f"criterion/{name}", "CRITERION", found.state, name, found.summary)] if found else []
    findings = _findings(
        finding
        for finding in document.findings
        if finding.evidence in ids or (not finding.evidence and finding.kind.partition(".")[0] in kinds)
    )
    claims = _claims(document) if name == "rationale" else ()
    audit = _audit(document) if name == "auditability" else ()
    return [*head, *_evidence(evidence), *findings, *claims, *audit]


def reasons_sheet(rows: list[Reason]) -> Sheet[Reason]:
    """The rows in their groups."""
    return Sheet(rows, key=lambda row: row.key, group=lambda row: safe(row.group))


def paint_reason(row: Reason, cells: int, glyphs: Glyphset) -> Line:
    """A row: mark, name, words."""
    name = padded(piece(row.name, "strong"), min(cell_width(safe(row.name)), max(8, cells // 3)))
    grade = row.about.reached if isinstance(row.about, Evidence) else ""
    shown = (piece(f" {grade}", _GRADES.get(grade, "dim")),) if grade else ()
    words = piece(f"{' ' if row.name else ''}{row.words}")
    return line(glyphs.sign(row.state), " ", name, *shown, words)


def reason_blocks(row: Reason, glyphs: Glyphset) -> Iterator[Block]:
    """All that is to be read of a row, without its outputs."""
    yield facts(glyphs.state(row.state), " ", piece(row.name, "strong"))
    if isinstance(row.about, Evidence):
        yield from _evidence_blocks(row.about)
    elif isinstance(row.about, Finding):
        yield from _finding_blocks(row.about)
    else:
        yield paragraph(row.words)


def _evidence_blocks(item: Evidence) -> Iterator[Block]:
    yield paragraph(item.summary, "strong")
    grade = item.reached
    if grade:
        yield facts(piece("grade ", "dim"), piece(grade, _GRADES.get(grade, "plain")), piece(_ran(item), "dim"))
    pairs = (
        ("clauses", ", ".join(item.clauses)),
        ("command", " ".join(item.command)),
        ("sandbox", item.sandbox),
        ("environment", item.environment),
        ("collector", item.collector),
        ("digest", item.digest),
    )
    yield from _pairs(pairs)
    for title, values in (("FACTS", item.facts), ("MADE FROM", item.inputs), ("OUTPUTS", item.outputs)):
        if values:
            yield blank()
            yield heading(title)
            yield from _pairs(
                (name, _short(value)) for name, value in values.items() if value not in ("", [], {}, None)
            )


def _ran(item: Evidence) -> str:
    times = f", {item.times} times" if item.times > 1 else ""
    return f"{times}, {item.duration_ms / 1000:.1f} s, {item.started_at}" if item.started_at else times


def _finding_blocks(item: Finding) -> Iterator[Block]:
    yield paragraph(item.text, "strong")
    yield from _pairs(
        (
            ("severity", f"{item.severity}{', blocks the merge' if item.blocking else ''}"),
            ("kind", item.kind),
            ("where", f"{item.path}:{item.line}" if item.line else item.path),
            ("evidence", item.evidence),
        )
    )
    if item.path:
        yield blank()
        yield paragraph("Enter goes to that line of the change.", "dim")


def _pairs(pairs: Iterable[tuple[str, str]]) -> Iterator[Block]:
    for name, value in pairs:
        if value:
            yield bullet(f"{name}: {value}", sign=" ", indent=0)


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        value = [f"{name} {number}" for name, number in value.items()]
    words = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return words if len(words) <= FACT_CELLS else f"{words[:FACT_CELLS]} … ({len(words)} characters)"


def _listed(key: str, group: str, state: str, texts: Iterable[str]) -> Iterator[Reason]:
    for number, text in enumerate(texts):
        yield Reason(f"{key}/{number}", group, state, "", text)


def _ways(document: MergePack) -> Iterator[Reason]:
    """What would make the verdict better: the fewest causes that would all have to go."""
    wanted = {each.cause: each.wanted or each.cause for each in document.because}
    for way in document.would_be:
        told = (f"{name} ({wanted[name]})" if wanted.get(name, name) != name else name for name in way.without)
        words = f"{way.verdict} if {'; '.join(told)}"
        yield Reason(f"way/{way.verdict}", "WHAT WOULD CHANGE IT", way.verdict, "would be", words)


def _findings(found: Iterable[Finding]) -> Iterator[Reason]:
    ordered = sorted(enumerate(found), key=lambda pair: (not pair[1].blocking, _rank(pair[1]), pair[0]))
    for number, item in ordered:
        name = item.path.rpartition("/")[2]
        where = f"{name}:{item.line}" if item.line else name
        state = "failed" if item.blocking or _SEVERE[item.severity] == "failed" else "alert"
        words = f"{item.severity}{' BLOCKING' if item.blocking else ''}: {item.text}"
        yield Reason(f"finding/{number}", "FINDINGS", state, where or item.kind, words, item, item.path, item.line)


def notes_of(document: MergePack | None, path: str) -> dict[int, Piece]:
    """What was found at lines of a file, to stand beside them."""
    found: dict[int, Piece] = {}
    for item in document.findings if document else ():
        if item.path == path and item.line:
            words = f"{item.severity}{' BLOCKING' if item.blocking else ''}: {item.text}"
            found.setdefault(item.line, piece(f"  ! {words}", _SEVERE[item.severity]))
    return found


def _rank(item: Finding) -> int:
    return list(_SEVERE).index(item.severity)


def _requirements(document: MergePack) -> Iterator[Reason]:
    for item in document.requirements:
        if item.state != "not_applicable":
            reason = item.reason.removeprefix(f"{item.id}: ")
            by = f", overridden by {item.by} until {item.expiry}" if item.by else ""
            yield Reason(f"requirement/{item.id}", "REQUIREMENTS", item.state, item.id, f"{reason}{by}")


def _evidence(found: Iterable[Evidence]) -> Iterator[Reason]:
    for item in found:
        yield Reason(f"evidence/{item.id}", "EVIDENCE", item.state, item.kind, item.summary, item)


def _claims(document: MergePack) -> Iterator[Reason]:
    said = document.rationale
    if said.approach:
        yield Reason("claim/approach", "CLAIMED BY THE AGENT", "unproven", "approach", said.approach)
    for number, text in enumerate(said.trade_offs):
        yield Reason(f"claim/trade-off/{number}", "CLAIMED BY THE AGENT", "unproven", "trade-off", text)
    if said.notes:
        yield Reason("claim/notes", "CLAIMED BY THE AGENT", "unproven", "notes", said.notes)
    for number, item in enumerate(document.test_plan):
        state = {"missing": "not-checked"}.get(item.state, item.state)
        words = f"{item.item} ({item.test or 'no test of it was found'})"
        yield Reason(f"plan/{number}", "TEST PLAN OF THE AGENT", state, "test plan", words)


def _audit(document: MergePack) -> Iterator[Reason]:
    audit = document.audit
    pairs = (
        ("driver", f"{audit.driver} {audit.driver_version}"),
        ("model", audit.model),
        ("tools", ", ".join(f"{name} {version}" for name, version in audit.tools.items())),
        ("sandbox", audit.sandbox),
        ("not limited", "; ".join(audit.sandbox_limits)),
        ("environment", audit.environment_digest),
        ("rulebook", audit.rulebook_digest),
        ("resolutions", ", ".join(audit.resolutions)),
        *((said.id, f"{said.who} said ({said.mode}): {said.text}") for said in audit.messages),
        ("trajectory", audit.trajectory),
        ("cost", f"${audit.cost_usd:.2f}, {audit.tokens} tokens"),
        ("artifacts", ", ".join(audit.artifacts)),
        ("policy", document.policy_digest),
        ("brief", document.brief_digest),
        ("tree", document.tree),
    )
    for name, words in pairs:
        if words.strip():
            yield Reason(f"audit/{name}", "MADE WITH", "passed" if name != "not limited" else "alert", name, words)

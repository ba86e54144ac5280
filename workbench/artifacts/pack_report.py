"""A merge-readiness pack as Markdown for people; every word in it may come from an agent, so nothing in it is live."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from workbench.artifacts.pack_parts import MergePack, SplitPart
from workbench.model.evidence import PASSED
from workbench.model.text import clip, one_line, visible

PART_FILES = 3  # of a part of a proposed split, that are named

CELL_WIDTH = 160  # cells of one table cell; the JSON has the whole text
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#+!|~&@$^=])")
_LINK = re.compile(r"(?<=[A-Za-z])(:)(?=/)|(?<=[wW]{3})(\.)")
_LEADING = re.compile(r"^(?:([-+])|(\d{1,9})([.)]))(?=\s|$)")
_HEADINGS = {"ready": "Ready to merge", "needs-human": "A person must decide", "not-ready": "Not ready"}


def report(pack: MergePack) -> str:
    """The verdict first, then what was not checked, then reasons, criteria, evidence and findings."""
    parts = (
        _head(pack),
        _section("Not checked", _bullets(pack.not_checked)) or "## Not checked\n\nNothing was left out.\n",
        _section("Reasons", _numbered(pack.reasons)),
        _section("Criteria", _criteria(pack)),
        _section("Requirements", _requirements(pack)),
        _section("Evidence", _evidence(pack)),
        _section("Findings", _findings(pack)),
        _section("Rationale (claimed by the agent)", _rationale(pack)),
        _section("Test plan (claimed by the agent)", _test_plan(pack)),
        _section("New tests", _bullets(pack.new_tests)),
        _section("Reading order", _reading(pack)),
        _section("Proposed split", _split(pack)),
        _section("Changes", _changes(pack)),
        _section("Comments", _comments(pack)),
        _section("Audit", _audit(pack)),
    )
    return "\n".join(part for part in parts if part)


def inert(text: str, width: int = 0) -> str:
    """Outside text on one line: control characters visible, no markup, link, mention or table bar alive in it."""
    line = one_line(text)
    line = clip(line, width) if width else line
    line = _SPECIAL.sub(r"\\\1", line)
    line = _LINK.sub(r"\\\g<0>", line)
    return _LEADING.sub(lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}", line)


def _head(pack: MergePack) -> str:
    title = f": {inert(pack.title)}" if pack.title else ""
    lines = [
        f"# {_HEADINGS[pack.verdict]}{title}",
        "",
        f"Verdict **{pack.verdict}** · pack {inert(pack.id)} · revision {pack.revision}"
        + (f" · {inert(pack.submitted_at)}" if pack.submitted_at else ""),
        "",
        *_table(
            ("bound to", ""),
            (
                (name, inert(value) or "none")
                for name, value in (
                    ("base", pack.base),
                    *((("which is the head of", pack.on),) if pack.on else ()),
                    ("head", pack.head),
                    ("tree of the result", pack.tree),
                    ("policy", pack.policy_digest),
                    *((("policy, people, settings read at", pack.authority),) if pack.authority else ()),
                    ("brief", f"{pack.brief} {pack.brief_version} {pack.brief_digest}".strip()),
                    ("mission, run, agent", " ".join(filter(None, (pack.mission, pack.run, pack.agent)))),
                )
            ),
        ),
    ]
    return "\n".join(lines) + "\n"


def _section(heading: str, lines: Iterable[str]) -> str:
    body = list(lines)
    return f"## {heading}\n\n" + "\n".join(body) + "\n" if body else ""


def _bullets(texts: Iterable[str]) -> list[str]:
    return [f"- {inert(text)}" for text in texts]


def _numbered(texts: Iterable[str]) -> list[str]:
    return [f"{number}. {inert(text)}" for number, text in enumerate(texts, 1)]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    body = ["| " + " | ".join(row) + " |" for row in rows]
    return ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *body] if body else []


def _criteria(pack: MergePack) -> list[str]:
    rows = (
        (each.name, f"**{each.state}**", _cell(each.summary), _cell(", ".join(each.evidence))) for each in pack.criteria
    )
    return _table(("criterion", "state", "summary", "evidence"), rows)


def _requirements(pack: MergePack) -> list[str]:
    rows = (
        (_cell(each.id), each.state, _cell(each.reason), _cell(" until ".join(filter(None, (each.by, each.expiry)))))
        for each in pack.requirements
    )
    return _table(("requirement", "state", "reason", "overridden by"), rows)


def _evidence(pack: MergePack) -> list[str]:
    rows = (
        (
            _cell(each.id),
            _cell(each.kind),
            each.reached,
            each.state if each.state == PASSED else f"**{each.state}**",
            _cell(each.summary),
            _cell(" ".join(each.command)),
            _cell(each.sandbox),
            _cell(each.digest.removeprefix("sha256:")[:12]),
        )
        for each in pack.evidence
    )
    return _table(("id", "kind", "grade", "state", "summary", "command", "sandbox", "digest"), rows)


def _findings(pack: MergePack) -> list[str]:
    rows = (
        (
            each.severity + (" **blocking**" if each.blocking else ""),
            _cell(each.kind),
            _cell(f"{each.path}:{each.line}" if each.line else each.path),
            _cell(each.text),
        )
        for each in pack.findings
    )
    return _table(("severity", "kind", "where", "what"), rows)


def _rationale(pack: MergePack) -> Iterator[str]:
    for text in (pack.rationale.approach, pack.rationale.notes):
        if text.strip():
            yield from (f"> {inert(line)}" for line in visible(text).strip().split("\n"))
            yield ""
    yield from _bullets(pack.rationale.trade_offs)


def _test_plan(pack: MergePack) -> list[str]:
    none = {"unknown": "no test could be matched by name"}
    rows = (
        (_cell(each.item), _cell(each.test) or none.get(each.state, "**missing**"), each.state)
        for each in pack.test_plan
    )
    return _table(("item", "test", "state"), rows)


def _reading(pack: MergePack) -> list[str]:
    return _numbered(
        f"{each.path}:{each.line} - {each.why}" if each.line else f"{each.path} - {each.why}"
        for each in pack.reading_list
    )


def _split(pack: MergePack) -> list[str]:
    return _numbered(f"{each.title}: {part_words(each)}" for each in pack.split)


def part_words(part: SplitPart) -> str:
    """How large a part of a proposed split is, what it stands on, and its first files."""
    on = f", on {', '.join(map(str, part.on))}" if part.on else ""
    left = len(part.files) - PART_FILES
    named = ", ".join(part.files[:PART_FILES]) + (f" and {left} more" if left > 0 else "")
    many = "file" if len(part.files) == 1 else "files"
    return f"{len(part.files)} {many}, {part.lines} lines{on} - {named}"


def _changes(pack: MergePack) -> list[str]:
    rows = (
        (_cell(each.status), _cell(each.path), f"{each.added:+d}", f"{-each.removed:d}", _cell(each.kind))
        for each in pack.changes
    )
    meant = [f"{each.path}: {line}" for each in pack.changes for line in each.structure]
    return [*_table(("", "path", "added", "removed", "kind"), rows), *_apart(_bullets([*meant, *pack.surface]))]


def _apart(lines: list[str]) -> list[str]:
    return ["", *lines] if lines else []


def _comments(pack: MergePack) -> list[str]:
    return _bullets(
        f"{each.who or 'somebody'}, {each.path}:{each.line}: {each.text}" if each.path else f"{each.who}: {each.text}"
        for each in pack.comments
    )


def _audit(pack: MergePack) -> list[str]:
    audit = pack.audit
    facts = (
        ("loop", audit.loop),
        ("rulebook", audit.rulebook_digest),
        ("resolutions", ", ".join(audit.resolutions)),
        ("messages", "; ".join(f"{said.id} from {said.who}: {said.text}" for said in audit.messages)),
        ("driver", f"{audit.driver} {audit.driver_version}".strip()),
        ("model", audit.model),
        ("tools", ", ".join(f"{name} {version}" for name, version in sorted(audit.tools.items()))),
        ("environment", audit.environment_digest),
        ("sandbox", audit.sandbox),
        ("not limited by the sandbox", ", ".join(audit.sandbox_limits)),
        ("trajectory", audit.trajectory),
        ("cost", f"{audit.cost_usd:.2f} USD, {audit.tokens} tokens" if audit.cost_usd or audit.tokens else ""),
        ("artifacts", ", ".join(audit.artifacts)),
    )
    return _table(("what", ""), ((name, _cell(value)) for name, value in facts if value))


def _cell(text: str) -> str:
    return inert(text, CELL_WIDTH)

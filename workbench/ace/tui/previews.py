"""What stands beside the selected row of the inbox: a question, a pack or an alert, from folded states."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from workbench.ace.tui.marks import Glyphset
from workbench.ace.tui.prose import Block, blank, bullet, facts, heading, paragraph
from workbench.ace.tui.text import piece
from workbench.ace.tui.words import count, since
from workbench.core.attention import Concern
from workbench.core.state import ConsultationState, PackState


def question_blocks(question: ConsultationState, concern: Concern | None, *, now: str) -> Iterator[Block]:
    """A question: what is asked, its options with the recommended one marked, and what waiting costs."""
    document = question.document
    yield facts(piece(question.id, "strong"), piece(f", {question.run}, {since(question.raised_at, now)}", "dim"))
    yield paragraph(str(document.get("summary") or question.title), "strong")
    if asked := document.get("requested_decision"):
        yield paragraph(str(asked))
    if details := document.get("details"):
        yield blank()
        yield paragraph(str(details))
    yield blank()
    preferred = _field(document.get("recommendation"), "preferred_option")
    for number, option in enumerate(mappings(document.get("options")), start=1):
        yield from option_blocks(number, option, recommended=str(option.get("id")) == preferred)
    if reasoning := _field(document.get("recommendation"), "reasoning"):
        yield paragraph(f"The agent recommends {preferred}: {reasoning}", "claimed")
    if concern is not None:
        yield blank()
        yield paragraph(waiting_words(concern), "dim")


def option_blocks(number: int, option: Mapping[str, Any], *, recommended: bool) -> Iterator[Block]:
    """One option with its key, its costs and what speaks for and against it."""
    star = piece("*" if recommended else " ", "accent")
    cost = ", ".join(str(option[name]) for name in ("estimated_effort", "risk") if option.get(name))
    yield facts(
        star,
        piece(f"{number} ", "accent"),
        piece(str(option.get("id", "")), "strong"),
        " ",
        piece(str(option.get("label", ""))),
        piece(f"  {cost}", "dim"),
    )
    for sign, name in (("+", "pros"), ("-", "cons")):
        for text in texts(option.get(name)):
            yield bullet(text, sign=sign, indent=4)


def waiting_words(concern: Concern) -> str:
    """What waiting costs."""
    if concern.held_runs:
        return (
            f"Waiting costs: {count(concern.held_runs, 'run')} {'stands' if concern.held_runs == 1 else 'stand'} still."
        )
    return "Work goes on while it waits." if concern.kind == "crp" else "No run stands still for it."


def pack_blocks(pack: PackState, concern: Concern, glyphs: Glyphset, *, now: str) -> Iterator[Block]:
    """A pack: verdict and what it rests on."""
    yield facts(
        glyphs.state(pack.verdict or pack.state),
        " ",
        piece(pack.id, "strong"),
        piece(f", {since(pack.submitted_at, now)}", "dim"),
    )
    yield paragraph(pack.title, "strong")
    if pack.headline:
        yield paragraph(pack.headline)
    if concern.facts and concern.facts != pack.headline:
        yield paragraph(concern.facts)
    yield blank()
    yield facts(piece("base ", "dim"), piece(pack.base_commit[:12]), piece("  head ", "dim"), piece(pack.head[:12]))
    yield facts(piece("into ", "dim"), piece(pack.into.removeprefix("refs/heads/") or "no branch"))
    yield blank()
    yield paragraph("Enter opens the review: evidence, what was not checked, and the change.", "dim")


def alert_blocks(concern: Concern) -> Iterator[Block]:
    """An alert: what happened, and what can be done."""
    yield facts(piece(concern.id, "strong"), piece(f", {concern.category}", "dim"))
    yield paragraph(concern.title)
    yield blank()
    if concern.next:
        yield heading("WHAT TO DO")
        yield paragraph(concern.next)


def mappings(items: Any) -> list[Mapping[str, Any]]:
    """The mappings in a list that an agent wrote."""
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, Sequence) else []


def texts(items: Any) -> Iterable[str]:
    """The texts in a list that an agent wrote."""
    return [str(item) for item in items if item] if isinstance(items, Sequence) and not isinstance(items, str) else []


def _field(item: Any, name: str) -> str:
    return str(item.get(name) or "") if isinstance(item, Mapping) else ""

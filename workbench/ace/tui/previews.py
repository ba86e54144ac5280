"""What stands beside the selected row of the inbox: a question, a pack or an alert, from folded states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from workbench.ace.tui.concernlist import Entry
from workbench.ace.tui.consulting import resolution_blocks
from workbench.ace.tui.documents import mappings, text_of, texts
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
    preferred = text_of(document.get("recommendation"), "preferred_option")
    if question.category == "permission" and document.get("source_agent") != "workbench":
        yield paragraph(
            "An agent asks this. Whatever is answered, it permits nothing: only Workbench can.", "needs-you"
        )
    for number, option in enumerate(mappings(document.get("options")), start=1):
        yield from option_blocks(number, option, recommended=str(option.get("id")) == preferred)
    if reasoning := text_of(document.get("recommendation"), "reasoning"):
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


def entry_blocks(
    entry: Entry, question: ConsultationState | None, pack: PackState | None, glyphs: Glyphset, *, now: str
) -> Iterator[Block]:
    """What stands beside a row."""
    row = entry.first
    if entry.aside:
        key = "m hears it again" if entry.aside == "muted" else "z brings it back now"
        yield paragraph(f"Set aside {entry.aside}: {key}." if entry.aside != "muted" else f"Muted: {key}.", "stale")
        yield blank()
    if len(entry.concerns) > 1:
        yield paragraph(f"{len(entry.concerns)} identical requests; one answer goes to each of them:", "needs-you")
        yield from (bullet(f"{one.id}, {one.run}") for one in entry.concerns)
        yield blank()
    if row.kind == "crp" and question is not None:
        yield from question_blocks(question, row, now=now)
    elif row.kind == "mrp" and pack is not None:
        yield from pack_blocks(pack, row, glyphs, now=now)
    else:
        yield from alert_blocks(row)


def settled_blocks(row: Concern, question: ConsultationState | None, glyphs: Glyphset, *, now: str) -> Iterator[Block]:
    """A row that only stays until the list is drawn anew."""
    yield facts(piece("~ ", "stale"), piece(row.id, "strong"), piece(" is settled", "stale"))
    yield paragraph(row.title)
    if question is not None and question.state == "resolved":
        yield from resolution_blocks(question, now=now, glyphs=glyphs)
    yield blank()
    yield paragraph(". draws the list anew", "dim")


def nothing_blocks(*, missions: int, aside: int) -> Iterator[Block]:
    """When the list is empty."""
    yield paragraph("Nothing needs you." if not aside else "Nothing else needs you now.", "strong")
    yield blank()
    if aside:
        yield paragraph(f"{count(aside, 'thing')} that you set aside: Z shows them.", "stale")
    if missions:
        yield paragraph("g m shows all missions, + starts another one.", "dim")
    else:
        yield paragraph("No mission was started here yet: + starts one from a sentence or a brief.", "dim")


def reason_blocks(asked: Sequence[ConsultationState], names: Sequence[str], option: str) -> Iterator[Block]:
    """What is about to be answered how."""
    for question in asked:
        label = next((str(one.get("label", "")) for one in mappings(question.document.get("options"))
                      if one.get("id") == option), "")  # fmt: skip
        yield paragraph(str(question.document.get("summary") or question.title))
        yield facts(piece(f"{option} ", "accent"), piece(label, "strong"))
    if len(names) > 1:
        yield paragraph(f"for {count(len(names), 'request')}, each with a resolution of its own:", "needs-you")
        yield from (bullet(name) for name in names)


def option_ids(question: ConsultationState) -> list[str]:
    """The ids of the options, in the order in which keys choose them."""
    return [str(one.get("id", "")) for one in mappings(question.document.get("options"))]

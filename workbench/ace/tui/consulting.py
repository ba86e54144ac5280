"""A consultation as blocks: the question, its options as cards, the code that it is about, and what is at stake."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from workbench.ace.tui.assumed import Overtaken, Rows, assumed_blocks
from workbench.ace.tui.bridge import Moment
from workbench.ace.tui.documents import mappings, texts
from workbench.ace.tui.marks import Glyphset
from workbench.ace.tui.prose import Block, blank, bullet, facts, heading, paragraph
from workbench.ace.tui.text import EMPTY, Line, Piece, blanks, cut, line, padded, piece, safe_line, width_of, wrapped
from workbench.ace.tui.words import count, money, since
from workbench.ace.wiring.attending import Desk, desk_of
from workbench.ace.wiring.considering import Case, Earlier, Excerpt, Stake, case_of
from workbench.core.state import ConsultationState

SENTENCE, SCREEN, EVERYTHING = 1, 2, 3  # the levels of zoom
LEVELS = {SENTENCE: "one sentence", SCREEN: "one screen", EVERYTHING: "everything"}
LEAST_CARD = 26  # cells; cards that would be narrower are stacked
CARD_GAP = 2
DETAIL_LINES = 8  # of the details on one screen
CLOSE = 2  # lines of code around what is cited, on one screen
STAKES_SHOWN = 6  # clauses that the question does not name, on one screen
SCOPES = {"this": "this question", "mission": "this mission", "repository": "the whole repository"}


class Asked(msgspec.Struct, frozen=True):
    """A question with all that belongs beside it. `now` does not make a difference: ages grow at the next repaint."""

    question: ConsultationState | None
    case: Case
    held: tuple[str, ...]  # runs that stand still for it
    spent_usd: float  # of these, so far
    desk: Desk
    now: str
    overtaken: Rows = ()  # what was done since, where it was answered otherwise than the agent assumed

    def __eq__(self, other: object) -> bool:
        """Whether a person would see a difference."""
        return isinstance(other, Asked) and self._shown == other._shown

    @property
    def _shown(self) -> tuple[object, ...]:
        return self.question, self.case, self.held, self.spent_usd, self.overtaken

    __hash__ = None  # type: ignore[assignment]  # a value to compare, never a key


class QuestionView:
    """The view of one question. What is read from git is read again only when a question changed."""

    def __init__(self, question: str) -> None:
        self._name = question
        self._case = Case()
        self._desk: Desk | None = None
        self._overtaken = Overtaken()

    def __call__(self, moment: Moment) -> Asked:
        """What to show at this moment."""
        question = moment.mirror.consultations.get(self._name)
        if self._desk is None:
            self._desk = desk_of(moment.place)
        if question is not None and any(name == "*" or name.startswith("consultation/") for name in moment.changed):
            questions = tuple(moment.mirror.consultations.values())
            self._case = case_of(moment.place, moment.ledger, question, questions)
        held = [run for run in moment.mirror.runs.values() if self._name in run.waiting_for]
        spent = sum(run.cost_usd for run in held)
        run = moment.mirror.runs.get(question.run) if question is not None else None
        overtaken = self._overtaken(moment.place, [question], run) if question is not None else ()
        return Asked(question, self._case, tuple(run.id for run in held), spent, self._desk, moment.now, overtaken)


class Looks(msgspec.Struct, frozen=True):
    """How a person looks at it: zoom, which option is chosen, and whether an answer came while they looked."""

    level: int = SCREEN
    chosen: str = ""
    is_news: bool = False


# --- the case -----------------------------------------------------------------------------------------------------


def case_blocks(asked: Asked, looks: Looks, glyphs: Glyphset) -> Iterator[Block]:
    """The question and everything that it brings."""
    question = asked.question
    if question is None:
        yield paragraph("There is no such question in this repository.", "strong")
        yield paragraph("Esc leads back.", "dim")
        return
    document = question.document
    yield from _head(question, asked.now, glyphs)
    if question.state == "resolved" and not looks.is_news:
        yield from resolution_blocks(question, now=asked.now, glyphs=glyphs)
        yield from assumed_blocks(asked.overtaken)
    yield from _what(question, looks.level)
    yield blank()
    yield cards(question, looks, glyphs)
    if reasoning := _field(document.get("recommendation"), "reasoning"):
        yield blank()
        yield paragraph(f"The agent recommends {preferred(question)}{_confidence(document)}: {reasoning}", "claimed")
    if looks.level > SENTENCE:
        yield from code_blocks(asked.case, looks.level, glyphs)
    if looks.level == EVERYTHING:
        yield from _rest(document)
    if question.state == "resolved" and looks.is_news:  # at the end, so that nothing moves under who reads
        yield from resolution_blocks(question, now=asked.now, glyphs=glyphs)
        yield from assumed_blocks(asked.overtaken)


def _head(question: ConsultationState, now: str, glyphs: Glyphset) -> Iterator[Block]:
    document = question.document
    who = "Workbench itself" if is_own(question) else f"{document.get('source_agent') or 'an agent'}, {question.run}"
    words = f"  {question.category}, {question.mode}, asked by {who}, {since(question.raised_at, now)} ago"
    yield facts(glyphs.sign(question.state), " ", piece(question.id, "strong"), piece(words, "dim"))
    if question.category == "permission" and not is_own(question):
        yield paragraph(
            "An agent asks this. Whatever is answered, it permits nothing: only Workbench can.", "needs-you"
        )


def _what(question: ConsultationState, level: int) -> Iterator[Block]:
    document = question.document
    yield blank()
    yield paragraph(str(document.get("summary") or question.title), "strong")
    if wanted := document.get("requested_decision"):
        yield paragraph(f"To decide: {wanted}")
    if assumed := document.get("assumption"):
        yield paragraph(f"Meanwhile the agent goes on with: {assumed}", "claimed")
    if (details := document.get("details")) and level > SENTENCE:
        yield blank()
        whole = paragraph(str(details))
        yield whole if level == EVERYTHING else first_lines(whole, DETAIL_LINES)


def resolution_blocks(question: ConsultationState, *, now: str, glyphs: Glyphset) -> Iterator[Block]:
    """How a question was answered."""
    answer = question.answer
    said = str(answer.get("alternative") or _option_words(question, str(answer.get("option", ""))))
    yield blank()
    yield facts(
        glyphs.sign("resolved"),
        piece(" Answered by ", "proven"),
        piece(question.decided_by, "strong"),
        piece(f", {since(question.decided_at, now)} ago: ", "dim"),
    )
    yield paragraph(said, "strong", indent=2)
    yield paragraph(f"because {answer.get('rationale', '')}", indent=2)
    for condition in texts(answer.get("conditions")):
        yield bullet(f"on condition: {condition}", indent=2)
    scope = SCOPES.get(str(answer.get("applies_to", "this")), "")
    yield facts(piece(f"  {question.resolution}, holds for {scope}", "dim"))


def _rest(document: Mapping[str, Any]) -> Iterator[Block]:
    if attempts := texts(document.get("attempts")):
        yield blank()
        yield heading("WHAT WAS TRIED")
        yield from (bullet(text) for text in attempts)
    rows = [(name, str(document[name])) for name in ("deadline", "brief", "head") if document.get(name)]
    rows += [
        ("cites", ", ".join(texts(document.get("refs")))),
        ("for", ", ".join(texts(document.get("escalation_targets")))),
    ]
    if any(value for _, value in rows):
        yield blank()
        yield heading("MORE")
        yield from (bullet(f"{name}: {value}") for name, value in rows if value)


# --- options ------------------------------------------------------------------------------------------------------


def options(question: ConsultationState) -> list[Mapping[str, Any]]:
    """The options, in the order in which keys choose them."""
    return mappings(question.document.get("options"))


def preferred(question: ConsultationState) -> str:
    """The option that the agent recommends."""
    return _field(question.document.get("recommendation"), "preferred_option")


def is_own(question: ConsultationState) -> bool:
    """Whether Workbench itself asks; no agent can say so of its own question."""
    trigger = question.document.get("trigger")
    return question.document.get("source_agent") == "workbench" and _field(trigger, "kind") not in ("", "agent")


def _option_words(question: ConsultationState, name: str) -> str:
    label = next((str(one.get("label", "")) for one in options(question) if one.get("id") == name), "")
    return f"{name}  {label}"


def cards(question: ConsultationState, looks: Looks, glyphs: Glyphset) -> Block:
    """Options side by side, or one below the other where there is no room."""
    listed = options(question)
    best = preferred(question)

    def card(number: int, option: Mapping[str, Any], cells: int) -> list[Line]:
        name = str(option.get("id", ""))
        chosen = name == (question.answer.get("option") or looks.chosen)
        edge = piece(glyphs.pick("▌", "|") if chosen else " ", "accent")
        rows = _card(number, option, cells - 1, is_best=name == best, is_short=looks.level == SENTENCE)
        return [line(edge, *row) for row in rows]

    def lay(cells: int) -> Iterable[Line]:
        columns = len(listed) if listed and cells // len(listed) >= LEAST_CARD + CARD_GAP else 1
        width = (cells - CARD_GAP * (columns - 1)) // columns
        made = [card(number, option, width) for number, option in enumerate(listed, start=1)]
        if not made:
            yield line(piece("It names no options: o answers in words of your own.", "dim"))
        elif columns > 1:
            yield from _beside(made, width)
        else:
            for number, rows in enumerate(made):
                if number and looks.level > SENTENCE:
                    yield EMPTY
                yield from rows

    return Block(lay)


def _card(number: int, option: Mapping[str, Any], cells: int, *, is_best: bool, is_short: bool) -> Iterator[Line]:
    key = piece(f"{number} ", "accent") if number < 10 else piece("  ")
    label = f"{option.get('id', '')}  {option.get('label', '')}"
    star = piece("* " if is_best and is_short else "", "claimed")
    lead = key.text + star.text
    for at, words in enumerate(wrapped(piece(label, "strong"), cells - len(lead))):
        yield cut((key, star, *words) if not at else (blanks(len(lead)), *words), cells)
    if is_short:
        return
    if is_best:
        yield cut(line("  ", piece("* recommended by the agent", "claimed")), cells)
    for name, title in (("estimated_effort", "effort"), ("risk", "risk"), ("blast_radius", "touches")):
        if value := option.get(name):
            yield cut(line("  ", piece(f"{title} ", "dim"), piece(str(value))), cells)
    for sign, name in (("+", "pros"), ("-", "cons")):
        for text in texts(option.get(name)):
            yield from bullet(text, sign=sign).lay(cells)


def _beside(made: Sequence[Sequence[Line]], width: int) -> Iterator[Line]:
    for row in range(max(map(len, made))):
        parts: list[Piece] = []
        for number, rows in enumerate(made):
            words = rows[row] if row < len(rows) else EMPTY
            parts += [*([blanks(CARD_GAP)] if number else []), *words, blanks(width - width_of(words))]
        yield tuple(parts)


# --- code ---------------------------------------------------------------------------------------------------------


def code_blocks(case: Case, level: int, glyphs: Glyphset) -> Iterator[Block]:
    """The lines that the question cites, marked, with some around them."""
    for excerpt in case.excerpts:
        yield blank()
        yield facts(
            piece(_cited(excerpt), "strong"),
            piece(f"  {excerpt.where}", "dim"),
            piece(f"  {excerpt.doubt}", "needs-you"),
        )
        yield Block(_code(excerpt, level, glyphs))
    if case.unread:
        yield paragraph(f"and {count(case.unread, 'more citation')}, not read here", "needs-you")


def _cited(excerpt: Excerpt) -> str:
    lines = f":{excerpt.start}" + (f"-{excerpt.end}" if excerpt.end > excerpt.start else "") if excerpt.start else ""
    return f"{excerpt.path}{lines}" if excerpt.path else excerpt.ref


def _code(excerpt: Excerpt, level: int, glyphs: Glyphset) -> Callable[[int], Iterable[Line]]:
    around = 1_000_000 if level == EVERYTHING else CLOSE
    low, high = excerpt.start - around, excerpt.end + around
    digits = len(str(excerpt.first + len(excerpt.lines)))

    def lay(cells: int) -> Iterable[Line]:
        for number, text in enumerate(excerpt.lines, start=excerpt.first):
            if low <= number <= high:
                cited = excerpt.start <= number <= excerpt.end
                edge = piece(glyphs.pick("▎", "|") if cited else " ", "needs-you")
                lead = padded(piece(str(number), "dim"), digits, right=True)
                yield cut((edge, lead, blanks(2), Piece(safe_line(text), "plain" if cited else "dim")), cells)

    return lay


# --- beside -------------------------------------------------------------------------------------------------------


def aside_blocks(asked: Asked, looks: Looks, glyphs: Glyphset) -> Iterator[Block]:
    """Clauses at stake, earlier resolutions with their state, what waits and what that costs."""
    if asked.question is None:
        return
    yield from _waiting(asked, asked.question)
    yield blank()
    yield from _stakes(asked.case, looks.level)
    yield blank()
    yield heading("DECIDED BEFORE")
    for one in asked.case.earlier:
        yield from _earlier(one, now=asked.now, glyphs=glyphs)
    if not asked.case.earlier:
        yield paragraph("Nothing that reaches this question and speaks of the same.", "dim")


def _waiting(asked: Asked, question: ConsultationState) -> Iterator[Block]:
    yield heading("WAITING COSTS")
    if question.state != "open":
        yield paragraph(
            f"Nothing waits: it is {'answered' if question.state == 'resolved' else question.state}.", "dim"
        )
        return
    if asked.held:
        stand = "stands" if len(asked.held) == 1 else "stand"
        spent = f", {money(asked.spent_usd)} spent so far" if asked.spent_usd else ""
        yield paragraph(f"{count(len(asked.held), 'run')} {stand} still: {', '.join(asked.held)}{spent}", "needs-you")
    else:
        yield paragraph("No run stands still for it.", "dim")
    if said := question.document.get("cost_of_waiting"):
        yield paragraph(f"The agent says: {said}", "claimed")
    deadline = question.document.get("deadline")
    yield paragraph(f"deadline {deadline}" if deadline else "no deadline", "dim")


def _stakes(case: Case, level: int) -> Iterator[Block]:
    yield heading("CLAUSES AT STAKE")
    cited = [stake for stake in case.stakes if stake.cited]
    others = [stake for stake in case.stakes if not stake.cited]
    shown = others if level == EVERYTHING else others[: 0 if cited else STAKES_SHOWN]
    for stake in (*cited, *shown):
        yield from _stake(stake)
    if not case.stakes:
        yield paragraph("The brief has none.", "dim")
    if len(shown) < len(others):
        yield paragraph(f"and {len(others) - len(shown)} more of {case.brief} (Z)", "dim")


def _stake(stake: Stake) -> Iterator[Block]:
    yield bullet(
        stake.text,
        "plain" if stake.cited else "dim",
        sign=stake.id,
        sign_role="accent" if stake.cited else "dim",
        indent=0,
    )
    if stake.command:
        yield bullet(stake.command, "dim", sign="$", indent=2)


def _earlier(one: Earlier, *, now: str, glyphs: Glyphset) -> Iterator[Block]:
    state = "passed" if one.standing == "standing" else "stale"
    yield facts(
        glyphs.sign(state), " ", piece(one.standing, glyphs.sign(state).role), "  ", piece(one.id, "strong"),
        piece(f"  {since(one.at, now)} ago", "dim"),
    )  # fmt: skip
    yield paragraph(one.question, "dim", indent=2)
    yield paragraph(f"{one.answer}: {one.rationale}", indent=2)
    yield paragraph(f"{one.who}, for {SCOPES.get(one.applies_to, one.applies_to)}", "dim", indent=2)
    for cite in one.changed:
        yield bullet(f"changed since: {cite.partition('@')[0]}", "stale", indent=2)


# --- pieces -------------------------------------------------------------------------------------------------------


def first_lines(block: Block, most: int) -> Block:
    """A block cut after so many lines, which then says so."""

    def lay(cells: int) -> Iterable[Line]:
        laid = list(block.lay(cells))
        if len(laid) <= most + 1:
            return laid
        return [*laid[:most], line(piece(f"… {len(laid) - most} more lines: Z shows them", "dim"))]

    return Block(lay)


def _confidence(document: Mapping[str, Any]) -> str:
    recommendation = document.get("recommendation")
    value = recommendation.get("confidence") if isinstance(recommendation, Mapping) else None
    return f" ({value:.0%} sure)" if isinstance(value, int | float) else ""


def _field(item: Any, name: str) -> str:
    return str(item.get(name) or "") if isinstance(item, Mapping) else ""

"""The inbox as rows: what needs a person, identical requests as one, what the person set aside. It paints nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from workbench.ace.tui.bridge import Moment
from workbench.ace.tui.concerning import concerns_of
from workbench.ace.tui.sheet import Sheet
from workbench.ace.tui.text import Safe, safe
from workbench.ace.wiring.attending import Attention, Desk, desk_of
from workbench.ace.wiring.concerning import PACK_STATES
from workbench.core.attention import Concern
from workbench.core.state import ConsultationState, PackState
from workbench.model.digests import digest_of
from workbench.model.instants import epoch_seconds, instant

MORNING = 8  # o'clock, when what was put off until tomorrow comes back
_ASIDE = 9
_GROUPS = {
    0: "BLOCKING NOW", 1: "TO DECIDE", 2: "ADVISORY (work goes on)", 3: "TO KNOW", _ASIDE: "SNOOZED AND MUTED",
}  # fmt: skip
# Of a question, what tells only who asks and when.
_OWN_FIELDS = ("id", "mission", "run", "at", "head", "brief", "brief_version", "trigger", "source_agent")
_OWN_TRIGGERS = ("", "agent")


class Entry(msgspec.Struct, frozen=True):
    """A row: one concern, or several identical requests, oldest first. `aside`: why it is not in sight usually."""

    concerns: tuple[Concern, ...]
    aside: str = ""

    @property
    def first(self) -> Concern:
        """The one that has waited longest."""
        return self.concerns[0]

    @property
    def held_runs(self) -> int:
        """Runs that stand still for it."""
        return sum(concern.held_runs for concern in self.concerns)

    @property
    def ids(self) -> tuple[str, ...]:
        """What it is about."""
        return tuple(concern.id for concern in self.concerns)

    @property
    def is_permission(self) -> bool:
        """Whether something is to be allowed or denied."""
        return self.first.kind == "crp" and self.first.category == "permission"


class InboxData(msgspec.Struct, frozen=True):
    """The rows in their order, and what they are about."""

    sheet: Any
    entries: tuple[Entry, ...]
    questions: Mapping[str, ConsultationState]
    packs: Mapping[str, PackState]
    missions: int
    snoozed: int
    muted: int
    desk: Desk
    now: str

    def __eq__(self, other: object) -> bool:
        """Whether a person would see a difference: ages grow at each repaint by themselves."""
        return isinstance(other, InboxData) and _seen(self) == _seen(other)

    __hash__ = None  # type: ignore[assignment]  # a value to compare, never a key


class InboxView:
    """The view. `shows_aside`: with what was snoozed or muted, too."""

    def __init__(self) -> None:
        self.shows_aside = False
        self._desk: Desk | None = None
        self._looks: dict[str, str] = {}  # of open questions, which never change

    def __call__(self, moment: Moment) -> InboxData:
        """The inbox of this moment."""
        mirror = moment.mirror
        packs = [pack for pack in mirror.packs.values() if pack.state in PACK_STATES]
        questions = {question.id: question for question in mirror.open_questions()}
        found = concerns_of(moment)
        if self._desk is None:
            self._desk = desk_of(moment.place)
        attention = self._desk.attention()
        reasons = {key_of(concern): _aside(concern, attention, moment.now) for concern in found}
        awake = self._batched([one for one in found if not reasons[key_of(one)]], questions)
        away = [Entry((one,), reason) for one in found if (reason := reasons[key_of(one)])]
        entries = (*awake, *(away if self.shows_aside else ()))
        return InboxData(
            sheet=sheet_of(entries),
            entries=entries,
            questions=questions,
            packs={pack.id: pack for pack in packs},
            missions=len(mirror.missions),
            snoozed=sum(entry.aside != MUTED for entry in away),
            muted=sum(entry.aside == MUTED for entry in away),
            desk=self._desk,
            now=moment.now,
        )

    def _batched(self, found: Sequence[Concern], questions: Mapping[str, ConsultationState]) -> list[Entry]:
        """Identical requests as one, where the first of them stands."""
        batches: dict[str, list[Concern]] = {}
        for concern in found:
            question = questions.get(concern.id) if concern.kind == "crp" else None
            batches.setdefault(self._likeness(question) if question else key_of(concern), []).append(concern)
        self._looks = {name: looks for name, looks in self._looks.items() if name in questions}
        return [Entry(tuple(sorted(batch, key=lambda one: (one.since, one.id)))) for batch in batches.values()]

    def _likeness(self, question: ConsultationState) -> str:
        if question.id not in self._looks:
            self._looks[question.id] = likeness(question)
        return self._looks[question.id]


MUTED = "muted"


def likeness(question: ConsultationState) -> str:
    """Equal for questions that ask the very same: for permission anywhere, for all else in one mission.

    A question of an agent is never like one of Workbench's own.
    """
    document = question.document
    asked = {name: value for name, value in document.items() if name not in _OWN_FIELDS}
    trigger = document.get("trigger")
    kind = trigger.get("kind", "") if isinstance(trigger, Mapping) else ""
    own = None if kind in _OWN_TRIGGERS else [document.get("source_agent"), trigger]
    where = "" if question.category == "permission" else question.mission
    return digest_of([question.mode, question.category, where, list(question.options), asked, own])


def looks_of(concern: Concern) -> str:
    """How it looks to a person; what was set aside until something changes comes back when this does."""
    return digest_of([concern.category, concern.title, concern.facts, concern.group, concern.held_runs, concern.since])


def key_of(concern: Concern) -> str:
    """Its key, among all kinds."""
    return f"{concern.kind}/{concern.id}"


def sheet_of(entries: Sequence[Entry]) -> Sheet[Entry]:
    """The rows, grouped."""
    return Sheet(entries, key=entry_key, group=entry_group)


def entry_key(entry: Entry) -> str:
    """The key of a row: that of the oldest request in it."""
    return key_of(entry.first)


def entry_group(entry: Entry) -> Safe:
    """The head above it."""
    return safe(_GROUPS[_ASIDE if entry.aside else entry.first.group])


def entry_words(entry: Entry) -> str:
    """What the filter looks at."""
    row = entry.first
    return f"{kind_word(row)} {' '.join(entry.ids)} {row.title} {row.facts} {row.mission} {row.run}"


def kind_word(row: Concern) -> str:
    """`CRP`, `MRP`, `PRM` for a request for permission, `!` for an alert."""
    return "PRM" if row.category == "permission" else {"crp": "CRP", "mrp": "MRP"}.get(row.kind, "!")


def mutable(concern: Concern) -> str:
    """What muting it would name; empty for what cannot be muted."""
    return f"run/{concern.run}" if concern.kind == "alert" and concern.run else ""


def in_an_hour(now: str) -> str:
    """The instant one hour later."""
    return instant(epoch_seconds(now) + 3_600)


def tomorrow(now: str) -> str:
    """Tomorrow morning, where this person is."""
    here = datetime.fromtimestamp(epoch_seconds(now)).astimezone() + timedelta(days=1)
    return instant(here.replace(hour=MORNING, minute=0, second=0, microsecond=0).timestamp())


def clock_words(at: str, now: str) -> str:
    """An instant to come, by this person's clock: `14:05`, or `Tue 08:00` on another day."""
    then, today = (datetime.fromtimestamp(epoch_seconds(one)).astimezone() for one in (at, now))
    return f"{then:%H:%M}" if then.date() == today.date() else f"{then:%a %H:%M}"


def _aside(concern: Concern, attention: Attention, now: str) -> str:
    """Why a person does not want to see it now; empty when they do."""
    if mutable(concern) and _mutes(attention.muted, concern):
        return MUTED
    snooze = attention.snoozed.get(key_of(concern))
    if snooze is None or not snooze.holds(looks_of(concern), now):
        return ""
    return f"until {clock_words(snooze.until, now)}" if snooze.until else "until something changes"


def _mutes(muted: Collection[str], concern: Concern) -> bool:
    return f"run/{concern.run}" in muted or f"mission/{concern.mission}" in muted


def _seen(data: InboxData) -> Iterable[Any]:
    return (data.entries, data.questions, data.packs, data.missions, data.snoozed, data.muted)

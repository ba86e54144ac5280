"""Where lines that somebody spoke of stand in a later text: at the same words, or nowhere. Pure; it knows no diff.

An anchor keeps the lines themselves and as many lines around them as tell them from every other place of the text they
came from. They are found again where they stand with what tells them apart on one side at least. Where that is so in
no place, or in several that nothing tells apart, they are lost: a remark in a wrong place is worse than one without.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

MAX_AROUND = 60  # lines kept on each side at most
MAX_QUOTED = 400  # lines an anchor keeps of what it is on; of a longer range the first ones stand for all
TELLING = 24  # characters, blanks not counted, from which on lines may stand by themselves: shorter ones are everywhere


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of one text. `before` and `after` are nearest first; empty where the text begins or ends there."""

    first: int  # line number where they stood, from 1
    quoted: tuple[str, ...]  # at least one line
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    beyond: int = 0  # further lines of the range that were not kept
    tells_before: int = 0  # how many of `before` are needed to tell the place apart; 0: none are
    tells_after: int = 0
    others: int = 0  # places of that text where the same lines stood, too

    @property
    def last(self) -> int:
        """The last line's number where they stood."""
        return self.first + len(self.quoted) + self.beyond - 1


def anchor(lines: Sequence[str], first: int, last: int) -> Anchor:
    """The anchor of lines `first` to `last`, numbered from 1. Raises ValueError where the text has no such lines."""
    if not 1 <= first <= last <= len(lines):
        raise ValueError(f"lines {first} to {last} of a text of {len(lines)}")
    quoted = tuple(lines[first - 1 : min(last, first - 1 + MAX_QUOTED)])
    end = first - 1 + len(quoted)
    before = tuple(reversed(lines[max(0, first - 1 - MAX_AROUND) : first - 1]))
    after = tuple(lines[end : end + MAX_AROUND])
    others = [start for start in _places(lines, quoted) if start != first - 1]
    backward = [_agreement(before, tuple(reversed(lines[max(0, at - MAX_AROUND) : at]))) for at in others]
    forward = [_agreement(after, lines[at + len(quoted) : at + len(quoted) + MAX_AROUND]) for at in others]
    return Anchor(
        first=first,
        quoted=quoted,
        before=before,
        after=after,
        beyond=last - first + 1 - len(quoted),
        tells_before=_telling(before, backward),
        tells_after=_telling(after, forward),
        others=len(others),
    )


def located(anchor: Anchor, lines: Sequence[str]) -> tuple[int, int] | None:
    """The first and last line, from 1, at which an anchor's lines stand now; None where that cannot be said."""
    places = _places(lines, anchor.quoted)
    found = [start for start in places if _is_told(anchor, lines, start)]
    if len(found) > 1 or len(places) != anchor.others + 1:  # copied or taken away: one side may be the copy's
        found = [start for start in places if _sides(anchor, lines, start) == (True, True)]
    if len(found) != 1:
        return None
    first = found[0] + 1
    last = first + len(anchor.quoted) + anchor.beyond - 1
    return (first, last) if last <= len(lines) else None


def _places(lines: Sequence[str], quoted: tuple[str, ...]) -> list[int]:
    size, head = len(quoted), quoted[0]
    starts = (at for at in range(len(lines) - size + 1) if lines[at] == head)
    return [at for at in starts if size == 1 or tuple(lines[at : at + size]) == quoted]


def _agreement(near: Sequence[str], other: Sequence[str]) -> int:
    """How many lines, from the nearest on, are the same on one side of two places."""
    count = 0
    for one, two in zip(near, other, strict=False):
        if one != two:
            break
        count += 1
    return count


def _telling(near: tuple[str, ...], agreements: Sequence[int]) -> int:
    """How many lines of one side tell the place from all others, a telling word at least; one more than there are
    where the end of the text, too, is needed."""
    needed = max(agreements, default=-1) + 1
    return next((at + 1 for at, words in enumerate(near) if at + 1 >= needed and _weight(words)), len(near) + 1)


def _is_told(anchor: Anchor, lines: Sequence[str], start: int) -> bool:
    if not anchor.others and sum(_weight(words) for words in anchor.quoted) >= TELLING:
        return True
    return any(_sides(anchor, lines, start))


def _sides(anchor: Anchor, lines: Sequence[str], start: int) -> tuple[bool, bool]:
    """Whether what tells the place apart stands before it, and after it."""
    end = start + len(anchor.quoted)
    before = tuple(reversed(lines[max(0, start - MAX_AROUND) : start]))
    after = tuple(lines[end : end + MAX_AROUND])
    return _stands(anchor.before, before, anchor.tells_before), _stands(anchor.after, after, anchor.tells_after)


def _stands(kept: tuple[str, ...], here: tuple[str, ...], needed: int) -> bool:
    if needed > len(kept):  # it needs the end of the text, too, if the text ended there
        return len(kept) < MAX_AROUND and here == kept
    return here[:needed] == kept[:needed]


def _weight(words: str) -> int:
    return len("".join(words.split()))

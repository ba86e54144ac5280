"""The impact of a change as a small picture: an SVG without scripts, links or anything from elsewhere.

Changed modules stand at the left, those that they reach or need at the right. No meaning is in a colour alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import pairwise
from typing import NamedTuple

from workbench.code.impact_model import Impact
from workbench.code.imports import module_of
from workbench.code.languages import language_of
from workbench.model.text import clip, one_line

MOST = 14  # modules in a column; more are counted
WIDTH, BOX, ROW, TOP = 760, 250, 30, 34
LEFT, RIGHT = 60, WIDTH - BOX - 60
NAME_CELLS = 32
_STYLES = {
    "calls": "stroke:#7a8599;stroke-width:1",
    "needs": "stroke:#2e8b57;stroke-width:1.6",
    "gone": "stroke:#b35c00;stroke-width:1.2;stroke-dasharray:5 4",
    "broken": "stroke:#c22f3d;stroke-width:2.6;stroke-dasharray:2 2",
}
_LEGEND = {
    "calls": "calls it",
    "needs": "new need",
    "gone": "need that went",
    "broken": "breaks a rule or closes a ring",
}


class Line(NamedTuple):
    """One module to another."""

    start: str
    end: str
    kind: str


def picture(found: Impact) -> str:
    """The picture; empty where there is nothing to draw."""
    changed = [each.name for each in found.modules if not each.is_test]
    lines = list(dict.fromkeys(_lines(found)))
    others = [name for name in dict.fromkeys(end for line in lines for end in line[:2]) if name not in changed]
    if not changed:
        return ""
    places = {name: (LEFT, at) for at, name in enumerate(changed[:MOST])}
    places |= {name: (RIGHT, at) for at, name in enumerate(others[:MOST])}
    rows = max(min(len(changed), MOST), min(len(others), MOST)) + (max(len(changed), len(others)) > MOST)
    height = TOP + rows * ROW + 30
    drawn = [line for line in lines if line.start in places and line.end in places]
    return "\n".join(
        [
            f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
            ' role="img" font-family="sans-serif" font-size="12">',
            "<title>What the change reaches</title>",
            '<defs><marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9"'
            ' markerUnits="userSpaceOnUse" orient="auto">'
            '<path d="M0 0L8 4L0 8z" fill="#7a8599"/></marker></defs>',
            f'<text x="{LEFT}" y="18" font-weight="bold">changed</text>',
            f'<text x="{RIGHT}" y="18" font-weight="bold">reached, or needed</text>',
            *(_path(places[line.start], places[line.end], line) for line in drawn),
            *(_box(name, place, is_changed=name in changed) for name, place in places.items()),
            *_more(LEFT, len(changed) - MOST),
            *_more(RIGHT, len(others) - MOST),
            *_legend({line.kind for line in drawn}, height),
            "</svg>",
        ]
    )


def _lines(found: Impact) -> Iterator[Line]:
    bad = {pair for ring in found.cycles for pair in pairwise(ring)}
    bad |= {pair for each in found.broken for pair in pairwise(each.chain)}
    new = {(each.module, each.needs) for each in found.added}
    for each in found.added:
        pair = (each.module, each.needs)
        if each.is_inside or pair in bad:
            yield Line(*pair, "broken" if pair in bad else "needs")
    yield from (Line(*pair, "broken") for pair in sorted(bad - new))
    yield from (Line(each.module, each.needs, "gone") for each in found.removed if each.is_inside)
    for entity in found.affected:
        homes = [_module(entity.path), *(_module(caller.path) for caller in entity.callers)]
        for caller in entity.callers:
            if caller.is_sure and not caller.is_test and (pair := (_module(caller.path), homes[caller.by + 1])):
                yield from [Line(*pair, "calls")] if pair[0] != pair[1] else []


def _module(path: str) -> str:
    language = language_of(path)
    return module_of(path, language) if language else path


def _path(start: tuple[int, int], end: tuple[int, int], line: Line) -> str:
    (x1, row1), (x2, row2) = start, end
    y1, y2 = _middle(row1), _middle(row2)
    if x1 == x2:  # round the outside of a column
        side, bend = (x1, -46) if x1 == LEFT else (x1 + BOX, 46)
        way = f"M{side} {y1}C{side + bend} {y1} {side + bend} {y2} {side} {y2}"
    else:
        from_x, to_x = (x1 + BOX, x2) if x1 < x2 else (x1, x2 + BOX)
        half = (from_x + to_x) // 2
        way = f"M{from_x} {y1}C{half} {y1} {half} {y2} {to_x} {y2}"
    return f'<path d="{way}" style="fill:none;{_STYLES[line.kind]}" marker-end="url(#end)"/>'


def _middle(row: int) -> int:
    return TOP + row * ROW + 10


def _box(name: str, place: tuple[int, int], *, is_changed: bool) -> str:
    x, y = place[0], TOP + place[1] * ROW - 2
    weight = "2" if is_changed else "1"
    shown = escape(clip(one_line(name), NAME_CELLS))
    return (
        f'<rect x="{x}" y="{y}" width="{BOX}" height="24" rx="4" fill="#f4f6fa" stroke="#5b6475"'
        f' stroke-width="{weight}"/><text x="{x + 8}" y="{y + 16}" fill="#1d2430">{shown}</text>'
    )


def _more(x: int, count: int) -> list[str]:
    return [f'<text x="{x}" y="{TOP + MOST * ROW + 14}">and {count} more</text>'] if count > 0 else []


def _legend(kinds: set[str], height: int) -> Iterator[str]:
    x, y = LEFT, height - 8
    for kind, words in _LEGEND.items():
        if kind in kinds:
            yield f'<path d="M{x} {y - 4}h28" style="fill:none;{_STYLES[kind]}"/>'
            yield f'<text x="{x + 34}" y="{y}">{words}</text>'
            x += 60 + 7 * len(words)

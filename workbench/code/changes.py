"""What became of each entity, told from the hunks that fell into it. It folds and matches nothing itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence, Set

from workbench.code.entities import Found
from workbench.code.model import Aspect, EntityChange, Hunk
from workbench.code.pairing import Known, Match, Matches, entity_of
from workbench.code.renames import signature_differs
from workbench.code.sides import Pair, Side
from workbench.code.touching import Touch, has_same_body, is_untouched, touches

_ASPECTS: dict[str, Aspect] = {
    "comment": "comment",
    "docstring": "docstring",
    "reformatted": "format",
    "renamed": "names",
}
_ORDER: tuple[Aspect, ...] = ("signature", "body", "docstring", "comment", "names", "format")


def entity_changes(
    files: Sequence[Pair], matches: Matches, moved: Set[Known], hunks: Sequence[Sequence[Hunk]]
) -> dict[int, tuple[EntityChange, ...]]:
    """By the number of the file, in the order of its lines; what left a file is told where it is now."""
    touched = touches(files, matches, hunks)
    found: dict[int, list[EntityChange]] = defaultdict(list)
    for match in matches.pairs:
        change = _of_match(files, match, touched.get(match.old, ()), has_moved=match.old in moved)
        if change is not None:
            found[match.new[0]].append(change)
    for number, index in matches.made:
        found[number].append(_alone(files[number].path, files[number].new.entities[index], is_new=True))
    for number, index in matches.gone:
        found[number].append(_alone(files[number].old_path, files[number].old.entities[index], is_new=False))
    return {
        number: tuple(sorted(each, key=lambda change: (change.line, change.name))) for number, each in found.items()
    }


def _of_match(
    files: Sequence[Pair], match: Match, touching: Sequence[Touch], *, has_moved: bool
) -> EntityChange | None:
    old, new = entity_of(files, match.old, is_new=False), entity_of(files, match.new, is_new=True)
    aspects = tuple(_aspects((files[match.old[0]].old, old), (files[match.new[0]].new, new), touching))
    leaves = match.old[0] != match.new[0] or old.container != new.container
    moved = has_moved or leaves
    if not aspects and not moved and old.last_name == new.last_name:
        return None
    if old.kind == "import" and not moved:
        return None
    return EntityChange(
        change="renamed" if old.last_name != new.last_name and not leaves else "moved" if moved else "modified",
        kind=new.kind,
        name=new.name,
        path=files[match.new[0]].path,
        line=new.row + 1,
        old_name=old.name if old.name != new.name else "",
        old_path=files[match.old[0]].old_path if match.old[0] != match.new[0] else "",
        old_line=old.row + 1,
        aspects=aspects,
        signature=new.signature,
        old_signature=old.signature if old.signature != new.signature else "",
        is_public=old.is_public or new.is_public,
    )


_Sided = tuple[Side, Found]


def _aspects(before: _Sided, after: _Sided, touching: Sequence[Touch]) -> Iterator[Aspect]:
    (_, old), (_, new) = before, after
    differs = signature_differs(old, new)
    if touching and not differs and is_untouched(*before, *after):
        return iter(())
    found = {_ASPECTS[touch.kind] for touch in touching if touch.kind in _ASPECTS}
    if differs:
        found.add("signature")
    others = [touch for touch in touching if touch.kind not in _ASPECTS and not (differs and _in_head(touch, old, new))]
    if any(not touch.is_closing for touch in others) or (others and not has_same_body(*before, *after)):
        found.add("body")
    return (aspect for aspect in _ORDER if aspect in found)


def _in_head(touch: Touch, old: Found, new: Found) -> bool:
    first, end = old.heads
    if not all(first <= row < end for row in touch.old):
        return False
    first, end = new.heads
    return all(first <= row < end for row in touch.new)


def _alone(path: str, each: Found, *, is_new: bool) -> EntityChange:
    return EntityChange(
        change="added" if is_new else "removed",
        kind=each.kind,
        name=each.name,
        path=path,
        line=each.row + 1,
        signature=each.signature,
        is_public=each.is_public,
    )

"""Which branches would get into each other's way, and in which order they had better be merged. Pure.

It compares what branches touch of one common base; what git says of a pair, and where the branches come from, is
asked elsewhere (`workbench.repository.forecast`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import combinations

import msgspec

from workbench.core.stack import parents_first
from workbench.core.state import MissionState, PackState, RunState
from workbench.model.events import Clash, Event, ForecastMade, Spot

FORECAST_STREAM = "repository/forecast"
TARGET = ""  # in a clash, in place of the second branch: its target
TARGET_WORD = "target"
MOST_SPOTS = 12  # places of one clash that are kept; the paths are all there
MOST_CLASHES = 400  # of one forecast; what is left out is counted


class Patch(msgspec.Struct, frozen=True):
    """What a branch does to one path. `spans` are closed ranges between lines of the base, as git's merge takes them.

    A change of lines 3 to 5 is (2, 5), an insertion after line 3 is (3, 3): two that touch cannot both be applied.
    """

    spans: tuple[tuple[int, int], ...] = ()
    blob: str = ""  # what the path holds afterwards
    old: str = ""  # what it held before
    made: tuple[tuple[int, int], ...] = ()  # rows of what it holds afterwards that are new: half-open, from 0
    words: frozenset[bytes] = frozenset()  # names that these say
    whole: bool = False  # binary, a mode, a link: there are no lines to tell apart
    new: bool = False
    gone: bool = False


Touched = Mapping[str, Patch]


class Branch(msgspec.Struct, frozen=True, kw_only=True):
    """An undelivered head. Branches of one `group` are alternatives: only one of them is ever merged."""

    name: str
    head: str
    target: str  # the full ref, or a commit where there is none
    group: str = ""
    rank: int = 0  # how near it is to being merged; smaller is nearer
    on: str = ""  # the branch on whose head it stands, which comes before it


class Meeting(msgspec.Struct, frozen=True):
    """Two branches that git must be asked about, with the places where they touch."""

    first: str
    second: str
    spots: tuple[Spot, ...]


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What would conflict, and the order that is suggested. `left_out` counts clashes beyond the most that are kept."""

    clashes: tuple[Clash, ...] = ()
    order: tuple[str, ...] = ()
    heads: dict[str, str] = {}
    targets: dict[str, str] = {}
    unknown: tuple[str, ...] = ()  # branches of which nothing could be said
    left_out: int = 0

    def of(self, names: Collection[str]) -> tuple[Clash, ...]:
        """The clashes that these branches take part in."""
        return tuple(clash for clash in self.clashes if clash.first in names or clash.second in names)

    def against(self, names: Collection[str]) -> tuple[str, ...]:
        """Who stands against these branches: names of others, and `target`."""
        found = [(clash.first if clash.second in names else clash.second) or TARGET_WORD for clash in self.of(names)]
        return tuple(dict.fromkeys(found))

    def without(self, gone: Collection[str]) -> Forecast:
        """The same without branches that are over."""
        kept = tuple(clash for clash in self.clashes if clash.first not in gone and clash.second not in gone)
        order = tuple(name for name in self.order if name not in gone)
        return msgspec.structs.replace(self, clashes=kept, order=order)


NOTHING = Forecast()


# --- what is looked at ------------------------------------------------------------------------------------------------


def live_branches(
    runs: Iterable[RunState], missions: Mapping[str, MissionState], packs: Mapping[str, PackState]
) -> list[Branch]:
    """Heads that may still be merged: of missions that go on, and of branches that were handed in and approved."""
    return [branch for run in runs if (branch := _branch(run, missions, packs)) is not None]


def _branch(run: RunState, missions: Mapping[str, MissionState], packs: Mapping[str, PackState]) -> Branch | None:
    pack = packs.get(run.pack)
    state = "" if pack is None else pack.state
    mission = missions.get(run.mission)
    wanted = state == "approved" if mission is None or run.outcome else run.outcome == ""
    if not wanted:
        return None
    head = pack.head if pack is not None and state in ("submitted", "approved") and run.to_decide else run.head
    head = head or (pack.head if pack is not None else "")
    target = run.into or run.base_ref or (mission.into or mission.base_ref if mission else "") or run.base_commit
    if not head or not target:
        return None
    rank = ("approved", "submitted").index(state) if state in ("approved", "submitted") else 2
    return Branch(name=run.id, head=head, target=target, group=run.mission or run.id, rank=rank, on=run.on)


def kin_of(branches: Iterable[Branch]) -> dict[str, frozenset[str]]:
    """Of each branch those that are no clash: its alternatives, and what it stands on, with what they share."""
    known = {branch.name: branch for branch in branches}
    groups: dict[str, set[str]] = defaultdict(set)
    for branch in known.values():
        groups[branch.group].add(branch.name)
    kin = {branch.name: set(groups[branch.group]) for branch in known.values()}
    for branch in known.values():
        seen, below = {branch.name}, known.get(branch.on)
        while below is not None and below.name not in seen:
            seen.add(below.name)
            kin[branch.name].add(below.name)
            kin[below.name].add(branch.name)
            below = known.get(below.on)
    return {name: frozenset(others) for name, others in kin.items()}


# --- what meets -------------------------------------------------------------------------------------------------------


def meetings(
    touched: Mapping[str, Touched], kin: Mapping[str, Collection[str]], moved: Collection[str]
) -> list[Meeting]:
    """The pairs, each with a branch in `moved`, that touch in lines, in whole files or in their directories.

    Any other pair merges: what lies between two changes keeps them apart in git's merge, too.
    """
    found = []
    for first, second in _pairs(touched, moved):
        if second in kin.get(first, ()):
            continue
        spots = tuple(_touching(touched[first], touched[second]))
        if spots:
            found.append(Meeting(first, second, spots))
    return found


def _pairs(touched: Mapping[str, Touched], moved: Collection[str]) -> list[tuple[str, str]]:
    """Pairs that share a path, or one of which makes or removes a file where the other does."""
    by_place: dict[str, set[str]] = defaultdict(set)
    for name, patches in touched.items():
        for path, patch in patches.items():
            by_place[path].add(name)
            if patch.new or patch.gone:
                for parent in _parents(path):
                    by_place[f"{parent}/"].add(name)
                    by_place[parent].add(name)
    names = list(touched)
    place = {name: number for number, name in enumerate(names)}
    pairs = {
        (one, other) if place[one] < place[other] else (other, one)
        for present in by_place.values()
        if len(present) > 1
        for one, other in combinations(present, 2)
        if one in moved or other in moved
    }
    return sorted(pairs, key=lambda pair: (place[pair[0]], place[pair[1]]))


def _touching(ours: Touched, theirs: Touched) -> Iterator[Spot]:
    for path in ours.keys() & theirs.keys():
        yield from _overlaps(path, ours[path], theirs[path])
    yield from _clashing_names(ours, theirs)
    yield from _clashing_names(theirs, ours)
    yield from _carried_along(ours, theirs)
    yield from _carried_along(theirs, ours)


def _overlaps(path: str, mine: Patch, other: Patch) -> Iterator[Spot]:
    if mine.blob == other.blob and not (mine.whole or other.whole or mine.gone):
        return  # both did the same; two that remove a file may have given it different names
    if mine.whole or other.whole or mine.new or mine.gone or other.new or other.gone:
        yield Spot(path=path)
        return
    here = 0
    for first, last in mine.spans:
        while here < len(other.spans) and other.spans[here][1] < first:
            here += 1
        for start, end in other.spans[here:]:
            if start > last:
                break
            yield Spot(path=path, first=min(first, start) + 1, last=max(last, end))


def _clashing_names(ours: Touched, theirs: Touched) -> Iterator[Spot]:
    """A file of one where the other has a directory."""
    files = {path for path, patch in ours.items() if patch.new}
    for path, patch in theirs.items():
        if patch.new and any(parent in files for parent in _parents(path)):
            yield Spot(path=path)


def _carried_along(ours: Touched, theirs: Touched) -> Iterator[Spot]:
    """A file that is new in a directory which the other empties, and so perhaps renames."""
    if not any(patch.new for patch in ours.values()):
        return
    left = {parent for path, patch in ours.items() if patch.gone for parent in _parents(path)}
    for path, patch in theirs.items():
        if patch.new and any(parent in left for parent in _parents(path)):
            yield Spot(path=path)


def _parents(path: str) -> Iterator[str]:
    at = path.rfind("/")
    while at > 0:
        yield path[:at]
        at = path.rfind("/", 0, at)


class Collision(msgspec.Struct, frozen=True, order=True):
    """What two branches do to each other beyond their lines, in words, and where."""

    first: str
    second: str
    words: str
    path: str
    leads: str = ""  # the one of them that had better go first


def together(clashes: Iterable[Clash], collisions: Iterable[Collision]) -> Iterator[Clash]:
    """Both as clashes, one for each pair; where git cannot merge a pair either, that is what it is."""
    by_pair: dict[tuple[str, str], list[Collision]] = defaultdict(list)
    for each in collisions:
        by_pair[each.first, each.second].append(each)
    for clash in clashes:
        found = by_pair.pop((clash.first, clash.second), [])
        yield msgspec.structs.replace(clash, symbols=_words(found)) if found else clash
    for (first, second), found in by_pair.items():
        leads = {each.leads for each in found if each.leads}
        yield Clash(
            first=first,
            second=second,
            kind="symbol",
            paths=tuple(dict.fromkeys(each.path for each in found)),
            symbols=_words(found),
            leads=leads.pop() if len(leads) == 1 else "",
        )


def _words(found: Sequence[Collision]) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(each.words for each in sorted(found)))
    return words if len(words) <= MOST_SPOTS else (*words[:MOST_SPOTS], f"and {len(words) - MOST_SPOTS} more")


# --- what is made of it -----------------------------------------------------------------------------------------------


def clash_of(meeting: Meeting, paths: Iterable[str]) -> Clash:
    """A pair that git says conflicts in `paths`."""
    told = tuple(dict.fromkeys(paths))
    spots = tuple(spot for spot in meeting.spots if spot.path in told)[:MOST_SPOTS]
    return Clash(first=meeting.first, second=meeting.second, paths=told, spots=spots)


def forecast(
    branches: Sequence[Branch],
    clashes: Iterable[Clash],
    *,
    targets: Mapping[str, str],
    unknown: Iterable[str] = (),
) -> Forecast:
    """The clashes of these branches in their order, and which had better go first."""
    place = {branch.name: number for number, branch in enumerate(branches)}
    ordered = sorted(clashes, key=lambda clash: (place[clash.first], place.get(clash.second, -1)))
    return Forecast(
        clashes=tuple(ordered[:MOST_CLASHES]),
        order=parents_first(merge_order(branches, ordered), {branch.name: branch.on for branch in branches}),
        heads={branch.name: branch.head for branch in branches},
        targets={branch.name: targets[branch.name] for branch in branches if branch.name in targets},
        unknown=tuple(unknown),
        left_out=max(0, len(ordered) - MOST_CLASHES),
    )


def merge_order(branches: Sequence[Branch], clashes: Iterable[Clash]) -> tuple[str, ...]:
    """First what is nearest to a merge and stands in the fewest ways; what changes a thing before who uses it anew.

    Last what will not merge as it is: it conflicts with its target, or with one that was put before it.
    """
    against: dict[str, set[str]] = defaultdict(set)
    behind: dict[str, set[str]] = defaultdict(set)
    for clash in clashes:
        pair = (clash.first, clash.second)
        if clash.kind == "symbol":
            behind[pair[0]] |= {clash.leads} - {"", pair[0]}
            behind[pair[1]] |= {clash.leads} - {"", pair[1]}
            continue
        against[clash.first].add(clash.second)
        if clash.second != TARGET:
            against[clash.second].add(clash.first)
    rest = [(branch.rank, number, branch.name) for number, branch in enumerate(branches)]
    met = against.keys() | behind.keys()
    free = sorted((each for each in rest if each[2] not in met), reverse=True)
    contested = {name: (rank, number) for rank, number, name in rest if name in met}
    before = {TARGET}
    order: list[str] = []
    while contested:
        rated = {
            name: (
                not before.isdisjoint(against[name]),
                rank,
                len(behind[name] & contested.keys()),
                len(against[name] & contested.keys()),
                number,
            )
            for name, (rank, number) in contested.items()
        }
        name = min(rated, key=rated.__getitem__)
        while free and (False, free[-1][0], 0, 0, free[-1][1]) < rated[name]:
            order.append(free.pop()[2])
        del contested[name]
        before.add(name)
        order.append(name)
    return (*order, *(name for _, _, name in reversed(free)))


def made_of(forecast: Forecast) -> ForecastMade:
    """A forecast as the journal keeps it."""
    return ForecastMade(
        heads=forecast.heads,
        targets=forecast.targets,
        clashes=forecast.clashes,
        order=forecast.order,
        unknown=forecast.unknown,
        left_out=forecast.left_out,
    )


def newest(events: Sequence[Event]) -> Forecast:
    """The forecast as the newest of these events of `FORECAST_STREAM` has it."""
    made = next((event.payload for event in reversed(events) if isinstance(event.payload, ForecastMade)), None)
    if made is None:
        return NOTHING
    return Forecast(
        clashes=made.clashes,
        order=made.order,
        heads=made.heads,
        targets=made.targets,
        unknown=made.unknown,
        left_out=made.left_out,
    )


def in_words(forecast: Forecast, names: Collection[str]) -> str:
    """The clashes of these branches on one line: `conflicts 2: a.py, b.py; collides with 1: c.py`."""
    mine = forecast.of(names)
    said = []
    for words, found in (
        ("conflicts", [clash for clash in mine if clash.kind != "symbol"]),
        ("collides with", [clash for clash in mine if clash.kind == "symbol"]),
    ):
        counted = Counter(path for clash in found for path in clash.paths)
        if found:
            said.append(f"{words} {len(found)}: {', '.join(path for path, _ in counted.most_common())}")
    return "; ".join(said)


def in_short(clash: Clash, name: str) -> str:
    """What a clash is to one of its two, in a few words: with whom, and about what."""
    other = (clash.first if clash.second == name else clash.second) or "its target"
    if clash.kind != "symbol":
        return f"conflicts with {other} in {', '.join(clash.paths)}"
    first = f" ({clash.leads} first)" if clash.leads else ""
    return f"collides with {other}{first}: {'; '.join(clash.symbols)}"

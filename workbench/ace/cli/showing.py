"""How single things look: a question, a resolution, a pack, a run, a mission, as an object and as lines for people."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from workbench.ace.cli.table import age, glyph, money
from workbench.core.assumptions import why_first
from workbench.core.state import ConsultationState, MissionState, PackState, RunState, state_data
from workbench.core.status import is_gate
from workbench.core.views.messages import message_rows
from workbench.core.views.missions import mission_row, run_row
from workbench.model.errors import NotFound
from workbench.model.evidence import reached
from workbench.model.text import one_line, visible
from workbench.ports import Blobs

READ_FILES = 20  # in the order to read them, that are named
SPLIT_FILES = 3  # of a part of a proposed split, that are named
SAID_CELLS = 200  # of a message to an agent, in the lines of its run
SCHEMA = 1  # of every object here; a change of shape bumps it
Lines = Iterator[str]


# --- objects ----------------------------------------------------------------------------------------------------------


def question_object(question: ConsultationState) -> dict[str, Any]:
    """A question: the CRP's own fields, its state, and its answer if it has one."""
    return {
        **_headed("crp", question.id, question.document),
        "mission": question.mission,
        "run": question.run,
        "mode": question.mode,
        "category": question.category,
        "state": question.state,
        "raised_at": question.raised_at,
        "resolution": question.resolution,
        "decided_by": question.decided_by,
        "decided_at": question.decided_at,
        "answer": question.answer or None,
    }


def resolution_object(document: Mapping[str, Any]) -> dict[str, Any]:
    """A resolution (VCR)."""
    return _headed("vcr", str(document.get("id", "")), document)


def pack_object(pack: PackState, blobs: Blobs) -> dict[str, Any]:
    """A pack: the whole MRP once it is assembled, and how it stands."""
    standing = state_data(pack)
    whole = pack_document(pack, blobs)
    return {
        "schema": SCHEMA,
        "kind": "mrp",
        "id": pack.id,
        "verdict": pack.verdict,
        "state": pack.state,
        "criteria": [],
        "reasons": [pack.reason] if pack.reason else [],
        "evidence": [],
        "findings": [],
        "base": pack.base_commit,
        "head": pack.head,
        "tree": pack.tree,
        **{name: value for name, value in whole.items() if name not in ("id", "verdict")},
        "decisions": standing["decisions"],
        "merge": standing["merge"],
        "digest": pack.digest,
        "unsigned": pack.unsigned,
        "into": pack.into,
        "on": pack.on,
        "hint": pack.hint,
    }


def pack_document(pack: PackState, blobs: Blobs) -> dict[str, Any]:
    """The MRP as it was assembled; empty while it is not."""
    if not pack.blob:
        return {}
    document: dict[str, Any] = json.loads(blobs.get(pack.blob))
    return document


def run_object(run: RunState, *, now: str, undone: Collection[str] = ()) -> dict[str, Any]:
    """A run, whole, with the words of its row."""
    row = run_row(run, now=now, undone=undone)
    words = {"mission": run.mission, "run": run.id, "status": row.status, "stage": row.stage}
    return {**_headed("run", run.id, state_data(run)), **words}


def mission_object(
    mission: MissionState, runs: Sequence[RunState], *, now: str, undone: Collection[str] = ()
) -> dict[str, Any]:
    """A mission, whole, with its runs."""
    row = mission_row(mission, runs, now=now, undone=undone)
    return {
        **_headed("mission", mission.id, state_data(mission)),
        "mission": mission.id,
        "status": row.status,
        "stage": row.stage,
        "cost_usd": row.cost_usd,
        "tokens": row.tokens,
        "runs": [run_object(run, now=now, undone=undone) for run in runs],
    }


def _headed(kind: str, id: str, rest: Mapping[str, Any]) -> dict[str, Any]:
    """`rest` with what every object starts with; nothing in it can take the place of these."""
    return {"schema": SCHEMA, "kind": kind, "id": id} | {
        name: value for name, value in rest.items() if name not in ("schema", "kind", "id")
    }


# --- lines for people -------------------------------------------------------------------------------------------------


def question_lines(question: ConsultationState) -> Lines:
    """A question, its options side by side in words, and what to type."""
    document = question.document
    yield f"{question.id}  {question.category}  {question.mode}  {glyph(question.state)}"
    yield f"asked by run {question.run} at {question.raised_at}"
    yield ""
    yield from _block(document.get("summary") or question.title)
    yield from _block(document.get("details"))
    for option in _mappings(document.get("options")):
        yield f"  [{_word(option, 'id')}] {_word(option, 'label')}"
        yield from _listed(option.get("pros"), "+")
        yield from _listed(option.get("cons"), "-")
        facts = [f"{name.replace('_', ' ')}: {_word(option, name)}" for name in _OPTION_FACTS if option.get(name)]
        if facts:
            yield f"      {'; '.join(facts)}"
    yield from _recommended(document.get("recommendation"))
    yield from _listed(document.get("refs"), "refers to")
    if question.state == "resolved":
        yield ""
        yield from resolution_lines(question.answer)
    elif question.state == "open":
        yield ""
        choice = "|".join(one_line(option) for option in question.options)
        yield f"answer with: workbench answer {question.id} --option {choice or '...'} --why TEXT"


def overtaken_lines(rows: Iterable[Mapping[str, Any]]) -> Lines:
    """Commits under assumptions that answers do not share, those that need a look first marked."""
    for row in rows:
        if row["commits"] or row["problem"]:
            assumed = one_line(row["assumption"])
            yield f"{row['consultation']} was answered otherwise than assumed ({assumed}); since then:"
        yield from _block(row["problem"])
        for commit in row["commits"]:
            why = why_first(commit)
            mark = f"  ! {', '.join(map(one_line, why))}" if why else ""
            yield f"  {commit['commit'][:12]}  {one_line(commit['title'])}{mark}"


_OPTION_FACTS = ("estimated_effort", "risk", "blast_radius")


def resolution_lines(document: Mapping[str, Any]) -> Lines:
    """A resolution."""
    by = document.get("decided_by")
    who = _word(by, "who") if isinstance(by, Mapping) else one_line(str(by or ""))
    unverified = "" if isinstance(by, Mapping) and by.get("verified") else " (unverified)"
    target = document.get("target")
    what = _word(target, "id") if isinstance(target, Mapping) else ""
    chosen = document.get("option") or document.get("alternative") or ""
    yield f"{_word(document, 'id')}  {_word(document, 'decision')} {one_line(str(chosen))}".rstrip()
    yield f"  on {what}, by {who}{unverified} at {_word(document, 'at')}, applies to {_word(document, 'applies_to')}"
    yield f"  why: {_word(document, 'rationale')}"
    yield from _listed(document.get("selected"), "taken")
    yield from _listed(document.get("left_behind"), "left behind")
    yield from _listed(document.get("conditions"), "condition")
    yield from _listed(document.get("required_changes"), "to change")
    yield from _listed(document.get("cites"), "cites")


def run_lines(run: RunState, *, now: str, undone: Collection[str] = ()) -> Lines:
    """A run."""
    row = run_row(run, now=now, undone=undone)
    yield f"{run.id}  {glyph(row.status)}  {row.stage}"
    if is_gate(run):
        yield f"a branch that was handed in: {one_line(run.title)}"
    else:
        yield f"mission {run.mission}, agent {one_line(run.agent)} ({run.driver}), branch {run.branch}"
    yield f"base {run.base_commit}, head {run.head or '-'}"
    if run.on:
        yield f"stands on {run.on}" + (f", and {one_line(run.lost)}" if run.lost else "")
    yield f"sandbox {run.sandbox or 'not chosen yet'}; {money(run.cost_usd)}, {run.tokens} tokens, {run.calls} calls"
    yield f"queued {age(row.age_s)} ago; last act {age(row.idle_s)} ago: {one_line(run.last_act) or '-'}"
    if run.waiting_for:
        yield f"waits for: {', '.join(run.waiting_for)}"
    for message in message_rows(run, now=now):
        when = f"given {age(message.given_s)} ago" if message.given_s >= 0 else f"waits; given {message.when}"
        said = one_line(message.text, SAID_CELLS)
        yield f"{message.id} ({message.mode}) by {one_line(message.author)}, {when}: {said}"
    if run.pack:
        yield f"newest pack: {run.pack}"
    if run.reason:
        yield f"reason: {one_line(run.reason)}"


def mission_lines(
    mission: MissionState, runs: Sequence[RunState], *, now: str, undone: Collection[str] = (), base: str = ""
) -> Lines:
    """A mission with its runs. `base` says how its base stands now."""
    row = mission_row(mission, runs, now=now, undone=undone)
    yield f"{mission.id}  {glyph(row.status)}  {one_line(mission.title)}"
    yield f"brief {mission.brief.id} {mission.brief.version} {mission.brief.digest}".rstrip()
    into = mission.into.removeprefix("refs/heads/") or "no branch"
    yield f"base {one_line(base) or mission.base_commit}, into {into}"
    yield f"by {one_line(mission.owner) or '-'} at {mission.started_at}"
    if mission.uncommitted:
        yield f"not seen by agents, uncommitted at the start: {', '.join(map(one_line, mission.uncommitted))}"
    for run in runs:
        yield ""
        yield from run_lines(run, now=now, undone=undone)


def _grade(item: Mapping[str, Any]) -> str:
    grade = reached(_word(item, "grade"), _word(item, "state"))
    return f"({', '.join(word for word in (grade, _word(item, 'sandbox')) if word)})  " if grade else ""


def pack_lines(pack: PackState, blobs: Blobs, *, base: str = "") -> Lines:
    """A pack: verdict first, then what was not checked, then the rest. `base` says how its base stands now."""
    if not pack.blob:
        yield f"{pack.id}  {glyph(pack.state)}"
        yield f"base {pack.base_commit}, head {pack.head}"
        yield from _block(pack.reason)
        yield from _block(pack.hint)
        return
    document = pack_document(pack, blobs)
    yield f"{pack.id}  {glyph(pack.verdict)}  ({pack.state})  {one_line(pack.title)}".rstrip()
    if base:
        yield f"base {one_line(base)}"
    if pack.unsigned:
        yield f"not signed: {one_line(pack.unsigned, SAID_CELLS)}"
    yield from _titled("not checked", document.get("not_checked"))
    yield from _titled("reasons", document.get("reasons"))
    yield from would_be_lines(document)
    yield "criteria"
    for item in _mappings(document.get("criteria")):
        yield f"  {glyph(_word(item, 'state'))}  {_word(item, 'name')}  {_word(item, 'summary')}".rstrip()
    yield "evidence"
    for item in _mappings(document.get("evidence")):
        yield f"  {glyph(_word(item, 'state'))}  {_word(item, 'kind')}  {_grade(item)}{_word(item, 'summary')}"
    yield from _plan(document.get("test_plan"))
    yield from _titled("findings", [_finding(item) for item in _mappings(document.get("findings"))])
    yield from _titled("read in this order", list(_to_read(document.get("reading_list"))))
    yield from _titled("proposed split", list(_split(document.get("split"))))
    yield from _titled("changes", [line for item in _mappings(document.get("changes")) for line in _change(item)])
    yield from _titled("to others", document.get("surface"))
    yield f"bound to base {pack.base_commit}, head {pack.head}, tree {pack.tree}"
    for decision in pack.decisions:
        yield from resolution_lines(decision)
    if pack.merge is not None:
        yield f"merged: {pack.merge.ref} at {pack.merge.new} ({pack.merge.mode})"


def next_for_pack(pack: PackState, *, stale: bool = False) -> str:
    """What to type about a pack; of a `stale` one, whose base moved, the evidence comes first."""
    if stale and (pack.state == "approved" or (pack.state == "submitted" and pack.verdict != "not-ready")):
        return f"workbench mrp build {pack.id} (it is stale: its base moved, and it cannot be merged as it is)"
    if pack.state == "submitted":
        if pack.verdict == "not-ready":
            return f"workbench request-changes {pack.id} --why TEXT (or reject; approve takes --override)"
        return f"workbench approve {pack.id} --why TEXT (or request-changes, reject)"
    if pack.state == "approved" and pack.outside is not None:
        return f"workbench deliver {pack.id} (it waits outside, at {pack.outside.where})"
    if pack.state == "approved":
        return f"workbench merge {pack.id}"
    return f"workbench undo {pack.id}" if pack.state == "merged" else ""


def _plan(items: Any) -> Lines:
    planned = list(_mappings(items))
    if planned:
        yield "test plan, by the agent"
    for item in planned:
        test = _word(item, "test")
        yield f"  {glyph(_word(item, 'state'))}  {_word(item, 'item')}{f'  ({test})' if test else ''}"


def _to_read(items: Any) -> Lines:
    found = list(_mappings(items))
    for item in found[:READ_FILES]:
        where = f"{_word(item, 'path')}:{item.get('line')}" if item.get("line") else _word(item, "path")
        yield f"{where}: {_word(item, 'why')}"
    if len(found) > READ_FILES:
        yield f"and {len(found) - READ_FILES} more; --md names all"


def _split(items: Any) -> Lines:
    for number, item in enumerate(_mappings(items), 1):
        on = ", ".join(str(each) for each in item.get("on") or ())
        files = [one_line(str(path)) for path in item.get("files") or ()]
        named = ", ".join(files[:SPLIT_FILES]) + (" ..." if len(files) > SPLIT_FILES else "")
        many = "file" if len(files) == 1 else "files"
        size = f"{len(files)} {many}, {item.get('lines')} lines{f', on {on}' if on else ''}"
        yield f"{number}. {_word(item, 'title')}: {size}: {named}"


def _finding(item: Mapping[str, Any]) -> str:
    where = f"{_word(item, 'path')}:{item.get('line')}" if item.get("line") else _word(item, "path")
    blocking = " BLOCKING" if item.get("blocking") else ""
    return f"{_word(item, 'severity')}{blocking} {_word(item, 'kind')} {where}: {_word(item, 'text')}"


def _change(item: Mapping[str, Any]) -> Lines:
    yield f"{_word(item, 'status')} {_word(item, 'path')} +{item.get('added', 0)} -{item.get('removed', 0)}"
    structure = item.get("structure")
    yield from (f"{_word(item, 'path')}: {one_line(str(each))}" for each in structure or ())


def _recommended(recommendation: Any) -> Lines:
    if not isinstance(recommendation, Mapping):
        return
    confidence = recommendation.get("confidence")
    sure = f" (confidence {confidence}, its own word)" if confidence is not None else ""
    yield f"the agent recommends {_word(recommendation, 'preferred_option')}{sure}"
    yield from _listed([recommendation.get("reasoning")], "because")


def because_lines(document: Mapping[str, Any]) -> Lines:
    """`not ready because ...`, one line for each cause."""
    for each in _mappings(document.get("because")):
        words = {"not-ready": "not ready", "needs-human": "needs a person"}.get(_word(each, "verdict"), "held")
        yield f"  {words} because {_word(each, 'cause')}: {_word(each, 'text')}"


def would_be_lines(document: Mapping[str, Any]) -> Lines:
    """`would be ready if ...`: the fewest causes that would all have to go for each better verdict."""
    wanted = {_word(each, "cause"): _word(each, "wanted") for each in _mappings(document.get("because"))}
    for way in _mappings(document.get("would_be")):
        causes = [one_line(str(cause)) for cause in way.get("without", ())]
        told = [f"{cause} ({wanted[cause]})" if wanted.get(cause, cause) != cause else cause for cause in causes]
        yield f"would be {_word(way, 'verdict')} if: {'; '.join(told)}"


def _titled(title: str, items: Any) -> Lines:
    listed = list(_listed(items, "-"))
    if listed:
        yield title
        yield from listed


def _listed(items: Any, sign: str) -> Lines:
    for item in items if isinstance(items, Sequence) and not isinstance(items, str) else ():
        if item:
            yield f"      {sign} {one_line(str(item))}" if sign in "+-" else f"  {sign}: {one_line(str(item))}"


def _block(text: Any) -> Lines:
    if text:
        yield from visible(str(text)).splitlines()
        yield ""


def _word(item: Any, name: str) -> str:
    return one_line(str(item.get(name, "") or "")) if isinstance(item, Mapping) else ""


def _mappings(items: Any) -> Iterable[Mapping[str, Any]]:
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, Sequence) else []


def found_resolution(documents: Iterable[Mapping[str, Any]], wanted: str) -> Mapping[str, Any]:
    """The resolution of that id among `documents`."""
    for document in documents:
        if document.get("id") == wanted:
            return document
    raise NotFound(f"There is no resolution {wanted!r}.")

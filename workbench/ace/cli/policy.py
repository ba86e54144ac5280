"""`policy` and `override`: what a gate asks for, why a pack has its verdict, and one requirement let go."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from workbench.ace.cli import showing
from workbench.ace.cli.options import speaks, why
from workbench.ace.cli.output import Output
from workbench.ace.cli.table import glyph
from workbench.ace.wiring import things
from workbench.ace.wiring.workplace import Workplace
from workbench.model.errors import EXIT_DONE, EXIT_NO, NotFound, UsageError
from workbench.model.text import one_line, visible


@click.command()
@click.argument("preset", required=False, default="")
@click.option("--base", default="", metavar="REF", help="As that commit has it; default: as HEAD has it.")
@speaks
def show(place: Workplace, out: Output, preset: str, base: str) -> None:
    """The policy in force here, whole, with what it extends laid under it; or PRESET: lenient, standard or strict."""
    from workbench.ace.wiring.starting import policy_of
    from workbench.artifacts import policy
    from workbench.artifacts.policy_presets import TEXTS

    if preset and base:
        raise UsageError("A preset has no base.", hint=f"workbench policy show {preset}")
    if preset and preset not in TEXTS:
        raise NotFound(f"There is no preset {preset!r}.", hint=f"One of {', '.join(TEXTS)}.")
    if preset:
        given, text, where = policy.parse(TEXTS[preset]), TEXTS[preset], preset
    else:
        commit = place.repository.resolve(base or "HEAD")
        given = policy_of(place.repository, commit)
        text, where = policy.render(given), f"{policy.PATH} of {commit[:12]}"
        if place.repository.read_file(commit, policy.PATH) is None:
            text, where = TEXTS["standard"], f"{commit[:12]} has no {policy.PATH}; this holds instead"
    data = {"schema": 1, "kind": "policy", "digest": policy.digest(given), "from": where, "text": text}
    out.one({**msgspec.to_builtins(given), **data}, text.splitlines())
    if not preset and not out.as_json:
        out.say(where)


@click.command()
@click.argument("files", nargs=-1)
@speaks
def check(place: Workplace, out: Output, files: tuple[str, ...]) -> int:
    """Problems of FILES (default: .workbench/policy.yaml), with line, column and remedy. Exit 1 if there are errors."""
    from workbench.artifacts import policy

    wanted = [place.directory / file for file in files]
    own = place.checkout / policy.PATH
    if not files and not own.is_file():
        out.say(f"There is no {policy.PATH}: `standard` holds. See `workbench policy show`.")
        return EXIT_DONE
    problems = [problem for path in wanted or [own] for problem in policy.check(_read(path), _shown(place, path))]
    if out.as_json:
        rows = [{"schema": 1, "kind": "problem", "id": f"{p.path}:{p.line}", **p.as_dict()} for p in problems]
        out.rows(rows, (), empty="")
    else:
        out.lines(one_line(str(problem)) for problem in problems)
        out.say(f"{len(wanted or [own])} checked, {len(problems)} problem{'s' if len(problems) != 1 else ''}.")
    return EXIT_NO if any(problem.severity == "error" for problem in problems) else EXIT_DONE


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", hint="Give the path of a file.") from None


def _shown(place: Workplace, path: Path) -> str:
    return str(path.relative_to(place.checkout)) if path.is_relative_to(place.checkout) else str(path)


class FactRow(msgspec.Struct, frozen=True, kw_only=True):
    """One fact that a condition may ask for."""

    id: str
    usage: str
    meaning: str
    kind: str = "fact"
    schema: int = 1


@click.command()
@speaks
def facts(place: Workplace, out: Output) -> None:  # noqa: ARG001 - every verb has a place
    """What the conditions of a policy may ask for."""
    from workbench.artifacts.policy_facts import FACTS

    rows = [FactRow(id=name, usage=kind.usage(name), meaning=kind.doc) for name, kind in FACTS.items()]
    if out.as_json:
        out.rows(rows, (), empty="")
    else:
        out.prose(f"{row.usage}: {row.meaning}" for row in rows)


@click.command()
@click.argument("mrp")
@speaks
def explain(place: Workplace, out: Output, mrp: str) -> None:
    """Why the pack MRP has its verdict as it stands now, requirement by requirement, and what would change it.

    Approvals and overrides that people gave since it was made are counted, and overrides that are over are not.
    """
    from workbench.ace.wiring import weighing

    with place.reading() as ledger:
        pack = things.pack(ledger, mrp)
        judged = weighing.judgement(place, ledger, pack)
        policy = weighing.binding_policy(place, ledger, pack)
    data = msgspec.to_builtins(judged)
    kept = ("verdict", "requirements", "because", "would_be", "not_checked")
    asked = {each.id: each for each in policy.requirements}
    built = {"schema": 1, "kind": "explanation", "id": pack.id, "pack_verdict": pack.verdict, "policy": policy.id}
    lines = [f"{pack.id}  {glyph(judged.verdict)}  under policy {one_line(policy.id)} ({policy.rigor})"]
    if judged.verdict != pack.verdict:
        lines.append(f"  it was {pack.verdict} when it was made")
    lines += ["requirements"]
    for result in judged.requirements:
        known = asked.get(result.id)
        told = known.description if known is not None and result.state == "satisfied" else result.reason
        by = f" (by {one_line(result.by)}{f' until {result.expiry}' if result.expiry else ''})" if result.by else ""
        lines.append(f"  {glyph(result.state)}  {result.id}  {one_line(told)}{by}".rstrip())
    out.one(
        {**built, **{name: data[name] for name in kept}},
        [*lines, *showing.because_lines(data), *showing.would_be_lines(data)],
    )


@click.command()
@click.argument("mrp")
@click.argument("requirement")
@why
@click.option(
    "--expires", default="", metavar="INSTANT", help="Until when it counts, e.g. 2030-01-31; default: for good."
)
@speaks
def override(place: Workplace, out: Output, mrp: str, requirement: str, why: str, expires: str) -> None:
    """Let REQUIREMENT of the pack MRP go, for a reason that is recorded; the verdict is then `needs-human` at best.

    It holds for this pack alone, not for a later revision. Prints the resolution (VCR).
    """
    from workbench.ace.wiring import overriding

    with place.reading() as ledger:
        name = things.reviewed(ledger, mrp)
    done = overriding.override(place, name, requirement, why=why, expires=expires)
    shown = {**showing.resolution_object(done.document), "verdict": done.verdict}
    until = f"  until {done.document['expires']}" if done.document.get("expires") else ""
    out.one(shown, [*showing.resolution_lines(done.document), *filter(None, [until])])
    if not out.as_json:
        out.say(f"{done.pack.id} is {visible(done.verdict)} now. next: workbench policy explain {done.pack.id}")

"""`deliver`: an approved pack to where others merge it."""

from __future__ import annotations

import click

from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output
from workbench.ace.wiring.workplace import Workplace


@click.command()
@click.argument("mrp")
@click.option("--push", "remote", default="", metavar="REMOTE", help="Push it to this remote, as your git push would.")
@click.option("--branch", default="", metavar="NAME", help="The branch there; default: the run's own.")
@click.option("--pr", "request", is_flag=True, help="Open a pull or merge request, or renew the open one.")
@click.option("--tool", type=click.Choice(("gh", "glab")), default=None, help="By what; default: as the remote's host.")
@speaks
def deliver(place: Workplace, out: Output, mrp: str, remote: str, branch: str, request: bool, tool: str | None) -> None:
    """Push the approved pack MRP (a run's id means its newest) for others to merge, where its branch is protected.

    What is pushed is the commit that `workbench merge` would make. Your own git pushes it, with your hooks and
    credentials, and your own gh or glab opens the request. It waits outside then; repeating it changes nothing that
    stands. Without --push or --pr it tells how a delivery stands, and settles one that came back with a pull.
    """
    from workbench.ace.wiring.delivering import Order, deliver

    done = deliver(place, Order(pack=mrp, remote=remote, branch=branch, request=request, tool=tool or ""))
    head = {"schema": 1, "kind": "delivery", "id": done.pack, "ref": done.ref, "url": done.url, "state": done.state}
    rest = {"remote": done.remote, "commit": done.commit, "target": done.target, "notes": done.notes}
    branch_there = f"{done.remote}/{done.ref.removeprefix('refs/heads/')}"
    where = f"{done.url} ({branch_there})" if done.url else branch_there
    out.one({**head, **rest}, [f"{done.pack} {'is merged' if done.state == 'merged' else 'waits outside'}: {where}"])
    for note in done.notes:
        out.say(note)
    if not out.as_json:
        out.say(_next(done.pack, done.remote, merged=done.state == "merged", asked=bool(done.url)))


def _next(pack: str, remote: str, *, merged: bool, asked: bool) -> str:
    if merged:
        return f"next: workbench undo {pack} --revert makes a commit that takes it out again"
    request = "" if asked else f"workbench deliver {pack} --push {remote} --pr opens a request; "
    return f"next: {request}once it is merged there, git pull and workbench deliver {pack}"

"""What `show` prints of ids that the inbox has for the house itself: a plugin that failed, and the AEE."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from workbench.ace.cli.output import Output
from workbench.ace.wiring.workplace import Workplace
from workbench.core.attention import AEE, PLUGIN
from workbench.core.plugins import Failing


def show_alert(place: Workplace, out: Output, wanted: str) -> bool:
    """Print what `wanted` names of the house; whether it names anything."""
    if wanted == AEE:
        from workbench.ace.cli.aee import print_status

        print_status(place, out, place.presence())
        return True
    if not wanted.startswith(PLUGIN):
        return False
    return _plugin(place, out, wanted.removeprefix(PLUGIN))


def _plugin(place: Workplace, out: Output, name: str) -> bool:
    """A plugin with what it did; one that is gone meanwhile is known by that alone."""
    from workbench.ace.wiring import plugs

    failing = plugs.stands(place).failing.get(name)
    row = next((row for row in plugs.rows(place) if row.id == name), None)
    if row is None and failing is None:
        return False
    known: dict[str, Any] = {"schema": 1, "state": "gone"} if row is None else msgspec.to_builtins(row)
    thing = {**known, "id": f"{PLUGIN}{name}", "kind": "plugin", "failure": _failure(failing)}
    out.one(thing, _lines(thing))
    return True


def _failure(failing: Failing | None) -> dict[str, Any] | None:
    if failing is None:
        return None
    failed = failing.failed
    told = {"hook": failed.hook, "state": failed.state, "reason": failed.reason, "digest": failed.digest}
    return {**told, "at": failing.at, "count": failing.count}


def _lines(thing: dict[str, Any]) -> Iterator[str]:
    name = thing["id"].removeprefix(PLUGIN)
    came = f" {thing['version']} ({thing['origin']})" if "version" in thing else ""
    yield f"plugin {name}{came}: {thing['state']}"
    if thing.get("summary"):
        yield f"  {thing['summary']}"
    if thing.get("where"):
        yield f"  from {thing['where']}, {thing['digest']}"
    yield from (f"  brings {offer}" for offer in thing.get("offers", ()))
    yield from (f"  wrong: {problem}" for problem in thing.get("problems", ()))
    if (failure := thing["failure"]) is not None:
        yield f"  {failure['state']} in {failure['hook']} at {failure['at']}: {failure['reason']}"
        if failure["count"] > 1:
            yield f"  and in {failure['count'] - 1} other ways: workbench journal export has all of them"
        yield f"  what to do: workbench plugin disable {name}; or, once it is mended: workbench plugin enable {name}"

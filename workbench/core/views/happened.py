"""How what the AEE itself did about a delivery stands in a timeline, each on one line. Pure."""

from __future__ import annotations

from workbench.model import events as e

HAPPENED = (e.RunRestacked, e.FootingLost, e.FirstTestsRan)


def happened(p: e.Payload) -> str:
    """The line of one of `HAPPENED`."""
    if isinstance(p, e.FootingLost):
        return f"waits for a person: it stands on another's work, and {p.reason}"
    if isinstance(p, e.RunRestacked):
        conflict = f"conflict with {p.onto[:12]} in {', '.join(p.conflicts)}"
        return f"its commits {conflict if p.conflicts else f'were put on {p.onto[:12]}, head {p.head[:12]}'}"
    assert isinstance(p, e.FirstTestsRan)  # the last of them
    ran = f"the {p.tests} tests that {p.pack} reaches"
    return f"{ran}: red, {', '.join(p.failed)}; the others run" if p.failed else f"{ran} are green; the others run"

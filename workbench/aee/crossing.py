"""Runs one version against other versions' tests; what comes of it is kept as a pack of that evidence alone."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from workbench.aee.examination import COMMANDS_PER_COLLECTOR, MARGIN_S, Deadline, Delivery, ExaminationStopped
from workbench.aee.unexamined import unexamined
from workbench.aee.wiring import ChildGround
from workbench.artifacts.mergepack import Audit, MergePack
from workbench.evidence.conventions import plan_suite
from workbench.evidence.crossing import Crossing, Other
from workbench.evidence.examine import examine, not_checked
from workbench.model.errors import WorkbenchError
from workbench.repository.change import StoreChange


def crossed(ground: ChildGround, delivery: Delivery, change: StoreChange, stop: Callable[[], bool]) -> MergePack:
    """The evidence, in a pack that says that nothing else was looked at. Raises ExaminationStopped."""
    limit_s = COMMANDS_PER_COLLECTOR * delivery.settings.tests.timeout_s + MARGIN_S
    run, rig = delivery.run, ground.rig(delivery.run, Deadline(stop, limit_s=limit_s))
    files = ground.store.list_files(delivery.base)
    plan = plan_suite(
        files, lambda path: ground.store.read_file(delivery.base, path), configured=delivery.settings.tests
    )
    others = [_other(ground, delivery, name) for name in run.against]
    collector = Crossing(rig, plan, others, test_paths=delivery.policy.test_paths)
    found = examine(change, [collector], clock=ground.clock, limit_s=limit_s * max(1, len(others)))
    if stop():
        raise ExaminationStopped
    pack = unexamined(
        delivery,
        verdict="needs-human",
        tree=change.tree,
        at=ground.clock.now(),
        reason=f"It was only run against the tests of {', '.join(run.against)}.",
        not_checked=("Everything else: this is no delivery.", *not_checked(found.evidence)),
    )
    audit = Audit(driver=run.driver, environment_digest=rig.environment.digest, sandbox=rig.sandbox.level)
    return msgspec.structs.replace(pack, audit=audit, evidence=found.evidence, findings=found.findings)


def _other(ground: ChildGround, delivery: Delivery, name: str) -> Other:
    pack = ground.states.pack(name)
    if pack is None:
        return Other(pack=name, problem="there is no such pack")
    if pack.authority and pack.base_commit != delivery.base:
        return Other(pack=name, problem=f"it stands on another head, {pack.base_commit[:12]}")
    try:
        return Other(pack=name, change=StoreChange(ground.store, base=delivery.base, head=pack.head))
    except WorkbenchError as problem:
        return Other(pack=name, problem=problem.message)

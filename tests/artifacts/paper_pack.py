"""The pack of the paper's worked example, as a value."""

from __future__ import annotations

from workbench.artifacts.mergepack import Audit, Change, CriterionResult, MergePack, PlanItem, Rationale
from workbench.model.evidence import CRITERIA, Evidence, Finding

_UNIT = Evidence(
    id="E1",
    kind="tests.result",
    criterion="verification",
    grade="executed",
    state="passed",
    summary="24 of 24 pass, 92 % coverage",
    command=("npm", "test"),
    digest="sha256:" + "a" * 64,
)
PACK = MergePack(
    id="MRP-2025-API-012",
    verdict="needs-human",
    base="b" * 40,
    head="c" * 40,
    tree="d" * 40,
    policy_digest="sha256:" + "e" * 64,
    title="Rate limiting per API key",
    submitted_at="2025-06-12T18:45:00.000Z",
    brief="BS-2025-API-012",
    brief_version="1.2",
    criteria=tuple(CriterionResult(name=name, state="passed", evidence=("E1",)) for name in CRITERIA),
    reasons=("An approval is missing.",),
    changes=(Change(path="src/auth.ts", added=12, removed=3),),
    test_plan=(PlanItem(item="the 101st request", test="load"), PlanItem(item="failover")),
    rationale=Rationale(approach="Sliding window.", trade_offs=("100 ms of latency",)),
    not_checked=("Property tests were not run.",),
    audit=Audit(resolutions=("VCR-CRP-2025-API-012-001",), rulebook_digest="v2.1.0", trajectory="T-1"),
    evidence=(_UNIT,),
    findings=(Finding(kind="lint.F401", severity="low", text="unused import", path="src/auth.ts", line=3),),
)

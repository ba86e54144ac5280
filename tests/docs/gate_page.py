"""The page of the gate: what each verdict needs, the built-in policy, and the kinds of tampering."""

from __future__ import annotations

from tests.docs.markdown import code, page, table
from workbench.artifacts.policy import DEFAULT
from workbench.evidence.tampering.kinds import KINDS
from workbench.model.evidence import CRITERIA, GRADES

VERDICTS = """
# The gate

The gate is a pure function of evidence, findings, policy and brief. It reads policy, people and brief as they stand in
the **base** commit, so that a change cannot loosen its own gate. Evidence is made by Workbench itself, on the change
merged into the current base; an agent's words are only ever `claimed`.

## Verdicts

The first line that fits decides; every further one is among the reasons.

| verdict | when |
|---|---|
| `not-ready` | base's tests fail on the result |
| `not-ready` | checks were lost: a blocking finding of tampering |
| `not-ready` | the check of a clause of the brief fails |
| `not-ready` | a requirement with `on_missing: block` fails |
| `not-ready` | a secret beyond `findings.secrets` was added, in the result or in a commit that a merge brings in |
| `not-ready` | evidence was made without a sandbox, and the policy forbids that |
| `not-ready` | under `rigor: strict`, a requirement with `on_missing: block` was not checked |
| `not-ready` | tests run fewer of the changed lines than `coverage_of_changed_lines` asks |
| `needs-human` | something required was not checked, or is of a lower grade than required |
| `needs-human` | a requirement with `on_missing: needs-human` fails |
| `needs-human` | the check of a clause could not be run; under `rigor: strict`, any clause is unproven |
| `needs-human` | there is no brief, and the policy requires one and is not lenient |
| `needs-human` | an advisory question is open, an approval is missing, or a requirement was overridden |
| `needs-human` | answers that people gave were changed or removed; adding one is open to all |
| `needs-human` | evidence was made below the sandbox level that the policy asks for |
| `needs-human` | the change is larger than the policy's limits, touches protected files or adds dependencies |
| `needs-human` | deceiving characters, or new dependencies where they are asked about, could not be looked for |
| `needs-human` | new findings of lint or types beyond the policy's limits, or characters that deceive the eye |
| `needs-human` | a finding is critical, or is high and within no limit that the policy sets for its kind |
| `needs-human` | evidence was refused: it is not of this base, head, tree or policy |
| `ready` | nothing of the above; what is only reported, unproven or run by no test is named |

Whatever a policy leaves out, narrows to some paths, only reports or asks of a lower grade than `executed`: that base's
tests hold and that no check was lost is always required.

`skipped`, `no-tests`, `timed-out`, `error` and `not-checked` are states of their own and never a pass.
`workbench mrp build` says the verdict by exit code: 0 `ready`, 1 `not-ready`, 3 `needs-human`.
"""
GRADE_WORDS = {
    "claimed": "the agent says so",
    "observed": "seen in the agent's own run",
    "executed": "run by Workbench on the result, in a clean workspace",
    "verified": "shown also by a different method or environment",
}
TAMPERING = """
## Kinds of tampering

Blocking kinds lose checks: the change is not ready, whatever its suites say. The others are shown to whoever decides.
"""


def text() -> str:
    """The whole page."""
    required = [
        (code(each.id), code(each.evidence), each.min_grade, each.on_missing, each.description)
        for each in DEFAULT.requirements
    ]
    kinds = [(code(name), kind.severity, "yes" if kind.blocking else "", kind.text) for name, kind in KINDS.items()]
    return page(
        VERDICTS,
        "## Grades, lowest first",
        table(("grade", "meaning"), [(code(grade), GRADE_WORDS[grade]) for grade in GRADES]),
        f"A pack groups its evidence by the five criteria: {', '.join(CRITERIA)}.",
        "## The policy where a repository has none",
        table(("requirement", "evidence", "grade", "if missing", "meaning"), required),
        f"At most {DEFAULT.size.files} files and {DEFAULT.size.lines} lines in one review; evidence below the sandbox "
        f"level {code(DEFAULT.sandbox.minimum)} needs a person.",
        TAMPERING,
        table(("kind", "severity", "blocking", "meaning"), kinds),
    )

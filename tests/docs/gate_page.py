"""The page of the gate: what each verdict needs, the built-in policy, and the kinds of tampering."""

from __future__ import annotations

from tests.docs.markdown import code, page, table
from workbench.artifacts.policy import DEFAULT
from workbench.artifacts.policy_facts import FACTS
from workbench.artifacts.policy_language import MAX_ATOMS, MAX_DEPTH, MAX_LENGTH
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
| `needs-human` | `standard`: nothing executable failed on base and passes now, and behaviour was not shown unchanged |
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
CONDITIONS = """
## Conditions of a policy

`satisfied_if` stands in place of `evidence`, `applicable_if` says on which changes a requirement holds at all, and
`override_if` whose override of it counts. A condition joins facts by `and`, `or`, `not` and brackets; a fact is a yes
or no, or is compared with `==`, `!=`, `<`, `<=`, `>`, `>=` with a number or a quoted word. There is nothing else, so
every condition has an end.

Each fact is yes, no or **unknown**, e.g. where something was not checked. What comes out as unknown is an `error`,
which satisfies nothing and lets nothing off. A condition that a failing check could make easier is refused where it
stands: `not passed("tests.result")` cannot satisfy a requirement, and no evidence can make one not apply.

`extends: standard` takes a preset (`workbench policy show standard`); fields that stand in the file are laid over it,
requirements field by field by their id, and `without` names those that are left out.
"""
TAMPERING = """
## Kinds of tampering

Blocking kinds lose checks: the change is not ready, whatever its suites say. The others are shown to whoever decides.
"""


def text() -> str:
    """The whole page."""
    required = [
        (code(each.id), code(each.evidence or each.satisfied_if), each.min_grade, each.on_missing, each.description)
        for each in DEFAULT.requirements
    ]
    kinds = [(code(name), kind.severity, "yes" if kind.blocking else "", kind.text) for name, kind in KINDS.items()]
    return page(
        VERDICTS,
        "## Grades, lowest first",
        table(("grade", "meaning"), [(code(grade), GRADE_WORDS[grade]) for grade in GRADES]),
        f"A pack groups its evidence by the five criteria: {', '.join(CRITERIA)}.",
        "## The policy where a repository has none",
        table(("requirement", "evidence or condition", "grade", "if missing", "meaning"), required),
        f"At most {DEFAULT.size.files} files and {DEFAULT.size.lines} lines in one review; evidence below the sandbox "
        f"level {code(DEFAULT.sandbox.minimum)} needs a person.",
        CONDITIONS,
        table(("fact", "such as", "meaning"), [(code(n), code(k.usage(n)), k.doc) for n, k in FACTS.items()]),
        f"At most {MAX_LENGTH} characters, {MAX_ATOMS} facts and {MAX_DEPTH} levels of brackets in one condition.",
        TAMPERING,
        table(("kind", "severity", "blocking", "meaning"), kinds),
    )

"""Asking a person to trust a step that reaches out of the sandbox, and believing only a person's own answer."""

from __future__ import annotations

from workbench.aee.prepare import TRUST_STREAM, TRUST_USE
from workbench.core.decide.consultation import raise_consultation, raised_of
from workbench.core.state import ConsultationState, RunState
from workbench.model.errors import NeedsHuman, Refused
from workbench.model.events import Proposed, TrustGranted
from workbench.model.ids import consultation_id, derived_id

ALLOW, DENY = "allow", "deny"
ASKER, TRIGGER = "workbench", "permission"  # who asks, and why: no agent can say both of its own question


def call_of(digest: str) -> str:
    """The name under which the question about this content is known in its run."""
    return f"trust:{digest}"


def ask(run: RunState, problem: NeedsHuman, asked: int) -> tuple[Proposed, ...]:
    """The question whether a command may use the network, as `problem` describes it; `asked` were asked before."""
    digest, command = problem.data["digest"], " ".join(problem.data["command"])
    question = consultation_id(run.id, asked + 1)
    document = {
        "id": question,
        "mission": run.mission,
        "run": run.id,
        "source_agent": ASKER,
        "trigger": {"kind": TRIGGER, "ref": digest},
        "mode": "blocking",
        "category": "permission",
        "summary": f"May `{command}` use the network?",
        "details": f"{problem.message}. {problem.hint}. It runs in a sandbox of its own. Content: {digest}.",
        "options": [
            {"id": ALLOW, "label": "Trust this command with these lock files"},
            {"id": DENY, "label": "Do not run it"},
        ],
        "requested_decision": "Trust this content, or not. A change of the command or of a lock file asks again.",
    }
    raised = raised_of(
        document, consultation=question, mission=run.mission, run=run.id, mode="blocking", call=call_of(digest)
    )
    return raise_consultation(raised).events


def is_own(question: ConsultationState, digest: str) -> bool:
    """Whether Workbench itself asked this about the content; an agent may name its call as it likes."""
    document = question.document
    asked = question.call == call_of(digest) and document.get("source_agent") == ASKER
    return asked and document.get("trigger") == {"kind": TRIGGER, "ref": digest}


def granted(question: ConsultationState, digest: str, subject: str) -> Proposed:
    """The trust that a person's answer gives. Raises Refused for another answer, and for an agent's question."""
    if not is_own(question, digest):
        raise Refused(f"{question.id} is not Workbench's own question about `{subject}`; its answer trusts nothing.")
    if question.answer.get("option") != ALLOW:
        raise Refused(
            f"{question.decided_by} did not allow `{subject}`: {question.answer.get('rationale', '')}",
            hint="Change the prepare step in .workbench/config.toml, commit it and start the mission anew: "
            "this one keeps the settings of the base that it is pinned to.",
        )
    trust = TrustGranted(use=TRUST_USE, digest=digest, subject=subject)
    actor = f"human:{question.decided_by}"
    return Proposed(stream=TRUST_STREAM, payload=trust, actor=actor, id=derived_id(question.id, digest))

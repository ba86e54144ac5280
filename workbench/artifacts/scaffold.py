"""What `workbench init` lays into a repository: commented files that say what can be said; it writes nothing itself."""

from __future__ import annotations

import json
from collections.abc import Sequence

ROOT = ".workbench"


def files(
    *, project: str = "", test_command: str | Sequence[str] = "", owner: str = "", email: str = ""
) -> dict[str, str]:
    """Path to text of every file. A known `test_command` is written down, otherwise shown as a comment."""
    named = f" of {_comment(project)}" if project else ""
    return {
        f"{ROOT}/README.md": _README,
        f"{ROOT}/config.toml": _CONFIG.replace("@OF@", named).replace("@COMMAND@", _command(test_command)),
        f"{ROOT}/policy.yaml": _POLICY.replace("@OF@", named),
        f"{ROOT}/people.yaml": _people(owner, email),
        f"{ROOT}/loops/default.yaml": _LOOP,
        f"{ROOT}/briefs/example.md": _BRIEF,
        f"{ROOT}/mentor/example.md": _MENTOR,
        f"{ROOT}/.gitignore": "# one person's own settings\nlocal.toml\n",
    }


def _comment(text: str) -> str:
    from workbench.model.text import one_line

    return one_line(text, 60)


def _command(command: str | Sequence[str]) -> str:
    if not command:
        return '# command = "pytest -q"'
    words = command if isinstance(command, str) else list(command)
    return f"command = {json.dumps(words)}".replace("\x7f", "\\u007f")


def _people(owner: str, email: str) -> str:
    from workbench.artifacts.people import People, Person, render
    from workbench.model.ids import slug

    if not owner:
        return _PEOPLE + "people: []\n# - id: ada\n#   name: Ada\n#   email: ada@example.org\n#   roles: [maintainer]\n"
    person = Person(id=slug(owner), name=_comment(owner), email=_comment(email), roles=("maintainer",))
    return _PEOPLE + render(People(people=(person,)))


_README = """\
# How agents work here

| file | what it says |
| --- | --- |
| `config.toml` | how this project is tested, checked and prepared |
| `policy.yaml` | what a change must show before it may be merged, as it stands in the base commit |
| `people.yaml` | who decides, in which role |
| `briefs/` | missions: what is to be done, and how one sees that it is done |
| `loops/` | playbooks: stages, parallel versions, checkpoints |
| `mentor/` | norms of the team, each with a check and tests of its own |
| `resolutions/` | answers that people gave; never edited, only superseded |

`workbench brief check`, `workbench loop check` and `workbench mentor check` say what is wrong and how to mend it;
`workbench schema brief` prints a JSON Schema for your editor. `local.toml` is your own and stays out of git.
"""

_CONFIG = """\
# Settings@OF@. Later ones win: your own config.toml, this file, local.toml (not in git), WORKBENCH_* variables, flags.
# `workbench config show --origin` says what is in force and where it comes from.

[tests]
# How the suite is run, from the root of the repository. Without it: pytest, unittest, npm, go, cargo or make, as found.
@COMMAND@
# Reports that the command writes; {report} in it stands for the directory in which they are looked for.
# command = "npx c8 --reporter=lcovonly --reports-dir={report} node run-tests.js --junit={report}/junit.xml"
# junit = "junit.xml"     # JUnit XML: tests by name
# coverage = "lcov.info"  # LCOV or Cobertura: which lines were run
timeout_s = 1800

[lint]
# command = "ruff check --output-format=json"

[types]
# command = "mypy ."

[environment]
# What commands see. Without it: .venv in the checkout, else the environment in which `workbench` was called.
# virtual_env = ".venv"
# search_path = ["node_modules/.bin"]

[prepare]
# Installs dependencies once per state of the lock files, in a sandbox of its own. A person is asked before it may use
# the network.
# command = "python -m venv .venv && .venv/bin/pip install -r requirements.txt"
# lock_files = ["requirements.txt"]
# outputs = [".venv"]
# network = true

[run]
# max_runs = 0          # at once; 0: as many as there are cores
# wall_minutes = 120    # for one step of a run

[merge]
mode = "merge"          # fast-forward, merge or squash

[resolutions]
store = "branch"        # answers given while a run works go onto its branch; "refs": only into refs/workbench

# [agents.replay]
# driver = "scripted"
# script = ".workbench/agents/replay.yaml"
"""

_POLICY = """\
# What a change@OF@ must show before it may be merged. A gate reads this file from the base commit, so that no change
# can loosen its own gate.
#
# `workbench policy show` prints what is in force, `workbench policy show strict` a preset, `workbench policy check`
# what is wrong here, `workbench policy explain MRP` why a pack has its verdict.
extends: standard # lenient, standard or strict; what stands here is laid over it, requirements by their id

# without: [size] # requirements of the preset that do not hold here
# coverage_of_changed_lines: 80
# requirements:
#   - {id: lint, on_missing: needs-human} # block: not ready; needs-human: a person decides; report: only said
#   - id: security-review
#     approval: {role: security, count: 1}
#     when: ["src/auth/**"]
#   - id: careful
#     satisfied_if: passed("validation.acceptance.*") and proven("INV-*")
#     applicable_if: brief and agency >= "H4"
#     override_if: role("maintainer") # whose override counts
"""

_PEOPLE = """\
# Who decides here, and in which role. A policy's approvals and an agent's questions name roles.
"""

_LOOP = """\
# The playbook that is used when none is named: one agent works, a person decides on its pack.
id: default
version: "1"
scope: repository
rigor: standard
stages:
  - id: implement
    role: developer
    versions: 1 # how many work on it in parallel
    max_iterations: 3
    on_failure: consult
select:
  by: evidence
escalations:
  - when: the brief contradicts itself or the code
    to: [maintainer]
    mode: blocking
budget:
  wall_minutes: 120
evidence:
  verification: [tests.base-on-result, tests.result]
  hygiene: [lint.new, secrets, size]
"""

_BRIEF = """\
---
# A brief says what is to be done and how one sees that it is done. Copy it, give it an id, set its status to ready.
id: example
version: "1"
title: An example of a brief
status: draft # draft, ready, active, superseded or closed
origin: person
goal:
  objective: Say in a sentence or two what is to be reached.
  business_value: Say why it is worth it.
success_criteria:
  # Clauses have stable ids that code, evidence and questions cite. A `check` makes a clause executable.
  definition_of_done:
    - id: DOD-1
      text: The new behaviour is there and has tests.
      # check: pytest -q tests/test_new_behaviour.py
  invariants:
    - id: INV-1
      text: Nothing that worked before behaves otherwise.
      # property: # a law, tried on base and on the result with many values
      #   given: {items: lists of integers}
      #   module: shop.basket
      #   holds: len(unique(items)) == len(set(items))
context:
  relevant_files: []
  known_gotchas: []
blueprint:
  recommended_approach: Start from the smallest change that could work.
  constraints:
    - id: CON-1
      text: No new dependency.
  avoid: []
validation:
  levels: []
  # - type: unit
  #   command: pytest -q
  #   description: The whole suite.
consultation:
  - when: two clauses contradict each other
    to: [maintainer]
    mode: blocking
agency: H3 # H1 agent alone .. H5 human essential
priority: 0 # larger goes first
---

Whatever else an agent should know goes here, in plain words.
"""

_MENTOR = """\
---
# A norm of the team. It takes effect when its status is active, which needs an approver.
id: example
version: "1"
status: proposed # proposed, active or retired
severity: low
action: report # report, block, or {kind: consult, to: [maintainer]}
scope:
  globs: ["**/*.py"]
  languages: [python]
text: Do not leave breakpoints behind.
rationale: They stop the program on somebody else's machine.
origin: explicit
check:
  regex: '\\bbreakpoint\\(\\)'
tests:
  good:
    - value = compute()
  bad:
    - breakpoint()
---
"""

"""The policies that come with Workbench, as texts that people read, copy and extend; it reads none of them."""

from __future__ import annotations

from collections.abc import Mapping

_LENIENT = """\
# lenient: for trying things out. Lost checks and broken tests of base still stop a change, as under every policy; a
# person is asked about little else.
id: lenient
version: "1"
rigor: lenient
require_brief: false
allow_new_dependencies: true
requirements:
  - id: base-tests
    evidence: tests.base-on-result
    description: The base's tests hold.
  - id: tests
    evidence: tests.result
    on_missing: report
    description: The result's tests pass.
  - id: no-tampering
    evidence: tampering
    description: No check was lost.
  - id: no-secrets
    evidence: secrets
    description: No secret was added.
size:
  files: 0
  lines: 0
findings:
  lint: high
  types: high
"""

_STANDARD = """\
# standard: what holds where a repository has no policy of its own. A change is ready when something executable failed
# on base and passes with it, and nothing that held on base was lost.
id: default
version: "1"
rigor: standard
require_brief: true # without a brief a person must decide
allow_new_dependencies: false # a new dependency needs a person
allow_override: true # false: nobody overrides a requirement, or merges in spite of not-ready
coverage_of_changed_lines: 0 # per cent; 0: reported, not required

# on_missing: block (not ready), needs-human (a person decides) or report (only said).
requirements:
  - id: base-tests
    evidence: tests.base-on-result
    description: The base's tests hold.
  - id: tests
    evidence: tests.result
    on_missing: needs-human
    description: The result's tests pass.
  - id: shown
    # A check of the brief or a test that failed on base passes now. A refactoring, by the brief's own word, is shown by
    # base's tests and the same public interface. Words and tests alone need neither where the brief says so, too: where
    # it asks for other behaviour, they leave all as it was.
    satisfied_if: >-
      mended >= 1
      or (refactoring and passed("tests.base-on-result") and measure("interface", "changed") <= 0)
    applicable_if: not (refactoring and only("*.md", "*.rst", "@tests"))
    on_missing: needs-human
    description: Something executable shows what the change does.
  - id: no-tampering
    evidence: tampering
    description: No check was lost.
  - id: no-secrets
    evidence: secrets
    description: No secret was added.
  - id: lint
    evidence: lint.new
    on_missing: report
    description: No new lint findings.
  - id: types
    evidence: types.new
    on_missing: report
    description: No new type errors.
  - id: size
    evidence: size
    on_missing: report
    description: Small and focused.

sandbox:
  minimum: container # none < container < sandbox-exec < landlock < bubblewrap; evidence made below it needs a person
  allow_none: true # false forbids `--sandbox none`

size:
  files: 50
  lines: 1500
  on_exceeded: needs-human

findings: # the worst new finding that is let through; none: not any
  lint: medium
  types: medium
  secrets: none

protected_paths: # a change here needs a person
  - .workbench/**
"""

_STRICT = """\
# strict: for code that must not break. What is not checked blocks, every clause has to be shown, nobody overrides.
id: strict
version: "1"
rigor: strict
require_brief: true
allow_new_dependencies: false
allow_override: false
coverage_of_changed_lines: 80
requirements:
  - id: base-tests
    evidence: tests.base-on-result
    description: The base's tests hold.
  - id: tests
    evidence: tests.result
    description: The result's tests pass.
  - id: shown
    satisfied_if: >-
      mended >= 1
      or (refactoring and passed("tests.base-on-result") and measure("interface", "changed") <= 0)
    applicable_if: not (refactoring and only("*.md", "*.rst", "@tests"))
    on_missing: block
    description: Something executable shows what the change does.
  - id: no-tampering
    evidence: tampering
    description: No check was lost.
  - id: no-secrets
    evidence: secrets
    description: No secret was added.
  - id: lint
    evidence: lint.new
    on_missing: needs-human
    description: No new lint findings.
  - id: types
    evidence: types.new
    on_missing: needs-human
    description: No new type errors.
  - id: size
    evidence: size
    on_missing: needs-human
    description: Small and focused.
  - id: important-work
    # Where the brief says that people matter most, one of them approves.
    approval: { role: maintainer, count: 1 }
    applicable_if: brief and agency >= "H4"
    on_missing: needs-human
    description: A maintainer approves what a brief of agency H4 or H5 asked for.
sandbox:
  minimum: landlock
  allow_none: false
size:
  files: 30
  lines: 800
findings:
  lint: low
  types: low
protected_paths:
  - .workbench/**
  - .github/workflows/**
"""

TEXTS: Mapping[str, str] = {"lenient": _LENIENT, "standard": _STANDARD, "strict": _STRICT}

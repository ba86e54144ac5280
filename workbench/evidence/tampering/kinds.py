"""The kinds of tampering that can be named: how grave each is and whether it loses checks; it detects nothing."""

from __future__ import annotations

from typing import NamedTuple

from workbench.model.evidence import Finding, Severity

DETAIL_LENGTH = 160  # characters of a snippet that a finding quotes


class Kind(NamedTuple):
    """`blocking`: checks are lost, so the change is not ready, whatever the suites say."""

    severity: Severity
    blocking: bool
    text: str


KINDS: dict[str, Kind] = {
    # tests that no longer run
    "deleted-test-file": Kind("critical", True, "A test file was deleted and its tests are nowhere else"),
    "deleted-test": Kind("critical", True, "A test was deleted"),
    "uncollected-test": Kind("critical", True, "A test was renamed or moved so that it is no longer collected"),
    "shadowed-test": Kind("critical", True, "A later definition of the same name hides a test"),
    "rebound-test": Kind(
        "critical", True, "A test's name is bound to something else, or deleted, after its definition"
    ),
    "skip-added": Kind("critical", True, "A test is now skipped"),
    "xfail-added": Kind("critical", True, "A test is now expected to fail"),
    "case-removed": Kind("high", True, "Cases of a parametrised test were removed"),
    "case-skipped": Kind("high", True, "A case of a parametrised test is now skipped or expected to fail"),
    "focused-test": Kind("critical", True, "A focused test keeps all others from running"),
    "test-guarded": Kind("high", True, "A test is now defined only under a condition"),
    "deselecting-mark": Kind("critical", True, "A test was given a mark that the configuration leaves out"),
    "never-awaited": Kind("high", False, "A test's work may never be awaited"),
    # tests that check less
    "early-return": Kind("critical", True, "A test returns before its checks"),
    "assert-removed": Kind("critical", True, "A check was removed from a test"),
    "assert-weakened": Kind("high", True, "A check now accepts more than before"),
    "assert-inverted": Kind("high", True, "A check now asserts the opposite"),
    "assert-guarded": Kind("high", True, "A check now runs only under a condition"),
    "assert-swallowed": Kind("critical", True, "A failing check is now caught"),
    "assert-trivial": Kind("medium", False, "A new test checks nothing that could fail"),
    "assert-rewritten": Kind("low", False, "A check was rewritten"),
    "assert-overridden": Kind("critical", True, "What tests check with was replaced"),
    "helper-weakened": Kind("critical", True, "A function with which tests check now checks less"),
    "subject-replaced": Kind("critical", True, "A test now checks something of its own instead of the program"),
    "expectation-written": Kind("high", False, "A test writes what it then expects"),
    "test-data-changed": Kind("medium", False, "Data that tests read was changed"),
    "sleep-added": Kind("low", False, "A test now waits for a while"),
    "seed-fixed": Kind("low", False, "The chance in a test was fixed"),
    "expected-changed": Kind("high", False, "The value that a check expects was changed"),
    "raises-broadened": Kind("high", True, "A check for an exception now accepts more exceptions"),
    "tolerance-widened": Kind("high", True, "A check's tolerance was widened"),
    "property-weakened": Kind("high", True, "A property test now tries fewer or easier examples"),
    "mocked-subject": Kind("critical", True, "What a test checks was replaced by a stand-in"),
    "mock-added": Kind("medium", False, "An existing test now replaces part of the program"),
    "always-equal": Kind("critical", True, "Objects of a class compare equal to everything"),
    "comparison-narrowed": Kind("medium", False, "A field no longer counts when objects are compared"),
    "decorator-added": Kind("medium", False, "An existing test is now wrapped by another function"),
    "retry-added": Kind("high", True, "Failing tests are now tried again until they pass"),
    "timeout-widened": Kind("low", False, "A test's time limit was widened"),
    "snapshot-updated": Kind("medium", False, "A recorded expectation was rewritten"),
    "snapshot-deleted": Kind("high", True, "A recorded expectation was deleted"),
    "fixture-changed": Kind("medium", False, "A shared fixture was changed"),
    "autouse-patch": Kind("critical", True, "A fixture that every test uses patches, skips or fakes"),
    # the test run itself
    "collection-hook": Kind("critical", True, "A hook that decides which tests run was added or changed"),
    "report-hook": Kind("critical", True, "A hook that decides what tests report was added or changed"),
    "session-hook": Kind("critical", True, "A hook that decides how the test session ends was added or changed"),
    "plugin-hook": Kind("medium", False, "A hook of the test runner was added or changed"),
    "collect-ignore": Kind("critical", True, "Test files are now ignored"),
    "plugin-added": Kind("high", False, "A plugin of the test runner was added"),
    "plugin-metadata": Kind(
        "critical", True, "Metadata of a distribution, by which plugins load themselves, was added or changed"
    ),
    "bytecode": Kind("critical", True, "Byte code, which runs in place of the source beside it, was added or changed"),
    "startup-file": Kind("critical", True, "A file that the interpreter runs at every start was added or changed"),
    "shadowing-module": Kind("critical", True, "A file takes the place of a module that tests rely on"),
    "test-tool-patched": Kind("critical", True, "Code replaces part of the test runner or of the built-ins"),
    "exit-in-test": Kind("critical", True, "Test code ends the process"),
    "exit-at-import": Kind("critical", True, "Importing a module ends the process"),
    "hard-exit": Kind("high", False, "Code ends the process without clean-up"),
    "report-forged": Kind("high", False, "Code writes what looks like a test report"),
    "load-tests": Kind("critical", True, "A load_tests function decides which tests run"),
    "assert-rewriting": Kind("critical", True, "Code changes how assertions are compiled"),
    "module-stubbed": Kind("high", False, "A module was replaced by a stand-in for the whole run"),
    "import-hook": Kind("high", False, "Code changes how modules are imported"),
    "library-patched": Kind("high", False, "Code replaces part of the standard library for everybody"),
    "runner-environment": Kind("critical", True, "A variable that steers the test runner is set"),
    "asserts-disabled": Kind("critical", True, "Assertions are switched off"),
    # configuration of tests
    "ini-deselected": Kind("critical", True, "Options of the test runner leave tests out"),
    "ini-testpaths": Kind("high", True, "The directories in which tests are searched were narrowed"),
    "ini-patterns": Kind("high", True, "The names by which tests are recognised were changed"),
    "ini-norecursedirs": Kind("high", True, "Directories are now left out of the search for tests"),
    "xfail-strict-off": Kind("high", True, "An unexpected pass of an expected failure no longer fails"),
    "warnings-loosened": Kind("medium", False, "Warnings that failed tests are now let through"),
    "warnings-error-off": Kind("high", True, "Warnings no longer fail tests"),
    "config-unreadable": Kind("high", False, "A configuration file can no longer be read"),
    "nested-settings": Kind("high", False, "Settings of the test runner nearer to the tests were added"),
    "snapshots-updating": Kind("critical", True, "Recorded expectations now follow whatever comes out"),
    # configuration around tests
    "script-neutralised": Kind("critical", True, "A test command's failure no longer counts"),
    "script-test-removed": Kind("critical", True, "A script no longer runs the tests"),
    "script-changed": Kind("medium", False, "The command that runs the tests was changed"),
    "ci-test-removed": Kind("critical", True, "Continuous integration no longer runs a check"),
    "ci-failure-ignored": Kind("critical", True, "Continuous integration ignores a failing check"),
    "ci-changed": Kind("medium", False, "A workflow of continuous integration was changed"),
    "ci-trigger-removed": Kind("high", False, "A workflow no longer runs on changes"),
    "matrix-narrowed": Kind("medium", False, "The checks run in fewer environments"),
    "ignored-tests": Kind("high", False, "Files of tests are kept out of the repository"),
    "fail-under-lowered": Kind("high", True, "The coverage that is required was lowered"),
    "coverage-loosened": Kind("high", False, "Code was taken out of the coverage measurement"),
    "no-cover-added": Kind("low", False, "A line was taken out of the coverage measurement"),
    "lint-loosened": Kind("high", False, "The linter's rules were loosened"),
    "types-loosened": Kind("high", False, "The type checker's rules were loosened"),
    "noqa-added": Kind("low", False, "A linter finding is silenced"),
    "type-ignore-added": Kind("low", False, "A type error is silenced"),
    # product code that knows it is being tested
    "test-sniffing": Kind("critical", True, "Code behaves differently while it is tested"),
    "caller-sniffing": Kind("high", False, "Code asks who calls it, or how the program was started"),
    "environment-sniffing": Kind("high", False, "Code asks where it runs"),
    "special-cased-input": Kind("high", False, "Code answers a test's input with a fixed value"),
    "enumerated-input": Kind("low", False, "Code answers a word of the tests with a fixed value"),
    "canned-answers": Kind("high", False, "The program brings a table of what the tests ask or expect"),
    "reads-tests": Kind("high", False, "The program looks at files of the tests"),
    "constant-result": Kind("high", False, "A function that worked with its arguments now ignores them"),
    "call-counting": Kind("high", False, "What a function answers depends on how often it was called"),
    "broad-except": Kind("medium", False, "Every error is swallowed"),
    "condition-forced": Kind("medium", False, "A condition can no longer be anything but true, or false"),
    "obfuscated-code": Kind("critical", False, "Code runs a text that it decodes first"),
    # files that bind others
    "workbench-changed": Kind("high", False, "Workbench's own configuration was changed; it takes no effect here"),
    "workbench-resolution": Kind("low", False, "A resolution file was added; only the journal says whether it is one"),
    "gitattributes-changed": Kind("medium", False, "Attributes that change how git treats files were changed"),
    "gitmodules-changed": Kind("high", False, "Submodules were changed"),
}


def found(kind: str, path: str, line: int = 0, *, detail: str = "", blocking: bool | None = None) -> Finding:
    """A finding of `kind`; `detail` is quoted after the kind's own text, cut to one short line."""
    known = KINDS[kind]
    quoted = " ".join(detail.split())[:DETAIL_LENGTH]
    return Finding(
        kind=f"tampering.{kind}",
        severity=known.severity,
        text=f"{known.text}: {quoted}" if quoted else f"{known.text}.",
        path=path,
        line=line,
        blocking=known.blocking if blocking is None else blocking,
    )

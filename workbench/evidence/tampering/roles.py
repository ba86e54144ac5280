"""Which part a file plays in the checks, read off its path alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

TEST_DIRECTORIES = frozenset({"test", "tests", "testing", "__tests__", "spec", "specs", "e2e"})
_TEST_NAME = re.compile(
    r"(^test_.*\.py$)|(.*_test\.(py|go|rb|cc|cpp|exs)$)|(^tests?\.py$)|(.*\.(test|spec)\.[cm]?[jt]sx?$)"
    r"|(^(Test.*|.*Tests?)\.(java|kt|cs|swift)$)|(.*_spec\.rb$)"
)
_COLLECTED = re.compile(r"(^test_.*\.py$)|(.*_test\.py$)|(^tests?\.py$)")
_SOURCE = re.compile(r".*\.(py|[cm]?[jt]sx?|go|rs|rb|java|kt|cs|swift)$")
_UNSEARCHED = frozenset({"build", "dist", "node_modules", "venv", "CVS", "_darcs", "{arch}"})  # by pytest's defaults
_SNAPSHOT_PARTS = frozenset({"__snapshots__", "snapshots", "golden", "goldens", "cassettes", "approved", "baselines"})
_SNAPSHOT_NAME = re.compile(r".*(\.snap|\.ambr|\.golden|\.approved\.[^.]+|\.snapshot|\.expected(\.[^.]+)?|\.out\.txt)$")
_CI = re.compile(
    r"(^\.github/(workflows|actions)/.+\.ya?ml$)|(^\.gitlab-ci\.yml$)|(^\.gitlab/.+\.yml$)|(^\.circleci/)"
    r"|(^azure-pipelines.*\.yml$)|(^Jenkinsfile)|(^\.travis\.yml$)|(^\.ci/)|(^\.buildkite/)|(^\.woodpecker)|(^appveyor\.yml$)"
)
_SCRIPT = re.compile(
    r"(^|/)((GNU)?[Mm]akefile|makefile|justfile|Justfile|Taskfile\.ya?ml|tox\.ini|noxfile\.py|package\.json|Rakefile"
    r"|\.pre-commit-config\.yaml|lefthook\.yml|[^/]*\.(sh|bash|mk))$"
)
CONFIG_NAMES = frozenset(
    {"pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg", ".coveragerc", "mypy.ini", ".mypy.ini"}
    | {"ruff.toml", ".ruff.toml", ".flake8", "pyrightconfig.json", ".pylintrc", "pylintrc"}
)


def is_conftest(path: str) -> bool:
    """Whether pytest loads the file as a local plugin."""
    return PurePosixPath(path).name == "conftest.py"


def is_test(path: str) -> bool:
    """Whether the file belongs to the tests, in any language: by its name or by a directory above it."""
    pure = PurePosixPath(path)
    if is_snapshot(path) or not _SOURCE.match(pure.name):
        return False
    named = _TEST_NAME.match(pure.name) is not None or is_conftest(path)
    return named or any(part in TEST_DIRECTORIES for part in pure.parts[:-1])


def is_collected(path: str) -> bool:
    """Whether pytest's or unittest's default patterns find tests in the file."""
    return _COLLECTED.match(PurePosixPath(path).name) is not None


def is_searched(path: str, places: Sequence[str] = ()) -> bool:
    """Whether pytest looks for tests at the path: its own exceptions, and the `testpaths` of the configuration."""
    folders = PurePosixPath(path).parts[:-1]
    if any(part in _UNSEARCHED or part.startswith(".") or part.endswith(".egg") for part in folders):
        return False
    roots = [place.strip().strip("./") for place in places]
    return not roots or any(path == root or path.startswith(f"{root}/") or "*" in root for root in roots if root)


def is_python(path: str) -> bool:
    """Whether the file holds Python source."""
    return path.endswith((".py", ".pyi"))


def is_snapshot(path: str) -> bool:
    """Whether the file holds what tests expect, recorded rather than written."""
    pure = PurePosixPath(path)
    in_store = any(part in _SNAPSHOT_PARTS for part in pure.parts[:-1])
    return (in_store and not pure.name.endswith(".py")) or _SNAPSHOT_NAME.match(pure.name) is not None


def is_bytecode(path: str) -> bool:
    """Whether the file is what the interpreter may run in place of source."""
    pure = PurePosixPath(path)
    return pure.suffix in (".pyc", ".pyo") or "__pycache__" in pure.parts


def is_ci(path: str) -> bool:
    """Whether the file says what continuous integration runs."""
    return _CI.match(path) is not None


def is_script(path: str) -> bool:
    """Whether the file says how the checks are run by hand."""
    return _SCRIPT.search(path) is not None


def is_config(path: str) -> bool:
    """Whether the file sets a tool's options."""
    return PurePosixPath(path).name in CONFIG_NAMES

"""Dependencies that a change adds or points elsewhere, read off manifests before anything is installed."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import PurePosixPath
from typing import Any

import msgspec

from workbench.artifacts.policy import LicenceRules
from workbench.evidence.installs import installs
from workbench.evidence.licences import UNCLEAR, UNKNOWN, Licences, permitted
from workbench.evidence.manifests import environment_yml, normal, pipfile, setup_cfg, setup_py
from workbench.evidence.sizes import kind_of
from workbench.evidence.static import bound, text_of
from workbench.model.evidence import Finding
from workbench.ports import Change, Collected

_NAME = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_INDEX = re.compile(
    r"--(extra-)?index-url|--find-links|--trusted-host|index-url\s*=|\[\[?tool\.(uv\.(index|sources)|poetry\.source)"
    r"|^\s*registry\s*=|\breplace\s+\S+\s+=>|\[patch\.|\[source\.|GOPROXY|GONOSUMDB"
    r"|\"resolved\":\s*\"(?!https://registry\.npmjs\.org/)"
)
_KNOWN = (  # often misspelt on purpose
    "requests", "numpy", "pandas", "pytest", "django", "flask", "cryptography", "urllib3", "pyyaml", "click", "boto3",
    "setuptools", "scipy", "sqlalchemy", "pydantic", "fastapi", "jinja2", "pillow", "httpx", "react", "lodash",
    "express", "axios", "chalk", "commander", "typescript", "webpack", "eslint", "serde", "tokio", "rand", "regex",
    "anyhow", "clap",
)  # fmt: skip


MAX_NAMED = 20  # files that are named
MAX_LICENCES = 200  # of new dependencies that are told
ADDED, ADDED_TEXT = "dependencies.added", "A new dependency: "
SHOWN = LicenceRules()  # licences are shown and not judged


class Dependencies:
    """Port Collector: passed when no manifest names a new dependency or another index, and no code installs any."""

    name = "dependencies"

    def __init__(self, licences: Licences | None = None, rules: LicenceRules = SHOWN) -> None:
        """With `licences` the licence of each new dependency is told, and held against the `rules` if there are any."""
        self._licences, self._rules = licences, rules

    def collect(self, change: Change) -> Collected:
        """Compare every changed manifest with its base, and look for installs in added code."""
        findings, read, unread = installs(change), list[str](), list[str]()
        licences: dict[str, str] = {}
        locks = [path for status, path in change.changed_paths() if status != "D" and kind_of(path, None) == "lock"]
        for status, path in change.changed_paths():
            reader = _reader(path)
            if status == "D" or reader is None:
                continue
            try:
                findings += self._licensed(path, list(_compare(change, path, reader)), licences)
                read.append(path)
            except (ValueError, TypeError, AttributeError, RecursionError):
                unread.append(path)
        state = "failed" if findings else "not-checked" if unread else "passed"
        evidence = bound(
            change,
            "dependencies",
            criterion="hygiene",
            state=state,  # type: ignore[arg-type]  # one of three literals
            summary=_summary(len(findings), read, unread) + _of_locks(locks),
            facts={"read": read[:MAX_NAMED], "unread": unread[:MAX_NAMED], "locks": locks[:MAX_NAMED]}
            | ({"licences": licences} if licences else {}),
        )
        return Collected(evidence=(evidence,), findings=tuple(findings))

    def _licensed(self, path: str, findings: list[Finding], licences: dict[str, str]) -> Iterator[Finding]:
        """The same, with the licence of each new dependency, and what the rules say of it."""
        for finding in findings:
            if self._licences is None or finding.kind != ADDED:
                yield finding
                continue
            name = finding.text.removeprefix(ADDED_TEXT)
            licence = self._licences.of(PurePosixPath(path).name, name)
            if len(licences) < MAX_LICENCES:
                licences[name] = licence
            is_known = licence not in (UNKNOWN, UNCLEAR)
            yield msgspec.structs.replace(finding, text=f"{finding.text} ({'' if is_known else 'licence '}{licence})")
            if self._rules != SHOWN and not (is_known and permitted(licence, self._rules)):
                why = f"has the licence {licence}" if is_known else f"has no known licence ({licence})"
                text = f"The new dependency {name} {why}, which the policy does not let through"
                yield Finding(kind="dependencies.licence", severity="high", text=text, path=path)


def _summary(found: int, read: list[str], unread: list[str]) -> str:
    """What was found in which files; that nothing was changed that declares dependencies is another thing to say."""
    if found:
        return f"{found} dependencies, indexes or installs changed"
    if unread:
        return f"could not be read: {', '.join(unread[:MAX_NAMED])}"
    if not read:
        return "no file that declares dependencies changed"
    more = f" and {len(read) - MAX_NAMED} more" if len(read) > MAX_NAMED else ""
    return f"no new dependency in {', '.join(read[:MAX_NAMED])}{more}"


def _of_locks(paths: list[str]) -> str:
    """What lock files say is not looked at, and nobody is to think so."""
    return f"; what {', '.join(paths[:MAX_NAMED])} locks was not compared" if paths else ""


Reader = Callable[[str], set[str]]


def _compare(change: Change, path: str, reader: Reader) -> Iterator[Finding]:
    """What is new in a manifest. Raises ValueError where the result's one is no text or too large."""
    before, after = text_of(change.base_file(path)) or "", text_of(change.result_file(path))
    if after is None:
        raise ValueError(f"{path} is no text")
    known = reader(before)
    for name in sorted(reader(after) - known):
        yield Finding(kind=ADDED, severity="medium", text=f"{ADDED_TEXT}{name}", path=path)
        near = get_close_matches(name.lower(), _KNOWN, n=1, cutoff=0.8)
        if near and near[0] != name.lower():
            text = f"The new dependency {name} is spelt almost like {near[0]}"
            yield Finding(kind="dependencies.misspelt", severity="high", text=text, path=path)
    old = set(before.splitlines())
    for number, line in enumerate(after.splitlines(), 1):
        if line not in old and _INDEX.search(line):
            text = f"Packages are taken from another place: {line.strip()[:160]}"
            yield Finding(kind="dependencies.index", severity="high", text=text, path=path, line=number)


def _reader(path: str) -> Reader | None:
    name = PurePosixPath(path).name
    if re.fullmatch(r".*requirements.*\.(txt|in)|constraints.*\.txt", name):
        return _requirements
    if re.fullmatch(r"(conda-?)?env(ironment)?[\w.-]*\.ya?ml", name):
        return environment_yml
    return _READERS.get(name)


def _requirements(text: str) -> set[str]:
    lines = (line.partition("#")[0] for line in text.splitlines() if not line.lstrip().startswith("-"))
    return {normal(match[1]) for line in lines if (match := _NAME.match(line))}


def _named(values: Any) -> set[str]:
    """The names in a table or a list; anything else names nothing."""
    if isinstance(values, Mapping):
        return {normal(str(name)) for name in values} - {"python"}
    items = values if isinstance(values, list) else ()
    return {normal(m[1]) for value in items if isinstance(value, str) and (m := _NAME.match(value))}


def _table(values: Any, name: str) -> Mapping[str, Any]:
    """The table `name` of another; empty where it is anything else, so that the rest is read all the same."""
    found = values.get(name) if isinstance(values, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _pyproject(text: str) -> set[str]:
    document = tomllib.loads(text)
    project, poetry = _table(document, "project"), _table(_table(document, "tool"), "poetry")
    found = _named(project.get("dependencies")) | _named(_table(document, "build-system").get("requires"))
    groups = [*_table(project, "optional-dependencies").values(), *_table(document, "dependency-groups").values()]
    groups += [poetry.get("dependencies"), poetry.get("dev-dependencies")]
    groups += [_table(_table(poetry, "group"), name).get("dependencies") for name in _table(poetry, "group")]
    return found.union(*(_named(group) for group in groups))


def _package(text: str) -> set[str]:
    document = json.loads(text or "{}")
    kinds = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
    return set[str]().union(*(_packages(document.get(kind)) for kind in kinds))


def _packages(values: Any) -> set[str]:
    """The names of npm packages in a table, or in the list or words that older clients take for one."""
    words = values.replace(",", " ").split() if isinstance(values, str) else values
    if isinstance(words, Mapping):
        return {str(name) for name in words}
    return {word for word in words if isinstance(word, str)} if isinstance(words, list) else set()


def _cargo(text: str) -> set[str]:
    document = tomllib.loads(text)
    kinds = ("dependencies", "dev-dependencies", "build-dependencies")
    return set[str]().union(*({str(name) for name in _table(document, kind)} for kind in kinds))


# Neither can be matched in two ways: a hostile file must not take the time of a square.
_MODULE = re.compile(r"[\w-]+\.[\w./-]+")
_VERSION = re.compile(r"v\d")


def _go(text: str) -> set[str]:
    lines = (line.removeprefix("require ").split(maxsplit=2) for line in map(str.strip, text.splitlines()))
    return {line[0] for line in lines if len(line) > 1 and _MODULE.fullmatch(line[0]) and _VERSION.match(line[1])}


_READERS: dict[str, Reader] = {
    "pyproject.toml": _pyproject,
    "Pipfile": pipfile,
    "setup.cfg": setup_cfg,
    "setup.py": setup_py,
    "package.json": _package,
    "Cargo.toml": _cargo,
    "go.mod": _go,
    "pip.conf": lambda _: set(),
    ".npmrc": lambda _: set(),
    "uv.toml": lambda _: set(),
}

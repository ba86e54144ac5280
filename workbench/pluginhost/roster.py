"""Which of the plugins that were found may run, and why the others may not. It decides, and imports none of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from workbench.core.plugins import Standing
from workbench.model.problems import Problem
from workbench.model.text import one_line
from workbench.pluginhost import manifest as manifests
from workbench.pluginhost.bundle import Bundle, Origin
from workbench.pluginhost.manifest import Manifest
from workbench.pluginhost.wings import trespasses

State = Literal["ready", "untrusted", "disabled", "invalid"]
NAME_CELLS = 60
_FIRST: Sequence[Origin] = ("directory", "shipped", "installed", "repository")  # who has a name that two claim


class Plugin:
    """A plugin that was found, and whether it may run. `problems` say what is wrong with one that is `invalid`."""

    def __init__(
        self, bundle: Bundle, *, state: State, manifest: Manifest | None, problems: Sequence[Problem] = ()
    ) -> None:
        self.bundle = bundle
        self.state = state
        self.manifest = manifest
        self.problems = tuple(problems)

    @property
    def name(self) -> str:
        """Its name, safe to show."""
        return one_line(self.bundle.name, NAME_CELLS)

    @property
    def digest(self) -> str:
        """The digest of its files."""
        return self.bundle.digest

    @property
    def version(self) -> str:
        """Its version; empty where its manifest cannot be read."""
        return self.manifest.version if self.manifest is not None else ""


def roster(bundles: Iterable[Bundle], standing: Standing) -> list[Plugin]:
    """All plugins, ours first. What a repository brings runs only once a person trusts exactly this content.

    A name belongs to whoever comes first in this order: shipped, installed, brought by the repository. Two installed
    packages that claim one name are both refused.
    """
    ordered = sorted(bundles, key=lambda bundle: (_FIRST.index(bundle.origin), bundle.name))
    owners: dict[str, Origin] = {}
    for bundle in ordered:
        owners.setdefault(bundle.name, bundle.origin)
    claims = [(bundle.name, bundle.origin) for bundle in ordered]
    return [_judged(bundle, standing, owners, claims.count((bundle.name, bundle.origin))) for bundle in ordered]


def _judged(bundle: Bundle, standing: Standing, owners: dict[str, Origin], claims: int) -> Plugin:
    manifest, problems = examined(bundle)
    if owners[bundle.name] != bundle.origin:
        problems = [*problems, _problem(bundle, f"the name belongs to a plugin that is {owners[bundle.name]}")]
    elif claims > 1:
        problems = [*problems, _problem(bundle, f"{claims} installed packages claim this name")]
    if problems:
        return Plugin(bundle, state="invalid", manifest=manifest, problems=problems)
    if bundle.name in standing.disabled:
        return Plugin(bundle, state="disabled", manifest=manifest)
    if bundle.origin == "repository" and (bundle.name, bundle.digest) not in standing.trusted:
        return Plugin(bundle, state="untrusted", manifest=manifest)
    return Plugin(bundle, state="ready", manifest=manifest)


def examined(bundle: Bundle) -> tuple[Manifest | None, list[Problem]]:
    """The manifest of a bundle, and everything that keeps the plugin from running; nothing is imported."""
    if bundle.trouble:
        return None, [_problem(bundle, bundle.trouble)]
    if manifests.FILE not in bundle.files:
        return None, [_problem(bundle, f"it has no {manifests.FILE}")]
    manifest, problems = manifests.read(bundle.files[manifests.FILE], manifests.FILE)
    if manifest is None:
        return None, problems
    if manifest.name != bundle.name:
        problems = [*problems, _problem(bundle, f"its manifest calls it `{manifest.name}`: the names must be equal")]
    missing = [path for path in (*manifest.themes, *manifest.loops) if path not in bundle.files]
    problems += [_problem(bundle, f"there is no file {path}") for path in missing]
    return manifest, [*problems, *trespasses(bundle, manifest)]


def _problem(bundle: Bundle, text: str) -> Problem:
    return Problem(path=manifests.FILE, line=0, column=0, text=f"{one_line(bundle.name, NAME_CELLS)}: {text}")

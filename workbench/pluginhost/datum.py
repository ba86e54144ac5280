"""What a manifest brings as data, through the same hooks as code: agents, themes and loops."""

from __future__ import annotations

from pathlib import PurePosixPath

from workbench.pluginhost.bundle import Bundle
from workbench.pluginhost.hookspecs import AgentKind, NamedText, hookimpl
from workbench.pluginhost.manifest import Manifest


class Datum:
    """The data of one plugin."""

    def __init__(self, bundle: Bundle, manifest: Manifest) -> None:
        self._bundle = bundle
        self._manifest = manifest

    @hookimpl
    def drivers(self) -> list[AgentKind]:
        """The agents of the manifest."""
        return [AgentKind(name=name, program=program) for name, program in self._manifest.agents.items()]

    @hookimpl
    def themes(self) -> list[NamedText]:
        """The theme files of the manifest."""
        return [self._text(path) for path in self._manifest.themes]

    @hookimpl
    def loops(self) -> list[NamedText]:
        """The loop files of the manifest."""
        return [self._text(path) for path in self._manifest.loops]

    def _text(self, path: str) -> NamedText:
        text = self._bundle.files[path].decode("utf-8", "replace")
        return NamedText(name=PurePosixPath(path).stem, text=text, where=f"{self._bundle.where}/{path}")

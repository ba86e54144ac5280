"""Imports modules of plugins: of installed packages as Python does, of all others from the bytes that were hashed."""

# ruff: noqa: ARG002 - Python names the arguments of finders and loaders
from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType

from workbench.pluginhost.bundle import Bundle
from workbench.pluginhost.wings import path_of

ROOT = "workbench_plugins"  # the package below which plugins are imported; nothing on disk has this name


def load(bundle: Bundle, module: str) -> ModuleType:
    """Import a module of a plugin. Raises whatever the module raises."""
    if bundle.package:
        return importlib.import_module(f"{bundle.package}.{module}")
    return importlib.import_module(f"{_package(bundle)}.{module}")


def _package(bundle: Bundle) -> str:
    """The package of exactly these bytes: another digest is another package, even in one process."""
    name = f"{bundle.name.replace('-', '_')}_{bundle.digest.removeprefix('sha256:')[:12]}"
    _FINDER.bundles.setdefault(name, bundle)
    if _FINDER not in sys.meta_path:
        sys.meta_path.append(_FINDER)
    return f"{ROOT}.{name}"


def bundle_of(module: str) -> Bundle:
    """The bundle that a module was imported from, by its `__name__`. Raises KeyError for any other module."""
    return _FINDER.bundles[module.removeprefix(f"{ROOT}.").partition(".")[0]]


class _Finder(MetaPathFinder):
    """Finds `workbench_plugins.<plugin>.<module>` in the bundles that were registered, and nothing else."""

    def __init__(self) -> None:
        self.bundles: dict[str, Bundle] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module that one of the bundles holds."""
        root, _, rest = fullname.partition(".")
        if root != ROOT:
            return None
        name, _, module = rest.partition(".")
        bundle = self.bundles.get(name)
        if not rest or (bundle is not None and not module):
            return ModuleSpec(fullname, None, is_package=True)
        if bundle is None:
            return None
        if file := path_of(bundle, module):
            loader = _Loader(bundle, file)
            origin = f"{bundle.where}/{file}"
            return importlib.util.spec_from_loader(fullname, loader, origin=origin)
        below = module.replace(".", "/") + "/"
        is_directory = any(each.startswith(below) for each in bundle.files)
        return ModuleSpec(fullname, None, is_package=True) if is_directory else None


class _Loader(InspectLoader):
    """Runs one file of a bundle; what lies on disk by now is never looked at."""

    def __init__(self, bundle: Bundle, path: str) -> None:
        self._bundle, self._path = bundle, path

    def get_source(self, fullname: str) -> str:
        """The text of the module, as it was hashed."""
        return importlib.util.decode_source(self._bundle.files[self._path])

    def get_code(self, fullname: str) -> CodeType:
        """The code of the module, under a name by which a traceback can be read."""
        return self.source_to_code(self.get_source(fullname), f"{self._bundle.where}/{self._path}")

    def is_package(self, fullname: str) -> bool:
        """Whether it is an `__init__.py`."""
        return self._path.endswith("__init__.py")


_FINDER = _Finder()

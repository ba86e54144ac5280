"""The licence of a package as it is installed here, as an SPDX expression; it asks no network and trusts no text.

Read are the metadata of Python's distributions, npm's `package.json`, `Cargo.toml` of vendored or fetched crates, and
the licence files of Go's modules. What is not installed is unknown, and what names no licence of SPDX is unclear.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from email.parser import HeaderParser
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from workbench.artifacts.policy import LicenceRules
from workbench.evidence.manifests import normal
from workbench.ports import Environment

UNKNOWN = "unknown: not installed here"
UNCLEAR = "unclear: what is installed names no licence of SPDX"
MAX_BYTES = 500_000  # of one file with metadata
MAX_EXPRESSION = 300  # characters
_PLAIN_NAME = re.compile(r"(?!.*\.\.)@?[A-Za-z0-9][A-Za-z0-9._/-]{0,200}")
_CLASSIFIERS = {
    "MIT License": "MIT", "MIT No Attribution License (MIT-0)": "MIT-0", "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0", "ISC License (ISCL)": "ISC", "zlib/libpng License": "Zlib",
    "Python Software Foundation License": "PSF-2.0", "The Unlicense (Unlicense)": "Unlicense",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
}  # fmt: skip
_WORDS = {
    "mit license": "MIT", "the mit license": "MIT", "apache 2.0": "Apache-2.0", "apache-2": "Apache-2.0",
    "apache license 2.0": "Apache-2.0", "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd 3-clause": "BSD-3-Clause", "bsd-3": "BSD-3-Clause", "3-clause bsd": "BSD-3-Clause", "new bsd": "BSD-3-Clause",
    "bsd 2-clause": "BSD-2-Clause", "simplified bsd": "BSD-2-Clause", "mpl 2.0": "MPL-2.0", "psf": "PSF-2.0",
    "gplv3": "GPL-3.0-only", "gplv3+": "GPL-3.0-or-later", "gplv2": "GPL-2.0-only", "gplv2+": "GPL-2.0-or-later",
}  # fmt: skip
_LESS = re.compile(r"commons clause|non-?commercial", re.IGNORECASE)  # than the licence whose words stand beside it
_TEXTS = (  # words that a licence's own text has; all that fit
    ("Apache-2.0", ("Apache License", "Version 2.0, January 2004")),
    ("MPL-2.0", ("Mozilla Public License Version 2.0",)),
    ("AGPL-3.0-only", ("GNU AFFERO GENERAL PUBLIC LICENSE", "Version 3,")),
    ("LGPL-3.0-only", ("GNU LESSER GENERAL PUBLIC LICENSE", "Version 3,")),
    ("GPL-3.0-only", ("GNU GENERAL PUBLIC LICENSE", "Version 3,")),
    ("GPL-2.0-only", ("GNU GENERAL PUBLIC LICENSE", "Version 2,")),
    ("BSD-3-Clause", ("Redistribution and use in source and binary forms", "Neither the name")),
    ("BSD-2-Clause", ("Redistribution and use in source and binary forms",)),
    ("ISC", ("Permission to use, copy, modify, and/or distribute this software for any purpose",)),
    ("MIT", ("Permission is hereby granted, free of charge", "The above copyright notice and this permission")),
)


class Licences:
    """The licences of what stands in one environment. `cargo` and `go` are where those tools keep what they fetched."""

    def __init__(self, environment: Environment, *, home: Path | None = None) -> None:
        home = home or Path.home()
        virtual = environment.env.get("VIRTUAL_ENV", "")
        self._sites = sorted(Path(virtual).glob("lib/python*/site-packages")) if virtual else []
        places = [Path(mount.source) for mount in environment.mounts]
        self._modules = [place for place in places if place.name == "node_modules"]
        self._crates = sorted((home / ".cargo/registry/src").glob("*"))
        self._go = home / "go/pkg/mod"

    def of(self, manifest: str, name: str) -> str:
        """The licence of a package that a manifest of that file name asks for: SPDX, `UNKNOWN` or `UNCLEAR`."""
        if not _PLAIN_NAME.fullmatch(name):
            return UNKNOWN
        kind = {"package.json": self._npm, "Cargo.toml": self._cargo, "go.mod": self._module}
        try:
            said = list(kind.get(manifest, self._python)(name))
        except OSError:
            return UNKNOWN
        if not said:
            return UNKNOWN
        known = [
            next(filter(None, map(spdx, each)), "") for each in said
        ]  # which version will be taken is not known here
        return _together(known) or UNCLEAR

    def _python(self, name: str) -> Iterator[list[str]]:
        for site in self._sites:
            for place in site.iterdir():
                if place.name.endswith(".dist-info") and normal(place.name[:-10].rpartition("-")[0]) == normal(name):
                    yield _of_metadata(_text(place / "METADATA"))

    def _npm(self, name: str) -> Iterator[list[str]]:
        for place in self._modules:
            if (place / name / "package.json").is_file():
                yield _of_package(_text(place / name / "package.json"))

    def _cargo(self, name: str) -> Iterator[list[str]]:
        for root in self._crates:
            for place in sorted(root.glob(f"{name}-[0-9]*/Cargo.toml"), reverse=True):
                yield _of_crate(_text(place))

    def _module(self, name: str) -> Iterator[list[str]]:
        escaped = re.sub(r"[A-Z]", lambda found: f"!{found[0].lower()}", name)
        for place in sorted(self._go.glob(f"{escaped}@v*"), reverse=True):
            texts = sorted(place.glob("LICEN[SC]E*")) + sorted(place.glob("COPYING*"))
            yield [_together([_of_text(_text(text)) for text in texts if text.is_file()])]


def _text(place: Path) -> str:
    with place.open("rb") as file:
        return file.read(MAX_BYTES).decode("utf-8", "replace")


def _of_metadata(text: str) -> list[str]:
    headers = HeaderParser().parsestr(text.partition("\n\n")[0])
    rows = [str(each) for each in headers.get_all("Classifier", [])]
    classes = {_CLASSIFIERS.get(row.rpartition(" :: ")[2], "") for row in rows if row.startswith("License ::")} - {""}
    told = [*sorted(classes), *filter(None, [spdx(str(headers.get("License", "")))])]
    return [str(headers.get("License-Expression", "")), _together(told)]


def _of_package(text: str) -> list[str]:
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError):
        return []
    given = document.get("license", document.get("licenses")) if isinstance(document, dict) else None
    several = given if isinstance(given, list) else [given]
    names = [each.get("type") if isinstance(each, dict) else each for each in several]
    return [" OR ".join(each for each in names if isinstance(each, str))]


def _of_crate(text: str) -> list[str]:
    try:
        package = tomllib.loads(text).get("package")
    except (ValueError, RecursionError):
        return []
    said = package.get("license") if isinstance(package, dict) else None
    return [said.replace("/", " OR ")] if isinstance(said, str) else []


def _of_text(text: str) -> str:
    plain = " ".join(text.split())
    found = [name for name, words in _TEXTS if all(" ".join(word.split()) in plain for word in words)]
    if "BSD-3-Clause" in found:
        found.remove("BSD-2-Clause")
    return "" if _LESS.search(plain) else _together(found)


def _together(licences: list[str]) -> str:
    """All of them at once; empty where there is none, or one is not known."""
    found = list(dict.fromkeys(licences))
    return (
        found[0]
        if len(found) == 1
        else spdx(" AND ".join(f"({each})" if " " in each else each for each in found if all(found)))
    )


def spdx(text: str) -> str:
    """`text` as an SPDX expression in its usual spelling; empty where it is none."""
    said = text.strip()
    if not said or len(said) > MAX_EXPRESSION:
        return ""
    try:
        return str(canonicalize_license_expression(_WORDS.get(said.lower(), said)))
    except (InvalidLicenseExpression, ValueError, RecursionError):
        return ""


# --- held against a policy ------------------------------------------------------------------------------


class _Words(msgspec.Struct):
    words: list[str]

    def take(self, word: str) -> bool:
        found = bool(self.words) and self.words[0] == word
        if found:
            self.words.pop(0)
        return found


def permitted(licence: str, rules: LicenceRules) -> bool:
    """Whether the rules let a licence through: of alternatives one is enough, of what holds together all must pass."""
    words = _Words(re.findall(r"[()]|[^\s()]+", licence))
    return _either(words, lambda name: _passes(name, rules))


def _either(words: _Words, passes: Callable[[str], bool]) -> bool:
    found = _both(words, passes)
    while words.take("OR"):
        found = _both(words, passes) or found
    return found


def _both(words: _Words, passes: Callable[[str], bool]) -> bool:
    found = _one(words, passes)
    while words.take("AND"):
        found = _one(words, passes) and found
    return found


def _one(words: _Words, passes: Callable[[str], bool]) -> bool:
    if words.take("("):
        found = _either(words, passes)
        words.take(")")
        return found
    name = words.words.pop(0) if words.words else ""
    if words.take("WITH") and words.words:
        words.words.pop(0)  # an exception only gives more
    return bool(name) and passes(name)


def _passes(name: str, rules: LicenceRules) -> bool:
    if any(fnmatchcase(name.lower(), glob.lower()) for glob in rules.denied):
        return False
    return not rules.allowed or any(fnmatchcase(name.lower(), glob.lower()) for glob in rules.allowed)

"""Licences of new dependencies: read off what is installed, told in SPDX, and judged only where a policy says how."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from workbench.artifacts.policy import LicenceRules
from workbench.evidence.dependencies import Dependencies
from workbench.evidence.licences import UNCLEAR, UNKNOWN, Licences, permitted, spdx
from workbench.ports import Environment, Mount
from workbench.testing.changes import TreeChange

MIT = "Permission is hereby granted, free of charge ... The above copyright notice and this permission"


@pytest.fixture
def installed(tmp_path: Path) -> Licences:
    """A virtual environment, `node_modules` and what cargo and go fetched."""
    files = {
        "v/lib/python3.11/site-packages/Left_Pad-1.0.dist-info/METADATA": "Name: x\nLicense-Expression: mit\n\nno\n",
        "v/lib/python3.11/site-packages/old-1.dist-info/METADATA": (
            "License: see file\nClassifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)\n"
        ),
        "v/lib/python3.11/site-packages/odd-1.dist-info/METADATA": "License: do what \x1b[2J you want\n",
        "p/node_modules/@a/b/package.json": json.dumps({"license": {"type": "ISC"}}),
        "p/node_modules/broken/package.json": "[" * 100_000,
        "h/.cargo/registry/src/index/serde-1.0.1/Cargo.toml": '[package]\nlicense = "MIT/Apache-2.0"\n',
        "v/lib/python3.11/site-packages/two-1.dist-info/METADATA": (
            "License: MIT\nClassifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)\n"
        ),
        "h/.cargo/registry/src/index/moved-1.9.0/Cargo.toml": '[package]\nlicense = "MIT OR ISC"\n',
        "h/.cargo/registry/src/index/moved-1.10.0/Cargo.toml": '[package]\nlicense = "AGPL-3.0-only"\n',
        "h/go/pkg/mod/a.b/both@v1.0.0/LICENSE": f"{MIT}\n\nGNU AFFERO GENERAL PUBLIC LICENSE Version 3, of 2007",
        "h/go/pkg/mod/a.b/less@v1.0.0/LICENSE": f"{MIT}\n\nCommons Clause License Condition v1.0",
        "h/go/pkg/mod/a.b/more@v1.0.0/LICENSE": MIT,
        "h/go/pkg/mod/a.b/more@v1.0.0/LICENSE.other": "Business Source",
        "h/go/pkg/mod/github.com/!burnt/toml@v1.2.0/LICENSE": "Apache License\n   Version 2.0, January 2004\n",
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    env, mounts = {"VIRTUAL_ENV": str(tmp_path / "v")}, (Mount(source=str(tmp_path / "p/node_modules")),)
    return Licences(Environment(kind="venv", label="v", env=env, mounts=mounts), home=tmp_path / "h")


@pytest.mark.parametrize(("manifest", "name", "licence"), [
    ("pyproject.toml", "left-pad", "MIT"), ("requirements.txt", "old", "GPL-3.0-only"), ("setup.py", "odd", UNCLEAR),
    ("pyproject.toml", "nowhere", UNKNOWN), ("package.json", "@a/b", "ISC"), ("package.json", "broken", UNCLEAR),
    ("package.json", "../../v", UNKNOWN), ("Cargo.toml", "serde", "MIT OR Apache-2.0"), ("Cargo.toml", "*", UNKNOWN),
    ("go.mod", "github.com/Burnt/toml", "Apache-2.0"), ("setup.py", "two", "GPL-3.0-only AND MIT"),
    ("Cargo.toml", "moved", "(MIT OR ISC) AND AGPL-3.0-only"), ("go.mod", "a.b/both", "AGPL-3.0-only AND MIT"),
    ("go.mod", "a.b/less", UNCLEAR), ("go.mod", "a.b/more", UNCLEAR),
])  # fmt: skip
def test_licences_are_read_off_what_is_installed(installed: Licences, manifest: str, name: str, licence: str) -> None:
    """Each tool's own metadata, in SPDX; what is not here, or is no licence, is said to be so."""
    assert installed.of(manifest, name) == licence


@pytest.mark.parametrize(("licence", "allowed", "denied", "passes"), [
    ("MIT", (), (), True), ("MIT", ("MIT", "BSD-*"), (), True), ("ISC", ("MIT",), (), False),
    ("GPL-3.0-only OR MIT", (), ("*GPL-*",), True), ("GPL-3.0-only AND MIT", (), ("*GPL-*",), False),
    ("(LGPL-2.1-only OR MIT) AND BSD-3-Clause", (), ("lgpl-*",), True), ("", (), (), False),
    ("GPL-2.0-only WITH Classpath-exception-2.0", (), ("GPL-*",), False),
])  # fmt: skip
def test_rules_follow_the_expression(
    licence: str, allowed: tuple[str, ...], denied: tuple[str, ...], passes: bool
) -> None:
    """One of alternatives is enough, of what holds together all must pass."""
    assert permitted(licence, LicenceRules(allowed=allowed, denied=denied)) is passes


def test_licences_are_shown_and_judged_only_by_a_policy(installed: Licences) -> None:
    """Without rules a licence stands beside the name; with rules what they refuse, or nobody knows, is grave."""
    change = TreeChange.of({"requirements.txt": ""}, {"requirements.txt": "left-pad\nold\nnowhere\n"})
    shown = Dependencies(installed).collect(change)
    assert [each.text for each in shown.findings] == [
        "A new dependency: left-pad (MIT)",
        f"A new dependency: nowhere (licence {UNKNOWN})",
        "A new dependency: old (GPL-3.0-only)",
    ]
    assert shown.evidence[0].facts["licences"] == {"left-pad": "MIT", "nowhere": UNKNOWN, "old": "GPL-3.0-only"}
    judged = Dependencies(installed, LicenceRules(denied=("GPL-*",))).collect(change).findings
    grave = [each.text.split(" ")[3] for each in judged if each.kind == "dependencies.licence"]
    assert grave == ["nowhere", "old"]


def test_texts_that_are_no_licence_are_none() -> None:
    """Hostile or huge texts come to nothing."""
    assert [spdx(text) for text in ("", "(" * 5000, "MIT" * 200, "mit or", "\x1b[2J")] == [""] * 5

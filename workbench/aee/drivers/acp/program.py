"""Which files an agent's program consists of, so that its sandbox sees these, read-only, and nothing around them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.model.errors import NotFound
from workbench.ports import Mount

PACKAGES = "node_modules"
SYSTEM = (Path("/usr"), Path("/nix/store"))  # every sandbox sees these
SHEBANG_BYTES = 256


@dataclass(frozen=True, kw_only=True)
class Program:
    """What is run, and what it needs to be seen."""

    argv: tuple[str, ...]
    mounts: tuple[Mount, ...]


def program_of(command: Sequence[str], environment: Mapping[str, str]) -> Program:
    """The program of a command, by absolute paths; an npm package is run by its interpreter. Raises NotFound."""
    if not command:
        raise NotFound(
            "the agent has no command",
            hint='Write command = ["...", ...] for it into your own config.toml or .workbench/local.toml: a program '
            "that a repository names is not run.",
        )
    found = _found(command[0], environment)
    interpreter = _interpreter(found, environment)
    argv = (*map(str, interpreter), str(found), *command[1:])
    mounts = {mount.source: mount for mount in map(_mount, (*interpreter, found)) if mount is not None}
    return Program(argv=argv, mounts=tuple(mounts.values()))


def python() -> Program:
    """Our own interpreter without its environment, for the scripts that stand beside an agent."""
    path = Path(os.path.realpath(sys.executable))
    prefix = Path(sys.base_prefix)
    mounts = () if _is_system(path) else (Mount(source=str(prefix)),)
    return Program(argv=(str(path), "-I", "-S"), mounts=mounts)


def _found(name: str, environment: Mapping[str, str]) -> Path:
    path = shutil.which(os.path.expanduser(name), path=environment.get("PATH"))  # noqa: PTH111 - a word, maybe no path
    if path is None:
        raise NotFound(f"the agent's program {name!r} is not there", hint="Install it, or name it by its whole path.")
    return Path(path).resolve()


def _interpreter(script: Path, environment: Mapping[str, str]) -> tuple[Path, ...]:
    """What `#!/usr/bin/env NAME` names, as packages write it; other programs start by themselves."""
    with script.open("rb") as file:
        first = file.read(SHEBANG_BYTES).partition(b"\n")[0]
    words = first.removeprefix(b"#!").decode("utf-8", "replace").split() if first.startswith(b"#!") else []
    if len(words) < 2 or Path(words[0]).name != "env":
        return ()
    names = [word for word in words[1:] if not word.startswith("-")]
    return (_found(names[0], environment),) if names else ()


def _mount(path: Path) -> Mount | None:
    """A package's own tree of packages, or the one file."""
    if _is_system(path):
        return None
    if PACKAGES in path.parts:
        return Mount(source=str(Path(*path.parts[: path.parts.index(PACKAGES) + 1])))
    return Mount(source=str(path))


def _is_system(path: Path) -> bool:
    return any(path.is_relative_to(place) for place in SYSTEM)

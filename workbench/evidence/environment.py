"""The named environment that evidence runs in: found, recorded by digest, never inherited by accident; it runs nothing.

Order: what the configuration names, `.venv` in the checkout, the caller's `VIRTUAL_ENV` and `PATH` (handed in as
values), the system. Everything is mounted where it lies on the host: an editable install then resolves to the
checkout's path, which is where verification workspaces are mounted.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from workbench.model.digests import digest_of
from workbench.model.errors import EnvironmentProblem
from workbench.ports import Environment, Mount

SYSTEM_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_SYSTEM_ROOTS = ("/usr", "/bin", "/sbin", "/lib", "/lib64")  # every sandbox shows these
_TOOLS = ("python3", "node", "go", "cargo")  # programs whose installation is mounted when the search path has them
_NEVER_WHOLE = frozenset({"/", "/home", "/root", "/opt", "/var", "/etc", "/tmp", "/srv", "/mnt", "/media"})

Kind = Literal["configured", "venv", "caller", "system"]


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    kind: Kind
    label: str
    virtual_env: Path | None = None
    search_path: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def discover(
    checkout: Path,
    *,
    virtual_env: str = "",
    search_path: Sequence[str] = (),
    caller: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> Environment:
    """The environment for work on `checkout`.

    `virtual_env` and `search_path` come from the configuration, `caller` holds `VIRTUAL_ENV` and `PATH` of whoever
    asked. Raises EnvironmentProblem when a configured environment is not there, and when `.venv` or `node_modules`
    of the checkout is a link out of it: a repository that has such a link committed would name any directory of the
    person's to be shown to its code.
    """
    home = home or Path.home()
    found = _choose(checkout, virtual_env, search_path, caller or {})
    path, mounts = _places(found, checkout, home)
    env = {"PATH": ":".join(path)}
    if found.virtual_env:
        env["VIRTUAL_ENV"] = str(found.virtual_env)
    return Environment(
        kind=found.kind,
        label=found.label,
        env=env,
        mounts=tuple(mounts),
        digest=_digest(found, path, checkout),
        notes=found.notes,
    )


def _choose(checkout: Path, virtual_env: str, search_path: Sequence[str], caller: Mapping[str, str]) -> _Found:
    if virtual_env or search_path:
        return _configured(checkout, virtual_env, search_path)
    own = _own(checkout, ".venv", hint='Name it in your own configuration: environment.virtual_env = "/its/place".')
    asked = _absolute(caller.get("PATH", "").split(":"))
    if _is_venv(own):
        return _Found(kind="venv", label=".venv", virtual_env=own, search_path=asked)
    named = caller.get("VIRTUAL_ENV", "")
    if named and _is_venv(Path(named)):
        return _Found(kind="caller", label=f"the caller's {named}", virtual_env=Path(named), search_path=asked)
    lost = (f"VIRTUAL_ENV names {named}, which is no virtual environment",) if named else ()
    if asked:
        return _Found(kind="caller", label="the caller's PATH", search_path=asked, notes=lost)
    return _Found(kind="system", label="the system's programs", notes=lost)


def _configured(checkout: Path, virtual_env: str, search_path: Sequence[str]) -> _Found:
    chosen = checkout / virtual_env if virtual_env else None
    if chosen is not None and not Path(virtual_env).is_absolute():
        _own(checkout, virtual_env, hint="Name the place itself in your own configuration.")
    if chosen is not None and not _is_venv(chosen):
        raise EnvironmentProblem(
            f"The configured environment {virtual_env!r} is no virtual environment.",
            hint="Create it with `python3 -m venv`, or change `environment.virtual_env` in the configuration.",
        )
    label = virtual_env or ":".join(search_path)
    places = _absolute([str(checkout / place) for place in search_path])
    return _Found(kind="configured", label=label, virtual_env=chosen, search_path=places)


def _own(checkout: Path, name: str, *, hint: str) -> Path:
    """The place of that name in the checkout. Raises EnvironmentProblem when it is a link that leads out."""
    place = checkout / name
    if not place.resolve().is_relative_to(checkout.resolve()):
        raise EnvironmentProblem(f"{name} in the checkout is a link to a place outside of it.", hint=hint)
    return place


def _is_venv(place: Path) -> bool:
    return (place / "pyvenv.cfg").is_file() and os.path.lexists(place / "bin" / "python")


def _absolute(places: Iterable[str]) -> tuple[str, ...]:
    """The absolute places; an empty or relative entry would mean the directory of untrusted code."""
    return tuple(dict.fromkeys(place.rstrip("/") for place in places if place.startswith("/") and place != "/"))


def _places(found: _Found, checkout: Path, home: Path) -> tuple[list[str], list[Mount]]:
    path: list[str] = []
    mounts: dict[str, None] = {}
    if found.virtual_env:
        path.append(str(found.virtual_env / "bin"))
        mounts[str(found.virtual_env)] = None
        mounts.update(dict.fromkeys(_interpreter(found.virtual_env, home)))
    for tool in _TOOLS if found.search_path else ():
        place = _tool_place(tool, found.search_path, home)
        if place and place not in path:
            path.append(place)
            mounts.update(dict.fromkeys(_installation(Path(place), home)))
    modules = _own(checkout, "node_modules", hint="Install into the checkout itself, e.g. with `npm ci`.")
    if modules.is_dir():
        mounts[str(modules)] = None
    system = [place for place in SYSTEM_PATH if Path(place).is_dir()]
    return [*path, *(place for place in system if place not in path)], [Mount(source=m) for m in mounts]


def _interpreter(virtual_env: Path, home: Path) -> Iterator[str]:
    """The prefixes through which a virtual environment's links lead to its interpreter, one per hop.

    The links may come from the repository: only what looks like an installation of Python is shown.
    """
    place = virtual_env / "bin" / "python"
    for _ in range(16):  # a chain of links longer than this is a loop
        if not place.is_symlink():
            break
        target = place.readlink()
        place = Path(os.path.normpath(target if target.is_absolute() else place.parent / target))
        if not place.is_relative_to(virtual_env) and _is_python(place):
            yield from _installation(place.parent, home)


def _is_python(place: Path) -> bool:
    named = re.fullmatch(r"(python|pypy)[0-9.]*", place.name) is not None and place.parent.name == "bin"
    return named and os.access(place, os.X_OK) and any(place.parent.parent.glob("lib/p*3*"))


def _installation(binaries: Path, home: Path) -> Iterator[str]:
    """What to mount so that programs in `binaries` work: the prefix above a `bin`, unless the system shows it."""
    prefix = binaries.parent if binaries.name == "bin" else binaries
    if str(prefix) in _NEVER_WHOLE or str(prefix).startswith(tuple(f"{root}/" for root in _SYSTEM_ROOTS)):
        return
    if prefix in (home, home / ".local"):  # a person's own files stand beside their programs
        prefix = binaries
    if str(prefix) not in _SYSTEM_ROOTS and prefix.is_dir():
        yield str(prefix)


def _tool_place(tool: str, search_path: Sequence[str], home: Path) -> str:
    """The directory of the real `tool`; version managers' shims are followed to what they would run."""
    for place in search_path:
        if place.endswith("/.pyenv/shims"):
            real = _pyenv(Path(place).parent, tool)
        elif tool == "cargo" and place.endswith("/.cargo/bin"):
            real = _rustup(home)
        else:
            real = place if os.access(f"{place}/{tool}", os.X_OK) and not _in_home_bin(place, home) else ""
        if real:
            return "" if real in SYSTEM_PATH else real
    return ""


def _in_home_bin(place: str, home: Path) -> bool:
    """`~/bin` and `~/.local/bin` stand among a person's own files: their prefix is never mounted."""
    return Path(place).parent in (home, home / ".local")


def _pyenv(root: Path, tool: str) -> str:
    try:
        version = (root / "version").read_text().split()[0]
    except (OSError, IndexError):
        return ""
    place = root / "versions" / version / "bin"
    return str(place) if re.fullmatch(r"[\w.+-]+", version) and (place / tool).exists() else ""


def _rustup(home: Path) -> str:
    try:
        settings = (home / ".rustup" / "settings.toml").read_text()
    except OSError:
        return ""
    match = re.search(r'^default_toolchain\s*=\s*"([\w.+-]+)"', settings, re.MULTILINE)
    place = home / ".rustup" / "toolchains" / (match[1] if match else "") / "bin"
    return str(place) if match and (place / "cargo").exists() else ""


# --- digest ---------------------------------------------------------------------------------------------


def _digest(found: _Found, path: Sequence[str], checkout: Path) -> str:
    python = found.virtual_env or _prefix_of_python(path)
    parts = {
        "kind": found.kind,
        "interpreter": _version(python),
        "distributions": _distributions(python) if python else [],
        "programs": {tool: program for tool in _TOOLS if (program := _program(tool, path))},
        "node_modules": _file_digest(checkout / "node_modules" / ".package-lock.json"),
    }
    return digest_of(parts)


def _prefix_of_python(path: Sequence[str]) -> Path | None:
    return next((Path(place).parent for place in path if (Path(place) / "python3").exists()), None)


def _version(prefix: Path | None) -> str:
    settings = prefix / "pyvenv.cfg" if prefix else None
    if settings is None or not settings.is_file():
        return ""  # a plain interpreter is told apart by its program
    match = re.search(r"^version(?:_info)?\s*=\s*(\S+)", settings.read_text("utf-8", "replace"), re.MULTILINE)
    return match[1] if match else ""


def _distributions(prefix: Path) -> list[list[str]]:
    """Name, version and the digest of the list of files of each installed distribution; and what `.pth` files say."""
    found = []
    for site in sorted([*prefix.glob("lib/python*/site-packages"), *prefix.glob("lib/python3/dist-packages")]):
        for entry in sorted(site.iterdir()):
            if entry.name.endswith((".dist-info", ".egg-info")):
                found.append([entry.stem, _file_digest(entry / "RECORD")])
            elif entry.name.endswith((".pth", ".egg-link")):
                found.append([entry.name, _file_digest(entry)])
    return found


def _file_digest(place: Path) -> str:
    try:
        return hashlib.sha256(place.read_bytes()).hexdigest()
    except OSError:
        return ""


def _program(tool: str, path: Sequence[str]) -> list[int | str]:
    """Size and time of the program that a search finds: cheap, and different after an upgrade."""
    for place in path:
        candidate = Path(place) / tool
        if candidate.exists():
            found = candidate.stat()
            return [candidate.resolve().name, found.st_size, int(found.st_mtime)]
    return []

"""A repository's own rules on which module may need which, as its import-linter settings have them. It reads no tree.

The formats are import-linter's: `[tool.importlinter]` of pyproject.toml, `.importlinter` and `setup.cfg`.
"""

from __future__ import annotations

import configparser
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

FILES = ("pyproject.toml", ".importlinter", "setup.cfg")
MAX_BYTES = 1_000_000  # of one of these
MAX_CONTRACTS = 200
MAX_NAMES = 2_000  # of one list of a contract
READ = ("layers", "forbidden", "independence")  # the kinds that are understood


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """One rule. Names are patterns: `*` stands for one part, `**` for any number."""

    name: str
    kind: str
    containers: tuple[str, ...] = ()
    layers: tuple[tuple[str, ...], ...] = ()  # the highest first; names of one layer beside each other
    closed: tuple[bool, ...] = ()  # of each layer, whether its names must not need each other
    sources: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    ignored: tuple[tuple[str, str], ...] = ()
    directly: bool = False  # whether only what a module says itself counts

    def ignores(self, module: str, needs: str) -> bool:
        """Whether this need is excepted."""
        return any(_is(one, module) and _is(other, needs) for one, other in self.ignored)

    def breaks(self, module: str, needs: str) -> bool:
        """Whether one must not need the other."""
        return _BREAKS[self.kind](self, module, needs)


def contracts(texts: Mapping[str, bytes]) -> tuple[list[Contract], list[str]]:
    """The rules of these files by path, and what of them was not understood."""
    found: list[Contract] = []
    problems: list[str] = []
    for path in FILES:
        data = texts.get(path)
        if not data or b"importlinter" not in data:
            continue
        try:
            raw = list(_raw(path, data))
        except (ValueError, TypeError, AttributeError, RecursionError, configparser.Error):
            problems.append(f"{path}: its rules on imports cannot be read")
            continue
        for each in raw[:MAX_CONTRACTS]:
            name, kind = str(each.get("name") or each.get("id") or "?"), str(each.get("type") or "")
            if kind in READ:
                found.append(_contract(name, kind, each))
            else:
                problems.append(f"{path}: the rule {name!r} is of the kind {kind!r}, which is not held against changes")
    return found, problems


def _raw(path: str, data: bytes) -> Iterator[Mapping[str, Any]]:
    if len(data) > MAX_BYTES:
        raise ValueError("too large")
    text = data.decode()
    if path.endswith(".toml"):
        tool = tomllib.loads(text).get("tool", {}).get("importlinter", {})
        yield from (each for each in tool.get("contracts", []) if isinstance(each, dict))
        return
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    for section in parser.sections():
        if section.startswith("importlinter:contract:"):
            yield {"id": section.rpartition(":")[2], **parser[section]}


def _contract(name: str, kind: str, raw: Mapping[str, Any]) -> Contract:
    levels = [_without_brackets(line) for line in _names(raw.get("layers"))]
    ignored = [line.partition("->") for line in _names(raw.get("ignore_imports"))]
    return Contract(
        name=name,
        kind=kind,
        containers=tuple(_names(raw.get("containers"))),
        layers=tuple(tuple(_without_brackets(part) for part in re.split(r"[|:]", line)) for line in levels),
        closed=tuple(":" not in line for line in levels),
        sources=tuple(_names(raw.get("source_modules") if kind == "forbidden" else raw.get("modules"))),
        forbidden=tuple(_names(raw.get("forbidden_modules"))),
        ignored=tuple((one.strip(), other.strip()) for one, _, other in ignored),
        directly=str(raw.get("allow_indirect_imports", "")).lower() in ("true", "1", "yes", "on"),
    )


def _names(value: Any) -> list[str]:
    lines = value.splitlines() if isinstance(value, str) else value if isinstance(value, list) else []
    return [line.strip() for line in lines if isinstance(line, str) and line.strip()][:MAX_NAMES]


def _without_brackets(name: str) -> str:
    return name.strip().removeprefix("(").removesuffix(")").strip()


def _is(pattern: str, module: str) -> bool:
    """Whether a name is what a pattern says; both are compared part by part, so that no pattern can cost much."""
    return pattern == module or ("*" in pattern and _matches(pattern.split("."), module.split(".")))


def _matches(pattern: Sequence[str], parts: Sequence[str]) -> bool:
    reached = {0}  # how many parts may be taken up so far
    for piece in pattern:
        if piece == "**":
            reached = set(range(min(reached, default=0), len(parts) + 1)) if reached else set()
        else:
            reached = {at + 1 for at in reached if at < len(parts) and piece in ("*", parts[at])}
    return len(parts) in reached


def _holds(pattern: str, module: str) -> bool:
    """Whether a module is the one of that name, or stands in it."""
    if "*" not in pattern:
        return module == pattern or module.startswith(f"{pattern}.")
    parts = module.split(".")
    return any(_matches(pattern.split("."), parts[:count]) for count in range(1, len(parts) + 1))


def _place(contract: Contract, container: str, module: str) -> tuple[int, str] | None:
    """The number of the layer in which a module stands, and by which of its names."""
    for number, names in enumerate(contract.layers):
        for name in names:
            if _holds(f"{container}.{name}" if container else name, module):
                return number, name
    return None


def _layers(contract: Contract, module: str, needs: str) -> bool:
    for container in contract.containers or ("",):
        low, high = _place(contract, container, module), _place(contract, container, needs)
        if low is None or high is None:
            continue
        if high[0] < low[0] or (high[0] == low[0] and high[1] != low[1] and contract.closed[low[0]]):
            return True
    return False


def _forbidden(contract: Contract, module: str, needs: str) -> bool:
    return any(_holds(each, module) for each in contract.sources) and any(
        _holds(each, needs) for each in contract.forbidden
    )


def _independence(contract: Contract, module: str, needs: str) -> bool:
    one = next((each for each in contract.sources if _holds(each, module)), "")
    other = next((each for each in contract.sources if _holds(each, needs)), "")
    return bool(one and other) and one != other


_BREAKS: dict[str, Callable[[Contract, str, str], bool]] = {
    "layers": _layers,
    "forbidden": _forbidden,
    "independence": _independence,
}

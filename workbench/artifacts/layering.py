"""Settings as nested plain data: laid over each other, thinned out, and told by the paths of their keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def less(data: Mapping[str, Any], gone: set[tuple[str, ...]], path: tuple[str, ...]) -> dict[str, Any]:
    """The data without the keys of these paths."""
    kept = {key: value for key, value in data.items() if (*path, key) not in gone}
    return {key: less(value, gone, (*path, key)) if isinstance(value, dict) else value for key, value in kept.items()}


def over(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`, mapping by mapping."""
    out = dict(below)
    for key, value in above.items():
        known = out.get(key)
        out[key] = over(known, value) if isinstance(known, dict) and isinstance(value, Mapping) else value
    return out


def leaves(data: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each value that is no mapping with its path; below the second key all is one value: a driver's own."""
    for key, value in data.items():
        if isinstance(value, Mapping) and len(path) < 2:  # deeper ones are a driver's own
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def put(data: dict[str, Any], path: list[str], value: Any) -> None:
    """Set one value in nested data, making what lies above it."""
    for key in path[:-1]:
        data = data.setdefault(key, {})
    data[path[-1]] = value

"""Which names a manifest of Python's further formats depends on, read without running it; nothing is compared."""

from __future__ import annotations

import ast
import configparser
import re
import tomllib
from collections.abc import Iterator

_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_ITEM = re.compile(r"\s*-\s+[\"']?(?:[\w.-]+::)?([A-Za-z0-9][\w.-]*)")
_SETUP_LISTS = frozenset({"install_requires", "setup_requires", "tests_require", "extras_require"})


def normal(name: str) -> str:
    """A distribution's name as an index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def environment_yml(text: str) -> set[str]:
    """The items below `dependencies:` of a conda environment, those for pip included; channels apart."""
    names: set[str] = set()
    inside = False
    for line in text.splitlines():
        if line and not line[0].isspace() and not line.startswith(("-", "#")):
            inside = line.startswith("dependencies:")
            names |= {normal(m[1]) for word in re.split(r"[\[\],]", line)[1:] if inside and (m := _NAME.match(word))}
        elif inside and (found := _ITEM.match(line)):
            names.add(normal(found[1]))
    return names - {"python", "pip"}


def pipfile(text: str) -> set[str]:
    """The packages of a Pipfile, of every category. Raises ValueError."""
    tables = (
        table for name, table in tomllib.loads(text).items() if name not in ("source", "requires", "pipenv", "scripts")
    )
    return {normal(name) for table in tables if isinstance(table, dict) for name in table}


def setup_cfg(text: str) -> set[str]:
    """The requirements in setup.cfg. Raises ValueError."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error as problem:
        raise ValueError(str(problem)) from problem
    values = (
        [value for name, value in parser.items("options") if name in _SETUP_LISTS]
        if parser.has_section("options")
        else []
    )
    values += (
        [value for _, value in parser.items("options.extras_require")]
        if parser.has_section("options.extras_require")
        else []
    )
    return {normal(m[1]) for value in values for line in value.splitlines() if (m := _NAME.match(line))}


def setup_py(text: str) -> set[str]:
    """The literal requirements of a call of `setup`, or of a name that is given to it. Raises ValueError."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, MemoryError) as problem:
        raise ValueError(str(problem)) from problem
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    given = [word.value for call in calls for word in call.keywords if word.arg in _SETUP_LISTS]
    names = {value.id for value in given if isinstance(value, ast.Name)}
    assigned = (node for node in ast.walk(tree) if isinstance(node, ast.Assign))
    given += [n.value for n in assigned if any(isinstance(t, ast.Name) and t.id in names for t in n.targets)]
    return {normal(m[1]) for value in given for word in _strings(value) if (m := _NAME.match(word))}


def _strings(value: ast.expr) -> Iterator[str]:
    """The strings of a literal; of a dictionary those of its values."""
    inner = value.values if isinstance(value, ast.Dict) else [value]
    for each in inner:
        for node in ast.walk(each):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from node.value.splitlines()

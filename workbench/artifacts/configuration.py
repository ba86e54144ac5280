"""The settings: which there are, how a layer of them is read, and how layers lie over each other; it opens no file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec

from workbench.artifacts import fields as f
from workbench.artifacts.checker import ABSENT, Reader
from workbench.artifacts.files import ArtifactFile
from workbench.artifacts.layering import leaves, less, over, put
from workbench.artifacts.nodes import from_data
from workbench.artifacts.problem_list import ProblemList, has_errors
from workbench.artifacts.source import decode
from workbench.artifacts.terms import Command
from workbench.artifacts.toml_lines import Places, load
from workbench.model.errors import ArtifactInvalid
from workbench.model.problems import Problem

MAX_BYTES = 1 << 16  # of one configuration file
PREFIX = "WORKBENCH"  # of environment variables: WORKBENCH_RUN_MAX_RUNS
DEFAULT_ORIGIN = "default"
_NAMED = frozenset({"agents", "plugins"})  # sections of many tables, which hold keys that others know
SuiteKind = Literal["auto", "pytest", "unittest", "node", "npm", "go", "cargo", "make", "command"]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """How runs are carried out."""

    agent: str = ""
    max_runs: int = 0  # at once; 0: as many as there are cores
    sandbox: Literal["auto", "bubblewrap", "landlock", "sandbox-exec", "container", "none"] = "auto"
    wall_minutes: int = 120  # of one step
    memory_mb: int = 4096  # of one process
    processes: int = 512
    output_mb: int = 1  # kept of each output
    keep_minutes: int = 10  # the workspace of a run that is over, at least


class Tests(msgspec.Struct, frozen=True, kw_only=True):
    """How the suite is run; without a command, by convention."""

    __test__ = False  # keeps pytest from collecting the class

    command: Command = ""
    kind: SuiteKind = "auto"
    junit: str = ""
    timeout_s: int = 1800
    coverage: str = ""
    mutation_s: int = 60


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool that looks at code."""

    command: Command = ""


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """The environment that commands see; empty: `.venv`, else the caller's."""

    virtual_env: str = ""
    search_path: tuple[str, ...] = ()


class Prepare(msgspec.Struct, frozen=True, kw_only=True):
    """What installs a project's dependencies, once per state of its lock files."""

    command: Command = ""
    lock_files: tuple[str, ...] = ()
    network: bool = False
    outputs: tuple[str, ...] = ()
    timeout_s: int = 1800


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """How approved work enters."""

    mode: Literal["fast-forward", "merge", "squash"] = "merge"
    into: str = ""  # empty: the branch that is checked out at the start


class Resolutions(msgspec.Struct, frozen=True, kw_only=True):
    """Where a person's answers are kept besides the journal."""

    store: Literal["branch", "refs"] = "branch"


class Screens(msgspec.Struct, frozen=True, kw_only=True):
    """How the screens look and which keys they obey. A person's own: a repository cannot set them."""

    theme: str = "workbench-dark"
    keys: Literal["default", "vim", "plain"] = "default"
    bindings: dict[str, tuple[str, ...]] = {}
    glyphs: Literal["auto", "unicode", "ascii"] = "auto"
    motion: Literal["full", "none"] = "full"
    fps: int = 0
    mouse: bool = True
    notify: Literal["off", "bell", "desktop"] = "bell"


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """One agent. `options` are the keys that only its driver knows."""

    driver: str
    script: str = ""
    command: Command = ""
    model: str = ""
    options: dict[str, Any] = {}


class Plugin(msgspec.Struct, frozen=True, kw_only=True):
    """What is set of one plugin. `options` are the keys that only the plugin knows."""

    timeout_s: int = 0
    options: dict[str, Any] = {}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings."""

    run: Run = Run()
    tests: Tests = Tests()
    lint: Tool = Tool()
    types: Tool = Tool()
    environment: Environment = Environment()
    prepare: Prepare = Prepare()
    merge: Merge = Merge()
    resolutions: Resolutions = Resolutions()
    screens: Screens = Screens()
    agents: dict[str, Agent] = {}
    plugins: dict[str, Plugin] = {}


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """Settings from one place: nested plain data, and for each dotted key where it comes from."""

    data: dict[str, Any]
    origins: dict[str, str]


def _table() -> f.Table:
    run = {
        "agent": "the agent that works when none is named",
        "max_runs": "runs at once; 0: as many as there are cores",
        "sandbox": "auto (the best that works), bubblewrap, landlock, sandbox-exec, container or none (danger)",
        "wall_minutes": "minutes for one step of a run",
        "memory_mb": "megabytes for each process of an agent",
        "processes": "processes of an agent at once",
        "output_mb": "megabytes kept of each output, half from its start, half from its end",
        "keep_minutes": (
            "the workspace of a run that was merged or turned down, and holds nothing more than its commits, is given "
            "back between one and two times so many minutes later; 0: never, `workbench gc` does it"
        ),
    }
    tests = {
        "command": "how the suite is run: a command line, or a list of words; empty: by convention",
        "kind": "what runs it, so that single tests are known by name",
        "junit": "a JUnit XML file that the command leaves as `{report}/NAME`; `{report}` is a directory of each run",
        "timeout_s": "seconds for one run of the suite",
        "coverage": "an LCOV or Cobertura file that the command leaves as `{report}/NAME`",
        "mutation_s": "seconds in which faults are put into changed lines, to see whether tests notice; 0: off",
    }
    environment = {
        "virtual_env": "the virtual environment that commands see; empty: .venv, else the caller's",
        "search_path": "directories of programs that commands see, in this order",
    }
    prepare = {
        "command": "installs the project's dependencies, once per state of its lock files",
        "lock_files": "files whose content decides when it runs again",
        "network": "whether it may use the network; a person is asked to trust it first",
        "outputs": "directories that it makes, such as .venv",
        "timeout_s": "seconds for it",
    }
    merge = {"mode": "fast-forward, merge or squash", "into": "the branch; empty: the one checked out at the start"}
    screens = {
        "theme": "a shipped theme, or a file of yours beside config.toml, in themes/",
        "keys": "a preset: default, vim, or plain (arrows and function keys, no letters in a row)",
        "bindings": "keys of an action by its id; they take the place of the preset's",
        "glyphs": "unicode, ascii, or auto: what the locale can show",
        "motion": "none: nothing moves by itself",
        "fps": "frames a second at most, for a slow line; 0: as many as the screens want",
        "mouse": "whether the screens take the mouse; without, the terminal selects text by itself",
        "notify": "off, bell, or desktop (OSC 9 and OSC 777), when something needs you and nobody looks",
    }
    agent = {
        "driver": "the adapter, e.g. scripted",
        "script": "the file that a scripted agent plays",
        "command": "the program of the agent",
        "model": "the model, where the driver lets one choose",
    }
    agents = f.MapOf(_lax(Agent, agent, rest="options"))
    plugin = {"timeout_s": "seconds for each of its collectors; 0: as its manifest says"}
    plugins = f.MapOf(_lax(Plugin, plugin, rest="options", timeout_s=f.Integer(0, 7_200)))
    kinds: dict[str, f.Kind | f.Shape] = {
        "run": _lax(Run, run, agent=f.LINE, wall_minutes=f.Integer(1, 100_000), processes=f.Integer(1, 100_000)),
        "tests": _lax(
            Tests,
            tests,
            junit=f.PATH,
            coverage=f.PATH,
            timeout_s=f.Integer(1, 1_000_000),
            mutation_s=f.Integer(0, 100_000),
        ),
        "lint": _lax(Tool, {"command": "finds lint findings; empty: ours"}),
        "types": _lax(Tool, {"command": "finds type errors; empty: not checked"}),
        "environment": _lax(Environment, environment),
        "prepare": _lax(Prepare, prepare, lock_files=f.PATH, outputs=f.PATH, timeout_s=f.Integer(1, 1_000_000)),
        "merge": _lax(Merge, merge, into=f.REF),
        "resolutions": _lax(Resolutions, {"store": "branch: on the run's branch, too; refs: only in refs"}),
        "screens": _lax(Screens, screens, theme=f.LINE, fps=f.Integer(0, 120)),
        "agents": agents,
        "plugins": plugins,
    }
    docs = {
        "run": "how runs are carried out",
        "tests": "how the suite is run",
        "lint": "lint",
        "types": "types",
        "environment": "what commands see",
        "prepare": "how dependencies are installed",
        "merge": "how approved work enters",
        "resolutions": "where answers are kept besides the journal",
        "screens": "how the screens look, and their keys; only your own config.toml and the environment set these",
        "agents": "agents by name",
        "plugins": "plugins by name; what else stands there is the plugin's own",
    }
    return f.table(Settings, docs=docs, kinds=kinds, unknown="warning")


def _lax(kind: type[msgspec.Struct], docs: Mapping[str, str], *, rest: str = "", **kinds: f.Kind | f.Shape) -> f.Table:
    """A table in which an unknown key is only a warning: a newer version may know it."""
    return f.table(kind, docs=docs, kinds=kinds, unknown="warning", rest=rest)


FILE = ArtifactFile(Settings, _table, name="configuration")


def parse(text: str | bytes, path: str = "config.toml") -> Settings:
    """The settings of one file by itself. Raises ArtifactInvalid with all problems."""
    return merged([layer(text, path)])[0]


def check(text: str | bytes, path: str = "config.toml") -> list[Problem]:
    """All problems of a configuration file, unknown keys as warnings; never raises."""
    return _read(text, path)[1]


def layer(text: str | bytes, path: str) -> Layer:
    """What one file sets. Raises ArtifactInvalid with all problems; warnings are left to `check`."""
    found, problems = _read(text, path)
    if found is None or has_errors(problems):
        raise _invalid(path, problems)
    return found


def environment_layer(environment: Mapping[str, str]) -> Layer:
    """What variables such as `WORKBENCH_RUN_MAX_RUNS` set; lists are separated as in PATH."""
    given: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for section, row in _rows():
        name = f"{PREFIX}_{section}_{row.name}".upper()
        if name in environment:
            given[f"{section}.{row.name}"] = _from_word(row.kind, environment[name])
            origins[f"{section}.{row.name}"] = f"environment {name}"
    return _checked_values(given, origins, path="environment")


def flag_layer(flags: Mapping[str, Any]) -> Layer:
    """What a call's flags set, by dotted key; None means that a flag was not given."""
    given = {key: value for key, value in flags.items() if value is not None}
    return _checked_values(given, dict.fromkeys(given, "flag"), path="flags")


def merged(layers: Iterable[Layer]) -> tuple[Settings, dict[str, str]]:
    """All layers in one, later ones over earlier ones, and where each key comes from."""
    data: dict[str, Any] = {}
    origins = dict.fromkeys(flat(Settings()), DEFAULT_ORIGIN)
    for each in layers:
        data = over(data, each.data)
        origins.update(each.origins)
    reader = ProblemList("settings")
    complete = Reader(reader).read(FILE.table, from_data(data))
    if complete is ABSENT or has_errors(reader.listed()):
        raise _invalid("settings", reader.listed())
    return msgspec.convert(complete, Settings), origins


def flat(settings: Settings) -> dict[str, Any]:
    """All settings by dotted key, as `config show` lists them; keys that only a driver or a plugin knows, too."""
    return {".".join(key): value for key, value in leaves(_as_written(msgspec.to_builtins(settings)), ())}


def without_keys(given: Layer, keys: Iterable[tuple[str, ...]]) -> Layer:
    """A layer without some keys, each by its path, because its place may not set them. A name may have dots in it."""
    gone = set(keys)
    dotted = {".".join(path) for path in gone}
    origins = {key: at for key, at in given.origins.items() if key not in dotted}
    return Layer(data=less(given.data, gone, ()), origins=origins)


def _read(text: str | bytes, path: str) -> tuple[Layer | None, list[Problem]]:
    problems = ProblemList(path)
    decoded = decode(text, problems, limit=MAX_BYTES)
    loaded = None if decoded is None else load(decoded, problems)
    if loaded is None:
        return None, problems.listed()
    data, places = loaded
    read = _read_data(data, problems, places)
    if read is ABSENT:
        return None, problems.listed()
    plain = _as_written(read)
    origins = {".".join(key): _at(path, key, places) for key, _ in leaves(plain, ())}
    return Layer(data=plain, origins=origins), problems.listed()


def _read_data(data: Mapping[str, Any], problems: ProblemList, places: Places) -> Any:
    try:
        root = from_data(data, lines=places)
    except ValueError as error:
        problems.add(0, 0, str(error), "flatten it")
        return ABSENT
    return Reader(problems).read(_partial(), root)


def _partial() -> f.Table:
    """The table for one layer: a key that is required in the end may come from another layer."""
    rows = []
    for row in FILE.table.fields:
        kind = row.kind
        if isinstance(kind, f.MapOf) and isinstance(kind.value, f.Table):
            inner = tuple(msgspec.structs.replace(each, required=False) for each in kind.value.fields)
            kind = f.MapOf(msgspec.structs.replace(kind.value, fields=inner))
        rows.append(msgspec.structs.replace(row, kind=kind))
    return msgspec.structs.replace(FILE.table, fields=tuple(rows))


def _as_written(data: dict[str, Any]) -> dict[str, Any]:
    """The keys that only a driver knows stand beside the others, as in the file."""
    out = {key: value for key, value in data.items() if key not in _NAMED or value}
    for section in _NAMED & out.keys():
        out[section] = {name: {**each.pop("options", {}), **each} for name, each in out[section].items()}
    return out


def _at(path: str, key: tuple[str, ...], places: Mapping[tuple[str, ...], tuple[int, int]]) -> str:
    line, _ = places.get(key, (0, 0))
    return f"{path}:{line}" if line else path


def _checked_values(given: Mapping[str, Any], origins: dict[str, str], *, path: str) -> Layer:
    data: dict[str, Any] = {}
    for key, value in given.items():
        put(data, key.split("."), value)
    problems = ProblemList(path)
    read = _read_data(data, problems, {})
    if read is ABSENT or problems.listed():  # here, an unknown key is a slip of the caller
        raise _invalid(path, problems.listed())
    return Layer(data=_as_written(read), origins=origins)


def _rows() -> Iterator[tuple[str, f.Field]]:
    for section in FILE.table.fields:
        if isinstance(section.kind, f.Table):
            for row in section.kind.fields:
                yield section.name, row


def _from_word(kind: f.Kind, word: str) -> Any:
    """A variable's text as the kind of its setting wants it; what does not fit is left for the check to name."""
    if isinstance(kind, f.ListOf):
        return [part for part in word.split(os.pathsep) if part]
    if isinstance(kind, f.Flag):
        return {"1": True, "true": True, "0": False, "false": False}.get(word.lower(), word)
    if isinstance(kind, f.Integer) and word.strip().isascii() and word.strip().isdigit() and len(word) < 20:
        return int(word)
    return word


def _invalid(path: str, problems: list[Problem]) -> ArtifactInvalid:
    errors = [problem for problem in problems if problem.severity == "error"] or problems
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return ArtifactInvalid(f"{errors[0] if errors else path}{more}", problems, hint="mend the configuration")

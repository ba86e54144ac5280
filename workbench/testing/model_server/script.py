"""Scripts of the model server as YAML files, so that people can try agents without a key. It serves nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from workbench.model.errors import ArtifactInvalid
from workbench.model.problems import Problem
from workbench.testing.model_server.messages import Failure, Reply, Step, Use

REMEDY = "a list of say, call, fail: see the page on agents"


def parse(text: str, path: str) -> list[Step]:
    """The replies of a script. Raises ArtifactInvalid.

    Each entry is a mapping: `say` (text), `call` (one mapping of a tool's name to its arguments, or a list of them),
    `stop_reason`, `usage`, `cut_at`, `pause_s`; or `fail` (a status) with `message` and `retry_after`.
    """
    try:
        entries = YAML(typ="safe").load(text)
    except YAMLError as error:
        raise _invalid(path, str(error)) from None
    if not isinstance(entries, list):
        raise _invalid(path, "a script is a list of replies")
    return [_step(entry, number, path) for number, entry in enumerate(entries, 1)]


def _step(entry: Any, number: int, path: str) -> Step:
    try:
        given = dict(entry)
        if "fail" in given:
            status = given.pop("fail")
            return msgspec.convert({**given, "status": status}, Failure)
        text, calls = given.pop("say", ""), given.pop("call", [])
        uses = [_use(call) for call in (calls if isinstance(calls, list) else [calls])]
        return msgspec.convert({**given, "text": text, "uses": uses}, Reply)
    except (AttributeError, TypeError, ValueError) as error:
        raise _invalid(path, f"reply {number}: {error}") from None


def _use(call: Mapping[str, Any]) -> dict[str, Any]:
    ((tool, arguments),) = call.items()
    return msgspec.to_builtins(Use(tool=str(tool), arguments=dict(arguments or {})))  # type: ignore[no-any-return]


def _invalid(path: str, text: str) -> ArtifactInvalid:
    problem = Problem(path=path, line=1, column=1, text=text, remedy=REMEDY)
    return ArtifactInvalid(f"{path}: {text}", [problem], hint=REMEDY)

"""The script of a scripted agent: YAML, untrusted, checked with line numbers; it plays nothing.

    agent: ada
    model: none                       # shown only
    steps:
      - think: I look first.
      - read: src/a.py                # or {path, first_line, lines}; list and search likewise
      - edit: {path: src/a.py, old: "x = 1", new: "x = 2"}       # or {path, content} | {path, move_to}
      - delete: src/old.py
      - files: {docs/a.md: "text", docs/old.md: null}            # whole files; null removes one
      - patch: |                      # a unified diff
          ...
      - run: python -m compileall .   # or {command, cwd, timeout_s}
      - test: {}
      - ask: {id: q1, summary: ..., options: [{id: A, label: ...}], then: {A: [steps], else: [steps]}}
      - use: {tool: recall_resolutions, arguments: {query: retry}}
      - delay: 0.5
      - fail: a reason                # the turn ends in an error
      - crash: true                   # the process kills itself, once, where that is allowed
      - submit: {message: ..., rationale: {approach: ...}}
      - on_changes_requested: [steps] # played after a person sent the pack back; the n-th list for the n-th time
      - on_message: {contains: docs, steps: [steps]}  # played when a person says something with that word to the agent

Beside its kind, a step may have `on_interrupted: retry` (do a run or test again whose outcome nobody recorded) and
`allow_error: true` (go on when the tool says no). Tests that fail, or cannot be run, stop the script only where `test`
has `must_pass: true` beside it. `ask` may have `on_standing: follow` (take the branch of a matching
standing resolution instead of asking; the default asks nevertheless).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from workbench.aee.tools.checked import Arguments
from workbench.aee.tools.command import RunArguments
from workbench.aee.tools.consultation import AskArguments
from workbench.aee.tools.edit import EditArguments
from workbench.aee.tools.listing import ListArguments
from workbench.aee.tools.patch import PatchArguments
from workbench.aee.tools.read import ReadArguments
from workbench.aee.tools.search import SearchArguments
from workbench.aee.tools.submission import SubmitArguments
from workbench.aee.tools.suite import TestArguments
from workbench.artifacts.nodes import ListNode, MapNode, Node, Scalar, from_yaml
from workbench.artifacts.problem_list import ProblemList, did_you_mean, has_errors, quoted
from workbench.artifacts.source import decode
from workbench.model.errors import ArtifactInvalid
from workbench.model.problems import Problem

SCRIPT_BYTES = 8 << 20  # a whole release's diff fits
DELAY_S = 3600.0  # of one step
STEPS = 2000  # in all branches together
OTHERWISE = "else"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step. `value` is what its kind needs: text, seconds, or the arguments of a tool."""

    kind: str
    line: int
    tool: str = ""
    value: Any = None
    branches: dict[str, tuple[Step, ...]] = {}
    retry: bool = False
    allow_error: bool = False
    must_pass: bool = False
    follow: bool = False


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What follows on a message that contains a text; an empty one is in all."""

    contains: str
    steps: tuple[Step, ...]


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """A script: the main steps, one list for each time that changes are requested, and what follows on messages."""

    agent: str
    model: str = ""
    steps: tuple[Step, ...] = ()
    rounds: tuple[tuple[Step, ...], ...] = ()
    replies: tuple[Reply, ...] = ()

    def reply_to(self, text: str) -> tuple[Step, ...]:
        """The steps that follow on a message: of the first reply that it fits; none where none does."""
        words = text.casefold()
        return next((reply.steps for reply in self.replies if reply.contains.casefold() in words), ())


class _ToolKind(msgspec.Struct, frozen=True):
    """A step that is a tool call; a bare text stands for the argument `short`."""

    tool: str
    arguments: type[Arguments]
    short: str = ""


_TOOL_KINDS = {
    "read": _ToolKind("read", ReadArguments, "path"),
    "list": _ToolKind("list", ListArguments, "path"),
    "search": _ToolKind("search", SearchArguments, "pattern"),
    "edit": _ToolKind("edit", EditArguments),
    "delete": _ToolKind("edit", EditArguments, "path"),
    "patch": _ToolKind("patch", PatchArguments, "patch"),
    "run": _ToolKind("run", RunArguments, "command"),
    "test": _ToolKind("test", TestArguments),
    "ask": _ToolKind("request_consultation", AskArguments, "summary"),
    "submit": _ToolKind("submit_merge_readiness", SubmitArguments, "message"),
}
_MODIFIERS = ("on_interrupted", "allow_error", "must_pass")
_AT = re.compile(r" - at `\$(?P<path>[^`]*)`\Z")


def validate(text: str | bytes, path: str = "script.yaml") -> list[Problem]:
    """Every problem of a script; never raises."""
    return _read(text, path)[1]


def parse(text: str | bytes, path: str = "script.yaml") -> Script:
    """The script. Raises ArtifactInvalid with all problems."""
    script, problems = _read(text, path)
    if script is None or has_errors(problems):
        raise ArtifactInvalid(f"{path} is no valid script", problems, hint="Mend the lines named.")
    return script


def _read(text: str | bytes, path: str) -> tuple[Script | None, list[Problem]]:
    problems = ProblemList(path)
    decoded = decode(text, problems, limit=SCRIPT_BYTES)
    root = None if decoded is None else from_yaml(decoded, problems)
    if root is None:
        if not problems.listed():
            problems.add(0, 0, "the script is empty", "give `agent` and `steps`")
        return None, problems.listed()
    return _Reader(problems).script(root), problems.listed()


class _Reader:
    """Makes steps of nodes and notes what is wrong with them."""

    def __init__(self, problems: ProblemList) -> None:
        self._problems = problems
        self._rounds: list[tuple[Step, ...]] = []
        self._replies: list[Reply] = []
        self._count = 0

    def script(self, root: Node) -> Script | None:
        if not isinstance(root, MapNode):
            self._wrong(root, "a script is a mapping", "give `agent` and `steps`")
            return None
        known = {"agent": "", "model": ""}
        for entry in root.entries:
            if entry.key.text not in (*known, "steps"):
                self._wrong(
                    entry.key, f"unknown key {quoted(entry.key.text)}", did_you_mean(entry.key.text, (*known, "steps"))
                )
        for name in known:
            node = root.get(name)
            known[name] = self._text(node) if node is not None else ""
        if root.get("agent") is None:
            self._wrong(root, "`agent` is missing", "name the agent")
        steps = root.get("steps")
        if steps is None:
            self._wrong(root, "`steps` is missing", "give a list of steps")
            return None
        made = self._steps(steps)
        return Script(**known, steps=made, rounds=tuple(self._rounds), replies=tuple(self._replies))

    def _steps(self, node: Node) -> tuple[Step, ...]:
        if not isinstance(node, ListNode):
            self._wrong(node, "steps are a list", "start each step with `- `")
            return ()
        return tuple(step for item in node.items if (step := self._step(item)) is not None)

    def _step(self, node: Node) -> Step | None:
        self._count += 1
        if self._count > STEPS:
            return self._wrong(node, f"more than {STEPS} steps", "split the script")
        if not isinstance(node, MapNode):
            return self._wrong(node, "a step is a mapping with one kind", did_you_mean("", _KINDS))
        kinds = [entry for entry in node.entries if entry.key.text not in _MODIFIERS]
        if len(kinds) != 1:
            return self._wrong(node, f"a step has one kind, this one has {len(kinds)}", did_you_mean("", _KINDS))
        key, value = kinds[0].key, kinds[0].value
        make = _KINDS.get(key.text)
        if make is None:
            return self._wrong(key, f"unknown step {quoted(key.text)}", did_you_mean(key.text, _KINDS))
        made = make(self, key.text, value)
        if made is None:
            return None
        return msgspec.structs.replace(made, line=key.line, **self._modifiers(node))

    def _modifiers(self, node: MapNode) -> dict[str, bool]:
        given = {}
        if (retry := node.get("on_interrupted")) is not None:
            given["retry"] = self._choice(retry, ("retry", "go-on")) == "retry"
        for name in ("allow_error", "must_pass"):
            if (said := node.get(name)) is not None:
                given[name] = _plain(said) is True
                if not isinstance(_plain(said), bool):
                    self._wrong(said, f"`{name}` is true or false", "write true")
        if "must_pass" in given and node.get("test") is None:
            self._wrong(node, "`must_pass` stands beside `test` only", "remove it")
        return given

    def tool_call(self, kind: str, node: Node) -> Step | None:
        known = _TOOL_KINDS[kind]
        value = _plain(node)
        if isinstance(value, str) and known.short:
            value = {known.short: value}
        if value is None and not known.short:
            value = {}
        if not isinstance(value, dict):
            return self._wrong(node, f"`{kind}` takes a mapping", "see the step's arguments")
        if kind == "delete":
            value = {**value, "delete": True}
        return self._checked(kind, node, value, known)

    def _checked(self, kind: str, node: Node, value: dict[str, Any], known: _ToolKind) -> Step | None:
        try:
            msgspec.convert(value, known.arguments)
        except (msgspec.ValidationError, ValueError) as error:
            return self._unfit(kind, node, error)
        return Step(kind=kind, line=0, tool=known.tool, value=value)

    def _unfit(self, kind: str, node: Node, error: Exception) -> Step | None:
        text = str(error)
        found = _AT.search(text)
        place = _node_at(node, found["path"]) if found else node
        unknown = re.search(r"unknown field `(.*?)`", text)
        fields = _TOOL_KINDS[kind].arguments.__struct_fields__
        remedy = did_you_mean(unknown[1], fields) if unknown else "see the tool's parameters; quote texts"
        if unknown and isinstance(place, MapNode):
            place = next((e.key for e in place.entries if e.key.text == unknown[1]), place)
        return self._wrong(place, f"`{kind}`: {_AT.sub('', text)}", remedy)

    def ask(self, kind: str, node: Node) -> Step | None:
        then, follow, kept = None, False, node
        if isinstance(node, MapNode):
            then, standing = node.get("then"), node.get("on_standing")
            follow = standing is not None and self._choice(standing, ("ask", "follow")) == "follow"
            own = ("id", "then", "on_standing")
            kept = msgspec.structs.replace(node, entries=tuple(e for e in node.entries if e.key.text not in own))
        step = self.tool_call(kind, kept)
        branches = self._branches(then) if then is not None else {}
        return None if step is None else msgspec.structs.replace(step, branches=branches, follow=follow)

    def _branches(self, node: Node) -> dict[str, tuple[Step, ...]]:
        if not isinstance(node, MapNode):
            self._wrong(node, "`then` maps options to steps", "write `A: [steps]`")
            return {}
        return {entry.key.text: self._steps(entry.value) for entry in node.entries}

    def files(self, kind: str, node: Node) -> Step | None:
        value = _plain(node)
        if not isinstance(node, MapNode) or not all(text is None or isinstance(text, str) for text in value.values()):
            return self._wrong(node, "`files` maps paths to texts, or to null", "quote each text")
        return Step(kind=kind, line=0, tool="edit", value=value)

    def use(self, kind: str, node: Node) -> Step | None:
        value = _plain(node)
        if not isinstance(value, dict) or not isinstance(value.get("tool"), str):
            return self._wrong(node, "`use` takes {tool, arguments}", "name the tool")
        arguments = value.get("arguments") or {}
        if not isinstance(arguments, dict) or set(value) - {"tool", "arguments"}:
            return self._wrong(node, "`use` takes {tool, arguments}", "give arguments as a mapping")
        return Step(kind=kind, line=0, tool=value["tool"], value=arguments)

    def saying(self, kind: str, node: Node) -> Step | None:
        return Step(kind=kind, line=0, value=self._text(node))

    def delay(self, kind: str, node: Node) -> Step | None:
        value = _plain(node)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= DELAY_S:
            return self._wrong(node, f"`delay` is seconds from 0 to {DELAY_S:.0f}", "write a number")
        return Step(kind=kind, line=0, value=float(value))

    def crash(self, kind: str, node: Node) -> Step | None:
        if _plain(node) is not True:
            return self._wrong(node, "`crash` is true", "remove the step, or write true")
        return Step(kind=kind, line=0)

    def round(self, _kind: str, node: Node) -> None:
        self._rounds.append(self._steps(node))

    def reply(self, _kind: str, node: Node) -> None:
        steps = node.get("steps") if isinstance(node, MapNode) else None
        if not isinstance(node, MapNode) or steps is None or {e.key.text for e in node.entries} - {"contains", "steps"}:
            self._wrong(node, "`on_message` takes {contains, steps}", "write `{contains: docs, steps: [...]}`")
            return
        contains = node.get("contains")
        text = self._text(contains) if contains is not None else ""
        self._replies.append(Reply(contains=text, steps=self._steps(steps)))

    def _text(self, node: Node) -> str:
        value = _plain(node)
        if not isinstance(value, str):
            self._wrong(node, "a text is expected", "quote it")
            return ""
        return value

    def _choice(self, node: Node, known: tuple[str, ...]) -> str:
        value = str(_plain(node))
        if value not in known:
            self._wrong(node, f"{quoted(value)} is no choice here", did_you_mean(value, known))
        return value

    def _wrong(self, node: Node, text: str, remedy: str) -> Step | None:
        """Note a problem; None, for callers to give back in place of what they should have made."""
        self._problems.add(node.line, node.column, text, remedy)
        return None


_KINDS: dict[str, Callable[[_Reader, str, Node], Step | None]] = {
    "think": _Reader.saying,
    **dict.fromkeys(("read", "list", "search", "edit", "delete", "patch", "run", "test", "submit"), _Reader.tool_call),
    "files": _Reader.files,
    "ask": _Reader.ask,
    "use": _Reader.use,
    "delay": _Reader.delay,
    "fail": _Reader.saying,
    "crash": _Reader.crash,
    "on_changes_requested": _Reader.round,
    "on_message": _Reader.reply,
}


def _plain(node: Node) -> Any:
    """The node as plain data; its depth was bounded when it was read."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, ListNode):
        return [_plain(item) for item in node.items]
    return {entry.key.text: _plain(entry.value) for entry in node.entries}


def _node_at(node: Node, path: str) -> Node:
    """The node that a path like `.options[1].id` names, or the nearest above it."""
    for name, index in re.findall(r"\.([A-Za-z_]+)|\[(\d+)\]", path):
        below: Node | None = None
        if name and isinstance(node, MapNode):
            below = node.get(name)
        elif index and isinstance(node, ListNode) and int(index) < len(node.items):
            below = node.items[int(index)]
        if below is None:
            return node
        node = below
    return node


def option_of(resolution: Mapping[str, Any]) -> str:
    """What a resolution chose, as scripts name branches: the option's id, else the decision."""
    return str(resolution.get("option") or resolution.get("decision") or "")

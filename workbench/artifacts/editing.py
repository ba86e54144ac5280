"""Changes a written artifact and leaves everything else as it stands: comments, order, quotes, layout.

Only the spans of changed values are replaced. The result is read again; where it does not say exactly what it should,
the artifact is written afresh, for a right file is worth more than its comments.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from workbench.artifacts.emitter import after_key, block, flow, key_text, plain
from workbench.artifacts.files import ArtifactFile, Reading
from workbench.artifacts.nodes import Entry, ListNode, MapNode, Node, Scalar
from workbench.artifacts.problem_list import has_errors
from workbench.artifacts.source import trimmed

T = TypeVar("T", bound=msgspec.Struct)


class _Splice(msgspec.Struct, frozen=True):
    """Text that takes the place of `start` to `end`."""

    start: int
    end: int
    text: str


class _Unsuitable(Exception):
    """This part cannot be changed in place; the part around it is written anew."""


def edited(file: ArtifactFile[T], value: T, original: str) -> str:
    """`original` changed to say `value`."""
    reading = file.read(original, "original")
    if reading.data is None or not isinstance(reading.root, MapNode) or reading.source is None:
        return file.render(value)
    text = _changed(file, value, reading)
    again = file.read(text, "edited")
    same = again.data is not None and not has_errors(again.problems) and _of(file, again) == value
    return text if same else file.render(value)


def _of(file: ArtifactFile[T], reading: Reading) -> T:
    return msgspec.convert(reading.data, file.kind)


def _changed(file: ArtifactFile[T], value: T, reading: Reading) -> str:
    source, root = reading.source, reading.root
    if source is None or not isinstance(root, MapNode) or reading.data is None:
        return file.render(value)
    front = source.data if source.data.endswith("\n") else source.data + "\n"
    old = plain(_of(file, reading), file.table) if not has_errors(reading.problems) else {}
    try:
        splices = _in_mapping(front, root, old, plain(value, file.table))
    except _Unsuitable:
        return file.render(value)
    front = _spliced(front, splices)
    if file.form == "yaml":
        return front
    body = trimmed(getattr(value, "body", ""))
    tail = (
        source.tail if body == source.body else source.tail.split("\n", 1)[0] + "\n" + (f"\n{body}\n" if body else "")
    )
    return source.head + front + tail


def _spliced(text: str, splices: list[_Splice]) -> str:
    ordered = sorted(enumerate(splices), key=lambda pair: (pair[1].start, pair[0]), reverse=True)
    for _, splice in ordered:
        text = text[: splice.start] + splice.text + text[splice.end :]
    return text


def _in_mapping(text: str, node: MapNode, old: dict[str, Any], new: dict[str, Any]) -> list[_Splice]:
    """What turns `old` into `new` where `node` stands."""
    if node.flow or not node.entries:
        raise _Unsuitable
    splices: list[_Splice] = []
    entries = {entry.key.text: entry for entry in node.entries}
    for name in old:
        if name not in new and name in entries:
            splices.append(_without(text, node, entries[name]))
    before: Entry | None = None
    for name, value in new.items():
        entry = entries.get(name)
        if entry is None:
            splices.append(_added(text, node, before or _last_kept(node, new), name, value))
            continue
        before = entry
        if name not in old or old[name] != value:
            splices.extend(_in_entry(text, entry, old.get(name), value))
    return splices


def _in_entry(text: str, entry: Entry, old: Any, new: Any) -> list[_Splice]:
    try:
        return _in_value(text, entry.value, old, new)
    except _Unsuitable:
        written = after_key(new, entry.key.column - 1).removesuffix("\n")
        return [_Splice(entry.key.end, max(entry.value.end, _colon_end(text, entry)), f":{written}")]


def _in_value(text: str, node: Node, old: Any, new: Any) -> list[_Splice]:
    if isinstance(node, MapNode) and isinstance(old, dict) and isinstance(new, dict):
        return _in_mapping(text, node, old, new)
    if isinstance(node, ListNode) and isinstance(old, list) and isinstance(new, list):
        return _in_list(text, node, old, new)
    if isinstance(node, Scalar) and not isinstance(new, (dict, list)) and text[node.start : node.end]:
        if text[node.start] in "|>" or (isinstance(new, str) and "\n" in new):
            raise _Unsuitable
        return [_Splice(node.start, node.end, flow(new))]
    raise _Unsuitable


def _in_list(text: str, node: ListNode, old: list[Any], new: list[Any]) -> list[_Splice]:
    """Changed items in place, further ones below the last; a shorter list is written anew."""
    if node.flow or not node.items or len(old) != len(node.items) or len(new) < len(old):
        raise _Unsuitable
    splices: list[_Splice] = []
    for item, before, after in zip(node.items, old, new, strict=False):
        if before != after:
            splices.extend(_in_value(text, item, before, after))
    if len(new) > len(old):
        at = _line_end(text, node.end)
        splices.append(_Splice(at, at, "\n" + block(new[len(old) :], node.column - 1).removesuffix("\n")))
    return splices


def _without(text: str, node: MapNode, entry: Entry) -> _Splice:
    start = text.rfind("\n", 0, entry.key.start) + 1
    if text[start : entry.key.start].strip() or len(node.entries) == 1:
        raise _Unsuitable  # it shares its line with a dash, or nothing would be left
    return _Splice(start, _line_end(text, max(entry.value.end, _colon_end(text, entry))) + 1, "")


def _added(text: str, node: MapNode, after: Entry, name: str, value: Any) -> _Splice:
    indent = node.entries[0].key.column - 1
    at = _line_end(text, max(after.value.end, _colon_end(text, after)))
    return _Splice(at, at, f"\n{' ' * indent}{key_text(name)}:{after_key(value, indent)}".removesuffix("\n"))


def _last_kept(node: MapNode, new: dict[str, Any]) -> Entry:
    kept = [entry for entry in node.entries if entry.key.text in new]
    if not kept:
        raise _Unsuitable
    return kept[-1]


def _colon_end(text: str, entry: Entry) -> int:
    return text.find(":", entry.key.end) + 1


def _line_end(text: str, index: int) -> int:
    end = text.find("\n", index)
    return len(text) if end < 0 else end

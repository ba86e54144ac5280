"""Bad input by the thousand: seeded mutations of good examples; the same seed, name and number give the same bytes."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

LARGEST = 300_000  # bytes; the parsers' own limits are tested beside each of them

# ruff: noqa: E501 - one long list reads best as it is
NASTY: tuple[bytes, ...] = (
    b"\0", b"\x1b[2J\x1b]52;c;eA==\x07", b"\xc2\x9b31m", b"\xff\xfe", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf",
    b"\xef\xbb\xbf", "\u202eevil\u2066".encode(), "\u200b\u2028\u2029\x85".encode(), "\U000e0041".encode(), b"\r", b"\t",
    b"&a [*a, *a]", b"*nowhere", b"<<: *x", b"!!python/object/apply:os.system [x]", b"!!binary x", b"? ", b"- - - - -",
    b"{{{{{{{{", b"[" * 3000, b"{\"a\":" * 3000, b"<a>" * 3000, b"- " * 3000, b"  " * 3000, b"(" * 3000,
    b"1e999", b"-1", b"0", b"9" * 400, b"9" * 5000, b"0x7fffffffffffffff", b"1_000", b"NaN", b".inf", b"-.inf", b"2026-13-45",
    b"null", b"true", b"~", b"''", b'"', b"'", b"`", b"\\", b"%", b"${IFS}", b"$(id)", b"../../../../etc/passwd", b"-rf",
    b"---\n", b"...\n", b"--- |\n", b"%YAML 9.9\n---\n", b"\n\n\n", b": ", b":", b"#", b"=", b"[x]\n", b"[[x]]\n", b"x = 1\n",
    b"x" * 70_000, b"\n" * 5000, b"<!DOCTYPE a [<!ENTITY b \"cc\">]>", b"&b;", b"<![CDATA[", b"]]>", b"<?xml version='1.0' encoding='x'?>",
    b"@@ -1,0 +999999999999,2 @@", b"diff --git ", b"diff --cc ", b"Binary files differ", b"\\ No newline", b"\xe2\x80\xae",
)  # fmt: skip

Mutator = Callable[[random.Random, bytes], bytes]


def mutated(examples: Sequence[bytes], *, seed: int, name: str, number: int, largest: int = LARGEST) -> bytes:
    """The input of that number: an example with one to four mutations, one by one."""
    chance = random.Random(f"{seed}:{name}:{number}")
    data = chance.choice(examples)
    for _ in range(chance.randint(1, 4)):
        data = chance.choice(MUTATORS)(chance, data)
    return data[:largest]


def _flip(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        if changed:
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _insert(chance: random.Random, data: bytes) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + chance.choice(NASTY) + data[at:]


def _replace_word(chance: random.Random, data: bytes) -> bytes:
    """A whole word or number becomes something nasty, which keeps the rest in shape."""
    words = data.split(b" ")
    words[chance.randrange(len(words))] = chance.choice(NASTY)
    return b" ".join(words)


def _replace_value(chance: random.Random, data: bytes) -> bytes:
    """What stands after a colon or an equals sign becomes something else."""
    lines = data.split(b"\n")
    at = chance.randrange(len(lines))
    for sign in (b": ", b" = ", b"="):
        if sign in lines[at]:
            lines[at] = lines[at].partition(sign)[0] + sign + chance.choice(NASTY)
            break
    return b"\n".join(lines)


def _cut(chance: random.Random, data: bytes) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] if chance.random() < 0.6 else data[at:]


def _delete(chance: random.Random, data: bytes) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + data[at + chance.randint(1, 40) :]


def _double(chance: random.Random, data: bytes) -> bytes:
    at = chance.randint(0, len(data))
    part = data[at : at + chance.randint(1, 200)]
    return data[:at] + part * chance.choice((2, 3, 50)) + data[at:]


def _shuffle_lines(chance: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    first, second = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines)


def _repeat_line(chance: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    at = chance.randrange(len(lines))
    return b"\n".join([*lines[:at], *[lines[at]] * chance.choice((2, 300)), *lines[at:]])


def _indent(chance: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    at = chance.randrange(len(lines))
    lines[at] = chance.choice((b" ", b"    ", b"\t", b"- ")) + lines[at]
    return b"\n".join(lines)


def _encode(chance: random.Random, data: bytes) -> bytes:
    how = chance.choice(("utf-16", "utf-32", "latin-1", "crlf"))
    if how == "crlf":
        return data.replace(b"\n", b"\r\n")
    return data.decode("utf-8", "replace").encode(how, "replace")


def _noise(chance: random.Random, data: bytes) -> bytes:
    return chance.randbytes(chance.randint(0, 300)) if chance.random() < 0.3 else data


ODD_NUMBERS = (b"1e999", b"-1e999", b"-1", b"0", b"1.5", b"9" * 30, b"9" * 5000, b"NaN", b"0x1f", b"1_0")
ODD_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 10**30, 1.5, float("inf"), float("nan"), "", "\x1b[2J", "\ud800", "a\nb", "../..", [], [[]], {}, {"a": {}}, ["x"] * 50,
)  # fmt: skip


def _replace_number(chance: random.Random, data: bytes) -> bytes:
    found = list(re.finditer(rb"\d+", data))
    if not found:
        return data
    which = chance.choice(found)
    return data[: which.start()] + chance.choice(ODD_NUMBERS) + data[which.end() :]


def _replace_leaf(chance: random.Random, data: bytes) -> bytes:
    """Of JSON, one line or the whole: a value deep in it becomes one of another kind, or its name is lost."""
    lines = data.split(b"\n")
    at = chance.randrange(len(lines))
    for pieces, index in ((lines, at), ([data], 0)):
        try:
            value = json.loads(pieces[index])
        except (ValueError, RecursionError):
            continue
        pieces[index] = json.dumps(_with_odd_leaf(chance, value)).encode("utf-8", "surrogatepass")
        return b"\n".join(pieces)
    return data


def _with_odd_leaf(chance: random.Random, value: Any) -> Any:
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice(list(value))
        if chance.random() < 0.1:
            return {name: item for name, item in value.items() if name != key}
        return {**value, key: _with_odd_leaf(chance, value[key])}
    if isinstance(value, list) and value and chance.random() < 0.85:
        at = chance.randrange(len(value))
        return [*value[:at], _with_odd_leaf(chance, value[at]), *value[at + 1 :]]
    return chance.choice(ODD_VALUES)


MUTATORS: tuple[Mutator, ...] = (
    _flip, _insert, _insert, _replace_word, _replace_word, _replace_value, _replace_value, _cut, _delete, _double,
    _shuffle_lines, _repeat_line, _indent, _encode, _noise, _replace_number, _replace_number, _replace_leaf, _replace_leaf,
    _replace_leaf,
)  # fmt: skip

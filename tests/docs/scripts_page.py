"""The page of the scripted agent's format: the words of the module that reads it, and the arguments of its steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.docs.markdown import code, page, table
from workbench.aee.drivers import script
from workbench.aee.tools.checked import schema_of

INTRODUCTION = """
# Scripts of scripted agents

A scripted agent plays a YAML file: deterministic, offline, without a model. Name it in the settings
(`[agents.NAME]` with `driver = "scripted"` and `script = "PATH"`), or by `workbench run ... --script FILE`. A script
goes through the same tools, sandbox and gate as any agent.
"""


def text() -> str:
    """The whole page."""
    blocks = [INTRODUCTION, "## Form", *_form()]
    told: set[str] = set()
    for kind, tool in script._TOOL_KINDS.items():
        schema = schema_of(tool.arguments)
        short = f" A bare text is its `{tool.short}`." if tool.short else ""
        blocks += [f"## `{kind}`", f"The tool `{tool.tool}`.{short}"]
        rows = list(_arguments(schema))
        if rows and tool.tool not in told:
            blocks.append(table(("argument", "value", "meaning"), rows))
        told.add(tool.tool)
    limits = [
        ("bytes of a script", str(script.SCRIPT_BYTES)),
        ("steps, all branches together", str(script.STEPS)),
        ("seconds of one delay", f"{script.DELAY_S:g}"),
    ]
    return page(*blocks, "## Limits", table(("what", "at most"), limits))


def _form() -> Iterator[str]:
    """The module's own words, with its example as a block of code."""
    example, _, words = (script.__doc__ or "").partition("\n\n")[2].partition("\n\nBeside")
    lines = [line.removeprefix("    ") for line in example.splitlines()]
    yield "\n".join(["```yaml", *lines, "```"])
    yield f"Beside{words}".strip()


def _arguments(schema: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    required = schema.get("required", [])
    for name, described in schema.get("properties", {}).items():
        shown = f"**{code(name)}**" if name in required else code(name)
        yield shown, _value(described, schema.get("$defs", {})), described.get("description", "")


def _value(described: dict[str, Any], known: dict[str, Any]) -> str:
    if "$ref" in described:
        name = described["$ref"].rpartition("/")[2]
        return "{" + ", ".join(known[name].get("properties", {})) + "}"
    if "anyOf" in described:
        return " or ".join(_value(each, known) for each in described["anyOf"])
    if "enum" in described:
        return ", ".join(code(word) for word in described["enum"])
    if described.get("type") == "array":
        return f"list: {_value(described.get('items', {}), known)}"
    return str(described.get("type", "any data"))

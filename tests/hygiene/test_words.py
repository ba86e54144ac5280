"""What the project's files say, and what they keep to themselves."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.hygiene.tracked import ROOT, modules, texts

KNOWN_HOSTS = (
    "generativelanguage.googleapis.com",
    "api.anthropic.com",
    "arxiv.org",
    "github.com",
    "git-lfs.github.com",
    "in-toto.io",
    "json-schema.org",
    "no-color.org",
    "slsa.dev",
)
INVENTED_HOSTS = (
    "elsewhere",
    "registry",
    "localhost",
    "example.org",
    "example.com",
    "evil.example",
    "h",
    "host",
    "127.0.0.1",
)
URL = re.compile(r"\bhttps?://(?:[^\s/@\"'<>]+@)?([A-Za-z0-9._-]+)")
# Directories of one machine, put together here so that this file does not name them.
MACHINE = re.compile(
    "|".join(rf"(?<![\w.*{{}}/-])/{name}/" for name in ("wor" + "k", "op" + "t/wheels", "workspac" + "es"))
)
TICKET = re.compile(
    r"\b(?:(?:issue|ticket|pull request|session) #?|(?:see|fix(?:es)?|closes|mends) #)\d+\b", re.IGNORECASE
)
MAKERS = re.compile(
    r"\b(?:co-authored-by|generated (?:by|with) (?:an? )?(?:ai|llm|claude|copilot|gpt))\b", re.IGNORECASE
)
SELF = "tests/hygiene/test_words.py"

# Where anything may be caught, because what is called there is not ours, and who is told of it.
BROAD_EDGES = {
    "workbench/ace/cli/main.py": "the command line's main: a person gets words and an exit code",
    "workbench/ace/tui/app.py": "a worker's top: what a command raises is told on the screen, which stays",
    "workbench/aee/child.py": "a worker's top: it becomes the step's recorded outcome",
    "workbench/aee/dispatch.py": "the edge to the library of durable steps: recorded, tried again",
    "workbench/aee/drivers/acp/conversation.py": "the edge to a driven agent's program: whatever it says is told",
    "workbench/aee/drivers/acp/driver.py": "a worker's top: it becomes the turn's error",
    "workbench/aee/drivers/native/client.py": "a worker's top: who asked the model is told, and decides",
    "workbench/aee/forecasting.py": "a worker's top: the AEE outlives a repository that cannot be read",
    "workbench/aee/returning.py": "a worker's top: the AEE outlives a full or damaged disk",
    "workbench/aee/service.py": "a worker's top: the AEE outlives a full or locked disk",
    "workbench/aee/supervise.py": "a worker's top: a step always gets an outcome",
    "workbench/evidence/examine.py": "the plugin edge: what a collector raises becomes evidence",
    "workbench/evidence/machinery.py": "runs inside a foreign test process: what its hooks raise is told",
    "workbench/evidence/probes.py": "runs inside a foreign test process: what takes no marks runs without, and is told",
    "workbench/evidence/properties/weighing.py": "a person's words on what a program gave: to raise is not to hold",
    "workbench/evidence/properties/worker.py": "runs inside a foreign process: to raise is not to hold, and is told",
    "workbench/evidence/trace.py": "runs inside a foreign test process: any failure there means not checked",
    "workbench/pluginhost/guard.py": "the plugin edge: what a plugin raises is recorded, and told in the inbox",
    "workbench/journal/group.py": "a worker's top: every caller is told what happened",
}


@pytest.mark.parametrize("pattern", [MACHINE, TICKET, MAKERS], ids=["machine", "ticket", "makers"])
def test_the_project_speaks_of_itself_alone(pattern: re.Pattern[str]) -> None:
    """No file names a directory of one machine, a ticket, or who or what typed it."""
    said = [f"{name}: {found.group(0)}" for name, text in texts() if name != SELF for found in pattern.finditer(text)]
    assert said == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (MACHINE, "see /wor" + "k/main"),
        (TICKET, "mends issue 7"),
        (TICKET, "see #12"),
        (MAKERS, "Co-Authored-" + "By: x"),
    ],
)
def test_the_words_looked_for_are_found(pattern: re.Pattern[str], text: str) -> None:
    """The search finds what it is for."""
    assert pattern.search(text)


def test_no_address_leads_to_a_machine_of_ours() -> None:
    """Every address in the project leads to a public place that is known, or to an invented one."""
    hosts = {(name, host.lower()) for name, text in texts() for host in URL.findall(text)}
    assert {pair for pair in hosts if pair[1] not in KNOWN_HOSTS + INVENTED_HOSTS} == set()


def test_the_program_has_no_fixed_temporary_path() -> None:
    """The program asks the system where temporary files go; inside a sandbox, `/tmp` is a directory of its own."""
    fixed = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules("workbench")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.match(r"/tmp/|/var/tmp/", node.value)
    ]
    assert fixed == []


@pytest.mark.parametrize("room", ["workbench", "tests"])
def test_every_module_says_what_it_owns(room: str) -> None:
    """Each module begins with a sentence about itself."""
    silent = [str(path) for path in modules(room) if not _sentence(path)]
    assert silent == []


def _sentence(path: Path) -> bool:
    words = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return any(mark in words for mark in (".", ":"))


def test_only_the_edges_catch_everything() -> None:
    """`except Exception`, and anything wider, stands only where foreign code is called and the failure is told."""
    broad = {str(path.relative_to(ROOT)) for path in modules("workbench") if _catches_everything(path)}
    assert broad <= BROAD_EDGES.keys()


def _catches_everything(path: Path) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    handlers = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]
    return any(_is_broad(handler.type) and not _passes_on(handler) for handler in handlers)


def _passes_on(handler: ast.ExceptHandler) -> bool:
    """Whether it only tidies up and raises again what it caught."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _is_broad(kind: ast.expr | None) -> bool:
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(
        each is None or (isinstance(each, ast.Name) and each.id in ("Exception", "BaseException")) for each in kinds
    )


@pytest.mark.parametrize("handler", ["except:", "except Exception:", "except (OSError, BaseException) as problem:"])
def test_a_broad_handler_is_recognised(tmp_path: Path, handler: str) -> None:
    """Each way to catch everything is seen; a narrow one, and one that raises again, are let through."""
    module = tmp_path / "module.py"
    module.write_text(f"try:\n    pass\n{handler}\n    pass\n")
    assert _catches_everything(module)
    for harmless in ("except OSError:\n    pass\n", f"{handler}\n    raise\n"):
        module.write_text(f"try:\n    pass\n{harmless}")
        assert not _catches_everything(module)

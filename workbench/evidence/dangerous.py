"""Calls that hand data to an interpreter, a shell or an unpickler, or switch a protection off, in added code.

It reads added lines of Python by its parser, and of other languages by patterns; it runs nothing. What stands in tests
is told with a lower severity.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from pathlib import PurePosixPath

from workbench.evidence.static import added_lines, bound, text_of
from workbench.evidence.tampering.roles import is_test
from workbench.model.evidence import Finding, Severity
from workbench.ports import Change, Collected

MAX_FINDINGS = 100
# Calls by their dotted ends, with what is dangerous about them.
_CALLS: dict[str, tuple[str, Severity]] = {
    "eval": ("runs a text as code", "high"), "exec": ("runs a text as code", "high"),
    "pickle.load": ("runs what a pickle says", "high"), "pickle.loads": ("runs what a pickle says", "high"),
    "pickle.Unpickler": ("runs what a pickle says", "high"), "cPickle.loads": ("runs what a pickle says", "high"),
    "dill.loads": ("runs what a pickle says", "high"), "dill.load": ("runs what a pickle says", "high"),
    "joblib.load": ("runs what a pickle says", "medium"), "shelve.open": ("runs what a pickle says", "medium"),
    "marshal.loads": ("trusts byte code", "medium"), "pandas.read_pickle": ("runs what a pickle says", "high"),
    "torch.load": ("runs what a pickle says", "medium"), "os.system": ("runs a text in a shell", "high"),
    "os.popen": ("runs a text in a shell", "high"), "subprocess.getoutput": ("runs a text in a shell", "high"),
    "yaml.load": ("makes any object from YAML", "high"), "yaml.unsafe_load": ("makes any object from YAML", "high"),
    "tempfile.mktemp": ("names a file that others can make first", "medium"),
    "ssl._create_unverified_context": ("trusts every server", "high"), "hashlib.md5": ("is a weak digest", "low"),
    "hashlib.sha1": ("is a weak digest", "low"), "ssl.wrap_socket": ("checks no host name", "medium"),
    "xml.sax.make_parser": ("may follow external entities", "low"), "extractall": ("may write elsewhere", "low"),
    "AutoAddPolicy": ("trusts every host key", "medium"), "ctypes.CDLL": ("loads native code", "low"),
    "mark_safe": ("puts text into a page as it is", "medium"), "importlib.import_module": ("loads code by name", "low"),
}  # fmt: skip
_SWITCHES: dict[tuple[str, object], tuple[str, Severity]] = {
    ("shell", True): ("runs a text in a shell", "high"),
    ("verify", False): ("trusts every server", "high"),
    ("check_hostname", False): ("checks no host name", "high"),
    ("autoescape", False): ("puts text into a page as it is", "medium"),
    ("debug", True): ("serves a debugger", "medium"),
    ("weights_only", False): ("runs what a pickle says", "medium"),
}
_SAFE_LOADERS = ("SafeLoader", "CSafeLoader", "BaseLoader")
_ELSEWHERE: tuple[tuple[re.Pattern[str], str, Severity], ...] = (
    (re.compile(r"(?<![\w.])eval\s*\(|\bnew\s+Function\s*\("), "runs a text as code", "high"),
    (re.compile(r"\bchild_process\b.{0,40}\bexec(Sync)?\s*\(|\bexecSync\s*\("), "runs a text in a shell", "high"),
    (
        re.compile(r"dangerouslySetInnerHTML|\.innerHTML\s*=|document\.write\("),
        "puts text into a page as it is",
        "medium",
    ),
    (re.compile(r"rejectUnauthorized\s*:\s*false|NODE_TLS_REJECT_UNAUTHORIZED"), "trusts every server", "high"),
    (re.compile(r"InsecureSkipVerify\s*:\s*true"), "trusts every server", "high"),
    (re.compile(r"exec\.Command\(\s*\"(sh|bash)\"\s*,\s*\"-c\""), "runs a text in a shell", "medium"),
    (re.compile(r"\btemplate\.HTML\("), "puts text into a page as it is", "medium"),
    (re.compile(r"\bunsafe\s*\{|\bunsafe\s+fn\b|\bunsafe\.Pointer\b"), "leaves the language's guarantees", "low"),
)
_LANGUAGES = (".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".go", ".rs")


class Dangerous:
    """Port Collector: failed when added code makes a grave call of these; each is a finding with its severity."""

    name = "dangerous"

    def collect(self, change: Change) -> Collected:
        """Look at the added lines of every changed source file."""
        findings: list[Finding] = []
        unread: list[str] = []
        for path, numbers in sorted(change.added_lines().items()):
            source = text_of(change.result_file(path))
            if source is None:
                continue
            if path.endswith((".py", ".pyi")):
                try:
                    findings += _python(path, source, frozenset(numbers))
                except (SyntaxError, ValueError, RecursionError, MemoryError):
                    unread.append(path)
            elif PurePosixPath(path).suffix in _LANGUAGES:
                findings += _elsewhere(path, added_lines(change, path, numbers))
        kept = tuple(findings[:MAX_FINDINGS])
        grave = any(finding.severity == "high" for finding in findings)
        state = "failed" if grave else "not-checked" if unread else "passed"
        summary = f"{len(findings)} dangerous calls were added" if findings else "no dangerous call was added"
        summary = f"could not be read: {', '.join(unread[:20])}" if unread and not findings else summary
        evidence = bound(
            change, "dangerous", criterion="hygiene", state=state, summary=summary,  # type: ignore[arg-type]
            facts={"calls": len(findings), "unread": unread[:20]},
        )  # fmt: skip
        return Collected(evidence=(evidence,), findings=kept)


def _python(path: str, source: str, lines: frozenset[int]) -> Iterator[Finding]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(source)
    names = _imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.lineno in lines:
            why = _of_call(node, names)
            if why is not None:
                yield _finding(path, node.lineno, *why, detail=ast.unparse(node.func))


def _imported(tree: ast.Module) -> dict[str, str]:
    """Local names to what they stand for, so that an alias or a bare import hides nothing."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _of_call(node: ast.Call, names: dict[str, str]) -> tuple[str, Severity] | None:
    dotted = ast.unparse(node.func)
    root, dot, rest = dotted.partition(".")
    dotted = f"{names.get(root, root)}{dot}{rest}"
    for keyword in node.keywords:
        if isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, bool):
            switched = _SWITCHES.get((keyword.arg or "", keyword.value.value))
            if switched is not None:
                return switched
    known = _CALLS.get(dotted) or (_CALLS.get(dotted.rpartition(".")[2]) if "." in dotted else None)
    if known is None or dotted.endswith((".eval", ".exec")):  # of a data frame, or a database
        return None
    if dotted.endswith("yaml.load") and any(loader in ast.unparse(node) for loader in _SAFE_LOADERS):
        return None
    return _known_text(node, known)


def _known_text(node: ast.Call, known: tuple[str, Severity]) -> tuple[str, Severity]:
    """A text that stands there as it is can hardly be anything else: one step less grave."""
    first = node.args[0] if node.args else None
    fixed = isinstance(first, ast.Constant) and isinstance(first.value, str)
    return (known[0], "medium") if fixed and known[1] == "high" else known


def _elsewhere(path: str, added: Iterator[tuple[int, str]]) -> Iterator[Finding]:
    for number, text in added:
        for pattern, what, severity in _ELSEWHERE:
            if pattern.search(text) and not text.lstrip().startswith(("//", "*", "/*")):
                yield _finding(path, number, what, severity, detail=text.strip())
                break


def _finding(path: str, line: int, what: str, severity: Severity, *, detail: str) -> Finding:
    in_tests = is_test(path)
    text = f"A call that {what} was added: {detail[:120]}"
    grave: Severity = "low" if in_tests else severity
    return Finding(kind="dangerous.call", severity=grave, text=text, path=path, line=line, evidence="dangerous")

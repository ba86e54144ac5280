"""Requests to merge on GitHub and GitLab, through the person's own `gh` or `glab`; it must not know packs.

The text of a request is an agent's in part: it may neither call people, nor close or command anything there.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from workbench.model.errors import EnvironmentProblem, Refused, UsageError
from workbench.model.text import visible
from workbench.repository.pushing import personal_environment, program
from workbench.repository.repository import GitRepository

TOOLS = ("gh", "glab")
TIMEOUT_S = 120.0  # one call of a tool
LONGEST_BODY = 60_000  # characters; GitHub takes 65,536, and an argument of a program 131,072 bytes
LONGEST_TITLE = 200
SAID_SHOWN = 600
_SCP = re.compile(r"(?:[^@/\s]+@)?([^:/\s]+):(?!//)(.+)")
_ESCAPED = re.compile(r"\\([@#!&~$%])")
_URL = re.compile(r"https?://[!#-&(-;=?-\[\]-~]+")  # printable ASCII without quotes, brackets and backslash
_NO_LOGIN = ("auth login", "authentication", "not logged", "401", "GH_TOKEN", "GITLAB_TOKEN")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for: `branch`, which is on the remote already, into `target`; short names of branches."""

    branch: str
    target: str
    title: str
    body: str


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A program that speaks to a forge, and the repository there; `slug` empty: as the tool finds it itself."""

    kind: str  # gh | glab
    path: Path
    slug: str = ""


def find_tool(repository: GitRepository, url: str, wanted: str = "") -> Tool | None:
    """The tool for a remote with this address; None where none is installed. Raises UsageError where two would do."""
    installed = {name: found for name in TOOLS if (found := program(name, repository)) is not None}
    host, path = _parts(url)
    kind = wanted or _kind_of(host)
    if not kind and len(installed) == 2:
        raise UsageError(f"Is {host or url} a GitHub or a GitLab?", hint="Say it: --tool gh or --tool glab.")
    kind = kind or next(iter(installed), "")
    return Tool(kind=kind, path=installed[kind], slug=_slug(kind, host, path)) if kind in installed else None


def open_request(repository: GitRepository, tool: Tool, request: Request) -> str:
    """Open the request, or bring the one that is open up to date; its address.

    Raises EnvironmentProblem where nobody is logged in, and Refused where the forge says no.
    """
    call = _Caller(tool, repository.checkout or repository.common_dir)
    return (_on_github if tool.kind == "gh" else _on_gitlab)(call, request)


def inert_body(markdown: str) -> str:
    """Markdown in which no mention, reference or label of outside text is alive, and not too long for a forge.

    A backslash keeps a mark from being markup, but forges look for mentions in what is shown: a comment parts the two.
    """
    text = _ESCAPED.sub(r"\1<!-- -->", visible(markdown))
    if len(text) <= LONGEST_BODY:
        return text
    kept = text[:LONGEST_BODY].rpartition("\n")[0]
    return f"{kept}\n\n*Cut here: {len(text) - len(kept)} of {len(text)} characters are left out.*\n"


class _Caller:
    """Calls of one tool in one checkout, with nobody at a prompt."""

    def __init__(self, tool: Tool, place: Path) -> None:
        self._tool, self._place = tool, place

    def __call__(self, *words: str, stdin: str = "") -> str:
        quiet = {"GH_PROMPT_DISABLED": "1", "NO_PROMPT": "1", "NO_COLOR": "1", "GH_NO_UPDATE_NOTIFIER": "1"}
        where = ("--repo", self._tool.slug) if self._tool.slug else ()
        try:
            done = subprocess.run(
                [str(self._tool.path), *words, *where],
                cwd=self._place,
                env={**personal_environment(), **quiet},
                input=stdin.encode(),
                capture_output=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise EnvironmentProblem(
                f"{self._tool.kind} did not answer within {TIMEOUT_S:.0f} s", hint="look at the network, then try again"
            ) from None
        except OSError as error:
            raise EnvironmentProblem(f"{self._tool.path} cannot be run: {error.strerror}", hint="install it") from None
        if done.returncode:
            raise self._problem(words, done.returncode, done.stderr.decode("utf-8", "replace").strip()[-SAID_SHOWN:])
        return done.stdout.decode("utf-8", "replace")

    def _problem(self, words: Sequence[str], code: int, said: str) -> EnvironmentProblem | Refused:
        kind = self._tool.kind
        if (kind == "gh" and code == 4) or any(word in said for word in _NO_LOGIN):
            return EnvironmentProblem(
                f"{kind} is not logged in: {said}", hint=f"{kind} auth login, then deliver again: the branch is there"
            )
        told = " ".join(words[:2])
        return Refused(f"{kind} {told} failed: {said or f'exit code {code}'}", hint="the branch is there; try again")


def _on_github(call: _Caller, request: Request) -> str:
    way = ("--head", request.branch, "--base", request.target)
    text = ("--title", request.title, "--body-file", "-")
    found = _first(call("pr", "list", *way, "--state", "open", "--limit", "1", "--json", "url"))
    if url := _url_in(str(found.get("url", ""))):
        call("pr", "edit", url, *text, stdin=request.body)
        return url
    return _url_in(call("pr", "create", *way, *text, stdin=request.body))


def _on_gitlab(call: _Caller, request: Request) -> str:
    way = ("--source-branch", request.branch, "--target-branch", request.target)
    text = ("--title", request.title, "--description", request.body)
    found = _first(call("mr", "list", *way, "--output", "json"))
    if url := _url_in(str(found.get("web_url", ""))):
        call("mr", "update", url.rpartition("/")[2], *text)
        return url
    return _url_in(call("mr", "create", *way, *text, "--yes"))


def _first(listed: str) -> dict[str, object]:
    """The first of a list of objects; an empty one where there is none, or nothing that can be read."""
    try:
        rows = json.loads(listed or "[]")
    except ValueError:
        return {}
    return rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}


def _url_in(said: str) -> str:
    """The last address that a tool printed."""
    found = _URL.findall(said)
    return found[-1] if found else ""


def _kind_of(host: str) -> str:
    return "glab" if "gitlab" in host else "gh" if "github" in host else ""


def _parts(url: str) -> tuple[str, str]:
    """(host, path of the repository there) of a remote's address; both empty for a directory of this machine."""
    if "://" in url:
        parsed = urlsplit(url)
        return parsed.hostname or "", parsed.path.strip("/").removesuffix(".git")
    found = _SCP.fullmatch(url)
    return (found[1], found[2].strip("/").removesuffix(".git")) if found else ("", "")


def _slug(kind: str, host: str, path: str) -> str:
    """How the tool is told which repository; empty where the host is only an alias of the person's, which it knows."""
    if "." not in host or "/" not in path:
        return ""
    return f"{host}/{path}" if kind == "gh" else f"https://{host}/{path}"

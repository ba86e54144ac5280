"""Deceiving characters, size, focus, new dependencies and claimed reasons are named without running anything."""

# ruff: noqa: E501 - a table reads better with one row a line

from __future__ import annotations

from typing import Any

import pytest

from workbench.artifacts.brief import Brief, Context, Goal, light, parse
from workbench.artifacts.policy import SizeLimits
from workbench.evidence.deceptive import Deceptive
from workbench.evidence.dependencies import Dependencies
from workbench.evidence.rationale import RationaleCollector
from workbench.evidence.size import Size
from workbench.evidence.sizes import change_summary, kind_of
from workbench.ports import Collected, Commit, History
from workbench.testing.changes import TreeChange


def kinds(collected: Collected) -> list[str]:
    return [finding.kind for finding in collected.findings]


def state(collected: Collected) -> str:
    return collected.evidence[0].state


def added(path: str, text: str, before: str = "") -> TreeChange:
    return TreeChange.of({path: before} if before else {}, {path: text})


def with_history(**more: Any) -> TreeChange:
    return TreeChange({"a.py": b"x = 1\n"}, {"a.py": b"x = 2\n"}, **more)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("if admin:\u202e ; pass\n", "text.bidirectional"),
        ("na\u200bme = 1\n", "text.zero-width"),
        ("x = 1 # \U000e0041\U000e0042\n", "text.tag"),
        ("x = 1 # \x1b[2J\n", "text.control"),
        ("p\u0430ssword = 1\n", "text.homoglyph"),
    ],
)
def test_deceiving_characters_are_found(text: str, kind: str) -> None:
    """Each kind of deceiving character is a finding, shown as an escape."""
    collected = Deceptive().collect(added("a.py", text))
    assert kind in kinds(collected)
    assert all(finding.text.isprintable() for finding in collected.findings if finding.kind != "text.homoglyph")


def test_people_may_write_their_language() -> None:
    """Words of another script, accents and emoji deceive nobody."""
    text = "# привет мир, naïve façade, ελληνικά 👩\u200d💻 日本語\n"
    assert state(Deceptive().collect(added("a.py", text))) == "passed"


def test_a_path_may_deceive_too() -> None:
    """A deceiving character in a path is found without reading the file."""
    assert "text.bidirectional" in kinds(Deceptive().collect(added("a\u202eyp.exe", "x\n")))


@pytest.mark.parametrize("bad", ["\x1b[2J", "\u202e", "\u200b", "a\rb", "\x9b1m", "\U000e0041"])
def test_a_commit_may_deceive_too(bad: str) -> None:
    """Steering characters in a message or an author's name are grave findings, shown as escapes; control: plain ones."""
    message = Commit(id="c" * 40, author="Ada <a@b>", message=f"Add it\n\nBecause {bad} of it\n")
    author = Commit(id="d" * 40, author=f"A{bad}da <a@b>", committer="Ada <a@b>", message="Add it\n")
    collected = Deceptive().collect(with_history(commits=[message, author]))
    assert kinds(collected) == ["text.commit-message", "text.commit-author"]
    assert all(finding.severity == "high" and finding.text.isprintable() for finding in collected.findings)
    plain = Commit(id="c" * 40, author="Адa Ünal <a@b>", message="Grüße\r\n\r\n\tпривет 👩\u200d💻\n")
    assert state(Deceptive().collect(with_history(commits=[plain]))) == "passed"


def test_a_path_of_an_earlier_commit_may_deceive() -> None:
    """A file that came and went enters with its name."""
    past = History(added={"c" * 40: {"a\x1b[2J": ()}})
    assert kinds(Deceptive().collect(with_history(history=past))) == ["text.control"]


@pytest.mark.parametrize(
    ("path", "target", "out"),
    [
        ("link", "/etc/passwd", True),
        ("a/link", "../../x", True),
        ("a/link", "../b", False),
        ("a/b/link", "../../c/d", False),
        ("a/link", "d/../../x", True),  # d may be a link
        ("link", "..", True),
        ("link", "./a", False),
        ("link", ".git/config", True),
        ("link", "", False),
    ],
)
def test_a_link_out_of_the_repository_is_grave(path: str, target: str, out: bool) -> None:
    """A link that leads out of the tree, or may, is a grave finding; one that stays inside is none."""
    change = TreeChange({}, {path: target.encode()}, modes={path: ("", "120000")})
    found = [(finding.kind, finding.severity) for finding in Size().collect(change).findings]
    assert found == ([("modes.link-out", "high")] if out else [])


@pytest.mark.parametrize(
    ("before", "after", "kind", "severity"),
    [
        ("", "160000", "modes.submodule", "high"),
        ("100644", "120000", "modes.link", "medium"),
        ("100644", "100755", "modes.executable", "low"),
        ("", "100755", "modes.executable", "low"),
    ],
)
def test_a_new_kind_of_file_is_seen(before: str, after: str, kind: str, severity: str) -> None:
    """A submodule, a link in a file's place and an executable are findings; control: with a plain mode none is."""
    base, result = ({"x": b"y"} if before else {}), ({} if after == "160000" else {"x": b"y"})
    collected = Size().collect(TreeChange(base, result, modes={"x": (before, after)}))
    assert [(finding.kind, finding.severity) for finding in collected.findings] == [(kind, severity)]
    assert Size().collect(TreeChange({}, {"x": b"y"})).findings == ()


def test_size_counts_what_people_wrote() -> None:
    """Lock files and generated files count for no limit; too many lines fail."""
    change = TreeChange.of(
        {"a.py": "1\n2\n3\n"}, {"a.py": "1\nX\n3\n4\n", "uv.lock": "x\n" * 5000, "b.py": "# @generated\n" * 900}
    )
    collected = Size().collect(change)
    assert state(collected) == "passed"
    assert collected.evidence[0].facts["lines"] == 3
    assert state(Size(SizeLimits(lines=2)).collect(change)) == "failed"
    assert {file.path: (file.added, file.removed) for file in change_summary(change)}["a.py"] == (2, 1)


def test_files_beside_the_brief_are_shown() -> None:
    """A source file that the brief does not name as relevant is a finding; tests and made files are not."""
    brief = Brief(id="B", title="t", goal=Goal(objective="o"), context=Context(relevant_files=("src/auth/**",)))
    change = TreeChange.of(
        {}, {"src/auth/a.py": "1\n", "src/other.py": "1\n", "tests/test_x.py": "1\n", "x.lock": "1\n"}
    )
    collected = Size(brief=brief).collect(change)
    assert [(finding.kind, finding.path) for finding in collected.findings] == [("focus.beside-brief", "src/other.py")]


@pytest.mark.parametrize(
    ("path", "before", "after", "kind"),
    [
        ("requirements.txt", "requests\n", "requests\nleftpad==1\n", "dependencies.added"),
        ("requirements.txt", "", "reqeusts==2\n", "dependencies.misspelt"),
        ("requirements.txt", "requests\n", "--extra-index-url https://elsewhere\nrequests\n", "dependencies.index"),
        (
            "pyproject.toml",
            "[project]\ndependencies = []\n",
            "[project]\ndependencies = ['left-pad>1']\n",
            "dependencies.added",
        ),
        ("package.json", "{}", '{"dependencies": {"left-pad": "1"}}', "dependencies.added"),
        ("Cargo.toml", "", "[dependencies]\nleft = '1'\n", "dependencies.added"),
        ("go.mod", "module a\n", "module a\nrequire github.com/x/y v1.0.0\n", "dependencies.added"),
        (".npmrc", "", "registry=https://elsewhere\n", "dependencies.index"),
        (
            "environment.yml",
            "dependencies:\n  - numpy\n",
            "dependencies:\n  - numpy\n  - left=1\n",
            "dependencies.added",
        ),
        ("env.yaml", "", "channels:\n- x\ndependencies:\n- pip:\n  - left-pad==1\n", "dependencies.added"),
        ("Pipfile", "[packages]\na = '*'\n", "[packages]\na = '*'\nb = '*'\n", "dependencies.added"),
        ("setup.cfg", "", "[options]\ninstall_requires =\n  left-pad>1\n", "dependencies.added"),
        ("setup.cfg", "", "[options.extras_require]\nx = left-pad>1\n", "dependencies.added"),
        (
            "setup.py",
            "",
            "from setuptools import setup\nsetup(install_requires=['left-pad>1'])\n",
            "dependencies.added",
        ),
        (
            "setup.py",
            "",
            "R = ['left-pad']\nsetup(extras_require={'x': ['b']}, install_requires=R)\n",
            "dependencies.added",
        ),
    ],
)
def test_new_dependencies_are_found(path: str, before: str, after: str, kind: str) -> None:
    """A new, misspelt or redirected dependency is a finding before anything is installed."""
    assert kind in kinds(Dependencies().collect(added(path, after, before)))


@pytest.mark.parametrize(
    "code",
    [
        "subprocess.run([sys.executable, '-m', 'pip', 'install', name])",
        "os.system('pip3 install -q left-pad')",
        "os.system(f'cd /tmp && pip install {name}')",
        "check_call(\n    [\n        'pip',\n        'install',\n        'x',\n    ]\n)",
        "COMMAND = ('npm', 'install', 'x')",
        "pip.main(['pip', 'install', 'x'])",
        "subprocess.Popen('uv pip install x', shell=True)",
        "run(['python', '-m', 'ensurepip'])",
    ],
)
def test_code_that_installs_is_found(code: str) -> None:
    """An install by the code itself goes round every manifest: it is a grave finding where it was added."""
    collected = Dependencies().collect(added("src/a.py", f"import subprocess\n\n{code}\n", "import subprocess\n"))
    assert [(found.kind, found.severity, found.line) for found in collected.findings] == [
        ("dependencies.install", "high", 3)
    ]
    known = added("src/a.py", f"{code}\nx = 1\n", f"{code}\n")
    assert state(Dependencies().collect(known)) == "passed"


@pytest.mark.parametrize(
    "code", ["print('run pip install x first')", "run(['git', 'add', 'x'])", "# os.system('pip install x')", "def (:"]
)
def test_speaking_of_installs_is_none(code: str) -> None:
    """A hint, another command, a comment or broken code installs nothing."""
    assert state(Dependencies().collect(added("src/a.py", f"{code}\n"))) == "passed"


def test_what_was_read_is_said() -> None:
    """That no dependency is new is said of files by name; where none declares any, that is said instead."""
    change = TreeChange.of({"setup.py": "setup()\n"}, {"setup.py": "setup(name='x')\n", "a.py": "1\n"})
    evidence = Dependencies().collect(change).evidence[0]
    assert (evidence.summary, evidence.facts["read"]) == ("no new dependency in setup.py", ["setup.py"])
    none = Dependencies().collect(added("a.py", "1\n")).evidence[0]
    assert none.summary == "no file that declares dependencies changed"
    locked = Dependencies().collect(added("package-lock.json", "{}\n")).evidence[0]
    assert locked.summary == f"{none.summary}; what package-lock.json locks was not compared"


def test_a_newer_version_is_no_new_dependency() -> None:
    """Raising the version of a dependency adds none."""
    assert state(Dependencies().collect(added("requirements.txt", "requests==2\n", "requests==1\n"))) == "passed"


@pytest.mark.parametrize("path", ["package.json", "pyproject.toml", "Cargo.toml", "Pipfile", "setup.py"])
@pytest.mark.parametrize("text", ["{", "[project", "[" * 10_000, "\x01"])
def test_a_broken_manifest_is_not_a_pass(path: str, text: str) -> None:
    """A manifest that cannot be read is not checked."""
    assert state(Dependencies().collect(added(path, text))) == "not-checked"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("package.json", '{"dependencies": {"evil-pkg": "1"}, "peerDependencies": null}'),
        ("package.json", '{"dependencies": ["evil-pkg"], "devDependencies": 5}'),
        ("package.json", '{"dependencies": "evil-pkg, b"}'),
        (
            "pyproject.toml",
            "tool = 5\nbuild-system = []\n[project]\ndependencies = ['evil-pkg']\noptional-dependencies = []\n",
        ),
        ("pyproject.toml", "[project]\ndependencies = 5\n[dependency-groups]\na = 5\nb = ['evil-pkg']\n"),
        ("pyproject.toml", "[tool.poetry]\ngroup.a = 5\ndependencies.evil-pkg = '1'\n"),
        ("Cargo.toml", "dev-dependencies = 5\n[dependencies]\nevil-pkg = '1'\n"),
    ],
)
def test_an_odd_table_hides_no_other(path: str, text: str) -> None:
    """A table of a manifest that is empty or of another type does not keep the others from being read."""
    found = Dependencies().collect(added(path, text)).findings
    assert "A new dependency: evil-pkg" in [finding.text for finding in found]


@pytest.mark.parametrize("text", ["\0", "#" * 10_000_000])
def test_a_manifest_that_is_no_text_is_not_a_pass(text: str) -> None:
    """A manifest that is binary or too large to read is not checked."""
    assert state(Dependencies().collect(added("requirements.txt", f"evil-pkg\n{text}"))) == "not-checked"


def test_reasons_stay_claims() -> None:
    """Whatever the agent says is of grade claimed; a file that it names in error is reported."""
    claimed = {"approach": "I changed src/a.py and src/nowhere.py so that the sum is right for all numbers."}
    collected = RationaleCollector(claimed).collect(added("src/a.py", "1\n"))
    assert (collected.evidence[0].grade, state(collected)) == ("claimed", "passed")
    assert [finding.text for finding in collected.findings] == [
        "The rationale names src/nowhere.py, which did not change."
    ]
    assert not any(finding.blocking for finding in collected.findings)
    assert state(RationaleCollector({}).collect(added("src/a.py", "1\n"))) == "not-checked"


def test_a_rationale_is_held_against_the_change_and_its_brief() -> None:
    """Names that fit nothing are reported; what is left out is told in one line, files with the things in them."""
    brief = parse(light("Add numbers", "B-1"))
    words = "`add_up()` in src/a.py for DOD-1 and INV-7, beside `src.a` and `nothing_here`"
    change = TreeChange.of({"src/b.py": "x = 1\n"}, {"src/a.py": "def add_up():\n    pass\n", "src/b.py": "x = 2\n"})
    assert _told(words, change, brief) == [
        ("low", "The rationale names nothing_here, which no changed file has."),
        ("low", "The rationale names INV-7, which is no clause of the brief."),
        ("info", "The rationale leaves out 1 of 2 changed files (src/b.py); 1 of 2 changed public entities (x)."),
    ]


def _told(words: str, change: TreeChange, brief: Brief | None = None, *plan: str) -> list[tuple[str, str]]:
    collector = RationaleCollector({"approach": words, "test_plan": list(plan)}, brief)
    return [(found.severity, found.text) for found in collector.collect(change).findings]


PRICES = "def discount(n):\n    return n\n\n\nclass Cart:\n    def total(self):\n        return discount(1)\n"
STOCK = {"src/prices.py": PRICES, "src/stock.py": "class Stock:\n    def take(self):\n        pass\n"}


def test_what_a_rationale_names_and_the_change_leaves_alone_is_told() -> None:
    """Files that exist, things in a changed file and clauses of every kind are held against what the change touches."""
    words = "I made `Stock.take` safe in src/stock.py and rewrote `discount`; POST-7, AVO-3, PRE-9, GOT-1 and DOD-1 are kept."
    edits = {
        "src/prices.py": PRICES + "\n\ndef convert(n):\n    return n\n",
        "tests/test_convert.py": "def test_it():\n    pass\n",
    }
    change = TreeChange.of(STOCK, edits)
    assert _told(words, change, parse(light("Convert", "B-1"))) == [
        ("info", "The rationale names src/stock.py, which did not change."),
        ("low", "The rationale names Stock.take, which no changed file has."),
        ("info", "The rationale names discount, which did not change."),
        *(("low", f"The rationale names {clause}, which is no clause of the brief.")
          for clause in ("POST-7", "AVO-3", "PRE-9", "GOT-1")),
        ("info", "The rationale leaves out 2 of 2 changed files (src/prices.py, tests/test_convert.py); "
                 "1 of 1 changed public entities (convert)."),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        "`convert` in prices.py gives `n` back, `ValueError` as ever, built with Node.js; `Cart.total` now adds `discount`.",
        "Added `prices.convert()`, and `cart.total` in src/prices.py adds one to what `discount(1)` and so on give back.",
    ],
)
def test_an_honest_rationale_is_told_of_nothing_wrong(words: str) -> None:
    """Names of changed things, of products and of what the language has, and tests that the plan names, are no matter."""
    prices = PRICES.replace("discount(1)", "discount(1) + 1") + "\n\ndef convert(n):\n    return n\n"
    change = TreeChange.of(STOCK, {"src/prices.py": prices, "tests/test_convert.py": "def test_it():\n    pass\n"})
    told = _told(words, change, None, "tests/test_convert.py::test_it")
    assert [each for each in told if "discount" not in each[1]] == []


@pytest.mark.parametrize(
    ("path", "kind"),
    [("uv.lock", "lock"), ("vendor/a.py", "vendored"), ("a_pb2.py", "generated"), ("tests/test_a.py", "test"),
     ("src/a.py", "source"), ("pyproject.toml", "configuration"), ("README.md", "documentation"), ("tests/__snapshots__/a.ambr", "snapshot")],
)  # fmt: skip
def test_kinds_of_files(path: str, kind: str) -> None:
    """Each changed file is of one kind."""
    assert kind_of(path, b"x") == kind

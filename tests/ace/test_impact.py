"""What people see of what a pack does to the rest of the tree."""

from __future__ import annotations

from pathlib import Path

from ace_world import Call, World, git

FILES = {
    "tax.py": "def rate(land):\n    return 19\n",
    "till.py": "from tax import rate\n\n\ndef pay(rows):\n    return rate('de')\n",
    "web\u202e.py": "import till\n\n\ndef show():\n    return till.pay([])\n",
}


def test_the_impact_of_a_pack_is_told_from_git(call: Call, world: World, repository: Path) -> None:
    """Callers, needs and rings of the result are listed, hidden characters of paths shown; the checkout is not read."""
    for name, text in FILES.items():
        (repository / name).write_text(text)
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "Shop")
    world.base = git(repository, "rev-parse", "HEAD")
    (run,) = world.mission()
    files = {"tax.py": "import till\n\n\ndef rate(land, day):\n    return 19\n", "0001.sql": "DROP TABLE a;\n"}
    name = world.pack(run, files=files, title="<script>alert(1)</script> ![x](http://example.org/y) [z](javascript:1)")
    (repository / "tax.py").write_text("torn(")
    seen = call("mrp", "impact", name, "--json").one
    assert (seen["kind"], seen["id"], seen["cycles"]) == ("impact", name, [["tax", "till", "tax"]])
    assert [(each["module"], each["needs"]) for each in seen["added"]] == [("tax", "till")]
    (rate,) = seen["affected"]
    assert [(each["path"], each["name"], each["depth"]) for each in rate["callers"]] == [
        ("till.py", "pay", 1),
        ("web\u202e.py", "show", 2),
    ]
    told = call("mrp", "impact", name).out
    assert "ring: tax > till > tax" in told and "can lose data: DROP TABLE" in told and "\u202e" not in told
    assert call("mrp", "impact", "nothing").code == 2
    page = call("mrp", "show", name, "--html").out
    assert "<h1>Ready to merge" in page and "ring: tax &gt; till &gt; tax" in page
    assert "breaks a rule or closes a ring" in page and ">till</text>" in page and "\u202e" not in page
    assert "<script" not in page and "<img" not in page and "href=" not in page

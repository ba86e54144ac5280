"""The collector against an analyser of three lines, and the reader against what analysers get wrong."""

from __future__ import annotations

import json
import sys
import unittest
from typing import Any

from workbench.testing.plugin import Case

from .collector import Sarif, collectors, words
from .report import Unreadable, results

# Finds the word `eval` in every file of the checkout, as an analyser would.
ANALYSER = """
import json, os, pathlib
found = [
    {"ruleId": "no-eval", "level": "error", "message": {"text": "eval is evil"}, "locations": [{"physicalLocation":
     {"artifactLocation": {"uri": str(path)}, "region": {"startLine": number}}}]}
    for path in sorted(pathlib.Path(".").rglob("*.py")) for number, line in enumerate(path.open(), 1) if "eval(" in line
]
log = {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "tiny"}}, "results": found}]}
pathlib.Path(os.environ["SARIF_FILE"]).write_text(json.dumps(log))
raise SystemExit(1 if found else 0)
"""
BASE = {"a.py": "x = eval(y)\n"}


def log(*found: dict[str, Any], rules: tuple[dict[str, Any], ...] = ()) -> bytes:
    driver = {"name": "tiny", "rules": list(rules)}
    return json.dumps({"runs": [{"tool": {"driver": driver}, "results": list(found)}]}).encode()


class TheCollector(Case):
    """What comes of a change."""

    def collected(self, edits: dict[str, str], command: object = (sys.executable, "-c", ANALYSER)) -> Any:
        made = self.change(BASE, edits)
        (collector,) = collectors(self.workshop(made, command=command))
        return collector.collect(made)

    def test_what_base_has_is_not_new(self) -> None:
        """Moved code is not new, either."""
        brought = self.collected({"a.py": "# moved\nx = eval(y)\n"})
        self.assertEqual([piece.state for piece in brought.evidence], ["passed"])
        self.assertEqual(brought.findings, ())

    def test_a_new_finding_fails_and_says_where(self) -> None:
        """With path, line and severity."""
        brought = self.collected({"b.py": "\nz = eval(y)\n"})
        self.assertEqual([piece.state for piece in brought.evidence], ["failed"])
        (finding,) = brought.findings
        self.assertEqual((finding.path, finding.line, finding.severity), ("b.py", 2, "high"))
        self.assertEqual(finding.kind, "sarif.no-eval")

    def test_a_broken_analyser_is_an_error(self) -> None:
        """Never a pass, and no exception."""
        for command in ("exit 0", "echo nonsense", "no-such-program"):
            brought = self.collected({"b.py": "1\n"}, command)
            self.assertEqual([piece.state for piece in brought.evidence], ["error"], command)

    def test_without_a_command_there_is_no_evidence(self) -> None:
        """So that nobody who configured nothing reads of it."""
        self.assertEqual(collectors(self.workshop(self.change(BASE, {}))), [])
        self.assertEqual(words(["a", "b"]), ("a", "b"))

    def test_levels_below_the_chosen_one_only_report(self) -> None:
        """`fail_at` is a level of SARIF."""
        made = self.change(BASE, {"b.py": "eval(x)\n"})
        rig = self.workshop(made).rig
        note = ANALYSER.replace('"level": "error"', '"level": "note"')
        brought = Sarif(rig, (sys.executable, "-c", note), "warning").collect(made)
        self.assertEqual([piece.state for piece in brought.evidence], ["passed"])
        self.assertEqual(len(brought.findings), 1)


class TheReader(unittest.TestCase):
    """What analysers write."""

    def test_paths_are_relative_to_the_checkout(self) -> None:
        """Also where the analyser wrote a URI."""
        for uri in ("a b.py", "./a b.py", "a%20b.py", "file:///repo/a%20b.py", "/repo/a b.py"):
            place = {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": 3}}}
            (found,) = results(log({"ruleId": "r", "locations": [place]}), root="/repo")
            self.assertEqual((found.path, found.line), ("a b.py", 3), uri)

    def test_level_and_message_come_from_the_rule(self) -> None:
        """Where the result names neither."""
        rule = {"id": "r", "defaultConfiguration": {"level": "error"}, "messageStrings": {"m": {"text": "why"}}}
        (found,) = results(log({"ruleIndex": 0, "message": {"id": "m"}}, rules=(rule,)), root="/repo")
        self.assertEqual((found.rule, found.level, found.text), ("r", "error", "why"))

    def test_what_is_suppressed_or_passed_is_left_out(self) -> None:
        """Somebody accepted it in the code."""
        found = results(log({"ruleId": "r", "suppressions": [{"kind": "inSource"}]}, {"kind": "pass"}), root="/r")
        self.assertEqual(found, [])

    def test_odd_shapes_are_told_or_read_around(self) -> None:
        """Nothing raises but Unreadable."""
        for data in (b"", b"[]", b"{}", b'{"runs": 1}', b"\xff", b"[" * 100_000):
            with self.assertRaises(Unreadable):
                results(data, root="/r")
        odd: list[Any] = [None, 1, "x", [], {"ruleId": 1, "locations": 3, "message": [], "level": {}, "ruleIndex": "0"}]
        for each in odd:
            results(log(each), root="/r")


if __name__ == "__main__":
    unittest.main()

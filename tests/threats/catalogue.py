"""The attacks that Workbench must survive, and the tests that play them.

A test plays the threats that its docstring, or that of its module, begins with (`G1-G3, F1: ...`), and those for which
it is named in `NAMED`. It is a positive control, or holds one, when its docstring says `control`, or when it is in
`CONTROLLED`. What no test plays stands in `OPEN`, with its reason; what a played threat still lacks, in `PARTLY`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

THREATS = {
    "G1": "git configuration of the agent's repository: fsmonitor, hooks, includes",
    "G2": "filter, textconv, diff and merge drivers through attributes",
    "G3": "a rewritten gitfile, a nested bare repository, a gitlink with hostile configuration",
    "G4": "renaming an ancestor of a protected path",
    "G5": "a protected file that was absent at the start",
    "G6": "malicious trees, symlinks, submodules, carriage returns",
    "G7": "a sibling or nested repository in a writable root",
    "G8": "an editor, a shell or a git prompt in what the agent wrote",
    "F1": "symlinks, hard links, /proc/self/root, renames",
    "F2": "races on our own file tools",
    "F3": "case folding and Unicode forms",
    "T1": "terminal sequences from every source, in every widget",
    "T2": "the same, split at every byte of a stream",
    "T3": "bidirectional, zero-width and tag characters, homoglyphs",
    "T4": "markup in generated strings",
    "P1": "instructions in a repository's texts, and a model that obeys them",
    "P2": "hooks, servers, settings and environment that a repository brings",
    "P3": "an MCP server that changes after trust",
    "P4": "values read as flags, refs that begin with a dash",
    "P5": "ways around an allow-list of commands",
    "E1": "canary secrets against environment, files, network, git objects, logs, packs, screen",
    "E2": "what a sandbox can read",
    "R1": "a fork bomb, and orphans after a time-out",
    "R2": "10 GB of output, a line of 1 GB, binary noise",
    "R3": "archives that unpack to too much, a million files, sparse files",
    "R4": "a budget that runs away",
    "V1": "forty ways to tamper with tests",
    "V2": "forged, replayed, stale evidence, and that of another commit",
    "V3": "text that manipulates a judge",
    "V4": "a push after the approval",
    "V5": "claims without evidence",
    "S1": "unknown, young or misspelt dependencies, a changed index",
    "D1": "kill -9 at random and at every commit point",
    "D2": "loss of unsynced writes",
    "D3": "seeded simulation of clock, model, git, peers and people",
    "D4": "planted bugs in the engine",
    "D5": "journals of every released version",
    "D6": "an upgrade while questions wait",
    "D7": "a full or read-only disk, a locked database, a network file system",
}

NAMED = {
    "tests/ace/test_hostile_text.py": "T1",
    "tests/artifacts/test_text.py": "T1, T3",
    "tests/tui/test_untrusted_text.py": "T1, T3, T4",
    "tests/tui/test_untrusted_text.py::test_a_sequence_split_anywhere_is_still_shown": "T2",
    "tests/terminal/test_terminal.py::test_hostile_titles_reach_the_terminal_as_text": "T1",
    "tests/sessions/test_pasting.py": "T2",
    "tests/hygiene/test_screens.py::test_untrusted_text_has_one_way_to_the_screen": "T1, T4",
    "tests/hygiene/test_screens.py::test_the_lint_finds_each_way_around_the_gate": "T1, T4",
    "tests/evidence/test_static.py::test_deceiving_characters_are_found": "T3",
    "tests/evidence/test_static.py::test_a_path_may_deceive_too": "T3",
    "tests/evidence/test_static.py::test_a_commit_may_deceive_too": "T3",
    "tests/aee/test_trash.py::test_unpacking_as_it_is_would_bring_it_back_wild": "G8",
    "tests/endtoend/test_native_missions.py::test_twelve_missions_end_in_the_right_state": "P1, E1",
    "tests/aee/drivers/test_acp.py::test_a_program_that_only_a_repository_names_is_not_run": "P2",
    "tests/aee/drivers/test_acp_hidden.py": "P2",
    "tests/pluginhost/test_roster.py::test_what_a_repository_brings_never_runs_untrusted": "P2",
    "tests/pluginhost/test_roster.py::test_trust_does_not_survive_a_change": "P2",
    "tests/pluginhost/test_shadowing.py": "P2",
    "tests/aee/drivers/test_acp_proxy.py::test_nothing_else_is_passed_on": "E1",
    "tests/aee/drivers/test_acp_proxy.py::test_without_the_list_such_a_path_would_be_passed_on": "E1",
    "tests/aee/drivers/test_acp_proxy.py::test_the_key_is_found_wherever_it_is_cut": "E1",
    "tests/aee/drivers/test_native.py::test_the_key_stays_with_the_client": "E1",
    "tests/aee/drivers/test_native_budget.py": "R4",
    "tests/aee/drivers/test_acp_proxy.py::test_requests_at_once_do_not_share_what_is_left": "R4",
    "tests/aee/drivers/test_acp_proxy.py::test_an_answer_that_tells_no_count_is_counted_by_us": "R4",
    "tests/contracts/test_sandbox.py::test_nothing_of_a_job_outlives_it": "R1",
    "tests/aee/sandbox/test_sandbox_streams.py::test_keeping_everything_would_fill_memory": "R2",
    "tests/aee/test_confined_paths.py::test_a_sparse_file_is_cut_at_the_limit": "R3",
    "tests/evidence/test_tampering.py": "V1",
    "tests/evidence/test_tampering_runner.py": "V1",
    "tests/evidence/test_behaviour.py::test_a_broken_change_is_found_however_its_tests_were_made_green": "V1",
    "tests/evidence/test_material.py::test_emptied_data_of_tests_comes_back_from_base": "V1",
    "tests/evidence/test_material.py::test_without_restoring_data_the_change_is_green": "V1",
    "tests/evidence/test_forgery.py": "V1, V2",
    "tests/evidence/test_clauses_examine.py::test_the_digest_covers_every_field_but_the_id": "V2",
    "tests/core/test_gate.py::test_every_field_is_under_the_digest": "V2",
    "tests/core/test_gate.py::test_replayed_evidence_is_good_where_it_was_made": "V2",
    "tests/core/test_gate.py::test_one_act_counts_once_under_whatever_id": "V2",
    "tests/endtoend/test_gate.py::test_altered_packs_are_refused": "V2",
    "tests/core/test_gate.py::test_no_text_flips_a_verdict": "V3",
    "tests/endtoend/test_gate.py::test_words_alone_open_nothing": "V3",
    "tests/endtoend/test_gate.py::test_a_push_after_approval_voids_the_decision": "V4",
    "tests/core/test_gate.py::test_claims_are_marked": "V5",
    "tests/core/test_gate.py::test_claims_satisfy_nothing": "V5",
    "tests/endtoend/test_gate.py::test_what_ready_takes": "V5",
    "tests/evidence/test_static.py::test_reasons_stay_claims": "V5",
    "tests/evidence/test_static.py::test_new_dependencies_are_found": "S1",
    "tests/evidence/test_static.py::test_a_newer_version_is_no_new_dependency": "S1",
    "tests/evidence/test_static.py::test_code_that_installs_is_found": "S1",
    "tests/evidence/test_static.py::test_speaking_of_installs_is_none": "S1",
    "tests/ace/test_killed.py": "D1",
    "tests/endtoend/test_writers.py": "D1",
    "tests/endtoend/test_crashes.py": "D1",
    "tests/endtoend/test_killed_in_evidence.py": "D1",
    "tests/journal/test_durability.py::test_what_was_acknowledged_survives_kills": "D1",
    "tests/journal/test_durability.py::test_the_kills_would_show_a_writer_that_acknowledges_too_early": "D1",
    "tests/journal/test_durability.py::test_of_two_processes_exactly_one_wins": "D1",
    "tests/journal/test_durability.py::test_without_an_expected_version_both_would_win": "D1",
    "tests/journal/test_backup.py::test_killed_at_any_moment_it_is_whole_or_not_there": "D1",
    "tests/endtoend/test_prefixes.py": "D2",
    "tests/journal/test_syncs.py::test_what_was_acknowledged_survives_a_loss_of_power": "D2",
    "tests/journal/test_syncs.py::test_the_cuts_would_show_an_answer_before_its_sync": "D2",
    "tests/journal/test_syncs.py::test_a_failed_sync_is_told_to_all_who_wait_and_ends_the_appends": "D2, D7",
    "tests/journal/test_schema.py::test_an_upgrade_keeps_a_copy_of_what_was_there": "D6",
    "tests/journal/test_schema.py::test_an_older_program_reads_but_refuses_to_append": "D6",
    "tests/ace/test_backups.py::test_after_a_downgrade_the_copy_that_the_upgrade_left_is_restored": "D6",
    "tests/ace/test_bad_days.py": "D7",
    "tests/journal/test_durability.py::test_a_file_size_limit_is_a_clear_message": "D7",
    "tests/journal/test_durability.py::test_a_full_disk_is_a_clear_message": "D7",
    "tests/journal/test_durability.py::test_a_read_only_disk_is_a_clear_message": "D7",
    "tests/journal/test_durability.py::test_a_locked_journal_is_a_clear_message": "D7",
    "tests/journal/test_location.py::test_network_file_systems_are_refused_with_the_remedy": "D7",
}

# Tests that show within themselves that the attack works where nothing holds it back, in other words than `control`.
CONTROLLED = (
    "tests/aee/sandbox/test_sandbox_escapes.py",  # each of them succeeds without the sandbox
    "tests/aee/sandbox/test_sandbox_view.py::test_temporary_space_is_bounded",  # with a higher limit it is filled
    "tests/contracts/test_sandbox.py::test_one_file_cannot_grow_over_its_limit",  # without the limit it does
    "tests/endtoend/test_native_missions.py::test_twelve_missions_end_in_the_right_state",  # a person's shell does it
    "tests/journal/test_durability.py::test_a_locked_journal_is_a_clear_message",  # once it lets go
    "tests/core/test_gate.py::test_claims_satisfy_nothing",  # the same evidence of another grade satisfies
    "tests/evidence/test_static.py::test_a_newer_version_is_no_new_dependency",  # what is named is named for a reason
    "tests/journal/test_schema.py::test_an_older_program_reads_but_refuses_to_append",  # its own version is appended to
    "tests/aee/drivers/test_native_budget.py::test_answers_raise_what_is_allowed",  # with more allowed, more is spent
    "tests/endtoend/test_gate.py::test_a_push_after_approval_voids_the_decision",  # what was approved is merged
    "tests/tui/test_untrusted_text.py::test_the_gate_is_the_type",
)

OPEN = {
    "P3": "no MCP server of others is used yet; ours speaks to agents and starts nothing",
    "D3": "there is no simulation of the whole engine; random kills, races and losses of power take its place",
    "D4": "takes hours: python -m tests.soak.planted; the last full results are in workbench/docs/measured.md",
    "D5": "no version has been released",
}

PARTLY = {
    "G8": "taking over in an editor or a shell is not built; what is tested is that nothing hostile comes back from gc",
    "T2": "streams at the choke point and pastes; a model's stream is cut at every byte in its driver's own tests",
    "P1": "scripted models that obey; a real agent, which takes minutes, in tests/endtoend/test_gemini_missions.py",
    "E1": "DNS and tricks with names of proxies are held by having no network at all, which the sandbox's tests show",
    "R2": "half a gigabyte in place of ten",
    "D1": "samples; ten thousand kills: python -m tests.soak.writers, whole systems: python -m tests.soak.crashes",
    "D2": "a sample; every moment of 5,000 events: python -m tests.soak.prefixes",
}

_LEADS = re.compile(r"((?:[A-Z]\d(?:-[A-Z]\d)?)(?:, [A-Z]\d(?:-[A-Z]\d)?)*)(?:, control)?:")
_CONTROL = re.compile(r"\bcontrols?\b", re.IGNORECASE)


class Part(NamedTuple):
    """What a test has to do with the threats."""

    threats: tuple[str, ...]
    is_control: bool


def part_of(node: str, *, doc: str, module_doc: str) -> Part:
    """Read off a test's id (`tests/room/test_x.py::test_y`) and docstrings."""
    file, _, rest = node.partition("::")
    name = f"{file}::{rest.partition('[')[0]}"
    found = {
        threat
        for words in (_lead(doc), _lead(module_doc), NAMED.get(file, ""), NAMED.get(name, ""))
        for threat in _spelled_out(words)
    }
    shows = bool(_CONTROL.search(f"{doc} {module_doc}")) or file in CONTROLLED or name in CONTROLLED
    return Part(tuple(threat for threat in THREATS if threat in found), shows)


def _lead(doc: str) -> str:
    found = _LEADS.match(doc.strip())
    return found[1] if found else ""


def _spelled_out(words: str) -> Iterator[str]:
    """Each id in `G1, G3-G5`."""
    for word in filter(None, words.split(", ")):
        first, _, last = word.partition("-")
        for number in range(int(first[1]), int((last or first)[1]) + 1):
            yield f"{first[0]}{number}"

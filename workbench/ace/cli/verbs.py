"""The table of all verbs and nouns: where each lives and what it does in a line. It imports none of them."""

from __future__ import annotations

from workbench.ace.cli.lazy import Noun, Verb

_HERE = "workbench.ace.cli"
_START, _LOOK, _DECIDE, _HOUSE = "Start", "Look", "Decide", "House"

VERBS: dict[str, Verb | Noun] = {
    "demo": Verb(f"{_HERE}.demo:demo", "See the whole loop in a small repository, offline.", _START),
    "init": Verb(f"{_HERE}.init:init", "Write a commented .workbench/ into this repository.", _START),
    "run": Verb(f"{_HERE}.run:run", "Start a mission from a brief or one sentence.", _START),
    "wait": Verb(f"{_HERE}.wait:wait", "Wait until missions are done or need a person.", _START),
    "inbox": Verb(f"{_HERE}.inbox:inbox", "What needs a person, costly waits first.", _LOOK),
    "missions": Verb(f"{_HERE}.missions:missions", "All missions at a glance.", _LOOK),
    "runs": Verb(f"{_HERE}.missions:runs", "All runs at a glance.", _LOOK),
    "forecast": Verb(f"{_HERE}.forecast:forecast", "Which branches would conflict, and what to merge first.", _LOOK),
    "show": Verb(f"{_HERE}.show:show", "Anything by its id, whole.", _LOOK),
    "log": Verb(f"{_HERE}.log:log", "What a run did, event by event.", _LOOK),
    "compare": Verb(f"{_HERE}.compare:compare", "Versions of one brief in a matrix of evidence.", _LOOK),
    "answer": Verb(f"{_HERE}.answer:answer", "Answer an agent's question, with a reason.", _DECIDE),
    "approve": Verb(f"{_HERE}.packs:approve", "Approve a merge-readiness pack.", _DECIDE),
    "request-changes": Verb(f"{_HERE}.packs:request_changes", "Send a pack back to its agent.", _DECIDE),
    "reject": Verb(f"{_HERE}.packs:reject", "Reject a pack.", _DECIDE),
    "override": Verb(f"{_HERE}.policy:override", "Let one requirement of a pack go, with a reason.", _DECIDE),
    "trial": Verb(f"{_HERE}.trial:trial", "Examine packs merged together; nothing moves.", _DECIDE),
    "review": Verb(f"{_HERE}.review:review", "Go through all that is to decide, one after the other.", _DECIDE),
    "merge": Verb(f"{_HERE}.merge:merge", "Merge an approved pack, or several that hold together.", _DECIDE),
    "deliver": Verb(f"{_HERE}.deliver:deliver", "Push an approved pack for others to merge.", _DECIDE),
    "undo": Verb(f"{_HERE}.merge:undo", "Take a merge back.", _DECIDE),
    "pause": Verb(f"{_HERE}.steer:pause", "Hold runs after their next act.", _DECIDE),
    "resume": Verb(f"{_HERE}.steer:resume", "Let paused or resting runs go on.", _DECIDE),
    "queue": Verb(f"{_HERE}.speak:queue", "Say something to an agent when its turn ends.", _DECIDE),
    "steer": Verb(f"{_HERE}.speak:steer", "Say something to an agent while it works.", _DECIDE),
    "interrupt": Verb(f"{_HERE}.speak:interrupt", "End an agent's turn now, and say something to it.", _DECIDE),
    "stop": Verb(f"{_HERE}.steer:stop", "End runs or missions; what they delivered stays.", _DECIDE),
    "doctor": Verb(f"{_HERE}.doctor:doctor", "Check the machine, the repository and the journal.", _HOUSE),
    "gc": Verb(f"{_HERE}.gc:gc", "Show or tidy what delivered work left behind.", _HOUSE),
    "schema": Verb(f"{_HERE}.schema:schema", "JSON Schemas of the artifacts.", _HOUSE),
    "completion": Verb(f"{_HERE}.completion:completion", "Completion for bash, zsh or fish.", _HOUSE),
    "brief": Noun(
        {
            "list": Verb(f"{_HERE}.scripts:brief_list", "Briefs of this repository."),
            "show": Verb(f"{_HERE}.scripts:brief_show", "One brief, whole."),
            "check": Verb(f"{_HERE}.scripts:brief_check", "Problems of briefs, with line and remedy."),
            "new": Verb(f"{_HERE}.scripts:brief_new", "Write a light brief from one sentence."),
        },
        "Mission plans under .workbench/briefs.",
    ),
    "loop": Noun(
        {
            "list": Verb(f"{_HERE}.scripts:loop_list", "Loops of this repository."),
            "show": Verb(f"{_HERE}.scripts:loop_show", "One loop, whole."),
            "check": Verb(f"{_HERE}.scripts:loop_check", "Problems of loops, with line and remedy."),
        },
        "Playbooks under .workbench/loops.",
    ),
    "mentor": Noun(
        {
            "list": Verb(f"{_HERE}.scripts:mentor_list", "Mentor rules of this repository."),
            "show": Verb(f"{_HERE}.scripts:mentor_show", "One rule, whole."),
            "check": Verb(f"{_HERE}.scripts:mentor_check", "Problems of rules, with line and remedy."),
        },
        "Team norms under .workbench/mentor.",
    ),
    "mrp": Noun(
        {
            "list": Verb(f"{_HERE}.packs:mrp_list", "Merge-readiness packs, newest first."),
            "show": Verb(f"{_HERE}.packs:mrp_show", "One pack: verdict, what was not checked, evidence."),
            "build": Verb(f"{_HERE}.build:build", "Gate any branch: exit 0 ready, 1 not ready, 3 needs a person."),
            "diff": Verb(f"{_HERE}.hunks:mrp_diff", "What a pack changes, hunk by hunk, and what of it you read."),
            "mark": Verb(f"{_HERE}.hunks:mrp_mark", "Note which files or hunks of a pack you have read."),
            "impact": Verb(f"{_HERE}.impact:mrp_impact", "What a pack does to the rest of the tree."),
            "verify": Verb(f"{_HERE}.verify:verify", "Whether a pack is what it was when it was made."),
        },
        "Merge-readiness packs.",
    ),
    "comment": Noun(
        {
            "add": Verb(f"{_HERE}.comment:add", "Remark on a pack, some lines of it, a clause or evidence."),
            "list": Verb(f"{_HERE}.comment:list_comments", "Comments, where they stand in this revision."),
            "settle": Verb(f"{_HERE}.comment:settle", "Say how a comment was dealt with."),
            "export": Verb(f"{_HERE}.comment:export", "Comments as Markdown, a forge's review or a patch."),
        },
        "Comments on merge-readiness packs.",
    ),
    "policy": Noun(
        {
            "show": Verb(f"{_HERE}.policy:show", "What is in force here, or a preset, as text to read and extend."),
            "check": Verb(f"{_HERE}.policy:check", "Problems of a policy, with line, column and remedy."),
            "explain": Verb(f"{_HERE}.policy:explain", "Why a pack has its verdict, and what would change it."),
            "facts": Verb(f"{_HERE}.policy:facts", "What the conditions of a policy may ask for."),
        },
        "What a change must show before it may be merged.",
    ),
    "agents": Noun(
        {
            "list": Verb(f"{_HERE}.agents:list_agents", "Agents that the settings name."),
            "doctor": Verb(f"{_HERE}.agents:doctor", "Whether each could work: driver, model, key, server."),
            "try": Verb(f"{_HERE}.agents:try_agent", "One tiny turn in a throwaway clone."),
        },
        "Agents by name.",
    ),
    "aee": Noun(
        {
            "start": Verb(f"{_HERE}.aee:start", "Start the AEE, detached; returns once it is ready."),
            "status": Verb(f"{_HERE}.aee:status", "Whether an AEE serves this repository."),
            "stop": Verb(f"{_HERE}.aee:stop", "End the AEE; runs go on at its next start."),
            "run": Verb(f"{_HERE}.aee:run", "Run the AEE in front of you."),
        },
        "The agents' execution environment.",
    ),
    "journal": Noun(
        {
            "verify": Verb(f"{_HERE}.journal:verify", "Check the chain, the projections and the blobs."),
            "rebuild": Verb(f"{_HERE}.journal:rebuild", "Make the projections anew from the events."),
            "export": Verb(f"{_HERE}.journal:export", "All events as NDJSON."),
            "backup": Verb(f"{_HERE}.backups:backup", "Copy it, with its blobs and deliveries, while agents work."),
            "backups": Verb(f"{_HERE}.backups:listed", "Backups that lie beside it."),
            "adopt": Verb(f"{_HERE}.backups:adopt", "Take up the journal of this repository after it was moved."),
            "restore": Verb(f"{_HERE}.backups:restore", "Let it be what a backup holds; what was there is kept."),
        },
        "The event log.",
    ),
    "plugin": Noun(
        {
            "list": Verb(f"{_HERE}.plugin:list_plugins", "Plugins, and whether each may run; none is imported."),
            "new": Verb(f"{_HERE}.plugin:new", "Write a plugin that passes its own tests."),
            "doctor": Verb(f"{_HERE}.plugin:doctor", "What keeps plugins from running, and what to do."),
            "test": Verb(f"{_HERE}.plugin:test", "Try plugins out in a sandbox, their own tests included."),
            "trust": Verb(f"{_HERE}.plugin:trust", "Let a plugin of the repository run, exactly as it is."),
            "disable": Verb(f"{_HERE}.plugin:disable", "Do without a plugin in this repository."),
            "enable": Verb(f"{_HERE}.plugin:enable", "Have a plugin again, and settle what it did."),
        },
        "Plugins: collectors, agents, tools, themes, loops.",
    ),
    "config": Noun(
        {"show": Verb(f"{_HERE}.settings:show", "Settings in force, and where each comes from.")},
        "Settings.",
    ),
}

"""Everything that a key can do, one row each: footer, palette, help and the reference are made from this table.

It knows no screen: a screen carries out `approve-pack` in a method `act_approve_pack`, and says in `off_approve_pack`
why it cannot be done right now.
"""

from __future__ import annotations

from typing import NamedTuple

EVERYWHERE = "everywhere"


class Action(NamedTuple):
    """One row. `where` is the screen that has it; `footer` its place there (0: not shown); `decides` guards it."""

    id: str
    label: str
    tooltip: str
    keys: tuple[str, ...]
    where: str = EVERYWHERE
    footer: int = 0
    decides: bool = False  # takes effect on people's artifacts: never within moments of a screen change

    @property
    def method(self) -> str:
        """The end of the names of the methods that carry it out or say why not."""
        return self.id.replace("-", "_")


ACTIONS: tuple[Action, ...] = (
    # everywhere
    Action("go-back", "back", "Leave this screen; at home: leave Workbench, agents go on", ("escape", "q")),
    Action("go-inbox", "inbox", "What needs a person", ("g i",)),
    Action("go-missions", "missions", "All missions and their runs", ("g m",)),
    Action("go-scripts", "scripts", "Briefs, loops, rules and the policy, with their problems", ("g s",)),
    Action("go-on-reviewing", "review session", "The next thing to decide, one after the other", ("g r",)),
    Action("start-mission", "new mission", "Start a mission from a sentence or a brief", ("+",)),
    Action("show-palette", "palette", "Find any action by its name", ("ctrl+p",)),
    Action("show-help", "help", "All keys of this screen", ("?",), footer=9),
    Action("filter-rows", "filter", "Show only lines that contain some words", ("/",), footer=8),
    Action("next-match", "next match", "Go to the next line that matches the filter", ("n",)),
    Action("previous-match", "previous match", "Go to the line before that matches the filter", ("N",)),
    Action("next-line", "down", "One line down", ("j", "down")),
    Action("previous-line", "up", "One line up", ("k", "up")),
    Action("next-page", "page down", "Half a screen down", ("ctrl+d", "pagedown")),
    Action("previous-page", "page up", "Half a screen up", ("ctrl+u", "pageup")),
    Action("first-line", "top", "The first line", ("g g", "home")),
    Action("last-line", "bottom", "The last line", ("G", "end")),
    Action("open-row", "open", "Open what is selected", ("enter",), footer=1),
    Action("mark-row", "mark", "Mark or unmark a line", ("space",)),
    Action("next-pane", "next pane", "Go to the next pane", ("tab",)),
    Action("previous-pane", "previous pane", "Go to the pane before", ("shift+tab",)),
    Action("copy-id", "copy", "Copy the id or the text of what is selected", ("y",)),
    Action("edit-file", "edit", "Open a copy of the file in your editor", ("e",)),
    Action("undo-last", "undo", "Take back the last thing that can be taken back", ("u",)),
    Action("confirm", "send", "Send or confirm", ("ctrl+s",), decides=True),
    Action("show-new", "show new", "Take in what arrived since you looked", (".",)),
    Action("toggle-mouse", "mouse", "Leave the mouse to the terminal, or take it", ("f2",)),
    Action("suspend", "suspend", "Back to the shell; `fg` returns", ("ctrl+z",)),
    # inbox
    Action("snooze", "snooze", "Hide it for an hour, until tomorrow, or until something changes", ("z",), "inbox", 3),
    Action("mute", "mute", "Hide alerts of this run or mission until unmuted", ("m",), "inbox"),
    Action("show-snoozed", "snoozed", "Show what is snoozed or muted, too", ("Z",), "inbox"),
    Action("answer-option", "answer", "Answer with that option", tuple("123456789"), "inbox", 2),
    Action("allow-once", "allow once", "Allow this request, this time", ("a",), "inbox"),
    Action("allow-scope", "allow for…", "Allow it, and say how far that holds", ("A",), "inbox"),
    Action("deny", "deny", "Deny this request", ("X",), "inbox"),
    Action("choose-until", "choose", "Choose how long", tuple("123"), "snooze", 1),
    # missions
    Action("fold-mission", "fold", "Show or hide the runs of a mission", ("space",), "missions", 2),
    Action("pause-run", "pause or go on", "Let the selected run pause after its act, or go on", ("p",), "missions", 3),
    Action("stop-run", "stop", "Stop the selected run or mission for good", ("S",), "missions", 4),
    Action("compare-versions", "compare", "Hold the versions of the mission against each other", ("c",), "missions", 5),
    # compare
    Action(
        "pick-version", "pick", "Approve this version, and leave the others behind", ("P",), "compare", 2, decides=True
    ),
    Action("compose-version", "compose", "Make a new version of what is marked", ("C",), "compare", 3, decides=True),
    Action("mark-row", "take", "Take this file or hunk of this version, or not", ("space",), "compare", 4),
    Action("show-hunks", "hunks", "The hunks of this file, to be taken one by one", ("o",), "compare"),
    Action("toggle-differences", "differences", "Only rows in which the versions differ", ("=",), "compare", 5),
    Action("run-crossed", "run tests", "Run each version against the tests of the others", ("x",), "compare", 6),
    Action("set-against", "against", "Show what differs from this version", ("a",), "compare", 7),
    Action("open-version", "review", "Open the pack of this version", ("r",), "compare"),
    Action("next-version", "next version", "The next version", ("right", "l"), "compare"),
    Action("previous-version", "previous version", "The version before", ("left", "h"), "compare"),
    # run
    Action(
        "steer",
        "say something",
        "Write to the agent: Tab changes between queue, steer and interrupt, Enter sends, Esc leaves",
        ("i",),
        "run",
        2,
    ),
    Action("undo-last", "take back", "Take back a message that the agent was not given yet", ("u",), "run"),
    Action("pause-run", "pause or go on", "Let the run pause after its act, or go on", ("p",), "run", 3),
    Action("stop-run", "stop", "Stop the run for good", ("S",), "run"),
    Action("open-pack", "review", "Open the newest pack of the run", ("r",), "run", 4),
    Action("comment", "comment", "Comment on the act, on the run's newest pack", ("c",), "run"),
    Action("follow", "follow", "Follow the newest act again", ("f",), "run"),
    # consultation
    Action("choose-option", "option", "Choose that option", tuple("123456789"), "consultation", 1),
    Action("write-alternative", "own answer", "Answer with words of your own", ("o",), "consultation", 2),
    Action("add-condition", "condition", "Add a condition that must hold", ("+",), "consultation", 3),
    Action(
        "change-scope",
        "how far",
        "How far the answer applies",
        ("s",),
        "consultation",
    ),
    Action("change-zoom", "zoom", "One sentence, one screen, everything", ("Z",), "consultation", 4),
    Action("send-answer", "send", "Send the answer", ("ctrl+s",), "consultation", 5, decides=True),
    Action("allow-once", "allow once", "Allow this request, this time", ("a",), "consultation"),
    Action("deny", "deny", "Deny this request", ("X",), "consultation"),
    # review
    Action("approve-pack", "approve", "Approve: the reason is asked for", ("A",), "review", 2, decides=True),
    Action(
        "request-changes",
        "request changes",
        "Send it back to the agent",
        ("R",),
        "review",
        3,
        decides=True,
    ),
    Action("reject-pack", "reject", "Reject it for good", ("X",), "review", decides=True),
    Action("merge-pack", "merge", "Merge what was approved", ("M",), "review", 4, decides=True),
    Action("undo-last", "undo merge", "Take the merge back", ("u",), "review", decides=True),
    Action("renew-evidence", "renew evidence", "Build the evidence again on today's base", ("x",), "review"),
    Action("explain-verdict", "why", "Why this verdict: requirements, reasons, findings", ("w",), "review", 1),
    Action("show-evidence", "evidence", "Open the evidence of that criterion", tuple("12345"), "review", 5),
    Action("mark-reviewed", "reviewed", "Mark as read, or not: the hunk in the diff, else the file", ("r",), "review"),
    Action("next-unread", "next unread", "The next hunk that is not marked as read, in any file", ("U",), "review"),
    Action("next-hunk", "next hunk", "The next changed place", ("J", "]"), "review"),
    Action("previous-hunk", "previous hunk", "The changed place before", ("K", "["), "review"),
    Action("next-file", "next file", "The next changed file", ("L", "}"), "review"),
    Action("previous-file", "previous file", "The changed file before", ("H", "{"), "review"),
    Action("comment", "comment", "Comment on these lines, this evidence, or the whole", ("c",), "review", 6),
    Action("comment-entity", "on function", "Comment on the function or class around this line", ("C",), "review"),
    Action("since-last-look", "since", "What changed since the revision you looked at last", ("d",), "review"),
    Action("show-impact", "impact", "What it does to the rest: callers, needs, rules, migrations", ("i",), "review"),
    Action("start-range", "range", "Take several lines together for one comment", ("v",), "review"),
    Action("toggle-split", "side by side", "Before and after side by side, or one below the other", ("s",), "review"),
    Action("toggle-folds", "fold", "Show or fold what is mechanical: moved, renamed, reformatted", ("=",), "review"),
    Action("more-context", "context", "More lines around each change", ("z",), "review"),
    Action("whole-file", "whole file", "All lines of the file, or only what changed", ("Z",), "review"),
    Action("scroll-right", "right", "See the ends of long lines", ("right", "l"), "review"),
    Action("scroll-left", "left", "Back to where lines begin", ("left", "h"), "review"),
    # start
    Action("start-now", "start", "Start the mission as it is written here", ("ctrl+s",), "start", 1, decides=True),
    # scripts
    Action("edit-file", "edit", "Open it in your editor; it is checked when you come back", ("e",), "scripts", 2),
    Action("check-scripts", "check again", "Read and check all files again", ("ctrl+r",), "scripts", 3),
)

# The difference of two versions is read with the keys of a review; the numbers are their places in the footer.
_READING = {
    "next-hunk": 2, "next-file": 3, "toggle-split": 4, "toggle-folds": 5, "more-context": 6, "whole-file": 0,
    "previous-hunk": 0, "previous-file": 0, "scroll-right": 0, "scroll-left": 0,
}  # fmt: skip
ACTIONS += tuple(
    row._replace(where="pair", footer=_READING[row.id])
    for row in ACTIONS
    if row.where == "review" and row.id in _READING
)
ACTIONS += (Action("comment", "comment", "Comment on both versions, at these lines", ("c",), "pair", 7),)


def actions_of(where: str) -> tuple[Action, ...]:
    """The actions of a screen, its own first."""
    own = tuple(action for action in ACTIONS if action.where == where)
    return own + tuple(action for action in ACTIONS if action.where == EVERYWHERE)


def named(action_id: str, where: str) -> Action:
    """The row of that id, as a screen has it. Raises KeyError."""
    for action in actions_of(where):
        if action.id == action_id:
            return action
    raise KeyError(action_id)

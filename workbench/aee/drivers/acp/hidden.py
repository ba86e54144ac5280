"""What a repository brings for an agent's program is inert: a script for node, loaded first, hides it from the program.

Settings, servers, hooks, skills, policies, extensions and variables of a repository are for a person to trust, not for
the program to find. This makes an honest program behave; the sandbox is what holds one that does not. Commands that
the program starts see the repository as it is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

_NODE = """\
"use strict";
const fs = require("node:fs"), path = require("node:path");
const roots = NAMES.map((name) => path.join(process.cwd(), name));
const isHidden = (given) => {
  if (given instanceof URL) given = given.pathname;
  if (Buffer.isBuffer(given)) given = given.toString();
  if (typeof given !== "string") return false;
  const whole = path.resolve(given);
  return roots.some((root) => whole === root || whole.startsWith(root + path.sep));
};
const missing = (given) => {
  const text = `ENOENT: no such file or directory, '${given}'`;
  return Object.assign(new Error(text), { code: "ENOENT", errno: -2, path: `${given}` });
};
const READS = ["access", "lstat", "open", "opendir", "readFile", "readdir", "realpath", "stat"];
const wrap = (holder, name, act) => {
  const before = holder[name];
  if (typeof before !== "function") return;
  const after = (...words) => (isHidden(words[0]) ? act(words) : before.apply(holder, words));
  holder[name] = Object.assign(after, before);
};
const refuse = (words) => {
  if (words[1] && words[1].throwIfNoEntry === false) return undefined;
  throw missing(words[0]);
};
for (const name of READS) {
  wrap(fs, `${name}Sync`, refuse);
  wrap(fs.promises, name, (words) => Promise.reject(missing(words[0])));
  wrap(fs, name, (words) => process.nextTick(words[words.length - 1], missing(words[0])));
}
wrap(fs, "existsSync", () => false);
wrap(fs, "createReadStream", refuse);
const words = (process.env.NODE_OPTIONS || "").split(" ").filter((word) => word !== `--require=${__filename}`);
process.env.NODE_OPTIONS = words.join(" ");
require("node:module").syncBuiltinESMExports();
"""


def script(names: Sequence[str]) -> str:
    """A CommonJS module that hides `names`, paths below the directory in which the program starts, from it alone."""
    return _NODE.replace("NAMES", json.dumps(list(names)), 1)

"""What a repository brings for a program that node runs is hidden from it, and from nobody else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from workbench.aee.drivers.acp.hidden import script

LOOKS = """
import * as fs from "node:fs";
import { existsSync, readFileSync } from "fs";
import { readFile, stat } from "node:fs/promises";
import { execSync } from "node:child_process";
const near = [
  () => existsSync(".env"), () => readFileSync(".gemini/settings.json"), () => fs.lstatSync("./.gemini"),
  () => fs.statSync(".env", { throwIfNoEntry: false }), () => fs.openSync(`${process.cwd()}/.env`),
  () => fs.readdirSync(new URL(`file://${process.cwd()}/.gemini`)), () => execSync("test ! -e .gemini"),
];
const seen = near.map((look) => { try { return !!look(); } catch { return false; } });
for (const look of [() => readFile(".env"), () => stat(".gemini"), () => fs.promises.readdir(".gemini")])
  seen.push(await look().then(() => true, () => false));
seen.push(await new Promise((done) => fs.readFile(".env", (error) => done(!error))));
const other = [existsSync("other.txt"), execSync("cat .gemini/settings.json .env; node -p 'process.env.NODE_OPTIONS'")];
console.log(JSON.stringify([seen.filter((one) => one).length, ...other.map(String)]));
"""


def looked(at: Path, options: str) -> list[object]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    env = {"PATH": os.environ["PATH"], "NODE_OPTIONS": options}
    done = subprocess.run([node, "looks.mjs"], cwd=at, env=env, capture_output=True, text=True, check=True, timeout=60)
    return list(json.loads(done.stdout))


def test_a_program_does_not_see_what_its_commands_see(tmp_path: Path) -> None:
    """No way of reading a file finds it in the program itself; commands see all; the control: all ways find it."""
    (tmp_path / ".gemini").mkdir()
    for name in (".gemini/settings.json", ".env", "other.txt"):
        (tmp_path / name).write_text("words")
    (tmp_path / "looks.mjs").write_text(LOOKS)
    hiding = tmp_path / "hiding.cjs"
    hiding.write_text(script([".gemini", ".env"]))
    assert looked(tmp_path, f"--require={hiding} --no-warnings") == [0, "true", "wordswords--no-warnings\n"]
    assert looked(tmp_path, "--no-warnings") == [10, "true", "wordswords--no-warnings\n"]

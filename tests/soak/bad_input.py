"""Mutated input for every parser: `python -m tests.soak.bad_input [--each 500] [--seed 1] [--only NAME]`.

Each input must come to a value or to an error with a remedy: no other exception, no more than 2 s, no more than so much
memory. A format is read in a process of its own, under a limit of address space. It prints a table; exit 1 if anything
failed, with the number by which `mutated` makes the input again.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from tests.soak.formats import FORMATS
from tests.soak.mutation import LARGEST, mutated
from workbench.model.errors import WorkbenchError

LONGEST_S = 2.0  # of processor time, as the machine may be busy
STILL_S = 60.0  # of waiting for nothing
GROWTH_BYTES = 512 << 20  # of address space, beyond what the process had at the start
SHOWN = 12  # faults told in full


class Fault(NamedTuple):
    """An input that came to neither."""

    number: int
    what: str
    where: str


class Outcome(NamedTuple):
    """What came of one format."""

    name: str
    counts: Counter[str]
    slowest_s: float
    grown_mb: float
    faults: list[Fault]


class _TooLong(BaseException):
    pass


def _too_long(_number: int, _frame: FrameType | None) -> None:
    raise _TooLong


def tried(name: str, each: int, *, seed: int, largest: int = LARGEST) -> Outcome:
    """Read that many mutated inputs of one format, in the main thread of this process."""
    format_ = FORMATS[name]
    counts: Counter[str] = Counter()
    faults: list[Fault] = []
    slowest = 0.0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    earlier = [(number, signal.signal(number, _too_long)) for number in (signal.SIGPROF, signal.SIGALRM)]
    try:
        for number in range(each):
            data = mutated(format_.examples, seed=seed, name=name, number=number, largest=largest)
            signal.setitimer(signal.ITIMER_PROF, LONGEST_S)
            signal.setitimer(signal.ITIMER_REAL, STILL_S)
            began = time.process_time()
            try:
                format_.read(data)
                counts["value"] += 1
            except WorkbenchError as refused:
                counts["refused" if _helps(refused) else "fault"] += 1
                if not _helps(refused):
                    faults.append(Fault(number, f"no remedy: {refused.message}", ""))
            except format_.refuses:
                counts["refused"] += 1
            except _TooLong:
                counts["fault"] += 1
                faults.append(Fault(number, f"longer than {LONGEST_S} s", ""))
            except Exception as error:  # noqa: BLE001 - what this looks for
                counts["fault"] += 1
                faults.append(Fault(number, f"{type(error).__name__}: {str(error)[:160]}", _place(error)))
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
                signal.setitimer(signal.ITIMER_REAL, 0)
            slowest = max(slowest, time.process_time() - began)
    finally:
        for number, handler in earlier:
            signal.signal(number, handler)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return Outcome(name, counts, slowest, grown, faults)


def _helps(refused: WorkbenchError) -> bool:
    problems = getattr(refused, "problems", ())
    return bool(refused.message and (refused.hint or (problems and all(problem.remedy for problem in problems))))


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "/workbench/" in frame.filename or "/soak/" in frame.filename]
    return " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(own[-3:]))


def _bounded(job: tuple[str, int, int]) -> Outcome:
    name, each, seed = job
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + GROWTH_BYTES, resource.RLIM_INFINITY))
    return tried(name, each, seed=seed)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    jobs = [(name, options.each, options.seed) for name in FORMATS if options.only in ("", name)]
    total, failed = 0, 0
    print(f"{'format':<16} {'inputs':>6} {'value':>6} {'refused':>7} {'fault':>5} {'slowest ms':>10} {'grown MB':>8}")
    with multiprocessing.get_context("spawn").Pool(options.jobs, maxtasksperchild=1) as pool:
        for outcome in pool.imap(_bounded, jobs):
            counts = outcome.counts
            total, failed = total + counts.total(), failed + counts["fault"]
            print(
                f"{outcome.name:<16} {counts.total():>6} {counts['value']:>6} {counts['refused']:>7}"
                f" {counts['fault']:>5} {outcome.slowest_s * 1000:>10.0f} {outcome.grown_mb:>8.0f}",
                flush=True,
            )
            for what, count in Counter((fault.what[:60], fault.where) for fault in outcome.faults).most_common(SHOWN):
                first = next(fault for fault in outcome.faults if (fault.what[:60], fault.where) == what)
                print(f"    {count} x {first.what} at {first.where or '?'} (number {first.number})", flush=True)
    print(f"{total} inputs, {failed} faults")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

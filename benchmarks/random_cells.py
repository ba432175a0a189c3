"""Random cells: every function of the generated modules means what the cells' texts say, on thousands of them.

    OPENBLAS_NUM_THREADS=1 python benchmarks/random_cells.py --count 5000 [--seed 0] [--jobs 2] [--verify]

Each cell is drawn as a text (`tests.drawn.writing`): 1 to 3 inputs and states of any shape, arbitrary expressions as
the operands of every operator, names that Python and generated modules use.  Its module is compared with HIPS autograd
over an interpreter of the text (`tests.drawn.truth`), over steps, examples and sizes; with `--verify`, `symrnn.verify`
is asked too.  A cell that fails is printed with what is wrong; one without a point at which it is smooth and its values
are moderate is counted.  The exit code is 1 where any failed.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import re
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from symrnn import verify
from symrnn.algebra.functions import FUNCTIONS
from symrnn.language.operations import STRUCTURAL
from symrnn.runs.points import NOWHERE
from tests.drawn.comparing import Nowhere, disagreements
from tests.drawn.writing import draw

_SIZES = ((1, 1), (2, 3))


def outcome(seed: int, equations: int, depth: int, effort: float, verified: bool) -> tuple[str, str, str]:
    """The text of a cell, a word for what happened to it, and the details where it did not pass."""
    warnings.simplefilter("error")
    text = f"seed {seed}"
    try:
        drawn = draw(seed, equations, depth)
        text = drawn.text
        wrong = list(disagreements(drawn, seed, effort))
        report = verify(drawn.cell, sizes=_SIZES) if verified else None
        wrong += [] if report is None else [str(c) for c in report.failures if NOWHERE not in c.detail]
    except Nowhere:
        return text, "without a point", ""
    except Exception:
        return text, "crashed", traceback.format_exc()
    return text, "failed" if wrong else "passed", "\n".join(wrong)


def run(seeds: Iterable[int], jobs: int, work: partial[tuple[str, str, str]]) -> Counter[str]:
    found: Counter[str] = Counter()
    used: Counter[str] = Counter()
    equations: Counter[int] = Counter()
    begin = time.perf_counter()
    with ProcessPoolExecutor(jobs) as pool:
        for seed, (text, word, detail) in zip(seeds, pool.map(work, seeds, chunksize=5), strict=True):
            found[word] += 1
            equations[text.count(" = ")] += 1
            used.update(set(re.findall(r"\b([a-z_]+)\(", text)) & {*FUNCTIONS, *STRUCTURAL})
            if detail:
                print(f"\n--- seed {seed}: {word}\n{text}\n{detail}", flush=True)
            shown = ", ".join(f"{n} {name}" for name, n in found.items())
            line = f"{sum(found.values())} cells in {time.perf_counter() - begin:.0f} s: {shown}"
            print(f"\r{line}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    missing = sorted({*FUNCTIONS, *STRUCTURAL} - used.keys())
    print("equations: " + ", ".join(f"{n}: {cells}" for n, cells in sorted(equations.items())))
    print(f"functions: {len(used)} of {len(FUNCTIONS) + len(STRUCTURAL)}" + (f", without {missing}" if missing else ""))
    print(line)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the modules of random cells with their texts.")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0, help="the first cell's number")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--equations", type=int, default=6, help="the most equations of a cell")
    parser.add_argument("--depth", type=int, default=3, help="how deep expressions are nested")
    parser.add_argument("--effort", type=float, default=0.1, help="the share of all steps, examples and sizes compared")
    parser.add_argument("--verify", action="store_true", help="run symrnn.verify as well")
    given = parser.parse_args()
    work = partial(outcome, equations=given.equations, depth=given.depth, effort=given.effort, verified=given.verify)
    found = run(range(given.seed, given.seed + given.count), given.jobs, work)
    return int(not set(found) <= {"passed", "without a point"})


if __name__ == "__main__":
    sys.exit(main())

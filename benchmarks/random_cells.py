"""Random cells: derivation, exact test, complex step and generated code, on many of them.

    OPENBLAS_NUM_THREADS=1 python benchmarks/random_cells.py --count 2000 [--seed 0]

Each cell is drawn as a text (1 to 3 states, 1 to 12 equations, every operator and function of the language), read, and
given to `symrnn.verify`.  A cell for whose numerical checks no smooth point is found passes in part; one that fails is
printed with its report.  The last lines say how many cells there were, what they consist of, and how long it took.
The exit code is 1 where any failed.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import re
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

sys.path.insert(0, str(Path(__file__).parents[1]))

from symrnn import Cell, verify
from symrnn.algebra.functions import FUNCTIONS
from symrnn.errors import SymrnnError
from symrnn.language.expressions import STRUCTURAL
from symrnn.verification.points import NOWHERE
from tests.strategies import cell_texts

_SIZES = ((1, 1), (2, 3))


def outcome(text: str) -> tuple[str, str]:
    """A word for what happened to a cell, and the details where it did not pass."""
    try:
        report = verify(Cell.from_source(text), sizes=_SIZES)
    except SymrnnError as error:
        return "refused", str(error)
    except Exception:
        return "crashed", traceback.format_exc()
    if report.passed:
        return "passed", ""
    wrong = [check for check in report.failures if NOWHERE not in check.detail]
    if not wrong:  # what can be checked passes; of the rest no point is smooth
        return "passed in part", ""
    return "failed", str(report)


def run(count: int, start: int) -> Counter[str]:
    found: Counter[str] = Counter()
    used: Counter[str] = Counter()
    equations: Counter[int] = Counter()

    @seed(start)
    @settings(
        max_examples=count,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(cell_texts())
    def every(text: str) -> None:
        word, detail = outcome(text)
        found[word] += 1
        equations[text.count(" = ")] += 1
        used.update(set(re.findall(r"\b([a-z_]+)\(", text)) & {*FUNCTIONS, *STRUCTURAL})
        if detail:
            print(f"--- {word}\n{text}\n{detail}\n", flush=True)

    every()
    missing = sorted({*FUNCTIONS, *STRUCTURAL} - used.keys())
    print("equations: " + ", ".join(f"{n}: {cells}" for n, cells in sorted(equations.items())))
    print(f"functions: {len(used)} of {len(FUNCTIONS) + len(STRUCTURAL)}" + (f", without {missing}" if missing else ""))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Verify random cells.")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    begin = time.perf_counter()
    found = run(arguments.count, arguments.seed)
    took = time.perf_counter() - begin
    print(f"{sum(found.values())} cells in {took:.0f} s: " + ", ".join(f"{n} {word}" for word, n in found.items()))
    return int(not set(found) <= {"passed", "passed in part"})


if __name__ == "__main__":
    sys.exit(main())

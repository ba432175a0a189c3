"""Every Jacobian of every cell of the library, exactly and by complex steps, and what deriving them costs.

    python benchmarks/jacobians.py [processes] [cell ...]

For each cell and every pair of its variables (states, states at t-1, inputs, intermediate values, pre-activations,
parameters): the direct derivative, the one of the step, the total one over two and three steps, and, over one and two
steps, with random sets of variables held.  Each at (d_h, d_x) = (1, 1), (2, 3), (3, 2), (4, 4), in exact arithmetic
and against complex steps through the author's text.

The errors against complex steps are rounding.  They are largest for `lstm_layer_norm` at d_h = 1 over three steps: the
spread of one entry is 0, so that a normalisation has the slope 1 / sqrt(1e-5) = 316, and what is small after that is a
difference of such terms.  Against extended precision (64 bits of mantissa) the derived expression for c at t-1 with
respect to d at t-2 is off by 1.1e-12 and the complex step by 1.8e-13: both round, the derived expression more.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from random import Random

from symrnn import cells, derive
from symrnn.calculus.window import known_variables
from symrnn.proofs.survey import JacobianQuestion, survey

HELD_SETS = 2


def questions(name: str) -> list[JacobianQuestion]:
    """What is asked about one cell."""
    derivation, rng = derive(cells.lookup(name)), Random(name)
    asked = [
        JacobianQuestion("direct"),
        *(JacobianQuestion(kind, steps) for kind in ("cell", "total") for steps in (1, 2, 3)),
    ]
    free = [v for v in known_variables(derivation) if v not in derivation.cell.parameters]
    for _ in range(HELD_SETS):
        held = tuple(sorted(rng.sample(free, min(len(free) - 2, rng.randint(1, 3)))))
        asked += [
            JacobianQuestion("direct", 1, held),
            JacobianQuestion("cell", 2, held),
            JacobianQuestion("total", 2, held),
        ]
    return asked


def examine(name: str) -> tuple[str, int, int, float, float, list[str]]:
    """Cell, Jacobians, those that failed exactly, the largest error of a complex step, seconds, and what failed."""
    start = time.perf_counter()
    derivation = derive(cells.lookup(name))
    count, failed, worst, details = 0, 0, 0.0, []
    for question in questions(name):
        exact, numeric = survey(derivation, question)
        count += int(exact.name.split()[0])
        failed += int(exact.error)
        worst = max(worst, numeric.error)
        details += [f"{check.name} ({check.method}): {check.detail}" for check in (exact, numeric) if not check.passed]
    return name, count, failed, worst, time.perf_counter() - start, details


def main() -> None:
    processes = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    names = sys.argv[2:] or cells.names()
    total = wrong = 0
    largest = 0.0
    with ProcessPoolExecutor(processes) as pool:
        for name, count, failed, worst, seconds, details in pool.map(examine, names):
            print(f"{name:40} {count:6} Jacobians  {failed} wrong  error {worst:.1e}  {seconds:6.1f} s", flush=True)
            print("".join(f"    {line}\n" for detail in details for line in detail.splitlines()), end="")
            total, wrong, largest = total + count, wrong + failed + len(details), max(largest, worst)
    print(f"{len(names)} cells, {total} Jacobians at four sizes each: {wrong} wrong, largest error {largest:.1e}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

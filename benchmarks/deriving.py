"""How long deriving takes: cells of 10 to 1,000 equations, and the LSTM to first and second order.

    python benchmarks/deriving.py [runs]

The cells are stacks of light gated layers, each layer the input of the next, written by a generator of cell text.
The time is that of `derive`, without reading the text (shown beside it); a derivation has no length of time in it, so
there is no T to depend on.  Best of several runs; the last column should stay the same.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from symrnn import Cell, cells, derive
from symrnn.calculus.second_order import second_order

SIZES = (10, 20, 50, 100, 200, 500, 1000)
_EQUATIONS_A_LAYER = 5


def stacked(equations: int) -> str:
    """The text of a cell with this many equations, five a layer."""
    layers = equations // _EQUATIONS_A_LAYER
    states = [f"h{i}" for i in range(1, layers + 1)]
    parameters = ["W", *(f"U{i}" for i in range(1, layers + 1)), *(f"V{i}" for i in range(2, layers + 1))]
    lines = []
    for i in range(1, layers + 1):
        below = "W @ x" if i == 1 else f"V{i} @ h{i - 1}"
        lines += [
            f"z{i} = {below}",
            f"r{i} = sigmoid(z{i})",
            f"n{i} = tanh(U{i} @ h{i})",
            f"m{i} = n{i} * r{i}",
            f"h{i} = m{i}" + (f" + h{i - 1}" if i > 1 else ""),
        ]
    body = "".join(f"    {line}\n" for line in lines)
    arguments = ", ".join(["x", *states, "*", *parameters])
    return f"def stack({arguments}):\n{body}    return {', '.join(states)}\n"


def best(work: Callable[[], object], runs: int) -> float:
    """The shortest of several runs, in milliseconds."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"{'equations':>9} {'reading':>12} {'deriving':>12} {'per equation':>14}")
    for count in SIZES:
        source = stacked(count)
        reading = best(lambda source=source: Cell.from_source(source), 1)  # type: ignore[misc]
        cell = Cell.from_source(source)
        assert len(cell.body) == count
        taken = best(lambda cell=cell: derive(cell), runs)  # type: ignore[misc]
        print(f"{count:>9} {reading:>9.1f} ms {taken:>9.2f} ms {1e3 * taken / count:>11.1f} µs")
    lstm = cells.lstm
    print(f"LSTM, first order: {best(lambda: derive(lstm), 20):.2f} ms")
    print(f"LSTM, first and second order: {best(lambda: second_order(derive(lstm)), 20):.2f} ms")


if __name__ == "__main__":
    main()

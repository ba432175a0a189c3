"""How long deriving takes: cells of 10 to 1,000 equations, and the LSTM to first and second order.

    python benchmarks/deriving.py [runs]
    python benchmarks/deriving.py table [seconds [shapes [sizes]]]

The cells are stacks of light gated layers, each layer the input of the next, written by a generator of cell text.
The time is that of `derive`, without reading the text (shown beside it); a derivation has no length of time in it, so
there is no T to depend on.  Best of several runs; the last column should stay the same.

The table is about all that is made of a cell: chains, equations that skip one another (Fibonacci many paths), gates
beside one another, and as many states as equations.  Every column should grow in proportion to the equations.

Measured, in seconds of processor time on one core of a shared machine:

    cell     equations    derive   text  LaTeX  Markdown  generate  verify
    chain           10      0.01    0.1    0.1       0.1      0.02     0.2
    chain           60      0.10    0.2    0.6       0.2      0.11     0.8
    chain          300      0.15    5.0   16.7       4.5      0.55     3.7
    skips           10      0.01    0.1    0.1       0.1      0.03     0.2
    skips           60      0.03    0.4    0.6       0.3      0.19     0.8
    skips          300      0.16    3.0    8.6       2.9      0.81     4.7
    gates           10      0.01    0.1    0.1       0.1      0.04     1.2
    gates           60      0.08    0.5    1.7       0.4      0.30     2.0
    gates          300      0.33    2.5   30.5       2.4      1.55    11.2
    states          10      0.01    0.2    0.3       0.2      0.03     0.6
    states          60      0.06    0.6    1.2       0.5      0.31     1.4
    states         300      0.23    3.3   29.9       3.5      1.30     8.8
    chain         1000      0.65                           2.06    14.2
    skips         1000      0.64                           3.05    17.2
    states         900      0.79                           6.88    25.7

Documents of 1,000 equations were not measured.  From 60 to 300 equations those in LaTeX grow faster than in proportion,
and so do those of chains and skips in the other forms.  A cell of some 700 gates or 1,000 states is longer than the
language reads; the table says so.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial

from symrnn import Cell, cells, derive, verify
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.second_order import second_order
from symrnn.errors import CellError
from symrnn.targets.generation import generate_source
from tests.growing import SHAPES

SIZES = (10, 20, 50, 100, 200, 500, 1000)
_EQUATIONS_A_LAYER = 5
REFUSED = "refused: the text is too long"


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


def _timed(work: Callable[[], object], limit: float) -> str:
    """Seconds and, of a text, its length; what takes longer than the limit is ended."""

    def ended(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, ended)
    signal.setitimer(signal.ITIMER_REAL, limit)
    start = time.process_time()
    try:
        result = work()
        taken = f"{time.process_time() - start:.2f}"
        return f"{taken} ({len(result) // 1000}k)" if isinstance(result, str) else taken
    except CellError:
        return REFUSED
    except TimeoutError:
        return f"> {limit:.0f}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def table(shapes: Sequence[str], sizes: Sequence[int], limit: float) -> None:
    """Seconds of processor time for everything that is made of a cell, and how many thousand characters it has."""
    stages: dict[str, Callable[[Cell, Derivation], object]] = {
        "derive": lambda cell, _: derive(cell),
        "text": lambda _, derivation: str(derivation),
        "latex": lambda _, derivation: derivation.latex(),
        "markdown": lambda _, derivation: derivation.markdown(),
        "generate": lambda cell, _: generate_source(cell),
        "verify": lambda cell, _: verify(cell).passed,
    }
    print(f"{'cell':>8} {'equations':>9} {'read':>6}" + "".join(f"{stage:>16}" for stage in stages))
    for shape in shapes:
        for size in sizes:
            text = SHAPES[shape](size)
            reading = _timed(partial(Cell.from_source, text), limit)
            if reading == REFUSED:
                print(f"{shape:>8} {size:>9} {reading:>6}", flush=True)
                continue
            cell = Cell.from_source(text)
            derivation = derive(cell)
            shown = [_timed(partial(run, cell, derivation), limit) for run in stages.values()]
            print(f"{shape:>8} {size:>9} {reading:>6}" + "".join(f"{entry:>16}" for entry in shown), flush=True)


def main() -> None:
    if sys.argv[1:2] == ["table"]:
        limit = float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
        shapes = sys.argv[3].split(",") if len(sys.argv) > 3 else [*SHAPES]
        table(shapes, [int(x) for x in sys.argv[4].split(",")] if len(sys.argv) > 4 else SIZES, limit)
        return
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

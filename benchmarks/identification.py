"""How often `identify` names the cell and the layout of a function: every cell of the library in random layouts.

    python -m benchmarks.identification [--layouts 6] [--seed 0] [CELL ...]

Each cell is wrapped as somebody's function by `tests.identification.wrapping`.  A layout is right when the true cell is
among the matches and generated code, fed through the layout, gives the function's outputs at other random inputs.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence

import numpy as np

from symrnn import cells
from symrnn.identification import identify
from tests.identification.truth import failure
from tests.identification.wrapping import Wrapped, draw_style

WIDTH = 38


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 if a layout was not found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cells", nargs="*", metavar="CELL", help="the library's names; all if none")
    parser.add_argument("--layouts", type=int, default=6, help="layouts for each cell")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    names = chosen.cells or list(cells.names())
    print(f"{'cell':{WIDTH}} right  median s   worst s")
    failures = 0
    for name in names:
        failures += _cell(name, chosen.layouts, chosen.seed)
    total = chosen.layouts * len(names)
    print(f"{total - failures} of {total} right")
    return 1 if failures else 0


def _cell(name: str, layouts: int, seed: int) -> int:
    times, wrong = [], []
    for number in range(layouts):
        style = draw_style(np.random.default_rng([seed, number, *name.encode()]))
        wrapped = Wrapped(cells[name], style, seed + number)
        start = time.perf_counter()
        found = identify(wrapped.forward, wrapped.inputs)
        times.append(time.perf_counter() - start)
        reason = failure(found, wrapped)
        wrong += [f"    {number}: {style}: {reason}"] if reason else []
    right = f"{layouts - len(wrong)}/{layouts}"
    print(f"{name:{WIDTH}} {right:>5} {statistics.median(times):9.2f} {max(times):9.2f}", *wrong, sep="\n", flush=True)
    return len(wrong)


if __name__ == "__main__":
    sys.exit(main())

"""Forward mode, Hessian-vector products and real-time recurrent learning: how exact, and at what cost.

    OPENBLAS_NUM_THREADS=1 python benchmarks/second_order.py [runs]

First every cell of the library: the largest relative error of each generated function, against complex steps.  Then the
costs, as ratios of medians of one process: jvp to forward, hvp to backward and to forward and backward together, rtrl
to forward and backward, truncated backward to backward.  One BLAS thread, float64.  Beside them the same ratios of the
numbers of matrix products in the source: what the arithmetic alone asks for where the products rule.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import inspect
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from symrnn import cells, derive, generate
from symrnn.runs.sizes import layouts
from symrnn.verification.directional import DIRECTIONAL
from symrnn.verification.network import draw_network

CELLS = ("rnn", "lstm", "gru", "gru_reset_after")
SIZES = ((50, 1, 32, 32), (100, 16, 64, 64), (100, 32, 128, 128))
SMALL = (20, 1, 8, 8)


def errors(name: str) -> dict[str, float]:
    """The largest error of each function of one cell."""
    derivation = derive(cells[name])
    module = generate(derivation, functions=list(DIRECTIONAL))
    network = draw_network(derivation, layouts(cells[name], [(6, 4)])[0], np.random.default_rng(0))
    assert network is not None
    with np.errstate(all="ignore"):
        return {what: max(f.error for f in check(module, network)) for what, check in DIRECTIONAL.items()}


def medians(works: dict[str, Callable[[], object]], runs: int) -> dict[str, float]:
    """Milliseconds, measured in turns, so that a busy machine slows all alike."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(runs + 1):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            times[name].append(1e3 * (time.perf_counter() - start))
    return {name: statistics.median(found[1:]) for name, found in times.items()}


def products(function: Callable[..., object]) -> int:
    """The matrix products that a generated function writes down; each is done once a step, or once for all steps."""
    source = inspect.getsource(function)
    return source.count(" @ ") + source.count("np.tensordot(")


def costs(name: str, size: tuple[int, int, int, int], runs: int, recurrent: bool = False) -> str:
    steps, batch, inputs, hidden = size
    rng, module = np.random.default_rng(0), generate(cells[name], functions=list(DIRECTIONAL))
    params, way = module.initialize(inputs, hidden, 0), module.initialize(inputs, hidden, 1)
    x, bar = rng.normal(size=(steps, batch, inputs)), rng.normal(size=(steps, batch, hidden))
    tape = module.forward(params, x)[2]
    works: dict[str, Callable[[], object]] = {
        "forward": partial(module.forward, params, x),
        "backward": partial(module.backward, params, tape, bar),
        "jvp": partial(module.jvp, params, x, params_dot=way),
        "hvp": partial(module.hvp, params, x, bar, params_dot=way),
        "truncated": partial(module.backward, params, tape, bar, truncate=(10, 20)),
    }
    if recurrent:
        works["rtrl"] = partial(module.rtrl, params, x, bar)
    ms = medians(works, runs)
    both = ms["forward"] + ms["backward"]
    ratios = f"jvp/forward {ms['jvp'] / ms['forward']:4.2f}  hvp/backward {ms['hvp'] / ms['backward']:4.2f}  "
    ratios += f"hvp/(forward + backward) {ms['hvp'] / both:4.2f}  truncated(10, 20)/backward "
    ratios += f"{ms['truncated'] / ms['backward']:4.2f}"
    of_jvp = products(module.jvp) / products(module.forward)
    of_hvp = products(module.hvp) / products(module.backward)
    ratios += f"  (products: {of_jvp:.2f}, {of_hvp:.2f})"
    if recurrent:
        ratios += f"  rtrl/(forward + backward) {ms['rtrl'] / both:5.1f}"
    return f"{name:>16} {size!s:>20}  {ratios}"


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    worst: dict[str, tuple[float, str]] = {}
    for name in cells.names():
        found = errors(name)
        print(f"{name:>40}  " + "  ".join(f"{what} {error:.1e}" for what, error in found.items()), flush=True)
        worst = {what: max(worst.get(what, (0.0, "")), (error, name)) for what, error in found.items()}
    print("largest: " + ", ".join(f"{what} {error:.1e} ({name})" for what, (error, name) in worst.items()), "\n")
    for name in CELLS:
        for size in SIZES:
            print(costs(name, size, runs), flush=True)
        print(costs(name, SMALL, runs, recurrent=True), flush=True)


if __name__ == "__main__":
    main()

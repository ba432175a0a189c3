"""Hand-written gradients with a planted mistake, given to several gradient checkers: which mistakes hide from which.

    python -m benchmarks.checkers [--setting one-step|sequence|thorough] [implementation ...]

Every checker gets the same NumPy code, the same arrays, all of them as inputs, and all outputs, laid end to end:

- autograd: `@primitive` and `defvjp`; `check_grads(f, modes=["rev"], order=1)(*arrays)`, since code in plain NumPy has
  no forward mode and no second order.  By default argument 0 alone is checked (`argnum=0`); the column "autograd, all"
  has it asked for every argument in turn.
- JAX: `custom_vjp` around `pure_callback`; `jax.test_util.check_grads(f, arrays, order=1, modes=["rev"])`.  By default
  JAX computes in float32; the column "jax, x64" is the same with `jax_enable_x64`.
- torch: `autograd.Function`; `torch.autograd.gradcheck(f, tensors)` in float64, and with `fast_mode=True`.
- symrnn: `symrnn.check_gradients(forward, backward, inputs, cell=...)`; it asks the functions at other inputs as well.

The settings are those of usual tests: `one-step` has T = 1, N = 2 and initial states of zeros; `sequence` has T = 3,
N = 2 and initial states of zeros; `thorough` has T = 5, N = 3 and random initial states.  A checker cannot see what its
inputs do not show: where most columns say "hidden" it is the setting that hides the mistake, and the same checker finds
it in a setting where it shows.  A checker that raises has found the mistake.  The checkers' own random numbers are
seeded.  A table lists the mistakes that hide from at least one; the summary counts all of them, and the alarms on code
that is right.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import autograd.extend
import autograd.test_util
import jax
import jax.test_util
import numpy as np
import torch

import symrnn
from tests.diagnosis.corpus import NAMES, Implementation, load
from tests.diagnosis.diagnosing import cell_of

Array = np.ndarray
STATES = {"h0", "c0", "hx", "cx", "prev_h", "prev_c", "a0", "y0", "h_init", "h", "hprev", "s0"}
SETTINGS = {"one-step": (1, 2, True), "sequence": (3, 2, True), "thorough": (5, 3, False)}


class Flat:
    """An implementation with all outputs laid end to end, and arrays by position."""

    def __init__(self, implementation: Implementation, inputs: Mapping[str, Array]) -> None:
        self.implementation = implementation
        self.inputs = dict(inputs)
        self.shapes = {path: value.shape for path, value in implementation.run(inputs)[0].items()}
        self.size = sum(int(np.prod(shape)) for shape in self.shapes.values())

    def named(self, arrays: Sequence[Any]) -> dict[str, Array]:
        return {name: np.array(array) for name, array in zip(self.inputs, arrays, strict=True)}

    def forward(self, *arrays: Any) -> Array:
        outputs = self.implementation.run(self.named(arrays))[0]
        return np.concatenate([np.ravel(value) for value in outputs.values()])

    def backward(self, cotangent: Any, *arrays: Any) -> list[Array]:
        bounds = np.cumsum([int(np.prod(shape)) for shape in self.shapes.values()])[:-1]
        parts = np.split(np.array(cotangent), bounds)
        cotangents = {path: p.reshape(shape) for p, (path, shape) in zip(parts, self.shapes.items(), strict=True)}
        gradients = self.implementation.gradients(self.named(arrays), cotangents)
        return [np.asarray(gradients[name], np.asarray(array).dtype) for name, array in self.named(arrays).items()]


def autograd_check(flat: Flat, argnums: Sequence[int]) -> None:
    f = autograd.extend.primitive(flat.forward)
    makers = [lambda ans, *arrays, k=k: lambda g: flat.backward(g, *arrays)[k] for k in range(len(flat.inputs))]
    autograd.extend.defvjp(f, *makers)
    np.random.seed(0)
    for argnum in argnums:
        autograd.test_util.check_grads(f, argnum, modes=["rev"], order=1)(*flat.inputs.values())


def autograd_first(flat: Flat) -> None:
    autograd_check(flat, (0,))


def autograd_all(flat: Flat) -> None:
    autograd_check(flat, range(len(flat.inputs)))


def jax_check(flat: Flat) -> None:
    def like(array: Any) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(array.shape, array.dtype)

    def call(*arrays: Any) -> Any:
        kind = arrays[0].dtype
        result = jax.ShapeDtypeStruct((flat.size,), kind)
        return jax.pure_callback(lambda *a: flat.forward(*a).astype(kind), result, *arrays)

    def back(arrays: Any, g: Any) -> Any:
        return jax.pure_callback(lambda g, *a: tuple(flat.backward(g, *a)), tuple(map(like, arrays)), g, *arrays)

    f = jax.custom_vjp(call)
    f.defvjp(lambda *arrays: (call(*arrays), arrays), back)
    arrays = tuple(jax.numpy.asarray(value) for value in flat.inputs.values())
    jax.test_util.check_grads(f, arrays, order=1, modes=["rev"])


def jax_x64(flat: Flat) -> None:
    with jax.enable_x64(True):
        jax_check(flat)


def torch_check(flat: Flat, **options: Any) -> None:
    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *tensors: torch.Tensor) -> torch.Tensor:
            ctx.save_for_backward(*tensors)
            return torch.from_numpy(flat.forward(*(tensor.detach().numpy() for tensor in tensors)))

        @staticmethod
        def backward(ctx: Any, g: torch.Tensor) -> tuple[torch.Tensor, ...]:
            gradients = flat.backward(g.numpy(), *(tensor.detach().numpy() for tensor in ctx.saved_tensors))
            return tuple(torch.from_numpy(np.ascontiguousarray(gradient)) for gradient in gradients)

    torch.manual_seed(0)
    tensors = tuple(torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in flat.inputs.values())
    torch.autograd.gradcheck(Function.apply, tensors, **options)


def torch_fast(flat: Flat) -> None:
    torch_check(flat, fast_mode=True)


def symrnn_check(flat: Flat) -> None:
    implementation = flat.implementation
    cell = cell_of(implementation)
    functions = implementation.forward, implementation.backward
    assert symrnn.check_gradients(*functions, flat.inputs, diagnose=False).passed  # what is wrong here is known at once
    assert symrnn.check_gradients(*functions, flat.inputs, cell=cell).passed


CHECKERS: dict[str, Callable[[Flat], None]] = {
    "autograd": autograd_first,
    "autograd, all": autograd_all,
    "jax": jax_check,
    "jax, x64": jax_x64,
    "torch": torch_check,
    "torch, fast": torch_fast,
    "symrnn": symrnn_check,
}


@contextmanager
def quiet() -> Iterator[None]:
    """Wrong gradients overflow, and JAX prints what a callback raises."""
    with warnings.catch_warnings(), open(os.devnull, "w") as nowhere:
        warnings.simplefilter("ignore")
        kept, sys.stderr = sys.stderr, nowhere
        try:
            yield
        finally:
            sys.stderr = kept


def raises(check: Callable[[Flat], None], flat: Flat) -> bool:
    with quiet():
        try:
            check(flat)
        except Exception:
            return True
    return False


def inputs_of(implementation: Implementation, setting: str) -> dict[str, Array]:
    steps, batch, zeros = SETTINGS[setting]
    inputs = implementation.make_inputs(np.random.default_rng(0), steps, batch)
    return {k: np.zeros_like(v) if zeros and k in STATES else v for k, v in inputs.items()}


def row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def compare(setting: str, name: str) -> tuple[dict[str, int], dict[str, int], list[list[str]], int]:
    """For one implementation: mistakes found, alarms on right code, a row for each mistake that hides, all mistakes."""
    found, alarms, rows = dict.fromkeys(CHECKERS, 0), dict.fromkeys(CHECKERS, 0), []
    right = load(name)
    inputs = inputs_of(right, setting)
    for checker, check in CHECKERS.items():
        alarms[checker] += raises(check, Flat(right, inputs))
    for mistake in right.mistakes:
        flat = Flat(load(name, mistake), inputs)
        seen = {checker: raises(check, flat) for checker, check in CHECKERS.items()}
        for checker in CHECKERS:
            found[checker] += seen[checker]
        if not all(seen.values()):
            marks = ["found" if seen[checker] else "**hidden**" for checker in CHECKERS]
            rows.append([name, f"{mistake.tag}: {mistake.site}".replace("|", "\\|"), *marks])
    print(f"{setting}: {name}", file=sys.stderr, flush=True)
    return found, alarms, rows, len(right.mistakes)


def table(setting: str, names: Sequence[str], processes: int) -> None:
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        results = list(pool.map(compare, [setting] * len(names), names))
    total = sum(count for *_, count in results)
    found, alarms = (
        {checker: sum(result[place][checker] for result in results) for checker in CHECKERS} for place in (0, 1)
    )
    print(f"\n## {setting}: T = {SETTINGS[setting][0]}, N = {SETTINGS[setting][1]}", end="")
    print(", initial states zero\n" if SETTINGS[setting][2] else ", initial states random\n")
    print(row(["", *CHECKERS]), row(["---"] * (1 + len(CHECKERS))), sep="\n")
    print(row([f"mistakes found, of {total}", *found.values()]))
    print(row([f"alarms on right code, of {len(names)}", *alarms.values()]))
    heads = [row(["implementation", "mistake", *CHECKERS]), row(["---"] * (2 + len(CHECKERS)))]
    print("", *heads, *(row(cells) for *_, rows, _ in results for cells in rows), sep="\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="Which planted mistakes hide from which gradient checker.")
    parser.add_argument("names", nargs="*", metavar="implementation", help="of the corpus; without any, all of it")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="side by side")
    parser.add_argument("--setting", choices=SETTINGS, action="append", help="without it, all of them")
    asked = parser.parse_args()
    print("# Mistakes that hide from gradient checkers\n\n" + (__doc__ or "").split("\n\n", 2)[2])
    for setting in asked.setting or SETTINGS:
        table(setting, asked.names or NAMES, asked.processes)


if __name__ == "__main__":
    main()

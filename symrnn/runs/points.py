"""Random points at which a step can be checked in floating point.

A legal point is one at which every value is finite, no function of the table is near a kink or outside its domain, and
no denominator is near 0.  Points are drawn until one is legal: first of mixed signs and ordinary size, then smaller and
with whole variables of one sign, because a definition such as log(x) or sqrt(1 - h * h) needs that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, TypeVar

import numpy as np
from sympy import preorder_traversal

from symrnn.algebra.evaluate import Evaluator
from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.nodes import Act, Argmax, Power
from symrnn.arrays import Array
from symrnn.calculus.derivation import Derivation
from symrnn.language.evaluate import NUMPY
from symrnn.runs.numbers import FLOATS
from symrnn.runs.sizes import CellAtSizes
from symrnn.runs.stepping import StepValues

_Point = TypeVar("_Point")

# A complex step moves nothing, so any distance would do for the slope; but the code that is compared rounds, and must
# be on the same side.
DISTANCE = 1e-3
"""How far a legal point keeps from kinks and poles."""

END = 5e-6
"""How far it keeps from the ends of domains: less, since layer normalisation may add 1e-5 to a variance."""

_TRIES = 300
"""Points that are drawn: 20 at each of three scales, five times over; the signs of the arrays are drawn as well, and a
root or a logarithm needs certain ones."""
# Ordinary size first: there products do not vanish and exponentials do not overflow.  A root of 1 - h @ h or a
# product of many steps wants smaller numbers.
_SCALES = (1.0, 0.5, 0.1)
_LARGEST = 1e4  # beyond it, rounding of what cancels would exceed the tolerances


class Ground:
    """Tells the legal points of a derivation's step from the others.

    Attributes:
        derivation: the derivation.
        layout: the sizes.
    """

    def __init__(self, derivation: Derivation, layout: CellAtSizes) -> None:
        self.derivation = derivation
        self.layout = layout
        parts = [node for equation in derivation.forward for node in preorder_traversal(equation.value)]
        self._delicate = [part for part in dict.fromkeys(parts) if type(part) in _CLEARANCE]

    def step(self, arguments: Mapping[str, Array]) -> StepValues | None:
        """The step's values from its arguments in rows and columns, or None where the point is not legal."""
        with np.errstate(all="ignore"):
            at = StepValues(self.derivation, self.layout, FLOATS, arguments)
            computed = (at.values[equation.target.name] for equation in self.derivation.forward)
            if not all(np.all(np.abs(value) < _LARGEST) for value in computed):  # false for nan as well
                return None
            legal = all(np.all(_CLEARANCE[type(part)](part, at.evaluate) > DISTANCE) for part in self._delicate)
        return at if legal else None


def _from_kink(node: Act, evaluate: Evaluator) -> Array:
    """How far a function's arguments are from where it bends or jumps, and from the ends of its domain."""
    row = FUNCTIONS[node.name]
    operands = [evaluate(x) for x in node.operands]
    bends = [np.abs(kink(NUMPY, *operands)) for kink in row.kinks]
    ends = [_INSIDE[word](x) for word, x in zip(row.domain, operands, strict=False) if word]
    return reduce(np.minimum, [*bends, *ends], np.ones(1))


_INSIDE: Mapping[str, Callable[[Array], Array]] = {
    "positive": lambda x: x * (DISTANCE / END),
    "not negative": lambda x: x * (DISTANCE / END),
    "not zero": np.abs,
}
"""What an argument has to be -> how far inside it is."""


def _from_pole(node: Power, evaluate: Evaluator) -> Array:
    return np.abs(evaluate(node.args[0])) if int(node.args[1]) < 0 else np.ones(1)


def _from_tie(node: Argmax, evaluate: Evaluator) -> Array:
    """How far the largest entries of the columns are from the others."""
    columns = np.sort(evaluate(node.operand), axis=0)
    return columns[-1] - columns[-2] if len(columns) > 1 else np.ones(1)


_CLEARANCE: Mapping[type, Callable[[Any, Evaluator], Array]] = {
    Act: _from_kink,
    Power: _from_pole,
    Argmax: _from_tie,
}


def random_array(rng: np.random.Generator, shape: tuple[int, ...], scale: float, sign: int) -> Array:
    """Numbers between a tenth of the scale and the scale, of one sign or (sign 0) of both."""
    signs = rng.choice([-1.0, 1.0], shape) if sign == 0 else np.full(shape, float(sign))
    # Never near 0: a factor that is tiny would hide what it multiplies.
    return signs * rng.uniform(0.1, 1.0, shape) * scale


def search(
    rng: np.random.Generator,
    shapes: Mapping[str, tuple[int, ...]],
    accept: Callable[[dict[str, Array]], _Point | None],
) -> _Point | None:
    """Draw arrays of these shapes until `accept` makes something of them; None where it never does."""
    for attempt in range(_TRIES):
        # Twenty tries at one scale: a cell whose domains are met by chance at all is met within these.
        scale = _SCALES[attempt // 20 % len(_SCALES)]
        signs = [0 if attempt < 20 else int(rng.integers(-1, 2)) for _ in shapes]
        drawn = {
            n: random_array(rng, shape, scale, sign) for (n, shape), sign in zip(shapes.items(), signs, strict=True)
        }
        found = accept(drawn)
        if found is not None:
            return found
    return None


NOWHERE = (
    "no point found at which every value is finite and the functions are away from kinks, poles and the ends of their "
    f"domains ({_TRIES} tried)"
)


def relative_error(value: Array, truth: Array) -> float:
    """‖value - truth‖ / ‖truth‖; a truth smaller than a hundredth counts as a hundredth, where rounding rules."""
    # One norm for the whole array: an entry that is zero by cancellation has no relative error of its own.
    return float(np.linalg.norm(value - truth) / max(float(np.linalg.norm(truth)), 1e-2))

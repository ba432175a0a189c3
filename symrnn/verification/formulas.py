"""Whether two formulas about a cell are equal: proved over the field, or refuted with numbers.

Inputs, states, parameters and what reaches the states from outside the step are random; everything else is computed
from its definition, so that h = o ⊙ tanh(c) and f' = f ⊙ (1 - f) may be used.  What holds at random numbers of the
field holds as an identity at those sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
from sympy import preorder_traversal

from symrnn.algebra import nodes
from symrnn.algebra.evaluate import Evaluator
from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.nodes import Expr, Variable
from symrnn.calculus.derivation import Derivation, derive
from symrnn.errors import InputError, Place, ShapeError, UnknownNameError
from symrnn.language.evaluate import NUMPY
from symrnn.language.recurrence import Cell
from symrnn.printers import text
from symrnn.verification.field import FIELD, Array, draw, same
from symrnn.verification.layout import SIZES, Layout, layouts, show
from symrnn.verification.notation import names, read_equation, read_formula, read_sides
from symrnn.verification.trial import ExactEvaluator

Formula = Expr | str

_TRIES = 40
_POINTS = 12
"""Random points per choice of sizes where a function bends: a relu is 0 at half of them, and hides what is before."""
_SCALES = (*[1.0] * 20, *[2.0, 0.5, 4.0, 0.1] * 5)
_CLEAR, _VISIBLE = 5e-2, 1e-9
"""A difference worth showing, and one beyond rounding."""


@dataclass(frozen=True)
class Counterexample:
    """Numbers at which two formulas differ.

    Attributes:
        sizes: the sizes.
        values: what the formulas read, by identifier; columns and matrices as nested rows.
        entry: row and column, counted from 1, where they differ most.
        left: the first formula there.
        right: the second.
    """

    sizes: Mapping[str, int]
    values: Mapping[str, Array]
    entry: tuple[int, int]
    left: float
    right: float

    def __str__(self) -> str:
        at = ", ".join(f"{name} = {size}" for name, size in self.sizes.items())
        lines = [f"at {at}, for instance:" if at else "for instance:"]
        lines += [f"  {name} = {_shown(value)}" for name, value in self.values.items()]
        row, column = self.entry
        lines.append(f"  entry ({row}, {column}) is {self.left:.6g} on the left and {self.right:.6g} on the right")
        return "\n".join(lines)


def _shown(value: Array) -> str:
    flat = value[:, 0] if value.shape[1] == 1 else value
    flat = flat[0] if flat.shape == (1,) else flat
    return np.array2string(np.asarray(flat), precision=4, separator=", ", max_line_width=10**6).replace("\n", "")


@dataclass(frozen=True)
class Equality:
    """What became of a claim left = right.

    Attributes:
        cell: the cell's name.
        left: the first formula.
        right: the second.
        holds: whether it is proved at all sizes tried.
        sizes: these sizes, as text.
        counterexample: numbers where it fails; None where it holds, or where no numbers tell the sides apart.
    """

    cell: str
    left: Expr
    right: Expr
    holds: bool
    sizes: str
    counterexample: Counterexample | None

    def __bool__(self) -> bool:
        return self.holds

    @property
    def verdict(self) -> str:
        """In a word; "not proved" where the sides differ in the field but in no numbers tried."""
        if self.holds:
            return "holds"
        return "not proved" if self.counterexample is None else "does not hold"

    def __str__(self) -> str:
        claim = f"{text(self.left)} = {text(self.right)}: {self.verdict}"
        if self.holds:
            return f"{claim} in {self.cell}, exactly, at {self.sizes}"
        return f"{claim} in {self.cell}" + ("" if self.counterexample is None else f"\n{self.counterexample}")


def equal(
    left: Formula,
    right: Formula,
    cell: Cell | Derivation,
    *,
    sizes: Sequence[tuple[int, int]] = SIZES,
    seed: int = 0,
) -> Equality:
    """Prove or refute that two formulas about a cell have the same value, whatever the numbers.

    >>> from symrnn import cells
    >>> print(equal("dc_prev", "dc * f", cells.lstm))
    δc_{t-1} = δc_t ⊙ f_t: holds in lstm, exactly, at d_x,d_h = 1,1 3,2 2,3 4,4

    Args:
        left: an expression, as `jacobian` and `derive` give it, or a text in the notation of `notation`.
        right: the other one.
        cell: the cell, or its derivation.
        sizes: pairs (d_h, d_x) to prove it at.
        seed: of the random numbers.

    Returns:
        The verdict, which is true where the equality holds.

    Raises:
        CellError: a text is no formula.
        UnknownNameError: a formula reads what the cell's derivation does not have.
        ShapeError: shapes do not fit.
    """
    derivation = cell if isinstance(cell, Derivation) else derive(cell)
    if isinstance(left, str) and isinstance(right, str):
        return decide(*read_sides(left, right, derivation), derivation, sizes=sizes, seed=seed)
    pair = [read_formula(one, derivation) if isinstance(one, str) else one for one in (left, right)]
    return decide(pair[0], pair[1], derivation, sizes=sizes, seed=seed)


def prove(claim: str, cell: Cell | Derivation, *, sizes: Sequence[tuple[int, int]] = SIZES, seed: int = 0) -> Equality:
    """Prove or refute an equation written as "left == right"; see `equal`."""
    if not isinstance(claim, str):
        raise InputError(f"prove: expected a text, got {type(claim).__name__}\n  write 'left == right'")
    derivation = cell if isinstance(cell, Derivation) else derive(cell)
    return decide(*read_equation(claim, derivation), derivation, sizes=sizes, seed=seed)


def decide(
    left: Expr, right: Expr, derivation: Derivation, *, sizes: Sequence[tuple[int, int]] = SIZES, seed: int = 0
) -> Equality:
    """Prove or refute that two expressions of one shape are equal; see `equal`."""
    _check(left, right, derivation)
    chosen = layouts(derivation.cell, sizes)
    example = None
    holds = True
    for layout in chosen:
        holds = _agree(left, right, derivation, layout, Random(seed))
        if not holds:
            example = _counterexample(left, right, derivation, layout, seed)
            break
    return Equality(derivation.cell.name, left, right, holds, show(chosen), example)


def _check(left: Expr, right: Expr, derivation: Derivation) -> None:
    if left.shape != right.shape:
        shapes = f"{text(left)} has shape {nodes.show_shape(left.shape)}, {text(right)} {nodes.show_shape(right.shape)}"
        raise ShapeError(Place("<formula>"), f"the two sides differ in shape: {shapes}", "compare values of one shape")
    known = names(derivation)
    for variable in sorted(nodes.variables(left) | nodes.variables(right), key=lambda v: v.name):
        now = known.get(variable.name)
        moved = known.get(variable.base)
        if now != variable and (moved is None or variable.time is None or variable.at(0, moved.name) != moved):
            there = f"there are {', '.join(known)}"
            problem = f"the derivation of {derivation.cell.name} has no {variable.name!r}"
            raise UnknownNameError(f"{problem} of shape {nodes.show_shape(variable.shape)}\n  {there}")


# --- a point: random arguments, and everything that follows from them -------------------------------------------------

Draw = Callable[[tuple[int, int]], Array]
Evaluate = Callable[[dict[str, Array], Mapping[str, int]], Evaluator]


def values_at(
    derivation: Derivation, layout: Layout, wanted: Sequence[Variable], random: Draw, evaluator: Evaluate
) -> dict[str, Array]:
    """The value of every variable of a step and of its derivation, by identifier, and of those wanted at earlier steps.

    Args:
        derivation: the equations.
        layout: the sizes.
        wanted: variables that are read; those at t-k make the sequence begin k steps earlier.
        random: draws an array of a shape.
        evaluator: makes an evaluator that reads the values given to it.
    """
    cell = derivation.cell
    back = max([0, *(-v.time - (v.base in cell.states) for v in wanted if v.time is not None)])
    fixed = {name: random(layout.shape(cell[name])) for name in cell.parameters}
    state = {v.name: random(layout.shape(v)) for v in cell.previous}
    frames: list[dict[str, Array]] = []
    for _ in range(back + 1):
        frame = fixed | state | {name: random(layout.shape(cell[name])) for name in cell.inputs}
        evaluate = evaluator(frame, layout.sizes)
        for equation in derivation.forward:
            frame[equation.target.name] = evaluate(equation.value)
        state = {f"{s}_prev": frame[s] for s in cell.states}
        frames.insert(0, frame)
    now = frames[0]
    for s, variable in derivation.cotangents.items():
        now[variable.name] = random(layout.shape(cell[s]))
    for step in derivation.steps:
        now[step.target.name] = evaluator(now, layout.sizes)(step.value)
    for v in wanted:
        if v.time is not None and v.mark == "" and v.name not in now:
            ago = -v.time
            now[v.name] = frames[ago - 1][f"{v.base}_prev"] if v.base in cell.states else frames[ago][v.base]
    return now


def _read(left: Expr, right: Expr) -> list[Variable]:
    return sorted(nodes.variables(left) | nodes.variables(right), key=lambda v: v.name)


def _agree(left: Expr, right: Expr, derivation: Derivation, layout: Layout, rng: Random) -> bool:
    """Whether both sides have the same value at random numbers of the field."""
    parts = [part for e in derivation.forward for part in preorder_traversal(e.value)]
    parts += [part for side in (left, right) for part in preorder_traversal(side)]
    bends = any(isinstance(part, nodes.Act) and not FUNCTIONS[part.name].smooth for part in parts)
    points = 0
    for _ in range(_TRIES):
        try:
            values = values_at(
                derivation, layout, _read(left, right), lambda shape: draw(rng, shape),
                lambda values, sizes: ExactEvaluator(values, sizes, FIELD),
            )  # fmt: skip
            evaluate = ExactEvaluator(values, layout.sizes, FIELD)
            sides = evaluate(left), evaluate(right)
        except ZeroDivisionError:
            continue
        if not same(*sides):
            return False
        points += 1
        if points == (_POINTS if bends else 1):
            return True
    return False


def _counterexample(
    left: Expr, right: Expr, derivation: Derivation, layout: Layout, seed: int
) -> Counterexample | None:
    rng = np.random.default_rng(seed)
    best: tuple[float, Counterexample] | None = None
    for scale in _SCALES:

        def random(shape: tuple[int, int], scale: float = scale) -> Any:
            return np.round(scale * rng.choice([-1.0, 1.0], shape) * rng.uniform(0.1, 1.0, shape), 2)

        with np.errstate(all="ignore"):
            values = values_at(
                derivation, layout, _read(left, right), random, lambda values, sizes: Evaluator(values, sizes, NUMPY)
            )
            evaluate = Evaluator(values, layout.sizes, NUMPY)
            a, b = (np.asarray(evaluate(side), dtype=float) for side in (left, right))
            gap = np.abs(a - b)
        if not np.all(np.isfinite(gap)):
            continue
        row, column = (int(i) for i in np.unravel_index(int(np.argmax(gap)), gap.shape))
        if best is None or gap[row, column] > best[0]:
            shown = {v.name: values[v.name] for v in _read(left, right)}
            found = Counterexample(
                layout.sizes, shown, (row + 1, column + 1), float(a[row, column]), float(b[row, column])
            )
            best = float(gap[row, column]), found
        if best[0] > _CLEAR:
            break
    return best[1] if best is not None and best[0] > _VISIBLE else None

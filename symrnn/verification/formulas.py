"""Whether two formulas about a cell are equal: proved over the field, or refuted with numbers.

Inputs, states, parameters and what reaches the states from outside the step are random; everything else is computed
from its definition, so that h = o ⊙ tanh(c) and f' = f ⊙ (1 - f) may be used.  What holds at random numbers of the
field holds as an identity at those sizes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from sympy import preorder_traversal

from symrnn.algebra import nodes
from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.nodes import Expr
from symrnn.calculus.derivation import Derivation, derivation_of
from symrnn.errors import InputError, Place, ShapeError, UnknownNameError
from symrnn.language.recurrence import Cell
from symrnn.printers import text
from symrnn.verification.counterexamples import Counterexample, Sides, search
from symrnn.verification.field import FIELD, draw, same
from symrnn.verification.layout import SIZES, layouts, show
from symrnn.verification.notation import names, read_equation, read_sides
from symrnn.verification.trial import ExactEvaluator
from symrnn.verification.values import values_at
from symrnn.verification.zeros import at_zeros

Formula = Expr | str | float

_TRIES = 40
_POINTS = 12
"""Random points per choice of sizes where a function bends: a relu is 0 at half of them, and hides what is before."""


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
        excluded: what must not be zero in any entry, where it holds: a side divides by it, or jumps at its zeros and
            none were found.
        compared: at how many random points the sides were equal, where it is neither proved nor refuted.
    """

    cell: str
    left: Expr
    right: Expr
    holds: bool
    sizes: str
    counterexample: Counterexample | None
    excluded: tuple[Expr, ...] = ()
    compared: int = 0

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
            without = " or ".join(f"{text(part)} = 0" for part in self.excluded)
            condition = f" except where {without}" if without else ""
            return f"{claim} in {self.cell}{condition}, exactly, at {self.sizes}"
        if self.counterexample is not None:
            return f"{claim} in {self.cell}\n{self.counterexample}"
        return f"{claim} in {self.cell}; equal at {self.compared} random points"


def equal(
    left: Formula,
    right: Formula,
    cell: Cell | Derivation | str,
    *,
    sizes: Sequence[tuple[int, int]] = SIZES,
    seed: int = 0,
) -> Equality:
    """Prove or refute that two formulas about a cell have the same value, whatever the numbers.

    A random point of the field has no zeros.  What a side divides by, and the arguments of `step` and `sign`, are
    therefore made zero as well: where the sides differ there the claim is false, where one has no value the verdict
    names what must not be zero.

    >>> from symrnn import cells
    >>> print(equal("dc_prev", "dc * f", cells.lstm))
    δc_{t-1} = δc_t ⊙ f_t: holds in lstm, exactly, at d_x,d_h = 1,1 3,2 2,3 4,4

    Args:
        left: an expression, as `jacobian` and `derive` give it, a text in the notation of `notation`, or a number.
        right: the other one.
        cell: the cell, or its derivation.
        sizes: pairs (d_h, d_x) to prove it at.
        seed: of the random numbers.

    Returns:
        The verdict, which is true where the equality holds.

    Raises:
        InputError: a side is neither a text, an expression nor a number.
        CellError: a text is no formula.
        UnknownNameError: a formula reads what the cell's derivation does not have.
        ShapeError: shapes do not fit.
    """
    derivation = derivation_of(cell)
    spelled: dict[str, str] = {}
    sides = read_sides(left, right, derivation, spelled)
    return _decide(*sides, derivation, sizes, seed, spelled)


def prove(
    claim: str, cell: Cell | Derivation | str, *, sizes: Sequence[tuple[int, int]] = SIZES, seed: int = 0
) -> Equality:
    """Prove or refute an equation written as "left == right"; see `equal`."""
    if not isinstance(claim, str):
        raise InputError(f"prove: expected a text, got {type(claim).__name__}\n  write 'left == right'")
    derivation = derivation_of(cell)
    spelled: dict[str, str] = {}
    sides = read_equation(claim, derivation, spelled)
    return _decide(*sides, derivation, sizes, seed, spelled)


def decide(
    left: Expr, right: Expr, derivation: Derivation, *, sizes: Sequence[tuple[int, int]] = SIZES, seed: int = 0
) -> Equality:
    """Prove or refute that two expressions of one shape are equal; see `equal`."""
    return _decide(left, right, derivation, sizes, seed, {})


def _decide(
    left: Expr,
    right: Expr,
    derivation: Derivation,
    sizes: Sequence[tuple[int, int]],
    seed: int,
    spelled: Mapping[str, str],
) -> Equality:
    _check(left, right, derivation)
    chosen = layouts(derivation.cell, sizes)
    places = [Sides(left, right, derivation, layout, spelled) for layout in chosen]
    example: Counterexample | None
    excluded: tuple[Expr, ...] = ()
    compared = 0
    failing = next((sides for sides in places if not _agree(sides, Random(seed))), None)
    if failing is None:
        example, excluded = at_zeros(places[0], seed)
    else:
        example, compared = search(failing, seed)
        example = example or at_zeros(failing, seed)[0]
    holds = failing is None and example is None
    return Equality(derivation.cell.name, left, right, holds, show(chosen), example, excluded, compared)


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


def _agree(sides: Sides, rng: Random) -> bool:
    """Whether both sides have the same value at random numbers of the field."""
    left, right, derivation, layout = sides.left, sides.right, sides.derivation, sides.layout
    parts = [part for e in derivation.forward for part in preorder_traversal(e.value)]
    parts += [part for side in (left, right) for part in preorder_traversal(side)]
    bends = any(isinstance(part, nodes.Act) and not FUNCTIONS[part.name].smooth for part in parts)
    points = 0
    for _ in range(_TRIES):
        try:
            values = values_at(
                derivation, layout, sides.read, lambda shape: draw(rng, shape),
                lambda values, sizes: ExactEvaluator(values, sizes, FIELD),
            )  # fmt: skip
            evaluate = ExactEvaluator(values, layout.sizes, FIELD)
            values_there = evaluate(left), evaluate(right)
        except ZeroDivisionError:
            continue
        if not same(*values_there):
            return False
        points += 1
        if points == (_POINTS if bends else 1):
            return True
    return False

"""Whether two formulas about a cell are equal: proved exactly, or refuted with numbers.

Inputs, states, parameters and what reaches the states from outside the step are random; everything else is computed
from its definition, so that h = o ⊙ tanh(c) and f' = f ⊙ (1 - f) may be used.  What it means to be equal is said in
`sameness`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr
from symrnn.calculus.derivation import Derivation
from symrnn.errors import InputError, Place, ShapeError, UnknownNameError
from symrnn.language.recurrence import Cell
from symrnn.printers import text
from symrnn.proofs.notation import meanings, names, read_equation, read_sides
from symrnn.proofs.refuting import FormulaCounterexample, Sides, search
from symrnn.runs.arbitrary import for_every_number
from symrnn.runs.sizes import SIZES, layouts, show, with_sizes_as_numbers
from symrnn.sameness.comparing import compare
from symrnn.sameness.pairs import DelicatePart
from symrnn.showing import Shown

Formula = Expr | str | float


@dataclass(frozen=True)
class Condition:
    """What must be so for an equation to hold.

    Attributes:
        part: an expression, of whose every entry this is said.
        relation: "≠ 0" where a side divides by it, or jumps at its zeros and none were found; "> 0" or "≥ 0" where a
            side has no value otherwise.
    """

    part: Expr
    relation: str

    def __str__(self) -> str:
        return f"{text(self.part)} {self.relation}"


@dataclass(frozen=True, repr=False)
class Equality(Shown):
    """What became of a claim left = right.

    Attributes:
        cell: the cell's name.
        left: the first formula.
        right: the second.
        holds: whether it is proved at all sizes tried.
        sizes: these sizes, as text.
        counterexample: numbers where it fails.  Where it holds on conditions, numbers that break one, at which one
            side has a value and the other, which is nan, has none.  None where no numbers tell the sides apart.
        conditions: what must be so, where it holds.
        compared: at how many random points the sides were equal, where it is neither proved nor refuted.
        meanings: what symbols of the claim stand for that could be taken for something else: which derivative is meant,
            and what it holds.
    """

    cell: str
    left: Expr
    right: Expr
    holds: bool
    sizes: str
    counterexample: FormulaCounterexample | None
    conditions: tuple[Condition, ...] = ()
    compared: int = 0
    meanings: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.holds

    @property
    def excluded(self) -> tuple[Expr, ...]:
        """What must not be zero in any entry, where it holds."""
        return tuple(condition.part for condition in self.conditions if condition.relation == "≠ 0")

    @property
    def verdict(self) -> str:
        """In a word; "not proved" where the proof fails but no numbers tell the sides apart."""
        if self.holds:
            return "holds"
        return "not proved" if self.counterexample is None else "does not hold"

    def __str__(self) -> str:
        return "\n".join([self._decision, *(f"  {meaning}" for meaning in self.meanings)])

    @property
    def _decision(self) -> str:
        claim = f"{text(self.left)} = {text(self.right)}: {self.verdict}"
        if self.holds:
            within = " and ".join(str(one) for one in self.conditions if one.relation != "≠ 0")
            without = " or ".join(f"{text(part)} = 0" for part in self.excluded)
            condition = (f" where {within}" if within else "") + (f" except where {without}" if without else "")
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

    A random point has no zeros.  What a side divides by, and the arguments of `step` and `sign`, are therefore made
    zero as well: where the sides differ there the claim is false, where one has no value the verdict names what must
    not be zero.  Domains are named in the same way: log(a) - log(a) = 0 holds where a > 0.  Where sizes occur as
    numbers, as in `size(x)`, it is proved at further sizes, and what holds at these need not hold at all others.

    >>> from symrnn import cells
    >>> print(equal("dc_prev", "dc * f", cells.lstm))
    δ←c_{t-1} = δc_t ⊙ f_t: holds in lstm, exactly, at d_x,d_h = 1,1 3,2 2,3 4,4
      δ←c_{t-1} is what the step sends back to c_{t-1}, not all of δc_{t-1}

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
    derivation = for_every_number(cell)
    spelled: dict[str, str] = {}
    sides = read_sides(left, right, derivation, spelled)
    said = dict.fromkeys(meaning for side in (left, right) for meaning in meanings(side, derivation))
    return replace(_decide(*sides, derivation, sizes, seed, spelled), meanings=tuple(said))


def prove(
    claim: str, cell: Cell | Derivation | str, *, sizes: Sequence[tuple[int, int]] = SIZES, seed: int = 0
) -> Equality:
    """Prove or refute an equation written as "left == right"; see `equal`.

    >>> from symrnn import cells
    >>> print(prove("cell(c, c_prev) == diag(f)", cells.lstm))
    diag(f_t) = diag(f_t): holds in lstm, exactly, at d_x,d_h = 1,1 3,2 2,3 4,4
      cell(c, c_prev) is ∂c_t/∂c_{t-1}|_{h_{t-1}}, where h_{t-1} is held
    >>> bool(prove("total(c, c_prev) == diag(f)", cells.lstm))
    False
    """
    if not isinstance(claim, str):
        raise InputError(f"prove: expected a text, got {type(claim).__name__}\n  write 'left == right'")
    derivation = for_every_number(cell)
    spelled: dict[str, str] = {}
    sides = read_equation(claim, derivation, spelled)
    return replace(_decide(*sides, derivation, sizes, seed, spelled), meanings=meanings(claim, derivation))


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
    # Sizes that the caller chose are proved at as they are; only the default is extended.
    if sizes is SIZES:
        chosen = with_sizes_as_numbers(chosen, [left, right, *(e.value for e in derivation.forward)])
    places = [Sides(left, right, derivation, layout, spelled) for layout in chosen]
    sameness = compare(places, seed)
    example: FormulaCounterexample | None = None
    compared = sameness.compared
    if sameness.failing:
        # Floats first, whose numbers are short; what was certain but cannot be seen in floats is told from the proof.
        example, tried = search(next(sides for sides in places if sides is sameness.failing[0]), seed)
        compared += tried
    gap = sameness.gap or (sameness.outside if sameness.agree else None)
    if example is None and gap is not None:
        example = next(sides for sides in places if sides is gap.pair).show(gap)
    conditions = _conditions(sameness.conditions) if sameness.agree else ()
    if sameness.agree:
        chosen = tuple(sides.layout for sides in places if sides in sameness.proved)
    return Equality(derivation.cell.name, left, right, sameness.agree, show(chosen), example, conditions, compared)


def _conditions(parts: Sequence[DelicatePart]) -> tuple[Condition, ...]:
    return tuple(dict.fromkeys(Condition(part.expr, "≠ 0" if part.kind == "jump" else part.kind) for part in parts))


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

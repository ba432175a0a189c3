"""Functions of entries and of whole columns, sums, and parts: each a class with its constructor beside it.

A new operator is a class here and a row in a table of each room above; see docs/adding-an-operator.md.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import sympy
from sympy import S
from sympy.core.symbol import Str
from sympy.matrices.expressions import MatrixExpr

from symrnn.algebra.dimensions import ONE_BY_ONE, is_scalar, same_shape, show_shape
from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.intervals import UNIT, Interval, hull, several
from symrnn.algebra.node import SYMPY, Expr, Node, OneOperand, PointValues, Shape, make
from symrnn.algebra.powers import transpose
from symrnn.algebra.ring import coefficient, is_zero, matmul, number, ones, scale, zeros

__all__ = [
    "Act",
    "Argmax",
    "Slice",
    "Softmax",
    "Stack",
    "Total",
    "act",
    "along",
    "argmax",
    "rows",
    "softmax",
    "spread",
    "stack",
    "total",
]


class Act(Node, MatrixExpr):
    """A function of the table, applied to each entry: `Act("tanh", x)`."""

    ink = 3
    is_costly = is_function = takes_work = True

    def __new__(cls, name: Any, *args: Any) -> Act:
        """Build the node; the arguments have one shape."""
        return make(cls, Str(str(name)), *args)

    @property
    def name(self) -> str:
        """The function's name in the table."""
        return str(self.args[0].name)

    @property
    def shape(self) -> Shape:
        """The arguments' common shape."""
        return self.args[1].shape  # type: ignore[no-any-return]

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        return getattr(SYMPY, self.name)(*(x[i, j] for x in self.operands))

    @staticmethod
    def rebuilt(name: Any, *operands: Expr) -> Expr:
        """The function of other arguments."""
        return act(name.name, *operands)

    def evaluated(self, at: PointValues) -> Any:
        """What the arithmetic makes of it."""
        return getattr(at.arithmetic, self.name)(*map(at, self.operands))

    def enclosed(self, within: Callable[[Expr], Interval]) -> Interval:
        """The range that the table has."""
        return FUNCTIONS[self.name].range(*map(within, self.operands))


def act(name: str, *operands: Expr) -> Act:
    """A function of the table on each entry."""
    if name not in FUNCTIONS:
        raise KeyError(f"no function {name!r} in the table")
    # Written into the expression: two cells that say a default, and do not, are then one.
    operands += tuple(number(value, operands[0].shape) for value in FUNCTIONS[name].missing(len(operands)))
    if len(operands) != FUNCTIONS[name].arity:
        raise ValueError(f"{name} takes {FUNCTIONS[name].arity} argument(s), got {len(operands)}")
    same_shape(name, operands)
    return Act(name, *operands)


class Total(OneOperand, Node, MatrixExpr):
    """The sum of all entries, a scalar."""

    ink = 5
    takes_work = True
    buries_scalars = True

    shape = (S.One, S.One)

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        rows, cols = self.operand.shape
        if rows.is_Integer and cols.is_Integer:
            return sympy.Add(*(self.operand[k, m] for k in range(rows) for m in range(cols)))
        k, m = sympy.Dummy("k", integer=True), sympy.Dummy("m", integer=True)
        return sympy.Sum(self.operand[k, m], (k, 0, rows - 1), (m, 0, cols - 1))

    @staticmethod
    def rebuilt(x: Expr) -> Expr:
        """The sum of other entries."""
        return total(x)

    def evaluated(self, at: PointValues) -> Any:
        """Summed over rows and columns."""
        return at.arrays.sum(at(self.operand), axis=(-2, -1), keepdims=True)

    def enclosed(self, within: Callable[[Expr], Interval]) -> Interval:
        """A sum of one or more numbers."""
        return several(within(self.operand))


def total(x: Expr) -> Expr:
    """The sum of all entries."""
    if is_scalar(x):
        return x
    if is_zero(x):
        return zeros(ONE_BY_ONE)
    number, rest = coefficient(x)
    return scale(number, make(Total, rest))


def along(x: Expr, axis: int) -> Expr:
    """The sums along an axis, as a column: 0 sums every column of a matrix, 1 every row."""
    # Of a column both axes are one: a row of ones times it is a scalar too, and reads worse.
    if x.shape[1] == 1:
        return total(x)
    rows_first = transpose(x) if axis == 0 else x
    return matmul(rows_first, ones((rows_first.shape[1], S.One)))


def spread(x: Expr, count: Any, axis: int) -> Expr:
    """A column in each of `count` columns (axis 1), or as a row in each of `count` rows (axis 0)."""
    if axis == 1:
        return matmul(x, ones((S.One, count)))
    return matmul(ones((count, S.One)), transpose(x))


class _ByColumn(OneOperand, Node, MatrixExpr):
    """What a matrix becomes column by column, in its own shape."""

    @property
    def shape(self) -> Shape:
        """The operand's shape."""
        return self.operand.shape  # type: ignore[no-any-return]


def _by_rows(at: PointValues, function: Callable[[Any], Any], operand: Expr) -> Any:
    """What a function of the first axis makes of the rows; axes before them are a batch."""
    move = at.arrays.moveaxis
    return move(function(move(at(operand), -2, 0)), 0, -2)


class Softmax(_ByColumn):
    """exp(x) divided by the sum of its entries, for a column x; of a matrix, so for each of its columns."""

    ink = 3
    is_costly = is_function = takes_work = True

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        rows = self.operand.shape[0]
        if rows.is_Integer:
            return sympy.exp(self.operand[i, j]) / sympy.Add(*(sympy.exp(self.operand[k, j]) for k in range(rows)))
        k = sympy.Dummy("k", integer=True)
        return sympy.exp(self.operand[i, j]) / sympy.Sum(sympy.exp(self.operand[k, j]), (k, 0, rows - 1))

    @staticmethod
    def rebuilt(x: Expr) -> Expr:
        """The softmax of another value."""
        return softmax(x)

    def evaluated(self, at: PointValues) -> Any:
        """An arithmetic has it down the first axis."""
        return _by_rows(at, at.arithmetic.softmax, self.operand)

    def enclosed(self, within: Callable[[Expr], Interval]) -> Interval:
        """A share: never 0, and 1 where there is one entry only."""
        return Interval(Fraction(0), Fraction(1), True)


def softmax(x: Expr) -> Expr:
    """The softmax of a column; of a matrix, that of each of its columns."""
    return make(Softmax, x)


class Argmax(_ByColumn):
    """1 at the largest entry of each column, else 0; of equal ones, at the first."""

    ink = 3
    is_costly = takes_work = True

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        rows = self.operand.shape[0]
        if not rows.is_Integer or not S(i).is_Integer:
            return sympy.Function("argmax")(self.operand[i, j])
        x = [self.operand[k, j] for k in range(rows)]
        above = [SYMPY.step(x[int(i)] - x[k]) for k in range(int(i))]
        return sympy.Mul(*above, *(1 - SYMPY.step(x[k] - x[int(i)]) for k in range(int(i) + 1, rows)))

    @staticmethod
    def rebuilt(x: Expr) -> Expr:
        """That of another value."""
        return argmax(x)

    def evaluated(self, at: PointValues) -> Any:
        """Row after row, as the definition of a maximum of two does: all that an exact field knows of an order."""

        def chosen(x: Any) -> Any:
            largest, picks = x[0], [x[0] * 0 + 1]
            for row in x[1:]:
                stays = at.arithmetic.step(largest - row)
                picks = [*(pick * stays for pick in picks), 1 - stays]
                largest = largest * stays + row * (1 - stays)
            # A complex step moves no choice, so the picks are real.
            array = at.arrays
            return array.stack([array.real(pick) if array.iscomplexobj(pick) else pick for pick in picks])

        return _by_rows(at, chosen, self.operand)

    def enclosed(self, within: Callable[[Expr], Interval]) -> Interval:
        """0 or 1."""
        return UNIT


def argmax(x: Expr) -> Expr:
    """1 at the largest entry of each column, else 0."""
    return make(Argmax, x)


class Stack(Node, MatrixExpr):
    """Columns under one another: [h; x]."""

    ink = 3

    @property
    def shape(self) -> Shape:
        """The sum of the parts' rows, and their columns."""
        return sympy.Add(*(part.shape[0] for part in self.args)), self.args[0].shape[1]

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        pieces, start = [], S.Zero
        for part in self.args:
            end = start + part.shape[0]
            inside = S(i) < end
            if inside == True:  # noqa: E712 - a relation that SymPy cannot decide is neither
                pieces.append((part[i - start, j], True))
                break
            if inside != False:  # noqa: E712
                pieces.append((part[i - start, j], inside))
            start = end
        return sympy.Piecewise(*pieces)

    @staticmethod
    def rebuilt(*parts: Expr) -> Expr:
        """Other parts under one another."""
        return stack(*parts)

    def evaluated(self, at: PointValues) -> Any:
        """The rows one after the other, each part for the whole batch."""
        values = list(map(at, self.args))
        lead = at.arrays.broadcast_shapes(*(value.shape[:-2] for value in values))
        every = [at.arrays.broadcast_to(value, lead + value.shape[-2:]) for value in values]
        return at.arrays.concatenate(every, axis=-2)

    def enclosed(self, within: Callable[[Expr], Interval]) -> Interval:
        """What holds all parts."""
        return hull(map(within, self.args))


def stack(*parts: Expr) -> Expr:
    """Columns under one another."""
    if not parts:
        raise ValueError("concat: at least one operand is needed")
    if len({part.shape[1] for part in parts}) != 1:
        raise ValueError("concat: the parts must have the same number of columns")
    return parts[0] if len(parts) == 1 else make(Stack, *parts)


class Slice(OneOperand, Node, MatrixExpr):
    """The rows from `start` up to, not including, `stop`."""

    ink = 3
    is_rearranged = True

    @property
    def bounds(self) -> tuple[Any, Any]:
        """First row, counted from 0, and the row after the last."""
        return self.args[1], self.args[2]

    @property
    def shape(self) -> Shape:
        """The number of rows kept, and all columns."""
        return self.args[2] - self.args[1], self.operand.shape[1]

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        return self.operand[i + self.args[1], j]

    @staticmethod
    def rebuilt(x: Expr, start: Any, stop: Any) -> Expr:
        """The rows of another value."""
        return rows(x, start, stop)

    def evaluated(self, at: PointValues) -> Any:
        """A view of the rows."""
        start, stop = map(at.size, self.bounds)
        return at(self.operand)[..., start:stop, :]

    def enclosed(self, within: Callable[[Expr], Interval]) -> Interval:
        """What holds the entries of the operand."""
        return within(self.args[0])


def rows(x: Expr, start: Any, stop: Any) -> Expr:
    """The rows from `start` up to, not including, `stop`."""
    # Sizes are positive, so a difference that is no number is taken to fit: d_h + d_x - d_h does.
    if any(S(room).is_negative for room in (start, stop - start, x.shape[0] - stop)):
        raise ValueError(f"rows {start} to {stop} of a value with shape {show_shape(x.shape)}")
    if start == 0 and stop == x.shape[0]:
        return x
    return make(Slice, x, S(start), S(stop))

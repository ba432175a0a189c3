"""The expression nodes and the constructors that build them.

Every node is a SymPy matrix expression: a value of one example, as a column vector, a matrix, or a scalar of shape
(1, 1).  The nodes subclass SymPy's own where SymPy has them, so `subs`, `xreplace`, `as_explicit` and `free_symbols`
work; they differ in that they keep the author's order and print themselves the way a paper does.

Build nodes with the constructors below, never with SymPy's operators: those re-sort, and accept symbolic shapes that
do not fit.  A constructor flattens, drops neutral elements and checks shapes; it never re-orders.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import sympy
from sympy import Integer, Rational, S, Tuple
from sympy.core.symbol import Str
from sympy.matrices.expressions import (
    DiagMatrix,
    HadamardPower,
    HadamardProduct,
    Identity,
    KroneckerProduct,
    MatAdd,
    MatMul,
    MatrixExpr,
    MatrixSymbol,
    OneMatrix,
    Transpose,
    ZeroMatrix,
)

from symrnn.algebra.functions import FUNCTIONS, Arithmetic
from symrnn.errors import MissingRuleError

Shape = tuple[Any, Any]
Expr = Any
"""A SymPy matrix expression.  SymPy carries no types, so a type checker sees Any."""

SYMPY = Arithmetic(
    exp=sympy.exp,
    log=sympy.log,
    sqrt=sympy.sqrt,
    sin=sympy.sin,
    cos=sympy.cos,
    tanh=sympy.tanh,
    step=lambda x: sympy.Heaviside(x, 0),
    sign=sympy.sign,
    abs=sympy.Abs,
)
"""The functions of the table over SymPy scalars."""

_display: dict[str, Callable[[Expr], str]] = {}


def register_display(text: Callable[[Expr], str], latex: Callable[[Expr], str]) -> None:
    """Say how nodes print themselves; called once, by the printers."""
    _display.update(text=text, latex=latex)


def _displayed(form: str, x: Expr) -> str:
    if not _display:  # SymPy prints expressions inside its own algorithms, before any printer of ours was asked for
        importlib.import_module("symrnn.printers")
    return _display[form](x)


class _Node:
    """What all nodes share: they print through the registered printers."""

    def _sympystr(self, printer: Any) -> str:
        return _displayed("text", self)

    def _latex(self, printer: Any) -> str:
        return _displayed("latex", self)

    def _pretty(self, printer: Any) -> Any:
        from sympy.printing.pretty.stringpict import prettyForm

        return prettyForm(_displayed("text", self))

    def diff(self, *symbols: Any, **assumptions: Any) -> Any:
        """Refuse: SymPy's matrix calculus fails on most of these expressions and is silently wrong on some."""
        problem = "SymPy's matrix derivative cannot be relied on for these expressions"
        remedy = "use symrnn.jacobian or symrnn.derive, or cell.explicit(n, m) for SymPy's scalar derivatives"
        raise MissingRuleError(f"{problem}\n  {remedy}")


class Variable(_Node, MatrixSymbol):
    """A named value: a parameter, or a signal that exists once per time step.

    Attributes:
        name: the identifier, unique within a cell (`h_prev`, `a_f_bar`).
        base: the name without time and mark (`h`, `a_f`).
        time: 0 for t, -1 for t-1, +1 for t+1; None for what does not change with time.
        mark: "" for the value itself, "adjoint" for the derivative of the loss with respect to it, "cotangent" for
            the part of that derivative which reaches it from outside the step, "loss" for the loss's own partial
            derivative.
    """

    def __new__(cls, name: Any, rows: Any, cols: Any, base: Any = None, time: Any = None, mark: Any = "") -> Variable:
        """Build the symbol; `Str` and `Tuple` arguments come from SymPy's own rebuilding."""
        name, base, mark = str(name), str(base or name), str(mark)
        moment = time if isinstance(time, Tuple) else Tuple() if time is None else Tuple(Integer(time))
        args = (Str(name), S(rows), S(cols), Str(base), moment, Str(mark))
        return sympy.Basic.__new__(cls, *args)  # type: ignore[no-any-return]

    @property
    def base(self) -> str:
        """The name without time and mark."""
        return str(self.args[3].name)

    @property
    def time(self) -> int | None:
        """Steps relative to t, or None."""
        return int(self.args[4][0]) if self.args[4] else None

    @property
    def mark(self) -> str:
        """What the symbol means of its base."""
        return str(self.args[5].name)

    def at(self, time: int, name: str) -> Variable:
        """The same variable at another time, under the identifier `name`."""
        return Variable(name, self.shape[0], self.shape[1], self.base, time, self.mark)

    def marked(self, mark: str, name: str) -> Variable:
        """The adjoint (or another mark) of this variable, under the identifier `name`."""
        return Variable(name, self.shape[0], self.shape[1], self.base, self.time, mark)


class Sum(_Node, MatAdd):
    """Terms in the author's order."""


class Product(_Node, MatMul):
    """A matrix product, with an optional number in front."""

    def _entry(self, i: Any, j: Any, expand: bool = True, **kwargs: Any) -> Any:
        number, rest = coefficient(self)
        factors = rest.args if isinstance(rest, Product) else (rest,)
        inner = [factor.shape[1] for factor in factors[:-1]]
        if not all(size.is_Integer for size in inner):
            return super()._entry(i, j, expand=expand, **kwargs)
        # Written out: SymPy would sum over symbolic indices first, which takes it minutes.
        first, *others = factors
        columns = [*map(range, inner), [j]]
        row = [first[i, column] for column in columns[0]]
        for factor, wanted in zip(others, columns[1:], strict=True):
            row = [sympy.Add(*(x * factor[k, column] for k, x in enumerate(row))) for column in wanted]
        return number * row[0]


class Hadamard(_Node, HadamardProduct):
    """An element-by-element product in the author's order."""


class Power(_Node, HadamardPower):
    """An element-by-element integer power."""


class Transposed(_Node, Transpose):
    """A transpose that stays where it was written."""


class Ones(_Node, OneMatrix):
    """All entries one."""


class Zeros(_Node, ZeroMatrix):
    """All entries zero."""


class Eye(_Node, Identity):
    """The identity matrix."""


class Diag(_Node, DiagMatrix):
    """The diagonal matrix of a column."""


class Kronecker(_Node, KroneckerProduct):
    """The Kronecker product; it occurs in Jacobians of matrix-valued states."""

    def __new__(cls, *args: Any) -> Kronecker:
        """Keep the factors as they are; SymPy's constructor would look for numbers to pull out."""
        return sympy.Basic.__new__(cls, *args)  # type: ignore[no-any-return]


class _Own(_Node, MatrixExpr):
    """A node SymPy lacks."""


class Act(_Own):
    """A function of the table, applied to each entry: `Act("tanh", x)`."""

    def __new__(cls, name: Any, *args: Any) -> Act:
        """Build the node; the arguments have one shape."""
        return sympy.Basic.__new__(cls, Str(str(name)), *args)  # type: ignore[no-any-return]

    @property
    def name(self) -> str:
        """The function's name in the table."""
        return str(self.args[0].name)

    @property
    def operands(self) -> tuple[Expr, ...]:
        """The arguments of the function."""
        return tuple(self.args[1:])

    @property
    def shape(self) -> Shape:
        """The arguments' common shape."""
        return self.args[1].shape  # type: ignore[no-any-return]

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        return getattr(SYMPY, self.name)(*(x[i, j] for x in self.operands))


class Fill(_Own):
    """A scalar repeated into every entry of a shape."""

    @property
    def operand(self) -> Expr:
        """The scalar."""
        return self.args[0]

    @property
    def shape(self) -> Shape:
        """The shape filled."""
        return self.args[1], self.args[2]

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        return self.operand[0, 0]


class Total(_Own):
    """The sum of all entries, a scalar."""

    shape = (S.One, S.One)

    @property
    def operand(self) -> Expr:
        """What is summed."""
        return self.args[0]

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        rows, cols = self.operand.shape
        if rows.is_Integer and cols.is_Integer:
            return sympy.Add(*(self.operand[k, m] for k in range(rows) for m in range(cols)))
        k, m = sympy.Dummy("k", integer=True), sympy.Dummy("m", integer=True)
        return sympy.Sum(self.operand[k, m], (k, 0, rows - 1), (m, 0, cols - 1))


class Softmax(_Own):
    """exp(x) divided by the sum of its entries, for a column x."""

    @property
    def operand(self) -> Expr:
        """The column."""
        return self.args[0]

    @property
    def shape(self) -> Shape:
        """The column's shape."""
        return self.operand.shape  # type: ignore[no-any-return]

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        return sympy.exp(self.operand[i, j]) / Total(act("exp", self.operand))[0, 0]


class Stack(_Own):
    """Columns under one another: [h; x]."""

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


class Slice(_Own):
    """The rows from `start` up to, not including, `stop`."""

    @property
    def operand(self) -> Expr:
        """What is cut."""
        return self.args[0]

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


class Vec(_Own):
    """The columns of a matrix under one another."""

    @property
    def operand(self) -> Expr:
        """The matrix."""
        return self.args[0]

    @property
    def shape(self) -> Shape:
        """One column with all entries."""
        rows, cols = self.operand.shape
        return rows * cols, S.One

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        rows = self.operand.shape[0]
        return self.operand[i % rows, i // rows]


class Commutation(_Own):
    """K with K vec(X) = vec(Xᵀ) for X of shape (rows, cols)."""

    @property
    def of_shape(self) -> Shape:
        """The shape of the X meant."""
        return self.args[0], self.args[1]

    @property
    def shape(self) -> Shape:
        """Square, one row per entry of X."""
        return self.args[0] * self.args[1], self.args[0] * self.args[1]

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        rows, cols = self.args
        # entry i of vec(Xᵀ) is Xᵀ[i % cols, i // cols] = X[i // cols, i % cols]
        return sympy.KroneckerDelta(j, (i % cols) * rows + i // cols)


# --- constructors -----------------------------------------------------------------------------------------------------

ONE_BY_ONE: Shape = (S.One, S.One)


def is_scalar(x: Expr) -> bool:
    """Whether the value is a scalar, which is any value of shape (1, 1)."""
    return bool(x.shape == ONE_BY_ONE)


def is_column(x: Expr) -> bool:
    """Whether the value is a vector: a column that is not a scalar."""
    return bool(x.shape[1] == 1 and x.shape[0] != 1)


def show_shape(shape: Iterable[Any]) -> str:
    """A shape as text: `(d_h)` for a column, `()` for a scalar."""
    rows, cols = shape
    dims = () if (rows, cols) == ONE_BY_ONE else (rows,) if cols == 1 else (rows, cols)
    return f"({', '.join(str(d) for d in dims)})"


def _same_shape(what: str, terms: Iterable[Expr]) -> Shape:
    shapes = [term.shape for term in terms]
    if not shapes:
        raise ValueError(f"{what}: at least one operand is needed")
    for shape in shapes[1:]:
        if shape != shapes[0]:
            raise ValueError(f"{what}: shapes {show_shape(shapes[0])} and {show_shape(shape)} differ")
    return shapes[0]  # type: ignore[no-any-return]


def ones(shape: Shape) -> Expr:
    """All entries one."""
    return Ones(*shape)


def zeros(shape: Shape) -> Expr:
    """All entries zero."""
    return Zeros(*shape)


def is_zero(x: Expr) -> bool:
    """Whether the expression is the literal zero."""
    return isinstance(x, ZeroMatrix)


def add(*terms: Expr) -> Expr:
    """The sum of terms of one shape, in this order; zeros and the brackets of inner sums go."""
    shape = _same_shape("sum", terms)
    flat: list[Expr] = []
    for term in terms:
        if isinstance(term, Sum):
            flat.extend(term.args)
        elif not is_zero(term):
            flat.append(term)
    if not flat:
        return zeros(shape)
    return flat[0] if len(flat) == 1 else sympy.Basic.__new__(Sum, *flat)


def coefficient(x: Expr) -> tuple[Any, Expr]:
    """Split the number in front from the rest: 2 W x gives (2, W x)."""
    if isinstance(x, Product) and not getattr(x.args[0], "is_Matrix", False):
        rest = x.args[1:]
        return x.args[0], rest[0] if len(rest) == 1 else sympy.Basic.__new__(Product, *rest)
    return S.One, x


def scale(number: Any, x: Expr) -> Expr:
    """A number (or a dimension, in a mean) times a value."""
    inner, rest = coefficient(x)
    number = S(number) * inner
    if number == 0:
        return zeros(x.shape)
    if number == 1 or is_zero(rest):
        return rest
    factors = rest.args if isinstance(rest, Product) else (rest,)
    return sympy.Basic.__new__(Product, number, *factors)


def negate(x: Expr) -> Expr:
    """Minus the value; the terms of a sum are negated one by one."""
    if isinstance(x, Sum):
        return add(*(negate(term) for term in x.args))
    return scale(-1, x)


def subtract(a: Expr, b: Expr) -> Expr:
    """A - b."""
    return add(a, negate(b))


def matmul(*factors: Expr) -> Expr:
    """The matrix product, flattened; numbers go to the front, identities go.

    A scalar among the factors multiplies the product of the others entry by entry.
    """
    if not factors:
        raise ValueError("product: at least one operand is needed")
    number: Any = S.One
    flat: list[Expr] = []
    for factor in factors:
        inner, rest = coefficient(factor)
        number *= inner
        flat.extend(rest.args if isinstance(rest, Product) else (rest,))
    for left, right in pairwise(flat):
        if left.shape[1] != right.shape[0]:
            raise ValueError(f"product: shapes {show_shape(left.shape)} and {show_shape(right.shape)} do not chain")
    shape = (flat[0].shape[0], flat[-1].shape[1])
    if any(is_zero(factor) for factor in flat):
        return zeros(shape)
    kept = [factor for factor in flat if not isinstance(factor, Identity)] or flat[:1]
    scalars = [factor for factor in kept if is_scalar(factor)]
    if scalars and len(kept) > 1:
        others = [factor for factor in kept if not is_scalar(factor)]
        repeated = [fill(scalar, shape) for scalar in scalars]
        return scale(number, hadamard(*repeated, matmul(*others)) if others else hadamard(*repeated))
    return scale(number, kept[0] if len(kept) == 1 else sympy.Basic.__new__(Product, *kept))


def hadamard(*factors: Expr) -> Expr:
    """The element-by-element product, flattened; numbers go to the front, ones go."""
    shape = _same_shape("element-by-element product", factors)
    number: Any = S.One
    flat: list[Expr] = []
    for factor in factors:
        inner, rest = coefficient(factor)
        number *= inner
        flat.extend(rest.args if isinstance(rest, Hadamard) else (rest,))
    if any(is_zero(factor) for factor in flat):
        return zeros(shape)
    kept = [factor for factor in flat if not isinstance(factor, OneMatrix)] or flat[:1]
    return scale(number, kept[0] if len(kept) == 1 else sympy.Basic.__new__(Hadamard, *kept))


def power(x: Expr, exponent: int) -> Expr:
    """Each entry to a power, a whole number."""
    if S(exponent) != int(exponent):
        raise ValueError(f"power: the exponent {exponent} is not a whole number")
    if is_zero(x) and exponent < 0:
        raise ValueError("power: division by zero")
    if exponent == 1:
        return x
    if exponent == 0 or isinstance(x, OneMatrix):
        return ones(x.shape)
    number, rest = coefficient(x)
    if isinstance(rest, Fill):
        return scale(number**exponent, fill(power(rest.operand, exponent), rest.shape))
    if isinstance(rest, Power):
        return scale(number**exponent, power(rest.args[0], int(rest.args[1]) * exponent))
    return scale(number**exponent, sympy.Basic.__new__(Power, rest, Integer(exponent)))


def denominator(factor: Expr) -> Expr | None:
    """What a factor such as x⁻² divides by, here x²; None for a factor that does not divide."""
    if isinstance(factor, Fill):
        inner = denominator(factor.operand)
        return None if inner is None else fill(inner, factor.shape)
    if isinstance(factor, Power) and factor.args[1] < 0:
        return power(factor.args[0], -int(factor.args[1]))
    return None


def transpose(x: Expr) -> Expr:
    """The transpose; of a product, the transposes in reverse order; of a scalar multiple, that of the value."""
    number, rest = coefficient(x)
    if is_scalar(rest) or isinstance(rest, Identity | DiagMatrix):
        return x
    if isinstance(rest, Transpose):
        return scale(number, rest.arg)
    if isinstance(rest, Ones):
        return scale(number, ones(rest.shape[::-1]))
    if is_zero(rest):
        return zeros(rest.shape[::-1])
    if isinstance(rest, Product):
        return scale(number, matmul(*(transpose(factor) for factor in reversed(rest.args))))
    if isinstance(rest, Fill):
        return scale(number, fill(rest.operand, rest.shape[::-1]))
    if isinstance(rest, Hadamard) and any(isinstance(factor, Fill) for factor in rest.args):
        scalars = [transpose(factor) for factor in rest.args if isinstance(factor, Fill)]
        others = [factor for factor in rest.args if not isinstance(factor, Fill)]
        return scale(number, hadamard(*scalars, *([transpose(hadamard(*others))] if others else [])))
    return scale(number, sympy.Basic.__new__(Transposed, rest))


def act(name: str, *operands: Expr) -> Expr:
    """A function of the table on each entry."""
    if name not in FUNCTIONS:
        raise KeyError(f"no function {name!r} in the table")
    if len(operands) != FUNCTIONS[name].arity:
        raise ValueError(f"{name} takes {FUNCTIONS[name].arity} argument(s), got {len(operands)}")
    _same_shape(name, operands)
    return Act(name, *operands)


def fill(x: Expr, shape: Shape) -> Expr:
    """A scalar in every entry of `shape`."""
    if not is_scalar(x):
        raise ValueError(f"fill: expected a scalar, got shape {show_shape(x.shape)}")
    if shape == ONE_BY_ONE:
        return x
    number, rest = coefficient(x)
    if isinstance(rest, OneMatrix):
        return scale(number, ones(shape))
    if is_zero(rest):
        return zeros(shape)
    return scale(number, sympy.Basic.__new__(Fill, rest, *map(S, shape)))


def total(x: Expr) -> Expr:
    """The sum of all entries."""
    if is_scalar(x):
        return x
    if is_zero(x):
        return zeros(ONE_BY_ONE)
    number, rest = coefficient(x)
    return scale(number, sympy.Basic.__new__(Total, rest))


def softmax(x: Expr) -> Expr:
    """The softmax of a column."""
    if x.shape[1] != 1:
        raise ValueError(f"softmax: expected a vector, got shape {show_shape(x.shape)}")
    return sympy.Basic.__new__(Softmax, x)


def stack(*parts: Expr) -> Expr:
    """Columns under one another."""
    if not parts:
        raise ValueError("concat: at least one operand is needed")
    if len({part.shape[1] for part in parts}) != 1:
        raise ValueError("concat: the parts must have the same number of columns")
    return parts[0] if len(parts) == 1 else sympy.Basic.__new__(Stack, *parts)


def rows(x: Expr, start: Any, stop: Any) -> Expr:
    """The rows from `start` up to, not including, `stop`."""
    # Sizes are positive, so a difference that is no number is taken to fit: d_h + d_x - d_h does.
    if any(S(room).is_negative for room in (start, stop - start, x.shape[0] - stop)):
        raise ValueError(f"rows {start} to {stop} of a value with shape {show_shape(x.shape)}")
    if start == 0 and stop == x.shape[0]:
        return x
    return sympy.Basic.__new__(Slice, x, S(start), S(stop))


def diag(x: Expr) -> Expr:
    """The diagonal matrix of a column; of ones, the identity."""
    if x.shape[1] != 1:
        raise ValueError(f"diag: expected a vector, got shape {show_shape(x.shape)}")
    number, rest = coefficient(x)
    if is_zero(x):
        return zeros((x.shape[0], x.shape[0]))
    if is_scalar(x):
        return x
    return scale(number, Eye(x.shape[0]) if isinstance(rest, OneMatrix) else Diag(rest))


def vec(x: Expr) -> Expr:
    """The columns of a matrix under one another; a column is its own."""
    if x.shape[1] == 1:
        return x
    number, rest = coefficient(x)
    if isinstance(rest, OneMatrix):
        return scale(number, ones((rest.shape[0] * rest.shape[1], S.One)))
    return scale(number, sympy.Basic.__new__(Vec, rest))


def kronecker(a: Expr, b: Expr) -> Expr:
    """The Kronecker product; with a scalar identity, the other factor."""
    if isinstance(a, Identity) and isinstance(b, Identity):
        return Eye(a.shape[0] * b.shape[0])
    if isinstance(a, Identity) and is_scalar(a):
        return b
    if isinstance(b, Identity) and is_scalar(b):
        return a
    return Kronecker(a, b)


def number(value: Rational | int, shape: Shape) -> Expr:
    """A literal in every entry of `shape`."""
    return scale(value, ones(shape))


def variables(x: Expr) -> set[Variable]:
    """The variables an expression reads."""
    if isinstance(x, Variable):
        return {x}
    return {found for arg in x.args if isinstance(arg, sympy.Basic) for found in variables(arg)}

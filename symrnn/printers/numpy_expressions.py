"""Expressions -> NumPy source for a batch.

The mathematics is per example, in columns; the arrays hold examples as rows.  A vector is `(..., n)`, a matrix
`(..., n, m)` and a scalar `(...)`, where `...` is one time step's batch `(N,)` or all steps `(T, N)`; a parameter has
no leading axes.  Every rule below works on trailing axes only, so the same source serves one step and all steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sympy import Rational

from symrnn.algebra import nodes
from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.nodes import Expr, Variable
from symrnn.errors import MissingRuleError
from symrnn.printers.precedence import Level

_AXES = {0: "", 1: "[..., None]", 2: "[..., None, None]"}

MOVING = ("tangent", "unit")
"""Marks of variables that move."""

SOFTMAX = '''\
def softmax(a):
    """exp(a) / sum(exp(a)) along the last axis, written so that it cannot overflow."""
    e = np.exp(a - a.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
'''


def rank(shape: nodes.Shape) -> int:
    """0 for a scalar, 1 for a column (or a row, whose array is that of its column), 2 for a matrix."""
    if shape == nodes.ONE_BY_ONE:
        return 0
    return 1 if 1 in shape else 2


def own_axes(shape: nodes.Shape) -> list[Any]:
    """The sizes of a value's own axes; a row's array is that of its column."""
    return [dim for dim in shape if dim != 1] if rank(shape) < 2 else list(shape)


def is_batched(expr: Expr) -> bool:
    """Whether the value differs from example to example."""
    return any(variable.time is not None for variable in nodes.variables(expr))


def is_thin(expr: Expr) -> bool:
    """Whether NumPy's array may be smaller than the value and relies on broadcasting."""
    if isinstance(expr, nodes.Fill | nodes.Ones | nodes.Zeros):
        return True
    if isinstance(expr, nodes.Sum | nodes.Hadamard | nodes.Act):
        operands = expr.operands if isinstance(expr, nodes.Act) else expr.args
        return all(is_thin(x) for x in operands)
    if isinstance(expr, nodes.Power):
        return is_thin(expr.args[0])
    number, rest = nodes.coefficient(expr)
    return number != 1 and is_thin(rest)


@dataclass
class NumpyExpressions:
    """Prints expressions as NumPy source.

    Attributes:
        name: the source of a variable, such as `f[t]`.
        size: the source of a size's name.
        lead: the source of the leading axes' sizes, such as ("N",).
        helpers: collects the helper functions that the source needs, by name.
        still: the leading axes of what does not move, where what moves has an axis more; else empty.
    """

    name: Callable[[Variable], str]
    size: Callable[[str], str]
    lead: tuple[str, ...]
    helpers: dict[str, str] = field(default_factory=dict)
    still: tuple[str, ...] = ()

    def __call__(self, expr: Expr, outer: Level = Level.SUM) -> str:
        """The source, in brackets if it binds more loosely than `outer`."""
        rule = _RULES.get(type(expr).__name__)
        if rule is None:
            raise MissingRuleError(f"no rule to print {type(expr).__name__} as NumPy source")
        code, level = rule(self, expr)
        return code if level >= outer else f"({code})"

    def full(self, expr: Expr, batch: bool = False, outer: Level = Level.SUM) -> str:
        """The source of an array that really has the value's shape, and with `batch` the leading axes too."""
        missing_lead = batch and not is_batched(expr)
        if not is_thin(expr) and not missing_lead:
            return self(expr, outer)
        dims = [self.dimension(dim) for dim in own_axes(expr.shape)]
        lead = list(self.lead) if is_batched(expr) or batch else []
        return f"np.broadcast_to({self(expr)}, {_tuple([*lead, *dims])})"

    def dimension(self, dim: Any) -> str:
        """The source of a size such as d_h + d_x."""
        parts = []
        for term in dim.as_ordered_terms():
            count, atoms = term.as_coeff_mul()
            factors = [self.size(str(atom)) for atom in atoms]
            parts.append(" * ".join(factors if count == 1 and factors else [str(count), *factors]))
        return " + ".join(parts)

    def scaled(self, number: Any, code: str) -> str:
        """A number times a piece of source that binds at least as tightly as a product."""
        if isinstance(number, Rational):
            if number == 1:
                return code
            if number == -1:
                return f"-{code}"
            if number.q == 1 or Rational(repr(number.p / number.q)) == number:
                return f"{number.p if number.q == 1 else number.p / number.q} * {code}"
            return f"{number.p} * {code} / {number.q}" if number.p != 1 else f"{code} / {number.q}"
        top, bottom = number.as_numer_denom()
        divided = code if bottom == 1 else f"{code} / ({self.dimension(bottom)})"
        if bottom.is_Symbol:
            divided = f"{code} / {self.dimension(bottom)}"
        factor = f"({self.dimension(top)})" if top.is_Add else self.dimension(top)
        return divided if top == 1 else f"-{divided}" if top == -1 else f"{factor} * {divided}"

    # --- sums and products entry by entry ---

    def terms(self, expr: Expr) -> list[tuple[str, str]]:
        """The terms of a sum as (sign, source), so that a long line can be broken between them."""
        result = []
        for term in expr.args if isinstance(expr, nodes.Sum) else (expr,):
            number, rest = nodes.coefficient(term)
            negative = bool(number.could_extract_minus_sign())
            result.append(("-" if negative else "+", self._product_code(-number if negative else number, rest)))
        return result

    def _sum(self, expr: Expr) -> tuple[str, Level]:
        (sign, first), *rest = self.terms(expr)
        return ("-" if sign == "-" else "") + first + "".join(f" {s} {term}" for s, term in rest), Level.SUM

    def _product_code(self, number: Any, rest: Expr) -> str:
        if isinstance(rest, nodes.Ones):
            return self._number(number)
        return self(rest, Level.NEGATIVE) if number == 1 else self.scaled(number, self(rest, Level.POWER))

    def _number(self, value: Any) -> str:
        if isinstance(value, Rational):
            return str(value.p) if value.q == 1 else repr(value.p / value.q)
        return self.scaled(value, "1")

    def _product(self, expr: Expr) -> tuple[str, Level]:
        number, rest = nodes.coefficient(expr)
        if number != 1:
            return self._product_code(number, rest), Level.HADAMARD
        return self.matrix_chain(list(rest.args))

    def _hadamard(self, expr: Expr) -> tuple[str, Level]:
        divisors = [nodes.denominator(factor) for factor in expr.args]
        above = [factor for factor, divisor in zip(expr.args, divisors, strict=True) if divisor is None]
        code = " * ".join(self(factor, Level.POWER) for factor in above) or "1"
        for divisor in divisors:
            if divisor is not None:
                code += f" / {self(divisor, Level.POWER)}"
        return code, Level.HADAMARD

    def _power(self, expr: Expr) -> tuple[str, Level]:
        base, exponent = expr.args
        if exponent == -1:
            return f"1 / {self(base, Level.POWER)}", Level.HADAMARD
        if exponent < 0:
            return f"1 / {self(base, Level.ATOM)}**{-exponent}", Level.HADAMARD
        return f"{self(base, Level.ATOM)}**{exponent}", Level.POWER

    # --- matrix products ---

    def matrix_chain(self, factors: list[Expr]) -> tuple[str, Level]:
        """A product in the order of evaluation that keeps the intermediate values small."""
        if len(factors) == 1:
            return self._row_or_value(factors[0])
        parts = outer_parts(factors)
        if parts:
            left, right = (self.matrix_chain(part) for part in parts)
            return f"{_closed(left)}[..., :, None] * {_closed(right)}[..., None, :]", Level.HADAMARD
        rows, cols = factors[0].shape[0], factors[-1].shape[1]
        if rows == 1 and cols == 1:
            row, column = self.matrix_chain(factors[:1]), self.matrix_chain(factors[1:])
            return f"({_closed(row)} * {_closed(column)}).sum(axis=-1)", Level.ATOM
        if cols == 1:
            return self._apply(factors[0], self.matrix_chain(factors[1:]))
        if rows == 1:
            return self._apply(nodes.transpose(factors[-1]), self.matrix_chain(factors[:-1]))
        left, right = self.matrix_chain(factors[:1]), self.matrix_chain(factors[1:])
        return f"{_closed(left)} @ {_closed(right)}", Level.PRODUCT

    def _row_or_value(self, expr: Expr) -> tuple[str, Level]:
        """A row's array is that of its column."""
        if isinstance(expr, nodes.Transposed) and rank(expr.arg.shape) < 2:
            expr = expr.arg
        return self.full(expr, outer=Level.ATOM), Level.ATOM

    def _apply(self, matrix: Expr, vector: tuple[str, Level]) -> tuple[str, Level]:
        """A matrix times a column."""
        if is_batched(matrix):
            return f"({self.full(matrix, outer=Level.ATOM)} @ {_closed(vector)}[..., None])[..., 0]", Level.ATOM
        return f"{_closed(vector)} @ {self.full(nodes.transpose(matrix), outer=Level.ATOM)}", Level.PRODUCT

    # --- everything else ---

    def _transposed(self, expr: Expr) -> tuple[str, Level]:
        if rank(expr.arg.shape) < 2:
            return self._row_or_value(expr)
        inner = self.full(expr.arg, outer=Level.ATOM)
        return (f"np.swapaxes({inner}, -1, -2)" if is_batched(expr) else f"{inner}.T"), Level.ATOM

    def _act(self, expr: nodes.Act) -> tuple[str, Level]:
        row = FUNCTIONS[expr.name]
        if row.helper:
            self.helpers.setdefault(row.name, row.helper)
        code = row.numpy.format(*(self(x) for x in expr.operands))
        return code, Level.ATOM if code.endswith(")") and not code.startswith("-") else Level.NEGATIVE

    def _fill(self, expr: nodes.Fill) -> tuple[str, Level]:
        inner = self(expr.operand, Level.ATOM)
        return inner + (_AXES[rank(expr.shape)] if is_batched(expr) else ""), Level.ATOM

    def _total(self, expr: nodes.Total) -> tuple[str, Level]:
        axis = "-1" if rank(expr.operand.shape) == 1 else "(-2, -1)"
        return f"{self.full(expr.operand, outer=Level.ATOM)}.sum(axis={axis})", Level.ATOM

    def _softmax(self, expr: nodes.Softmax) -> tuple[str, Level]:
        self.helpers.setdefault("softmax", SOFTMAX)
        return f"softmax({self.full(expr.operand)})", Level.ATOM

    def _stack(self, expr: nodes.Stack) -> tuple[str, Level]:
        batch = is_batched(expr)
        moves = any(variable.mark in MOVING for variable in nodes.variables(expr))
        printer = self if moves or not self.still else replace(self, lead=self.still)
        parts = ", ".join(printer.full(part, batch=batch) for part in expr.args)
        return f"np.concatenate([{parts}], axis=-1)", Level.ATOM

    def _slice(self, expr: nodes.Slice) -> tuple[str, Level]:
        start, stop = (self.dimension(bound) if bound != 0 else "" for bound in expr.bounds)
        inner = self.full(expr.operand, outer=Level.ATOM)
        return f"{inner}[..., {start} : {stop}]".replace("[...,  :", "[..., :"), Level.ATOM


def outer_parts(factors: Sequence[Expr]) -> tuple[list[Expr], list[Expr]] | None:
    """Split a product between a column and a row, or None where there is no such place."""
    for position, factor in enumerate(factors[:-1]):
        if factor.shape[1] == 1:
            return list(factors[: position + 1]), list(factors[position + 1 :])
    return None


def _closed(printed: tuple[str, Level]) -> str:
    code, level = printed
    return code if level >= Level.ATOM else f"({code})"


def _tuple(parts: Sequence[str]) -> str:
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


_RULES: Mapping[str, Callable[[NumpyExpressions, Any], tuple[str, Level]]] = {
    "Variable": lambda self, expr: (self.name(expr), Level.ATOM),
    "Sum": NumpyExpressions._sum,
    "Product": NumpyExpressions._product,
    "Hadamard": NumpyExpressions._hadamard,
    "Power": NumpyExpressions._power,
    "Transposed": NumpyExpressions._transposed,
    "Act": NumpyExpressions._act,
    "Fill": NumpyExpressions._fill,
    "Total": NumpyExpressions._total,
    "Softmax": NumpyExpressions._softmax,
    "Stack": NumpyExpressions._stack,
    "Slice": NumpyExpressions._slice,
    "Ones": lambda self, expr: ("1.0", Level.ATOM),
    "Zeros": lambda self, expr: ("0.0", Level.ATOM),
}

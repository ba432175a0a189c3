"""Expressions -> NumPy source for a batch.

The mathematics is per example, in columns; the arrays hold examples as rows (see `numpy_values`).  Every rule below
works on trailing axes only, so the same source serves one step and all steps.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from sympy import Rational

from symrnn.algebra import nodes
from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.nodes import Expr, Variable
from symrnn.errors import MissingRuleError
from symrnn.printers.precedence import Level
from symrnn.targets.numpy.products import AXES, product
from symrnn.targets.numpy.values import is_batched, is_thin, own_axes, rank

MOVING = ("tangent", "unit")
"""Marks of variables that move."""

SOFTMAX = '''\
def softmax(a):
    """exp(a) / sum(exp(a)) along the last axis, written so that it cannot overflow."""
    e = np.exp(a - a.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
'''
ONE_HOT = {
    "one_hot": '''\
def one_hot(a):
    """1 at the largest entry along the last axis, else 0."""
    return (a.argmax(axis=-1)[..., None] == np.arange(a.shape[-1])).astype(a.dtype)
''',
    "one_hot_columns": '''\
def one_hot_columns(a):
    """1 at the largest entry of each column, else 0."""
    return (a.argmax(axis=-2)[..., None, :] == np.arange(a.shape[-2])[:, None]).astype(a.dtype)
''',
}

SOFTMAX_COLUMNS = '''\
def softmax_columns(a):
    """exp(a) / sum(exp(a)) in each column, written so that it cannot overflow."""
    e = np.exp(a - a.max(axis=-2, keepdims=True))
    return e / e.sum(axis=-2, keepdims=True)
'''


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
        lead = self.lead if batch else self.leading(expr)
        if not is_thin(expr) and lead == self.leading(expr):
            return self(expr, outer)
        shape = _tuple([*lead, *map(self.dimension, own_axes(expr.shape))])
        if not nodes.variables(expr):  # an array of Python's numbers would have a type of its own
            return f"np.full({shape}, {self(expr)}, dtype)"
        return f"np.broadcast_to({self(expr)}, {shape})"

    def leading(self, expr: Expr) -> tuple[str, ...]:
        """The sizes of the leading axes of an expression's array; none where it is the same for every example."""
        if not is_batched(expr):
            return ()
        moves = any(variable.mark in MOVING for variable in nodes.variables(expr))
        return self.lead if moves or not self.still else self.still

    def dimension(self, dim: Any, outer: Level = Level.SUM) -> str:
        """The source of a size such as d_h + d_x, or of a product or power of sizes."""
        if dim.is_Symbol:
            return self.size(str(dim))
        if dim.is_Add:
            code, level = " + ".join(self.dimension(term) for term in dim.as_ordered_terms()), Level.SUM
        elif dim.is_Mul:
            code, level = " * ".join(self.dimension(factor, Level.POWER) for factor in dim.args), Level.HADAMARD
        elif dim.is_Pow:
            code, level = f"{self.dimension(dim.base, Level.ATOM)}**{dim.exp}", Level.POWER
        else:
            return str(dim)
        return code if level >= outer else f"({code})"

    def scaled(self, number: Any, code: str) -> str:
        """A number times a piece of source that binds at least as tightly as a product."""
        if number.could_extract_minus_sign():
            # The minus in front of all of it, where a sum can take it as its own sign.
            return f"-{self.scaled(-number, code)}"
        # A decimal where it is exact: 0.5 * a reads better than a / 2, while 1/3 has no decimal.
        if isinstance(number, Rational) and number.q != 1 and Rational(repr(number.p / number.q)) == number:
            return f"{number.p / number.q} * {code}"
        top, bottom = number.as_numer_denom()
        multiplied = code if top == 1 else f"{self.dimension(top, Level.HADAMARD)} * {code}"
        return multiplied if bottom == 1 else f"{multiplied} / {self.dimension(bottom, Level.POWER)}"

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

    def _number(self, number: Any) -> str:
        if isinstance(number, Rational):
            return str(number.p) if number.q == 1 else repr(number.p / number.q)
        if number.could_extract_minus_sign():
            return f"-{self._number(-number)}"
        top, bottom = number.as_numer_denom()
        above = self.dimension(top, Level.HADAMARD)  # a product: a minus in front must negate all of it
        return above if bottom == 1 else f"{above} / {self.dimension(bottom, Level.POWER)}"

    def _product(self, expr: Expr) -> tuple[str, Level]:
        number, rest = nodes.coefficient(expr)
        if number != 1:
            return self._product_code(number, rest), Level.HADAMARD
        return product(self, rest.args)

    def _hadamard(self, expr: Expr) -> tuple[str, Level]:
        divisors = [divisors_of(factor) for factor in expr.args]
        above = [factor for factor, below in zip(expr.args, divisors, strict=True) if not below]
        # Products first, then one division after another: a * b / c / d needs no bracket.
        code = " * ".join(self(factor, Level.POWER) for factor in above) or "1"
        return code + "".join(f" / {self(one, Level.POWER)}" for below in divisors for one in below), Level.HADAMARD

    def _power(self, expr: Expr) -> tuple[str, Level]:
        base, exponent = expr.args
        if exponent < 0:
            return "1" + "".join(f" / {self(one, Level.POWER)}" for one in divisors_of(expr)), Level.HADAMARD
        return f"{self(base, Level.ATOM)}**{exponent}", Level.POWER

    # --- everything else ---

    def _transposed(self, expr: nodes.Transposed) -> tuple[str, Level]:
        if rank(expr.shape) < 2:
            return product(self, [expr])
        inner = self.full(expr.arg, outer=Level.ATOM)
        return (f"np.swapaxes({inner}, -1, -2)" if is_batched(expr) else f"{inner}.T"), Level.ATOM

    def _act(self, expr: nodes.Act) -> tuple[str, Level]:
        row = FUNCTIONS[expr.name]
        if row.helper:
            self.helpers.setdefault(row.name, row.helper)
        code = row.numpy.format(*(self._operand(x, bool(row.helper)) for x in expr.operands))
        if nodes.variables(expr) or not is_thin(expr):
            return code, _template_level(row.numpy)
        return f"float({code})", Level.ATOM  # NumPy's own numbers would make float32 float64

    def _operand(self, expr: Expr, helper: bool) -> str:
        """An argument of a function; what helper functions get has a floating-point type."""
        code = self(expr)
        if nodes.variables(expr) or not is_thin(expr) or not helper:
            return code
        # A helper writes into arrays like its argument, which must not be of whole numbers.
        return f"{code}.0" if code.removeprefix("-").isdigit() else f"float({code})"

    def _fill(self, expr: nodes.Fill) -> tuple[str, Level]:
        inner = self(expr.operand, Level.ATOM)
        return inner + (AXES[rank(expr.shape)] if is_batched(expr) else ""), Level.ATOM

    def _total(self, expr: nodes.Total) -> tuple[str, Level]:
        axis = "-1" if rank(expr.operand.shape) == 1 else "(-2, -1)"
        return f"{self.full(expr.operand, outer=Level.ATOM)}.sum(axis={axis})", Level.ATOM

    def _softmax(self, expr: nodes.Softmax) -> tuple[str, Level]:
        if rank(expr.shape) == 2:
            self.helpers.setdefault("softmax_columns", SOFTMAX_COLUMNS)
            return f"softmax_columns({self.full(expr.operand)})", Level.ATOM
        self.helpers.setdefault("softmax", SOFTMAX)
        return f"softmax({self.full(expr.operand)})", Level.ATOM

    def _argmax(self, expr: nodes.Argmax) -> tuple[str, Level]:
        name = "one_hot_columns" if rank(expr.shape) == 2 else "one_hot"
        self.helpers.setdefault(name, ONE_HOT[name])
        return f"{name}({self.full(expr.operand)})", Level.ATOM

    def _stack(self, expr: nodes.Stack) -> tuple[str, Level]:
        # Parts of a concatenation cannot broadcast: all get the leading axes that any of them has.
        printer = replace(self, lead=self.leading(expr))
        parts = ", ".join(printer.full(part, batch=is_batched(expr)) for part in expr.args)
        return f"np.concatenate([{parts}], axis={-rank(expr.shape)})", Level.ATOM

    def _slice(self, expr: nodes.Slice) -> tuple[str, Level]:
        start, stop = (self.dimension(bound) if bound != 0 else "" for bound in expr.bounds)
        columns = ", :" if rank(expr.operand.shape) == 2 else ""
        cut = f"{start} : {stop}" if start else f": {stop}"
        return f"{self.full(expr.operand, outer=Level.ATOM)}[..., {cut}{columns}]", Level.ATOM


@cache
def _template_level(template: str) -> Level:
    """How tightly a function's source binds."""
    body = ast.parse(template.format(*"abc"), mode="eval").body
    return _LEVELS[type(body.op)] if isinstance(body, ast.BinOp | ast.UnaryOp) else Level.ATOM


_LEVELS: Mapping[type[ast.AST], Level] = {
    ast.Add: Level.SUM,
    ast.Sub: Level.SUM,
    ast.USub: Level.NEGATIVE,
    ast.Mult: Level.HADAMARD,
    ast.Div: Level.HADAMARD,
    ast.MatMult: Level.PRODUCT,
    ast.Pow: Level.POWER,
}


def _tuple(parts: Sequence[str]) -> str:
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


# Up to a cube, dividing again and again costs no more than the power does.
_MOST_DIVISIONS = 3


def divisors_of(factor: Expr) -> list[Expr]:
    """What is divided by in turn for a factor such as 1/x², here x and x again; nothing for one that multiplies.

    A square of what still is a number may overflow or vanish, where the quotient does neither.
    """
    divisor = nodes.denominator(factor)
    if divisor is None:
        return []
    power = divisor.operand if isinstance(divisor, nodes.Fill) else divisor
    if not isinstance(power, nodes.Power) or power.args[1] > _MOST_DIVISIONS:
        return [divisor]
    base = power.args[0]
    return [nodes.fill(base, factor.shape) if isinstance(divisor, nodes.Fill) else base] * int(power.args[1])


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
    "Argmax": NumpyExpressions._argmax,
    "Stack": NumpyExpressions._stack,
    "Slice": NumpyExpressions._slice,
    "Ones": lambda self, expr: ("1.0", Level.ATOM),
    "Zeros": lambda self, expr: ("0.0", Level.ATOM),
}

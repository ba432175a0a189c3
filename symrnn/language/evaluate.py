"""Run a definition on numbers, as Python and NumPy would.

This is the oracle: it walks the syntax that the author wrote, knows nothing of shapes, equations or derivatives, and
works on any NumPy arrays (floats, complex numbers, or object arrays of exact numbers).
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from symrnn.algebra.functions import FUNCTIONS, Arithmetic, ScalarFunction, of_library
from symrnn.language.axes import axis_of, spread_axis
from symrnn.language.definition import Definition
from symrnn.language.expressions import exponent
from symrnn.language.operations import OPERATIONS
from symrnn.language.parts import bounds, equal_part

Array = Any
"""A NumPy array of any dtype; a scalar may be a plain number."""


def _step(x: Array) -> Array:
    return np.where(np.real(x) > 0, 1.0, 0.0)  # the sign of the real part: right for a complex step


def _above(x: Array, z: Array, a: Array, b: Array) -> Array:
    """A where x > z, else b; what is no number stays none."""
    # By the real part: a complex step must take the branch that the number takes.
    x, z = np.real(x), np.real(z)
    # `where` takes b for what is no number, which would hide it.
    chosen = np.where(x > z, a, b)
    unknown = np.isnan(x) | np.isnan(z)
    return np.where(unknown, np.nan, chosen) if np.any(unknown) else chosen


def _abs(x: Array) -> Array:
    return np.where(np.real(x) < 0, -x, x) * (np.real(x) != 0)  # at 0 it does not move


def _log1p(x: Array) -> Array:
    # NumPy's of a complex number has no digits of a small one; of a complex step only the first order is wanted.
    rest = np.real(x)
    return np.log1p(rest) + 1j * np.imag(x) / (1 + rest) if np.iscomplexobj(x) else np.log1p(x)


def _remainder(x: Array, z: Array) -> Array:
    rest = np.remainder(np.real(x), np.real(z))
    if not (np.iscomplexobj(x) or np.iscomplexobj(z)):
        return rest
    times = np.round((np.real(x) - rest) / np.real(z))  # is infinite beside a small z
    return rest + 1j * (np.imag(x) - np.where(np.imag(z) == 0, 0, times * np.imag(z)))


def _softmax(x: Array) -> Array:
    # By the real part, as a complex step must not be subtracted from itself.
    e = np.exp(x - np.max(np.real(x), axis=0))
    return e / np.sum(e, axis=0)


def _normal_density(x: Array) -> Array:
    return np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def _straight_through(x: Array, z: Array) -> Array:
    x, z = np.broadcast_arrays(x, z)  # a scalar beside a matrix is repeated
    return np.real(x) + 1j * np.imag(z) if np.iscomplexobj(z) else np.real(x)  # the value of x, the slope of z


_erfc = np.vectorize(math.erfc, otypes=[float])


def _normal_cdf(x: Array) -> Array:
    value = 0.5 * _erfc(-np.real(x) / math.sqrt(2))
    # NumPy has no such function of complex numbers; of a complex step only the first order is wanted.
    return value + 1j * np.imag(x) * _normal_density(np.real(x)) if np.iscomplexobj(x) else value


class _Floating(Arithmetic):
    """Where a function has a definition in which large arguments do not overflow, that is taken.

    What comes is right or infinite or no number, as floating point has it; NumPy says nothing besides.
    """

    def definition(self, row: ScalarFunction) -> Callable[..., Any] | None:
        return row.stable or row.definition

    def softmax(self, x: Any) -> Any:
        with np.errstate(all="ignore"):
            return super().softmax(x)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return _quiet(super().__getattr__(name))


def _quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    def quiet(*args: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*args)

    return quiet


NUMPY = _Floating(
    literal=lambda number: float(number) if isinstance(number, Fraction) else number,
    step=_step,
    stop_gradient=np.real,
    straight_through=_straight_through,
    floor=lambda x: np.floor(np.real(x)),
    round=lambda x: np.round(np.real(x)),
    normal_cdf=_normal_cdf,
    normal_density=_normal_density,
    above=_above,
    abs=_abs,
    remainder=_remainder,
    log1p=_log1p,
    expm1=np.expm1,
    softmax=_softmax,
    **of_library(np),
)
"""The functions of the table on float and complex arrays."""

_OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.MatMult: operator.matmul,
}


def run(
    definition: Definition,
    values: Mapping[str, Array],
    arithmetic: Arithmetic = NUMPY,
    disturb: Mapping[str, Array] | None = None,
) -> dict[str, Array]:
    """Every name's value after the last equation.

    Args:
        definition: the cell's checked syntax.
        values: one array per argument: (entries,) for a vector, (rows, columns) for a matrix, () for a scalar.
        arithmetic: the functions of the table over the arrays' kind of number.
        disturb: what to add to an assigned name right after its assignment, to find out what depends on it.
    """
    names = known(definition, values, arithmetic)
    with np.errstate(all="ignore"):  # what overflows is infinite or no number, which its reader sees
        for assignment in definition.assignments:
            value = evaluate(assignment.value, names, arithmetic)
            if disturb and assignment.name in disturb:
                # Added to a gate, so that its derivative can be asked for though nobody passes it in.
                value = value + disturb[assignment.name]
            names[assignment.name] = value
    return names


def known(definition: Definition, values: Mapping[str, Array], m: Arithmetic) -> dict[str, Array]:
    """What an equation can read before any is computed: the arguments, constants among them, the states at t-1 under
    their own names, and the numbers that the sizes are at which rows are cut.
    """
    names = {name: evaluate(node, {}, m) for name, node in definition.constants.items()} | dict(values)
    names |= {f"{state}_prev": values[state] for state in definition.returned if state in values}
    return names | {
        size: np.shape(values[found.argument])[found.axis] // found.times
        for size, found in definition.measures.items()
        if found.argument in values
    }


def evaluate(node: ast.expr, names: Mapping[str, Array], m: Arithmetic) -> Array:
    """The value of one checked expression."""
    match node:
        case ast.Name():
            return names[node.id]
        case ast.Constant():
            return m.literal(node.value)
        case ast.UnaryOp():
            return -evaluate(node.operand, names, m)
        case ast.Attribute():
            return evaluate(node.value, names, m).T
        case ast.BinOp(op=ast.Pow()):
            base = evaluate(node.left, names, m)
            # 1 / x² rather than x⁻²: NumPy has no negative powers of whole numbers.
            power = exponent(node.right) or 1
            return base**power if power > 0 else 1 / base**-power
        case ast.BinOp():
            return _OPERATORS[type(node.op)](evaluate(node.left, names, m), evaluate(node.right, names, m))
        case ast.Call(func=ast.Name(id=name)):
            arguments = [evaluate(argument, names, m) for argument in node.args]
            if name in FUNCTIONS:
                return getattr(m, name)(*arguments)
            axis = axis_of(node)
            along = {} if axis is None else {"axis": axis % np.ndim(arguments[0])}
            return OPERATIONS[name].on_arrays(np, m, *arguments, **along)
        case ast.Subscript() if spread_axis(node) is not None:
            value = evaluate(node.value, names, m)
            return value[:, None] if spread_axis(node) == 1 else value[None, :]
        case ast.Subscript():
            part = equal_part(node)
            if part is not None:
                value = evaluate(part[0], names, m)
                rows = len(value) // part[2]
                return value[part[1] * rows : (part[1] + 1) * rows]
            start, stop = (None if bound is None else _length(bound, names) for bound in bounds(node))
            return evaluate(node.value, names, m)[start:stop]
    raise TypeError(f"unchecked syntax: {ast.dump(node)}")


def _length(node: ast.expr, names: Mapping[str, Array]) -> int:
    """The number that rows are cut at."""
    match node:
        case ast.Name():
            return int(names[node.id])
        case ast.BinOp(left=left, right=right):
            return int(_OPERATORS[type(node.op)](_length(left, names), _length(right, names)))
        case ast.Constant(value=int(value)):
            return value
    raise TypeError(f"unchecked syntax: {ast.dump(node)}")

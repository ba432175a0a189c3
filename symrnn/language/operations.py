"""The table of operations on whole vectors and matrices: a call that is no function of the table of functions.

A row says all that the language knows of a call: how many values it takes, how their shapes hang together, which nodes
it stands for, what it does to NumPy arrays, and what other libraries call it.  The nodes and the arrays are written
down independently; the checks compare them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType
from typing import Any

from symrnn.algebra import constraints, nodes
from symrnn.algebra.nodes import Expr

Array = Any


@dataclass(frozen=True)
class Operation:
    """One row; what has no default has to be said of every operation.

    Attributes:
        name: the name in the cell language.
        count: the number of arguments; None for two or more.
        shapes: how the shapes of the arguments and the result hang together.
        build: `build(*values)`: the expression.
        on_arrays: `on_arrays(np, m, *arrays)`: what it is on NumPy arrays as the author's text has them, a vector with
            one axis; `m` has the functions of the table.  NumPy is passed, since texts are read without it.  Where
            there is an axis, it is the keyword argument `axis`, from 0.
        called: what other libraries call it, its own name among them where they call it so.
        build_along: `build_along(value, axis)`: the expression along axis 0 or 1 of a matrix; None where there is none.
        shapes_along: how the shapes hang together then.
    """

    name: str
    count: int | None
    shapes: type[constraints.Constraint]
    build: Callable[..., Expr]
    on_arrays: Callable[..., Array]
    called: tuple[str, ...]
    build_along: Callable[[Expr, int], Expr] | None = None
    shapes_along: type[constraints.AxisReduction] | None = None

    def __post_init__(self) -> None:
        if (self.build_along is None) != (self.shapes_along is None):
            raise ValueError(f"{self.name}: `build_along` and `shapes_along` are needed both, or neither")

    def along(self, value: Expr, axis: int) -> Expr:
        """The expression along an axis, which gives a value for every column (0) or every row (1).

        Args:
            value: a matrix, or a column.
            axis: 0, 1, or -1 for the last one.
        """
        assert self.build_along is not None
        return self.build_along(value, axis % (1 if value.shape[1] == 1 else 2))


def _softmax_along(x: Expr, axis: int) -> Expr:
    return nodes.softmax(x) if axis == 0 else nodes.transpose(nodes.softmax(nodes.transpose(x)))


def _entries(x: Expr) -> Any:
    return x.shape[0] * x.shape[1]


def _largest_along(x: Expr, axis: int) -> Expr:
    columns = x if axis == 0 else nodes.transpose(x)
    return nodes.along(nodes.hadamard(nodes.argmax(columns), columns), 0)


def _largest(x: Expr) -> Expr:
    column = x if x.shape[1] == 1 else _largest_along(x, 1)
    return nodes.total(nodes.hadamard(nodes.argmax(column), column))


def _largest_entry(np: Any, maximum: Callable[..., Array], v: Array, axis: int | None) -> Array:
    """The maximum of two, again and again."""
    if axis is None and np.ndim(v) > 1:
        v = _largest_entry(np, maximum, v, 1)
    # By the table's own maximum: what is proved of that holds here, and every arithmetic has it.
    return reduce(maximum, list(np.moveaxis(v, axis or 0, 0)))


def _mean(np: Any, m: Any, v: Array, axis: int | None = None) -> Array:
    return np.sum(v, axis=axis) / (np.size(v) if axis is None else np.shape(v)[axis])


_ROWS = (
    Operation(
        "concat",
        None,
        constraints.Concatenation,
        nodes.stack,
        lambda np, m, *parts: np.concatenate(parts),
        ("concat", "concatenate", "cat", "hstack", "append"),
    ),
    Operation(
        "softmax",
        1,
        constraints.VectorMap,
        nodes.softmax,
        lambda np, m, v, axis=None: m.softmax(v) if axis != 1 else m.softmax(v.T).T,
        ("softmax",),
        _softmax_along,
        constraints.AxisMap,
    ),
    Operation(
        "sum",
        1,
        constraints.Reduction,
        nodes.total,
        lambda np, m, v, axis=None: np.sum(v, axis=axis),
        ("sum", "reduce_sum"),
        nodes.along,
        constraints.AxisReduction,
    ),
    Operation(
        "mean",
        1,
        constraints.Reduction,
        lambda x: nodes.scale(1 / _entries(x), nodes.total(x)),
        _mean,
        ("mean", "reduce_mean"),
        lambda x, axis: nodes.scale(1 / x.shape[axis], nodes.along(x, axis)),
        constraints.AxisReduction,
    ),
    Operation(
        "max",
        1,
        constraints.Reduction,
        _largest,
        lambda np, m, v, axis=None: _largest_entry(np, m.maximum, v, axis),
        ("max", "reduce_max", "amax"),
        _largest_along,
        constraints.AxisReduction,
    ),
    Operation(
        "min",
        1,
        constraints.Reduction,
        lambda x: nodes.negate(_largest(nodes.negate(x))),
        lambda np, m, v, axis=None: -_largest_entry(np, m.maximum, -v, axis),
        ("min", "reduce_min", "amin"),
        lambda x, axis: nodes.negate(_largest_along(nodes.negate(x), axis)),
        constraints.AxisReduction,
    ),
    Operation(
        "size",
        1,
        constraints.Reduction,
        lambda x: nodes.number(_entries(x), nodes.ONE_BY_ONE),
        lambda np, m, v: m.literal(np.size(v)),
        (),
    ),
    Operation(
        "outer",
        2,
        constraints.OuterProduct,
        lambda a, b: nodes.matmul(a, nodes.transpose(b)),
        lambda np, m, v, k: np.outer(v, k),
        ("outer", "ger"),
    ),
)

OPERATIONS: Mapping[str, Operation] = MappingProxyType({row.name: row for row in _ROWS})
"""Every operation, by name."""

STRUCTURAL: Mapping[str, int | None] = {**{row.name: row.count for row in _ROWS}, "split": 2}
"""Name -> number of arguments (None: two or more), with `split`, which gives several values and is no expression."""

ALONG = frozenset(row.name for row in _ROWS if row.build_along is not None)
"""What can be taken along an axis."""

"""The kinds of expression nodes.

Every node is a SymPy matrix expression: a value of one example, as a column vector, a matrix, or a scalar of shape
(1, 1).  The nodes subclass SymPy's own where SymPy has them, so `subs`, `xreplace`, `as_explicit` and `free_symbols`
work; they differ in that they keep the author's order and print themselves the way a paper does.

They are built by the constructors in `nodes`, which check shapes; nothing else calls these classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sympy
from sympy import Integer, S, Tuple
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
from symrnn.algebra.stated import Constant, Surrogate
from symrnn.deferred import function_above
from symrnn.errors import MissingRuleError

Shape = tuple[Any, Any]
Expr = Any
"""A SymPy matrix expression.  SymPy carries no types, so a type checker sees Any."""

SYMPY = Arithmetic(
    literal=lambda number: sympy.Rational(str(number)),
    step=lambda x: sympy.Heaviside(x, 0),
    stop_gradient=Constant,
    straight_through=Surrogate,
    floor=sympy.floor,
    round=lambda x: sympy.floor(x + S.Half),
    normal_cdf=lambda x: sympy.erfc(-x / sympy.sqrt(2)) / 2,
    normal_density=lambda x: sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi),
    **{row.name: getattr(sympy, row.sympy) for row in FUNCTIONS.values() if row.sympy},
)
"""The functions of the table over SymPy scalars."""


def _displayed(form: str, x: Expr, printer: Any) -> str:
    try:
        return str(function_above(form)(x))
    except MissingRuleError:  # subs and xreplace can put any SymPy object into an expression of ours
        pass
    for kind in type(x).__mro__[1:]:
        rule = getattr(printer, f"_print_{kind.__name__}", None)
        if rule is not None and not issubclass(kind, _Node) and kind.__module__.startswith("sympy.matrices"):
            return str(rule(x))
    return f"{type(x).__name__}({', '.join(printer._print(arg) for arg in x.args)})"


def _same(x: Any, y: Any) -> bool:
    """Whether two expressions are one; a pair of parts is compared once, however often they occur."""
    seen: set[tuple[int, int]] = set()
    waiting = [(x, y)]
    while waiting:
        a, b = waiting.pop()
        if a is b or (id(a), id(b)) in seen:
            continue
        seen.add((id(a), id(b)))
        if not isinstance(a, _Node):
            if a != b or a.is_Number != b.is_Number:
                return False
        elif type(a) is not type(b) or hash(a) != hash(b) or len(a.args) != len(b.args):
            return False
        else:
            waiting += zip(a.args, b.args, strict=True)
    return True


def _hashed(x: Any) -> int:
    """The hash of an expression that has none yet: from the leaves up, since deep ones exceed Python's recursion."""
    waiting = [x]
    while waiting:
        unknown = [arg for arg in waiting[-1].args if isinstance(arg, _Node) and arg._mhash is None]
        if unknown:
            waiting += unknown
        else:
            value = int(super(_Node, waiting.pop()).__hash__())
    return value


class _Substitution(dict[Any, Any]):
    """What is to stand for what, and what has become of the parts so far."""

    def __init__(self, rule: Mapping[Any, Any]) -> None:
        super().__init__(rule)
        self.known: dict[Any, tuple[Any, bool]] = {}
        self.has_sizes = not all(isinstance(part, _Node) for part in rule)


class _Node:
    """What all nodes share: they print as papers do, and a part that occurs often is seen once.

    SymPy's own comparison, `xreplace`, `free_symbols` and `shape` walk through an expression as a tree.  A product of
    sums whose parts are shared is short, and its tree is as long as the list of its paths.
    """

    args: tuple[Any, ...]
    _mhash: int | None

    def __eq__(self, other: object) -> Any:
        if self is other:
            return True
        if not isinstance(other, _Node):
            return super().__eq__(other)
        return hash(self) == hash(other) and _same(self, other)

    def __hash__(self) -> int:
        known = self._mhash
        return _hashed(self) if known is None else known

    def xreplace(self, rule: Any) -> Any:
        """The expression with other parts in place of some; see SymPy's `Basic.xreplace`."""
        remembering = _Substitution(rule) if isinstance(rule, Mapping) else rule
        return super().xreplace(remembering)  # type: ignore[misc]

    def _xreplace(self, rule: Any) -> tuple[Any, bool]:
        known = getattr(rule, "known", {})
        if self not in known:
            known[self] = super()._xreplace(rule)  # type: ignore[misc]
        return known[self]  # type: ignore[no-any-return]

    @property
    def free_symbols(self) -> set[Any]:
        """The symbols that the value depends on, sizes among them."""
        leaves = (part for part in parts(self) if not isinstance(part, _Node))
        return {part for part in parts(self) if isinstance(part, Variable)}.union(*(x.free_symbols for x in leaves))

    @property
    def shape(self) -> Any:
        """Rows and columns."""
        known = self.__dict__.get("_shape")
        if known is None:
            known = self.__dict__["_shape"] = super().shape  # type: ignore[misc]
        return known

    def _sympystr(self, printer: Any) -> str:
        return _displayed("text", self, printer)

    def _latex(self, printer: Any) -> str:
        return _displayed("latex", self, printer)

    def _pretty(self, printer: Any) -> Any:
        from sympy.printing.pretty.stringpict import prettyForm

        return prettyForm(sympy.sstr(self))

    def diff(self, *symbols: Any, **assumptions: Any) -> Any:
        """Refuse: SymPy's matrix calculus fails on most of these expressions and is silently wrong on some."""
        problem = "SymPy's matrix derivative cannot be relied on for these expressions"
        remedy = "use symrnn.jacobian or symrnn.derive, or cell.explicit(n, m) for SymPy's scalar derivatives"
        raise MissingRuleError(f"{problem}\n  {remedy}")


def parts(x: Any) -> Iterator[Any]:
    """Every part of an expression once, itself among them, in the order in which they are first read."""
    seen: set[int] = set()
    waiting = [x]
    while waiting:
        part = waiting.pop()
        if id(part) not in seen:
            seen.add(id(part))
            yield part
            if not isinstance(part, Variable):
                waiting += reversed(part.args)


class Variable(_Node, MatrixSymbol):
    """A named value: a parameter, or a signal that exists once per time step.

    Attributes:
        name: the identifier, unique within a cell (`h_prev`, `a_f_bar`).
        base: the name without time and mark (`h`, `a_f`).
        time: 0 for t, -1 for t-1, +1 for t+1; None for what does not change with time.
        mark: "" for the value itself, "adjoint" for the derivative of the total loss with respect to it, "cotangent"
            for the part of that derivative which reaches it from outside its step, "message" for the part that the
            step after it sends back, "loss" for the loss's own partial derivative; cotangent = loss + message.  A
            second word says more: "tangent" for how that moves, "window" for what it is in the window of steps that
            ends at e.
        looks: the base as it is shown, in the words of `symrnn.algebra.spelling`; another one where two bases would
            look alike.
    """

    def __new__(
        cls, name: Any, rows: Any, cols: Any, base: Any = None, time: Any = None, mark: Any = "", looks: Any = None
    ) -> Variable:
        """Build the symbol; `Str` and `Tuple` arguments come from SymPy's own rebuilding."""
        name, base, mark = str(name), str(base or name), str(mark)
        moment = time if isinstance(time, Tuple) else Tuple() if time is None else Tuple(Integer(time))
        args = (Str(name), S(rows), S(cols), Str(base), moment, Str(mark), Str(str(looks or base)))
        return sympy.Basic.__new__(cls, *args)  # type: ignore[no-any-return]

    def _xreplace(self, rule: Any) -> tuple[Any, bool]:
        if self in rule:
            return rule[self], True
        return super()._xreplace(rule) if getattr(rule, "has_sizes", True) else (self, False)

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

    @property
    def looks(self) -> str:
        """The base as it is shown."""
        return str(self.args[6].name)

    @property
    def is_sent_back(self) -> bool:
        """Whether the backward pass of a step computes it: an adjoint, or a message."""
        return self.mark in ("adjoint", "message")

    def at(self, time: int, name: str) -> Variable:
        """The same variable at another time, under the identifier `name`."""
        return Variable(name, self.shape[0], self.shape[1], self.base, time, self.mark, self.looks)

    def marked(self, mark: str, name: str) -> Variable:
        """The adjoint (or another mark) of this variable, under the identifier `name`."""
        return Variable(name, self.shape[0], self.shape[1], self.base, self.time, mark, self.looks)


def indexed(letter: str, *names: str) -> str:
    """The base of a symbol whose subscripts are names: J_h_{W_f} is J with the subscripts h and W_f.

    >>> indexed("J", "h", "W_f")
    'J_h_{W_f}'
    """
    return "_".join([letter, *(name if len(name) == 1 or name.startswith('"') else f"{{{name}}}" for name in names)])


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


class _ByColumn(_Own):
    """What a matrix becomes column by column, in its own shape."""

    @property
    def operand(self) -> Expr:
        """The column or matrix."""
        return self.args[0]

    @property
    def shape(self) -> Shape:
        """The operand's shape."""
        return self.operand.shape  # type: ignore[no-any-return]


class Softmax(_ByColumn):
    """exp(x) divided by the sum of its entries, for a column x; of a matrix, so for each of its columns."""

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        rows = self.operand.shape[0]
        if rows.is_Integer:
            return sympy.exp(self.operand[i, j]) / sympy.Add(*(sympy.exp(self.operand[k, j]) for k in range(rows)))
        k = sympy.Dummy("k", integer=True)
        return sympy.exp(self.operand[i, j]) / sympy.Sum(sympy.exp(self.operand[k, j]), (k, 0, rows - 1))


class Argmax(_ByColumn):
    """1 at the largest entry of each column, else 0; of equal ones, at the first."""

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        rows = self.operand.shape[0]
        if not rows.is_Integer or not S(i).is_Integer:
            return sympy.Function("argmax")(self.operand[i, j])
        x = [self.operand[k, j] for k in range(rows)]
        above = [SYMPY.step(x[int(i)] - x[k]) for k in range(int(i))]
        return sympy.Mul(*above, *(1 - SYMPY.step(x[k] - x[int(i)]) for k in range(int(i) + 1, rows)))


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


def coefficient(x: Expr) -> tuple[Any, Expr]:
    """Split the number in front from the rest: 2 W x gives (2, W x)."""
    if isinstance(x, Product) and not getattr(x.args[0], "is_Matrix", False):
        rest = x.args[1:]
        return x.args[0], rest[0] if len(rest) == 1 else sympy.Basic.__new__(Product, *rest)
    return S.One, x

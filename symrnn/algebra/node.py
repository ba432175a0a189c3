"""What every node of an expression has: its columns, how it prints itself, and the named values it is made of.

Every node is a SymPy matrix expression: a value of one example, as a column vector, a matrix, or a scalar of shape
(1, 1).  The nodes subclass SymPy's own where SymPy has them, so `subs`, `xreplace`, `as_explicit` and `free_symbols`
work; they differ in that they keep the author's order and print themselves the way a paper does.

A kind of node is a class that says all that this room knows of it: how it is built anew, what its value is, between
which bounds that lies, how long it is to read.  A class that lacks one of these cannot be defined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

import sympy
from sympy import Integer, S, Tuple
from sympy.core.symbol import Str
from sympy.matrices.expressions import MatrixSymbol

from symrnn.algebra.functions import FUNCTIONS, Arithmetic
from symrnn.algebra.intervals import REALS, Interval
from symrnn.algebra.stated import Constant, Surrogate
from symrnn.deferred import function_above
from symrnn.errors import MissingRuleError

__all__ = [
    "SYMPY",
    "Expr",
    "Node",
    "OneOperand",
    "Shape",
    "Variable",
    "children",
    "indexed",
    "make",
    "parts",
    "variables",
]

Shape = tuple[Any, Any]
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


class PointValues(Protocol):
    """What a node asks for its value: see `symrnn.algebra.evaluate.Evaluator`.

    Attributes:
        arrays: the library of the arrays, NumPy; it comes from there because expressions are built without it.
        arithmetic: the functions of the table over the arrays' kind of number.
    """

    arrays: ClassVar[Any]
    arithmetic: Arithmetic

    def __call__(self, expr: Expr) -> Any:
        """The value of an expression: its rows and columns are the last two axes."""

    def size(self, dim: Any) -> int:
        """The number that a size stands for."""

    def scaled(self, number: Any, value: Any) -> Any:
        """An array times the number in front of a product."""


def _displayed(form: str, x: Expr, printer: Any) -> str:
    try:
        return str(function_above(form)(x))
    except MissingRuleError:  # subs and xreplace can put any SymPy object into an expression of ours
        pass
    for kind in type(x).__mro__[1:]:
        # As SymPy would print its own class: our printers have no rule for what came in by `subs`.
        rule = getattr(printer, f"_print_{kind.__name__}", None)
        if rule is not None and not issubclass(kind, Node) and kind.__module__.startswith("sympy.matrices"):
            return str(rule(x))
    return f"{type(x).__name__}({', '.join(printer._print(arg) for arg in x.args)})"


def _same(x: Any, y: Any) -> bool:
    """Whether two expressions are one; a pair of parts is compared once, however often they occur."""
    seen: set[tuple[int, int]] = set()
    waiting = [(x, y)]
    while waiting:
        a, b = waiting.pop()
        # By identity: comparing the pairs themselves would ask for equality again.
        if a is b or (id(a), id(b)) in seen:
            continue
        seen.add((id(a), id(b)))
        if not isinstance(a, Node):
            # SymPy holds 1 and 1.0 for equal, and prints them differently.
            if a != b or a.is_Number != b.is_Number:
                return False
        # Hashes are kept with the nodes, so that unlike parts are told apart without walking through them.
        elif type(a) is not type(b) or hash(a) != hash(b) or len(a.args) != len(b.args):
            return False
        else:
            waiting += zip(a.args, b.args, strict=True)
    return True


def _hashed(x: Any) -> int:
    """The hash of an expression that has none yet: from the leaves up, since deep ones exceed Python's recursion."""
    waiting = [x]
    while waiting:
        # SymPy keeps the hash of a node in it, so that each is computed once.
        unknown = [arg for arg in waiting[-1].args if isinstance(arg, Node) and arg._mhash is None]
        if unknown:
            waiting += unknown
        else:
            value = int(super(Node, waiting.pop()).__hash__())
    return value


class _Substitution(dict[Any, Any]):
    """What is to stand for what, and what has become of the parts so far."""

    def __init__(self, rule: Mapping[Any, Any]) -> None:
        super().__init__(rule)
        self.known: dict[Any, tuple[Any, bool]] = {}
        # Sizes stand in the shapes of variables; where none is replaced, nobody has to look into these.
        self.has_sizes = not all(isinstance(part, Node) for part in rule)


_NEEDED = ("ink", "rebuilt", "evaluated", "enclosed")
"""What every class has to say."""


class Node:
    """What all nodes share: they print as papers do, and a part that occurs often is seen once.

    SymPy's own comparison, `xreplace`, `free_symbols` and `shape` walk through an expression as a tree.  A product of
    sums whose parts are shared is short, and its tree is as long as the list of its paths.

    Attributes:
        ink: how much there is to read of it besides its operands, where a variable has 4 (a letter, its subscripts and
            what stands over it); a rewriting is taken only where the whole gets shorter.
        rebuilt: its constructor, as a static method that takes what `args` holds; not needed of a constant.
        is_constant: whether it is made of no other expressions and no variable, so that nothing moves it.
        is_costly: whether computing it twice costs more than keeping it.
        is_rearranged: whether it only shows entries of its operand again, in other places or more often: nothing is
            computed, and NumPy makes a view.
        is_function: whether a derivation gives a compound argument of it a name.
        takes_work: whether an argument that contains it gets a name even inside of a formula.
        buries_scalars: whether scalars within it would be easier to find in front of it.
        minus_signs: how many minus signs of its own it is read with.
    """

    args: tuple[Any, ...]
    _mhash: int | None

    is_constant: ClassVar[bool] = False
    is_costly: ClassVar[bool] = False
    is_rearranged: ClassVar[bool] = False
    is_function: ClassVar[bool] = False
    takes_work: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        missing = [name for name in _NEEDED if getattr(cls, name) is getattr(Node, name)]
        # Asked when the class is defined: a node that lacks a column would fail only where somebody prints or proves
        # with it.
        missing = [name for name in missing if not (name == "rebuilt" and cls.is_constant)]
        if missing and not cls.__name__.startswith("_"):
            raise TypeError(f"the node {cls.__name__} does not say {', '.join(missing)}\n  see the columns of `Node`")

    @property
    def ink(self) -> int:
        """How much there is to read of it besides its operands."""
        raise NotImplementedError

    @property
    def minus_signs(self) -> int:
        """How many minus signs of its own it is read with."""
        return 0

    @property
    def buries_scalars(self) -> bool:
        """Whether scalars within it would be easier to find in front of it."""
        return False

    @staticmethod
    def rebuilt(*args: Any) -> Expr:
        """The node of these `args`, by its constructor, which checks and tidies what it is given."""
        raise NotImplementedError

    def evaluated(self, at: PointValues) -> Any:
        """The value, in an array whose last two axes are rows and columns; axes before these are a batch."""
        raise NotImplementedError

    def enclosed(self, within: Callable[[Expr], Interval]) -> Interval:
        """An interval that holds every entry, from those of the operands."""
        raise NotImplementedError

    @property
    def operands(self) -> tuple[Expr, ...]:
        """The expressions that it is made of."""
        return children(self)

    def __eq__(self, other: object) -> Any:
        if self is other:
            return True
        if not isinstance(other, Node):
            return super().__eq__(other)
        return hash(self) == hash(other) and _same(self, other)

    def __hash__(self) -> int:
        known = self._mhash
        return _hashed(self) if known is None else known

    if TYPE_CHECKING:  # what the nodes have of SymPy's classes, which carry no types
        func: type[Any]
        has: Callable[..., bool]

        def __getitem__(self, entry: tuple[Any, Any]) -> Any: ...

    def xreplace(self, rule: Any) -> Expr:
        """The expression with other parts in place of some; see SymPy's `Basic.xreplace`."""
        remembering = _Substitution(rule) if isinstance(rule, Mapping) else rule
        return super().xreplace(remembering)  # type: ignore[misc,no-any-return]

    def _xreplace(self, rule: Any) -> tuple[Any, bool]:
        # A part that occurs on many paths is replaced once, or a short expression would take as long as the list of its
        # paths.
        known = getattr(rule, "known", {})
        if self not in known:
            known[self] = super()._xreplace(rule)  # type: ignore[misc]
        return known[self]  # type: ignore[no-any-return]

    @property
    def free_symbols(self) -> set[Any]:
        """The symbols that the value depends on, sizes among them."""
        leaves = (part for part in parts(self) if not isinstance(part, Node))
        return {part for part in parts(self) if isinstance(part, Variable)}.union(*(x.free_symbols for x in leaves))

    @property
    def shape(self) -> Any:
        """Rows and columns."""
        known = self.__dict__.get("_shape")
        if known is None:
            # SymPy works a product's shape out from all of its factors at every call.
            known = self.__dict__["_shape"] = super().shape  # type: ignore[misc]
        return known

    def _sympystr(self, printer: Any) -> str:
        return _displayed("text", self, printer)

    def _latex(self, printer: Any) -> str:
        return _displayed("latex", self, printer)

    def _pretty(self, printer: Any) -> Any:
        # Loaded when asked for: nothing else of the package pretty-prints, and its tables take time to load.
        from sympy.printing.pretty.stringpict import prettyForm

        return prettyForm(sympy.sstr(self))

    def diff(self, *symbols: Any, **assumptions: Any) -> Any:
        """Refuse: SymPy's matrix calculus fails on most of these expressions and is silently wrong on some."""
        problem = "SymPy's matrix derivative cannot be relied on for these expressions"
        remedy = "use symrnn.jacobian or symrnn.derive, or cell.explicit(n, m) for SymPy's scalar derivatives"
        raise MissingRuleError(f"{problem}\n  {remedy}")


Expr = Node
"""An expression: a node with its operands.  `subs` and `xreplace` can put a SymPy object of another class in it."""

_Made = TypeVar("_Made", bound=Node)


def make(kind: type[_Made], *args: Any) -> _Made:
    """The node of exactly these `args`: what a constructor ends in, when nothing is left to tidy."""
    # Past SymPy's own constructors, which sort and evaluate.
    return sympy.Basic.__new__(kind, *args)  # type: ignore[no-any-return]


class OneOperand:
    """What the nodes have that are made of one expression: it stands first in their `args`."""

    args: tuple[Any, ...]

    @property
    def operand(self) -> Expr:
        """The expression that it is made of."""
        return self.args[0]  # type: ignore[no-any-return]


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
                # A stack, from which the first operand must come first.
                waiting += reversed(part.args)


def children(x: Expr) -> tuple[Expr, ...]:
    """The expressions that an expression is made of; a variable is made of none."""
    return () if isinstance(x, Variable) else tuple(arg for arg in x.args if getattr(arg, "is_Matrix", False))


def variables(x: Expr) -> set[Variable]:
    """The variables an expression reads."""
    return {part for part in parts(x) if isinstance(part, Variable)}


class Variable(Node, MatrixSymbol):
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

    ink = 4

    def __new__(
        cls, name: Any, rows: Any, cols: Any, base: Any = None, time: Any = None, mark: Any = "", looks: Any = None
    ) -> Variable:
        """Build the symbol; `Str` and `Tuple` arguments come from SymPy's own rebuilding."""
        name, base, mark = str(name), str(base or name), str(mark)
        moment = time if isinstance(time, Tuple) else Tuple() if time is None else Tuple(Integer(time))
        args = (Str(name), S(rows), S(cols), Str(base), moment, Str(mark), Str(str(looks or base)))
        return make(cls, *args)

    @staticmethod
    def rebuilt(*args: Any) -> Variable:
        """The variable of these arguments."""
        return Variable(*args)

    def evaluated(self, at: PointValues) -> Any:
        """What the point has under its name; an evaluator looks it up itself."""
        return at(self)

    def enclosed(self, within: Callable[[Expr], Interval]) -> Interval:
        """Anything."""
        return REALS

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
    """The base of a symbol whose subscripts are names: J_{h}_{W_f} is J with the subscripts h and W_f.

    >>> indexed("J", "h", "W_f")
    'J_{h}_{W_f}'
    """
    return "_".join([letter, *(name if name.startswith('"') else f"{{{name}}}" for name in names)])

"""Which ones, identities and zeros of a formula have to say how large they are: those whose size nothing tells.

Every place of a formula has two sizes, its rows and its columns.  Places that must have a size in common share it: the
terms of a sum, factors entry by entry, neighbours in a product, the whole and the left side of its equation.  A size is
told where a variable has it.  Of a stack, a Kronecker product and a vec the whole is told where all parts are, and a
part where the whole and all other parts are.  What is left over is shown with a subscript, in the order of reading, and
tells what hangs together with it in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sympy.matrices.expressions import MatrixExpr

from symrnn.algebra.nodes import (
    Act,
    Diag,
    Expr,
    Eye,
    Fill,
    Hadamard,
    Ones,
    Product,
    Shape,
    Total,
    Zeros,
    coefficient,
    is_scalar,
    make,
    parts,
)
from symrnn.printers.named import NAMED

_OPEN = frozenset({"Ones", "Eye", "Zeros", "Fill", "Total", "Act"})
"""Kinds of nodes that may show something of a size that others must tell."""


class Sized(MatrixExpr):
    """Ones, an identity or zeros that are shown with their size."""

    @property
    def atom(self) -> Expr:
        """What is shown with its size."""
        return self.args[0]  # type: ignore[no-any-return]

    @property
    def shape(self) -> Shape:
        """The shape of the ones, the identity or the zeros."""
        return self.atom.shape  # type: ignore[no-any-return]


def with_sizes(expr: Expr) -> Expr:
    """The expression, with `Sized` in the places whose size nothing tells.

    The shape of the whole counts as told: a left side has it, or the question that the expression answers.
    """
    # Most formulas have nothing of the kind; looking costs less than sorting out all sizes.
    if not any(type(part).__name__ in _OPEN for part in parts(expr)):
        return expr
    sizing = _Sizing()
    place = sizing.place(expr)
    place.rows.tell()
    place.cols.tell()
    sizing.name_what_is_open()
    return place.build()


def is_number(expr: Expr) -> bool:
    """Whether an expression is the same number in every entry, written without a variable."""
    if isinstance(expr, Act):
        return all(map(is_number, expr.operands))
    return isinstance(coefficient(expr)[1], Ones | Zeros)


class _Length:
    """The size of one place, or of several that must have the same."""

    def __init__(self, told: bool = False) -> None:
        self._told, self._joined = told, self
        self._composed: list[_Composed] = []

    @property
    def _root(self) -> _Length:
        root = self
        while root._joined is not root:
            root = root._joined
        return root

    @property
    def is_told(self) -> bool:
        return self._root._told

    def tell(self) -> None:
        """Tell the size, and with it what follows for the sizes that it was composed with."""
        waiting = [self]
        while waiting:
            root = waiting.pop()._root
            if not root._told:
                root._told = True
                waiting += [size for composed in root._composed for size in composed.told_by_others()]

    def join(self, other: _Length) -> None:
        mine, theirs = self._root, other._root
        if mine is theirs:
            return
        # What one of two joined sizes tells, both tell.
        if mine._told or theirs._told:
            mine.tell()
            theirs.tell()
        theirs._joined = mine
        mine._composed += theirs._composed

    def belong_to(self, composed: _Composed) -> None:
        self._root._composed.append(composed)


@dataclass
class _SizedPart:
    """A part of a formula where it stands.

    Attributes:
        rows: its rows.
        cols: its columns.
        build: the part, once it is known what has to say its size.
    """

    rows: _Length
    cols: _Length
    build: Callable[[], Expr]

    def join(self, other: _SizedPart) -> None:
        self.rows.join(other.rows)
        self.cols.join(other.cols)


@dataclass
class _Atom:
    """What may have to say its size.

    Attributes:
        rows: its rows.
        cols: its columns.
        is_block: whether it is ones, and neither a column nor a row.
        is_named: whether it says its size.
    """

    rows: _Length
    cols: _Length
    is_block: bool = False
    is_named: bool = False

    @property
    def is_told(self) -> bool:
        return self.rows.is_told and self.cols.is_told

    def name(self) -> None:
        self.is_named = True
        self.rows.tell()
        self.cols.tell()


@dataclass
class _Composed:
    """Sizes that are sums or products of those of several parts.

    Attributes:
        wholes: the sizes of the whole.
        parts: of each part the sizes, one for each of the whole.
    """

    wholes: list[_Length]
    parts: list[list[_Length]]

    def told_by_others(self) -> list[_Length]:
        """The sizes that follow from the others."""
        # With two parts open, the whole says nothing of either.
        if sum(not all(size.is_told for size in part) for part in self.parts) > 1:
            return []
        still_open = (
            [size for size in sizes if not size.is_told] for sizes in zip(self.wholes, *self.parts, strict=True)
        )
        return [sizes[0] for sizes in still_open if len(sizes) == 1]


def _compose(wholes: list[_Length], parts: list[list[_Length]]) -> None:
    """Let sizes tell one another that are sums or products, and parts of these."""
    composed = _Composed(wholes, parts)
    for size in (*wholes, *(size for part in parts for size in part)):
        size.belong_to(composed)
    for size in composed.told_by_others():
        size.tell()


def _same(expr: Expr, args: list[Expr]) -> Expr:
    """The node with other arguments, or itself where they are the same."""
    unchanged = all(new is old for new, old in zip(args, expr.args, strict=True))
    if unchanged:
        return expr
    return Diag(*args) if isinstance(expr, Diag) else make(type(expr), *args)  # Diag keeps its shape


class _Sizing:
    """Collects what may have to say its size, and how sizes hang together."""

    def __init__(self) -> None:
        self.atoms: list[_Atom] = []
        self.blocks: list[tuple[_Length, list[_Length]]] = []

    def name_what_is_open(self) -> None:
        """Let say their size, in the order of reading, those whose size is still open."""
        # [I; 0]: zeros that are as large as the identity beside them need no size of their own.
        for identity, zeros in self.blocks:
            for size in zeros if identity.is_told else ():
                size.tell()
        # In the order of reading: a size that is shown once may tell the others, and a reader meets it first.
        for atom in self.atoms:
            if not atom.is_told:
                atom.name()

    def place(self, expr: Expr) -> _SizedPart:
        """A part of the formula."""
        usual = _Sizing._named if type(expr).__name__ in NAMED else _Sizing._leaf
        return _PLACES.get(type(expr).__name__, usual)(self, expr)

    def inside(self, expr: Expr) -> _SizedPart:
        """A part in which ones are read as a column: a matrix of them says its size, unless the part tells it."""
        first = len(self.atoms)
        place = self.place(expr)
        for atom in self.atoms[first:]:
            if atom.is_block and not atom.is_told:
                atom.name()
        return place

    def _rebuilt(self, expr: Expr, places: Mapping[int, _SizedPart]) -> Callable[[], Expr]:
        return lambda: _same(expr, [places[n].build() if n in places else arg for n, arg in enumerate(expr.args)])

    def _atom(self, rows: _Length, cols: _Length, is_block: bool = False) -> _Atom:
        atom = _Atom(rows, cols, is_block)
        self.atoms.append(atom)
        return atom

    # --- a rule for a kind of node ---

    def _leaf(self, expr: Expr) -> _SizedPart:
        return _SizedPart(_Length(True), _Length(True), lambda: expr)

    def _square(self, expr: Expr) -> _SizedPart:
        if is_scalar(expr):
            return self._leaf(expr)
        size = _Length()
        atom = self._atom(size, size)
        return _SizedPart(size, size, lambda: Sized(expr) if atom.is_named else expr)

    def _zeros(self, expr: Expr) -> _SizedPart:
        rows, cols = (_Length(told=size == 1) for size in expr.shape)
        atom = self._atom(rows, cols)
        return _SizedPart(rows, cols, lambda: Sized(expr) if atom.is_named else expr)

    def _ones(self, expr: Expr) -> _SizedPart:
        return self._repeated(expr.shape, lambda ones: expr if ones is None else ones)

    def _repeated(self, shape: Shape, build: Callable[[Expr | None], Expr]) -> _SizedPart:
        """Ones with or without something in front; `build` gets the ones that say their size, if they do."""
        rows, cols = (_Length(told=size == 1) for size in shape)
        atom = self._atom(rows, cols, is_block=1 not in shape)
        return _SizedPart(rows, cols, lambda: build(Sized(Ones(*shape)) if atom.is_named else None))

    def _sum(self, expr: Expr) -> _SizedPart:
        """Its terms; ones are a number there, which is repeated."""
        whole = _SizedPart(_Length(), _Length(), lambda: expr)
        # Ones in a sum are printed as a number, and have no size to show.
        shown = {n: term for n, term in enumerate(expr.args) if not isinstance(coefficient(term)[1], Ones)}
        places = {n: self.place(term) for n, term in shown.items()}
        for place in places.values():
            whole.join(place)
        whole.build = self._rebuilt(expr, places)
        return whole

    def _product(self, expr: Expr) -> _SizedPart:
        factors = [(n, factor) for n, factor in enumerate(expr.args) if getattr(factor, "is_Matrix", False)]
        if len(factors) == 1:
            place = self.place(factors[0][1])
            return _SizedPart(place.rows, place.cols, self._rebuilt(expr, {factors[0][0]: place}))
        places = {n: self.inside(factor) for n, factor in factors}
        row = list(places.values())
        for left, right in pairwise(row):
            left.cols.join(right.rows)
        return _SizedPart(row[0].rows, row[-1].cols, self._rebuilt(expr, places))

    def _entries(self, expr: Expr) -> _SizedPart:
        """Factors entry by entry, scalars among them; scalars alone are repeated as ones are."""
        whole = self._leaf(expr) if is_scalar(expr) else _SizedPart(_Length(), _Length(), lambda: expr)
        places = {n: self.place(factor) for n, factor in enumerate(expr.args) if not isinstance(factor, Fill)}
        fills = {n: self._filled(factor) for n, factor in enumerate(expr.args) if isinstance(factor, Fill)}
        build = self._rebuilt(expr, places | fills)
        for place in () if is_scalar(expr) else places.values():
            whole.join(place)
        if places:
            return _SizedPart(whole.rows, whole.cols, build)
        return self._repeated(expr.shape, lambda ones: _with_ones(build(), ones))

    def _filled(self, fill: Fill) -> _SizedPart:
        """The scalar of a factor that is repeated."""
        return _SizedPart(_Length(), _Length(), self._rebuilt(fill, {0: self.place(fill.operand)}))

    def _fill(self, expr: Fill) -> _SizedPart:
        place = self._filled(expr)
        return self._repeated(expr.shape, lambda ones: _with_ones(place.build(), ones))

    def _power(self, expr: Expr) -> _SizedPart:
        place = self.place(expr.args[0])
        return _SizedPart(place.rows, place.cols, self._rebuilt(expr, {0: place}))

    def _act(self, expr: Expr) -> _SizedPart:
        """A function's arguments; a number is repeated as the others need it."""
        if is_scalar(expr):
            whole = self._leaf(expr)
        elif is_number(expr):
            alone = expr.xreplace({part: type(part)(1, 1) for part in parts(expr) if isinstance(part, Ones | Zeros)})
            return self._repeated(expr.shape, lambda ones: expr if ones is None else _with_ones(alone, ones))
        else:
            whole = _SizedPart(_Length(), _Length(), lambda: expr)
        shown = {n: arg for n, arg in enumerate(expr.args) if n and not is_number(arg)}
        places = {n: self.place(arg) for n, arg in shown.items()}
        for place in places.values():
            whole.join(place)
        return _SizedPart(whole.rows, whole.cols, self._rebuilt(expr, places))

    def _transposed(self, expr: Expr) -> _SizedPart:
        place = self.inside(expr.args[0])
        return _SizedPart(place.cols, place.rows, self._rebuilt(expr, {0: place}))

    def _total(self, expr: Total) -> _SizedPart:
        """A sum of entries is shown as a product with ones on both sides."""
        rows, cols = expr.operand.shape
        behind = () if cols == 1 else (Ones(cols, 1),)
        shown = make(Product, Ones(1, rows), expr.operand, *behind)
        place = self._product(shown)
        return _SizedPart(_Length(True), _Length(True), lambda: expr if (built := place.build()) is shown else built)

    def _stack(self, expr: Expr) -> _SizedPart:
        whole = _SizedPart(_Length(), _Length(), lambda: expr)
        places = dict(enumerate(map(self.inside, expr.args)))
        for place in places.values():
            whole.cols.join(place.cols)
        zeros = {n: part for n, part in enumerate(expr.args) if isinstance(part, Zeros)}
        for n, part in enumerate(expr.args):
            if isinstance(part, Eye) and all(block.shape == part.shape for block in zeros.values()):
                self.blocks.append((places[n].rows, [places[n].rows for n in zeros]))
        _compose([whole.rows], [[place.rows] for place in places.values()])
        return _SizedPart(whole.rows, whole.cols, self._rebuilt(expr, places))

    def _slice(self, expr: Expr) -> _SizedPart:
        place = self.inside(expr.args[0])
        return _SizedPart(_Length(True), place.cols, self._rebuilt(expr, {0: place}))

    def _kronecker(self, expr: Expr) -> _SizedPart:
        whole = _SizedPart(_Length(), _Length(), lambda: expr)
        places = dict(enumerate(map(self.inside, expr.args)))
        sizes = [[place.rows, place.cols] for place in places.values()]
        _compose([whole.rows, whole.cols], sizes)
        return _SizedPart(whole.rows, whole.cols, self._rebuilt(expr, places))

    def _diag(self, expr: Expr) -> _SizedPart:
        place = self.inside(expr.args[0])
        return _SizedPart(place.rows, place.rows, self._rebuilt(expr, {0: place}))

    def _vec(self, expr: Expr) -> _SizedPart:
        place, whole = self.inside(expr.args[0]), _Length()
        _compose([whole], [[place.rows], [place.cols]])
        return _SizedPart(whole, _Length(True), self._rebuilt(expr, {0: place}))

    def _named(self, expr: Expr) -> _SizedPart:
        """An operator whose value has the shape of its operand, or one that tells its own."""
        place, keeps_shape = self.inside(expr.args[0]), NAMED[type(expr).__name__].keeps_shape
        rows, cols = (place.rows, place.cols) if keeps_shape else (_Length(True), _Length(True))
        return _SizedPart(rows, cols, self._rebuilt(expr, {0: place}))


def _with_ones(scalars: Expr, ones: Expr | None) -> Expr:
    """What is repeated, and ones that say how often."""
    if ones is None:
        return scalars
    repeated = Fill(scalars, *ones.shape) if is_scalar(scalars) else scalars
    factors = repeated.args if isinstance(repeated, Hadamard) else (repeated,)
    return make(Hadamard, *factors, ones)


_PLACES: Mapping[str, Callable[[_Sizing, Any], _SizedPart]] = {
    "Ones": lambda self, expr: self._leaf(expr) if is_scalar(expr) else self._ones(expr),
    "Eye": _Sizing._square,
    "Zeros": _Sizing._zeros,
    "Sum": _Sizing._sum,
    "Product": _Sizing._product,
    "Hadamard": _Sizing._entries,
    "Fill": _Sizing._fill,
    "Power": _Sizing._power,
    "Act": _Sizing._act,
    "Transposed": _Sizing._transposed,
    "Total": _Sizing._total,
    "Stack": _Sizing._stack,
    "Slice": _Sizing._slice,
    "Kronecker": _Sizing._kronecker,
    "Diag": _Sizing._diag,
    "Vec": _Sizing._vec,
}
"""Kind of node -> how the sizes of its parts hang together; a named operator has a column for it, any other
kind tells its own shape."""

"""One cell's arguments in terms of another's: a small checked language, and what it computes.

    W_z: -W_z          b_i: b_i + c_i          W: hstack(U, W)          U: W[:, :d_h]

A map's text is parsed with `ast` against a whitelist and never executed.  Values are arrays of any numbers.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.errors import CellError, InputError
from symrnn.language.reader import Reader, read_expression
from symrnn.language.recurrence import Cell
from symrnn.language.text import Text
from symrnn.runs.sizes import CellAtSizes

Numeral = Callable[[Fraction], Any]
"""Makes a number written in a map one of the arrays' kind."""

_ALLOWED = (
    "allowed are names, numbers, + - and unary minus, a number times a value, .T, hstack(U, W), vstack, "
    "concat(b_i, b_f), diag(v), and slices such as W[:, :d_h]"
)
_CALLS: Mapping[str, tuple[Callable[..., Array], int | None]] = {
    "hstack": (lambda *parts: np.hstack(parts), None),
    "vstack": (lambda *parts: np.vstack(parts), None),
    "concat": (lambda *parts: np.concatenate(parts), None),
    "diag": (np.diag, 1),
}
"""Function -> what it computes, and its number of arguments (None: two or more)."""


@dataclass(frozen=True)
class _Point:
    """What an expression is computed at."""

    values: Mapping[str, Array]
    sizes: Mapping[str, int]
    numeral: Numeral


_Compute = Callable[[_Point], Array]


@dataclass(frozen=True)
class MapExpression:
    """The value of one argument, in terms of another cell's.

    Attributes:
        target: the argument.
        text: the expression as written.
        node: its checked syntax.
        compute: gives its value at a point.
    """

    target: str
    text: str
    node: ast.expr = field(repr=False)
    compute: _Compute = field(repr=False)

    @classmethod
    def read(cls, target: str, text: Any, names: tuple[str, ...], sizes: tuple[str, ...]) -> MapExpression:
        """Check a text.

        Args:
            target: the argument that it gives.
            text: the text.
            names: the names that it may read.
            sizes: the sizes that slices may name.

        Raises:
            InputError: it is not an expression of the language.
        """
        if isinstance(text, int | float) and not isinstance(text, bool):
            text = repr(text)
        if not isinstance(text, str):
            raise InputError(f"map[{target!r}] is {type(text).__name__}\n  write an expression as text, such as '-W_z'")
        where = Text(text, f"<map of {target}>")
        try:
            node = read_expression(where, "this is not one expression", _ALLOWED)
            compute = _computing(_MapReader(where, names, sizes).read(node))
        except CellError as error:
            raise InputError(str(error)) from None
        return cls(target, text.strip(), node, compute)

    @property
    def names(self) -> frozenset[str]:
        """The names that the expression reads, sizes included."""
        called = {id(node.func) for node in ast.walk(self.node) if isinstance(node, ast.Call)}
        named = (node for node in ast.walk(self.node) if isinstance(node, ast.Name) and id(node) not in called)
        return frozenset(node.id for node in named)

    def __call__(self, values: Mapping[str, Array], sizes: Mapping[str, int], numeral: Numeral) -> Array:
        """The value; shapes that do not fit raise what NumPy raises."""
        return self.compute(_Point(values, sizes, numeral))


def _computing(value: _Compute | Fraction) -> _Compute:
    """A number, or what gives a value, as what gives a value."""
    return value if not isinstance(value, Fraction) else lambda at: np.asarray(at.numeral(value))


class _MapReader(Reader[_Compute]):
    """What the language of maps means: every expression becomes what gives its value."""

    language = "the language of maps"
    allowed = _ALLOWED

    def __init__(self, source: Text, names: tuple[str, ...], sizes: tuple[str, ...]) -> None:
        super().__init__(source)
        self._names = names
        self._sizes = sizes

    def unknown(self, node: ast.expr) -> CellError:
        """A number that is too large is none of the language."""
        if isinstance(node, ast.Constant):
            return self.refused(node, "this is not a number of the language of maps")
        return super().unknown(node)

    def name(self, node: ast.Name) -> _Compute:
        """An argument of the source."""
        self._check_known(node, self._names, "name")
        return lambda at: at.values[node.id]

    def _check_known(self, node: ast.Name, known: tuple[str, ...], what: str) -> None:
        if node.id not in known:
            raise self.refused(node, f"no {what} {node.id!r} here", f"there are {', '.join(known) or 'none'}")

    def negate(self, value: _Compute) -> _Compute:
        """Every entry with the opposite sign."""
        return lambda at: -value(at)

    def transpose(self, value: _Compute | Fraction) -> _Compute:
        """A matrix transposed."""
        compute = _computing(value)
        return lambda at: compute(at).T

    def binary(self, node: ast.BinOp) -> _Compute | Fraction:
        """A sum, a difference, or a value times or divided by a number."""
        join = _JOINS.get(type(node.op))
        if join is None:
            raise self.unknown(node)
        left, right = self.read(node.left), self.read(node.right)
        divides = isinstance(node.op, ast.Div)
        if isinstance(node.op, ast.Mult | ast.Div) and not isinstance(right, Fraction):
            # Linear maps only: then the rank of one matrix tells whether a map reaches every parameter.
            if divides or not isinstance(left, Fraction):
                raise self.refused(node, "a map is linear: one factor is a number")
        elif divides and right == 0:
            raise self.refused(node, "division by zero")
        if isinstance(left, Fraction) and isinstance(right, Fraction):
            return Fraction(join(left, right))
        first, second = _computing(left), _computing(right)
        return lambda at: join(first(at), second(at))

    def call(self, node: ast.Call) -> _Compute:
        """Parts joined, or a vector as a diagonal."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in _CALLS or node.keywords:
            raise self.refused(node, f"unknown function {ast.unparse(node.func)!r}")
        function, count = _CALLS[name]
        if len(node.args) != count and not (count is None and len(node.args) >= 2):
            raise self.refused(node, f"{name} takes {count or 'two or more'} arguments, got {len(node.args)}")
        parts = [_computing(self.read(arg)) for arg in node.args]
        return lambda at: function(*(part(at) for part in parts))

    def part(self, node: ast.Subscript) -> _Compute:
        """Some rows, columns or both."""
        whole = _computing(self.read(node.value))
        cuts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        bounds: list[tuple[ast.expr | None, ast.expr | None]] = []
        for cut in cuts:
            if not isinstance(cut, ast.Slice) or cut.step is not None or len(cuts) > 2:
                raise self.refused(node, "this is not a slice", "cut columns as in W[:, :d_h], rows as in W[d_h:]")
            for bound in (cut.lower, cut.upper):
                if bound is not None:
                    self._check_size(bound)
            bounds.append((cut.lower, cut.upper))
        return lambda at: whole(at)[tuple(slice(_size(a, at.sizes), _size(b, at.sizes)) for a, b in bounds)]

    def _check_size(self, node: ast.expr) -> None:
        match node:
            case ast.Name():
                self._check_known(node, self._sizes, "size")
            case ast.Constant(value=int()) if not isinstance(node.value, bool):
                self.read(node)
            case ast.BinOp(op=ast.Add() | ast.Mult(), left=left, right=right):
                self._check_size(left)
                self._check_size(right)
            case _:
                raise self.refused(node, "this is not a size", "sizes may be added and multiplied: d_h + d_x, 2*d_h")


_JOINS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def _size(node: ast.expr | None, sizes: Mapping[str, int]) -> Any:
    """The number that a checked bound of a slice is."""
    match node:
        case None:
            return None
        case ast.Name():
            return sizes[node.id]
        case ast.Constant(value=int(value)):
            return value
        case ast.BinOp():
            return _JOINS[type(node.op)](_size(node.left, sizes), _size(node.right, sizes))
    raise TypeError(f"unchecked syntax: {ast.dump(node)}")


@dataclass(frozen=True)
class ParameterMap:
    """Every argument of one cell, the target, in terms of those of another, the source.

    Attributes:
        target: the cell whose arguments are given.
        source: the cell whose arguments they are made of.
        expressions: target's argument -> its expression: inputs from inputs, states from states, parameters from
            parameters.
        sizes: target's size -> source's size.
    """

    target: Cell
    source: Cell
    expressions: Mapping[str, MapExpression]
    sizes: Mapping[str, str]

    def layout(self, layout: CellAtSizes) -> CellAtSizes:
        """The target at the sizes of a layout of the source."""
        return CellAtSizes(self.target, {name: layout.sizes[self.sizes[name]] for name in self.target.sizes})

    def apply(
        self, values: Mapping[str, Array], layout: CellAtSizes, numeral: Numeral, *kinds: str
    ) -> dict[str, Array]:
        """The target's arguments from the source's.

        Args:
            values: the source's values by name, in the shapes of its text.
            layout: the source's sizes.
            numeral: makes numbers of the arrays' kind.
            *kinds: which arguments: "inputs", "states", "parameters"; all where none is named.

        Raises:
            InputError: an expression has not the shape of what it gives.
        """
        there = self.layout(layout)
        chosen = kinds or ("inputs", "states", "parameters")
        return {
            name: self._value(name, values, layout, there, numeral)
            for kind in chosen
            for name in getattr(self.target, kind)
        }

    def _value(
        self, name: str, values: Mapping[str, Array], layout: CellAtSizes, there: CellAtSizes, numeral: Numeral
    ) -> Array:
        variable = self.target[f"{name}_prev" if name in self.target.states else name]
        shape, expression = there.text_shape(variable), self.expressions[name]
        at = ", ".join(f"{size} = {number}" for size, number in layout.sizes.items())
        try:
            value = np.asarray(expression(values, layout.sizes, numeral))
        except (ValueError, IndexError) as error:
            raise InputError(f"{name} = {expression.text}: {error}, at {at}\n  correct the map") from None
        # A number stands for an array of it, as 0 does; any other shape would be broadcast into something not meant.
        if value.shape not in (shape, ()):
            problem = f"{name} = {expression.text} has shape {value.shape}, but {name} is {shape}, at {at}"
            raise InputError(f"{problem}\n  correct the map")
        return np.broadcast_to(value, shape)

    @property
    def changes(self) -> dict[str, str]:
        """The arguments that are not the source's of the same name."""
        return {name: e.text for name, e in self.expressions.items() if e.text != name}


def read_map(
    target: Cell, source: Cell, given: Mapping[str, Any], sizes: Mapping[str, str] | None = None
) -> ParameterMap:
    """A map from texts; what is not given is the source's argument of the same name.

    Raises:
        InputError: an expression is not one, a name is unknown, or an argument has no counterpart.
    """
    kinds = ("inputs", "states", "parameters")
    known = {name: getattr(source, kind) for kind in kinds for name in getattr(target, kind)}
    unknown = [name for name in given if name not in known]
    if unknown:
        problem = f"map: {target.name} has no argument {', '.join(map(repr, unknown))}"
        raise InputError(f"{problem}\n  it has {', '.join(known)}")
    missing = [name for name, names in known.items() if name not in given and name not in names]
    if missing:
        problem = f"map: {', '.join(missing)} of {target.name} is not given, and {source.name} has no such name"
        raise InputError(f"{problem}\n  give each as an expression; {source.name} has {', '.join(source.parameters)}")
    texts = {name: given.get(name, name) for name in known}
    expressions = {name: MapExpression.read(name, text, known[name], source.sizes) for name, text in texts.items()}
    paired = sizes if sizes is not None else pair_sizes(target, source, expressions)
    if paired is None:
        problem = f"the sizes of {target.name} ({', '.join(target.sizes)}) and of {source.name} "
        problem += f"({', '.join(source.sizes)}) do not correspond under this map"
        raise InputError(f"{problem}\n  inputs and states need shapes of the same kind")
    return ParameterMap(target, source, expressions, paired)


def pair_sizes(target: Cell, source: Cell, expressions: Mapping[str, MapExpression]) -> Mapping[str, str] | None:
    """Which size of the source each size of the target is, from the shapes of inputs and states; None if none is."""
    paired: dict[str, str] = {}
    for name in (*target.inputs, *target.states):
        read = expressions[name].names & {*source.inputs, *source.states}
        if len(read) != 1:
            continue
        ours, theirs = target.shape_names(_now(target, name)), source.shape_names(_now(source, min(read)))
        if len(ours) != len(theirs):
            return None
        for here, there in zip(ours, theirs, strict=True):
            if here in target.sizes and there in source.sizes and paired.setdefault(here, there) != there:
                return None
    for name in target.sizes:  # sizes of parameters only: by name, else in order of appearance
        if name not in paired:
            left = [size for size in source.sizes if size not in paired.values()]
            if not left:
                return None
            paired[name] = name if name in left else left[0]
    return paired


def _now(cell: Cell, name: str) -> str:
    return f"{name}_prev" if name in cell.states else name

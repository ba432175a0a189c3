"""One cell's arguments in terms of another's: a small checked language, and what it computes.

    W_z: -W_z          b_i: b_i + c_i          W: hstack(U, W)          U: W[:, :d_h]

A map's text is parsed with `ast` against a whitelist and never executed.  Values are arrays of any numbers.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.errors import CellError, InputError
from symrnn.language.recurrence import Cell
from symrnn.language.text import Text, parse
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
class MapExpression:
    """The value of one argument, in terms of another cell's.

    Attributes:
        target: the argument.
        text: the expression as written.
        node: its checked syntax.
    """

    target: str
    text: str
    node: ast.expr

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
            body = parse(where).body
            if len(body) != 1 or not isinstance(body[0], ast.Expr):
                raise CellError(where.start, "this is not one expression", _ALLOWED)
            _MapChecker(where, names, sizes).check(body[0].value)
        except CellError as error:
            raise InputError(str(error)) from None
        return cls(target, text.strip(), body[0].value)

    @property
    def names(self) -> frozenset[str]:
        """The names that the expression reads, sizes included."""
        called = {id(node.func) for node in ast.walk(self.node) if isinstance(node, ast.Call)}
        named = (node for node in ast.walk(self.node) if isinstance(node, ast.Name) and id(node) not in called)
        return frozenset(node.id for node in named)

    def __call__(self, values: Mapping[str, Array], sizes: Mapping[str, int], numeral: Numeral) -> Array:
        """The value; shapes that do not fit raise what NumPy raises."""
        return _MapValue(values, sizes, numeral).value(self.node)


@dataclass(frozen=True)
class _MapChecker:
    """The whitelist."""

    text: Text
    names: tuple[str, ...]
    sizes: tuple[str, ...]

    def check(self, node: ast.expr) -> None:
        match node:
            case ast.Name():
                self._check_known(node, self.names, "name")
            case ast.Constant():
                self._check_number(node)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                self.check(operand)
            case ast.BinOp(op=ast.Add() | ast.Sub(), left=left, right=right):
                self.check(left)
                self.check(right)
            case ast.BinOp(op=ast.Mult() | ast.Div() as op, left=left, right=right):
                self.check(left)
                self.check(right)
                if not is_number(right) and (isinstance(op, ast.Div) or not is_number(left)):
                    raise self._refused(node, "a map is linear: one factor is a number")
                if isinstance(op, ast.Div) and fold(right) == 0:
                    raise self._refused(node, "division by zero")
            case ast.Attribute(attr="T", value=value):
                self.check(value)
            case ast.Call():
                self._check_call(node)
            case ast.Subscript():
                self._check_slices(node)
            case _:
                raise self._refused(node, f"{type(node).__name__.lower()} is not part of the language of maps")

    def _refused(self, node: ast.AST, problem: str, remedy: str = _ALLOWED) -> CellError:
        return CellError(self.text.place(node), problem, remedy)

    def _check_known(self, node: ast.Name, known: tuple[str, ...], what: str) -> None:
        if node.id not in known:
            raise self._refused(node, f"no {what} {node.id!r} here", f"there are {', '.join(known) or 'none'}")

    def _check_number(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e6:
            raise self._refused(node, "this is not a number of the language of maps")

    def _check_call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in _CALLS or node.keywords:
            raise self._refused(node, f"unknown function {ast.unparse(node.func)!r}")
        count = _CALLS[name][1]
        if len(node.args) != count and not (count is None and len(node.args) >= 2):
            raise self._refused(node, f"{name} takes {count or 'two or more'} arguments, got {len(node.args)}")
        for arg in node.args:
            self.check(arg)

    def _check_slices(self, node: ast.Subscript) -> None:
        self.check(node.value)
        slices = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        for part in slices:
            if not isinstance(part, ast.Slice) or part.step is not None or len(slices) > 2:
                raise self._refused(node, "this is not a slice", "cut columns as in W[:, :d_h], rows as in W[d_h:]")
            for bound in (part.lower, part.upper):
                if bound is not None:
                    self._check_size(bound)

    def _check_size(self, node: ast.expr) -> None:
        match node:
            case ast.Name():
                self._check_known(node, self.sizes, "size")
            case ast.Constant(value=int()) if not isinstance(node.value, bool):
                self._check_number(node)
            case ast.BinOp(op=ast.Add() | ast.Mult(), left=left, right=right):
                self._check_size(left)
                self._check_size(right)
            case _:
                raise self._refused(node, "this is not a size", "sizes may be added and multiplied: d_h + d_x, 2*d_h")


def fold(node: ast.expr) -> Fraction | None:
    """The number that an expression of numbers is; None for anything with a name in it."""
    match node:
        case ast.Constant():
            return Fraction(repr(node.value))
        case ast.UnaryOp():
            inner = fold(node.operand)
            return None if inner is None else -inner
        case ast.BinOp():
            left, right = fold(node.left), fold(node.right)
            if left is None or right is None:
                return None
            match node.op:
                case ast.Add():
                    return left + right
                case ast.Sub():
                    return left - right
                case ast.Mult():
                    return left * right
            return left / right if right else None
    return None


def is_number(node: ast.expr) -> bool:
    """Whether an expression has numbers in it only."""
    return fold(node) is not None


@dataclass(frozen=True)
class _MapValue:
    """Computes checked syntax."""

    values: Mapping[str, Array]
    sizes: Mapping[str, int]
    numeral: Numeral

    def value(self, node: ast.expr) -> Array:
        number = fold(node)
        if number is not None:
            return np.asarray(self.numeral(number))
        match node:
            case ast.Name():
                return self.values[node.id]
            case ast.UnaryOp():
                return -self.value(node.operand)
            case ast.BinOp(op=ast.Add()):
                return self.value(node.left) + self.value(node.right)
            case ast.BinOp(op=ast.Sub()):
                return self.value(node.left) - self.value(node.right)
            case ast.BinOp(op=ast.Mult()):
                return self.value(node.left) * self.value(node.right)
            case ast.BinOp():
                return self.value(node.left) / self.value(node.right)
            case ast.Attribute():
                return self.value(node.value).T
            case ast.Call(func=ast.Name(id=name)):
                return _CALLS[name][0](*(self.value(arg) for arg in node.args))
            case ast.Subscript():
                slices = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
                return self.value(node.value)[tuple(self._slice(part) for part in slices)]
        raise TypeError(f"unchecked syntax: {ast.dump(node)}")

    def _slice(self, part: ast.expr) -> slice:
        assert isinstance(part, ast.Slice)
        lower, upper = (None if bound is None else self._size(bound) for bound in (part.lower, part.upper))
        return slice(lower, upper)

    def _size(self, node: ast.expr) -> int:
        match node:
            case ast.Name():
                return self.sizes[node.id]
            case ast.Constant(value=int(value)):
                return value
            case ast.BinOp(op=op):
                left, right = self._size(node.left), self._size(node.right)
                return left + right if isinstance(op, ast.Add) else left * right
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

"""Random cells for property tests, and arrays to run them on.

`random_cells()` draws a cell's *text* and reads it as any user's text is read, so what comes out is a `Cell` like any
other.  Every operator and every function of the language occurs; arguments of functions that are not defined everywhere
are kept inside their domain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from symrnn.algebra.evaluate import at_sizes
from symrnn.algebra.functions import FUNCTIONS
from symrnn.errors import ShapeError
from symrnn.language.recurrence import Cell

Sizes = tuple[str, ...]

#: What keeps a function's argument inside its domain, and its value small.
_GUARDS: Mapping[str, str] = {"": "{}"}
_POSITIVE = "({} ** 2 + 0.5)"
_LITERALS = ("1", "2", "0.5", "0.1", "3", "1e-1")
_VECTORS: tuple[Sizes, ...] = (("d_h",), ("d_x",), ("d_k",), ("d_h + d_x",))
_SHAPES: tuple[Sizes, ...] = ((), *_VECTORS, ("d_h", "d_k"), ("d_k", "d_x"))


@dataclass
class _Writer:
    """Writes one cell; every choice is drawn."""

    draw: Any
    known: dict[str, Sizes] = field(default_factory=dict)
    parameters: dict[str, Sizes] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)

    def pick(self, options: Any) -> Any:
        return self.draw(st.sampled_from(list(options)))

    def leaf(self, shape: Sizes) -> str:
        named = [name for name, other in self.known.items() if other == shape]
        if not named or self.draw(st.integers(0, 3)) == 0:
            named = [f"{'pvW'[len(shape)]}{len(self.parameters) + 1}"]
            self.parameters[named[0]] = self.known[named[0]] = shape
        name = self.pick(named)
        self.read.add(name)
        return str(name)

    def value(self, shape: Sizes, depth: int) -> str:
        """The text of an expression of this shape, in brackets where it needs them."""
        if depth <= 0:
            return self.leaf(shape)
        forms = [self.entrywise, self.entrywise, self.function, self.function, self.small]
        forms.append({0: self.scalar, 1: self.vector, 2: self.matrix}[len(shape)])
        forms.append(forms[-1])
        return str(self.pick(forms)(shape, depth - 1))

    def entrywise(self, shape: Sizes, depth: int) -> str:
        operator = self.pick("+-*/")
        left = self.value(shape, depth)
        other = self.pick([shape, (), None])
        right = self.pick(_LITERALS) if other is None else self.value(other, depth)
        if operator == "/" and other is not None:
            return f"({left} / (2 + {right} ** 2))"
        if operator != "/" and self.draw(st.booleans()):
            left, right = right, left
        return f"({left} {operator} {right})"

    def small(self, shape: Sizes, depth: int) -> str:
        inner = self.value(shape, depth)
        forms = ["(-{})", "({} ** 2)", "(1 - {})", "((2 + {} ** 2) ** -1)", "({} ** 3)"]
        return str(self.pick(forms)).format(inner)

    def function(self, shape: Sizes, depth: int) -> str:
        name = self.pick(FUNCTIONS)
        # A kink at 0 would sit where relu and step are on half of all arguments: relu(relu(x)) has no smooth point.
        row = FUNCTIONS[name]
        guards = [_GUARDS.get(word, _POSITIVE) for word in row.domain or [""] * row.arity]
        if row.kinks:
            guards[0] = "{} - 0.37"
        if name in ("exp", "power"):
            guards[-1] = "tanh({})"
        given = self.draw(st.integers(row.needed, row.arity))
        arguments = [guard.format(self.value(shape, depth)) for guard in guards[:given]]
        return f"{name}({', '.join(arguments)})"

    def scalar(self, shape: Sizes, depth: int) -> str:
        inner = self.pick(_SHAPES[1:])
        if len(inner) == 1 and self.draw(st.booleans()):
            return f"({self.value(inner, depth)} @ {self.value(inner, depth)})"
        return f"{self.pick(['sum', 'mean', 'size'])}({self.value(inner, depth)})"

    def vector(self, shape: Sizes, depth: int) -> str:
        if shape == ("d_h + d_x",) and self.draw(st.booleans()):
            return f"concat({self.value(('d_h',), depth)}, {self.value(('d_x',), depth)})"
        (other,) = self.pick(_VECTORS)
        if self.draw(st.integers(0, 9)) == 0:  # parts of a value, which add a value or two each
            halves = "+" in shape[0] or self.draw(st.booleans())
            whole = f"concat({self.value(shape, depth)}, {self.value(shape if halves else (other,), depth)})"
            return f"split({whole}, 2)[{self.pick([0, 1])}]" if halves else f"{whole}[:{shape[0]}]"
        return str(
            self.pick(
                [
                    lambda: f"({self.leaf((shape[0], other))} @ {self.value((other,), depth)})",
                    lambda: f"({self.value((other,), depth)} @ {self.leaf((other, shape[0]))})",
                    lambda: f"({self.leaf((other, shape[0]))}.T @ {self.value((other,), depth)})",
                    lambda: f"softmax({self.value(shape, depth)})",
                ]
            )()
        )

    def matrix(self, shape: Sizes, depth: int) -> str:
        rows, cols = shape
        (other,) = self.pick(_VECTORS)
        return str(
            self.pick(
                [
                    lambda: f"outer({self.value((rows,), depth)}, {self.value((cols,), depth)})",
                    lambda: f"({self.leaf((rows, other))} @ {self.leaf((other, cols))})",
                    lambda: f"{self.value((cols, rows), depth)}.T",
                ]
            )()
        )

    def mention(self, name: str) -> str:
        """A scalar that reads the name."""
        self.read.add(name)
        return f"0.5 * sum({name})" if self.known[name] else name


def _annotated(names: Mapping[str, Sizes], annotate: bool) -> list[str]:
    return [f'{name}: "({", ".join(shape)})"' if annotate else name for name, shape in names.items()]


@st.composite
def cell_texts(draw: Any, equations: int = 12) -> str:
    """The text of a well-shaped cell: 1 to 3 states, up to `equations` equations."""
    states: dict[str, Sizes] = {"h": ("d_h",)}
    for name in ("c", "m")[: draw(st.integers(0, 2))]:
        states[name] = draw(st.sampled_from([("d_h",), ("d_k",), ("d_h", "d_k"), ()]))
    inputs: dict[str, Sizes] = {"x": ("d_x",)}
    if draw(st.booleans()):
        inputs["u"] = draw(st.sampled_from([(), ("d_k",)]))
    writer = _Writer(draw, known={**inputs, **states})
    lines = []
    for number in range(draw(st.integers(0, equations - len(states)))):
        shape = draw(st.sampled_from(_SHAPES))
        name = f"a{number}"
        lines.append((name, writer.value(shape, 2)))
        writer.known[name] = shape
    order = draw(st.permutations(list(states)))
    for name in order:
        lines.append((name, writer.value(states[name], 2)))
    told = " ".join(size for shape in (*inputs.values(), *writer.parameters.values()) for size in shape)
    for name, shape in states.items():  # a state that is not given begins as zeros: something else has to have its size
        if not all(size in told for size in shape):
            writer.parameters[f"b_{name}"] = shape
            writer.read.add(f"b_{name}")
            lines = [(target, f"{value} + b_{name}" if target == name else value) for target, value in lines]
    computed = [name for name, _ in lines if name not in states]
    unread = [name for name in (*inputs, *computed) if name not in writer.read]
    last, value = lines.pop()
    lines.append((last, " + ".join([value, *(writer.mention(name) for name in unread)])))
    body = "".join(f"    {name} = {value}\n" for name, value in lines)

    def text(annotate: bool) -> str:
        arguments = _annotated({**inputs, **states}, annotate)
        if writer.parameters:
            arguments += ["*", *_annotated(writer.parameters, annotate)]
        return f"def drawn({', '.join(arguments)}):\n{body}    return {', '.join(states)}\n"

    if draw(st.booleans()):
        try:
            Cell.from_source(text(annotate=False))
        except ShapeError:  # the equations alone do not determine the shapes
            return text(annotate=True)
        return text(annotate=False)
    return text(annotate=True)


def random_cells(equations: int = 12) -> st.SearchStrategy[Cell]:
    """Well-shaped cells: 1 to 3 states (vectors, matrices, scalars), 1 to `equations` equations, the whole language."""
    return cell_texts(equations).map(Cell.from_source)


def unequal_sizes(cell: Cell, first: int = 2) -> dict[str, int]:
    """A different number for every size of a cell."""
    return {name: first + position for position, name in enumerate(cell.sizes)}


def draw_arrays(cell: Cell, sizes: Mapping[str, int], seed: int = 0) -> dict[str, Any]:
    """A random array for every argument, in its own shape; a state at t-1 goes by its identifier, such as h_prev."""
    rng = np.random.default_rng(seed)
    names = [*cell.inputs, *(variable.name for variable in cell.previous), *cell.parameters]
    arrays = {}
    for name in names:
        rank = len(cell.shape_names(name))
        shape = tuple(int(at_sizes(dim, sizes)) for dim in cell[name].shape[:rank])
        arrays[name] = np.asarray(rng.normal(scale=0.7, size=shape))
    return arrays


def as_columns(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """The same arrays with the two axes of expressions: a vector becomes a column, a scalar (1, 1)."""
    return {name: array.reshape((*array.shape, 1, 1)[:2]) for name, array in arrays.items()}


def as_arguments(cell: Cell, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """The same arrays under the names of the definition's arguments: h_prev becomes h."""
    return {name.removesuffix("_prev"): array for name, array in arrays.items()}

"""Where values live in a generated NumPy module: identifiers, arrays over time, shapes.

A state is one array over the times 0..T, so that `h[t]` is h at t-1 and `h[t + 1]` is h at t; anything else that
outlives a step is an array over T steps; the rest are local names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from symrnn.algebra.nodes import Expr, Variable
from symrnn.language.recurrence import Cell
from symrnn.printers.notation import NOTATIONS, Notation
from symrnn.targets.numpy.expressions import NumpyExpressions
from symrnn.targets.numpy.values import own_axes

Frame = Literal["loop", "all", "single"]
"""What a line is about: step t inside a loop over time, all steps at once, or one step on its own."""

# What the functions of a module call their own, or use of Python's, besides the names of the cell. The functions of
# the cell language cannot name a variable, so their helpers need no row.
_RESERVED = (
    "np params state state_bar tape grads sizes dtype rng uniform start end t given arrays name size shape bound "
    "initialize forward backward step softmax PARAMETERS STATES TAPE CONSTANTS FINGERPRINT SEAL "
    "range reversed isinstance bool int float str hasattr ValueError input_size hidden_size"
).split()


class Identifiers:
    """The names of one module: the cell's own, with an underscore where Python's or the module's stand in the way."""

    def __init__(self, reserved: Iterable[str]) -> None:
        self._taken = set(reserved)
        self._names: dict[str, str] = {}

    def claim(self, key: str, wanted: str) -> str:
        """The identifier for a key, chosen at the first call."""
        if key not in self._names:
            name = wanted
            while name in self._taken:
                name += "_"
            self._taken.add(name)
            self._names[key] = name
        return self._names[key]


@dataclass
class ModuleNames:
    """The identifiers and arrays of one cell's module.

    Attributes:
        cell: the cell.
        reserved: further names that the module itself uses.
        notation: how the equations in the comments look.
        steps: the identifier of the number of time steps, T.
        batch: the identifier of the number of examples, N.
        helpers: the helper functions that the lines printed so far need, by name.
        comments: variable -> the expression that is shown over the line that computes it.
        numbers: variable -> the number of its equation in the derivation, which is shown beside the line.
    """

    cell: Cell
    reserved: tuple[str, ...] = ()
    notation: Notation = NOTATIONS["subscript"]
    steps: str = field(init=False)
    batch: str = field(init=False)
    helpers: dict[str, str] = field(default_factory=dict)
    comments: dict[Variable, Expr] = field(default_factory=dict)
    numbers: Mapping[Variable, int] = field(default_factory=dict)
    _names: Identifiers = field(init=False)

    def __post_init__(self) -> None:
        self._names = Identifiers((*_RESERVED, *self.reserved))
        # As the author wrote them: the program's own statements may be stacked or taken apart.
        self.comments |= {equation.target: equation.value for equation in self.cell.body}
        # Sizes, T and N first: a parameter called N has to give way, and not the shape in every docstring.
        for size in self.cell.sizes:
            self.size(size)
        self.steps, self.batch = self._names.claim("number of steps", "T"), self._names.claim("number of examples", "N")
        for name in (*self.cell.inputs, *self.cell.parameters, *self.cell.states, *self.cell.constants):
            self._names.claim(name, name)
        for name in (self.cell.states[0], *self.cell.inputs):
            self.cotangent(name)

    # --- names ---

    def size(self, name: str) -> str:
        """The identifier of a size."""
        return self._names.claim(f"size {name}", name)

    def own(self, name: str) -> str:
        """The identifier of an input, a parameter, or the array of a state."""
        return self._names.claim(name, name)

    def cotangent(self, name: str, dot: str = "") -> str:
        """The identifier of `h_bar`, the output's cotangents, or `x_bar`, an input's gradient; with a dot, of how
        they move.
        """
        return self._names.claim(f"{name} cotangent{dot}", f"{name}_bar{dot}")

    def series(self, variable: Variable) -> str:
        """The identifier of the array of a state or of its tangent over the times 0..T."""
        if variable.mark == "":
            return self.own(variable.base)
        return self._names.claim(f"{variable.base} tangent", f"{variable.base}_dot")

    def identifier(self, variable: Variable) -> str:
        """A variable's plain name in the module."""
        kind, _, moving = variable.mark.partition(" ")
        dot = "_dot" if moving else ""
        if kind == "loss" or (kind == "adjoint" and variable.base in self.cell.inputs):
            return self.cotangent(variable.base, dot)
        if kind == "adjoint" and variable.base == self.cell.states[0] and variable.time == 0:
            return self._names.claim(variable.name, f"{variable.base}_bar_t{dot}")  # `h_bar` is the argument
        if variable.mark == "unit":
            return self._names.claim(variable.name, variable.base)
        if variable.mark == "tangent" and variable.base in self.cell.states and variable.time == 0:
            return self.series(variable)
        return self._names.claim(variable.name, variable.name)

    def reference(self, variable: Variable, frame: Frame, stored: Collection[Variable]) -> str:
        """The source that reads a variable, or assigns to it."""
        name = self.identifier(variable)
        if variable.time is None or frame == "single":
            return name
        if variable.base in self.cell.states and variable.mark in ("", "tangent"):
            series = self.series(variable)
            if variable.time == -1:
                # One array holds a state at all times, the initial one in front: a view of it is the state at t-1.
                return name if frame == "loop" else f"{series}[:-1]"
            return f"{series}[t + 1]" if frame == "loop" else f"{series}[1:]"
        kept = variable.mark.startswith("loss") or variable in stored
        return f"{name}[t]" if kept and frame == "loop" else name

    def expressions(self, frame: Frame, stored: Collection[Variable] = ()) -> NumpyExpressions:
        """The printer of expressions for lines of one kind."""

        def read(variable: Variable) -> str:
            return self.reference(variable, frame, stored)

        lead = (self.steps, self.batch) if frame == "all" else (self.batch,)
        return NumpyExpressions(read, self.size, lead, self.helpers)

    # --- shapes ---

    def dims(self, name: str | Variable) -> list[Any]:
        """The sizes of a value's own axes."""
        return own_axes((self.cell[name] if isinstance(name, str) else name).shape)

    def shape(self, dims: Sequence[Any], lead: Sequence[str] = ()) -> str:
        """The source of a shape, such as (T, N, d_h)."""
        printer = self.expressions("all")
        return tuple_source([*lead, *(printer.dimension(dim) for dim in dims)])

    def shape_names(self, dims: Sequence[Any], lead: Sequence[str] = ()) -> str:
        """The source of a shape in names of sizes, such as ("T", "N", "d_h"); a sum is a tuple."""
        parts = list(lead)
        for dim in dims:
            terms: list[str] = []
            for term in dim.as_ordered_terms():
                count, atoms = term.as_coeff_mul()
                terms += [f'"{self.size(str(atoms[0]))}"'] * int(count) if atoms else [str(count)]
            parts.append(terms[0] if len(terms) == 1 else tuple_source(terms))
        return tuple_source(parts)

    @property
    def step_lead(self) -> tuple[str, ...]:
        """The leading axes of one step, as names."""
        return (f'"{self.batch}"',)

    @property
    def series_lead(self) -> tuple[str, ...]:
        """The leading axes of all steps, as names."""
        return (f'"{self.steps}"', f'"{self.batch}"')

    def allocate(self, how: str, dims: Sequence[Any], lead: Sequence[str]) -> str:
        """The source of a new array."""
        return f"np.{how}({self.shape(dims, lead)}, dtype)"


def tuple_source(parts: Sequence[str]) -> str:
    """The source of a tuple."""
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"

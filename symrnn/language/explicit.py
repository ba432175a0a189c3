"""A cell's step written out in scalars, as ordinary SymPy, at small sizes.

This is a third opinion: it runs the author's text on arrays of SymPy symbols and differentiates with SymPy's scalar
`diff`, so it shares nothing with the expression nodes nor with the table of rules.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import sympy
from sympy import ImmutableDenseMatrix

from symrnn.algebra.evaluate import at_sizes
from symrnn.algebra.functions import Arithmetic, of_library
from symrnn.algebra.nodes import SYMPY, Variable
from symrnn.algebra.stated import Constant, Surrogate
from symrnn.errors import InputError, UnknownNameError
from symrnn.freezing import Frozen
from symrnn.language.definition import Definition
from symrnn.language.evaluate import NUMPY, run
from symrnn.showing import Shown

# Scalar expressions grow with the square of the sizes, and SymPy's `diff` with their number: beyond, it takes minutes.
MAX_SIZE = 6

Matrix = Any
"""A SymPy `ImmutableDenseMatrix`."""


class _PiecewiseConstant(sympy.Function):
    """A function that is constant between its jumps: its derivative is 0, which is right away from them."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Any:
        """The derivative."""
        return sympy.S.Zero


class UnitStep(_PiecewiseConstant):
    """1 where x > 0, else 0; SymPy's Heaviside has a distribution for its derivative."""

    @classmethod
    def eval(cls, x: Any) -> Any:
        """The value at a number."""
        # Undecided stays a symbol: a guess would be wrong on one side of the jump.
        positive = x.is_positive if x.is_number else None
        return None if positive is None else sympy.Integer(int(positive))


class Floor(_PiecewiseConstant):
    """The largest whole number that is not more than x."""

    @classmethod
    def eval(cls, x: Any) -> Any:
        """The value at a number."""
        return sympy.floor(x) if x.is_number else None


class Round(_PiecewiseConstant):
    """The nearest whole number; of two, the even one."""

    @classmethod
    def eval(cls, x: Any) -> Any:
        """The value at a number."""
        if not x.is_number:
            return None
        below = sympy.floor(x)
        up = x - below > sympy.S.Half or (x - below == sympy.S.Half and below % 2 == 1)
        return below + 1 if up else below


def _entrywise(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    # SymPy's functions take one scalar, and NumPy's own would look for floats.
    vectorised: Callable[[Any], Any] = np.frompyfunc(function, 1, 1)
    return vectorised


EXPLICIT = Arithmetic(
    literal=lambda number: sympy.Rational(str(number)),
    step=_entrywise(UnitStep),
    stop_gradient=_entrywise(Constant),
    straight_through=np.frompyfunc(lambda x, z: Surrogate(sympy.sympify(x), sympy.sympify(z)), 2, 1),
    floor=_entrywise(Floor),
    round=_entrywise(Round),
    normal_cdf=_entrywise(SYMPY.normal_cdf),
    normal_density=_entrywise(SYMPY.normal_density),
    **of_library(sympy, _entrywise),
)
"""The functions of the table over arrays of SymPy scalars."""

_NUMPY = {"UnitStep": NUMPY.step, "Floor": NUMPY.floor, "Round": NUMPY.round}
_NUMPY |= {"Constant": lambda x: x, "Surrogate": lambda x, z: x}
_NUMPY["erfc"] = np.vectorize(math.erfc, otypes=[float])


class WritableCell(Protocol):
    """What is asked of a cell here; a `Cell` is one.  It stands above this module, being able to write itself out."""

    @property
    def name(self) -> str:
        """The cell's name."""

    @property
    def syntax(self) -> Definition:
        """The checked text."""

    @property
    def states(self) -> tuple[str, ...]:
        """The names of the states."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the parameters."""

    @property
    def previous(self) -> tuple[Variable, ...]:
        """The states at t-1."""

    @property
    def body(self) -> tuple[Any, ...]:
        """The equations."""

    def __getitem__(self, name: str) -> Variable:
        """The variable with this identifier."""

    def shape_names(self, name: str) -> tuple[str, ...]:
        """The sizes of a variable by name."""


@dataclass(frozen=True, repr=False)
class Explicit(Shown):
    """One step of a cell in scalars.

    Attributes:
        cell: the cell.
        sizes: size name -> whole number.
        symbols: name of an input, parameter or state at t-1 -> its symbols, as a matrix: a vector is a column.
        values: name of everything that the cell computes -> its expressions in these symbols, as a matrix.
    """

    cell: WritableCell
    sizes: Mapping[str, int]
    symbols: Mapping[str, Matrix]
    values: Mapping[str, Matrix]
    _shapes: Mapping[str, tuple[int, ...]] = field(repr=False)

    @property
    def states(self) -> Mapping[str, Matrix]:
        """State -> its expressions at t."""
        return {state: self.values[state] for state in self.cell.states}

    def jacobian(self, of: str, wrt: str) -> Matrix:
        """∂of/∂wrt by SymPy's scalar `diff`: of's entries by wrt's entries, matrices column after column.

        Args:
            of: something that the cell computes.
            wrt: an input, a parameter, or a state at t-1 such as "h_prev".

        Raises:
            UnknownNameError: there is no such name.
        """
        outputs, inputs = _column(self._find(self.values, of)), _column(self._find(self.symbols, wrt))
        return ImmutableDenseMatrix(len(outputs), len(inputs), [y.diff(x) for y in outputs for x in inputs])

    def function(self, *names: str) -> Callable[..., Any]:
        """A NumPy function of what the cell computes.

        It takes every input, parameter and state at t-1 by its name, in its own shape: `f(x=..., h_prev=..., W=...)`
        with arrays (n,), (n, m) or (); a dictionary of arrays goes in as `f(**arrays)`.

        Args:
            *names: what to compute; the states at t where none is said.

        Returns:
            A function that returns one array, or a tuple of arrays where there are several names, in their own shapes.
        """
        names = names or self.cell.states
        shapes = [self._shapes[name] for name in names if self._find(self.values, name)]
        return self._compiled([self.values[name] for name in names], shapes)

    def jacobian_function(self, of: str, wrt: str) -> Callable[..., Any]:
        """A NumPy function of a Jacobian; it takes what `function` takes and returns one array with two axes."""
        matrix = self.jacobian(of, wrt)
        return self._compiled([matrix], [matrix.shape])

    def _find(self, among: Mapping[str, Matrix], name: str) -> Matrix:
        if name not in among:
            problem = f"{self.cell.name}.explicit: there is no {name!r} here"
            raise UnknownNameError(f"{problem}\n  there are {', '.join(among)}")
        return among[name]

    def _compiled(self, matrices: Sequence[Matrix], shapes: Sequence[tuple[int, ...]]) -> Callable[..., Any]:
        # Arguments become dummies: a cell's name cannot hide a function that the generated code calls.
        arguments = [symbol for matrix in self.symbols.values() for symbol in matrix]
        entries = [entry for matrix in matrices for entry in matrix]
        compiled = sympy.lambdify(arguments, entries, modules=[_NUMPY, "numpy"], cse=True, dummify=True)
        wanted = {name: self._shapes[name] for name in self.symbols}
        ends = list(itertools.accumulate(matrix.rows * matrix.cols for matrix in matrices))

        def function(**arrays: Any) -> Any:
            flat = np.array(compiled(*_flattened(arrays, wanted)))
            parts = [part.reshape(shape) for part, shape in zip(np.split(flat, ends[:-1]), shapes, strict=True)]
            return parts[0] if len(parts) == 1 else tuple(parts)

        function.__doc__ = f"Takes arrays by name: {', '.join(f'{name} {shape}' for name, shape in wanted.items())}."
        return function


def _flattened(arrays: Mapping[str, Any], wanted: Mapping[str, tuple[int, ...]]) -> Iterator[Any]:
    if arrays.keys() != wanted.keys():
        missing = sorted(wanted.keys() - arrays.keys())
        unknown = sorted(arrays.keys() - wanted.keys())
        raise InputError(f"missing {missing}, unknown {unknown}\n  pass {', '.join(wanted)} by name")
    for name, shape in wanted.items():
        array = np.asarray(arrays[name])
        if array.shape != shape:
            raise InputError(f"{name} has shape {array.shape}\n  at these sizes it is {shape}")
        yield from array.flat


def _column(matrix: Matrix) -> list[Any]:
    """The entries, column after column."""
    return [matrix[i, j] for j in range(matrix.cols) for i in range(matrix.rows)]


def write_out(cell: WritableCell, sizes: Mapping[str, int]) -> Explicit:
    """Write one step of a cell out in scalars.

    Args:
        cell: the cell.
        sizes: a whole number from 1 to 6 for every size of the cell.

    Raises:
        InputError: a size is not such a number.
    """
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= MAX_SIZE:
            problem = f"{cell.name}.explicit: the size {name} is {size!r:.40}"
            remedy = f"give a whole number from 1 to {MAX_SIZE}: beyond, SymPy would take minutes"
            raise InputError(f"{problem}\n  {remedy}")
    computed = [equation.target.name for equation in cell.body]
    given = [*cell.inputs, *(variable.name for variable in cell.previous), *cell.parameters]
    shapes = {name: _shape(cell, name, sizes) for name in (*given, *computed)}
    symbols = _symbols({name: shapes[name] for name in given})
    at_start = {name.removesuffix("_prev"): array for name, array in symbols.items()}
    # The author's text itself, run on symbols: it shares nothing with the equations that it is compared with.
    names = run(cell.syntax, at_start, EXPLICIT)
    values = {name: np.broadcast_to(np.asarray(names[name], dtype=object), shapes[name]) for name in computed}
    return Explicit(
        cell,
        Frozen(sizes),
        Frozen({name: _matrix(array) for name, array in symbols.items()}),
        Frozen({name: _matrix(array) for name, array in values.items()}),
        Frozen(shapes),
    )


def _shape(cell: WritableCell, name: str, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """An array's shape; which values are scalars is the cell's matter, not that of a size which happens to be 1."""
    rank = len(cell.shape_names(name))
    return tuple(int(at_sizes(dim, sizes)) for dim in cell[name].shape[:rank])


def _symbols(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """An array of symbols per name: W_1_2 is the entry in row 1 and column 2 of W."""
    # The shortest joint that keeps all names apart: only a cell with names such as W_1 needs a longer one.
    for joint in ("_" * length for length in itertools.count(1)):
        names = {
            name: [joint.join([name, *(str(i + 1) for i in index)]) for index in np.ndindex(*shape)]
            for name, shape in shapes.items()
        }
        everything = list(itertools.chain.from_iterable(names.values()))
        if len(set(everything)) == len(everything):  # a vector W_1 and a matrix W would share W_1_1
            break
    return {
        name: np.array([sympy.Symbol(entry, real=True) for entry in names[name]], dtype=object).reshape(shape)
        for name, shape in shapes.items()
    }


def _matrix(array: Any) -> Matrix:
    rows, cols = (*array.shape, 1, 1)[:2]
    return ImmutableDenseMatrix(rows, cols, list(array.flat))

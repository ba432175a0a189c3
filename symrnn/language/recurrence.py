"""A recurrent cell: frozen, validated, pure data, with the text it was read from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import sympy

from symrnn.algebra.nodes import Expr, Variable, variables
from symrnn.characters import printable
from symrnn.deferred import function_above
from symrnn.errors import InputError, UnknownNameError
from symrnn.freezing import Frozen
from symrnn.showing import ResultTuple, Shown
from symrnn.suggestions import did_you_mean

if TYPE_CHECKING:
    from symrnn.language.definition import Definition
    from symrnn.language.explicit import Explicit


_HEADING = re.compile(r"([A-Z][a-z]+):(?=\s|\Z)")


@dataclass(frozen=True, repr=False)
class Equation(Shown):
    """`target = value`, one line of a cell.

    Attributes:
        target: the variable that the line defines.
        value: its expression in variables at t and t-1, inputs and parameters.
    """

    target: Variable
    value: Expr

    def as_sympy(self) -> Any:
        """The equation as a SymPy `Eq`."""
        return sympy.Eq(self.target, self.value, evaluate=False)


def told_sizes(variables: Iterable[Variable], known: Iterable[Any] = ()) -> set[Any]:
    """The sizes that the shapes of arrays tell, beside those that are known: of a sum, one when the others are."""
    dims = {dim for variable in variables for dim in variable.shape}
    told = set(known)
    while True:
        # A sum with one unknown size tells that size; this may make it the last unknown of another sum.
        more = {s for dim in dims if len(dim.free_symbols - told) == 1 for s in dim.free_symbols}
        if more <= told:
            return told
        told |= more


@dataclass(frozen=True, repr=False)
class Cell(Shown):
    """A recurrent cell, read from its definition.

    A cell maps inputs and the states at t-1 to the states at t.  Everything is per example: a value is a scalar, a
    vector (a column) or a matrix.

    Attributes:
        name: the function's name.
        docstring: the function's docstring; its first line is the title, `Source:` and `Variant:` lines are read.
        inputs: names of the inputs, in order.
        states: names of the states, in order; the first is the cell's output.
        parameters: names of the parameters, in order.
        body: the equations in the order written.
        symbols: identifier -> variable, for every name; `h_prev` is the state h at t-1.
        syntax: the checked text.
        sizes: names of the sizes, in order of appearance (`d_x`, `d_h`).
        constants: name of a constant -> its number: scalars that are not trained and have no gradient.
    """

    name: str
    docstring: str
    inputs: tuple[str, ...]
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    body: tuple[Equation, ...]
    symbols: Mapping[str, Variable] = field(hash=False)
    syntax: Definition = field(repr=False, compare=False)
    sizes: tuple[str, ...]
    constants: Mapping[str, Fraction] = field(default_factory=lambda: Frozen({}), hash=False)

    @classmethod
    def from_source(cls, text: str, name: str | None = None, file: str = "<cell>") -> Cell:
        """Read a cell from a text; the text is parsed and never executed.

        Args:
            text: Python text that defines the cell as a function.
            name: which function, where the text defines several.
            file: the file's name for messages.

        Raises:
            CellError: the text is not a cell; the message has line, column and what to do.
        """
        cell: Cell = function_above("read_cell")(text, name, file)
        return cell

    def __reduce__(self) -> tuple[Any, ...]:
        """A cell travels as its text."""
        return function_above("read_cell"), (
            self.source,
            self.name,
            self.syntax.place(self.syntax.assignments[0].node).file,
        )

    def __getitem__(self, name: str) -> Variable:
        """The variable with this identifier, such as `cell["h_prev"]`, or with the name that the author gave it.

        In a cell written with `h_tm1` and `h_t`, `cell["h_tm1"]` is `cell["h_prev"]` and `cell["h_t"]` is `cell["h"]`.
        """
        try:
            return self.symbols[name if name in self.symbols else self.syntax.written.get(name, name)]
        except KeyError:
            raise UnknownNameError(unknown_variable(f"the cell {self.name}", name, self.symbols)) from None

    def __str__(self) -> str:
        return self.source

    @property
    def equations(self) -> tuple[Any, ...]:
        """The equations as SymPy `Eq` objects, in the order written."""
        return ResultTuple(equation.as_sympy() for equation in self.body)

    @property
    def source(self) -> str:
        """The function's text, without decorators."""
        return self.syntax.text

    @property
    def title(self) -> str:
        """The docstring's first line, without its full stop; the name where there is none."""
        first = self.docstring.strip().splitlines()[:1]
        return first[0].rstrip(".") if first else self.name

    def section(self, heading: str) -> str:
        """The docstring's text after `heading:` up to a blank line or the next heading, on one line."""
        found: list[str] = []
        inside = False
        for line in (line.strip() for line in self.docstring.splitlines()):
            match = _HEADING.match(line)
            if match:
                inside = match[1] == heading
                line = line[match.end() :]
            elif not line:
                inside = False
            if inside:
                found.append(line.strip())
        return " ".join(found).strip()

    @property
    def previous(self) -> tuple[Variable, ...]:
        """The states at t-1."""
        return tuple(self.symbols[f"{state}_prev"] for state in self.states)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is allowed and seldom meant: inputs that no equation reads."""
        read = {v.name for equation in self.body for v in variables(equation.value)}
        unread = (name for name in self.inputs if name not in read)
        return tuple(f"no equation reads the input {name!r}: its gradient is zero" for name in unread)

    @property
    def untold_sizes(self) -> tuple[str, ...]:
        """The sizes that the shapes of inputs and parameters leave open: only an array of a state can tell them.

        None of those that occur in sums only is one (`tied_sizes`): nobody has to tell them.
        """
        given = [self[name] for name in (*self.inputs, *self.parameters)]
        symbols = {symbol for v in self._arguments for dim in v.shape for symbol in dim.free_symbols}
        told = told_sizes(given, {symbol for symbol in symbols if symbol.name in self.tied_sizes})
        return tuple(size for size in self.sizes if size not in {symbol.name for symbol in told})

    @property
    def tied_sizes(self) -> tuple[str, ...]:
        """Sizes that occur in sums only, so that not even the shapes of all arguments tell them apart.

        Where these are known, the others are: of d_h + d_x, d_h.  No value depends on which they are.
        """
        arguments = self._arguments
        tied: list[str] = []
        told = told_sizes(arguments)
        dims = dict.fromkeys(dim for v in arguments for dim in v.shape)
        for dim in sorted(dims, key=lambda dim: len(dim.free_symbols)):
            open_ones = sorted(dim.free_symbols - told, key=str)
            # All but the last: once these are told, the sum tells the last one.
            tied += [symbol.name for symbol in open_ones[:-1]]
            told = told_sizes(arguments, told | set(open_ones))
        return tuple(tied)

    @property
    def _arguments(self) -> list[Variable]:
        """What a step reads and somebody gives: inputs, parameters and the states at t-1."""
        return [*(self[name] for name in (*self.inputs, *self.parameters)), *self.previous]

    def shape_names(self, name: str) -> tuple[str, ...]:
        """A variable's sizes as text: () for a scalar, ("d_h",) for a vector, ("d_h", "d_x") for a matrix."""
        rows, cols = self[name].shape
        if (rows, cols) == (1, 1):
            return ()
        return (str(rows),) if cols == 1 else (str(rows), str(cols))

    @property
    def definition(self) -> Callable[..., Any]:
        """The definition as a function on NumPy arrays of one example.

        It takes inputs and states in their order and parameters by name (constants too, where they should have
        another value than in the text), and returns the new states: one array,
        or a tuple of arrays.  By name, an argument may be called as the author calls it or as the cell does.
        It runs the author's text itself, so it is independent of everything derived.
        Scalars, vectors (n,) and matrices (n, m); any dtype, complex included.
        """
        from symrnn.language.evaluate import run

        positional = tuple(argument.name for argument in self.syntax.positional)

        def definition(*args: Any, **kwargs: Any) -> Any:
            values = dict(zip(positional, args, strict=False))
            kwargs = {self._argument(name): value for name, value in kwargs.items()}
            if len(args) > len(positional) or values.keys() & kwargs.keys():
                raise TypeError(f"{self.name}() takes {', '.join(positional)} in this order, then parameters by name")
            values |= kwargs
            wanted = set(positional) | set(self.parameters)
            if values.keys() - self.constants.keys() != wanted:
                missing = sorted(wanted - values.keys())
                unknown = sorted(values.keys() - wanted - self.constants.keys())
                raise TypeError(f"{self.name}(): missing {missing}, unknown {unknown}")
            names = run(self.syntax, values)
            states = tuple(names[state] for state in self.states)
            return states[0] if len(states) == 1 else states

        definition.__name__ = self.name
        definition.__doc__ = self.docstring
        return definition

    def _argument(self, name: str) -> str:
        """The argument that the author gave this name; a state's is the state's own name."""
        own = self.syntax.written.get(name, name)
        state = own.removesuffix("_prev")
        return state if state in self.states and own != name else own

    def explicit(self, n: int | None = None, m: int | None = None, **sizes: int) -> Explicit:
        """The step written out in scalars at small sizes, as ordinary SymPy matrices.

        Args:
            n: the number of entries of the first state, the size d_h; ignored by a cell without it.
            m: the number of entries of the input x, the size d_x; ignored by a cell without it.
            **sizes: the cell's sizes by name, such as `d_k=2`.

        Raises:
            InputError: a size is missing, unknown, said twice, not positive, or so large that SymPy would take minutes.
        """
        from symrnn.language.explicit import write_out

        by_position = {"d_h": n, "d_x": m}
        values = {name: size for name, size in by_position.items() if name in self.sizes and size is not None}
        faults = {
            "missing": set(self.sizes) - values.keys() - sizes.keys(),
            "unknown": sizes.keys() - set(self.sizes),
            "said twice": sizes.keys() & values.keys(),
        }
        found = ", ".join(f"{what} {', '.join(sorted(names))}" for what, names in faults.items() if names)
        if found:
            known = ", ".join(self.sizes) or "none"
            raise InputError(f"{self.name}.explicit: {found}\n  the cell's sizes are {known}; n is d_h and m is d_x")
        return write_out(self, values | sizes)


def unknown_variable(owner: str, name: object, known: Mapping[str, Variable]) -> str:
    """What to say of a name that is no variable, with the one that was probably meant.

    Args:
        owner: what has no such variable, in words.
        name: the name that was given.
        known: the variables that there are, by identifier.
    """
    called = {spelling: identifier for identifier, v in known.items() for spelling in _spellings(v)}
    hint = did_you_mean(name, known, called={text: one for text, one in called.items() if text not in known})
    shown = f"{printable(name)!r}" if isinstance(name, str) else f"{name!r:.40}"
    return f"{owner} has no variable {shown}\n  {hint}it has {', '.join(known)}"


def _spellings(variable: Variable) -> Iterator[str]:
    """How papers and programs write a variable with its time; the identifier says h and h_prev."""
    shifts = {0: ("{}_t", "{}_cur", "{}_new", "{}_next"), -1: ("{}_t-1", "{}_tm1", "{}_old", "{}_last", "prev_{}")}
    yield from (pattern.format(variable.base) for pattern in shifts.get(variable.time or 0, ()))
    if variable.time == -1:
        yield f"{variable.base}t_prev"


def freeze(symbols: dict[str, Variable]) -> Mapping[str, Variable]:
    """A mapping that cannot be changed."""
    return MappingProxyType(symbols)

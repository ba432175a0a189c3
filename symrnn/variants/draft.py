"""A cell's text taken apart, to be changed and put together again as the text of another cell."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from symrnn.algebra.functions import GATES
from symrnn.deferred import function_above
from symrnn.errors import InputError
from symrnn.language.recurrence import Cell
from symrnn.variants.expressions import activations, function_of, names_in
from symrnn.variants.wording import Wording, equation_texts

# Columns of a line, as in this project: the text of a variant is read like that of any cell.
_WIDTH = 120
# Characters: a longer name says less than it costs to read, and the docstring tells every change anyway.
_LONGEST_NAME = 60


@dataclass(frozen=True)
class DraftLine:
    """One equation: target, value, and the shape written beside it, if any."""

    name: str
    value: ast.expr
    annotation: str | None = None

    @property
    def is_gate(self) -> bool:
        """Whether it is `name = sigmoid(...)`."""
        return function_of(self.value) in GATES


@dataclass(frozen=True)
class Draft:
    """A cell being written.

    Attributes:
        operation: the transformation at work, for messages.
        origin: the cell that it began from.
        name: the new cell's name.
        wording: what its docstring says.
        positional: inputs and states -> annotation or None, in order.
        parameters: parameters and constants -> annotation or None, in order.
        lines: the equations.
        states: the names returned.
        constants: the numbers of the constants, by name.
    """

    operation: str
    origin: Cell
    name: str
    wording: Wording
    positional: Mapping[str, str | None]
    parameters: Mapping[str, str | None]
    lines: tuple[DraftLine, ...]
    states: tuple[str, ...]
    constants: Mapping[str, ast.expr] = field(default_factory=dict)

    @classmethod
    def of(cls, operation: str, cell: Cell | str) -> Draft:
        """Take a cell, or the cell of that name, apart."""
        found: Cell = function_above("find_cell")(cell)
        syntax = found.syntax
        return cls(
            operation,
            found,
            found.name,
            Wording.read(found.docstring),
            {argument.name: _read_annotation(argument.annotation) for argument in syntax.positional},
            {argument.name: _read_annotation(argument.annotation) for argument in syntax.keyword_only},
            tuple(DraftLine(one.name, one.value, _read_annotation(one.annotation)) for one in syntax.assignments),
            syntax.returned,
            syntax.constants,
        )

    @property
    def names(self) -> set[str]:
        """Every name in use."""
        return {*self.positional, *self.parameters, *(line.name for line in self.lines)}

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs."""
        return tuple(name for name in self.positional if name not in self.states)

    @property
    def gates(self) -> tuple[str, ...]:
        """The targets of the equations `name = sigmoid(...)` that are not states."""
        return tuple(line.name for line in self.lines if line.is_gate and line.name not in self.states)

    def refuse(self, problem: str, remedy: str) -> InputError:
        """The error for a transformation that this cell does not allow."""
        return InputError(f"{self.operation}: the cell {self.origin.name} {problem}\n  {remedy}")

    def line(self, name: str) -> DraftLine:
        """The equation of a name.

        Raises:
            InputError: there is none.
        """
        for line in self.lines:
            if line.name == name:
                return line
        there = ", ".join(line.name for line in self.lines)
        raise self.refuse(f"has no equation for {name!r}", f"it has equations for {there}")

    def gate(self, name: str) -> DraftLine:
        """The equation of a gate.

        Raises:
            InputError: the name is no gate of the cell.
        """
        line = self.line(name)
        if name not in self.gates:
            gates = f"its gates are {', '.join(self.gates)}" if self.gates else "it has no gates"
            raise self.refuse(f"has no gate {name!r}: a gate is an equation {name} = sigmoid(...)", gates)
        return line

    def activation(self, name: str) -> ast.Call:
        """The one function call in a name's equation.

        Raises:
            InputError: there is none, or more than one.
        """
        found = activations(self.line(name).value)
        if len(found) != 1:
            what = f"{len(found)} functions" if found else "no function"
            raise self.refuse(
                f"has {what} in the equation for {name!r}", "name an equation with one, such as tanh(...)"
            )
        return found[0]

    def map_values(self, change: Callable[[ast.expr], ast.expr]) -> Draft:
        """With every equation's value changed."""
        return replace(self, lines=tuple(replace(line, value=change(line.value)) for line in self.lines))

    def with_value(self, name: str, value: ast.expr) -> Draft:
        """With one equation's value changed."""
        return replace(
            self, lines=tuple(replace(line, value=value) if line.name == name else line for line in self.lines)
        )

    def moved_after(self, name: str, other: str) -> Draft:
        """With the equation of a name right after that of another one."""
        line = self.line(name)
        lines = [one for one in self.lines if one.name != name]
        place = next(i for i, one in enumerate(lines) if one.name == other) + 1
        return replace(self, lines=(*lines[:place], line, *lines[place:]))

    def with_parameter(self, name: str, after: str | None, meaning: str, annotation: str | None = None) -> Draft:
        """With a new parameter, placed after another one or at the end.

        Raises:
            InputError: the name is in use.
        """
        if name in self.names:
            raise self.refuse(f"uses the name {name!r} already", "rename it with renamed(cell, names={...})")
        names = list(self.parameters)
        place = names.index(after) + 1 if after in names else len(names)
        names.insert(place, name)
        # A stem that is explained already keeps its words: W is the weights, whatever W_q is added.
        symbols = {name.partition("_")[0]: meaning} | dict(self.wording.symbols)
        wording = replace(self.wording, symbols=dict(self.wording.symbols) | symbols)
        return replace(self, parameters={n: self.parameters.get(n, annotation) for n in names}, wording=wording)

    def pruned(self) -> Draft:
        """Without the equations and parameters that nothing needs any more."""
        lines = list(self.lines)
        while True:
            read = {name for line in lines for name in names_in(line.value)}
            # Until nothing goes any more: an equation may have been read by one that has just gone.
            kept = [line for line in lines if line.name in read or line.name in self.states]
            if len(kept) == len(lines):
                break
            lines = kept
        parameters = {name: annotation for name, annotation in self.parameters.items() if name in read}
        return replace(self, lines=tuple(lines), parameters=parameters)

    def said(self, suffix: str, phrase: str) -> Draft:
        """With the change in its name and in its Variant section; what it is not is no longer known."""
        name = f"{self.name}_{suffix}" if len(self.name) + len(suffix) < _LONGEST_NAME else self.name
        before = self.wording.sections.get("Variant", "").rstrip(".")
        wording = self.wording.section("Variant", f"{before}; {phrase}." if before else f"{phrase}.")
        # It says what the cell was before the change is not, which the change may have made untrue.
        return replace(self, name=name, wording=wording.section("Not", None))

    def cell(self) -> Cell:
        """Read the new cell from the new text.

        Raises:
            InputError: a name is not one.
            CellError: the text is not a cell.
        """
        for name in (self.name, *self.names):
            # The text is read by the language, which knows other letters by other names.
            if not (name.isidentifier() and name.isascii()):
                raise self.refuse(f"cannot have the name {name!r}", "use letters, digits and underscores, as in W_f")
        return Cell.from_source(self.text(), self.name, f"<{self.name}>")

    def text(self) -> str:
        """The new cell's text."""
        equations = equation_texts([(line.name, line.value) for line in self.lines], self.parameters, self.states)
        docstring = (
            self.wording.write(equations, self.parameters) if self.origin.docstring or self.wording.title else ""
        )
        body = [f"    {_write_heading(line)} = {ast.unparse(line.value)}" for line in self.lines]
        return "\n".join(
            [*self._write_signature(), *_quote(docstring), *body, f"    return {', '.join(self.states)}", ""]
        )

    def _write_signature(self) -> list[str]:
        arguments = [*map(_write_argument, self.positional.items()), *["*"][: len(self.parameters)]]
        numbers = {name: ast.unparse(value) for name, value in self.constants.items()}
        for name, annotation in self.parameters.items():
            sign = "=" if annotation is None else " = "
            arguments.append(
                _write_argument((name, annotation)) + (f"{sign}{numbers[name]}" if name in numbers else "")
            )
        line = f"def {self.name}({', '.join(arguments)}):"
        if len(line) <= _WIDTH:
            return [line]
        return [f"def {self.name}(", *_fill_lines(arguments), "):"]


def _read_annotation(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _write_argument(item: tuple[str, str | None]) -> str:
    name, annotation = item
    return name if annotation is None else f'{name}: "{annotation}"'


def _write_heading(line: DraftLine) -> str:
    return _write_argument((line.name, line.annotation))


def _fill_lines(arguments: Iterable[str]) -> list[str]:
    lines = [""]
    for argument in arguments:
        if lines[-1] and len(lines[-1]) + len(argument) + 6 > _WIDTH:
            lines.append("")
        lines[-1] += f" {argument}," if lines[-1] else f"    {argument},"
    return lines


def _quote(docstring: str) -> list[str]:
    if not docstring:
        return []
    # What an author wrote must not end the docstring or be read as an escape.
    text = docstring.replace("\\", r"\\").replace('"""', "'''")
    lines = [f"    {line}" if line else "" for line in f'"""{text}'.splitlines()]
    end = '"""' if len(lines) == 1 and not text.endswith('"') else '\n    """'
    return [*lines[:-1], lines[-1] + end]

"""Two cells equation by equation: what is the same in both, up to names and order, and what differs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from symrnn.algebra.nodes import Expr, Sum, Variable
from symrnn.calculus.counterparts import Counterparts, counterparts, kinds_of
from symrnn.calculus.derivation import Derivation, derive
from symrnn.deferred import function_above
from symrnn.language.recurrence import Cell
from symrnn.showing import Shown


@dataclass(frozen=True)
class DiffLine:
    """An equation of one of two cells.

    Attributes:
        target: its left side.
        value: its right side; of a parameter's gradient, the term of one step.
        differing: the terms of the right side that are none of the other cell's.
        is_summed: whether it is summed over time.
    """

    target: Variable
    value: Expr
    differing: tuple[Expr, ...] = ()
    is_summed: bool = False


@dataclass(frozen=True)
class DiffRow:
    """An equation of each of two cells that define what plays the same part; or of one of them alone.

    Attributes:
        part: "forward", "backward" or "gradients".
        change: "same", "changed", "removed" where the second cell has none, or "added" where the first has none.
        one: the equation of the first cell, or None.
        other: that of the second, or None.
    """

    part: str
    change: str
    one: DiffLine | None
    other: DiffLine | None


@dataclass(frozen=True, repr=False)
class CellDiff(Shown):
    """Two cells side by side; true where an equation differs.

    Attributes:
        counterparts: which variable plays the part of which.
        rows: the equations, in the order of the first cell.
    """

    counterparts: Counterparts
    rows: tuple[DiffRow, ...]

    def __bool__(self) -> bool:
        return any(row.change != "same" for row in self.rows) or bool(self.values)

    def count(self, change: str) -> int:
        """The number of equations of which this became."""
        return sum(row.change == change for row in self.rows)

    @property
    def renamed(self) -> tuple[tuple[Variable, Variable], ...]:
        """What plays the same part under other names, but the arguments of functions, whose names are not authors'."""
        one, other = self.counterparts.one, self.counterparts.other
        kinds = kinds_of(one)
        names = [(a, b) for a, b in self.counterparts.names.items() if a != b and kinds[a] != "argument"]
        return tuple((one.variables[a], other.variables[b]) for a, b in names)

    @property
    def values(self) -> tuple[tuple[Variable, Any, Any], ...]:
        """Constants that have another value in the second cell, and both values."""
        one, other = self.counterparts.one.cell, self.counterparts.other.cell
        both = [
            (a, one.constants[a], other.constants.get(b))
            for a, b in self.counterparts.names.items()
            if a in one.constants
        ]
        return tuple((one[name], mine, its) for name, mine, its in both if mine != its)

    def latex(self, fragment: bool = True, **options: Any) -> str:
        """The two cells side by side as LaTeX: the body of a document, or with `fragment=False` a whole one."""
        return self._write("fragment" if fragment else "tex", options)

    def markdown(self, **options: Any) -> str:
        """The same as Markdown."""
        return self._write("markdown", options)

    def __str__(self) -> str:
        return self._write("text", {})

    def _write(self, form: str, options: dict[str, Any]) -> str:
        document = function_above("diff_document")(self, options.pop("notation", "subscript"))
        return str(function_above("write")(document, form, **options))


def diff(one: Cell | Derivation | str, other: Cell | Derivation | str) -> CellDiff:
    """Compare two cells equation by equation: forward, backward, and the gradients of the parameters.

    Equations belong together if they define what plays the same part in both cells; they are the same if they are equal
    once the variables of the one have the names of those of the other, in whatever order their terms are.

    Args:
        one: the first cell, its name, or its derivation.
        other: the second.

    Raises:
        InputError: one of them is no cell.
        UnknownNameError: the library has no cell of that name.
    """
    found = counterparts(derive(one), derive(other))
    rows = (
        row for part, mine in _parts(found.one).items() for row in _rows(found, part, mine, _parts(found.other)[part])
    )
    return CellDiff(found, tuple(rows))


def _parts(derivation: Derivation) -> dict[str, list[DiffLine]]:
    return {
        "forward": [DiffLine(equation.target, equation.value) for equation in derivation.forward],
        "backward": [DiffLine(step.target, step.value) for step in derivation.steps if step.role != "parameter"],
        "gradients": [DiffLine(step.target, step.value, is_summed=True) for step in derivation.role("parameter")],
    }


def _rows(found: Counterparts, part: str, mine: Sequence[DiffLine], its: Sequence[DiffLine]) -> Iterator[DiffRow]:
    """The lines of both, those of the second that have no counterpart after the one that they follow there."""
    partners = {found.form_of_one(line.target): line for line in mine}
    targets = [found.form_of_other(line.target) for line in its]
    following: dict[Any, list[DiffLine]] = {}
    last = None
    for target, line in zip(targets, its, strict=True):
        if target in partners:
            last = target
        else:
            following.setdefault(last, []).append(line)
    theirs = dict(zip(targets, its, strict=True))
    yield from _added(part, following.get(None, ()))
    for target, line in partners.items():
        yield _compared(found, part, line, theirs[target]) if target in theirs else DiffRow(part, "removed", line, None)
        yield from _added(part, following.get(target, ()))


def _added(part: str, lines: Iterable[DiffLine]) -> Iterator[DiffRow]:
    return (DiffRow(part, "added", None, line) for line in lines)


def _compared(found: Counterparts, part: str, mine: DiffLine, its: DiffLine) -> DiffRow:
    if found.form_of_one(mine.value) == found.form_of_other(its.value):
        return DiffRow(part, "same", mine, its)
    ours = [(term, found.form_of_one(term)) for term in _terms(mine.value)]
    theirs = [(term, found.form_of_other(term)) for term in _terms(its.value)]

    def own(terms: list[tuple[Expr, Any]], others: list[tuple[Expr, Any]]) -> tuple[Expr, ...]:
        known = {form for _, form in others}
        return tuple(term for term, form in terms if form not in known)

    one = DiffLine(mine.target, mine.value, own(ours, theirs), mine.is_summed)
    other = DiffLine(its.target, its.value, own(theirs, ours), its.is_summed)
    return DiffRow(part, "changed", one, other)


def _terms(value: Expr) -> tuple[Expr, ...]:
    return value.args if isinstance(value, Sum) else (value,)

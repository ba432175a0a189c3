"""The errors a user can meet, and the policy that separates them.

Everything that a user can mend is a `SymrnnError`: the command line prints its text, without a traceback, and
exits with code 2.  Any other exception is a fault of this package.
"""

from __future__ import annotations

from dataclasses import dataclass

from symrnn.characters import is_shown, printable, printable_lines


class SymrnnError(Exception):
    """Something the user can mend; its text says what, where, and what to do.

    A message may quote anything, so what a terminal would obey is escaped here, once for all of them.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*(printable_lines(arg) if isinstance(arg, str) else arg for arg in args))


@dataclass(frozen=True)
class Place:
    """A position in a cell's text: file, line and column counted from 1, and the line itself."""

    file: str = "<cell>"
    line: int = 1
    column: int = 1
    text: str = ""

    def __str__(self) -> str:
        return f"{printable(self.file)}:{self.line}:{self.column}"

    def quote(self) -> str:
        """The line with a caret under the column, or nothing where the line is empty."""
        if not self.text.strip():
            return ""
        body = self.text.rstrip()
        indent = len(body) - len(body.lstrip())
        caret = max(self.column - 1 - indent, 0)
        # 100 columns fit a terminal; 70 of them before the caret, since what led to it says more than what follows.
        start = max(caret - 70, 0)  # very long lines are shown around the column only
        # One blank for one character, so that the caret still stands under the right one.
        shown = "".join(c if is_shown(c) else " " for c in body.lstrip()[start : start + 100])
        return f"\n    {shown}\n    {' ' * (caret - start)}^"


class CellError(SymrnnError):
    """A cell's definition is not a cell of the language.

    Attributes:
        place: file, line and column.
        problem: one sentence that says what is wrong.
        remedy: one sentence that says what to do.
    """

    def __init__(self, place: Place, problem: str, remedy: str) -> None:
        self.place = place
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{place}: {printable(problem)}{place.quote()}\n  {printable(remedy)}")


class ShapeError(CellError):
    """Two shapes contradict each other, or a shape is not determined by the equations."""


class UndeterminedError(ShapeError):
    """The equations leave a shape open; nothing contradicts."""


class NameClashError(SymrnnError):
    """Two things of a cell want the same identifier and neither can give way."""


class UnknownNameError(SymrnnError, KeyError):
    """A cell, variable or notation of that name does not exist."""

    def __str__(self) -> str:  # KeyError would print the representation of its text
        return str(self.args[0])


class MissingRuleError(SymrnnError, NotImplementedError):
    """A node has no row in the table that was asked for; nothing is guessed."""


class InputError(SymrnnError, ValueError):
    """An argument has a value that the called function cannot use."""


class VerificationError(SymrnnError, AssertionError):
    """A check of a report failed; the text is the report."""

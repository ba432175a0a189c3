"""Results that show themselves in a notebook: one mixin for all; `documents.showing` says what each consists of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from symrnn.deferred import function_above

_Item = TypeVar("_Item", covariant=True)


class Shown:
    """Shows itself shortly in a line, and in a notebook by the blocks of its row in the table.

    A front end takes the richest form that there is: Markdown and LaTeX where there are formulas, which some front ends
    do not set inside of HTML, and HTML where there are none.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{function_above('summary')(self)}>"

    def _repr_html_(self) -> str | None:
        html: str | None = function_above("as_html")(self)
        return html

    def _repr_markdown_(self) -> str:
        return str(function_above("as_markdown")(self))

    def _repr_latex_(self) -> str | None:
        latex: str | None = function_above("as_latex")(self)
        return latex


class ResultTuple(Shown, tuple[_Item, ...], Generic[_Item]):
    """A tuple of results, which shows them one after another; otherwise a tuple like any other."""

    __slots__ = ()

    def __new__(cls, items: Iterable[Any] = ()) -> ResultTuple[_Item]:
        """The items as a tuple."""
        return tuple.__new__(cls, tuple(items))

    def __repr__(self) -> str:
        return tuple.__repr__(self)

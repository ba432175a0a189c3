"""How things stand in a search: the statements that may be wrong, what was tried, and what helped."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from symrnn.repairs.edits import SourceEdit
from symrnn.repairs.generators import Generator
from symrnn.repairs.site import Site
from symrnn.repairs.trials import Score


@dataclass(frozen=True)
class Progress:
    """An edit that makes more right, and nothing wrong.

    Attributes:
        edit: the edit.
        place: the number of its statement, in the order in which they stand.
        right: what it makes right, with the number of the point.
        forth: whether its statement is one of forward's, or of what forward calls.
        inner: how many adjoints of what forward computes on its way backward comes by that it did not come by.
    """

    edit: SourceEdit
    place: int
    right: frozenset[tuple[int, str]]
    forth: bool = False
    inner: int = 0

    @property
    def full(self) -> frozenset[str]:
        """The gradients that it makes right at the inputs of the check."""
        return frozenset(name for place, name in self.right if place == 0)

    @property
    def rank(self) -> tuple[int, int, int, int, bool, int, int]:
        """The better, the smaller; of equal ones one in backward, since forward is what backward is held against.

        Of equal ones again the one in the shorter statement, whose whole it is.
        """
        length = len(ast.unparse(self.edit.statement))
        return -len(self.full), -len(self.right), -self.inner, self.edit.cost, self.forth, length, self.place


@dataclass(frozen=True)
class OpenSite:
    """A statement that may be wrong.

    Attributes:
        place: its number.
        site: the statement, or a part of it.
        doubt: what is added to the cost of mending it.
        fit: 2 where it acts on exactly what is wrong, at every point; 1 where it does so at the inputs of the check, or
            at the point at which the fewest mistakes show; otherwise 0.
        reached: the gradients that it acts on, as far as that is known.
        near: whether it may act on what is wrong at the point at which the fewest mistakes show.
    """

    place: int
    site: Site
    doubt: int
    fit: int = 0
    reached: frozenset[str] = frozenset()
    near: bool = True


@dataclass(frozen=True)
class Standing:
    """How things stand with the edits that are made, where something is still wrong.

    Attributes:
        base: what the functions give.
        first: the point at which the fewest mistakes show: what is mended must mend something there.
        sites: the statements that may be wrong.
        suspects: those of them at which backward goes wrong first: what they read is right, as far as is known, and
            what they compute is no adjoint of what forward computes.
    """

    base: Score
    first: int
    sites: Sequence[OpenSite]
    suspects: Sequence[OpenSite] = ()


@dataclass
class Tried:
    """What was tried in one round of the search.

    Attributes:
        made: the generators whose edits of a statement were made.
        later: cost -> edits that are still to be tried.
        marks: those that were.
        found: cost -> those that helped.
    """

    made: set[tuple[Generator, int]] = field(default_factory=set)
    later: dict[int, list[tuple[SourceEdit, int]]] = field(default_factory=lambda: defaultdict(list))
    marks: set[tuple[Any, ...]] = field(default_factory=set)
    found: dict[int, list[Progress]] = field(default_factory=lambda: defaultdict(list))

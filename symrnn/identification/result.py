"""What was identified."""

from __future__ import annotations

from dataclasses import dataclass, field

from symrnn.identification.agreement import Match
from symrnn.identification.layout import Layout
from symrnn.identification.wording import describe_found
from symrnn.language.recurrence import Cell
from symrnn.showing import Shown


@dataclass(frozen=True, repr=False)
class Identification(Shown):
    """The cell that a callable computes, or what came nearest.

    Attributes:
        matches: every cell that agrees, with its layout; the plainest first.
        nearest: where none agrees, those that come nearest, the nearest first.
        questions: how often the callable was called.
        remarks: what is unusual about the callable, as sentences.
    """

    matches: tuple[Match, ...]
    nearest: tuple[Match, ...] = ()
    questions: int = 0
    remarks: tuple[str, ...] = field(default=())

    @property
    def cell(self) -> Cell | None:
        """The cell, or None."""
        return self.matches[0].layout.cell if self.matches else None

    @property
    def name(self) -> str | None:
        """The cell's name, or None."""
        return self.matches[0].name if self.matches else None

    @property
    def layout(self) -> Layout | None:
        """How the callable holds the cell, or None."""
        return self.matches[0].layout if self.matches else None

    @property
    def agreement(self) -> float:
        """The relative error of the best match; where there is none, that of the nearest, or infinity."""
        best = self.matches or self.nearest
        return best[0].agreement if best else float("inf")

    def __bool__(self) -> bool:
        return bool(self.matches)

    def __str__(self) -> str:
        return describe_found(self.matches, self.nearest, self.remarks)

"""What a theorem says: words and a formula, with expressions in them, so that any notation can print it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from symrnn.algebra.nodes import Expr, Variable
from symrnn.printers import NOTATIONS, Notation, latex, text
from symrnn.showing import Shown


@dataclass(frozen=True)
class AtStart:
    """A state at t-1 as it is before the first step: h_0."""

    variable: Variable


Words = tuple["str | Expr | AtStart", ...]
"""Running text with expressions in it."""


@dataclass(frozen=True)
class Formula:
    """A formula in both syntaxes for readers.

    Attributes:
        latex: in LaTeX, with `<0>`, `<1>`, ... for the expressions.
        text: in plain text, in the same way.
        of: the expressions.
    """

    latex: str
    text: str
    of: tuple[Expr, ...] = ()

    def render(self, notation: Notation = NOTATIONS["subscript"]) -> tuple[str, str]:
        """In LaTeX and in plain text."""
        in_latex, in_text = self.latex, self.text
        for number, expr in enumerate(self.of):
            in_latex = in_latex.replace(f"<{number}>", latex(expr, notation))
            in_text = in_text.replace(f"<{number}>", text(expr, notation))
        return in_latex, in_text


def render(part: Expr | AtStart, notation: Notation) -> tuple[str, str]:
    """An expression among words, in LaTeX and in plain text."""
    if isinstance(part, AtStart):
        # A notation in which the step itself is step 1 shows its t-1 as 0.
        part, notation = part.variable, replace(notation, now=1)
    return latex(part, notation), text(part, notation)


def spell(words: Words) -> str:
    """Words as plain text."""
    return "".join(part if isinstance(part, str) else render(part, NOTATIONS["subscript"])[1] for part in words)


@dataclass(frozen=True, repr=False)
class Theorem(Shown):
    """A claim about a cell, and what became of it.

    Attributes:
        name: the theorem's name in the table.
        words: the claim in words.
        formula: the claim as a formula.
        proof: how it is proved.
        given: what it takes for granted beyond the cell's equations; empty for nothing.
        holds: whether it is proved.
        details: where and how, or numbers that refute it.
        sizes: what it is proved at, where the proof is one at certain sizes.
        refuted: whether `details` gives real numbers at which it fails.
    """

    name: str
    words: Words
    formula: Formula
    proof: str
    given: Words
    holds: bool
    details: str
    sizes: tuple[Mapping[str, int], ...] = ()
    refuted: bool = False

    @property
    def verdict(self) -> str:
        """In a word or two."""
        return "proved" if self.holds else "false" if self.refuted else "not proved"

    @property
    def statement(self) -> str:
        """The claim, as text."""
        return spell(self.words)

    @property
    def assumptions(self) -> str:
        """What it takes for granted, as text."""
        return spell(self.given)

    @property
    def latex(self) -> str:
        """The claim in LaTeX."""
        return self.formula.render()[0]

    def __bool__(self) -> bool:
        return self.holds

    def __str__(self) -> str:
        given = f", if {self.assumptions}" if self.given else ""
        how = "" if self.refuted else f" ({self.proof})"
        return f"{self.name}: {self.statement}{given}\n  {self.verdict}{how}: {self.details}"

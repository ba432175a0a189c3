"""What a class of mistakes is made of; each file of the catalogue makes one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from symrnn.mistakes.line_finder import LineFinder, LineRule
from symrnn.mistakes.measured import Measured
from symrnn.mistakes.mistake import Mistake
from symrnn.mistakes.site import Generator, MistakeSite

Reader = Callable[[MistakeSite, Sequence[Measured]], Iterator[Mistake]]
"""Makes mistakes with a number in them, which is read off the gradients that were measured."""


@dataclass(frozen=True)
class Example:
    """A change of a hand-written backward pass, one of `symrnn.mistakes.examples`.

    Attributes:
        program: its name.
        old: what is replaced; it occurs once.
        new: what stands there instead.
        line: for a wrong example, the text of the line that has to be found: by default the first that `new` changes;
            None where no line is named.
    """

    program: str
    old: str
    new: str
    line: str | None = ""


@dataclass(frozen=True)
class MistakeClass:
    """A class of mistakes.

    Attributes:
        tag: its name, as in reports.
        meaning: what it is, in plain words.
        precedence: the class with the lower number is named where two explain the same and are equally likely.
        likely: makes the mistakes that people really make.
        wide: makes those that are tried where no likely one of any class explains the gradients.
        multiples: makes those whose number is read off gradients that are multiples of the right ones.
        bounds: makes those whose number is read off gradients that are bounded.
        find_line: the rule for the line that makes the mistake, where its effect has none of its own.
        whole_clause: whether its words are a clause of their own, and not about an equation.
        wrong: hand-written passes with this mistake.
        right: passes that look like it and are right.
        found_by: what finds it, where that is not the search through the catalogue.
    """

    tag: str
    meaning: str
    precedence: int
    likely: Generator | None = None
    wide: Generator | None = None
    multiples: Reader | None = None
    bounds: Reader | None = None
    find_line: LineRule = LineFinder.in_equations
    whole_clause: bool = False
    wrong: tuple[Example, ...] = ()
    right: tuple[Example, ...] = ()
    found_by: str = ""

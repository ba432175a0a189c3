"""A mistake that can be planted in a program of the corpus: pure data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Slip:
    """A replacement in a program's text, as somebody would have made the mistake.

    Attributes:
        old: the text replaced; it occurs once.
        new: what stands there instead.
        tag: the class of the mistake, a tag of `symrnn.mistakes.catalogue`.
        line: a part of the line that a person would change to repair it; empty for the first line of the replacement.
        also: tags that are fair names as well.
        more: further (old, new), each occurring once: one mistake of several places.
        lines: parts of further lines that are fair to point at.
    """

    old: str
    new: str
    tag: str
    line: str = ""
    also: tuple[str, ...] = ()
    more: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()

    @property
    def tags(self) -> tuple[str, ...]:
        """Every fair name."""
        return (self.tag, *self.also)

    @property
    def edits(self) -> tuple[tuple[str, str], ...]:
        """Every replacement."""
        return ((self.old, self.new), *self.more)

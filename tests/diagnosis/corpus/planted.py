"""A mistake that can be planted in an implementation of the corpus: pure data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Planted:
    """A replacement in the text of an implementation, as somebody would have made the mistake.

    Attributes:
        tag: the class of the mistake, a tag of `symrnn.mistakes.catalogue`.
        site: where it is, for people.
        old: the text replaced.
        new: what stands there instead.
        count: how often `old` occurs, all of it replaced.
        more: further (old, new), each occurring once: one mistake of several places.
        also: tags that are fair names as well.
        needs: the condition under which it can be seen; empty where random inputs show it.
    """

    tag: str
    site: str
    old: str
    new: str
    count: int = 1
    more: tuple[tuple[str, str], ...] = ()
    also: tuple[str, ...] = ()
    needs: str = ""

    @property
    def tags(self) -> tuple[str, ...]:
        """Every fair name."""
        return (self.tag, *self.also)


LARGE = "large cotangents"

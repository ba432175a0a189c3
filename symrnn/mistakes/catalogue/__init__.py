"""The classes of mistakes in hand-written backward passes, a file each: what stands in this folder is the catalogue.

A new class is a new file with a `MistakeClass` called `MISTAKE`; nothing else has to know of it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from symrnn.mistakes.families import mistakes_of
from symrnn.mistakes.measured import Measured
from symrnn.mistakes.mistake import Mistake
from symrnn.mistakes.mistake_class import MistakeClass
from symrnn.mistakes.site import MistakeSite


def _read_folder() -> Iterator[MistakeClass]:
    # No list of the classes, which a new file could be forgotten in.
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        yield importlib.import_module(module.name).MISTAKE


CATALOGUE: Mapping[str, MistakeClass] = MappingProxyType(
    {one.tag: one for one in sorted(_read_folder(), key=lambda one: one.precedence)}
)
"""Tag -> class, in the order of precedence."""


def meaning_of(tag: str) -> str:
    """What a class is, in plain words; empty for a tag that is none of the catalogue's."""
    return CATALOGUE[tag].meaning if tag in CATALOGUE else ""


def likely(on: MistakeSite) -> list[Mistake]:
    """What people really get wrong."""
    return mistakes_of(on, [one.likely for one in CATALOGUE.values() if one.likely])


def wide(on: MistakeSite) -> list[Mistake]:
    """What is tried where none of these explains the gradients."""
    return mistakes_of(on, [one.wide for one in CATALOGUE.values() if one.wide])


def multiples(on: MistakeSite, measured: Sequence[Measured]) -> list[Mistake]:
    """Mistakes that make gradients multiples of the right ones, with the number that was measured."""
    return [mistake for one in CATALOGUE.values() if one.multiples for mistake in one.multiples(on, measured)]


def bounds(on: MistakeSite, measured: Sequence[Measured]) -> list[Mistake]:
    """Mistakes that bound gradients, at the bounds that were measured or are usual."""
    return [mistake for one in CATALOGUE.values() if one.bounds for mistake in one.bounds(on, measured)]

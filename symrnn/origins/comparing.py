"""Whether things were made from the same equations: a verdict with its reasons.

A fingerprint decides.  Two that differ are other equations, or the same in other letters or another order; where both
sides have their equations at hand, these are compared, and the functions that they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from symrnn.algebra.nodes import Expr
from symrnn.characters import printable
from symrnn.equivalence.equivalent import equivalent
from symrnn.errors import InputError
from symrnn.language.recurrence import Cell, Equation
from symrnn.origins.reading import Origin, read_origin
from symrnn.printers import text

_SHOWN = 6
"""More equations that differ than this are counted: whoever has changed as many knows it."""

_AS_FUNCTIONS = {
    "same": "as functions they are the same, proved exactly",
    "special case": "as functions one is a special case of the other",
    "different": "as functions they differ",
    "not proved": "they are not proved to be the same function",
    "not found": "no map of parameters was found under which they are the same function",
}
"""What `equivalent` says of two cells, in words."""


@dataclass(frozen=True)
class Belonging:
    """Whether things belong together; true where they do.

    Attributes:
        origins: what each was made from, in the order given.
        same: whether all of it is the same, and no module was changed.
        reasons: why not; or in what sense, where the equations are not literally the same.
    """

    origins: tuple[Origin, ...]
    same: bool
    reasons: tuple[str, ...]

    def __bool__(self) -> bool:
        return self.same

    def __str__(self) -> str:
        return "\n".join([*map(str, self.origins), "same" if self.same else "not same", *self.reasons])


def same(*names: str) -> Belonging:
    """Whether documents, generated modules and cells were made from the same equations.

    The one with the most cells is what the others are compared with: a paper on two cells and the module of either
    belong together.

    Args:
        names: files and cells; see `read_origin`.

    Raises:
        InputError: there is none, or one cannot be read or says nowhere what it was made from.
        CellError: a cell file has a mistake.
        UnknownNameError: there is no such file, and no such cell.
    """
    if not names:
        raise InputError("same: nothing to compare\n  give files, and names of cells")
    origins = tuple(map(read_origin, names))
    whole = max(origins, key=lambda origin: len(origin.fingerprints))
    reasons: list[str] = []
    together = True
    for origin in origins:
        if origin.is_changed:
            together = False
            remedy = "generate it anew, or check what it has become with 'symrnn check'"
            reasons.append(f"{printable(origin.name)} was changed by hand after it was generated\n  {remedy}")
        if not set(origin.fingerprints) <= set(whole.fingerprints):
            found, lines = _compare(whole, origin)
            together &= found
            reasons += lines
    return Belonging(origins, together, tuple(reasons))


def _compare(one: Origin, other: Origin) -> tuple[bool, list[str]]:
    """Whether two with other fingerprints are the same all the same, and what is to be said of it."""
    first, second = printable(one.name), printable(other.name)
    if one.cell is None or other.cell is None:
        return False, [f"{second} was made from other equations than {first}"]
    lines = [f"the equations of {second} are not those of {first}:", *_differences(one.cell, other.cell)]
    found = equivalent(one.cell, other.cell)
    changes = [f"with {name} = {value} of {second}" for name, value in found.changes.items()] if found.equal else []
    return found.equal, ["\n  ".join(lines), "\n  ".join([_AS_FUNCTIONS[found.verdict], *changes])]


def _differences(one: Cell, other: Cell) -> Iterator[str]:
    ours, theirs = ({equation.target.name: equation for equation in cell.body} for cell in (one, other))
    differing = [name for name in dict.fromkeys((*ours, *theirs)) if _value(ours, name) != _value(theirs, name)]
    for name in differing[:_SHOWN]:
        target = (ours.get(name) or theirs[name]).target
        sides = (text(known[name].value) if name in known else "not there" for known in (ours, theirs))
        yield f"{text(target)} = {' | '.join(sides)}"
    if len(differing) > _SHOWN:
        yield f"and {len(differing) - _SHOWN} more"
    if not differing:
        yield "the order of the equations, or shapes, roles, or numbers of constants"


def _value(equations: Mapping[str, Equation], name: str) -> Expr | None:
    return equations[name].value if name in equations else None

"""How a function that returns a loss holds a cell and the head behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.heads import JoinedCell
from symrnn.identification.candidates import Candidate, SizedCell
from symrnn.identification.layout import Layout, ParameterPart
from symrnn.identification.tiles import Span, Tile
from symrnn.losses.data import DataForm

_EXACT = 1e-9
"""How far a measured factor may be from the one that a reduction gives, relative: rounding of a sum is far below."""


@dataclass(frozen=True)
class LossReduction:
    """What the losses of steps and examples are multiplied with before they are added.

    Attributes:
        number: a number, whatever the sizes.
        powers: size ("T", "N"; "d_y" or "d_h", the entries) and its power, 0 or -1.
    """

    number: float
    powers: tuple[tuple[str, int], ...]

    def factor(self, sizes: Mapping[str, int]) -> float:
        """The factor at some sizes."""
        factor = self.number
        for name, power in self.powers:
            factor *= float(sizes[name]) ** power
        return factor

    def __str__(self) -> str:
        over = [
            {"T": "steps", "N": "examples", "d_y": "entries", "d_h": "entries"}[name]
            for name, power in self.powers
            if power
        ]
        told = f"the mean over {' and '.join(over)}" if over else "the sum"
        return told if self.number == 1 else f"{self.number:g} times {told}"


def reductions(factor: float, sizes: Mapping[str, int], timed: bool) -> tuple[LossReduction, ...]:
    """The reductions that give a factor at some sizes, plain ones first."""
    names = [name for name in ("T", "N", "d_y", "d_h") if name in sizes and (timed or name != "T")]
    found = []
    # Twice, since a head's squared error is halved and many write it whole; half, for those who halve once more; by the
    # logarithm of 2, for losses in bits.
    for number in (1.0, 2.0, 0.5, 1 / np.log(2)):
        for bits in range(1 << len(names)):
            powers = tuple((name, -(bits >> place & 1)) for place, name in enumerate(names))
            one = LossReduction(number, powers)
            if abs(one.factor(sizes) / factor - 1) <= _EXACT:
                found.append(one)
    # At sizes that are equal, or 1, or 2, many agree; the one with the fewest factors is what people write.
    return tuple(sorted(found, key=lambda one: (one.number != 1, sum(abs(power) for _, power in one.powers))))


@dataclass(frozen=True)
class JoinedLayout(Layout):
    """A layout of a cell joined with a head.

    Attributes:
        joined: the cell and the head.
    """

    joined: JoinedCell | None = None

    @property
    def reference(self) -> str:
        """What `symrnn derive` is given to derive it."""
        assert self.joined is not None
        return self.joined.reference


@dataclass(frozen=True)
class HeadedLayout(JoinedLayout):
    """A layout of a cell joined with a head that ends in a loss.

    Attributes:
        target: how the targets are held; None where there are none.
        indices: how the sequence is held, where it is one of indices.
        reduced: what the loss may be of the losses of steps and examples.
        last: whether it is of the last step alone.
    """

    target: DataForm | None = None
    indices: DataForm | None = None
    reduced: tuple[LossReduction, ...] = ()
    last: bool = False

    @property
    def loss(self) -> str:
        """The name of the state that is the loss of a step."""
        assert self.joined is not None
        return self.joined.names["l"]

    @property
    def target_name(self) -> str:
        """The name of the input that is the target."""
        assert self.joined is not None
        return self.joined.names["k"]


Readout = tuple[str, Array, bool]
"""The name of a readout's matrix, the matrix, and whether it is held transposed."""


def headed(
    core: Layout, joined: JoinedCell, outputs: int, readout: Readout | None, bias: tuple[str, Array] | None
) -> HeadedLayout:
    """The layout of a cell and a loss behind it, from that of the cell; the arguments as for `read_out`."""
    return HeadedLayout(**_with_weights(core, joined, outputs, readout, bias), joined=joined)


def read_out(
    core: Layout, joined: JoinedCell, outputs: int, readout: Readout, bias: tuple[str, Array] | None
) -> JoinedLayout:
    """The layout of a cell and a readout without a loss, from that of the cell.

    Args:
        core: the cell's, or that of a cell and a readout.
        joined: the cell and the head.
        outputs: how many entries the readout has.
        readout: its matrix.
        bias: the name of its bias, and the bias.
    """
    return JoinedLayout(**_with_weights(core, joined, outputs, readout, bias), joined=joined)


def _with_weights(
    core: Layout, joined: JoinedCell, outputs: int, readout: Readout | None, bias: tuple[str, Array] | None
) -> dict[str, Any]:
    old = core.candidate
    known = dict(old.sized.sizes)
    sizes = old.sized.sizes + tuple((name, outputs) for name in joined.sizes if name not in known)
    sized = SizedCell(joined.cell, sizes, old.sized.orders)
    candidate = Candidate(sized, old.negated, old.raised, None, old.doubled, old.shared)
    targets = {tile.array: tile for tile in sized.tiles if tile.array in joined.names.values()}
    parts, missing = list(core.parts), list(core.missing)
    if readout is not None:
        name, array, turned = readout
        parts.append(ParameterPart(targets[joined.names["V"]], _whole(name, array), turned))
        if bias is None:
            missing.append(joined.names["b_y"])
        else:
            parts.append(ParameterPart(targets[joined.names["b_y"]], _whole(*bias)))
    same = {one.name: getattr(core, one.name) for one in fields(Layout)}
    return same | {"candidate": candidate, "parts": tuple(parts), "missing": tuple(missing), "outputs": ()}


def describe_head(layout: JoinedLayout) -> str:
    """What stands behind the cell, in a line."""
    assert layout.joined is not None
    if not isinstance(layout, HeadedLayout):
        return f"behind it: {'; '.join(head.title for head in layout.joined.heads)}"
    target = layout.target
    held = "no targets" if target is None else f"targets {target.name} ({'indices' if target.indexed else 'values'})"
    when = "last step" if layout.last else "each step"
    reduced = layout.reduced[0] if layout.reduced else "the sum"
    return f"behind it: {layout.joined.head.title}, {held}, {when}, {reduced}"


def _whole(name: str, array: Array) -> Tile:
    return Tile(name, tuple(Span(0, length) for length in np.shape(array)))

"""How a callable holds a cell's parameters, states and outputs: which tile of which array is what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symrnn.arrays import Array, Arrays
from symrnn.errors import InputError
from symrnn.identification.candidates import Candidate
from symrnn.identification.frames import SequenceFrame, View
from symrnn.identification.tiles import Dims, Tile
from symrnn.language.recurrence import Cell


@dataclass(frozen=True)
class ParameterPart:
    """A tile of a parameter and the tile of the callable's array that holds it.

    Attributes:
        target: the tile of the cell's parameter; `target.array` is the parameter's name.
        source: the tile of the callable's array.
        transposed: whether the callable holds it transposed.
    """

    target: Tile
    source: Tile
    transposed: bool = False


@dataclass(frozen=True)
class StatePart:
    """A state and where the callable takes its initial value from; the batch is the tile's leading axis."""

    state: str
    source: Tile
    transposed: bool = False


@dataclass(frozen=True)
class OtherInput:
    """A further input of the cell, and the argument that it is.

    Attributes:
        input: the cell's name of it.
        frame: the argument, and what its axes are.
        binary: whether it is 0 or 1, as a mask is.
        dtype: the type of its numbers.
    """

    input: str
    frame: SequenceFrame
    binary: bool
    dtype: Any

    def own(self, values: Array) -> Array:
        """Values (T, N, ...) as the callable wants them."""
        return self.frame.own(values.reshape(*values.shape[:2], -1)).astype(self.dtype)


@dataclass(frozen=True)
class Output:
    """A piece of what the callable returns, and the state that it is."""

    state: str
    view: View


@dataclass(frozen=True)
class GradientPiece:
    """A piece of somebody's gradient, and the cell's term that it is the gradient of.

    Attributes:
        name: the cell's variable: "W_f", "b_f", "x", or "h_prev" for an initial state.
        label: how the piece is written in the caller's array: "W[:, 6:12]", or "W" for a whole array.
        array: the name of the caller's array.
        target: the tile of the parameter; None for the sequence and for states.
        value: the numbers in the cell's own orientation: in the tile's shape, (T, N, D) for the sequence, (N, ...) for
            a state.  Where all examples share an initial state, its gradient is their sum and N is 1.
    """

    name: str
    label: str
    array: str
    target: Tile | None
    value: Array


@dataclass(frozen=True)
class Layout:
    """How a callable holds a cell: which of its numbers are which of the cell's.

    Data, and what is read with it: `inverse` goes the other way, `resizing` changes sizes, `wording` says it in words.

    Attributes:
        candidate: the cell at the callable's sizes.
        frame: the array that is the sequence, and its axes.
        parts: where every piece of a parameter comes from; several pieces for one place are added (two biases).
        states: where the initial states come from; others are zero.
        outputs: which outputs are which states.
        missing: parameters, or pieces of them, that the callable does not have: zero.
        alike: groups of arrays' tiles that could change places without any change in the outputs.
        tied: whether tiles that look alike at first sight were told apart by trying.
        others: the inputs besides the sequence, where the cell has several.
        sequence: which input the sequence is; the first if empty.
    """

    candidate: Candidate
    frame: SequenceFrame
    parts: tuple[ParameterPart, ...]
    states: tuple[StatePart, ...]
    outputs: tuple[Output, ...] = ()
    missing: tuple[str, ...] = ()
    alike: tuple[tuple[Tile, ...], ...] = ()
    tied: bool = False
    others: tuple[OtherInput, ...] = ()
    sequence: str = ""

    @property
    def input(self) -> str:
        """The cell's input that is the sequence."""
        return self.sequence or self.cell.inputs[0]

    @property
    def cell(self) -> Cell:
        """The cell."""
        return self.candidate.cell

    @property
    def reference(self) -> str:
        """What `symrnn derive` is given to derive the cell."""
        return self.cell.name

    @property
    def sizes(self) -> Mapping[str, int]:
        """The cell's sizes by name."""
        return dict(self.candidate.sized.sizes)

    @property
    def names(self) -> tuple[str, ...]:
        """The callable's arrays that the layout reads, in no order that means anything."""
        sources = [*(part.source.array for part in self.parts), *(part.source.array for part in self.states)]
        return tuple(dict.fromkeys([self.frame.x, *(one.frame.x for one in self.others), *sources]))

    def params(self, inputs: Arrays) -> dict[str, Array]:
        """The cell's parameters, from the callable's arrays.

        Args:
            inputs: the callable's arrays by name.

        Raises:
            InputError: an array is missing or has another shape than the one that was identified.
        """
        shapes = self.candidate.sized.shapes
        dtype = np.result_type(*(np.asarray(self._array(inputs, part.source)) for part in self.parts), np.float32)
        arrays = {name: np.zeros(shapes[name], dtype) for name in self.cell.parameters}
        for part in self.parts:
            piece = part.source.read(self._array(inputs, part.source))
            part.target.add(arrays[part.target.array], piece.T if part.transposed else piece)
        adjusted = self.candidate.adjusted(arrays)
        return {name: np.asarray(array, dtype) for name, array in adjusted.items()}

    def x(self, inputs: Arrays) -> Array:
        """The sequence as (T, N, D); T or N is 1 where the callable has no such axis."""
        return self.frame.standard(inputs[self.frame.x])

    def state(self, inputs: Arrays) -> dict[str, Array]:
        """The initial states as (N, ...); zeros where the callable takes none."""
        batch = self.x(inputs).shape[1]
        shapes = self.candidate.sized.shapes
        found = {name: np.zeros((batch, *shapes[name])) for name in self.cell.states}
        for part in self.states:
            value = part.source.read(self._array(inputs, part.source))
            value = value if part.source.lead else np.broadcast_to(value, (batch, *np.shape(value)))
            found[part.state] = _turn(value, part.transposed).reshape(found[part.state].shape)
        return found

    def read(self, answer: Arrays) -> dict[str, dict[str, Array]]:
        """The outputs that are states: path -> state -> (steps, N, ...)."""
        found: dict[str, dict[str, Array]] = {}
        for output in self.outputs:
            value = output.view.read({output.view.tile.array: self._array(answer, output.view.tile)})
            shape = (*value.shape[:2], *self.candidate.sized.shapes[output.state])
            found.setdefault(output.view.tile.array, {})[output.state] = np.reshape(value, shape)
        return found

    def pieces(self, gradients: Arrays, inputs: Arrays) -> tuple[GradientPiece, ...]:
        """Gradients of the callable's arrays, cut into gradients of the cell's terms.

        If they are the true gradients of a loss, so are the pieces: signs that the callable turns round are turned
        back.  Where two arrays are added to one, the piece of each is the gradient of their sum; where one array is
        several of the cell's, its piece, under the name of the first, is the sum of their gradients.

        Args:
            gradients: gradients by the names of the callable's arrays, each with its array's shape; names that the
                layout does not read are passed over.
            inputs: the callable's arrays by name; only their shapes matter.

        Raises:
            InputError: a gradient has another shape than its array.
        """
        for name in gradients.keys() & set(self.names):
            if np.shape(gradients[name]) != np.shape(inputs[name]):
                shapes = f"{np.shape(gradients[name])}, the array {np.shape(inputs[name])}"
                raise InputError(f"the gradient of {name!r} has the shape {shapes}\n  give it the array's shape")
        found = []
        for part in (part for part in self.parts if part.source.array in gradients):
            value = _turn(part.source.read(self._array(gradients, part.source)), part.transposed)
            value = np.reshape(value, [len(span) for span in part.target.spans])
            value = value / self.candidate.sign(part.target.array)
            found.append(self._piece(part.target.array, part.source, part.target, value))
        if self.frame.x in gradients:
            x = self.frame.x
            found.append(GradientPiece(self.input, x, x, None, self.x(gradients)))
        for one in (one for one in self.others if one.frame.x in gradients):
            value = one.frame.standard(gradients[one.frame.x])
            value = value.reshape(*value.shape[:2], *self.candidate.sized.shapes[one.input])
            found.append(GradientPiece(one.input, one.frame.x, one.frame.x, None, value))
        for given in (given for given in self.states if given.source.array in gradients):
            value = _turn(given.source.read(self._array(gradients, given.source)), given.transposed)
            value = np.reshape(value, (-1, *self.candidate.sized.shapes[given.state]))
            found.append(self._piece(f"{given.state}_prev", given.source, None, value))
        return tuple(found)

    def _piece(self, name: str, source: Tile, target: Tile | None, value: Array) -> GradientPiece:
        return GradientPiece(name, source.label(self.shapes[source.array]), source.array, target, value)

    def cotangents(self, cotangents: Arrays, T: int, N: int) -> dict[str, dict[str, Array]]:
        """What cotangents of the callable's outputs are for the cell's states.

        Args:
            cotangents: an array for each output by its path, with the output's shape; paths that hold no state are
                passed over.
            T: the number of steps.
            N: the number of examples.

        Returns:
            Path -> state -> (T + 1, N, ...), the initial state first; zero where the output does not hold the state.
        """
        found: dict[str, dict[str, Array]] = {}
        known = [output for output in self.outputs if output.view.tile.array in cotangents]
        values = replace(self, outputs=tuple(known)).read(cotangents)
        for output in known:
            path, value = output.view.tile.array, values[output.view.tile.array][output.state]
            by_state = found.setdefault(path, {})
            place = output.view.expected(by_state.setdefault(output.state, np.zeros((T + 1, N, *value.shape[2:]))))
            if value.shape != place.shape:
                got = np.shape(cotangents[path])
                raise InputError(f"the cotangent of {path} has the shape {got}\n  expected {T} steps of {N} examples")
            place += value
        return found

    @property
    def sources(self) -> Mapping[str, Sequence[ParameterPart]]:
        """The callable's weight arrays, and the parts that they hold, in the order of their positions."""
        found: dict[str, list[ParameterPart]] = {}
        for part in self.parts:
            found.setdefault(part.source.array, []).append(part)
        return {name: sorted(parts, key=lambda part: part.source.spans) for name, parts in found.items()}

    @property
    def shapes(self) -> Mapping[str, Dims]:
        """The shapes of the arrays that the layout reads."""
        found = {self.frame.x: self.frame.shape, **{one.frame.x: one.frame.shape for one in self.others}}
        for tile in [*(part.source for part in self.parts), *(part.source for part in self.states)]:
            stops = [span.stop for span in tile.spans]
            found[tile.array] = tuple(np.maximum(found.get(tile.array, stops), stops).tolist())
        return found

    def _array(self, inputs: Arrays, tile: Tile) -> Array:
        if tile.array not in inputs:
            raise InputError(f"the layout needs the array {tile.array!r}\n  give the arrays that were identified")
        array = np.asarray(inputs[tile.array])
        own = [axis for axis in range(len(tile.spans)) if axis not in tile.lead]
        if array.ndim != len(tile.spans) or any(tile.spans[axis].stop > array.shape[axis] for axis in own):
            raise InputError(f"{tile.array!r} has the shape {array.shape}\n  that is not what was identified")
        return array


def _turn(value: Array, transposed: bool) -> Array:
    return np.swapaxes(value, -1, -2) if transposed and value.ndim > 1 else value

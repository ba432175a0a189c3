"""Any cell as somebody else's function: generated code behind a random layout.

Shapes, names, stacking, orientation, concatenation, biases, axes and outputs are drawn; what comes out knows nothing
of the cell's own names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from symrnn import Cell, generate
from symrnn.algebra.evaluate import at_sizes

Array = Any
Unpack = Callable[[Mapping[str, Array]], Array]

STACKINGS = ("separate", "rows", "columns", "axis", "alternating")
CONCATENATIONS = ("none", "[h; x]", "[x; h]")
BIASES = ("as in the cell", "two", "packed")
AXES = ("T N D", "N T D", "T D N", "N D", "D N", "T D", "D")
OUTPUTS = ("all", "all and last", "nested", "dict", "list", "reversed", "last")
T, N = 5, 3


@dataclass(frozen=True)
class Style:
    """One layout, as drawn."""

    stacking: str = "separate"
    concatenation: str = "none"
    biases: str = "as in the cell"
    transposed: bool = False
    axes: str = "T N D"
    outputs: str = "all and last"
    states: bool = True
    state_rows: bool = True
    opaque: bool = False

    def __str__(self) -> str:
        parts = [self.stacking, self.concatenation, self.biases, "x @ W" if self.transposed else "W @ x"]
        return ", ".join([*parts, self.axes, self.outputs, "states" if self.states else "no states"])


def draw_style(rng: np.random.Generator) -> Style:
    """A random layout."""
    axes = str(rng.choice(AXES, p=[0.3, 0.2, 0.1, 0.15, 0.1, 0.1, 0.05]))
    return Style(
        stacking=str(rng.choice(STACKINGS)),
        concatenation=str(rng.choice(CONCATENATIONS)),
        biases=str(rng.choice(BIASES)),
        transposed=bool(rng.integers(2)),
        axes=axes,
        outputs=str(rng.choice(OUTPUTS)),
        states="T" not in axes or bool(rng.integers(4)),
        state_rows=bool(rng.integers(2)),
        opaque=bool(rng.integers(2)),
    )


@dataclass
class Wrapped:
    """A cell as a function of arrays in some layout."""

    cell: Cell
    style: Style
    seed: int = 0
    sizes: Mapping[str, int] = field(default_factory=dict)
    T: int = T
    N: int = N
    inputs: dict[str, Array] = field(default_factory=dict)
    unpack: dict[str, Unpack] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.order = np.random.default_rng([self.seed, 0])  # the layout is the same at other sizes
        self.numbers = np.random.default_rng([self.seed, 1])
        names = iter(self.order.permutation([f"a{n}" for n in range(200)]).tolist())
        self._name: Callable[[str], str] = (lambda name: next(names)) if self.style.opaque else (lambda name: name)
        self.sizes = {**sizes_of(self.cell), **self.sizes}
        self._weights()
        self.x = self._put("x", self._x())
        self.states = {name: self._put(f"{name}0", self._state(name)) for name in self._given()}

    def forward(self, **inputs: Array) -> Any:
        """The cell, in this layout."""
        params = {name: unpack(inputs) for name, unpack in self.unpack.items()}
        x = self._standard(inputs[self.x])
        state = {name: np.zeros((x.shape[1], *self.shape(name))) for name in self.cell.states}
        for name, key in self.states.items():
            state[name] = self._standard_state(name, inputs[key])
        module = generated(self.cell)
        courses: dict[str, list[Array]] = {name: [] for name in state}
        for x_t in x:
            state = module.step(params, x_t, state)
            for name, value in state.items():
                courses[name].append(value)
        return self._outputs({name: np.stack(values) for name, values in courses.items()})

    def params(self) -> dict[str, Array]:
        """The cell's parameters, as the function reads them from its inputs."""
        return {name: unpack(self.inputs) for name, unpack in self.unpack.items()}

    def shape(self, name: str) -> tuple[int, ...]:
        rank = len(self.cell.shape_names(name))
        return tuple(int(at_sizes(dim, self.sizes)) for dim in self.cell[name].shape[:rank])

    # weights

    def _weights(self) -> None:
        self._todo = list(self.cell.parameters)
        if self.style.concatenation != "none":
            self._concatenated()
        groups: dict[tuple[int, ...], list[str]] = {}
        for name in self._todo:
            groups.setdefault(self.shape(name), []).append(name)
        for shape, names in groups.items():
            self._hold(names, {name: self._draw(shape) for name in names})

    def _concatenated(self) -> None:
        """Pairs of an input weight and a recurrent one, side by side; perhaps with their bias as a column."""
        d_h, d_x = self.sizes["d_h"], self.sizes.get("d_x", 0)
        inputs = [name for name in self._todo if self.cell.shape_names(name) == ("d_h", "d_x")]
        recurrent = [name for name in self._todo if self.cell.shape_names(name) == ("d_h", "d_h")]
        biases = [name for name in self._todo if self.shape(name) == (d_h,) and name.startswith("b")]
        if not inputs or len(inputs) != len(recurrent) or d_h == d_x:
            return
        packed = self.style.biases == "packed" and len(biases) == len(inputs)
        order = [recurrent, inputs] if self.style.concatenation == "[h; x]" else [inputs, recurrent]
        order += [biases] if packed else []
        parts = list(zip(*order, strict=True))
        wide = {}
        for group in parts:
            pieces = [self._draw(self.shape(name)).reshape(d_h, -1) for name in group]
            wide["".join(group)] = np.concatenate(pieces, axis=1)
        self._hold(list(wide), wide)
        for group in parts:
            whole = self.unpack.pop("".join(group))
            start = 0
            for name in group:
                width = self._draw(self.shape(name)).reshape(d_h, -1).shape[1]
                self.unpack[name] = _columns(whole, start, width, self.shape(name))
                start += width
                self._todo.remove(name)

    def _hold(self, names: list[str], values: Mapping[str, Array]) -> None:
        """Put arrays of one shape into the inputs: separate or stacked, in a random order, biases perhaps twice."""
        rank = values[names[0]].ndim
        turn = (lambda a: a.T) if self.style.transposed and rank == 2 else (lambda a: a)
        if self.style.stacking == "separate" or len(names) == 1 or rank == 0:
            for name in names:
                twice = self.style.biases == "two" and rank == 1 and name.startswith("b")
                keys = [self._put(name + end, turn(values[name])) for end in (("", "_too") if twice else ("",))]
                self.unpack[name] = _sum([_turned(key, turn) for key in keys])
            return
        order = self.order.permutation(names).tolist()
        twice = self.style.biases == "two" and rank == 1 and all(name.startswith("b") for name in names)
        axis = rank - 1 if self.style.transposed or self.style.stacking == "columns" else 0
        own = [turn(values[name]) for name in order]
        whole = _JOINS[self.style.stacking](own, axis)
        keys = [self._put("_".join(names) + end, whole) for end in (("", "_too") if twice else ("",))]
        for position, name in enumerate(order):
            self.unpack[name] = _sum([self._piece(key, position, len(order), axis, turn) for key in keys])

    def _piece(self, key: str, position: int, count: int, axis: int, turn: Callable[[Array], Array]) -> Unpack:
        take = _PIECES[self.style.stacking]
        return lambda arrays: turn(take(np.asarray(arrays[key]), position, count, axis))

    def _draw(self, shape: Sequence[int]) -> Array:
        return self.numbers.normal(size=tuple(shape)) / np.sqrt(max(1, *shape[-1:], 1))

    def _put(self, name: str, value: Array) -> str:
        key = self._name(name)
        self.inputs[key] = np.array(value)
        return key

    # data

    def _x(self) -> Array:
        lengths = {"T": self.T, "N": self.N, "D": self.shape(self.cell.inputs[0])[0]}
        return self.numbers.normal(size=[lengths[role] for role in self.style.axes.split()])

    def _standard(self, x: Array) -> Array:
        roles = self.style.axes.split()
        order = [roles.index(role) for role in "TND" if role in roles]
        x = np.asarray(x).transpose(order)
        for axis, role in enumerate("TND"):
            x = x if role in roles else np.expand_dims(x, axis)
        return x

    @property
    def _batched(self) -> bool:
        return "N" in self.style.axes

    def _given(self) -> tuple[str, ...]:
        return tuple(self.order.permutation(self.cell.states).tolist()) if self.style.states else ()

    def _state(self, name: str) -> Array:
        value = self.numbers.uniform(0.2, 1.0, ((self.N,) if self._batched else ()) + self.shape(name))
        return value if self.style.state_rows or not self._batched else np.moveaxis(value, 0, -1)

    def _standard_state(self, name: str, value: Array) -> Array:
        value = np.asarray(value)
        if not self._batched:
            return value[None]
        return value if self.style.state_rows else np.moveaxis(value, -1, 0)

    # outputs

    def _outputs(self, courses: Mapping[str, Array]) -> Any:
        """What the function returns; a time axis only where the sequence has one, a batch axis likewise."""
        own = {name: course if self._batched else course[:, 0] for name, course in courses.items()}
        last = {name: course[-1] for name, course in own.items()}
        h, *rest = self.cell.states
        if "T" not in self.style.axes:
            return last if self.style.outputs == "dict" else tuple(last[name] for name in (h, *rest))
        forms: Mapping[str, Callable[[], Any]] = {
            "all": lambda: np.moveaxis(own[h], 0, 1) if self._batched else own[h],
            "all and last": lambda: (own[h], *last.values()),
            "nested": lambda: (own[h], (last[h], [last[name] for name in rest])),
            "dict": lambda: {"outputs": own[h], "last": last},
            "list": lambda: list(own[h]),
            "reversed": lambda: (*[last[name] for name in (*rest, h)], own[h]),
            "last": lambda: last[h],
        }
        return forms[self.style.outputs]()


def sizes_of(cell: Cell) -> dict[str, int]:
    """A different number for every size, none of them T, N or T + 1."""
    known = {"d_x": 4, "d_h": 7}
    others = iter((8, 9, 10, 11))
    return {name: known.get(name) or next(others) for name in cell.sizes}


@cache
def generated(cell: Cell) -> Any:
    return generate(cell)


def _alternating(arrays: Sequence[Array], axis: int) -> Array:
    """Row k of every array, then row k + 1."""
    stacked = np.stack(arrays, axis=axis + 1)
    return stacked.reshape([n * len(arrays) if a == axis else n for a, n in enumerate(arrays[0].shape)])


_JOINS: Mapping[str, Callable[[Sequence[Array], int], Array]] = {
    "rows": np.concatenate,
    "columns": np.concatenate,
    "axis": lambda arrays, axis: np.stack(arrays),
    "alternating": _alternating,
}
_PIECES: Mapping[str, Callable[[Array, int, int, int], Array]] = {
    "rows": lambda whole, k, count, axis: np.split(whole, count, axis)[k],
    "columns": lambda whole, k, count, axis: np.split(whole, count, axis)[k],
    "axis": lambda whole, k, count, axis: whole[k],
    "alternating": lambda whole, k, count, axis: whole[(slice(None),) * axis + (slice(k, None, count),)],
}


def _turned(key: str, turn: Callable[[Array], Array]) -> Unpack:
    return lambda arrays: turn(np.asarray(arrays[key]))


def _sum(parts: list[Unpack]) -> Unpack:
    return lambda arrays: sum(part(arrays) for part in parts)


def _columns(whole: Unpack, start: int, width: int, shape: tuple[int, ...]) -> Unpack:
    return lambda arrays: whole(arrays)[:, start : start + width].reshape(shape)

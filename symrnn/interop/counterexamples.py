"""Numbers that no weights of another cell can reproduce.

Each function runs a cell's own definition at weights chosen for the purpose, and says of the outputs what holds for no
weights whatever of the other cell.  The weights are chosen; the outputs are computed when asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from symrnn import cells
from symrnn.arrays import Array
from symrnn.language.recurrence import Cell


@dataclass(frozen=True)
class TellingOutputs:
    """Outputs of one cell that another cannot give.

    Attributes:
        cell: the cell that was run.
        setting: its weights and what was varied, in words.
        points: where it was run: the varied number.
        values: the outputs there, one row per observed entry.
        bound: what holds for every choice of the other cell's weights.
        holds: the outputs contradict the bound.
    """

    cell: str
    setting: str
    points: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]
    bound: str
    holds: bool

    def __str__(self) -> str:
        rows = [
            "  ".join(f"{point:g}: {value:+.4f}" for point, value in zip(self.points, row, strict=True))
            for row in self.values
        ]
        return "\n".join([f"{self.cell}, {self.setting}:", *(f"  {row}" for row in rows), f"but {self.bound}"])


def _make_zeros(cell: Cell, units: int) -> dict[str, Array]:
    # Everything that is not set is zero, so that the sentence about the outputs can be checked by hand.
    sizes = {"d_x": 1, "d_h": units, "d_c": units}
    return {name: np.zeros([sizes[size] for size in cell.shape_names(name)]) for name in cell.parameters}


def _run_step(cell: Cell, params: Mapping[str, Array], x: float, **states: Any) -> dict[str, Array]:
    """The states after one step."""
    new = cell.definition(np.array([x]), *(np.asarray(states[s], float) for s in cell.states), **params)
    return dict(zip(cell.states, new if isinstance(new, tuple) else (new,), strict=True))


def _count_turns(values: Array) -> int:
    """How often the sign changes along the last axis."""
    return int((np.diff(np.sign(values)) != 0).sum())


def _reset_after_into_before(name: str) -> TellingOutputs:
    """Units 1 and 2 at zero, unit 3 at 1: each candidate is tanh(line in x + reset gate * constant).

    After the product, every unit has its own reset gate; before it, units 1 and 2 see unit 3 through its one gate.
    A line plus a multiple of a sigmoid has three zeros only if the sigmoid's centre lies between the outer two (its
    second derivative changes sign there and nowhere else).
    """
    cell = cells.lookup(name)
    params = _make_zeros(cell, 3)
    # Large numbers: a gate is open or shut between the points, so that no rounding decides a sign.
    params["W_n"][:2, 0], params["b_n"][:2] = 1.0, [-20.0 + 5.0, 20.0 + 5.0]
    params["U_n"][:2, 2] = -10.0
    params["W_r"][:2, 0], params["b_r"][:2] = 5.0, [-100.0, 100.0]
    points = (-28.0, -22.0, -18.0, -12.0, 12.0, 18.0, 22.0, 28.0)
    values = np.array([_run_step(cell, params, x, h=[0, 0, 1])["h"][:2] for x in points]).T
    bound = (
        "with the reset before the product h_1 and h_2 depend on the third unit through one reset gate; each can\n"
        "  change its sign three times along x only around that gate's centre, which cannot be near -20 and near 20"
    )
    # Each unit turns on its own half of the points, around 20 and around -20.
    holds = _count_turns(values[0, 4:]) == 3 and _count_turns(values[1, :4]) == 3
    return TellingOutputs(name, "h_prev = (0, 0, 1), x varied: h_1 and h_2", points, _rows(values), bound, holds)


def _reset_before_into_after(name: str) -> TellingOutputs:
    """Unit 1 at zero, units 2 and 3 at s: the candidate is tanh(a sum of two gated terms) against a single one.

    constant + sigmoid(line) * line = 0 means a line equal to a convex function, which has at most two solutions.
    """
    cell = cells.lookup(name)
    params = _make_zeros(cell, 3)
    params["U_n"][0, 1:] = [20.0, -10.0]
    params["U_r"][1, 1], params["b_r"][1] = 1.0, -2.7
    params["U_r"][2, 2] = 2.0
    points = (-4.0, -1.0, 1.0, 4.0)
    values = np.array([_run_step(cell, params, 0.0, h=[0, s, s])["h"][:1] for s in points]).T
    bound = (
        "with the reset after the product h_1 has the sign of constant + gate(s) * line(s) here, which changes\n"
        "  at most twice along s whatever the weights"
    )
    return TellingOutputs(
        name, "x = 0, h_prev = (0, s, s), s varied: h_1", points, _rows(values), bound, _count_turns(values) > 2
    )


def _inner_bias(name: str) -> TellingOutputs:
    """At h_prev = 0 the candidate is tanh(line in x), unless a bias stands inside the reset."""
    cell = cells.lookup(name)
    params = _make_zeros(cell, 1)
    gate = "r" if "W_r" in params else "f"
    params["W_n"][...], params["b_n"][...], params["c_n"][...] = 1.0, 5.0, -10.0
    params[f"W_{gate}"][...] = 5.0
    points = (-8.0, -2.0, 2.0, 8.0)
    values = np.array([_run_step(cell, params, x, h=[0])["h"] for x in points]).T
    bound = "without the bias c_n inside the reset h has the sign of a line in x here, which changes at most once"
    return TellingOutputs(name, "h_prev = 0, x varied: h", points, _rows(values), bound, _count_turns(values) > 1)


def _peepholes(name: str) -> TellingOutputs:
    """c_t as a function of c_{t-1}: a line without peepholes."""
    cell = cells.lookup(name)
    params = _make_zeros(cell, 1)
    params["p_f"][...] = 1.0
    points = (-2.0, 0.0, 2.0)
    values = np.array([_run_step(cell, params, 0.0, h=[0], c=[c])["c"] for c in points]).T
    bend = float(values[0, 0] - 2 * values[0, 1] + values[0, 2])
    bound = f"without peepholes c_t is a line in c_(t-1), for given x and h; these differ from one by {bend:.4f}"
    # Rounding bends a line by some 1e-16.
    return TellingOutputs(name, "x = 0, h_prev = 0, c_prev varied: c", points, _rows(values), bound, abs(bend) > 0.1)


def _projection(name: str) -> TellingOutputs:
    """An output beyond 1."""
    cell = cells.lookup(name)
    params = _make_zeros(cell, 1)
    params["W_h"][...], params["W_o"][...] = 3.0, 1.0
    points = (4.0,)
    values = np.array([_run_step(cell, params, x, h=[0], c=[4.0])["h"] for x in points]).T
    bound = "without the projection |h| = |o tanh(c)| < 1"
    return TellingOutputs(
        name, "W_h = 3, c_prev = 4, h_prev = 0, x varied: h", points, _rows(values), bound, values[0, 0] > 1
    )


def _relu_into_tanh(name: str) -> TellingOutputs:
    values = _line(name, points := (1.0, 3.0))
    bound = "tanh never leaves the interval from -1 to 1"
    return TellingOutputs(name, "W = 1, h_prev = 0, x varied: h", points, _rows(values), bound, bool(values.max() > 1))


def _tanh_into_relu(name: str) -> TellingOutputs:
    values = _line(name, points := (-1.0, 1.0))
    bound = "relu is never negative"
    return TellingOutputs(name, "W = 1, h_prev = 0, x varied: h", points, _rows(values), bound, bool(values.min() < 0))


def _line(name: str, points: tuple[float, ...]) -> Array:
    cell = cells.lookup(name)
    params = _make_zeros(cell, 1)
    params["W"][...] = 1.0
    return np.array([_run_step(cell, params, x, h=[0])["h"] for x in points]).T


def _rows(values: Array) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(value) for value in row) for row in values)


OBSTRUCTIONS: Mapping[tuple[str, str], Callable[[str], TellingOutputs]] = MappingProxyType(
    {
        ("gru, reset after the product", "gru, reset before the product"): _reset_after_into_before,
        ("gru, reset before the product", "gru, reset after the product"): _reset_before_into_after,
        ("rnn with relu", "rnn with tanh"): _relu_into_tanh,
        ("rnn with tanh", "rnn with relu"): _tanh_into_relu,
        ("lost", "p"): _peepholes,
        ("lost", "W"): _projection,
        ("lost", "c"): _inner_bias,
    }
)
"""What stands in the way of a map -> the counterexample, for the name of the cell that has no image.

The keys are two functions of `symrnn.interop.forms`, or "lost" and the letter of a parameter without a place.
"""

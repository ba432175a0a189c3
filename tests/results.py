"""One result of every public function, and of every kind that it gives."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

import symrnn
from symrnn import Cell, cells, generate, interop
from symrnn.targets.generation import STANDARD

OWN = "def own(x, h, *, W, U, b):\n    h = tanh(W @ x + U @ h + b)\n    return h\n"


def forward(x: Any, W: Any, U: Any, b: Any, h0: Any) -> Any:
    h, out = h0, []
    for step in x:
        h = np.tanh(step @ W.T + h @ U.T + b)
        out.append(h)
    return np.array(out)


def inputs() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    shapes = {"x": (3, 2, 4), "W": (5, 4), "U": (5, 5), "b": 5, "h0": (2, 5)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def wrong_backward(dy: Any, x: Any, W: Any, U: Any, b: Any, h0: Any) -> Any:
    return [np.zeros_like(one) for one in (x, W, U, b, h0)]


RESULTS: dict[str, Callable[[], Any]] = {
    "a cell": lambda: cells.lstm,
    "a cell of ones own": lambda: Cell.from_source(OWN),
    "derive": lambda: symrnn.derive("mlstm"),
    "derive, a step": lambda: symrnn.derive("lstm").steps[3],
    "equations": lambda: cells.gru.equations,
    "jacobian": lambda: symrnn.jacobian("gru", "h", "h_prev"),
    "parameter_jacobian": lambda: symrnn.parameter_jacobian("gru", "h", "W_z"),
    "paths": lambda: symrnn.paths("lstm", "c", "h_prev"),
    "tangent": lambda: symrnn.tangent("lstm"),
    "second_order": lambda: symrnn.second_order("gru"),
    "rtrl": lambda: symrnn.rtrl("rnn"),
    "truncated": lambda: symrnn.truncated("rnn", 2, 3),
    "through_time": lambda: symrnn.through_time("lstm", "h", "h_prev", 3),
    "explicit": lambda: cells.rnn.explicit(2, 1),
    "verify": lambda: symrnn.verify("rnn"),
    "draw": lambda: symrnn.draw("gru"),
    "stack": lambda: symrnn.stack("gru", 2),
    "diff": lambda: symrnn.diff("gru", "gru_reset_after"),
    "equivalent": lambda: symrnn.equivalent("lstm", "lstm_two_biases"),
    "equivalent, not": lambda: symrnn.equivalent("rnn", "rnn_relu"),
    "prove": lambda: symrnn.prove("dc_prev == dc * f", "lstm"),
    "prove, refuted": lambda: symrnn.prove("dc_prev == dc * i", "lstm"),
    "theorems": lambda: symrnn.theorems("gru"),
    "identify": lambda: symrnn.identify(forward, inputs(), among=["rnn", "gru"]),
    "check_gradients": lambda: symrnn.check_gradients(forward, wrong_backward, inputs(), cell="rnn"),
    "interop.explain": lambda: interop.explain("torch", "keras", "gru"),
    "interop.load": lambda: interop.load("torch", torch_rnn(), "rnn"),
    "a convention": lambda: interop.CONVENTIONS[0],
    "Notation": lambda: symrnn.printers.NOTATIONS["bold"],
    "generate": lambda: generate("lstm", functions=["jvp"]),
    **{f"generate, {name}": lambda name=name: getattr(generate("gru"), name) for name in STANDARD},
}


def torch_rnn() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    shapes = {"weight_ih_l0": (6, 4), "weight_hh_l0": (6, 6), "bias_ih_l0": 6, "bias_hh_l0": 6}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


@cache
def result(name: str) -> Any:
    """A result, made once."""
    return RESULTS[name]()

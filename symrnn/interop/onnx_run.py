"""An ONNX recurrent node, run with generated code: what surrounds the cell in ONNX, and nothing of the cell itself.

Directions, the batch-first layout, sequence lengths, initial states and the defaults of missing inputs are the node's;
the cell comes from the weights by `load`, its code from `generate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

from symrnn import cells
from symrnn.arrays import Array
from symrnn.errors import InputError
from symrnn.interop.onnx_activations import Chosen, texts, with_activations
from symrnn.interop.transfer import load
from symrnn.targets.generation import Module, generate

DIRECTIONS: Mapping[str, tuple[bool, ...]] = MappingProxyType(
    {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}
)
"""The attribute -> for each direction, whether it runs backwards."""

_ACTIVATIONS = {"RNN": ("Tanh",), "GRU": ("Sigmoid", "Tanh"), "LSTM": ("Sigmoid", "Tanh", "Tanh")}
# Attributes that may be given where they change nothing; any other value is refused, not ignored.
_NEUTRAL = {"clip": None, "input_forget": 0}
_SHAPING = {"activations", "activation_alpha", "activation_beta"}
_KNOWN = {"direction", "hidden_size", "layout", "linear_before_reset", *_SHAPING, *_NEUTRAL}


@cache
def _module(name: str, chosen: Chosen) -> Module:
    cell = cells.lookup(name)
    return generate(with_activations(cell, chosen) if chosen else cell)


def run_node(
    op: str, inputs: Mapping[str, Array], attributes: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, Array]:
    """The outputs of an ONNX RNN, GRU or LSTM node.

    Args:
        op: the operator.
        inputs: the node's inputs by the names in ONNX's text: X, W, R and, where present, B, P, sequence_lens,
            initial_h, initial_c.
        attributes: the node's attributes.

    Returns:
        Y, Y_h and for an LSTM Y_c.  After the end of a shorter sequence Y is zero, and Y_h is the state at its end; a
        reversed direction reverses each sequence within its length.  A sequence of length 0 keeps its initial state.

    Raises:
        InputError: an attribute asks for what no cell of the table computes (clip, input_forget, unknown activations).
    """
    kind, chosen = _kind(op, inputs, attributes)
    flags = DIRECTIONS[attributes.get("direction", "forward")]
    weights = {name: inputs[name] for name in "WRBP" if name in inputs}
    first = attributes.get("layout", 0)
    x = np.swapaxes(inputs["X"], 0, 1) if first else np.asarray(inputs["X"])
    lengths = np.asarray(inputs.get("sequence_lens", np.full(x.shape[1], len(x))))
    if weights["W"].shape[0] != len(flags):
        raise InputError(f"{op}: direction with {len(flags)} parts, and W has shape {weights['W'].shape}")
    outputs, finals = [], []
    for number, backwards in enumerate(flags):
        loaded = load("onnx", weights, kind, reverse=bool(number))
        starts = {s: inputs.get(f"initial_{s}") for s in loaded.cell.states}
        state = {s: _start(value, number, first, x, weights) for s, value in starts.items()}
        h, final = _one_direction(
            _module(loaded.cell.name, chosen[number]), loaded.params, x, lengths, state, backwards
        )
        outputs.append(h)
        finals.append(final)
    results = {"Y": np.stack(outputs, axis=1)} | {f"Y_{s}": np.stack([final[s] for final in finals]) for s in finals[0]}
    if first:
        # The batch is the last axis but one of every output.
        results = {name: np.moveaxis(value, -2, 0) for name, value in results.items()}
    return results


def _kind(op: str, inputs: Mapping[str, Array], attributes: Mapping[str, Any]) -> tuple[str, tuple[Chosen, ...]]:
    """The cell, and for each direction what stands in place of its functions: nothing where these are its own."""
    unknown = sorted(set(attributes) - _KNOWN)
    asked = [name for name, value in _NEUTRAL.items() if attributes.get(name, value) != value]
    if op not in _ACTIVATIONS or unknown or asked:
        raise InputError(
            f"no cell of the table computes this {op} node: {', '.join(asked or unknown) or 'unknown operator'}"
        )
    count = len(DIRECTIONS[attributes.get("direction", "forward")])
    activations = tuple(attributes.get("activations", _ACTIVATIONS[op] * count))
    relu = op == "RNN" and activations == ("Relu",) * count
    chosen: tuple[Chosen, ...] = ((),) * count
    if activations != _ACTIVATIONS[op] * count and not relu:
        scales = (attributes.get(name) or () for name in ("activation_alpha", "activation_beta"))
        found = texts(activations, *scales)
        if found is None or len(found) != len(_ACTIVATIONS[op]) * count:
            raise InputError(f"no cell of the table computes this {op} node: activations={activations}")
        each = len(_ACTIVATIONS[op])
        chosen = tuple(found[number * each : (number + 1) * each] for number in range(count))
    kinds = {
        "RNN": "rnn_relu" if relu else "rnn",
        "GRU": "gru_reset_after" if attributes.get("linear_before_reset") else "gru_reset_before",
        "LSTM": "lstm_peephole" if "P" in inputs else "lstm",
    }
    return kinds[op], chosen


def _start(value: Array | None, number: int, first: int, x: Array, weights: Mapping[str, Array]) -> Array:
    """One direction's initial state, (N, d_h)."""
    if value is None:
        return np.zeros((x.shape[1], weights["R"].shape[-1]), x.dtype)
    return value[:, number] if first else value[number]


def _one_direction(
    module: Module,
    params: Mapping[str, Array],
    x: Array,
    lengths: Array,
    state: Mapping[str, Array],
    backwards: bool,
) -> tuple[Array, dict[str, Array]]:
    """The outputs (T, N, d_h), zero after each sequence's end, and the states at the ends."""
    # What a sequence without steps ends with.
    final = {name: value.copy() for name, value in state.items()}
    h = np.zeros((*x.shape[:2], final["h"].shape[-1]), x.dtype)
    for length in np.unique(lengths[lengths > 0]):  # sequences of the same length run together
        chosen = np.flatnonzero(lengths == length)
        part = x[:length, chosen][::-1] if backwards else x[:length, chosen]
        y, end, _ = module.forward(params, part, {name: value[chosen] for name, value in state.items()})
        h[:length, chosen] = y[::-1] if backwards else y
        for name, value in end.items():
            final[name][chosen] = value
    return h, final

"""Weights to and from ONNX's operators, against ONNX's own reference evaluator and its node tests."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from symrnn import cells, generate
from symrnn.interop import dump, load
from symrnn.interop.arrays import put_together
from symrnn.interop.conventions import rows
from symrnn.interop.onnx_run import run_node
from tests.peers.agreement import SIZES, Answer, Case, D, H, N, T, assert_agrees, assert_close

pytestmark = pytest.mark.peer
onnx = pytest.importorskip("onnx", reason="ONNX is not installed; it comes with the extra 'peers'")

INPUTS = {
    "RNN": ["X", "W", "R", "B", "sequence_lens", "initial_h"],
    "GRU": ["X", "W", "R", "B", "sequence_lens", "initial_h"],
    "LSTM": ["X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"],
}
NODES: dict[str, tuple[str, dict[str, Any]]] = {
    "rnn": ("RNN", {}),
    "lstm": ("LSTM", {}),
    "lstm_peephole": ("LSTM", {}),
    "gru_reset_before": ("GRU", {}),
    "gru_reset_after": ("GRU", {"linear_before_reset": 1}),
}


@cache
def session(kind: str) -> Any:
    """ONNX's evaluator for one node with every input but the lengths."""
    op, attributes = NODES[kind]
    names = [name for name in INPUTS[op] if name != "P" or kind == "lstm_peephole"]
    slots = [name if name != "sequence_lens" else "" for name in names]
    outputs = ["Y", "Y_h", "Y_c"] if op == "LSTM" else ["Y", "Y_h"]
    helper = onnx.helper
    node = helper.make_node(op, slots, outputs, hidden_size=H, **attributes)
    kind_of = onnx.TensorProto.DOUBLE
    graph = helper.make_graph(
        [node],
        "layer",
        [helper.make_tensor_value_info(name, kind_of, None) for name in slots if name],
        [helper.make_tensor_value_info(name, kind_of, None) for name in outputs],
    )
    from onnx.reference import ReferenceEvaluator

    return ReferenceEvaluator(helper.make_model(graph))


def evaluate(kind: str, given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    op, _ = NODES[kind]
    outputs = ["Y", "Y_h", "Y_c"] if op == "LSTM" else ["Y", "Y_h"]
    return dict(zip(outputs, session(kind).run(outputs, given), strict=True))


def run(kind: str, weights: dict[str, np.ndarray], case: Case) -> Answer:
    """The evaluator takes complex numbers: a complex step in every entry of every input gives exact gradients."""
    given = {"X": case.x} | weights | {f"initial_{s}": value[None] for s, value in case.start.items()}

    def loss(values: dict[str, np.ndarray]) -> Any:
        out = evaluate(kind, values)
        return (out["Y"][:, 0] * case.h_bar).sum() + sum(
            (out[f"Y_{s}"][0] * bar).sum() for s, bar in case.end_bar.items()
        )

    grads = {name: np.empty_like(value) for name, value in given.items()}
    complex_given = {name: value.astype(complex) for name, value in given.items()}
    for name, value in complex_given.items():
        for place in np.ndindex(value.shape):
            moved = value.copy()
            moved[place] += 1e-40j
            grads[name][place] = loss(complex_given | {name: moved}).imag / 1e-40
    out = evaluate(kind, given)
    return Answer(
        out["Y"][:, 0],
        {s: out[f"Y_{s}"][0] for s in case.start},
        {name: grads[name] for name in weights},
        grads["X"],
        {s: grads[f"initial_{s}"][0] for s in case.start},
    )


@pytest.mark.parametrize("kind", NODES)
def test_outputs_and_gradients(kind: str) -> None:
    assert_agrees("onnx", kind, run)


def test_relu_differs_from_tanh_in_the_attribute_only() -> None:
    """The evaluator refuses `activations=["Relu"]`, so that row is compared with the formula."""
    rng = np.random.default_rng(1)
    x, w, r, b = (rng.standard_normal(shape) for shape in [(T, N, D), (1, H, D), (1, H, H), (1, 2 * H)])
    h, expected = np.zeros((N, H)), []
    for x_t in x:
        h = np.maximum(x_t @ w[0].T + h @ r[0].T + b[0, :H] + b[0, H:], 0)
        expected.append(h)
    out = run_node("RNN", {"X": x, "W": w, "R": r, "B": b}, {"activations": ["Relu"]})
    assert_close("Y", out["Y"][:, 0], np.stack(expected), 1e-12)


# --- ONNX's node tests ------------------------------------------------------------------------------------------------


@cache
def node_tests() -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other operators' generators overflow and divide by zero on purpose
        from onnx.backend.test.case.node import collect_testcases

        found = collect_testcases(None)
    return {c.name: c for c in found if [node.op_type for node in c.model.graph.node] in (["RNN"], ["GRU"], ["LSTM"])}


NAMES = [
    *"test_lstm_defaults test_lstm_with_initial_bias test_lstm_with_peepholes test_lstm_batchwise".split(),
    *"test_lstm_reverse test_lstm_bidirectional test_gru_defaults test_gru_with_initial_bias".split(),
    *"test_gru_seq_length test_gru_batchwise test_gru_reverse test_gru_bidirectional".split(),
    *"test_simple_rnn_defaults test_simple_rnn_with_initial_bias test_rnn_seq_length".split(),
    *"test_simple_rnn_batchwise test_simple_rnn_reverse test_simple_rnn_bidirectional".split(),
]


def read_node(case: Any) -> tuple[str, dict[str, np.ndarray], dict[str, Any], dict[str, np.ndarray]]:
    """The operator, its inputs and attributes by ONNX's names, and the expected outputs."""
    node = case.model.graph.node[0]
    ((inputs, outputs),) = case.data_sets
    given = dict(zip([name for name in node.input if name], inputs, strict=True))
    wanted = dict(zip([name for name in node.output if name], outputs, strict=True))
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    return node.op_type, given, {k: v.decode() if isinstance(v, bytes) else v for k, v in attributes.items()}, wanted


def test_the_list_of_node_tests_is_complete() -> None:
    assert sorted(node_tests()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_node(name: str) -> None:
    op, given, attributes, wanted = read_node(node_tests()[name])
    out = run_node(op, given, attributes)
    for key, value in wanted.items():
        assert out[key].dtype == value.dtype
        assert out[key].shape == value.shape
        np.testing.assert_allclose(out[key], value, rtol=1e-3, atol=1e-7, err_msg=key)  # ONNX's own tolerance


# --- what the node tests miss -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("layout", [0, 1])
@pytest.mark.parametrize("op", INPUTS)
def test_directions_and_layouts_with_everything_random(op: str, layout: int, direction: str) -> None:
    rng = np.random.default_rng(3)
    count, gates = 1 + (direction == "bidirectional"), {"RNN": 1, "GRU": 3, "LSTM": 4}[op]
    shapes = {
        "X": (T, N, D),
        "W": (count, gates * H, D),
        "R": (count, gates * H, H),
        "B": (count, 2 * gates * H),
        "initial_h": (count, N, H),
        "initial_c": (count, N, H),
        "P": (count, 3 * H),
    }
    given = {name: rng.standard_normal(shapes[name]) for name in INPUTS[op] if name in shapes}
    if layout:
        given |= {name: np.swapaxes(given[name], 0, 1) for name in given if name in ("X", "initial_h", "initial_c")}
    attributes = {"direction": direction, "layout": layout}
    helper = onnx.helper
    outputs = ["Y", "Y_h", "Y_c"] if op == "LSTM" else ["Y", "Y_h"]
    node = helper.make_node(
        op, [name if name in given else "" for name in INPUTS[op]], outputs, hidden_size=H, **attributes
    )
    double = onnx.TensorProto.DOUBLE
    values = [[helper.make_tensor_value_info(name, double, None) for name in names] for names in (given, outputs)]
    from onnx.reference import ReferenceEvaluator

    model = helper.make_model(helper.make_graph([node], "layer", *values))
    expected = ReferenceEvaluator(model).run(outputs, given)
    out = run_node(op, given, attributes)
    for name, value in zip(outputs, expected, strict=True):
        assert_close(name, out[name], value, 1e-12)


@pytest.mark.parametrize("op", INPUTS)
@pytest.mark.parametrize("backwards", [False, True])
def test_sequence_lengths(op: str, backwards: bool) -> None:
    """Each sequence as if it were alone; ONNX's evaluator ignores the lengths, so it runs them one by one."""
    rng = np.random.default_rng(4)
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[op]
    kind = {"RNN": "rnn", "GRU": "gru_reset_before", "LSTM": "lstm_peephole"}[op]
    shapes = {"X": (T, N, D), "W": (1, gates * H, D), "R": (1, gates * H, H), "B": (1, 2 * gates * H)}
    given = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    more = ["initial_h", "initial_c"] if op == "LSTM" else ["initial_h"]
    given |= {name: rng.standard_normal((1, N, H)) for name in more}
    if op == "LSTM":
        given["P"] = rng.standard_normal((1, 3 * H))
    lengths = np.array([3, T, 0])
    attributes = {"direction": "reverse" if backwards else "forward"}
    out = run_node(op, given | {"sequence_lens": lengths}, attributes)
    assert not out["Y"][:, 0, 2].any()
    np.testing.assert_array_equal(out["Y_h"][0, 2], given["initial_h"][0, 2])
    for n, length in [(0, 3), (1, T)]:
        part = given["X"][:length, n : n + 1]
        alone = given | {"X": part[::-1] if backwards else part} | {name: given[name][:, n : n + 1] for name in more}
        expected = evaluate(kind, alone)
        y = expected["Y"][::-1] if backwards else expected["Y"]
        assert_close("Y", out["Y"][:length, :, n], y[:, :, 0], 1e-12)
        assert not out["Y"][length:, :, n].any()
        assert_close("Y_h", out["Y_h"][:, n], expected["Y_h"][:, 0], 1e-12)


def mutants(kind: str) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Random weights, written with every other order of the gates, and with the recurrent bias left out."""
    row = rows("onnx", kind)[0]
    rng = np.random.default_rng(5)
    params = {
        n: rng.standard_normal([SIZES[s] for s in cells[row.cell].shape_names(n)]) for n in cells[row.cell].parameters
    }
    for order in itertools.permutations(row.gates):
        change = dict(zip(row.gates, order, strict=True))

        def renamed(name: str, change: dict[str, str] = change) -> str:
            side, _, gate = name.partition("_")
            return f"{side}_{change[gate]}" if gate and side != "p" else name

        entries = [replace(e, blocks=tuple(tuple(renamed(n) for n in line) for line in e.blocks)) for e in row.entries]
        yield "".join(order), {entry.name: put_together(entry, params)[None] for entry in entries}
    silent = {name: value * (not name.startswith("c")) for name, value in params.items()}
    yield "no recurrent bias", dump("onnx", row.cell, silent, kind)


@pytest.mark.parametrize("kind", NODES)
def test_wrong_gate_orders_and_a_lost_bias_are_seen(kind: str) -> None:
    rng = np.random.default_rng(6)
    written = dict(mutants(kind))
    right = "".join(rows("onnx", kind)[0].gates)
    loaded = load("onnx", written[right], kind)
    case = {"X": rng.standard_normal((T, N, D))} | {
        f"initial_{s}": rng.standard_normal((1, N, H)) for s in loaded.cell.states
    }
    state = {s: case[f"initial_{s}"][0] for s in loaded.cell.states}
    ours, _, _ = generate(loaded.cell).forward(loaded.params, case["X"], state)
    for name, weights in written.items():
        error = np.abs(evaluate(kind, case | weights)["Y"][:, 0] - ours).max()
        assert error < 1e-12 if name == right else error > 0.05, f"{name}: {error:.2e}"

"""`check_gradients` from outside: a verdict, the mistake, its line, and what the inputs could not show."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symrnn import cells, check_gradients, exposing_inputs, identify
from symrnn.errors import InputError, SymrnnError
from symrnn.findings.findings import Verdict
from symrnn.language import read_cell
from tests.diagnosis.corpus import load

Array = np.ndarray
RIGHT = ("lstm_torch", "gru_cho", "rnn_batch_first", "lstm_step")


def sigmoid(a: Array) -> Array:
    return 1 / (1 + np.exp(-a))


def lstm_forward(x: Array, h0: Array, c0: Array, W: Array, U: Array, b: Array) -> Any:
    h, c, hs, kept = h0, c0, [], []
    for x_t in x:
        i, f, o, g = np.split(x_t @ W + h @ U + b, 4, axis=1)
        i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
        before, c = (h, c), f * c + i * g
        h = o * np.tanh(c)
        kept.append((x_t, *before, i, f, o, g, c))
        hs.append(h)
    return np.stack(hs), c, (kept, W, U)


def lstm_backward(dhs: Array, dc: Array, cache: Any) -> tuple[Array, ...]:
    kept, W, U = cache
    dW, dU, db, dx, dh = np.zeros_like(W), np.zeros_like(U), np.zeros(len(U) * 4), [], 0
    for t in reversed(range(len(kept))):
        x_t, h, c_prev, i, f, o, g, c = kept[t]
        dh = dh + dhs[t]
        do = dh * np.tanh(c)
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        da_i = dc * g * i * (1 - i)
        da_f = dc * c_prev * f * (1 - f)
        da_g = dc * i * (1 - g**2)
        da = np.concatenate([da_i, da_f, do * o * (1 - o), da_g], axis=1)
        dW += x_t.T @ da
        dU += h.T @ da
        db += da.sum(axis=0)
        dx.append(da @ W.T)
        dh, dc = da @ U.T, dc * f
    return np.stack(dx[::-1]), dh, dc, dW, dU, db


def without_slope(dhs: Array, dc: Array, cache: Any) -> tuple[Array, ...]:
    kept, W, U = cache
    dW, dU, db, dx, dh = np.zeros_like(W), np.zeros_like(U), np.zeros(len(U) * 4), [], 0
    for t in reversed(range(len(kept))):
        x_t, h, c_prev, i, f, o, g, c = kept[t]
        dh = dh + dhs[t]
        do = dh * np.tanh(c)
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        da_i = dc * g * i
        da_f = dc * c_prev * f * (1 - f)
        da_g = dc * i * (1 - g**2)
        da = np.concatenate([da_i, da_f, do * o * (1 - o), da_g], axis=1)
        dW += x_t.T @ da
        dU += h.T @ da
        db += da.sum(axis=0)
        dx.append(da @ W.T)
        dh, dc = da @ U.T, dc * f
    return np.stack(dx[::-1]), dh, dc, dW, dU, db


def inputs(T: int = 5, N: int = 3, D: int = 4, H: int = 6, seed: int = 0) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    shapes = {"x": (T, N, D), "h0": (N, H), "c0": (N, H), "W": (D, 4 * H), "U": (H, 4 * H), "b": (4 * H,)}
    return {name: rng.normal(size=shape) / np.sqrt(shape[0]) for name, shape in shapes.items()}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_implementation_is_right_and_gets_no_diagnosis(name: str) -> None:
    implementation = load(name)
    report = check_gradients(implementation.forward, implementation.backward, implementation.make_inputs)
    assert report.passed, report
    assert not report.diagnoses
    assert not report.blind_spots
    assert not report.unexplained


def test_the_mistake_is_named_with_equation_and_line() -> None:
    report = check_gradients(lstm_forward, without_slope, inputs())
    assert not report.passed
    assert report.cell == "lstm"
    (found,) = report.diagnoses
    assert found.mistake == "wrong-derivative"
    assert found.equation == 14
    assert "δa_{i,t} = δi_t ⊙ i_t ⊙ (1 - i_t) loses the factor (1 - i_t)" in found.sentence
    assert found.agreement < 1e-12
    assert found.exact
    assert found.line is not None
    assert found.line.text.strip() == "da_i = dc * g * i"
    assert found.line.file == "test_check.py"
    assert {name.split("[")[0] for name in found.gradients} >= {"W", "U", "b"}
    assert not report.unexplained


def test_the_cell_may_be_named_or_identified_before() -> None:
    found = identify(lstm_forward_only, inputs())
    for known in ("lstm", found):
        report = check_gradients(lstm_forward, without_slope, inputs(), cell=known)
        assert report.mistakes == ("wrong-derivative",), known


def lstm_forward_only(**arrays: Array) -> Any:
    return lstm_forward(**arrays)[:2]


def test_a_cell_of_ones_own_is_diagnosed_as_well() -> None:
    right = load("own_softgate")
    mistake = next(one for one in right.mistakes if one.tag == "missing-derivative")
    wrong = load("own_softgate", mistake)
    own = read_cell(right.definition)
    report = check_gradients(wrong.forward, wrong.backward, wrong.make_inputs, cell=own)
    assert report.cell == own.name
    assert report.mistakes == ("missing-derivative",)
    assert check_gradients(right.forward, right.backward, right.make_inputs, cell=own).passed


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("change", "reason", "hidden"),
    [
        (lambda made: made | {"x": made["x"][:1]}, "one step", "recurrent-path-cut"),
        (lambda made: made | {"h0": 0 * made["h0"], "c0": 0 * made["c0"]}, "initial states are zero", "initial-state"),
        (
            lambda made: made | {name: made[name][..., :1, :] for name in ("x", "h0", "c0")},
            "one example",
            "mean-for-sum",
        ),
    ],
)
def test_blind_spots_are_measured(change: Callable[[Any], Any], reason: str, hidden: str) -> None:
    report = check_gradients(lstm_forward, lstm_backward, change(inputs()))
    assert report.passed
    (spot,) = [spot for spot in report.blind_spots if reason in spot.reason]
    assert hidden in spot.mistakes
    assert spot.planted > 0


@pytest.mark.long
def test_what_these_inputs_hide_is_found_elsewhere() -> None:
    made = inputs(T=1)
    made |= {"h0": 0 * made["h0"], "c0": 0 * made["c0"]}

    def cut(dhs: Array, dc: Array, cache: Any) -> tuple[Array, ...]:
        kept, W, U = cache
        parts = [
            lstm_backward(dhs[t : t + 1], dc * (t + 1 == len(kept)), (kept[t : t + 1], W, U)) for t in range(len(kept))
        ]
        dx, dh, dc_0, *rest = zip(*parts, strict=True)
        return np.concatenate(dx), dh[0], dc_0[0], *(sum(one) for one in rest)

    report = check_gradients(lstm_forward, cut, made)
    assert all(finding.verdict is Verdict.RIGHT for finding in report.gradients)
    assert report.mistakes == ("recurrent-path-cut",)
    assert [problem.kind for problem in report.problems] == ["wrong-elsewhere"]
    assert "right at these inputs, wrong at others" in report.summary
    assert not report.passed


def test_large_arrays_cost_a_few_passes() -> None:
    made = inputs(T=6, N=4, D=48, H=96)
    report = check_gradients(lstm_forward, lstm_backward, made)
    assert report.passed
    assert report.calls[0] < 250  # entry by entry it would be 120,000


def test_what_is_no_cell_is_compared_all_the_same() -> None:
    made = {"a": np.arange(1.0, 4), "b": np.arange(2.0, 5)}
    right = check_gradients(lambda a, b: (a * b, (a, b)), lambda dy, cache: (dy * cache[1], dy * cache[0]), made)
    assert right.passed
    wrong = check_gradients(lambda a, b: (a * b, (a, b)), lambda dy, cache: (dy * cache[1], 2 * dy * cache[0]), made)
    assert [finding.name for finding in wrong.wrong] == ["b"]
    assert not wrong.unexplained
    assert [(one.mistake, one.gradients) for one in wrong.diagnoses] == [("double-counted", ("b",))]
    assert wrong.gradients[1].suggestions[0].mistake in ("double-counted", "wrong-scale")


def test_the_report_is_data() -> None:
    data = json.loads(check_gradients(lstm_forward, without_slope, inputs()).to_json())
    assert data["diagnoses"][0]["mistake"] == "wrong-derivative"
    assert data["diagnoses"][0]["line"]["variable"] == "da_i"
    assert r"\odot" in data["diagnoses"][0]["latex"]


def test_a_misspelled_gradient_does_not_pass() -> None:
    def forward(x: Array, W: Array) -> Any:
        return np.tanh(x @ W), (x, W)

    def backward(dy: Array, cache: Any) -> dict[str, Array]:
        x, W = cache
        da = dy * (1 - np.tanh(x @ W) ** 2)
        return {"dx": da @ W.T, "dWW": x.T @ da}

    made = {"x": np.ones((2, 3)), "W": np.full((3, 2), 0.3)}
    report = check_gradients(forward, backward, made, diagnose=False)
    assert not report.passed
    assert any("dWW" in problem.sentence for problem in report.problems)


def test_a_list_of_steps_is_no_phantom() -> None:
    def forward(xs: list[Array], h0: Array, W: Array, U: Array) -> Any:
        hs = [h0]
        for x in xs:
            hs.append(np.tanh(W @ x + U @ hs[-1]))
        return hs[1:], (xs, hs, W, U)

    def backward(dhs: list[Array], cache: Any) -> tuple[Any, ...]:
        xs, hs, W, U = cache
        dW, dU, carried, dxs = 0 * W, 0 * U, np.zeros(len(U)), [np.zeros(0)] * len(xs)
        for t in reversed(range(len(xs))):
            da = (dhs[t] + carried) * (1 - hs[t + 1] ** 2)
            dW, dU = dW + np.outer(da, xs[t]), dU + np.outer(da, hs[t])
            dxs[t], carried = W.T @ da, U @ da
        return dxs, carried, dW, dU

    rng = np.random.default_rng(0)
    made = {"xs": [rng.normal(size=3) for _ in range(4)], "h0": rng.normal(size=5)}
    made |= {"W": rng.normal(size=(5, 3)), "U": rng.normal(size=(5, 5))}
    report = check_gradients(forward, backward, made)
    assert not report.passed
    assert "phantom-gradient" not in report.mistakes


@pytest.mark.parametrize("seed", ["a", -1, 1.5])
def test_a_seed_is_a_whole_number(seed: Any) -> None:
    with pytest.raises(InputError, match="seed"):
        check_gradients(lstm_forward, lstm_backward, inputs(), seed=seed)


@pytest.mark.parametrize("cell", ["lstmm", 3, lstm_forward])
def test_what_is_no_cell_is_refused_before_anything_runs(cell: Any) -> None:
    def never(**arrays: Array) -> Any:
        raise AssertionError

    with pytest.raises(SymrnnError):
        check_gradients(never, never, inputs(), cell=cell)


# --- inputs that expose mistakes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["lstm", "gru", "mlstm", "indrnn", "lstm_projected"])
def test_exposing_inputs_differ_in_all_sizes(name: str) -> None:
    made = exposing_inputs(name)
    cell = cells[name]
    assert set(made) == {*cell.inputs, *(f"{state}_prev" for state in cell.states), *cell.parameters}
    assert made["x"].shape[:2] == (5, 3)
    lengths = {made["x"].shape[2], *made[f"{cell.states[0]}_prev"].shape[1:]}
    assert len(lengths | {5, 3}) == 2 + len(lengths)
    assert all(np.isfinite(value).all() and np.any(value) for value in made.values())


def test_exposing_inputs_take_the_functions_own_form() -> None:
    found = identify(lstm_forward_only, inputs())
    made = exposing_inputs("lstm", found)
    assert {name: value.shape for name, value in made.items()} == {
        name: value.shape for name, value in inputs().items()
    }
    assert check_gradients(lstm_forward, lstm_backward, made, cell=found).passed
    spots = check_gradients(lstm_forward, lstm_backward, made, cell=found).blind_spots
    assert not any(spot.mistakes for spot in spots)
    assert ["11 steps or 6 examples" in spot.reason for spot in spots] == [True]
    assert set(exposing_inputs("rnn", {"h_prev": "h0"})) == {"x", "h0", "W", "U", "b"}


def test_the_last_example_is_saturated_and_the_first_is_not() -> None:
    made = exposing_inputs("rnn", N=4)
    sizes = [np.abs(made["x"][:, n]).mean() for n in range(4)]
    assert sizes[0] < sizes[1] < sizes[3]


@pytest.mark.parametrize(
    "options", [{"T": 0}, {"N": 1.5}, {"sizes": {"d_z": 3}}, {"sizes": {"d_h": -1}}, {"layout": {"hprev": "h0"}}]
)
def test_exposing_inputs_refuse_what_they_cannot_make(options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        exposing_inputs("lstm", **options)

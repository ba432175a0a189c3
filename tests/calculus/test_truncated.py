"""Truncated backpropagation through time: its definition as data and formulas, and the generated code."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

from symrnn import Cell, cells, derive
from symrnn import generate as generated
from symrnn.calculus.truncated import TruncationWindow, truncated
from symrnn.errors import InputError
from symrnn.language.evaluate import run
from symrnn.runs.sizes import layouts
from symrnn.targets.generation import load_source
from symrnn.verification.directional import check_truncated
from symrnn.verification.network import Network, draw_network

T, N, D, H = 7, 3, 4, 6
generate = cache(lambda cell: generated(cell, functions=["truncate"]))
CELLS = ("rnn", "lstm", "gru", "gru_reset_after", "mlstm", "slstm", "lru", "lstm_projected")


def test_windows_are_what_the_definition_says() -> None:
    windows = truncated(cells.rnn, 2, 3).windows(7)
    assert windows == (
        TruncationWindow(0, 0, 2),
        TruncationWindow(1, 2, 4),
        TruncationWindow(3, 4, 6),
        TruncationWindow(4, 6, 7),
    )
    assert truncated(cells.rnn, 7, 7).windows(7) == (TruncationWindow(0, 0, 7),)
    assert truncated(cells.rnn, 9, 12).windows(7) == (TruncationWindow(0, 0, 7),)
    assert truncated(cells.rnn, 1, 2).windows(3) == (
        TruncationWindow(0, 0, 1),
        TruncationWindow(0, 1, 2),
        TruncationWindow(1, 2, 3),
    )
    assert truncated(cells.rnn, 2, 2).windows(0) == ()


@pytest.mark.parametrize(("k1", "k2"), [(1, 1), (1, 4), (2, 3), (3, 3), (3, 8), (5, 6)])
@pytest.mark.parametrize("steps", [1, 2, 5, 6, 12])
def test_every_step_loses_its_loss_in_exactly_one_window(k1: int, k2: int, steps: int) -> None:
    found = truncated(cells.rnn, k1, k2)
    windows = found.windows(steps)
    assert [t for w in windows for t in range(w.since + 1, w.end + 1)] == list(range(1, steps + 1))
    assert all(w.start <= w.since and w.end - w.start <= k2 for w in windows)
    assert all(w.end - w.start == k2 or w.start == 0 for w in windows)
    assert found.terms("W", steps) == tuple((w.end, t) for w in windows for t in range(w.start + 1, w.end + 1))


def test_the_definition_reads_as_formulas() -> None:
    found = truncated(cells.rnn, 2, 3)
    assert str(found) == "\n".join(
        [
            "k1 = 2: the number of steps from one update to the next.  "
            "k2 = 3: the number of steps that an update goes back through.",
            "e ∈ {2, 4, ...} ∪ {T}: the steps with an update, for the loss of the steps after b = 2 ⌊(e-1)/2⌋, "
            "the update before.",
            "(e): in the window that ends at e, where the backward equations of a step hold, and",
            "h̄_t^(e) = [b < t ≤ e] ∂ℓ/∂h_t + [t < e] (Uᵀ δ^(e)a_{h,t+1})",
            "∂L/∂W ≈ Σ_e Σ_{t=max(1,e-2)}^{e} δ^(e)a_{h,t} x_tᵀ",
            "∂L/∂U ≈ Σ_e Σ_{t=max(1,e-2)}^{e} δ^(e)a_{h,t} h_{t-1}ᵀ",
            "∂L/∂b ≈ Σ_e Σ_{t=max(1,e-2)}^{e} δ^(e)a_{h,t}",
        ]
    )
    assert (
        r"\frac{\partial L}{\partial W} &\approx \sum_e \sum_{t=\max(1, e-2)}^{e} \delta^{(e)} a_{h,t}" in found.latex()
    )
    assert r"{\bar{h}_t}^{(e)} &= [b < t \le e] \, \frac{\partial \ell}{\partial h_t} + [t < e]" in found.latex()
    assert found.step("W") == derive(cells.rnn).of("W")
    assert repr(found) == "<truncated gradient of rnn: k1 = 2, k2 = 3>"


def test_windows_of_one_step_read_without_idle_arithmetic() -> None:
    lines = str(truncated(cells.rnn, 1, 1)).splitlines()
    assert lines[1].startswith("e ∈ {1, 2, ..., T}: the steps with an update, for the loss of the steps after b = e-1,")
    assert lines[4] == "∂L/∂W ≈ Σ_e Σ_{t=e} δ^(e)a_{h,t} x_tᵀ"
    assert r"\sum_e \sum_{t=e} \delta^{(e)} a_{h,t}" in truncated(cells.rnn, 1, 1).latex()


@pytest.mark.parametrize("name", cells.names())
def test_every_adjoint_is_that_of_a_window(name: str) -> None:
    shown = str(truncated(cells[name], 2, 3)).split("and\n")[1]
    assert "δ^(e)" in shown
    assert "δ" not in shown.replace("δ^(e)", "")


@pytest.mark.parametrize(
    ("k1", "k2", "message"), [(3, 2, "k1=3, k2=2"), (0, 2, "k1=0"), (1, 2.0, "k2=2.0"), (True, 2, "k1=True")]
)
def test_wrong_windows_are_refused(k1: Any, k2: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        truncated(cells.rnn, k1, k2)


# --- generated code ---------------------------------------------------------------------------------------------------


def sequence(cell: Cell, module: Any, steps: int = T) -> Any:
    rng = np.random.default_rng(1)
    size = {"d_x": D, "d_h": H} | {s: 2 for s in cell.sizes if s not in ("d_x", "d_h")}

    def array(name: str, *lead: int) -> Any:
        return rng.normal(scale=0.7, size=(*lead, *(size[d] for d in cell.shape_names(name))))

    params = {p: array(p) for p in cell.parameters}
    state = {s: array(s, N) for s in cell.states}
    _, final, tape = module.forward(params, array("x", steps, N), state=state)
    return params, tape, array(cell.states[0], steps, N), {s: rng.normal(size=v.shape) for s, v in final.items()}


def flat(result: Any) -> list[Any]:
    grads, *bars, state = result
    return [*grads.values(), *bars, *state.values()]


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("windows", [(1, T), (3, T), (T, T), (2, T + 5)])
def test_windows_that_see_everything_give_the_gradient(name: str, windows: tuple[int, int]) -> None:
    module = generate(cells[name])
    params, tape, bars, ends = sequence(cells[name], module)
    expected = flat(module.backward(params, tape, bars, ends))
    for found, value in zip(flat(module.backward(params, tape, bars, ends, truncate=windows)), expected, strict=True):
        assert np.linalg.norm(found - value) <= 1e-12 * max(np.linalg.norm(value), 1e-2)


def test_pieces_are_sequences_of_their_own() -> None:
    """k1 = k2 is a loop over pieces in which each starts from the state that the last one left, as a constant."""
    cell = cells.lstm
    module = generate(cell)
    steps = 6
    params, tape, bars, ends = sequence(cell, module, steps)
    grads, x_bar, _ = module.backward(params, tape, bars, ends, truncate=(3, 3))
    total = dict.fromkeys(params, 0.0)
    for start in range(0, steps, 3):
        stop = start + 3
        _, _, piece = module.forward(params, tape["x"][start:stop], {s: tape[s][start] for s in cell.states})
        part, x_part, _ = module.backward(params, piece, bars[start:stop], ends if stop == steps else None)
        np.testing.assert_allclose(x_bar[start:stop], x_part, rtol=1e-11)
        total = {p: total[p] + part[p] for p in params}
    for p in params:
        np.testing.assert_allclose(grads[p], total[p], rtol=1e-11)


def test_two_steps_of_a_scalar_network_by_hand() -> None:
    """h_t = w h_{t-1} + x_t, with k1 = 1 and k2 = 2: every loss sees two factors w at most."""
    cell = Cell.from_source('def line(x: "()", h: "()", *, w: "()"):\n    h = w * h + x\n    return h\n')
    module = generate(cell)
    w, x, h0 = 0.5, [1.0, -2.0, 3.0], 0.25
    h = [h0]
    for value in x:
        h.append(w * h[-1] + value)
    _, _, tape = module.forward({"w": w}, np.reshape(x, (3, 1)), {"h": [h0]})
    grads, x_bar, state_bar = module.backward({"w": w}, tape, np.ones((3, 1)), truncate=(1, 2))
    assert grads["w"] == pytest.approx(h[0] + (h[1] + w * h[0]) + (h[2] + w * h[1]))
    assert x_bar[:, 0] == pytest.approx([1 + w, 1 + w, 1])
    assert state_bar["h"] == pytest.approx([w + w * w])


def test_no_steps_and_missing_cotangents() -> None:
    module = generate(cells.gru)
    params, tape, _, ends = sequence(cells.gru, module, steps=0)
    grads, x_bar, state_bar = module.backward(params, tape, None, ends, truncate=(1, 2))
    assert x_bar.shape == (0, N, D)
    np.testing.assert_array_equal(state_bar["h"], ends["h"])
    assert not any(g.any() for g in grads.values())
    params, tape, bars, ends = sequence(cells.gru, module)
    implied = flat(module.backward(params, tape, None, truncate=(2, 3)))
    assert not any(value.any() for value in implied)
    zeros = {"h": np.zeros((N, H))}
    for a, b in zip(
        flat(module.backward(params, tape, bars, truncate=(2, 3))),
        flat(module.backward(params, tape, bars, zeros, truncate=(2, 3))),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)


BAD = {
    "a number": (5, r"truncate: expected a pair \(k1, k2\), got 5"),
    "three numbers": ((1, 2, 3), "truncate: expected a pair"),
    "zero": ((0, 2), "truncate: expected two whole numbers from 1"),
    "a half": ((1, 2.5), "truncate: expected two whole numbers from 1"),
    "back too little": ((3, 2), "truncate: expected k1 <= k2"),
}


@pytest.mark.parametrize("case", BAD)
def test_wrong_arguments_are_named(case: str) -> None:
    windows, message = BAD[case]
    module = generate(cells.rnn)
    params, tape, bars, _ = sequence(cells.rnn, module)
    with pytest.raises(ValueError, match=message):
        module.backward(params, tape, bars, truncate=windows)
    with pytest.raises(ValueError, match=r"h_bar: expected shape \(T, N, d_h\)"):
        module.backward(params, tape, bars[:2], truncate=(1, 2))


# --- planted errors ---------------------------------------------------------------------------------------------------

CHANGES = {
    "one step too far": ("max(end - back, 0)", "max(end - back - 1, 0)"),
    "one step too short": ("max(end - back, 0)", "max(end - back + 1, 0)"),
    "not cut": ("max(end - back, 0)", "0"),
    "losses counted again": (">= since)", ">= 0)"),
    "losses one step late": (">= since)", "> since)"),
    "losses one step early": (">= since)", ">= since - 1)"),
    "no last window": ("[*range(every, last, every), last]", "[*range(every, last + 1, every)]"),
    "final states in every window": ("state_bar if end == last else None", "state_bar"),
    "final states forgotten": ("state_bar if end == last else None", "None"),
    "inputs overwritten": ("whole[start:end] += value", "whole[start:end] = value"),
    "inputs shifted": ("whole[start:end] += value", "whole[: end - start] += value"),
    "states of later windows": ("if start == 0:", "if True:"),
    "first window's states only": ("if start == 0:", "if end == every:"),
    "gradients of the last window only": ("summed[name] += value", "summed[name] = value"),
    "states one step late": ('("T", 1): end + 1', '("T", 1): end'),
}


@pytest.fixture(scope="module")
def reference() -> Network:
    derivation = derive(cells.gru)
    found = draw_network(derivation, layouts(cells.gru, [(6, 4)])[0], np.random.default_rng(0))
    assert found is not None
    return found


def errors(module: Any, reference: Network) -> float:
    try:
        return max(finding.error for finding in check_truncated(module, reference))
    except (ValueError, UnboundLocalError):
        return float("inf")


def test_the_right_code_passes(reference: Network) -> None:
    assert errors(generate(cells.gru), reference) < 1e-12


@pytest.mark.sampled(4)
@pytest.mark.parametrize("case", CHANGES)
def test_another_definition_is_caught(case: str, reference: Network) -> None:
    right, wrong = CHANGES[case]
    source = generate(cells.gru).source
    assert source.count(right) == 1
    assert errors(load_source("gru", source.replace(right, wrong)), reference) > 1e-3


ALTERED: dict[str, Callable[[Any], Any]] = {
    "ignored": lambda pair: None,
    "k2 off by one": lambda pair: (pair[0], pair[1] + 1),
    "k1 = 1 always": lambda pair: (1, pair[1]),
    "k1 = k2": lambda pair: (pair[1], pair[1]),
}


@pytest.mark.parametrize("case", ALTERED)
def test_other_windows_are_caught(case: str, reference: Network) -> None:
    module = generate(cells.gru)

    class Altered:
        forward = staticmethod(module.forward)

        @staticmethod
        def backward(*args: Any, truncate: Any, **kwargs: Any) -> Any:
            return module.backward(*args, truncate=ALTERED[case](truncate), **kwargs)

    assert errors(Altered, reference) > 1e-3


def test_the_text_really_is_what_windows_are_checked_against(reference: Network) -> None:
    """The definition's states, run by the text from a window's start, are those of the whole run."""
    cell, sequence_ = reference.cell, reference.data
    names = run(
        cell.syntax,
        {
            **sequence_.params,
            **{x: v[2, 0] for x, v in sequence_.inputs.items()},
            **{s: reference.series[s][1, 0] for s in cell.states},
        },
    )
    np.testing.assert_allclose(names["h"], reference.series["h"][2, 0], rtol=1e-13)

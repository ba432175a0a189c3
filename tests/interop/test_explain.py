"""What `explain` says: every pair of rows, and every counterexample tried on the layer that cannot follow it."""

from __future__ import annotations

import numpy as np
import pytest

from symrnn import cells
from symrnn.errors import InputError
from symrnn.interop import CONVENTIONS, NoImageError, dump, explain, load
from symrnn.interop.counterexamples import OBSTRUCTIONS, TellingOutputs
from symrnn.interop.explain import compare
from symrnn.interop.forms import FORMS
from tests.interop.layers import random_params

PAIRS = [(a, b) for a in CONVENTIONS for b in CONVENTIONS if a.family == b.family and a.framework <= b.framework]
IDS = [f"{a.framework}-{a.layers[0]}-{a.kind}-{b.framework}-{b.layers[0]}-{b.kind}" for a, b in PAIRS]


@pytest.mark.parametrize(("a", "b"), PAIRS, ids=IDS)
def test_what_is_said_is_what_dump_does(a, b) -> None:  # type: ignore[no-untyped-def]
    comparison = compare(a, b)
    for source, target, found in ((a, b, comparison.forth), (b, a, comparison.back)):
        params = random_params(cells[source.cell])
        try:
            dump(
                target.framework, source.cell, params, target.layers[0] if target.kind in target.layers else target.kind
            )
            moved = True
        except NoImageError:
            moved = False
        assert moved == (found.exists == "always")
        assert (found.counterexample is None) == (found.exists == "always")
        assert bool(found.conditions) == (found.exists == "if")
        if found.counterexample is not None:
            assert found.counterexample.holds
            assert found.counterexample.cell == source.cell
    assert str(comparison)


def test_every_two_functions_of_a_family_have_a_counterexample() -> None:
    functions = {(FORMS[a.cell].function, FORMS[b.cell].function) for a, b in PAIRS}
    both = functions | {(b, a) for a, b in functions}
    assert {pair for pair in both if pair[0] != pair[1]} == {key for key in OBSTRUCTIONS if key[0] != "lost"}


def test_keras_and_torch_gru() -> None:
    explanation = explain("keras", "torch", "gru")
    after, before = explanation.comparisons
    aspects = {d.aspect: (d.a, d.b) for d in after.differences}
    assert aspects["gate order"] == ("z r n (there: z r h)", "r z n")
    assert aspects["orientation"] == ("x @ W (gates along columns)", "W @ x (gates along rows)")
    assert "reset gate" not in aspects
    assert (after.forth.exists, after.back.exists) == ("always", "always")
    assert {d.aspect for d in before.differences} >= {"function", "reset gate", "biases"}
    assert (before.forth.exists, before.back.exists) == ("never", "never")
    text = str(explanation)
    for line in (
        "keras -> torch: every layer has an exact image",
        "kernel = [W_z; W_r; W_n].T",
        "bias = [b_z, c_z; b_r, c_r; b_n, c_n].T",
        "weight_ih_l0 = [W_r; W_z; W_n]",
        "keras -> torch: no exact image exists",
        "counterexample: gru_zold, x = 0, h_prev = (0, s, s), s varied: h_1:",
    ):
        assert line in text


def test_forget_bias_states_and_stacking() -> None:
    (comparison,) = explain("tf1", "keras", "lstm").comparisons
    aspects = {d.aspect: (d.a, d.b) for d in comparison.differences}
    assert aspects["forget bias at run time"] == ("+ 1", "none")
    assert aspects["state order"] == ("(c, h)", "(h, c)")
    assert aspects["stacking"] == (
        "all gates in one array, input and state in one",
        "all gates in one array, input and state apart",
    )
    assert comparison.forth.changes == ("1 is added to b_f",)
    assert comparison.back.changes == ("1 is taken from b_f",)


def test_conditions() -> None:
    (comparison,) = explain("flax", "nnx", "gru_reset_after").comparisons
    assert comparison.forth.exists == "if"
    assert comparison.forth.conditions == {"c_n": "zero"}
    assert "an exact image exists only if c_n is zero" in str(comparison)
    assert comparison.back.changes == ("c_n is zero",)


def test_the_same_layer_has_no_differences() -> None:
    (comparison,) = explain("torch", "torch", "gru").comparisons
    assert comparison.differences == ()
    assert "no differences" in str(comparison)
    pairs = explain("keras", "keras", "gru").comparisons
    assert "GRUCell(reset_after=False)) -> keras gru_reset_after (GRU(reset_after=True)" in str(pairs[2])


def test_unknown_kinds() -> None:
    with pytest.raises(InputError, match="keras has no kind 'elephant'"):
        explain("keras", "torch", "elephant")
    with pytest.raises(InputError, match="keras has no kind 'mgu'"):
        explain("flax", "keras", "mgu")


def nearest(example: TellingOutputs, name: str, tries: int) -> float:
    """The smallest largest error with which a cell follows a one-row counterexample, over many random weights."""
    cell = cells.lookup(name)
    rng = np.random.default_rng(0)
    best = np.inf
    for _ in range(tries):
        params = {k: 4 * v for k, v in random_params(cell, seed=int(rng.integers(2**31)), d_x=1, d_h=1).items()}
        values = [cell.definition(np.array([x]), np.zeros(1), **params)[0] for x in example.points]
        best = min(best, float(np.abs(np.array(values) - example.values[0]).max()))
    return best


def test_no_random_weights_come_near_the_inner_bias() -> None:
    """The counterexample for c_n: without it not even the signs are met, with it the numbers are met exactly."""
    example = OBSTRUCTIONS["lost", "c"]("gru_reset_after")
    assert nearest(example, "gru_reset_after_one_bias", 300) > min(abs(v) for v in example.values[0])


def test_loaded_weights_explain_themselves() -> None:
    loaded = load("keras", dump("keras", "lstm", random_params(cells.lstm)))
    assert loaded.convention.title == "keras lstm (LSTM, LSTMCell)"

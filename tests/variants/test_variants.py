"""Transformations of cells: what they make is the function that is meant, and what does not apply is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from symrnn import Cell, cells, equivalent, variants, verify
from symrnn.errors import InputError
from symrnn.variants import (
    complemented,
    coupled,
    described,
    renamed,
    with_activation,
    with_concatenated_weights,
    with_full_gate_recurrence,
    with_one_bias,
    with_peepholes,
    with_projection,
    with_reset_after,
    with_reset_before,
    with_split_weights,
    with_two_biases,
    without_activation,
    without_biases,
    without_gate,
    without_peepholes,
)
from tests.strategies import as_arguments, draw_arrays

LSTM_BODY = {
    "f": "sigmoid(W_f @ x + U_f @ h + b_f)",
    "i": "sigmoid(W_i @ x + U_i @ h + b_i)",
    "g": "tanh(W_g @ x + U_g @ h + b_g)",
    "o": "sigmoid(W_o @ x + U_o @ h + b_o)",
    "c": "f * c + i * g",
    "h": "o * tanh(c)",
}


def assert_same_function(made: Cell, written: Cell) -> None:
    """Equal parameters by name, and equal values at random points."""
    assert set(made.parameters) == set(written.parameters)
    assert made.states == written.states
    sizes = {name: 3 + i for i, name in enumerate(sorted(set(made.sizes) | set(written.sizes)))}
    for seed in range(2):
        arrays = as_arguments(written, draw_arrays(written, sizes, seed))
        found, expected = made.definition(**arrays), written.definition(**arrays)
        for one, other in _pairs(found, expected):
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)


def _pairs(found: object, expected: object) -> list[tuple[object, object]]:
    if isinstance(found, tuple) and isinstance(expected, tuple):
        return list(zip(found, expected, strict=True))
    return [(found, expected)]


def lstm_with(parameters: str, order: str = "figoch", **changed: str) -> Cell:
    """An LSTM with some equations changed, or left out where they are empty."""
    body = LSTM_BODY | changed
    lines = "".join(f"    {name} = {body[name]}\n" for name in order if body[name])
    return Cell.from_source(f"def written(x, h, c, *, {parameters}):\n{lines}    return h, c\n")


def gate(k: str, more: str = "", bias: str = "b") -> str:
    return f"sigmoid(W_{k} @ x + U_{k} @ h{more}" + (f" + {bias}_{k})" if bias else ")")


OF_F, OF_I, OF_G, OF_O = "W_f, U_f, b_f", "W_i, U_i, b_i", "W_g, U_g, b_g", "W_o, U_o, b_o"
ALL = f"{OF_F}, {OF_I}, {OF_G}, {OF_O}"
PEEPHOLES = {k: gate(k, f" + p_{k} * c") for k in "fio"}

EQUAL: dict[str, tuple[Callable[[], Cell], Callable[[], Cell]]] = {
    "peepholes": (
        lambda: with_peepholes(cells.lstm),
        lambda: lstm_with(f"{ALL}, p_f, p_i, p_o", "figcoh", **PEEPHOLES),
    ),
    "some peepholes": (
        lambda: with_peepholes(cells.lstm, ["i"]),
        lambda: lstm_with(f"{ALL}, p_i", i=PEEPHOLES["i"]),
    ),
    "o sees the new memory, and the order of the others stays": (
        lambda: with_peepholes(cells.lstm, ["o"]),
        lambda: lstm_with(f"{ALL}, p_o", "figcoh", o=PEEPHOLES["o"]),
    ),
    "no peepholes": (lambda: without_peepholes(with_peepholes(cells.lstm)), lambda: cells.lstm),
    "no forget gate": (
        lambda: without_gate(cells.lstm, "f"),
        lambda: lstm_with(f"{OF_I}, {OF_G}, {OF_O}", f="", c="c + i * g"),
    ),
    "no input gate": (
        lambda: without_gate(cells.lstm, "i"),
        lambda: lstm_with(f"{OF_F}, {OF_G}, {OF_O}", i="", c="f * c + g"),
    ),
    "no output gate": (
        lambda: without_gate(cells.lstm, "o"),
        lambda: lstm_with(f"{OF_F}, {OF_I}, {OF_G}", o="", h="tanh(c)"),
    ),
    "no update gate": (
        lambda: without_gate(cells.gru, "z"),
        lambda: Cell.from_source(
            "def written(x, h, *, W_r, U_r, b_r, W_n, U_n, b_n):\n    r = sigmoid(W_r @ x + U_r @ h + b_r)\n"
            "    h = tanh(W_n @ x + U_n @ (r * h) + b_n)\n    return h\n"
        ),
    ),
    "f = 1 - i": (
        lambda: coupled(cells.lstm, "f", "i"),
        lambda: lstm_with(f"{OF_I}, {OF_G}, {OF_O}", "igoch", f="", c="(1 - i) * c + i * g"),
    ),
    "i = 1 - f": (
        lambda: coupled(cells.lstm, "i", "f"),
        lambda: lstm_with(f"{OF_F}, {OF_G}, {OF_O}", i="", c="f * c + (1 - f) * g"),
    ),
    "no biases": (
        lambda: without_biases(cells.lstm),
        lambda: lstm_with(
            "W_f, U_f, W_i, U_i, W_g, U_g, W_o, U_o",
            g="tanh(W_g @ x + U_g @ h)",
            **{k: gate(k, bias="") for k in "fio"},
        ),
    ),
    "two biases": (
        lambda: with_two_biases(cells.lstm),
        lambda: lstm_with(
            f"{ALL}, c_f, c_i, c_g, c_o",
            g="tanh(W_g @ x + U_g @ h + b_g + c_g)",
            **{k: gate(k, f" + c_{k}") for k in "fio"},
        ),
    ),
    "one bias of two": (lambda: with_one_bias(with_two_biases(cells.lstm)), lambda: cells.lstm),
    "two biases after the reset": (
        lambda: with_two_biases(cells.gru_reset_after),
        lambda: cells.gru_reset_after_two_biases,
    ),
    "the reset takes the recurrent bias in": (
        lambda: with_one_bias(with_reset_after(cells.gru_zold_two_biases)),
        lambda: cells.gru_reset_after,
    ),
    "reset after and before": (
        lambda: with_reset_before(with_reset_after(cells.gru_two_biases)),
        lambda: cells.gru_two_biases,
    ),
    "reset before, of Flax's cell": (
        lambda: with_reset_before(cells.gru_reset_after),
        lambda: Cell.from_source(
            "def written(x, h, *, W_r, U_r, b_r, W_z, U_z, b_z, W_n, U_n, b_n, c_n):\n"
            "    r = sigmoid(W_r @ x + U_r @ h + b_r)\n    z = sigmoid(W_z @ x + U_z @ h + b_z)\n"
            "    h = (1 - z) * tanh(W_n @ x + b_n + U_n @ (r * h) + c_n) + z * h\n    return h\n"
        ),
    ),
    "complement twice": (lambda: complemented(complemented(cells.gru, "z"), "z"), lambda: cells.gru),
    "complement": (lambda: complemented(cells.gru, "z"), lambda: cells.gru_zold),
    "linear candidate": (
        lambda: without_activation(cells.lstm, "g"),
        lambda: lstm_with(ALL, g="W_g @ x + U_g @ h + b_g"),
    ),
    "linear output": (lambda: without_activation(cells.lstm, "h"), lambda: lstm_with(ALL, h="o * c")),
    "another function": (
        lambda: with_activation(cells.lstm, "h", "softsign"),
        lambda: lstm_with(ALL, h="o * softsign(c)"),
    ),
    "joined weights": (
        lambda: with_concatenated_weights(cells.rnn),
        lambda: Cell.from_source(
            'def written(x, h, *, W: "d_h, d_h + d_x", b):\n    h = tanh(W @ concat(h, x) + b)\n    return h\n'
        ),
    ),
    "joined weights, the input first": (
        lambda: with_concatenated_weights(cells.rnn, "xh"),
        lambda: Cell.from_source(
            'def written(x, h, *, W: "d_h, d_x + d_h", b):\n    h = tanh(W @ concat(x, h) + b)\n    return h\n'
        ),
    ),
    "joined and split": (lambda: with_split_weights(with_concatenated_weights(cells.gru)), lambda: cells.gru),
    "weights that are joined twice": (
        lambda: with_split_weights(with_concatenated_weights(renamed(cells.mgu, "mine"), "xh")),
        lambda: cells.mgu,
    ),
    "projection": (
        lambda: with_projection(cells.lstm),
        lambda: Cell.from_source(
            cells.lstm.source.replace("h, c, *", 'h, c: "d_c", *')
            .replace("U_o, b_o", "U_o, b_o, W_h")
            .replace("h = o * tanh(c)", "h = W_h @ (o * tanh(c))")
        ),
    ),
    "other names": (
        lambda: renamed(renamed(cells.lstm, names={"f": "a", "W_f": "W_a"}), names={"a": "f", "W_a": "W_f"}),
        lambda: cells.lstm,
    ),
    "other words": (lambda: described(cells.lstm, title="Mine"), lambda: cells.lstm),
}


@pytest.mark.parametrize("case", EQUAL)
def test_a_variant_is_the_function_that_is_meant(case: str) -> None:
    made, written = (make() for make in EQUAL[case])
    assert_same_function(made, written)


@pytest.mark.parametrize("case", EQUAL)
def test_a_variant_has_a_text_that_reads_back(case: str) -> None:
    made = EQUAL[case][0]()
    assert Cell.from_source(made.source) == made


def test_full_gate_recurrence_sees_the_gates_of_the_step_before() -> None:
    made = with_full_gate_recurrence(cells.lstm_peephole, ["i", "f", "o"])
    assert made.states == ("h", "c", "i", "f", "o")
    assert [name for name in made.parameters if name.startswith("R_")] == [f"R_{a}{b}" for b in "ifo" for a in "ifo"]
    verify(with_full_gate_recurrence(cells.gru)).raise_if_failed()


def test_variants_of_variants_verify() -> None:
    made = with_two_biases(without_gate(with_peepholes(with_activation(cells.lstm, "g", "relu")), "i"))
    verify(made).raise_if_failed()
    verify(with_concatenated_weights(with_projection(without_activation(cells.lstm, "h")))).raise_if_failed()


# --- words ------------------------------------------------------------------------------------------------------------


def test_a_variant_says_what_it_is() -> None:
    made = coupled(with_peepholes(cells.lstm), "f", "i")
    assert made.name == "lstm_peephole_coupled_f"
    assert made.title == cells.lstm.title
    assert made.section("Source") == cells.lstm.section("Source")
    assert made.section("Variant").endswith("; f, i, o see c through peepholes; f is coupled to i: f = 1 - i.")
    assert made.section("Not") == ""
    assert "    f_t = 1 - i_t                                                 forget gate\n" in made.docstring
    assert "p peephole weights" in made.section("Symbols")


def test_words_can_be_given() -> None:
    made = described(cells.lstm, "mine", "My cell.", "Me (2024).", "", differs="yours.", symbols={"W": "matrices"})
    assert (made.name, made.title, made.section("Source")) == ("mine", "My cell", "Me (2024).")
    assert (made.section("Variant"), made.section("Not")) == ("", "yours.")
    assert made.section("Symbols").startswith("W matrices; ")


def test_words_cannot_leave_the_docstring() -> None:
    text = 'quotes """ and \\ backslashes; a long one ' + "word " * 60 + "Source: not a heading"
    made = described(cells.rnn, variant=text, title='ends with a quote"')
    assert Cell.from_source(made.source) == made
    assert made.section("Variant").startswith("quotes ''' and \\ backslashes; a long one word ")
    assert made.section("Source") == cells.rnn.section("Source")


def test_a_cell_without_words_stays_without() -> None:
    bare = Cell.from_source("def bare(x, h, *, W, U, b):\n    h = tanh(W @ x + U @ h + b)\n    return h\n")
    assert '"""' not in renamed(bare, "other").source
    made = without_biases(bare)
    assert made.source.splitlines()[-2:] == ["    h = tanh(W @ x + U @ h)", "    return h"]


def test_the_new_parameter_stands_with_its_gate() -> None:
    assert cells.lstm_peephole.parameters[:4] == ("W_f", "U_f", "p_f", "b_f")
    assert cells.lstm_two_biases.parameters[:4] == ("W_f", "U_f", "b_f", "c_f")


# --- refusals ---------------------------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[Callable[[], Cell], str]] = {
    "no such gate": (lambda: without_gate(cells.lstm, "z"), "without_gate: the cell lstm has no equation for 'z'"),
    "not a gate": (lambda: without_gate(cells.lstm, "g"), "has no gate 'g': a gate is an equation g = sigmoid"),
    "a state is no gate": (lambda: without_gate(cells.rnn_sigmoid, "h"), "it has no gates"),
    "coupled to itself": (lambda: coupled(cells.lstm, "f", "f"), "cannot couple 'f' to itself"),
    "coupled to no gate": (lambda: coupled(cells.lstm_cifg, "o", "f"), "has no gate 'f'"),
    "no memory to see": (lambda: with_peepholes(cells.gru), "has no state 'c'\n  its states are h"),
    "no gate to see it": (lambda: with_peepholes(cells.rnn, memory="h"), "has no gates"),
    "peepholes twice": (lambda: with_peepholes(cells.lstm_peephole), "has a gate 'f' that sees 'c' already"),
    "no peepholes there": (lambda: without_peepholes(cells.lstm), r"has no gate that sees 'c' through p \* c"),
    "no biases there": (lambda: without_biases(cells.lstm_no_bias), "has no biases"),
    "two biases twice": (lambda: with_two_biases(cells.lstm_two_biases), "has no bias in a sum with a recurrent"),
    "two biases without recurrence": (lambda: with_two_biases(cells.mingru), "has no bias in a sum with a recurrent"),
    "a bias would be the state": (
        lambda: with_two_biases(
            Cell.from_source(
                "def g(x, h, c, *, W, U, b):\n    c = W @ x + U @ c + b\n    h = tanh(c)\n    return h, c\n"
            )
        ),
        "uses the name 'c' already",
    ),
    "one bias of one": (lambda: with_one_bias(cells.lstm), "has no sum with two biases"),
    "no reset": (lambda: with_reset_after(cells.lstm), r"has no product U @ \(r \* h\)"),
    "reset after already": (lambda: with_reset_after(cells.gru_reset_after), r"has no product U @ \(r \* h\)"),
    "reset before already": (lambda: with_reset_before(cells.gru), r"has no product r \* \(U @ h\)"),
    "complement of no gate": (lambda: complemented(cells.lstm, "g"), "has no gate 'g'"),
    "no function there": (lambda: without_activation(cells.rnn_linear, "h"), "has no function in the equation for 'h'"),
    "two functions there": (lambda: without_activation(cells.cfn, "h"), "has 2 functions in the equation for 'h'"),
    "unknown function": (lambda: with_activation(cells.rnn, "h", "sgmoid"), "cannot use 'sgmoid'"),
    "function of two": (lambda: with_activation(cells.rnn, "h", "maximum"), "it is no function of one argument"),
    "unknown order": (lambda: with_concatenated_weights(cells.rnn, "yx"), "cannot be joined in the order 'yx'"),
    "nothing to join": (lambda: with_concatenated_weights(cells.mingru), "has no sum W @ x"),
    "nothing to split": (lambda: with_split_weights(cells.rnn), r"has no product W @ concat\(h, x\)"),
    "nothing to project": (lambda: with_projection(cells.gru), "has no memory beside its output"),
    "projected twice": (lambda: with_projection(cells.lstm_projected), "uses the name 'W_h' already"),
    "no gates to recur": (lambda: with_full_gate_recurrence(cells.rnn), "has no gates"),
    "unknown name": (lambda: renamed(cells.rnn, names={"V": "W"}), "has no name 'V'"),
    "two of one name": (lambda: renamed(cells.rnn, names={"U": "W"}), "would use one name for two things"),
    "not a name": (lambda: renamed(cells.rnn, "a cell"), "cannot have the name 'a cell'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_apply_is_refused(case: str) -> None:
    make, message = REFUSED[case]
    with pytest.raises(InputError, match=message):
        make()


def test_every_transformation_is_tested() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    for name in variants.__all__:
        assert f"{name}(" in text


def test_axes_and_rows_stay_what_they_are() -> None:
    text = """def reader(x, h, M: "d_s, d_h", *, W: "d_s, d_x", K: "d_s, d_h", V: "2*d_h, d_x"):
    w = softmax(K + outer(W @ x, h), axis=1)
    M = 0.5 * M + w
    v = V @ x
    h = tanh(sum(M * w, axis=0) + v[:d_h] * v[d_h:])
    return h, M
"""
    cell = Cell.from_source(text)
    changed = variants.renamed(cell, names={"w": "weights", "v": "values", "K": "keys"})
    assert "softmax(keys + outer(W @ x, h), axis=1)" in changed.source
    assert "tanh(sum(M * weights, axis=0) + values[:d_h] * values[d_h:])" in changed.source
    assert equivalent(cell, changed)

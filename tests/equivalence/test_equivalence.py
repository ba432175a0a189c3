"""Which cells are the same function, and which only look like it."""

import re

import numpy as np
import pytest

from symrnn import Cell, cells, equivalent
from symrnn.errors import InputError

GRU = """
def gru(x, h, *, W_r, U_r, b_r, W_z, U_z, b_z, W_n, U_n, b_n):
    r = sigmoid(W_r @ x + U_r @ h + b_r)
    z = sigmoid(W_z @ x + U_z @ h + b_z)
    n = tanh(W_n @ x + U_n @ (r * h) + b_n)
    h = (1 - z) * h + z * n
    return h
"""
LSTM = """
def lstm(x, h, c, *, W_f, U_f, b_f, W_i, U_i, b_i, W_g, U_g, b_g, W_o, U_o, b_o):
    f = sigmoid(W_f @ x + U_f @ h + b_f)
    i = sigmoid(W_i @ x + U_i @ h + b_i)
    g = tanh(W_g @ x + U_g @ h + b_g)
    o = sigmoid(W_o @ x + U_o @ h + b_o)
    c = f * c + i * g
    h = o * tanh(c)
    return h, c
"""
JOINED = """
def joined(x, h, c, *, W_f: "d_h, d_h + d_x", b_f, W_i: "d_h, d_h + d_x", b_i, W_g: "d_h, d_h + d_x", b_g,
           W_o: "d_h, d_h + d_x", b_o):
    hx = concat(h, x)
    f = sigmoid(W_f @ hx + b_f)
    i = sigmoid(W_i @ hx + b_i)
    g = tanh(W_g @ hx + b_g)
    o = sigmoid(W_o @ concat(h, x) + b_o)
    c = f * c + i * g
    h = o * tanh(c)
    return h, c
"""
CIFG = """
def cifg(x, h, c, *, W_i, U_i, b_i, W_g, U_g, b_g, W_o, U_o, b_o):
    i = sigmoid(W_i @ x + U_i @ h + b_i)
    g = tanh(W_g @ x + U_g @ h + b_g)
    o = sigmoid(W_o @ x + U_o @ h + b_o)
    c = (1 - i) * c + i * g
    h = o * tanh(c)
    return h, c
"""
RNN = "def rnn(x, h, *, W, U, b):\n    h = tanh(W @ x + U @ h + b)\n    return h\n"


def read(text, *changes):
    """A cell from a text in which pieces are exchanged; each has to be there."""
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return Cell.from_source(text)


def two_biases(text):
    for gate in "figo":
        text = text.replace(f"@ h + b_{gate})", f"@ h + b_{gate} + k_{gate})")
    return Cell.from_source(text.replace("b_o):", "b_o, k_f, k_i, k_g, k_o):"))


ZOLD = (("(1 - z) * h + z * n", "(1 - z) * n + z * h"),)
AFTER = (("U_n @ (r * h)", "r * (U_n @ h)"),)
NEGATED = {"W_z": "-W_z", "U_z": "-U_z", "b_z": "-b_z"}
SPLIT = {f"{m}_{k}": f"W_{k}[:, {part}]" for k in "figo" for m, part in (("U", ":d_h"), ("W", "d_h:"))}

SAME = {
    "itself": (read(GRU), read(GRU), {}),
    "z for 1 - z": (read(GRU), read(GRU, *ZOLD), NEGATED),
    "concatenated from split": (read(JOINED), read(LSTM), {f"W_{k}": f"hstack(U_{k}, W_{k})" for k in "figo"}),
    "split from concatenated": (read(LSTM), read(JOINED), SPLIT),
    "[h; x] for [x; h]": (
        read(JOINED),
        read(JOINED, ("concat(h, x)", "concat(x, h)")),
        {f"W_{k}": f"hstack(W_{k}[:, d_x:], W_{k}[:, :d_x])" for k in "figo"},
    ),
    "coupled by the other gate": (
        read(CIFG),
        read(CIFG.replace("_i", "_f"), ("i = sig", "f = sig"), ("(1 - i) * c + i * g", "f * c + (1 - f) * g")),
        {"W_i": "-W_f", "U_i": "-U_f", "b_i": "-b_f"},
    ),
    "transposed": (
        read(RNN),
        read(RNN, ("*, W, U", '*, W: "d_x, d_h", U'), ("W @ x", "W.T @ x"), ("U @ h", "h @ U")),
        {"W": "W.T", "U": "U.T"},
    ),
    "a forget bias that is added each time": (
        read(LSTM),
        read(LSTM, ("U_f @ h + b_f)", "U_f @ h + b_f + 1)")),
        {"b_f": "b_f + 1"},
    ),
    "two signs at once": (
        read(LSTM),
        read(LSTM, ("f * c + i * g", "f * c + (i - 1) * g")),
        {f"{m}_{k}": f"-{m}_{k}" for k in "ig" for m in "WUb"},
    ),
    "the same update, written in another way": (read(GRU), read(GRU, ("(1 - z) * h + z * n", "h + z * (n - h)")), {}),
    "everything on one line": (
        read(GRU),
        read(GRU, ("    z = sigmoid(W_z @ x + U_z @ h + b_z)\n", ""),
             ("(1 - z) * h + z * n", "h - sigmoid(W_z @ x + U_z @ h + b_z) * (h - n)")),
        {},
    ),
    "preactivations with names": (
        read(RNN),
        read(RNN, ("    h = tanh(W @ x + U @ h + b)", "    u = W @ x\n    a = u + U @ h + b\n    h = tanh(a)")),
        {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SAME)
def test_cells_that_are_the_same_are_found_to_be(case):
    a, b, expected = SAME[case]
    result = equivalent(a, b)
    assert result, str(result)
    assert (result.equal, result.direction, result.counterexample) == (True, "both", None)
    assert result.changes == expected


@pytest.mark.parametrize("case", SAME)
def test_the_map_that_is_found_holds_when_given(case):
    a, b, expected = SAME[case]
    assert equivalent(a, b, expected)


@pytest.mark.parametrize("case", SAME)
def test_it_is_found_the_other_way_round_as_well(case):
    a, b, _ = SAME[case]
    result = equivalent(b, a)
    assert result.direction == "both"
    assert (result.target, result.source) == (b.name, a.name)


def renamed(text, names):
    return Cell.from_source(re.sub(r"\w+", lambda word: names.get(word[0], word[0]), text))


def test_a_cell_is_itself_under_other_names():
    names = {"x": "u", "h": "s", "c": "m", "f": "keep", "i": "o", "o": "i", "W_f": "A", "U_f": "B", "b_f": "e"}
    names |= {"W_i": "W_o", "W_o": "W_i", "U_i": "P", "U_o": "Q"}
    result = equivalent(read(LSTM), renamed(LSTM, names))
    assert result.direction == "both", str(result)
    assert result.changes == {key: value for key, value in names.items() if key not in ("f", "i", "o")}


def test_two_biases_are_one_but_not_one_to_one():
    one, two = read(LSTM, ("def lstm", "def one")), two_biases(LSTM.replace("def lstm", "def two"))
    sums = {f"b_{gate}": f"b_{gate} + k_{gate}" for gate in "figo"}
    for a, b, direction in ((one, two, "a from b"), (two, one, "b from a")):
        result = equivalent(a, b)
        assert result.equal
        assert result.direction == direction
        assert (result.reach.onto, result.reach.one_to_one) == (True, False)
        assert (result.target, result.source, result.changes) == ("one", "two", sums)
        assert "several settings of two give one of one" in str(result)


# --- special cases ----------------------------------------------------------------------------------------------------

SPECIAL = {
    "a peephole of 0": (
        read(LSTM),
        read(LSTM, ("b_f, W_i", "b_f, p, W_i"), ("U_f @ h + b_f", "U_f @ h + p * c + b_f"), ("def lstm", "def peep")),
        {"p": "0"},
    ),
    "a diagonal": (
        read(RNN, ("U @ h", "u * h"), ("U, b", "u, b"), ("def rnn", "def diagonal")),
        read(RNN),
        {"U": "diag(u)"},
    ),
    "coupled gates": (
        read(CIFG), read(LSTM), {"W_f": "-W_i", "U_f": "-U_i", "b_f": "-b_i"},
    ),
    "no bias": (read(RNN, (" + b)", ")"), (", b)", ")"), ("def rnn", "def bare")), read(RNN), {"b": "0"}),
}  # fmt: skip


@pytest.mark.parametrize("case", SPECIAL)
def test_a_special_case_is_not_the_same_function(case):
    special, general, changes = SPECIAL[case]
    result = equivalent(special, general)
    assert not result
    assert result.holds
    assert (result.direction, result.changes) == ("b from a", changes)
    assert str(result).startswith(f"{special.name} is a special case of {general.name}: ")
    assert equivalent(general, special).direction == "a from b"
    assert equivalent(general, special, changes)  # under that map they are


# --- maps with numbers and signs --------------------------------------------------------------------------------------

AFFINE = {
    "opposite signs": ("tanh(W @ x + U @ h + b)", "tanh(-(W @ x + U @ h - b))", {"W": "-W", "U": "-U"}),
    "a minus in front of a weight": ("tanh(W @ x + U @ h + b)", "tanh(-W @ x - U @ h + b)", {"W": "-W", "U": "-U"}),
    "an odd function": ("tanh(W @ x + U @ h + b)", "-tanh(W @ x + U @ h - b)", {"W": "-W", "U": "-U"}),
    "a bias added twice": ("tanh(W @ x + U @ h + b)", "tanh(W @ x + b + U @ h + b)", {"b": "2 * b"}),
    "a bias added three times": ("tanh(W @ x + U @ h + b)", "tanh(b + W @ x + b + U @ h + b)", {"b": "3 * b"}),
    "halves": ("tanh(W @ x + U @ h + b)", "tanh((W @ x + U @ h + b) / 2)", {k: f"{k} / 2" for k in "WUb"}),
    "a temperature": ("sigmoid(W @ x + U @ h + b)", "sigmoid(0.3 * (W @ x + U @ h + b))",
                      {k: f"3 * {k} / 10" for k in "WUb"}),
    "a scaled weight": ("tanh(W @ x + U @ h + b)", "tanh((0.5 * W) @ x + U @ (3 * h) + b)",
                        {"W": "W / 2", "U": "3 * U"}),
    "a scale outside": ("relu(W @ x + U @ h + b)", "relu(2 * (W @ x + U @ h + b)) / 2", {}),
    "a scale on one side": ("relu(W @ x + U @ h + b)", "0.1 * relu(W @ x + U @ h + b)",
                            {k: f"{k} / 10" for k in "WUb"}),
    "tanh by sigmoid": ("tanh(W @ x + U @ h + b)", "2 * sigmoid(W @ x + U @ h + b) - 1",
                        {k: f"{k} / 2" for k in "WUb"}),
    "a number and a factor": ("sigmoid(W @ x + U @ h + b)", "sigmoid(2 * (W @ x + U @ h + b + 1))",
                              {"W": "2 * W", "U": "2 * U", "b": "2 * b + 2"}),
}  # fmt: skip


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("case", AFFINE)
def test_numbers_and_signs_are_part_of_a_map(case, turned):
    first, second, changes = AFFINE[case]
    a, b = (read(RNN, ("tanh(W @ x + U @ h + b)", text), ("rnn", n)) for text, n in ((first, "plain"), (second, "odd")))
    result = equivalent(b, a) if turned else equivalent(a, b)
    assert (result.verdict, result.direction) == ("same", "both"), str(result)
    if not turned:
        assert result.changes == changes
    assert_map_holds(result, *((b, a) if turned else (a, b)))


def assert_map_holds(result, a, b):
    """The map that was found, tried by the texts alone: with numbers, in floating point."""
    target, source = (a, b) if result.target == a.name else (b, a)
    rng, sizes = np.random.default_rng(3), {"d_x": 3, "d_h": 2}
    names = {n: n for n in (*source.inputs, *source.parameters)} | {n: f"{n}_prev" for n in source.states}
    shapes = {n: tuple(sizes[size] for size in source.shape_names(name)) for n, name in names.items()}
    values = {n: rng.normal(size=shape) for n, shape in shapes.items()}
    given = {name: eval(text, {}, values | sizes) for name, text in result.map.items()}
    ours, theirs = target.definition(**given), source.definition(**values)
    ours, theirs = (one if isinstance(one, tuple) else (one,) for one in (ours, theirs))
    through = dict(zip(source.states, theirs, strict=True))
    for name, value in zip(target.states, ours, strict=True):
        np.testing.assert_allclose(value, eval(result.map[name], {}, through), rtol=1e-9, atol=1e-12)


def test_a_state_may_have_the_opposite_sign():
    a = read(LSTM, ("g = tanh", "g = relu"))
    b = read(a.source, ("f * c + i * g", "f * c - i * g"), ("tanh(c)", "tanh(-c)"), ("def lstm", "def negative"))
    result = equivalent(a, b)
    assert result, str(result)
    assert result.changes == {"c": "-c"}
    assert_map_holds(result, a, b)


def test_a_shift_of_a_softmax_is_without_effect():
    shifted = read(RNN, ("tanh(W @ x + U @ h + b)", "softmax(W @ x + U @ h + b + s)"), (", b)", ', b, s: "()")'))
    plain = read(RNN, ("tanh", "softmax"), ("def rnn", "def plain"))
    result = equivalent(plain, shifted)
    assert result
    assert result.changes == {}
    assert not result.reach.one_to_one


# --- verdicts ---------------------------------------------------------------------------------------------------------

VERDICTS = {
    "same": (RNN, RNN),
    "special case": (RNN.replace(" + b", "").replace(", b", ""), RNN),
    "different": (RNN, RNN.replace("+ b)", "+ b) + step(h) + step(-h) - 1")),
    "not found": (RNN, RNN.replace("tanh", "sin")),
}


@pytest.mark.parametrize("verdict", VERDICTS)
def test_the_verdict_is_one_of_four(verdict):
    a, b = (Cell.from_source(text) for text in VERDICTS[verdict])
    result = equivalent(a, b)
    assert result.verdict == verdict
    assert bool(result) == (verdict == "same")
    assert ("different functions" in str(result)) == (verdict == "different")
    assert ("no map of these kinds was found (other names; opposite signs" in str(result)) == (verdict == "not found")
    if verdict in ("different", "not found"):
        assert_is_counterexample(result.counterexample, a, b)


# --- near misses ------------------------------------------------------------------------------------------------------

DIFFERENT = {
    "reset after the product": (read(GRU), read(GRU, *AFTER)),
    "z on the other side twice": (read(GRU), read(GRU, ("(1 - z) * h", "(1 - z) * n"), ("+ z * n", "+ z * n"))),
    "the old memory at the output": (read(LSTM), read(LSTM, ("    c = f * c + i * g\n    h = o * tanh(c)",
                                                              "    h = o * tanh(c)\n    c = f * c + i * g"))),
    "no tanh at the output": (read(LSTM), read(LSTM, ("o * tanh(c)", "o * c"))),
    "a gate of its own square": (read(LSTM), read(LSTM, ("o * tanh(c)", "o * o * tanh(c)"))),
    "sigmoid for tanh": (read(LSTM), read(LSTM, ("g = tanh", "g = sigmoid"))),
    "a gate between 1 and 2": (read(LSTM), read(LSTM, ("f * c + i * g", "f * c + (1 + i) * g"))),
    "gates exchanged": (read(LSTM), read(LSTM, ("f * c + i * g", "f * c + f * g"), ("h = o *", "h = o * i *"))),
    "a square matrix transposed in one place": (
        read(GRU, ("U_n @ (r * h)", "U_r @ (r * h)"), ("U_n, ", "")),
        read(GRU, ("U_n @ (r * h)", "U_r.T @ (r * h)"), ("U_n, ", "")),
    ),
    "relu for the identity": (read(RNN, ("tanh", "relu")), read(RNN, ("tanh", ""))),
    "half": (read(LSTM), read(LSTM, ("f * c + i * g", "f * c + 0.5 * i * g"))),
}  # fmt: skip


@pytest.mark.sampled(8)
@pytest.mark.parametrize("case", DIFFERENT)
def test_near_misses_are_told_apart_with_numbers(case):
    a, b = DIFFERENT[case]
    result = equivalent(a, b)
    assert not result, str(result)
    assert result.direction == "none"
    assert "no map of these kinds was found" in result.reason
    assert_is_counterexample(result.counterexample, a, b)


def assert_is_counterexample(example, a, b):
    for cell, arguments, states in (
        (a, example.arguments_a, example.states_a),
        (b, example.arguments_b, example.states_b),
    ):
        got = cell.definition(**arguments)
        for value, known in zip(got if isinstance(got, tuple) else (got,), states.values(), strict=True):
            assert abs(value - known).max() < 1e-12
    far = abs(example.states_a[example.state] - example.states_b[example.state]).max()
    assert far == example.difference > 1e-6


def test_the_place_of_the_reset_matters_beyond_one_unit():
    result = equivalent(read(GRU), read(GRU, *AFTER, *ZOLD, ("def gru", "def after")))
    assert (result.same_at, result.differs_at) == ("d_x,d_h = 1,1", "d_x,d_h = 3,2 2,3 4,4")
    assert result.changes == NEGATED
    assert result.counterexample.sizes == {"d_x": 3, "d_h": 2}
    assert "of gru has no counterpart in after: nothing there multiplies r * h, as U_n does" in result.reason
    shown = str(result)
    assert "so they agree at d_x,d_h = 1,1, and differ at d_x,d_h = 3,2 2,3 4,4" in shown
    assert "    give h = [" in shown


def test_a_bias_inside_the_reset_makes_another_function():
    inner = read(GRU, ("U_n @ (r * h)", "r * (U_n @ h + c_n)"), ("b_n)", "b_n, c_n)"), ("+ b_n, c_n)", "+ b_n)"))
    result = equivalent(inner, read(GRU, *AFTER))
    assert not result
    assert result.changes == {"c_n": "0"}
    assert result.direction == "a from b"


def test_different_states_do_not_correspond():
    result = equivalent(read(LSTM), read(GRU))
    assert not result
    assert result.map is None
    assert "do not correspond: lstm has the inputs x and the states h, c; gru has" in str(result)


def test_the_output_is_part_of_the_function():
    assert not equivalent(read(LSTM), read(LSTM, ("return h, c", "return c, h")))


def test_functions_that_agree_for_reasons_the_field_does_not_know_are_not_called_different():
    logs = read(RNN, ("tanh(W @ x + U @ h + b)", "log(exp(W @ x + U @ h + b))"))
    result = equivalent(logs, read(RNN, ("tanh(W @ x + U @ h + b)", "W @ x + U @ h + b")), {})
    assert not result
    assert result.counterexample is None
    assert "not proved to be the same" in str(result)


# --- maps that are given ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("drop", NEGATED)
def test_a_map_that_forgets_one_sign_is_refuted(drop):
    a, b = read(GRU), read(GRU, *ZOLD)
    result = equivalent(a, b, {name: text for name, text in NEGATED.items() if name != drop})
    assert not result
    assert str(result).startswith("gru and gru differ under this map\n")
    assert_is_counterexample(result.counterexample, a, b)


def test_a_map_with_the_wrong_columns_is_refuted_or_refused():
    wrong = {f"{m}_{k}": f"W_{k}[:, {part}]" for k in "figo" for m, part in (("W", ":d_h"), ("U", "d_h:"))}
    with pytest.raises(InputError, match=r"W_f = W_f\[:, :d_h\] has shape \(2, 2\), but W_f is \(2, 3\), at d_x = 3"):
        equivalent(read(LSTM), read(JOINED), wrong)
    assert not equivalent(read(LSTM), read(JOINED), wrong, sizes=[(2, 2)])


def test_states_may_be_mapped_too():
    negative = read(LSTM, ("f * c + i * g", "f * c - i * g"), ("tanh(c)", "tanh(-c)"))
    assert equivalent(read(LSTM), negative, {"c": "-c"})
    assert not equivalent(read(LSTM), negative, {})


def test_the_library_knows_its_relatives():
    for a, b in (("gru", "gru_zold"), ("lstm", "lstm_concat"), ("lstm", "lstm_two_biases")):
        assert equivalent(cells[a], cells[b])
    for a, b in (("gru", "gru_reset_after"), ("lstm", "lstm_peephole"), ("lstm", "lstm_cifg")):
        assert not equivalent(cells[a], cells[b])


def test_equal_seeds_give_equal_results():
    first, second = (str(equivalent(read(GRU), read(GRU, *AFTER), seed=3)) for _ in range(2))
    assert first == second


def test_sizes_are_chosen_by_the_caller():
    assert equivalent(read(GRU), read(GRU, *AFTER, *ZOLD), NEGATED, sizes=[(1, 4)])
    with pytest.raises(InputError, match="no choice of sizes"):
        equivalent(read(GRU), read(GRU), sizes=[(0, 1)])


def test_what_is_not_proved_is_not_called_different() -> None:
    text = "def {}(x, h, *, W):\n    h = {} + 0 * h\n    return h\n"
    one = Cell.from_source(text.format("one", "maximum(sigmoid(W @ x), 0)"))
    found = equivalent(one, Cell.from_source(text.format("other", "sigmoid(W @ x)")))
    assert found.verdict == "not proved"
    assert "differ at d_x" not in str(found)
    assert "no numbers were found at which they differ" in str(found)

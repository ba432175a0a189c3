"""Claims about cells: true ones are proved, false ones refuted with numbers, and what is no claim is refused."""

from __future__ import annotations

import ast
import re

import pytest

from symrnn import Cell, cells, derive, jacobian, simplify
from symrnn.algebra import nodes
from symrnn.algebra.evaluate import Evaluator
from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.nodes import Variable
from symrnn.errors import CellError, InputError, ShapeError, SymrnnError, UnknownNameError
from symrnn.language.evaluate import NUMPY
from symrnn.language.operations import STRUCTURAL
from symrnn.proofs.formulas import equal, prove
from symrnn.proofs.notation import read_equation, read_formula

TRUE = [
    ("lstm", "dc_prev == dc * f"),
    ("lstm", "c_prev_bar == c_bar * f"),
    ("lstm", "jacobian(c, c_prev) == diag(f)"),
    ("lstm", "direct(h, o) == diag(tanh(c))"),
    ("lstm", "dh_prev == U_f.T @ da_f + U_i.T @ da_i + U_g.T @ da_g + U_o.T @ da_o"),
    ("lstm", "da_f == dc * c_prev * f - dc * c_prev * f ** 2"),
    ("lstm", "W_f_bar == da_f @ x.T"),
    ("lstm", "dc == c_bar_in + dh * (o - h * tanh(c))"),
    ("lstm", "f + (1 - f) == 1"),
    ("lstm", "tanh(a_g) == 2 * sigmoid(2 * a_g) - 1"),
    ("lstm", "sigmoid(-a_f) == 1 - f"),
    ("lstm", "c_prev == f_prev * c_minus2 + i_prev * g_prev"),
    ("lstm", "h_minus2 == o_minus2 * tanh(c_minus2)"),
    ("lstm", "dc.T @ dc == sum(dc * dc)"),
    ("lstm", "diag(f) @ c == f * c"),
    ("lstm", "eye(h) @ h == h * ones(h)"),
    ("lstm", "jacobian(a_f, W_f) == kron(x.T, eye(h))"),
    ("lstm", "vec(W_f_bar) == kron(x, eye(h)) @ da_f"),
    ("lstm", "mean(c) * size(c) == sum(c)"),
    ("gru", "dz == dh * (n - h_prev)"),
    ("gru", "h - h_prev == z * (n - h_prev)"),
    ("rnn_relu", "h == h * step(a_h)"),
    ("mlstm", "di == v.T @ dC @ k + dn.T @ k"),
    ("mlstm", "C - f * C_prev == i * outer(v, k)"),
]

FALSE = [
    ("lstm", "dc_prev == dc * i"),
    ("lstm", "dc_prev == dh * f"),
    ("lstm", "jacobian(h, c_prev) == diag(f)"),
    ("lstm", "jacobian(h, h_prev) == jacobian(h, h_prev).T"),
    ("lstm", "dh_prev == U_f @ da_f + U_i.T @ da_i + U_g.T @ da_g + U_o.T @ da_o"),
    ("lstm", "W_f_bar == 2 * da_f @ x.T"),
    ("lstm", "U_f_bar == da_f @ h.T"),
    ("lstm", "c_prev == f_prev * c_minus2 + i_prev * g"),
    ("lstm", "f == 1"),
    ("gru", "dz == dh * (h_prev - n)"),
    ("rnn_relu", "h == a_h"),
    ("rnn_relu", "h == abs(a_h)"),
    ("mlstm", "di == v.T @ dC @ k"),
]


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("name", "claim"), TRUE)
def test_true(name: str, claim: str) -> None:
    verdict = prove(claim, cells.lookup(name))
    assert verdict
    assert verdict.verdict == "holds"
    assert verdict.counterexample is None
    assert "exactly, at d_x,d_h" in str(verdict)


@pytest.mark.parametrize(("name", "claim"), FALSE)
def test_false(name: str, claim: str) -> None:
    verdict = prove(claim, cells.lookup(name))
    assert not verdict
    assert verdict.verdict == "does not hold"
    found = verdict.counterexample
    assert found is not None
    assert f"entry ({found.entry[0]}, {found.entry[1]}) is" in str(verdict)
    # the numbers shown are enough to see it
    evaluate = Evaluator(found.values, found.sizes, NUMPY)
    at = tuple(i - 1 for i in found.entry)
    assert [float(evaluate(side)[at]) for side in (verdict.left, verdict.right)] == [found.left, found.right]
    assert abs(found.left - found.right) > 1e-9


def test_a_transposed_matrix_differs_first_where_it_is_larger_than_one() -> None:
    found = prove("U_f @ h == U_f.T @ h", cells.lstm).counterexample
    assert found is not None
    assert found.sizes["d_h"] > 1


def test_expressions_and_texts_mix() -> None:
    derivation = derive(cells.lstm)
    total = jacobian(derivation, "c", "c_prev")
    assert equal(total, "diag(f)", derivation)
    assert equal("diag(f)", total, cells.lstm)
    assert equal(derivation.of("f").value, derivation.of("f").target, derivation)
    assert not equal(total, nodes.diag(cells.lstm["i"]), cells.lstm)
    assert equal("1", "f + 1 - f", cells.lstm)
    assert not equal("1", "2", cells.lstm)


def test_two_steps() -> None:
    twice = jacobian(cells.gru, "h", "h_prev", kind="total", steps=2)
    assert equal(twice, twice, cells.gru)
    assert not equal(twice, "jacobian(h, h_prev) @ jacobian(h, h_prev)", cells.gru)


def test_what_no_numbers_tell_apart_is_not_proved() -> None:
    cell = Cell.from_source("def p(x, h, *, W, v):\n    h = tanh(W @ x + v) * h\n    return h\n")
    verdict = prove("log(exp(v)) == v", cell)
    assert not verdict
    assert verdict.verdict == "not proved"
    assert verdict.counterexample is None
    assert str(verdict) == f"log(exp(v)) = v: not proved in p; equal at {verdict.compared} random points"


REFUSED = [
    ("dcc == f", UnknownNameError, "has no 'dcc'"),
    ("f_minus == f", UnknownNameError, "has no 'f_minus'"),
    ("W_f_prev == W_f", UnknownNameError, "did you mean 'W_f'|did you mean"),
    ("jacobian(c, q) == f", UnknownNameError, "no variable 'q'"),
    ("W_f == f", ShapeError, r"\(d_h, d_x\) and \(d_h\) differ"),
    ("f + x == f", ShapeError, r"\(d_h\) and \(d_x\) differ"),
    ("W_f @ h == f", ShapeError, "do not chain"),
    ("x @ x == 1", ShapeError, "do not chain"),
    ("diag(W_f) == W_f", ShapeError, "diag: expected a vector"),
    ("concat(x.T, h) == f", ShapeError, "same number of columns"),
    ("f", CellError, "this is no equation"),
    ("f == f == f", CellError, "this is no equation"),
    ("f != f", CellError, "this is no equation"),
    ("f = c", CellError, r"one = gives a name\n    f = c\n      \^\n  write == between"),
    ("f == f; f == f", CellError, "this is no formula"),
    ("", CellError, "this is no formula"),
    ("f[0] == f", CellError, "subscript is not part of a formula"),
    ("f.real == f", CellError, "attribute is not part of a formula"),
    ("True == f", CellError, "constant is not part of a formula"),
    ("'f' == f", CellError, "constant is not part of a formula"),
    ("1e300 == f", CellError, "constant is not part of a formula"),
    ("f ** 0.5 == f", CellError, "exponents are whole numbers"),
    ("f ** 99 == f", CellError, "exponents are whole numbers"),
    ("f / 0 == f", CellError, "division by zero"),
    ("f // 2 == f", CellError, "operator is not part of a formula"),
    ("tanh(f, f) == f", CellError, "tanh takes 1 argument"),
    ("diag() == f", CellError, "diag takes 1 argument"),
    ("jacobian(c) == f", CellError, "takes the names of two variables"),
    ("jacobian(f * c, c) == f", CellError, "takes the names of two variables"),
    ("__import__('os') == f", CellError, "unknown function '__import__'"),
    ("(lambda: f)() == f", CellError, "call is not part of a formula"),
    ("f if f else f == f", CellError, "this is no equation"),
    ("-" * 150 + "f == f", CellError, "nested"),
    ("f ==", CellError, "not Python"),
]


@pytest.mark.parametrize(("claim", "error", "message"), REFUSED, ids=[claim[:30] for claim, _, _ in REFUSED])
def test_refused(claim: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        prove(claim, cells.lstm)
    assert isinstance(raised.value, SymrnnError)
    assert "\n  " in str(raised.value)


def test_expressions_that_do_not_belong_are_refused() -> None:
    f = cells.lstm["f"]
    stranger = Variable("q", *f.shape, time=0)
    with pytest.raises(UnknownNameError, match="'q' of shape"):
        equal(f, stranger, cells.lstm)
    with pytest.raises(UnknownNameError, match="'f' of shape"):
        equal(Variable("f", *cells.lstm["x"].shape, time=0), cells.lstm["x"], cells.lstm)
    with pytest.raises(ShapeError, match=re.escape("f_t has shape (d_h), x_t (d_x)")):
        equal(f, cells.lstm["x"], cells.lstm)


def test_the_text_is_never_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*args: object, **kwargs: object) -> None:
        raise AssertionError("evaluated")

    derivation = derive(cells.lstm)
    monkeypatch.setattr("builtins.eval", forbidden)
    assert str(read_formula("f * c_prev", derivation)) == "f_t ⊙ c_{t-1}"
    assert [str(side) for side in read_equation("f == 1", derivation)] == ["f_t", "𝟏"]
    assert ast.parse("f == 1")


def test_names_win_over_the_letter_d() -> None:
    cell = Cell.from_source("def p(x, h, *, W, U):\n    dh = W @ x\n    h = tanh(dh + U @ h)\n    return h\n")
    assert prove("dh == W @ x", cell)
    assert prove("ddh == da_h", cell)


def test_names_are_shown_as_they_were_written() -> None:
    shown = str(prove("dh * f_prev == dc", cells.lstm))
    assert "\n  dh = " in shown
    assert "\n  dc = " in shown
    assert "_bar" not in shown
    assert "\n  h_bar = " in str(prove("h_bar == h", cells.lstm))


AT_ZEROS = [
    ("lstm", "sign(c)**2 == 1", "c"),
    ("lstm", "sign(abs(c)) == 1", "c"),
    ("lstm", "step(c) + step(-c) == 1", "c"),
    ("lstm", "sign(c) == 2 * step(c) - 1", "c"),
    ("lstm", "sign(c ** 2 + h ** 2) == 1", "c"),
    ("rnn_relu", "da_h == dh - dh * step(-a_h)", "a_h"),  # the step is in the definition of one and in the text of one
]


@pytest.mark.parametrize(("name", "claim", "zero"), AT_ZEROS)
def test_what_holds_but_for_zeros_is_refuted_there(name: str, claim: str, zero: str) -> None:
    verdict = prove(claim, cells.lookup(name))
    assert verdict.verdict == "does not hold"
    assert verdict.counterexample is not None
    assert float(verdict.counterexample.values[zero].max()) == 0.0
    evaluate = Evaluator(verdict.counterexample.values, verdict.counterexample.sizes, NUMPY)
    assert float(evaluate(verdict.left)[0, 0]) == verdict.counterexample.left
    assert float(evaluate(verdict.right)[0, 0]) == verdict.counterexample.right


def test_a_zero_that_is_not_at_zero_is_found() -> None:
    found = prove("sign(c - 3)**2 == 1", cells.lstm).counterexample
    assert found is not None
    assert float(found.values["c"][0, 0]) == 3.0
    assert (found.left, found.right) == (0.0, 1.0)


EXCEPT = [
    ("relu(c) / c == step(c)", "c_t = 0"),
    ("c / c == 1", "c_t = 0"),
    ("f_prev / c_prev * c_prev == f_prev", "c_{t-1} = 0"),
    ("(c * c - 9) / (c - 3) == c + 3", "c_t - 3 = 0"),  # in floating point 0 / 4e-16 would refute it
    ("c / h == o ** -1 * c / tanh(c)", "h_t = 0 or tanh(c_t) = 0"),
]


@pytest.mark.parametrize(("claim", "where"), EXCEPT)
def test_what_must_not_be_zero_is_named(claim: str, where: str) -> None:
    verdict = prove(claim, cells.lstm)
    assert verdict
    assert f"holds in lstm except where {where}, exactly" in str(verdict)


NOWHERE_ZERO = [
    "c / (1 + abs(c)) == softsign(c)",
    "c / (1 + c ** 2) * (1 + c ** 2) == c",
    "h / f * f == h",
    "abs(c) == c * sign(c)",
    "relu(c) - relu(-c) == c",
    "maximum(c, h) == (c + h + abs(c - h)) / 2",
]


@pytest.mark.parametrize("claim", NOWHERE_ZERO)
def test_nothing_is_excluded_needlessly(claim: str) -> None:
    verdict = prove(claim, cells.lstm)
    assert verdict
    assert verdict.excluded == ()


@pytest.mark.parametrize("claim", ["step(c - 3) == 0", "step(c ** 2) == 1", "maximum(c, 50) == 50", "relu(c) == c"])
def test_what_is_false_far_away_or_at_one_point_is_refuted(claim: str) -> None:
    assert prove(claim, cells.lstm).verdict == "does not hold"


def test_rounding_is_no_counterexample() -> None:
    verdict = prove("log(sigmoid(a_f)) == log_sigmoid(a_f)", cells.lstm)  # true, and not modelled in the field
    assert verdict.verdict == "not proved"
    assert verdict.compared > 20
    assert str(verdict).endswith(f"; equal at {verdict.compared} random points")


def test_a_division_by_a_number_is_a_factor() -> None:
    derivation = derive(cells.lstm)
    assert str(read_formula("(c + h) / 2", derivation)) == "(1/2) (c_t + h_t)"
    assert str(read_formula("tanh(c / 2)", derivation)) == "tanh((1/2) c_t)"
    assert str(read_formula("c / 3", derivation)) == str(read_formula("1 / 3 * c", derivation))


def test_numbers_are_formulas() -> None:
    assert equal(5, "f + 5 - f", cells.lstm)
    assert equal(0.5, 0.5, cells.lstm)
    assert equal(cells.lstm["f"], cells.lstm["f"], cells.lstm)
    assert not equal(5, "h", cells.gru)


@pytest.mark.parametrize("nothing", [None, True, [1], {"f": 1}])
def test_what_is_no_formula_is_refused(nothing: object) -> None:
    with pytest.raises(InputError, match=r"expected a formula, got .*\n  give a text"):
        equal(nothing, "h", cells.gru)  # type: ignore[arg-type]


@pytest.mark.parametrize("nothing", [5, "h", None])
def test_simplify_refuses_what_is_no_expression(nothing: object) -> None:
    with pytest.raises(InputError, match="simplify: expected an expression, got "):
        simplify(nothing)  # type: ignore[arg-type]


# --- which derivative is meant ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "holds", "meaning"),
    [
        (
            "jacobian(c, c_prev) == diag(f)",
            True,
            "jacobian(c, c_prev) is ∂c_t/∂c_{t-1}|_{h_{t-1}}, where h_{t-1} is held",
        ),
        ("cell(c, c_prev) == diag(f)", True, "cell(c, c_prev) is ∂c_t/∂c_{t-1}|_{h_{t-1}}, where h_{t-1} is held"),
        (
            "total(c, c_prev) == diag(f)",
            False,
            "total(c, c_prev) is dc_t/dc_{t-1}, where whatever it reaches moves along",
        ),
        (
            "total(c, c_prev) == cell(c, c_prev) + cell(c, h_prev) @ total(h_prev, c_prev)",
            True,
            "total(h_prev, c_prev) is",
        ),
        ("direct(c, c_prev) == diag(f)", True, "is ∂⁺c_t/∂c_{t-1}, where every other named variable is held"),
        (
            "cell(c, c_prev, 2) == cell(c, c_prev)",
            False,
            "cell(c, c_prev, 2) is ∂c_t/∂c_{t-2}|_{h_{t-2}}, where h_{t-2}",
        ),
        ("dc_prev == dc * f", True, "δ←c_{t-1} is what the step sends back to c_{t-1}, not all of δc_{t-1}"),
        ("message(c_prev) == c_bar * f", True, "δ←c_{t-1} is what the step sends back to c_{t-1}"),
        ("dW_f == da_f @ x.T", True, "δW_{f,t} is the term of one step, ∂L/∂W_f the sum of these"),
    ],
)
def test_a_verdict_says_which_derivative_was_meant(claim: str, holds: bool, meaning: str) -> None:
    found = prove(claim, cells.lstm)
    assert found.holds == holds
    assert any(meaning in one for one in found.meanings)
    assert all(f"\n  {one}" in str(found) for one in found.meanings)
    assert prove("dc == c_bar", cells.lstm).meanings == ()


def test_expressions_have_meanings_too() -> None:
    derivation = derive(cells.lstm)
    for name, meaning in (("c_prev", "δ←c_{t-1} is what the step sends back"), ("W_f", "δW_{f,t} is the term of one")):
        step = derivation.of(name)
        found = equal(step.target, step.value, derivation)
        assert found
        assert meaning in str(found)
    assert jacobian(derivation, "c", "c_prev", "total") == prove("total(c, c_prev) == 0", derivation).left


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        (
            "message(c) == dc",
            r"message takes the name of a state at t-1(.|\n)*there are message\(h_prev\), message\(c_prev\)",
        ),
        ("total(c) == f", r"total takes the names of two variables, and a number of steps where there are several"),
        ("total(c, c_prev, x) == f", "total takes the names of two variables"),
        ("total(c, c_prev, 0) == f", "give a whole number of steps, at least 1"),
        ("direct(c, c_prev, 2) == f", 'steps=2 with kind="direct"'),
    ],
)
def test_a_derivative_that_cannot_be_meant_is_refused(claim: str, message: str) -> None:
    with pytest.raises(SymrnnError, match=message):
        prove(claim, cells.lstm)


IDENTITIES = [
    ("lstm", "max(2 * h) == 2 * max(h)"),
    ("lstm", "max(U_f, axis=1) == max(U_f.T, axis=0)"),
    ("lstm", "sum(U_f, axis=0) == U_f.T @ ones(h)"),
    ("lstm", "mean(W_f, axis=1) * size(x) == sum(W_f, axis=-1)"),
    ("lstm", "softmax(U_f, axis=1) == softmax(U_f.T, axis=0).T"),
    ("lstm", "softmax(h, axis=0) == softmax(h)"),
    ("lstm", "split(concat(f, i, g), 3)[1] == i"),
    ("lstm", "leaky_relu(c) == leaky_relu(c, 0.01)"),
    ("lstm", "hard_sigmoid(6 * f + 3) == 1"),
    ("lstm", "hard_sigmoid(c, 0.2, 0.5) == minimum(1, maximum(0, 0.2 * c + 0.5))"),
    ("lstm", "c % 2 == c - 2 * floor(c / 2)"),
]


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("name", "claim"), IDENTITIES)
def test_what_the_language_has_stands_in_claims(name, claim):
    verdict = prove(claim, cells[name])
    assert verdict, str(verdict)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", [*FUNCTIONS, *(name for name in STRUCTURAL if name != "split")])
def test_every_function_of_the_language_can_be_claimed_about(name):
    count = FUNCTIONS[name].needed if name in FUNCTIONS else STRUCTURAL[name] or 2
    shown = f"{name}({', '.join(['f', 'i', 'o'][:count])})"
    verdict = prove(f"{shown} == {shown}", cells.lstm)
    assert verdict, str(verdict)
    assert not prove(f"{shown} == {shown} + 1", cells.lstm)


@pytest.mark.parametrize("claim", ["max(h, axis=1) == 0", "sum(U_f, axis=2) == 0", "split(h, 2)[0] == 0"])
def test_what_has_no_such_axis_or_part_is_refused(claim):
    with pytest.raises(CellError, match=r"has no (axis|part)"):
        prove(claim, cells.lstm)

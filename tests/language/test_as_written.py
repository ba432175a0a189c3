"""What papers and programs write is read, derived, printed as written, generated and verified."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import symrnn
from symrnn import variants
from symrnn.errors import InputError
from symrnn.language.recurrence import Cell
from symrnn.printers.mathematics import MathPrinter
from symrnn.printers.notation import NOTATIONS
from symrnn.printers.syntax import TEXT
from tests.language.written import HELD_BACK, WRITTEN, Written


def read(text: str) -> Cell:
    return Cell.from_source(text)


@pytest.mark.parametrize("case", [*WRITTEN, *HELD_BACK], ids=lambda case: case.name)
def test_cell_is_read_as_it_is_written(case: Written) -> None:
    cell = read(case.text)
    assert "; ".join(" ".join(names) for names in (cell.inputs, cell.states, cell.parameters)).strip() == case.roles
    assert len(WRITTEN) + len(HELD_BACK) == 41
    assert cell.source == case.text.lstrip("\n")
    show = MathPrinter(TEXT, NOTATIONS["subscript"])
    assert set(case.equations) <= {f"{show(e.target)} = {show(e.value)}" for e in cell.body}
    assert {name: cell.shape_names(name) for name, _ in case.shapes} == dict(case.shapes)


@pytest.mark.sampled(8)
@pytest.mark.parametrize("case", [*WRITTEN, *HELD_BACK], ids=lambda case: case.name)
def test_cell_as_written_is_derived_and_verified(case: Written) -> None:
    cell = read(case.text)
    symrnn.verify(cell).raise_if_failed()
    derivation = symrnn.derive(cell)
    assert "{t,t" not in derivation.latex()
    assert cell.source.strip() in symrnn.generate(cell).source.replace("\n# ", "\n").replace("\n#\n", "\n\n")


DATED = "def f(x_t, h_tm1, *, W, U):\n    a_t = W @ x_t + U @ h_tm1\n    h_t = tanh(a_t)\n    return h_t\n"


def test_both_names_of_a_value_are_understood() -> None:
    cell = read(DATED)
    assert cell["h_tm1"] is cell["h_prev"]
    assert cell["h_t"] is cell["h"]
    assert cell["x_t"] is cell["x"]
    assert symrnn.jacobian(cell, "h_t", "h_tm1") == symrnn.jacobian(cell, "h", "h_prev")
    assert symrnn.jacobian(cell, "a_t", "x_t") == cell["W"]
    x, h = np.array([0.1, -0.2]), np.array([0.3, 0.5, -0.7])
    W, U = np.arange(6.0).reshape(3, 2) / 9, np.arange(9.0).reshape(3, 3) / 7
    expected = np.tanh(W @ x + U @ h)
    for state in ("h", "h_tm1"):
        assert np.array_equal(cell.definition(x_t=x, **{state: h}, W=W, U=U), expected)


def test_the_state_before_stays_itself_after_the_equation() -> None:
    cell = read(
        "def f(x, h_prev, *, W):\n    h = tanh(W @ x) * h_prev\n    c = 2\n    return h\n".replace("    c = 2\n", "")
    )
    assert cell.definition(np.ones(2), np.full(3, 0.5), W=np.ones((3, 2)))[0] == np.tanh(2.0) / 2


@pytest.mark.parametrize(
    ("cut", "start", "stop"),
    [("a[:d_h]", 0, 3), ("a[d_h:2*d_h]", 3, 6), ("a[2 * d_h:]", 6, 9), ("a[0:d_h]", 0, 3), ("split(a, 3)[1]", 3, 6)],
)
def test_rows_are_those_that_python_gives(cut: str, start: int, stop: int) -> None:
    cell = read(f"def f(x, h, *, W: '3*d_h, d_x'):\n    a = W @ x\n    h = h + {cut}\n    return h\n")
    x, h, W = np.array([0.5, -0.25]), np.array([1.0, 2.0, 3.0]), np.random.default_rng(0).normal(size=(9, 2))
    assert np.allclose(cell.definition(x, h, W=W), h + (W @ x)[start:stop])


STACKED = """
def f(x, h, c, *, W, U, b):
    a_i, a_f, a_o = split(W @ x + U @ h + b, 3)
    c = sigmoid(a_f) * c + a_i
    h = sigmoid(a_o) * c
    return h, c
"""
APART = """
def f(x, h, c, *, W_i, U_i, b_i, W_f, U_f, b_f, W_o, U_o, b_o):
    c = sigmoid(W_f @ x + U_f @ h + b_f) * c + W_i @ x + U_i @ h + b_i
    h = sigmoid(W_o @ x + U_o @ h + b_o) * c
    return h, c
"""


def test_stacked_gates_are_the_gates_one_by_one() -> None:
    stacked, apart = symrnn.generate(read(STACKED)), symrnn.generate(read(APART))
    together = stacked.initialize(4, 5, 0)
    parts = {f"{p}_{g}": together[p][5 * k : 5 * k + 5] for k, g in enumerate("ifo") for p in "WUb"}
    rng = np.random.default_rng(1)
    x, bar = rng.normal(size=(6, 3, 4)), rng.normal(size=(6, 3, 5))
    here, there = stacked.forward(together, x), apart.forward(parts, x)
    assert np.allclose(here[0], there[0])
    grads, x_bar, _ = stacked.backward(together, here[2], bar)
    expected, x_expected, _ = apart.backward(parts, there[2], bar)
    assert np.allclose(x_bar, x_expected)
    for p in "WUb":
        assert np.allclose(grads[p], np.concatenate([expected[f"{p}_{g}"] for g in "ifo"]))


# --- constants --------------------------------------------------------------------------------------------------------

LEAKY = """
def leaky(x, h, *, W, U, b, alpha=0.1):
    h = (1 - alpha) * h + alpha * tanh(W @ x + U @ h + b)
    return h
"""


def numbers(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {"W": rng.normal(size=(3, 2)), "U": rng.normal(size=(3, 3)), "b": rng.normal(size=3)}


def test_a_constant_is_no_parameter_and_has_no_gradient() -> None:
    cell = read(LEAKY)
    assert cell.parameters == ("W", "U", "b")
    assert dict(cell.constants) == {"alpha": Fraction(1, 10)}
    derivation = symrnn.derive(cell)
    assert "alpha_bar" not in {step.target.name for step in derivation.steps}
    assert "constant" in str(derivation)
    assert "α = 0.1" in str(derivation)
    assert r"\alpha = 0.1" in derivation.latex()
    symrnn.verify(cell, functions=["jvp", "hvp", "rtrl", "truncate"]).raise_if_failed()


@pytest.mark.parametrize("alpha", [0.1, 0.7])
def test_every_function_reads_the_same_number(alpha: float) -> None:
    with_it = symrnn.generate(read(LEAKY), functions=["jvp", "hvp", "rtrl"], constants={"alpha": alpha})
    changed = symrnn.generate(read(LEAKY), functions=["jvp", "hvp", "rtrl"])
    changed.constants["alpha"] = alpha
    written = symrnn.generate(
        read(LEAKY.replace(", alpha=0.1", "").replace("alpha", str(alpha))), functions="jvp,hvp,rtrl"
    )
    params, rng = numbers(), np.random.default_rng(2)
    x, bar = rng.normal(size=(4, 2, 2)), rng.normal(size=(4, 2, 3))
    for module in (with_it, changed):
        h, _, tape = module.forward(params, x)
        expected, _, expected_tape = written.forward(params, x)
        assert np.allclose(h, expected, rtol=1e-14)
        assert np.allclose(module.step(params, x[0])["h"], expected[0], rtol=1e-14)
        ours, theirs = module.backward(params, tape, bar)[0], written.backward(params, expected_tape, bar)[0]
        rtrl, _, _ = module.rtrl(params, x, bar)
        dot, _ = module.jvp(params, x, params_dot=params)
        assert np.allclose(dot, written.jvp(params, x, params_dot=params)[0], rtol=1e-13)
        hvp, wanted = (
            module.hvp(params, x, bar, params_dot=params)[0],
            written.hvp(params, x, bar, params_dot=params)[0],
        )
        for name in params:
            assert np.allclose(ours[name], theirs[name], rtol=1e-13)
            assert np.allclose(rtrl[name], theirs[name], rtol=1e-12)
            assert np.allclose(hvp[name], wanted[name], rtol=1e-12)


def test_a_constant_keeps_single_precision() -> None:
    module = symrnn.generate(read(LEAKY))
    params = {name: value.astype(np.float32) for name, value in numbers().items()}
    h, _, _ = module.forward(params, np.ones((3, 2, 2), np.float32))
    assert h.dtype == np.float32


def test_the_text_runs_with_the_constant_or_another_number() -> None:
    cell, params = read(LEAKY), numbers()
    x, h = np.array([0.5, -1.0]), np.array([0.2, 0.4, -0.3])
    a = np.tanh(params["W"] @ x + params["U"] @ h + params["b"])
    assert np.allclose(cell.definition(x, h, **params), 0.9 * h + 0.1 * a)
    assert np.allclose(cell.definition(x, h, **params, alpha=0.25), 0.75 * h + 0.25 * a)


def test_cells_with_constants_are_compared_with_their_numbers() -> None:
    literal = read(LEAKY.replace(", alpha=0.1", "").replace("alpha", "0.1"))
    assert symrnn.equivalent(read(LEAKY), literal)
    assert not symrnn.equivalent(read(LEAKY.replace("0.1", "0.2")), literal)


def test_what_is_proved_holds_for_every_number() -> None:
    assert symrnn.prove("jacobian(h, x) == alpha * diag(1 - tanh(a_h)**2) @ W", read(LEAKY)).holds


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"beta": 1}, "its constants are alpha"),
        ({"alpha": "much"}, "no number"),
        ({"alpha": float("nan")}, "no number"),
    ],
)
def test_only_numbers_for_constants(given: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        symrnn.generate(read(LEAKY), constants=given)


# --- cells without inputs, and inputs that nothing reads --------------------------------------------------------------

AUTONOMOUS = "def f(h, *, U):\n    h = tanh(U @ h)\n    return h\n"
UNREAD = "def f(x, m, h, *, W):\n    h = tanh(W @ x + h)\n    return h\n"


def test_a_cell_without_inputs_is_told_how_many_steps_it_runs() -> None:
    cell = read(AUTONOMOUS)
    symrnn.verify(cell, functions=["jvp", "hvp", "rtrl", "truncate"]).raise_if_failed()
    assert symrnn.jacobian(cell, "h", "h_prev", kind="total", steps=2) is not None
    assert "tanh(a_{h,t})" in str(symrnn.derive(cell))
    module = symrnn.generate(cell, functions=["rtrl"])
    params = module.initialize(3, 0)
    start = np.random.default_rng(0).normal(size=(2, 3))
    h, state, tape = module.forward(params, 4, {"h": start})
    expected = start
    for t in range(4):
        expected = np.tanh(expected @ params["U"].T)
        assert np.allclose(h[t], expected)
    assert np.allclose(state["h"], expected)
    grads, state_bar = module.backward(params, tape, np.ones_like(h))
    assert set(grads) == {"U"}
    assert state_bar["h"].shape == (2, 3)
    assert module.forward(params, 5)[0].shape == (5, 1, 3)
    assert module.forward(params, 0)[0].shape == (0, 1, 3)


@pytest.mark.parametrize("steps", [-1, 2.0, True, None, np.ones((3, 1, 2))], ids=str)
def test_the_number_of_steps_is_a_whole_number(steps: object) -> None:
    module = symrnn.generate(read(AUTONOMOUS))
    with pytest.raises(ValueError, match="T: expected the number of steps"):
        module.forward(module.initialize(3, 0), steps)


def test_the_number_of_steps_agrees_with_the_cotangents() -> None:
    module = symrnn.generate(read(AUTONOMOUS), functions=["rtrl"])
    with pytest.raises(ValueError, match="T: expected 4 steps"):
        module.rtrl(module.initialize(3, 0), 3, np.ones((4, 1, 3)))


def test_an_input_that_nothing_reads_has_the_gradient_zero_and_a_remark() -> None:
    cell = read(UNREAD)
    assert cell.remarks == ("no equation reads the input 'm': its gradient is zero",)
    symrnn.verify(cell).raise_if_failed()
    assert "No equation reads the input 'm'" in str(symrnn.derive(cell))
    assert read(AUTONOMOUS).remarks == ()


# --- Greek letters ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shown", "latex"),
    [
        ("lam", "λ", r"\lambda"),
        ("lambda_", "λ", r"\lambda"),
        ("eps", "ε", r"\epsilon"),
        ("eps_h", "ε_h", r"\epsilon_h"),
        ("W_lam", "W_λ", r"W_{\lambda}"),
        ("eps1", "ε_1", r"\epsilon_1"),
        ("alpha", "α", r"\alpha"),
        ("sig", "sig", r"\mathrm{sig}"),
        ("lamp", "lamp", r"\mathrm{lamp}"),
        ("steps", "steps", r"\mathrm{steps}"),
    ],
)
def test_greek_letters_are_printed_as_letters(name: str, shown: str, latex: str) -> None:
    cell = read(f"def f(x, h, *, W, {name}: '()'):\n    h = {name} * h + W @ x\n    return h\n")
    derivation = symrnn.derive(cell)
    assert f"h_t = {shown} h_{{t-1}}" in str(derivation)
    assert latex in derivation.latex()


def test_variants_keep_constants_and_the_state_before() -> None:
    renamed = variants.renamed(read(LEAKY), names={"alpha": "rate", "h": "s"})
    assert dict(renamed.constants) == {"rate": Fraction(1, 10)}
    assert variants.without_biases(read(LEAKY)).constants == {"alpha": Fraction(1, 10)}
    late = "def f(x, h_prev, c, *, W):\n    h_t = tanh(W @ x)\n    c = c + h_prev\n    return h_t, c\n"
    cell = variants.renamed(read(late), names={"h": "s"})
    assert "c + s_prev" in cell.source
    assert symrnn.equivalent(cell, read(late))


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("torch.amin(A, dim=1)", "min(A, axis=1)"),
        ("A.min(axis=0) + A.max(axis=0)", "min(A, axis=0) + max(A, axis=0)"),
        ("np.min(x) * x", "min(x) * x"),
        ("np.min(A) * x", "min(A) * x"),
        ("min(A @ x, x)", "minimum(A @ x, x)"),
        ("gelu_pytorch_tanh(x)", "gelu_tanh(x)"),
    ],
)
def test_smallest_entries_and_the_other_gelu(written: str, plain: str) -> None:
    text = 'def f(x, h, *, A: "d_x, d_x", W: "d_h, d_x"):\n    a = {}\n    h = W @ (A @ a) + h\n    return h\n'
    assert Cell.from_source(text.format(written)).body == Cell.from_source(text.format(plain)).body

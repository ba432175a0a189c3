"""A second writing of every cell in NumPy, from the papers' equations, against what the library's text computes.

Nothing here comes from the library: the formulas are typed in, with the papers' equation numbers where they are known,
in the library's names for the parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from symrnn import Cell, cells, generate

Array = Any
Params = Mapping[str, Array]
Step = Callable[..., Any]
SIZES = {"d_x": 4, "d_h": 6, "d_c": 3, "d_s": 5, "d_k": 3, "d_p": 5}


def sigma(a: Array) -> Array:
    return 1 / (1 + np.exp(-a))


def relu(a: Array) -> Array:
    return np.where(a > 0, a, 0)


def affine(p: Params, k: str, x: Array, h: Array) -> Array:
    """W_k x + U_k h + b_k + c_k, with the biases that there are."""
    return p[f"W_{k}"] @ x + p[f"U_{k}"] @ h + p.get(f"b_{k}", 0) + p.get(f"c_{k}", 0)


# --- simple recurrent networks ----------------------------------------------------------------------------------------


def simple(activation: Callable[[Array], Array]) -> Step:
    """Elman (1990): h_t = f(W x_t + U h_{t-1} + b)."""
    return lambda p, x, h: activation(p["W"] @ x + p["U"] @ h + p["b"] + p.get("c", 0))


def indrnn(p: Params, x: Array, h: Array) -> Array:
    """Li et al. (2018): h_t = relu(W x_t + u * h_{t-1} + b)."""
    return relu(p["W"] @ x + np.diag(p["u"]) @ h + p["b"])


def antisymmetric_rnn(p: Params, x: Array, h: Array) -> Array:
    """Chang et al. (2019): h_t = h_{t-1} + eps tanh((W_h - W_h^T - gamma I) h_{t-1} + V_h x_t + b_h)."""
    A = p["U"] - p["U"].T - p["gamma"] * np.eye(len(h))
    return h + p["eps"] * np.tanh(A @ h + p["W"] @ x + p["b"])


def scrn(p: Params, x: Array, h: Array, s: Array) -> tuple[Array, Array]:
    """Mikolov et al. (2015): s_t = (1 - alpha) B x_t + alpha s_{t-1}; h_t = sigma(P s_t + A x_t + R h_{t-1})."""
    s = p["alpha"] * s + (1 - p["alpha"]) * p["B"] @ x
    return sigma(p["P"] @ s + p["A"] @ x + p["R"] @ h), s


def ugrnn(p: Params, x: Array, h: Array) -> Array:
    """Collins et al. (2017): h_t = g_t * h_{t-1} + (1 - g_t) * c_t."""
    g = sigma(affine(p, "g", x, h))
    return g * h + (1 - g) * np.tanh(affine(p, "n", x, h))


def ligru(p: Params, x: Array, h: Array) -> Array:
    """Ravanelli et al. (2018): h_t = z_t * h_{t-1} + (1 - z_t) * relu(...)."""
    z = sigma(affine(p, "z", x, h))
    return z * h + (1 - z) * relu(affine(p, "n", x, h))


def mgu(p: Params, x: Array, h: Array) -> Array:
    """Zhou et al. (2016): h_t = (1 - f_t) * h_{t-1} + f_t * tanh(W_h [f_t * h_{t-1}, x_t] + b_h)."""
    f = sigma(affine(p, "f", x, h))
    return (1 - f) * h + f * np.tanh(affine(p, "n", x, f * h))


def mgu_flax(p: Params, x: Array, h: Array) -> Array:
    """flax.linen.MGUCell: n = tanh(W_in x + b_in + f * (W_hn h + b_hn)); h' = (1 - f) * n + f * h."""
    f = sigma(p["W_f"] @ x + p["b_f"] + p["U_f"] @ h)
    n = np.tanh(p["W_n"] @ x + p["b_n"] + f * (p["U_n"] @ h + p["c_n"]))
    return (1 - f) * n + f * h


def minimal_rnn(p: Params, x: Array, h: Array) -> Array:
    """Chen (2017): z_t = Phi(x_t); u_t = sigma(U_h h_{t-1} + U_z z_t + b_u); h_t = u_t * h_{t-1} + (1 - u_t) * z_t."""
    z = np.tanh(p["W"] @ x + p["b"])
    u = sigma(p["U"] @ h + p["V"] @ z + p["c"])
    return u * h + (1 - u) * z


def fastgrnn(p: Params, x: Array, h: Array) -> Array:
    """Kusupati et al. (2018): h_t = (zeta (1 - z_t) + nu) * h~_t + z_t * h_{t-1}."""
    z = sigma(p["W"] @ x + p["U"] @ h + p["b_z"])
    n = np.tanh(p["W"] @ x + p["U"] @ h + p["b_n"])
    return (p["zeta"] * (1 - z) + p["nu"]) * n + z * h


def rhn(p: Params, x: Array, h: Array) -> Array:
    """Zilly et al. (2017), equations 6 to 9: s_l = h_l * t_l + s_{l-1} * c_l, the input in the first layer only."""
    s = h
    for layer in (1, 2):
        U, b = ("U", "b") if layer == 1 else ("V", "d")
        n, t, c = (p[f"{U}_{k}"] @ s + p[f"{b}_{k}"] + (p[f"W_{k}"] @ x if layer == 1 else 0) for k in "ngk")
        s = np.tanh(n) * sigma(t) + s * sigma(c)
    return s


def cfn(p: Params, x: Array, h: Array) -> Array:
    """Laurent & von Brecht (2017): h_t = theta_t * tanh(h_{t-1}) + eta_t * tanh(W x_t)."""
    theta, eta = (sigma(p[f"U_{k}"] @ h + p[f"V_{k}"] @ x + p[f"b_{k}"]) for k in "fi")
    return theta * np.tanh(h) + eta * np.tanh(p["W"] @ x)


def janet(p: Params, x: Array, h: Array) -> Array:
    """Van der Westhuizen & Lasenby (2018): c_t = sigma(s_t) * c_{t-1} + (1 - sigma(s_t - beta)) * c~_t; h_t = c_t."""
    s = affine(p, "f", x, h)
    return sigma(s) * h + (1 - sigma(s - p["beta"])) * np.tanh(affine(p, "n", x, h))


# --- long short-term memory -------------------------------------------------------------------------------------------


def memory_cell(
    without: str = "", peepholes: bool = False, coupled: bool = False, squash: Step = np.tanh, read: Step = np.tanh
) -> Step:
    """Graves (2013), equations 7 to 11; Greff et al. (2017), section II; the gates in `without` are 1."""

    def step(p: Params, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        def gate(k: str, memory: Array) -> Array:
            return 1.0 if k in without else sigma(affine(p, k, x, h) + (p[f"p_{k}"] * memory if peepholes else 0))

        i = gate("i", c)
        f = 1 - i if coupled else gate("f", c)
        c = f * c + i * squash(affine(p, "g", x, h))
        h = gate("o", c) * read(c)
        return (p["W_h"] @ h if "W_h" in p else h), c

    return step


def lstm_concat(p: Params, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """Olah (2015): f_t = sigma(W_f [h_{t-1}, x_t] + b_f), and so on."""
    f, i, g, o = (p[f"W_{k}"] @ np.concatenate([h, x]) + p[f"b_{k}"] for k in "figo")
    c = sigma(f) * c + sigma(i) * np.tanh(g)
    return sigma(o) * np.tanh(c), c


def normalised(a: Array) -> Array:
    """Ba et al. (2016), equation 4, with a small number under the root."""
    return (a - a.mean()) / np.sqrt(a.var() + 1e-5)


def lstm_layer_norm(p: Params, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """Ba et al. (2016), supplement: LN(W_h h_{t-1}) + LN(W_x x_t) + b for all gates; h_t = sigma(o) * tanh(LN(c_t))."""

    def stacked(letter: str) -> Array:
        return np.concatenate([p[f"{letter}_{k}"] for k in "figo"])

    a = stacked("v") * normalised(stacked("W") @ x) + stacked("w") * normalised(stacked("U") @ h) + stacked("b")
    f, i, g, o = np.split(a, 4)
    c = sigma(f) * c + sigma(i) * np.tanh(g)
    return sigma(o) * np.tanh(p["v_c"] * normalised(c) + p["b_c"]), c


def lstm_odyssey_fgr(p: Params, x: Array, h: Array, c: Array, i: Array, f: Array, o: Array) -> tuple[Array, ...]:
    """Greff et al. (2017), FGR: every gate sees R_ik i_{t-1} + R_fk f_{t-1} + R_ok o_{t-1}."""
    old = {"i": i, "f": f, "o": o}

    def gate(k: str, memory: Array) -> Array:
        recurrence = sum(p[f"R_{j}{k}"] @ old[j] for j in "ifo")
        return sigma(affine(p, k, x, h) + p[f"p_{k}"] * memory + recurrence)

    i, f = gate("i", c), gate("f", c)
    c = np.tanh(affine(p, "g", x, h)) * i + c * f
    o = gate("o", c)
    return np.tanh(c) * o, c, i, f, o


def identity(a: Array) -> Array:
    return a


# --- gated recurrent units --------------------------------------------------------------------------------------------


def gated(reset: str, z_weighs: str) -> Step:
    """Cho et al. (2014), equations 5 to 8 (before, old); Chung et al. (2014), section 3.2 (before, candidate);
    torch.nn.GRU (after, old).
    """

    def step(p: Params, x: Array, h: Array) -> Array:
        r, z = sigma(affine(p, "r", x, h)), sigma(affine(p, "z", x, h))
        if reset == "before":
            n = np.tanh(affine(p, "n", x, r * h))
        else:
            n = np.tanh(p["W_n"] @ x + p.get("b_n", 0) + r * (p["U_n"] @ h + p.get("c_n", 0)))
        return z * h + (1 - z) * n if z_weighs == "old" else z * n + (1 - z) * h

    return step


def inner_bias(p: Params, x: Array, h: Array) -> Array:
    """tanh(W x + r * (U h + b)), z on the candidate."""
    r, z = sigma(affine(p, "r", x, h)), sigma(affine(p, "z", x, h))
    return (1 - z) * h + z * np.tanh(p["W_n"] @ x + r * (p["U_n"] @ h + p["b_n"]))


# --- since 2017 -------------------------------------------------------------------------------------------------------


def mingru(p: Params, x: Array, h: Array) -> Array:
    """Feng et al. (2024), section 3.1."""
    z = sigma(p["W_z"] @ x + p["b_z"])
    return (1 - z) * h + z * (p["W_n"] @ x + p["b_n"])


def minlstm(p: Params, x: Array, h: Array) -> Array:
    """Feng et al. (2024), section 3.2: f' = f / (f + i), i' = i / (f + i)."""
    f, i = (sigma(p[f"W_{k}"] @ x + p[f"b_{k}"]) for k in "fi")
    return (f * h + i * (p["W_n"] @ x + p["b_n"])) / (f + i)


def sru(p: Params, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """Lei et al. (2018), equations 1 to 4."""
    f, r = (sigma(p[f"W_{k}"] @ x + p[f"v_{k}"] * c + p[f"b_{k}"]) for k in "fr")
    c = f * c + (1 - f) * (p["W"] @ x)
    return r * c + (1 - r) * x, c


def slstm(p: Params, x: Array, h: Array, c: Array, n: Array, m: Array) -> tuple[Array, ...]:
    """Beck et al. (2024), equations 8 to 14, without the stabiliser: c and n are exp(m) times the stabilised ones."""
    C, N = c * np.exp(m), n * np.exp(m)
    i, f = np.exp(affine(p, "i", x, h)), sigma(affine(p, "f", x, h))
    C = f * C + i * np.tanh(affine(p, "z", x, h))
    N = f * N + i
    new = np.maximum(np.log(f) + m, np.log(i))  # equation 15
    return sigma(affine(p, "o", x, h)) * C / N, C * np.exp(-new), N * np.exp(-new), new


def mlstm(p: Params, x: Array, h: Array, C: Array, n: Array, m: Array) -> tuple[Array, ...]:
    """Beck et al. (2024), equations 19 to 27, without the stabiliser: C and n are exp(m) times the stabilised ones."""
    q, k, v = (p[f"W_{one}"] @ x for one in "qkv")
    q, k, v = q + p["b_q"], k / np.sqrt(len(k)) + p["b_k"], v + p["b_v"]
    i, f = np.exp(p["w_i"] @ x + p["b_i"]), sigma(p["w_f"] @ x + p["b_f"])
    big, norm = f * C * np.exp(m) + i * np.outer(v, k), f * n * np.exp(m) + i * k
    h = sigma(p["W_o"] @ x + p["b_o"]) * (big @ q) / max(abs(norm @ q), 1)
    new = max(np.log(f) + m, np.log(i), 0)
    return h, big * np.exp(-new), norm * np.exp(-new), new


def lru(p: Params, x: Array, h: Array, re: Array, im: Array) -> tuple[Array, ...]:
    """Orvieto et al. (2023), section 3: x_k = Lambda x_{k-1} + exp(gamma) * (B u_k), y_k = Re(C x_k) + D u_k."""
    eigenvalues = np.exp(-np.exp(p["nu"]) + 1j * np.exp(p["theta"]))
    state = eigenvalues * (re + 1j * im) + np.exp(p["gamma"]) * ((p["B_p"] + 1j * p["B_q"]) @ x)
    return ((p["C_p"] + 1j * p["C_q"]) @ state).real + p["D"] @ x, state.real, state.imag


# --- as found ---------------------------------------------------------------------------------------------------------


def double_gated(p: Params, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """Line 59: y = h * o, with h = o * tanh(c)."""
    o = sigma(affine(p, "o", x, h))
    h, c = memory_cell()(p, x, h, c)
    return h * o, c


def found_candidate(p: Params, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """Line 54: the candidate is tanh(update gate + x)."""
    f, i, o = (sigma(affine(p, k, x, h)) for k in "fio")
    c = f * c + i * np.tanh(i + x)
    return o * np.tanh(c), c


def slope_gate(p: Params, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """Line 165: f = Gamma (1 - Gamma)."""
    gamma, i, o = (sigma(affine(p, k, x, h)) for k in "fio")
    c = gamma * (1 - gamma) * c + i * np.tanh(affine(p, "g", x, h))
    return o * np.tanh(c), c


def found_zero(p: Params, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """Lines 127 to 165."""
    Gamma, Theta = sigma(affine(p, "f", x, h)), sigma(affine(p, "i", x, h))
    Lambda = sigma(p["W_o"] @ x + p["U_o"] @ h - p["b_o"])
    o = sigma(p["W_h"] @ x + p["U_h"] @ (h * Lambda * h) + p["b_h"])
    c = Gamma * (1 - Gamma) * c + x * Theta * h**2
    return o * np.tanh(c), c


def found_reset_mix(p: Params, x: Array, h: Array) -> Array:
    """Line 96: h_t = (1 - rho)[h_{t-1} + rho tanh(W_hh (x_t + r_t (U_rh h_{t-1} + b_rh)))]."""
    rho, r = sigma(affine(p, "m", x, h)), sigma(affine(p, "r", x, h))
    return (1 - rho) * (h + rho * np.tanh(p["W_n"] @ (x + r * (p["U_n"] @ h + p["b_n"]))))


def found_b(p: Params, x: Array, h: Array) -> Array:
    """Lines 179 to 201, with z in the inner tanh twice: z + W_z x + U_z h + b_z = 2 z."""
    mu, r, z = sigma(affine(p, "m", x, h)), sigma(affine(p, "r", x, h)), affine(p, "z", x, h)
    return mu * h + (1 - mu) * ((1 - mu) * h + r * np.tanh(z + r * np.tanh(2 * z)))


def found_b_product(p: Params, x: Array, h: Array) -> Array:
    """Lines 201 and 203: H_t = (mu + (1 - mu) r) H_{t-1}."""
    mu, r = sigma(affine(p, "m", x, h)), sigma(affine(p, "r", x, h))
    return (mu + (1 - mu) * r) * h


def found_listing(p: Params, x: Array, h: Array) -> Array:
    """Lines 302 to 310, in the listing's row vectors."""
    row, X = h[None], x[None]
    zr = sigma(X @ p["W_r"].T + row @ p["U_r"].T + p["b_r"])
    rt = np.tanh(X @ p["W_n"].T + zr * (row @ p["U_n"].T + p["b_n"]))
    zz = sigma(X @ p["W_z"].T + rt @ p["U_z"].T + p["b_z"])
    ht = np.tanh(X @ p["W_n"].T + (1 - zz) * (rt @ p["U_n"].T + p["b_n"]))
    return (ht * zr + row * (1 - zr))[0]


PUBLISHED: Mapping[str, Step] = {
    "rnn": simple(np.tanh),
    "rnn_sigmoid": simple(sigma),
    "rnn_relu": simple(relu),
    "rnn_linear": simple(identity),
    "rnn_two_biases": simple(np.tanh),
    "rnn_relu_two_biases": simple(relu),
    "indrnn": indrnn,
    "antisymmetric_rnn": antisymmetric_rnn,
    "scrn": scrn,
    "ugrnn": ugrnn,
    "ligru": ligru,
    "mgu": mgu,
    "mgu_flax": mgu_flax,
    "minimal_rnn": minimal_rnn,
    "fastgrnn": fastgrnn,
    "rhn": rhn,
    "cfn": cfn,
    "janet": janet,
    "lstm": memory_cell(),
    "lstm_concat": lstm_concat,
    "lstm_no_bias": memory_cell(),
    "lstm_two_biases": memory_cell(),
    "lstm_1997": memory_cell(without="f"),
    "lstm_peephole": memory_cell(peepholes=True),
    "lstm_peephole_two_biases": memory_cell(peepholes=True),
    "lstm_cifg": memory_cell(coupled=True),
    "lstm_projected": memory_cell(),
    "lstm_projected_two_biases": memory_cell(),
    "lstm_output_linear": memory_cell(read=identity),
    "lstm_layer_norm": lstm_layer_norm,
    "lstm_odyssey_vanilla": memory_cell(peepholes=True),
    "lstm_odyssey_nig": memory_cell(without="i", peepholes=True),
    "lstm_odyssey_nfg": memory_cell(without="f", peepholes=True),
    "lstm_odyssey_nog": memory_cell(without="o", peepholes=True),
    "lstm_odyssey_niaf": memory_cell(peepholes=True, squash=identity),
    "lstm_odyssey_noaf": memory_cell(peepholes=True, read=identity),
    "lstm_odyssey_cifg": memory_cell(peepholes=True, coupled=True),
    "lstm_odyssey_np": memory_cell(),
    "lstm_odyssey_fgr": lstm_odyssey_fgr,
    "gru": gated("before", "candidate"),
    "gru_no_bias": gated("before", "candidate"),
    "gru_two_biases": gated("before", "candidate"),
    "gru_zold": gated("before", "old"),
    "gru_zold_no_bias": gated("before", "old"),
    "gru_zold_two_biases": gated("before", "old"),
    "gru_reset_after": gated("after", "old"),
    "gru_reset_after_no_bias": gated("after", "old"),
    "gru_reset_after_one_bias": gated("after", "old"),
    "gru_reset_after_two_biases": gated("after", "old"),
    "gru_reset_after_zcandidate": gated("after", "candidate"),
    "gru_reset_after_zcandidate_no_bias": gated("after", "candidate"),
    "gru_reset_after_zcandidate_one_bias": gated("after", "candidate"),
    "gru_reset_after_zcandidate_two_biases": gated("after", "candidate"),
    "gru_reset_after_zcandidate_inner_bias": inner_bias,
    "mingru": mingru,
    "minlstm": minlstm,
    "sru": sru,
    "slstm": slstm,
    "mlstm": mlstm,
    "lru": lru,
    "lstm_double_output_gate": double_gated,
    "lstm_found_candidate": found_candidate,
    "lstm_found_slope_gate": slope_gate,
    "lstm_found_zero": found_zero,
    "gru_found_reset_mix": found_reset_mix,
    "gru_found_b": found_b,
    "gru_found_b_product": found_b_product,
    "gru_found_listing": found_listing,
}

BIASES = {  # how many terms of their own every sum of the candidate has: the grid of the GRUs
    "gru": ("b_n",),
    "gru_no_bias": (),
    "gru_two_biases": ("b_n", "c_n"),
    "gru_zold": ("b_n",),
    "gru_zold_no_bias": (),
    "gru_zold_two_biases": ("b_n", "c_n"),
    "gru_reset_after": ("b_n", "c_n"),
    "gru_reset_after_no_bias": (),
    "gru_reset_after_one_bias": ("b_n",),
    "gru_reset_after_two_biases": ("b_n", "c_n"),
    "gru_reset_after_zcandidate": ("b_n", "c_n"),
    "gru_reset_after_zcandidate_no_bias": (),
    "gru_reset_after_zcandidate_one_bias": ("b_n",),
    "gru_reset_after_zcandidate_two_biases": ("b_n", "c_n"),
    "gru_reset_after_zcandidate_inner_bias": ("b_n",),
}


def drawn(cell: Cell, name: str, rng: np.random.Generator) -> Array:
    return rng.normal(size=tuple(sum(SIZES[part] for part in size.split(" + ")) for size in cell.shape_names(name)))


def as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


@pytest.mark.parametrize("name", cells.names())
def test_the_library_computes_what_the_papers_print(name: str) -> None:
    cell, rng = cells[name], np.random.default_rng(5)
    for _ in range(3):
        params = {one: drawn(cell, one, rng) for one in cell.parameters}
        params |= {one: rng.normal() for one in cell.constants}
        x = drawn(cell, cell.inputs[0], rng)
        states = [drawn(cell, f"{state}_prev", rng) for state in cell.states]
        found = as_tuple(cell.definition(x, *states, **params))
        expected = as_tuple(PUBLISHED[name](params, x, *states))
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(
    ("name", "constants"),
    [
        ("scrn", {"alpha": Fraction(95, 100)}),
        ("janet", {"beta": 1}),
        ("antisymmetric_rnn", {"eps": Fraction(1, 100), "gamma": Fraction(1, 100)}),
        ("fastgrnn", {}),
    ],
)
def test_what_a_paper_fixes_is_no_parameter(name: str, constants: dict[str, Any]) -> None:
    assert cells[name].constants == constants
    assert not set(constants) & set(cells[name].parameters)
    assert generate(name).constants == {name: float(number) for name, number in constants.items()}


def test_every_cell_is_written_a_second_time() -> None:
    assert set(PUBLISHED) == set(cells.names())


@pytest.mark.parametrize("name", cells.names("gru"))
def test_the_grid_of_biases(name: str) -> None:
    there = tuple(one for one in ("b_n", "c_n") if one in cells[name].parameters)
    assert there == BIASES[name]
    two = [one for one in ("c_r", "c_z") if one in cells[name].parameters]
    assert len(two) == (2 if "two_biases" in name else 0)


@pytest.mark.parametrize("name", ["lstm_found_zero", "gru_found_b_product"])
def test_what_is_said_to_stay_zero_stays_zero(name: str) -> None:
    cell, rng = cells[name], np.random.default_rng(2)
    params = {one: drawn(cell, one, rng) for one in cell.parameters}
    states = [0 * drawn(cell, f"{state}_prev", rng) for state in cell.states]
    for _ in range(5):
        states = list(as_tuple(cell.definition(drawn(cell, "x", rng), *states, **params)))
        assert all(np.all(state == 0) for state in states)

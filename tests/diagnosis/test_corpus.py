"""The corpus itself: every implementation is right as it stands, and every mistake planted in it can be seen."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Mapping

import numpy as np
import pytest

from symrnn import Cell, cells, generate
from symrnn.mistakes.catalogue import CATALOGUE
from tests.diagnosis.corpus import LARGE, NAMES, Implementation, Planted, compatible, load, pairs, source, triples
from tests.diagnosis.corpus.loading import cotangents_of, effect, module

Array = np.ndarray
Arrays = dict[str, Array]


def along(
    implementation: Implementation, inputs: Arrays, cotangents: Arrays, name: str, index: tuple[int, ...]
) -> float:
    """The derivative of sum(cotangents * outputs) by one entry of an input, from the forward pass alone."""

    def loss(step: complex) -> complex:
        kind = complex if isinstance(step, complex) else float
        moved = {key: np.array(value, kind) for key, value in inputs.items()}
        moved[name][index] += step
        outputs, _, _ = implementation.run(moved)
        return sum(np.sum(cotangents[path] * value) for path, value in outputs.items())

    if implementation.takes_complex:
        return loss(1e-30j).imag / 1e-30
    # sixth order: 45, -9 and 1 over 60 h weigh the central differences at h, 2h and 3h
    return sum(w * (loss(k * 1e-2) - loss(-k * 1e-2)) for k, w in ((1, 45), (2, -9), (3, 1))) / 0.6


def truth(implementation: Implementation, inputs: Arrays, cotangents: Arrays) -> Arrays:
    found = {name: np.zeros(value.shape) for name, value in inputs.items()}
    for name, gradient in found.items():
        for index in np.ndindex(gradient.shape):
            gradient[index] = along(implementation, inputs, cotangents, name, index)
    return found


def point(implementation: Implementation, steps: int, batch: int, scale: float = 1.0) -> tuple[Arrays, Arrays]:
    inputs = implementation.make_inputs(np.random.default_rng(3), steps, batch)
    cotangents = cotangents_of(implementation.run(inputs)[0], seed=4)
    return inputs, {path: scale * value for path, value in cotangents.items()}


def apart(a: Mapping[str, Array], b: Mapping[str, Array]) -> float:
    """The largest relative difference of a gradient."""
    return max(np.linalg.norm(a[k] - b[k]) / (np.linalg.norm(b[k]) + 1e-300) for k in b)


@pytest.mark.parametrize("name", NAMES)
def test_the_gradients_are_right(name: str) -> None:
    implementation = load(name)
    inputs, cotangents = point(implementation, 3, 2)
    gradients = implementation.gradients(inputs, cotangents)
    assert list(gradients) == list(inputs) or set(gradients) == set(inputs)
    assert {k: np.shape(v) for k, v in gradients.items()} == {k: v.shape for k, v in inputs.items()}
    assert apart(gradients, truth(implementation, inputs, cotangents)) < (
        1e-12 if implementation.takes_complex else 1e-9
    )


@pytest.mark.parametrize("name", NAMES)
def test_one_step_and_one_example_are_fine(name: str) -> None:
    implementation = load(name)
    inputs, cotangents = point(implementation, 1, 1)
    gradients = implementation.gradients(inputs, cotangents)
    assert apart(gradients, truth(implementation, inputs, cotangents)) < (
        1e-12 if implementation.takes_complex else 1e-9
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_central_difference_agrees(name: str) -> None:
    """The complex step is not alone: one entry of every input, by differences of the forward pass."""
    implementation = load(name)
    inputs, cotangents = point(implementation, 4, 2)
    gradients = implementation.gradients(inputs, cotangents)

    def loss(key: str, step: float) -> float:
        moved = {k: v.copy() for k, v in inputs.items()}
        moved[key].flat[0] += step
        return sum(np.sum(cotangents[path] * value) for path, value in implementation.run(moved)[0].items())

    for key in inputs:
        slope = (loss(key, 1e-5) - loss(key, -1e-5)) / 2e-5
        np.testing.assert_allclose(gradients[key].flat[0], slope, rtol=1e-6, atol=1e-7)


# --- the library's cells -----------------------------------------------------------------------------------------

Named = tuple[Arrays, Arrays, Array]
"""The cell's parameters and initial states, and x as (T, N, D)."""


def transposed(x: Array) -> Array:
    return np.swapaxes(x, -1, -2)


def gates(p: Arrays, pattern: str, names: str, ours: str = "", into: Callable[[Array], Array] = np.asarray) -> Arrays:
    """`W_f: p["Wf"]`, ...: one parameter a gate, from a pattern such as "W{}"."""
    head = pattern.split(" ")
    return {
        f"{head[0]}_{mine}": into(p[head[1].format(theirs)]) for mine, theirs in zip(ours or names, names, strict=True)
    }


def blocks(prefix: str, order: str, stacked: Array, axis: int, into: Callable[[Array], Array] = np.asarray) -> Arrays:
    parts = np.split(stacked, len(order), axis=axis)
    return {f"{prefix}_{gate}": into(part) for gate, part in zip(order, parts, strict=True)}


def flat(b: Array) -> Array:
    return b.ravel()


def lstm_separate(p: Arrays) -> Named:
    weights = {k: flat(v) if k.startswith("b") else v for k, v in p.items() if "_" in k}
    return weights, {"h": p["h0"].T, "c": p["c0"].T}, transposed(p["x"])


def lstm_torch(p: Arrays) -> Named:
    names = {"W": "weight_ih", "U": "weight_hh", "b": "bias_ih", "c": "bias_hh"}
    weights = {k: v for mine, theirs in names.items() for k, v in blocks(mine, "ifgo", p[theirs], 0).items()}
    return weights, {"h": p["hx"], "c": p["cx"]}, p["input"]


def stacked_columns(p: Arrays, order: str, w: str, u: str, b: str) -> Arrays:
    return {
        **blocks("W", order, p[w], 1, np.transpose),
        **blocks("U", order, p[u], 1, np.transpose),
        **blocks("b", order, p[b], 0),
    }


def lstm_cs231n(p: Arrays) -> Named:
    state = {"h": p["h0"], "c": np.zeros_like(p["h0"])}
    return stacked_columns(p, "ifog", "Wx", "Wh", "b"), state, p["x"].swapaxes(0, 1)


def lstm_step(p: Arrays) -> Named:
    return stacked_columns(p, "ifog", "Wx", "Wh", "b"), {"h": p["prev_h"], "c": p["prev_c"]}, p["x"][None]


def lstm_concat(p: Arrays) -> Named:
    weights = {**gates(p, "W W{}", "fico", "figo"), **gates(p, "b b{}", "fico", "figo", flat)}
    return weights, {"h": p["a0"].T, "c": p["c0"].T}, p["x"].transpose(2, 1, 0)


def lstm_packed(p: Arrays) -> Named:
    b, w, u = np.split(p["WLSTM"], [1, 1 + p["X"].shape[2]])
    weights = stacked_columns({"w": w, "u": u, "b": b[0]}, "ifog", "w", "u", "b")
    return weights, {"h": p["h0"], "c": p["c0"]}, p["X"]


def lstm_class(p: Arrays) -> Named:
    weights = gates(p, "W Wx{}", "ifoc", "ifog", np.transpose) | gates(p, "U Wh{}", "ifoc", "ifog", np.transpose)
    return weights | gates(p, "b b{}", "ifoc", "ifog"), {"h": p["h0"], "c": p["c0"]}, p["x"]


def lstm_peephole(p: Arrays) -> Named:
    weights = gates(p, "W W{}", "zifo", "gifo") | gates(p, "U R{}", "zifo", "gifo") | gates(p, "b b{}", "zifo", "gifo")
    return weights | gates(p, "p p{}", "ifo"), {"h": p["y0"], "c": p["c0"]}, p["x"]


def lstm_cifg(p: Arrays) -> Named:
    weights = {f"{kind}_{gate}": p[kind][k] for kind in "WUb" for k, gate in enumerate("igo")}
    return weights, {"h": p["h0"], "c": p["c0"]}, p["x"]


def gru_cho(p: Arrays) -> Named:
    weights = gates(p, "W W{}", "rzh", "rzn") | gates(p, "U U{}", "rzh", "rzn") | gates(p, "b b{}", "rzh", "rzn", flat)
    return weights, {"h": p["h_init"].T}, transposed(p["x"])


def gru_torch(p: Arrays) -> Named:
    names = {"W": "weight_ih", "U": "weight_hh", "b": "bias_ih", "c": "bias_hh"}
    weights = {k: v for mine, theirs in names.items() for k, v in blocks(mine, "rzn", p[theirs], 0).items()}
    return weights, {"h": p["h0"]}, p["x"]


def gru_chung(p: Arrays) -> Named:
    return stacked_columns(p, "rzn", "kernel", "recurrent", "bias"), {"h": p["h0"]}, p["x"].swapaxes(0, 1)


def gru_functional(p: Arrays) -> Named:
    return {k: v.T for k, v in p.items() if "_" in k}, {"h": p["h"]}, p["xs"]


def rnn_lists(p: Arrays) -> Named:
    return {"W": p["Wxh"], "U": p["Whh"], "b": flat(p["bh"])}, {"h": p["hprev"].T}, transposed(p["inputs"])


def rnn_concat(p: Arrays) -> Named:
    d = p["x"].shape[2]
    return {"W": p["W"][:d].T, "U": p["W"][d:].T, "b": p["b"]}, {"h": p["h0"]}, p["x"]


def rnn_relu(p: Arrays) -> Named:
    return {"W": p["U"], "U": p["V"], "b": p["c"]}, {"h": p["s0"]}, p["x"]


def rnn_batch_first(p: Arrays) -> Named:
    weights = {"W": p["w_ih"], "U": p["w_hh"], "b": p["b_ih"], "c": p["b_hh"]}
    return weights, {"h": p["h0"]}, p["x"].swapaxes(0, 1)


def own_softgate(p: Arrays) -> Named:
    return {k: v.T for k, v in p.items() if "_" in k}, {"h": p["h0"]}, p["x"]


def own_twospeed(p: Arrays) -> Named:
    weights = {k: flat(p[k]) if k in "qb" else p[k] for k in "ABCPqb"}
    return weights, {"h": p["h0"].T, "s": p["s0"].T}, transposed(p["x"])


COLUMNS = transposed
MAPS: dict[str, tuple[Callable[[Arrays], Named], str, Callable[[Array], Array]]] = {
    "lstm_separate": (lstm_separate, "[0]", COLUMNS),
    "lstm_torch": (lstm_torch, "[0]", np.asarray),
    "lstm_cs231n": (lstm_cs231n, "[0]", lambda h: h.swapaxes(0, 1)),
    "lstm_step": (lstm_step, "[0]", lambda h: h[None]),
    "lstm_concat": (lstm_concat, "[0]['a']", lambda a: a.transpose(2, 1, 0)),
    "lstm_packed": (lstm_packed, "[0]", np.asarray),
    "lstm_class": (lstm_class, "[0]", np.asarray),
    "lstm_peephole": (lstm_peephole, "[0]", np.asarray),
    "lstm_cifg": (lstm_cifg, "[0]", np.asarray),
    "gru_cho": (gru_cho, "[0]", COLUMNS),
    "gru_torch": (gru_torch, "[0]", np.asarray),
    "gru_chung": (gru_chung, "[0]", lambda h: h.swapaxes(0, 1)),
    "gru_functional": (gru_functional, "[0]", np.asarray),
    "rnn_lists": (rnn_lists, "[0]", COLUMNS),
    "rnn_concat": (rnn_concat, "[0]", np.asarray),
    "rnn_relu": (rnn_relu, "[0]", np.asarray),
    "rnn_batch_first": (rnn_batch_first, "[0]", lambda h: h.swapaxes(0, 1)),
    "own_softgate": (own_softgate, "[0]", np.asarray),
    "own_twospeed": (own_twospeed, "[0][0]", COLUMNS),
}


@pytest.mark.parametrize("name", NAMES)
def test_the_forward_pass_is_that_of_the_cell(name: str) -> None:
    implementation = load(name)
    assert (implementation.cell is None) != (implementation.definition is None)
    cell = cells.lookup(implementation.cell) if implementation.cell else Cell.from_source(implementation.definition)
    inputs = implementation.make_inputs(np.random.default_rng(5), 4, 3)
    translate, output, into = MAPS[name]
    params, state, x = translate(inputs)
    expected, final, _ = generate(cell).forward({k: np.ascontiguousarray(v) for k, v in params.items()}, x, state)
    outputs = implementation.run(inputs)[0]
    h = outputs[output] if name != "rnn_relu" else outputs[output][None].repeat(4, 0)
    expected = expected if name != "rnn_relu" else final["h"][None].repeat(4, 0)
    np.testing.assert_allclose(into(h), expected, rtol=1e-12, atol=1e-14)


# --- the mistakes ------------------------------------------------------------------------------------------------


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", NAMES)
def test_every_mistake_changes_a_gradient(name: str) -> None:
    right = load(name)
    hidden = []
    for mistake in right.mistakes:
        implementation = load(name, mistake)
        inputs, cotangents = point(right, 5, 3, 100 if mistake.needs == LARGE else 1)
        outputs, expected = right.run(inputs)[0], right.gradients(inputs, cotangents)
        if apart(implementation.run(inputs)[0], outputs) > 0:
            expected = truth(implementation, inputs, cotangents)
        if not apart(implementation.gradients(inputs, cotangents), expected) > 1e-6:
            hidden.append(mistake.site)
    assert not hidden


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", NAMES)
def test_no_two_mistakes_are_the_same(name: str) -> None:
    effects = [(mistake, effect(name, mistake)) for mistake in module(name).MISTAKES]
    same = [
        (p.site, q.site)
        for (p, a), (q, b) in itertools.combinations(effects, 2)
        if np.linalg.norm(a - b) <= 1e-9 * np.linalg.norm(b)
    ]
    assert not same


OF_GRADIENTS = {"gradients-exchanged", "zero-gradient"}
"""What is said of whole gradients, where no cell is needed to see it; tests of checking have them."""


def test_every_class_of_mistakes_is_planted() -> None:
    planted = {tag for name in NAMES for mistake in module(name).MISTAKES for tag in mistake.tags}
    assert planted | OF_GRADIENTS == set(CATALOGUE)
    assert not planted & OF_GRADIENTS


@pytest.mark.parametrize("name", NAMES)
def test_mistakes_are_well_formed(name: str) -> None:
    mistakes = module(name).MISTAKES
    assert len(mistakes) >= 15
    assert {tag for mistake in mistakes for tag in mistake.tags} <= set(CATALOGUE)
    assert {mistake.needs for mistake in mistakes} <= {"", LARGE}
    assert all(len(set(mistake.tags)) == len(mistake.tags) for mistake in mistakes)
    labels = [(mistake.tag, mistake.site) for mistake in mistakes]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("name", NAMES)
def test_sizes_differ(name: str) -> None:
    """Input, state and batch: no two axes of one length, so that no shape agrees by chance."""
    implementation = load(name)
    _, state, x = MAPS[name][0](implementation.make_inputs(np.random.default_rng(0), 5, 7))
    assert len({7, x.shape[2], *(value.shape[1] for value in state.values())}) >= 3


# --- planting ----------------------------------------------------------------------------------------------------


def test_a_text_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="occurs 0 times, expected 1"):
        load("rnn_lists", Planted("sign", "nowhere", "no such text", ""))
    with pytest.raises(ValueError, match="occurs 2 times, expected 1"):
        load("rnn_batch_first", Planted("sign", "twice", "delta_next @ w_hh", "-delta_next @ w_hh"))


def test_mistakes_at_one_place_exclude_each_other() -> None:
    p = Planted("sign", "p", "dh = dhs[t] + dhnext", "dh = dhs[t] - dhnext")
    q = Planted("missing-output", "q", "dhs[t] + dhnext", "dhnext")
    r = Planted("transpose", "r", "np.dot(Whh.T, dhraw)", "np.dot(Whh, dhraw)")
    assert not compatible("rnn_lists", p, q)
    assert compatible("rnn_lists", p, r)
    text = source("rnn_lists", r, p)
    assert "dhs[t] - dhnext" in text
    assert "np.dot(Whh, dhraw)" in text
    assert "Planted" not in text


def test_the_source_of_what_was_loaded_can_be_found() -> None:
    mistake = next(m for m in module("gru_cho").MISTAKES if m.tag == "sign")
    implementation = load("gru_cho", mistake)
    lines, first = inspect.getsourcelines(implementation.backward)
    assert mistake.new in "".join(lines)
    assert inspect.getsourcelines(load("gru_cho").forward)[0][0].startswith("def forward(")
    assert implementation.text.split("\n")[first - 1] == lines[0].rstrip("\n")


@pytest.mark.parametrize("name", ["gru_cho", "lstm_step", "rnn_relu", "own_twospeed"])
def test_pairs_and_triples_are_always_the_same(name: str) -> None:
    for together, size in ((pairs(name, 6), 2), (triples(name, 4), 3)):
        assert len(together) == {2: 6, 3: 4}[size]
        assert all(len(planted) == size for planted in together)
        assert all(compatible(name, p, q) for planted in together for p, q in itertools.combinations(planted, 2))
    assert pairs(name, 6) == pairs(name, 6)

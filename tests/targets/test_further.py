"""Functions that a generated module has when they are asked for: `jvp`, `hvp`, `rtrl`, and `truncate` of `backward`."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symrnn import Cell, cells, generate, verify
from symrnn.errors import InputError
from symrnn.targets.generation import FURTHER, STANDARD, Module, generate_source
from tests.library import MAIN

T, N, D, H = 5, 3, 4, 6
ALL = (*FURTHER, "truncate")


@cache
def module_of(name: str) -> Module:
    return generate(cells[name], functions=ALL)


def point(name: str, dtype: type = np.float64, steps: int = T, batch: int = N) -> Any:
    rng, cell, module = np.random.default_rng(2), cells[name], module_of(name)
    params = {k: rng.normal(size=v.shape).astype(dtype) for k, v in module.initialize(D, H, 0).items()}
    x = rng.normal(size=(steps, batch, D)).astype(dtype)
    state = {s: rng.normal(size=(batch, H)).astype(dtype) for s in cell.states}
    return params, x, state


def test_without_being_asked_a_module_is_what_it_was() -> None:
    plain = generate_source(cells.lstm)
    assert plain == generate_source(cells.lstm, functions=())
    assert plain == generate_source(cells.lstm, functions=STANDARD)
    module = generate(cells.lstm)
    assert (module.jvp, module.hvp, module.rtrl) == (None, None, None)
    assert "truncate" not in plain


@pytest.mark.parametrize("name", ["jvp", "hvp", "rtrl"])
def test_what_is_asked_for_is_added_and_nothing_else(name: str) -> None:
    source = generate_source(cells.gru, functions=[name])
    assert [other for other in FURTHER if f"\ndef {other}(" in source] == [name]
    plain = generate_source(cells.gru)
    for function in ("def forward", "def step", "def backward"):  # these do not change
        text = plain[plain.index(function) :].split("\n\n\n")[0]
        assert text in source


def test_the_order_of_asking_does_not_matter() -> None:
    assert generate_source(cells.gru, functions=ALL) == generate_source(cells.gru, functions=ALL[::-1])


@pytest.mark.parametrize("functions", [["vjp"], "vjp", "jvp,adjoint", ["jvp", "adjoint"]])
def test_unknown_functions_are_refused(functions: Any) -> None:
    with pytest.raises(InputError, match=r"cannot generate .*\n  give a list of jvp, hvp, rtrl, truncate"):
        generate(cells.lstm, functions=functions)


@pytest.mark.parametrize("name", MAIN)
def test_shapes_keys_and_defaults(name: str) -> None:
    module, (params, x, state) = module_of(name), point(name)
    assert module.jvp is not None
    assert module.hvp is not None
    out = cells[name].states[0]
    h_dot, state_dot = module.jvp(params, x, state, params, x, state)
    assert h_dot.shape == (T, N, H)
    assert {k: v.shape for k, v in state_dot.items()} == {k: v.shape for k, v in state.items()}
    np.testing.assert_array_equal(h_dot[-1], state_dot[out])
    grads_dot, x_bar_dot, ends = module.hvp(params, x, h_dot, state, params, x, state)
    assert {k: v.shape for k, v in grads_dot.items()} == {k: v.shape for k, v in params.items()}
    assert x_bar_dot.shape == x.shape
    assert {k: v.shape for k, v in ends.items()} == {k: v.shape for k, v in state.items()}
    still = module.jvp(params, x)[0]
    assert not still.any()
    zeros = {k: 0 * v for k, v in state.items()}
    implied = module.hvp(params, x, None, params_dot=params)
    given = module.hvp(params, x, 0 * h_dot, zeros, params, 0 * x, zeros, 0 * h_dot, zeros, zeros)
    for key, value in given[0].items():
        np.testing.assert_array_equal(implied[0][key], value)


@pytest.mark.parametrize("name", ["lstm", "gru"])
@pytest.mark.parametrize(("steps", "batch"), [(0, 3), (5, 0), (1, 1)])
def test_no_steps_and_no_examples(name: str, steps: int, batch: int) -> None:
    module, (params, x, state) = module_of(name), point(name, steps=steps, batch=batch)
    assert module.jvp is not None
    assert module.hvp is not None
    assert module.rtrl is not None
    h_dot, state_dot = module.jvp(params, x, state, params, x, state)
    assert h_dot.shape == (steps, batch, H)
    if steps == 0:
        np.testing.assert_array_equal(state_dot["h"], state["h"])
    assert module.hvp(params, x, h_dot, state, params)[1].shape == x.shape
    grads, last, _ = module.rtrl(params, x, h_dot, state)
    assert {k: v.shape for k, v in grads.items()} == {k: v.shape for k, v in params.items()}
    assert last["h"].shape == (batch, H)


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_single_precision_stays_single(name: str) -> None:
    module, (params, x, state) = module_of(name), point(name, np.float32)
    assert module.jvp is not None
    assert module.hvp is not None
    assert module.rtrl is not None
    h_dot, state_dot = module.jvp(params, x, state, params)
    grads_dot, x_bar_dot, ends = module.hvp(params, x, h_dot, state, params)
    grads, last, sensitivity = module.rtrl(params, x, h_dot, state)
    _, _, tape = module.forward(params, x)
    cut, *_ = module.backward(params, tape, h_dot, truncate=(2, 3))
    groups = [state_dot, grads_dot, ends, grads, last, cut, *sensitivity.values()]
    arrays = [h_dot, x_bar_dot, *(array for group in groups for array in group.values())]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


def test_arguments_are_not_changed_and_results_are_the_callers_own() -> None:
    module, (params, x, state) = module_of("lstm"), point("lstm")
    assert module.jvp is not None
    assert module.hvp is not None
    assert module.rtrl is not None
    for array in (x, *params.values(), *state.values()):
        array.setflags(write=False)
    h_dot, state_dot = module.jvp(params, x, state, params, x, state)
    state_dot["h"][:] = 7
    h_dot *= 2
    module.hvp(params, x, h_dot, state, params, x, state)[2]["c"][:] = 7
    _, last, known = module.rtrl(params, x, h_dot, state)
    for array in (*last.values(), *(v for group in known.values() for v in group.values())):
        array.setflags(write=False)
    module.rtrl(params, x, h_dot, last, sensitivity=known)[1]["h"][:] = 7


WRONG = {
    "a direction of a wrong shape": (
        lambda m, p, x, s: m.jvp(p, x, s, params_dot=p | {"b_f": p["b_f"][:2]}),
        r"params_dot\['b_f'\]: expected shape \(d_h,\) with d_h = 6, got \(2,\)",
    ),
    "a direction of an unknown parameter": (
        lambda m, p, x, s: m.hvp(p, x, None, params_dot={"W_f": p["W_f"], "V": 1}),
        r"params_dot: missing \[\], unknown \['V'\]",
    ),
    "x_dot of a wrong shape": (
        lambda m, p, x, s: m.jvp(p, x, s, x_dot=x[0]),
        r"x_dot: expected shape \(T, N, d_x\)",
    ),
    "h_bar of a wrong shape": (
        lambda m, p, x, s: m.hvp(p, x, x),
        r"h_bar: expected shape \(T, N, d_h\) with T = 5, N = 3, d_h = 6, got \(5, 3, 4\)",
    ),
    "state_bar of no states": (
        lambda m, p, x, s: m.hvp(p, x, None, state_bar={}),
        r"state_bar: missing \['h', 'c'\]",
    ),
    "text": (lambda m, p, x, s: m.rtrl(p, x, "abc"), "h_bar: expected numbers"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments_are_named(case: str) -> None:
    call, message = WRONG[case]
    with pytest.raises((ValueError, TypeError), match=message):
        call(module_of("lstm"), *point("lstm"))


def assert_equal_results(one: Any, two: Any) -> None:
    if isinstance(one, tuple):
        for a, b in zip(one, two, strict=True):
            assert_equal_results(a, b)
    elif isinstance(one, dict):
        assert one.keys() == two.keys()
        for key in one:
            np.testing.assert_array_equal(one[key], two[key])
    else:
        np.testing.assert_array_equal(one, two)


def test_what_does_not_move_may_be_left_out() -> None:
    module, (params, x, state) = module_of("lstm"), point("lstm")
    assert module.jvp is not None
    assert module.hvp is not None
    some = {"b_f": params["b_f"] + 1}
    all_of_them = {name: np.zeros_like(value) for name, value in params.items()} | some
    states = {name: np.zeros_like(value) for name, value in state.items()} | {"c": state["c"]}
    moved = module.jvp(params, x, state, some, state_dot={"c": state["c"]})
    assert_equal_results(moved, module.jvp(params, x, state, all_of_them, state_dot=states))
    assert np.abs(moved[0]).max() > 0
    ends = {"state_bar_dot": {"c": state["c"]}}
    moved = module.hvp(params, x, state=state, params_dot=some, **ends)
    whole = module.hvp(
        params, x, np.zeros_like(moved[1][..., :1] + state["h"]), state, all_of_them, state_bar_dot=states
    )
    assert_equal_results(moved, whole)
    assert np.abs(moved[1]).max() > 0


def test_a_saved_module_needs_numpy_only(tmp_path: Path) -> None:
    module_of("gru").save(tmp_path / "generated.py")
    check = "import generated as g, sys; p = g.initialize(2, 3); x = [[[1, 2]]]; g.jvp(p, x, params_dot=p);"
    check += "g.hvp(p, x, None, params_dot=p); g.rtrl(p, x, None);"
    check += "g.backward(p, g.forward(p, x)[2], None, truncate=(1, 1));"
    check += "assert not {'symrnn', 'sympy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-W", "error", "-c", check], cwd=tmp_path, check=True)


HOSTILE = """
def tricky(values, h, rows, *, W: "d_h, d_values", V: "d_h, d_rows", truncate, total: "()", params_dot):
    unit = tanh(W @ values + V @ rows + truncate * h)
    count = unit * params_dot
    x_dot = count + total
    h = x_dot * h + unit
    return h
"""


def test_names_of_the_module_itself_can_be_names_of_a_cell() -> None:
    verify(Cell.from_source(HOSTILE), functions=ALL, sizes=[(2, 3)]).raise_if_failed()


AWKWARD = {
    "a parameter stacked on an input": (
        'def c(x, h, *, v: "d_h", w: "d_h + d_x", W):\n    h = tanh(h + W @ x) * (w @ concat(v, x))\n    return h\n'
    ),
    "a mean of a product": (
        'def c(x, h, c, *, V: "d_h, d_k", W: "d_k, d_k"):\n'
        "    c = mean(V @ W) + 0 * c\n    h = tanh(h) * sum(x)\n    return h, c\n"
    ).replace("c, *", 'c: "()", *'),
    "what the result does not depend on": 'def c(x, h, *, v: "d_h"):\n    h = v * sum(x)\n    return h\n',
    "a gradient of an unread size": 'def c(x, h, *, v: "d_h"):\n    h = h * v + sum(x)\n    return h\n',
    "a state passed on": "def c(x, h, m, *, W):\n    m = h\n    h = tanh(W @ x) + m\n    return h, m\n",
    "a parameter alone": 'def c(x, h, *, a: "d_h", W):\n    r = exp(-exp(a))\n    h = r * h + W @ x\n    return h\n',
    "a matrix state": (
        'def c(x, h, C, *, A: "d_h, d_x", s: "()"):\n'
        "    C = A * C + s * outer(h, x)\n    h = tanh(C @ x)\n    return h, C\n"
    ),
    "a transposed state": (
        'def c(x, h, C, *, A: "d_h, d_h"):\n    C = 0.5 * C.T + A\n    h = tanh(C @ h) + sum(x)\n    return h, C\n'
    ),
    "a part of a stack": (
        'def c(x, h, *, W, V: "d_h, d_h"):\n    z = concat(h, x)\n    h = tanh(W @ z) * softmax(V @ h)\n    return h\n'
    ),
    "steps and kinks": (
        "def c(x, h, *, W, U):\n    a = W @ x + U @ h\n"
        "    h = relu(a) * step(h) + abs(a) + maximum(a, h)\n    return h\n"
    ),
}


@pytest.mark.parametrize("case", AWKWARD)
def test_awkward_cells_are_verified(case: str) -> None:
    verify(Cell.from_source(AWKWARD[case]), functions=ALL, sizes=[(2, 3)]).raise_if_failed()

"""The contract of generated modules: shapes, types, edge cases, messages, independence, and reproducibility."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from symrnn import Cell, cells, derive, generate, verify
from symrnn.errors import InputError, SymrnnError
from symrnn.program.lower import lower
from symrnn.program.passes import single_step
from symrnn.targets.generation import Module, generate_source, load_source, write_whole
from symrnn.targets.numpy.module import numpy_module
from tests.library import MAIN

T, N, D, H = 5, 3, 4, 6


@pytest.fixture(scope="module", params=MAIN)
def cell(request: pytest.FixtureRequest) -> Cell:
    return cells.lookup(request.param)


@pytest.fixture(scope="module")
def module(cell: Cell) -> Module:
    return generate(cell)


def point(cell: Cell, module: Module, dtype: type = np.float64, steps: int = T, batch: int = N):
    rng = np.random.default_rng(1)
    params = {k: rng.normal(size=v.shape).astype(dtype) for k, v in module.initialize(D, H, 0).items()}
    x = rng.normal(size=(steps, batch, D)).astype(dtype)
    state = {name: rng.normal(size=(batch, H)).astype(dtype) for name in cell.states}
    return params, x, state


def test_shapes_and_keys(cell: Cell, module: Module) -> None:
    params, x, state = point(cell, module)
    assert list(params) == list(cell.parameters)
    h, final, tape = module.forward(params, x, state)
    assert h.shape == (T, N, H)
    assert list(final) == list(cell.states)
    grads, x_bar, state_bar = module.backward(params, tape, np.ones_like(h), final)
    assert {k: v.shape for k, v in grads.items()} == {k: v.shape for k, v in params.items()}
    assert x_bar.shape == x.shape
    assert {k: v.shape for k, v in state_bar.items()} == dict.fromkeys(cell.states, (N, H))
    np.testing.assert_array_equal(h[-1], final[cell.states[0]])


@pytest.mark.parametrize(("steps", "batch"), [(0, 3), (5, 0), (0, 0), (1, 1)])
def test_no_steps_and_no_examples(cell: Cell, module: Module, steps: int, batch: int) -> None:
    params, x, state = point(cell, module, steps=steps, batch=batch)
    h, final, tape = module.forward(params, x, state)
    assert h.shape == (steps, batch, H)
    grads, x_bar, state_bar = module.backward(params, tape, h, final)
    assert x_bar.shape == x.shape
    if steps == 0:
        np.testing.assert_array_equal(final[cell.states[0]], state[cell.states[0]])
        np.testing.assert_array_equal(state_bar[cell.states[0]], final[cell.states[0]])
    if 0 in (steps, batch):
        assert all(not gradient.any() for gradient in grads.values())


def test_single_precision_stays_single(cell: Cell, module: Module) -> None:
    params, x, state = point(cell, module, np.float32)
    h, final, tape = module.forward(params, x, state)
    grads, x_bar, state_bar = module.backward(params, tape, np.ones((T, N, H)), final)
    stepped = module.step(params, x[0], state)
    arrays = [h, x_bar, *final.values(), *tape.values(), *grads.values(), *state_bar.values(), *stepped.values()]
    assert {a.dtype for a in arrays} == {np.dtype(np.float32)}


def test_whole_numbers_are_computed_in_double_precision(module: Module) -> None:
    params = {k: np.ones(v.shape, int) for k, v in module.initialize(D, H).items()}
    h, _, _ = module.forward(params, np.ones((T, N, D), int))
    assert h.dtype == np.float64


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_inputs_raise_no_floating_point_error(cell: Cell, module: Module, dtype: type) -> None:
    params, x, state = point(cell, module, dtype, steps=40)
    with np.errstate(all="raise"):
        for size in (1e4, -1e4, 1e-30):
            h, final, tape = module.forward(params, (x * size).astype(dtype), state)
            result = module.backward(params, tape, h, final)
    assert all(np.isfinite(g).all() for g in result[0].values())


def test_arrays_of_any_layout(cell: Cell, module: Module) -> None:
    params, x, state = point(cell, module)
    expected, _, tape = module.forward(params, x, state)
    strange = {k: np.asfortranarray(v) for k, v in params.items()}
    wide = np.zeros((2 * T, N, 2 * D))
    wide[::2, :, ::2] = x
    found, _, _ = module.forward(strange, wide[::2, :, ::2], {k: v[:, ::-1][:, ::-1] for k, v in state.items()})
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    reversed_h = np.ones((N, T, H)).transpose(1, 0, 2)
    np.testing.assert_allclose(
        module.backward(strange, tape, reversed_h)[1], module.backward(params, tape, np.ones((T, N, H)))[1], rtol=1e-12
    )
    lists = module.forward({k: v.tolist() for k, v in params.items()}, x.tolist(), None)[0]
    np.testing.assert_allclose(lists, module.forward(params, x)[0], rtol=1e-13)


def test_arguments_are_not_changed(cell: Cell, module: Module) -> None:
    params, x, state = point(cell, module)
    for array in (x, *params.values(), *state.values()):
        array.setflags(write=False)
    h, final, tape = module.forward(params, x, state)
    h *= 0  # the output is the caller's own
    for array in (*tape.values(), *final.values()):
        array.setflags(write=False)
    module.backward(params, tape, np.ones((T, N, H)), final)


def test_steps_are_the_forward_pass(cell: Cell, module: Module) -> None:
    params, x, state = point(cell, module)
    h, final, _ = module.forward(params, x, state)
    for t in range(T):
        state = module.step(params, x[t], state)
        np.testing.assert_allclose(state[cell.states[0]], h[t], rtol=1e-12)
    for name, value in state.items():
        np.testing.assert_allclose(value, final[name], rtol=1e-12)


def test_missing_cotangents_are_zeros(cell: Cell, module: Module) -> None:
    params, x, state = point(cell, module)
    h, final, tape = module.forward(params, x, state)
    zeros = {name: np.zeros((N, H)) for name in cell.states}
    explicit = module.backward(params, tape, np.zeros_like(h), final)
    implied = module.backward(params, tape, None, final)
    np.testing.assert_array_equal(explicit[1], implied[1])
    np.testing.assert_array_equal(module.backward(params, tape, h, zeros)[1], module.backward(params, tape, h)[1])


WRONG = {
    "x with a wrong size": (
        lambda m, p, x, s: m.forward(p, x[..., :2], s),
        r"x: expected shape \(T, N, d_x\) with T = 5, N = 3, d_x = 4, got \(5, 3, 2\)",
    ),
    "x without a batch": (
        lambda m, p, x, s: m.forward(p, x[:, 0], s),
        r"x: expected shape \(T, N, d_x\) with N = 3, d_x = 4, got \(5, 4\)",
    ),
    "parameter of a wrong shape": (
        lambda m, p, x, s: m.forward(p | {"U_f": p["U_f"][:3]}, x, s),
        r"params\['U_f'\]: expected shape \(d_h, d_h\) with d_h = 6, got \(3, 6\)",
    ),
    "x without a batch and nothing else": (
        lambda m, p, x, s: m.forward(p, x[0]),
        r"x: expected shape \(T, N, d_x\) with d_x = 4, got \(3, 4\)",
    ),
    "a vector of a wrong shape": (
        lambda m, p, x, s: m.forward(p | {"b_f": p["b_f"][:3]}, x, s),
        r"params\['b_f'\]: expected shape \(d_h,\) with d_h = 6, got \(3,\)",
    ),
    "parameter missing": (
        lambda m, p, x, s: m.forward({k: v for k, v in p.items() if k != "b_i"}, x, s),
        r"params: missing \['b_i'\], unknown \[\]",
    ),
    "parameter unknown": (lambda m, p, x, s: m.forward(p | {"V": 1}, x, s), r"params: missing \[\], unknown \['V'\]"),
    "parameters as a list": (lambda m, p, x, s: m.forward(list(p.values()), x, s), "params: expected a dict.*got list"),
    "state of another batch": (
        lambda m, p, x, s: m.forward(p, x, s | {"c": s["c"][:2]}),
        r"state\['c'\]: expected shape \(N, d_h\) with N = 3, d_h = 6, got \(2, 6\)",
    ),
    "state missing": (lambda m, p, x, s: m.forward(p, x, {"h": s["h"]}), r"state: missing \['c'\]"),
    "text for numbers": (lambda m, p, x, s: m.forward(p, np.full(x.shape, "a"), s), "x: expected numbers"),
    "ragged lists": (lambda m, p, x, s: m.forward(p, [[1], [2, 3]], s), "x: not an array"),
    "cotangent of a wrong shape": (
        lambda m, p, x, s: m.backward(p, m.forward(p, x, s)[2], np.ones((5, 3, 7))),
        r"h_bar: expected shape \(T, N, d_h\) with T = 5, N = 3, d_h = 6, got \(5, 3, 7\)",
    ),
    "no tape": (lambda m, p, x, s: m.backward(p, {}, None), r"tape: missing \['x', 'f'"),
    "step with a whole sequence": (lambda m, p, x, s: m.step(p, x, s), r"x_t: expected shape \(N, d_x\)"),
    "size zero": (lambda m, p, x, s: m.initialize(0, 3), "input_size: expected a whole number from 1, got 0"),
    "size not whole": (lambda m, p, x, s: m.initialize(2, 3.5), "hidden_size: expected a whole number from 1, got 3.5"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments_are_named(case: str) -> None:
    call, message = WRONG[case]
    module = generate(cells.lstm)
    params, x, state = point(cells.lstm, module)
    with pytest.raises((ValueError, TypeError), match=message):
        call(module, params, x, state)


def test_initialize_is_reproducible_and_typed(cell: Cell, module: Module) -> None:
    first, second = (
        module.initialize(D, H, 7, np.float32),
        module.initialize(D, H, np.random.default_rng(7), np.float32),
    )
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name])
        assert value.dtype == np.float32
        assert value.any() == (not name.startswith(("b", "c")))  # only biases start at zero


def test_a_vector_that_multiplies_is_not_a_bias() -> None:
    cell = Cell.from_source("def ind(x, h, *, W, u, b):\n    h = relu(W @ x + u * h + b)\n    return h\n")
    params = generate(cell).initialize(D, H, 0)
    assert params["u"].all()
    assert not params["b"].any()


def test_source_can_be_inspected(module: Module) -> None:
    source = inspect.getsource(module.backward)
    assert source in module.source
    assert source.startswith('@np.errstate(under="ignore")\ndef backward(params, tape, h_bar, state_bar=None):')


def test_saved_module_needs_numpy_only(cell: Cell, module: Module, tmp_path: Path) -> None:
    path = module.save(tmp_path / "generated.py")
    assert path.read_text(encoding="utf-8") == module.source
    check = "import generated, sys; generated.forward(generated.initialize(2, 3), [[[1, 2]]]);"
    check += "assert not {'symrnn', 'sympy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-W", "error", "-c", check], cwd=tmp_path, check=True)


def test_source_does_not_depend_on_the_hash_seed() -> None:
    code = "from symrnn import cells; from symrnn.targets.generation import generate_source as g;"
    code += f"print(*(g(cells[n]) for n in {MAIN}))"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("0", "1", "12345")
    }
    assert len(outputs) == 1


HOSTILE_NAMES = """
def tricky(
    params, h, np, *, t: "N, params_size", T: "d_h, N", state: "d_h, params_size", tape,
    W: "d_h, d_np", range, forward,
):
    \"\"\"Names that the module itself uses, a quote \\\"\\\"\\\" and a backslash \\\\ in the text.\"\"\"
    grads = tanh(state @ params + T @ (t @ params) + W @ np + tape * h)
    h = grads * np_(range) + forward * h
    return h
"""


def test_names_of_the_module_itself_can_be_names_of_a_cell() -> None:
    text = HOSTILE_NAMES.replace("np_(range)", "range").replace("params_size", "d_params")
    cell = Cell.from_source(text)
    module = generate(cell)
    rng = np.random.default_rng(0)
    size = {"d_params": 4, "d_h": 3, "d_np": 5, "N": 2}
    params = {k: rng.normal(size=[size[d] for d in cell.shape_names(k)]) for k in cell.parameters}
    inputs = rng.normal(size=(6, 2, 4)), rng.normal(size=(6, 2, 5))
    h, _, tape = module.forward(params, *inputs)
    grads, params_bar, np_bar, state_bar = module.backward(params, tape, np.ones_like(h))
    assert (params_bar.shape, np_bar.shape, h.shape) == (inputs[0].shape, inputs[1].shape, (6, 2, 3))
    single = cell.definition(inputs[0][0, 0], np.zeros(3), inputs[1][0, 0], **params)
    np.testing.assert_allclose(h[0, 0], single, rtol=1e-12)
    assert grads.keys() == params.keys()
    assert state_bar.keys() == {"h"}


def test_unknown_target() -> None:
    with pytest.raises(InputError, match="no target 'fortran'\n  there are numpy"):
        generate_source(cells.lstm, "fortran")


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.txt"
    path.write_text("old")

    def fail(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(SymrnnError, match="No space left on device"):
        write_whole(path, "new")
    monkeypatch.undo()
    assert [p.name for p in tmp_path.iterdir()] == ["out.txt"]
    assert path.read_text() == "old"
    write_whole(path, "new")
    assert path.read_text() == "new"
    with pytest.raises(SymrnnError, match="cannot be written"):
        write_whole(tmp_path / "missing" / "out.txt", "new")
    with pytest.raises(SymrnnError, match="this is a directory"):
        write_whole(tmp_path, "new")


AWKWARD = {
    "an input's term twice": "def c(x, h, *, W, U):\n    h = tanh(W @ x + W @ x + U @ h)\n    return h\n",
    "twice around the state": "def c(x, h, *, W, V, U):\n    h = tanh(W @ x + U @ h + V @ x + W @ x)\n    return h\n",
    "a size in sums only": "def c(x, h, *, W, b):\n    z = concat(h, x)\n    h = tanh(W @ z + b)\n    return h\n",
    "a value stacked on itself": "def c(x, h, *, W, V):\n    h = W @ concat(h, h) + V @ concat(x, x)\n    return h\n",
    "a variance": (
        "def c(x, h, *, W, U):\n    a = W @ x + U @ h\n    d = a - mean(a)\n"
        "    h = d / sqrt(mean(d ** 2) + 1e-5)\n    return h\n"
    ),
    "many equations": "def c(x, h, *, "
    + ", ".join(f"W{n}" for n in range(130))
    + "):\n"
    + "".join(f"    a{n} = tanh(W{n} @ {f'(a{n - 1} + h)' if n else 'x'})\n" for n in range(130))
    + "    h = a129\n    return h\n",
}


@pytest.mark.parametrize("case", AWKWARD)
def test_awkward_cells_are_verified(case: str) -> None:
    cell = Cell.from_source(AWKWARD[case])
    if case == "many equations":  # more arrays than Python unpacks before a star
        module = generate(cell)
        params = module.initialize(3, 2, 0)
        h, _, tape = module.forward(params, np.ones((2, 1, 3)))
        assert module.backward(params, tape, h)[1].shape == (2, 1, 3)
    else:
        verify(cell).raise_if_failed()


def test_the_wrong_parameter_is_blamed() -> None:
    module = generate(cells.lstm)
    params, x, state = point(cells.lstm, module)
    with pytest.raises(ValueError, match=r"params\['W_f'\]: expected shape \(d_h, d_x\) with d_h = 6, d_x = 4"):
        module.forward(params | {"W_f": params["W_f"].T}, x, state)


def test_results_are_the_callers_own() -> None:
    module = generate(cells.rnn)
    params, _, state = point(cells.rnn, module)
    _, _, tape = module.forward(params, np.zeros((0, N, D)), state)
    given = {"h": np.ones((N, H))}
    module.backward(params, tape, None, given)[2]["h"][:] = 7
    assert (given["h"] == 1).all()


@pytest.mark.parametrize("name", ["lstm", "gru_reset_after"])
def test_gradients_that_are_summed_inside_the_loop_are_those_summed_after_it(name: str) -> None:
    plain = lower(derive(cells[name]))  # as lowering leaves it: no pass has taken the sums out
    inside = load_source(name, numpy_module(plain, single_step(plain), "test"))
    found = []
    for module in (inside, generate(cells[name])):
        params, x, state = point(cells[name], module)
        h, final, tape = module.forward(params, x, state)
        found.append(module.backward(params, tape, h, final)[0])
    assert "+=" in inside.source.partition("def backward")[2]
    for key, value in found[1].items():
        np.testing.assert_allclose(found[0][key], value, rtol=1e-10, atol=1e-12)


def test_parameters_need_a_floating_point_type(module: Module) -> None:
    with pytest.raises(ValueError, match="expected a floating-point type"):
        module.initialize(D, H, dtype=int)


def test_whole_number_inputs_keep_single_precision(module: Module) -> None:
    assert module.forward(module.initialize(D, H, 0, np.float32), np.ones((T, N, D), int))[0].dtype == np.float32


@pytest.mark.parametrize("function", [derive, verify, generate], ids=lambda f: f.__name__)
def test_a_name_is_no_cell(function: Callable[..., object]) -> None:
    with pytest.raises(InputError, match="expected a cell"):
        function(3.5)


UNTOLD = "def f(x, h, c):\n    c = c * mean(x)\n    h = tanh(h) + sum(x)\n    return h, c\n"
"""No input and no parameter has the size of a state."""


@pytest.mark.parametrize("name", ["forward", "step", "jvp", "hvp", "rtrl"])
def test_a_size_that_only_states_have_is_asked_for(name: str) -> None:
    cell = Cell.from_source(UNTOLD.replace("h, c", "h").replace("    c = c * mean(x)\n", ""))
    assert cell.untold_sizes == ("d_h",)
    module = generate(cell, functions=["jvp", "hvp", "rtrl"])
    x = np.ones((N, D)) if name == "step" else np.ones((T, N, D))
    arguments = [{}, x, *([None] if name in ("hvp", "rtrl") else [])]
    words = rf"^{name}: no array given tells the size d_h; pass state, a dict with h \(N, d_h\)$"
    with pytest.raises(ValueError, match=words):
        getattr(module, name)(*arguments)
    getattr(module, name)(*arguments, state={"h": np.ones((N, H))})
    assert verify(cell).passed


def test_every_size_that_only_states_have_is_asked_for() -> None:
    cell = Cell.from_source(UNTOLD.replace("(x, h, c)", '(x, h, c: "d_c, d_h")'))
    assert cell.untold_sizes == ("d_h", "d_c")
    module = generate(cell)
    with pytest.raises(ValueError, match=r"pass state, a dict with h \(N, d_h\), c \(N, d_c, d_h\)"):
        module.forward({}, np.ones((T, N, D)))


def test_sizes_in_sums_are_told_by_one_another() -> None:
    """The order of the arguments is not that in which the sizes follow from one another."""
    text = (
        'def f(x, h, *, p: "d_a + d_b", q: "d_b + d_h", W: "d_h + d_x", k: "d_a"):\n'
        "    h = h * sum(p) * sum(q) * sum(W) + sum(k) * sum(x)\n    return h\n"
    )
    cell = Cell.from_source(text)
    assert cell.untold_sizes == ()
    module = generate(cell)
    shapes = {"p": (2 + 3,), "q": (3 + H,), "W": (H + D,), "k": (2,)}
    params = {name: np.ones(shape) for name, shape in shapes.items()}
    h, _, _ = module.forward(params, np.ones((T, N, D)))
    assert h.shape == (T, N, H)
    with pytest.raises(ValueError, match=r"params\['q'\]: expected shape \(d_b \+ d_h,\) with d_b = 3, d_h = 6, got"):
        module.forward(params | {"q": np.ones(4)}, np.ones((T, N, D)), {"h": np.ones((N, H))})


def test_a_sum_that_a_parameter_tells_need_not_be_told_by_a_state() -> None:
    """Nobody knows d_h and d_x apart, and nothing asks which they are: a state of zeros has the size of the bias."""
    cell = Cell.from_source(
        'def f(x: "d_k", h: "d_h + d_x", *, b: "d_h + d_x"):\n    h = h * sum(x) + b\n    return h\n'
    )
    assert cell.tied_sizes == ("d_h",)
    assert cell.untold_sizes == ()
    h, _, _ = generate(cell).forward({"b": np.ones(7)}, np.ones((T, N, 4)))
    assert h.shape == (T, N, 7)
    assert verify(cell).passed


HEBBIAN = """
def hebb(x, h, *, W: "d_h, d_x", v, k: "d_x", A: "d_h, d_h"):
    h = tanh(W @ x + 0.5 * h + outer(v, k) @ x) + h @ outer(v, v) + outer(h, k) @ outer(x, v) @ (A @ v)
    return h
"""


@pytest.mark.parametrize(("d_x", "d_h"), [(3, 3), (2, 4)])
def test_products_with_outer_products_agree_with_the_definition(d_x, d_h):
    cell = Cell.from_source(HEBBIAN)
    module, rng = generate(cell), np.random.default_rng(0)
    params = {name: rng.normal(size=value.shape) for name, value in module.initialize(d_x, d_h).items()}
    x, h = rng.normal(size=(1, 3, d_x)), rng.normal(size=(3, d_h))
    found = module.forward(params, x, {"h": h})[0][0]
    wanted = [cell.definition(x[0, i], h[i], **params) for i in range(3)]
    np.testing.assert_allclose(found, np.stack(wanted), rtol=1e-12)


NAMES = """T N np bool len range dx total params state tape grads x_bar_ steps batch sizes given t start end float str
hasattr arrays dtype rows values unit shape name input_size rng u1 h_dot x_t h_bart a_h print type""".split()


PLAIN = Cell.from_source("""
def f(x, y: "d_h", h, s, *, W, p: "d_k"):
    s = 0.5 * s + W @ x * y + sum(p)
    h = tanh(s) * y
    return h, s
""")
EVERYTHING = ["jvp", "hvp", "rtrl", "truncate"]


@pytest.mark.parametrize("place", range(len(NAMES)), ids=NAMES.__getitem__)
def test_any_name_can_be_a_state_an_input_a_parameter_or_a_size(place):
    text = PLAIN.source
    for old, new in zip(("s", "y", "W", "d_k"), NAMES[place:] + NAMES, strict=False):
        text = re.sub(rf"\b{old}\b", new, text)
    cell = Cell.from_source(text)
    found = results_of_all_functions(cell, generate(cell, functions=EVERYTHING))
    wanted = results_of_plain_names()
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one, other)


@cache
def results_of_plain_names():
    return results_of_all_functions(PLAIN, generate(PLAIN, functions=EVERYTHING))


def results_of_all_functions(cell, module):
    """Everything that the functions return, in the cell's order."""
    rng = np.random.default_rng(0)
    sizes = dict(zip(cell.sizes, (2, 3, 4), strict=True))
    params = {p: rng.normal(size=[sizes[d] for d in cell.shape_names(p)]) for p in cell.parameters}
    inputs = [rng.normal(size=(5, 3, *(sizes[d] for d in cell.shape_names(x)))) for x in cell.inputs]
    bar = rng.normal(size=(5, 3, *(sizes[d] for d in cell.shape_names(cell.states[0]))))
    _, final, tape = module.forward(params, *inputs)
    results = [
        final,
        module.step(params, *(x[0] for x in inputs)),
        *module.backward(params, tape, bar, truncate=(1, 2)),
        *module.jvp(params, *inputs, params_dot=params),
        *module.hvp(params, *inputs, bar, params_dot=params),
        *module.rtrl(params, *inputs, bar)[:2],
    ]
    found = []
    for result in results:
        names = cell.states if isinstance(result, dict) and set(result) == set(cell.states) else cell.parameters
        found += [result[name] for name in names] if isinstance(result, dict) else [result]
    return found


def test_float32_stays_float32():
    """Numbers that the source computes, such as sqrt(d_k), have Python's type: NumPy's own would be float64."""
    text = """def f(x, h, *, W, k: "d_h + d_x"):
    h = W @ x / sqrt(size(x)) + exp(1) * h + sum(k * concat(0 * x + 1, 0 * h + 2))
"""
    cell = Cell.from_source(text + "    return h\n")
    module = generate(cell, functions=["jvp", "hvp", "rtrl"])
    params = module.initialize(2, 3, 0, np.float32)
    x = np.ones((4, 1, 2), np.float32)
    h, final, tape = module.forward(params, x)
    grads, x_bar, _ = module.backward(params, tape, h)
    more = [module.step(params, x[0])["h"], module.jvp(params, x)[0], module.hvp(params, x)[1]]
    assert {a.dtype for a in (h, final["h"], x_bar, *grads.values(), *more)} == {np.dtype(np.float32)}


def test_rtrl_repeats_a_number_straight_through_a_matrix():
    text = """def f(x, h, *, W: "d_h, d_x", V: "d_h, d_h"):
    h = tanh(W @ x + straight_through(2, V) @ h + sum(straight_through(0.1, V)) * (V @ h))
    return h
"""
    module = generate(Cell.from_source(text), functions=["rtrl"])
    params, rng = module.initialize(2, 3, 0), np.random.default_rng(0)
    x, h_bar = rng.normal(size=(4, 2, 2)), rng.normal(size=(4, 2, 3))
    wanted = module.backward(params, module.forward(params, x)[2], h_bar)[0]
    found = module.rtrl(params, x, h_bar)[0]
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-10)

"""Every pass leaves the results as they are: the program is printed and run before and after it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from symrnn import Cell, cells, derive
from symrnn.language import read_cells_file
from symrnn.program.ir import Accumulate, Assign, Program
from symrnn.program.lower import lower
from symrnn.program.passes import PASSES, hoist, inline, run_passes, share, single_step, sink
from symrnn.targets.generation import Module, load_source
from symrnn.targets.numpy.layout import ModuleNames
from symrnn.targets.numpy.module import numpy_module
from tests.library import MAIN

ZOO = Path(__file__).parents[1] / "verification" / "zoo.py"
ZOO_NAMES = re.findall(r"^def (\w+)", ZOO.read_text(), re.MULTILINE)
ALL = [*MAIN, *ZOO_NAMES]


def named_cell(name: str) -> Cell:
    return cells.lookup(name) if name in MAIN else read_cells_file(ZOO, name)


def printed(program: Program) -> Module:
    source = numpy_module(program, single_step(lower(program.derivation)), "test")
    return load_source(program.derivation.cell.name, source)


def results(module: Module, cell: Cell) -> dict[str, np.ndarray]:
    """Everything that forward and backward return at one random point, all sizes different."""
    rng = np.random.default_rng(3)
    size = {"d_x": 4, "d_h": 6, "T": 5, "N": 3, "d_k": 2, "d_v": 7, "d_a": 5, "d_q": 8}

    def draw(name: str, *lead: str) -> np.ndarray:
        dims = [int(d.subs({s: size.get(str(s), 9) for s in d.free_symbols})) for d in ModuleNames(cell).dims(name)]
        return rng.uniform(0.1, 0.6, [*(size[k] for k in lead), *dims])  # positive: some cells take logarithms

    params = {name: draw(name) for name in cell.parameters}
    inputs = [draw(name, "T", "N") for name in cell.inputs]
    state = {name: draw(name, "N") for name in cell.states}
    h, final, tape = module.forward(params, *inputs, state)
    cotangent, ends = draw(cell.states[0], "T", "N"), {name: draw(name, "N") for name in cell.states}
    grads, *input_bars, state_bar = module.backward(params, tape, cotangent, ends)
    after = module.step(params, *(x[0] for x in inputs), state)
    found = {"h": h} | {f"final {k}": v for k, v in final.items()} | {f"step {k}": v for k, v in after.items()}
    found |= {f"grad {k}": v for k, v in grads.items()} | {f"start {k}": v for k, v in state_bar.items()}
    return found | {f"input {k}": v for k, v in zip(cell.inputs, input_bars, strict=True)}


def assert_same(left: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> None:
    assert left.keys() == right.keys()
    for name, value in left.items():
        assert value.shape == right[name].shape, name
        np.testing.assert_allclose(value, right[name], rtol=1e-11, atol=1e-12, err_msg=name)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", ALL)
def test_each_pass_keeps_the_results(name: str) -> None:
    cell = named_cell(name)
    program = lower(derive(cell))
    before = results(printed(program), cell)
    for improve in PASSES:
        program = improve(program).check()
        after = results(printed(program), cell)
        assert_same(before, after)


@pytest.mark.parametrize("improve", PASSES, ids=lambda improve: improve.__name__)
def test_a_pass_alone_keeps_the_results(improve: Callable[[Program], Program]) -> None:
    cell = cells.gru_reset_after
    program = lower(derive(cell))
    assert_same(results(printed(program), cell), results(printed(improve(program).check()), cell))


def test_lowering_puts_everything_into_the_loops() -> None:
    program = lower(derive(cells.lstm))
    assert not program.forward.before
    assert not program.backward.after
    assert {s.target.name for s in program.forward.loop.body} >= {"f", "i", "g", "o", "c", "h"}


def test_share_names_what_both_passes_need() -> None:
    program = share(lower(derive(cells.lstm)))
    assert "tanh_c" in {v.name for v in program.tape}
    assert sum("tanh(c_t)" in str(s.value) for s in (*program.forward, *program.backward)) == 1


def test_share_names_a_repeated_matrix_product() -> None:
    program = share(lower(derive(cells.gru)))
    products = [s for s in program.backward if str(s.value) == "U_nᵀ δa_{n,t}"]
    assert len(products) == 1
    assert isinstance(products[0], Assign)


def test_inline_leaves_no_preactivation_that_only_its_function_reads() -> None:
    program = inline(lower(derive(cells.lstm)))
    assert [s.target.name for s in program.forward.loop.body] == ["f", "i", "g", "o", "c", "h"]


def test_hoist_takes_the_inputs_products_out_of_the_loop() -> None:
    program = hoist(inline(lower(derive(cells.lstm))))
    x = cells.lstm["x"]
    assert x not in program.forward.loop.reads
    assert [str(s.value) for s in program.forward.before] == [f"W_{k} x_t + b_{k}" for k in "figo"]


def test_sink_takes_the_sums_out_of_the_loop() -> None:
    program = sink(lower(derive(cells.lstm)))
    assert not any(isinstance(s, Accumulate) for s in program.backward.loop.body)
    assert {s.target.name for s in program.backward.after} >= {"x_bar", "W_f_bar", "b_o_bar"}


def test_the_tape_is_what_backward_reads_of_forward() -> None:
    program = run_passes(lower(derive(cells.gru)))
    assert [v.name for v in program.tape] == ["x", "r", "z", "n"]


@pytest.mark.parametrize(
    ("equation", "kept"),
    [
        ("tanh(W @ y + U @ h) + x", ["y"]),  # of x only the size is wanted, which U has
        ("tanh(W @ y + U @ h) * sum(x)", ["x", "y"]),  # x is read, and
        ("tanh(W @ y + U @ h) + sum(x)", ["x", "y"]),  # not read, but nothing else tells how long its gradient is
    ],
)
def test_an_input_is_kept_where_nothing_else_tells_the_size_of_its_gradient(equation: str, kept: list[str]) -> None:
    size = "d_x" if "sum" in equation else "d_h"
    text = f'def f(x: "{size}", y: "d_y", h, *, W, U):\n    h = {equation}\n    return h\n'
    program = run_passes(lower(derive(Cell.from_source(text))))
    inputs = program.derivation.cell.inputs
    assert [v.name for v in program.tape if v.name in inputs] == kept


def test_a_broken_program_is_noticed() -> None:
    program = lower(derive(cells.rnn))
    broken = Program(program.derivation, program.forward, program.backward.with_body(program.backward.loop.body[1:]))
    with pytest.raises(AssertionError, match="before it is written"):
        broken.check()

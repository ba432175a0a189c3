"""Jacobians of every kind, between every two variables, against the author's text."""

from __future__ import annotations

import re

import numpy as np
import pytest
import sympy

from symrnn import Cell, cells, derive, jacobian
from symrnn.algebra import nodes
from symrnn.algebra.evaluate import Evaluator, at_sizes
from symrnn.algebra.simplify import simplify
from symrnn.calculus.jacobian import LAYOUTS, count_paths, paths
from symrnn.calculus.through_time import through_time
from symrnn.calculus.window import known_variables
from symrnn.errors import InputError, UnknownNameError
from symrnn.language.evaluate import NUMPY, evaluate, run
from symrnn.printers import text
from symrnn.proofs.jacobians import check_jacobian
from symrnn.proofs.survey import JacobianQuestion, survey

CLASHING = """
def clashing(x, h, *, W, U, f_minus2: "d_h", f_minus2_: "d_h"):
    f = sigmoid(W @ x + U @ h + f_minus2)
    h = tanh(U @ (f * h)) * f_minus2_
    return h
"""
SCALARS = """
def scalars(x, h, s: "()", *, w: "d_h", U, k: "()"):
    a = w @ h + k * s
    m = maximum(tanh(U @ x) * s, exp(a) / 2)
    s = sigmoid(a) * s
    h = m * h - softmax(U @ x) * sum(m)
    return h, s
"""
SMALL = [(2, 3)]


# --- what the formulas are --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "of", "wrt", "options", "expected"),
    [
        ("lstm", "c", "c_prev", {}, "diag(f_t)"),
        ("lstm", "c", "c_prev", {"kind": "direct"}, "diag(f_t)"),
        ("gru", "h", "h_prev", {"kind": "direct"}, "diag(1 - z_t)"),
        ("lstm", "h", "h_prev", {"kind": "direct"}, "0"),
        ("lstm", "h", "c", {"kind": "direct"}, "diag(o_t ⊙ (1 - tanh^2(c_t)))"),
        ("lstm", "f", "h_prev", {"kind": "direct"}, "diag(f_t ⊙ (1 - f_t)) U_f"),
        ("lstm", "a_f", "h_prev", {"kind": "direct"}, "U_f"),
        ("lstm", "a_f", "W_f", {"kind": "direct"}, "x_tᵀ ⊗ I"),
        ("lstm", "a_f", "W_f", {"kind": "direct", "layout": "denominator"}, "x_t ⊗ I"),
        ("lstm", "f", "h_prev", {"layout": "denominator"}, "U_fᵀ diag(f_t ⊙ (1 - f_t))"),
        ("gru", "h", "h_prev", {"holding": ("z", "n")}, "diag(1 - z_t)"),
        ("gru", "h", "h_prev", {"holding": "r", "kind": "direct"}, "diag(1 - z_t)"),
        ("lstm", "c", "c_prev", {"kind": "total", "steps": 3, "holding": "h_prev"}, "diag(f_t ⊙ f_{t-1} ⊙ f_{t-2})"),
        ("lstm", "W_f", "W_f", {"kind": "total", "steps": 4}, "I"),
        ("lstm", "W_f", "W_i", {"kind": "total", "steps": 4}, "0"),
        ("lstm", "h_prev", "c_prev", {}, "0"),
        ("lstm", "h_prev", "c_prev", {"kind": "total"}, "diag(o_{t-1} ⊙ (1 - tanh^2(c_{t-1})))"),
        ("lstm", "c", "c_prev", {"kind": "total", "holding": "h_prev"}, "diag(f_t)"),
        (
            "lstm",
            "c",
            "c_prev",
            {"kind": "total"},
            "(diag(c_{t-1} ⊙ f_t ⊙ (1 - f_t)) U_f + diag(g_t ⊙ i_t ⊙ (1 - i_t)) U_i + diag(i_t ⊙ (1 - g_t^2)) U_g)"
            " diag(o_{t-1} ⊙ (1 - tanh^2(c_{t-1}))) + diag(f_t)",
        ),
        ("lstm", "x", "x", {}, "I"),
        ("mlstm", "C", "C_prev", {}, "f_t I"),
        ("scrn", "s", "s_prev", {}, "α I"),
        ("scrn", "s", "x", {"layout": "denominator"}, "(1 - α) Bᵀ"),
        ("janet", "h", "beta", {}, "n_t ⊙ σ(s_t - β 𝟏) ⊙ (1 - σ(s_t - β 𝟏))"),
        ("mlstm", "C", "k", {}, "i_t (I ⊗ v_t)"),
        ("mlstm", "C", "k", {"layout": "denominator"}, "i_t (I ⊗ v_tᵀ)"),
        (
            "lstm_peephole",
            "c",
            "c_prev",
            {},
            "diag(f_t + c_{t-1} ⊙ f_t ⊙ (1 - f_t) ⊙ p_f + g_t ⊙ i_t ⊙ (1 - i_t) ⊙ p_i)",
        ),
        ("lstm", "f", "i", {"kind": "cell"}, "0"),
    ],
)
def test_formulas(cell: str, of: str, wrt: str, options: dict[str, object], expected: str) -> None:
    assert text(jacobian(cells[cell], of, wrt, **options)) == expected


def test_nothing_is_left_to_simplify() -> None:
    """A Jacobian, its paths and its blocks are what a person would write: no row of the table shortens them."""
    for name in ("lstm_peephole", "mlstm", "scrn", "minlstm"):
        derivation = derive(cells[name])
        cell = derivation.cell
        for of in cell.states:
            for wrt in (*(v.name for v in cell.previous), *cell.inputs):
                total = through_time(derivation, of, wrt, 2)
                values = [jacobian(derivation, of, wrt), total.value, *(b.value for b in total.blocks.values())]
                for value in (*values, *(path.value for path in paths(derivation, of, wrt))):
                    assert simplify(value) == value
                    assert "diag(vec(" not in text(value).replace("diag(vec(v", "")


def test_a_row_times_a_diagonal_is_a_row() -> None:
    shown = text(jacobian(cells.lstm_layer_norm, "h", "c_prev"))
    assert "𝟏ᵀ diag(" not in shown
    assert " d_tᵀ" in shown


@pytest.mark.parametrize("steps", [1, 2])
def test_only_of_a_state_that_enters_is_the_total_derivative_another_one(steps: int) -> None:
    derivation = derive(cells.lstm)
    differing = [
        (of, wrt)
        for of in known_variables(derivation)
        for wrt in known_variables(derivation)
        if jacobian(derivation, of, wrt, "total", steps=steps) != jacobian(derivation, of, wrt, steps=steps)
    ]
    assert {wrt for _, wrt in differing} == {"c_prev"}  # h is computed last, so nothing of its own step reads it
    assert ("c", "c_prev") in differing


def test_a_step_may_be_named_from_either_side() -> None:
    # c of the first of two steps is c_{t-1}, which h_{t-1} reads as well as c_t does; c_prev is what enters that step
    assert {v.name for v in nodes.variables(jacobian(cells.lstm, "c", "c", steps=2))} >= {"f", "o_prev"}
    assert {v.name for v in nodes.variables(jacobian(cells.lstm, "c", "c_prev"))} == {"f"}
    assert jacobian(cells.gru, "h", "h", steps=2) == jacobian(cells.gru, "h", "h_prev")
    assert jacobian(cells.lstm, "h_prev", "c_prev", steps=3) != 0
    assert text(jacobian(cells.lstm, "c_prev", "c_prev", steps=2)) == "diag(f_{t-1})"
    for of in ("h", "c", "f", "a_o"):
        for steps in (1, 2):
            followed = jacobian(cells.lstm, of, "c_prev", "total", steps=steps)
            assert followed == jacobian(cells.lstm, of, "c", "total", steps=steps + 1)


def test_two_steps_are_the_sum_over_the_states_between() -> None:
    lstm = derive(cells.lstm)
    whole = jacobian(lstm, "c", "c_prev", steps=2)
    assert {v.name for v in nodes.variables(whole)} >= {"f", "f_prev", "o_prev", "c_prev", "U_i"}
    assert isinstance(whole, nodes.Sum)
    assert len(whole.args) == 2


def test_results_are_sympy_expressions() -> None:
    block = jacobian(cells.lstm, "c", "c_prev")
    assert block.xreplace({size: sympy.Integer(2) for size in block.shape}).as_explicit().is_diagonal()
    assert isinstance(jacobian(cells.lstm, "h", "x"), sympy.MatrixExpr)


# --- identifiers of shifted variables ---------------------------------------------------------------------------------


def test_identifiers_of_shifted_variables_are_free() -> None:
    cell = Cell.from_source(CLASHING)
    read = {v.name: v for v in nodes.variables(jacobian(cell, "h", "h_prev", "total", steps=3))}
    assert {"f", "f_prev", "f_minus2_", "f_minus2__"} <= read.keys()
    assert (read["f_minus2__"].base, read["f_minus2__"].time) == ("f", -2)
    assert read["f_minus2_"].time is None
    exact, numeric = survey(derive(cell), JacobianQuestion("total", 3), sizes=SMALL)
    assert exact.passed, exact.detail
    assert numeric.passed, numeric.detail


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"kind": "direct", "steps": 2},
            'steps=2 with kind="direct": an equation reads nothing from before its own step\n  ask for kind="cell"',
        ),
        ({"kind": "total", "steps": 0}, "steps=0\n  give a whole number of steps, at least 1"),
        ({"kind": "total", "steps": -1}, "steps=-1"),
        ({"kind": "total", "steps": 1.5}, r"steps=1\.5"),
        ({"kind": "total", "steps": True}, "steps=True"),
        ({"kind": "total", "steps": "2"}, "steps='2'"),
        ({"kind": "partial"}, "no kind 'partial' of Jacobian\n  there are 'direct', 'cell', 'total'"),
        ({"kind": ["cell"]}, r"no kind \['cell'\]"),
        ({"layout": "mixed"}, "no layout 'mixed' of Jacobian\n  there are 'numerator', 'denominator'"),
        ({"holding": ("h",)}, r"of='h' is itself held by holding=\('h',\)"),
        ({"holding": ("f", "h_prev")}, "wrt='h_prev' is itself held"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        jacobian(cells.lstm, "h", "h_prev", **options)


def test_a_variable_held_at_another_step_is_refused_too() -> None:
    with pytest.raises(InputError, match="wrt='h' is itself held"):  # h_{t-1}, which h_prev is at t
        jacobian(cells.lstm, "c", "h", "total", steps=2, holding="h_prev")
    assert text(jacobian(cells.lstm, "c", "h", "total", steps=1, holding="h_prev")) == "0"


@pytest.mark.parametrize("arguments", [("q", "h_prev"), ("h", "q"), ("h", 3)])
def test_unknown_variables_are_refused(arguments: tuple[object, object]) -> None:
    with pytest.raises(UnknownNameError, match="the cell lstm has no variable"):
        jacobian(cells.lstm, *arguments)
    with pytest.raises(UnknownNameError, match="holding: the cell lstm has no variable 'q'\n  it has "):
        jacobian(cells.lstm, "h", "h_prev", holding=("q",))


def test_what_is_no_cell_is_refused() -> None:
    with pytest.raises(InputError, match="expected a cell, got int 3\n  give a cell"):
        jacobian(3, "h", "h_prev")


def test_a_cell_may_be_named() -> None:
    assert jacobian("lstm", "h", "h_prev") == jacobian(cells.lstm, "h", "h_prev")


# --- the LSTM's k-step derivative, through the definition itself ------------------------------------------------------


def lstm_points(steps: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    cell, sizes = cells.lstm, {"d_x": 3, "d_h": 4}
    shapes = {p: tuple(sizes[d] for d in cell.shape_names(p)) for p in cell.parameters}
    point = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    point |= {s: rng.standard_normal(4) for s in cell.states}
    return point | {f"x{j}": rng.standard_normal(3) for j in range(steps)}


def unroll(point: dict[str, np.ndarray], steps: int) -> list[dict[str, np.ndarray]]:
    """The definition, step after step; each frame keeps the states before it as `h_prev`."""
    fixed = {name: point[name] for name in cells.lstm.parameters}
    state, frames = {s: point[s] for s in cells.lstm.states}, []
    for j in range(steps):
        names = run(cells.lstm.syntax, fixed | state | {"x": point[f"x{j}"]})
        frames.append(names | {f"{s}_prev": value for s, value in state.items()})
        state = {s: names[s] for s in cells.lstm.states}
    return frames


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_lstm_derivatives_of_several_steps_by_complex_steps(steps: int) -> None:
    point = lstm_points(steps, np.random.default_rng(steps))
    values: dict[str, np.ndarray] = {}
    for back, frame in enumerate(reversed(unroll(point, steps))):
        suffix = {0: "", 1: "_prev"}.get(back, f"_minus{back}")
        for name, value in frame.items():
            if name in cells.lstm.parameters:
                values[name] = value.reshape(value.shape[0], -1)
            elif not name.endswith("_prev"):
                values[name + suffix] = value.reshape(-1, 1)
            else:
                earlier = {1: "_prev"}.get(back + 1, f"_minus{back + 1}")
                values[name.removesuffix("_prev") + earlier] = value.reshape(-1, 1)
    evaluator = Evaluator(values, {"d_x": 3, "d_h": 4}, NUMPY)
    moving = {"h_prev": "h", "c_prev": "c", "x": "x0", **{p: p for p in cells.lstm.parameters}}
    for wrt, name in moving.items():
        columns = []
        for index in np.ndindex(point[name].shape[::-1]):
            moved = point[name].astype(complex)
            moved[index[::-1]] += 1e-30j
            columns.append(unroll(point | {name: moved}, steps)[-1])
        for of in ("h", "c", "f", "o"):
            truth = np.stack([np.imag(column[of]) / 1e-30 for column in columns], axis=1)
            found = evaluator(jacobian(cells.lstm, of, wrt, steps=steps))
            assert np.linalg.norm(found - truth) <= 1e-13 * np.linalg.norm(truth), (of, wrt)
            assert np.linalg.norm(truth) > 0 or (steps == 1 and (of, wrt) != ("h", "x"))


# --- every pair of variables ------------------------------------------------------------------------------------------


def cell_named(name: str) -> Cell:
    return {"clashing": Cell.from_source(CLASHING), "scalars": Cell.from_source(SCALARS)}.get(name) or cells[name]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "question",
    [JacobianQuestion("direct"), JacobianQuestion("cell"), JacobianQuestion("cell", 2), JacobianQuestion("total", 2)],
    ids=str,
)
@pytest.mark.parametrize("name", ["gru", "lstm", "scalars"])
def test_every_pair(name: str, question: JacobianQuestion) -> None:
    exact, numeric = survey(derive(cell_named(name)), question, sizes=[(2, 3)])
    assert exact.passed, exact.detail
    assert numeric.passed, numeric.detail


@pytest.mark.parametrize("name", ["gru", "scrn", "antisymmetric_rnn"])
def test_every_size(name: str) -> None:
    cell = cells[name]
    for check in survey(derive(cell), JacobianQuestion("total", 2), of=cell.states):
        assert check.passed, check.detail
        assert "1,1" in check.sizes


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("name", "held"), [("gru", ("z", "n")), ("lstm", ("f", "a_o")), ("lstm", ("h_prev",)), ("lstm", ("c", "W_f", "x"))]
)
def test_what_is_held(name: str, held: tuple[str, ...]) -> None:
    for question in (JacobianQuestion("cell", 1, held), JacobianQuestion("total", 2, held)):
        exact, numeric = survey(derive(cells[name]), question, sizes=[(2, 3)])
        assert exact.passed, exact.detail
        assert numeric.passed, numeric.detail


def test_holding_by_hand() -> None:
    """∂h/∂h_prev of a GRU with z and n held, from the text: z and n keep their values while h_prev moves."""
    gru, rng = cells.gru, np.random.default_rng(1)
    shapes = {p: [{"d_x": 3, "d_h": 4}[d] for d in gru.shape_names(p)] for p in gru.parameters}
    point = {p: rng.standard_normal(shape) for p, shape in shapes.items()}
    point |= {"x": rng.standard_normal(3), "h": rng.standard_normal(4)}
    still = run(gru.syntax, point)
    columns = []
    for index in range(4):
        names = point | {"h": point["h"] + 1e-30j * np.eye(4)[index]}
        for line in gru.syntax.assignments:
            names[line.name] = still[line.name] if line.name in ("z", "n") else evaluate(line.value, names, NUMPY)
        columns.append(np.imag(names["h"]) / 1e-30)
    values = {name: value.reshape(value.shape[0], -1) for name, value in (still | {"h_prev": point["h"]}).items()}
    found = Evaluator(values, {"d_x": 3, "d_h": 4}, NUMPY)(jacobian(gru, "h", "h_prev", holding=("z", "n")))
    assert np.allclose(found, np.stack(columns, axis=1), rtol=1e-14, atol=0)


def test_denominator_is_the_transpose() -> None:
    derivation = derive(cells.lstm_concat)
    rng = np.random.default_rng(0)
    variables = known_variables(derivation).values()
    sizes = {"d_x": 3, "d_h": 2}
    values = {v.name: rng.standard_normal([int(at_sizes(d, sizes)) for d in v.shape]) for v in variables}
    evaluator = Evaluator(values, sizes, NUMPY)
    for of in known_variables(derivation):
        for wrt in known_variables(derivation):
            expr = jacobian(derivation, of, wrt)
            laid = jacobian(derivation, of, wrt, layout="denominator")
            assert laid.shape == expr.shape[::-1]
            assert np.array_equal(evaluator(laid), evaluator(expr).T), (of, wrt)


@pytest.mark.parametrize("rows", [2, 3])
def test_denominator_of_every_node(rows: int) -> None:
    a, b = nodes.Variable("a", rows, 4), nodes.Variable("b", 5, 6)
    values = {v.name: np.random.default_rng(0).standard_normal([int(d) for d in v.shape]) for v in (a, b)}
    evaluator = Evaluator(values, {}, NUMPY)
    for expr in (
        nodes.kronecker(a, b),
        nodes.Commutation(sympy.Integer(rows), sympy.Integer(4)),
        nodes.matmul(nodes.scale(-2, a), nodes.transpose(a)),
        nodes.add(a, nodes.scale(3, a)),
        nodes.diag(nodes.vec(a)),
        nodes.zeros(a.shape),
    ):
        assert np.allclose(evaluator(LAYOUTS["denominator"](expr)), evaluator(expr).T)


# --- planted errors ---------------------------------------------------------------------------------------------------


def test_a_wrong_formula_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wrong way to put blocks together must be noticed by the exact check and by the complex steps."""
    from symrnn.calculus import jacobian as module

    derivation = derive(cells.lstm)
    right = module.compose

    def swapped(outer: nodes.Expr, inner: nodes.Expr) -> nodes.Expr:
        return right(inner, outer) if outer.shape == inner.shape else right(outer, inner)

    for wrong in (
        swapped,
        lambda outer, inner: nodes.negate(right(outer, inner)),
        lambda outer, inner: nodes.zeros((outer.shape[0], inner.shape[1])),
    ):
        monkeypatch.setattr(module, "compose", wrong)
        for check in survey(
            derivation, JacobianQuestion("cell", 2), of=["h", "c"], wrt=["h_prev", "c_prev"], sizes=SMALL
        ):
            assert not check.passed
            assert re.search(r"∂[hc]_t/∂[hc]_\{t-2\}\|_\{[hc]_\{t-2\}\} is wrong", check.detail)


def test_kinds_are_told_apart() -> None:
    gru = derive(cells.gru)
    claims = {kind: jacobian(gru, "h", "h_prev", kind) for kind in ("direct", "cell")}
    assert claims["direct"] != claims["cell"]
    assert check_jacobian(cells.gru, "h", "h_prev", "direct").passed
    assert jacobian(gru, "h", "h_prev", holding="r") not in claims.values()


def test_many_paths_are_nested_not_multiplied_out() -> None:
    doubled = "".join(f"    b{i} = tanh(a{i})\n    a{i + 1} = b{i} * a{i}\n" for i in range(8))
    cell = Cell.from_source(f"def many(x, h, *, W):\n    a0 = tanh(h)\n{doubled}    h = a8 + W @ x\n    return h\n")
    assert check_jacobian(cell, "h", "h_prev", sizes=SMALL).passed
    assert check_jacobian(cell, "h", "h_prev", "total", steps=2, sizes=SMALL).passed
    distinct = set(sympy.preorder_traversal(jacobian(cell, "h", "h_prev")))
    assert count_paths(cell, "h", "h_prev") == 256
    assert len(distinct) < 256

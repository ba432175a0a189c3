"""Forward mode as equations: what they say, that they hold exactly, and that no rule can be wrong unseen."""

import dataclasses
import re
from random import Random

import pytest

from symrnn import Cell, cells, derive, verify
from symrnn.algebra import nodes
from symrnn.algebra.evaluate import Evaluator
from symrnn.calculus.rules import RULES, local_jacobian, pull_back, push_forward
from symrnn.calculus.second_order import second_order
from symrnn.calculus.tangent import tangent
from symrnn.documents.plain import plain
from symrnn.errors import UnknownNameError
from symrnn.printers import text
from symrnn.runs.field import Number, draw, inner
from symrnn.runs.numbers import RESIDUES
from symrnn.runs.sizes import CellAtSizes, layouts
from symrnn.verification.forward_mode import check_forward_mode
from tests.verification.conftest import every_cell, pytest_generate_tests

__all__ = ["pytest_generate_tests"]  # a test that takes cell_name runs over every cell

LSTM = """\
ȧ_{f,t} = Ẇ_f x_t + W_f ẋ_t + U̇_f h_{t-1} + U_f ḣ_{t-1} + ḃ_f
ḟ_t = f_t ⊙ (1 - f_t) ⊙ ȧ_{f,t}
ȧ_{i,t} = Ẇ_i x_t + W_i ẋ_t + U̇_i h_{t-1} + U_i ḣ_{t-1} + ḃ_i
i̇_t = i_t ⊙ (1 - i_t) ⊙ ȧ_{i,t}
ȧ_{g,t} = Ẇ_g x_t + W_g ẋ_t + U̇_g h_{t-1} + U_g ḣ_{t-1} + ḃ_g
ġ_t = (1 - g_t^2) ⊙ ȧ_{g,t}
ȧ_{o,t} = Ẇ_o x_t + W_o ẋ_t + U̇_o h_{t-1} + U_o ḣ_{t-1} + ḃ_o
ȯ_t = o_t ⊙ (1 - o_t) ⊙ ȧ_{o,t}
ċ_t = ḟ_t ⊙ c_{t-1} + f_t ⊙ ċ_{t-1} + i̇_t ⊙ g_t + i_t ⊙ ġ_t
ḣ_t = ȯ_t ⊙ tanh(c_t) + o_t ⊙ (1 - tanh^2(c_t)) ⊙ ċ_t"""


@pytest.fixture(scope="module")
def every() -> dict[str, Cell]:
    return every_cell()


def test_the_tangents_of_the_lstm_read_as_in_a_textbook() -> None:
    assert str(tangent(cells.lstm)) == LSTM


def test_a_convex_combination_moves_along_its_difference() -> None:
    step = tangent(cells.gru).of("h")
    assert text(step.value) == "ż_t ⊙ (n_t - h_{t-1}) + (1 - z_t) ⊙ ḣ_{t-1} + z_t ⊙ ṅ_t"
    assert step.role == "state"
    assert tangent(cells.gru).of("z").rules == ("activation",)


def test_latex_has_dots_over_letters() -> None:
    shown = tangent(cells.gru).latex()
    assert r"\dot{n}_t &= (1 - n_t^{2}) \odot \dot{a}_{n,t}" in shown
    assert shown.startswith(r"\begin{align*}")


def test_one_equation_follows_each_forward_equation(every: dict[str, Cell]) -> None:
    for cell in every.values():
        derivation = derive(cell)
        found = tangent(derivation)
        assert [step.of for step in found.steps] == [equation.target for equation in derivation.forward]
        assert [step.number for step in found.steps] == list(range(1, len(found.steps) + 1))
        names = [v.name for v in (*found.directions.values(), *(step.target for step in found.steps))]
        assert len({*names, *cell.symbols}) == len(names) + len(cell.symbols)


def test_what_does_not_move_does_not_appear() -> None:
    found = tangent(cells.lstm, wrt=["c_prev"])
    assert list(found.directions) == ["c_prev"]
    assert nodes.is_zero(found.of("f").value)
    assert not any(nodes.is_zero(found.of(name).value) for name in ("c", "h"))
    assert text(found.of("c").value) == "f_t ⊙ ċ_{t-1}"


@pytest.mark.parametrize("call", [lambda: tangent(cells.gru, wrt=["z"]), lambda: tangent(cells.gru).of("q")])
def test_unknown_names_are_refused(call) -> None:
    with pytest.raises(UnknownNameError, match=r"\n  (it has|there are) "):
        call()


def test_a_name_of_the_authors_is_not_taken() -> None:
    cell = Cell.from_source("def c(x, h, *, W):\n    h_dot = tanh(W @ x)\n    h = h_dot + h\n    return h\n")
    found = tangent(cell)
    assert found.of("h").target.name == "h_tangent"
    verify(cell, functions=["jvp", "hvp", "rtrl", "truncate"]).raise_if_failed()


def test_functions_that_are_flat_have_zero_tangents() -> None:
    cell = Cell.from_source(
        "def c(x, h, *, W):\n    s = step(W @ x)\n    g = sign(h)\n    h = s * g + h\n    return h\n"
    )
    found = tangent(cell)
    assert nodes.is_zero(found.of("s").value)
    assert nodes.is_zero(found.of("g").value)


@pytest.mark.parametrize("function", ["relu(a)", "abs(a)", "maximum(a, h)", "minimum(a, h)"])
def test_kinks_have_no_second_slope(function: str) -> None:
    cell = Cell.from_source(f"def c(x, h, *, W):\n    a = W @ x\n    h = {function}\n    return h\n")
    step = second_order(cell).of("a")
    moving = {v.base for v in nodes.variables(step.value) if v.mark == "tangent"}
    assert moving == set(), text(step.value)  # only the tangents of adjoints are left


# --- exactness --------------------------------------------------------------------------------------------------------


def test_all_equations_of_forward_mode_hold_exactly(cell_name: str, every: dict[str, Cell]) -> None:
    cell = every[cell_name]
    checks = list(check_forward_mode(derive(cell), layouts(cell, [(2, 3)]), 0))
    assert [check.name for check in checks] == [
        "tangents of one step",
        "tangents of the adjoints",
        "sensitivities of the states, T=3",
    ]
    for check in checks:
        assert check.passed, f"{check.name}\n{check.detail}"


def numbers(cell: Cell, expressions) -> tuple[Evaluator, dict]:
    rng = Random(0)
    layout = CellAtSizes(cell, {name: size for size, name in enumerate(cell.sizes, 2)})
    variables = sorted({v for e in expressions for v in nodes.variables(e)}, key=lambda v: v.name)
    values = {v.name: draw(rng, layout.shape(v)) for v in variables}
    return RESIDUES.evaluator(values, layout.sizes), {v: draw(rng, layout.shape(v)) for v in variables}


def test_the_derivation_is_closed(cell_name: str, every: dict[str, Cell]) -> None:
    """Every backward equation can be differentiated again, by all three columns, and these agree."""
    cell = every[cell_name]
    for step in derive(cell).steps:
        evaluate, moving = numbers(cell, [step.value, step.target])
        if step.target in moving:
            evaluate.values[step.target.name] = Number(1) * evaluate(step.value) + 0 * moving[step.target]
        dots = {v: nodes.Variable(f"{v.name}_way", *v.shape, time=0) for v in nodes.variables(step.value)}
        evaluate.values.update({dot.name: moving[v] for v, dot in dots.items()})
        bar = nodes.Variable("bar_of_it", *step.value.shape, time=0)
        evaluate.values["bar_of_it"] = moving[step.target] if step.target in moving else Number(1)
        forward = evaluate(push_forward(step.value, step.target, dots).value)
        shares = pull_back(step.value, step.target, bar)
        assert inner(evaluate.values["bar_of_it"], forward) == sum(
            (inner(evaluate(share.value), moving[share.variable]) for share in shares), Number(0)
        )
        for share in local_jacobian(step.value, step.target):
            assert share.variable in dots


def test_the_jacobian_of_a_part_selects_it() -> None:
    cell = cells.lstm_concat
    x = nodes.Variable("v", sum(cell["h"].shape[:1], cell["x"].shape[0]), 1, time=0)
    part = nodes.rows(x, cell["h"].shape[0], x.shape[0])
    (share,) = local_jacobian(part, part)
    evaluate, _ = numbers(cell, [part])
    assert (evaluate(share.value) @ evaluate(x)).tolist() == evaluate(part).tolist()


# --- planted errors ---------------------------------------------------------------------------------------------------

WRONG = {
    "negated": nodes.negate,
    "twice": lambda value: nodes.scale(2, value),
    "nothing": lambda value: nodes.zeros(value.shape),
    "a term less": lambda value: nodes.add(*value.args[1:]) if isinstance(value, nodes.Sum) else nodes.negate(value),
    "a term too many": lambda value: nodes.add(value, nodes.ones(value.shape)),
}
STANDS_STILL = [("Argmax", kind) for kind in WRONG if kind != "a term too many"]
"""The place of the largest entry does not move: any multiple of nothing is right, and a term too many is wrong."""


def planted(operator: str, kind: str):
    table = RULES
    right = table[operator].tangent
    wrong = dataclasses.replace(table[operator], tangent=lambda *args: WRONG[kind](right(*args)))
    return {**table, operator: wrong}


@pytest.mark.sampled(12)
@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("operator", RULES)
def test_a_wrong_tangent_rule_is_caught_and_named(operator: str, kind: str, every: dict[str, Cell]) -> None:
    rules = planted(operator, kind)
    for cell in sorted(every.values(), key=lambda cell: len(cell.body) + len(cell.parameters)):
        right = {s.number: s.value for s in (*tangent(cell).steps, *second_order(cell).steps)}
        derivation = derive(cell, rules)
        wrong = {s.number: s for s in (*tangent(derivation).steps, *second_order(derivation).steps)}
        different = {n for n, s in wrong.items() if s.value != right[n]}
        if not different:
            continue
        assert (operator, kind) not in STANDS_STILL
        checks = [c for c in check_forward_mode(derivation, layouts(cell, [(2, 3)]), 0, ["hvp"]) if not c.passed]
        assert checks, f"{cell.name}: not found"
        accused = {int(n) for c in checks for n in re.findall(r"^equation \((\d+)\)", c.detail, re.MULTILINE)}
        assert accused
        assert accused <= different
        return
    assert (operator, kind) in STANDS_STILL, f"no cell uses {operator}"


@pytest.mark.parametrize("operator", RULES)
def test_every_tangent_rule_has_a_statement_in_both_forms(operator: str) -> None:
    rule = RULES[operator]
    assert r"\dot" in rule.tangent_statement
    assert plain(rule.tangent_statement)

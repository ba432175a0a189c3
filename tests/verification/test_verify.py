"""Right cells pass, at every seed; what is wrong outside the rule table is found and named too."""

import dataclasses

import pytest

from symrnn import Cell, cells, derive, verify
from symrnn.algebra import nodes
from symrnn.calculus import derivation as calculus
from symrnn.calculus.derivation import Derivation, shift
from symrnn.errors import InputError, SymrnnError
from symrnn.language.recurrence import Equation
from symrnn.runs.sizes import layouts, show
from symrnn.verification import exact
from symrnn.verification.exact import check_exactly
from symrnn.verification.numeric import check_numerically
from symrnn.verification.report import EXACT, Report


@pytest.mark.sampled(4)
def test_every_cell_passes(cell, cell_name, generated):
    report = verify(cell, module=generated(cell_name))
    assert report.passed, str(report)


@pytest.mark.sampled(8)
@pytest.mark.parametrize("seed", range(1, 3))
def test_no_seed_raises_a_false_alarm(cell, cell_name, generated, seed):
    report = verify(cell, seed=seed, module=generated(cell_name))
    assert report.passed, str(report)


def test_equal_seeds_give_equal_reports(generated):
    first, second = (verify(cells.gru, seed=3, module=generated("gru")) for _ in range(2))
    assert str(first) == str(second)


def test_the_report_of_an_lstm():
    report = verify(cells.lstm)
    assert report.passed
    assert [(check.name, check.method) for check in report.checks] == [
        ("forward equations", "exact"),
        ("∂h_t/∂h_{t-1}|_{c_{t-1}}", "exact"),
        ("∂h_t/∂c_{t-1}|_{h_{t-1}}", "exact"),
        ("∂h_t/∂x_t|_{h_{t-1}, c_{t-1}}", "exact"),
        ("∂c_t/∂h_{t-1}|_{c_{t-1}}", "exact"),
        ("∂c_t/∂c_{t-1}|_{h_{t-1}}", "exact"),
        ("∂c_t/∂x_t|_{h_{t-1}, c_{t-1}}", "exact"),
        ("Jacobians of the parameters", "exact"),
        ("adjoint of one step", "exact"),
        ("backpropagation through time, T=3", "exact"),
        ("Jacobian blocks of one step", "complex step"),
        ("Jacobians of the parameters", "complex step"),
        ("gradients of one step", "complex step"),
        ("forward", "generated code"),
        ("step", "generated code"),
        ("defaults", "generated code"),
        ("backward: parameters", "generated code"),
        ("backward: inputs", "generated code"),
        ("backward: initial states", "generated code"),
    ]
    assert str(report).endswith("lstm: all 19 checks passed")


# --- sizes ------------------------------------------------------------------------------------------------------------


def test_sizes_are_chosen_by_the_caller(generated):
    report = verify(cells.rnn, sizes=[(5, 2)], module=generated("rnn"))
    assert report.passed
    assert report.checks[0].sizes == "d_x,d_h = 2,5"


@pytest.mark.parametrize(
    ("sizes", "message"), [([(0, 1)], r"\(0, 1\) is no choice"), ([(1,)], "no choice"), ([], "nothing to check")]
)
def test_sizes_that_make_no_sense_are_refused(sizes, message):
    with pytest.raises(InputError, match=message) as caught:
        verify(cells.rnn, sizes=sizes)
    assert isinstance(caught.value, SymrnnError)


def test_further_sizes_differ_from_the_given_ones(all_cells):
    chosen = layouts(all_cells["fast_weights"], [(2, 3), (4, 4)])
    for layout in chosen:
        further = [n for name, n in layout.sizes.items() if name not in ("d_h", "d_x")]
        assert len(set(further)) == len(further) == 2
        assert not {layout.sizes["d_h"], layout.sizes["d_x"]} & set(further)


def test_fixed_sizes_have_one_layout(all_cells):
    chosen = layouts(all_cells["fixed_sizes"], [(1, 1), (2, 3)])
    assert len(chosen) == 1
    assert show(chosen) == "fixed"


# --- what is wrong outside the rule table -----------------------------------------------------------------------------


def failures(derivation):
    chosen = layouts(derivation.cell, [(2, 3), (3, 2)])
    return {c.name: c.detail for c in check_exactly(derivation, chosen, 0) if not c.passed}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("line", range(len(derive(cells.lstm).forward)))
def test_a_wrong_forward_equation_is_named(line):
    right = derive(cells.lstm)
    wrong = list(right.forward)
    wrong[line] = Equation(wrong[line].target, nodes.negate(wrong[line].value))
    derivation = dataclasses.replace(right, forward=tuple(wrong))
    number = right.number(wrong[line].target)
    assert f"equation ({number}) " in failures(derivation)["forward equations"]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("number", [step.number for step in derive(cells.lstm).steps])
def test_any_wrong_backward_equation_is_named_alone(number):
    right = derive(cells.lstm)
    steps = tuple(
        dataclasses.replace(step, value=nodes.negate(step.value)) if step.number == number else step
        for step in right.steps
    )
    found = failures(dataclasses.replace(right, steps=steps))
    gradients = {step.number for step in right.role("parameter")}
    forms = {"Jacobians of the parameters"} if number in gradients else set()
    assert set(found) == {"adjoint of one step", "backpropagation through time, T=3"} | forms
    for detail in found.values():
        accused = [line for line in detail.splitlines() if line.startswith("equation (")]
        assert len(accused) == 1
        assert accused[0].startswith(f"equation ({number}) ")


def test_a_wrong_recursion_through_time_is_named(monkeypatch):
    def backwards(self, state):
        return nodes.add(self.loss(state), nodes.negate(shift(self.of(f"{state}_prev").value, 1)))

    monkeypatch.setattr(Derivation, "through_time", backwards)
    found = failures(derive(cells.rnn))
    assert set(found) == {"backpropagation through time, T=3"}
    assert "equation (2) through time, δh_t = ∂ℓ/∂h_t - Uᵀ δa_{h,t+1}, is wrong" in found.popitem()[1]


def test_an_equation_that_reads_what_is_not_known_is_found(monkeypatch):
    monkeypatch.setattr(calculus, "shift", lambda expr, steps: expr)
    found = failures(derive(cells.rnn))
    assert set(found) == {"backpropagation through time, T=3"}
    assert "an equation reads 'a_h_bar' before it has a value" in found.popitem()[1]


def test_a_wrong_gradient_is_followed_to_what_it_spoils():
    right = derive(cells.lstm)
    steps = tuple(
        dataclasses.replace(step, value=nodes.negate(step.value)) if step.of.name == "a_f" else step
        for step in right.steps
    )
    detail = failures(dataclasses.replace(right, steps=steps))["adjoint of one step"]
    assert "equation (16) δa_{f,t} = -δf_t ⊙ f_t ⊙ (1 - f_t) is wrong" in detail
    assert "wrong in consequence: δx_t, δ←h_{t-1}, ∂L/∂W_f, ∂L/∂U_f, ∂L/∂b_f\n" in detail


# --- points that do not exist -----------------------------------------------------------------------------------------


def test_a_cell_without_a_legal_point_fails_with_words():
    nowhere = Cell.from_source("def nowhere(x, h, *, W):\n    h = log(W @ x) + log(-(W @ x)) + h\n    return h\n")
    chosen = layouts(nowhere, [(2, 3)])
    assert all(check.passed for check in check_exactly(derive(nowhere), chosen, 0))
    for check in check_numerically(derive(nowhere), chosen, 0):
        assert not check.passed
        assert "no point found at which every value is finite" in check.detail


def test_a_division_by_zero_everywhere_fails_with_words():
    pole = Cell.from_source("def pole(x: 'd_h', h):\n    h = 1 / (h - h + x - x)\n    return h\n")
    checks = list(check_exactly(derive(pole), layouts(pole, [(2, 3)]), 0))
    assert not any(check.passed for check in checks)
    assert all("no point found at which nothing divides by zero" in check.detail for check in checks)


def test_an_exact_failure_is_called_not_proved(monkeypatch):
    monkeypatch.setattr(exact, "_forward", lambda trial: "it is wrong")
    report = Report("rnn", tuple(check_exactly(derive(cells.rnn), layouts(cells.rnn, [(2, 3)]), 0)))
    assert report.failures[0].method == EXACT
    assert "forward equations (exact): not proved\n  it is wrong" in str(report)

"""A check that cannot fail is not a check: every rule, made wrong in every way that applies, must be caught."""

import dataclasses
import re
from itertools import combinations
from random import Random

import pytest

from symrnn import derive, jacobian, verify
from symrnn.algebra import nodes
from symrnn.calculus.rules import RULES, local_jacobian
from symrnn.printers import text
from symrnn.runs.field import Number, draw
from symrnn.runs.numbers import RESIDUES
from symrnn.runs.sizes import CellAtSizes
from symrnn.verification.parameters import PARAMETERS
from symrnn.verification.report import EXACT

# --- the ways to make a rule wrong: what each operand receives -> the same, wrong -------------------------------------


def negated(expr):
    return nodes.negate(expr)


def without_a_factor(expr):
    """The last factor goes: of a product of entries, of a diagonal, of matrices (a square one), or a number."""
    number, rest = nodes.coefficient(expr)
    if isinstance(rest, nodes.Sum):
        return nodes.add(without_a_factor(rest.args[0]), *rest.args[1:])
    if isinstance(rest, nodes.Hadamard):
        return nodes.scale(number, nodes.hadamard(*rest.args[:-1]))
    if isinstance(rest, nodes.Diag):
        inner = rest.args[0]
        left = without_a_factor(inner) if isinstance(inner, nodes.Hadamard) else nodes.ones(inner.shape)
        return nodes.scale(number, nodes.diag(left))
    if isinstance(rest, nodes.Product):
        square = [i for i, factor in enumerate(rest.args) if factor.shape[0] == factor.shape[1]]
        left = [factor for i, factor in enumerate(rest.args) if i not in square[-1:]]
        return nodes.scale(number, nodes.matmul(*left)) if square else expr
    return rest


def transposed(expr):
    """A square factor is transposed, or the whole."""
    number, rest = nodes.coefficient(expr)
    if isinstance(rest, nodes.Product):
        square = [i for i, factor in enumerate(rest.args) if factor.shape[0] == factor.shape[1]]
        factors = [nodes.transpose(f) if i in square[:1] else f for i, f in enumerate(rest.args)]
        return nodes.scale(number, nodes.matmul(*factors)) if square else expr
    return nodes.transpose(expr) if expr.shape[0] == expr.shape[1] else expr


def without_a_term(expr):
    """The last term of a sum goes, of one among the factors of a product of entries too."""
    if isinstance(expr, nodes.Hadamard):
        return nodes.hadamard(*(without_a_term(factor) for factor in expr.args))
    return nodes.add(*expr.args[:-1]) if isinstance(expr, nodes.Sum) else expr


def each(change):
    return lambda received: [(operand, change(value)) for operand, value in received]


def second_gets_nothing(received):
    return received[:1] if len(received) > 1 else each(without_a_term)(received)


def operands_confused(received):
    """Two operands of one shape get what the other should; the last such pair."""
    values = [value for _, value in received]
    pairs = [(i, j) for i, j in combinations(range(len(values)), 2) if values[i].shape == values[j].shape]
    if pairs:
        i, j = pairs[-1]
        values[i], values[j] = values[j], values[i]
    return [(operand, value) for (operand, _), value in zip(received, values, strict=True)]


def with_a_term_too_many(expr):
    """As if the operand were read once more: also where it receives nothing, or nothing that changes."""
    return nodes.add(expr, nodes.ones(expr.shape))


KINDS = {
    "sign": each(negated),
    "dropped factor": each(without_a_factor),
    "dropped term": second_gets_nothing,
    "transpose": each(transposed),
    "wrong operand": operands_confused,
    "term too many": each(with_a_term_too_many),
}

# --- where a kind says nothing about a rule, and why ------------------------------------------------------------------

ONE_OPERAND = "there is one operand"
ONE_TERM = "there is one operand, and it receives one term"
NO_FACTOR = "what an operand receives has no factors"
ALIKE = "all operands receive the same"
SHAPE = "what an operand receives is not square, or a transposed one is the same again"
SYMMETRIC = "the local Jacobian is symmetric"
NOTHING = "the operand receives zero"

DOES_NOT_APPLY = {
    ("Power", "adjoint", "dropped term"): ONE_TERM,
    ("Transposed", "adjoint", "dropped term"): ONE_TERM,
    ("Fill", "adjoint", "dropped term"): ONE_TERM,
    ("Total", "adjoint", "dropped term"): ONE_TERM,
    ("Slice", "adjoint", "dropped term"): ONE_TERM,
    ("Power", "adjoint", "wrong operand"): ONE_OPERAND,
    ("Transposed", "adjoint", "wrong operand"): ONE_OPERAND,
    ("Fill", "adjoint", "wrong operand"): ONE_OPERAND,
    ("Total", "adjoint", "wrong operand"): ONE_OPERAND,
    ("Slice", "adjoint", "wrong operand"): ONE_OPERAND,
    ("Softmax", "adjoint", "wrong operand"): ONE_OPERAND,
    ("Sum", "adjoint", "wrong operand"): ALIKE,
    ("Power", "jacobian", "dropped term"): ONE_TERM,
    ("Transposed", "jacobian", "dropped term"): ONE_TERM,
    ("Fill", "jacobian", "dropped term"): ONE_TERM,
    ("Total", "jacobian", "dropped term"): ONE_TERM,
    ("Slice", "jacobian", "dropped term"): ONE_TERM,
    ("Power", "jacobian", "wrong operand"): ONE_OPERAND,
    ("Transposed", "jacobian", "wrong operand"): ONE_OPERAND,
    ("Fill", "jacobian", "wrong operand"): ONE_OPERAND,
    ("Total", "jacobian", "wrong operand"): ONE_OPERAND,
    ("Slice", "jacobian", "wrong operand"): ONE_OPERAND,
    ("Softmax", "jacobian", "wrong operand"): ONE_OPERAND,
    ("Sum", "jacobian", "wrong operand"): ALIKE,
    ("Sum", "jacobian", "dropped factor"): NO_FACTOR,
    ("Transposed", "jacobian", "dropped factor"): NO_FACTOR,
    ("Fill", "jacobian", "dropped factor"): NO_FACTOR,
    ("Total", "jacobian", "dropped factor"): NO_FACTOR,
    ("Stack", "jacobian", "dropped factor"): NO_FACTOR,
    ("Slice", "jacobian", "dropped factor"): NO_FACTOR,
    ("Stack", "adjoint", "dropped factor"): NO_FACTOR,
    ("Slice", "adjoint", "dropped factor"): NO_FACTOR,
    ("Fill", "adjoint", "transpose"): SHAPE,
    ("Total", "adjoint", "transpose"): SHAPE,
    ("Softmax", "adjoint", "transpose"): SHAPE,
    ("Stack", "adjoint", "transpose"): SHAPE,
    ("Slice", "adjoint", "transpose"): SHAPE,
    ("Fill", "jacobian", "transpose"): SHAPE,
    ("Total", "jacobian", "transpose"): SHAPE,
    ("Stack", "jacobian", "transpose"): SHAPE,
    ("Slice", "jacobian", "transpose"): SHAPE,
    ("Sum", "jacobian", "transpose"): SYMMETRIC,
    ("Hadamard", "jacobian", "transpose"): SYMMETRIC,
    ("Power", "jacobian", "transpose"): SYMMETRIC,
    ("Act", "jacobian", "transpose"): SYMMETRIC,
    ("Softmax", "jacobian", "transpose"): SYMMETRIC,
    ("Argmax", "adjoint", "sign"): NOTHING,
    ("Argmax", "adjoint", "dropped factor"): NOTHING,
    ("Argmax", "adjoint", "dropped term"): NOTHING,
    ("Argmax", "adjoint", "transpose"): NOTHING,
    ("Argmax", "adjoint", "wrong operand"): NOTHING,
    ("Argmax", "jacobian", "sign"): NOTHING,
    ("Argmax", "jacobian", "dropped factor"): NOTHING,
    ("Argmax", "jacobian", "dropped term"): NOTHING,
    ("Argmax", "jacobian", "transpose"): NOTHING,
    ("Argmax", "jacobian", "wrong operand"): NOTHING,
}


# --- the tests --------------------------------------------------------------------------------------------------------


def planted(operator, column, kind):
    """The rule table with one wrong rule."""
    right = getattr(RULES[operator], column)
    wrong = dataclasses.replace(RULES[operator], **{column: lambda *args: KINDS[kind](right(*args))})
    return dict(RULES) | {operator: wrong}


def claims(cell, rules, column):
    """What a table says about a cell: the backward equations, or the Jacobian blocks."""
    derivation = derive(cell, rules)
    if column == "adjoint":
        return {step.number: step.value for step in derivation.steps}
    wrt = [v.name for v in (*cell.previous, *(cell[name] for name in cell.inputs))]
    return {(of, name): jacobian(derivation, of, name) for of in cell.states for name in wrt}


def numbers(cell, expressions):
    """Their values, with a random number for every variable."""
    rng = Random(0)
    layout = CellAtSizes(cell, {name: size for size, name in enumerate(cell.sizes, 2)})
    variables = sorted({v for expr in expressions.values() for v in nodes.variables(expr)}, key=lambda v: v.name)
    values = {v.name: draw(rng, layout.shape(v)) for v in variables}
    evaluate = RESIDUES.evaluator(values, layout.sizes)
    return {key: (Number(1) * evaluate(e)).tolist() for key, e in expressions.items()}


def is_changed(cell, rules, column):
    """Whether a wrong rule says something wrong about a cell; other words for the same numbers are not wrong."""
    right, wrong = claims(cell, RULES, column), claims(cell, rules, column)
    return right != wrong and numbers(cell, right) != numbers(cell, wrong)


@pytest.fixture(scope="module")
def small_first(all_cells):
    return dict(sorted(all_cells.items(), key=lambda item: len(item[1].body) + len(item[1].parameters)))


EVERY = [(operator, column, kind) for operator in RULES for column in ("adjoint", "jacobian") for kind in KINDS]


@pytest.mark.sampled(16)
@pytest.mark.parametrize(("operator", "column", "kind"), EVERY)
def test_a_wrong_rule_is_caught_and_named(operator, column, kind, small_first, generated):
    rules = planted(operator, column, kind)
    changed = (name for name, cell in small_first.items() if is_changed(cell, rules, column))
    reason = DOES_NOT_APPLY.get((operator, column, kind))
    if reason:
        assert next(changed, None) is None, f"this does apply, though it is said that {reason}"
        return
    name = next(changed, None)
    assert name, f"no cell shows a wrong {operator} rule ({column}, {kind}): add one to zoo.py that uses it"
    cell = small_first[name]
    report = verify(cell, rules=rules, module=generated(name))
    found = {check.name: check for check in report.failures if check.method == EXACT}
    assert found, f"{name}: not found by the exact checks\n{report}"
    assert any(check.method == "complex step" for check in report.failures)
    assert not any(check.method == "generated code" for check in report.failures)
    ASSERT_NAMED[column](derive(cell, rules), RULES[operator], rules, found)


def assert_equations_named(derivation, row, rules, found):
    """Only equations that differ are accused, and one of them uses the rule."""
    detail = found["adjoint of one step"].detail
    assert detail in found["backpropagation through time, T=3"].detail or "equation" in detail
    named = {int(number) for number in re.findall(r"^equation \((\d+)\)", detail, re.MULTILINE)}
    right = claims(derivation.cell, RULES, "adjoint")
    steps = {step.number: step for step in derivation.steps}
    rightly = {step.number: step.rules for step in derive(derivation.cell).steps}  # a dropped term uses no rule
    assert named
    for number in named:
        assert steps[number].value != right[number]
        line = f"equation ({number}) {text(steps[number].left)} = {text(steps[number].value)} is wrong"
        assert line in detail.splitlines()
    assert any(row.name in rightly[number] for number in named)


def assert_jacobians_named(derivation, row, rules, found):
    """The block is named with its formula, and an equation whose local Jacobian uses the rule."""
    assert "adjoint of one step" not in found
    assert all(name.startswith("∂") or name == PARAMETERS for name in found)
    first, check = next(iter(found.items()))
    detail = check.detail
    assert re.match(r"∂\S+/∂[^=]+ = " if first == PARAMETERS else re.escape(f"{first} = "), detail)
    using = {
        f"of equation ({derivation.number(e.target)}) {text(e.target)} = {text(e.value)}"
        for e in derivation.forward
        if any(row.name in share.rules for share in local_jacobian(e.value, e.target, RULES))
    }
    assert using & set(detail.splitlines())


ASSERT_NAMED = {"adjoint": assert_equations_named, "jacobian": assert_jacobians_named}


@pytest.mark.parametrize("column", ["adjoint", "jacobian"])
@pytest.mark.parametrize("operator", RULES)
def test_every_rule_can_be_planted_wrong(operator, column):
    """A rule that no kind applies to would be a rule that nothing checks."""
    assert any((operator, column, kind) not in DOES_NOT_APPLY for kind in KINDS)


def test_what_does_not_apply_is_about_rules_that_exist():
    assert set(DOES_NOT_APPLY) <= set(EVERY)

"""Rewritings: each row proved on random numbers of every shape, planted wrong rows caught, and what comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random

import pytest
import sympy
from hypothesis import HealthCheck, given, settings
from sympy import Integer, Rational, Symbol

from symrnn import cells, derive
from symrnn.algebra import nodes
from symrnn.algebra.evaluate import at_sizes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.algebra.simplify import IN_FORMULAS, REWRITINGS, Rewriting, simplify, trace, weight
from symrnn.algebra.sums import common_factor
from symrnn.calculus.derivation import Derivation
from symrnn.language.recurrence import Cell
from symrnn.runs.arbitrary import for_every_number
from symrnn.runs.field import draw, same
from symrnn.runs.field_point import draw_point
from symrnn.runs.literals import exact_text
from symrnn.runs.numbers import RESIDUES
from symrnn.runs.sizes import layouts
from tests.strategies import random_cells

N, M = Symbol("n", integer=True, positive=True), Symbol("m", integer=True, positive=True)
ONE = Integer(1)
SIZES = ((1, 1), (2, 3), (3, 2), (4, 4))
SHAPES = {"scalar": (ONE, ONE), "column": (N, ONE), "row": (ONE, N), "matrix": (N, M)}


def v(name: str, rows: Expr = ONE, cols: Expr = ONE) -> Variable:
    return Variable(name, rows, cols, name, 0)


s, t = v("s"), v("t")
a, b, c, d = (v(name, N) for name in "abcd")
x, y = v("x", M), v("y", M)
W, V = v("W", N, M), v("V", N, M)
A, B = v("A", N, M), v("B", N, M)
Q = v("Q", N, N)


def entrywise(build: Callable[..., Expr]) -> list[Expr]:
    """An instance in every shape."""
    return [build(*(v(f"{name}_{kind}", *shape) for name in "pqr")) for kind, shape in SHAPES.items()]


def raw(kind: type, *args: Expr) -> Expr:
    """A node that no constructor has seen, as substitution leaves them."""
    return sympy.Basic.__new__(kind, *args)


def repeated(x: Expr, *shape: Expr) -> Expr:
    return nodes.fill(x, shape)


INSTANCES: Mapping[str, list[Expr]] = {
    "neutral elements": [
        raw(nodes.Sum, a, nodes.zeros(a.shape)),
        raw(nodes.Hadamard, A, nodes.ones(A.shape)),
        raw(nodes.Hadamard, a, nodes.zeros(a.shape)),
        raw(nodes.Product, nodes.Eye(N), W),
        raw(nodes.Product, W, nodes.zeros(x.shape)),
        raw(nodes.Transposed, raw(nodes.Transposed, W)),
        raw(nodes.Power, a, Integer(1)),
    ],
    "like terms": [
        *entrywise(lambda p, q, r: nodes.add(p, q, p)),
        *entrywise(lambda p, q, r: nodes.add(nodes.scale(sympy.S.Half, p), nodes.negate(p))),
        *entrywise(lambda p, q, r: nodes.subtract(nodes.hadamard(p, q), nodes.hadamard(q, p))),
        nodes.add(nodes.matmul(W, x), a, nodes.scale(3, nodes.matmul(W, x))),
        nodes.add(nodes.scale(1 / N, a), nodes.scale(-2 / N, a)),
    ],
    "common factor": [
        *entrywise(lambda p, q, r: nodes.add(nodes.hadamard(p, q), nodes.negate(nodes.hadamard(p, r)))),
        *entrywise(lambda p, q, r: nodes.add(nodes.hadamard(q, p), r, nodes.hadamard(r, p))),
        nodes.add(nodes.hadamard(nodes.matmul(W, x), a), nodes.hadamard(nodes.matmul(W, x), b)),
        nodes.add(nodes.hadamard(a, b, c), nodes.hadamard(a, c), nodes.hadamard(d, b)),
    ],
    "common matrix": [
        nodes.add(nodes.matmul(W, x), nodes.matmul(W, y)),
        nodes.add(nodes.matmul(nodes.transpose(W), Q, a), x, nodes.scale(-2, nodes.matmul(nodes.transpose(W), b))),
    ],
    "common row": [
        nodes.add(nodes.matmul(a, nodes.transpose(x)), nodes.scale(2, nodes.matmul(b, nodes.transpose(x)))),
        nodes.add(nodes.matmul(a, nodes.transpose(x)), W, nodes.matmul(Q, b, nodes.transpose(x))),
    ],
    "sum of diagonals": [nodes.add(nodes.diag(a), Q, nodes.scale(-2, nodes.diag(b)))],
    "sum of repetitions": [
        nodes.add(repeated(s, N, ONE), a, repeated(t, N, ONE)),
        nodes.subtract(nodes.ones((N, M)), repeated(s, N, M)),
    ],
    "parts of a concatenation": [
        nodes.add(nodes.stack(a, nodes.zeros((M, ONE))), nodes.stack(nodes.zeros((N, ONE)), x)),
        nodes.add(
            nodes.stack(a, nodes.zeros((M + N, ONE))),
            nodes.stack(nodes.zeros((N, ONE)), x, b),
        ),
    ],
    "positive term first": [
        *entrywise(lambda p, q, r: nodes.add(nodes.negate(p), nodes.negate(q), r)),
        *entrywise(lambda p, q, r: nodes.add(nodes.negate(p), q, q, r)),
    ],
    "sign into a difference": [
        *entrywise(lambda p, q, r: nodes.negate(nodes.hadamard(p, nodes.subtract(q, r)))),
        *entrywise(lambda p, q, r: nodes.hadamard(p, nodes.add(nodes.negate(q), nodes.negate(r)))),
        nodes.negate(nodes.matmul(W, nodes.subtract(x, y))),
        nodes.hadamard(a, nodes.subtract(nodes.subtract(b, c), nodes.add(c, d))),
    ],
    "equal factors": [
        *entrywise(lambda p, q, r: nodes.hadamard(p, q, p)),
        *entrywise(lambda p, q, r: nodes.hadamard(nodes.power(p, -1), q, nodes.power(p, -2))),
        *entrywise(lambda p, q, r: nodes.hadamard(p, q, nodes.power(p, -3))),
        *entrywise(lambda p, q, r: nodes.hadamard(nodes.act("exp", p), q, nodes.power(nodes.act("exp", p), -1))),
        *entrywise(lambda p, q, r: nodes.hadamard(nodes.power(nodes.act("exp", p), 2), nodes.act("exp", p))),
        nodes.hadamard(repeated(s, N, ONE), a, repeated(nodes.power(s, -2), N, ONE)),
        nodes.hadamard(repeated(nodes.power(s, -1), N, M), A, repeated(nodes.power(s, -2), N, M)),
        nodes.hadamard(nodes.power(a, 2), b, nodes.power(a, -1), a),
    ],
    "scalar out of a product": [
        nodes.matmul(nodes.hadamard(repeated(s, N, M), W), x),
        nodes.scale(-3, nodes.matmul(Q, nodes.hadamard(repeated(s, N, M), W, repeated(t, N, M)))),
    ],
    "product with a diagonal": [
        nodes.matmul(W, nodes.diag(x), y),
        nodes.scale(2, nodes.matmul(nodes.diag(a), nodes.diag(b), W)),
        nodes.matmul(Q, a, nodes.transpose(b), nodes.diag(c), W),
        nodes.matmul(b, nodes.ones((ONE, N)), nodes.diag(c)),
        nodes.matmul(nodes.transpose(a), nodes.diag(b), nodes.ones((N, ONE))),
        nodes.scale(2, nodes.matmul(Q, nodes.diag(a), W, x, nodes.transpose(b))),
        nodes.matmul(Q, a, nodes.transpose(c), nodes.diag(b), W),
    ],
    "mixed product": [
        nodes.matmul(nodes.kronecker(nodes.transpose(x), Q), nodes.kronecker(y, b)),
        nodes.matmul(nodes.kronecker(W, Q), nodes.kronecker(v("X", M, M), a)),
        nodes.matmul(Q, nodes.kronecker(nodes.transpose(x), nodes.Eye(N)), nodes.kronecker(nodes.Eye(M), a), y),
        nodes.scale(-2, nodes.matmul(nodes.diag(a), nodes.kronecker(nodes.transpose(x), nodes.Eye(N)))),
        nodes.matmul(nodes.kronecker(nodes.Eye(N), x), W),
        nodes.matmul(nodes.kronecker(x, nodes.Eye(N)), W),
    ],
    "Kronecker product times vec": [
        nodes.matmul(nodes.kronecker(nodes.transpose(V), Q), nodes.vec(v("X", N, N))),
        nodes.matmul(Q, nodes.kronecker(nodes.transpose(x), nodes.Eye(N)), nodes.vec(A)),
        nodes.scale(
            3, nodes.matmul(nodes.kronecker(nodes.transpose(x), nodes.transpose(a)), nodes.vec(A), nodes.transpose(x))
        ),
    ],
    "Kronecker product of vectors": [
        nodes.kronecker(nodes.transpose(x), a),
        nodes.kronecker(a, nodes.transpose(x)),
        nodes.kronecker(s, W),
        nodes.kronecker(a, t),
    ],
    "vec of an outer product": [
        nodes.vec(nodes.matmul(a, nodes.transpose(x))),
        nodes.vec(nodes.matmul(nodes.matmul(Q, a), nodes.transpose(x))),
    ],
    "scalar within a product": [
        nodes.matmul(a, nodes.transpose(x), y),
        nodes.scale(-3, nodes.matmul(a, nodes.transpose(b), Q, c, nodes.transpose(x))),
        nodes.matmul(nodes.transpose(a), Q, b, nodes.transpose(x)),
        nodes.matmul(nodes.transpose(a), W, x, nodes.transpose(b), d),
    ],
    "product times ones": [
        nodes.matmul(nodes.transpose(nodes.hadamard(a, b)), nodes.ones((N, ONE))),
        nodes.matmul(nodes.ones((ONE, N)), nodes.hadamard(a, c, b)),
        nodes.scale(2, nodes.matmul(x, nodes.transpose(nodes.hadamard(a, b)), nodes.ones((N, ONE)))),
    ],
    "rows of the identity": [
        nodes.matmul(nodes.rows(nodes.Eye(N + M), N, N + M), v("z", N + M)),
        nodes.matmul(nodes.rows(nodes.Eye(N + M), sympy.S.Zero, N), nodes.stack(W, v("X", M, M)), x),
    ],
    "diagonal of a multiple": [
        nodes.diag(repeated(s, N, ONE)),
        nodes.diag(nodes.hadamard(repeated(s, N, ONE), a, b)),
    ],
    "vec of a multiple": [nodes.vec(nodes.hadamard(repeated(s, N, M), A)), nodes.vec(repeated(s, N, M))],
    "sum of a multiple": [
        nodes.total(nodes.hadamard(repeated(s, N, M), A)),
        nodes.total(nodes.hadamard(a, repeated(s, N, ONE), b)),
        nodes.total(repeated(s, N, M)),
    ],
    "ones meet ones": [
        raw(nodes.Product, nodes.ones((ONE, N)), nodes.ones((N, ONE))),
        raw(nodes.Product, a, nodes.ones((ONE, M)), repeated(s, M, ONE)),
        raw(nodes.Product, Rational(3, 2), W, nodes.ones((M, ONE)), nodes.ones((ONE, N)), repeated(s, N, ONE)),
    ],
    "constants": [
        nodes.act("tanh", nodes.zeros(a.shape)),
        nodes.act("softsign", nodes.zeros(A.shape)),
        nodes.act("maximum", nodes.zeros(a.shape), nodes.zeros(a.shape)),
        raw(nodes.Power, nodes.zeros(a.shape), Integer(2)),
        raw(nodes.Power, nodes.number(2, a.shape), Integer(-2)),
    ],
    "sum of ones": [nodes.total(nodes.ones((N, M))), nodes.total(nodes.ones((N, ONE)))],
    "inner product": [nodes.total(nodes.hadamard(a, b)), nodes.total(nodes.hadamard(a, nodes.matmul(W, x), c))],
    "bilinear form": [
        nodes.total(nodes.hadamard(A, nodes.matmul(a, nodes.transpose(x)))),
        nodes.total(nodes.hadamard(nodes.matmul(a, nodes.transpose(x)), A, B)),
    ],
    "Kronecker product of a multiple": [
        nodes.kronecker(nodes.hadamard(repeated(s, N, M), A), W),
        nodes.kronecker(A, nodes.hadamard(repeated(s, N, M), W)),
    ],
    "part of a concatenation": [
        nodes.rows(nodes.stack(a, x), 0, N),
        nodes.rows(nodes.stack(a, x, b), N, N + M),
        nodes.rows(nodes.rows(nodes.stack(a, x, b), N, 2 * N + M), M, N + M),
    ],
    "scalars in front": [
        nodes.matmul(a, nodes.hadamard(repeated(s, ONE, N), nodes.transpose(b))),
        nodes.scale(2, nodes.matmul(Q, nodes.hadamard(repeated(s, N, ONE), a), nodes.transpose(x))),
    ],
}


def value(expr: Expr, sizes: Mapping[str, int], seed: int) -> object:
    values = {}
    for variable in sorted(nodes.variables(expr), key=lambda one: one.name):
        shape = tuple(int(at_sizes(dim, sizes)) for dim in variable.shape)
        values[variable.name] = draw(Random(f"{variable.name} {seed}"), shape)
    return RESIDUES.evaluator(values, sizes)(expr)


def wrong_at(row: Rewriting, instances: list[Expr]) -> list[tuple[Expr, tuple[int, int]]]:
    """Where a row changes a value."""
    found = []
    for expr in instances:
        rewritten = row.rewrite(expr)
        assert rewritten is not None, f"{row.name} says nothing about {expr}"
        assert rewritten.shape == expr.shape
        for n, m in SIZES:
            sizes = {"n": n, "m": m}
            if not same(value(expr, sizes, n), value(rewritten, sizes, n)):
                found.append((expr, (n, m)))
    return found


def test_every_row_has_instances() -> None:
    assert list(INSTANCES) == list(IN_FORMULAS)
    assert list(REWRITINGS) == list(IN_FORMULAS)[: len(REWRITINGS)]


@pytest.mark.parametrize("name", IN_FORMULAS)
def test_every_row_keeps_the_value(name: str) -> None:
    assert not wrong_at(IN_FORMULAS[name], INSTANCES[name])


PLANTED: Mapping[str, Callable[[Expr], Expr]] = {
    "a sign": nodes.negate,
    "a factor of two": lambda expr: nodes.scale(2, expr),
    "one too much": lambda expr: nodes.add(expr, nodes.ones(expr.shape)),
    "the order of a product": lambda expr: expr.xreplace({Q: nodes.transpose(Q)}),
}


@pytest.mark.parametrize("name", IN_FORMULAS)
@pytest.mark.parametrize("plant", list(PLANTED)[:3])
def test_every_planted_row_is_caught(name: str, plant: str) -> None:
    row = IN_FORMULAS[name]
    wrong = replace(row, rewrite=lambda node: PLANTED[plant](row.rewrite(node)))
    # 0 ⊙ A = 0 is right with either sign, as is its double
    nonzero = [expr for expr in INSTANCES[name] if not nodes.is_zero(row.rewrite(expr))]
    for expr in nonzero:
        assert len(wrong_at(wrong, [expr])) == len(SIZES)


@pytest.mark.parametrize("name", ["common matrix", "common row", "scalar out of a product"])
def test_a_transposed_matrix_is_caught(name: str) -> None:
    row = IN_FORMULAS[name]
    wrong = replace(row, rewrite=lambda node: PLANTED["the order of a product"](row.rewrite(node)))
    (instance,) = [expr for expr in INSTANCES[name] if Q in nodes.variables(expr)]
    assert [sizes for _, sizes in wrong_at(wrong, [instance])] == [(2, 3), (3, 2), (4, 4)]


@pytest.mark.parametrize("name", IN_FORMULAS)
def test_every_row_makes_its_instances_shorter(name: str) -> None:
    for expr in INSTANCES[name]:
        shorter = simplify(expr, IN_FORMULAS)
        assert weight(shorter) < weight(expr)
        assert simplify(shorter, IN_FORMULAS) is shorter
        sizes = {"n": 2, "m": 3}
        assert same(value(expr, sizes, 1), value(shorter, sizes, 1))


h, r, z, n, g = (v(name, N) for name in ("h", "r", "z", "n", "g"))
WRITTEN = [
    (nodes.subtract(nodes.hadamard(g, h), nodes.hadamard(g, n)), "g_t ⊙ (h_t - n_t)"),
    (nodes.add(a, a), "2 a_t"),
    (nodes.add(nodes.scale(-sympy.S.Half, a), nodes.scale(-sympy.S.Half, a)), "-a_t"),
    (nodes.add(W, W), "2 W_t"),
    (nodes.diag(repeated(s, N, ONE)), "s_t I"),
    (nodes.add(nodes.negate(r), h), "h_t - r_t"),
    (nodes.subtract(a, a), "0"),
    (nodes.total(nodes.hadamard(A, nodes.matmul(a, nodes.transpose(x)))), "a_tᵀ A_t x_t"),
    (nodes.hadamard(g, nodes.subtract(nodes.subtract(nodes.ones((N, ONE)), z), z)), "g_t ⊙ (1 - 2 z_t)"),
    (nodes.negate(nodes.hadamard(g, nodes.subtract(nodes.ones((N, ONE)), z))), "-g_t ⊙ (1 - z_t)"),
    (nodes.add(nodes.matmul(W, x), nodes.matmul(V, x)), "W_t x_t + V_t x_t"),
    (nodes.hadamard(a, nodes.power(a, -1)), "a_t ⊘ a_t"),
    (nodes.hadamard(z, nodes.subtract(nodes.ones((N, ONE)), z)), "z_t ⊙ (1 - z_t)"),
    (nodes.add(nodes.negate(a), nodes.negate(b)), "-a_t - b_t"),
    (nodes.matmul(nodes.hadamard(repeated(s, N, M), A), x), "s_t A_t x_t"),
    (
        nodes.matmul(
            nodes.diag(a),
            nodes.kronecker(nodes.transpose(x), nodes.Eye(N)),
            nodes.kronecker(nodes.Eye(M), b),
            v("X", M, M),
        ),
        "(a_t ⊙ b_t) x_tᵀ X_t",
    ),
    (
        nodes.matmul(
            nodes.diag(a),
            nodes.kronecker(nodes.transpose(x), nodes.Eye(N)),
            nodes.vec(nodes.matmul(b, nodes.transpose(y))),
        ),
        "(x_tᵀ y_t) (a_t ⊙ b_t)",
    ),
    (
        nodes.matmul(nodes.diag(a), nodes.kronecker(nodes.transpose(x), nodes.Eye(N)), nodes.vec(A)),
        "a_t ⊙ (A_t x_t)",
    ),
    (nodes.matmul(nodes.transpose(a), nodes.diag(b), nodes.ones((N, ONE))), "a_tᵀ b_t"),
    (
        nodes.subtract(a, nodes.hadamard(a, nodes.subtract(nodes.ones((N, ONE)), nodes.hadamard(b, c)))),
        "a_t ⊙ b_t ⊙ c_t",
    ),
    (nodes.subtract(s, nodes.hadamard(s, t)), "s_t (1 - t_t)"),
    (
        nodes.hadamard(
            repeated(nodes.power(nodes.act("sqrt", s), -2), N, ONE),
            a,
            repeated(nodes.power(nodes.act("sqrt", s), -1), N, ONE),
        ),
        "a_t/(s_t √(s_t))",
    ),
]


@pytest.mark.parametrize(("expr", "written"), WRITTEN, ids=[written for _, written in WRITTEN])
def test_what_a_person_would_write(expr: Expr, written: str) -> None:
    assert str(simplify(expr)) == written


def test_the_rewritings_applied_are_named() -> None:
    log = trace(nodes.add(nodes.negate(r), h, a, a))
    assert [one.name for one in log] == ["like terms", "positive term first"]
    assert str(log[-1].after) == "h_t - r_t + 2 a_t"


@pytest.mark.parametrize(
    "expr",
    [
        nodes.add(a, b),
        nodes.add(nodes.hadamard(a, b), c),
        nodes.subtract(nodes.ones(a.shape), a),
        raw(nodes.Sum, nodes.ones(a.shape), nodes.ones(a.shape)),  # a number, which like terms add up
    ],
    ids=str,
)
def test_what_no_two_terms_share_is_no_common_factor(expr: Expr) -> None:
    assert common_factor(expr) is None


def test_a_wrong_row_cannot_run_forever() -> None:
    growing = replace(REWRITINGS["like terms"], rewrite=lambda node: nodes.add(node, node))
    swapping = replace(REWRITINGS["like terms"], rewrite=lambda node: nodes.add(*reversed(node.args)))
    expr = nodes.add(a, b, c)
    assert simplify(expr, {"growing": growing}) is expr
    assert simplify(expr, {"swapping": swapping}) is expr


def test_division_by_zero_stays() -> None:
    expr = raw(nodes.Power, nodes.add(a, nodes.negate(a)), Integer(-1))
    assert str(simplify(expr)) == "1 ⊘ 0"


# --- derivations ------------------------------------------------------------------------------------------------------


def assert_same_value(derivation: Derivation) -> None:
    """Every step, and every share of it, is worth what it was before it was simplified."""
    layout = layouts(derivation.cell, [(2, 3)])[0]
    trial = draw_point(derivation, exact_text(derivation.cell.syntax), layout, Random(0))
    if trial is None:  # somewhere it always divides by zero
        return
    for step in derivation.steps:
        terms = [share.value for _, share in step.shares]
        if step.of.name in derivation.cotangents:
            terms.insert(0, derivation.cotangents[step.of.name])
        if terms:
            assert same(trial.evaluate(nodes.add(*terms)), trial.evaluate(step.value)), step.target
        for term in terms:
            assert weight(simplify(term)) <= weight(term)
            assert same(trial.evaluate(term), trial.evaluate(simplify(term))), term


@given(random_cells())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_random_derivations_keep_their_value(cell: Cell) -> None:
    assert_same_value(derive(cell))


@pytest.mark.parametrize("name", cells.names())
def test_library_derivations_keep_their_value(name: str) -> None:
    derivation = for_every_number(name)
    assert_same_value(derivation)
    for step in derivation.steps:
        assert simplify(step.value) == step.value

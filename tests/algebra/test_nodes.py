"""Laws of the expression nodes, over every node class there is."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import HealthCheck, given, settings
from numpy.testing import assert_allclose
from sympy import S
from sympy.matrices.expressions import MatrixExpr

from symrnn import cells
from symrnn.algebra import evaluate as evaluation
from symrnn.algebra import nodes
from symrnn.algebra.evaluate import Evaluator
from symrnn.algebra.nodes import Variable
from symrnn.algebra.rebuilding import rebuild
from symrnn.errors import MissingRuleError
from symrnn.language.evaluate import NUMPY
from symrnn.language.recurrence import Cell
from tests.strategies import as_columns, draw_arrays, random_cells, unequal_sizes

n, m = sympy.symbols("d_h d_x", integer=True, positive=True)
SIZES = {"d_h": 2, "d_x": 3}

h, c = Variable("h", n, 1, time=0), Variable("c_prev", n, 1, "c", -1)
x = Variable("x", m, 1, time=0)
W, U, V = Variable("W", n, m), Variable("U", n, n), Variable("V", n, m)
s = Variable("s", 1, 1)

#: An example or more of every node class; the first test fails when a class has none.
EXAMPLES: dict[str, list[Any]] = {
    "Variable": [h, c, W, s, h.marked("adjoint", "h_bar")],
    "Sum": [nodes.add(nodes.matmul(W, x), h, c), nodes.add(c, h), nodes.add(nodes.ones((n, S.One)), nodes.negate(h))],
    "Product": [nodes.matmul(W, x), nodes.matmul(U, U, h), nodes.scale(sympy.Rational(1, 3), h), nodes.scale(1 / n, h)],
    "Hadamard": [nodes.hadamard(h, c), nodes.hadamard(W, V), nodes.hadamard(h, nodes.act("tanh", c), h)],
    "Power": [nodes.power(h, 2), nodes.power(nodes.add(h, nodes.power(c, 2)), -3), nodes.power(s, 7)],
    "Transposed": [nodes.transpose(h), nodes.transpose(W), nodes.transpose(nodes.add(W, V))],
    "Ones": [nodes.ones((n, S.One)), nodes.ones((n, m))],
    "Zeros": [nodes.zeros((n, m))],
    "Eye": [nodes.Eye(n)],
    "Diag": [nodes.diag(h), nodes.diag(nodes.hadamard(h, c))],
    "Kronecker": [nodes.kronecker(nodes.transpose(W), U), nodes.kronecker(nodes.Eye(n), W)],
    "Act": [
        nodes.act("tanh", h),
        nodes.act("maximum", h, c),
        nodes.act("sigmoid", nodes.matmul(W, x)),
        nodes.act("relu", W),
    ],
    "Fill": [nodes.fill(s, (n, S.One)), nodes.fill(nodes.total(h), (n, m))],
    "Total": [nodes.total(h), nodes.total(W)],
    "Softmax": [nodes.softmax(h), nodes.softmax(W)],
    "Argmax": [nodes.argmax(h), nodes.argmax(W)],
    "Stack": [nodes.stack(h, x), nodes.stack(x, h, c), nodes.stack(U, nodes.Eye(n))],
    "Slice": [nodes.rows(nodes.stack(h, x), n, n + m), nodes.rows(nodes.stack(W, V), S.Zero, n)],
    "Vec": [nodes.vec(W), nodes.vec(nodes.transpose(W))],
    "Commutation": [nodes.Commutation(n, m)],
}
ALL = [example for examples in EXAMPLES.values() for example in examples]
EVERY_NODE = pytest.mark.parametrize("expr", ALL, ids=lambda e: f"{type(e).__name__}-{ALL.index(e)}")


def test_every_node_class_has_examples() -> None:
    assert set(nodes.KINDS) == set(EXAMPLES)
    for name, examples in EXAMPLES.items():
        assert {type(example).__name__ for example in examples} == {name}


@pytest.mark.parametrize("column", ["ink", "rebuilt", "evaluated", "enclosed"])
def test_a_node_that_lacks_a_column_cannot_be_defined(column: str) -> None:
    columns = {"ink": 3, "rebuilt": nodes.softmax, "evaluated": lambda self, at: at(self.operand)}
    columns["enclosed"] = lambda self, within: within(self.operand)
    type("Whole", (nodes.Node, MatrixExpr), columns)
    with pytest.raises(TypeError, match=rf"the node Reversed does not say {column}\n  see the columns of `Node`"):
        type("Reversed", (nodes.Node, MatrixExpr), {name: said for name, said in columns.items() if name != column})


@EVERY_NODE
def test_a_node_is_rebuilt_from_its_arguments(expr: Any) -> None:
    assert rebuild(expr, expr.args) == expr


@EVERY_NODE
def test_a_batch_is_evaluated_example_by_example(expr: Any) -> None:
    if expr.has(nodes.Kronecker):
        return  # NumPy has no Kronecker product of a batch
    one, two = (arrays_for(expr, SIZES, seed) for seed in (1, 2))
    both = {name: np.stack([one[name], two[name]]) for name in one}
    found = Evaluator(both, SIZES, NUMPY)(expr)
    for number, arrays in enumerate((one, two) if both else ()):
        assert_allclose(found[number], Evaluator(arrays, SIZES, NUMPY)(expr), rtol=1e-14)


def value(expr: Any, sizes: dict[str, int] = SIZES, seed: int = 0) -> np.ndarray:
    return Evaluator(arrays_for(expr, sizes, seed), sizes, NUMPY)(expr)


def arrays_for(expr: Any, sizes: dict[str, int], seed: int = 0) -> dict[str, np.ndarray]:
    arrays = {}
    for variable in sorted(nodes.variables(expr), key=lambda v: v.name):
        shape = [int(evaluation.at_sizes(dim, sizes)) for dim in variable.shape]
        rng = np.random.default_rng([seed, *variable.name.encode()])
        arrays[variable.name] = rng.normal(size=shape)
    return arrays


@EVERY_NODE
def test_rebuilding_gives_the_same(expr: Any) -> None:
    assert expr.func(*expr.args) == expr
    assert type(expr.func(*expr.args)) is type(expr)
    assert expr.func(*expr.args).args == expr.args
    assert expr.func(*expr.args).shape == expr.shape


@EVERY_NODE
def test_equality_and_hash(expr: Any) -> None:
    again = expr.func(*expr.args)
    assert hash(again) == hash(expr)
    assert len({expr, again}) == 1
    assert sum(other == expr for other in ALL) == 1


@EVERY_NODE
def test_pickling(expr: Any) -> None:
    again = pickle.loads(pickle.dumps(expr))
    assert again == expr
    assert type(again) is type(expr)
    assert again.shape == expr.shape


@EVERY_NODE
def test_value_has_the_shape(expr: Any) -> None:
    assert value(expr).shape == tuple(int(evaluation.at_sizes(S(dim), SIZES)) for dim in expr.shape)


@EVERY_NODE
def test_free_symbols(expr: Any) -> None:
    assert nodes.variables(expr) == expr.atoms(sympy.MatrixSymbol)
    assert nodes.variables(expr) <= expr.free_symbols
    if not nodes.variables(expr):
        assert {n, m} & expr.free_symbols


@EVERY_NODE
def test_explicit_entries_are_what_is_evaluated(expr: Any) -> None:
    fixed = expr.subs({n: 2, m: 3})
    assert fixed.shape == value(expr).shape
    explicit = fixed.as_explicit()
    arrays = arrays_for(expr, SIZES)
    at = {
        variable[i, j]: sympy.Float(arrays[variable.name][i, j], 17)
        for variable in nodes.variables(fixed)
        for i in range(variable.shape[0])
        for j in range(variable.shape[1])
    }
    found = np.array(explicit.subs(at).evalf().tolist(), dtype=float)
    assert_allclose(found, value(expr), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "expr",
    [
        nodes.matmul(nodes.Commutation(n, m), nodes.vec(W)),
        nodes.matmul(Variable("A", n, n + m), nodes.stack(h, x)),
        nodes.matmul(nodes.transpose(h), U, nodes.scale(sympy.Rational(-2, 3), W), x),
        nodes.matmul(nodes.Diag(h), U, nodes.Diag(c)),
    ],
)
def test_explicit_entries_of_products(expr: Any) -> None:
    test_explicit_entries_are_what_is_evaluated(expr)


@EVERY_NODE
def test_variables_can_be_replaced(expr: Any) -> None:
    new = {v: Variable(f"{v.name}_new", v.shape[0], v.shape[1], v.base, v.time, v.mark) for v in nodes.variables(expr)}
    replaced = expr.xreplace(new)
    assert type(replaced) is type(expr)
    assert nodes.variables(replaced) == set(new.values())
    assert replaced.xreplace({b: a for a, b in new.items()}) == expr


@EVERY_NODE
def test_dimensions_can_be_replaced(expr: Any) -> None:
    p, q = sympy.symbols("p q", integer=True, positive=True)
    replaced = expr.xreplace({n: p, m: q})
    assert replaced.shape == tuple(S(dim).xreplace({n: p, m: q}) for dim in expr.shape)
    assert replaced.xreplace({p: n, q: m}) == expr
    assert expr.subs({n: p, m: q}) == replaced


@EVERY_NODE
def test_printing_is_the_printers_business(expr: Any) -> None:
    assert str(expr)
    assert sympy.latex(expr)
    assert sympy.pretty(expr)


@EVERY_NODE
def test_transpose_twice_is_the_same(expr: Any) -> None:
    assert nodes.transpose(nodes.transpose(expr)) == expr
    assert_allclose(value(nodes.transpose(expr)), value(expr).T)


@pytest.mark.parametrize("expr", [s, nodes.negate(s), nodes.matmul(nodes.transpose(h), h), nodes.Eye(n), nodes.diag(h)])
def test_what_is_its_own_transpose_stays_as_it_is(expr: Any) -> None:
    assert nodes.transpose(expr) == expr


@EVERY_NODE
def test_neutral_elements_go(expr: Any) -> None:
    assert nodes.add(expr, nodes.zeros(expr.shape)) == expr
    assert nodes.scale(1, expr) == expr
    assert nodes.hadamard(nodes.ones(expr.shape), expr) == expr
    assert nodes.matmul(nodes.Eye(expr.shape[0]), expr) == expr
    assert nodes.power(expr, 1) == expr
    assert nodes.negate(nodes.negate(expr)) == expr
    assert nodes.is_zero(nodes.scale(0, expr))
    assert nodes.is_zero(nodes.hadamard(expr, nodes.zeros(expr.shape)))
    assert nodes.is_zero(nodes.matmul(nodes.zeros((n, expr.shape[0])), expr))
    assert nodes.is_zero(nodes.vec(nodes.zeros(expr.shape)))


@EVERY_NODE
def test_constructors_keep_the_value(expr: Any) -> None:
    v = value(expr)
    checks: list[tuple[Any, Any]] = [
        (nodes.negate(expr), -v),
        (nodes.add(expr, expr), 2 * v),
        (nodes.subtract(nodes.scale(3, expr), expr), 2 * v),
        (nodes.scale(sympy.Rational(2, 3), expr), 2 * v / 3),
        (nodes.hadamard(expr, nodes.scale(2, expr)), 2 * v * v),
        (nodes.power(expr, 3), v**3),
        (nodes.power(nodes.scale(-2, expr), 2), 4 * v**2),
        (nodes.total(expr), v.sum(keepdims=True)),
        (nodes.vec(expr), v.reshape(-1, 1, order="F")),
        (nodes.matmul(nodes.transpose(expr), expr), v.T @ v),
        (nodes.act("tanh", expr), np.tanh(v)),
        (nodes.stack(expr, expr), np.concatenate([v, v])),
        (nodes.rows(nodes.stack(expr, expr), 0, expr.shape[0]), v),
        (nodes.kronecker(expr, nodes.Eye(n)), np.kron(v, np.eye(2))),
    ]
    if expr.shape[1] == 1:
        checks += [(nodes.diag(expr), np.diag(v[:, 0])), (nodes.softmax(expr), np.exp(v) / np.exp(v).sum())]
    for built, expected in checks:
        assert_allclose(value(built), expected, rtol=1e-12, atol=1e-12)


@EVERY_NODE
def test_sympy_s_own_calculus_is_not_silently_used(expr: Any) -> None:
    with pytest.raises(MissingRuleError, match=r"use symrnn\.jacobian"):
        expr.diff(h)
    with pytest.raises(MissingRuleError, match=r"use symrnn\.jacobian"):
        sympy.diff(expr, h)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: nodes.add(h, x), r"sum: shapes \(d_h\) and \(d_x\) differ"),
        (lambda: nodes.add(h, nodes.transpose(h)), "sum"),
        (lambda: nodes.add(), "at least one"),
        (lambda: nodes.hadamard(h, W), r"element-by-element product: shapes \(d_h\) and \(d_h, d_x\) differ"),
        (lambda: nodes.hadamard(), "at least one"),
        (lambda: nodes.matmul(W, h), r"product: shapes \(d_h, d_x\) and \(d_h\) do not chain"),
        (lambda: nodes.matmul(h, x), "do not chain"),
        (lambda: nodes.matmul(), "at least one"),
        (lambda: nodes.matmul(nodes.zeros((n, m)), h), "do not chain"),
        (lambda: nodes.act("tanh", h, c), r"tanh takes 1 argument\(s\), got 2"),
        (lambda: nodes.act("maximum", h, x), "maximum: shapes"),
        (lambda: nodes.fill(h, (n, m)), r"fill: expected a scalar, got shape \(d_h\)"),
        (lambda: nodes.diag(W), r"diag: expected a vector, got shape \(d_h, d_x\)"),
        (lambda: nodes.stack(h, W), "the same number of columns"),
        (lambda: nodes.stack(), "at least one"),
        (lambda: nodes.power(h, sympy.Rational(1, 2)), "whole"),
        (lambda: nodes.power(nodes.zeros((n, m)), -1), "division by zero"),
        (lambda: nodes.rows(h, -1, n), "rows"),
        (lambda: nodes.rows(h, 2, 1), "rows"),
    ],
)
def test_bad_shapes_are_refused(build: Callable[[], Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        build()


def test_unknown_function_is_refused() -> None:
    with pytest.raises(KeyError, match="no function 'erf'"):
        nodes.act("erf", h)


def test_unknown_node_is_not_guessed() -> None:
    with pytest.raises(MissingRuleError, match="no rule to evaluate Inverse"):
        Evaluator({}, SIZES, NUMPY)(sympy.Inverse(U))


def test_order_is_kept() -> None:
    b, a = Variable("b", n, 1), Variable("a", n, 1)
    assert nodes.add(b, a).args == (b, a)
    assert nodes.hadamard(b, a).args == (b, a)
    assert nodes.add(nodes.add(b, a), c).args == (b, a, c)
    assert nodes.add(b, nodes.add(a, c)).args == (b, a, c)
    assert nodes.hadamard(b, nodes.hadamard(a, c)).args == (b, a, c)
    assert nodes.add(b, a).xreplace({c: h}).args == (b, a)
    assert nodes.add(b, a).subs({n: 2}).args == tuple(v.subs({n: 2}) for v in (b, a))


def test_numbers_come_first_and_are_gathered() -> None:
    product = nodes.matmul(nodes.scale(2, W), nodes.scale(-3, x))
    assert nodes.coefficient(product) == (-6, nodes.matmul(W, x))
    entrywise = nodes.hadamard(nodes.scale(2, h), nodes.scale(sympy.Rational(1, 2), c))
    assert entrywise == nodes.hadamard(h, c)
    assert nodes.power(nodes.power(h, 2), -1) == nodes.power(h, -2)


def test_scalars_in_a_product_spread() -> None:
    product = nodes.matmul(h, nodes.matmul(nodes.transpose(c), h))
    assert product.shape == (n, 1)
    assert_allclose(value(product), value(h) @ value(nodes.matmul(nodes.transpose(c), h)))


def test_times_and_marks_of_variables() -> None:
    assert c.base == "c"
    assert c.time == -1
    assert W.time is None
    later = c.at(1, "c_next")
    assert (later.name, later.base, later.time, later.shape) == ("c_next", "c", 1, (n, 1))
    assert c.marked("adjoint", "c_prev_bar").mark == "adjoint"
    assert Variable("h", n, 1, time=0) != Variable("h", n, 1)


def test_names_are_never_parsed() -> None:
    evil = Variable("__import__('os')", n, 1)
    assert value(nodes.add(evil, evil)).shape == (2, 1)
    assert evil.func(*evil.args).name == "__import__('os')"


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(random_cells(equations=3))
def test_entries_of_random_expressions(cell: Cell) -> None:
    sizes = {name: 1 + number % 2 for name, number in unequal_sizes(cell).items()}
    arrays = as_columns(draw_arrays(cell, sizes))
    fix = {symbol: sizes[symbol.name] for e in cell.body for dim in e.target.shape for symbol in S(dim).free_symbols}
    fix |= {s: sizes[s.name] for v in cell.symbols.values() for dim in v.shape for s in S(dim).free_symbols}
    evaluate = Evaluator(arrays, sizes, NUMPY)
    for equation in cell.body:
        found = evaluate(equation.value)
        explicit = equation.value.subs(fix).as_explicit()
        at = {
            variable.subs(fix)[i, j]: sympy.Float(arrays[variable.name][i, j], 17)
            for variable in nodes.variables(equation.value)
            for i in range(arrays[variable.name].shape[0])
            for j in range(arrays[variable.name].shape[1])
        }
        assert_allclose(np.array(explicit.subs(at).evalf().tolist(), dtype=float), found, rtol=1e-9, atol=1e-9)
        arrays[equation.target.name] = found


def test_expressions_print_themselves_wherever_they_come_from() -> None:
    program = (
        "from symrnn.algebra.nodes import Variable, add\n"
        "print(add(Variable('b', 2, 1), Variable('a', 2, 1)).subs({}).as_explicit())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.startswith("Matrix([[")


def test_what_subs_puts_in_prints_as_sympy_prints_it() -> None:
    equation, f = cells.lstm.equations[4], cells.lstm["f"]
    for other in (sympy.OneMatrix(*f.shape), sympy.MatrixSymbol("F", *f.shape), sympy.ZeroMatrix(*f.shape)):
        changed = equation.xreplace({f: other})
        assert str(other) in str(changed)
        assert sympy.latex(changed)
        assert sympy.pretty(changed)
    assert str(equation.rhs.doit())


def doubled(levels: int) -> Any:
    """A sum with two products that share one factor, in which that is such a sum again: 2^levels paths."""
    expr = U
    for level in range(levels):
        left, right = Variable(f"L{level}", n, n, time=0), Variable(f"R{level}", n, n, time=0)
        expr = nodes.add(nodes.matmul(left, expr), nodes.matmul(right, expr))
    return expr


def test_what_is_shared_is_seen_once() -> None:
    """As trees these have 2^100 leaves; none of this would end."""
    first, again = doubled(100), doubled(100)
    assert first is not again
    assert first == again
    assert first != doubled(99)
    assert len(nodes.variables(first)) == 201
    assert first.free_symbols == nodes.variables(first)
    assert len([part for part in nodes.parts(first) if part.is_Matrix]) == 201 + 300
    assert first.shape == (n, n)
    last = {Variable("L0", n, n, time=0): nodes.matmul(V, nodes.transpose(V))}
    assert nodes.variables(first.xreplace(last)) == nodes.variables(first) - last.keys() | {V}
    assert first.xreplace({}) is first


def test_equality_sees_one_changed_leaf_deep_inside() -> None:
    """The parts that are alike must not hide the one that is not."""
    for level in (0, 7, 19):
        other = doubled(20).xreplace({Variable(f"R{level}", n, n, time=0): U})
        assert doubled(20) != other
        assert hash(doubled(20)) != hash(other)

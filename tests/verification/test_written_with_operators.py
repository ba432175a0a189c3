"""Cells as people write them with stated derivatives, further functions and axes go all the way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from symrnn import Cell, derive, verify
from symrnn.algebra import nodes
from symrnn.calculus.rules import RULES
from symrnn.errors import SymrnnError
from symrnn.runs.sizes import layouts
from symrnn.verification.exact import check_exactly
from symrnn.verification.forward_mode import check_forward_mode
from symrnn.verification.numeric import check_numerically
from tests.verification.written_with_operators import FIRST, HELD_BACK

WRITTEN = FIRST | HELD_BACK


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", WRITTEN)
def test_it_goes_all_the_way(name: str) -> None:
    cell = Cell.from_source(WRITTEN[name].strip("\n") + "\n")
    written = derive(cell)
    assert written.latex()
    assert written.markdown()
    verify(cell, sizes=[(2, 3)], functions=("jvp", "hvp", "rtrl", "truncate")).raise_if_failed()


FRAME = """def c(x, h, M: "d_m, d_h", *, v: "d_m", k: "d_h", W):
    {}
    h = W @ x + h + sum(v) * sum(k) + sum(M)
    return h, M
"""


# --- axes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("M = M * v[:, None]", "M = M * outer(v, k / k)"),
        ("M = v[:, None] * k[None, :] + M", "M = outer(v, k) + M"),
        ("M = outer(sum(M, axis=1), sum(M, axis=0))", "M = outer(sum(M, axis=-1), sum(M.T, axis=-1))"),
        ("M = softmax(M, axis=0)", "M = softmax(M.T, axis=1).T"),
        ("M = outer(softmax(v, axis=0), k)", "M = outer(softmax(v), k)"),
        ("M = M * np.max(v)", "M = M * max(v)"),
        ("M = F.softmax(M, dim=-1)", "M = softmax(M, axis=1)"),
        ("M = M * v.detach()[:, None]", "M = M * stop_gradient(v)[:, None]"),
        ("M = M * sum(v, axis=-1)", "M = M * sum(v)"),
        ("M = outer(v, max(M, axis=0))", "M = outer(v, max(M.T, axis=-1))"),
        ("M = M * mean(mean(M, axis=0))", "M = M * mean(mean(M, axis=1))"),
    ],
)
def test_what_axes_mean(written: str, meant: str) -> None:
    """Both have the same values: the text of each is run by NumPy."""
    values = []
    for line in (written, meant):
        cell = Cell.from_source(FRAME.format(line))
        layout = layouts(cell, [(3, 2)])[0]
        point = next(check_numerically(derive(cell), [layout], 0))
        assert point.passed
        explicit = cell.explicit(**{name: layout.sizes[name] for name in cell.sizes})
        values.append(explicit.states["M"])
    difference = (values[0] - values[1]).applyfunc(lambda entry: entry.simplify())
    assert difference.is_zero_matrix


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("M = M + sum(M, axis=2) * 0", "sum takes axis=0, axis=1 or axis=-1"),
        ("M = M + sum(v, axis=1)", "there is no axis 1"),
        ("M = M + sum(M, 0)", "sum takes 1 argument, got 2"),
        ("M = M * sum(v[:, None] + v[:, None])", "nothing tells how many columns there are"),
        ("M = tanh(v[:, None])", "indexing is not part"),
        ("M = M @ k[None, :]", "not part of the cell language"),
        ("M = M + M[:, None]", "a vector is needed here"),
        ("M = M + v[None]", "is not part"),
        ("M = M + k[:, None]", "differ"),
        ("M = relu(M, axis=0)", "relu takes no keyword arguments"),
    ],
)
def test_axes_that_do_not_fit_are_refused(line: str, words: str) -> None:
    with pytest.raises(SymrnnError, match=words):
        Cell.from_source(FRAME.format(line))


ROWS_OF_A_MATRIX = """def rows(x, h, M: "d_m, d_h", *, W):
    M = softmax(M + h[None, :] * sum(x), axis=0) * M
    h = tanh(W @ x) + sum(M, axis=0)
    return h, M
"""
SCALED = {
    "adjoint": lambda right: lambda *args: [(x, nodes.scale(2, value)) for x, value in right(*args)],
    "jacobian": lambda right: lambda *args: [(x, nodes.scale(2, value)) for x, value in right(*args)],
    "tangent": lambda right: lambda *args: nodes.scale(2, right(*args)),
}


def test_a_wrong_rule_for_the_place_of_the_largest_is_caught() -> None:
    cell = Cell.from_source(FRAME.format("M = outer(v, max(M, axis=0)) * k[None, :]"))
    wrong = replace(RULES["Argmax"], adjoint=lambda node, value, g: [(node.operand, g)])
    chosen = layouts(cell, [(2, 3)])
    assert all(check.passed for check in check_exactly(derive(cell), chosen, 0))
    assert not all(check.passed for check in check_exactly(derive(cell, {**RULES, "Argmax": wrong}), chosen, 0))


@pytest.mark.parametrize("column", SCALED)
def test_a_wrong_rule_for_the_softmax_of_columns_is_caught(column: str) -> None:
    right = RULES["Softmax"]
    wrong = replace(right, **{column: SCALED[column](getattr(right, column))})
    derivation = derive(Cell.from_source(ROWS_OF_A_MATRIX), {**RULES, "Softmax": wrong})
    chosen = layouts(derivation.cell, [(2, 3)])
    checks = [*check_exactly(derivation, chosen, 0), *check_forward_mode(derivation, chosen, 0, ("jvp",))]
    assert not all(check.passed for check in checks)

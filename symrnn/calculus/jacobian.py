"""Jacobians of a cell: direct, of the cell, and total; each over one step or over several.

∂y/∂x has y's entries as rows and x's as columns in the numerator layout, and is the transpose of that in the
denominator layout; a matrix-valued variable counts as vec of it, column after column.

Three derivatives are never confused:

- direct: the explicit occurrence in the equation of `of` alone, every other named variable held;
- cell: k steps as a function of what enters them (the states before them, inputs, parameters), one of these moving and
  the others held: for an LSTM ∂c_t/∂c_{t-1} with h_{t-1} held is diag(f_t);
- total: through whatever the variable reaches in the unrolled network: dc_t/dc_{t-1} runs also through h_{t-1}, which
  reads c_{t-1}.

Only a state that enters the steps tells cell and total apart.  It is followed from the step in which it is computed,
which must be a step of the network: the states before the first step are given, and none reaches another.

Source: Werbos (1990), Backpropagation Through Time, Proceedings of the IEEE 78(10), on ordered derivatives, which are
the total ones; Pascanu, Mikolov & Bengio (2013), On the difficulty of training recurrent neural networks, ICML, section
2, for the direct one, their "immediate" derivative ∂⁺.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.algebra.simplify import IN_FORMULAS, simplify
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.extent import check_length
from symrnn.calculus.graph import StepGraph, no_change
from symrnn.calculus.paths import Path, accumulate, count_paths, paths, step_graphs
from symrnn.calculus.rules import chain
from symrnn.calculus.window import KINDS, Window, ask, check_choice
from symrnn.language.recurrence import Cell

__all__ = ["KINDS", "LAYOUTS", "Path", "count_paths", "jacobian", "laid_out", "paths", "question"]


def jacobian(
    cell: Cell | Derivation | str,
    of: str,
    wrt: str,
    kind: str = "cell",
    *,
    steps: int = 1,
    holding: str | Collection[str] = (),
    layout: str = "numerator",
) -> Expr:
    """The Jacobian of one variable with respect to another.

    Both are any variables of the cell: states, states at t-1 (`"h_prev"`), inputs, gates and other intermediate values,
    pre-activations (`"a_f"`, as the derivation names them) and parameters.

    Over k steps, t-k+1 to t, `of` is meant at the last step and `wrt` at the first: `wrt="h_prev"` gives
    ∂h_t/∂h_{t-k}, and `wrt="x"` or `wrt="z"` gives ∂h_t/∂x_{t-k+1} or ∂h_t/∂z_{t-k+1}.  A parameter is the same at
    every step, so its derivative is the sum over the k steps, with the states that enter the first of them held, in
    either kind; from the first step of the network on, that is all of it.

    >>> from symrnn import cells
    >>> jacobian(cells.lstm, "c", "c_prev")
    diag(f_t)
    >>> jacobian(cells.lstm, "c", "c_prev", holding="f", kind="total")
    (diag(g_t ⊙ i_t ⊙ (1 - i_t)) U_i + diag(i_t ⊙ (1 - g_t^2)) U_g) diag(o_{t-1} ⊙ (1 - tanh^2(c_{t-1}))) + diag(f_t)

    The result is an expression of the variables at t, t-1, ..., t-k+1, whose identifiers are `f`, `f_prev`,
    `f_minus2`, and so on (an underscore more where the cell itself has a variable `f_minus2`).

    Args:
        cell: the cell, or its derivation.
        of: what is differentiated.
        wrt: with respect to what.
        kind: "direct" for the explicit occurrence in the equation of `of`, every other named variable held; "cell" for
            k steps as a function of what enters them, of which the rest is held; "total" for whatever `wrt` reaches.
        steps: the number of steps k; 1 for a direct derivative.
        holding: names of variables that are frozen wherever they occur: their own derivative is taken as zero.
        layout: "numerator", of's entries by wrt's entries, or "denominator", the transpose.

    Returns:
        A SymPy matrix expression of our nodes, simplified.

    Raises:
        UnknownNameError: the cell has no such variable.
        InputError: there is no such kind, layout or number of steps, they do not go together, `of` or `wrt` is held, or
            the derivative is a sum over so many paths that no expression is made of it; `through_time` gives it by
            named inner derivatives.
    """
    window = question(cell, of, wrt, kind, steps=steps, holding=holding, layout=layout)
    return written(_direct(window) if kind == "direct" else accumulated(window), layout)


def question(
    cell: Cell | Derivation | str,
    of: str,
    wrt: str,
    kind: str = "cell",
    *,
    steps: int = 1,
    holding: str | Collection[str] = (),
    layout: str = "numerator",
) -> Window:
    """What is asked of `jacobian`, checked, without the answer, which grows with the number of paths.

    Raises:
        UnknownNameError: the cell has no such variable.
        InputError: the question makes no sense; see `jacobian`.
    """
    check_choice("layout", layout, LAYOUTS)
    return ask(cell, of, wrt, steps, holding, kind)


def _direct(window: Window) -> Expr:
    (graph,) = step_graphs(window)
    return graph.direct(window.wrt, window.of)


def accumulated(window: Window) -> Expr:
    """The derivative over all paths of a window, of kind "cell" or "total", in the numerator layout.

    Raises:
        InputError: it would be too long.
    """
    check_length(window)

    def local(graph: StepGraph, start: Variable, end: Variable, back: int) -> Expr:
        return window.at(graph.block(start, end), back)

    def merge(end: Variable, back: int, parts: Sequence[Expr]) -> Expr:
        return nodes.add(no_change(end, window.moved), *parts)

    return accumulate(window, local, lambda later, before, state: compose(later, before), merge)


def compose(outer: Expr, inner: Expr) -> Expr:
    """The product of two Jacobians; nothing times anything is nothing."""
    # Asked first: most pairs of states have a zero block, and `chain` would take both apart before it noticed.
    if nodes.is_zero(outer) or nodes.is_zero(inner):
        return nodes.zeros((outer.shape[0], inner.shape[1]))
    return chain(outer, inner)


def written(block: Expr, layout: str = "numerator") -> Expr:
    """A Jacobian in the numerator layout as a person would write it, in a layout."""
    return laid_out(simplify(block, IN_FORMULAS), layout)


def laid_out(block: Expr, layout: str) -> Expr:
    """A Jacobian in the numerator layout, brought into another one."""
    return LAYOUTS[layout](block)


def _transpose(block: Expr) -> Expr:
    """The transpose, taken inside of sums, products and Kronecker products, where a reader expects it."""
    number, rest = nodes.coefficient(block)
    rule = _TRANSPOSES.get(type(rest).__name__, nodes.transpose)
    return nodes.scale(number, rule(rest))


def _transpose_multiple(block: Expr) -> Expr:
    """Scalars stay in front; what they multiply, where it is one thing, is transposed inside."""
    scalars = [nodes.transpose(factor) for factor in block.args if isinstance(factor, nodes.Fill)]
    others = [factor for factor in block.args if not isinstance(factor, nodes.Fill)]
    rest = [_transpose(others[0])] if len(others) == 1 else [nodes.transpose(nodes.hadamard(*others))]
    return nodes.hadamard(*scalars, *rest) if others else nodes.transpose(block)


_TRANSPOSES: Mapping[str, Callable[[Any], Expr]] = {
    "Sum": lambda x: nodes.add(*map(_transpose, x.args)),
    "Product": lambda x: nodes.matmul(*map(_transpose, reversed(x.args))),
    "Kronecker": lambda x: nodes.kronecker(*map(_transpose, x.args)),
    "Hadamard": _transpose_multiple,
    "Commutation": lambda x: nodes.Commutation(*reversed(x.of_shape)),
}

LAYOUTS: Mapping[str, Callable[[Expr], Expr]] = MappingProxyType(
    {"numerator": lambda block: block, "denominator": _transpose}
)
"""The layouts, and how each comes from the numerator layout."""

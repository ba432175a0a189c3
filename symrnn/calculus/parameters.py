"""Derivatives with respect to parameters: a sum over time, each of whose terms can be taken on its own.

Over k steps, with what enters the first of them held,

    ∂h_t/∂θ|_{states at t-k} = Σ_{j=0}^{k-1} Σ_s (∂h_t/∂s_{t-j}) (∂s_{t-j}/∂θ|_{states at t-j-1}),

the sum over s being over the states, and of each state at t-j the others at t-j being held.  With respect to a matrix W
the last factor of a term is a Kronecker product: a = W x has ∂a/∂vec(W) = xᵀ ⊗ I.  The same term as a gradient, of the
shape of W, is δa xᵀ.

Source: Werbos (1990), Backpropagation Through Time, Proceedings of the IEEE 78(10); Magnus & Neudecker (2019), Matrix
Differential Calculus, ch. 2, vec(A X B) = (Bᵀ ⊗ A) vec(X).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.algebra.simplify import simplify
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.graph import StepGraph, graph_of, no_change
from symrnn.calculus.jacobian import LAYOUTS, compose, written
from symrnn.calculus.symbols import DerivativeSymbol
from symrnn.calculus.window import Window, ask, check_choice
from symrnn.errors import InputError
from symrnn.language.recurrence import Cell


@dataclass(frozen=True, repr=False)
class ParameterJacobian:
    """The derivative of a variable with respect to a parameter, as a sum over steps.

    Attributes:
        of: what is differentiated, at the last step.
        wrt: the parameter; a matrix counts as vec of it, column after column.
        steps: the number of steps; what enters the first of them is held.
        layout: the layout of `terms` and `value`.
        terms: the term of the step t - j at index j: how a change of the parameter at that step alone reaches `of`.
        gradients: the same steps' terms of the gradient of a loss, in the parameter's shape, which is that of the
            gradient in either layout: δa_{t-j} x_{t-j}ᵀ, the adjoints being those of the loss.
        symbol: the symbol of the derivative, which names what is held.
    """

    of: Variable
    wrt: Variable
    steps: int
    layout: str
    terms: tuple[Expr, ...]
    gradients: tuple[Expr, ...]
    symbol: DerivativeSymbol

    @property
    def value(self) -> Expr:
        """The sum of the terms."""
        return _add_up(self.terms)

    @property
    def gradient(self) -> Expr:
        """The sum of the gradient's terms."""
        return _add_up(self.gradients)

    def latex(self) -> str:
        """The derivative and the gradient as a LaTeX `align*`, in the notation of time as a subscript."""
        first = f"{self.symbol.latex(sympy.latex)} &= {sympy.latex(self.value)}"
        second = f"{sympy.latex(self._added)} &= {sympy.latex(self.gradient)}"
        return f"\\begin{{align*}}\n{first} \\\\\n{second}\n\\end{{align*}}"

    @property
    def _added(self) -> Expr:
        """What the steps add to the gradient of the loss: δW_t + δW_{t-1} + ..."""
        adjoint = self.wrt.marked("adjoint", f"{self.wrt.name}_bar")
        return nodes.add(*(adjoint.at(-back, f"{adjoint.name}_{back}") for back in range(self.steps)))

    def __str__(self) -> str:
        return f"{self.symbol} = {self.value}\n{self._added} = {self.gradient}"

    def _repr_latex_(self) -> str:
        return self.latex()

    def __repr__(self) -> str:
        return f"<{self.symbol} over {self.steps} steps>"


def _add_up(terms: Sequence[Expr]) -> Expr:
    # Each term is simplified already; together they may have something in common.
    return terms[0] if len(terms) == 1 else simplify(nodes.add(*terms))


def parameter_jacobian(
    cell: Cell | Derivation | str, of: str, wrt: str, steps: int = 1, *, layout: str = "numerator"
) -> ParameterJacobian:
    """The derivative of a variable with respect to a parameter over several steps, term by term.

    Args:
        cell: the cell, or its derivation.
        of: any variable of the step, meant at the last step.
        wrt: the name of a parameter.
        steps: the number of steps; with as many as have been made, it is the whole derivative.
        layout: "numerator" or "denominator", for the Jacobians.

    Raises:
        UnknownNameError: the cell has no such variable.
        InputError: `wrt` is no parameter, `of` is one, or there is no such number of steps or layout.
    """
    check_choice("layout", layout, LAYOUTS)
    window = ask(cell, of, wrt, steps)
    # `of` may be a pre-activation, which is a node of the graph only where it is asked for.
    return _make_answer(window, graph_of(window.derivation, {window.of}), layout)


def _make_answer(window: Window, graph: StepGraph, layout: str) -> ParameterJacobian:
    of, wrt = window.of.name, window.wrt.name
    parameters = window.cell.parameters
    if wrt not in parameters or of in parameters:
        wrong = "wrt" if wrt not in parameters else "of"
        expected = "must be a parameter" if wrong == "wrt" else "must be a variable of a step, not a parameter"
        message = f"of={of!r}, wrt={wrt!r}: {wrong} {expected}"
        raise InputError(f"{message}\n  the parameters of {window.cell.name} are {', '.join(parameters) or 'none'}")
    return ParameterJacobian(
        window.of,
        window.wrt,
        window.steps,
        layout,
        tuple(written(term, layout) for term in _terms(window, graph)),
        gradients(window),
        window.symbol,
    )


def gradients(window: Window) -> tuple[Expr, ...]:
    """The terms of a parameter's gradient of the steps t, t-1, ... of a window."""
    term = simplify(window.derivation.of(window.wrt.name).value)
    return tuple(window.at(term, back) for back in range(window.steps))


def _terms(window: Window, graph: StepGraph) -> list[Expr]:
    """The terms in the numerator layout, from the last step to the first."""
    cell = window.cell
    found = [graph.block(window.wrt, window.of)]
    # The rest would derive blocks between states, which one step does not need.
    if window.steps == 1:
        return found
    states = [cell[name] for name in cell.states]
    reached = {carry: graph.block(carry, window.of) for carry in cell.previous}
    for back in range(1, window.steps):
        # reached[carry] is how `of` depends on that state at t - back

        # Defaults bind this round's values: a closure would see those of the last.
        def onward(source: Variable, back: int = back, reached: dict[Variable, Expr] = reached) -> Expr:
            steps = (
                compose(reached[carry], window.at(graph.block(source, state), back))
                for carry, state in zip(cell.previous, states, strict=True)
            )
            return nodes.add(no_change(window.of, source), *steps)

        found.append(onward(window.wrt))
        reached = {carry: onward(carry) for carry in cell.previous}
    return found

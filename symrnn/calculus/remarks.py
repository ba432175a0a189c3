"""Remarks for a reader of derivatives: which are stated by the author, and which are zero wherever they exist.

A cell that spikes, or rounds, has right equations that carry nothing: every check of them passes.  A remark says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from symrnn.algebra import nodes
from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.nodes import Expr
from symrnn.algebra.rebuilding import rebuild
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.rules import slopes

Remark = tuple[str | Expr, ...]
"""A sentence, with expressions where formulas stand."""


def remarks(derivation: Derivation) -> tuple[Remark, ...]:
    """Sentences about derivatives that are stated, about functions without slope, and about gradients that are zero."""
    still = _find_still(derivation)
    # The same function in two gates of one equation is worth one remark.
    return tuple(dict.fromkeys([*_remark_on_functions(derivation, still), *_remark_on_gradients(derivation, still)]))


def _remark_on_functions(derivation: Derivation, still: Mapping[Expr, Expr]) -> Iterator[Remark]:
    for equation in derivation.forward:
        if derivation.of(equation.target.name).target in still:  # it is read for its value alone
            continue
        for node in _find_remarkable(equation.value):
            every, value = slopes(node, node), node.operands[0]
            where = ("In the equation of ", equation.target, ", ")
            if not FUNCTIONS[node.name].stated:
                yield (*where, "the derivative of ", node, " is 0 wherever it exists: no gradient passes.")
            elif all(map(nodes.is_zero, every)):
                yield (*where, value, " counts as constant; ", _STATED)
            else:
                other = node.operands[1]
                yield (*where, "the derivative of ", value, " is replaced by that of ", other, "; ", _STATED)


_STATED = "this is stated, not derived."


def _find_remarkable(expr: Expr) -> Iterator[nodes.Act]:
    """The functions that the derivation differentiates and whose slope is stated, or 0 everywhere."""
    if not nodes.variables(expr):
        return
    inner = expr.args
    if isinstance(expr, nodes.Act):
        every = slopes(expr, expr)
        if FUNCTIONS[expr.name].stated or all(map(nodes.is_zero, every)):
            yield expr
        # Beyond a slope of zero nothing is differentiated, and there is nothing to say.
        inner = tuple(x for x, slope in zip(expr.operands, every, strict=True) if not nodes.is_zero(slope))
    for arg in () if isinstance(expr, nodes.Variable) else inner:
        if getattr(arg, "is_Matrix", False):
            yield from _find_remarkable(arg)


def _find_still(derivation: Derivation) -> Mapping[Expr, Expr]:
    """The adjoints that are zero everywhere -> zeros."""
    still: dict[Expr, Expr] = {}
    for step in derivation.steps:
        if nodes.is_zero(_put_in(step.value, still)):
            still[step.target] = nodes.zeros(step.target.shape)
    return still


def _remark_on_gradients(derivation: Derivation, still: Mapping[Expr, Expr]) -> Iterator[Remark]:
    """The parameters, inputs and states that the cell reads and that receive nothing."""
    read = {variable for equation in derivation.forward for variable in nodes.variables(equation.value)}
    for step in derivation.role("parameter", "input", "carry"):
        # What the cell never reads has no gradient either, and its author knows.
        if step.target in still and step.of in read:
            yield ("The gradient of ", step.of, " is 0 everywhere.")


def _put_in(expr: Expr, still: Mapping[Expr, Expr]) -> Expr:
    """The expression with zeros for the adjoints that are zero, tidied by the constructors."""
    if expr in still:
        return still[expr]
    if isinstance(expr, nodes.Variable) or not still:
        return expr
    args = tuple(_put_in(arg, still) if getattr(arg, "is_Matrix", False) else arg for arg in expr.args)
    return expr if all(a is b for a, b in zip(args, expr.args, strict=True)) else rebuild(expr, args)

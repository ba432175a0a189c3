"""Gradients of joined vectors, written once and split: [δh; δx] = W_fᵀ δa_f + W_iᵀ δa_i + ..."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Slice, Sum
from symrnn.calculus.derivation import Derivation, Step


@dataclass(frozen=True)
class SplitGradient:
    """Gradients that are the parts of one sum.

    Attributes:
        steps: the equations of the parts, in the order in which they stand below one another.
        left: the parts joined.
        value: the sum.
    """

    steps: tuple[Step, ...]
    left: Expr
    value: Expr


def merged(expr: Expr) -> Expr:
    """A sum in which terms that are the same rows of something are those rows of the sum of it."""
    if not isinstance(expr, Sum):
        return expr
    alike: dict[tuple[Any, Any, Any], list[Expr]] = {}
    for term in expr.args:
        if isinstance(term, Slice):
            alike.setdefault((*term.bounds, term.operand.shape), []).append(term.operand)
    done: set[tuple[Any, Any, Any]] = set()
    terms: list[Expr] = []
    for term in expr.args:
        if not isinstance(term, Slice):
            terms.append(term)
            continue
        key = (*term.bounds, term.operand.shape)
        if key not in done:
            done.add(key)
            terms.append(nodes.rows(nodes.add(*alike[key]), *term.bounds))
    return nodes.add(*terms)


def find_split(derivation: Derivation) -> SplitGradient | None:
    """What reaches the inputs and goes back to states as the parts of one sum; None where it is none.

    Args:
        derivation: the derivation of a step.
    """
    parts: dict[Expr, list[tuple[Any, Any, Step]]] = {}
    for step in derivation.role("carry", "input"):
        value = merged(step.value)
        if isinstance(value, Slice):
            parts.setdefault(value.operand, []).append((*value.bounds, step))
    for whole, found in parts.items():
        ordered = _in_order(found, whole.shape[0])
        if ordered:
            return SplitGradient(ordered, nodes.stack(*(step.target for step in ordered)), whole)
    return None


def _in_order(found: list[tuple[Any, Any, Step]], size: Any) -> tuple[Step, ...]:
    """The parts from the first row to the last; nothing where rows are missing, or stand in two of them."""
    ordered: list[Step] = []
    at: Any = 0
    while at != size:
        following = [(stop, step) for start, stop, step in found if start == at]
        if len(following) != 1:
            return ()
        at = following[0][0]
        ordered.append(following[0][1])
    return tuple(ordered) if len(ordered) == len(found) > 1 else ()

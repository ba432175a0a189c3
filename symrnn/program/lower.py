"""Derivation -> Program: the forward equations in a loop over time, the backward equations in a loop back."""

from __future__ import annotations

from symrnn.algebra import nodes
from symrnn.calculus.derivation import Derivation
from symrnn.program.ir import Accumulate, Assign, Function, Loop, Program, Statement


def lower(derivation: Derivation) -> Program:
    """The program as it stands in the derivation: everything happens inside the two loops.

    The adjoint that a step sends back to a state (`h_prev_bar`) lives on from one round of the backward loop to the
    next: at the top of the round for t it is what step t+1 sent back to h_t.
    """
    cell = derivation.cell
    carried = {state: derivation.of(f"{state}_prev").target for state in cell.states}
    incoming = {
        derivation.cotangents[state]: nodes.add(*_loss(derivation, state), carried[state]) for state in cell.states
    }
    body: list[Statement] = []
    for step in derivation.role("state", "intermediate", "input", "carry"):
        terms = step.value.args if isinstance(step.value, nodes.Sum) else (step.value,)
        body.append(Assign(step.target, nodes.add(*(term.xreplace(incoming) for term in terms))))
    body += [Accumulate(step.target, step.value) for step in derivation.role("parameter")]
    forward = tuple(Assign(equation.target, equation.value) for equation in derivation.forward)
    return Program(
        derivation,
        Function((), Loop(forward, "forward"), ()),
        Function((), Loop(tuple(body), "backward"), ()),
    ).check()


def _loss(derivation: Derivation, state: str) -> tuple[nodes.Variable, ...]:
    """The cotangent given for each step: that of the output; the other states have one at the end only."""
    return (derivation.loss(state),) if state == derivation.cell.states[0] else ()

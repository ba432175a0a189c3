"""Derivation -> Program: the forward equations in a loop over time, the backward equations in a loop back.

The tangents of either stand in the same loops, each after the equation that it follows from.
"""

from __future__ import annotations

from symrnn.algebra import nodes
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.second_order import SecondOrder
from symrnn.calculus.tangent import TangentDerivation
from symrnn.program.ir import Accumulate, Assign, Function, Loop, Program, Statement


def lower(derivation: Derivation) -> Program:
    """The program as it stands in the derivation: everything happens inside the two loops.

    The adjoint that a step sends back to a state (`h_prev_bar`) lives on from one round of the backward loop to the
    next: at the top of the round for t it is what step t+1 sent back to h_t.
    """
    incoming = _map_incoming(derivation)
    body: list[Statement] = []
    for step in derivation.role("state", "intermediate", "input", "carry"):
        body.append(Assign(step.target, _put_in(step.value, incoming)))
    body += [Accumulate(step.target, step.value) for step in derivation.role("parameter")]
    forward = tuple(Assign(equation.target, equation.value) for equation in derivation.forward)
    return Program(
        derivation,
        Function((), Loop(forward, "forward"), ()),
        Function((), Loop(tuple(body), "backward"), ()),
    ).check()


def lower_tangent(tangent: TangentDerivation) -> Program:
    """The program of forward mode: states and their tangents in one loop, and no loop back."""
    return Program(
        tangent.derivation,
        Function((), Loop(_pair_with_tangents(tangent), "forward"), ()),
        Function((), Loop((), "backward"), ()),
        tangent,
    ).check()


def lower_second_order(second: SecondOrder) -> Program:
    """The program of a Hessian-vector product: tangents in the loop over time, their adjoints in the loop back.

    Of the gradients themselves the loop back computes only what the tangents of the adjoints need.
    """
    derivation = second.derivation
    incoming = _map_incoming(derivation) | {
        second.cotangents[state]: nodes.add(
            *((second.losses[state],) if state == derivation.cell.states[0] else ()), second.of(f"{state}_prev").target
        )
        for state in derivation.cell.states
    }
    # The gradients of parameters and inputs are read by nothing: only their tangents are asked for.
    needed = {v for step in second.steps for v in nodes.variables(step.value)}
    needed |= {v for step in derivation.role("state", "intermediate", "carry") for v in nodes.variables(step.value)}
    body: list[Statement] = []
    for step in second.steps:
        if step.role == "parameter":
            body.append(Accumulate(step.target, step.value))
            continue
        # What is carried back to t - 1 is read there, in the next round, whether or not this round reads it.
        if step.step.target in needed or step.role == "carry":
            body.append(Assign(step.step.target, _put_in(step.step.value, incoming)))
        body.append(Assign(step.target, _put_in(step.value, incoming)))
    return Program(
        derivation,
        Function((), Loop(_pair_with_tangents(second.tangent), "forward"), ()),
        Function((), Loop(tuple(body), "backward"), ()),
        second.tangent,
        second,
    ).check()


def _pair_with_tangents(tangent: TangentDerivation) -> tuple[Statement, ...]:
    pairs = zip(tangent.derivation.forward, tangent.steps, strict=True)
    return tuple(
        statement
        for equation, step in pairs
        for statement in (
            Assign(equation.target, equation.value),
            *((Assign(step.target, step.value),) if step.is_needed else ()),
        )
    )


def _map_incoming(derivation: Derivation) -> dict[nodes.Variable, nodes.Expr]:
    """Cotangent -> the loss's part and what step t+1 sent back."""
    return {
        derivation.cotangents[state]: nodes.add(*_find_loss(derivation, state), derivation.of(f"{state}_prev").target)
        for state in derivation.cell.states
    }


def _put_in(value: nodes.Expr, incoming: dict[nodes.Variable, nodes.Expr]) -> nodes.Expr:
    # Term by term, since a replacement leaves a sum in a sum, and `add` takes the brackets away.
    terms = value.args if isinstance(value, nodes.Sum) else (value,)
    return nodes.add(*(term.xreplace(incoming) for term in terms))


def _find_loss(derivation: Derivation, state: str) -> tuple[nodes.Variable, ...]:
    """The cotangent given for each step: that of the output; the other states have one at the end only."""
    return (derivation.loss(state),) if state == derivation.cell.states[0] else ()

"""An input's gradient that is a product of weights with something else than its equation has, read off by numbers.

A few slips in one term of `δx = Wᵀ δa`, such as the cotangent for δa and one more weight in front, are too many to be
tried one after the other.  The products of two weights with an adjoint, or with a cotangent, are few.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import product

import numpy as np

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr
from symrnn.arrays import Array
from symrnn.diagnosis.questions import LARGE, Answer
from symrnn.diagnosis.wording import formula
from symrnn.findings.findings import Diagnosis
from symrnn.mistakes.backward_pass import AdjointEquation, BackwardPass
from symrnn.mistakes.catalogue import wrong_operand
from symrnn.printers import latex, text

_EXACT = 1e-9
"""Relative: a product that is the gradient agrees to some rounding errors; another one does not in the first digit."""
_MOST = 400
"""Products that are tried for a gradient: of all pairs of the weights of a cell with some gates, with each adjoint."""


def other_products(
    program: BackwardPass, answers: Sequence[Answer], unexplained: Collection[str], name: str
) -> list[Diagnosis]:
    """What was multiplied in place of the right thing, of inputs' gradients that nothing explains.

    Args:
        program: the backward pass with all mistakes that were found.
        answers: what was observed.
        unexplained: the labels of the gradients.
        name: of the cell.
    """
    asked = [answer for answer in answers if answer.question.scale < LARGE]
    runs = []
    for answer in asked:
        run = answer.run(program)
        with np.errstate(all="ignore"):
            run.gradients()
        runs.append((answer, {key: np.stack(values[::-1]) for key, values in run.seen.items()}))
    found = []
    for label in sorted(unexplained):
        pieces = [next((p for p in answer.observed if p.label == label), None) for answer in asked]
        line = next((one for one in program.lines if pieces and pieces[0] and one.of.name == pieces[0].name), None)
        if line is None or line.role != "input" or any(piece is None for piece in pieces):
            continue
        values = [piece.value for piece in pieces if piece is not None]
        read = next((one for one in _products(program, line) if _agrees(one, runs, values)), None)
        if read is not None:
            found.append(_diagnosis(line, read[0], label, name))
    return found


_Weight = tuple[Expr, str, bool]
"""A weight as it stands in a product, its name, and whether it is transposed."""
_Product = tuple[Expr, tuple[_Weight, ...], str, bool]
"""The product, its weights, and the variable whose adjoint, or cotangent, it is of."""


def _products(program: BackwardPass, line: AdjointEquation) -> Iterator[_Product]:
    """Products of one or two weights with an adjoint or a cotangent, in the shape of the input."""
    derivation = program.derivation
    cell = derivation.cell
    weights = [name for name in cell.parameters if 1 not in cell[name].shape]
    turned: list[_Weight] = [(nodes.transpose(cell[name]), name, True) for name in weights]
    sides = [*turned, *((cell[name], name, False) for name in weights)]
    ends = [(derivation.loss(state), state, True) for state in cell.states if 1 in cell[state].shape]
    ends += [(one.target, one.of.name, False) for one in program.lines if one.role in ("intermediate", "state")]
    count = 0
    for chain in (*((side,) for side in sides), *product(sides, repeat=2)):
        for end, name, given in ends:
            try:
                whole = nodes.matmul(*(weight for weight, *_ in chain), end)
            except ValueError:
                continue
            if whole.shape == line.of.shape and count < _MOST:
                count += 1
                yield whole, chain, name, given


def _agrees(one: _Product, runs: Sequence[tuple[Answer, dict[str, Array]]], values: Sequence[Array]) -> bool:
    _, chain, name, given = one
    for (answer, seen), value in zip(runs, values, strict=True):
        if given:
            courses = [by_state[name] for by_state in answer.cotangents.values() if name in by_state]
            if not courses:
                return False
            end = sum(courses)[1:].reshape(*value.shape[:2], -1)  # type: ignore[index]
        elif name in seen:
            end = seen[name].reshape(*value.shape[:2], -1)
        else:
            return False
        matrix = np.eye(end.shape[-1])
        for _, weight, transposed in reversed(chain):
            own = answer.tape.params[weight]
            matrix = (own.T if transposed else own) @ matrix
        gap = np.linalg.norm(end @ matrix.T - value.reshape(*value.shape[:2], -1))
        if not gap <= _EXACT * max(float(np.linalg.norm(value)), 1e-300):
            return False
    return bool(runs)


def _diagnosis(line: AdjointEquation, read: Expr, label: str, name: str) -> Diagnosis:
    told = f"The gradient of {label} is what you get when {formula(line)} has {text(read)} as its right side."
    told += f" Agreement: exact. Equation ({line.number}) of `symrnn derive {name}`."
    printed = f"{latex(line.target)} = {latex(nodes.add(*line.terms))}"
    return Diagnosis(wrong_operand.TAG, line.number, formula(line), printed, (label,), 0.0, told)

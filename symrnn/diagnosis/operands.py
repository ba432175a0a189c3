"""Gradients of weights that are the right adjoint times something else than what the weight is multiplied with.

What was stored for the backward pass may have been changed in any way.  The gradient of W in W v is a sum of δ vᵀ over
steps and examples; where these are fewer than the rows of W, the δ that are right span a part of all columns only, and
a gradient that lies in it has the right δ and another v.  That v is then known, and may be the same for many weights.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.arrays import Array
from symrnn.diagnosis.questions import LARGE, Answer
from symrnn.diagnosis.wording import formula
from symrnn.findings.findings import Diagnosis
from symrnn.findings.sentences import listed
from symrnn.mistakes.backward_pass import AdjointEquation, BackwardPass
from symrnn.mistakes.catalogue import corrupted_cache, wrong_operand
from symrnn.printers import latex, text

_Asked = tuple[Answer, Mapping[str, Sequence[Array]], Mapping[str, Array]]
"""A question's answer, and what a program gives there: the values of the adjoints, and the gradients."""

_EXACT = 1e-9
"""Relative: a least-squares fit leaves some 1e-13 where it is exact, and no small number where it is not."""


@dataclass(frozen=True)
class _Read:
    """A weight whose gradient has the right adjoint, and what it was multiplied with."""

    label: str
    line: AdjointEquation
    operand: Expr
    values: tuple[Array, ...]
    error: float

    def is_like(self, other: _Read) -> bool:
        """Whether both weights used the same wrong operand."""
        pairs = list(zip(self.values, other.values, strict=False))
        return self.operand == other.operand and all(a.shape == b.shape and _same(a, b) for a, b in pairs)


def other_operands(
    program: BackwardPass, answers: Sequence[Answer], unexplained: Collection[str], name: str
) -> list[Diagnosis]:
    """What was multiplied with something else, of the gradients that nothing explains.

    Args:
        program: the backward pass with all mistakes that were found.
        answers: what was observed.
        unexplained: the labels of the gradients.
        name: of the cell.
    """
    runs = [(answer, answer.run(program)) for answer in answers if answer.question.scale < LARGE]
    with np.errstate(all="ignore"):
        gradients = [run.gradients() for _, run in runs]
    asked = [(answer, run.seen, found) for (answer, run), found in zip(runs, gradients, strict=True)]
    groups: list[list[_Read]] = []
    for read in (read for label in sorted(unexplained) if (read := _read(program, asked, label)) is not None):
        group = next((group for group in groups if group[0].is_like(read)), None)
        if group is None:
            groups.append([read])
        else:
            group.append(read)
    return [_diagnosis(group, name) for group in groups]


def _read(program: BackwardPass, asked: Sequence[_Asked], label: str) -> _Read | None:
    name = next((piece.name for answer, *_ in asked for piece in answer.observed if piece.label == label), None)
    line = next((line for line in program.lines if line.of.name == name), None)
    parts = None if line is None else _factors(line)
    if line is None or parts is None:
        return None
    adjoint, operand = parts
    of = next(other.of.name for other in program.lines if other.target == adjoint)
    found: list[Array] = []
    worst, differs = 0.0, False
    for answer, adjoints, gradients in asked:
        piece = next(piece for piece in answer.observed if piece.label == label)
        value = piece.value
        # With as many adjoints as rows anything is a sum of them, and says nothing.
        if value.ndim != 2 or answer.question.steps * answer.question.batch >= len(value) or not np.any(value):
            continue
        span = np.concatenate([step[:, :, 0] for step in adjoints[of]]).T
        if len(span) != len(value):
            return None
        # If the adjoint is right, the gradient is a sum of these columns, and the coefficients are what was read.
        values, *_ = np.linalg.lstsq(span, value, rcond=None)
        if _is_multiple(value, piece.expected(gradients)):
            return None
        worst = max(worst, float(np.linalg.norm(span @ values - value) / np.linalg.norm(value)))
        sizes = np.linalg.norm(span, axis=0)
        differs = differs or bool(np.linalg.norm(piece.expected(gradients) - value) > _EXACT * np.linalg.norm(value))
        values[sizes <= _EXACT * sizes.max()] = np.nan  # where there is no adjoint, anything may have been read
        found.append(values)
    return _Read(label, line, operand, tuple(found), worst) if differs and worst <= _EXACT else None


def _is_multiple(value: Array, right: Array) -> bool:
    """Whether a gradient is another multiple of the right one: then a factor is wrong, and no operand."""
    factor = float(np.sum(value * right)) / (float(np.sum(right**2)) or 1.0)
    rest = np.linalg.norm(value - factor * right)
    return bool(rest <= _EXACT * np.linalg.norm(value)) and abs(factor - 1) > _EXACT


def _same(a: Array, b: Array) -> bool:
    known = np.isfinite(a) & np.isfinite(b)
    return not known.any() or np.allclose(a[known], b[known], rtol=1e-6, atol=1e-9 * np.abs(a[known]).max())


def _factors(line: AdjointEquation) -> tuple[Variable, Expr] | None:
    """δ and v, where the gradient of a weight is the sum of δ vᵀ."""
    term = line.terms[0] if line.role == "parameter" and len(line.terms) == 1 else None
    if not isinstance(term, nodes.Product):
        return None
    number, matrices = term.as_coeff_matrices()
    if number != 1 or len(matrices) != 2 or not isinstance(matrices[0], Variable):
        return None
    return matrices[0], nodes.transpose(matrices[1])


def _diagnosis(group: Sequence[_Read], name: str) -> Diagnosis:
    first = group[0]
    error = max(read.error for read in group)
    labels = tuple(read.label for read in group)
    told = f"The gradients of {listed(labels)} have" if len(group) > 1 else f"The gradient of {labels[0]} has"
    told += f" the right adjoint, but something else than {text(first.operand)}: {formula(first.line)}"
    if len(group) > 1:
        told += (
            f", and likewise {listed([text(read.line.target) for read in group[1:]])}; all with the same other values,"
        )
        told += f" as where {text(first.operand)} is changed after it was stored"
    told += f". Agreement: {error:.0e}. Equation ({first.line.number}) of `symrnn derive {name}`."
    tag = corrupted_cache.TAG if len(group) > 1 else wrong_operand.TAG
    printed = f"{latex(first.line.target)} = {latex(first.line.terms[0])}"
    return Diagnosis(tag, first.line.number, formula(first.line), printed, labels, error, told)

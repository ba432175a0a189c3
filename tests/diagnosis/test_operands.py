"""Gradients of weights with the right adjoint and another operand: found without knowing what was read instead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from symrnn.diagnosis.operands import other_operands
from symrnn.diagnosis.questions import Answer
from symrnn.diagnosis.trials import MistakenPass
from symrnn.mistakes.backward_pass import BackwardPass
from tests.diagnosis.planting import answers, right

GATES = ("f", "i", "g", "o")


def changed(weights: tuple[str, ...], alike: bool, broken: float = 0.0) -> list[Answer]:
    """The right answers of an LSTM, but for weights whose adjoints are multiplied with other numbers."""
    program = right("lstm")
    found = []
    for number, answer in enumerate(answers("lstm", program)):
        run = answer.run(program)
        run.gradients()
        pieces = []
        for piece in answer.observed:
            if piece.name in weights:
                rng = np.random.default_rng([number, 0 if alike else weights.index(piece.name)])
                adjoints = np.concatenate([value[:, :, 0] for value in run.seen[f"a_{piece.name[-1]}"]])
                operands = rng.normal(size=(len(adjoints), piece.value.shape[1]))
                value = adjoints.T @ operands
                size = np.linalg.norm(value)
                wrong = value + broken * size * rng.normal(size=value.shape)
                piece = replace(piece, value=wrong)
            pieces.append(piece)
        found.append(replace(answer, observed=tuple(pieces)))
    return found


def test_the_same_other_operand_of_several_weights_is_a_changed_cache() -> None:
    weights = tuple(f"W_{gate}" for gate in GATES)
    (found,) = other_operands(right("lstm"), changed(weights, alike=True), weights, "lstm")
    assert found.mistake == "corrupted-cache"
    assert set(found.gradients) == set(weights)
    assert found.agreement <= 1e-9
    assert "something else than x_t" in found.sentence
    assert found.sentence.endswith("`symrnn derive lstm`.")


def test_other_operands_that_differ_are_told_apart() -> None:
    weights = ("U_f", "U_o")
    found = other_operands(right("lstm"), changed(weights, alike=False), weights, "lstm")
    assert [one.mistake for one in found] == ["wrong-operand", "wrong-operand"]
    assert [one.gradients for one in found] == [("U_f",), ("U_o",)]
    assert "h_{t-1}" in found[0].sentence


@pytest.mark.parametrize("broken", [1e-6, 0.5])
def test_a_gradient_that_is_no_multiple_of_the_adjoint_is_left_alone(broken: float) -> None:
    assert other_operands(right("lstm"), changed(("W_f",), True, broken), ("W_f",), "lstm") == []


def test_what_is_no_product_is_left_alone() -> None:
    program: BackwardPass = right("lstm")
    assert other_operands(program, answers("lstm", program), ("b_f", "x", "h_prev"), "lstm") == []
    assert MistakenPass(program, answers("lstm", program)).errors(0).max() <= 1e-9

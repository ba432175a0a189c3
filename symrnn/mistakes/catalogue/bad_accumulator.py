"""Sums over the steps that do not start at zero."""

from __future__ import annotations

from symrnn.findings.findings import Diagnosis
from symrnn.mistakes.mistake_class import Example, MistakeClass

TAG = "bad-accumulator"


def of_parameters(names: tuple[str, ...]) -> Diagnosis:
    """The diagnosis where gradients of parameters are not zero although every cotangent is."""
    told = f"The gradient of {', '.join(names)} is not zero where every cotangent is: "
    sentence = f"{told}the sum over the steps starts elsewhere."
    return Diagnosis(TAG, None, "", "", names, 0.0, sentence)


MISTAKE = MistakeClass(
    TAG,
    "a sum does not start at zero",
    precedence=300,
    found_by="gradients that are not zero where the cotangents are",
    wrong=(
        Example("rnn", "dW, dU, db = np.zeros_like(W)", "dW, dU, db = np.ones_like(W)"),
        Example("rnn", "np.zeros_like(b)\n", "0.1 + np.zeros_like(b)\n"),
    ),
    right=(
        Example("rnn", "np.zeros_like(b)\n", "0.0 * b\n"),
        Example("rnn", "dW, dU, db = np.zeros_like(W)", "dW, dU, db = np.zeros(W.shape)"),
    ),
)

"""Sums over the steps that do not start at zero."""

from __future__ import annotations

from symrnn.findings.findings import Diagnosis
from symrnn.mistakes.mistake_class import MistakeClass

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
)

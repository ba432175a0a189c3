"""Gradients that are never computed."""

from __future__ import annotations

from symrnn.mistakes.mistake_class import Example, MistakeClass

TAG = "zero-gradient"

MISTAKE = MistakeClass(
    TAG,
    "a gradient is never computed, not added up, or not returned",
    precedence=310,
    found_by="zeros throughout, measured without a cell",
    wrong=(
        Example("rnn", "dW += da.T @ x[t]", "da.T @ x[t]"),
        Example("rnn", "db += da.sum(axis=0)", "db = db + 0 * da.sum(axis=0)"),
    ),
    right=(
        Example("rnn", "dW += da.T @ x[t]", "dW = da.T @ x[t] + dW"),
        Example("rnn", "db += da.sum(axis=0)", "db = db + np.ones(len(da)) @ da"),
    ),
)

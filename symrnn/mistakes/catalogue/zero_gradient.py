"""Gradients that are never computed."""

from __future__ import annotations

from symrnn.mistakes.mistake_class import MistakeClass

TAG = "zero-gradient"

MISTAKE = MistakeClass(
    TAG,
    "a gradient is never computed, not added up, or not returned",
    precedence=310,
    found_by="zeros throughout, measured without a cell",
)

"""Hand-written recurrent layers with backward passes, in many people's styles, and the mistakes people make in them."""

from __future__ import annotations

from tests.diagnosis.corpus.loading import (
    NAMES,
    Implementation,
    compatible,
    implementations,
    load,
    pairs,
    source,
    triples,
)
from tests.diagnosis.corpus.planted import LARGE, Planted

__all__ = [
    "LARGE",
    "NAMES",
    "Implementation",
    "Planted",
    "compatible",
    "implementations",
    "load",
    "pairs",
    "source",
    "triples",
]

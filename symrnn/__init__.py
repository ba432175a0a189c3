"""Derive, generate and verify recurrent neural network cells from one definition.

The names below are loaded when they are first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symrnn import cells, interop
    from symrnn.calculus.derivation import derive
    from symrnn.calculus.jacobian import jacobian, paths
    from symrnn.errors import SymrnnError
    from symrnn.generation import generate
    from symrnn.identification import identify
    from symrnn.language import cell
    from symrnn.language.recurrence import Cell
    from symrnn.verification import equivalent, verify

__version__ = "0.1.0"
__all__ = [
    "Cell",
    "SymrnnError",
    "cell",
    "cells",
    "derive",
    "equivalent",
    "generate",
    "identify",
    "interop",
    "jacobian",
    "paths",
    "verify",
]

_MODULES = ("cells", "interop")
_HOMES = {
    "Cell": "symrnn.language.recurrence",
    "SymrnnError": "symrnn.errors",
    "cell": "symrnn.language",
    "derive": "symrnn.calculus.derivation",
    "equivalent": "symrnn.verification",
    "generate": "symrnn.generation",
    "identify": "symrnn.identification",
    "jacobian": "symrnn.calculus.jacobian",
    "paths": "symrnn.calculus.jacobian",
    "verify": "symrnn.verification",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"symrnn.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'symrnn' has no attribute {name!r}")
    importlib.import_module("symrnn.documents")  # expressions and derivations print themselves through it
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])

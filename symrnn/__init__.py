"""Derive, generate and verify recurrent neural network cells from one definition.

The names below are loaded when they are first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from symrnn.version import __version__ as __version__

# For type checkers and editors only: at run time `__getattr__` loads each name's module when it is first asked for. All
# of them take about 1.7 s, most of it SymPy's.
if TYPE_CHECKING:
    from symrnn import cells, interop
    from symrnn.algebra.simplify import simplify
    from symrnn.calculus.derivation import derive
    from symrnn.calculus.differing import diff
    from symrnn.calculus.jacobian import jacobian
    from symrnn.calculus.parameters import parameter_jacobian
    from symrnn.calculus.paths import count_paths, paths
    from symrnn.calculus.rtrl import rtrl
    from symrnn.calculus.second_order import second_order
    from symrnn.calculus.tangent import tangent
    from symrnn.calculus.through_time import through_time
    from symrnn.calculus.truncated import truncated
    from symrnn.diagnosis.exposing import exposing_inputs
    from symrnn.equivalence.equivalent import equivalent
    from symrnn.errors import SymrnnError
    from symrnn.gradients.check import check_gradients
    from symrnn.identification import identify
    from symrnn.language import cell
    from symrnn.language.recurrence import Cell
    from symrnn.pictures import draw
    from symrnn.printers.notation import Notation
    from symrnn.proofs.formulas import equal, prove
    from symrnn.proofs.jacobians import paths_add_up
    from symrnn.proofs.theorems import theorems
    from symrnn.targets.generation import generate
    from symrnn.verification.checks import verify


__all__ = [
    "Cell",
    "Notation",
    "SymrnnError",
    "cell",
    "cells",
    "check_gradients",
    "count_paths",
    "derive",
    "diff",
    "draw",
    "equal",
    "equivalent",
    "exposing_inputs",
    "generate",
    "identify",
    "interop",
    "jacobian",
    "parameter_jacobian",
    "paths",
    "paths_add_up",
    "prove",
    "rtrl",
    "second_order",
    "simplify",
    "stack",
    "tangent",
    "theorems",
    "through_time",
    "truncated",
    "verify",
]

_MODULES = ("cells", "interop", "testing")
_HOMES = {
    "Cell": "symrnn.language.recurrence",
    "Notation": "symrnn.printers.notation",
    "SymrnnError": "symrnn.errors",
    "cell": "symrnn.language",
    "check_gradients": "symrnn.gradients.check",
    "count_paths": "symrnn.calculus.paths",
    "derive": "symrnn.calculus.derivation",
    "diff": "symrnn.calculus.differing",
    "draw": "symrnn.pictures",
    "equal": "symrnn.proofs.formulas",
    "equivalent": "symrnn.equivalence.equivalent",
    "exposing_inputs": "symrnn.diagnosis.exposing",
    "generate": "symrnn.targets.generation",
    "identify": "symrnn.identification",
    "jacobian": "symrnn.calculus.jacobian",
    "parameter_jacobian": "symrnn.calculus.parameters",
    "paths": "symrnn.calculus.paths",
    "paths_add_up": "symrnn.proofs.jacobians",
    "prove": "symrnn.proofs.formulas",
    "rtrl": "symrnn.calculus.rtrl",
    "second_order": "symrnn.calculus.second_order",
    "simplify": "symrnn.algebra.simplify",
    "stack": "symrnn.heads.stacking",
    "tangent": "symrnn.calculus.tangent",
    "theorems": "symrnn.proofs.theorems",
    "through_time": "symrnn.calculus.through_time",
    "truncated": "symrnn.calculus.truncated",
    "verify": "symrnn.verification",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"symrnn.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'symrnn' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])

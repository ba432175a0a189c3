"""Functions of SymPy scalars whose derivative is stated rather than that of their value."""

from __future__ import annotations

from typing import Any

import sympy


class Constant(sympy.Function):
    """The value of x, whose derivative is 0."""

    nargs = 1

    @classmethod
    def eval(cls, x: Any) -> Any:
        """The value at a number."""
        return x if x.is_number else None

    def fdiff(self, argindex: int = 1) -> Any:
        """The derivative."""
        return sympy.S.Zero


class Surrogate(sympy.Function):
    """The value of x, whose derivative is that of z."""

    nargs = 2

    @classmethod
    def eval(cls, x: Any, z: Any) -> Any:
        """The value at numbers."""
        return x if x.is_number and z.is_number else None

    def fdiff(self, argindex: int = 1) -> Any:
        """The derivative with respect to x, and to z."""
        return sympy.Integer(argindex - 1)

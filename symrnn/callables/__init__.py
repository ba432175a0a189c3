"""Somebody's functions, called safely: one black box, its arguments, and what it returns."""

from symrnn.callables.adapters import from_globals, from_object
from symrnn.callables.losses import from_loss
from symrnn.callables.tensors import from_jax, from_torch

__all__ = ["from_globals", "from_jax", "from_loss", "from_object", "from_torch"]

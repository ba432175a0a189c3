"""What has its backward pass in itself: one object in place of two functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from symrnn.callables.adapters import Pair
from symrnn.callables.draws import Inputs
from symrnn.callables.losses import from_loss
from symrnn.callables.tensors import find_framework, from_jax, from_torch
from symrnn.errors import InputError

OF_FRAMEWORKS: Mapping[str, Callable[..., Pair]] = MappingProxyType({"torch": from_torch, "jax": from_jax})
"""Framework -> what makes a pair of something with a hand-written derivative."""


def as_pair(whole: Any, inputs: Inputs) -> Pair:
    """Forward, backward and inputs of what has both passes in it.

    Args:
        whole: a `torch.autograd.Function`, a PyTorch module with a method `backward`, a function with
            `jax.custom_vjp`; or a function that returns a loss and its gradients.
        inputs: its arguments by name, or a function that makes them.

    Raises:
        InputError: it cannot be called.
    """
    if not callable(whole):
        raise InputError(f"forward: expected a function, got {type(whole).__name__}\n  pass the function itself")
    framework = find_framework(whole)
    return OF_FRAMEWORKS[framework](whole, inputs) if framework else from_loss(whole, inputs)

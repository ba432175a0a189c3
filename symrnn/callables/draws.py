"""Inputs that are fixed, or made anew by a seeded function of the user's: of other lengths too, if it takes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symrnn.callables.invocation import call, refuse, signature
from symrnn.callables.trees import Tree, copy_tree, is_complex, leaves
from symrnn.errors import InputError

Inputs = Mapping[str, Any] | Callable[..., Any]
"""Arguments of forward by name; or a function of a generator, or of `rng`, `T` and `N`, that makes them."""

GENERATORS = ("rng", "generator", "gen", "random", "random_state", "key")
"""What people call a generator of random numbers."""
_ROLES = {
    "rng": GENERATORS,
    "seed": ("seed",),
    "T": (
        "T",
        "t",
        "steps",
        "length",
        "time",
        "seq_len",
        "seq_length",
        "sequence_length",
        "n_steps",
        "timesteps",
        "num_steps",
    ),
    "N": ("N", "n", "batch", "batch_size", "B", "examples", "n_batch", "num_examples"),
}
_PARAMETERS = {word: role for role, words in _ROLES.items() for word in words}
_USUAL = {"T": 5, "N": 3}


class Draws:
    """Where the inputs come from.

    Args:
        inputs: a dict of arguments of forward, or a function that makes one: of `rng`, or of `rng`, `T` and `N`.

    Raises:
        InputError: it is neither, or takes parameters that have no meaning here.
    """

    def __init__(self, inputs: Inputs) -> None:
        self._make = inputs if callable(inputs) and not isinstance(inputs, Mapping) else None
        self._fixed = None if self._make is not None else _checked(inputs)
        self._roles = {} if self._make is None else _roles(self._make)

    @property
    def varied(self) -> frozenset[str]:
        """Which of `rng`, `T` and `N` can be chosen."""
        found = set(self._roles.values())
        return frozenset(("rng" if role == "seed" else role) for role in found)

    def first(self, seed: int) -> dict[str, Tree]:
        """The inputs that are checked."""
        made = self.made(seed)
        try:
            return copy_tree(self._fixed) if made is None else made
        except MemoryError:
            sizes = {
                p: np.size(leaf) for name, tree in (self._fixed or {}).items() for p, leaf in leaves(name, tree).items()
            }
            path = max(sizes, key=lambda one: sizes[one])
            raise InputError(
                f"inputs: {path} has {sizes[path]:.0e} entries, more than there is memory for\n"
                "  give smaller arrays: every call gets copies of them"
            ) from None

    def made(self, seed: int, T: int | None = None, N: int | None = None) -> dict[str, Tree] | None:
        """Inputs of another seed, or other sizes; None where the function does not take them."""
        wanted = {"T": T, "N": N}
        if self._make is None or any(value is not None and role not in self.varied for role, value in wanted.items()):
            return None
        if not self._roles:
            return None if self._fixed is not None else _checked(call("inputs", self._make, (), {}))
        values: dict[str, Any] = {"rng": np.random.default_rng(seed), "seed": seed}
        known = signature(self._make)
        positional: list[Any] = []
        named: dict[str, Any] = {}
        for name, role in self._roles.items():
            parameter = None if known is None else known.parameters.get(name)
            value = values.get(role, wanted.get(role))
            # The length that its author chose is the length that the functions are meant for.
            if value is None and parameter is not None and parameter.default is not parameter.empty:
                continue
            value = _USUAL[role] if value is None else value
            if parameter is None or parameter.kind is parameter.POSITIONAL_ONLY:
                positional.append(value)
            else:
                named[name] = value
        return _checked(call("inputs", self._make, positional, named))


def _roles(make: Callable[..., Any]) -> dict[str, str]:
    """Parameter -> what goes in; a first parameter of any other name is the generator."""
    known = signature(make)
    if known is None:
        return {"rng": "rng"}
    roles: dict[str, str] = {}
    for place, parameter in enumerate(known.parameters.values()):
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        required = parameter.default is parameter.empty
        # Whatever it is called, a function of one argument that makes random inputs takes a generator.
        role = _PARAMETERS.get(parameter.name) or ("rng" if place == 0 and required else None)
        if role is not None:
            roles[parameter.name] = role
        elif required:
            raise InputError(
                f"inputs: the function that makes them needs {parameter.name!r}, which has no meaning here\n"
                "  let it take rng, or rng, T and N"
            )
    return roles


def _checked(inputs: Any) -> dict[str, Tree]:
    if not isinstance(inputs, Mapping):
        raise InputError(
            f"inputs: expected a dict of forward's arguments by name, got {type(inputs).__name__}\n"
            "  such as {'x': x, 'W': W}, or a function of rng that returns it"
        )
    if not all(isinstance(name, str) for name in inputs):
        raise InputError("inputs: expected names of forward's arguments as keys\n  such as {'x': x, 'W': W}")
    for name, tree in inputs.items():
        for path, leaf in leaves(name, tree).items():
            if is_complex(leaf):
                raise refuse("complex-input", f"{path} is complex; gradients here are of functions of real numbers")
    return dict(inputs)

"""The weights of somebody's object: the arrays in it that the outputs of its forward pass depend on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symrnn.callables.comparison import measure_gap
from symrnn.callables.conventions import names_start
from symrnn.callables.outputs import flatten
from symrnn.callables.places import HeldPlace, list_arrays, read_place
from symrnn.callables.trees import Tree, copy_tree
from symrnn.callables.twins import copy_owner
from symrnn.errors import InputError

_MOVED = 0.1
"""By how much an array is moved, beside its size: enough to be seen behind saturated functions, and no other regime."""


def find_weights(owner: Any, forward: HeldPlace, inputs: Mapping[str, Tree], outputs: Sequence[str] = ()) -> list[str]:
    """The places of arrays of floats that the outputs depend on; without initial states, which are not trained.

    Args:
        owner: the object; it is left as it was.
        forward: its method.
        inputs: the method's arguments.
        outputs: the attributes in which it leaves its outputs, if it does not return them.

    Raises:
        InputError: forward raises.
    """
    arrays = {path: array for path, array in list_arrays(owner).items() if not names_start(path)}
    still = _answer(owner, forward, inputs, outputs, {})
    found = []
    for path, array in arrays.items():
        # A seed of its own: what is found does not depend on what else the object holds.
        rng = np.random.default_rng(len(path))
        moved = array + _MOVED * (1 + np.abs(array)) * rng.normal(size=array.shape)
        try:
            # By identity: the copy gets the moved array wherever the object holds this one, under several names too.
            answer = _answer(owner, forward, inputs, outputs, {id(array): moved.astype(array.dtype)})
        except InputError:  # what cannot be changed, such as a table of something, is no weight
            continue
        if measure_gap(still, answer)[0] > 0:
            found.append(path)
    return found


def _answer(
    owner: Any, forward: HeldPlace, inputs: Mapping[str, Tree], outputs: Sequence[str], changed: dict[int, Any]
) -> dict[str, Any]:
    twin = copy_owner(owner, dict(changed))
    try:
        with np.errstate(all="ignore"):
            returned = forward.read(twin)(**copy_tree(dict(inputs)))
        left = [read_place(one).read(twin) for one in outputs]
    except Exception as error:
        what = " ".join(str(error).split())[:200]
        raise InputError(
            f"from_object: {forward} raises {type(error).__name__}: {what}\n"
            "  give its arguments by name as inputs=, or name the weights as attributes="
        ) from None
    return flatten(left if outputs else returned)

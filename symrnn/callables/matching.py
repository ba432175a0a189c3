"""What somebody's function returns beside its outputs, matched with the weights whose gradients are wanted."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from symrnn.callables.conventions import LOSSES, gradients_of
from symrnn.callables.invocation import SubjectError, refuse
from symrnn.callables.trees import Tree, children, make_flat_names

Words = Sequence[str | None] | None
"""What the values of a `return` are called in the source; None where that is not known."""

LossParts = tuple[Any, list[Any], list[str | None]]
"""A loss, what else was returned, and what that is called in the source."""


def divide_loss(returned: Any, words: Words, place: int | None = None) -> LossParts:
    """The loss among what a function returns, everything else, and what that is called.

    Args:
        returned: what it returned: a number, or a tuple, list or dict with one in it.
        words: what its parts are called in the source.
        place: where the loss is; None to find it: by its name, or the first single number.

    Raises:
        SubjectError: there is no single number in it.
    """
    if (fields := fields_of(returned)) is not None:
        keys = list(fields)
        key = next((key for key in keys if key in LOSSES), None) or next(
            (key for key in keys if _is_single(fields[key])), None
        )
        if key is None:
            raise _without_loss(f"a dict of {', '.join(keys[:6])}")
        return as_scalar(fields[key]), [fields[one] for one in keys if one != key], [one for one in keys if one != key]
    if _is_single(returned):
        return as_scalar(returned), [], []
    if not isinstance(returned, tuple | list):
        raise _without_loss("nothing" if returned is None else f"a {type(returned).__name__}")
    items = list(returned)
    called = list(words) if words is not None and len(words) == len(items) else [None] * len(items)
    if place is None:
        named = (n for n, word in enumerate(called) if word in LOSSES and _is_single(items[n]))
        single = (n for n, item in enumerate(items) if _is_single(item))
        # A name before a size: an accuracy is a single number as well, and may stand in front of the loss.
        place = next(named, None)
        place = next(single, 0) if place is None else place
    place %= len(items)
    rest = [n for n in range(len(items)) if n != place]
    return as_scalar(items[place]), [items[n] for n in rest], [called[n] for n in rest]


def _without_loss(what: str) -> SubjectError:
    return refuse(
        "no-loss",
        f"the function should return a loss, and returns {what}\n  let it return a single number, alone or with other "
        "values; or name the attribute that has the loss as outputs=",
    )


def as_scalar(value: Any) -> Any:
    """A single number out of its array."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        return value
    return array.reshape(())[()] if array.size == 1 and array.dtype.kind in "fc" else value


def _is_single(value: Any) -> bool:
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        return False
    return array.size == 1 and array.dtype.kind in "fc"


def match_gradients(items: Sequence[Any], words: Sequence[str | None], wanted: Mapping[str, Tree]) -> dict[str, Any]:
    """Weight -> its gradient among some values.

    A dict or an object with fields is looked into by its keys; a value with a name goes by that; a list of as many
    values as there are weights by its order; what is left by the order, if the shapes fit.

    Args:
        items: the values.
        words: what each of them is called, if that is known.
        wanted: the weights by name.
    """
    found: dict[str, Any] = {}
    flat = make_flat_names(list(wanted))
    for item in items:
        fields = fields_of(item)
        if fields is not None:
            found |= _in_fields(item, fields, {one: name for one, name in flat.items() if name not in found}, wanted)
    open_ones = {one: name for one, name in flat.items() if name not in found}
    named = gradients_of([word for word in words if word], open_ones)
    for item, word in zip(items, words, strict=True):
        if word in named and fields_of(item) is None:
            found[open_ones[named[word]]] = item
    rest = {name: tree for name, tree in wanted.items() if name not in found}
    loose = [item for item in items if fields_of(item) is None and not any(item is one for one in found.values())]
    for item in loose:
        if isinstance(item, tuple | list) and len(item) == len(rest) and all(map(_fits, item, rest.values())):
            return found | dict(zip(rest, item, strict=True))
    # In order only where every shape fits: with one missing, each would be taken for its neighbour.
    fitting = [item for item in loose if any(_fits(item, tree) for tree in rest.values())]  # a last state does not
    if len(fitting) == len(rest) and all(map(_fits, fitting, rest.values())):
        found |= dict(zip(rest, fitting, strict=True))
    return found


def _in_fields(
    item: Any, fields: Mapping[str, Any], flat: Mapping[str, str], wanted: Mapping[str, Tree]
) -> dict[str, Any]:
    """The gradients in a dict: of several weights, or of one that is a dict itself."""
    for name in flat.values():
        inside = fields_of(wanted[name])
        if inside and len(gradients_of(fields, inside)) == len(inside):
            return {name: item}
    last = {name.rstrip("]'\"").split(".")[-1].split("[")[-1].strip("'\""): name for name in flat.values()}
    found = {flat[one]: fields[key] for key, one in gradients_of(fields, flat).items()}
    if len(last) == len(flat):
        spare = {one: name for one, name in last.items() if name not in found}
        found |= {spare[one]: fields[key] for key, one in gradients_of(fields, spare).items()}
    return found


def _fits(item: Any, weight: Tree) -> bool:
    if children("", weight) is not None:
        return children("", item) is not None
    try:
        return bool(np.shape(item) == np.shape(weight))
    except ValueError:
        return False


def fields_of(value: Any) -> dict[str, Any] | None:
    """What has named parts, as a dict; None for anything else."""
    if isinstance(value, Mapping):
        return {str(key): part for key, part in value.items()} if not _counts(value) else None
    if hasattr(value, "_fields") and isinstance(value, tuple):
        return dict(zip(value._fields, value, strict=True))  # type: ignore[attr-defined]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return dict(vars(value)) if isinstance(value, SimpleNamespace) else None


def _counts(value: Mapping[Any, Any]) -> bool:
    """Whether a dict is a list in disguise: its keys are step numbers."""
    return bool(value) and all(isinstance(key, int | np.integer) for key in value)


def join_returned(
    left: dict[str, Any], returned: Any, words: Words, given: Sequence[str], weights: Sequence[str]
) -> Any:
    """What a backward pass left behind, with what it returned; as it came where nothing was left.

    Args:
        left: weight -> its gradient in attributes or globals.
        returned: what backward returned; some of `left` may be in it again.
        words: what that is called in the source.
        given: the names of all inputs.
        weights: those of them that are weights.
    """
    if returned is None:
        return left
    if isinstance(returned, Mapping):
        known = gradients_of(list(map(str, returned)), given)
        return left | {known.get(str(key), str(key)): value for key, value in returned.items()}
    items = list(returned) if isinstance(returned, tuple | list) else [returned]
    called = list(words) if words is not None and len(words) == len(items) else [None] * len(items)
    fresh = [n for n, item in enumerate(items) if not any(item is value for value in left.values())]
    rest = [name for name in given if name not in left and (name not in weights or not left)]
    named = gradients_of([word for n in fresh if (word := called[n])], rest)
    if fresh and len(named) == len(fresh):
        return left | {named[str(called[n])]: items[n] for n in fresh}
    data = [name for name in given if name not in weights]
    if left or len(fresh) == len(data):
        return left | dict(zip(data, [items[n] for n in fresh], strict=False))
    return returned

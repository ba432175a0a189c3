"""Other ways to hold weights and gradients, each made a plain pair of functions by one call.

Every adapter gives `(forward, backward, inputs)`, as `check_gradients(*...)` takes them.  What they set for a call,
they put back after it, also where the code under test raises.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from symrnn.callables.conventions import BAGS, gradients_of, names_start
from symrnn.callables.invocation import signature
from symrnn.callables.trees import copy_leaf, copy_tree
from symrnn.errors import InputError

Pair = tuple[Callable[..., Any], Callable[..., Any], dict[str, Any]]


def from_object(
    obj: Any,
    forward: str = "forward",
    backward: str = "backward",
    attributes: Sequence[str] = (),
    gradients: Mapping[str, str] | str | None = None,
    inputs: Mapping[str, Any] | None = None,
) -> Pair:
    """A class that keeps its weights in attributes.

    Args:
        obj: the object; it is left as it was.
        forward: its method for the forward pass, which takes `inputs` by name.
        backward: its method for the backward pass, which takes one cotangent an output and may return gradients of
            `inputs`.
        attributes: the attributes that are weights, such as `("W", "b")`.
        gradients: where backward leaves their gradients: a dict from attribute to attribute, such as `{"W": "dW"}`;
            the name of an attribute that holds a dict of them; or None for `dW`, `grad_W`, ... or a dict `grads`.
        inputs: the arguments of forward.

    Returns:
        forward, backward and inputs; the weights are inputs by the names of their attributes.

    Raises:
        InputError: the object has no such method or attribute.
    """
    for name in (forward, backward, *attributes):
        if not hasattr(obj, name):
            raise InputError(
                f"from_object: {type(obj).__name__} has no {name!r}\n  name its own methods and attributes"
            )
    weights = {name: copy_leaf(getattr(obj, name)) for name in attributes}
    given = _join_arguments("from_object", weights, inputs)

    def run(**arguments: Any) -> Any:
        twin = _copy_object(obj)
        for name in attributes:
            setattr(twin, name, arguments.pop(name))
        return getattr(twin, forward)(**arguments), twin

    def pull(*cotangents: Any, held_cache: Any, **named: Any) -> dict[str, Any]:
        returned = getattr(held_cache, backward)(*cotangents, **named)
        left = _collect_left(vars(held_cache) if hasattr(held_cache, "__dict__") else {}, list(attributes), gradients)
        return _join(left, returned, [name for name in given if name not in weights])

    return _divide(run, _imitate(getattr(obj, backward), pull), given)


def from_globals(
    namespace: Any,
    forward: Callable[..., Any] | str = "forward",
    backward: Callable[..., Any] | str = "backward",
    names: Sequence[str] = (),
    gradients: Mapping[str, str] | str | None = None,
    inputs: Mapping[str, Any] | None = None,
) -> Pair:
    """Functions that read their weights from a module's globals.

    Args:
        namespace: the module, or its dict (`globals()`); it is left as it was.
        forward: the forward pass, or its name there.
        backward: the backward pass, or its name there.
        names: the globals that are weights.
        gradients: where backward leaves their gradients, as for `from_object`; None also where it returns them.
        inputs: the arguments of forward.

    Raises:
        InputError: there is no such function or global.
    """
    held: MutableMapping[str, Any] = namespace if isinstance(namespace, MutableMapping) else vars(namespace)
    for name in (*names, *(one for one in (forward, backward) if isinstance(one, str))):
        if name not in held:
            raise InputError(f"from_globals: there is no {name!r}\n  name functions and weights of that module")
    first, second = (held[one] if isinstance(one, str) else one for one in (forward, backward))
    weights = {name: copy_leaf(held[name]) for name in names}
    given = _join_arguments("from_globals", weights, inputs)

    def run(**arguments: Any) -> Any:
        values = {name: arguments.pop(name) for name in names}
        with _set_for_a_while(held, values):
            returned = first(**arguments)
            return returned, dict(held)  # what forward has left in other globals is its cache

    def pull(*cotangents: Any, held_cache: Any, **named: Any) -> dict[str, Any]:
        with _set_for_a_while(held, {name: value for name, value in held_cache.items() if _is_data(name, value)}):
            returned = second(*cotangents, **named)
            left = _collect_left(held, list(names), gradients)
        return _join(left, returned, [name for name in given if name not in left])

    return _divide(run, _imitate(second, pull), given)


def from_loss(
    function: Callable[..., Any],
    inputs: Mapping[str, Any],
    gradients: Sequence[str | None],
    loss: int = 0,
    weights: Any = None,
    names: Sequence[str] = (),
) -> Pair:
    """A function that returns a scalar loss and its gradients at once, such as `loss, dW, db, h = f(x, y, h0)`.

    An initial state whose gradient is not among them is taken to be left out on purpose: such functions are called
    chunk after chunk, and nothing is carried back from one to the other.

    Args:
        function: the function; it takes `inputs` by name.
        inputs: its arguments.
        gradients: whose gradient each further return value is, in order and without the loss; None for other values,
            such as the last state.
        loss: the place of the loss in what is returned.
        weights: the module, or dict, that holds its weights, if they are globals; it is left as it was.
        names: the globals that are weights.

    Raises:
        InputError: a gradient's name is neither an argument nor a weight.
    """
    held: MutableMapping[str, Any] = (
        {} if weights is None else weights if isinstance(weights, MutableMapping) else vars(weights)
    )
    absent = [name for name in names if name not in held]
    if absent:
        raise InputError(f"from_loss: there is no {absent[0]!r} among the weights\n  name globals of that module")
    given = _join_arguments("from_loss", {name: copy_leaf(held[name]) for name in names}, inputs)
    strange = [name for name in gradients if name is not None and name not in given]
    if strange:
        raise InputError(f"from_loss: {strange[0]!r} is no argument and no weight\n  use None for what is no gradient")

    def run(**arguments: Any) -> Any:
        values = {name: arguments.pop(name) for name in names}
        with _set_for_a_while(held, values):
            returned = function(**arguments)
        if not isinstance(returned, tuple | list) or len(returned) != len(gradients) + 1:
            raise ValueError(f"it should return the loss and {len(gradients)} further values")
        rest = [value for place, value in enumerate(returned) if place != loss % len(returned)]
        return _as_scalar(returned[loss]), rest

    def pull(cache: Any) -> dict[str, Any]:
        named = {name: value for name, value in zip(gradients, cache, strict=True) if name is not None}
        return {name: None for name in given if names_start(name)} | named

    return _name(run, "forward"), pull, given


def _as_scalar(value: Any) -> Any:
    array = np.asarray(value)
    return array.reshape(())[()] if array.size == 1 and array.dtype.kind in "fc" else value


def _join_arguments(where: str, weights: dict[str, Any], inputs: Mapping[str, Any] | None) -> dict[str, Any]:
    both = set(weights) & set(inputs or {})
    if both:
        raise InputError(f"{where}: {sorted(both)[0]!r} is a weight and an argument\n  name it once")
    return {**copy_tree(dict(inputs or {})), **weights}


def _divide(run: Callable[..., Any], pull: Callable[..., Any], given: dict[str, Any]) -> Pair:
    """Forward with one cache at the end, where the code itself may return several outputs."""

    def forward(**arguments: Any) -> Any:
        returned, cache = run(**arguments)
        return (*returned, cache) if type(returned) is tuple else (returned, cache)

    return forward, pull, given


def _imitate(theirs: Callable[..., Any], pull: Callable[..., Any]) -> Callable[..., Any]:
    """The backward pass with the parameters of the code under test, and one more for what its forward left."""
    known = signature(theirs)
    if known is not None:
        held = inspect.Parameter("held_cache", inspect.Parameter.KEYWORD_ONLY)
        last = [p for p in known.parameters.values() if p.kind is p.VAR_KEYWORD]
        others = [p for p in known.parameters.values() if p.kind is not p.VAR_KEYWORD]
        pull.__signature__ = inspect.Signature([*others, held, *last])  # type: ignore[attr-defined]
    return _name(pull, getattr(theirs, "__name__", "backward"))


def _name(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    function.__name__ = name
    return function


def _copy_object(obj: Any) -> Any:
    """A copy of an object that shares nothing with it that a method may change."""
    twin = copy_leaf(obj)
    if twin is obj:
        twin = object.__new__(type(obj))
        twin.__dict__.update({name: copy_leaf(value) for name, value in vars(obj).items()})
    return twin


def _collect_left(held: Mapping[str, Any], names: list[str], places: Mapping[str, str] | str | None) -> dict[str, Any]:
    """The gradients that backward left in attributes or globals."""
    if isinstance(places, Mapping):
        return {name: held.get(place) for name, place in places.items()}
    bag = held.get(places) if places is not None else next((held[one] for one in BAGS if _is_bag(held.get(one))), None)
    if _is_bag(bag):
        assert isinstance(bag, Mapping)
        return {name: bag[key] for key, name in gradients_of([*map(str, bag)], names).items()}
    if isinstance(bag, list | tuple) and len(bag) == len(names):
        return dict(zip(names, bag, strict=True))
    others = [name for name in held if name not in names and isinstance(held[name], np.ndarray | float)]
    return {name: held[key] for key, name in gradients_of(others, names).items()}


def _is_bag(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value)


def _join(left: dict[str, Any], returned: Any, rest: list[str]) -> dict[str, Any]:
    """What backward left behind, with what it returned for the other inputs."""
    if returned is None:
        return left
    if isinstance(returned, Mapping):
        known = gradients_of(list(map(str, returned)), [*left, *rest])
        return left | {known.get(str(key), str(key)): value for key, value in returned.items()}
    items = list(returned) if isinstance(returned, tuple | list) else [returned]
    kept = [item for item in items if not any(item is value for value in left.values())]  # returned and left as well
    return left | dict(zip(rest, kept, strict=False))


@contextmanager
def _set_for_a_while(held: MutableMapping[str, Any], values: Mapping[str, Any]) -> Iterator[None]:
    """Set some names, and put everything back in the end."""
    before = dict(held)
    data = {name: copy_leaf(value) for name, value in before.items() if _is_data(name, value) and name not in values}
    held.update(values)
    held.update(data)  # so that a function that changes an array changes a copy
    try:
        yield
    finally:
        for name in list(held):
            if name not in before:
                del held[name]
        held.update(before)


def _is_data(name: str, value: Any) -> bool:
    return not name.startswith("__") and isinstance(value, np.ndarray | list | dict | float | int | tuple)

"""Other ways to hold weights and gradients, each made a plain pair of functions by one call.

Every adapter gives `(forward, backward, inputs)`, as `check_gradients(*...)` takes them.  What they set for a call,
they put back after it, also where the code under test raises.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symrnn.arguments import listed
from symrnn.callables.conventions import names_cache, names_cotangent
from symrnn.callables.draws import Draws, Inputs
from symrnn.callables.finding_weights import find_weights
from symrnn.callables.invocation import signature
from symrnn.callables.keeping import (
    Function,
    Supplied,
    WeightKeeper,
    find_place,
    find_rates,
    find_supplied,
    imitated,
)
from symrnn.callables.matching import LossParts, divide_loss, join_returned, match_gradients
from symrnn.callables.places import named_parts, read_place
from symrnn.callables.putting_off import ChangesMade
from symrnn.callables.trees import Tree, copy_tree, is_float, leaves
from symrnn.callables.written import read_returned_names
from symrnn.errors import InputError

Pair = tuple[Callable[..., Any], Callable[..., Any], Inputs]
Where = Mapping[str, str] | str | None


def from_object(
    obj: Any,
    forward: str = "forward",
    backward: str | None = "backward",
    attributes: Sequence[str] | str | None = None,
    gradients: Where = None,
    inputs: Inputs | None = None,
    *,
    outputs: Sequence[str] | str | None = None,
    step: str | None = None,
    updates: Mapping[str, Any] | None = None,
) -> Pair:
    """A class that keeps its weights in attributes.

    Args:
        obj: the object; it is left as it was.
        forward: its method for the forward pass, which takes `inputs` by name; such as `"forward"`, `"net.forward"`.
        backward: its method for the backward pass, which takes one cotangent an output and may return gradients of
            `inputs`.  Parameters that are called as attributes that forward has left are given these.  None where
            forward does it all: it returns the loss, or leaves it in an attribute (`outputs=`), and returns its
            gradients as well, or leaves them, or changes the weights (`updates=`).
        attributes: the places of its weights, such as `("W", "b")`, `("forget_gate.W", "layers[0].W")`, `"params"`; an
            attribute may hold a dict or list of arrays.  None for all arrays of floats that the outputs depend on.
        gradients: where backward leaves their gradients: a dict from place to place, such as `{"W": "dW"}`; the place
            of a dict or list of them; or None for `dW`, `grad_W`, ... or a dict `grads`, beside each weight or above.
        inputs: the arguments of forward; or a function of `rng`, or of `rng`, `T` and `N`, that makes them.
        outputs: the attributes in which forward leaves its outputs, where it does not return them.
        step: a method that is called after backward, such as `"update"`, `"optimizer.step"`.
        updates: the rule by which the weights are changed, with its rate, such as `{"sgd": 0.1}` or
            `{"adam": {"rate": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}}`; `momentum`, `nesterov`,
            `adagrad` and `rmsprop` are known too.  The gradients are then recovered from the change of the weights in
            one step; what the rule keeps is found among the attributes, and starts as it is there.

    Returns:
        forward, backward and inputs; the weights are inputs by their places.

    Raises:
        InputError: the object has no such method or attribute; a rule is not known.
    """
    where = "from_object"
    run, pull = _place(where, obj, forward), _place(where, obj, backward)
    assert run is not None
    if attributes is None:
        attributes = find_weights(obj, run, Draws(inputs or {}).first(0), _listed(outputs, "outputs"))
    keeper = WeightKeeper.of(where, obj, _listed(attributes, "attributes"), gradients, updates)
    return _pair(where, keeper, run, pull, inputs, _listed(outputs, "outputs"), _place(where, obj, step))


def from_globals(
    namespace: Any,
    forward: Callable[..., Any] | str = "forward",
    backward: Callable[..., Any] | str | None = "backward",
    names: Sequence[str] | str = (),
    gradients: Where = None,
    inputs: Inputs | None = None,
    *,
    outputs: Sequence[str] | str | None = None,
    step: Callable[..., Any] | str | None = None,
    updates: Mapping[str, Any] | None = None,
) -> Pair:
    """Functions that read their weights from a module's globals.

    Args:
        namespace: the module, or its dict (`globals()`); it is left as it was.
        forward: the forward pass, or its name there.
        backward: the backward pass, or its name there; None where forward does it all, as for `from_object`.
        names: the globals that are weights, or places in them: `"W"`, `"params"`, `"net.W"`.
        gradients: where backward leaves their gradients, as for `from_object`; None also where it returns them.
        inputs: the arguments of forward, or a function that makes them.
        outputs: the globals in which forward leaves its outputs, where it does not return them.
        step: a function that is called after backward, or its name there.
        updates: the rule by which the weights are changed, as for `from_object`.

    Raises:
        InputError: there is no such function or global; a rule is not known.
    """
    where = "from_globals"
    held: MutableMapping[str, Any] = namespace if isinstance(namespace, MutableMapping) else vars(namespace)
    keeper = WeightKeeper.of(where, held, _listed(names, "names"), gradients, updates)
    run, pull, after = (_place(where, held, one) if isinstance(one, str) else one for one in (forward, backward, step))
    assert run is not None
    return _pair(where, keeper, run, pull, inputs, _listed(outputs, "outputs"), after)


def _pair(
    where: str,
    keeper: WeightKeeper,
    run: Function,
    pull: Function | None,
    inputs: Inputs | None,
    outputs: Sequence[str],
    step: Function | None,
) -> Pair:
    given = join_inputs(where, keeper.weights, inputs)
    places = [read_place(one) for one in outputs]

    def push(arguments: Mapping[str, Any], twin: Any) -> Any:
        returned = keeper.call(twin, run, (), {k: value for k, value in arguments.items() if k not in keeper.places})
        left = tuple(place.read(twin) for place in places)
        return (left[0] if len(left) == 1 else left) if places else returned

    def paired(one: WeightKeeper) -> Pair:
        if pull is None:
            return _loss_pair(one, run, push, given, step)
        return _two_pair(one, (run, pull), push, given, step)

    pair = paired(keeper)
    if keeper.updates is not None:
        changes: list[ChangesMade] = []
        pair[1].put_off = ChangesPutOff(paired(replace(keeper, changes=changes))[1], changes)  # type: ignore[attr-defined]
    return pair


@dataclass(frozen=True)
class ChangesPutOff:
    """The same backward pass with every change of a weight put off to its end.

    Attributes:
        backward: the backward pass.
        changes: what each of its calls did to weights.
    """

    backward: Callable[..., Any]
    changes: list[ChangesMade]


def _two_pair(
    keeper: WeightKeeper,
    functions: tuple[Function, Function],
    push: Callable[[Mapping[str, Any], Any], Any],
    given: Inputs,
    step: Function | None,
) -> Pair:
    """A pair of two methods or functions."""
    theirs = keeper.find(functions[1])
    first = first_of(given)
    names = list(first)
    data = {name: value for name, value in first.items() if name not in keeper.places and is_float(value)}
    supplied = Supplied(_supplied(keeper, theirs, push, first), find_rates(theirs, names))
    words = read_returned_names(theirs)

    def forward(**arguments: Any) -> Any:
        twin = keeper.place({name: arguments[name] for name in keeper.places})
        returned = push(arguments, twin)
        return (*returned, twin) if type(returned) is tuple else (returned, twin)

    def backward(*cotangents: Any, held_cache: Any, **named: Any) -> Any:
        def run(twin: Any) -> Any:
            more = supplied.named(twin, keeper.updates)
            returned = keeper.call(twin, functions[1], cotangents, {**named, **more})
            if step is not None:
                take_step(keeper, twin, step)
            beside.update(keeper.left.of_inputs(twin, data))
            return returned

        beside: dict[str, Any] = {}
        left, returned, likely = keeper.pull(held_cache, run, still=_are_zero(cotangents))
        joined = join_returned(left, returned, words, names, list(keeper.places))
        return {**beside, **likely, **joined} if isinstance(joined, dict) else joined

    known = imitated(theirs, (*supplied.values, *supplied.rates))
    if known is not None:
        backward.__signature__ = known  # type: ignore[attr-defined]
    _name(backward, getattr(theirs, "__name__", "backward"), words)
    called = read_returned_names(keeper.find(functions[0]))
    return _name(forward, "forward", (*called, "held_cache") if called and all(called) else None), backward, given


def _supplied(
    keeper: WeightKeeper,
    theirs: Callable[..., Any],
    push: Callable[[Mapping[str, Any], Any], Any],
    first: Mapping[str, Tree],
) -> tuple[str, ...]:
    """The parameters of backward that take what forward has left in attributes or globals."""

    def is_known(name: str) -> bool:
        return names_cotangent(name) or names_cache(name)

    known = signature(theirs)
    needed = [p.name for p in (known.parameters.values() if known else ()) if p.default is p.empty]
    # Forward is run once to see what it leaves, which is spared where names say all.
    if len(needed) < 2 or all(name in first or is_known(name) for name in needed):
        return ()
    try:
        arguments = copy_tree(dict(first))
        twin = keeper.place({name: arguments[name] for name in keeper.places})
        push(arguments, twin)
    except Exception:  # it is said when it is called
        return ()
    return find_supplied(theirs, list(first), named_parts(twin), is_known)


def _loss_pair(
    keeper: WeightKeeper,
    run: Function,
    push: Callable[[Mapping[str, Any], Any], Any],
    given: Inputs,
    step: Function | None,
) -> Pair:
    """One method or function that computes a loss, and its gradients or the change of the weights."""
    theirs = keeper.find(run)
    words, names = read_returned_names(theirs), list(first_of(given))
    rates = Supplied((), find_rates(theirs, names))
    nothing: dict[str, Any] = dict.fromkeys(name for name in names if name not in keeper.places)

    def act(arguments: Mapping[str, Any], twin: Any) -> LossParts:
        return divide_loss(push({**arguments, **rates.named(twin, keeper.updates)}, twin), words)

    forward, pull = _told(keeper, act) if keeper.updates is None else _changing(keeper, act, step)

    def backward(held_cache: Any) -> dict[str, Any]:
        return nothing | pull(held_cache)

    backward.declined_inputs = frozenset(nothing)  # type: ignore[attr-defined]
    return _name(forward, "forward"), backward, given


_Act = Callable[[Mapping[str, Any], Any], LossParts]
_Two = tuple[Callable[..., Any], Callable[[Any], dict[str, Any]]]


def _told(keeper: WeightKeeper, act: _Act) -> _Two:
    """A loss whose gradients are returned beside it, or left in attributes or globals."""

    def forward(**arguments: Any) -> Any:
        values = {name: arguments[name] for name in keeper.places}
        left, parts, _ = keeper.pull(keeper.place(values), lambda twin: act(arguments, twin))
        return parts[0], (left, values, parts)

    def pull(held_cache: Any) -> dict[str, Any]:
        left, values, (_, rest, called) = held_cache
        wanted = {name: value for name, value in values.items() if name not in left}
        found: dict[str, Any] = left | match_gradients(rest, called, wanted)
        return found

    return forward, pull


def _changing(keeper: WeightKeeper, act: _Act, step: Function | None) -> _Two:
    """A loss beside which the weights change; that is looked at when it is asked for."""

    def forward(**arguments: Any) -> Any:
        own = copy_tree(arguments)
        values = {name: arguments[name] for name in keeper.places}
        return act(arguments, keeper.place(copy_tree(values)))[0], (keeper.place(values), own)

    def pull(held_cache: Any) -> dict[str, Any]:
        held, own = held_cache

        def run(twin: Any) -> None:
            act(copy_tree(own), twin)
            if step is not None:
                take_step(keeper, twin, step)

        return keeper.pull(held, run)[0]

    return forward, pull


def _are_zero(cotangents: Tree) -> bool:
    return not any(np.any(leaf) for leaf in leaves("", cotangents).values() if is_float(leaf))


def take_step(keeper: WeightKeeper, twin: Any, step: Function) -> None:
    """Call what changes the weights."""
    rates = Supplied((), find_rates(keeper.find(step), ()))
    keeper.call(twin, step, (), rates.named(twin, keeper.updates))


def _place(where: str, owner: Any, name: str | None) -> Any:
    return None if name is None else find_place(where, owner, name)


def _listed(names: Sequence[str] | str | None, what: str) -> tuple[str, ...]:
    return () if names is None else listed(names, what)


def _name(function: Callable[..., Any], name: str, words: Sequence[str | None] | None = None) -> Callable[..., Any]:
    function.__name__ = name
    if words is not None:
        function.returned_names = tuple(words)  # type: ignore[attr-defined]
    return function


# Inputs.


def join_inputs(where: str, weights: Mapping[str, Tree], inputs: Inputs | None) -> Inputs:
    """The arguments of forward with the weights: a dict, or a function that makes it.

    Raises:
        InputError: a weight is an argument as well.
    """
    first = Draws(inputs if inputs is not None else {}).first(0)
    if both := set(weights) & set(first):
        raise InputError(f"{where}: {sorted(both)[0]!r} is a weight and an argument\n  name it once")
    if inputs is None or isinstance(inputs, Mapping):
        return {**copy_tree(dict(inputs or {})), **weights}
    make = inputs

    def joined(*arguments: Any, **named: Any) -> dict[str, Any]:
        return {**make(*arguments, **named), **copy_tree(dict(weights))}

    # The signature says what can be drawn; of a function that Python knows no signature of, a generator is the
    # likeliest.
    rng = inspect.Parameter("rng", inspect.Parameter.POSITIONAL_ONLY)
    joined.__signature__ = signature(make) or inspect.Signature([rng])  # type: ignore[attr-defined]
    return joined


def first_of(given: Inputs) -> Mapping[str, Tree]:
    """The inputs, or the first that are made."""
    return given if isinstance(given, Mapping) else Draws(given).first(0)

"""Somebody's object, or a module's globals, that keeps weights: called with other weights, and left as it was."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.callables.conventions import RATES
from symrnn.callables.invocation import refuse, signature
from symrnn.callables.leaving import LeftGradients
from symrnn.callables.places import HeldPlace, list_arrays, read_place
from symrnn.callables.putting_off import ChangesMade, run_with_changes_put_off
from symrnn.callables.trees import Tree, copy_leaf, copy_tree, leaves, replace_leaves
from symrnn.callables.twins import copy_owner, place_weights, put_in_place
from symrnn.callables.updates import PRECISE, Updates, WeightChange, rounding
from symrnn.errors import InputError

Function = Callable[..., Any] | HeldPlace
"""Somebody's function, or the place of a method or global."""


@dataclass(frozen=True)
class WeightKeeper:
    """An object, or a dict of globals, with the places of its weights.

    Attributes:
        owner: the object, or the dict.
        places: name of a weight -> its place.
        left: where its gradients are left.
        updates: the rule by which it changes its weights itself, if it does.
        changes: takes what every call did to the weights, and has that put off to the end of the call; None to let
            them change as they do.
    """

    owner: Any
    places: Mapping[str, HeldPlace]
    left: LeftGradients
    updates: Updates | None = None
    changes: list[ChangesMade] | None = None

    @classmethod
    def of(
        cls, where: str, owner: Any, names: Sequence[str], gradients: Any = None, updates: Any = None
    ) -> WeightKeeper:
        """A keeper of the weights with these names.

        Raises:
            InputError: something named is not there; `where` says who was called.
        """
        places = {name: find_place(where, owner, name) for name in names}
        return cls(owner, places, LeftGradients(places, gradients), Updates.read(updates))

    @property
    def weights(self) -> dict[str, Tree]:
        """Name -> a copy of what the owner holds."""
        return {name: copy_tree(place.read(self.owner)) for name, place in self.places.items()}

    def place(self, values: Mapping[str, Tree]) -> Any:
        """A copy of the owner with these weights, and zeros where gradients are left."""
        twin = place_weights(self.owner, self.places, values)
        self.left.clear(twin)
        return twin

    def call(self, twin: Any, function: Function, arguments: Sequence[Any], named: Mapping[str, Any]) -> Any:
        """Call a function or method while a copy stands for the owner."""
        if not isinstance(self.owner, MutableMapping):
            return _resolve(twin, function)(*arguments, **named)
        # Functions read globals from the one dict that they were defined in: a copy of it would be read by none.
        with put_in_place(self.owner, twin):
            return _resolve(self.owner, function)(*arguments, **named)

    def find(self, function: Function) -> Callable[..., Any]:
        """The owner's own function or method."""
        return _resolve(self.owner, function)

    # Gradients.

    def pull(
        self, held: Any, run: Callable[[Any], Any], still: bool = False
    ) -> tuple[dict[str, Any], Any, dict[str, Any]]:
        """The gradients of weights that a call leaves behind, and what it returns.

        Args:
            held: the owner's copy, as it is before.
            run: calls what leaves gradients, or changes weights.
            still: whether weights may stay as they are, since the cotangents are zero.

        Returns:
            The gradients by name; what was returned; and what may be gradients of the other weights.
        """
        if self.updates is not None:
            return (*self._recover(held, run, still), {})
        twin = copy_owner(held) if isinstance(held, MutableMapping) else held
        self.left.clear(twin)  # a second call may add to the first one's
        before = {path: (array, array.copy()) for path, array in list_arrays(twin).items()} if self.places else {}
        returned = run(twin)
        left = self.left.find(twin)
        return left, returned, self.left.changed(before, twin, left)

    def _run_put_off(self, twin: Any, run: Callable[[Any], Any], changes: list[ChangesMade]) -> Any:
        returned: list[Any] = []

        def act() -> None:
            returned.append(run(twin))

        if isinstance(self.owner, MutableMapping):
            with put_in_place(self.owner, twin):
                changes.append(run_with_changes_put_off(act, self.owner, self.places))
        else:
            changes.append(run_with_changes_put_off(act, twin, self.places))
        return returned[0]

    def _recover(
        self, held: Any, run: Callable[[Any], Any], still: bool, dtype: Any = np.float64
    ) -> tuple[dict[str, Any], Any]:
        """Gradients out of the change of weights; in extended precision where the weights' own rounding hides it."""
        assert self.updates is not None
        old = {name: place.read(held) for name, place in self.places.items()}
        twin = place_weights(held, self.places, {name: _as_type(tree, dtype) for name, tree in old.items()})
        before = {path: array.copy() for path, array in list_arrays(twin).items()}
        returned = run(twin) if self.changes is None else self._run_put_off(twin, run, self.changes)
        # What an optimizer begins with its first step was zero.
        after = list_arrays(twin).items()
        buffers = [(before.get(path, np.zeros_like(array)), array) for path, array in after]
        new = {name: place.read(twin) for name, place in self.places.items()}
        then = {name: _as_type(tree, dtype) for name, tree in old.items()}
        found, coarse = recover(self.updates, then, new, buffers, still)
        # On some platforms extended precision is double precision under another name.
        if coarse > PRECISE and dtype is np.float64 and np.finfo(np.longdouble).eps < np.finfo(np.float64).eps:
            with contextlib.suppress(Exception):  # not everything is there in extended precision
                return self._recover(held, run, still, np.longdouble)
        return found, returned


def recover(
    updates: Updates,
    old: Mapping[str, Tree],
    new: Mapping[str, Tree],
    buffers: Sequence[tuple[Array, Array]],
    still: bool = False,
) -> tuple[dict[str, Tree], float]:
    """The gradients of weights that have changed, nested as they are, and the coarsest relative rounding of any.

    Args:
        updates: the rule.
        old: name -> weight, before.
        new: name -> weight, after.
        buffers: other arrays, before and after.
        still: whether weights may stay as they are.

    Raises:
        SubjectError: no weight has changed, or not as the rule says.
    """
    found: dict[str, Tree] = {}
    coarse, changed = 0.0, False
    for name, tree in old.items():
        then, now = leaves(name, tree), leaves(name, new[name])
        gradients: dict[str, Any] = {}
        for path, leaf in then.items():
            one, two = np.asarray(leaf), np.asarray(now.get(path, leaf))
            if one.dtype.kind != "f" or one.shape != two.shape:
                continue
            beside = [pair for pair in buffers if pair[0].shape == pair[1].shape == one.shape and pair[1] is not two]
            change = WeightChange(one, two, beside)
            gradients[path] = np.asarray(updates.recover(path, change), np.float64)
            coarse = max(coarse, rounding(change))
            changed |= bool(np.any(one != two))
        found[name] = replace_leaves(name, tree, gradients)
    if not (changed or still):
        remedy = "name the method that does as step=, or leave updates= out"
        raise refuse("no-update", f"updates= was given, and no weight changes\n  {remedy}")
    return found, coarse


def _as_type(tree: Tree, dtype: Any) -> Tree:
    floats = {
        path: np.array(leaf, dtype) if isinstance(leaf, np.ndarray) else leaf
        for path, leaf in leaves("", tree).items()
        if getattr(getattr(leaf, "dtype", None), "kind", "") == "f"
    }
    return copy_tree(replace_leaves("", tree, floats))


def find_place(where: str, owner: Any, name: str) -> HeldPlace:
    """The place with a name in an object, or in a dict of globals.

    Raises:
        InputError: there is nothing.
    """
    place = read_place(name)
    try:
        place.read(owner)
    except LookupError:
        if isinstance(owner, Mapping):
            problem = f"{where}: there is no {name!r}\n  name functions and weights of that module"
        else:
            problem = f"{where}: {type(owner).__name__} has no {name!r}\n  name its own methods and attributes"
        raise InputError(problem) from None
    return place


def _resolve(owner: Any, function: Function) -> Callable[..., Any]:
    found: Callable[..., Any] = function.read(owner) if isinstance(function, HeldPlace) else function
    return found


# What a backward pass takes beside cotangents.


@dataclass(frozen=True)
class Supplied:
    """Parameters of somebody's function that are filled without being inputs, cotangents or caches.

    Attributes:
        values: parameter -> the attribute that goes in.
        rates: parameters for the rate of an update.
    """

    values: tuple[str, ...] = ()
    rates: tuple[str, ...] = ()

    def named(self, twin: Any, updates: Updates | None) -> dict[str, Any]:
        """The keyword arguments."""
        found = {name: copy_leaf(HeldPlace(((False, name),)).read(twin)) for name in self.values}
        return found | {name: updates.constants["rate"] for name in self.rates if updates is not None}


def find_rates(function: Callable[..., Any], given: Sequence[str]) -> tuple[str, ...]:
    """The parameters, without a default, that are the rate of an update."""
    known = signature(function)
    return tuple(
        p.name
        for p in (known.parameters.values() if known else ())
        if p.name in RATES and p.name not in given and p.default is p.empty and p.kind is not p.POSITIONAL_ONLY
    )


def find_supplied(
    function: Callable[..., Any], given: Sequence[str], after: Mapping[str, Any], is_known: Callable[[str], bool]
) -> tuple[str, ...]:
    """The parameters that are called as what forward has left in attributes or globals.

    Args:
        function: the backward pass.
        given: the names of the inputs.
        after: what there is after forward: name -> value.
        is_known: whether a parameter is a cotangent or a cache by its name.
    """
    known = signature(function)
    plain = [p for p in (known.parameters.values() if known else ()) if p.default is p.empty]
    plain = [p for p in plain if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    found = [p.name for p in plain if p.name not in given and not is_known(p.name) and _is_value(after.get(p.name))]
    return tuple(found) if len(found) < len(plain) else ()


def _is_value(value: Any) -> bool:
    return isinstance(value, np.ndarray | list | tuple | dict | float)


def imitated(theirs: Callable[..., Any], filled: Sequence[str]) -> inspect.Signature | None:
    """The signature of somebody's backward pass without the parameters that are filled, and with one for what is held.

    Parameters behind one that is filled are passed by their names.
    """
    known = signature(theirs)
    if known is None:
        return None
    kept: list[inspect.Parameter] = []
    passed = False
    for parameter in known.parameters.values():
        passed |= parameter.name in filled
        if parameter.name in filled:
            continue
        by_name = passed and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        kept.append(parameter.replace(kind=parameter.KEYWORD_ONLY) if by_name else parameter)
    held = inspect.Parameter("held_cache", inspect.Parameter.KEYWORD_ONLY)
    return inspect.Signature(sorted([*kept, held], key=lambda parameter: parameter.kind))

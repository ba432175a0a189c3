"""The gradients that a backward pass leaves in attributes or globals: found beside the weights, by their names.

A gradient is looked for where people keep it: beside its weight (`gate.dW`, `params['dW']`), in a dict or list beside
it or above it (`layer.grads['W']`, `net.grads[0]`), as the one gradient of a parameter object (`p.value`, `p.grad`);
and at last as the one array of its shape that backward has changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.callables.conventions import BAGS, BARE_GRADIENTS, gradients_of
from symrnn.callables.places import HeldPlace, list_arrays, named_parts, read_place
from symrnn.callables.trees import children, leaves, make_flat_names
from symrnn.errors import InputError

Where = Mapping[str, str] | str | None
"""Weight -> place of its gradient; the place of a dict or list of all of them; or None to find them."""


class LeftGradients:
    """Where gradients are left.

    Args:
        places: name of a weight -> its place.
        where: what is said about the gradients' places.

    Raises:
        InputError: a text is no place, or a gradient is said of something that is no weight.
    """

    def __init__(self, places: Mapping[str, HeldPlace], where: Where) -> None:
        self._places = dict(places)
        self._flat = make_flat_names(list(places))
        self._bag = read_place(where) if isinstance(where, str) else None
        self._told: dict[str, HeldPlace] | None = None
        if isinstance(where, Mapping):
            self._told = {name: read_place(place) for name, place in where.items()}
            if strange := [name for name in self._told if name not in places]:
                raise InputError(
                    f"gradients: {strange[0]!r} is none of the weights\n  there are {', '.join(list(places)[:12])}"
                )

    def find(self, owner: Any, plain: bool = False) -> dict[str, Any]:
        """Weight -> its gradient, for those that are there.

        Args:
            owner: the object, or a dict of globals.
            plain: whether names that may be those of something else, such as `gW`, are left out.
        """
        if self._told is not None:
            return {name: value for name, place in self._told.items() if (value := _read(owner, place)) is not None}
        if self._bag is not None:
            return self._in_bag(_read(owner, self._bag), owner, self._places)
        found = self._in_bags_above(owner)
        for name, place in self._places.items():
            if name not in found and (value := self._beside(owner, place, plain)) is not None:
                found[name] = value
        return found

    def clear(self, owner: Any) -> None:
        """Fill the gradients that are there already with zeros: a backward pass may add to them."""
        weights = {id(leaf) for place in self._places.values() for leaf in leaves("", _read(owner, place)).values()}
        for name, value in self.find(owner, plain=True).items():
            for leaf in leaves(name, value).values():
                # A gradient that is the weight's own array is no gradient yet; zeros there would be other weights.
                if _is_writable(leaf) and id(leaf) not in weights:
                    leaf[...] = 0

    def changed(self, before: Mapping[str, tuple[Array, Array]], owner: Any, found: Collection[str]) -> dict[str, Any]:
        """Weight -> the one array of its shape that is new or has changed; for those that names do not tell.

        Args:
            before: place -> an array, and a copy of it, before backward ran.
            owner: the object, or a dict of globals, after that.
            found: the weights whose gradients are known.
        """
        held = {name: _read(owner, place) for name, place in self._places.items()}
        own = {id(leaf) for name, value in held.items() for leaf in leaves(name, value).values()}
        fresh = [
            array
            for path, array in list_arrays(owner).items()
            if id(array) not in own
            and (path not in before or before[path][0] is not array or not np.array_equal(before[path][1], array))
        ]
        shapes = {name: value.shape for name, value in held.items() if isinstance(value, np.ndarray)}
        result = {}
        for name, shape in shapes.items():
            fitting = [array for array in fresh if array.shape == shape]
            # By shape only where it tells one array from all others; a number has the shape of every other number.
            if name not in found and len(fitting) == 1 and list(shapes.values()).count(shape) == 1 and shape:
                result[name] = fitting[0]
        return result

    def of_inputs(self, owner: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Input -> its gradient in an attribute, such as `dx`, for those arrays of floats that have one."""
        known = {place.last for place in self._places.values()}
        held = {key: value for key, value in named_parts(owner).items() if isinstance(value, np.ndarray)}
        named = gradients_of([key for key in held if key not in known and key not in inputs], inputs)
        return {name: held[key] for key, name in named.items() if held[key].ndim == np.ndim(inputs[name])}

    # Bags: a dict or list of gradients.

    def _in_bags_above(self, owner: Any) -> dict[str, Any]:
        """Gradients in a dict or list of them, which some object on the way to the weights holds; nearest first."""
        found: dict[str, Any] = {}
        # From the weights upwards: a layer's own gradients before a dict of the whole model's.
        for depth in range(max((len(place.steps) for place in self._places.values()), default=0) - 1, -1, -1):
            for above in dict.fromkeys(HeldPlace(place.steps[:depth]) for place in self._places.values()):
                under = {
                    name: HeldPlace(place.steps[depth:])
                    for name, place in self._places.items()
                    if place.steps[:depth] == above.steps and len(place.steps) > depth and name not in found
                }
                held = named_parts(_read(owner, above))
                bag = next((held[one] for one in BAGS if _is_bag(held.get(one))), None)
                if under and bag is not None:
                    found |= self._in_bag(bag, owner, under)
        return found

    def _in_bag(self, bag: Any, owner: Any, under: Mapping[str, HeldPlace]) -> dict[str, Any]:
        """The gradients of some weights in a bag: in order, at the places that they have beneath it, or by names."""
        if isinstance(bag, list | tuple) and len(bag) == len(under) > 1:
            return dict(zip(under, bag, strict=True))
        inner = [place.steps[1:] for place in under.values()]
        found = {}
        for name, place in under.items():
            short = HeldPlace(place.steps[1:] if inner.count(place.steps[1:]) == 1 else ())
            for way in (place, short):
                if way.steps and name not in found and (value := _read_items(bag, way)) is not None:
                    found[name] = value
        held = named_parts(bag)
        for called in (self._flat, {place.last: name for name, place in under.items()}):
            rest = {word: name for word, name in called.items() if name in under and name not in found}
            found |= {rest[one]: held[key] for key, one in gradients_of(held, rest).items()}
        if not found and len(under) == 1:  # of one weight that is a dict or list itself
            (name,) = under
            tree = _read(owner, self._places[name])
            found = {name: _as_told(tree, bag)} if children(name, tree) is not None else {}
        return found

    # Beside the weight.

    def _beside(self, owner: Any, place: HeldPlace, plain: bool) -> Any:
        """What stands beside a weight and is called as its gradient."""
        held = {key: value for key, value in named_parts(_read(owner, place.above)).items() if _is_value(value)}
        alike = [other.last for other in self._places.values() if other.above.steps == place.above.steps]
        others = [key for key in held if key not in alike and (not plain or key.startswith(("d", "grad")))]
        mine = [key for key, name in gradients_of(others, alike).items() if name == place.last]
        if mine:
            return held[mine[0]]
        if len(alike) == 1 and (bare := [key for key in others if key in BARE_GRADIENTS]):
            return held[bare[0]]
        if len(place.steps) > 1 and place.steps[-1][0]:  # an item: perhaps the same item of what is beside the dict
            bag = self._container_beside(owner, place.above)
            for key in (place.steps[-1][1], *gradients_of(named_parts(bag), [place.last])):
                value = _read(bag, HeldPlace(((True, key),)))
                if value is not None:
                    return value
        return None

    def _container_beside(self, owner: Any, place: HeldPlace) -> Any:
        """The dict or list of gradients beside a dict or list of weights: `dW` beside `W`, `grads` beside `params`."""
        held = {key: value for key, value in named_parts(_read(owner, place.above)).items() if key != place.last}
        trees = [key for key, value in held.items() if children("", value) is not None]
        named = gradients_of(trees, [place.last])
        key = next(iter(named), None) or next((one for one in (*BAGS, *BARE_GRADIENTS) if one in trees), None)
        return None if key is None else held[key]


def _as_told(tree: Any, bag: Any) -> Any:
    """Gradients under the names of a dict of weights, where they have others: in its order, if all shapes are alike."""
    if not (isinstance(tree, Mapping) and isinstance(bag, Mapping)) or len(gradients_of(bag, tree)) == len(tree):
        return bag
    alike = len(tree) == len(bag) and all(map(_is_alike, tree.values(), bag.values()))
    return dict(zip(tree, bag.values(), strict=True)) if alike else bag


def _is_alike(one: Any, other: Any) -> bool:
    return isinstance(one, np.ndarray) and isinstance(other, np.ndarray) and one.shape == other.shape


def _read(owner: Any, place: HeldPlace) -> Any:
    try:
        return place.read(owner)
    except LookupError:
        return None


def _read_items(bag: Any, place: HeldPlace) -> Any:
    """What a bag has at a place, whose attributes are keys there."""
    for _, key in place.steps:
        try:
            bag = bag[key]
        except (KeyError, IndexError, TypeError):
            return None
    return bag


def _is_writable(leaf: Any) -> bool:
    return type(leaf) is np.ndarray and leaf.dtype.kind == "f" and bool(leaf.flags.writeable)


def _is_bag(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple) and bool(value)


def _is_value(value: Any) -> bool:
    return isinstance(value, np.ndarray | float | np.floating | list | tuple | Mapping)

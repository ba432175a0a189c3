"""What a backward pass returns, read as one gradient per input; says what is missing, extra or of a wrong shape."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symrnn.arrays import Array, Arrays
from symrnn.callables.conventions import gradient_of, gradients_of
from symrnn.callables.invocation import refuse
from symrnn.callables.matching import fields_of
from symrnn.callables.trees import Tree, children, is_float, leaves
from symrnn.callables.written import read_returned_names
from symrnn.findings.findings import Problem

_MOST_SHOWN = 12
"""Names in one message: a line of them; a model of fifty layers has hundreds."""


@dataclass(frozen=True)
class ReturnedGradients:
    """One return value of a backward pass, read.

    Attributes:
        gradients: leaf path -> gradient in double precision, in the leaf's shape.
        extra: key -> what was returned and belongs to no input.
        refused: paths whose gradient is there and cannot be used.
        declined: paths for which None was returned.
        absent: paths for which nothing was returned.
        misshapen: path -> what was returned for it, where that is an array of floats in another shape.
        coarsest: the coarsest rounding unit among the gradients.
        problems: what is unusual; none of it fatal.
    """

    gradients: Arrays
    extra: Mapping[str, Any]
    refused: frozenset[str]
    declined: frozenset[str]
    absent: tuple[str, ...]
    misshapen: Arrays
    coarsest: float
    problems: tuple[Problem, ...]


class GradientReader:
    """Reads one return value of a backward pass, and collects what `ReturnedGradients` has.

    Args:
        backward: the function; only its source is read, for the names in its `return`.
        inputs: the arguments of forward in this call: name -> tree.
        order: the names of the inputs in the order in which their gradients are returned; None for the inputs' order.
        per_step: whether gradients may have one entry more per time step, which is summed.
        written: the arguments in the order of forward's own parameters, for where only that fits the shapes.
        without: the leaf paths whose gradients are left out on purpose; what comes in order may have no place for them.
    """

    def __init__(
        self,
        backward: Callable[..., Any],
        inputs: Mapping[str, Tree],
        order: Sequence[str] | None = None,
        per_step: bool = False,
        written: Sequence[str] = (),
        without: Collection[str] = (),
    ) -> None:
        self._without = without
        self._written_order = [name for name in written if name in inputs]
        self._backward, self._inputs, self._order, self._per_step = backward, inputs, order, per_step
        self.gradients: dict[str, Array] = {}
        self.extra: dict[str, Any] = {}
        self.refused: set[str] = set()
        self.declined: set[str] = set()
        self.misshapen: dict[str, Array] = {}
        self.coarsest = float(np.finfo(np.float64).eps)
        self.problems: list[Problem] = []

    def read(self, returned: Any) -> ReturnedGradients:
        """What was returned, one gradient per input.

        Raises:
            SubjectError: it cannot be told which gradient is whose.
        """
        if self._per_step and isinstance(returned, list | tuple) and returned and all(map(fields_of, returned)):
            steps = [fields_of(step) or {} for step in returned]
            returned = {key: [step.get(key) for step in steps] for key in steps[0]}
        fields = fields_of(returned)
        if fields is not None:
            self._named("", fields, dict(self._inputs))
        else:
            self._in_order(returned)
        wanted = [
            path for name, tree in self._inputs.items() for path, leaf in leaves(name, tree).items() if is_float(leaf)
        ]
        missing = [path for path in wanted if path not in self.gradients and path not in self.refused]
        quiet: Collection[str] = getattr(self._backward, "declined_inputs", ())  # it is said where it is called
        quiet = {*quiet, *self._without}
        unsaid = [path for path in missing if path.split("[")[0] not in quiet and path not in quiet]
        if unsaid:
            self._note("missing-gradient", f"backward returns no gradient of {_list_names(unsaid)}; not compared")
        return ReturnedGradients(
            self.gradients,
            self.extra,
            frozenset(self.refused),
            frozenset(self.declined),
            tuple(path for path in missing if path not in self.declined),
            self.misshapen,
            self.coarsest,
            tuple(self.problems),
        )

    def _note(self, kind: str, sentence: str) -> None:
        self.problems.append(Problem(kind, sentence, fatal=False))

    # Which gradient is whose.

    def _in_order(self, returned: Any) -> None:
        names = [name for name, tree in self._inputs.items() if any(map(is_float, leaves(name, tree).values()))]
        items = list(returned) if isinstance(returned, tuple | list) else [returned]
        if self._order is not None:
            self._ordered(items, list(self._order))
            return
        if len(names) == 1 and (len(items) != 1 or not isinstance(returned, tuple)):
            self._mirror(names[0], self._inputs[names[0]], returned)
            return
        places = self._written(items, names) or self._counted(items, names) or self._left_out(items, names)
        if places is None:
            raise refuse(
                "cannot-read",
                f"backward returns {_count_things(items)}, and there are {len(names)} inputs of floats "
                f"({_list_names(names)})\n"
                "  return them in the order of the inputs or in a dict by their names, or say order=(names, ...)",
            )
        for place, item in enumerate(items):
            if (name := places.get(place)) is not None:
                self._mirror(name, self._inputs[name], item)
            elif (fields := fields_of(item)) is not None:
                rest = {name: tree for name, tree in self._inputs.items() if name not in places.values()}
                self._named("", fields, rest)

    def _ordered(self, items: list[Any], order: list[str]) -> None:
        paths = {path: leaf for name, tree in self._inputs.items() for path, leaf in leaves(name, tree).items()}
        unknown = [name for name in order if name not in self._inputs and name not in paths]
        if unknown or len(order) != len(items) or len(set(order)) < len(order):
            why = f"{_list_names(unknown)} is no input" if unknown else f"backward returns {_count_things(items)}"
            raise refuse("cannot-read", f"order={tuple(order)!r} does not fit: {why}\n  name each input once")
        for name, item in zip(order, items, strict=True):
            self._mirror(name, self._inputs[name] if name in self._inputs else paths[name], item)

    def _written(self, items: list[Any], names: list[str]) -> dict[int, str] | None:
        """Place -> input by the names in backward's own `return dx, dW, db`; None unless all of them tell."""
        words = read_returned_names(self._backward)
        if words is None or len(words) != len(items) or len(set(words)) < len(words):
            return None
        plain = {
            word: place for place, word in enumerate(words) if word is not None and fields_of(items[place]) is None
        }
        found = gradients_of(plain, names)
        whole = {place: word for place, word in enumerate(words) if word is not None and place not in plain.values()}
        nested = {place: name for place, word in whole.items() if (name := gradient_of(word, names))}
        if len(found) < len(plain) or len(plain) + len(whole) < len(words):
            return None
        return {plain[word]: name for word, name in found.items()} | nested

    def _counted(self, items: list[Any], names: list[str]) -> dict[int, str] | None:
        """Place -> input by counting; in the order of forward's parameters where that fits and the inputs' does not."""
        written = [name for name in self._written_order if name in names]
        # Only where shapes decide: the order of the inputs is what the manual says, that of the parameters a guess.
        if len(items) == len(written) and self._fits(items, written) and not self._fits(items, names):
            return dict(enumerate(written))
        for candidates in (names, list(self._inputs)):
            if len(items) == len(candidates) and not any(map(self._misplaced, items, candidates)):
                return dict(enumerate(candidates))
        plain = [place for place, item in enumerate(items) if fields_of(item) is None]
        named = {key for item in items for key in fields_of(item) or {}}
        rest = [name for name in names if name not in gradients_of(named, names).values()]
        rest = [name for name in rest if not isinstance(self._inputs[name], Mapping)]
        return dict(zip(plain, rest, strict=True)) if len(plain) < len(items) and len(plain) == len(rest) else None

    def _left_out(self, items: list[Any], names: list[str]) -> dict[int, str] | None:
        """Place -> input by counting those that are not left out on purpose."""
        paths = {
            name: [path for path, leaf in leaves(name, self._inputs[name]).items() if is_float(leaf)] for name in names
        }
        kept = [name for name in names if not set(paths[name]) <= set(self._without)]
        fitting = len(items) == len(kept) < len(names) and not any(map(self._misplaced, items, kept))
        return dict(enumerate(kept)) if fitting else None

    def _fits(self, items: list[Any], names: list[str]) -> bool:
        """Whether every gradient has its input's shape."""
        pairs = zip(items, names, strict=True)
        return len(items) == len(names) and all(
            children(name, self._inputs[name]) is None and np.shape(item) == np.shape(self._inputs[name])
            for item, name in pairs
            if item is not None and fields_of(item) is None
        )

    def _misplaced(self, item: Any, name: str) -> bool:
        """Whether something with named parts stands where an array's gradient should."""
        return fields_of(item) is not None and children(name, self._inputs[name]) is None

    def _named(self, path: str, fields: Mapping[str, Any], trees: Mapping[str, Tree]) -> None:
        """Gradients under keys, for the parts of a tree under keys."""
        found = gradients_of(fields, trees)
        whole = [name for name, tree in trees.items() if fields_of(tree) and fields and not found]
        whole = [name for name in whole if len(gradients_of(fields, fields_of(trees[name]) or {})) == len(fields)]
        if len(whole) == 1:  # the gradients of one nested input, without its name
            self._mirror(_join_path(path, whole[0]), trees[whole[0]], fields)
            return
        inside = [
            pair
            for name, tree in trees.items()
            for pair in leaves(_join_path(path, name), tree).items()
            if is_float(pair[1])
        ]
        words = [_last_name(inner) for inner, _ in inside]
        below = {word: pair for word, pair in zip(words, inside, strict=True) if words.count(word) == 1}
        spare = gradients_of([key for key in fields if key not in found], below)
        for key, value in fields.items():
            inner_fields = fields_of(value)
            if key in found:
                self._mirror(_join_path(path, found[key]), trees[found[key]], value)
            elif key in spare and below[spare[key]][0] not in self.gradients:
                self._mirror(*below[spare[key]], value)
            elif inner_fields is not None:
                self._named(
                    path, inner_fields, {name: tree for name, tree in trees.items() if name not in found.values()}
                )
            else:
                self._superfluous(key, value)

    def _superfluous(self, key: str, value: Any) -> None:
        self.extra[key] = value
        try:
            size = float(np.max(np.abs(np.asarray(value, np.float64)), initial=0))
        except (TypeError, ValueError):
            return
        if size != 0:
            sentence = f"backward returns {key!r}, a gradient of nothing that forward takes"
            self._note(
                "phantom-gradient", f"{sentence}\n  a name that is misspelled leaves the gradient that it is unchecked"
            )

    def _mirror(self, path: str, tree: Tree, value: Any) -> None:
        """A gradient for a whole tree, of the same nesting."""
        parts = children(path, tree)
        if parts is None:
            if is_float(tree):
                self._leaf(path, np.shape(tree), value)
        elif value is None:
            self.declined.update(inner for inner, leaf in leaves(path, tree).items() if is_float(leaf))
        elif isinstance(tree, Mapping) and (fields := fields_of(value)) is not None:
            self._named(path, fields, {str(key): part for key, part in tree.items()})
        elif (fields := fields_of(value)) is not None and dataclasses.is_dataclass(tree):
            parted = {field.name: getattr(tree, field.name) for field in dataclasses.fields(tree)}
            for key, name in gradients_of(fields, parted).items():
                self._mirror(f"{path}.{name}", parted[name], fields[key])
        elif isinstance(value, tuple | list | np.ndarray) and np.ndim(value[:0]) and len(value) == len(parts):
            for (inner, part), item in zip(parts, value, strict=True):
                self._mirror(inner, part, item)
        else:
            self._bad_shape(
                path, f"the gradient of {path} is {_describe(value)}, and {path} is nested: {_describe(tree)}"
            )

    # One array.

    def _leaf(self, path: str, shape: tuple[int, ...], value: Any) -> None:
        if value is None:
            self.declined.add(path)
            return
        array = self._numbers(path, _stack(value))
        if array is None or array.dtype.kind not in "fiu":
            what = _describe(value) if array is None else f"of type {array.dtype}"
            self._bad_shape(path, f"the gradient of {path} is {what}, no array of floats", "wrong-type")
            return
        if array.dtype.kind == "f":
            self.coarsest = max(self.coarsest, float(np.finfo(array.dtype).eps))
        elif array.size and np.any(array):
            self._note("integer-gradient", f"the gradient of {path} is an array of integers, so fractions are lost")
        array = np.array(array, np.float64)
        if self._per_step and array.shape != shape and array.shape[1:] == shape:
            array = array.sum(axis=0)
        if array.shape != shape:
            array = self._reshaped(path, shape, array)
        if array is not None:
            self.gradients[path] = array
            if not np.isfinite(array).all():
                self._note("not-finite", f"the gradient of {path} has entries that are NaN or infinite")

    def _numbers(self, path: str, array: Array | None) -> Array | None:
        """An array of Python's numbers as one of floats."""
        if array is None or array.dtype.kind != "O":
            return array
        try:
            numbers = np.array(array, np.float64)
        except (TypeError, ValueError):
            return array
        self._note("object-gradient", f"the gradient of {path} is an array of Python objects: its numbers are compared")
        return numbers

    def _reshaped(self, path: str, shape: tuple[int, ...], array: Array) -> Array | None:
        got = array.shape
        # Axes of length 1 are lost and gained by sums and products, and no number is in another place by that.
        if [size for size in got if size != 1] == [size for size in shape if size != 1]:
            self._note("reshaped", f"the gradient of {path} has shape {got}, {path} has {shape}: accepted")
            return array.reshape(shape)
        self.misshapen[path] = array
        self._bad_shape(path, f"the gradient of {path} has shape {got}, {path} has {shape}{_hint(got, shape)}")
        return None

    def _bad_shape(self, path: str, sentence: str, kind: str = "wrong-shape") -> None:
        self.refused.add(path)
        self._note(kind, sentence)


def _hint(got: tuple[int, ...], shape: tuple[int, ...]) -> str:
    if len(got) == 2 and got[::-1] == shape:
        return ": it looks transposed"
    if len(got) == len(shape) + 1 and got[1:] == shape:
        return ": it looks not summed over the first axis; per_step=True sums it"
    if len(got) == len(shape) + 2 and got[2:] == shape:
        return ": it looks not summed over the first two axes"
    if got == ():
        return ": it looks summed over everything"
    if len(got) == len(shape) - 1 and got in (shape[1:], shape[:-1]):
        return ": it looks summed over an axis too many"
    return ""


def _stack(value: Any) -> Array | None:
    """A value as an array; steps in a list, or under their numbers, are stacked."""
    if isinstance(value, Mapping):
        if fields_of(value) is not None:
            return None
        value = [value[key] for key in sorted(value)]
    try:
        return np.asarray(value)
    except (TypeError, ValueError):
        return None


def _join_path(path: str, name: str) -> str:
    return f"{path}[{name!r}]" if path else name


def _last_name(path: str) -> str:
    """The last name in a path: `W` of `params['W']`."""
    tail = path.rsplit("[", 1)[-1].rsplit(".", 1)[-1].rstrip("]").strip("'\"")
    # A number is no name: every list has an item 0.
    return path if tail.isdigit() else tail


def _describe(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if value is None:
        return "None"
    if isinstance(value, tuple | list | Mapping):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}"


def _count_things(items: list[Any]) -> str:
    return _describe(items[0]) if len(items) == 1 else f"{len(items)} things"


def _list_names(names: list[str]) -> str:
    return ", ".join(names[:_MOST_SHOWN]) + (", ..." if len(names) > _MOST_SHOWN else "")

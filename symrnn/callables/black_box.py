"""Somebody's function as a black box: called with copies, counted, everything odd about it noted.

All that is ever asked of code that others wrote goes through here: a pair of functions under test is a black box with
a backward pass beside (`subject`), and what looks for a cell asks one through a probe (`probe`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symrnn.arrays import Array, Arrays
from symrnn.callables.comparison import collect_floats, find_changed
from symrnn.callables.invocation import SubjectError, call, signature
from symrnn.callables.trees import Tree, children, copy_leaf, copy_tree, is_float, leaves, map_leaves
from symrnn.findings.findings import Problem


@dataclass
class CallCount:
    """How often somebody's functions were called; one for all views of the same functions."""

    forward: int = 0
    backward: int = 0


@dataclass(frozen=True)
class ForwardRun:
    """One call of a forward pass.

    Attributes:
        outputs: what it returned, without caches.
        caches: what it returned for backward.
        arguments: its arguments as it left them.
        changed: the leaf paths of arguments that it changed in place.
    """

    outputs: Tree
    caches: list[Any]
    arguments: dict[str, Tree]
    changed: tuple[str, ...]


class BlackBox:
    """A function with its arguments.

    Args:
        forward: the function.
        inputs: its arguments by name; leaves of floats can be varied, anything else is passed on as it is, copied.

    Attributes:
        forward: the function.
        arrays: leaf path -> array in double precision, for every leaf that can be varied: `W`, `params['W']`.
        calls: how often it was called.
        problems: what was noticed so far.
    """

    def __init__(self, forward: Callable[..., Any], inputs: dict[str, Tree]) -> None:
        self.forward = forward
        self.calls = CallCount()
        self.problems: list[Problem] = []
        self.arrays: dict[str, Array] = collect_floats(inputs)
        self._inputs = inputs
        self._dtypes: dict[str, Any] = {}
        self._templates: list[dict[str, Tree]] = []
        self._has_run = False
        self._notices = True

    def run(self, arrays: Arrays) -> ForwardRun:
        """Forward with other leaf arrays in place of its own ones; complex ones are passed on as complex.

        Arrays are in double precision, where forward takes that; until it has run once it is tried in the types that
        its arguments have as well.

        Raises:
            SubjectError: forward raises.
        """
        try:
            return self._run(arrays)
        except SubjectError:
            # Double precision first, since it tells more; a function that takes single precision only says so at its
            # first call.
            own = {} if self._has_run else _single_precision(self._inputs)
            if not own:
                raise
            self._dtypes = own
        return self._run(arrays)

    def note(self, kind: str, sentence: str, fatal: bool = False) -> None:
        """Add a problem, once."""
        problem = Problem(kind, sentence, fatal)
        if problem not in self.problems:
            self.problems.append(problem)

    def _run(self, arrays: Arrays) -> ForwardRun:
        arguments = self._arguments(arrays)
        returned, changed = self._call_forward(arguments)
        self._has_run = True
        outputs, caches = self._divide(returned)
        return ForwardRun(outputs, caches, arguments, changed)

    def _divide(self, returned: Any) -> tuple[Tree, list[Any]]:
        """The outputs alone, and the caches."""
        return returned, []

    def _arguments(self, arrays: Arrays) -> dict[str, Tree]:
        """Fresh arguments of forward with some leaves replaced; a list or dict that is no leaf is replaced whole."""
        template = self._template(arrays)
        data = {name for name, tree in template.items() if name in arrays and children(name, tree) is not None}

        def fresh(path: str, leaf: Any) -> Any:
            value = arrays.get(path, leaf)
            if not is_float(leaf):
                return copy_leaf(value)
            # A complex step passes only through complex arrays; it is asked for where it is wanted.
            kind = np.complex128 if np.iscomplexobj(value) else self._dtypes.get(path, np.float64)
            array = np.array(value, kind)
            if isinstance(leaf, np.ndarray):
                return array
            # As it was given: code that asks for the type of a number must find the same one.
            return array[()] if isinstance(leaf, np.generic) or kind == np.complex128 or array.ndim else float(array)

        return {
            name: copy_leaf(arrays[name]) if name in data else map_leaves(name, tree, fresh)
            for name, tree in template.items()
        }

    def _template(self, arrays: Arrays) -> dict[str, Tree]:
        """The inputs whose leaves these are; a draw of another length may have more or fewer of them."""
        for inputs in self._templates:
            numbers = collect_floats(inputs)
            # A shorter draw lacks leaves that the own inputs have.
            if set(numbers) <= set(arrays) and not set(self.arrays) <= set(arrays):
                return inputs
            # A longer one has more than these.
            if set(self.arrays) < set(numbers) <= set(arrays):
                return inputs
        return self._inputs

    def _call_forward(self, arguments: dict[str, Tree]) -> tuple[Any, tuple[str, ...]]:
        """What forward returns, and the paths of the arguments that it changes in place."""
        before = copy_tree(arguments) if self._notices else {}
        self.calls.forward += 1
        if self._takes_places:
            returned = call("forward", self.forward, list(arguments.values()), {})
        else:
            returned = call("forward", self.forward, (), arguments)
        return returned, self._compare_arguments("forward", before, arguments)

    @cached_property
    def _takes_places(self) -> bool:
        """Whether forward is called by place: by name where Python allows it, whatever the order of the inputs."""
        known = signature(self.forward)
        return known is None or any(p.kind is p.POSITIONAL_ONLY for p in known.parameters.values())

    def _compare_arguments(self, role: str, before: dict[str, Tree], after: dict[str, Tree]) -> tuple[str, ...]:
        """The paths of the arguments that a call changed in place, which is noted."""
        changed = find_changed(before, after) if self._notices else ()
        if changed:
            names = ", ".join(changed[:6])
            self.note(
                "inputs-changed", f"{role} changes its inputs in place: {names}; copies were passed, so nothing is lost"
            )
        return changed


def _single_precision(inputs: Mapping[str, Tree]) -> dict[str, Any]:
    """Leaf path -> type, of what is given in less than double precision."""
    found = {path: leaf for name, tree in inputs.items() for path, leaf in leaves(name, tree).items()}
    return {
        path: leaf.dtype
        for path, leaf in found.items()
        if is_float(leaf) and getattr(leaf, "dtype", None) in (np.float32, np.float16)
    }

"""Somebody's forward and backward as a black box: called with copies, counted, everything odd about it noted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symrnn.callables.calling import ROOT, Calling, Outputs, resolve
from symrnn.callables.comparison import (
    alike,
    arrays_of,
    cotangent,
    flat,
    floats,
    gap_between,
    no_floats_told,
    same,
    with_integers,
)
from symrnn.callables.draws import Draws
from symrnn.callables.invocation import SubjectError, call, check_arguments, refuse, signature
from symrnn.callables.noticing import compare_twice, note_integers
from symrnn.callables.returned import Reading
from symrnn.callables.trees import Tree, copied, copied_leaf, flat_names, is_float, leaves, mapped
from symrnn.errors import InputError
from symrnn.findings.findings import Problem

Array = Any


class Subject:
    """A pair of functions under test.

    `forward(**inputs)` returns its outputs, as an array or nested tuples, lists and dicts of arrays, and optionally a
    cache.  `backward` takes one cotangent an output, in order or by names such as `dh`, and the cache; a cache is told
    by the names of backward's parameters (`cache`, `tape`, `ctx`, ...) and of what forward returns.  Where forward
    returns none, backward may take forward's arguments again, by their names.

    Args:
        forward: the forward pass.
        backward: the backward pass.
        inputs: forward's arguments by name; or a function of `rng`, or of `rng`, `T` and `N`, that makes them.  Leaves
            of floats are differentiated; anything else is passed on as it is.
        outputs: which of what forward returns are outputs, where that is not plain: their number (the first ones),
            their indices in a tuple, or their names (keys of a dict; for a tuple, names for the first ones).
        cache: whether forward returns a cache, as the last thing in a tuple; None to infer it.
        order: the inputs in the order in which backward returns their gradients; None for the order of `inputs`.
        negated: whether backward returns the gradients' negatives on purpose.
        without: the inputs, or leaf paths, whose gradients backward leaves out on purpose.
        per_step: whether gradients come with a leading time axis, or in a list with an entry a step, not yet summed.
        seed: of the inputs, where a function makes them.

    Attributes:
        arrays: leaf path -> array of floats that is differentiated: `W`, `params['W']`, `layers[0]['W']`.
        answer: output path -> array at the inputs: `output` for a bare array, `output[0]`, `output['h']`; no cache.
        flat_names: identifier -> leaf path.
        forward_calls, backward_calls: how often they were called.
        problems: what was noticed so far.
        epsilon: the rounding unit that forward computes with.
        gradient_epsilon: that of backward.

    Raises:
        SubjectError: they cannot be checked; its `.problem` says why.
        InputError: an argument here has an impossible value.
    """

    def __init__(
        self,
        forward: Callable[..., Any],
        backward: Callable[..., Any],
        inputs: Mapping[str, Tree] | Callable[..., Any],
        *,
        outputs: Outputs = None,
        cache: bool | None = None,
        order: Sequence[str] | None = None,
        without: Sequence[str] = (),
        negated: bool = False,
        per_step: bool = False,
        seed: int = 0,
    ) -> None:
        for role, function in (("forward", forward), ("backward", backward)):
            if not callable(function):
                raise InputError(
                    f"{role}: expected a function, got {type(function).__name__}\n  pass the function itself"
                )
        self._forward, self._backward = forward, backward
        known = signature(forward)
        self._written = tuple(known.parameters) if known is not None else ()
        self._order, self._negated, self._per_step = order, negated, per_step
        self.forward_calls = self.backward_calls = 0
        self.problems: list[Problem] = []
        self.places: dict[str, str] = {}  # input -> in whose place its gradient is returned, where that is known
        self.draws = Draws(inputs)
        self._inputs = self.draws.first(seed)
        self._dtypes: dict[str, Any] = {}
        self._templates: list[dict[str, Tree]] = []
        self.arrays: dict[str, Array] = floats(self._inputs)
        if not self.arrays:
            raise refuse("no-floats", no_floats_told(self._inputs))
        self._without = _named_inputs(without, self._inputs, self.arrays)
        self.flat_names = flat_names(list(self.arrays))
        returned = self._first()
        self.calling: Calling = resolve(forward, backward, returned, list(self._inputs), outputs, cache)
        self.epsilon = self.gradient_epsilon = float(np.finfo(np.float64).eps)
        self.answer = self._checked_answer(returned)
        compare_twice(self)

    # What others ask.

    @property
    def names(self) -> tuple[str, ...]:
        """The leaf paths."""
        return tuple(self.arrays)

    def outputs(self, arrays: Mapping[str, Array] | None = None) -> dict[str, Array]:
        """Forward with other leaf arrays in place of its own ones; complex ones are passed on as complex.

        Raises:
            SubjectError: forward raises.
        """
        tree, _, _ = self._run(arrays or {})
        return arrays_of(tree)

    def gradients(
        self, arrays: Mapping[str, Array] | None = None, cotangents: Mapping[str, Array] | None = None
    ) -> dict[str, Array]:
        """Forward, then backward.

        Args:
            arrays: leaf path -> array, in place of the own ones.
            cotangents: output path -> cotangent; zero for those that are missing.

        Returns:
            Leaf path -> gradient, shaped like the array of that call; without those that backward does not return, or
            returns in a wrong shape.

        Raises:
            SubjectError: the functions raise, or return something that cannot be read as gradients.
        """
        found = self.reading(arrays, cotangents).gradients
        return found | {path: found[other] for path, other in self.places.items() if other in found}

    def reading(
        self, arrays: Mapping[str, Array] | None = None, cotangents: Mapping[str, Array] | None = None
    ) -> Reading:
        """The same with everything else that backward's return value tells."""
        tree, caches, inputs = self._run(arrays or {})
        return self._pulled(tree, caches, inputs, cotangents or {})

    def made(self, seed: int, T: int | None = None, N: int | None = None) -> dict[str, Array] | None:
        """Leaf arrays of another draw; None where the inputs are fixed, or have no such size.

        Arrays of integers that differ from the own ones are among them, since they may belong to the sizes; the other
        methods take them as they are.
        """
        inputs = self.draws.made(seed, T, N)
        if inputs is None or (T is None and N is None and not self.draws.varied):
            return None
        found = {path: leaf for name, tree in inputs.items() for path, leaf in leaves(name, tree).items()}
        numbers = floats(inputs)
        own = {path: leaf for name, tree in self._inputs.items() for path, leaf in leaves(name, tree).items()}
        if set(found) != set(own):
            self._templates = [one for one in self._templates if set(floats(one)) != set(numbers)] + [inputs]
        others = {path: leaf for path, leaf in found.items() if path not in numbers and not same(leaf, own.get(path))}
        return numbers | {path: leaf for path, leaf in others.items() if isinstance(leaf, np.ndarray | int | list)}

    def flat_forward(self, **arrays: Array) -> Any:
        """Forward for arguments under flat identifiers; what it returns is the outputs, without the cache."""
        return self._run({self.flat_names.get(name, name): array for name, array in arrays.items()})[0]

    def zeros(self) -> dict[str, Array]:
        """A zero cotangent for every output."""
        return {path: np.zeros_like(array) for path, array in self.answer.items()}

    def reachable(self, path: str) -> bool:
        """Whether backward takes a cotangent of this output."""
        return any(path == used or path.startswith((f"{used}[", f"{used}.")) for used in self.calling.used)

    def expects(self, path: str) -> bool:
        """Whether the gradient of this leaf is not left out on purpose."""
        return path not in self._without

    def note(self, kind: str, sentence: str, fatal: bool = False) -> None:
        """Add a problem, once."""
        problem = Problem(kind, sentence, fatal)
        if problem not in self.problems:
            self.problems.append(problem)

    # Calling forward.

    def _first(self) -> Any:
        """What forward returns in double precision; in the inputs' own types where it refuses that."""
        check_arguments(self._forward, self._inputs)
        try:
            return self._call_forward(self._arguments({}))
        except SubjectError as error:
            self._dtypes = {
                path: leaf.dtype
                for name, tree in self._inputs.items()
                for path, leaf in leaves(name, tree).items()
                if is_float(leaf) and getattr(leaf, "dtype", None) in (np.float32, np.float16)
            }
            if not self._dtypes:
                raise with_integers(error, self._inputs) from None
        return self._call_forward(self._arguments({}))

    def _arguments(self, arrays: Mapping[str, Array]) -> dict[str, Tree]:
        """Fresh arguments of forward with some leaves replaced."""
        template = self._template(arrays)

        def fresh(path: str, leaf: Any) -> Any:
            value = arrays.get(path, leaf)
            if not is_float(leaf):
                return copied_leaf(value)
            kind = np.complex128 if np.iscomplexobj(value) else self._dtypes.get(path, np.float64)
            array = np.array(value, kind)
            if isinstance(leaf, np.ndarray):
                return array
            return array[()] if isinstance(leaf, np.generic) or kind == np.complex128 or array.ndim else float(array)

        return {name: mapped(name, tree, fresh) for name, tree in template.items()}

    def _template(self, arrays: Mapping[str, Array]) -> dict[str, Tree]:
        """The inputs whose leaves these are; a draw of another length may have more or fewer of them."""
        for inputs in self._templates:
            numbers = floats(inputs)
            if set(numbers) <= set(arrays) and not set(self.arrays) <= set(arrays):
                return inputs
            if set(self.arrays) < set(numbers) <= set(arrays):
                return inputs
        return self._inputs

    def _call_forward(self, arguments: dict[str, Tree]) -> Any:
        before = copied(arguments)
        self.forward_calls += 1
        known = signature(self._forward)
        by_place = known is None or any(p.kind is p.POSITIONAL_ONLY for p in known.parameters.values())
        if by_place:
            returned = call("forward", self._forward, list(arguments.values()), {})
        else:
            returned = call("forward", self._forward, (), arguments)
        self._compare_arguments("forward", before, arguments)
        return returned

    def _run(self, arrays: Mapping[str, Array]) -> tuple[Tree, list[Any], dict[str, Tree]]:
        """The outputs, the caches, and the arguments as forward left them."""
        arguments = self._arguments(arrays)
        returned = self._call_forward(arguments)
        try:
            tree, caches = self.calling.split(returned)
        except (KeyError, IndexError, TypeError):
            raise refuse("forward-raises", "forward returns something of another form at other inputs") from None
        return tree, caches, arguments

    def _compare_arguments(self, role: str, before: Tree, after: Tree) -> None:
        now = leaves("", after)
        changed = [path for path, leaf in leaves("", before).items() if not same(leaf, now.get(path, leaf))]
        if changed:
            names = ", ".join(path[2:].replace("']", "", 1) for path in changed[:6])
            self.note(
                "inputs-changed", f"{role} changes its inputs in place: {names}; copies were passed, so nothing is lost"
            )

    # Calling backward.

    def _pulled(
        self, tree: Tree, caches: list[Any], inputs: dict[str, Tree], cotangents: Mapping[str, Array]
    ) -> Reading:
        handed = mapped(ROOT, tree, lambda path, leaf: cotangent(leaf, cotangents.get(path)))
        positional, named = self.calling.arguments(handed, caches, inputs, tree)
        kept, before = copied(handed), copied(inputs)
        self.backward_calls += 1
        returned = call("backward", self._backward, positional, named)
        if not all(same(one, two) for one, two in zip(flat(kept), flat(handed), strict=True)):
            self.note("cotangents-changed", "backward changes the cotangents that it is given in place")
        self._compare_arguments("backward", before, inputs)
        reading = Reading(self._backward, before, self._order, self._per_step, self._written).read(returned)
        for problem in reading.problems:
            self.note(problem.kind, problem.sentence, problem.fatal)
        self.gradient_epsilon = max(self.gradient_epsilon, reading.coarsest)
        if self.calling.implicit:  # a loss: its cotangent was 1
            factor = float(sum(np.sum(array) for array in cotangents.values()))
            reading.gradients = {path: factor * array for path, array in reading.gradients.items()}
        if self._negated:
            reading.gradients = {path: -array for path, array in reading.gradients.items()}
        return reading

    # What is noticed at once.

    def _checked_answer(self, returned: Any) -> dict[str, Array]:
        tree, _ = self.calling.split(returned)
        raw = {path: leaf for path, leaf in leaves(ROOT, tree).items() if is_float(leaf)}
        if not raw:
            kinds = sorted({type(leaf).__name__ for leaf in leaves(ROOT, tree).values()}) or ["nothing"]
            told = "None" if kinds == ["NoneType"] else f"no array of floats as output, but {', '.join(kinds)}"
            raise refuse(
                "no-output", f"forward returns {told}\n  let it return its outputs: return h, or return h, cache"
            )
        self.epsilon = max(float(np.finfo(getattr(leaf, "dtype", np.float64)).eps) for leaf in raw.values())
        answer = arrays_of(tree)
        bad = [path for path, array in answer.items() if not np.isfinite(array).all()]
        if bad:
            given = [path for path, array in self.arrays.items() if not np.isfinite(array).all()]
            why = f"; {', '.join(given)} among the inputs is not finite" if given else ""
            remedy = "give finite inputs" if given else "choose inputs where it is finite, such as smaller weights"
            told = f"forward returns NaN or infinity in {', '.join(bad)}{why}\n  {remedy}"
            raise refuse("forward-not-finite", told)
        unreached = [path for path in answer if not self.reachable(path)]
        if unreached:
            told = ", ".join(unreached[:6])
            self.note(
                "fewer-cotangents", f"backward takes no cotangent of {told}: checked without that part of the outputs"
            )
        return answer

    def examine(self, cotangents: Mapping[str, Array]) -> Reading:
        """One backward pass, and everything that can be noticed by repeating it.

        Raises:
            SubjectError: backward raises, or gives other gradients each time.
        """
        tree, caches, inputs = self._run({})
        before = copied(caches)
        try:
            first = self._pulled(tree, caches, inputs, cotangents)
        except SubjectError as error:
            raise with_integers(self._uncached(error), self._inputs) from None
        changed = [place for place, cache in enumerate(before) if not alike(cache, caches[place])]
        self._again_with_same_cache(first, tree, caches, inputs, cotangents, bool(changed))
        afresh = self.reading({}, cotangents)
        gap, where = gap_between(first.gradients, afresh.gradients)
        if gap > 16 * max(self.epsilon, self.gradient_epsilon) * 1e3:
            raise refuse(
                "gradients-change",
                f"two calls of backward, each after its own forward, differ by {gap:.2g} in {where}: it keeps "
                "something from call to call, such as a sum that is not set to zero, or draws random numbers",
            )
        note_integers(self, self._inputs)
        return first

    def _uncached(self, error: SubjectError) -> SubjectError:
        """The error of a backward pass that was given all of what forward returns, for want of a cache."""
        if self.calling.caches is not None or not any(slot.kind == "cache" for slot in self.calling.slots):
            return error
        name = next(slot.keyword or "cache" for slot in self.calling.slots if slot.kind == "cache")
        told = f"forward returns no cache, so that what it returns was passed as backward's {name!r}"
        return refuse(error.problem.kind, f"{error.problem.sentence}\n  {told}: return it beside the outputs")

    def _again_with_same_cache(
        self,
        first: Reading,
        tree: Tree,
        caches: list[Any],
        inputs: dict[str, Tree],
        cotangents: Mapping[str, Array],
        changed: bool,
    ) -> None:
        try:
            second = self._pulled(tree, caches, inputs, cotangents)
        except SubjectError as error:
            told = error.problem.sentence.splitlines()[0]
            self.note("cache-consumed", f"backward uses the cache up: called again with it, {told}")
            return
        gap, where = gap_between(first.gradients, second.gradients)
        if gap > 1e4 * max(self.epsilon, self.gradient_epsilon):
            self.note(
                "cache-consumed",
                f"backward called twice with one cache gives another gradient of {where} (by {gap:.2g}); "
                "every call here had a fresh one",
            )
        elif changed:
            self.note("cache-changed", "backward changes the cache in place, without another gradient the second time")


def _named_inputs(names: Sequence[str], inputs: Mapping[str, Tree], arrays: Mapping[str, Array]) -> set[str]:
    """The leaf paths of inputs that are named, whole or by leaf.

    Raises:
        InputError: there is no such input.
    """
    found: set[str] = set()
    for name in [names] if isinstance(names, str) else names:
        paths = {path for path in arrays if path == name or (name in inputs and path in leaves(name, inputs[name]))}
        if not paths:
            raise InputError(f"without: {name!r} is no input of floats\n  there are {', '.join(list(arrays)[:12])}")
        found |= paths
    return found


__all__ = ["Subject", "SubjectError"]

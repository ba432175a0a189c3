"""Somebody's forward and backward as a black box: gradients as well as outputs, and what is odd about either."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symrnn.arrays import Array, Arrays
from symrnn.callables.black_box import BlackBox, ForwardRun
from symrnn.callables.calling import Calling, Outputs, resolve
from symrnn.callables.comparison import (
    add_integers,
    collect_floats,
    explain_no_floats,
    is_alike,
    is_same,
    list_leaves,
    make_cotangent,
    measure_gap,
)
from symrnn.callables.draws import Draws, Inputs
from symrnn.callables.invocation import SubjectError, call, check_arguments, refuse, signature
from symrnn.callables.noticing import RandomState, check_repeated, find_integers_used
from symrnn.callables.outputs import ROOT, read_arrays
from symrnn.callables.probe import Probe
from symrnn.callables.returned import GradientReader, ReturnedGradients
from symrnn.callables.trees import Tree, copy_tree, is_float, leaves, make_flat_names, map_leaves
from symrnn.errors import InputError

_CHANGED = 1.6e4
"""Rounding errors by which gradients of two runs may differ: sums in another order, as of several threads, do; what is
kept from call to call, or drawn, shows in the leading digits."""
_CONSUMED = 1e4
"""The same for a second call with the same cache, where only what the first call left in the cache can differ."""


class Subject(BlackBox):
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
        inputs: Inputs,
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
        drawn = Draws(inputs)
        super().__init__(forward, drawn.first(seed))
        self.backward, self.draws = backward, drawn
        known = signature(forward)
        self._written = tuple(known.parameters) if known is not None else ()
        self._order, self._negated, self._per_step = order, negated, per_step
        self._held: Arrays = {}
        self._places: Mapping[str, str] = {}
        if not self.arrays:
            raise refuse("no-floats", explain_no_floats(self._inputs))
        self._without = _named_inputs(without, self._inputs, self.arrays)
        self.flat_names = make_flat_names(list(self.arrays))
        # Unknown until forward has run once: what it returns decides how backward is called.
        self._calling: Calling | None = None
        returned = self._first()
        self._calling = resolve(forward, backward, returned, list(self._inputs), outputs, cache)
        self.epsilon = self.gradient_epsilon = float(np.finfo(np.float64).eps)
        self.answer = self._checked_answer(returned)
        # Two calls in a row: what differs was drawn, or kept from one to the other, and the global generators tell
        # which.
        before = RandomState()
        again = self.outputs()
        check_repeated(self.answer, again, self.epsilon, drawn=not before.is_current())

    # The same functions, looked at in another way.

    def holding(self, held: Arrays) -> Subject:
        """The same functions with some of their arrays fixed, and the gradients of these left out.

        Args:
            held: leaf path -> its value.

        Raises:
            SubjectError: forward raises there.
        """
        twin = copy.copy(self)
        twin.problems = []
        twin._held = {**self._held, **held}
        twin.arrays = {path: array for path, array in self.arrays.items() if path not in held}
        twin.flat_names = make_flat_names(list(twin.arrays))
        twin.answer = twin.outputs()
        return twin

    def placing(self, places: Mapping[str, str]) -> Subject:
        """The same functions with each of these gradients read from the place in which another was expected.

        Args:
            places: leaf path -> the one in whose place its gradient is returned.
        """
        twin = copy.copy(self)
        twin.problems, twin._places = [], dict(places)
        return twin

    def unnoticed(self) -> Subject:
        """The same functions, for other inputs: what is odd there is no problem of the inputs that were given."""
        twin = self.placing(self._places)
        twin._notices = False  # to compare what each call changes takes as long as the call
        return twin

    # What others ask.

    @property
    def names(self) -> tuple[str, ...]:
        """The leaf paths."""
        return tuple(self.arrays)

    @property
    def arguments(self) -> Mapping[str, Tree]:
        """Forward's arguments by name, as they were given."""
        return dict(self._inputs)

    def outputs(self, arrays: Arrays | None = None) -> dict[str, Array]:
        """Forward with other leaf arrays in place of its own ones; complex ones are passed on as complex.

        Raises:
            SubjectError: forward raises.
        """
        return read_arrays(self.run(arrays or {}).outputs)

    def gradients(self, arrays: Arrays | None = None, cotangents: Arrays | None = None) -> dict[str, Array]:
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
        found = dict(self.reading(arrays, cotangents).gradients)
        return found | {path: found[other] for path, other in self._places.items() if other in found}

    def answer_and_gradients(self, arrays: Arrays, cotangents: Arrays) -> tuple[dict[str, Array], dict[str, Array]]:
        """`outputs` and `gradients` of one call of each function.

        Raises:
            SubjectError: the functions raise, or return something that cannot be read.
        """
        run = self.run(arrays)
        found = dict(self._pull(run, cotangents).gradients)
        placed = {path: found[other] for path, other in self._places.items() if other in found}
        return read_arrays(run.outputs), found | placed

    def reading(self, arrays: Arrays | None = None, cotangents: Arrays | None = None) -> ReturnedGradients:
        """The same with everything else that backward's return value tells."""
        return self._pull(self.run(arrays or {}), cotangents or {})

    def made(self, seed: int, T: int | None = None, N: int | None = None) -> dict[str, Array] | None:
        """Leaf arrays of another draw; None where the inputs are fixed, or have no such size.

        Arrays of integers that differ from the own ones are among them, since they may belong to the sizes; the other
        methods take them as they are.
        """
        inputs = self.draws.made(seed, T, N)
        if inputs is None or (T is None and N is None and not self.draws.varied):
            return None
        found: dict[str, Any] = {p: leaf for name, tree in inputs.items() for p, leaf in leaves(name, tree).items()}
        numbers = collect_floats(inputs)
        own = {path: leaf for name, tree in self._inputs.items() for path, leaf in leaves(name, tree).items()}
        if set(found) != set(own):
            self._templates = [one for one in self._templates if set(collect_floats(one)) != set(numbers)] + [inputs]
        others: dict[str, Any] = {
            path: leaf
            for path, leaf in found.items()
            if path not in numbers and isinstance(leaf, np.ndarray | int | list) and not is_same(leaf, own.get(path))
        }
        return {**numbers, **others}

    def flat_forward(self, **arrays: Array) -> Any:
        """Forward for arguments under flat identifiers; what it returns is the outputs, without the cache."""
        return self.run({self.flat_names.get(name, name): array for name, array in arrays.items()}).outputs

    def probe(self, arrays: Arrays | None = None) -> Probe:
        """What looks for a cell asks forward through this, under flat identifiers.

        Args:
            arrays: flat identifier -> array, around which it is asked; None for its own arrays.

        Raises:
            InputError: forward raises there, or gives no outputs that can be used.
        """
        own = {flat: self.arrays[path] for flat, path in self.flat_names.items()} if arrays is None else arrays
        return Probe(self, own, self.flat_names)

    def run(self, arrays: Arrays) -> ForwardRun:
        """Forward with other leaf arrays in place of its own ones, but for those that are held."""
        return super().run({**arrays, **self._held})

    @property
    def calling(self) -> Calling:
        """How backward is called."""
        assert self._calling is not None
        return self._calling

    @property
    def forward_calls(self) -> int:
        """How often forward was called."""
        return self.calls.forward

    @property
    def backward_calls(self) -> int:
        """How often backward was called."""
        return self.calls.backward

    def zeros(self) -> dict[str, Array]:
        """A zero cotangent for every output."""
        return {path: np.zeros_like(array) for path, array in self.answer.items()}

    def reachable(self, path: str) -> bool:
        """Whether backward takes a cotangent of this output."""
        return any(path == used or path.startswith((f"{used}[", f"{used}.")) for used in self.calling.used)

    def expects(self, path: str) -> bool:
        """Whether the gradient of this leaf is not left out on purpose."""
        return path not in self._without

    # Calling forward.

    def _first(self) -> Any:
        """What forward returns at its own arguments."""
        check_arguments(self.forward, self._inputs)
        try:
            return self.run({}).outputs
        except SubjectError as error:
            raise (error if self._dtypes else add_integers(error, self._inputs)) from None

    def _divide(self, returned: Any) -> tuple[Tree, list[Any]]:
        """The outputs alone, and the caches; all of it until it is known how the two functions are called."""
        if self._calling is None:
            return returned, []
        try:
            return self._calling.split(returned)
        except (KeyError, IndexError, TypeError):
            raise refuse("forward-raises", "forward returns something of another form at other inputs") from None

    # Calling backward.

    def _pull(self, run: ForwardRun, cotangents: Arrays) -> ReturnedGradients:
        """Backward, after a run of forward."""
        handed = map_leaves(ROOT, run.outputs, lambda path, leaf: make_cotangent(leaf, cotangents.get(path)))
        positional, named = self.calling.arguments(handed, run.caches, run.arguments, run.outputs)
        # Backward gets the originals, since a cache may refer to the very arrays; what it changes is seen against
        # copies.
        kept, before = (copy_tree(handed), copy_tree(run.arguments)) if self._notices else (handed, run.arguments)
        self.calls.backward += 1
        returned = call("backward", self.backward, positional, named)
        if self._notices and not all(
            is_same(one, two) for one, two in zip(list_leaves(kept), list_leaves(handed), strict=True)
        ):
            self.note("cotangents-changed", "backward changes the cotangents that it is given in place")
        self._compare_arguments("backward", before, run.arguments)
        reader = GradientReader(self.backward, before, self._order, self._per_step, self._written, self._without)
        read = reader.read(returned)
        for problem in read.problems:
            self.note(problem.kind, problem.sentence, problem.fatal)
        self.gradient_epsilon = max(self.gradient_epsilon, read.coarsest)
        factor = -1.0 if self._negated else 1.0
        if self.calling.implicit:  # a loss: its cotangent was 1
            factor *= float(sum(np.sum(array) for array in cotangents.values()))
        kept_gradients = {path: array for path, array in read.gradients.items() if path not in self._held}
        if factor != 1.0:
            kept_gradients = {path: factor * array for path, array in kept_gradients.items()}
        return replace(read, gradients=kept_gradients)

    # What is noticed at once.

    def _checked_answer(self, returned: Any) -> dict[str, Array]:
        tree, _ = self._divide(returned)
        raw = {path: leaf for path, leaf in leaves(ROOT, tree).items() if is_float(leaf)}
        if not raw:
            kinds = sorted({type(leaf).__name__ for leaf in leaves(ROOT, tree).values()}) or ["nothing"]
            sentence = "None" if kinds == ["NoneType"] else f"no array of floats as output, but {', '.join(kinds)}"
            raise refuse(
                "no-output", f"forward returns {sentence}\n  let it return its outputs: return h, or return h, cache"
            )
        self.epsilon = max(float(np.finfo(getattr(leaf, "dtype", np.float64)).eps) for leaf in raw.values())
        answer = read_arrays(tree)
        bad = [path for path, array in answer.items() if not np.isfinite(array).all()]
        if bad:
            given = [path for path, array in self.arrays.items() if not np.isfinite(array).all()]
            why = f"; {', '.join(given)} among the inputs is not finite" if given else ""
            remedy = "give finite inputs" if given else "choose inputs where it is finite, such as smaller weights"
            sentence = f"forward returns NaN or infinity in {', '.join(bad)}{why}\n  {remedy}"
            raise refuse("forward-not-finite", sentence)
        unreached = [path for path in answer if not self.reachable(path)]
        if unreached:
            sentence = ", ".join(unreached[:6])
            self.note(
                "fewer-cotangents",
                f"backward takes no cotangent of {sentence}: checked without that part of the outputs",
            )
        return answer

    def examine(self, cotangents: Arrays) -> ReturnedGradients:
        """One backward pass, and everything that can be noticed by repeating it.

        Raises:
            SubjectError: backward raises, or gives other gradients each time.
        """
        run = self.run({})
        before = copy_tree(run.caches)
        try:
            first = self._pull(run, cotangents)
        except SubjectError as error:
            raise add_integers(self._uncached(error), self._inputs) from None
        changed = [place for place, cache in enumerate(before) if not is_alike(cache, run.caches[place])]
        self._pull_again(first, run, cotangents, bool(changed))
        afresh = self.reading({}, cotangents)
        gap, where = measure_gap(first.gradients, afresh.gradients)
        if gap > _CHANGED * max(self.epsilon, self.gradient_epsilon):
            raise refuse(
                "gradients-change",
                f"two calls of backward, each after its own forward, differ by {gap:.2g} in {where}: it keeps "
                "something from call to call, such as a sum that is not set to zero, or draws random numbers",
            )
        for kind, sentence in find_integers_used(self._inputs, self.answer, self.outputs):
            self.note(kind, sentence)
        return first

    def _uncached(self, error: SubjectError) -> SubjectError:
        """The error of a backward pass that was given all of what forward returns, for want of a cache."""
        if self.calling.caches is not None or not any(slot.kind == "cache" for slot in self.calling.slots):
            return error
        name = next(slot.keyword or "cache" for slot in self.calling.slots if slot.kind == "cache")
        sentence = f"forward returns no cache, so that what it returns was passed as backward's {name!r}"
        return refuse(error.problem.kind, f"{error.problem.sentence}\n  {sentence}: return it beside the outputs")

    def _pull_again(self, first: ReturnedGradients, run: ForwardRun, cotangents: Arrays, changed: bool) -> None:
        """Backward once more with the same cache: what is noticed of the cache by that."""
        try:
            second = self._pull(run, cotangents)
        except SubjectError as error:
            sentence = error.problem.sentence.splitlines()[0]
            self.note("cache-consumed", f"backward uses the cache up: called again with it, {sentence}")
            return
        gap, where = measure_gap(first.gradients, second.gradients)
        if gap > _CONSUMED * max(self.epsilon, self.gradient_epsilon):
            self.note(
                "cache-consumed",
                f"backward called twice with one cache gives another gradient of {where} (by {gap:.2g}); "
                "every call here had a fresh one",
            )
        elif changed:
            self.note("cache-changed", "backward changes the cache in place, without another gradient the second time")


def _named_inputs(names: Sequence[str], inputs: Mapping[str, Tree], arrays: Arrays) -> set[str]:
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

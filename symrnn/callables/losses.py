"""Functions that compute a loss and its gradients at once, or a loss and new weights, as a pair of functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from symrnn.arguments import listed
from symrnn.callables.adapters import ChangesPutOff, Pair, Where, first_of, join_inputs
from symrnn.callables.draws import Inputs
from symrnn.callables.invocation import refuse
from symrnn.callables.keeping import Function, Supplied, WeightKeeper, find_place, find_rates, recover
from symrnn.callables.matching import divide_loss, match_gradients
from symrnn.callables.places import read_place
from symrnn.callables.putting_off import ChangesMade, run_with_changes_put_off
from symrnn.callables.trees import Tree, copy_tree, is_float, leaves
from symrnn.callables.updates import Updates
from symrnn.callables.written import read_returned_names
from symrnn.errors import InputError


def from_loss(
    function: Callable[..., Any],
    inputs: Inputs,
    gradients: Sequence[str | None] | str | None = None,
    loss: int | None = None,
    weights: Any = None,
    names: Sequence[str] | str = (),
    *,
    left: Where = None,
    updates: Mapping[str, Any] | None = None,
) -> Pair:
    """A function that returns a scalar loss and its gradients at once, such as `loss, dW, db, h = f(x, y, h0)`.

    The gradients that are named are those that are wanted; that of anything else is left out on purpose.

    Args:
        function: the function, or a method; it takes `inputs` by name.
        inputs: its arguments; or a function of `rng`, or of `rng`, `T` and `N`, that makes them.
        gradients: whose gradient each further return value is, in order and without the loss; None for other values,
            such as the last state.  Where they come in one dict or list, or are left behind: whose gradients are
            wanted.  None for those of all weights, or of all arguments whose gradients are found.
        loss: the place of the loss in what is returned; None to find it.
        weights: the module, dict or object that holds its weights, if they are no arguments; it is left as it was.
        names: the weights in it.
        left: where it leaves gradients there, as for `from_object`.
        updates: the rule by which it changes weights in place, or returns new ones, as for `from_object`: the
            gradients are recovered from the change.

    Raises:
        InputError: a gradient's name is neither an argument nor a weight; a rule is not known.
    """
    where = "from_loss"
    is_module = weights is None or isinstance(weights, ModuleType)
    owner: Any = {} if weights is None else vars(weights) if is_module else weights
    named = listed(names, "names")
    keeper = WeightKeeper.of(where, owner, named, left)
    called: Function = function
    if weights is not None and getattr(function, "__self__", None) is weights:
        called = find_place(where, weights, function.__name__)  # of a copy that holds other weights
    given = join_inputs(where, keeper.weights, inputs)
    wanted = None if gradients is None else tuple(listed(gradients, "gradients"))
    known = list(first_of(given))
    if strange := [name for name in wanted or () if name is not None and name not in known]:
        raise InputError(f"{where}: {strange[0]!r} is no argument and no weight\n  use None for what is no gradient")
    return _LossFunction(function, called, keeper, given, wanted, loss, Updates.read(updates)).pair()


class _LossFunction:
    """A function that returns a loss, with all that is known of it."""

    def __init__(
        self,
        function: Callable[..., Any],
        called: Function,
        keeper: WeightKeeper,
        given: Inputs,
        wanted: Sequence[str | None] | None,
        place: int | None,
        updates: Updates | None,
    ) -> None:
        self.called, self.keeper, self.given, self.place, self.updates = called, keeper, given, place, updates
        self.positions = wanted
        first = first_of(given)
        self.names = list(first)
        named = [name for name in wanted or () if name is not None]
        self.wanted = named or [*keeper.places] or self.names
        self.words = read_returned_names(function)
        self.rates = Supplied((), find_rates(function, self.names))

    def pair(self) -> Pair:
        def forward(**arguments: Any) -> Any:
            return self.run(arguments)

        asked = [] if self.wanted is self.names else self.wanted
        nothing: dict[str, Any] = dict.fromkeys(name for name in self.names if name not in asked)

        def backward(cache: Any) -> dict[str, Any]:
            return nothing | self.gradients(*cache)

        changes: list[ChangesMade] = []

        def put_off(cache: Any) -> dict[str, Any]:
            old, rest, called, left, _ = cache
            return nothing | self.gradients(old, rest, called, left, self.run_put_off(old, changes))

        if self.updates is not None:
            backward.put_off = ChangesPutOff(put_off, changes)  # type: ignore[attr-defined]
        forward.__name__ = "forward"
        backward.declined_inputs = frozenset(nothing)  # type: ignore[attr-defined]
        return forward, backward, self.given

    def run(self, arguments: dict[str, Any]) -> Any:
        """The loss, and what its gradients are told from."""
        values = {name: arguments[name] for name in self.keeper.places}
        twin = self.keeper.place(values)
        own = {name: value for name, value in arguments.items() if name not in values}
        before = copy_tree(own)
        # Both are wanted, the arguments before the step and those after it.
        if self.updates is not None:  # what it changes is a copy
            own = copy_tree(own)
        returned = self.keeper.call(twin, self.called, (), own | self.rates.named(twin, self.updates))
        loss, rest, called = divide_loss(returned, self.words, self.place)
        self.check(rest)
        old = {**before, **values}
        if self.updates is None:
            return loss, (old, rest, called, self.keeper.left.find(twin) if values else {}, {})
        after = {name: place.read(twin) for name, place in self.keeper.places.items()}
        return loss, (old, rest, called, {}, {**own, **after})

    def run_put_off(self, old: Mapping[str, Tree], changes: list[ChangesMade]) -> dict[str, Tree]:
        """The arguments and weights after a call in which the arguments change at its end alone."""
        twin = self.keeper.place({name: copy_tree(old[name]) for name in self.keeper.places})
        own = {name: copy_tree(tree) for name, tree in old.items() if name not in self.keeper.places}
        arrays = {path: one for name, tree in own.items() for path, one in leaves(name, tree).items() if is_float(one)}
        named = own | self.rates.named(twin, self.updates)

        def run() -> None:
            self.keeper.call(twin, self.called, (), named)

        changes.append(run_with_changes_put_off(run, own, {path: read_place(path) for path in arrays}))
        return own | {name: place.read(twin) for name, place in self.keeper.places.items()}

    def check(self, rest: Sequence[Any]) -> None:
        """That there are as many values as gradients were said to be, where these do not come in one thing.

        Raises:
            SubjectError: there are not.
        """
        if self.positions and rest and len(rest) < len(self.positions) and not any(map(_is_container, rest)):
            raise refuse(
                "cannot-read",
                f"{len(self.positions)} values were said to stand beside the loss, and there are {len(rest)}\n  give "
                "one name for each in gradients=, and None for what is no gradient",
            )

    def gradients(
        self, old: Mapping[str, Tree], rest: list[Any], called: list[str | None], left: dict[str, Any], new: Any
    ) -> dict[str, Any]:
        """Name -> gradient."""
        wanted = {name: old[name] for name in self.wanted if name not in left}
        if self.updates is None:
            found = left | self.placed(rest, called, wanted)
            if not found and self.wanted is self.names:
                raise refuse(
                    "cannot-read",
                    "it cannot be told whose gradients the function returns\n  say so in order, with None for what is "
                    "no gradient: from_loss(function, inputs, gradients=['W', 'b', None])",
                )
            return found
        changed = {name: new[name] for name in wanted if _differ(name, old[name], new[name])}
        # Where nothing was changed in place, the new weights are among what is returned.
        changed = changed or self.placed(rest, called, wanted)  # it returns new weights
        if self.positions is None:
            wanted = {name: tree for name, tree in wanted.items() if name in changed}
        buffers = [
            (np.asarray(one), np.asarray(two))
            for name in old
            if name not in wanted
            for one, two in zip(leaves(name, old[name]).values(), leaves(name, new[name]).values(), strict=False)
            if isinstance(one, np.ndarray)
        ]
        then = {name: old[name] for name in wanted}
        return recover(self.updates, then, {name: changed.get(name, old[name]) for name in wanted}, buffers)[0]

    def placed(self, rest: list[Any], called: list[str | None], wanted: Mapping[str, Tree]) -> dict[str, Any]:
        """What is returned for these: by the places that were said, or found."""
        if self.positions and len(rest) == len(self.positions) and not self.holds_all(rest, wanted):
            pairs = zip(self.positions, rest, strict=True)
            return {name: value for name, value in pairs if name is not None}
        return match_gradients(rest, called, wanted)

    def holds_all(self, rest: list[Any], wanted: Mapping[str, Tree]) -> bool:
        """Whether what is returned is a single thing that holds the gradients of others by their names."""
        name = next(iter(wanted), None)
        one = len(rest) == 1 and name is not None and _is_container(rest[0])
        return bool(one) and not _is_container(wanted[str(name)])


def _is_container(value: Any) -> bool:
    return isinstance(value, Mapping | tuple | list)


def _differ(name: str, one: Tree, two: Tree) -> bool:
    pairs = zip(leaves(name, one).values(), leaves(name, two).values(), strict=False)
    return any(not np.array_equal(np.asarray(a), np.asarray(b)) for a, b in pairs)

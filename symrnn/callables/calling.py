"""How a backward pass is called: which of what forward returns is a cache, and what goes into which parameter.

Decided by what backward's parameters are called and by what forward returns; what cannot be told is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter
from typing import Any

from symrnn.callables.conventions import gradient_of, gradients_of, names_all_cotangents, names_cache, names_cotangent
from symrnn.callables.invocation import SubjectError, refuse, show_call, signature
from symrnn.callables.outputs import ROOT
from symrnn.callables.trees import Tree, children, is_float, leaves
from symrnn.callables.written import read_returned_names

_REMEDY = (
    "let backward take one cotangent an output and then the cache, or say what is what: cache=True or False, and "
    "outputs= the number, indices or names of what forward returns besides a cache"
)
Key = int | str
Outputs = int | str | Sequence[Key] | None


@dataclass(frozen=True)
class BackwardArgument:
    """One argument of backward.

    Attributes:
        kind: `cotangent`, `cache`, `input` or `output`: what goes in.
        at: the path of the output, the name of the input, or the place among the caches.
        keyword: the parameter's name where it is passed by keyword.
    """

    kind: str
    at: str | int
    keyword: str | None = None


@dataclass(frozen=True)
class Calling:
    """How one pair of functions is called.

    Attributes:
        outputs: which of what forward returns are outputs; None for all of it.
        caches: which are handed on to backward as they are; None for all of it.
        slots: backward's arguments.
        implicit: whether backward takes no cotangent, that of the only output being 1.
    """

    outputs: tuple[Any, ...] | None
    caches: tuple[Any, ...] | None
    slots: tuple[BackwardArgument, ...] = ()
    implicit: bool = False

    def split(self, returned: Any) -> tuple[Tree, list[Any]]:
        """The outputs alone, and the caches."""
        caches = [returned] if self.caches is None else [returned[key] for key in self.caches]
        if self.outputs is None:
            return returned, caches
        if isinstance(returned, Mapping):
            return {key: returned[key] for key in self.outputs}, caches
        chosen = tuple(returned[key] for key in self.outputs)
        return (chosen[0] if len(chosen) == 1 else chosen), caches

    def arguments(
        self, cotangents: Tree, caches: list[Any], inputs: Mapping[str, Any], outputs: Tree
    ) -> tuple[list[Any], dict[str, Any]]:
        """The positional and the keyword arguments of backward."""
        positional: list[Any] = []
        named: dict[str, Any] = {}
        for slot in self.slots:
            value = self._value(slot, cotangents, caches, inputs, outputs)
            if slot.keyword is None:
                positional.append(value)
            else:
                named[slot.keyword] = value
        return positional, named

    def _value(
        self, slot: BackwardArgument, cotangents: Tree, caches: list[Any], inputs: Mapping[str, Any], outputs: Tree
    ) -> Any:
        if slot.kind == "cache":
            return caches[int(slot.at)]
        if slot.kind == "input":
            return inputs[str(slot.at)]
        return subtree(ROOT, cotangents if slot.kind == "cotangent" else outputs, str(slot.at))

    @property
    def used(self) -> tuple[str, ...]:
        """The paths of the outputs, or of the parts of outputs, that have a cotangent."""
        return (ROOT,) if self.implicit else tuple(str(slot.at) for slot in self.slots if slot.kind == "cotangent")


def subtree(path: str, node: Tree, wanted: str) -> Tree:
    """The node at a path inside a tree."""
    while path != wanted:
        # Along the path: every part of a tree has a path that begins with that of the whole.
        path, node = next(pair for pair in children(path, node) or () if wanted.startswith(pair[0]))
    return node


class _CallResolver:
    """Everything known of one pair of functions, and the steps that lead to the way to call it."""

    def __init__(self, forward: Callable[..., Any], backward: Callable[..., Any], returned: Any, inputs: Sequence[str]):
        self.forward, self.backward, self.returned, self.inputs = forward, backward, returned, list(inputs)
        known = signature(backward)
        self.parameters = None if known is None else list(known.parameters.values())
        self.names = [p.name for p in self.parameters or () if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        self.guessed = False
        self.keys, self.called = self._elements()

    def _elements(self) -> tuple[list[Any], dict[Any, str | None]]:
        """The keys of what forward returns, and what each is called."""
        if isinstance(self.returned, Mapping):
            return list(self.returned), {key: str(key) for key in self.returned}
        if not isinstance(self.returned, tuple):
            return [], {}
        keys = list(range(len(self.returned)))
        names: Sequence[str | None] = getattr(self.returned, "_fields", ())
        if not names:
            # Names in the source are a guess at what was meant; those of a named tuple are what the caller sees.
            names, self.guessed = read_returned_names(self.forward) or (), True
        return keys, dict(zip(keys, names if len(names) == len(keys) else [None] * len(keys), strict=True))

    @property
    def cache_parameters(self) -> list[str]:
        return [name for name in self.names if names_cache(name) and name not in self.inputs]

    def unclear(self, why: str, remedy: str = _REMEDY) -> SubjectError:
        """The one error of a pair that cannot be called."""
        kind = type(self.returned).__name__
        count = f" of {len(self.returned)}" if isinstance(self.returned, tuple | list | Mapping) else ""
        return refuse(
            "cannot-call",
            f"it cannot be told how to call backward: {why}; forward is {show_call(self.forward, 'forward')} and "
            f"returns a {kind}{count}, backward is {show_call(self.backward, 'backward')}\n  {remedy}",
        )

    # Which of what forward returns is what.

    def divide(self, outputs: Outputs, cache: bool | None) -> tuple[tuple[Any, ...] | None, tuple[Any, ...] | None]:
        if outputs is not None:
            return self._divide_as_said(outputs, cache)
        if cache is False:
            return None, ()
        if not self.keys or (cache is None and isinstance(self.returned, Mapping) and not self._cache_keys()):
            return self._divide_whole(bool(cache) or bool(self.cache_parameters))
        caches = self._cache_keys() or self._last_ones(bool(cache))
        if not caches:
            return None, ()
        return tuple(key for key in self.keys if key not in caches), tuple(caches)

    def _divide_as_said(self, outputs: Outputs, cache: bool | None) -> tuple[tuple[Any, ...], tuple[Any, ...] | None]:
        if not self.keys:
            raise self.unclear("outputs= was given, and forward returns one thing, no tuple or dict")
        wanted: list[Any]
        if isinstance(outputs, int) and not isinstance(outputs, bool):
            wanted = self.keys[:outputs] if 0 < outputs <= len(self.keys) else [None]
        else:
            wanted = [outputs] if isinstance(outputs, str) else list(outputs or ())  # type: ignore[arg-type]
        chosen = [self._named_key(place, key) for place, key in enumerate(wanted)]
        if not chosen or None in chosen or len(set(chosen)) < len(chosen):
            raise self.unclear(f"outputs={outputs!r} does not name different things that forward returns")
        rest = [key for key in self.keys if key not in chosen]
        # Nothing is left over that could be a cache.
        if cache is False or not rest:
            return tuple(chosen), ()
        if isinstance(self.returned, Mapping) and not self._cache_keys():
            return tuple(chosen), None  # the dict itself is the cache
        return tuple(chosen), tuple(self._cache_keys() or rest)

    def _named_key(self, place: int, key: Any) -> Any:
        if key is None:
            return None
        if isinstance(key, int) and not isinstance(self.returned, Mapping) and -len(self.keys) <= key < len(self.keys):
            return key % len(self.keys)
        if key in self.keys:
            return key
        by_name = [known for known, name in self.called.items() if name == key]
        if by_name or not isinstance(key, str) or isinstance(self.returned, Mapping) or place >= len(self.keys):
            return by_name[0] if by_name else None
        self.called[place], self.guessed = key, False  # names for the first things in a tuple
        return place

    def _cache_keys(self) -> list[Any]:
        return [key for key, name in self.called.items() if name is not None and names_cache(name)]

    def _last_ones(self, sentence: bool) -> list[Any]:
        """The caches at the end of a tuple, by backward's parameters."""
        if sentence:
            return self.keys[-max(1, len(self.cache_parameters)) :]
        if len(self.keys) < 2:
            return []
        if self.cache_parameters:
            # One thing at least is an output: a pair that returns caches only has nothing to check.
            return self.keys[-min(len(self.cache_parameters), len(self.keys) - 1) :]
        last = self.returned[self.keys[-1]] if not isinstance(self.returned, Mapping) else None
        nested = (
            (Mapping, list, tuple)
            if any(p.kind is p.VAR_POSITIONAL for p in self.parameters or ())
            else (Mapping, list)
        )
        # A cache is a container of intermediate values, or an object; outputs are arrays.
        opaque = isinstance(last, nested) or not any(map(is_float, leaves("", last).values()))
        open_names = [p.name for p in self._positional() if p.name not in self.inputs and p.default is p.empty]
        if len(open_names) >= len(self.keys) and not names_cotangent(open_names[len(self.keys) - 1]):
            return self.keys[-1:]
        return self.keys[-1:] if opaque and len(open_names) != len(self.keys) else []

    def _positional(self) -> list[Parameter]:
        kinds = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
        return [p for p in self.parameters or () if p.kind in kinds]

    def _divide_whole(self, cached: bool) -> tuple[tuple[Any, ...] | None, tuple[Any, ...] | None]:
        """One thing is returned: an array, or a dict that may serve as its own cache."""
        if not cached:
            return None, ()
        if not isinstance(self.returned, Mapping):
            return None, None
        wanted = [gradient_of(name, map(str, self.keys)) for name in self.names if names_cotangent(name)]
        chosen = [key for key in self.keys if str(key) in wanted]
        if not chosen:
            raise self.unclear("forward returns a dict without a cache in it, and no parameter is named after a key")
        return tuple(chosen), None

    # What goes into which parameter.

    def slots(
        self, outputs: Tree, chosen: tuple[Any, ...] | None, caches: int
    ) -> tuple[tuple[BackwardArgument, ...], bool]:
        parts = self._parts(outputs, chosen)
        if self.parameters is None:
            return (
                *(BackwardArgument("cotangent", path) for path in parts),
                *(BackwardArgument("cache", n) for n in range(caches)),
            ), False
        return _ArgumentMatcher(self, outputs, parts, caches).fill()

    def _parts(self, outputs: Tree, chosen: tuple[Any, ...] | None) -> dict[str, str | None]:
        """The outputs one by one: path -> name."""
        if isinstance(self.returned, Mapping):
            return {path: str(key) for (path, _), key in zip(children(ROOT, outputs) or (), outputs, strict=True)}
        names = [self.called.get(key) for key in (self.keys if chosen is None else chosen)]
        if isinstance(outputs, Mapping):
            return {path: str(key) for (path, _), key in zip(children(ROOT, outputs) or (), outputs, strict=True)}
        if isinstance(outputs, tuple) and len(names) == len(outputs):
            return dict(zip([path for path, _ in children(ROOT, outputs) or ()], names, strict=True))
        return {ROOT: names[0] if len(names) == 1 else None}


class _ArgumentMatcher:
    """Goes through backward's parameters and says what goes into each."""

    def __init__(self, resolver: _CallResolver, outputs: Tree, parts: dict[str, str | None], caches: int) -> None:
        self.resolver, self.outputs, self.parts, self.caches = resolver, outputs, parts, caches
        self.roles: dict[str, BackwardArgument] = {}

    def fill(self) -> tuple[tuple[BackwardArgument, ...], bool]:
        parameters = self.resolver.parameters or []
        plain = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        self._by_name(plain)
        open_ones = [p.name for p in plain if p.name not in self.roles and p.default is p.empty]
        starred = any(p.kind == p.VAR_POSITIONAL for p in parameters)
        cached = sum(slot.kind == "cache" for slot in self.roles.values())
        waiting = [path for path in self.parts if path not in self._taken()]
        # From the end: whatever their names, people write cotangents first and the cache last.
        if not starred and cached < self.caches and len(open_ones) > len(waiting):
            for place, name in enumerate(open_ones[-(self.caches - cached) :], cached):
                self.roles[name] = BackwardArgument("cache", place)
            open_ones = [name for name in open_ones if name not in self.roles]
        if not starred:
            self._in_order(open_ones, waiting)
        slots = self._arrange(parameters)
        if not any(slot.kind == "cotangent" for slot in slots):
            return slots, self._implicit()
        return slots, False

    def _taken(self) -> set[str | int]:
        return {slot.at for slot in self.roles.values() if slot.kind == "cotangent"}

    def _by_name(self, plain: list[Parameter]) -> None:
        names = {name: path for path, name in self.parts.items() if name is not None}
        caches = 0
        for name in [parameter.name for parameter in plain]:
            if name in self.resolver.inputs:
                self.roles[name] = BackwardArgument("input", name)
            elif names_cache(name) and caches < self.caches:
                self.roles[name] = BackwardArgument("cache", caches)
                caches += 1
            elif name in names:
                self.roles[name] = BackwardArgument("output", names[name])
        open_ones = [p.name for p in plain if p.name not in self.roles]
        found = gradients_of([name for name in open_ones if names_cotangent(name)], names)
        # Names that were only read in forward's source are believed where they explain every parameter and output.
        if not self.resolver.guessed or (len(found) == len(open_ones) == len(self.parts)):
            self.roles.update({word: BackwardArgument("cotangent", names[name]) for word, name in found.items()})

    def _in_order(self, open_ones: list[str], waiting: list[str]) -> None:
        paths = waiting
        if len(open_ones) == 1 and len(waiting) > 1 and not self._taken():
            together = names_all_cotangents(open_ones[0]) or isinstance(self.outputs, Mapping)
            paths = [ROOT] if together else waiting
        if len(open_ones) > len(waiting):
            # More parameters than outputs: perhaps one for each array in a nested output.
            floats = [path for path, leaf in leaves(ROOT, self.outputs).items() if is_float(leaf)]
            if self._taken() or len(floats) != len(open_ones):
                raise self._without_value(open_ones, waiting)
            paths = floats
        self.roles.update(
            {name: BackwardArgument("cotangent", path) for name, path in zip(open_ones, paths, strict=False)}
        )

    def _without_value(self, open_ones: list[str], waiting: list[str]) -> SubjectError:
        """The error of parameters for which there is nothing: no cotangent, no cache, no argument of forward."""
        named = [name for name in open_ones if names_cotangent(name)]
        likely = named if len(named) == len(waiting) else open_ones[: len(waiting)]
        rest = ", ".join(name for name in open_ones if name not in likely)
        one = "one cotangent" if len(waiting) == 1 else f"{len(waiting)} cotangents"
        if self.caches:
            return self.resolver.unclear(f"there is {one} to pass, and no value for {rest}")
        return self.resolver.unclear(
            f"there is {one} to pass, forward returns no cache, and no argument of forward is called {rest}",
            f"let forward return what backward needs as a cache; or name backward's parameters as forward's arguments "
            f"({', '.join(self.resolver.inputs)}); or pass a function of the cotangents alone that calls it",
        )

    def _arrange(self, parameters: list[Parameter]) -> tuple[BackwardArgument, ...]:
        """The slots as Python passes them: by keyword from the first parameter on that is left at its default."""
        slots: list[BackwardArgument] = []
        by_keyword = False
        for parameter in parameters:
            if parameter.kind == Parameter.VAR_POSITIONAL:
                slots += self._starred()
            elif parameter.kind == Parameter.VAR_KEYWORD:
                slots += self._double_starred()
            elif (slot := self.roles.get(parameter.name)) is None:
                # A parameter that is left at its default is skipped, and Python passes nothing by place behind a gap.
                by_keyword = True
            else:
                keyword = by_keyword or parameter.kind == Parameter.KEYWORD_ONLY
                slots.append(BackwardArgument(slot.kind, slot.at, parameter.name if keyword else None))
        return tuple(slots)

    def _starred(self) -> list[BackwardArgument]:
        taken = self._taken()
        cached = {slot.at for slot in self.roles.values() if slot.kind == "cache"}
        caches = [BackwardArgument("cache", place) for place in range(self.caches) if place not in cached]
        return [BackwardArgument("cotangent", path) for path in self.parts if path not in taken] + caches

    def _double_starred(self) -> list[BackwardArgument]:
        if self.caches:
            return []
        given = {slot.at for slot in self.roles.values() if slot.kind == "input"}
        return [BackwardArgument("input", name, name) for name in self.resolver.inputs if name not in given]

    def _implicit(self) -> bool:
        floats = [leaf for leaf in leaves(ROOT, self.outputs).values() if is_float(leaf)]
        # The derivative of a loss with respect to itself is 1, which nobody passes on.
        if len(floats) == 1 and getattr(floats[0], "size", 1) == 1:
            return True
        raise self.resolver.unclear("it takes no cotangent, and the output is no single number")


def resolve(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    returned: Any,
    inputs: Sequence[str],
    outputs: Outputs = None,
    cache: bool | None = None,
) -> Calling:
    """How to call a pair of functions.

    Args:
        forward: the forward pass.
        backward: the backward pass.
        returned: what forward returned.
        inputs: the names of forward's arguments.
        outputs: the number, indices or names of the outputs in what forward returns; None to infer them.
        cache: whether forward returns a cache; None to infer it.

    Raises:
        SubjectError: it cannot be told; the text shows both signatures and what to pass.
    """
    resolver = _CallResolver(forward, backward, returned, inputs)
    chosen, caches = resolver.divide(outputs, cache)
    bare = Calling(chosen, caches)
    tree, held = bare.split(returned)
    slots, implicit = resolver.slots(tree, chosen, len(held))
    return Calling(chosen, caches, slots, implicit)

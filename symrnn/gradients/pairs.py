"""The functions, classes and objects in somebody's file that run forward and back: found by their names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from symrnn.callables.conventions import LOSSES
from symrnn.callables.draws import GENERATORS
from symrnn.callables.invocation import call, signature
from symrnn.callables.tensors import called_by_framework, find_framework
from symrnn.callables.written import read_returned_names
from symrnn.characters import printable
from symrnn.errors import InputError, SymrnnError
from symrnn.suggestions import did_you_mean

_PARTNERS = (("forward", "backward"), ("fwd", "bwd"), ("fprop", "bprop"), ("__call__", "backward"))
_LOSSES = ("loss", "cost", "objective", "bptt")
"""What the name of a function says that returns a loss and its gradients; in the order in which they are believed."""

_FITS = ("fit", "train", "learn", "update")
"""What the name of a method says that computes a loss and changes the weights."""


@dataclass(frozen=True)
class CheckedPair:
    """A forward and a backward pass that belong together.

    Attributes:
        name: what it is called in reports.
        stems: what its inputs may be named after.
        forward: the forward pass.
        backward: the backward pass; None for a function that returns loss and gradients.
        owner: the object whose attributes are the weights, or what a framework knows; None for functions.
        framework: `torch` or `jax` for a hand-written derivative of these; otherwise empty.
        shown: how a program that imports the file writes the owner, or the two functions; without the module's name.
    """

    name: str
    stems: tuple[str, ...]
    forward: Callable[..., Any]
    backward: Callable[..., Any] | None
    owner: Any = None
    shown: tuple[str, ...] = ()
    framework: str = ""


class PairFinder:
    """Looks through a file.

    Args:
        shown: the file, as it is named in messages.
        module: what was imported.

    Attributes:
        held: the names in it.
        needing: name of a class -> why no object of it could be made.
    """

    def __init__(self, shown: str, module: ModuleType) -> None:
        self.shown, self.module = shown, module
        self.held = {name: value for name, value in vars(module).items() if not name.startswith("__")}
        self.needing: dict[str, str] = {}

    def find(self) -> Iterator[CheckedPair]:
        """Pairs of functions, and objects with both methods; where there are none, functions that return a loss."""
        found = [*self._of_frameworks(), *self._by_name(), *self._objects()]
        yield from found or self._all_losses()

    def named(self, forward: str | None, backward: str | None) -> CheckedPair:
        """The pair with these names; the other one of a pair is found by its name.

        Raises:
            InputError: there is none.
        """
        for name, option in ((forward, "--forward"), (backward, "--backward")):
            if name is not None:
                self._callable(name, option)  # what was said is looked at before anything is guessed from it
        first = forward or self._partner(backward or "", 1)
        second = backward or self._partner(first, 0)
        run, pull = self._callable(first, "--forward"), self._callable(second, "--backward")
        owner = getattr(run, "__self__", None)
        same = owner is getattr(pull, "__self__", None) and not isinstance(owner, type | ModuleType)
        shown = (self._written(first),) if same and owner is not None else (first, second)
        return CheckedPair(f"{first}, {second}", name_stems(first), run, pull, owner if same else None, shown)

    def loss(self, forward: str | None, backward: str | None) -> CheckedPair:
        """The function that returns a loss and its gradients.

        Raises:
            InputError: there is none, or there are several.
        """
        if backward:
            raise InputError("--loss: the function returns its gradients itself\n  leave --backward out")
        if forward:
            run = self._callable(forward, "--forward")
            owner = getattr(run, "__self__", None)
            owner = None if isinstance(owner, type | ModuleType) else owner
            shown = forward if owner is None else self._written(forward)
            return CheckedPair(forward, (forward, *name_stems(forward)), run, None, owner, (shown,))
        found = list(self._all_losses())
        names = [pair.name for pair in found]
        if len(names) != 1:
            said = f"there are {', '.join(names)}" if names else "no function has loss in its name"
            problem = f"{self.shown}: --loss: which function returns loss and gradients? {said}"
            raise InputError(f"{problem}\n  name it with --forward")
        return found[0]

    # By names.

    def _partner(self, name: str, side: int) -> str:
        """The name of the other one of a pair."""
        for words in _PARTNERS:
            if words[side] in name:
                return words[1 - side].join(name.rsplit(words[side], 1))
        option = ("--backward", "--forward")[side]
        raise InputError(f"{self.shown}: which function goes with {printable(name)}?\n  name it with {option}")

    def _callable(self, name: str, option: str) -> Callable[..., Any]:
        """A function, or a method as `Class.method` or `object.method`."""
        head, *rest = name.split(".")
        value = self.held.get(head)
        if isinstance(value, type) and rest:
            value = self._instance(head, value)
        for part in rest:
            value = getattr(value, part, None)
        if value is None:
            known = [known for known, value in self.held.items() if callable(value)]
            hint = did_you_mean(head, known).rstrip() or f"it defines {', '.join(sorted(known)[:20]) or 'none'}"
            raise InputError(f"{self.shown}: {option} {printable(name)}: there is no such function\n  {hint}")
        if not callable(value):
            problem = f"{option} {printable(name)}: expected a function, got {type(value).__name__}"
            raise InputError(f"{self.shown}: {problem}\n  name a function of the file")
        return value  # type: ignore[no-any-return]

    def _written(self, method: str) -> str:
        """How the object of `Class.method` or `object.method` is written."""
        head, *rest = method.split(".")
        value = self.held.get(head)
        first = _written_object(head, value) if isinstance(value, type) else head
        return ".".join([first, *rest[:-1]])

    def _by_name(self) -> Iterator[CheckedPair]:
        functions = {
            name: value for name, value in self.held.items() if callable(value) and not isinstance(value, type)
        }
        own = {name: value for name, value in functions.items() if self._is_own(value)}
        # What a file imports is looked at only where it defines no pair of its own: helpers such as a framework's come
        # in pairs too.
        for among in (own, functions):
            found = list(_pairs_among(among))
            if found:
                yield from found
                return

    def _is_own(self, value: Any) -> bool:
        return getattr(value, "__module__", None) == self.module.__name__

    def _of_frameworks(self) -> Iterator[CheckedPair]:
        """Hand-written derivatives in PyTorch and JAX."""
        for name, value in self.held.items():
            if framework := find_framework(value):
                run = called_by_framework(value)
                yield CheckedPair(name, (name, *name_stems(name)), run, None, value, (name,), framework)

    # Objects.

    def _objects(self) -> Iterator[CheckedPair]:
        """Objects with both methods, and classes of which the file has no object."""
        for name, kind, owner, shown in self._instances(_methods):
            forward, backward = _methods(type(owner) if not isinstance(owner, type) else owner)
            run, pull = getattr(owner, forward), getattr(owner, backward)
            kept = None if isinstance(owner, type) else owner
            texts = (shown,) if kept is not None else (f"{shown}.{forward}", f"{shown}.{backward}")
            yield CheckedPair(f"{name}.{forward}, {name}.{backward}", (name, kind), run, pull, kept, texts)

    def _all_losses(self) -> Iterator[CheckedPair]:
        """Functions, and methods of objects, that are called as a loss is."""
        own = {name: value for name, value in self.held.items() if inspect.isfunction(value) and self._is_own(value)}
        for name in _loss_names(own):
            yield CheckedPair(name, (name, *name_stems(name)), own[name], None, None, (name,))
        for name, kind, owner, shown in self._instances(_loss_method):
            method = _loss_method(owner if isinstance(owner, type) else type(owner))
            assert method is not None
            kept = None if isinstance(owner, type) else owner
            text = shown if kept is not None else f"{shown}.{method}"
            yield CheckedPair(f"{name}.{method}", (name, kind), getattr(owner, method), None, kept, (text,))

    def _instances(self, fits: Callable[[type], Any]) -> Iterator[tuple[str, str, Any, str]]:
        """Name, class, object, and how that is written: of objects whose class fits, and classes without an object."""
        classes = {name: value for name, value in self.held.items() if isinstance(value, type) and fits(value)}
        classes = {name: value for name, value in classes.items() if not find_framework(value)}
        objects = {name: value for name, value in self.held.items() if name not in classes and fits(type(value))}
        objects = {name: value for name, value in objects.items() if not find_framework(value)}
        for name, value in objects.items():
            yield name, type(value).__name__, value, name
        for name, kind in classes.items():
            if self._is_own(kind) and not any(isinstance(value, kind) for value in objects.values()):
                try:
                    made = self._instance(name, kind, _names_of(fits(kind)))
                except SymrnnError as error:
                    self.needing[name] = str(error)
                    continue
                yield name, name, made, name if isinstance(made, type) else _written_object(name, kind)

    def _instance(self, name: str, kind: type, needed: tuple[str, ...] = _PARTNERS[0]) -> Any:
        """The class itself, if its methods need no object; else an object made without arguments."""
        methods = [inspect.getattr_static(kind, part, None) for part in needed]
        if all(isinstance(method, staticmethod | classmethod) for method in methods):
            return kind
        # An object that the file has made knows its arguments, which nobody can guess.
        made = next((value for value in self.held.values() if type(value) is kind), None)
        if made is not None:
            return made
        known = signature(kind)
        lacking = [] if known is None else [p.name for p in known.parameters.values() if is_needed(p)]
        if len(lacking) == 1 and lacking[0] in GENERATORS:
            return call(name, kind, (np.random.default_rng(0),), {})
        if lacking:
            raise InputError(
                f"{self.shown}: {name} takes {', '.join(lacking)}, so no object of it can be made here\n"
                f"  make one in the file, such as layer = {name}(...)"
            )
        return call(name, kind, (), {})


def _written_object(name: str, kind: type) -> str:
    """How an object of a class is made."""
    known = signature(kind)
    needed = [] if known is None else [p.name for p in known.parameters.values() if is_needed(p)]
    return f"{name}(np.random.default_rng(0))" if needed else f"{name}()"


def _names_of(found: Any) -> tuple[str, ...]:
    return found if isinstance(found, tuple) else (str(found),)


def _methods(kind: type) -> Any:
    """The names of the forward and the backward pass in a class; None where it has not both."""
    return next((pair for pair in _PARTNERS if all(callable(getattr(kind, word, None)) for word in pair)), None)


def _loss_method(kind: type) -> str | None:
    own = {name: value for base in kind.__mro__[:-1] for name, value in vars(base).items() if callable(value)}
    fitting = (name for word in _FITS for name in own if word in name.lower() and not _repeats(own[name]))
    return next(iter(_loss_names(own)), None) or next(fitting, None)


def _repeats(function: Any) -> bool:
    """Whether a method takes many steps, by a parameter such as `epochs`: one of them cannot be told from another."""
    known = signature(function)
    return known is None or any(word in name for name in known.parameters for word in ("epoch", "iter", "steps"))


def _loss_names(functions: Mapping[str, Any]) -> list[str]:
    """The names of functions that return a loss; of several words the first that any of them has."""
    plain = [name for name in functions if not name.startswith("_")]
    for word in _LOSSES:
        if found := [name for name in plain if word in name.lower()]:
            return found
    return [name for name in plain if _returns_loss(functions[name])]


def _returns_loss(function: Any) -> bool:
    """Whether a function returns a loss and more, by the names in its `return`."""
    words = read_returned_names(function) if inspect.isfunction(function) else None
    return len(words or ()) > 1 and any(word in LOSSES for word in words or ())


def _pairs_among(functions: Mapping[str, Any]) -> Iterator[CheckedPair]:
    for name, function in functions.items():
        for word, other in _PARTNERS:
            partner = other.join(name.rsplit(word, 1))
            if word in name and partner in functions:
                stems = name_stems(name)
                yield CheckedPair(f"{name}, {partner}", stems, function, functions[partner], None, (name, partner))
                break


def name_stems(name: str) -> tuple[str, ...]:
    """What is left of a function's name without the word for its direction: `lstm` for `lstm_forward`."""
    head, _, last = name.rpartition(".")
    for word, _other in _PARTNERS:
        last = last.replace(word, "")
    rest = "_".join(part for part in last.split("_") if part)
    return tuple(part for part in (rest, head) if part)


def is_needed(parameter: inspect.Parameter) -> bool:
    """Whether a call has to pass a parameter."""
    variadic = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    return parameter.default is parameter.empty and not variadic

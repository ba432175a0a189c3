"""The pairs of a forward and a backward pass in somebody's file: found, given inputs, and checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from symrnn.callables import from_loss, from_object
from symrnn.callables.conventions import gradients_of
from symrnn.callables.draws import Draws, Inputs
from symrnn.callables.importing import import_file
from symrnn.callables.invocation import call, signature
from symrnn.callables.trees import is_float
from symrnn.callables.written import read_returned_names
from symrnn.characters import printable
from symrnn.errors import InputError, SymrnnError
from symrnn.findings.report import GradientReport
from symrnn.gradients.check import check_gradients
from symrnn.gradients.file_report import FileReport
from symrnn.suggestions import did_you_mean

Early = Callable[[GradientReport], None]
Arguments = tuple[Callable[..., Any], Callable[..., Any], Inputs]

_PARTNERS = (("forward", "backward"), ("fwd", "bwd"), ("fprop", "bprop"))
_INPUTS = ("make_{}_inputs", "{}_make_inputs", "{}_inputs")
_GENERAL = ("make_inputs", "inputs")
_SHAPES = {"x": "(T, N, 4)", "h": "(N, 6)", "c": "(N, 6)", "W": "(4, 6)", "U": "(6, 6)", "R": "(6, 6)", "b": "6"}
"""First letter of a parameter -> its shape in an example."""


@dataclass(frozen=True)
class Wanted:
    """What a file is to be checked for.

    Attributes:
        forward: the forward pass's name, or `Class.method`; None to find pairs by their names.
        backward: the backward pass's.
        inputs: the name of the inputs, or of the function that makes them.
        cell: the cell that the file computes, if it is known.
        seed: of everything random.
        loss: whether one function returns the loss and its gradients.
        without: the inputs whose gradients are left out on purpose.
        budget: seconds of processor time for the search in each pair.
    """

    forward: str | None = None
    backward: str | None = None
    inputs: str | None = None
    cell: Any = None
    seed: int = 0
    loss: bool = False
    without: tuple[str, ...] = ()
    budget: float = 30.0


def check_file(
    path: Path,
    wanted: Wanted | None = None,
    announce: Callable[[], None] = lambda: None,
    early: Early | None = None,
) -> FileReport:
    """Import a file and check its pairs.

    Args:
        path: the file.
        wanted: what to check; None for all that is found.
        announce: called before the file is run.
        early: called with the verdicts of a pair before its mistakes are searched.

    Raises:
        InputError: the file cannot be imported, or has nothing that could be checked.
    """
    wanted = wanted or Wanted()
    with import_file(path, announce) as module:
        return _Checking(path, module, wanted, early).run()


@dataclass(frozen=True)
class _CheckedPair:
    """A forward and a backward pass that belong together.

    Attributes:
        name: what it is called in reports.
        stems: what its inputs may be named after.
        forward: the forward pass.
        backward: the backward pass; None for a function that returns loss and gradients.
        owner: the object whose attributes are the weights.
    """

    name: str
    stems: tuple[str, ...]
    forward: Callable[..., Any]
    backward: Callable[..., Any] | None
    owner: Any = None


class _Checking:
    """One file being checked."""

    def __init__(
        self,
        path: Path,
        module: ModuleType,
        wanted: Wanted,
        early: Early | None = None,
    ) -> None:
        self.early = early
        self.shown = printable(str(path))
        self.module, self.wanted = module, wanted
        self.held = {name: value for name, value in vars(module).items() if not name.startswith("__")}
        self.needing: dict[str, str] = {}

    def run(self) -> FileReport:
        pairs = list(self._pairs())
        reports: dict[str, GradientReport] = {}
        refused: dict[str, str] = {}
        # Read after the pairs are listed: it is then that classes turn out to need arguments.
        skipped = dict(self.needing)
        for pair in pairs:
            try:
                inputs = self._inputs(pair, alone=len(pairs) == 1)
                if inputs is None:
                    skipped[pair.name] = self._without_inputs(pair)
                else:
                    reports[pair.name] = self._report(pair, inputs)
            except SymrnnError as error:
                refused[pair.name] = str(error).removeprefix(f"{self.shown}: ")
        if not reports and not refused:
            raise InputError(next(iter(skipped.values()), None) or self._nothing())
        # With nothing else to report the refusal is the whole answer; among others it is a line of the report.
        if len(refused) == 1 and not reports and not skipped:
            raise InputError(f"{self.shown}: {next(iter(refused.values()))}")
        return FileReport(self.shown, reports, refused, skipped)

    def _report(self, pair: _CheckedPair, inputs: Inputs) -> GradientReport:
        report: GradientReport = check_gradients(
            *self._arguments(pair, inputs),
            cell=self.wanted.cell,
            seed=self.wanted.seed,
            without=self.wanted.without,
            budget=self.wanted.budget,
            early=self.early,
        )
        return report

    # --- pairs

    def _pairs(self) -> Iterator[_CheckedPair]:
        if self.wanted.loss:
            yield self._loss()
        elif self.wanted.forward or self.wanted.backward:
            yield self._named()
        else:
            yield from self._by_name()
            yield from self._objects()

    def _named(self) -> _CheckedPair:
        for name, option in ((self.wanted.forward, "--forward"), (self.wanted.backward, "--backward")):
            if name is not None:
                self._callable(name, option)  # what was said is looked at before anything is guessed from it
        forward = self.wanted.forward or self._partner(self.wanted.backward or "", 1)
        backward = self.wanted.backward or self._partner(forward, 0)
        run, pull = self._callable(forward, "--forward"), self._callable(backward, "--backward")
        owner = getattr(run, "__self__", None)
        same = owner is getattr(pull, "__self__", None) and not isinstance(owner, type | ModuleType)
        return _CheckedPair(f"{forward}, {backward}", _stems(forward), run, pull, owner if same else None)

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

    def _by_name(self) -> Iterator[_CheckedPair]:
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

    def _objects(self) -> Iterator[_CheckedPair]:
        """Objects with both methods, and classes of which the file has no object."""
        classes = {name: value for name, value in self.held.items() if isinstance(value, type) and _has_both(value)}
        objects = {name: value for name, value in self.held.items() if _has_both(type(value)) and name not in classes}
        for name, value in objects.items():
            yield _pair_of(name, type(value).__name__, value)
        for name, kind in classes.items():
            if self._is_own(kind) and not any(isinstance(value, kind) for value in objects.values()):
                try:
                    yield _pair_of(name, name, self._instance(name, kind))
                except SymrnnError as error:
                    self.needing[name] = str(error)

    def _instance(self, name: str, kind: type) -> Any:
        """The class itself, if its methods need no object; else an object made without arguments."""
        methods = [inspect.getattr_static(kind, part, None) for part in _PARTNERS[0]]
        if all(isinstance(method, staticmethod | classmethod) for method in methods):
            return kind
        # An object that the file has made knows its arguments, which nobody can guess.
        made = next((value for value in self.held.values() if type(value) is kind), None)
        if made is not None:
            return made
        known = signature(kind)
        needed = [] if known is None else [p.name for p in known.parameters.values() if _is_needed(p)]
        if needed:
            raise InputError(
                f"{self.shown}: {name} takes {', '.join(needed)}, so no object of it can be made here\n"
                f"  make one in the file, such as layer = {name}(...)"
            )
        return call(name, kind, (), {})

    def _loss(self) -> _CheckedPair:
        if self.wanted.backward:
            raise InputError("--loss: the function returns its gradients itself\n  leave --backward out")
        named = [name for name, value in self.held.items() if "loss" in name.lower() and inspect.isfunction(value)]
        names = [self.wanted.forward] if self.wanted.forward else named
        if len(names) != 1:
            found = f"there are {', '.join(names)}" if names else "no function has loss in its name"
            problem = f"{self.shown}: --loss: which function returns loss and gradients? {found}"
            raise InputError(f"{problem}\n  name it with --forward")
        return _CheckedPair(names[0], (names[0],), self._callable(names[0], "--forward"), None)

    # --- inputs

    def _inputs(self, pair: _CheckedPair, alone: bool) -> Inputs | None:
        """The inputs of a pair; None where the file has none."""
        if self.wanted.inputs is not None:
            return self._source(self.wanted.inputs, "--inputs ")
        for stem in dict.fromkeys(stem for known in pair.stems for stem in (known, known.lower())):
            for form in _INPUTS:
                if form.format(stem) in self.held:
                    return self._source(form.format(stem))
        for name in _GENERAL:
            if name in self.held:
                source = self._source(name)
                # Inputs of a general name may belong to any of several pairs: to those that can be called with them.
                return source if alone or _fits(pair, Draws(source).first(self.wanted.seed)) else None
        known = signature(pair.forward)
        if pair.backward is None and known is not None and not any(map(_is_needed, known.parameters.values())):
            return {}
        return None

    def _source(self, name: str, option: str = "") -> Inputs:
        value = self.held.get(name)
        if not isinstance(value, Mapping) and not callable(value):
            kind = type(value).__name__
            what = f"expected a dict or a function, got {kind}" if name in self.held else "there is no such name"
            raise InputError(f"{self.shown}: {option}{printable(name)}: {what}\n  it makes the arguments of forward")
        return value

    def _without_inputs(self, pair: _CheckedPair) -> str:
        """That there are no inputs, and what to write."""
        known = signature(pair.forward)
        names = [name for name, p in (known.parameters if known else {}).items() if _is_needed(p)] or ["x", "W"]
        lines = [f'    "{name}": rng.normal(size={_SHAPES.get(name[:1], "(4, 6)")}),' for name in names]
        function = f"make_{pair.stems[0].lower()}_inputs" if pair.stems else "make_inputs"
        text = [f"def {function}(rng, T, N):", "    return {", *(f"    {line}" for line in lines), "    }"]
        example = "\n".join(f"    {line}" for line in text)
        return (
            f"{self.shown}: there are no inputs for {pair.name}\n"
            f"  add a function such as this one to the file, with the shapes that yours takes:\n\n{example}"
        )

    def _arguments(self, pair: _CheckedPair, inputs: Inputs) -> Arguments:
        """What `check_gradients` is called with."""
        if pair.backward is None:
            return self._of_loss(pair, Draws(inputs).first(self.wanted.seed))
        weights = [] if pair.owner is None else _weights(pair.owner)
        if not weights:
            return pair.forward, pair.backward, inputs
        made = Draws(inputs).first(self.wanted.seed)
        forward, backward = pair.forward.__name__, pair.backward.__name__
        return from_object(pair.owner, forward, backward, [name for name in weights if name not in made], inputs=made)

    def _of_loss(self, pair: _CheckedPair, inputs: Mapping[str, Any]) -> Arguments:
        names = read_returned_names(pair.forward)
        if names is None or len(names) < 2:
            problem = f"{pair.name}: --loss: the names of what it returns cannot be read"
            raise InputError(f"{problem}\n  end it in a line such as: return loss, dW, db")
        # Where nothing is called a loss, the first is: `return loss, gradients` is how it is written.
        place = next((n for n, name in enumerate(names) if name and "loss" in name.lower()), 0)
        rest = [name or "" for n, name in enumerate(names) if n != place]
        weights = [name for name, value in self.held.items() if is_float(value) and name not in inputs]
        whose = gradients_of([name for name in rest if name], [*inputs, *weights])
        found = [whose.get(name) for name in rest]
        globals_ = [name for name in found if name is not None and name not in inputs]
        return from_loss(pair.forward, inputs, found, place, self.module, globals_)

    def _nothing(self) -> str:
        return (
            f"{self.shown}: no pair of functions was found\n"
            "  call them lstm_forward and lstm_backward, say --forward and --backward, or --loss"
        )


def _pairs_among(functions: Mapping[str, Any]) -> Iterator[_CheckedPair]:
    for name, function in functions.items():
        for word, other in _PARTNERS:
            # The last one alone, as in `feedforward_forward`: the word before is a part of the subject's name.
            partner = other.join(name.rsplit(word, 1))
            if word in name and partner in functions:
                yield _CheckedPair(f"{name}, {partner}", _stems(name), function, functions[partner])
                break


def _stems(name: str) -> tuple[str, ...]:
    """What is left of a function's name without the word for its direction: `lstm` for `lstm_forward`."""
    head, _, last = name.rpartition(".")
    for word, _other in _PARTNERS:
        last = last.replace(word, "")
    rest = "_".join(part for part in last.split("_") if part)
    return tuple(part for part in (rest, head) if part)


def _has_both(kind: type) -> bool:
    return all(callable(getattr(kind, word, None)) for word in _PARTNERS[0])


def _pair_of(name: str, kind: str, value: Any) -> _CheckedPair:
    # A class whose methods need no object has no weights in it.
    owner = None if isinstance(value, type) else value
    return _CheckedPair(f"{name}.forward, {name}.backward", (name, kind), value.forward, value.backward, owner)


def _weights(owner: Any) -> list[str]:
    """The attributes of an object that are weights: arrays of floats that are no gradients of others."""
    arrays = [name for name, value in getattr(owner, "__dict__", {}).items() if is_float(value) and value.shape]
    return [name for name in arrays if not gradients_of([name], [other for other in arrays if other != name])]


def _is_needed(parameter: inspect.Parameter) -> bool:
    variadic = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    return parameter.default is parameter.empty and not variadic


def _fits(pair: _CheckedPair, inputs: Mapping[str, Any]) -> bool:
    known = signature(pair.forward)
    try:
        if known is not None:
            known.bind(**inputs)
    except TypeError:
        return False
    return True

"""How the functions of somebody's file are handed to `check_gradients`: the arguments, and the same as a program.

The program is what a person would write, paste and change; it is run to the same report.
"""

from __future__ import annotations

import keyword
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from symrnn.callables import from_globals, from_loss, from_object
from symrnn.callables.conventions import RATES, gradients_of, names_data, stems
from symrnn.callables.draws import Draws, Inputs
from symrnn.callables.finding_weights import find_weights
from symrnn.callables.invocation import SubjectError, signature
from symrnn.callables.places import read_place
from symrnn.callables.subject import Subject
from symrnn.callables.whole import OF_FRAMEWORKS
from symrnn.callables.written import read_returned_names
from symrnn.errors import InputError
from symrnn.gradients.pairs import CheckedPair

Arguments = tuple[Callable[..., Any], Callable[..., Any], Inputs]

_TAKEN = {"symrnn", "numpy", "np", "check_gradients", "report", *sys.stdlib_module_names}
"""Names that a file cannot be imported by in a program: another module has them."""


@dataclass(frozen=True)
class InputSource:
    """The inputs of a pair.

    Attributes:
        value: a dict, or a function that makes it.
        shown: how a program writes it, `{m}` standing for the module.
    """

    value: Inputs
    shown: str


@dataclass(frozen=True)
class WayIn:
    """How a pair is checked.

    Attributes:
        arguments: the first three of `check_gradients`.
        shown: how a program writes them, `{m}` standing for the module.
        adapter: the adapter that makes them; empty where there is none.
    """

    arguments: Arguments
    shown: str
    adapter: str = ""

    def program(self, file: Path, options: Mapping[str, Any]) -> str:
        """A few lines of Python that give the same report.

        Args:
            file: the file.
            options: further arguments of `check_gradients`.
        """
        more = "".join(f", {name}={value!r}" for name, value in options.items())
        name = file.stem if _is_importable(file) else "module"
        check = f"check_gradients({self.shown.replace('{m}', name)}{more})"
        lines = ["import numpy as np"] if "(np." in self.shown else []
        lines += ["from symrnn import check_gradients"]
        lines += [f"from symrnn.callables import {self.adapter}"] if self.adapter else []
        if name == file.stem:
            beside = str(file.parent)
            path = [] if beside == "." else ["import sys", f"sys.path.insert(0, {beside!r})"]
            return "\n".join([*path, *lines, f"import {name}", f"report = {check}", "print(report)"])
        lines += ["from pathlib import Path", "from symrnn.callables.importing import import_file"]
        return "\n".join([*lines, f"with import_file(Path({str(file)!r})) as {name}:", f"    print({check})"])


def _is_importable(file: Path) -> bool:
    name = file.stem
    plain = name.isidentifier() and not keyword.iskeyword(name) and name not in _TAKEN and file.suffix == ".py"
    try:
        return plain and "from ." not in file.read_text(encoding="utf-8")  # such a file wants a package
    except (OSError, ValueError):
        return False


def find_way(pair: CheckedPair, source: InputSource, module: ModuleType, seed: int) -> WayIn:
    """How a pair is checked with these inputs.

    Raises:
        SymrnnError: the functions cannot be called.
    """
    first = Draws(source.value).first(seed)
    if pair.framework:
        adapter = OF_FRAMEWORKS[pair.framework]
        text = f"*{adapter.__name__}({{m}}.{pair.shown[0]}, {source.shown})"
        return WayIn(adapter(pair.owner, source.value), text, adapter.__name__)
    if pair.backward is None:
        return (
            _loss_way(pair, source, first, module) if pair.owner is None else _object_way(pair, source, first, (None,))
        )
    if pair.owner is not None:
        return _object_way(pair, source, first, (pair.backward.__name__,))
    return _globals_way(pair, source, first, module)


def _object_way(pair: CheckedPair, source: InputSource, first: Mapping[str, Any], second: tuple[str | None]) -> WayIn:
    """An object; with the update of its weights where it keeps no gradients."""
    forward, (backward,) = pair.forward.__name__, second
    weights = find_weights(pair.owner, read_place(forward), first)
    (shown,) = pair.shown
    if not weights and backward is not None:
        return WayIn(
            (pair.forward, pair.backward or pair.forward, source.value),
            f"{{m}}.{shown}.{forward}, {{m}}.{shown}.{backward}, {source.shown}",
        )

    def way(updates: Mapping[str, float] | None) -> WayIn:
        made = from_object(pair.owner, forward, backward, weights, inputs=source.value, updates=updates)
        more = "" if updates is None else f", updates={updates!r}"
        text = f"*from_object({{m}}.{shown}, {forward!r}, {backward!r}, {weights!r}, inputs={source.shown}{more})"
        return WayIn(made, text, "from_object")

    plain = way(None)
    rate = _rate(pair.backward or pair.forward, pair.owner)
    if rate is None or _found(plain, weights):
        return plain
    changing = way({"sgd": rate})
    return changing if _found(changing, weights) else plain


def _globals_way(pair: CheckedPair, source: InputSource, first: Mapping[str, Any], module: ModuleType) -> WayIn:
    """Two functions; with the globals that are weights where backward gives their gradients."""
    assert pair.backward is not None
    one, two = pair.shown
    plain = WayIn((pair.forward, pair.backward, source.value), f"{{m}}.{one}, {{m}}.{two}, {source.shown}")
    try:
        weights = [name for name in find_weights(vars(module), pair.forward, first) if not names_data(name)]
    except InputError:
        return plain
    if not weights:
        return plain
    made = from_globals(module, pair.forward, pair.backward, weights, inputs=source.value)
    text = f"*from_globals({{m}}, {{m}}.{one}, {{m}}.{two}, {weights!r}, inputs={source.shown})"
    way = WayIn(made, text, "from_globals")
    return way if _found(way, weights) else plain


def _loss_way(pair: CheckedPair, source: InputSource, first: Mapping[str, Any], module: ModuleType) -> WayIn:
    """A function that returns a loss and its gradients."""
    (shown,) = pair.shown
    words = read_returned_names(pair.forward, opened=True)
    weights = find_weights(vars(module), pair.forward, first)
    rest = [word or "" for word in words or () if not (word and _is_loss(word))]
    # A value that is called exactly as an input is a state, or a new weight.
    whose = gradients_of([word for word in rest if stems(word) and word not in first], [*first, *weights])
    gradients = [whose.get(word) for word in rest] if whose else None
    names = [name for name in weights if gradients is None or name in gradients]
    held: Any = module if names else None
    made = from_loss(pair.forward, source.value, gradients, None, held, names)
    more = f", weights={{m}}, names={names!r}" if names else ""
    way = WayIn(made, f"*from_loss({{m}}.{shown}, {source.shown}, {gradients!r}{more})", "from_loss")
    if not whose and not _found(way, [*first, *weights]):
        raise InputError(
            f"{pair.name}: --loss: the names of what it returns cannot be read, and it leaves no gradients\n"
            "  end it in a line such as: return loss, dW, db"
        )
    return way


def _is_loss(word: str) -> bool:
    return "loss" in word.lower() or word in ("cost", "J", "L", "E", "error", "objective")


def _found(way: WayIn, weights: Sequence[str]) -> bool:
    """Whether a gradient of any of these comes out; also where it cannot be told, which the check then says."""
    try:
        subject = Subject(*way.arguments)
        given = {path: np.ones_like(array) for path, array in subject.answer.items()}
        found = subject.reading({}, given)
    except SubjectError as error:
        return error.problem.kind not in ("no-update", "not-recovered", "cannot-read")
    read = {*found.gradients, *found.refused}
    return any(path == name or path.startswith((f"{name}[", f"{name}.")) for path in read for name in weights)


def _rate(function: Callable[..., Any], owner: Any) -> float | None:
    """The rate of an update: the default of a parameter that is called so, or an attribute."""
    known = signature(function)
    defaults = [p.default for p in (known.parameters.values() if known else ()) if p.name in RATES]
    held = [getattr(owner, name, None) for name in RATES]
    return next((float(one) for one in (*defaults, *held) if isinstance(one, float) and one), None)

"""Cell -> module: derive, lower, improve, print, and load the result.

The whole road on one page: every step is one function of one room.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import linecache
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from symrnn.arguments import listed
from symrnn.calculus.derivation import Derivation, derivation_of, derive
from symrnn.calculus.second_order import second_order
from symrnn.calculus.tangent import tangent
from symrnn.errors import InputError
from symrnn.files import check_module_file, write_whole
from symrnn.language.constants import with_constants
from symrnn.language.fingerprint import sealed
from symrnn.language.recurrence import Cell
from symrnn.printers.notation import Notation, find_notation
from symrnn.printers.vocabulary import fitted
from symrnn.program.lower import lower, lower_second_order, lower_tangent
from symrnn.program.passes import run_passes, single_step
from symrnn.showing import Shown
from symrnn.suggestions import did_you_mean
from symrnn.targets.numpy.module import Further, numpy_module
from symrnn.targets.numpy.rtrl import numpy_rtrl
from symrnn.targets.numpy.tangent import numpy_hvp, numpy_jvp
from symrnn.version import __version__

STANDARD = ("initialize", "forward", "step", "backward")
"""The functions that every module has."""

FURTHER: Mapping[str, Callable[[Derivation], Further]] = MappingProxyType(
    {
        "jvp": lambda derivation: partial(numpy_jvp, run_passes(lower_tangent(tangent(derivation)))),
        "hvp": lambda derivation: partial(numpy_hvp, run_passes(lower_second_order(second_order(derivation)))),
        "rtrl": lambda derivation: partial(numpy_rtrl, derivation),
    }
)
"""The functions that a module has when they are asked for -> what writes them."""

TRUNCATE = "truncate"
"""Asks for the argument `truncate` of `backward`."""


def _numpy(derivation: Derivation, functions: Sequence[str], notation: Notation) -> str:
    return numpy_module(
        run_passes(lower(derivation)),
        # Lowered anew: the passes that suit a loop over time would leave a single step incomplete.
        single_step(lower(derivation)),
        __version__,
        [FURTHER[name](derivation) for name in FURTHER if name in functions],
        TRUNCATE in functions,
        fitted(notation, derivation.cell, derivation.forward),
    )


TARGETS: Mapping[str, Callable[[Derivation, Sequence[str], Notation], str]] = MappingProxyType({"numpy": _numpy})
"""Target language -> the writer of its modules."""


class GeneratedFunction:
    """A function of a generated module: called like one, and sent to another process as the module's text.

    `inspect.signature`, `inspect.getsource` and `help` show the function itself.

    Args:
        function: the function.
        module: the module's name.
        source: the module's text.
    """

    def __init__(self, function: Callable[..., Any], module: str, source: str) -> None:
        functools.update_wrapper(self, function)
        self._function, self._module, self._source = function, module, source

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: D102 - `help` is to show the function's docstring
        return self._function(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        return _function, self._identity

    @property
    def _identity(self) -> tuple[str, str, str]:
        return self._module, self._source, self._function.__name__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GeneratedFunction) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    def __repr__(self) -> str:
        return f"<{self._function.__name__}{inspect.signature(self._function)} of the module {self._module}>"


def _function(module: str, source: str, name: str) -> Callable[..., Any]:
    function: Callable[..., Any] = getattr(load_source(module, source), name)
    return function


@dataclass(frozen=True, repr=False)
class Module(Shown):
    """A generated module, in memory.

    Attributes:
        source: the module's text; it needs NumPy and nothing else.
        initialize: `initialize(input_size, hidden_size, rng=None, dtype=np.float64)` -> params.
        forward: `forward(params, x, state=None)` -> h, state, tape.
        backward: `backward(params, tape, h_bar, state_bar=None)` -> grads, x_bar, state_bar.
        step: `step(params, x_t, state)` -> state.
        jvp: `jvp(params, x, state=None, params_dot=None, x_dot=None, state_dot=None)` -> h_dot, state_dot; None
            unless asked for, as the others that follow.
        hvp: `hvp(params, x, h_bar=None, state=None, params_dot=None, x_dot=None, state_dot=None, h_bar_dot=None,
            state_bar=None, state_bar_dot=None)` -> grads_dot, x_bar_dot, state_bar_dot.
        rtrl: `rtrl(params, x, h_bar=None, state=None, state_bar=None, parameters=None, sensitivity=None)` -> grads,
            state, sensitivity.
        constants: the module's `CONSTANTS`, name -> number; every function reads it when it is called, so that a new
            number holds for all of them.
    """

    name: str
    source: str = field(repr=False)
    initialize: Callable[..., Any] = field(repr=False)
    forward: Callable[..., Any] = field(repr=False)
    backward: Callable[..., Any] = field(repr=False)
    step: Callable[..., Any] = field(repr=False)
    jvp: Callable[..., Any] | None = field(default=None, repr=False)
    hvp: Callable[..., Any] | None = field(default=None, repr=False)
    rtrl: Callable[..., Any] | None = field(default=None, repr=False)
    constants: dict[str, float] = field(default_factory=dict, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """A module travels as its text, from which its functions are made again."""
        return load_source, (self.name, self.source)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the source to a file; an existing file is replaced at once, or not at all.

        Raises:
            InputError: a module of this name could not be imported, or would hide another one.
            SymrnnError: the file cannot be written.
        """
        check_module_file(path)
        return write_whole(path, self.source)


def generate_source(
    cell: Cell | Derivation | str,
    target: str = "numpy",
    functions: str | Sequence[str] = (),
    notation: str | Notation = "subscript",
) -> str:
    """The text of the generated module; see `generate`."""
    if target not in TARGETS:
        raise InputError(f"no target {target!r}\n  {did_you_mean(target, TARGETS)}there are {', '.join(TARGETS)}")
    return sealed(TARGETS[target](derivation_of(cell), check_functions(functions), find_notation(notation)))


def check_functions(functions: str | Iterable[str]) -> tuple[str, ...]:
    """The functions' names, of which each can be generated.

    Raises:
        InputError: there is one that cannot be generated.
    """
    known = (*STANDARD, *FURTHER, TRUNCATE)
    names = listed(functions, "functions")
    unknown = [name for name in names if name not in known]
    if unknown:
        remedy = f"give a list of {', '.join((*FURTHER, TRUNCATE))}; {', '.join(STANDARD)} are always there"
        raise InputError(f"functions={functions!r}: cannot generate {unknown[0]!r}\n  {remedy}")
    return names


def generate(
    cell: Cell | Derivation | str,
    target: str = "numpy",
    functions: str | Sequence[str] = (),
    constants: Mapping[str, float] | None = None,
    notation: str | Notation = "subscript",
) -> Module:
    """Generate the forward and backward pass of a cell.

    Args:
        cell: the cell, or its derivation.
        target: the language; "numpy".
        functions: what the module has besides `initialize`, `forward`, `step` and `backward`: any of "jvp" (forward
            mode), "hvp" (Hessian-vector products), "rtrl" (real-time recurrent learning) and "truncate" (the argument
            `truncate=(k1, k2)` of `backward`).
        constants: other numbers for the cell's constants, by name.  In the module they are entries of `CONSTANTS`,
            which every function reads when it is called.
        notation: how the equations in the comments look; the code has the cell's own names.

    Returns:
        The module; its functions are ready to call, and `inspect.getsource` shows their text.

    Raises:
        InputError: there is no such target, function or constant.
        UnknownNameError: there is no such notation.

    Example:
        A Hessian-vector product of a squared error, whose own curvature comes in through `h_bar_dot`:

        >>> import numpy as np
        >>> from symrnn import cells
        >>> m = generate(cells.rnn, functions=["jvp", "hvp"])
        >>> params, v, x, y = m.initialize(2, 3, 0), m.initialize(2, 3, 1), np.ones((4, 1, 2)), np.zeros((4, 1, 3))
        >>> h, _, _ = m.forward(params, x)
        >>> h_dot, _ = m.jvp(params, x, params_dot=v)
        >>> grads_dot, x_bar_dot, state_bar_dot = m.hvp(params, x, h - y, params_dot=v, h_bar_dot=h_dot)
        >>> grads_dot["W"].shape
        (3, 2)
    """
    derivation = derivation_of(cell)
    if constants:
        derivation = derive(with_constants(derivation.cell, constants), derivation.rules)
    return load_source(derivation.cell.name, generate_source(derivation, target, functions, notation))


def load_source(name: str, source: str) -> Module:
    """Turn the text of a generated module into functions."""
    file = f"<symrnn {name} {hashlib.sha256(source.encode()).hexdigest()[:12]}>"  # one name for one text
    lines = source.splitlines(keepends=True)
    linecache.cache[file] = (len(source), None, lines, file)  # inspect.getsource and tracebacks find it there
    namespace: dict[str, Any] = {"__name__": f"symrnn_generated_{name}"}
    exec(compile(source, file, "exec"), namespace)  # noqa: S102 - text printed by this package from checked names
    made = {key: GeneratedFunction(namespace[key], name, source) for key in (*STANDARD, *FURTHER) if key in namespace}
    return Module(name, source, **made, constants=namespace.get("CONSTANTS", {}))

"""Cell -> module: derive, lower, improve, print, and load the result.

The whole road on one page: every step is one function of one room.
"""

from __future__ import annotations

import hashlib
import linecache
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from symrnn import __version__
from symrnn.calculus.derivation import Derivation, derive
from symrnn.errors import InputError, SymrnnError
from symrnn.language.recurrence import Cell
from symrnn.printers.numpy_module import numpy_module
from symrnn.program.lower import lower
from symrnn.program.passes import run_passes, single_step

TARGETS: Mapping[str, Callable[[Derivation], str]] = MappingProxyType(
    {
        "numpy": lambda derivation: numpy_module(
            run_passes(lower(derivation)), single_step(lower(derivation)), __version__
        )
    }
)
"""Target language -> the writer of its modules."""


@dataclass(frozen=True)
class Module:
    """A generated module, in memory.

    Attributes:
        source: the module's text; it needs NumPy and nothing else.
        initialize: `initialize(input_size, hidden_size, rng=None, dtype=np.float64)` -> params.
        forward: `forward(params, x, state=None)` -> h, state, tape.
        backward: `backward(params, tape, h_bar, state_bar=None)` -> grads, x_bar, state_bar.
        step: `step(params, x_t, state)` -> state.
    """

    name: str
    source: str = field(repr=False)
    initialize: Callable[..., Any] = field(repr=False)
    forward: Callable[..., Any] = field(repr=False)
    backward: Callable[..., Any] = field(repr=False)
    step: Callable[..., Any] = field(repr=False)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the source to a file; an existing file is replaced at once, or not at all."""
        return write_whole(Path(path), self.source)


def generate_source(cell: Cell | Derivation, target: str = "numpy") -> str:
    """The text of the generated module; see `generate`."""
    if target not in TARGETS:
        raise InputError(f"no target {target!r}\n  there are {', '.join(TARGETS)}")
    return TARGETS[target](cell if isinstance(cell, Derivation) else derive(cell))


def generate(cell: Cell | Derivation, target: str = "numpy") -> Module:
    """Generate the forward and backward pass of a cell.

    Args:
        cell: the cell, or its derivation.
        target: the language; "numpy".

    Returns:
        The module; its functions are ready to call, and `inspect.getsource` shows their text.

    Raises:
        InputError: there is no such target.
    """
    derivation = cell if isinstance(cell, Derivation) else derive(cell)
    return load_source(derivation.cell.name, generate_source(derivation, target))


def load_source(name: str, source: str) -> Module:
    """Turn the text of a generated module into functions."""
    file = f"<symrnn {name} {hashlib.sha256(source.encode()).hexdigest()[:12]}>"  # one name for one text
    lines = source.splitlines(keepends=True)
    linecache.cache[file] = (len(source), None, lines, file)  # inspect.getsource and tracebacks find it there
    namespace: dict[str, Any] = {"__name__": f"symrnn_generated_{name}"}
    exec(compile(source, file, "exec"), namespace)  # noqa: S102 - text printed by this package from checked names
    functions = {key: namespace[key] for key in ("initialize", "forward", "backward", "step")}
    return Module(name, source, **functions)


def write_whole(path: Path, text: str) -> Path:
    """Write a text file completely or not at all.

    Raises:
        SymrnnError: the file cannot be written; nothing is left behind.
    """
    temporary = None
    try:
        target = path.resolve() if path.is_symlink() else path
        if target.is_dir():
            raise IsADirectoryError(21, "this is a directory")
        if target.exists() and not target.is_file():  # /dev/stdout, a pipe
            target.write_text(text, encoding="utf-8")
            return path
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        os.chmod(temporary, mode)
        os.replace(temporary, target)
    except (OSError, ValueError) as error:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
        reason = getattr(error, "strerror", None) or str(error)
        raise SymrnnError(f"{path}: cannot be written: {reason}\n  give another file") from None
    return path


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

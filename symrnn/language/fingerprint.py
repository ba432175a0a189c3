"""Which equations a text was made from: a short hash of a cell, written into whatever is made of it, and found again.

What counts is what a document and a module show: the equations in their order, which their numbers follow, the letters,
which are the formulas' symbols and the keys of a module's dicts, shapes, roles and the numbers of constants.  What does
not count is the cell's own name, its docstring, how its text is laid out, in which order it lists its parameters, and
the order of the terms of a sum or of the factors of an element-by-element product.

A second hash seals a generated text: it says whether somebody has changed the text since.  Neither protects against
those who forge; both tell slips.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from symrnn.algebra.nodes import Hadamard, Sum, Variable
from symrnn.language.recurrence import Cell

DIGITS = 16
"""Hexadecimal digits of a hash: 64 bits, so that among a million cells two meet by accident once in 10^7."""

# What a change of the scheme has to change, so that no old hash is taken for a new one.
_SCHEME = "symrnn cell 1"
_COMMUTATIVE = (Sum, Hadamard)

# As a sentence (`fingerprint 0123...`), as a command of LaTeX (`\symrnnfingerprint{0123...}`) or as an assignment, also
# inside of a notebook's quotation marks.
_MENTIONED = re.compile(rf"fingerprint\W{{1,6}}([0-9a-f]{{{DIGITS}}})(?![0-9a-z])", re.IGNORECASE)
_SEAL = re.compile(rf'^(SEAL = ")([0-9a-f]{{{DIGITS}}}|)(")$', re.MULTILINE)


def fingerprint(cell: Cell) -> str:
    r"""The hash of a cell's equations, 16 hexadecimal digits.

    >>> from symrnn import Cell
    >>> one = Cell.from_source("def a(x, h, *, W, U):\n    h = tanh(W @ x + U @ h)\n    return h")
    >>> two = Cell.from_source("def b(x, h, *, U, W):\n    h = tanh(U @ h + W @ x)\n    return h")
    >>> fingerprint(one) == fingerprint(two)
    True
    """
    known: dict[int, str] = {}
    parts = [
        _SCHEME,
        *(f"input {_variable(cell[name])}" for name in cell.inputs),
        *(f"state {_variable(cell[name])}" for name in cell.states),
        *sorted(f"parameter {_variable(cell[name])}" for name in cell.parameters),
        *sorted(f"constant {name} {number}" for name, number in cell.constants.items()),
        *(f"{_variable(equation.target)} = {_digest(equation.value, known)}" for equation in cell.body),
    ]
    return _hashed("\n".join(parts))


def _digest(part: Any, known: dict[int, str]) -> str:
    """The hash of a part of an expression; each part once, since a long formula may share most of them."""
    if id(part) not in known:
        if isinstance(part, Variable):
            text = _variable(part)
        elif not getattr(part, "is_Matrix", False):
            text = str(part)  # a name, a number or a size, which SymPy writes in one order
        else:
            inner = [_digest(arg, known) for arg in part.args]
            text = f"{type(part).__name__} {' '.join(sorted(inner) if isinstance(part, _COMMUTATIVE) else inner)}"
        known[id(part)] = _hashed(text)
    return known[id(part)]


def _variable(variable: Variable) -> str:
    return f"{variable.name} ({variable.shape[0]}, {variable.shape[1]})"


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def describe_origin(cell: Cell) -> str:
    """What a text that is made of a cell says of where it comes from."""
    return f"the definition of the cell {cell.name}, fingerprint {fingerprint(cell)}"


def find_fingerprints(text: str) -> tuple[str, ...]:
    """The fingerprints that a text mentions, each once, in order."""
    return tuple(dict.fromkeys(found.lower() for found in _MENTIONED.findall(text)))


def sealed(text: str) -> str:
    """A generated text with its own hash in the place of the empty one, `SEAL = ""`."""
    return _SEAL.sub(rf"\g<1>{_hash_text(text)}\g<3>", text, count=1)


def is_as_sealed(text: str) -> bool | None:
    """Whether a text is as it was when it was sealed; None where it has no seal.

    Line ends and blanks at the end of a line do not count: tools change them on the way.
    """
    found = _SEAL.search(_tidied(text))
    return None if found is None else found[2] == _hash_text(text)


def _hash_text(text: str) -> str:
    return _hashed(_SEAL.sub(r"\g<1>\g<3>", _tidied(text), count=1))


def _tidied(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.removeprefix("\ufeff").splitlines()).rstrip("\n")

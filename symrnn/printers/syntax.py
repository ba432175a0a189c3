"""The tokens of the two syntaxes for readers, LaTeX and plain text, as frozen tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.nodes import Shape, Variable
from symrnn.printers.named import NAMED
from symrnn.printers.notation import Notation, latex_name, text_name
from symrnn.printers.precedence import Level


@dataclass(frozen=True)
class Syntax:
    """The tokens of one syntax; templates take their parts in order.

    `fraction_level` says how tightly a fraction binds: a fraction bar groups what a slash does not.  `instead` has
    what the printer's own letters give way to where an author uses them, `word` is how a function's name stands.
    """

    name: Callable[[Variable, Notation], str]
    function: Callable[[str], str]
    operator: Callable[[str], str]
    hadamard: Callable[[Notation, Shape], str]
    product: Callable[[Notation], str]
    transposed: Callable[[Notation], str]
    bracket: tuple[str, str]
    tall_bracket: tuple[str, str]
    square: tuple[str, str]
    inner: tuple[str, str]
    power: str
    space: str
    of_ten: str
    fraction: str
    fraction_level: Level
    reciprocal: str
    ones: str
    sized: str
    times: str
    kronecker: str
    commutation: str
    slice: str
    tall: str
    instead: Mapping[str, str]
    word: str


_IN_TEXT: Mapping[str, str] = MappingProxyType({r"\odot": "⊙", r"\circ": "∘", r"\ast": "*", r"\cdot": "·", r"\,": ""})


def _entry_by_entry(notation: Notation, shape: Shape) -> str:
    """The sign of the element-by-element product; side by side only what cannot be a product of matrices."""
    if notation.hadamard:
        return notation.hadamard
    return r"\," if shape[1] == 1 or shape[0] == 1 else r"\odot"


LATEX = Syntax(
    name=latex_name,
    function=lambda name: FUNCTIONS[name].latex,
    operator=lambda kind: NAMED[kind].latex,
    hadamard=lambda notation, shape: f" {_entry_by_entry(notation, shape)} ",
    product=lambda notation: f" {notation.product} " if notation.product else " ",
    transposed=lambda notation: f"^{{{notation.transposed}}}",
    bracket=("(", ")"),
    tall_bracket=(r"\left(", r"\right)"),
    square=("[", "]"),
    inner=(r"\left\langle ", r" \right\rangle"),
    power="{}^{{{}}}",
    space=r" \, ",
    of_ten=r" \times ",
    fraction=r"\frac{{{}}}{{{}}}",
    fraction_level=Level.POWER,
    reciprocal=r"{} \oslash {}",
    ones=r"\mathbf{1}",
    sized="_{{{}}}",
    times=r" \times ",
    kronecker=r" \otimes ",
    commutation="{}_{{{},{}}}",
    slice="{}_{{[{}:{}]}}",
    tall=r"\frac",
    instead=MappingProxyType({"I": r"\mathbb{I}", "K": r"\mathbb{K}"}),
    word=r"\operatorname{{{}}}",
)

TEXT = Syntax(
    name=text_name,
    function=lambda name: FUNCTIONS[name].text,
    operator=lambda kind: NAMED[kind].text,
    hadamard=lambda notation, shape: f" {_IN_TEXT[_entry_by_entry(notation, shape)]} ".replace("  ", " "),
    product=lambda notation: f" {_IN_TEXT[notation.product]} " if notation.product else " ",
    # One sign for all: a prime in plain text is part of a name.
    transposed=lambda notation: "ᵀ",
    bracket=("(", ")"),
    tall_bracket=("(", ")"),
    square=("[", "]"),
    inner=("⟨", "⟩"),
    power="{}^{}",
    space=" ",
    of_ten="×",
    fraction="{}/{}",
    fraction_level=Level.HADAMARD,
    reciprocal="{} ⊘ {}",
    ones="𝟏",
    sized="_{{{}}}",
    times="×",
    kronecker=" ⊗ ",
    commutation="{}_{{{},{}}}",
    slice="{}[{}:{}]",
    tall="\0",
    instead=MappingProxyType({"I": "𝕀", "K": "𝕂"}),
    word="{}",
)

_COMMAND = re.compile(r"\\(?:operatorname\{)?([A-Za-z]+)")


def words_of(function: str) -> frozenset[str]:
    """The names that look like a function's symbol or a part of it: sigma and log in that of log_sigmoid."""
    return frozenset(_COMMAND.findall(FUNCTIONS[function].latex)) - {"left", "right"}


OWN = frozenset({"I", "t", "delta", *(row.text for row in NAMED.values())}).union(*map(words_of, FUNCTIONS))
"""Names that look like what the printer writes of its own: the identity, the step t, the δ of an adjoint, functions."""

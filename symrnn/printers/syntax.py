"""The tokens of the two syntaxes for readers, LaTeX and plain text, as frozen tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.nodes import Variable
from symrnn.printers.notation import Notation, latex_name, text_name
from symrnn.printers.precedence import Level


@dataclass(frozen=True)
class Syntax:
    """The tokens of one syntax; templates take their parts in order.

    `fraction_level` says how tightly a fraction binds: a fraction bar groups what a slash does not.
    """

    name: Callable[[Variable, Notation], str]
    function: Callable[[str], str]
    hadamard: Callable[[Notation], str]
    transposed: Callable[[Notation], str]
    bracket: tuple[str, str]
    tall_bracket: tuple[str, str]
    square: tuple[str, str]
    power: str
    space: str
    fraction: str
    fraction_level: Level
    reciprocal: str
    ones: str
    identity: str
    diag: str
    vec: str
    kronecker: str
    commutation: str
    softmax: str
    slice: str
    tall: str


LATEX = Syntax(
    name=latex_name,
    function=lambda name: FUNCTIONS[name].latex,
    hadamard=lambda notation: f" {notation.hadamard} ",
    transposed=lambda notation: f"^{{{notation.transposed}}}",
    bracket=("(", ")"),
    tall_bracket=(r"\left(", r"\right)"),
    square=("[", "]"),
    power="{}^{{{}}}",
    space=r" \, ",
    fraction=r"\frac{{{}}}{{{}}}",
    fraction_level=Level.POWER,
    reciprocal=r"{} \oslash {}",
    ones=r"\mathbf{1}",
    identity="I",
    diag=r"\operatorname{diag}",
    vec=r"\operatorname{vec}",
    kronecker=r" \otimes ",
    commutation="K_{{{},{}}}",
    softmax=r"\operatorname{softmax}",
    slice="{}_{{[{}:{}]}}",
    tall=r"\frac",
)

TEXT = Syntax(
    name=text_name,
    function=lambda name: FUNCTIONS[name].text,
    hadamard=lambda notation: " ⊙ ",
    transposed=lambda notation: "ᵀ",
    bracket=("(", ")"),
    tall_bracket=("(", ")"),
    square=("[", "]"),
    power="{}^{}",
    space=" ",
    fraction="{}/{}",
    fraction_level=Level.HADAMARD,
    reciprocal="{} ⊘ {}",
    ones="𝟏",
    identity="I",
    diag="diag",
    vec="vec",
    kronecker=" ⊗ ",
    commutation="K_{{{},{}}}",
    softmax="softmax",
    slice="{}[{}:{}]",
    tall="\0",
)

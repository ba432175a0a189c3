"""The table of operators that are written as a word in front of brackets, such as softmax(x).

A row says how the word looks in each syntax and what a document says of it; from the row come the printer, the sizes
of ones beside it, the names that an author's variable must not look like, and the explanation under the formulas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from symrnn.algebra.nodes import KINDS


@dataclass(frozen=True)
class NamedOperator:
    """One row.

    Attributes:
        kind: the class name of the node, which has one operand.
        latex: the word in LaTeX.
        text: the word in plain text.
        meaning: what it means, as a sentence with formulas between dollar signs.
        keeps_shape: whether the value has the shape of the operand, so that the size of one tells that of the other.
        is_symbol: whether a superscript can stand right behind its bracket, as in diag(v)².
    """

    kind: str
    latex: str
    text: str
    meaning: str
    keeps_shape: bool
    is_symbol: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind}: there is no such kind of node")
        if not (self.latex and self.text and self.meaning):
            raise ValueError(f"{self.kind}: a word in LaTeX, one in plain text and a meaning are needed")


_ROWS = (
    NamedOperator(
        "Diag",
        r"\operatorname{diag}",
        "diag",
        r"$\operatorname{diag}(v)$ has $v$ on its diagonal, and zeros elsewhere.",
        keeps_shape=False,
        is_symbol=True,
    ),
    NamedOperator(
        "Vec",
        r"\operatorname{vec}",
        "vec",
        r"$\operatorname{vec}$ stacks the columns of a matrix.",
        keeps_shape=False,
        is_symbol=True,
    ),
    NamedOperator(
        "Softmax",
        r"\operatorname{softmax}",
        "softmax",
        r"$\operatorname{softmax}(x)$ is $\exp(x)$ divided by the sum of its column.",
        keeps_shape=True,
    ),
    NamedOperator(
        "Argmax",
        r"\operatorname{argmax}",
        "argmax",
        r"$\operatorname{argmax}(x)$ is 1 at the (first) largest entry of each column, else 0.",
        keeps_shape=True,
    ),
)

NAMED: Mapping[str, NamedOperator] = MappingProxyType({row.kind: row for row in _ROWS})
"""Class name of a node -> its row."""

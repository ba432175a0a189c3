"""How names look: identifiers stay plain Python, a notation says what a reader sees.

`c_prev` is c_{t-1} to one reader and c^{(t-1)} to another; `W_f` is W_f to both.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from symrnn.algebra.nodes import Variable
from symrnn.errors import UnknownNameError
from symrnn.freezing import Frozen
from symrnn.suggestions import did_you_mean

_GREEK = """
alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi omega
Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega
"""
GREEK: Mapping[str, str] = MappingProxyType(
    dict(zip(_GREEK.split(), "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ", strict=True))
)
"""Names of Greek letters, and the letters."""
_ACCENTS = {  # over one letter, over a word, and in plain text
    "tilde": (r"\tilde{%s}", r"\widetilde{%s}", "\u0303"),
    "hat": (r"\hat{%s}", r"\widehat{%s}", "\u0302"),
    "dot": (r"\dot{%s}", r"\dot{%s}", "\u0307"),
    "bar": (r"\bar{%s}", r"\overline{%s}", "\u0304"),
}
_WRITTEN = ("tilde", "hat", "dot")  # those that an author can write; a bar over a state is its cotangent
_MARKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"cotangent": ("bar",), "tangent": ("dot",), "cotangent tangent": ("bar", "dot"), "cotangent window": ("bar",)}
)
"""What stands over the letter of a variable with this mark; a dot marks how it moves."""
_DOTTED = ("adjoint tangent", "loss tangent")  # the dot is on the δ, the L or the ℓ
_DELTA, _ELL = r"\delta", r"\ell"
_HEAD = re.compile(r"([A-Za-z]+?)(\d*)\Z")
_PART = re.compile(r"\{[^{}]*\}|[^_{}]+")


@dataclass(frozen=True)
class Notation:
    """A reader's notation.

    Attributes:
        name: its name on the command line.
        describes: one sentence for the documents' header.
        time: where the time stands: h_t, h^{(t)} or h^{<t>}.
        hadamard: LaTeX of the element-by-element product.
        transposed: LaTeX of the transpose's superscript.
        adjoint: "delta" writes δh_t, "partial" writes ∂L/∂h_t.
        bold: vectors and matrices in bold.
        names: LaTeX for names that should look otherwise than they read, such as a tilde over c for g.
        loss: the letter of the total loss.
        now: the step that t stands for where it is a number, as in h_0 for what precedes step 1; None prints t.
    """

    name: str
    describes: str
    time: Literal["subscript", "parenthesis", "angle"] = "subscript"
    hadamard: str = r"\odot"
    transposed: str = r"\top"
    adjoint: Literal["delta", "partial"] = "delta"
    bold: bool = False
    names: Mapping[str, str] = field(default_factory=lambda: Frozen({}))
    loss: str = "L"
    now: int | None = None


_PRESETS = (
    Notation("subscript", r"time as a subscript, $h_t$; adjoints as $\delta h_t$"),
    Notation("superscript", r"time as a superscript in parentheses, $h^{(t)}$", time="parenthesis"),
    Notation("angle", r"time as a superscript in angle brackets, $h^{\langle t\rangle}$", time="angle"),
    Notation("bold", r"vectors and matrices in bold, $\mathbf{h}_t$", bold=True),
    Notation("partial", r"adjoints as $\partial L/\partial h_t$", adjoint="partial"),
)
NOTATIONS: Mapping[str, Notation] = MappingProxyType({preset.name: preset for preset in _PRESETS})
"""The notations that can be asked for by name."""


def find_notation(name: str) -> Notation:
    """The preset with this name.

    Raises:
        UnknownNameError: there is none.
    """
    if name not in NOTATIONS:
        raise UnknownNameError(
            f"no notation {name!r}\n  {did_you_mean(name, NOTATIONS)}there are {', '.join(NOTATIONS)}"
        )
    return NOTATIONS[name]


def show_moment(time: int, now: int | None = None) -> str:
    """t, t-1, t+2; or a number where it is known which step t is.

    >>> show_moment(-1), show_moment(-1, now=1)
    ('t-1', '0')
    """
    if now is not None:
        return str(now + time)
    return "t" if time == 0 else f"t{time:+d}"


@dataclass(frozen=True)
class _Word:
    """One part of an identifier with the accents that follow it."""

    letters: str
    accents: tuple[str, ...] = ()

    @property
    def is_wide(self) -> bool:
        return len(self.letters) > 1 and self.letters not in GREEK

    def latex(self, accents: tuple[str, ...] = (), bold: bool = False) -> str:
        """In LaTeX, with further accents on top."""
        symbol = _bold(self.letters) if bold else _latex_word(self.letters)
        for accent in (*self.accents, *accents):
            symbol = _ACCENTS[accent][self.is_wide] % symbol
        return symbol

    def text(self, accents: tuple[str, ...] = ()) -> str:
        """In plain text, with further accents on top."""
        marks = "".join(_ACCENTS[accent][2] for accent in (*self.accents, *accents))
        return unicodedata.normalize("NFC", GREEK.get(self.letters, self.letters) + marks)


@dataclass(frozen=True)
class _Nested:
    """A subscript that is a name with subscripts of its own."""

    name: str

    def latex(self) -> str:
        head, rest = _split(self.name)
        return _lowered(head.latex(), ",".join(word.latex() for word in rest))

    def text(self) -> str:
        head, rest = _split(self.name)
        subscript = ",".join(word.text() for word in rest)
        return head.text() + (f"_{{{subscript}}}" if "," in subscript else f"_{subscript}" if subscript else "")


def _lowered(symbol: str, subscript: str) -> str:
    return f"{symbol}_{{{subscript}}}" if len(subscript) > 1 else f"{symbol}_{subscript}" if subscript else symbol


def _latex_word(word: str) -> str:
    if word in GREEK:
        return f"\\{word}"
    return word if len(word) == 1 or word.isdigit() else rf"\mathrm{{{word}}}"


def _bold(word: str) -> str:
    return rf"\boldsymbol{{\{word}}}" if word in GREEK else rf"\mathbf{{{word}}}"


def _split(name: str) -> tuple[_Word, list[_Word | _Nested]]:
    """Symbol and subscripts; a number at the end of the symbol is one, and an accent belongs to what precedes it.

    What stands in braces is one subscript, a name of its own.
    """
    words: list[_Word | _Nested] = []
    for part in _PART.findall(name):
        last = words[-1] if words else None
        if part in _WRITTEN and isinstance(last, _Word):
            words[-1] = _Word(last.letters, (*last.accents, part))
        else:
            words.append(_Nested(part[1:-1]) if part.startswith("{") else _Word(part))
    head, *rest = words
    assert isinstance(head, _Word)
    match = _HEAD.match(head.letters)
    if match and match[2]:
        return _Word(match[1], head.accents), [_Word(match[2]), *rest]
    return head, rest


def latex_name(variable: Variable, notation: Notation) -> str:
    r"""A variable's name in LaTeX, without brackets.

    >>> print(latex_name(Variable("c_tilde_prev", 3, 1, "c_tilde", -1), NOTATIONS["bold"]))
    \tilde{\mathbf{c}}_{t-1}
    """
    head, rest = _split(variable.base)
    accents = _MARKS.get(variable.mark, ())
    subscript = ",".join(word.latex() for word in rest)
    symbol = head.latex(accents, bold=notation.bold and variable.shape != (1, 1))
    if variable.base in notation.names:
        symbol, subscript = notation.names[variable.base], ""
        for accent in accents:
            symbol = _ACCENTS[accent][0] % symbol
    plain = _timed_latex(symbol, subscript, variable.time, notation)
    kind, _, further = variable.mark.partition(" ")
    dotted = _ACCENTS["dot"][0] if variable.mark in _DOTTED else "%s"
    window = "^{(e)}" if further == "window" else ""
    if kind == "adjoint":
        if _is_delta(variable, notation):
            return f"{dotted % _DELTA}{window} {plain}"
        return rf"\frac{{\partial {dotted % notation.loss}{window}}}{{\partial {plain}}}"
    if window:
        return f"{{{plain}}}{window}"
    return rf"\frac{{\partial {dotted % _ELL}}}{{\partial {plain}}}" if kind == "loss" else plain


def _is_delta(variable: Variable, notation: Notation) -> bool:
    return variable.time is not None and notation.adjoint == "delta"


def _timed_latex(symbol: str, subscript: str, time: int | None, notation: Notation) -> str:
    moment = "" if time is None else show_moment(time, notation.now)
    if moment and notation.time == "subscript":
        subscript = ",".join(part for part in (subscript, moment) if part)
    lowered = _lowered(symbol, subscript)
    if not moment or notation.time == "subscript":
        return lowered
    raised = f"({moment})" if notation.time == "parenthesis" else rf"\langle {moment} \rangle"
    return f"{lowered}^{{{raised}}}"


def text_name(variable: Variable, notation: Notation) -> str:
    """A variable's name in plain text.

    >>> text_name(Variable("W_f", 3, 3), NOTATIONS["subscript"])
    'W_f'
    """
    head, rest = _split(variable.base)
    symbol = head.text(_MARKS.get(variable.mark, ()))
    subscript = ",".join(word.text() for word in rest)
    moment = "" if variable.time is None else show_moment(variable.time, notation.now)
    if moment and notation.time == "subscript":
        subscript = ",".join(part for part in (subscript, moment) if part)
    grouped = len(subscript) > 1 and (bool(moment) or "," in subscript)
    plain = f"{symbol}_{{{subscript}}}" if grouped else f"{symbol}_{subscript}" if subscript else symbol
    if moment and notation.time != "subscript":
        plain += f"^({moment})" if notation.time == "parenthesis" else f"^⟨{moment}⟩"
    kind, _, further = variable.mark.partition(" ")
    dot = _ACCENTS["dot"][2] if variable.mark in _DOTTED else ""
    window = "^(e)" if further == "window" else ""
    if kind == "adjoint":
        if _is_delta(variable, notation):
            return f"δ{dot}{window}{plain}"
        return f"∂{unicodedata.normalize('NFC', notation.loss + dot)}{window}/∂{plain}"
    if window:
        return f"{plain}{window}"
    return f"∂ℓ{dot}/∂{plain}" if kind == "loss" else plain

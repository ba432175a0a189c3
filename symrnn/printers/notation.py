"""How names look: identifiers stay plain Python, a notation says what a reader sees.

`c_prev` is c_{t-1} to one reader and c^{(t-1)} to another; `W_f` is W_f to both.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from symrnn.algebra.nodes import Variable
from symrnn.algebra.spelling import GREEK, Nested, Word, spelled
from symrnn.errors import UnknownNameError
from symrnn.freezing import Frozen
from symrnn.suggestions import did_you_mean

_ACCENTS = {  # over one letter, over a word, and in plain text
    "tilde": (r"\tilde{%s}", r"\widetilde{%s}", "\u0303"),
    "hat": (r"\hat{%s}", r"\widehat{%s}", "\u0302"),
    "dot": (r"\dot{%s}", r"\dot{%s}", "\u0307"),
    "bar": (r"\bar{%s}", r"\overline{%s}", "\u0304"),
}
_MARKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"cotangent": ("bar",), "tangent": ("dot",), "cotangent tangent": ("bar", "dot"), "cotangent window": ("bar",)}
)
"""What stands over the letter of a variable with this mark; a dot marks how it moves."""
_DOTTED = ("adjoint tangent", "loss tangent", "message tangent")  # the dot is on the δ, the L or the ℓ
_RAISED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"parenthesis": ("^{{({})}}", "^({})"), "angle": (r"^{{\langle {} \rangle}}", "^⟨{}⟩")}
)
"""How a time stands where it is a superscript, in LaTeX and in plain text; elsewhere it is the last subscript."""
_ARROW = "←"
_SENT_BACK = ("adjoint", "message")
_DELTA, _PARTIAL, _ELL = r"\delta", r"\partial", r"\ell"


@dataclass(frozen=True)
class Notation:
    """A reader's notation.

    Attributes:
        name: its name on the command line.
        describes: one sentence for the documents' header.
        time: where the time stands: h_t, h^{(t)} or h^{<t>}.
        hadamard: LaTeX of the element-by-element product.
        transposed: LaTeX of the transpose's superscript.
        adjoint: "delta" writes δh_t, "partial" writes ∂L/∂h_t; what a step sends back has an arrow over the δ or ∂.
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


def _lowered(symbol: str, subscript: str) -> str:
    return f"{symbol}_{{{subscript}}}" if len(subscript) > 1 else f"{symbol}_{subscript}" if subscript else symbol


def _latex_letters(word: Word, bold: bool) -> str:
    letters = word.letters
    if word.is_typed:
        return rf"\mathtt{{{letters.replace('_', chr(92) + '_')}}}"
    if bold:
        return rf"\boldsymbol{{\{letters}}}" if letters in GREEK else rf"\mathbf{{{letters}}}"
    if letters in GREEK:
        return f"\\{letters}"
    return letters if len(letters) == 1 or letters.isdigit() else rf"\mathrm{{{letters}}}"


def _latex_word(word: Word | Nested, accents: tuple[str, ...] = (), bold: bool = False) -> str:
    """A word in LaTeX, with further accents on top."""
    if isinstance(word, Nested):
        head, rest = spelled(word.name)
        return _lowered(_latex_word(head), ",".join(map(_latex_word, rest)))
    symbol = _latex_letters(word, bold)
    for accent in (*word.accents, *accents):
        symbol = _ACCENTS[accent][word.is_wide] % symbol
    return symbol


def _text_word(word: Word | Nested, accents: tuple[str, ...] = ()) -> str:
    """A word in plain text, with further accents on top."""
    if isinstance(word, Nested):
        head, rest = spelled(word.name)
        subscript = ",".join(map(_text_word, rest))
        return _text_word(head) + (f"_{{{subscript}}}" if "," in subscript else f"_{subscript}" if subscript else "")
    letters = f"“{word.letters}”" if word.is_typed else GREEK.get(word.letters, word.letters)
    return unicodedata.normalize("NFC", letters + "".join(_ACCENTS[accent][2] for accent in (*word.accents, *accents)))


def latex_name(variable: Variable, notation: Notation) -> str:
    r"""A variable's name in LaTeX, without brackets.

    >>> print(latex_name(Variable("c_tilde_prev", 3, 1, "c_tilde", -1), NOTATIONS["bold"]))
    \tilde{\mathbf{c}}_{t-1}
    """
    head, rest = spelled(variable.looks)
    accents = _MARKS.get(variable.mark, ())
    subscripts = list(map(_latex_word, rest))
    symbol = _latex_word(head, accents, bold=notation.bold and variable.shape != (1, 1))
    if variable.base in notation.names:
        symbol, subscripts = notation.names[variable.base], []
        for accent in accents:
            symbol = _ACCENTS[accent][0] % symbol
    subscript, (raised, _) = _placed(subscripts, variable.time, notation)
    plain = _lowered(symbol, subscript) + raised
    kind, _, further = variable.mark.partition(" ")
    dotted = _ACCENTS["dot"][0] if variable.mark in _DOTTED else "%s"
    window = "^{(e)}" if further == "window" else ""
    if kind in _SENT_BACK:
        arrow = r"\overleftarrow{%s}" if kind == "message" else "%s"
        if _is_delta(variable, notation):
            return f"{arrow % (dotted % _DELTA)}{window} {plain}"
        return rf"\frac{{{arrow % _PARTIAL} {dotted % notation.loss}{window}}}{{\partial {plain}}}"
    if window:
        return f"{{{plain}}}{window}"
    return rf"\frac{{\partial {dotted % _ELL}}}{{\partial {plain}}}" if kind == "loss" else plain


def _is_delta(variable: Variable, notation: Notation) -> bool:
    return variable.time is not None and notation.adjoint == "delta"


def _placed(subscripts: list[str], time: int | None, notation: Notation) -> tuple[str, tuple[str, str]]:
    """The subscripts, and the time among them or as a superscript in both syntaxes."""
    if time is None:
        return ",".join(subscripts), ("", "")
    moment = show_moment(time, notation.now)
    if notation.time not in _RAISED:
        return ",".join([*subscripts, moment]), ("", "")
    in_latex, in_text = _RAISED[notation.time]
    return ",".join(subscripts), (in_latex.format(moment), in_text.format(moment))


def text_name(variable: Variable, notation: Notation) -> str:
    """A variable's name in plain text.

    >>> text_name(Variable("W_f", 3, 3), NOTATIONS["subscript"])
    'W_f'
    """
    head, rest = spelled(variable.looks)
    symbol = _text_word(head, _MARKS.get(variable.mark, ()))
    subscript, (_, raised) = _placed(list(map(_text_word, rest)), variable.time, notation)
    grouped = len(subscript) > 1 and (variable.time is not None or "," in subscript)
    plain = (f"{symbol}_{{{subscript}}}" if grouped else f"{symbol}_{subscript}" if subscript else symbol) + raised
    kind, _, further = variable.mark.partition(" ")
    dot = _ACCENTS["dot"][2] if variable.mark in _DOTTED else ""
    window = "^(e)" if further == "window" else ""
    if kind in _SENT_BACK:
        arrow = _ARROW if kind == "message" else ""
        if _is_delta(variable, notation):
            return f"δ{dot}{arrow}{window}{plain}"
        return f"∂{arrow}{unicodedata.normalize('NFC', notation.loss + dot)}{window}/∂{plain}"
    if window:
        return f"{plain}{window}"
    return f"∂ℓ{dot}/∂{plain}" if kind == "loss" else plain

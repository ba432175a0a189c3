"""How names look: identifiers stay plain Python, a notation says what a reader sees.

`c_prev` is c_{t-1} to one reader and c^{(t-1)} to another; `W_f` is W_f to both.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
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
_SENT_BACK = ("adjoint", "message")


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


@dataclass(frozen=True)
class _Alphabet:
    """How the parts of a name are put together in one syntax; templates take their parts by name.

    Attributes:
        letters: a word without its accents; bold if the second argument says so.
        accent: a symbol with an accent over it, which is a wide one if the third argument says so.
        groups: whether a subscript needs braces, of a name with a time if the second argument says so.
        raised: which of the columns of `_RAISED` is that of the syntax.
        names: whether names that should look otherwise than they read are written in it.
        letter: δ, ∂, L or ℓ with what marks it: a dot if it moves, an arrow if it is sent back.
        adjoint: δ of a variable.
        fraction: a derivative of the total loss.
        loss: a derivative of the loss of a step.
        windowed: a value in a window.
        window: what marks that.
    """

    letters: Callable[[Word, bool], str]
    accent: Callable[[str, str, bool], str]
    groups: Callable[[str, bool], bool]
    raised: int
    names: bool
    letter: Callable[[str, bool, bool], str]
    adjoint: str
    fraction: str
    loss: str
    windowed: str
    window: str

    def lowered(self, symbol: str, subscript: str, is_timed: bool) -> str:
        """A symbol with a subscript, which may be empty."""
        if not subscript:
            return symbol
        return f"{symbol}_{{{subscript}}}" if self.groups(subscript, is_timed) else f"{symbol}_{subscript}"

    def word(self, word: Word | Nested, accents: tuple[str, ...] = (), bold: bool = False) -> str:
        """A word, with further accents on top."""
        if isinstance(word, Nested):
            head, rest = spelled(word.name)
            return self.lowered(self.word(head), ",".join(map(self.word, rest)), False)
        symbol = self.letters(word, bold)
        for accent in (*word.accents, *accents):
            symbol = self.accent(symbol, accent, word.is_wide)
        return symbol

    def name(self, variable: Variable, notation: Notation) -> str:
        """A variable's name, without brackets."""
        head, rest = spelled(variable.looks)
        accents, subscripts = _MARKS.get(variable.mark, ()), list(map(self.word, rest))
        # Scalars stay plain where vectors are bold.
        symbol = self.word(head, accents, notation.bold and variable.shape != (1, 1))
        # Names of a reader's own are LaTeX, which means nothing in a terminal.
        if self.names and variable.base in notation.names:
            symbol, subscripts = notation.names[variable.base], []
            for accent in accents:
                symbol = self.accent(symbol, accent, False)
        subscript, raised = _placed(subscripts, variable.time, notation)
        plain = self.lowered(symbol, subscript, variable.time is not None) + raised[self.raised]
        return self._marked(variable, plain, notation)

    def _marked(self, variable: Variable, plain: str, notation: Notation) -> str:
        """What the mark says of the name: nothing, or which derivative it is."""
        kind, _, further = variable.mark.partition(" ")
        is_dotted, window = variable.mark in _DOTTED, self.window if further == "window" else ""
        is_message = kind == "message"
        # The δ is for what has a time: a parameter's gradient is the derivative of the whole loss, and is written so.
        if kind in _SENT_BACK and _is_delta(variable, notation):
            return self.adjoint.format(self.letter("δ", is_dotted, is_message) + window, plain)
        if kind in _SENT_BACK:
            loss = self.letter(notation.loss, is_dotted, False) + window
            return self.fraction.format(self.letter("∂", False, is_message), loss, plain)
        if window:
            return self.windowed.format(plain, window)
        return self.loss.format(self.letter("ℓ", is_dotted, False), plain) if kind == "loss" else plain


def _latex_letters(word: Word, bold: bool) -> str:
    letters = word.letters
    if word.is_typed:
        return rf"\mathtt{{{letters.replace('_', chr(92) + '_')}}}"
    if bold:
        return rf"\boldsymbol{{\{letters}}}" if letters in GREEK else rf"\mathbf{{{letters}}}"
    if letters in GREEK:
        return f"\\{letters}"
    # Several letters in italics would read as a product of variables.
    return letters if len(letters) == 1 or letters.isdigit() else rf"\mathrm{{{letters}}}"


def _latex_letter(letter: str, is_dotted: bool, is_message: bool) -> str:
    symbol = {"δ": r"\delta", "∂": r"\partial", "ℓ": r"\ell"}.get(letter, letter)
    symbol = _ACCENTS["dot"][0] % symbol if is_dotted else symbol
    return rf"\overleftarrow{{{symbol}}}" if is_message else symbol


def _text_letter(letter: str, is_dotted: bool, is_message: bool) -> str:
    return _composed(letter + _ACCENTS["dot"][2] * is_dotted) + "←" * is_message


def _composed(text: str) -> str:
    # One character where Unicode has it, so that a name looks the same in every font and compares equal when typed.
    return unicodedata.normalize("NFC", text)


_LATEX = _Alphabet(
    letters=_latex_letters,
    accent=lambda symbol, accent, is_wide: _ACCENTS[accent][is_wide] % symbol,
    groups=lambda subscript, is_timed: len(subscript) > 1,
    raised=0,
    names=True,
    letter=_latex_letter,
    adjoint="{} {}",
    fraction=r"\frac{{{} {}}}{{\partial {}}}",
    loss=r"\frac{{\partial {}}}{{\partial {}}}",
    windowed="{{{}}}{}",
    window="^{(e)}",
)
_TEXT = _Alphabet(
    letters=lambda word, bold: f"“{word.letters}”" if word.is_typed else GREEK.get(word.letters, word.letters),
    accent=lambda symbol, accent, is_wide: _composed(symbol + _ACCENTS[accent][2]),
    # A word of several letters, as in W_out, needs none where nothing follows it.
    groups=lambda subscript, is_timed: len(subscript) > 1 and (is_timed or "," in subscript),
    raised=1,
    names=False,
    letter=_text_letter,
    adjoint="{}{}",
    fraction="{}{}/∂{}",
    loss="∂{}/∂{}",
    windowed="{}{}",
    window="^(e)",
)


def latex_name(variable: Variable, notation: Notation) -> str:
    r"""A variable's name in LaTeX, without brackets.

    >>> print(latex_name(Variable("c_tilde_prev", 3, 1, "c_tilde", -1), NOTATIONS["bold"]))
    \tilde{\mathbf{c}}_{t-1}
    """
    return _LATEX.name(variable, notation)


def text_name(variable: Variable, notation: Notation) -> str:
    """A variable's name in plain text.

    >>> text_name(Variable("W_f", 3, 3), NOTATIONS["subscript"])
    'W_f'
    """
    return _TEXT.name(variable, notation)


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

"""How names look: identifiers stay plain Python, a notation says what a reader sees.

`c_prev` is c_{t-1} to one reader and c^{(t-1)} to another; `W_f` is W_f to both, or W_{xf}.  A notation is data: a few
settings, of which `symrnn.printers.settings` has the table; those that have a name are files in the folder `presets`.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from symrnn.algebra.nodes import Variable
from symrnn.algebra.spelling import GREEK, Word
from symrnn.choices import NOTATIONS as NAMED
from symrnn.errors import InputError, UnknownNameError
from symrnn.freezing import Frozen
from symrnn.printers.lettering import LetterLook, Part, SideBySide, look_of, read_letter
from symrnn.printers.settings import TABLES, check_setting, merged, read_settings, read_settings_file
from symrnn.suggestions import did_you_mean

_ACCENTS = {  # over one letter, over a word, and in plain text
    "tilde": (r"\tilde{%s}", r"\widetilde{%s}", "%s\u0303"),
    "hat": (r"\hat{%s}", r"\widehat{%s}", "%s\u0302"),
    "dot": (r"\dot{%s}", r"\dot{%s}", "%s\u0307"),
    "bar": (r"\bar{%s}", r"\overline{%s}", "%s\u0304"),
    "check": (r"\check{%s}", r"\check{%s}", "%s\u030c"),
    "arrow": (r"\overleftarrow{%s}", r"\overleftarrow{%s}", "←%s"),
    "prime": ("{%s'}", "{%s'}", "%s'"),  # in braces, since it is a superscript
    "parenthesis": ("(%s)", "(%s)", "(%s)"),
}
_MARKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"cotangent": ("bar",), "tangent": ("dot",), "cotangent tangent": ("bar", "dot"), "cotangent window": ("bar",)}
)
"""What stands over the letter of a variable with this mark; a dot marks how it moves."""
_DOTTED = ("adjoint tangent", "loss tangent", "message tangent")  # the dot is on the δ, the L or the ℓ
_RAISED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"parenthesis": ("({})", "({})"), "angle": (r"\langle {} \rangle", "⟨{}⟩"), "superscript": ("{}", "{}")}
)
"""How a time stands where it is a superscript, in LaTeX and in plain text; elsewhere it is the last subscript."""
_SENT_BACK = ("adjoint", "message")
_LETTERS: Mapping[str, str] = MappingProxyType({"delta": "δ", "epsilon": "ε", "d": "d"})
"""Adjoints that are written as a letter in front."""
_TIMES: Mapping[str, str] = MappingProxyType(
    {
        "subscript": "time as a subscript",
        "parenthesis": "time as a superscript in parentheses",
        "angle": "time as a superscript in angle brackets",
        "superscript": "time as a superscript",
        "function": "time in parentheses",
    }
)
_ADJOINTS: Mapping[str, str] = MappingProxyType(
    {
        "delta": r"$\delta {}$",
        "epsilon": r"$\epsilon {}$",
        "d": r"$d {}$",
        "bar": r"$\bar{{{}}}$",
        "nabla": r"$\nabla_{{{}}} {loss}$",
        "partial": r"$\partial {loss}/\partial {}$",
    }
)
_SHOWN_TIMES: Mapping[str, str] = MappingProxyType(
    {
        "subscript": "{}_t",
        "parenthesis": "{}^{{(t)}}",
        "angle": r"{}^{{\langle t\rangle}}",
        "superscript": "{}^{{t}}",
        "function": "{}(t)",
    }
)


@dataclass(frozen=True)
class Notation:
    r"""A reader's notation; every value is checked, and other spellings of it are understood.

    Attributes:
        name: its name on the command line.
        describes: whose it is, for the documents' header; how time and adjoints look is said besides.
        time: where the time stands: "subscript" for h_t, "parenthesis" for h^{(t)}, "angle" for h^{<t>}, "superscript"
            for h^t, "function" for h(t).
        now: what t stands for: a number, as in h_0 for what precedes step 1, or another letter, as in h_{t-j}; None
            prints t.
        hadamard: the sign of the element-by-element product: ⊙, ∘, *, ·, or "none" for vectors side by side; matrices
            keep a sign then.
        product: the sign of the matrix product: "none", or "dot".
        transposed: the sign of the transpose: "top" for ⊤, "T", or "prime".
        weights: "given" as the cell has them; "split" for W x + U h; "[h, x]" or "[x, h]" for one matrix on both.
        stacked: what stands between joined vectors: ";" or ",".
        adjoint: how the derivative of the loss is written: "delta" δh, "epsilon" εh, "d" dh, "bar", "nabla" ∇_h L, or
            "partial" ∂L/∂h; what a step sends back has an arrow.
        gradient: the same for a parameter's; "usual" is "partial" where the adjoint is a δ or ε, else as the adjoint.
        bold: vectors and matrices in bold.
        rows: vectors are rows, and weights stand right of them: x W + h U + b.
        layout: how Jacobians are laid out, "numerator" or "denominator".
        loss: the letter of the total loss.
        letters: letters for the parts of any cell, such as forget_gate, candidate, memory, input_weight; `{gate}` in
            the letter of a parameter is the index of its gate.
        indices: what stands for a gate in an index, where its letter does not.
        names: letters for single variables of a cell, by their names.
        looks: how the names of one cell look, where its parts are known; see `symrnn.printers.vocabulary`.
    """

    name: str = "own"
    describes: str = ""
    time: str = "subscript"
    hadamard: str = r"\odot"
    transposed: str = r"\top"
    adjoint: str = "delta"
    bold: bool = False
    names: Mapping[str, str] = field(default_factory=lambda: Frozen({}))
    loss: str = "L"
    now: int | str | None = None
    product: str = ""
    weights: str = "given"
    stacked: str = ";"
    gradient: str = ""
    rows: bool = False
    layout: str = "numerator"
    letters: Mapping[str, str] = field(default_factory=lambda: Frozen({}))
    indices: Mapping[str, str] = field(default_factory=lambda: Frozen({}))
    looks: Mapping[str, LetterLook] = field(default_factory=lambda: Frozen({}), repr=False)

    def __post_init__(self) -> None:
        """Check every value, and take the table's spelling of it.

        Raises:
            InputError: a setting does not take its value.
        """
        for one in fields(self):
            if one.name in ("name", "looks"):
                continue
            value = check_setting(one.name, getattr(self, one.name))
            object.__setattr__(self, one.name, Frozen(value) if one.name in TABLES else value)
        if self.hadamard == self.product == r"\cdot":
            raise InputError(
                "notation: hadamard and product are written alike, with a dot\n  choose another sign for one of them"
            )

    @classmethod
    def read(cls, *sources: str | os.PathLike[str]) -> Notation:
        """The notation of these names and files together, each changing what those before it set.

        Args:
            sources: names of notations, and files of TOML.

        Raises:
            UnknownNameError: there is no such notation, or no such setting.
            InputError: a file cannot be read, or a value is none of its setting's.
        """
        settings = [_settings_of(os.fspath(source)) for source in sources]
        return cls(",".join(Path(os.fspath(source)).name for source in sources), **merged(*settings))

    @property
    def description(self) -> str:
        """How it looks, as a sentence with formulas between dollar signs."""
        letter = self.letters.get("hidden", "h")
        letter = rf"\mathbf{{{letter}}}" if self.bold else letter
        timed = _SHOWN_TIMES[self.time].format(letter)
        parts = [
            self.describes,
            f"{_TIMES[self.time]}, ${timed}$",
            "vectors and matrices in bold" * self.bold,
            "vectors are rows" * self.rows,
            f"adjoints as {_ADJOINTS[self.adjoint].format(timed, loss=self.loss)}",
        ]
        return "; ".join(part for part in parts if part)

    @property
    def of_gradients(self) -> str:
        """How the derivative with respect to a parameter is written, which reaches through all steps."""
        return self.gradient or ("partial" if self.adjoint in ("delta", "epsilon") else self.adjoint)

    @property
    def is_raised(self) -> bool:
        """Whether the time stands where an exponent would."""
        return self.time != "subscript"

    def look(self, base: str, looks: str) -> LetterLook:
        """How a name looks, which is read as `looks` where the notation has no letter of its own for it."""
        if base in self.looks:
            return self.looks[base]
        return read_letter(self.names[base]) if base in self.names else look_of(looks)

    @property
    def bars_values(self) -> bool:
        """Whether a bar over a letter means something else than what reaches it."""
        return self.adjoint == "bar" or any("\\bar" in x or "\\overline" in x for x in self.letters.values())


def _settings_of(source: str) -> Mapping[str, Any]:
    """The settings of a notation with a name, or of a file."""
    if source in PRESETS:
        return PRESETS[source]
    if source.endswith(".toml") or os.sep in source:
        return read_settings_file(Path(source))
    raise UnknownNameError(
        f"no notation {source!r}\n  {did_you_mean(source, NAMED)}there are {', '.join(NAMED)}; "
        "or a file of your own, mine.toml"
    )


_FOLDER = Path(__file__).parent / "presets"
PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {name: read_settings((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"), f"{name}.toml") for name in NAMED}
)
"""The settings of the notations that have a name, each in a file of its own."""
NOTATIONS: Mapping[str, Notation] = MappingProxyType(
    {name: Notation(name, **settings) for name, settings in PRESETS.items()}
)
"""The notations that can be asked for by name."""


def find_notation(notation: str | Notation | Iterable[str]) -> Notation:
    """The notation itself, or that of a name, of a file, or of several together.

    Args:
        notation: a notation; or names and files with commas between, such as "olah,mine.toml"; or a list of them.

    Raises:
        UnknownNameError: there is no notation of that name.
        InputError: a file cannot be read, or is none of a notation.
    """
    if isinstance(notation, Notation):
        return notation
    sources = notation.split(",") if isinstance(notation, str) else list(notation)
    names = [source.strip() for source in sources]
    return NOTATIONS[names[0]] if len(names) == 1 and names[0] in NOTATIONS else Notation.read(*names)


def show_moment(time: int, now: int | str | None = None) -> str:
    """t, t-1, t+2; or a number where it is known which step t is, or what else it is called.

    >>> show_moment(-1), show_moment(-1, now=1), show_moment(-1, now="t-j")
    ('t-1', '0', 't-j-1')
    """
    if isinstance(now, int):
        return str(now + time)
    return f"{now or 't'}{time:+d}" if time else now or "t"


@dataclass(frozen=True)
class _Alphabet:
    """How the parts of a name are put together in one syntax; templates take their parts by name.

    Attributes:
        letters: a word without its accents; bold if the second argument says so.
        accent: a symbol with an accent over it, which is a wide one if the third argument says so.
        groups: whether a subscript needs braces, of a name with a time if the second argument says so.
        raised: which of the columns of `_RAISED` is that of the syntax.
        lifted: something as a superscript.
        letter: δ, ∂, L or ℓ with what marks it: a dot if it moves, an arrow if it is sent back.
        adjoint: δ of a variable.
        nabla: ∇ of the total loss with respect to a variable.
        fraction: a derivative of the total loss.
        loss: a derivative of the loss of a step.
        windowed: a value in a window.
        window: what marks that.
    """

    letters: Callable[[Word, bool], str]
    accent: Callable[[str, str, bool], str]
    groups: Callable[[str, bool], bool]
    raised: int
    lifted: Callable[[str], str]
    letter: Callable[[str, bool, bool], str]
    adjoint: str
    nabla: str
    fraction: str
    loss: str
    windowed: str
    window: str

    def lowered(self, symbol: str, subscript: str, is_timed: bool) -> str:
        """A symbol with a subscript, which may be empty."""
        if not subscript:
            return symbol
        return f"{symbol}_{{{subscript}}}" if self.groups(subscript, is_timed) else f"{symbol}_{subscript}"

    def word(self, word: Word, accents: tuple[str, ...] = (), bold: bool = False) -> str:
        """A word, with further accents on top."""
        symbol = self.letters(word, bold)
        for accent in (*word.accents, *accents):
            symbol = self.accent(symbol, accent, word.is_wide)
        return symbol

    def part(self, part: Part, notation: Notation) -> str:
        """What stands in an index: a word, letters side by side, or a name with indices of its own."""
        if isinstance(part, Word):
            return self.word(part)
        if isinstance(part, SideBySide):
            return "".join(self.part(word, notation) for word in part.words)
        look = notation.look(part.name, part.name)
        below, above = (",".join(self.part(p, notation) for p in parts) for parts in (look.below, look.above))
        return self.lowered(self.word(look.head), below, False) + (self.lifted(above) if above else "")

    def name(self, variable: Variable, notation: Notation) -> str:
        """A variable's name, without brackets."""
        look = notation.look(variable.base, variable.looks)
        accents = _accents(variable, notation)
        # Scalars stay plain where vectors are bold.
        symbol = self.word(look.head, accents, notation.bold and variable.shape != (1, 1))
        below, above = ([self.part(part, notation) for part in parts] for parts in (look.below, look.above))
        behind = ""
        if variable.time is not None:
            moment = show_moment(variable.time, notation.now)
            if notation.time in _RAISED:
                above.append(_RAISED[notation.time][self.raised].format(moment))
            elif notation.time == "function":
                behind = f"({moment})"
            else:
                below.append(moment)
        plain = self.lowered(symbol, ",".join(below), variable.time is not None)
        plain += (self.lifted(",".join(above)) if above else "") + behind
        return self._marked(variable, plain, notation)

    def _marked(self, variable: Variable, plain: str, notation: Notation) -> str:
        """What the mark says of the name: nothing, or which derivative it is."""
        kind, _, further = variable.mark.partition(" ")
        is_dotted, window = variable.mark in _DOTTED, self.window if further == "window" else ""
        is_message = kind == "message"
        if kind in _SENT_BACK:
            form = _adjoint_of(variable, notation)
            if form in _LETTERS:
                return self.adjoint.format(self.letter(_LETTERS[form], is_dotted, is_message) + window, plain)
            if form == "partial":
                loss = self.letter(notation.loss, is_dotted, False) + window
                return self.fraction.format(self.letter("∂", False, is_message), loss, plain)
            if form == "nabla":
                loss = self.letter(notation.loss, is_dotted, False) + window
                return self.nabla.format(self.letter("∇", False, is_message), plain, loss)
        if window:
            return self.windowed.format(plain, window)
        return self.loss.format(self.letter("ℓ", is_dotted, False), plain) if kind == "loss" else plain


def _adjoint_of(variable: Variable, notation: Notation) -> str:
    # A parameter's gradient is the derivative of the whole loss, which some notations write in another way.
    return notation.of_gradients if variable.time is None else notation.adjoint


def _accents(variable: Variable, notation: Notation) -> tuple[str, ...]:
    """What the mark puts over the letter."""
    kind = variable.mark.partition(" ")[0]
    if kind in _SENT_BACK and _adjoint_of(variable, notation) == "bar":
        dotted = ("dot",) * (variable.mark in _DOTTED)
        return ("arrow" if kind == "message" else "bar", *dotted)
    accents = _MARKS.get(variable.mark, ())
    # Where a bar is taken, what reaches a state from outside has another accent.
    return tuple("check" if accent == "bar" and notation.bars_values else accent for accent in accents)


def _latex_letters(word: Word, bold: bool) -> str:
    letters = word.letters
    if word.is_typed:
        return rf"\mathtt{{{letters.replace('_', chr(92) + '_')}}}"
    if word.is_script:
        return rf"\mathcal{{{letters}}}"
    if bold:
        return rf"\boldsymbol{{\{letters}}}" if letters in GREEK else rf"\mathbf{{{letters}}}"
    if letters in GREEK:
        return f"\\{letters}"
    # Several letters in italics would read as a product of variables.
    return letters if len(letters) == 1 or letters.isdigit() else rf"\mathrm{{{letters}}}"


def _latex_letter(letter: str, is_dotted: bool, is_message: bool) -> str:
    own = {"δ": r"\delta", "ε": r"\epsilon", "∂": r"\partial", "ℓ": r"\ell", "∇": r"\nabla", "d": "d"}
    symbol = own.get(letter) or _LATEX.word(read_letter(letter).head)
    symbol = _ACCENTS["dot"][0] % symbol if is_dotted else symbol
    return rf"\overleftarrow{{{symbol}}}" if is_message else symbol


def _text_letters(word: Word) -> str:
    if word.is_script:
        return {"L": "ℒ"}.get(word.letters, word.letters)
    return f"“{word.letters}”" if word.is_typed else GREEK.get(word.letters, word.letters)


def _text_letter(letter: str, is_dotted: bool, is_message: bool) -> str:
    symbol = letter if letter in "δε∂ℓ∇d" else _TEXT.word(read_letter(letter).head)
    return _composed(_ACCENTS["dot"][2] % symbol if is_dotted else symbol) + "←" * is_message


def _composed(text: str) -> str:
    # One character where Unicode has it, so that a name looks the same in every font and compares equal when typed.
    return unicodedata.normalize("NFC", text)


_LATEX = _Alphabet(
    letters=_latex_letters,
    accent=lambda symbol, accent, is_wide: _ACCENTS[accent][is_wide] % symbol,
    groups=lambda subscript, is_timed: len(subscript) > 1,
    raised=0,
    lifted="^{{{}}}".format,
    letter=_latex_letter,
    adjoint="{} {}",
    nabla="{}_{{{}}} {}",
    fraction=r"\frac{{{} {}}}{{\partial {}}}",
    loss=r"\frac{{\partial {}}}{{\partial {}}}",
    windowed="{{{}}}{}",
    window="^{(e)}",
)
_TEXT = _Alphabet(
    letters=lambda word, bold: _text_letters(word),
    accent=lambda symbol, accent, is_wide: _composed(_ACCENTS[accent][2] % symbol),
    # A word of several letters, as in W_out, needs none where nothing follows it.
    groups=lambda subscript, is_timed: len(subscript) > 1 and (is_timed or "," in subscript),
    raised=1,
    # h^(t) and h^⟨t⟩ have their brackets; a word or a sum needs braces.
    lifted=lambda above: f"^{above}" if len(above) == 1 or above[0] in "(⟨" else f"^{{{above}}}",
    letter=_text_letter,
    adjoint="{}{}",
    nabla="{}_{{{}}}{}",
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

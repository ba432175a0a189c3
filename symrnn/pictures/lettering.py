"""LaTeX of a label -> pieces of text with a style, and how wide they are.

Labels come from the printers, so every notation that these have is followed, a reader's own LaTeX included; what is
read here is the part of LaTeX that single symbols need.  A command that is not known is shown by its name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from symrnn.algebra.spelling import GREEK

SIZE = 15.0
"""Pixels of a letter's body."""
SMALL = 0.7
"""A subscript's size, as TeX has it."""

_SYMBOLS: Mapping[str, str] = MappingProxyType(
    {rf"\{name}": letter for name, letter in GREEK.items()}
    | {
        r"\odot": "⊙", r"\oslash": "⊘", r"\otimes": "⊗", r"\cdot": "·", r"\times": "×", r"\div": "÷", r"\top": "⊤",
        r"\circ": "∘", r"\ast": "∗", r"\star": "⋆", r"\langle": "⟨", r"\rangle": "⟩", r"\partial": "∂", r"\ell": "ℓ",
        r"\ldots": "…", r"\infty": "∞", r"\prime": "′", r"\nabla": "∇", r"\lfloor": "⌊", r"\rfloor": "⌋",
        r"\lceil": "⌈",
        r"\rceil": "⌉", r"\varepsilon": "ε", r"\vartheta": "ϑ", r"\varphi": "φ", r"\lvert": "|", r"\rvert": "|",
        r"\_": "_", r"\%": "%", r"\&": "&", r"\#": "#", r"\{": "{", r"\}": "}", r"\|": "‖", r"\le": "≤", r"\ge": "≥",
        r"\T": "T", r"\intercal": "⊺", r"\dagger": "†", r"\bullet": "•", r"\oplus": "⊕", r"\sum": "Σ", r"\sqrt": "√",
    }
)  # fmt: skip
_SPACES: Mapping[str, str] = MappingProxyType(
    {r"\,": "\u2009", r"\;": "\u2005", r"\:": "\u2005", r"\!": "", r"\quad": "\u2003", r"\ ": " ", "~": " "}
)
_SILENT = frozenset(
    {r"\left", r"\right", r"\displaystyle", r"\mathopen", r"\mathclose", r"\limits", r"\big", r"\bigl", r"\bigr"}
)
_ACCENTS: Mapping[str, str] = MappingProxyType(
    {
        r"\tilde": "˜", r"\widetilde": "˜", r"\hat": "ˆ", r"\widehat": "ˆ", r"\dot": "˙", r"\ddot": "¨",
        r"\bar": "¯", r"\overline": "¯", r"\check": "ˇ", r"\acute": "´", r"\grave": "`", r"\breve": "˘",
        r"\vec": "→", r"\overleftarrow": "←",
    }
)  # fmt: skip
"""Accents as characters of their own: few fonts put a combining one over a capital letter, and some show none."""
_UPRIGHT = frozenset(
    {r"\mathrm", r"\operatorname", r"\text", r"\mathtt", r"\textrm", r"\mathsf", r"\mathbb", r"\mathcal"}
)
_BOLD = frozenset({r"\mathbf", r"\boldsymbol", r"\bm", r"\textbf"})
_TOKEN = re.compile(r"\\(?:[A-Za-z]+|.)|.", re.DOTALL)


@dataclass(frozen=True)
class Glyphs:
    """A piece of text in one style.

    Attributes:
        text: the characters.
        italic: whether they lean, as variables do.
        bold: whether they are bold.
        rise: how far they are raised, in letters' sizes; below the line where it is negative.
        scale: their size, where 1 is that of a letter on the line.
        accents: what stands over them, the lowest first.
    """

    text: str
    italic: bool = False
    bold: bool = False
    rise: float = 0.0
    scale: float = 1.0
    accents: str = ""

    @property
    def width(self) -> float:
        """How wide it is, in letters' sizes."""
        return sum(map(_advance, self.text)) * self.scale * (1.05 if self.bold else 1.0)

    @property
    def is_tall(self) -> bool:
        """Whether it reaches higher than a small letter."""
        return any(letter.isupper() or letter in "bdfhkltβδθλζξψφi" for letter in self.text)


def runs_of(formula: str) -> tuple[Glyphs, ...]:
    r"""The pieces of a formula, from left to right.

    >>> [run.text for run in runs_of(r"\tilde{c}_{t-1}")]
    ['c', 't', '−1']
    """
    return _merged(_Lettering(formula).rest(Glyphs("")))


class _Lettering:
    """A formula that is read token by token."""

    def __init__(self, formula: str) -> None:
        self.tokens = _TOKEN.findall(formula)
        self.place = 0

    def rest(self, style: Glyphs) -> list[Glyphs]:
        """What is left of it, up to the brace that closes the group."""
        found: list[Glyphs] = []
        while self.place < len(self.tokens):
            if self.tokens[self.place] == "}":
                self.place += 1
                break
            found += self.one(style)
        return found

    def argument(self, style: Glyphs) -> list[Glyphs]:
        """A group, or one token."""
        while self.place < len(self.tokens) and self.tokens[self.place].isspace():
            self.place += 1
        return self.one(style) if self.place < len(self.tokens) else []

    def one(self, style: Glyphs) -> list[Glyphs]:
        """The next token with its arguments."""
        token = self.tokens[self.place]
        self.place += 1
        if token == "{":
            return self.rest(style)
        if token in "_^":
            return self.argument(_script(style, 1 if token == "^" else -1))
        if token in _ACCENTS:
            return _accented(self.argument(style), _ACCENTS[token])
        if token in _UPRIGHT or token in _BOLD:
            return self.argument(replace(style, bold=style.bold or token in _BOLD, italic=False, text="upright"))
        if token in (r"\frac", r"\tfrac", r"\dfrac"):
            above, below = self.argument(style), self.argument(style)
            return [*above, replace(style, text="/"), *below]
        return [*_set(token, style), *self._space_after(token, style)]

    def _space_after(self, token: str, style: Glyphs) -> list[Glyphs]:
        """The thin space between a function's name and a letter: log x."""
        following = self.tokens[self.place] if self.place < len(self.tokens) else ""
        is_name = token.startswith("\\") and token not in _SYMBOLS and token not in _SPACES and token not in _SILENT
        is_letter = following.isalpha() or following in _SYMBOLS or following in _ACCENTS
        return [replace(style, text="\u2009")] if is_name and is_letter else []


def _script(style: Glyphs, direction: int) -> Glyphs:
    rise = style.rise + direction * (0.38 if direction > 0 else 0.22) * style.scale
    return replace(style, rise=rise, scale=max(style.scale * SMALL, SMALL**2), text="")


def _accented(runs: list[Glyphs], accent: str) -> list[Glyphs]:
    """Pieces with an accent over the first, which is the letter without its subscripts."""
    return [replace(runs[0], accents=runs[0].accents + accent), *runs[1:]] if runs else []


def _set(token: str, style: Glyphs) -> list[Glyphs]:
    """A token without arguments."""
    upright = style.text == "upright"
    if token in _SILENT or token in _SPACES:
        return [replace(style, text=_SPACES[token])] if _SPACES.get(token) else []
    if token.isspace():
        return [replace(style, text=" ")] if upright else []
    if token in _SYMBOLS:
        symbol = _SYMBOLS[token]
        return [replace(style, text=symbol, italic=symbol.islower() and not upright)]
    if token.startswith("\\"):
        return [replace(style, text=token[1:])]
    shown = "−" if token == "-" else token
    return [replace(style, text=shown, italic=token.isalpha() and not upright)]


def _merged(runs: list[Glyphs]) -> tuple[Glyphs, ...]:
    """Neighbours of one style as one piece."""
    found: list[Glyphs] = []
    for run in runs:
        if found and not run.accents and replace(found[-1], text="") == replace(run, text=""):
            found[-1] = replace(run, text=found[-1].text + run.text)
        elif run.text:
            found.append(run)
    return tuple(found)


def width_of(formula: str, size: float = SIZE) -> float:
    """How wide a formula is, in pixels."""
    return sum(run.width for run in runs_of(formula)) * size


_NARROW, _WIDE = "ijltfrI,.;:'|!()[] ′·ιτ", "mwMWQGOCD⊙⊘⊗Σ…∂ωΩ—"


def _advance(character: str) -> float:
    """The width of a character in a serif font, as a part of its size; rather too wide than too narrow."""
    # Times, Latin Modern, STIX and Cambria agree within a tenth for these classes of letters.
    base = unicodedata.normalize("NFD", character)[0]
    if unicodedata.combining(base):
        return 0.0
    if base in "\u2009\u2005":
        return 0.2
    if base in _NARROW:
        return 0.38
    if base in _WIDE:
        return 0.82
    if base.isupper() or base in "+−=<>×÷":
        return 0.7
    return 0.54

r"""LaTeX -> plain text, for the fixed formulas of the rule and function tables and of the documents' own sentences.

Expressions never come this way: they have their own plain printer.  The subset is small and closed; a command that is
not in the table is an error, so that a new rule cannot print as rubbish.
"""

from __future__ import annotations

import re
import unicodedata

from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.spelling import GREEK
from symrnn.errors import MissingRuleError

_SYMBOLS = {
    "odot": "⊙",
    "oslash": "⊘",
    "otimes": "⊗",
    "top": "ᵀ",
    "partial": "∂",
    "ell": "ℓ",
    "varphi": "φ",
    "varepsilon": "ε",
    "sum": "Σ",
    "times": "×",
    "le": "≤",
    "ge": "≥",
    "ne": "≠",
    "in": "∈",
    "infty": "∞",
    "cdot": "·",
    "ast": "*",
    "circ": "∘",
    "nabla": "∇",
    "prime": "'",
    "dots": "…",
    "ldots": "…",
    "langle": "⟨",
    "rangle": "⟩",
    "_": "_",
    "lfloor": "⌊",
    "rfloor": "⌋",
    "bmod": "mod",
    "quad": "  ",
    "qquad": "    ",
    "left": "",
    "right": "",
    ",": " ",
    ";": " ",
    "!": "",
    **GREEK,
    **{row.latex[1:]: row.text for row in FUNCTIONS.values() if re.fullmatch(r"\\[a-z]+", row.latex)},
}
_TIGHT = {*GREEK, "partial", "nabla", "varphi", "varepsilon", "ell", "quad", "qquad", "left"}
"""Commands after which a space only ends the command; after a binary sign it is meant."""
_ACCENTS = {"bar": "\u0304", "tilde": "\u0303", "hat": "\u0302", "dot": "\u0307"}
_ALPHABETS = {
    "mathbf": {"1": "𝟏"},
    "mathrm": {},
    "mathcal": {"L": "ℒ"},
    "mathbb": {"I": "𝕀", "K": "𝕂"},
    "operatorname": {},
    "mathrel": {},
    "text": {},
    "boldsymbol": {},
}
_TOKEN = re.compile(r"\\[A-Za-z]+ ?|\\.|[^\\]", re.DOTALL)


def plain(latex: str) -> str:
    r"""A fixed formula in plain text.

    >>> plain(r"Y = A \odot B:\quad \bar A \mathrel{+}= G \odot B")
    'Y = A ⊙ B:  Ā += G ⊙ B'

    Raises:
        MissingRuleError: a command is not in the table.
    """
    reader = _TokenReader(_TOKEN.findall(latex), latex)
    # Composed, so that a letter with its bar is one column where there is such a character.
    return unicodedata.normalize("NFC", re.sub(r" +([,;)])", r"\1", reader.sequence()).strip())


class _TokenReader:
    """Reads tokens from left to right."""

    def __init__(self, tokens: list[str], whole: str) -> None:
        self._tokens = tokens[::-1]
        self._whole = whole

    def sequence(self) -> str:
        """What follows, up to a closing brace or the end."""
        parts = []
        while self._tokens and self._tokens[-1] != "}":
            parts.append(self._unit())
        return "".join(parts)

    def _argument(self) -> str:
        while self._tokens and self._tokens[-1] == " ":
            self._tokens.pop()
        return self._unit()

    def _unit(self) -> str:
        token = self._tokens.pop()
        if token == "{":
            inner = self.sequence()
            self._tokens.pop()
            return inner
        if token in "^_":
            return self._script(token)
        return self._command(token) if token.startswith("\\") else token

    def _script(self, token: str) -> str:
        inner = self._argument().strip()
        # The sign is a superscript by itself.
        if inner in ("ᵀ", "'"):
            return inner
        return f"{token}{inner}" if len(inner) == 1 else f"{token}{{{inner}}}"

    def _command(self, token: str) -> str:
        name, gap = token[1:].rstrip(" "), " " if token.endswith(" ") else ""
        if name in _ACCENTS:
            inner = self._argument()
            # A combining accent stands after its letter, so before a subscript.
            return inner[:1] + _ACCENTS[name] + inner[1:]
        if name in _ALPHABETS:
            inner = self._argument()
            return _ALPHABETS[name].get(inner, inner)
        if name == "sqrt":
            return f"√({self._argument()})"
        if name == "frac":
            return f"{self._argument()}/{self._argument()}"
        if name not in _SYMBOLS:
            # Left as it is, a command would be printed as rubbish, and nobody would notice.
            raise MissingRuleError(f"no plain text for \\{name} in {self._whole}")
        return _SYMBOLS[name] + ("" if name in _TIGHT else gap)

"""An author's words in LaTeX and in Markdown: whatever they contain, the document compiles and says the same.

LaTeX text comes out as ASCII, so that it does not depend on the input encoding or the fonts of the document that it
is put into.
"""

from __future__ import annotations

import re
import unicodedata

from symrnn.algebra.spelling import GREEK

_TEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_\allowbreak{}",
    "\u00a0": "~",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "–": "--",
    "—": "---",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "„": ",,",
    "…": r"\ldots{}",
    "§": r"\S{}",
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "ı": r"\i{}",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "°": r"$^{\circ}$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "≠": r"$\ne$",
    "±": r"$\pm$",
    "−": r"$-$",
    "→": r"$\to$",
    "∞": r"$\infty$",
    "∂": r"$\partial$",
    "⊙": r"$\odot$",
    "∈": r"$\in$",
    "ℓ": r"$\ell$",
    **{letter: rf"${chr(92)}{name}$" for name, letter in GREEK.items()},
}
_TEX |= {"\u200b": "{}", "\u00ad": r"\allowbreak{}"}  # marks of our own; an author's are cleaned away
_TEX_ACCENTS = {
    "\u0300": r"\`",
    "\u0301": r"\'",
    "\u0302": r"\^",
    "\u0303": r"\~",
    "\u0304": r"\=",
    "\u0306": r"\u",
    "\u0307": r"\.",
    "\u0308": r"\"",
    "\u030a": r"\r",
    "\u030b": r"\H",
    "\u030c": r"\v",
    "\u0327": r"\c",
    "\u0328": r"\k",
}
_MARKDOWN = re.compile(r"([\\`*_\[\]#|~])")
_MARKDOWN_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;"}


_LIGATURES = re.compile(r"([-'`,?!])(?=[-'`,])")
"""Marks that TeX would join with the next one."""
_LONG = re.compile(r"[^\s\u00a0-]{30}(?=[^\s\u00a0-]{8})")
"""A piece of a word so long that no hyphenation would bring it onto a line."""


def tex(words: str) -> str:
    r"""Words as LaTeX text, in ASCII; what has no LaTeX is shown by its code point.

    >>> print(tex('50% of "é_1"'))
    50\% of ``\'{e}\_\allowbreak{}1''
    """
    apart = _LIGATURES.sub("\\g<0>\u200b", _curled(words))
    breakable = _LONG.sub("\\g<0>\u00ad", apart)
    return "".join(_tex_character(character) for character in breakable)


def _curled(words: str) -> str:
    """Straight double quotes as curled ones: opening where no word ends."""
    shown: list[str] = []
    for character in words:
        if character == '"':
            opens = not shown or shown[-1].isspace() or shown[-1] in "([{-–—“"
            character = "“" if opens else "”"
        shown.append(character)
    return "".join(shown)


def _tex_character(character: str) -> str:
    if character in _TEX:
        return _TEX[character]
    if character.isascii() and character.isprintable():
        return character
    decomposed = unicodedata.normalize("NFKD", character)
    base, marks = decomposed[:1], decomposed[1:]
    if decomposed != character and decomposed.isascii() and decomposed.isprintable():
        return tex(decomposed)
    if base.isascii() and base.isalpha() and marks in _TEX_ACCENTS:
        return f"{_TEX_ACCENTS[marks]}{{{base}}}"
    return f"[U+{ord(character):04X}]"


def markdown(words: str) -> str:
    r"""Words as Markdown text.

    >>> print(markdown("a_b costs $5 & <c>"))
    a\_b costs &#36;5 &amp; &lt;c&gt;
    """
    shown = _MARKDOWN.sub(r"\\\1", words)
    for character, entity in _MARKDOWN_ENTITIES.items():
        shown = shown.replace(character, entity)
    return shown

"""An author's words in LaTeX and in Markdown: whatever they contain, the document compiles and says the same.

LaTeX text comes out as ASCII, so that it does not depend on the input encoding or the fonts of the document that it
is put into; only words in letters that LaTeX has no commands for stay as they are.
"""

from __future__ import annotations

import re
import unicodedata

from symrnn.algebra.spelling import GREEK
from symrnn.documents.scripts import is_right_to_left, set_other

# A dollar sign around what is mathematics; an empty group where a command would swallow the next blank.
_TEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_\allowbreak{}",
    "=": r"=\allowbreak{}",
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
_MATH_ACCENTS = {"\u0300": r"\grave", "\u0301": r"\acute", "\u0308": r"\ddot"}
_GREEK_TEXT = {
    **{letter: rf"\{name}" for name, letter in GREEK.items()},
    "ς": r"\varsigma",
}
"""Greek letters as mathematics."""
_LIKE_LATIN = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEZHIKMNOPTYXo", strict=True))
"""Greek letters that look like Latin ones, which LaTeX sets as these."""
_CLUSTER = re.compile(r"[^\u0300-\u036f][\u0300-\u036f]*|[\u0300-\u036f]", re.DOTALL)
"""A character with the accents that follow it."""
_MARKDOWN = re.compile(r"([\\`*_\[\]#|~])")
_MARKDOWN_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;"}


_LIGATURES = re.compile(r"([-'`,?!])(?=[-'`,])")
"""Marks that TeX would join with the next one."""
_LONG = re.compile(r"[^\s\u00a0-]{30}(?=[^\s\u00a0-]{8})")
"""A piece of a word so long that no hyphenation would bring it onto a line."""
_CALL = re.compile(r"(?<=[A-Za-z])[(=](?=[A-Za-z])")
"""Where a piece of code may end a line: torch.nn.RNN(nonlinearity=...) is wider than a column."""


_CHINESE = re.compile("([\u3000-\u303f\u4e00-\u9fff\uff01-\uff5e]+)")
"""Chinese letters and their punctuation."""


def tex(words: str, is_chinese: bool = False) -> str:
    r"""Words as LaTeX text: in ASCII but for letters that LaTeX has no command for; see `scripts` for these.

    Args:
        words: the words.
        is_chinese: whether they are put into a document in Chinese, whose preamble takes its letters as they are.

    >>> print(tex('50% of "é_1"'))
    50\% of ``\'{e}\_\allowbreak{}1''
    """
    if is_chinese:
        pieces = _CHINESE.split(words)
        return "".join(piece if index % 2 else tex(piece) for index, piece in enumerate(pieces))
    apart = _LIGATURES.sub("\\g<0>\u200b", _curl_quotes(words))
    # A soft hyphen becomes \allowbreak below: a URL or a path may end a line without a hyphen being read into it.
    breakable = _CALL.sub("\\g<0>\u00ad", _LONG.sub("\\g<0>\u00ad", apart))
    shown: list[str] = []
    others = ""
    for cluster in _CLUSTER.findall(breakable):
        known = _write_cluster(cluster)
        # Words from right to left are set as one run with their blanks, or they would come out in the wrong order.
        if known is None or (cluster == " " and others and is_right_to_left(others[-1])):
            others += cluster
            continue
        shown += [set_other(others.rstrip(" ")), " " * others.endswith(" "), known]
        others = ""
    return "".join([*shown, set_other(others)])


def _curl_quotes(words: str) -> str:
    """Straight double quotes as curled ones: opening where no word ends."""
    shown: list[str] = []
    for character in words:
        if character == '"':
            opens = not shown or shown[-1].isspace() or shown[-1] in "([{-–—“"
            character = "“" if opens else "”"
        shown.append(character)
    return "".join(shown)


def _write_cluster(cluster: str) -> str | None:
    """A letter with its accents; None where LaTeX has no command for it."""
    if cluster in _TEX:
        return _TEX[cluster]
    if cluster.isascii() and cluster.isprintable():
        return cluster
    # By compatibility: a ligature or a full-width letter is the plain letters that it stands for.
    decomposed = unicodedata.normalize("NFKD", cluster)
    if decomposed != cluster and decomposed.isascii() and decomposed.isprintable():
        return tex(decomposed)
    # Only where LaTeX has commands for the letter and all of its accents; half of an accent would be another letter.
    base, marks = _LIKE_LATIN.get(decomposed[0], decomposed[0]), decomposed[1:]
    if base.isascii() and base.isalpha() and all(mark in _TEX_ACCENTS for mark in marks):
        shown = base
        for mark in marks:
            shown = f"{_TEX_ACCENTS[mark]}{{{shown}}}"
        return shown
    if base in _GREEK_TEXT and len(marks) < 2 and all(mark in _MATH_ACCENTS for mark in marks):
        shown = _GREEK_TEXT[base]
        return f"${_MATH_ACCENTS[marks[0]]}{{{shown}}}$" if marks else f"${shown}$"
    return None


def markdown(words: str) -> str:
    r"""Words as Markdown text.

    >>> print(markdown("a_b costs $5 & <c>"))
    a\_b costs &#36;5 &amp; &lt;c&gt;
    """
    # Before the entities, whose own # would be escaped.
    shown = _MARKDOWN.sub(r"\\\1", words)
    for character, entity in _MARKDOWN_ENTITIES.items():
        shown = shown.replace(character, entity)
    return shown

"""Slips in writing: what does not read as Python, and what the author meant.

A row says what a line looks like, which part of it is at fault, and what to write instead.  The rows are asked in turn
when Python refuses a line; nothing here changes what is read.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from symrnn.algebra.functions import FUNCTIONS

_FUNCTIONS = "|".join(sorted([*FUNCTIONS, "softmax", "sum", "mean"], key=len, reverse=True))
_NAME = r"[A-Za-z]\w*"

SIGNS: Mapping[str, str] = {
    "×": "write * for a product entry by entry, @ for a matrix product",
    "⊙": "write * for a product entry by entry",
    "∘": "write * for a product entry by entry",
    "∗": "write *",
    "⋅": "write @ for a matrix product, * entry by entry",
    "·": "write @ for a matrix product, * entry by entry",
    "•": "write @ for a matrix product, * entry by entry",
    "⊗": "write outer(v, k)",
    "⊕": "write +, or concat(a, b)",
    "÷": "write /",
    "⊘": "write /",
    "−": "write -",
    "–": "write -",
    "—": "write -",
    "²": "write ** 2",
    "³": "write ** 3",
    "√": "write sqrt(...)",
    "ᵀ": "write .T",
    "⊤": "write .T",
    "′": "write .T for the transpose",
    "←": "write =",
    "≔": "write =",
    "≤": "choose with step, relu, maximum or minimum",
    "≥": "choose with step, relu, maximum or minimum",
    "Σ": "write sum(...)",
    "∑": "write sum(...)",
    "½": "write 0.5",
    "‘": "leave the quotation mark out",
    "’": "write .T for the transpose; leave quotation marks out",
    "“": 'write "',
    "”": 'write "',
    "，": "write , (of the Latin alphabet)",
    "（": "write ( (of the Latin alphabet)",
    "）": "write ) (of the Latin alphabet)",
    "：": "write : (of the Latin alphabet)",
    "＝": "write = (of the Latin alphabet)",
    "＋": "write + (of the Latin alphabet)",
}
"""Signs of printed formulas that Python does not have -> what to write."""


MESSAGES: Mapping[str, str] = {
    "never closed": "close the bracket",
    "unmatched": "remove the bracket, or open it before",
    "does not match opening": "close every bracket with its own kind",
    "expected ':'": "write : at the end of the line",
    "unterminated string": 'close the quotation mark; shapes are written as "d_h"',
    "expected an indented block": "indent the lines of the cell by four blanks",
    "unexpected indent": "begin the line where the lines around it begin",
    "unindent does not match": "begin the line where the lines around it begin",
    "inconsistent use of tabs": "indent with blanks only",
}
"""Words of Python's messages -> what to do."""


@dataclass(frozen=True)
class Slip:
    """One row.

    Attributes:
        looks: what the line looks like; the first group that is found is the part at fault.
        remedy: what to write instead, from the match.
        words: whether it is about words of Python's own; other rows take none of these for a name.
    """

    looks: re.Pattern[str]
    remedy: Callable[[re.Match[str]], str]
    words: bool = False


def _argument(text: str) -> str:
    """The term that a text begins with."""
    return re.split(r"\s[+\-]\s|[),]", text, maxsplit=1)[0].strip()


SLIPS = (
    Slip(
        re.compile(r"(?<![\w.])(lambda)\b"),
        lambda m: "lambda is a word of Python's own: write lambda_ or lam, which are printed λ",
        words=True,
    ),
    Slip(
        re.compile(rf"\bdef\b.*[(,]\s*({'|'.join(keyword.kwlist)})\s*[,:=)]"),
        lambda m: f"{m[1]} is a word of Python's own: write {m[1]}_",
        words=True,
    ),
    Slip(
        re.compile(rf"\bdef\b.*?({_NAME}?)_?\{{?t\s*-\s*1\}}?"),
        lambda m: f"write {m[1].removesuffix('_')}_prev for the value at t-1",
        words=True,
    ),
    Slip(re.compile(rf"({_NAME})'"), lambda m: f"write {m[1]}.T for the transpose"),
    Slip(re.compile(rf"^\s*{_NAME}\s*(:=)"), lambda m: "write one ="),
    Slip(re.compile(r"(\?)"), lambda m: "choose with step, relu, maximum or minimum"),
    Slip(re.compile(r"(\{)"), lambda m: "write names without braces: h_prev, W_f"),
    Slip(
        re.compile(rf"\b(?:{_FUNCTIONS})\s+(?=[A-Za-z(])(.*)"),
        lambda m: f"put the argument into brackets: {m[0].split()[0]}({_argument(m[1])})",
    ),
    Slip(
        re.compile(rf"(?<![\w.])(\d+\.?\d*)({_NAME})"),
        lambda m: f"write {m[1]} * {m[2]}",
    ),
    Slip(
        re.compile(rf"(?<![\w.])(?:\d+\.?\d*|{_NAME})\s+({_NAME})(?!\s*:)"),
        lambda m: (
            f"write {m[0].split()[0]} * {m[1]}"
            if m[0][0].isdigit()
            else f"write {m[0].split()[0]} @ {m[1]} for a matrix product, {m[0].split()[0]} * {m[1]} entry by entry"
        ),
    ),
    Slip(re.compile(rf"(\))\s*(?={_NAME}|\()"), lambda m: "write * or @ between the brackets"),
)


def meant(line: str) -> tuple[int, str] | None:
    """Where a line that is not Python goes wrong, counted from 0, and what to write; None where no row fits."""
    # A comment may have any sign in it.
    code = line.partition("#")[0]
    for column, character in enumerate(code):
        if character in SIGNS:
            return column, SIGNS[character]
    for slip in SLIPS:
        match = slip.looks.search(code)
        if match and (slip.words or not _is_word(match)):
            return match.start(1), slip.remedy(match)
    return None


def _is_word(match: re.Match[str]) -> bool:
    """Whether what looks like a name is a word of Python's: 'return h' is no product."""
    words = re.findall(r"[A-Za-z]\w*", match[0])
    return bool(words) and words[0] in keyword.kwlist

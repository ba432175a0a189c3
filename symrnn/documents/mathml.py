r"""LaTeX -> MathML, with symbols that know where they are defined.

Formulas of documents come from the printers, from the tables of rules and functions, and from sentences; LaTeX is what
all of them have in common.  It is converted by latex2mathml, a pure Python library under the MIT licence that is
released regularly: it takes every formula of the library, where MathML from the printers' trees would be a third
printer and would still need a reader for the rest.  What browsers would show badly is mended here, and a command that
the library does not know is an error, not a word in the page.

A browser draws no link around a part of a formula; HTML inside of an `mtext` is allowed, so that a symbol is a formula
of its own there, in an ordinary link that can be pointed at, focused and followed without any script.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from html import escape, unescape
from xml.etree.ElementTree import Element

from symrnn.errors import MissingRuleError

# Words in upright letters: as an operator's name they come out as one word, not as a product of letters.
_UPRIGHT = re.compile(r"\\mathrm(?=\{[^{}\\]*\})")
_SPACES = {r"\thickspace": r"\;", r"\thinspace": r"\,", r"\enspace": r"\;", r"\negthinspace": ""}
"""Commands for spaces that are written as other ones."""
_SPACE = re.compile("|".join(rf"{re.escape(command)}(?![A-Za-z])" for command in _SPACES))
_FENCES = frozenset("⟨⟩⌊⌋⌈⌉|‖")
"""Brackets that are operators, and as high as a letter unless LaTeX says otherwise."""
_OPENING = frozenset("([{⟨,=<>")
_SIGNS = frozenset("∑")
_ROWS = frozenset({"mrow", "msqrt", "mtd", "math"})
"""Elements whose children stand in a row; those of others are counted."""
_PUNCTUATION = frozenset(":∗*")
_BOLD = {"bold": (0x1D400, 0x1D41A, 0x1D7CE), "bold-italic": (0x1D468, 0x1D482, 0)}
"""Style -> code points of A, a and 0 in it; browsers draw them and ignore the attribute."""
_BOLD_GREEK = {"bold": (0x1D6A8, 0x1D6C2), "bold-italic": (0x1D71C, 0x1D736)}


@dataclass(frozen=True)
class Meaning:
    """What a symbol stands for.

    Attributes:
        target: the identifier of the place where it is defined.
        words: what it is, in plain text.
    """

    target: str
    words: str


@dataclass(frozen=True)
class Glossary:
    """The symbols that a page explains.

    Attributes:
        meanings: what a symbol looks like -> what it is; the look is the key of its parts, see `look_of`.
    """

    meanings: Mapping[tuple[str, ...], Meaning]

    @cached_property
    def longest(self) -> int:
        """The most parts that a symbol has."""
        return max(map(len, self.meanings), default=0)


NOTHING = Glossary({})
"""No symbols."""


def mathml(latex: str, text: str, glossary: Glossary = NOTHING, display: bool = False) -> str:
    r"""A formula as a `math` element.

    Args:
        latex: the formula in LaTeX.
        text: the same in plain text, for whoever cannot see it.
        glossary: symbols that become links to their definitions.
        display: whether it stands on a line of its own, where fractions and sums are larger.

    Raises:
        MissingRuleError: the formula has a command that no converter knows.

    >>> print(mathml("W_f", "W_f"))
    <math alttext="W_f"><msub><mi>W</mi><mi>f</mi></msub></math>
    """
    style = ' displaystyle="true"' if display else ""
    inner = "".join(_write_all(_children(latex, display), glossary))
    return f'<math{style} alttext="{escape(text)}">{inner}</math>'


def look_of(latex: str) -> tuple[str, ...]:
    """What a formula looks like, at whatever time it stands: the key of a symbol in a glossary."""
    return tuple(_at_any_time(_write(child, NOTHING)) for child in _children(latex, False))


@lru_cache(maxsize=4096)
def _children(latex: str, display: bool) -> tuple[Element, ...]:
    # Imported where a page is written: nothing else needs it.
    from latex2mathml.converter import convert_to_element

    words = _SPACE.sub(lambda found: _SPACES[found[0]], _UPRIGHT.sub(r"\\operatorname", latex))
    root = convert_to_element(words)
    for element in root.iter():
        element.text = unescape(element.text or "")  # the converter writes letters as entities
    for element in root.iter():
        if element.text and "\\" in element.text:
            raise MissingRuleError(f"no MathML for {element.text} in {latex}")
        _mend(element, display)
    parts = _flat(_unwrapped(root))
    # After an empty group a sign stands between two terms, as in LaTeX, of which the first is a line above.
    if latex.startswith("{}") and parts and parts[0].tag == "mo":
        parts[0].set("form", "infix")
    return tuple(parts)


def _unwrapped(element: Element) -> Element:
    """The element without rows of one part, so that a symbol looks the same in braces and without."""
    children = [_unwrapped(child) for child in element]
    if element.tag == "mrow" and len(children) == 1:
        return children[0]
    copy = Element(element.tag, element.attrib)
    copy.text = element.text
    for before, child in zip([None, *children], children, strict=False):
        if before is not None and element.tag in _ROWS:
            _set_apart(before, child, copy)
        copy.append(child)
    return copy


def _set_apart(before: Element, after: Element, row: Element) -> None:
    """Right the room between two neighbours."""
    # Of a number, not between two: the sign stands close to what follows.
    if after.tag == "mo" and after.text in ("−", "+") and before.tag == "mo" and before.text in _OPENING:
        after.set("form", "prefix")
    # log x, but log(x)
    is_word = before.tag == "mi" and len(before.text or "") > 1
    if is_word and after.tag != "mspace" and not (after.tag == "mo" and after.text not in _SIGNS):
        row.append(Element("mspace", {"width": "0.17em"}))


def _flat(element: Element) -> list[Element]:
    """The parts of a row, rows within it taken apart where nothing stands on them."""
    parts: list[Element] = []
    for child in element:
        parts += _flat(child) if child.tag == "mrow" else [child]
    return parts


def _mend(element: Element, display: bool) -> None:
    """Change what a browser would show badly."""
    text = element.text or ""
    if element.tag == "mo" and len(element):  # \mathrel{+}: an operator that is a row
        element.tag = "mrow"
    elif element.tag == "mo" and len(text) > 1 and text.isalpha():
        # A name, not a sign: an operator has room on both sides, and diag(v) would fall apart.
        element.tag = "mi"
        element.attrib.clear()
    elif element.tag == "mo" and (text == "∂" or (len(text) == 1 and text.isalpha() and text.isascii())):
        element.tag = "mi"
        element.set("mathvariant", "normal")
    elif element.tag == "mi" and text in _FENCES:
        element.tag = "mo"
        element.set("stretchy", "false")
    elif element.tag == "mi" and text in _PUNCTUATION:
        element.tag = "mo"
    elif element.tag == "mo" and text == "/":
        element.attrib |= {"lspace": "0.1em", "rspace": "0.1em"}
    variant = element.get("mathvariant")
    if variant in _BOLD:
        element.text = "".join(_embolden(letter, variant) for letter in text)
        del element.attrib["mathvariant"]
    # The limits of a sum stand over and under its sign in a formula of its own.
    if display and element.tag in ("msubsup", "msub") and len(element) and element[0].text in ("∑", "∏"):
        element.tag = {"msubsup": "munderover", "msub": "munder"}[element.tag]


def _embolden(letter: str, variant: str) -> str:
    capital, small, digit = _BOLD[variant]
    greek_capital, greek_small = _BOLD_GREEK[variant]
    for first, last, start in (
        ("A", "Z", capital),
        ("a", "z", small),
        ("0", "9", digit),
        ("Α", "Ω", greek_capital),
        ("α", "ω", greek_small),
    ):
        if start and first <= letter <= last:
            return chr(start + ord(letter) - ord(first))
    return letter


# --- writing ----------------------------------------------------------------------------------------------------------

_TIME = re.compile(r"<mi>t</mi><mo>[−+]</mo>(?:<mn>\d+</mn>|<mi>[a-z]</mi>)")
_ROW = re.compile(r"<mrow><mi>t</mi></mrow>")
_LATEST = re.compile(r"(?<=</mi>)<mn>[01]</mn>(?=</msub>)")


def _at_any_time(look: str) -> str:
    """h_{t-1}, h_{t+1} and h_0 as h_t: one symbol is meant."""
    now = _ROW.sub("<mi>t</mi>", _TIME.sub("<mi>t</mi>", look))
    return _LATEST.sub("<mi>t</mi>", now)


def _write_all(elements: Sequence[Element], glossary: Glossary) -> list[str]:
    """Elements in a row; those that are a symbol together become one link."""
    written: list[str] = []
    start = 0
    while start < len(elements):
        for length in range(min(glossary.longest, len(elements) - start), 0, -1):
            group = elements[start : start + length]
            meaning = _find(group, glossary)
            if meaning is not None:
                written.append(_link(group, meaning))
                start += length
                break
        else:
            written.append(_write(elements[start], glossary))
            start += 1
    return written


def _find(group: Sequence[Element], glossary: Glossary) -> Meaning | None:
    """The meaning of a symbol, also where it is transposed or raised to a power."""
    if not glossary.meanings:
        return None
    *before, last = group
    looks = [_at_any_time(_write(element, NOTHING)) for element in before]
    for one in (_write(last, NOTHING), _without_power(last)):
        found = glossary.meanings.get((*looks, _at_any_time(one)))
        if found is not None:
            return found
    return None


def _without_power(element: Element) -> str:
    if element.tag != "msubsup":
        return ""
    return f"<msub>{''.join(_write(child, NOTHING) for child in element[:2])}</msub>"


def _link(group: Sequence[Element], meaning: Meaning) -> str:
    inner = "".join(_write(element, NOTHING) for element in group)
    # Not in the order of the tabulator key, in which a page would have a thousand stops: arrows go to it in its line.
    link = f'<a class="symbol" tabindex="-1" href="#{escape(meaning.target)}" title="{escape(meaning.words)}">'
    return f"<mtext>{link}<math>{inner}</math></a></mtext>"


def _write(element: Element, glossary: Glossary) -> str:
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in element.attrib.items())
    if len(element):
        # Scripts and fractions count their children: each stays one, and only rows may join some.
        is_row = element.tag in _ROWS
        children = _flat(element) if element.tag == "mrow" else list(element)
        inner = _write_all(children, glossary) if is_row else [_write_all([child], glossary)[0] for child in element]
        return f"<{element.tag}{attributes}>{''.join(inner)}</{element.tag}>"
    return f"<{element.tag}{attributes}>{escape(element.text or '', quote=False)}</{element.tag}>"

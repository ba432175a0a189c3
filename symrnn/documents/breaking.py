"""How wide a formula is, and where it may be broken.

Widths are estimates: of LaTeX in ems of the text font, of plain text in columns.  A formula is broken before a sign
(or between factors, if need be), as far outside of its brackets as possible.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from symrnn.algebra.spelling import GREEK

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[^\\]", re.DOTALL)
_SCRIPT = 0.72
"""The size of a sub- or superscript; a little more than TeX's 0.7 leaves room for the space after it."""
# Ems in Computer Modern, rather more than less: a line that is too long is worse than one that ends early.
_CAPITALS, _SMALL, _BINARY, _RELATION = 0.75, 0.5, 1.22, 1.33
_GREEK, _FUNCTION = 0.55, 1.75
_WIDTHS = {
    **dict.fromkeys("+-", _BINARY),
    **dict.fromkeys("=<>", _RELATION),
    **dict.fromkeys("()[]|", 0.39),
    **dict.fromkeys(",;.:", 0.45),
    **dict.fromkeys("mwMW", 0.92),
    **dict.fromkeys("ijl", 0.36),
    **dict.fromkeys((r"\odot", r"\oslash", r"\otimes", r"\circ", r"\times", r"\cdot"), _BINARY),
    **dict.fromkeys((r"\in", r"\le", r"\ge"), _RELATION),
    **dict.fromkeys((r"\left", r"\right"), 0.36),  # so much more than a bracket of ordinary height
    **dict.fromkeys((r"\mathrm", r"\mathtt", r"\boldsymbol", r"\mathbb", r"\text", " "), 0.0),
    **dict.fromkeys((r"\operatorname", r"\bar", r"\tilde", r"\hat", r"\dot", r"\underline"), 0.0),
    **dict.fromkeys(
        (r"\widetilde", r"\widehat", r"\overline", r"\overleftarrow", r"\displaystyle", "{", "}", "&"), 0.0
    ),
    **dict.fromkeys((r"\langle", r"\rangle"), 0.39),
    r"\top": 0.78,
    **dict.fromkeys((r"\partial", r"\ell"), 0.55),
    r"\sum": 1.75,
    r"\_": 0.55,
    r"\quad": 1.0,
    r"\qquad": 2.0,
    r"\,": 0.17,
    r"\sqrt": 0.9,
}


def columns(text: str) -> int:
    """The number of terminal columns of a plain text; a combining accent takes none."""
    return sum(not unicodedata.combining(character) for character in text)


def ems(latex: str) -> float:
    r"""The estimated width of a formula in LaTeX.

    >>> ems(r"\frac{a}{b}") < ems("a + b") < ems("W_f x_t + U_f h_{t-1}")
    True
    """
    return _Ruler(_TOKEN.findall(latex)).sequence()


class _Ruler:
    """Adds up widths from left to right."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens[::-1]

    def sequence(self) -> float:
        total = script = 0.0
        while self._tokens and self._tokens[-1] != "}":
            if self._tokens[-1] in "^_":
                self._tokens.pop()
                wide = _SCRIPT * self._unit()
                total += max(wide - script, 0.0)  # a subscript stands under a superscript
                script = max(wide, script)
            else:
                # the limits of a sum stand above and below it
                # Wider than any limit: with it nothing is added for what stands above and below.
                script = 9.0 if self._tokens[-1] == r"\sum" else 0.0
                total += self._unit()
        return total

    def _unit(self) -> float:
        token = self._tokens.pop() if self._tokens else ""
        while token == " " and self._tokens and self._tokens[-1] != "}":
            token = self._tokens.pop()
        if token == "{":
            inner = self.sequence()
            self._tokens.pop()
            return inner
        if token == r"\frac":
            # The bar reaches over both sides of the wider part.
            return max(self._unit(), self._unit()) + 0.25
        # Bold letters are an eighth wider.
        if token == r"\mathbf":
            return 1.12 * self._unit()
        if token in _WIDTHS:
            return _WIDTHS[token]
        if token[1:] in GREEK:
            return _CAPITALS if token[1].isupper() else _GREEK
        if token.startswith("\\"):
            # By the command's length: those of functions are words of three or four letters, and longer ones are signs.
            return _GREEK if len(token) > 5 else _FUNCTION
        return _CAPITALS if token.isupper() else _SMALL


@dataclass(frozen=True)
class BreakingRules:
    """What the breaking of lines must know of a syntax.

    Attributes:
        measure: the width of a piece.
        loosest: signs before which a line is best broken, with their spaces.
        signs: signs before which it may be broken otherwise.
        opening: what must not be broken until `closing`; brackets of ordinary height may.
        closing: its ends.
    """

    measure: Callable[[str], float]
    loosest: tuple[str, ...]
    signs: tuple[str, ...]
    opening: tuple[str, ...]
    closing: tuple[str, ...]


# In LaTeX a fraction and a pair of tall brackets are one box; in plain text nothing is, and any bracket may be left
# open.
LATEX = BreakingRules(ems, (" + ", " - "), (r" \odot ", r" \oslash ", r" \otimes "), ("{", r"\left"), ("}", r"\right"))
TEXT = BreakingRules(columns, (" + ", " - "), (" ⊙ ", " ⊘ ", " ⊗ "), (), ())


@dataclass(frozen=True)
class _Break:
    """A place where a line may end: the text before it, and how much it disturbs to break there."""

    position: int
    cost: tuple[int, int]


def _find_breaks(printed: str, syntax: BreakingRules) -> Iterator[_Break]:
    depth = boxes = 0
    for position, character in enumerate(printed):
        if syntax.opening and printed.startswith(syntax.opening, position):
            boxes += 1
        elif syntax.closing and printed.startswith(syntax.closing, position):
            boxes -= 1
        # The deeper inside of brackets, the more it disturbs to break there.
        depth += (character in "([") - (character in ")]")
        if boxes or character != " " or position == 0:
            continue
        if printed.startswith(syntax.loosest, position):
            yield _Break(position, (depth, 0))
        elif printed.startswith(syntax.signs, position):
            yield _Break(position, (depth, 1))
        # Between two factors, as the last resort; 20 characters hold the longest sign, after which it is no factor.
        elif printed[position - 1] in ")]}ᵀ⟩" and not _follows_sign(printed[max(position - 20, 0) : position], syntax):
            yield _Break(position, (depth, 2))


def _follows_sign(before: str, syntax: BreakingRules) -> bool:
    return f"{before} ".endswith((*syntax.loosest, *syntax.signs))


def break_lines(printed: str, width: float, syntax: BreakingRules, indent: float = 0.0) -> list[str]:
    """Cut a formula into lines; each but the first starts with its sign, or with a further factor.

    Args:
        printed: the formula.
        width: what fits on the first line.
        syntax: the formula's syntax.
        indent: by how much the other lines are shorter.
    """
    lines: list[str] = []
    room = width
    while not _fits(printed, room, syntax):
        # What no line could hold would stick out on every one of them: its bars go, so that it can be broken.
        if syntax is LATEX and not lines and ems(_find_longest_box(printed)) > width - indent:
            printed = without_bars(printed)
        best = _choose_break(printed, room, syntax)
        if best is None:
            break
        lines.append(printed[: best.position])
        printed = printed[best.position + 1 :]
        room = width - indent
    return [*lines, printed]


def _fits(printed: str, width: float, syntax: BreakingRules) -> bool:
    # No name takes 60 characters for the width of one, so what is much longer need not be measured.
    return len(printed) <= 60 * max(width, 1.0) and syntax.measure(printed) <= width


def _choose_break(printed: str, width: float, syntax: BreakingRules) -> _Break | None:
    """The least disturbing place that fills a good part of the line; the first one where none fits."""
    first: _Break | None = None
    fitting: list[tuple[_Break, float]] = []
    for found in _find_breaks(printed, syntax):
        first = first or found
        measured = syntax.measure(printed[: found.position])
        if measured > width:
            break
        fitting.append((found, measured))
    # A line that is less than two fifths full looks like an accident, whatever sign it would end at.
    filling = [found for found, measured in fitting if measured >= 0.4 * width]
    return min(filling or [f for f, _ in fitting], key=lambda b: (b.cost, -b.position), default=first)


def _find_closing(latex: str, start: int) -> int:
    """Where the group ends whose brace is at `start`."""
    depth = 0
    for position in range(start, len(latex)):
        depth += (latex[position] == "{") - (latex[position] == "}")
        if depth == 0:
            return position
    raise ValueError(f"unbalanced braces in {latex}")


def _find_longest_box(latex: str) -> str:
    """The longest fraction or tall pair of brackets, which no line can end in."""
    boxes = [""]
    for found in re.finditer(r"\\frac(?=\{)|\\left", latex):
        end = found.end()
        if found[0] == r"\frac":
            for _ in range(2):
                end = _find_closing(latex, end) + 1
        else:
            depth = 0
            for token in re.finditer(r"\\left|\\right", latex[found.start() :]):
                depth += 1 if token[0] == r"\left" else -1
                if depth == 0:
                    end = found.start() + token.end()
                    break
        boxes.append(latex[found.start() : end])
    return max(boxes, key=len)


def without_bars(latex: str) -> str:
    r"""The formula with wide fractions written with a slash and brackets that a line can end in.

    >>> print(without_bars(r"\frac{\partial L}{\partial h} + \frac{a + b}{c} d"))
    \frac{\partial L}{\partial h} + ((a + b) / c) d
    """
    parts, rest = [], latex
    while (found := re.search(r"\\frac(?=\{)", rest)) is not None:
        middle = _find_closing(rest, found.end()) + 1
        end = _find_closing(rest, middle) + 1
        top, bottom = rest[found.end() + 1 : middle - 1], rest[middle + 1 : end - 1]
        # ∂L/∂h is one symbol to a reader, and keeps its bar.
        derivative = top.startswith((r"\partial", r"\mathrm{d} ", r"\overleftarrow{\partial}"))
        flat = f"({_enclose(top)} / {_enclose(bottom)})"
        parts += [rest[: found.start()], rest[found.start() : end] if derivative else flat]
        rest = rest[end:]
        if not derivative:
            rest = parts.pop() + rest  # there may be fractions in a fraction
    flat = "".join(parts) + rest
    return re.sub(r"\\(?:left|right)([()])", r"\1", flat)


def _enclose(part: str) -> str:
    """A part of a fraction beside a slash, in brackets unless it is one symbol."""
    return f"({part})" if " " in part else part

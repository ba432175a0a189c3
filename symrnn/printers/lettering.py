r"""How a reader's own letter is written down: in LaTeX, as `\tilde{C}`, `\Gamma_f`, `W_{xi}` or `b^{(f)}`.

Only letters, accents, words and indices are read, so that what is meant is known and a terminal can show it too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from symrnn.algebra.spelling import GREEK, Nested, Word, spelled
from symrnn.errors import InputError

ACCENTS: Mapping[str, str] = MappingProxyType(
    {
        **{name: name for name in ("tilde", "hat", "bar", "dot", "check")},
        "widetilde": "tilde",
        "widehat": "hat",
        "overline": "bar",
    }
)
r"""A command of LaTeX -> the accent; one that is wide is so by the letter that it stands over."""
_UPRIGHT = ("mathrm", "text", "textrm", "operatorname", "mathit", "mathbf", "boldsymbol")
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*")
_TOKEN = re.compile(r"\s+|\\[A-Za-z]+|\{gate\}|[A-Za-z]|\d+|[_^{}'(),]")

GATE = Word("gate placeholder")
"""Stands in a template where the index of a gate is put."""


@dataclass(frozen=True)
class SideBySide:
    """Letters side by side, each of its own, as in W_{xi}."""

    words: tuple[Word | Nested, ...]


Part = Word | Nested | SideBySide


@dataclass(frozen=True)
class LetterLook:
    """How a name looks: a symbol with accents, and indices below and above.

    Attributes:
        head: the symbol.
        below: what stands below it, before the time.
        above: what stands above it.
    """

    head: Word
    below: tuple[Part, ...] = ()
    above: tuple[Part, ...] = ()

    @property
    def parts(self) -> tuple[Part, ...]:
        """Everything that it is made of."""
        return (self.head, *self.below, *self.above)

    @property
    def index(self) -> tuple[Part, ...]:
        """What stands for it in the index of another letter: its own index, else its letter without accents."""
        return self.below or self.above or (replace(self.head, accents=()),)

    def of_gate(self, index: tuple[Part, ...]) -> LetterLook:
        """The letter with a gate's index in the place of the placeholder; nothing is left of it where that is empty."""
        head = self.head
        if _is_gate(head):
            inner = index[0] if len(index) == 1 and isinstance(index[0], Word) else Word("x")
            head = replace(inner, accents=(*inner.accents, *head.accents))
        return LetterLook(head, _filled(self.below, index), _filled(self.above, index))


def look_of(name: str) -> LetterLook:
    """How an identifier looks."""
    head, rest = spelled(name)
    return LetterLook(head, tuple(rest))


def _filled(parts: tuple[Part, ...], index: tuple[Part, ...]) -> tuple[Part, ...]:
    found: list[Part] = []
    for part in parts:
        words = _flat((part,))
        if not any(map(_is_gate, words)):
            found.append(part)
            continue
        accents = next(word.accents for word in words if isinstance(word, Word) and _is_gate(word))
        if accents:  # b^{({gate})}
            index = tuple(replace(one, accents=(*one.accents, *accents)) for one in index if isinstance(one, Word))
        given = [one for word in words for one in (_flat(index) if _is_gate(word) else (word,))]
        if len(words) == 1:  # an index of its own keeps its parts apart
            found += index
        elif given:
            found.append(given[0] if len(given) == 1 else SideBySide(tuple(given)))
    return tuple(found)


def _is_gate(word: Word | Nested) -> bool:
    return isinstance(word, Word) and word.letters == GATE.letters


def _flat(parts: tuple[Part, ...]) -> tuple[Word | Nested, ...]:
    return tuple(word for part in parts for word in (part.words if isinstance(part, SideBySide) else (part,)))


def read_letter(text: str, is_template: bool = False) -> LetterLook:
    r"""How a letter looks that is written in LaTeX, or as an identifier such as `c_tilde`.

    Args:
        text: a letter with accents and indices; words of several letters are written `\mathrm{up}`.
        is_template: whether `{gate}` may stand in it, for the index of a gate.

    Raises:
        InputError: it is something else.

    >>> read_letter(r"\tilde{C}").head.accents, read_letter("W_{xi}").below[0].words[1].letters
    (('tilde',), 'i')
    """
    if _IDENTIFIER.fullmatch(text):
        return look_of(text)
    try:
        return _LetterReader(text, is_template).read()
    except ValueError as error:
        gate = ", with {gate} for the index of a gate" if is_template else ""
        raise InputError(
            f"{text!r} is no letter: {error}\n  write a letter with accents and indices as in LaTeX{gate}: "
            r"'h', '\tilde{C}', '\Gamma_f', 'W_{xi}', '\sigma^{\mathrm{up}}'"
        ) from None


class _LetterReader:
    def __init__(self, text: str, is_template: bool) -> None:
        self._tokens: list[str] = []
        position = 0
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise ValueError(f"{text[position]!r} cannot stand in it")
            if not match[0].isspace():
                self._tokens.append(match[0])
            position = match.end()
        if "{gate}" in self._tokens and not is_template:
            raise ValueError("{gate} stands for the index of a gate, which this has not")

    def _next(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def _take(self, wanted: str = "") -> str:
        if not self._tokens or (wanted and self._tokens[0] != wanted):
            found = repr(self._tokens[0]) if self._tokens else "its end"
            raise ValueError(f"{repr(wanted) if wanted else 'a letter'} is missing before {found}")
        return self._tokens.pop(0)

    def read(self) -> LetterLook:
        head, below, above = self._word(), [], []  # type: ignore[var-annotated]
        while self._tokens:
            sign = self._take()
            if sign == "'":
                head = replace(head, accents=(*head.accents, "prime"))
            elif sign == "_" or sign == "^":
                (below if sign == "_" else above).extend(self._index())
            else:
                raise ValueError(f"{sign!r} stands behind the letter; a word is written \\mathrm{{...}}")
        return LetterLook(head, tuple(below), tuple(above))

    def _word(self) -> Word:
        token = self._take()
        if token == "{gate}":
            return GATE
        if token == "{":
            word = self._word()
            self._take("}")
            return word
        command = token[1:] if token.startswith("\\") else ""
        if command in ACCENTS:
            word = self._word()
            return replace(word, accents=(*word.accents, ACCENTS[command]))
        if command in _UPRIGHT:
            return Word(self._upright())
        if command == "mathcal":
            return Word(self._upright(), is_script=True)
        if command and command not in GREEK:
            raise ValueError(f"{token} is not among Greek letters, accents and \\mathrm")
        if command or token.isalnum():
            return Word(command or token)
        raise ValueError(f"a letter is missing before {token!r}")

    def _upright(self) -> str:
        self._take("{")
        letters = ""
        while self._next() != "}":
            letters += self._take()
        self._take("}")
        if not letters.isalnum():
            raise ValueError(f"{letters!r} is no word")
        if letters in GREEK:  # a word is what its letters say
            raise ValueError(f"{letters!r} is the name of a Greek letter, which is written \\{letters}")
        return letters

    def _index(self) -> list[Part]:
        """What stands after _ or ^: one symbol, or in braces several with commas between."""
        if self._next() != "{":
            return [self._joined([self._bare()])]
        self._take("{")
        found: list[Part] = []
        words: list[Word] = []
        while self._next() != "}":
            if self._next() == ",":
                self._take()
                found.append(self._joined(words))
                words = []
            else:
                words.append(self._bare())
        self._take("}")
        return [*found, self._joined(words)]

    def _bare(self) -> Word:
        """A symbol in an index, which may stand in brackets, as in b^{(f)}."""
        if self._next() != "(":
            word = self._word()
            while self._next() == "'":
                self._take()
                word = replace(word, accents=(*word.accents, "prime"))
            return word
        self._take("(")
        word = self._word()
        self._take(")")
        return replace(word, accents=(*word.accents, "parenthesis"))

    @staticmethod
    def _joined(words: list[Word]) -> Part:
        if not words:
            raise ValueError("an index is empty")
        return words[0] if len(words) == 1 else SideBySide(tuple(words))

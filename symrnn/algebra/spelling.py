"""How a name is read: one symbol, its accents and its subscripts; and which names would look alike on paper.

The printers set what is read here, each in its syntax; what looks alike here looks alike in some notation of theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

_GREEK = """
alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi omega
Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega
"""
GREEK: Mapping[str, str] = MappingProxyType(
    dict(zip(_GREEK.split(), "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ", strict=True))
)
"""Names of Greek letters, and the letters."""
# How programs shorten the names of Greek letters; `sig` and `del` are not among them, they are as often words.
_ABBREVIATED: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(("lam", "lamb", "lambd", "lmbda"), "lambda")
    | {"eps": "epsilon", "varepsilon": "epsilon", "gam": "gamma", "varphi": "phi", "Lam": "Lambda", "Gam": "Gamma"}
)
_WRITTEN = ("tilde", "hat", "dot")  # accents that an author can write; a bar over a state is its cotangent
_HEAD = re.compile(r"([A-Za-z]+?)(\d*)\Z")
_PART = re.compile(r'"[^"]*"|\{[^{}]*\}|[^_{}"]+')

Key = tuple[object, ...]
"""What is compared to tell whether two names look alike."""


@dataclass(frozen=True)
class Word:
    """One part of an identifier with the accents that follow it.

    Attributes:
        letters: the part.
        accents: what stands over it.
        is_typed: whether it is shown letter by letter, as a program has it.
        is_script: whether it is a letter of the script alphabet, as the loss often is.
    """

    letters: str
    accents: tuple[str, ...] = ()
    is_typed: bool = False
    is_script: bool = False

    @property
    def is_wide(self) -> bool:
        """Whether an accent over it is a wide one."""
        return len(self.letters) > 1 and self.letters not in GREEK


@dataclass(frozen=True)
class Nested:
    """A subscript that is a name with subscripts of its own."""

    name: str


def spelled(name: str) -> tuple[Word, list[Word | Nested]]:
    """Symbol and subscripts; a number at the end of the symbol is one, and an accent belongs to what precedes it.

    What stands in braces is one subscript, a name of its own; what stands in quotes is shown as it is typed.
    """
    words: list[Word | Nested] = []
    for part in _PART.findall(name):
        last = words[-1] if words else None
        if part.startswith('"'):
            words.append(Word(part[1:-1], is_typed=True))
        elif part in _WRITTEN and isinstance(last, Word) and not last.is_typed:
            words[-1] = Word(last.letters, (*last.accents, part))
        else:
            words.append(Nested(part[1:-1]) if part.startswith("{") else Word(_letters(part)))
    head, *rest = words
    assert isinstance(head, Word)
    match = None if head.is_typed else _HEAD.match(head.letters)
    if match and match[2]:
        return Word(_letters(match[1]), head.accents), [Word(match[2]), *rest]
    return head, rest


def _letters(part: str) -> str:
    """A part of a name, Greek letters by their full names."""
    return _ABBREVIATED.get(part, part)


def look(name: str, is_timed: bool) -> Key:
    """What a name looks like; that of a value at step t has t for a last subscript.

    >>> look("W1", False) == look("W_1", False), look("h", True) == look("h_t", False)
    (True, True)
    """
    head, rest = spelled(name)
    inner = (look(part.name, False) if isinstance(part, Nested) else (part,) for part in rest)
    # A name of one letter in an index looks like the letter.
    parts = tuple(one[0] if len(one) == 1 else one for one in inner)
    return (head, *parts, *((Word("t"),) if is_timed else ()))


def tell_apart(names: Mapping[str, bool], taken: Iterable[str] = ()) -> dict[str, str]:
    """How each name is to be shown so that no two look alike: as it reads, or else as it is typed.

    Of names that look alike, the one that is typed as it looks keeps its look (W_1 before W1), then the first one.

    Args:
        names: name -> whether it is that of a value at every step.
        taken: names of other things that stand beside them.

    Returns:
        name -> how it is shown, as `spelled` reads it.
    """
    seen = {look(name, False) for name in taken}
    shown: dict[str, str] = {}
    for name in sorted(names, key=lambda name: not _is_as_typed(name)):
        keys = {look(name, is_timed) for is_timed in {False, names[name]}}  # of a state, its name alone is shown too
        shown[name] = f'"{name}"' if keys & seen else name
        seen |= keys if shown[name] == name else {look(shown[name], False)}
    return shown


def free_letters(letters: Iterable[str], names: Iterable[str]) -> tuple[str, ...]:
    """Those of the letters that are no name's symbol, so that a reader knows them for another thing; at worst all.

    >>> free_letters("asu", ["a", "W_a", "s_1"])
    ('u',)
    """
    taken = {spelled(name)[0].letters for name in names}
    every = tuple(letters)
    return tuple(letter for letter in every if letter not in taken) or every


def letter_of(name: str) -> str:
    """The name's symbol where there is nothing else to it, as of I and I_; an empty text for W_f, W1 and c_tilde."""
    head, rest = spelled(name)
    return "" if rest or head.accents or head.is_typed else head.letters


def _is_as_typed(name: str) -> bool:
    head, rest = spelled(name)
    return "_".join(word.letters for word in (head, *rest) if isinstance(word, Word)) == name

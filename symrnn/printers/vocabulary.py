"""A notation for one cell: its letters go by the part that a variable plays, whatever the author calls it.

What a notation has no letter for keeps its name; an index that names a renamed value is renamed with it, so that W_g
belongs to a candidate c as W_c.  Where letters collide, the less important one gets a free letter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from symrnn.algebra.nodes import Variable
from symrnn.algebra.spelling import Word
from symrnn.freezing import Frozen
from symrnn.language.anatomy import CellPart, anatomy
from symrnn.language.recurrence import Cell, Equation
from symrnn.printers.lettering import LetterLook, Part, look_of, read_letter
from symrnn.printers.notation import Notation, latex_name, text_name

_INSTEAD: Mapping[str, str] = Frozen(
    {
        "blended_state": "hidden",
        "blended_candidate": "candidate",
        "weight": "input_weight",
    }
)
"""Where a notation has no letter for a part, it may have one for a part that is nearly the same."""
_FREE = ("a", "s", "u", "z", "p", "v", "q", "k", "e", "w", "y", "m", "d", "l", "n")
"""Letters for what has to give way, the usual ones for an argument of a function first."""


def fitted(notation: Notation, cell: Cell, equations: Iterable[Equation] = ()) -> Notation:
    """The notation with the look of every name of a cell.

    Args:
        notation: a notation with letters for parts of cells; one without is returned as it is.
        cell: the cell.
        equations: its equations where the arguments of functions have names; the author's where there are none.
    """
    if not notation.letters or notation.looks:
        return notation
    body = tuple(equations) or cell.body
    variables = {e.target.name: e.target for e in body} | {v.base: v for v in cell.symbols.values()}
    looks = _Fitting(notation, cell, body, variables).looks()
    return replace(notation, looks=Frozen(looks))


def printed_name(variable: Variable, notation: Notation, cell: Cell) -> tuple[str, str]:
    r"""A variable of a cell as it is printed, in LaTeX and in plain text: for pictures, labels and comments.

    >>> from symrnn import cells
    >>> from symrnn.printers import NOTATIONS
    >>> printed_name(cells.lstm["g"], NOTATIONS["olah"], cells.lstm)[0]
    '\\tilde{C}_t'
    """
    chosen = fitted(notation, cell)
    return latex_name(variable, chosen), text_name(variable, chosen)


@dataclass
class _Fitting:
    """Gives every name of a cell its look.

    Attributes:
        notation: the notation.
        cell: the cell.
        body: its equations.
        variables: base of a name -> its variable, at t where it has a time.
    """

    notation: Notation
    cell: Cell
    body: tuple[Equation, ...]
    variables: Mapping[str, Variable]

    def __post_init__(self) -> None:
        self.parts = anatomy(self.cell, self.body)
        self.own = {base: look_of(variable.looks) for base, variable in self.variables.items()}
        # A plain value first: the index of a gate is made of its letter.
        self.values = {base: look for base, part in self.parts.items() if not part.of and (look := self._letter(part))}

    def looks(self) -> dict[str, LetterLook]:
        """Base of a name -> its look, of those that do not keep their own."""
        chosen = self.own | self.values | self._sizes()
        arguments = [e.target.name for e in self.body if e.target.name not in self.cell.symbols]
        for base in self.variables:
            part = self.parts.get(base)
            if base in self.values or base in self.notation.names:
                continue
            template = self._letter(part) if part is not None and part.of else None
            if template is not None and part is not None:
                chosen[base] = template.of_gate(self._index(part))
            else:
                chosen[base] = self._follow(self.own[base])
        chosen |= {base: read_letter(letter) for base, letter in self.notation.names.items() if base in chosen}
        self._put_apart_arguments(chosen, arguments)
        self._put_apart(chosen)
        return {base: look for base, look in chosen.items() if look != self.own.get(base)}

    def _letter(self, part: CellPart) -> LetterLook | None:
        letters = self.notation.letters
        for role in (part.role, _INSTEAD.get(part.role, "")):
            if letters.get(role):
                return read_letter(letters[role], is_template=True)
        return None

    def _index(self, part: CellPart) -> tuple[Part, ...]:
        """What stands for the value that a parameter belongs to."""
        for role in (part.of, _INSTEAD.get(part.of, "")):
            if role in self.notation.indices:
                letter = self.notation.indices[role]
                return read_letter(letter).parts if letter else ()
        # A candidate without a name has the letter that it would have.
        named = self.parts.get(part.whose)
        if named is not None and named.role != part.of and (look := self._letter(CellPart(part.of))):
            return look.index
        return (self.values.get(part.whose) or self.own[part.whose]).index

    def _sizes(self) -> dict[str, LetterLook]:
        found: dict[str, LetterLook] = {}
        wanted = (("hidden_size", self.cell.states), ("input_size", self.cell.inputs))
        for role, names in wanted:
            letter, size = self.notation.letters.get(role), str(self.cell[names[0]].shape[0]) if names else ""
            if letter and size in self.cell.sizes and size not in self.variables:
                found[size] = read_letter(letter)
                self.own[size] = look_of(size)
        return found

    def _follow(self, look: LetterLook) -> LetterLook:
        """The look with the indices of renamed values in it."""
        renamed: dict[Word, tuple[Part, ...]] = {}
        for base, new in self.values.items():
            if not self.own[base].below:
                # The same index as in the parameters that the notation names; what it leaves out there stays here.
                given = self._index(CellPart("", self.parts[base].role, base))
                renamed[self.own[base].head] = given or new.index
        below: list[Part] = []
        for part in look.below:
            below += renamed.get(part, (part,)) if isinstance(part, Word) else (part,)
        return replace(look, below=tuple(below))

    def _put_apart_arguments(self, chosen: dict[str, LetterLook], arguments: Iterable[str]) -> None:
        """The arguments of functions have one letter in the whole document, which no value has."""
        given = {base for base in arguments if base not in self.notation.names}
        taken = {_plain(look) for base, look in chosen.items() if base not in given}
        for letter in {chosen[base].head.letters for base in given if not chosen[base].head.accents}:
            if letter in taken:
                used = taken | {_plain(look) for look in chosen.values()}
                free = next((other for other in _FREE if other not in used), letter)
                for base in given:
                    if chosen[base].head.letters == letter and not chosen[base].head.accents:
                        chosen[base] = replace(chosen[base], head=replace(chosen[base].head, letters=free))

    def _put_apart(self, chosen: dict[str, LetterLook]) -> None:
        """Names that would look alike: the one that matters less gets its own name back, or a free letter."""
        for _ in range(len(chosen)):
            clash = next(self._clashes(chosen), None)
            if clash is None:
                return
            loser = max(clash, key=lambda base: (self._rank(base), -list(chosen).index(base)))
            if loser in self.notation.names:  # the author's own choice: it is refused, not changed
                return
            back = dict(chosen) | {loser: self.own[loser]}
            if chosen[loser] != self.own[loser] and not any(loser in one for one in self._clashes(back)):
                chosen[loser] = self.own[loser]
                continue
            used = {look.head.letters for look in chosen.values()}
            free = next((letter for letter in _FREE if letter not in used), "")
            head = Word(free) if free else Word(self.own[loser].head.letters, is_typed=True)
            chosen[loser] = replace(chosen[loser], head=head)

    def _clashes(self, chosen: Mapping[str, LetterLook]) -> Iterator[list[str]]:
        shown: dict[tuple[str, bool], list[str]] = defaultdict(list)
        trial = replace(self.notation, looks=Frozen(dict(chosen)), names=Frozen({}))
        for base in chosen:
            variable = self.variables.get(base) or Variable(base, 1, 1)
            bare = Variable(base, variable.shape[0], variable.shape[1], base)
            # Bare letters too: a state is spoken of without its time.
            for one in {variable, bare}:
                shown[latex_name(one, trial), False].append(base)
                shown[text_name(one, trial), True].append(base)
        for bases in shown.values():
            if len(set(bases)) > 1:
                yield list(dict.fromkeys(bases))

    def _rank(self, base: str) -> int:
        """How little a name matters where two look alike."""
        if base in self.notation.names:
            return 0
        part = self.parts.get(base)
        if base in self.values:
            return 1
        return 3 if part is None else 2


def _plain(look: LetterLook) -> str:
    return look.head.letters if not look.head.accents else ""

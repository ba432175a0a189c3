"""The search for a parameter map: gate by gate, guided by numbers of the field.

The source cell runs once at random numbers.  The target's text is then gone through function by function; whenever it
needs parameters, they are made of those that the source uses for one value of its own (the same or negated, sums where
there are several biases, parts joined or cut where one of the two concatenates), and a choice is kept only if what it
gives occurs in the source: as v, as -v, or as 1 - v.  What remains at the end gives the source's new states.

A piece is a parameter, or the part of one that meets one part of a `concat`; matching piece by piece makes split and
concatenated weights, and [h; x] and [x; h], the same thing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import combinations, islice, product
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.equivalence.parameter_uses import CellUnit, CellUnits, ParameterPiece, PieceUse
from symrnn.equivalence.piece_option import PieceOption
from symrnn.language.evaluate import evaluate, known
from symrnn.runs.sizes import CellAtSizes
from symrnn.sameness.tower import TOWER, fingerprint

Meeting = tuple[int, tuple[Any, ...]]
"""A sign and a fingerprint, which are opposite and the same for opposite values."""
# A bias may be the sum of an input's, a recurrent and a gate's own; combinations grow with each further term.
_LARGEST_SUM = 3
# Going on with a known choice costs a lookup and copies of mappings, and no evaluation.
_VISIT = 0.2


@dataclass
class SourceValues:
    """The source at random numbers: what occurs in it, and which pieces make which value.

    Attributes:
        reading: the source's text, taken apart.
        layout: its sizes.
        values: its arguments by name.
        labels: the shapes of its pieces at sizes that cannot be mistaken for one another.
        occurs: every value in it.
        states: its new states.
        groups: every value with parameters in it, and their pieces, each with the number that multiplies it there.
        uses: the uses of every piece, each with what the piece meets there.
    """

    reading: CellUnits
    layout: CellAtSizes
    values: Mapping[str, Array]
    labels: Mapping[ParameterPiece, tuple[int, ...]]
    occurs: set[tuple[Any, ...]] = field(default_factory=set)
    states: dict[str, Array] = field(default_factory=dict)
    groups: list[tuple[CellUnit, Group]] = field(default_factory=list)
    uses: dict[ParameterPiece, list[tuple[PieceUse, Meeting | None]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = known(self.reading.cell.syntax, self.values, TOWER)
        below: dict[str, Group] = {}  # pieces that reach a named value without passing a function
        for unit in self.reading.units:
            names[unit.name] = value = evaluate(unit.value, names, TOWER)
            self.occurs.add(fingerprint(value))
            pieces = factors(unit)
            for name, factor in unit.reads.items():
                for piece, inner in below.get(name, {}).items():
                    pieces[piece] = pieces.get(piece, Fraction(0)) + factor * inner
            below[unit.name] = {} if unit.called else pieces
            if pieces:
                self.groups.append((unit, pieces))
            for use in unit.uses:
                self.uses.setdefault(use.piece, []).append((use, meets(use, names)))
            if unit.state:
                self.states[unit.state] = np.asarray(value, dtype=object)

    def part(self, piece: ParameterPiece) -> Array:
        """A piece's value."""
        return piece.cut(self.values[piece.parameter], self.layout.sizes)


Group = dict[ParameterPiece, Fraction]


def factors(unit: CellUnit) -> Group:
    """The pieces used in a unit, each with the sum of the numbers that multiply it: 2 for a bias added twice."""
    found: Group = {}
    for use in unit.uses:
        found[use.piece] = found.get(use.piece, Fraction(0)) + use.factor
    return found


def meets(use: PieceUse, names: Mapping[str, Array]) -> Meeting | None:
    """What a piece is multiplied with; None where that is not known yet, or where it is added."""
    if use.other is None:
        return None
    try:
        value = np.asarray(evaluate(use.other, names, TOWER), dtype=object)
    except KeyError:
        return None
    there, opposite = fingerprint(value), fingerprint(-value)
    # One fingerprint for a value and its negative, with the sign beside it, so that -W is found by the same lookup.
    return (1, there) if there <= opposite else (-1, opposite)


@dataclass(frozen=True)
class UnitChoice:
    """Options for the parameters of a unit, the parameters that they make, and the unit's value with them.

    Attributes:
        options: what the pieces are.
        arrays: the parameters by name.
        value: the unit's value.
        taken: the pieces of the source that are used.
    """

    options: Mapping[ParameterPiece, PieceOption]
    arrays: Mapping[str, Array]
    value: Array
    taken: frozenset[ParameterPiece]


def _taken(options: Mapping[ParameterPiece, PieceOption]) -> frozenset[ParameterPiece]:
    return frozenset(piece for option in options.values() for _, piece in option.terms)


@dataclass
class ParameterSearch:
    """Looks for the target's parameters.

    Attributes:
        target: the target's text, taken apart.
        land: the source.
        states: target's state -> what it has to be.
        values: the target's inputs and states.
        labels: the shapes of the target's pieces, as the source's are labelled.
        strict: whether every piece of the source is used once at most, and none of the target is 0.
        guided: whether a piece has to meet the same value in both cells.
        scales: what a group of pieces may be multiplied by, besides a sign.
        budget: how many values may be computed; going on with one that is known costs a little.
        deepest: how far any choice came, in units of the target; the unit there has no counterpart.
        best: the choice that came so far.
    """

    target: CellUnits
    land: SourceValues
    states: Mapping[str, Array]
    values: Mapping[str, Array]
    labels: Mapping[ParameterPiece, tuple[int, ...]]
    strict: bool = True
    guided: bool = True
    scales: tuple[Fraction, ...] = (Fraction(1),)
    # A search grows exponentially with the values of a cell; one that is stopped says so.
    budget: float = 10_000
    deepest: int = -1
    best: dict[ParameterPiece, PieceOption] = field(default_factory=dict)
    _reached: dict[str, Array] = field(default_factory=dict)
    _known: dict[tuple[Any, ...], tuple[UnitChoice, ...]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[dict[ParameterPiece, PieceOption]]:
        return self._from(0, known(self.target.cell.syntax, self.values, TOWER), {})

    @property
    def exhausted(self) -> bool:
        """Whether the search was stopped before its end."""
        return self.budget <= 0

    def _from(
        self, index: int, names: dict[str, Array], chosen: dict[ParameterPiece, PieceOption]
    ) -> Iterator[dict[ParameterPiece, PieceOption]]:
        # The furthest that any branch came is what a failure is told by.
        if index > self.deepest:
            self.deepest, self.best, self._reached = index, dict(chosen), names
        if index == len(self.target.schedule):
            yield dict(chosen)
            return
        unit = self.target.schedule[index]
        for choice in self._choices(unit, names, chosen):
            self.budget -= _VISIT
            if self.exhausted:
                return
            if not (self.strict and choice.taken & _taken(chosen)):
                inner = {**names, **choice.arrays, unit.name: choice.value}
                yield from self._from(index + 1, inner, {**chosen, **choice.options})

    def _choices(
        self, unit: CellUnit, names: Mapping[str, Array], chosen: Mapping[ParameterPiece, PieceOption]
    ) -> tuple[UnitChoice, ...]:
        """The choices for a unit after which its value is plausible; they depend on what it reads only."""
        new = tuple(use.piece for use in unit.uses if use.piece not in chosen)
        read = ((name, fingerprint(names[name])) for name in unit.reads if name in names)
        key = (unit.name, new, *read)
        if key not in self._known:
            # By what the unit reads, and not by all that was chosen before: many branches come to the same values.
            self._known[key] = tuple(self._try(unit, names, chosen))
        return self._known[key]

    def _try(
        self, unit: CellUnit, names: Mapping[str, Array], chosen: Mapping[ParameterPiece, PieceOption]
    ) -> Iterator[UnitChoice]:
        seen: set[tuple[Any, ...]] = set()
        for options in self._combine(unit, names, chosen):
            self.budget -= 1
            if self.exhausted:
                return
            parameters = {use.piece.parameter for use in unit.uses if use.piece in options}
            arrays = {name: self._assemble(name, options) for name in parameters}
            try:
                value = evaluate(unit.value, {**names, **arrays}, TOWER)
            except (ZeroDivisionError, ValueError):
                continue
            # Parameters that nothing else reads matter by the value only.
            shared = tuple(fingerprint(arrays[name]) for name in sorted(parameters & self._shared))
            taken = _taken(options)
            same = (fingerprint(value), shared, taken if self.strict else None)
            if same not in seen and self._plausible(unit, value):
                seen.add(same)
                yield UnitChoice(options, arrays, value, taken)

    @cached_property
    def _shared(self) -> set[str]:
        """The target's parameters that are used in more than one unit."""
        users = [(use.piece.parameter, unit.name) for unit in self.target.units for use in unit.uses]
        names = [name for name, _ in set(users)]
        return {name for name in names if names.count(name) > 1}

    def _plausible(self, unit: CellUnit, value: Array) -> bool:
        if unit.state:
            return fingerprint(value) == fingerprint(self.states[unit.state])
        # A sum without a function may be a part of another sum there: only the function over it can tell.
        if not unit.called:
            return True
        # Papers differ in what a gate means: f, or 1 - f; and in signs.
        return any(fingerprint(v) in self.land.occurs for v in (value, -value, 1 - value))

    def _assemble(self, parameter: str, chosen: Mapping[ParameterPiece, PieceOption]) -> Array:
        pieces = self.target.pieces[parameter]
        arrays = [self._array(piece, chosen[piece]) for piece in pieces]
        return arrays[0] if len(arrays) == 1 else np.concatenate(arrays, axis=pieces[0].axis)

    def _array(self, piece: ParameterPiece, option: PieceOption) -> Array:
        return np.broadcast_to(option.value(self.land.part), self.target.shape(piece))

    @property
    def stuck(self) -> str:
        """Where no choice goes on, in words; only asked for when there is such a place."""
        unit = self.target.schedule[self.deepest]
        ours, theirs = self.target.cell.name, self.land.reading.cell.name
        sentence = f"'{unit.line}' of {ours} has no counterpart in {theirs}"
        met = {value[1] for uses in self.land.uses.values() for _, value in uses if value is not None}
        for use in unit.uses:
            value = meets(use, self._reached)
            if value is not None and value[1] not in met:
                return f"{sentence}: nothing there multiplies {use.shown}, as {use.piece.text} does"
        return sentence

    # --- what a unit's parameters may be ------------------------------------------------------------------------------

    def _combine(
        self, unit: CellUnit, names: Mapping[str, Array], chosen: Mapping[ParameterPiece, PieceOption]
    ) -> Iterator[dict[ParameterPiece, PieceOption]]:
        """Every combination of options for the pieces that are not chosen yet."""
        uses = {use.piece: use for use in unit.uses if use.piece not in chosen}
        if not uses:
            yield {}
            return
        met = {piece: meets(use, names) for piece, use in uses.items()}
        here = factors(unit)
        for source, group in self._groups(unit, uses):
            # The plain sign first, so that a map without factors is found before one with.
            for scale in (sign * size for size in self.scales for sign in (1, -1)):
                offset = scale * source.constant - unit.constant if unit.called and source.called else Fraction(0)
                found = [
                    list(self._options(piece, uses[piece], met[piece], group, scale / (here[piece] or 1)))
                    for piece in uses
                ]
                for combination in product(*found):
                    if self._disjoint(combination):
                        yield _add_number(dict(zip(uses, combination, strict=True)), uses, here, offset)

    def _groups(self, unit: CellUnit, uses: Mapping[ParameterPiece, PieceUse]) -> list[tuple[CellUnit, Group]]:
        """The source's values with their pieces, those with the same names first."""
        wanted = {piece.parameter for piece in uses}

        def unlike(group: tuple[CellUnit, Group]) -> int:
            return -len(wanted & {piece.parameter for piece in group[1]})

        ordered = sorted(self.land.groups, key=unlike)
        if not unit.called:  # what is added up without a function may come from several values
            ordered.append((unit, dict.fromkeys(self.land.uses, Fraction(1))))
        return ordered if self.strict else [*ordered, (unit, {})]

    def _options(
        self, piece: ParameterPiece, use: PieceUse, met: Meeting | None, group: Group, scale: Fraction
    ) -> Iterator[PieceOption]:
        label = self.labels[piece]
        signs = {other: self._sign(use, met, other) for other in group}
        fitting = [other for other, sign in signs.items() if sign]
        number = {other: scale * (group[other] or 1) * signs[other] for other in fitting}
        same = [other for other in fitting if self.land.labels[other] == label and self._turned(use, other) == ""]
        # The same name first: people who rewrite a cell keep names.
        same.sort(key=lambda other: other.parameter != piece.parameter)
        for count in range(1, min(len(same), _LARGEST_SUM) + 1) if self.strict else (1,):
            for parts in combinations(same, count):
                yield PieceOption(tuple((number[part], part) for part in parts))
        for other in fitting:
            if self.land.labels[other] == label[::-1] and self._turned(use, other) == ".T":
                yield PieceOption(((number[other], other),), form=".T")
        if not self.strict:
            for other in fitting:
                if len(label) == 2 and self.land.labels[other] * 2 == label and self._kind(other) == "entries":
                    yield PieceOption(((number[other], other),), form="diag")
            if len(label) == 2 and label[0] == label[1] and not fitting:  # what it meets is not multiplied there
                alike = (other for other in self.land.uses if self.land.labels[other] == label[:1])
                yield from (PieceOption(((Fraction(1), other),), form="eye") for other in islice(alike, 1))
            # Last, and in loose rounds only: with a parameter at 0 nearly any cell becomes part of another.
            yield PieceOption(())

    def _kind(self, piece: ParameterPiece) -> str:
        return self.land.uses[piece][0][0].kind

    def _turned(self, use: PieceUse, other: ParameterPiece) -> str:
        kinds = {use.kind, self._kind(other)}
        return ".T" if kinds == {"columns", "rows"} else ""

    def _sign(self, use: PieceUse, met: Meeting | None, other: ParameterPiece) -> int:
        """The sign of what a piece meets relative to what the source's meets; 0 where these are different things."""
        if not self.guided:
            return 1
        for theirs, value in self.land.uses[other]:
            if (use.kind == "added") != (theirs.kind == "added"):
                continue
            # What is not known yet cannot exclude: the value is tested once it is.
            if met is None or value is None:
                return 1
            if met[1] == value[1]:
                return met[0] * value[0]
        return 0

    def _disjoint(self, options: Sequence[PieceOption]) -> bool:
        used = [piece for option in options for _, piece in option.terms]
        return not self.strict or len(used) == len(set(used))

    # --- the result ---------------------------------------------------------------------------------------------------

    def texts(self, chosen: Mapping[ParameterPiece, PieceOption]) -> dict[str, str]:
        """The map of a choice, in the language of maps; only parameters all of whose pieces are chosen."""
        return {
            name: self._text(name, [chosen[piece] for piece in pieces])
            for name, pieces in self.target.pieces.items()
            if all(piece in chosen for piece in pieces)
        }

    def _text(self, name: str, options: list[PieceOption]) -> str:
        if len(options) == 1:
            return options[0].text()
        numbers = {number for option in options for number, _ in option.terms}
        whole = [piece for option in options for _, piece in option.terms]
        simple = all(len(option.terms) == 1 and not option.form and not option.offset for option in options)
        if simple and len(numbers) == 1 and tuple(whole) == self.land.reading.pieces[whole[0].parameter]:
            return PieceOption(((numbers.pop(), ParameterPiece(whole[0].parameter)),)).text()
        joined = ", ".join(
            option.text() if option.terms else self._zeros(piece)
            for option, piece in zip(options, self.target.pieces[name], strict=True)
        )
        return f"{'hstack' if self.target.pieces[name][0].axis == 1 else 'vstack'}({joined})"

    def _zeros(self, piece: ParameterPiece) -> str:
        """Zeros in the shape of a piece: a piece of the source of that shape, less itself."""
        like = next((other for other in self.land.uses if self.land.labels[other] == self.labels[piece]), None)
        return f"{like.text} - {like.text}" if like else "0"


def _add_number(
    options: dict[ParameterPiece, PieceOption], uses: Mapping[ParameterPiece, PieceUse], here: Group, offset: Fraction
) -> dict[ParameterPiece, PieceOption]:
    """The options with a number added to the first piece that is added to others."""
    if offset:
        for piece, option in options.items():
            if uses[piece].kind == "added":
                options[piece] = PieceOption(option.terms, offset / (here[piece] or 1), option.form)
                break
    return options

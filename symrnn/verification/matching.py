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
from itertools import combinations, product
from typing import Any

import numpy as np

from symrnn.language.evaluate import evaluate
from symrnn.verification.field import FIELD, Array, Number
from symrnn.verification.layout import Layout
from symrnn.verification.reading import Piece, Reading, Unit, Use

Fingerprint = tuple[Any, ...]
_LARGEST_SUM = 3
_VISIT = 0.2


def fingerprint(value: Array) -> Fingerprint:
    """Equal for equal arrays of numbers."""
    array = np.asarray(value, dtype=object)
    return (array.shape, *((Number.of(x) or Number(0)).value for x in array.reshape(-1)))


@dataclass(frozen=True)
class Option:
    """What one piece of the target may be: a sum of pieces of the source, and a number.

    Attributes:
        terms: pairs of a sign and a piece.
        offset: a number added to every entry.
        form: "" as it is, ".T" transposed, "diag" a vector on the diagonal.
    """

    terms: tuple[tuple[int, Piece], ...]
    offset: Fraction = Fraction(0)
    form: str = ""

    def text(self) -> str:
        """The option in the language of maps."""
        shown = ""
        for sign, piece in self.terms:
            one = f"diag({piece.text})" if self.form == "diag" else piece.text + self.form
            lead = ("-" if sign < 0 else "") if not shown else (" - " if sign < 0 else " + ")
            shown += lead + one
        if self.offset:
            size = abs(self.offset)
            number = str(size) if size.denominator == 1 else repr(float(size))
            lead = ("-" if self.offset < 0 else "") if not shown else (" - " if self.offset < 0 else " + ")
            shown += lead + number
        return shown or "0"


@dataclass
class Landscape:
    """The source at random numbers: what occurs in it, and which pieces make which value.

    Attributes:
        reading: the source's text, taken apart.
        layout: its sizes.
        values: its arguments by name.
        labels: the shapes of its pieces at sizes that cannot be mistaken for one another.
        occurs: every value in it.
        states: its new states.
        groups: every value with parameters in it, and their pieces.
        uses: the uses of every piece, each with what the piece meets there.
    """

    reading: Reading
    layout: Layout
    values: Mapping[str, Array]
    labels: Mapping[Piece, tuple[int, ...]]
    occurs: set[Fingerprint] = field(default_factory=set)
    states: dict[str, Fingerprint] = field(default_factory=dict)
    groups: list[tuple[Unit, tuple[Piece, ...]]] = field(default_factory=list)
    uses: dict[Piece, list[tuple[Use, Fingerprint | None]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = dict(self.values)
        below: dict[str, tuple[Piece, ...]] = {}  # pieces that reach a named value without passing a function
        for unit in self.reading.units:
            names[unit.name] = value = evaluate(unit.value, names, FIELD)
            self.occurs.add(fingerprint(value))
            own = [use.piece for use in unit.uses]
            through = [piece for name in unit.reads for piece in below.get(name, ())]
            pieces = tuple(dict.fromkeys([*own, *through]))
            below[unit.name] = () if unit.called else pieces
            if pieces:
                self.groups.append((unit, pieces))
            for use in unit.uses:
                self.uses.setdefault(use.piece, []).append((use, meets(use, names)))
            if unit.state:
                self.states[unit.state] = fingerprint(value)

    def part(self, piece: Piece) -> Array:
        """A piece's value."""
        return piece.cut(self.values[piece.parameter], self.layout.sizes)


def meets(use: Use, names: Mapping[str, Array]) -> Fingerprint | None:
    """What a piece is multiplied with; None where that is not known yet, or where it is added."""
    if use.other is None:
        return None
    try:
        return fingerprint(evaluate(use.other, names, FIELD))
    except KeyError:
        return None


@dataclass(frozen=True)
class Choice:
    """Options for the parameters of a unit, the parameters that they make, and the unit's value with them.

    Attributes:
        options: what the pieces are.
        arrays: the parameters by name.
        value: the unit's value.
        taken: the pieces of the source that are used.
    """

    options: Mapping[Piece, Option]
    arrays: Mapping[str, Array]
    value: Array
    taken: frozenset[Piece]


def _taken(options: Mapping[Piece, Option]) -> frozenset[Piece]:
    return frozenset(piece for option in options.values() for _, piece in option.terms)


@dataclass
class Search:
    """Looks for the target's parameters.

    Attributes:
        target: the target's text, taken apart.
        land: the source.
        states: target's state -> source's state.
        values: the target's inputs and states.
        labels: the shapes of the target's pieces, as the source's are labelled.
        strict: whether every piece of the source is used once at most, and none of the target is 0.
        guided: whether a piece has to meet the same value in both cells.
        budget: how many values may be computed; going on with one that is known costs a little.
        deepest: how far any choice came, in units of the target; the unit there has no counterpart.
        best: the choice that came so far.
    """

    target: Reading
    land: Landscape
    states: Mapping[str, str]
    values: Mapping[str, Array]
    labels: Mapping[Piece, tuple[int, ...]]
    strict: bool = True
    guided: bool = True
    budget: float = 10_000
    deepest: int = -1
    best: dict[Piece, Option] = field(default_factory=dict)
    _reached: dict[str, Array] = field(default_factory=dict)
    _known: dict[tuple[Any, ...], tuple[Choice, ...]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[dict[Piece, Option]]:
        return self._from(0, dict(self.values), {})

    @property
    def exhausted(self) -> bool:
        """Whether the search was stopped before its end."""
        return self.budget <= 0

    def _from(self, index: int, names: dict[str, Array], chosen: dict[Piece, Option]) -> Iterator[dict[Piece, Option]]:
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

    def _choices(self, unit: Unit, names: Mapping[str, Array], chosen: Mapping[Piece, Option]) -> tuple[Choice, ...]:
        """The choices for a unit after which its value is plausible; they depend on what it reads only."""
        new = tuple(use.piece for use in unit.uses if use.piece not in chosen)
        read = ((name, fingerprint(names[name])) for name in unit.reads if name in names)
        key = (unit.name, new, *read)
        if key not in self._known:
            self._known[key] = tuple(self._tried(unit, names, chosen))
        return self._known[key]

    def _tried(self, unit: Unit, names: Mapping[str, Array], chosen: Mapping[Piece, Option]) -> Iterator[Choice]:
        seen: set[tuple[Any, ...]] = set()
        for options in self._combined(unit, names, chosen):
            self.budget -= 1
            if self.exhausted:
                return
            parameters = {use.piece.parameter for use in unit.uses if use.piece in options}
            arrays = {name: self._assembled(name, options) for name in parameters}
            try:
                value = evaluate(unit.value, {**names, **arrays}, FIELD)
            except (ZeroDivisionError, ValueError):
                continue
            # Parameters that nothing else reads matter by the value only.
            shared = tuple(fingerprint(arrays[name]) for name in sorted(parameters & self._shared))
            taken = _taken(options)
            same = (fingerprint(value), shared, taken if self.strict else None)
            if same not in seen and self._plausible(unit, value):
                seen.add(same)
                yield Choice(options, arrays, value, taken)

    @cached_property
    def _shared(self) -> set[str]:
        """The target's parameters that are used in more than one unit."""
        users = [(use.piece.parameter, unit.name) for unit in self.target.units for use in unit.uses]
        names = [name for name, _ in set(users)]
        return {name for name in names if names.count(name) > 1}

    def _plausible(self, unit: Unit, value: Array) -> bool:
        if unit.state:
            return fingerprint(value) == self.land.states[self.states[unit.state]]
        if not unit.called:
            return True
        return any(fingerprint(v) in self.land.occurs for v in (value, -value, 1 - value))

    def _assembled(self, parameter: str, chosen: Mapping[Piece, Option]) -> Array:
        pieces = self.target.pieces[parameter]
        arrays = [self._array(piece, chosen[piece]) for piece in pieces]
        return arrays[0] if len(arrays) == 1 else np.concatenate(arrays, axis=pieces[0].axis)

    def _array(self, piece: Piece, option: Option) -> Array:
        result: Any = Number.of(option.offset)
        for sign, part in option.terms:
            value = self.land.part(part)
            value = np.diag(value) if option.form == "diag" else value.T if option.form else value
            result = result + sign * value
        return np.broadcast_to(np.asarray(result, dtype=object), self.target.shape(piece))

    @property
    def stuck(self) -> str:
        """Where no choice goes on, in words; only asked for when there is such a place."""
        unit = self.target.schedule[self.deepest]
        ours, theirs = self.target.cell.name, self.land.reading.cell.name
        sentence = f"'{unit.line}' of {ours} has no counterpart in {theirs}"
        met = {value for uses in self.land.uses.values() for _, value in uses}
        for use in unit.uses:
            value = meets(use, self._reached)
            if value is not None and value not in met:
                return f"{sentence}: nothing there multiplies {use.shown}, as {use.piece.text} does"
        return sentence

    # --- what a unit's parameters may be ------------------------------------------------------------------------------

    def _combined(
        self, unit: Unit, names: Mapping[str, Array], chosen: Mapping[Piece, Option]
    ) -> Iterator[dict[Piece, Option]]:
        """Every combination of options for the pieces that are not chosen yet."""
        uses = {use.piece: use for use in unit.uses if use.piece not in chosen}
        if not uses:
            yield {}
            return
        met = {piece: meets(use, names) for piece, use in uses.items()}
        for source, group in self._groups(unit, uses):
            for sign in (1, -1):
                offset = sign * source.constant - unit.constant if unit.called and source.called else Fraction(0)
                found = [list(self._options(piece, uses[piece], met[piece], group, sign)) for piece in uses]
                for combination in product(*found):
                    if self._disjoint(combination):
                        yield _shifted(dict(zip(uses, combination, strict=True)), uses, offset)

    def _groups(self, unit: Unit, uses: Mapping[Piece, Use]) -> list[tuple[Unit, tuple[Piece, ...]]]:
        """The source's values with their pieces, those with the same names first."""
        wanted = {piece.parameter for piece in uses}

        def unlike(group: tuple[Unit, tuple[Piece, ...]]) -> int:
            return -len(wanted & {piece.parameter for piece in group[1]})

        ordered = sorted(self.land.groups, key=unlike)
        if not unit.called:  # what is added up without a function may come from several values
            ordered.append((unit, tuple(self.land.uses)))
        return ordered if self.strict else [*ordered, (unit, ())]

    def _options(
        self, piece: Piece, use: Use, met: Fingerprint | None, group: Sequence[Piece], sign: int
    ) -> Iterator[Option]:
        label = self.labels[piece]
        fitting = [other for other in group if self._fits(use, met, other)]
        same = [other for other in fitting if self.land.labels[other] == label and self._turned(use, other) == ""]
        same.sort(key=lambda other: other.parameter != piece.parameter)
        for count in range(1, min(len(same), _LARGEST_SUM) + 1) if self.strict else (1,):
            for parts in combinations(same, count):
                yield Option(tuple((sign, part) for part in parts))
        for other in fitting:
            if self.land.labels[other] == label[::-1] and self._turned(use, other) == ".T":
                yield Option(((sign, other),), form=".T")
        if not self.strict:
            for other in fitting:
                if len(label) == 2 and self.land.labels[other] * 2 == label and self._kind(other) == "entries":
                    yield Option(((sign, other),), form="diag")
            yield Option(())

    def _kind(self, piece: Piece) -> str:
        return self.land.uses[piece][0][0].kind

    def _turned(self, use: Use, other: Piece) -> str:
        kinds = {use.kind, self._kind(other)}
        return ".T" if kinds == {"columns", "rows"} else ""

    def _fits(self, use: Use, met: Fingerprint | None, other: Piece) -> bool:
        if not self.guided:
            return True
        for theirs, value in self.land.uses[other]:
            if (use.kind == "added") == (theirs.kind == "added") and (met is None or value is None or met == value):
                return True
        return False

    def _disjoint(self, options: Sequence[Option]) -> bool:
        used = [piece for option in options for _, piece in option.terms]
        return not self.strict or len(used) == len(set(used))

    # --- the result ---------------------------------------------------------------------------------------------------

    def texts(self, chosen: Mapping[Piece, Option]) -> dict[str, str]:
        """The map of a choice, in the language of maps; only parameters all of whose pieces are chosen."""
        return {
            name: self._text(name, [chosen[piece] for piece in pieces])
            for name, pieces in self.target.pieces.items()
            if all(piece in chosen for piece in pieces)
        }

    def _text(self, name: str, options: list[Option]) -> str:
        if len(options) == 1:
            return options[0].text()
        signs = {sign for option in options for sign, _ in option.terms}
        whole = [piece for option in options for _, piece in option.terms]
        simple = all(len(option.terms) == 1 and not option.form and not option.offset for option in options)
        if simple and len(signs) == 1 and tuple(whole) == self.land.reading.pieces[whole[0].parameter]:
            return whole[0].parameter if signs == {1} else f"-{whole[0].parameter}"
        joined = ", ".join(
            option.text() if option.terms else self._zeros(piece)
            for option, piece in zip(options, self.target.pieces[name], strict=True)
        )
        return f"{'hstack' if self.target.pieces[name][0].axis == 1 else 'vstack'}({joined})"

    def _zeros(self, piece: Piece) -> str:
        """Zeros in the shape of a piece: a piece of the source of that shape, less itself."""
        like = next((other for other in self.land.uses if self.land.labels[other] == self.labels[piece]), None)
        return f"{like.text} - {like.text}" if like else "0"


def _shifted(options: dict[Piece, Option], uses: Mapping[Piece, Use], offset: Fraction) -> dict[Piece, Option]:
    """The options with a number added to the first piece that is added to others."""
    if offset:
        for piece, option in options.items():
            if uses[piece].kind == "added":
                options[piece] = Option(option.terms, offset, option.form)
                break
    return options

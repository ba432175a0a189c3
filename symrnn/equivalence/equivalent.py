"""Whether two cells are the same function, up to a map between their parameters.

Both authors' texts run on the same numbers; nothing derived is involved.  What it means to be the same is said in
`sameness`.  Without a map, one is searched for, of the kinds that `KINDS` lists.  That none of these was found does not
make two cells different functions: numbers do, at which they differ under a map that was given, or under one by which
they agree elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Literal

from symrnn.cells.finding import find_cell
from symrnn.equivalence.correspondence import ROUNDS, SearchDirection, unchanged
from symrnn.equivalence.parameter_map import ParameterMap, read_map
from symrnn.equivalence.stated_slopes import describe_derivatives
from symrnn.equivalence.under_a_map import (
    CellCounterexample,
    MappedCells,
    MapReach,
    counterexample_at,
    find_counterexample,
    mapped,
    reach,
)
from symrnn.language.constants import closed
from symrnn.language.recurrence import Cell
from symrnn.printers import text
from symrnn.runs.sizes import SIZES, CellAtSizes, layouts, show, with_sizes_as_numbers
from symrnn.sameness.comparing import SamenessResult, agree_exactly, compare
from symrnn.showing import Shown

Direction = Literal["both", "a from b", "b from a", "none"]
Verdict = Literal["same", "special case", "different", "not proved", "not found"]

KINDS = (
    "other names",
    "opposite signs, of states too",
    "sums, and multiples by numbers in the texts",
    "matrices joined, cut or transposed",
    "parameters that are 0, shared, on a diagonal or the identity",
)
"""The kinds of maps that are searched for."""

_HIDDEN = "not proved to be the same: the proof fails, but no numbers were found at which they differ"
_STOPPED = "no map was found, but the search was stopped before its end"
_NONE = "no map of these kinds was found"
# Maps that hold at sizes of 1 only are many; numbers at which eight of them fail are looked for, and one is shown.
_SHOWN = 8


@dataclass(frozen=True, repr=False)
class Equivalence(Shown):
    """What a comparison of two cells found; true where they are the same function.

    Attributes:
        a: the first cell's name.
        b: the second cell's name.
        equal: whether they are the same function: under the map that was given; or under one that was found, by which
            every setting of either cell's parameters has a counterpart in the other.
        map: inputs, states and parameters of one cell in terms of the other's, as texts; None where nothing
            corresponds.  Where the cells are not equal it is the nearest map.
        direction: "both" for a map that can be turned round; "a from b" where it gives a's arguments from b's, so
            that every b is an a; "b from a" where every a is a b; "none" where they do not agree under the map.
        target: the cell whose arguments the map gives.
        source: the cell of whose arguments it makes them.
        reach: whether the map reaches every setting of the target's parameters, and is one to one.
        verdict: "same"; "special case" where one of them is one of the other; "different" where numbers show it;
            "not proved" where neither a proof nor such numbers were found; "not found" where no map was found under
            which they agree, which leaves open whether there is one.
        same_at: the sizes at which they agree under the map, as text.
        differs_at: the sizes at which they do not.
        reason: why no map was found, in words.
        counterexample: where they differ, in numbers; nan where a cell has no value.
        conditions: what must be so for both to have a value, where one has none at some numbers; or what may not be
            zero, where such numbers were not found.
        given: whether the map was given.
        derivatives: where the values agree and the derivatives do not, because a cell states some: a sentence.
    """

    a: str
    b: str
    equal: bool
    map: Mapping[str, str] | None
    direction: Direction
    target: str
    source: str
    reach: MapReach
    verdict: Verdict
    same_at: str = ""
    differs_at: str = ""
    reason: str = ""
    counterexample: CellCounterexample | None = None
    conditions: tuple[str, ...] = ()
    given: bool = False
    derivatives: str = ""

    def __bool__(self) -> bool:
        return self.equal

    @property
    def holds(self) -> bool:
        """Whether the cells agree under the map, which may make one a special case of the other."""
        return self.direction != "none"

    @property
    def changes(self) -> dict[str, str]:
        """The part of the map that says more than `W = W`."""
        return {name: text for name, text in (self.map or {}).items() if name != text}

    def __str__(self) -> str:
        lines = [self._headline()]
        if self.reason:
            lines.append(self.reason)
        if self.map is not None:
            lines += self._map_lines()
        if self.holds:
            unless = f", where {' and '.join(self.conditions)}" if self.conditions else ""
            lines.append(f"proved exactly, at {self.same_at}{unless}")
            lines += [self.derivatives] if self.derivatives else []
        elif self.map is not None:
            found = self.counterexample
            lines += [_HIDDEN] if found is None else [self._where(), *found.lines(self.a, self.b)]
        return "\n  ".join(lines)

    def _headline(self) -> str:
        if self.verdict == "not found":
            return f"not found: a map under which {self.a} and {self.b} are the same function"
        if self.verdict == "not proved":
            return f"{self.a} and {self.b}: not proved to be the same function"
        if self.verdict == "different":
            return f"{self.a} and {self.b} " + ("differ under this map" if self.given else "are different functions")
        if self.direction == "both":
            return f"{self.a} and {self.b} are the same function"
        if self.reach.onto:
            return (
                f"{self.a} and {self.b} are the same functions, but not one to one: "
                f"several settings of {self.source} give one of {self.target}"
            )
        return f"{self.source} is a special case of {self.target}: every {self.source} is one, not vice versa"

    def _where(self) -> str:
        if not self.differs_at:
            within = (
                f" where {' and '.join(self.conditions)}"
                if self.conditions
                else " where both have values and nothing jumps"
            )
            return f"they agree at {self.same_at}{within}, but not elsewhere"
        same = f"agree at {self.same_at}, and " if self.same_at else ""
        return f"so they {same}differ at {self.differs_at}"

    def _map_lines(self) -> list[str]:
        near = "" if self.holds or not self.reason else "nearest is "
        if not self.changes:
            return [f"{near}the map with the same parameters" if near else "with the same parameters"]
        rest = ", and the others unchanged" if len(self.changes) < len(self.map or {}) else ""
        head = f"{near}the map to {self.target}" if near else f"with, of {self.target}"
        shown = [f"  {name} = {text}" for name, text in self.changes.items()]
        return [f"{head} from {self.source}{rest}:", *shown]


def equivalent(
    cell_a: Cell | str,
    cell_b: Cell | str,
    map: Mapping[str, Any] | None = None,  # noqa: A002 - what it is
    *,
    sizes: Sequence[tuple[int, int]] = SIZES,
    seed: int = 0,
) -> Equivalence:
    """Whether two cells are the same function of inputs, states and parameters, up to a map of parameters.

    Args:
        cell_a: a cell, or its name.
        cell_b: another.
        map: arguments of the first in terms of the second's, as texts: `{"W_z": "-W_z", "b_i": "b_i + c_i", "W":
            "hstack(U, W)", "U": "W[:, :d_h]"}`; what is not named is the second's of the same name.  By default a
            map is searched for, in both directions.
        sizes: pairs (d_h, d_x) to compare at.
        seed: of every random number; equal seeds give equal results.

    A cell with constants is compared as it stands, with their numbers.

    Returns:
        The result; it is true where they are equal, and its text says how, or where they differ.

    Raises:
        UnknownNameError: the library has no cell of that name.
        InputError: the map is not one, or a size is not a positive whole number.
    """
    # A constant is a number of the cell, which no map can change.
    cell_a, cell_b = closed(find_cell(cell_a)), closed(find_cell(cell_b))
    judge = _Judge(cell_a, cell_b, sizes, seed)
    if map is not None:
        return judge.given(read_map(cell_a, cell_b, map))
    for found in unchanged(cell_a, cell_b):
        result = judge.result(found, "a from b")
        if not result.differs_at:  # where nothing is zero they agree: no other map does better
            return result
    ways: dict[Direction, SearchDirection] = {
        "a from b": SearchDirection(cell_a, cell_b),
        "b from a": SearchDirection(cell_b, cell_a),
    }
    partial: list[tuple[ParameterMap, Direction]] = []
    # Both directions in each round: which of the two is the more general one is not known.
    for effort, (direction, way) in product(ROUNDS, ways.items()):
        close: Equivalence | None = None
        for found in way.maps(effort, seed):
            result = judge.result(found, direction)
            if result.holds:
                return result
            if not result.differs_at:
                close = close or result
            partial.append((found, direction))
        if close is not None:
            return close
    return judge.different(ways, partial)


@dataclass(frozen=True)
class _Judge:
    """Judges maps between two cells, at the sizes asked for."""

    a: Cell
    b: Cell
    sizes: Sequence[tuple[int, int]]
    seed: int

    def pairs(self, found: ParameterMap) -> tuple[MappedCells, ...]:
        """The cells under a map, at all sizes."""
        chosen = layouts(found.source, self.sizes)
        if self.sizes is SIZES:
            chosen = with_sizes_as_numbers(chosen, [e.value for cell in (self.a, self.b) for e in cell.body])
        return mapped(found, chosen)

    def given(self, found: ParameterMap) -> Equivalence:
        """What a map that was given shows."""
        result = self.result(found, "a from b")
        if not result.holds and result.differs_at:
            result = self.explained([found], "a from b", "")
        verdict: Verdict = "not proved" if result.counterexample is None else "different"
        return replace(result, equal=result.holds, given=True, verdict="same" if result.holds else verdict)

    def result(self, found: ParameterMap, direction: Direction) -> Equivalence:
        """What a map shows."""
        pairs = self.pairs(found)
        # Without looking for numbers: most maps that are tried fail, and only the last one is explained.
        sameness = compare(pairs, self.seed, refute=False)
        gap = sameness.gap or sameness.outside
        holds = sameness.agree and gap is None
        # The last sizes are the largest: at size 1 a diagonal and a full matrix have as many entries.
        reached = reach(found, layouts(found.source, self.sizes)[-1])
        both = reached.onto and reached.one_to_one
        return Equivalence(
            a=self.a.name,
            b=self.b.name,
            equal=holds and reached.onto,
            map={name: expression.text for name, expression in found.expressions.items()},
            direction="none" if not holds else "both" if both else direction,
            target=found.target.name,
            source=found.source.name,
            reach=reached,
            verdict=("same" if reached.onto else "special case") if holds else "different",
            same_at=_show_sizes(sameness.proved),
            differs_at=_show_sizes(sameness.failing),
            counterexample=None if gap is None else counterexample_at(gap, direction == "a from b"),
            conditions=_conditions(sameness) if not sameness.failing else (),
            derivatives=describe_derivatives(pairs[-1], self.seed) if holds else "",
        )

    def failing(self, found: ParameterMap) -> list[CellAtSizes]:
        """The sizes at which the cells do not agree under a map."""
        return [pair.layout for pair in self.pairs(found) if agree_exactly(pair, self.seed) is False]

    def explained(self, maps: Sequence[ParameterMap], direction: Direction, reason: str) -> Equivalence:
        """The result for maps that do not hold: numbers at which none of them does, and the nearest one."""
        each = [self.failing(found) for found in maps]
        failing = [layout for layout in each[0] if all(layout in other for other in each[1:])]
        # A reader checks the numbers by hand.
        smallest = min(failing, key=lambda layout: sum(layout.sizes.values()))
        target_is_a = direction == "a from b"
        found = find_counterexample(maps, smallest, target_is_a, self.seed)
        # At every number one of several maps may do: relu(a) is a, or 0.  Then the first is shown.
        nearest, example = found or find_counterexample(maps[:1], smallest, target_is_a, self.seed) or (maps[0], None)
        if example is None:
            sameness = compare(mapped(nearest, [smallest]), self.seed)
            gap = sameness.gap or sameness.outside
            example = None if gap is None else counterexample_at(gap, target_is_a)
        result = replace(self.result(nearest, direction), reason=reason, counterexample=example)
        return replace(result, verdict=self._verdict(example))

    def _verdict(self, example: CellCounterexample | None) -> Verdict:
        """Without parameters there is nothing to map: then numbers show that the cells are different."""
        if example is None:
            return "not proved"
        return "not found" if self.a.parameters or self.b.parameters else "different"

    def different(
        self, ways: Mapping[Direction, SearchDirection], partial: Sequence[tuple[ParameterMap, Direction]]
    ) -> Equivalence:
        """The result where no map was found."""
        reason = self._reason(ways)
        if partial:  # they hold at some sizes, those of 1
            direction = partial[0][1]
            return self.explained([found for found, way in partial if way == direction][:_SHOWN], direction, reason)
        # First the direction in which more of the cell corresponds: its map says most.
        for direction, way in sorted(ways.items(), key=lambda item: -item[1].depth):
            found = way.completed()
            if found is not None:
                result = self.result(found, direction)
                return result if not result.differs_at else self.explained([found], direction, reason)
        unreached = MapReach(False, False)
        names = self.a.name, self.b.name
        return Equivalence(*names, False, None, "none", *names, unreached, "not found", reason=reason)

    def _reason(self, ways: Mapping[Direction, SearchDirection]) -> str:
        stuck = [way.stuck for way in ways.values() if way.stuck]
        if not any(way.paired for way in ways.values()):
            return f"their inputs and states do not correspond: {_outline(self.a)}; {_outline(self.b)}"
        kind = _STOPPED if any(way.exhausted for way in ways.values()) else _NONE
        return "\n    ".join([f"{kind} ({'; '.join(KINDS)}){':' if stuck else ''}", *stuck])


def _show_sizes(pairs: Sequence[Any]) -> str:
    return show([pair.layout for pair in pairs]) if pairs else ""


def _conditions(sameness: SamenessResult) -> tuple[str, ...]:
    """What decides whether both cells have a value, where they do not have one at the same numbers."""
    kept = [part for part in sameness.conditions if sameness.outside is not None or part.own]
    return tuple(dict.fromkeys(f"{text(part.expr)} {'≠ 0' if part.kind == 'jump' else part.kind}" for part in kept))


def _outline(cell: Cell) -> str:
    return f"{cell.name} has the inputs {', '.join(cell.inputs)} and the states {', '.join(cell.states)}"

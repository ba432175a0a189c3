"""Whether two cells are the same function, up to a map between their parameters.

Both authors' texts run on the same numbers of the field; nothing derived is involved.  Agreement at random numbers is
an identity at the tested sizes (see `field`).  Without a map, one is searched for: the same parameters under other
names, negated gates (z for 1 - z), sums of biases, split and concatenated weights, transposes; and, for cells of which
one is a special case of the other, parameters that are 0, shared, or a diagonal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from symrnn.cells.finding import find_cell
from symrnn.language.recurrence import Cell
from symrnn.verification.agreement import Counterexample, Reach, agrees, find_counterexample, reach
from symrnn.verification.correspondence import GENERIC, ONES, Way
from symrnn.verification.layout import SIZES, Layout, layouts, show
from symrnn.verification.parameter_map import ParameterMap, read_map

Direction = Literal["both", "a from b", "b from a", "none"]

_HIDDEN = "not proved to be the same: they differ over the field, but no numbers were found at which it shows"
_STOPPED = "no map was found, but the search was stopped before its end"
_SHOWN = 8


@dataclass(frozen=True)
class Equivalence:
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
        same_at: the sizes at which they agree under the map, as text.
        differs_at: the sizes at which they do not.
        reason: why no map was found, in words.
        counterexample: where they differ, in numbers.
    """

    a: str
    b: str
    equal: bool
    map: Mapping[str, str] | None
    direction: Direction
    target: str
    source: str
    reach: Reach
    same_at: str = ""
    differs_at: str = ""
    reason: str = ""
    counterexample: Counterexample | None = None

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
            lines.append(f"proved exactly, at {self.same_at}")
        elif self.map is not None:
            same = f"agree at {self.same_at}, and " if self.same_at else ""
            lines.append(f"so they {same}differ at {self.differs_at}")
            lines += [_HIDDEN] if self.counterexample is None else self.counterexample.lines(self.a, self.b)
        return "\n  ".join(lines)

    def _headline(self) -> str:
        if self.direction == "none":
            return f"{self.a} and {self.b} " + ("are different functions" if self.reason else "differ under this map")
        if self.direction == "both":
            return f"{self.a} and {self.b} are the same function"
        if self.reach.onto:
            return (
                f"{self.a} and {self.b} are the same functions, but not one to one: "
                f"several settings of {self.source} give one of {self.target}"
            )
        return f"{self.source} is a special case of {self.target}: every {self.source} is one, not vice versa"

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

    Returns:
        The result; it is true where they are equal, and its text says how, or where they differ.

    Raises:
        UnknownNameError: the library has no cell of that name.
        InputError: the map is not one, or a size is not a positive whole number.
    """
    cell_a, cell_b = find_cell(cell_a), find_cell(cell_b)
    judge = _Judge(cell_a, cell_b, sizes, seed)
    if map is not None:
        found = read_map(cell_a, cell_b, map)
        result = judge.result(found, "a from b")
        return replace(result, equal=True) if result.holds else judge.explained([found], "a from b", "")
    ways: dict[Direction, Way] = {"a from b": Way(cell_a, cell_b), "b from a": Way(cell_b, cell_a)}
    partial: list[tuple[ParameterMap, Direction]] = []
    for strict in (True, False):
        for at in (GENERIC, ONES):
            for direction, way in ways.items():
                for found in way.maps(at, strict, seed):
                    result = judge.result(found, direction)
                    if result.holds:
                        return result
                    partial.append((found, direction))
    return judge.different(ways, partial)


@dataclass(frozen=True)
class _Judge:
    """Judges maps between two cells, at the sizes asked for."""

    a: Cell
    b: Cell
    sizes: Sequence[tuple[int, int]]
    seed: int

    def result(self, found: ParameterMap, direction: Direction) -> Equivalence:
        """What a map shows."""
        chosen = layouts(found.source, self.sizes)
        failing = self.failing(found)
        passing = [layout for layout in chosen if layout not in failing]
        reached = reach(found, chosen[-1])
        both = reached.onto and reached.one_to_one
        return Equivalence(
            a=self.a.name,
            b=self.b.name,
            equal=not failing and reached.onto,
            map={name: expression.text for name, expression in found.expressions.items()},
            direction="none" if failing else "both" if both else direction,
            target=found.target.name,
            source=found.source.name,
            reach=reached,
            same_at=show(passing) if passing else "",
            differs_at=show(failing) if failing else "",
        )

    def failing(self, found: ParameterMap) -> list[Layout]:
        """The sizes at which the cells do not agree under a map."""
        return [layout for layout in layouts(found.source, self.sizes) if not agrees(found, layout, self.seed)]

    def explained(self, maps: Sequence[ParameterMap], direction: Direction, reason: str) -> Equivalence:
        """The result for maps that do not hold: numbers at which none of them does, and the nearest one."""
        failing = [layout for layout in self.failing(maps[0]) if all(layout in self.failing(m) for m in maps[1:])]
        smallest = min(failing, key=lambda layout: sum(layout.sizes.values()))
        found = find_counterexample(maps, smallest, direction == "a from b", self.seed)
        nearest, example = found or (maps[0], None)
        return replace(self.result(nearest, direction), reason=reason, counterexample=example)

    def different(
        self, ways: Mapping[Direction, Way], partial: Sequence[tuple[ParameterMap, Direction]]
    ) -> Equivalence:
        """The result where no map was found."""
        reason = self._reason(ways)
        if partial:  # they hold at some sizes, those of 1
            direction = partial[0][1]
            return self.explained([found for found, way in partial if way == direction][:_SHOWN], direction, reason)
        for direction, way in sorted(ways.items(), key=lambda item: -item[1].depth):
            found = way.completed()
            if found is not None:
                return self.explained([found], direction, reason)
        return Equivalence(
            self.a.name, self.b.name, False, None, "none", self.a.name, self.b.name, Reach(False, False), reason=reason
        )

    def _reason(self, ways: Mapping[Direction, Way]) -> str:
        stuck = [way.stuck for way in ways.values() if way.stuck]
        if not stuck:
            return f"their inputs and states do not correspond: {_outline(self.a)}; {_outline(self.b)}"
        kind = _STOPPED if any(way.exhausted for way in ways.values()) else "no map of these kinds exists"
        return "\n    ".join([f"{kind}:", *stuck])


def _outline(cell: Cell) -> str:
    return f"{cell.name} has the inputs {', '.join(cell.inputs)} and the states {', '.join(cell.states)}"

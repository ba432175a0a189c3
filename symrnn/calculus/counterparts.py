"""Which variable of one cell plays the part of which of another one, whatever their authors call them.

What a variable is in its cell says it first: a forget gate, the recurrent weight of a candidate.  Of the rest, names
that are equal belong together, then what stands in the same place of equations that belong together, and then what is
defined by an equation of the same form.  Two variables whose parts are both known, and are not the same, are never put
together: a reset gate is no forget gate, though their equations have one form.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sympy import Symbol

from symrnn.algebra.nodes import Expr, Hadamard, Node, Sum, Variable
from symrnn.calculus.derivation import Derivation
from symrnn.language.anatomy import CellPart, anatomy

_AKIN = {
    "blended_state": "hidden",
    "blended_candidate": "candidate",
    # z lets the new value in, as an input gate does; that 1 - z keeps the old one is said by the state's equation.
    "update_gate": "input_gate",
    "input_bias": "bias",
}
"""Parts of cells with one gate for both sides of the state, or two biases -> the same part of other cells."""
_AKIN_OWNERS = {**_AKIN, "hidden": "candidate"}
"""The same for whom weights belong to: a state without gates is its own candidate."""
_ORDERLESS = (Sum, Hadamard)


@dataclass(frozen=True)
class Counterparts:
    """The variables of two cells that play the same part.

    Attributes:
        one: the derivation of the first cell.
        other: that of the second.
        names: the name of a variable of the first cell, without its time -> that of its counterpart.
    """

    one: Derivation
    other: Derivation
    names: Mapping[str, str]

    def form_of_one(self, expr: Expr) -> Hashable:
        """What an expression of the first cell is, in the second cell's names."""
        return _ComparableForm(self.one, self.names, "one").of(expr)

    def form_of_other(self, expr: Expr) -> Hashable:
        """What an expression of the second cell is: `form_of_one` of what is the same up to names and order."""
        return _ComparableForm(self.other, {name: name for name in self.names.values()}, "other").of(expr)


def counterparts(one: Derivation, other: Derivation) -> Counterparts:
    """Find which variables of two cells play the same part.

    Args:
        one: the derivation of the first cell.
        other: that of the second.
    """
    return Counterparts(one, other, _CounterpartSearch(one, other).find())


def kinds_of(derivation: Derivation) -> Mapping[str, str]:
    """The name of a variable without its time -> input, state, parameter, constant, argument or value."""
    cell = derivation.cell
    kinds = {
        equation.target.base: "argument" if derivation.is_preactivation(equation.target) else "value"
        for equation in derivation.forward
    }
    groups = {"input": cell.inputs, "state": cell.states, "parameter": cell.parameters, "constant": cell.constants}
    return kinds | {cell[name].base: kind for kind, names in groups.items() for name in names}


class _ComparableForm:
    """What expressions of one side are, with their counterparts' names, and sums and products in one order."""

    def __init__(self, derivation: Derivation, names: Mapping[str, str], side: str, loose: bool = False) -> None:
        self.names, self.side = names, side
        self.kinds = kinds_of(derivation) if loose else {}
        self.constants = derivation.cell.constants
        cell = derivation.cell
        # Sizes are named after variables, so those of two cells are told apart by their order alone.
        ordered = [
            size for name in (*cell.states, *cell.inputs) for dim in cell[name].shape for size in dim.free_symbols
        ]
        self.sizes = {size: Symbol(f"size_{number}") for number, size in enumerate(dict.fromkeys(ordered))}

    def of(self, expr: Any) -> Hashable:
        """The form of an expression: equal forms are the same expression."""
        if isinstance(expr, Variable):
            unknown = self.kinds.get(expr.base, f"{expr.base} of {self.side}")
            value = str(self.constants[expr.name]) if expr.name in self.constants else ""
            return "variable", self.names.get(expr.base, unknown), str(expr.time), expr.mark, value
        if not isinstance(expr, Node):
            return str(expr.xreplace(self.sizes))
        inner = [self.of(arg) for arg in expr.args]
        return type(expr).__name__, *(sorted(inner, key=repr) if isinstance(expr, _ORDERLESS) else inner)


class _CounterpartSearch:
    """Finds counterparts, the certain ones first."""

    def __init__(self, one: Derivation, other: Derivation) -> None:
        self.one, self.other = one, other
        self.kinds = kinds_of(one), kinds_of(other)
        self.parts = tuple(anatomy(side.cell, side.forward) for side in (one, other))
        self.names: dict[str, str] = {}

    def find(self) -> dict[str, str]:
        """Name -> name."""
        self._by_parts({}, {})
        self._by_parts(_AKIN, _AKIN_OWNERS)
        # The first state is what a cell puts out, whatever else it is.
        self._add(self.one.cell.states[0], self.other.cell.states[0], is_certain=True)
        for name in self.kinds[0]:
            self._add(name, name)
        before = -1
        while len(self.names) > before:
            before = len(self.names)
            self._by_places()
            self._by_forms()
        return self.names

    def _add(self, name: str, counterpart: str, is_certain: bool = False) -> None:
        """Put two together, if nothing speaks against it."""
        kinds = self.kinds[0].get(name, ""), self.kinds[1].get(counterpart)
        both_known = name in self.parts[0] and counterpart in self.parts[1]
        is_free = name not in self.names and counterpart not in self.names.values()
        if is_free and kinds[0] == kinds[1] and (is_certain or not both_known):
            self.names[name] = counterpart

    def _by_parts(self, akin: Mapping[str, str], owners: Mapping[str, str]) -> None:
        def sole(parts: Mapping[str, CellPart], done: Iterable[str]) -> dict[tuple[str, str], str]:
            every: dict[tuple[str, str], list[str]] = defaultdict(list)
            for name, part in parts.items():
                if name not in done:
                    every[akin.get(part.role, part.role), owners.get(part.of, part.of)].append(name)
            return {part: names[0] for part, names in every.items() if len(names) == 1}

        theirs = sole(self.parts[1], tuple(self.names.values()))
        for part, name in sole(self.parts[0], tuple(self.names)).items():
            if part in theirs:
                self._add(name, theirs[part], is_certain=True)

    def _by_places(self) -> None:
        """What stands in the same place of equations that belong together."""
        theirs = {equation.target.base: equation.value for equation in self.other.forward}
        for equation in self.one.forward:
            counterpart = self.names.get(equation.target.base)
            if counterpart in theirs:
                self._meet(equation.value, theirs[counterpart])

    def _by_forms(self) -> None:
        """What is defined by equations of the same form."""
        one, other = self._forms(loose=True)
        for mine in self.one.forward:
            for its in self.other.forward:
                if mine.target.base not in self.names and one.of(mine.value) == other.of(its.value):
                    self._add(mine.target.base, its.target.base)

    def _forms(self, loose: bool) -> tuple[_ComparableForm, _ComparableForm]:
        own = {name: name for name in self.names.values()}
        return _ComparableForm(self.one, self.names, "one", loose), _ComparableForm(self.other, own, "other", loose)

    def _meet(self, mine: Expr, its: Expr) -> None:
        if isinstance(mine, Variable) and isinstance(its, Variable):
            if (mine.time, mine.mark) == (its.time, its.mark):
                self._add(mine.base, its.base)
            return
        if type(mine) is not type(its):
            return
        lefts, rights = ([arg for arg in side.args if isinstance(arg, Node)] for side in (mine, its))
        if isinstance(mine, _ORDERLESS):
            lefts, rights = self._aligned(lefts, rights)
        if len(lefts) == len(rights):
            for left, right in zip(lefts, rights, strict=True):
                self._meet(left, right)

    def _aligned(self, lefts: list[Any], rights: list[Any]) -> tuple[list[Any], list[Any]]:
        """Terms or factors without those that are the same; those of the same form beside one another."""
        for loose in (False, True):
            one, other = self._forms(loose)
            kept: list[Any] = []
            found: list[tuple[Any, Any]] = []
            for left in lefts:
                right = next((right for right in rights if other.of(right) == one.of(left)), None)
                if right is None:
                    kept.append(left)
                else:
                    rights = [arg for arg in rights if arg is not right]
                    found.append((left, right))
            lefts = kept
        return [*(left for left, _ in found), *lefts], [*(right for _, right in found), *rights]

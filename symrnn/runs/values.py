"""A step at one point: the arguments, and everything that follows from them by the cell's own equations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set

from symrnn.algebra.evaluate import Evaluator
from symrnn.algebra.nodes import Expr, Variable, variables
from symrnn.arrays import Array
from symrnn.calculus.derivation import Derivation
from symrnn.runs.sizes import CellAtSizes

Evaluate = Callable[[Mapping[str, Array], Mapping[str, int]], Evaluator]
Argument = tuple[str, int, tuple[int, int]]
"""Its name, the number of steps ago (0 for what does not depend on time), and its shape."""


class Values(dict[str, Array]):
    """Values by identifier; asking for one that could not be computed raises what was raised then."""

    def __init__(self, given: Mapping[str, Array]) -> None:
        super().__init__(given)
        self._faults: dict[str, Exception] = {}

    def compute(self, name: str, expr: Expr, evaluate: Evaluator) -> None:
        """Add the value of an expression, or remember why it has none."""
        try:
            self[name] = evaluate(expr)
        # Kept and not raised: a part that divides by zero matters only where something reads it.
        except (ArithmeticError, ValueError) as error:
            self._faults[name] = error

    def compute_all(
        self, equations: Iterable[tuple[Variable, Expr]], evaluate: Evaluator, needed: Set[str] | None = None
    ) -> None:
        """Add the values that equations define, as far as they are needed."""
        for target, value in equations:
            if needed is None or target.name in needed:
                self.compute(target.name, value, evaluate)

    def __missing__(self, name: str) -> Array:
        raise self._faults.get(name, KeyError(name))


def steps_back(derivation: Derivation, wanted: Iterable[Variable]) -> int:
    """How many steps before this one a sequence must begin, so that all of these variables are in it."""
    states = derivation.cell.states
    return max([0, *(-v.time - (v.base in states) for v in wanted if v.time is not None)])


def arguments(derivation: Derivation, layout: CellAtSizes, wanted: Sequence[Variable]) -> tuple[Argument, ...]:
    """What a step, and the steps before it that are read, can be given freely."""
    cell, back = derivation.cell, steps_back(derivation, wanted)
    found: list[Argument] = [(name, 0, layout.shape(cell[name])) for name in cell.parameters]
    found += [(v.name, back, layout.shape(v)) for v in cell.previous]
    found += [(name, ago, layout.shape(cell[name])) for ago in range(back, -1, -1) for name in cell.inputs]
    return (*found, *((v.name, 0, layout.shape(cell[s])) for s, v in derivation.cotangents.items()))


def values_at(
    derivation: Derivation,
    layout: CellAtSizes,
    wanted: Sequence[Variable],
    given: Mapping[tuple[str, int], Array],
    evaluator: Evaluate,
    needed: Set[str] | None = None,
) -> Values:
    """The values of a step and its derivation, as far as the variables wanted need them.

    Args:
        derivation: the equations.
        layout: the sizes.
        wanted: variables that are read; those at t-k make the sequence begin k steps earlier.
        given: a value for every one of `arguments`, by its name and the number of steps ago.
        evaluator: makes an evaluator that reads the values given to it.
        needed: what `needed_names` says, where that is known already.
    """
    cell, back = derivation.cell, steps_back(derivation, wanted)
    needed = needed_names(derivation, wanted) if needed is None else needed
    fixed = {name: given[name, 0] for name in cell.parameters}
    frames: list[Values] = []
    for ago in range(back, -1, -1):
        frame = Values(fixed | {name: given[name, ago] for name in cell.inputs})
        for s in cell.states:
            # What nothing reads is left out: it may have no value at this point, which would be no fault of the
            # formula.
            if frames and s in needed:
                frame.compute(f"{s}_prev", cell[s], evaluator(frames[0], layout.sizes))
            elif not frames:
                frame[f"{s}_prev"] = given[f"{s}_prev", back]
        frame.compute_all(((e.target, e.value) for e in derivation.forward), evaluator(frame, layout.sizes), needed)
        frames.insert(0, frame)
    now = frames[0]
    now |= {v.name: given[v.name, 0] for v in derivation.cotangents.values()}
    now.compute_all(((step.target, step.value) for step in derivation.steps), evaluator(now, layout.sizes), needed)
    for name, ago, variable in _earlier(derivation, wanted, now):
        now.compute(name, variable, evaluator(frames[ago], layout.sizes))
    return now


def _earlier(derivation: Derivation, wanted: Iterable[Variable], now: Values) -> Iterator[tuple[str, int, Variable]]:
    """Variables of earlier steps, each with the frame that it is in and its name there."""
    cell = derivation.cell
    for v in wanted:
        if v.time is not None and v.mark == "" and v.time < 0 and v.name not in now:
            state = v.base in cell.states
            yield v.name, -v.time - state, cell[f"{v.base}_prev" if state else v.base]


def needed_names(derivation: Derivation, wanted: Iterable[Variable]) -> set[str]:
    """The identifiers of all variables that some variables rest on, these included, whatever their step."""
    definitions = {e.target.name: e.value for e in derivation.forward}
    definitions |= {step.target.name: step.value for step in derivation.steps}
    earlier = steps_back(derivation, wanted) > 0
    found: set[str] = set()
    open_ = list(wanted)
    while open_:
        variable = open_.pop()
        base = variable.base if variable.mark == "" and variable.time is not None else variable.name
        names = {variable.name, base} if earlier or variable.base not in derivation.cell.states else {variable.name}
        for name in names - found:
            found.add(name)
            if name in definitions:
                open_ += variables(definitions[name])
    return found

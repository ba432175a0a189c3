"""A step at one point: the arguments, and everything that follows from them by the cell's own equations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from symrnn.algebra.evaluate import Evaluator
from symrnn.algebra.nodes import Variable
from symrnn.calculus.derivation import Derivation
from symrnn.verification.field import Array
from symrnn.verification.layout import Layout

Draw = Callable[[tuple[int, int]], Array]
Evaluate = Callable[[dict[str, Array], Mapping[str, int]], Evaluator]


def values_at(
    derivation: Derivation, layout: Layout, wanted: Sequence[Variable], random: Draw, evaluator: Evaluate
) -> dict[str, Array]:
    """The value of every variable of a step and of its derivation, by identifier, and of those wanted at earlier steps.

    Args:
        derivation: the equations.
        layout: the sizes.
        wanted: variables that are read; those at t-k make the sequence begin k steps earlier.
        random: draws an array of a shape.
        evaluator: makes an evaluator that reads the values given to it.
    """
    cell = derivation.cell
    back = max([0, *(-v.time - (v.base in cell.states) for v in wanted if v.time is not None)])
    fixed = {name: random(layout.shape(cell[name])) for name in cell.parameters}
    state = {v.name: random(layout.shape(v)) for v in cell.previous}
    frames: list[dict[str, Array]] = []
    for _ in range(back + 1):
        frame = fixed | state | {name: random(layout.shape(cell[name])) for name in cell.inputs}
        evaluate = evaluator(frame, layout.sizes)
        for equation in derivation.forward:
            frame[equation.target.name] = evaluate(equation.value)
        state = {f"{s}_prev": frame[s] for s in cell.states}
        frames.insert(0, frame)
    now = frames[0]
    for s, variable in derivation.cotangents.items():
        now[variable.name] = random(layout.shape(cell[s]))
    for step in derivation.steps:
        now[step.target.name] = evaluator(now, layout.sizes)(step.value)
    for v in wanted:
        if v.time is not None and v.mark == "" and v.name not in now:
            ago = -v.time
            now[v.name] = frames[ago - 1][f"{v.base}_prev"] if v.base in cell.states else frames[ago][v.base]
    return now

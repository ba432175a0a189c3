"""How far a callable is from a cell in a layout: at its own inputs, and at random ones with nothing zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symrnn.arrays import Arrays
from symrnn.callables.outputs import JOINED
from symrnn.callables.probe import Answer, Probe
from symrnn.identification.frames import LAST, Leads, View, views
from symrnn.identification.layout import Layout, Output
from symrnn.identification.matching import gap
from symrnn.identification.points import random_arrays
from symrnn.identification.slips import CellSlip
from symrnn.identification.tiles import shapes

# Of the random point; other than those of the search's own points, so that a guess made there meets new numbers.
_SEED = 20


@dataclass(frozen=True)
class Match:
    """A cell in a layout, and how far the callable is from it.

    Attributes:
        layout: which of the callable's numbers are which of the cell's.
        agreement: the largest relative error over all outputs that are states.
        unexplained: outputs with the shape of a state that are none of the cell's.
        slip: one change of the cell with which the callable agrees; None where it agrees as it is, or with no such.
    """

    layout: Layout
    agreement: float
    unexplained: tuple[str, ...] = ()
    slip: CellSlip | None = None

    @property
    def cell(self) -> Any:
        """The cell."""
        return self.layout.cell

    @property
    def name(self) -> str:
        """The cell's name."""
        return self.layout.cell.name


def measure(probe: Probe, layout: Layout, leads: Leads) -> Match:
    """Compare a callable with a cell in a layout, over all steps."""
    trials = [(probe.arrays, probe.answer), *random_trials(probe, layout)]
    found = views(layout.frame, probe.answer, layout.candidate.sized.state_keys, leads)
    errors: dict[tuple[str, View], float] = {}
    for arrays, answer in trials:
        for pair, error in _measure_errors(layout, arrays, answer, found).items():
            # The worst of all points counts: an output that agrees at zero states only is not the state.
            errors[pair] = max(error, errors.get(pair, 0.0))
    first = layout.cell.states[0]
    best = min((error for (state, _), error in errors.items() if state == first), default=float("inf"))
    # Where nothing agrees, the nearest readings of the first state are kept: `nearest` has to show something.
    agreeing = {pair: error for pair, error in errors.items() if error <= max(probe.tolerance, best)}
    outputs = _choose_outputs(agreeing, first, best <= probe.tolerance)
    error = max(agreeing.values(), default=best) if best <= probe.tolerance else best
    return Match(replace(layout, outputs=outputs), error, _find_unexplained(found, outputs))


def _choose_outputs(agreeing: Mapping[tuple[str, View], float], first: str, exact: bool) -> tuple[Output, ...]:
    """One reading for each piece of an output: all steps rather than the last of them, and the best one."""
    chosen: list[Output] = []
    # All steps come before the last one, because the tile of the last step lies inside theirs and would take it.
    for state, view in sorted(agreeing, key=lambda pair: (pair[1].when == LAST, agreeing[pair], pair[1].tile)):
        taken = any(view.tile.overlaps(other.view.tile) for other in chosen)
        if (exact or state == first) and not taken:
            chosen.append(Output(state, view))
    found = sorted(chosen, key=lambda one: one.view.tile)
    steps = [one.view.tile.array for one in found if _is_list_of_steps(one.view)]
    return tuple(
        one
        for one in found
        if _is_list_of_steps(one.view)
        or not (JOINED in one.view.tile.array or any(is_item(one.view.tile.array, path) for path in steps))
    )


def _is_list_of_steps(view: View) -> bool:
    """Whether a state's steps are the items of a list; other lists are told by their items."""
    return JOINED in view.tile.array and view.when != LAST and view.tile.lead[0] == 0


def is_item(path: str, joined: str) -> bool:
    """Whether a path is that of one item of a joined path: `output[3]` of `output[:]`."""
    start, _, rest = joined.partition(JOINED)
    return path.startswith(f"{start}[") and path.endswith(rest) and JOINED not in path


def _find_unexplained(found: list[View], outputs: tuple[Output, ...]) -> tuple[str, ...]:
    known = {output.view.tile.array for output in outputs}
    paths = dict.fromkeys(view.tile.array for view in found if JOINED not in view.tile.array)
    lists = [path for path in known if JOINED in path]
    return tuple(path for path in paths if path not in known and not any(is_item(path, joined) for joined in lists))


def random_trials(probe: Probe, layout: Layout) -> list[tuple[Arrays, Answer]]:
    """A random point; where the cell is not finite there, one with positive states."""
    sizes = {name: shape for name, shape in shapes(probe.arrays).items() if name in layout.names}
    # A cell may take the logarithm or the root of a state; then only positive states give finite numbers.
    for positive in (frozenset[str](), frozenset(part.source.array for part in layout.states)):
        drawn = random_arrays(sizes, _SEED, positive)
        answer = probe(**drawn)
        arrays = probe.arrays | drawn
        if answer is not None and _finite(layout, arrays):
            return [(arrays, answer)]
    return []


def _finite(layout: Layout, arrays: Arrays) -> bool:
    return all(np.isfinite(course[name]).all() for course in _run_courses(layout, arrays).values() for name in course)


def _run_courses(layout: Layout, arrays: Arrays) -> dict[int, Arrays]:
    """The cell's states over time for a few examples."""
    params, x, state = layout.params(arrays), layout.x(arrays), layout.state(arrays)
    batch = x.shape[1]
    return {
        n: layout.candidate.course(params, x[:, n], {name: value[n] for name, value in state.items()})
        # Three examples show a mix-up of the batch; the definition runs one example at a time, so all would be slow.
        for n in sorted({0, batch // 2, batch - 1})
    }


def _measure_errors(layout: Layout, arrays: Arrays, answer: Answer, found: list[View]) -> dict[tuple[str, View], float]:
    courses = _run_courses(layout, arrays)
    dims = layout.candidate.sized.state_dims
    errors = {}
    for view in found:
        if view.tile.array not in answer:
            continue
        value = view.read(answer)
        for state in layout.cell.states:
            if value.shape[2:] == dims[state]:
                errors[state, view] = max(gap(value[:, n], view.expected(c[state])) for n, c in courses.items())
    return errors

"""A generated module compared with what the text means: every function, over steps, examples and sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product as combinations
from typing import Any

import numpy as np

from symrnn.targets.generation import Module, generate
from tests.drawn.truth import Arrays, Meaning, Watch
from tests.drawn.writing import Drawn, Shape, entries

FURTHER = ("jvp", "hvp", "rtrl", "truncate")
SIZES: Mapping[str, Mapping[str, int]] = {
    "different": {"d_h": 3, "d_x": 2, "d_k": 4},
    "equal": {"d_h": 3, "d_x": 3, "d_k": 3},
    "one": {"d_h": 1, "d_x": 1, "d_k": 1},
}
STEPS, BATCHES = (0, 1, 5), (0, 1, 3)

SMOOTH = 1e-6
"""How far arguments stay from kinks: the values compared differ by less than 1e-9, so both are on the same side."""

LARGEST = 1e4
"""Beyond this a point is not used: products of larger numbers have too few digits left for the comparison."""

NUDGE, GROWTH = 1e-9, 1e4
"""By how much arguments are nudged, and by how many nudges final states may move: so many roundings are below 1e-11."""

TOLERANCE = 1e-9
"""Of the largest magnitude met: a hundred thousand roundings; whatever is computed wrongly is off by far more."""


class Nowhere(Exception):
    """No point was found at which a cell is smooth and its values are moderate."""


@dataclass
class Point:
    """Arguments and directions for a batch: everything that the functions of a module take."""

    sizes: Mapping[str, int]
    inputs: Arrays
    state: Arrays
    params: Arrays
    largest: float = 0.0
    _more: Any = field(default=None, repr=False)

    def example(self, number: int, steps: int) -> Arrays:
        """The arguments of one example, of the first steps."""
        one = {name: value[:steps, number] for name, value in self.inputs.items()}
        return one | {name: value[number] for name, value in self.state.items()} | self.params

    def like(self, seed: int) -> Point:
        """Other arrays of the same shapes: a direction."""
        rng = np.random.default_rng(seed)

        def fresh(group: Arrays) -> Arrays:
            return {name: rng.normal(size=value.shape) for name, value in group.items()}

        return Point(self.sizes, fresh(self.inputs), fresh(self.state), fresh(self.params))


def find_point(drawn: Drawn, meaning: Meaning, sizes: Mapping[str, int], steps: int, batch: int, seed: int) -> Point:
    """A random point at which the cell is smooth and its values are moderate.

    Raises:
        Nowhere: none of several points was one.
    """
    for attempt in range(12):
        rng = np.random.default_rng([seed, attempt])
        scale = 0.8 * 0.85**attempt

        def fresh(name: str, *lead: int, rng: Any = rng, scale: float = scale) -> Any:
            return rng.normal(scale=scale, size=(*lead, *(entries(a, sizes) for a in drawn.shapes[name])))

        point = Point(
            sizes,
            {name: fresh(name, steps, batch) for name in meaning.inputs},
            {name: fresh(name, batch) for name in meaning.states},
            {name: fresh(name) for name in meaning.parameters},
        )
        watch = Watch()
        for number in range(batch):
            meaning.run(point.example(number, steps), steps, watch)
        if watch.margin > SMOOTH and watch.largest < LARGEST and _is_steady(meaning, point, steps):
            point.largest = watch.largest
            return point
    raise Nowhere


def _is_steady(meaning: Meaning, point: Point, steps: int) -> bool:
    """Whether rounding stays small: chaotic cells make differences of 1e-16 grow to any size over a few steps."""
    batch = len(next(iter(point.state.values())))
    for number in range(batch):
        example = point.example(number, steps)
        moved = {name: value * (1 + NUDGE) for name, value in example.items()}
        (_, here), (_, there) = meaning.run(example, steps), meaning.run(moved, steps)
        if any(np.max(np.abs(there[s] - here[s]), initial=0.0) > NUDGE * GROWTH for s in meaning.states):
            return False
    return True


@dataclass
class Comparison:
    """One module at one point, with so many steps and examples."""

    meaning: Meaning
    module: Module
    point: Point
    shapes: Mapping[str, Shape]
    steps: int
    batch: int
    dtype: Any = np.float64
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.inputs = {name: value[: self.steps, : self.batch] for name, value in self.point.inputs.items()}
        self.state = {name: value[: self.batch] for name, value in self.point.state.items()}
        rng = np.random.default_rng(5)
        output = self.meaning.states[0]
        self.bar, self.bar_dot = (rng.normal(size=self.full(output, self.steps)) for _ in range(2))
        self.ends, self.ends_dot = (
            {name: rng.normal(size=self.full(name)) for name in self.meaning.states} for _ in range(2)
        )
        self.direction = self.point.like(9)

    def full(self, name: str, *lead: int) -> tuple[int, ...]:
        """The shape of a value for the batch."""
        own = (entries(axis, self.point.sizes) for axis in self.shapes[name])
        return (*lead, self.batch, *own)

    # --- what must come out ---

    def bars(self, number: int, dot: bool = False) -> Arrays:
        """The cotangents of one example, or how they move."""
        bar, ends = (self.bar_dot, self.ends_dot) if dot else (self.bar, self.ends)
        return {"output": bar[:, number]} | {name: value[number] for name, value in ends.items()}

    def added(self, results: Sequence[Arrays]) -> Arrays:
        """The derivatives of all examples: parameters' added up, inputs' and states' in one array each."""
        found: Arrays = {}
        for name in self.meaning.parameters:
            found[name] = sum((r[name] for r in results), np.zeros(self.point.params[name].shape))
        for name, value in (self.inputs | self.state).items():
            axis = 1 if name in self.inputs else 0
            parts = [r[name] for r in results]
            found[name] = np.stack(parts, axis) if parts else np.zeros(value.shape)
        return found

    # --- what came out ---

    def compare(self, what: str, found: Any, wanted: Any) -> None:
        """Note where a result differs in shape, type or value."""
        found, wanted = np.asarray(found), np.asarray(wanted)
        if found.shape != wanted.shape:
            self.wrong.append(f"{what}: shape {found.shape}, expected {wanted.shape}")
        elif found.dtype != self.dtype:
            self.wrong.append(f"{what}: type {found.dtype}, expected {np.dtype(self.dtype)}")
        elif found.size and self.dtype == np.float64:
            largest = max(1.0, self.point.largest, float(np.abs(wanted).max()))
            off = np.abs(found - wanted).max()
            if not off <= TOLERANCE * largest:
                self.wrong.append(f"{what}: off by {off:.3g} (values up to {np.abs(wanted).max():.3g})")

    def compare_gradients(self, what: str, found: Any, wanted: Arrays) -> None:
        """Note where (parameters', inputs', states') gradients differ."""
        grads, *inputs, states = found
        if set(grads) != set(self.meaning.parameters) or set(states) != set(self.meaning.states):
            self.wrong.append(f"{what}: has the names {sorted(grads)} and {sorted(states)}")
            return
        every = grads | dict(zip(self.meaning.inputs, inputs, strict=True)) | states
        for name, value in every.items():
            self.compare(f"{what}: {name}", value, wanted[name])

    def compare_states(self, what: str, found: Arrays, wanted: Sequence[Arrays]) -> None:
        """Note where states of the batch differ from those of its examples."""
        for name in self.meaning.states:
            parts = [one[name] for one in wanted]
            self.compare(f"{what}: {name}", found[name], np.stack(parts) if parts else np.zeros(self.full(name)))

    def compare_series(self, what: str, found: Any, wanted: Sequence[Sequence[Any]]) -> None:
        """Note where outputs over time differ from those of the examples."""
        shape = self.full(self.meaning.states[0], self.steps)
        right = np.zeros(shape)
        for number, series in enumerate(wanted):
            for t, value in enumerate(series):
                right[t, number] = value
        self.compare(what, found, right)

    # --- every function ---

    def cast(self, value: Any) -> Any:
        """Arguments in the type that is computed in."""
        if isinstance(value, dict):
            return {name: self.cast(item) for name, item in value.items()}
        return np.asarray(value, self.dtype)

    def forward(self) -> None:
        """`forward` and `step`."""
        m, args = self.module, self.cast(self.inputs).values()
        params, state = self.cast(self.point.params), self.cast(self.state)
        runs = [self.meaning.run(self.point.example(n, self.steps), self.steps) for n in range(self.batch)]
        h, final, self.tape = m.forward(params, *args, state)
        self.compare_series("forward: output", h, [outputs for outputs, _ in runs])
        self.compare_states("forward: final", final, [end for _, end in runs])
        if self.steps:
            once = [self.meaning.run(self.point.example(n, 1), 1)[1] for n in range(self.batch)]
            self.compare_states("step", m.step(params, *(x[0] for x in args), state), once)

    def backward(self) -> None:
        """`backward`, whose `tape` comes from `forward`."""
        found = self.module.backward(self.cast(self.point.params), self.tape, self.cast(self.bar), self.cast(self.ends))
        self.compare_gradients("backward", found, self.gradients())

    def gradients(self) -> Arrays:
        """The gradients of the whole batch; computed once."""
        if not hasattr(self, "_gradients"):
            steps = (self.steps, 0)
            self._gradients = self.added(
                [
                    self.meaning.gradient(self.point.example(n, self.steps), self.bars(n), steps)
                    for n in range(self.batch)
                ]
            )
        return self._gradients

    def is_steady(self) -> bool:
        """Whether rounding stays small in the gradients: where a slope vanishes by chance, states hide what it does."""
        for number in range(self.batch):
            example = self.point.example(number, self.steps)
            moved = {name: value * (1 + NUDGE) for name, value in example.items()}
            here, there = (self.meaning.gradient(one, self.bars(number), (self.steps, 0)) for one in (example, moved))
            most = NUDGE * GROWTH * max(1.0, *(np.abs(value).max(initial=0.0) for value in here.values()))
            if any(np.abs(there[name] - here[name]).max(initial=0.0) > most for name in here):
                return False
        return True

    def truncate(self, every: int = 2, back: int = 3) -> None:
        """`backward` over windows, whose gradients add up."""
        if not self.steps:
            return
        windows = [*range(every, self.steps, every), self.steps]
        results = []
        for n in range(self.batch):
            whole = self.point.example(n, self.steps)
            zeros: Arrays = {name: np.zeros_like(value) for name, value in whole.items()}
            for end in windows:
                start, since = max(end - back, 0), (end - 1) // every * every
                before = self.meaning.run(whole, start)[1]
                part = whole | before | {name: whole[name][start:end] for name in self.meaning.inputs}
                bars = self.bars(n)
                bars["output"] = bars["output"][start:end]
                if end < self.steps:
                    bars |= {name: np.zeros_like(bars[name]) for name in self.meaning.states}
                found = self.meaning.gradient(part, bars, (end - start, since - start))
                for name in self.meaning.parameters:
                    zeros[name] = zeros[name] + found[name]
                for name in self.meaning.inputs:
                    zeros[name][start:end] += found[name]
                if start == 0:
                    for name in self.meaning.states:
                        zeros[name] = zeros[name] + found[name]
            results.append(zeros)
        cast = self.cast
        found = self.module.backward(
            cast(self.point.params), self.tape, cast(self.bar), cast(self.ends), truncate=(every, back)
        )
        self.compare_gradients("truncate", found, self.added(results))

    def jvp(self) -> None:
        """`jvp`."""
        moved = self.direction
        wanted = [
            self.meaning.outputs_moved(self.point.example(n, self.steps), moved.example(n, self.steps), self.steps)
            for n in range(self.batch)
        ]
        h_dot, state_dot = self.module.jvp(  # type: ignore[misc]
            *self.arguments(), self.cast(self.state), *self.directions(), state_dot=self.cast(self.moved_state())
        )
        self.compare_series("jvp: output", h_dot, [outputs for outputs, _ in wanted])
        self.compare_states("jvp: final", state_dot, [end for _, end in wanted])

    def arguments(self) -> list[Any]:
        """Parameters and inputs."""
        return [self.cast(self.point.params), *self.cast(self.inputs).values()]

    def directions(self) -> list[Any]:
        """How parameters and inputs move."""
        moved = {name: value[: self.steps, : self.batch] for name, value in self.direction.inputs.items()}
        return [self.cast(self.direction.params), *self.cast(moved).values()]

    def moved_state(self) -> Arrays:
        """How the initial states move."""
        return {name: value[: self.batch] for name, value in self.direction.state.items()}

    def hvp(self) -> None:
        """`hvp`."""
        wanted = [
            self.meaning.gradient_moved(
                self.point.example(n, self.steps),
                self.bars(n),
                self.direction.example(n, self.steps),
                self.bars(n, dot=True),
                (self.steps, 0),
            )
            for n in range(self.batch)
        ]
        cast = self.cast
        found = self.module.hvp(  # type: ignore[misc]
            *self.arguments(),
            cast(self.bar),
            cast(self.state),
            *self.directions(),
            cast(self.moved_state()),
            cast(self.bar_dot),
            cast(self.ends),
            cast(self.ends_dot),
        )
        self.compare_gradients("hvp", found, self.added(wanted))

    def rtrl(self) -> None:
        """`rtrl` in two pieces, the second of which continues the first; their gradients add up."""
        half, cast = self.steps // 2, self.cast
        none = {name: np.zeros_like(value) for name, value in self.ends.items()}
        params, state, sensitivity = cast(self.point.params), cast(self.state), None
        total: Arrays = {}
        for piece, ends in ((slice(0, half), none), (slice(half, None), self.ends)):
            inputs = [x[piece] for x in cast(self.inputs).values()]
            grads, state, sensitivity = self.module.rtrl(  # type: ignore[misc]
                params, *inputs, cast(self.bar[piece]), state, cast(ends), None, sensitivity
            )
            total = {name: value + total[name] if total else value for name, value in grads.items()}
        wanted = self.gradients()
        for name in self.meaning.parameters:
            self.compare(f"rtrl: {name}", total[name], wanted[name])
        runs = [self.meaning.run(self.point.example(n, self.steps), self.steps) for n in range(self.batch)]
        self.compare_states("rtrl: final", state, [end for _, end in runs])


SHARES: Mapping[str, float] = {"forward": 1, "backward": 1, "truncate": 0.3, "jvp": 0.3, "hvp": 0.15, "rtrl": 0.3}
"""Function -> the share of cells whose function is compared: second derivatives cost the most by far."""


def plan(seed: int, effort: float) -> tuple[tuple[str, ...], list[tuple[str, int, int]]]:
    """The functions that are compared, and at which sizes, over how many steps of how many examples.

    `forward` and `backward` always are, and five steps of three examples at different and at equal sizes.
    """
    choices = np.random.default_rng([seed, 1])
    functions = tuple(name for name, share in SHARES.items() if choices.random() < max(share, effort))
    always = [(label, max(STEPS), max(BATCHES)) for label in ("different", "equal")]
    where = list(combinations(SIZES, STEPS, BATCHES))
    return functions, [one for one in where if choices.random() < effort or one in always]


def disagreements(drawn: Drawn, seed: int = 0, effort: float = 0.1, module: Module | None = None) -> Iterator[str]:
    """Where the functions of a cell's module say something else than its text.

    Args:
        drawn: the cell.
        seed: of the points, and of what is compared where.
        effort: the share of all sizes, numbers of steps and numbers of examples that is compared; with 1 everything.
        module: the module, where there is one.

    Yields:
        A line per result that is wrong.

    Raises:
        Nowhere: there is no point at which the cell can be compared.
    """
    meaning = Meaning.of(drawn.text, drawn.shapes)
    functions, where = plan(seed, effort)
    module = module or generate(drawn.cell, functions=[name for name in functions if name in FURTHER])
    points: dict[str, Point] = {}
    for label, steps, batch in where:
        if label not in points:
            points[label] = find_point(drawn, meaning, SIZES[label], max(STEPS), max(BATCHES), seed)
        comparison = Comparison(meaning, module, points[label], drawn.shapes, steps, batch)
        for name in functions:
            getattr(comparison, name)()
        if comparison.wrong and not comparison.is_steady():
            raise Nowhere
        yield from (f"{label} sizes, T = {steps}, N = {batch}: {line}" for line in comparison.wrong)
    single = Comparison(meaning, module, points["different"], drawn.shapes, 1, 1, np.float32)
    with np.errstate(all="ignore"):  # only types and shapes are compared
        for name in functions:
            getattr(single, name)()
    yield from (f"float32: {line}" for line in single.wrong)
